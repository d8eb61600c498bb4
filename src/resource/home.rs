//! Home directories: whether they are there, whose they are and what they let others do.

use std::path::Path;

use crate::fact::{Fact, Gap, Mode, Origin, Reason};
use crate::host::FileKind;
use crate::parse::passwd::Passwd;

use super::Context;
use super::accounts::PASSWD;
use super::mount::MountTable;

/// What there is to know about the home directory of an account.
pub(crate) struct Home {
    /// Whether it is there and a directory.
    pub(crate) exists: Fact<bool>,
    /// Whether the account owns it.
    pub(crate) owned: Fact<bool>,
    /// Its permission bits.
    pub(crate) mode: Fact<Mode>,
}

impl Home {
    /// Looks at the home directory of an account.
    pub(crate) fn of(context: &Context<'_>, user: &Passwd) -> Self {
        let none = |origin: Origin| Self {
            exists: Fact::Known(false, origin.clone()),
            owned: Fact::Absent(origin.clone()),
            mode: Fact::Absent(origin),
        };
        let unknown = |gap: Gap| Self { exists: Fact::Unknown(gap.clone()), owned: Fact::Unknown(gap.clone()), mode: Fact::Unknown(gap) };
        let path = Path::new(user.home.raw());
        if !path.is_absolute() {
            return none(Origin::line(PASSWD, user.line));
        }
        if let Some(gap) = on_demand(context, path) {
            return unknown(gap);
        }
        match context.host.stat(path) {
            Fact::Known(stat, origin) if stat.kind == FileKind::Directory => Self {
                exists: Fact::Known(true, origin.clone()),
                owned: Fact::Known(stat.uid == user.uid, origin.clone()),
                mode: Fact::Known(stat.mode, origin),
            },
            Fact::Known(_, origin) | Fact::Absent(origin) => none(origin),
            Fact::Unknown(gap) => unknown(gap),
        }
    }
}

/// Why a path is not looked at: it lies on a file system that mounts what is asked for, and nothing is mounted there yet.
pub(crate) fn on_demand(context: &Context<'_>, path: &Path) -> Option<Gap> {
    let table = MountTable::of(context);
    let mounts = &table.as_ref().as_ref().ok()?.mounts;
    // The mount a path lies on is the one with the longest point; of several there, the last.
    let nearest = mounts.iter().filter(|mount| path.starts_with(&mount.point)).max_by_key(|mount| mount.point.as_os_str().len())?;
    (nearest.fs_type == "autofs").then(|| Gap::new(Origin::stat(path), Reason::unsupported("is mounted only when somebody asks for it")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;
    use crate::parse::passwd;

    fn home(host: &Memory, home: &str) -> Home {
        let line = format!("al:x:1000:1000::{home}:/bin/sh\n");
        Home::of(&Context::new(host), &passwd::passwd(line.as_bytes()).entries[0])
    }

    #[test]
    fn directories_are_homes_and_nothing_else_is() {
        let host = Memory::new().node("/home/al", FileKind::Directory, 0o750).owned("/home/al", 1000, 1000, 0o750).file("/home/file", "");
        let al = home(&host, "/home/al");
        assert_eq!((al.exists.known(), al.owned.known(), al.mode.known().map(|mode| mode.bits())), (Some(&true), Some(&true), Some(0o750)));
        assert_eq!(home(&host, "/home").owned.known(), Some(&false));
        for place in ["/nonexistent", "/home/file", "", "al"] {
            let found = home(&host, place);
            assert!(found.exists.known() == Some(&false) && matches!(found.mode, Fact::Absent(_)), "{place}");
        }
        assert!(matches!(home(&host.gap("/home/al", Reason::Denied), "/home/al").exists, Fact::Unknown(_)));
    }

    #[test]
    fn what_is_mounted_on_demand_is_left_alone() {
        let table =
            "22 1 254:0 / / rw - ext4 /dev/vda rw\n30 22 0:30 / /home rw - autofs auto rw\n31 30 0:31 / /home/bo rw - nfs s:/bo rw\n";
        let host = Memory::new().file("/proc/1/mountinfo", table).node("/home/al", FileKind::Directory, 0o700).node(
            "/home/bo",
            FileKind::Directory,
            0o700,
        );
        assert!(matches!(home(&host, "/home/al").exists, Fact::Unknown(_)));
        assert_eq!(home(&host, "/home/bo").exists.known(), Some(&true));
    }
}
