//! Tells an engine that is stopped from one that is merely installed, as beside rootless engines, and from one that a connection
//! would start.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::{FileKind, Host};
use crate::resource::Context;
use crate::resource::init::Init;
use crate::resource::process_table::{ProcessTable, Running};
use crate::resource::systemd::{Loaded, Starts, Units};

/// Below a data directory, what fills as soon as the engine has something to come back with.
const KEPT: &[&str] = &["containers", "swarm", "containerd/daemon/io.containerd.content.v1.content/blobs/sha256"];

/// Below the image directory of a driver.
const IMAGES: &str = "imagedb/content/sha256";

/// Images of engines that leave them to the system's containerd.
const CONTAINERD: &str = "/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256";

/// Whether an engine of which no process was seen does not run, nothing starts it, and it keeps nothing. Errors where that
/// cannot be told.
pub(super) fn is_dormant(context: &Context<'_>, socket: &Path, unit: &str, data_root: &Fact<PathBuf>) -> Result<bool, Gap> {
    // What is certain on one of these counts, whatever the others hide.
    let signs = [may_run(context, socket), starts(context, unit), keeps(context.host, data_root)];
    if signs.contains(&Ok(true)) {
        return Ok(false);
    }
    signs.into_iter().try_fold(true, |dormant, sign| sign.map(|sign| dormant && !sign))
}

/// Whether it may run: a socket is there that somebody listens on, or did.
fn may_run(context: &Context<'_>, socket: &Path) -> Result<bool, Gap> {
    if context.host.lstat(socket).into_result()?.is_some() {
        return Ok(true);
    }
    match ProcessTable::of(context).as_ref() {
        Ok(table) => table.hidden.clone().map_or(Ok(false), Err),
        // A host that does not run is judged by what it would do.
        Err(Gap { reason: Reason::NotCollected, .. }) => Ok(true),
        Err(gap) => Err(gap.clone()),
    }
}

/// The socket unit that listens in place of a service that is stopped: whoever connects starts it. A service counts as stopped only
/// where every process is seen.
pub(super) fn asleep(context: &Context<'_>, service: &str, socket_unit: &Fact<Loaded>, socket: &Path) -> Option<Origin> {
    let table = ProcessTable::of(context);
    let table = table.as_ref().as_ref().ok().filter(|table| table.hidden.is_none())?;
    let elsewhere = |process: &Running| match &process.unit {
        Fact::Known(unit, _) => unit != service,
        Fact::Absent(_) => true,
        Fact::Unknown(_) => false,
    };
    if Init::of(context).name.known() != Some(&"systemd") || !table.processes.iter().all(elsewhere) {
        return None;
    }
    let listens = context.host.stat(socket).known().is_some_and(|stat| stat.kind == FileKind::Socket);
    socket_unit.known().filter(|_| listens).map(|unit| Origin::file(unit.file.path.as_path()))
}

/// Whether the service, or the socket that activates it, comes up by itself.
fn starts(context: &Context<'_>, unit: &str) -> Result<bool, Gap> {
    let (units, starts) = (Units::of(context), Starts::of(context));
    let socket = unit.replace(".service", ".socket");
    let of = |name: &str| starts.fact(&units.canonical(name)).into_result().map(|starts| starts.unwrap_or_default());
    match (of(unit), of(&socket)) {
        (Ok(true), _) | (_, Ok(true)) => Ok(true),
        (service, socket) => Ok(service? || socket?),
    }
}

/// Whether images, containers or a swarm are in the data directory.
fn keeps(host: &dyn Host, data_root: &Fact<PathBuf>) -> Result<bool, Gap> {
    let Some(root) = data_root.clone().into_result()? else { return Ok(false) };
    let images = root.join("image");
    let drivers = host.list(&images).into_result()?.unwrap_or_default();
    let of_drivers = drivers.iter().map(|driver| images.join(&driver.name).join(IMAGES));
    let places = KEPT.iter().map(|kept| root.join(kept)).chain(of_drivers).chain([PathBuf::from(CONTAINERD)]);
    for place in places {
        if host.list(&place).into_result()?.is_some_and(|inside| !inside.is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}
