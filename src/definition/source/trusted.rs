//! Opening a file that only root can have written.
//!
//! The path is walked name by name, each step opened relative to the last without following links,
//! and what was opened is checked by its descriptor: owned by root, not writable by group or others.
//! Links are read and walked in turn, so every directory that had a say is checked. The sticky bit
//! does not help: in `/tmp` anybody can have made the file before root looked. An access control
//! list that lets somebody write shows in the group bits, so it is refused with them.

#![expect(clippy::disallowed_methods, reason = "definitions are plimsoll's own files")]

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat};
use rustix::io::Errno;

/// Most links followed on one path, as in the kernel.
const MOST_LINKS: usize = 40;
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Opens a file that root alone can have written, or says what stands in the way.
pub(super) fn open(path: &Path) -> Result<OwnedFd, String> {
    // `openat`, as everywhere: the sealed worker has no `open`.
    let root = openat(CWD, "/", directory(), Mode::empty()).map_err(cannot_open)?;
    let path = std::path::absolute(path).map_err(|error| format!("cannot be opened: {error}"))?;
    open_below(root, &path, 0)
}

/// Opens a regular file whoever owns it. Never waits on a FIFO.
pub(super) fn open_any(path: &Path) -> Result<OwnedFd, String> {
    let file = openat(CWD, path, regular(), Mode::empty()).map_err(cannot_open)?;
    is_regular(&fstat(&file).map_err(cannot_open)?)?;
    Ok(file)
}

fn directory() -> OFlags {
    OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

fn regular() -> OFlags {
    OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC
}

fn cannot_open(error: Errno) -> String {
    format!("cannot be opened: {}", std::io::Error::from(error))
}

fn is_regular(stat: &Stat) -> Result<(), String> {
    let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if regular { Ok(()) } else { Err("not a regular file".to_owned()) }
}

/// A directory on the way, and its name for messages.
struct Step {
    fd: OwnedFd,
    path: PathBuf,
}

/// Walks an absolute path from the directory that stands for `/`, believing only what `owner` owns.
fn open_below(root: OwnedFd, path: &Path, owner: u32) -> Result<OwnedFd, String> {
    let mut rest: VecDeque<OsString> = names(path.as_os_str());
    let mut steps = vec![Step { fd: root, path: PathBuf::from("/") }];
    let mut links = 0;
    check(steps.first(), owner)?;
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            if steps.len() > 1 {
                steps.pop();
            }
            continue;
        }
        let Some(here) = steps.last() else { break };
        let fd = openat(&here.fd, name.as_os_str(), directory(), Mode::empty()).map_err(cannot_open)?;
        let stat = fstat(&fd).map_err(cannot_open)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => {
                links += 1;
                if links > MOST_LINKS {
                    return Err("too many links on the way to it".to_owned());
                }
                let target = readlinkat(&here.fd, name.as_os_str(), Vec::new()).map_err(cannot_open)?;
                let target = OsString::from_vec(target.into_bytes());
                if target.as_bytes().first() == Some(&b'/') {
                    steps.truncate(1);
                }
                let mut names = names(&target);
                names.append(&mut rest);
                rest = names;
            }
            FileType::Directory => {
                let path = here.path.join(&name);
                steps.push(Step { fd, path });
                check(steps.last(), owner)?;
            }
            _ if rest.is_empty() => return open_last(here.fd.as_fd(), &name, owner),
            _ => return Err(format!("cannot be opened: {} is not a directory", here.path.join(&name).display())),
        }
    }
    Err("not a regular file".to_owned())
}

/// The names of a path, `.` left out, `..` kept.
fn names(path: &OsStr) -> VecDeque<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    };
    Path::new(path).components().filter_map(name).collect()
}

/// Opened for reading without following a link, and checked as opened: the path cannot change under it any more.
fn open_last(parent: impl AsFd, name: &OsStr, owner: u32) -> Result<OwnedFd, String> {
    let file = openat(parent, name, regular() | OFlags::NOFOLLOW, Mode::empty()).map_err(cannot_open)?;
    let stat = fstat(&file).map_err(cannot_open)?;
    is_regular(&stat)?;
    believable(&stat, owner, "it")?;
    Ok(file)
}

fn check(step: Option<&Step>, owner: u32) -> Result<(), String> {
    let Some(step) = step else { return Ok(()) };
    believable(&fstat(&step.fd).map_err(cannot_open)?, owner, &format!("its directory {}", step.path.display()))
}

