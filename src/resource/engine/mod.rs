//! Container engines on the host.

mod access;
mod content_trust;
mod data_root;
mod images;
mod listeners;
mod supported;

use crate::fact::{Document, Fact, Flag, Gap, Integer, List, Origin, Reason, Scheme, Text, Version, record};
use crate::host::engine::Route;

use super::docker::{self, Engine, Kind, engines, picked, registries, security};
use super::{Context, Resource, Selector, process_table};
pub(super) use access::group as socket_group;

record! {
    /// One container engine: root Docker, a user's rootless Docker, Podman.
    pub struct EngineRow("engine", document) {
        /// Name: `docker` for the system's, `docker@USER` for a user's, `podman`, `podman@USER`; further ones of a kind carry their socket.
        name: Text,
        /// `docker` or `podman`.
        kind: Text,
        /// Whether it is more than installed software: it runs, or something starts it. Always true, but unknown where that could not be seen.
        in_use: Flag,
        /// Path of the API socket that was asked.
        socket: Text,
        /// Whether the daemon answers. False for Docker that is stopped while its socket unit listens: it is not asked, as that would start it.
        running: Flag,
        /// Whether it runs without root privileges.
        rootless: Flag,
        /// User the daemon runs as.
        user: Text,
        /// Version of the engine.
        version: Version,
        /// Highest API version it speaks.
        api_version: Version,
        /// Whether its branch still receives fixes, by the table in this release; unknown for builds that a distribution maintains.
        supported: Flag,
        /// Whether the daemon runs a binary that has since been replaced on disk.
        binary_replaced: Flag,
        /// Data directory, with a user-namespace suffix taken off and links resolved.
        data_root: Text,
        /// Whether the data directory is a mount point of its own.
        data_root_separate: Flag,
        /// Group that may use the API socket, as configured.
        socket_group: Text,
        /// Everybody in that group, primary members included; empty where there is no such group.
        socket_users: List,
        /// Storage driver.
        storage_driver: Text,
        /// Default logging driver.
        logging_driver: Text,
        /// Security options as the engine lists them, such as `name=seccomp,profile=builtin`.
        security_options: List,
        /// Default seccomp profile: `builtin` (also where older engines say `default`), `unconfined`, a path; absent where seccomp is off.
        seccomp_profile: Text,
        /// Whether the engine confines containers with AppArmor.
        apparmor: Flag,
        /// Whether the engine confines containers with SELinux.
        selinux: Flag,
        /// Whether user namespaces are remapped by default.
        userns_remap: Flag,
        /// Whether containers survive a restart of the daemon.
        live_restore: Flag,
        /// Whether experimental features are on.
        experimental: Flag,
        /// Authorization plugins in force.
        authorization_plugins: List,
        /// Registries or networks the engine talks to without verified TLS, loopback excepted.
        insecure_registries: List,
        /// Mirrors that are reached over plain HTTP.
        plain_mirrors: List,
        /// TCP addresses the API listens on, from flags, file, socket unit and the daemon's own warnings; unknown where the file that
        /// sets them changed after the start.
        tcp_listeners: List,
        /// Those that do not demand a client certificate (no `tlsverify`, or CA, certificate or key missing).
        tcp_unauthenticated: List,
        /// Whether containers on the default bridge may talk to each other, as the bridge itself says; absent where the default bridge is off.
        bridge_icc: Flag,
        /// Runtimes that are registered, by name.
        runtimes: List,
        /// Default runtime.
        default_runtime: Text,
        /// Cgroup version: 1 or 2.
        cgroup_version: Integer,
        /// Swarm state: `inactive`, `pending`, `active`, `error`, `locked`.
        swarm: Text,
        /// Containers, running or not.
        containers: Integer,
        /// Containers that are not running.
        containers_stopped: Integer,
        /// Images.
        images: Integer,
        /// Percentage of images that a container uses, rounded down; absent without images.
        images_used_percent: Integer,
        /// Warnings the engine prints about itself.
        warnings: List,
        /// Whether `DOCKER_CONTENT_TRUST` is set to a true value for logins or for the daemon: advice that is outdated.
        content_trust: Flag,
    }
}

/// Finds the records.
pub struct Engines;

impl Resource for Engines {
    type Row = EngineRow;
    const SELECTOR: &'static str = "an engine name such as `docker` or `docker@alice`; globs work; no such engine gives no record";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let engines = engines(context)?;
        Ok(picked(&engines, of).map(|engine| row(context, engine)).collect())
    }
}

/// An engine that was found by what is installed may be no more than that where its socket cannot be looked at.
fn in_use(context: &Context<'_>, engine: &Engine) -> Fact<bool> {
    let socket = engine.socket.as_ref().filter(|_| engine.process.is_none() && engine.asleep.is_none());
    match socket.map(|socket| context.host.stat(socket)) {
        Some(Fact::Unknown(gap)) => Fact::Unknown(gap),
        _ => Fact::derived(true),
    }
}

