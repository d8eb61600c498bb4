//! What a container's declaration leaves to its engine and its host, asked once for all of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::host::engine::Route;
use crate::parse::engine_json::{self, Volume, VolumeList};
use crate::resource::Context;
use crate::resource::docker::{Engine, Kind};

use super::places::Places;

/// What the engine says about security.
#[derive(Clone, Debug)]
pub(super) struct Security {
    /// What seccomp does where a container says nothing: `default`, `unconfined` or `custom`.
    pub(super) seccomp: &'static str,
    pub(super) apparmor: bool,
    pub(super) selinux: bool,
    /// Whether root in containers is somebody else outside.
    pub(super) remapped: bool,
    /// Whether containers share the host's cgroup namespace by default.
    pub(super) host_cgroup: bool,
}

/// Which of the two label-based security modules the kernel runs.
#[derive(Clone, Debug)]
pub(in crate::resource) struct Kernel {
    pub(in crate::resource) apparmor: Fact<bool>,
    pub(in crate::resource) selinux: Fact<bool>,
}

impl Kernel {
    /// Asked once per run.
    pub(in crate::resource) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(Self::look)
    }

    fn look(context: &Context<'_>) -> Self {
        let seen = |path: &str, found: Fact<bool>| match found {
            // A directory that holds a host has no `/sys`, and a host inside another may have but a part of it: nothing was looked at.
            Fact::Absent(origin) => match context.host.stat(Path::new("/sys/module")) {
                Fact::Known(..) => Fact::Known(false, origin),
                Fact::Absent(_) => Fact::Unknown(Gap::new(Origin::kernel(path), Reason::NotCollected)),
                Fact::Unknown(gap) => Fact::Unknown(gap),
            },
            found => found,
        };
        let (apparmor, selinux) = ("/sys/module/apparmor/parameters/enabled", "/sys/fs/selinux/enforce");
        Self {
            apparmor: seen(apparmor, context.host.read(Path::new(apparmor)).map(|enabled| enabled.starts_with(b"Y"))),
            selinux: seen(selinux, context.host.stat(Path::new(selinux)).map(|_| true)),
        }
    }
}

/// What the containers of one engine have around them.
pub(super) struct Surroundings<'a> {
    pub(super) kind: Kind,
    pub(super) security: Fact<Security>,
    pub(super) kernel: &'a Kernel,
    pub(super) places: &'a Places,
    /// Host directories that hide behind named volumes.
    pub(super) volumes: Fact<BTreeMap<String, String>>,
    /// Address each network publishes on where a container names none; every address where it has none either.
    networks: Fact<BTreeMap<String, Option<String>>>,
    /// Whether the daemon lets containers gain no new privileges by default.
    pub(super) no_new_privileges: Fact<bool>,
    /// When the daemon started, seconds since the epoch.
    pub(super) started: Option<i64>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn of(context: &Context<'_>, engine: &Engine, kernel: &'a Kernel, places: &'a Places) -> Self {
        let info = engine.json(context, Route::Info);
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
            security: info.map(|info| security(&info, engine.kind, engine.rootless)),
            kernel,
            places,
            volumes,
            networks,
            no_new_privileges: no_new_privileges_default(engine),
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

fn security(info: &serde_json::Value, kind: Kind, rootless: bool) -> Security {
    let options = info.get("SecurityOptions").and_then(|options| options.as_array());
    let options: Vec<&str> = options.into_iter().flatten().filter_map(|option| option.as_str()).collect();
    // `name=seccomp,profile=builtin`; engines before 1.13 wrote the bare name.
    let named =
        |name: &str| options.iter().find(|option| option.split(',').any(|part| part == name || part.strip_prefix("name=") == Some(name)));
    let profile = named("seccomp").map(|option| option.split(',').find_map(|part| part.strip_prefix("profile=")).unwrap_or("default"));
    let cgroup_version = info.get("CgroupVersion").and_then(|version| version.as_str()).map(|version| version.trim_start_matches('v'));
    Security {
        seccomp: match profile {
            None | Some("unconfined") => "unconfined",
            Some("default" | "builtin") => "default",
            Some(_) => "custom",
        },
        apparmor: named("apparmor").is_some(),
        selinux: named("selinux").is_some(),
        remapped: rootless || named("userns").is_some() || named("rootless").is_some(),
        // Docker names cgroup namespaces among its options where a private one is the default; Podman never does, and goes by the version.
        host_cgroup: match kind {
            Kind::Docker => named("cgroupns").is_none(),
            Kind::Podman => cgroup_version == Some("1"),
        },
    }
}

/// The daemon's default, where the daemon that made its containers can be seen.
fn no_new_privileges_default(engine: &Engine) -> Fact<bool> {
    match (engine.kind, &engine.process) {
        (Kind::Podman, _) => Fact::Known(false, Origin::default_of("podman")),
        (Kind::Docker, Some(_)) => engine.told.flag("no-new-privileges"),
        (Kind::Docker, None) => {
            Fact::Unknown(Gap::new(Origin::kernel("/proc"), Reason::unsupported("the daemon's process cannot be seen")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &str) -> Security {
        security(&serde_json::from_str(&format!(r#"{{"SecurityOptions":{options},"CgroupVersion":"1"}}"#)).unwrap(), Kind::Docker, false)
    }

    #[test]
    fn the_default_of_seccomp_has_several_names() {
        assert_eq!(read(r#"["name=seccomp,profile=default"]"#).seccomp, "default");
        assert_eq!(read(r#"["name=seccomp,profile=builtin","name=cgroupns"]"#).seccomp, "default");
        assert_eq!(read(r#"["seccomp"]"#).seccomp, "default");
        assert_eq!(read(r#"["name=seccomp,profile=unconfined"]"#).seccomp, "unconfined");
        assert_eq!(read(r#"["name=seccomp,profile=/etc/docker/seccomp.json"]"#).seccomp, "custom");
        assert_eq!(read("null").seccomp, "unconfined", "a kernel or build without it");
    }

    #[test]
    fn other_options() {
        let read = read(r#"["name=apparmor","name=userns"]"#);
        assert!(read.apparmor && read.remapped && !read.selinux);
        assert!(read.host_cgroup);
    }
}
