//! Mounted file systems, as PID 1 sees them, and those that are configured to be mounted.

mod configured;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Text, record};
use crate::parse::{glob, mountinfo};

use super::{Context, Resource, Selector};
use configured::{Configured, Configuration};

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

/// The mount that a path is in: the one with the deepest point above it, of those that can be seen.
pub(super) fn covering(context: &Context<'_>, path: &Path) -> Fact<mountinfo::Mount> {
    let origin = Origin::kernel(TABLE);
    match MountTable::of(context).as_ref() {
        Err(gap) => Fact::Unknown(gap.clone()),
        Ok(table) => {
            let above = mountinfo::topmost(table.mounts.clone()).into_iter().filter(|mount| path.starts_with(&mount.point));
            match above.max_by_key(|mount| mount.point.components().count()) {
                Some(mount) => Fact::Known(mount, origin),
                None => Fact::Absent(origin),
            }
        }
    }
}

record! {
    /// One mount point: in the mount table of the host (PID 1's, not the auditor's own) or in what is configured to be mounted. Where mounts are stacked, the topmost.
    pub struct Mount("mount") {
        /// Where it is mounted; exact, with octal escapes decoded.
        point: Text,
        /// Whether a file system is mounted there now.
        mounted: Flag,
        /// Type of file system, such as `ext4`; this and the next ones are absent where nothing is mounted.
        fs_type: Text,
        /// The device or name mounted.
        device: Text,
        /// The part of the file system that is mounted: `/` for all of it, else the directory or subvolume a bind mount shows.
        root: Text,
        /// Options of this mount: `nodev`, `nosuid`, `noexec`, `ro`, `relatime` and so on.
        options: List,
        /// Options of the file system itself, from after the dash.
        super_options: List,
        /// Propagation: `shared`, `private`, `slave` or `unbindable`.
        propagation: Text,
        /// Whether the file system comes over a network or from a user-space daemon.
        remote: Flag,
        /// Whether fstab, a mount unit or systemd itself mounts it at the next start; unknown for ZFS, which mounts by itself.
        persistent: Flag,
        /// The options it will be mounted with, those that later ones take back left out; absent where nothing says.
        persistent_options: List,
        /// Whether its mount unit is masked, so that whatever else says so it is not mounted at the next start.
        masked: Flag,
    }
}

/// Finds the records.
pub struct Mounts;

impl Resource for Mounts {
    type Row = Mount;
    const SELECTOR: &'static str =
        "a mount point, which gives a record also where nothing is mounted; a glob or `\"*\"`, which give those mounted or in fstab";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let table = MountTable::of(context);
        let configuration = Configuration::of(context);
        let live = table.as_ref().as_ref().map(|table| mountinfo::topmost(table.mounts.clone()));
        let mut points: BTreeSet<PathBuf> = live.iter().flatten().map(|mount| mount.point.clone()).collect();
        points.extend(configuration.points());
        points.retain(|point| of.picks(&point.to_string_lossy()));
        match of {
            Selector::Keys(keys) => points.extend(keys.iter().filter(|key| !glob::is_glob(key)).map(PathBuf::from)),
            // What is configured alone does not tell what is mounted.
            Selector::All | Selector::Named(_) => drop(live.as_ref().map_err(|gap| Gap::clone(gap))?),
        }
        let bad = table.as_ref().as_ref().map(|table| table.bad.clone()).unwrap_or_default();
        let unread = |line: u32| Mount::unknown(&Gap::new(Origin::line(TABLE, line), Reason::malformed("not a line of a mount table")));
        let rows = points.into_iter().map(|point| {
            let mount = match &live {
                Ok(mounts) => Ok(mounts.iter().find(|mount| mount.point == point)),
                Err(gap) => Err(Gap::clone(gap)),
            };
            row(&point, mount, configuration.of_point(context, &point))
        });
        Ok(rows.chain(bad.into_iter().map(unread)).collect())
    }
}

fn row(point: &Path, mount: Result<Option<&mountinfo::Mount>, Gap>, configured: Configured) -> Mount {
    let origin = Origin::kernel(TABLE);
    let mount = match mount {
        Ok(Some(mount)) => Fact::Known(mount, origin.clone()),
        Ok(None) => Fact::Absent(origin.clone()),
        Err(gap) => Fact::Unknown(gap),
    };
    let text = |of: fn(&mountinfo::Mount) -> &str| mount.clone().map(|mount| Text::from(of(mount)));
    let list = |of: fn(&mountinfo::Mount) -> &[String]| mount.clone().map(|mount| of(mount).iter().map(|item| item.as_str().into()).collect());
    let by_itself = mount.known().is_some_and(|mount| mount.fs_type == "zfs") && matches!(configured.persistent, Fact::Known(false, _));
    Mount {
        point: Fact::Known(point.into(), origin.clone()),
        mounted: match &mount {
            Fact::Known(_, origin) => Fact::Known(true, origin.clone()),
            Fact::Absent(origin) => Fact::Known(false, origin.clone()),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        },
        fs_type: text(|mount| &mount.fs_type),
        device: text(|mount| &mount.device),
        root: mount.clone().map(|mount| mount.root.as_path().into()),
        options: list(|mount| &mount.options),
        super_options: list(|mount| &mount.super_options),
        propagation: text(|mount| mount.propagation),
        remote: mount.clone().map(mountinfo::Mount::is_remote),
        persistent: match by_itself {
            true => Fact::Unknown(Gap::new(origin, Reason::unsupported("ZFS mounts it by properties of its own"))),
            false => configured.persistent,
        },
        persistent_options: configured.options.map(|options| options.iter().map(|option| option.as_str().into()).collect()),
        masked: configured.masked,
    }
}
