//! Mounted file systems, as PID 1 sees them.

use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Text, record};
use crate::parse::mountinfo;

use super::{Context, Resource, Selector};

/// The mount table of the host. Our own could be that of a container or of a hardened service.
pub(super) const TABLE: &str = "/proc/1/mountinfo";

/// The mount table of the host, read once per run.
pub(super) struct MountTable {
    /// The mounts, in order.
    pub(super) mounts: Vec<mountinfo::Mount>,
    /// Lines, from 1, that could not be understood.
    pub(super) bad: Vec<u32>,
}

impl MountTable {
    /// The table, or why there is none to see.
    pub(super) fn of(context: &Context<'_>) -> Arc<Result<Self, Gap>> {
        context.once(|context| match context.host.read(Path::new(TABLE)) {
            Fact::Known(table, _) => {
                let (mounts, bad) = mountinfo::parse(&table);
                Ok(Self { mounts, bad })
            }
            Fact::Absent(origin) => Err(Gap::new(origin, Reason::unsupported("the processes of the host cannot be seen"))),
            Fact::Unknown(gap) => Err(gap),
        })
    }
}

record! {
    /// One mount point in the mount table of the host (PID 1's, not the auditor's own). Where mounts are stacked, the topmost.
    pub struct Mount("mount") {
        /// Where it is mounted; exact, with octal escapes decoded.
        point: Text,
        /// Type of file system, such as `ext4`.
        fs_type: Text,
        /// The device or name mounted.
        device: Text,
        /// Options of this mount: `nodev`, `nosuid`, `noexec`, `ro`, `relatime` and so on.
        options: List,
        /// Options of the file system itself, from after the dash.
        super_options: List,
        /// Propagation: `shared`, `private`, `slave` or `unbindable`.
        propagation: Text,
        /// Whether the file system comes over a network or from a user-space daemon.
        remote: Flag,
    }
}

/// Finds the records.
pub struct Mounts;

impl Resource for Mounts {
    type Row = Mount;
    const SELECTOR: &'static str = "a mount point, or a glob; a path that is not a mount point gives no record";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let table = MountTable::of(context);
        let MountTable { mounts, bad } = table.as_ref().as_ref().map_err(Gap::clone)?;
        let wanted = |mount: &Mount| mount.point.known().is_some_and(|point| of.picks(point.raw()));
        let unread = |line: u32| Mount::unknown(&Gap::new(Origin::line(TABLE, line), Reason::malformed("not a line of a mount table")));
        let known = mountinfo::topmost(mounts.clone()).into_iter().map(row).filter(wanted);
        Ok(known.chain(bad.iter().copied().map(unread)).collect())
    }
}

fn row(mount: mountinfo::Mount) -> Mount {
    let origin = Origin::kernel(TABLE);
    let text = |text: &str| Fact::Known(Text::from(text), origin.clone());
    let list = |list: &[String]| Fact::Known(list.iter().map(|item| Text::from(item.as_str())).collect(), origin.clone());
    Mount {
        point: Fact::Known(mount.point.as_path().into(), origin.clone()),
        fs_type: text(&mount.fs_type),
        device: text(&mount.device),
        options: list(&mount.options),
        super_options: list(&mount.super_options),
        propagation: text(mount.propagation),
        remote: Fact::Known(mount.is_remote(), origin.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    const TABLE_TEXT: &str = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro\n\
        30 22 0:30 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw\n\
        31 30 0:31 / /tmp rw,noexec - tmpfs tmpfs rw\n\
        32 22 0:32 / /srv/a\\040b rw - nfs4 s:/ rw\n";

    fn points(host: &Memory, keys: &[&str]) -> Vec<String> {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let rows = Mounts::collect(&Context::new(host), &Selector::Keys(keys)).unwrap();
        rows.iter().map(|row| row.point.known().map_or("?", Text::raw).to_owned()).collect()
    }

    #[test]
    fn the_topmost_mount_of_each_point() {
        let host = Memory::new().file(TABLE, TABLE_TEXT);
        let rows = Mounts::collect(&Context::new(&host), &Selector::All).unwrap();
        assert_eq!(rows.len(), 3);
        let tmp = rows.iter().find(|row| row.point.known().is_some_and(|point| point.raw() == "/tmp")).unwrap();
        assert_eq!(tmp.options.known().unwrap(), &["rw".into(), "noexec".into()] as &[Text]);
        assert_eq!(points(&host, &["/srv/a b", "/var", "/t*"]), ["/srv/a b", "/tmp"]);
        assert_eq!(rows.iter().map(|row| row.remote.known().copied().unwrap()).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn only_the_table_of_the_host_will_do() {
        let own = Memory::new().file("/proc/self/mountinfo", TABLE_TEXT).file("/proc/mounts", "");
        assert!(Mounts::collect(&Context::new(&own), &Selector::All).is_err());
        let denied = Memory::new().file(TABLE, "").gap(TABLE, Reason::Denied);
        assert_eq!(Mounts::collect(&Context::new(&denied), &Selector::All).unwrap_err().reason, Reason::Denied);
    }

    #[test]
    fn a_broken_line_may_have_been_any_mount() {
        let host = Memory::new().file(TABLE, format!("{TABLE_TEXT}33 broken\n"));
        assert_eq!(points(&host, &["/tmp"]), ["/tmp", "?"]);
    }
}
