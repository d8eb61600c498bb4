//! The files, directories and sockets an engine depends on, found where this host has them.

use crate::fact::{Flag, Gap, Integer, Mode, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One file, directory or socket in a role. A role with no path on this host, or whose path is not there, is a record with `exists = false`.
    pub struct DockerFile("docker_file") {
        /// Path on the host, as configured.
        path: Text,
        /// What it is for: `dockerd`, `containerd`, `containerd_shim`, `containerd_shim_runc_v1`, `containerd_shim_runc_v2`, `runc`,
        /// `containerd_state`, `data_root`, `config_dir`, `config_file`, `service_unit`, `socket_unit`, `unit_dropin`, `api_socket`,
        /// `containerd_socket`, `containerd_config`, `default_file`, `sysconfig_file`, `registry_cert`, `tls_ca`, `tls_cert`, `tls_key`.
        role: Text,
        /// Name of the engine.
        engine: Text,
        /// Whether that engine is rootless.
        rootless: Flag,
        /// Whether it is there.
        exists: Flag,
        /// `file`, `directory`, `socket` and so on.
        kind: Text,
        /// Name of the owner.
        owner: Text,
        /// Name of the group.
        group: Text,
        /// Numeric owner.
        uid: Integer,
        /// Numeric group.
        gid: Integer,
        /// Permission bits.
        mode: Mode,
        /// Whether the owner is who should own it: root, or the user of a rootless engine.
        owner_expected: Flag,
        /// Whether the group is the one that should: for the API socket the configured socket group or root, else root (or the rootless user's).
        group_expected: Flag,
        /// Whether a loaded audit rule watches it for writes and attribute changes, be it by name, alias or parent directory.
        audited: Flag,
        /// Whether a rule on disk does.
        audited_on_disk: Flag,
        /// The loaded rule that watches it.
        audit_rule: Text,
        /// Whether somebody other than its owner and root can replace it by writing to a parent directory.
        replaceable: Flag,
    }
}

/// Finds the records.
pub struct DockerFiles;

impl Resource for DockerFiles {
    type Row = DockerFile;
    const SELECTOR: &'static str = "a role, such as `data_root`; `\"*\"` for all of them";
    const KEY: &'static str = "role";
    const ENUMERABLE: bool = true;


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