fn row(context: &Context<'_>, engine: &Engine) -> EngineRow {
    if let Some(gap) = &engine.doubt {
        let (name, kind) = (Fact::derived(engine.name.clone()), Fact::derived(engine.kind.word()));
        return EngineRow { name, kind, ..EngineRow::unknown(gap) };
    }
    let info = engine.document(context, Route::Info);
    let version = engine.document(context, Route::Version);
    let options = security::Options::of(&info);
    let listeners = listeners::Listeners::of(engine, &info);
    let (data_root, data_root_separate) = data_root::facts(context, engine);
    let release = |pointer: &str| version.text(pointer).map(|text| Version::new(text, Scheme::Upstream));
    let started = engine.process.as_ref().map_or(Origin::Derived, |process| Origin::kernel(format!("/proc/{}/status", process.pid)));
    EngineRow {
        name: Fact::derived(engine.name.clone()),
        kind: Fact::derived(engine.kind.word()),
        in_use: in_use(context, engine),
        socket: match &engine.socket {
            Some(socket) => Fact::derived(socket.as_path()),
            None => Fact::Absent(Origin::Derived),
        },
        running: running(context, engine),
        rootless: Fact::Known(engine.rootless, started.clone()),
        user: Fact::Known(engine.user.clone(), started),
        version: release("/Version"),
        api_version: release("/ApiVersion"),
        supported: match engine.kind {
            Kind::Docker => supported::supported(&version, context.host.now()),
            Kind::Podman => Fact::Unknown(Gap::new(Origin::Derived, Reason::unsupported("Podman is maintained by distributions; compare the package instead"))),
        },
        binary_replaced: binary_replaced(context, engine),
        data_root,
        data_root_separate,
        socket_group: access::group(engine),
        socket_users: access::users(context, engine),
        storage_driver: info.text("/Driver"),
        logging_driver: info.text("/LoggingDriver"),
        security_options: info.texts("/SecurityOptions"),
        seccomp_profile: options.seccomp_profile(),
        apparmor: options.has("apparmor"),
        selinux: options.has("selinux"),
        userns_remap: options.has("userns"),
        live_restore: info.flag("/LiveRestoreEnabled"),
        experimental: info.flag("/ExperimentalBuild"),
        authorization_plugins: info.texts("/Plugins/Authorization"),
        insecure_registries: registries::insecure(&info),
        plain_mirrors: registries::plain_mirrors(&info),
        tcp_unauthenticated: listeners.unauthenticated(context, engine),
        tcp_listeners: listeners.all,
        bridge_icc: docker::default_bridge_icc(context, engine),
        runtimes: info.at("/Runtimes", |runtimes| Some(runtimes.as_object()?.keys().map(|name| Text::from(name.as_str())).collect())),
        default_runtime: info.text("/DefaultRuntime"),
        cgroup_version: info.at("/CgroupVersion", |version| version.as_str()?.parse().ok()),
        swarm: info.text("/Swarm/LocalNodeState").map(|state| if state.raw().is_empty() { "inactive".into() } else { state }),
        containers: info.integer("/Containers"),
        containers_stopped: info.integer("/ContainersStopped"),
        images: info.integer("/Images"),
        images_used_percent: images::used_percent(context, engine),
        warnings: info.texts("/Warnings"),
        content_trust: content_trust::content_trust(context, engine),
        document: document(context, engine),
    }
}

/// Whether the daemon answers. A failure it reports is an answer; a refusal to us leaves it open.
fn running(context: &Context<'_>, engine: &Engine) -> Fact<bool> {
    if let Some(listening) = &engine.asleep {
        return Fact::Known(false, listening.clone());
    }
    match engine.get(context, Route::Version) {
        Fact::Known(_, origin) | Fact::Absent(origin) => Fact::Known(true, origin),
        Fact::Unknown(Gap { origin, reason: Reason::Unreachable }) => Fact::Known(false, origin),
        Fact::Unknown(Gap { origin, reason: Reason::Unsupported(_) }) if engine.socket.is_some() => Fact::Known(true, origin),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

fn document(context: &Context<'_>, engine: &Engine) -> Option<Document> {
    if !context.wants_document("engine") {
        return None;
    }
    let (info, origin) = match engine.get(context, Route::Info) {
        Fact::Known(info, origin) => (info, origin),
        Fact::Absent(_) | Fact::Unknown(_) => return None,
    };
    Document::new(&info, origin).ok()
}

/// The kernel marks the executable of a process whose file was removed, which is how packages replace one.
fn binary_replaced(context: &Context<'_>, engine: &Engine) -> Fact<bool> {
    let Some(process) = &engine.process else {
        return Fact::Unknown(Gap::new(Origin::kernel("/proc"), Reason::unsupported("no process of the daemon was seen")));
    };
    let origin = Origin::kernel(format!("/proc/{}/exe", process.pid));
    process_table::links(context, process.pid).and_then(|links, _| match links.program() {
        Some((_, replaced)) => Fact::Known(replaced, origin),
        None => Fact::Unknown(Gap::new(origin, Reason::Denied)),
    })
}

#[cfg(test)]
mod tests;
