//! Which namespaces a process shares with the host.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::INITIAL_NAMESPACES;
use crate::resource::Context;
use crate::resource::container::Promise;
use crate::resource::process_table::{self, ProcessTable};

/// The namespaces that are compared.
pub(super) const NAMES: [&str; 7] = ["pid", "net", "ipc", "uts", "mnt", "user", "cgroup"];

/// The host's own namespaces, by inode.
pub(super) struct HostNamespaces(BTreeMap<&'static str, u64>);

impl HostNamespaces {
    /// Those of process 1; where even root may not read them, those of the kernel's own threads, and then the fixed numbers.
    pub(super) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| {
            let mut found = BTreeMap::new();
            let of_process = |pid: i32, found: &mut BTreeMap<&'static str, u64>| {
                let links = process_table::links(context, pid);
                for (name, inode) in links.known().into_iter().flat_map(|links| &links.namespaces) {
                    if let Some(known) = NAMES.iter().find(|known| **known == name.raw()) {
                        found.entry(*known).or_insert(*inode);
                    }
                }
            };
            of_process(1, &mut found);
            // Process 2 is the kernel's unless this is a machine inside another, where it may be anything.
            let table = ProcessTable::of(context);
            let kernel = table.as_ref().as_ref().ok().and_then(|table| table.processes.iter().find(|process| process.pid == 2));
            if kernel.and_then(|process| process.status.known()).is_some_and(|status| status.name == "kthreadd" && status.parent == 0) {
                if found.len() < NAMES.len() {
                    of_process(2, &mut found);
                }
                for (name, inode) in INITIAL_NAMESPACES {
                    found.entry(name).or_insert(inode);
                }
            }
            Self(found)
        })
    }

    /// The namespaces a process shares with the host.
    pub(super) fn shared_by(&self, context: &Context<'_>, pid: i32) -> Fact<Vec<&'static str>> {
        process_table::links(context, pid).and_then(|links, origin| {
            let gap = |why: &str| Fact::Unknown(Gap::new(origin.clone(), Reason::unsupported(why)));
            if links.namespaces.is_empty() {
                return gap("the namespaces of the process cannot be read");
            }
            let mut shared = Vec::new();
            for name in NAMES {
                let Some((_, own)) = links.namespaces.iter().find(|(other, _)| other.raw() == name) else { continue };
                match self.0.get(name) {
                    Some(host) if host == own => shared.push(name),
                    Some(_) => {}
                    None => return gap("the namespaces of the host cannot be read"),
                }
            }
            Fact::Known(shared, origin)
        })
    }
}

/// Of namespaces shared with the host those that the container does not declare to share.
pub(super) fn undeclared(shared: &[&'static str], promise: &Promise) -> Result<Vec<&'static str>, Gap> {
    let mut undeclared = Vec::new();
    for name in shared {
        let declared = match *name {
            "pid" => promise.host_pid.clone(),
            "net" => promise.host_network.clone(),
            "ipc" => promise.host_ipc.clone(),
            "uts" => promise.host_uts.clone(),
            "cgroup" => promise.host_cgroup.clone(),
            "user" => promise.user_namespace.as_ref().map(|namespace| namespace.raw() == "host"),
            // No container declares to have the host's mounts.
            _ => Fact::Known(false, Origin::Derived),
        };
        match declared {
            Fact::Known(true, _) => {}
            Fact::Known(false, _) | Fact::Absent(_) => undeclared.push(*name),
            Fact::Unknown(gap) => return Err(gap),
        }
    }
    Ok(undeclared)
}
