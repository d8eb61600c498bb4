//! Services: systemd units as systemd resolves them.

use crate::fact::{Flag, Gap, List, Setting, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One unit, by its name without `.service` (other unit types keep their suffix: `docker.socket`). A name no unit file
    /// stands behind is a record with `installed = false`.
    pub struct Service("service") {
        /// Name: `docker` for `docker.service`, `docker.socket` as it is; an alias asked for is the record's name.
        name: Text,
        /// Whether a unit file (or a generator's, or a SysV script's) stands behind the name.
        installed: Flag,
        /// Path of the unit file that wins.
        unit_path: Text,
        /// Drop-ins that apply, in order.
        dropins: List,
        /// `enabled`, `enabled-runtime`, `disabled`, `static`, `masked`, `masked-runtime`, `alias`, `indirect`, `generated`, `not-found`.
        enablement: Text,
        /// Whether it starts at boot or on a socket, path, timer or bus name that does: enabled itself, or wanted by something enabled, or triggered by an enabled unit.
        starts: Flag,
        /// Whether it is masked.
        masked: Flag,
        /// Whether a process runs in its cgroup; for sockets, whether the socket is listening.
        running: Flag,
        /// Process ids in its cgroup, as texts.
        pids: List,
        /// Units that start it on demand: sockets, paths, timers, by full name.
        triggered_by: List,
        /// The command lines of `ExecStart=` after drop-ins.
        exec_start: List,
        /// Value of `User=` after drop-ins.
        user: Setting,
        /// Names of the variables in `Environment=` and environment files. Never values.
        environment_names: List,
    }
}

/// Finds the records.
pub struct Services;

impl Resource for Services {
    type Row = Service;
    const SELECTOR: &'static str = "a unit name, `.service` may be left out; globs work";
    const ENUMERABLE: bool = true;


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
