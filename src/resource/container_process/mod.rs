//! Processes in containers, as the kernel has them.

mod found;
mod kernel;
mod limits;
mod namespaces;
mod promises;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Reason, Text, record};
use crate::parse::process::{IdMap, Seccomp, capability_names};

use super::container::{Promise, inspected, unlisted};
use super::kernel::SecurityModules;
use super::process_table::Running;
use super::{Context, Resource, Selector};
use found::InContainers;
use namespaces::HostNamespaces;
use promises::Shown;

pub(super) use found::{found, no_new_privileges};

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
        /// `DAC_READ_SEARCH`, `BPF`, `SYS_BOOT`, `NET_ADMIN` and the like. None in a user namespace other than the host's, be it made by
        /// the process, rootless or remapped: there they reach no further than that namespace.
        capabilities_dangerous: List,
        /// Seccomp: `disabled`, `strict` or `filter`.
        seccomp: Text,
        /// Whether it can never gain privileges.
        no_new_privileges: Flag,
        /// AppArmor profile or SELinux label the kernel applies; empty for none; absent where the kernel runs neither.
        confinement: Text,
        /// Whether that confines it, as a profile that only complains and permissive SELinux do not; absent where the kernel runs neither.
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

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let containers = inspected(context)?;
        let look = Look { context, found: found(context), modules: SecurityModules::of(context), host: HostNamespaces::of(context) };
        let mut rows = Vec::new();
        for promise in &containers.promises {
            look.container(promise, of, &mut rows);
        }
        unlisted(&containers.unlisted, containers.rows.is_empty(), |engine, gap| {
            rows.push(unseen(&format!("containers of {}", engine.raw()), Fact::Unknown(gap.clone()), engine, gap));
        })?;
        Ok(rows)
    }
}

/// A record for processes that could not be looked at.
fn unseen(name: &str, container: Fact<Text>, engine: &Text, gap: &Gap) -> ContainerProcess {
    let mut row = ContainerProcess::unknown(gap);
    row.name = Fact::derived(name);
    row.container = container;
    row.engine = Fact::derived(engine.clone());
    row
}

struct Look<'a, 'host> {
    context: &'a Context<'host>,
    found: Arc<InContainers>,
    modules: Arc<SecurityModules>,
    host: Arc<HostNamespaces>,
}

impl Look<'_, '_> {
    fn container(&self, promise: &Promise, of: &Selector, rows: &mut Vec<ContainerProcess>) {
        let container = promise.name.known().unwrap_or(&promise.id).raw();
        let first_map = promise.pid.map(|pid| kernel::uid_map(self.context.host, pid));
        let mut seen = false;
        for process in self.found.of_container(promise.id.raw()) {
            seen = true;
            let name = match &process.status {
                Fact::Known(status, _) => format!("{container}/{}", status.name),
                Fact::Absent(_) | Fact::Unknown(_) => format!("{container}/{}", process.pid),
            };
            if of.picks(&name) {
                rows.push(self.process(promise, process, name, first_map.as_ref().and_then(Fact::known)));
            }
        }
        let name = format!("{container}/?");
        if !seen && (promise.alive || promise.pid.is_some()) && of.picks(&name) {
            let none = || Gap::new(Origin::kernel("/proc"), Reason::unsupported("none of the container's processes can be seen"));
            let gap = self.found.gap().cloned().unwrap_or_else(none);
            rows.push(unseen(&name, promise.name.clone(), &promise.engine, &gap));
        }
    }

    /// Whether anybody asked for one of these fields.
    fn wants(&self, fields: &[&str]) -> bool {
        fields.iter().any(|field| self.context.wants("container_process", field))
    }

