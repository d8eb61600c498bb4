//! Where an engine keeps its data, and whether that is a file system of its own.

use std::path::Path;

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::resource::Context;
use crate::resource::docker::Engine;
use crate::resource::mount::{MountTable, TABLE};

/// The data directory with links resolved, and whether it is a mount point.
pub(super) fn facts(context: &Context<'_>, engine: &Engine) -> (Fact<Text>, Fact<bool>) {
    let path = engine.data_root(context).and_then(|path, origin| match context.host.resolve(&path) {
        Fact::Known(real, _) => Fact::Known(real, origin),
        // Not made yet.
        Fact::Absent(_) => Fact::Known(path, origin),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    });
    let separate = path.as_ref().and_then(|path, _| is_mount_point(context, path));
    (path.map(|path| Text::from(path.as_path())), separate)
}

/// Whether something is mounted on exactly this path: a mount above it or inside it does not count.
fn is_mount_point(context: &Context<'_>, path: &Path) -> Fact<bool> {
    let origin = Origin::kernel(TABLE);
    match MountTable::of(context).as_ref() {
        Ok(table) => {
            let found = table.mounts.iter().any(|mount| mount.point == path);
            match table.bad.first() {
                Some(line) if !found => Fact::Unknown(Gap::new(origin, Reason::malformed(format!("line {line} of the mount table")))),
                _ => Fact::Known(found, origin),
            }
        }
        Err(gap) => Fact::Unknown(gap.clone()),
    }
}
