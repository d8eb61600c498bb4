//! The processes in containers, by the container their cgroup names.
//!
//! The cgroup knows what came in from outside too (exec, or nsenter with its cgroup), which no list of children would.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::resource::Context;
use crate::resource::container::Source;
use crate::resource::process_table::{self, ProcessTable, Running};

/// The processes in containers.
pub(in crate::resource) struct InContainers {
    table: Arc<Result<ProcessTable, Gap>>,
    /// Places in the table, by the identifier of the container.
    by_container: BTreeMap<String, Vec<usize>>,
    /// Places in the table, by process id.
    by_pid: HashMap<i32, usize>,
    /// Why some may be missing.
    gap: Option<Gap>,
}

/// The processes in containers, sorted out once per run.
pub(in crate::resource) fn found(context: &Context<'_>) -> Arc<InContainers> {
    context.once(|context| InContainers::of(ProcessTable::of(context)))
}

/// Whether a name, or the last part of an executable's path, is an SSH server's. Not `check_sshd` or `sshd.conf`.
pub(super) fn is_ssh_server(name: &str) -> bool {
    matches!(name, "sshd" | "sshd-session" | "sshd-auth" | "dropbear" | "dropbearmulti" | "tinysshd" | "lshd")
}

impl InContainers {
    fn of(table: Arc<Result<ProcessTable, Gap>>) -> Self {
        let (mut by_container, mut by_pid, mut gap) = (BTreeMap::<String, Vec<usize>>::new(), HashMap::new(), None);
        match &*table {
            Ok(listed) => {
                gap.clone_from(&listed.hidden);
                for (at, process) in listed.processes.iter().enumerate() {
                    by_pid.insert(process.pid, at);
                    match &process.container {
                        Fact::Known(container, _) => by_container.entry(container.clone()).or_default().push(at),
                        Fact::Absent(_) => {}
                        Fact::Unknown(failed) => drop(gap.get_or_insert_with(|| failed.clone())),
                    }
                }
            }
            Err(failed) => gap = Some(failed.clone()),
        }
        Self { table, by_container, by_pid, gap }
    }

    fn at(&self, at: usize) -> Option<&Running> {
        self.table.as_ref().as_ref().ok()?.processes.get(at)
    }

    /// Why some may be missing.
    pub(super) fn gap(&self) -> Option<&Gap> {
        self.gap.as_ref()
    }

    /// The processes of a container, by process id.
    pub(super) fn of_container(&self, container: &str) -> impl Iterator<Item = &Running> {
        self.by_container.get(container).into_iter().flatten().filter_map(|at| self.at(*at))
    }

    fn process(&self, pid: i32) -> Option<&Running> {
        self.at(*self.by_pid.get(&pid)?)
    }

    /// Whether a process descends from another, or is it. What a container's processes leave behind is taken in by its first one.
    pub(super) fn descends(&self, process: &Running, from: i32) -> Fact<bool> {
        let mut at = Some(process);
        // More steps than processes would be a circle, which a list made while processes come and go could hold.
        for _ in 0..=self.by_pid.len() {
            let Some(process) = at else { break };
            if process.pid == from {
                return Fact::derived(true);
            }
            match &process.status {
                Fact::Known(status, _) => at = self.process(status.parent),
                Fact::Absent(origin) => return Fact::Absent(origin.clone()),
                Fact::Unknown(gap) => return Fact::Unknown(gap.clone()),
            }
        }
        Fact::derived(false)
    }

    /// The SSH servers in a container, by process name; absent for containers that do not run.
    pub(in crate::resource) fn ssh_servers(&self, context: &Context<'_>, container: &str, state: Option<&str>) -> Fact<Vec<Text>> {
        let source = Source(Origin::kernel("/proc"));
        if !matches!(state, Some("running" | "paused" | "restarting")) {
            return source.absent();
        }
        let (mut servers, mut gap, mut seen) = (Vec::new(), self.gap.clone(), false);
        for process in self.of_container(container) {
            seen = true;
            match ssh_server(context, process) {
                Fact::Known(true, _) => servers.extend(process.status.known().map(|status| Text::from(status.name.as_str()))),
                Fact::Known(false, _) | Fact::Absent(_) => {}
                Fact::Unknown(failed) => drop(gap.get_or_insert(failed)),
            }
        }
        servers.sort();
        servers.dedup();
        match gap {
            Some(gap) if servers.is_empty() => Fact::Unknown(gap),
            // A container that runs has a process: where none is seen, these are not the engine's processes.
            None if !seen && state != Some("restarting") => source.unknown(Reason::unsupported("none of its processes can be seen")),
            _ => source.list(servers),
        }
    }
}

/// Whether a process is an SSH server by its name, or, where the executable can be read, by that: a name can be changed.
pub(super) fn ssh_server(context: &Context<'_>, process: &Running) -> Fact<bool> {
    process.status.as_ref().and_then(|status, origin| {
        let executable = || {
            let links = process_table::links(context, process.pid);
            let (path, _) = links.known()?.program()?;
            Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned())
        };
        Fact::Known(is_ssh_server(&status.name) || executable().is_some_and(|name| is_ssh_server(&name)), origin)
    })
}

/// Whether a container's first process can never gain privileges. `None` where it cannot be told.
pub(in crate::resource) fn no_new_privileges(context: &Context<'_>, pid: i32, container: &str) -> Option<Fact<bool>> {
    let found = found(context);
    let process = found.of_container(container).find(|process| process.pid == pid)?;
    match &process.status {
        Fact::Known(status, origin) => status.no_new_privileges.map(|set| Fact::Known(set, origin.clone())),
        Fact::Absent(_) | Fact::Unknown(_) => None,
    }
}
