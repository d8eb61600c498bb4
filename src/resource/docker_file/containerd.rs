//! What containerd is told: where its configuration, its state and its socket are.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::resource::Context;
use crate::resource::docker::Engine;

use super::places::Place;
use super::programs::running_containerd;

/// Where containerd listens when it is told nothing.
const SOCKET: &str = "/run/containerd/containerd.sock";
/// Where it keeps its running state, and its shims their sockets.
const STATE: &str = "/run/containerd";
/// Where it reads its configuration.
const CONFIG: &str = "/etc/containerd/config.toml";

/// The configuration file: as named on the command line of the containerd that runs, else the usual one. A containerd
/// that a rootless engine starts gets one from it.
pub(super) fn config(context: &Context<'_>, engine: &Engine) -> Vec<Place> {
    let named = match running_containerd(context, engine).map(|containerd| containerd.arguments) {
        Some(Fact::Known(arguments, origin)) => option(&arguments, &["--config", "-c"]).map(|path| (PathBuf::from(path), origin)),
        Some(Fact::Unknown(gap)) => return vec![Place::Unknown(gap)],
        Some(Fact::Absent(_)) | None => None,
    };
    vec![match named {
        Some((path, origin)) if path.is_absolute() => Place::At(path, origin),
        Some((path, origin)) => {
            Place::Unknown(Gap::new(origin, Reason::unsupported(format!("{} depends on where containerd was started", path.display()))))
        }
        None if engine.rootless => Place::default_of("dockerd", managed(engine).join("containerd.toml")),
        None => Place::default_of("containerd", CONFIG),
    }]
}

/// The value of an option, after a blank or an equals sign.
fn option<'a>(arguments: &'a [String], names: &[&str]) -> Option<&'a str> {
    let mut rest = arguments.iter().skip(1);
    while let Some(argument) = rest.next() {
        for name in names {
            if argument == name {
                return rest.next().map(String::as_str);
            }
            if let Some(value) = argument.strip_prefix(name).and_then(|value| value.strip_prefix('=')) {
                return Some(value);
            }
        }
    }
    None
}

/// The directory of the containerd that dockerd starts by itself.
fn managed(engine: &Engine) -> PathBuf {
    let root = engine.told.text("exec-root").known().map_or_else(|| PathBuf::from("/run/docker"), |root| PathBuf::from(root.raw()));
    root.join("containerd")
}

/// A text of the configuration file, by its keys. Absent where the file or the key is not there.
fn setting(context: &Context<'_>, engine: &Engine, keys: &[&str]) -> Fact<PathBuf> {
    let path = match config(context, engine).into_iter().next() {
        Some(Place::At(path, _)) => path,
        Some(Place::Unknown(gap)) => return Fact::Unknown(gap),
        Some(Place::Unused(_, origin)) => return Fact::Absent(origin),
        None => return Fact::Absent(Origin::Derived),
    };
    context.host.read(&path).and_then(|content, origin| {
        let text = String::from_utf8_lossy(&content);
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => return Fact::Unknown(Gap::new(origin, Reason::malformed(error.to_string()))),
        };
        let (last, above) = keys.split_last().map_or(("", &[][..]), |(last, above)| (*last, above));
        let table = above.iter().try_fold(&table, |table, key| table.get(*key).and_then(toml::Value::as_table));
        match table.and_then(|table| table.get(last)).and_then(toml::Value::as_str) {
            Some(path) if path.starts_with('/') => Fact::Known(PathBuf::from(path), origin),
            _ => Fact::Absent(origin),
        }
    })
}

/// The directory of its running state, and for root the one in which shims keep their sockets wherever that is.
pub(super) fn state(context: &Context<'_>, engine: &Engine) -> Vec<Place> {
    let own = match setting(context, engine, &["state"]) {
        Fact::Absent(_) if engine.rootless => Place::default_of("dockerd", managed(engine).join("daemon")),
        Fact::Absent(_) => Place::default_of("containerd", STATE),
        found => Place::of(found, STATE),
    };
    let elsewhere = !matches!(&own, Place::At(path, _) if path == Path::new(STATE));
    let shims = elsewhere && !engine.rootless && !matches!(context.host.stat(Path::new(STATE)), Fact::Absent(_));
    std::iter::once(own).chain(shims.then(|| Place::default_of("containerd", STATE))).collect()
}

/// Its socket. dockerd uses the one it is told; else one that is there already; else it starts a containerd of its own.
pub(super) fn socket(context: &Context<'_>, engine: &Engine) -> Vec<Place> {
    let told = engine.told.text("containerd").map(|path| PathBuf::from(path.raw().trim_start_matches("unix://")));
    let found = match told {
        Fact::Absent(_) => setting(context, engine, &["grpc", "address"]),
        told => told,
    };
    if !matches!(found, Fact::Absent(_)) {
        return vec![Place::of(found, SOCKET)];
    }
    let there = |path: &Path| !matches!(context.host.stat(path), Fact::Absent(_));
    let own = managed(engine).join("containerd.sock");
    vec![if engine.rootless || (!there(Path::new(SOCKET)) && there(&own)) {
        Place::default_of("dockerd", own)
    } else {
        Place::default_of("containerd", SOCKET)
    }]
}
