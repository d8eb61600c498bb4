//! Processes in containers, as the kernel has them.

use crate::fact::{Flag, Gap, Integer, List, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One process in a running container's cgroup. Compares what was declared with what is.
    pub struct ContainerProcess("container_process") {
        /// `CONTAINER/NAME` of the process; a process may choose its own name.
        name: Text,
        /// Name of the container.
        container: Text,
        /// Name of the engine.
        engine: Text,
        /// Process id on the host.
        pid: Integer,
        /// Whether it is the container's first process.
        first: Flag,
        /// Whether it came in from outside (exec or nsenter): not a descendant of the first process.
        joined: Flag,
        /// Effective user id, in the host's numbering.
        host_uid: Integer,
        /// Effective user id, in the container's numbering.
        uid: Integer,
        /// Whether it runs as the host's root user.
        host_root: Flag,
        /// Effective capabilities, by name without `CAP_`.
        capabilities: List,
        /// Bounding capabilities, by name without `CAP_`.
        bounding: List,
        /// Effective or bounding capabilities beyond what the container declares. Empty is good.
        capabilities_undeclared: List,
        /// Effective capabilities that amount to control of the host: `SYS_ADMIN`, `SYS_MODULE`, `SYS_PTRACE`, `SYS_RAWIO`,
        /// `DAC_READ_SEARCH`, `BPF`, `SYS_BOOT`, `NET_ADMIN` and the like.
        capabilities_dangerous: List,
        /// Seccomp: `disabled`, `strict` or `filter`.
        seccomp: Text,
        /// Whether it can never gain privileges.
        no_new_privileges: Flag,
        /// AppArmor profile or SELinux label the kernel applies; empty for none; absent where the kernel runs neither.
        confinement: Text,
        /// Whether that confines it; absent where the kernel runs neither.
        confined: Flag,
        /// Namespaces shared with the host: some of `pid`, `net`, `ipc`, `uts`, `mnt`, `user`, `cgroup`.
        host_namespaces: List,
        /// Namespaces shared with the host although the container does not declare it (`user` only where remapping is on).
        host_namespaces_undeclared: List,
        /// Ways in which it is less confined than the container declares, as short sentences. Empty is good.
        broken_promises: List,
        /// Memory limit of its cgroup in bytes, parents considered; absent where unlimited.
        memory_limit_bytes: Integer,
        /// Process limit of its cgroup, parents considered; absent where unlimited.
        pids_limit: Integer,
        /// Whether it is an SSH server by its executable or name.
        ssh_server: Flag,
    }
}

/// Finds the records.
pub struct ContainerProcesses;

impl Resource for ContainerProcesses {
    type Row = ContainerProcess;
    const SELECTOR: &'static str = "a name such as `web/nginx`, or a glob such as `web/*`";

    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
