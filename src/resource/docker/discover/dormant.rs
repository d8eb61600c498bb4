//! Tells an engine that is stopped from one that is merely installed, and one that a connection would start.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Origin};
use crate::host::{FileKind, Host};
use crate::resource::Context;
use crate::resource::docker::unit;
use crate::resource::init::Init;
use crate::resource::process_table::{ProcessTable, Running};
use crate::resource::systemd::{Starts, Units};

/// Below a data directory, what exists as soon as the engine has something to come back with. An image directory is one per driver.
const KEPT: &[&str] = &["containers", "swarm", "containerd/daemon/io.containerd.content.v1.content/blobs/sha256"];

/// Below the image directory of a driver.
const IMAGES: &str = "imagedb/content/sha256";

/// Images of engines that leave them to the system's containerd.
const CONTAINERD: &str = "/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256";

/// Whether an engine of which no process was seen is known not to run, nothing starts it, and it keeps nothing.
/// Whatever of this cannot be told makes it an engine.
pub(super) fn is_dormant(context: &Context<'_>, socket: &Path, unit: &str, data_root: &Fact<PathBuf>) -> bool {
    let host = context.host;
    let not_running = ProcessTable::of(context).as_ref().as_ref().is_ok_and(|table| table.hidden.is_none())
        && matches!(host.lstat(socket), Fact::Absent(_));
    not_running && !may_start(context, unit) && !data_root.known().is_none_or(|root| may_keep(host, root))
}

/// The socket unit that listens in place of a service that is stopped: whoever connects starts it. A service counts as stopped only
/// where every process is seen.
pub(super) fn asleep(context: &Context<'_>, service: &str, socket: &Path) -> Option<Origin> {
    let table = ProcessTable::of(context);
    let table = table.as_ref().as_ref().ok().filter(|table| table.hidden.is_none())?;
    let elsewhere = |process: &Running| match &process.unit {
        Fact::Known(unit, _) => unit != service,
        Fact::Absent(_) => true,
        Fact::Unknown(_) => false,
    };
    if Init::of(context).systemd.known() != Some(&true) || !table.processes.iter().all(elsewhere) {
        return None;
    }
    let files = unit::files(context.host, &unit::directories(None), &unit::socket_of(service)?);
    let listens = context.host.stat(socket).known().is_some_and(|stat| stat.kind == FileKind::Socket);
    files.known().filter(|_| listens).map(|files| Origin::file(files.fragment.as_path()))
}

/// Whether the service, or the socket that activates it, comes up by itself.
fn may_start(context: &Context<'_>, unit: &str) -> bool {
    let (units, starts) = (Units::of(context), Starts::of(context));
    let socket = unit.replace(".service", ".socket");
    [unit, &socket].into_iter().any(|unit| starts.fact(&units.canonical(unit)).known() != Some(&false))
}

fn may_keep(host: &dyn Host, root: &Path) -> bool {
    let anything_in = |path: &Path| match host.list(path) {
        Fact::Known(inside, _) => !inside.is_empty(),
        Fact::Absent(_) => false,
        Fact::Unknown(_) => true,
    };
    let images = match host.list(&root.join("image")) {
        Fact::Known(drivers, _) => drivers.iter().any(|driver| anything_in(&root.join("image").join(&driver.name).join(IMAGES))),
        Fact::Absent(_) => false,
        Fact::Unknown(_) => true,
    };
    images || KEPT.iter().any(|kept| anything_in(&root.join(kept))) || anything_in(Path::new(CONTAINERD))
}
