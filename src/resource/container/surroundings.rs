//! What a container's declaration leaves to its engine and its host, asked once for all of them.

use std::collections::BTreeMap;

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::host::engine::Route;
use crate::parse::engine_json::{self, Volume, VolumeList};
use crate::resource::Context;
use crate::resource::docker::security::Options;
use crate::resource::docker::{Document, Engine, Kind};
use crate::resource::kernel::SecurityModules;

use super::places::Places;

/// What the engine does where a container says nothing.
#[derive(Clone, Debug)]
pub(super) struct Security {
    /// What seccomp does: `default`, `unconfined` or `custom`.
    pub(super) seccomp: Fact<&'static str>,
    pub(super) apparmor: Fact<bool>,
    pub(super) selinux: Fact<bool>,
    /// Whether root in containers is somebody else outside.
    pub(super) remapped: Fact<bool>,
    /// Whether containers share the host's cgroup namespace.
    pub(super) host_cgroup: Fact<bool>,
}

/// What the containers of one engine have around them.
pub(super) struct Surroundings<'a> {
    pub(super) kind: Kind,
    pub(super) security: Security,
    pub(super) modules: &'a SecurityModules,
    pub(super) places: &'a Places,
    /// Host directories that hide behind named volumes.
    pub(super) volumes: Fact<BTreeMap<String, String>>,
    /// Address each network publishes on where a container names none; every address where it has none either.
    networks: Fact<BTreeMap<String, Option<String>>>,
    /// Whether the daemon lets containers gain no new privileges by default.
    pub(super) no_new_privileges: Fact<bool>,
    /// Limits the daemon gives containers by default, as `nofile=1000:2000`. It writes them among a container's own.
    pub(super) default_ulimits: Fact<Vec<Text>>,
    /// When the daemon started, seconds since the epoch.
    pub(super) started: Option<i64>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn of(context: &Context<'_>, engine: &Engine, modules: &'a SecurityModules, places: &'a Places) -> Self {
        let volumes = engine.get(context, Route::Volumes).and_then(|body, origin| match engine_json::read::<VolumeList>(&body) {
            Ok(list) => Fact::Known(list.volumes.iter().filter_map(bound).collect(), origin),
            Err(what) => Fact::Unknown(Gap::new(origin, Reason::malformed(what))),
        });
        let networks = engine.json(context, Route::Networks).map(|list| {
            let address = |network: &serde_json::Value| {
                let options = network.get("Options");
                let address = options.and_then(|options| options.get("com.docker.network.bridge.host_binding_ipv4"));
                Some((network.get("Name")?.as_str()?.to_owned(), address.and_then(|address| address.as_str()).map(str::to_owned)))
            };
            list.as_array().into_iter().flatten().filter_map(address).collect()
        });
        Self {
            kind: engine.kind,
            security: Security::of(&engine.document(context, Route::Info), engine.kind, engine.rootless),
            modules,
            places,
            volumes,
            networks,
            no_new_privileges: no_new_privileges_default(engine),
            default_ulimits: engine.told.values_at_start("default-ulimits"),
            started: engine.process.as_ref().and_then(|process| process.started.known().copied()),
        }
    }

    /// The address a network publishes on where a container names none; absent for every address.
    pub(super) fn default_address(&self, network_mode: &str) -> Fact<Text> {
        let network = if matches!(network_mode, "" | "default") { "bridge" } else { network_mode };
        self.networks.as_ref().and_then(|networks, origin| match networks.get(network) {
            Some(Some(address)) => Fact::Known(address.as_str().into(), origin),
            _ => Fact::Absent(origin),
        })
    }
}

fn bound(volume: &Volume) -> Option<(String, String)> {
    volume.bound_directory().map(|directory| (volume.name.clone(), directory.to_owned()))
}

impl Security {
    fn of(info: &Document, kind: Kind, rootless: bool) -> Self {
        let options = Options::of(info);
        let either = |a: Fact<bool>, b: Fact<bool>| if a.known() == Some(&true) { a } else { b };
        Self {
            seccomp: match options.seccomp_profile() {
                Fact::Absent(origin) => Fact::Known("unconfined", origin),
                profile => profile.map(|profile| match profile.raw() {
                    "unconfined" => "unconfined",
                    "builtin" => "default",
                    _ => "custom",
                }),
            },
            apparmor: options.has("apparmor"),
            selinux: options.has("selinux"),
            remapped: if rootless { Fact::derived(true) } else { either(options.has("userns"), options.has("rootless")) },
            // Docker names cgroup namespaces among its options where a private one is the default; Podman never does, and goes
            // by the version.
            host_cgroup: match kind {
                Kind::Docker => options.has("cgroupns").map(|private| !private),
                Kind::Podman => info.text("/CgroupVersion").map(|version| version.raw().trim_start_matches('v') == "1"),
            },
        }
    }
}

/// The daemon's default, where the daemon that made its containers can be seen.
fn no_new_privileges_default(engine: &Engine) -> Fact<bool> {
    match (engine.kind, &engine.process) {
        (Kind::Podman, _) => Fact::Known(false, Origin::default_of("podman")),
        (Kind::Docker, Some(_)) => engine.told.flag_at_start("no-new-privileges"),
        (Kind::Docker, None) => {
            Fact::Unknown(Gap::new(Origin::kernel("/proc"), Reason::unsupported("the daemon's process cannot be seen")))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn read(kind: Kind, info: &str) -> Security {
        Security::of(&Document(Fact::derived(Arc::<serde_json::Value>::new(serde_json::from_str(info).unwrap()))), kind, false)
    }

    #[test]
    fn the_default_of_seccomp_has_several_names() {
        let seccomp = |options: &str| read(Kind::Docker, &format!(r#"{{"SecurityOptions":{options}}}"#)).seccomp.known().copied();
        assert_eq!(seccomp(r#"["name=seccomp,profile=default"]"#), Some("default"));
        assert_eq!(seccomp(r#"["name=seccomp,profile=builtin","name=cgroupns"]"#), Some("default"));
        assert_eq!(seccomp(r#"["name=seccomp,profile=unconfined"]"#), Some("unconfined"));
        assert_eq!(seccomp(r#"["name=seccomp,profile=/etc/docker/seccomp.json"]"#), Some("custom"));
        assert_eq!(seccomp("null"), Some("unconfined"), "a kernel or build without it");
        assert_eq!(seccomp(r#"["seccomp"]"#), None, "very old engines do not say which");
    }

    #[test]
    fn other_options() {
        let told = read(Kind::Docker, r#"{"SecurityOptions":["name=apparmor","name=userns"]}"#);
        let known = |fact: &Fact<bool>| fact.known().copied();
        assert_eq!((known(&told.apparmor), known(&told.selinux), known(&told.remapped)), (Some(true), Some(false), Some(true)));
        assert_eq!(known(&told.host_cgroup), Some(true));
        assert_eq!(known(&read(Kind::Podman, r#"{"SecurityOptions":[],"CgroupVersion":"v2"}"#).host_cgroup), Some(false));
    }

    #[test]
    fn what_an_engine_does_not_tell_is_no_default() {
        let told = read(Kind::Podman, "{}");
        for fact in [&told.apparmor, &told.selinux, &told.remapped, &told.host_cgroup] {
            assert!(matches!(fact, Fact::Unknown(_)));
        }
        assert!(matches!(told.seccomp, Fact::Unknown(_)));
    }
}
