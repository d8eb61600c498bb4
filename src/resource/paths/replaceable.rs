//! Who could put something else in the place of a file.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::{FileKind, Host, Stat};

/// The most links that are followed in one path, as many as the kernel does.
const MOST_LINKS: usize = 40;

/// Whether somebody other than root and the `trusted` users can replace what a path leads to, by writing to any of the
/// directories in which its names are looked up, those of links included. Absent where the path leads nowhere.
///
/// A sticky directory protects what others own in it, so it counts only by its owner, or by who owns a link in it.
pub(crate) fn replaceable(host: &dyn Host, path: &Path, trusted: &[u32]) -> Fact<bool> {
    let trusts = |uid: u32| uid == 0 || trusted.contains(&uid);
    let open = |stat: &Stat| stat.mode.bits() & 0o022 != 0;
    let mut left: Vec<OsString> = names(path);
    let mut at = PathBuf::from("/");
    let mut directory = host.lstat(&at);
    let mut gap: Option<Gap> = None;
    let mut links = 0;
    while let Some(name) = left.pop() {
        if name == ".." {
            at.pop();
            directory = host.lstat(&at);
            continue;
        }
        let next = at.join(&name);
        let entry = host.lstat(&next);
        let here = match &directory {
            Fact::Known(here, origin) => {
                let sticky = here.mode.bits() & 0o1000 != 0;
                if !trusts(here.uid) || (open(here) && !sticky) {
                    return Fact::Known(true, origin.clone());
                }
                Some(here)
            }
            Fact::Absent(origin) => return Fact::Absent(origin.clone()),
            Fact::Unknown(unknown) => {
                gap.get_or_insert(unknown.clone());
                None
            }
        };
        match entry.as_ref() {
            Fact::Known(entry, origin) if entry.kind == FileKind::Link => {
                if here.is_some_and(open) && !trusts(entry.uid) {
                    return Fact::Known(true, origin);
                }
                links += 1;
                if links > MOST_LINKS {
                    return Fact::Unknown(Gap::new(Origin::stat(path), Reason::malformed("too many symbolic links")));
                }
                match host.link(&next) {
                    Fact::Known(target, _) => {
                        if target.is_absolute() {
                            at = PathBuf::from("/");
                            directory = host.lstat(&at);
                        }
                        left.extend(names(&target));
                    }
                    Fact::Absent(origin) => return Fact::Absent(origin),
                    Fact::Unknown(unknown) => return Fact::Unknown(unknown),
                }
            }
            Fact::Absent(origin) => return Fact::Absent(origin),
            Fact::Known(..) | Fact::Unknown(_) => (at, directory) = (next, entry),
        }
    }
    match (gap, directory) {
        (Some(gap), _) | (None, Fact::Unknown(gap)) => Fact::Unknown(gap),
        (None, _) => Fact::Known(false, Origin::stat(path)),
    }
}

/// The names in a path, the first one last.
fn names(path: &Path) -> Vec<OsString> {
    let name = |part: &Component<'_>| matches!(part, Component::Normal(_) | Component::ParentDir);
    path.components().rev().filter(name).map(|part| part.as_os_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn who(host: &Memory, path: &str) -> Option<bool> {
        replaceable(host, Path::new(path), &[]).known().copied()
    }

    #[test]
    fn directories_above_decide() {
        let host = Memory::new()
            .file("/etc/docker/daemon.json", "")
            .file("/srv/open/f", "")
            .owned("/srv/open", 0, 0, 0o775)
            .file("/tmp/f", "")
            .owned("/tmp", 0, 0, 0o1777)
            .file("/home/u/d/f", "")
            .owned("/home/u", 1000, 1000, 0o755);
        assert_eq!(who(&host, "/etc/docker/daemon.json"), Some(false));
        assert_eq!(who(&host, "/srv/open/f"), Some(true));
        assert_eq!(who(&host, "/tmp/f"), Some(false));
        assert_eq!(who(&host, "/home/u/d/f"), Some(true));
        assert_eq!(replaceable(&host, Path::new("/home/u/d/f"), &[1000]).known(), Some(&false));
        assert_eq!(*replaceable(&host, Path::new("/home/u/d/f"), &[]).origin(), Origin::stat("/home/u"));
        assert!(matches!(replaceable(&host, Path::new("/etc/none"), &[]), Fact::Absent(_)));
    }

    #[test]
    fn every_link_on_the_way_counts() {
        let host = Memory::new()
            .file("/etc/f", "")
            .owned("/tmp", 0, 0, 0o1777)
            .symlink("/tmp/theirs", "/etc/f")
            .owned("/tmp/theirs", 1000, 1000, 0o777)
            .symlink("/tmp/roots", "/etc/f")
            .node("/tmp", FileKind::Directory, 0o1777)
            .node("/open", FileKind::Directory, 0o777)
            .symlink("/open/hop", "/etc")
            .symlink("/safe", "open/hop/f")
            .symlink("/up", "/open/hop/../etc/f")
            .symlink("/loop", "/loop");
        assert_eq!(who(&host, "/tmp/theirs"), Some(true));
        assert_eq!(who(&host, "/tmp/roots"), Some(false));
        assert_eq!(who(&host, "/safe"), Some(true), "it leads through a link in an open directory");
        assert_eq!(who(&host, "/up"), Some(true));
        assert_eq!(who(&host, "/loop"), None);
    }

    #[test]
    fn a_gap_is_no_safety() {
        let host = Memory::new().file("/a/b/f", "").gap("/a/b", Reason::Denied);
        assert!(matches!(replaceable(&host, Path::new("/a/b/f"), &[]), Fact::Unknown(_)));
    }
}
