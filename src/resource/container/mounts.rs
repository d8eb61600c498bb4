//! What of the host a container mounts: bind mounts, and host directories that hide behind named volumes.

use std::collections::BTreeSet;

use crate::fact::{Fact, Gap, Text};
use crate::host::Host;
use crate::parse::engine_json::ContainerInspect;

use super::places::Place;
use super::source::Source;
use super::surroundings::Surroundings;

/// One mount of the host.
#[derive(Debug, PartialEq, Eq)]
struct HostMount {
    source: String,
    target: String,
    rw: bool,
    /// Whether it is a bind mount by declaration, and not a volume.
    bind: bool,
}

/// The facts about mounts.
pub(super) struct Mounts {
    pub(super) sensitive: Fact<Vec<Text>>,
    pub(super) risky: Fact<Vec<Text>>,
    pub(super) engine_sockets: Fact<Vec<Text>>,
    pub(super) shared: Fact<Vec<Text>>,
    pub(super) bind: Fact<Vec<Text>>,
}

impl Mounts {
    pub(super) fn of(host: &dyn Host, inspect: &ContainerInspect, around: &Surroundings<'_>, source: &Source) -> Self {
        let (mounts, mut gap) = host_mounts(inspect, &around.volumes);
        let (mut sensitive, mut risky, mut sockets, mut unseen) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), None);
        for mount in &mounts {
            let place = Place::of(host, &mount.source).unwrap_or_else(|failed| {
                gap.get_or_insert(failed);
                Place::as_written(&mount.source)
            });
            let shown = format!("{} ({})", mount.source, rights(mount.rw));
            if around.places.is_sensitive(&place) {
                sensitive.insert(shown);
            } else if around.places.is_risky(&place) {
                risky.insert(shown);
            }
            unseen = unseen.or_else(|| around.places.unseen_in(&place).cloned());
            sockets.extend(around.places.sockets_in(&place).map(|path| path.to_string_lossy().into_owned()));
        }
        // What was found stays found; only "nothing was found" needs every mount to have been looked at.
        let told = |found: BTreeSet<String>, gap: Option<&Gap>| match gap {
            Some(gap) if found.is_empty() => Fact::Unknown(gap.clone()),
            _ => source.list(found),
        };
        let binds: BTreeSet<String> = mounts
            .iter()
            .filter(|mount| mount.bind)
            .map(|mount| format!("{}:{} ({})", mount.source, mount.target, rights(mount.rw)))
            .collect();
        Self {
            sensitive: told(sensitive, gap.as_ref()),
            risky: told(risky, gap.as_ref()),
            engine_sockets: told(sockets, gap.as_ref().or(unseen.as_ref())),
            shared: source.list(shared(inspect)),
            bind: source.list(binds),
        }
    }
}

fn rights(rw: bool) -> &'static str {
    if rw { "rw" } else { "ro" }
}

/// Paths inside that propagate mounts in both directions.
fn shared(inspect: &ContainerInspect) -> BTreeSet<String> {
    let is_shared = |propagation: &str| matches!(propagation, "shared" | "rshared");
    let made = inspect.mounts.iter().filter(|mount| is_shared(&mount.propagation)).map(|mount| mount.destination.clone());
    let asked =
        inspect.host_config.mounts.iter().filter(|mount| is_shared(&mount.bind_options.propagation)).map(|mount| mount.target.clone());
    let bound = inspect.host_config.binds.iter().filter_map(|bind| {
        let bind = Bind::parse(bind)?;
        bind.options.split(',').any(is_shared).then(|| bind.target.to_owned())
    });
    made.chain(asked).chain(bound).collect()
}

/// `SOURCE:TARGET[:OPTIONS]`.
struct Bind<'a> {
    source: &'a str,
    target: &'a str,
    options: &'a str,
}

impl<'a> Bind<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        Some(Self { source: parts.next()?, target: parts.next()?, options: parts.next().unwrap_or_default() })
    }

    fn rw(&self) -> bool {
        !self.options.split(',').any(|option| option == "ro" || option == "readonly")
    }
}

/// Mounts of host directories: as the engine made them, and, for what it has not made yet, as they were asked for.
/// The gap says that volumes are mounted and could not be looked through.
fn host_mounts(inspect: &ContainerInspect, volumes: &Fact<std::collections::BTreeMap<String, String>>) -> (Vec<HostMount>, Option<Gap>) {
    let mut found: Vec<HostMount> = Vec::new();
    let mut gap = None;
    let mut volume = |name: &str, target: &str, rw: bool, found: &mut Vec<HostMount>| match volumes {
        Fact::Known(volumes, _) => {
            found.extend(volumes.get(name).map(|source| HostMount { source: source.clone(), target: target.to_owned(), rw, bind: false }));
        }
        Fact::Unknown(failed) => drop(gap.get_or_insert_with(|| failed.clone())),
        Fact::Absent(_) => {}
    };
    for mount in &inspect.mounts {
        match mount.kind.as_str() {
            "volume" => volume(&mount.name, &mount.destination, mount.rw, &mut found),
            "bind" => found.push(HostMount { source: mount.source.clone(), target: mount.destination.clone(), rw: mount.rw, bind: true }),
            // Before they had a type, mounts of the host had a source and no name.
            "" if mount.name.is_empty() && mount.source.starts_with('/') => {
                found.push(HostMount { source: mount.source.clone(), target: mount.destination.clone(), rw: mount.rw, bind: true });
            }
            _ => {}
        }
    }
    let made: BTreeSet<&str> = inspect.mounts.iter().map(|mount| mount.destination.as_str()).collect();
    for bind in inspect.host_config.binds.iter().filter_map(|bind| Bind::parse(bind)).filter(|bind| !made.contains(bind.target)) {
        if bind.source.starts_with('/') {
            found.push(HostMount { source: bind.source.to_owned(), target: bind.target.to_owned(), rw: bind.rw(), bind: true });
        } else {
            volume(bind.source, bind.target, bind.rw(), &mut found);
        }
    }
    for mount in inspect.host_config.mounts.iter().filter(|mount| !made.contains(mount.target.as_str())) {
        if let Some(source) = mount.host_directory() {
            let bind = mount.kind == "bind";
            found.push(HostMount { source: source.to_owned(), target: mount.target.clone(), rw: !mount.read_only, bind });
        } else if mount.kind == "volume" && !mount.source.is_empty() {
            volume(&mount.source, &mount.target, !mount.read_only, &mut found);
        }
    }
    (found, gap)
}