fn believable(stat: &Stat, owner: u32, what: &str) -> Result<(), String> {
    if stat.st_uid != owner {
        return Err(format!("not believed: {what} belongs to user {}, not to root", stat.st_uid));
    }
    if stat.st_mode & WRITABLE_BY_OTHERS != 0 {
        return Err(format!("not believed: {what} can be written by others than root (mode {:04o})", stat.st_mode & 0o7777));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::io::Read as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    struct Place {
        dir: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir_all(dir.path().join("etc/plimsoll/b.d")).unwrap();
            fs::write(dir.path().join("etc/plimsoll/b.d/x.toml"), "format = 1").unwrap();
            let place = Self { dir };
            for (path, mode) in [("", 0o755), ("etc", 0o755), ("etc/plimsoll", 0o755), ("etc/plimsoll/b.d", 0o755), (FILE, 0o644)] {
                place.chmod(path, mode);
            }
            place
        }

        fn chmod(&self, path: &str, mode: u32) {
            fs::set_permissions(self.dir.path().join(path), Permissions::from_mode(mode)).unwrap();
        }

        fn open_as(&self, path: &str, owner: u32) -> Result<String, String> {
            let root = openat(CWD, self.dir.path(), directory(), Mode::empty()).unwrap();
            let fd = open_below(root, Path::new(path), owner)?;
            let mut text = String::new();
            fs::File::from(fd).read_to_string(&mut text).unwrap();
            Ok(text)
        }

        fn open(&self, path: &str) -> Result<String, String> {
            self.open_as(path, rustix::process::geteuid().as_raw())
        }
    }

    const FILE: &str = "etc/plimsoll/b.d/x.toml";

    #[test]
    fn permissions_of_the_file_and_of_every_directory_decide() {
        for path in ["", "etc", "etc/plimsoll", "etc/plimsoll/b.d", FILE] {
            for (mode, believed) in [
                (0o755, true),
                (0o700, true),
                (0o750, true),
                (0o775, false),
                (0o757, false),
                (0o777, false),
                (0o1777, false),
                (0o1755, true),
                (0o2755, true),
                (0o720, false),
                (0o702, false),
            ] {
                let place = Place::new();
                place.chmod(path, mode);
                let opened = place.open("/etc/plimsoll/b.d/x.toml");
                assert_eq!(opened.is_ok(), believed, "{path} {mode:o}: {opened:?}");
            }
        }
    }

    #[test]
    fn another_owner_is_not_believed() {
        let other = rustix::process::geteuid().as_raw() + 1;
        let refusal = Place::new().open_as("/etc/plimsoll/b.d/x.toml", other).unwrap_err();
        assert!(refusal.contains("not to root"), "{refusal}");
    }

    #[test]
    fn links_are_followed_through_believable_directories_only() {
        let place = Place::new();
        let inside = |path: &str| place.dir.path().join(path);
        fs::create_dir(inside("tmp")).unwrap();
        place.chmod("tmp", 0o1777);
        symlink("/etc/plimsoll/b.d/x.toml", inside("etc/link.toml")).unwrap();
        symlink("../etc/plimsoll", inside("etc/relative")).unwrap();
        symlink("/etc/plimsoll", inside("tmp/link")).unwrap();
        symlink("/tmp/link/b.d", inside("etc/through-tmp")).unwrap();
        symlink("loop", inside("etc/loop")).unwrap();
        assert_eq!(place.open("/etc/link.toml").as_deref(), Ok("format = 1"));
        assert_eq!(place.open("/etc/relative/b.d/x.toml").as_deref(), Ok("format = 1"));
        assert_eq!(place.open("/etc/plimsoll/../plimsoll/b.d/x.toml").as_deref(), Ok("format = 1"));
        assert!(place.open("/tmp/link/b.d/x.toml").unwrap_err().contains("directory /tmp"));
        assert!(place.open("/etc/through-tmp/x.toml").unwrap_err().contains("directory /tmp"));
        assert!(place.open("/etc/loop/x.toml").unwrap_err().contains("too many links"));
    }

    #[test]
    fn only_regular_files_are_opened() {
        let place = Place::new();
        rustix::fs::mknodat(rustix::fs::CWD, place.dir.path().join("etc/fifo.toml"), FileType::Fifo, Mode::from(0o600), 0).unwrap();
        assert!(place.open("/etc/fifo.toml").unwrap_err().contains("not a regular file"));
        assert!(open_any(&place.dir.path().join("etc/fifo.toml")).unwrap_err().contains("not a regular file"));
        assert!(place.open("/etc/plimsoll").unwrap_err().contains("not a regular file"));
        assert!(place.open("/etc/nothing.toml").unwrap_err().contains("cannot be opened"));
        assert!(place.open("/etc/plimsoll/b.d/x.toml/y").unwrap_err().contains("not a directory"));
    }
}