    fn process(&self, promise: &Promise, process: &Running, name: String, first_map: Option<&IdMap>) -> ContainerProcess {
        let (context, host) = (self.context, self.context.host);
        let not_wanted = Gap::new(Origin::Derived, Reason::NotCollected);
        let status = match &process.status {
            Fact::Known(status, _) => status,
            Fact::Absent(origin) => {
                return unseen(&name, promise.name.clone(), &promise.engine, &Gap::new(origin.clone(), Reason::NotCollected));
            }
            Fact::Unknown(gap) => return unseen(&name, promise.name.clone(), &promise.engine, gap),
        };
        let origin = process.status.origin().clone();
        let known = |flag: bool| Fact::Known(flag, origin.clone());
        let names = |mask: u64| Fact::Known(capability_names(mask).into_iter().map(Text::from).collect::<Vec<_>>(), origin.clone());
        let first = promise.pid.ok_or_else(|| Gap::new(Origin::Derived, Reason::unsupported("the container's first process is not known")));
        let map = kernel::uid_map(host, process.pid);
        let (confinement, confined) = kernel::confinement(host, &self.modules, process.pid);
        let shared = if self.wants(&["host_namespaces", "host_namespaces_undeclared", "broken_promises"]) {
            self.host.shared_by(context, process.pid)
        } else {
            Fact::Unknown(not_wanted.clone())
        };
        // A user namespace of the process's own making: neither the container's nor the host's.
        let nested = match (first_map, map.known()) {
            (Some(first), Some(own)) => first != own && !own.is_initial(),
            _ => false,
        };
        // In any user namespace but the host's, capabilities reach no further than what belongs to that namespace.
        let harmless = map.known().is_some_and(|map| !map.is_initial());
        let unreadable = Gap::new(origin.clone(), Reason::unsupported("the kernel or the engine does not tell"));
        let shown = Shown { status, confined: &confined, shared: &shared, nested };
        let limit = |field: &str, limit: &limits::Limit| {
            if self.wants(&[field]) {
                process.cgroups.as_ref().and_then(|cgroups, _| limit.of(host, cgroups))
            } else {
                Fact::Unknown(not_wanted.clone())
            }
        };
        ContainerProcess {
            name: Fact::Known(name.into(), origin.clone()),
            container: promise.name.clone(),
            engine: Fact::derived(promise.engine.clone()),
            pid: Fact::Known(process.pid.into(), origin.clone()),
            first: first.clone().map_or_else(Fact::Unknown, |first| Fact::derived(first == process.pid)),
            joined: first.map_or_else(Fact::Unknown, |first| self.found.descends(process, first).map(|descends| !descends)),
            host_uid: Fact::Known(status.uid.effective.into(), origin.clone()),
            uid: map.and_then(|map, origin| match map.inside(status.uid.effective) {
                Some(uid) => Fact::Known(uid.into(), origin),
                None => Fact::Absent(origin),
            }),
            host_root: known(status.uid.effective == 0),
            capabilities: names(status.effective),
            bounding: names(status.bounding),
            capabilities_undeclared: match promises::undeclared_capabilities(status, promise) {
                Some(_) if nested => Fact::Known(Vec::new(), origin.clone()),
                Some(names) => Fact::Known(names.into_iter().map(Text::from).collect(), origin.clone()),
                None => Fact::Unknown(unreadable.clone()),
            },
            capabilities_dangerous: Fact::Known(if harmless { Vec::new() } else { promises::dangerous(status.effective) }, origin.clone()),
            // A kernel that has no seccomp has no line about it.
            seccomp: Fact::Known(status.seccomp.unwrap_or(Seccomp::Disabled).word().into(), origin.clone()),
            no_new_privileges: status.no_new_privileges.map_or_else(|| Fact::Unknown(unreadable.clone()), known),
            host_namespaces: shared.as_ref().map(|shared| shared.iter().copied().map(Text::from).collect()),
            host_namespaces_undeclared: shared.as_ref().and_then(|shared, origin| match namespaces::undeclared(shared, promise) {
                Ok(names) => Fact::Known(names.into_iter().map(Text::from).collect(), origin),
                Err(gap) => Fact::Unknown(gap),
            }),
            broken_promises: match promises::broken(&shown, promise, &unreadable) {
                Ok(broken) => Fact::derived(broken),
                Err(gap) => Fact::Unknown(gap),
            },
            memory_limit_bytes: limit("memory_limit_bytes", &limits::MEMORY),
            pids_limit: limit("pids_limit", &limits::PIDS),
            ssh_server: if self.wants(&["ssh_server"]) { found::ssh_server(context, process) } else { Fact::Unknown(not_wanted) },
            confinement,
            confined,
        }
    }
}
