//! Running processes.

use crate::fact::{Flag, Gap, Integer, List, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One process. A list of processes is a sample of one moment.
    pub struct Process("process") {
        /// Short name, as the kernel keeps it. A process may choose it itself.
        name: Text,
        /// Process id.
        pid: Integer,
        /// Parent's process id.
        parent: Integer,
        /// Effective user id, in the host's numbering.
        uid: Integer,
        /// Name of the user with that id.
        user: Text,
        /// Path of the executable, from the kernel.
        executable: Text,
        /// Whether the executable has been removed or replaced since it started.
        executable_deleted: Flag,
        /// Unit it runs in, from its cgroup, such as `docker.service`.
        unit: Text,
        /// Id of the container it runs in, from its cgroup; absent for processes of the host.
        container: Text,
        /// Effective capabilities, by name without `CAP_`.
        capabilities: List,
        /// `disabled`, `strict` or `filter`.
        seccomp: Text,
        /// Whether it can never gain privileges.
        no_new_privileges: Flag,
    }
}

/// Finds the records.
pub struct Processes;

impl Resource for Processes {
    type Row = Process;
    const SELECTOR: &'static str = "a short name, or a glob; no such process gives no record";
    const ENUMERABLE: bool = true;


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
