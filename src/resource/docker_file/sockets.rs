//! The sockets of the engine's API.

use std::path::PathBuf;

use crate::fact::{Fact, Origin};
use crate::resource::Context;
use crate::resource::audit_rule::located;
use crate::resource::docker::{Engine, unit::content};
use crate::resource::systemd;

use super::places::Place;

/// Every socket with a path the API listens on, each once however it is spelled. An engine that listens on none has the
/// usual one as a record of what is not there.
pub(super) fn api(context: &Context<'_>, engine: &Engine) -> Vec<Place> {
    let usual = usual(engine);
    let mut found: Vec<(PathBuf, Origin)> = Vec::new();
    match engine.told.values("hosts") {
        Fact::Known(hosts, origin) => {
            for host in &hosts {
                match host.raw().split_once("://") {
                    Some(("unix", "")) => found.push((usual.clone(), origin.clone())),
                    Some(("unix", path)) if path.starts_with('/') => found.push((path.into(), origin.clone())),
                    Some(("fd", _)) => found.extend(inherited(engine).unwrap_or_else(|| vec![(usual.clone(), origin.clone())])),
                    _ => {}
                }
            }
        }
        Fact::Absent(_) => {}
        // The socket that was found to answer is one in any case.
        Fact::Unknown(gap) => {
            return match &engine.socket {
                Some(socket) => vec![Place::At(socket.clone(), gap.origin)],
                None => vec![Place::Unknown(gap)],
            };
        }
    }
    let mut seen = Vec::new();
    found.retain(|(path, _)| {
        let real = located(context.host, &path.to_string_lossy());
        let new = !seen.contains(&real);
        seen.push(real);
        new
    });
    if found.is_empty() {
        return vec![Place::Unused(usual, engine.told.values("hosts").origin().clone())];
    }
    found.into_iter().map(|(path, origin)| Place::At(path, origin)).collect()
}

fn usual(engine: &Engine) -> PathBuf {
    if engine.rootless { format!("/run/user/{}/docker.sock", engine.uid).into() } else { "/run/docker.sock".into() }
}

/// The paths that systemd listens on for the engine; `None` where its socket unit cannot be seen.
fn inherited(engine: &Engine) -> Option<Vec<(PathBuf, Origin)>> {
    let unit = content(&engine.told.socket_unit).known().copied()?;
    let runtime = if engine.rootless { format!("/run/user/{}", engine.uid) } else { "/run".to_owned() };
    let streams = unit.all("Socket", "ListenStream").into_iter().map(|stream| {
        let path = stream.value.replace("%t", &runtime);
        (path, systemd::origin(stream))
    });
    Some(streams.filter(|(path, _)| path.starts_with('/')).map(|(path, origin)| (PathBuf::from(path), origin)).collect())
}
