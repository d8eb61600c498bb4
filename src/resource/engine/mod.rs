//! Container engines on the host.

use crate::fact::{Flag, Gap, Integer, List, Text, Version, record};

use super::{Context, Resource, Selector};

record! {
    /// One container engine: root Docker, a user's rootless Docker, Podman.
    pub struct EngineRow("engine", document) {
        /// Name: `docker` for the system's, `docker@USER` for a user's, `podman`, `podman@USER`; further ones of a kind carry their socket.
        name: Text,
        /// `docker` or `podman`.
        kind: Text,
        /// Path of the API socket that was asked.
        socket: Text,
        /// Whether the daemon answers.
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
        /// TCP addresses the API listens on, from configuration, units and the daemon's own sockets.
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


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
