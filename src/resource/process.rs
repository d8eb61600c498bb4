//! Running processes.

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Reason, Text, record};
use crate::parse::process::capability_names;

use super::accounts::Accounts;
use super::process_table::{self, ProcessTable, Running};
use super::{Context, Resource, Selector};

record! {
    /// One process. A list of processes is a sample of one moment. Where `/proc` hides processes of others, one record of
    /// which nothing is known stands for them.
    pub struct Process("process") {
        /// Short name, as the kernel keeps it. A process may choose it itself.
        name: Text,
        /// Process id.
        pid: Integer,
        /// Parent's process id.
        parent: Integer,
        /// Effective user id, in the host's numbering.
        uid: Integer,
        /// Name of the user with that id; absent where the host has none.
        user: Text,
        /// Path of the executable, from the kernel; absent for the kernel's own threads.
        executable: Text,
        /// Whether the executable has been removed or replaced since it started.
        executable_deleted: Flag,
        /// Unit it runs in, from its cgroup, such as `docker.service`; absent outside of units.
        unit: Text,
        /// Id of the container it runs in, from its cgroup; absent for processes of the host.
        container: Text,
        /// Effective capabilities, by name without `CAP_`.
        capabilities: List,
        /// `disabled`, `strict` or `filter`; absent where the kernel has no seccomp.
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

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let table = ProcessTable::of(context);
        let table = table.as_ref().as_ref().map_err(Gap::clone)?;
        let accounts = Accounts::of(context);
        let picked = |running: &&Running| running.status.known().is_none_or(|status| of.picks(&status.name));
        let mut rows: Vec<Process> = table.processes.iter().filter(picked).map(|running| row(context, &accounts, running)).collect();
        // Processes that cannot be seen may be any: one record says so.
        rows.extend(table.hidden.as_ref().map(Process::unknown));
        Ok(rows)
    }
}

fn row(context: &Context<'_>, accounts: &Accounts, running: &Running) -> Process {
    let status = running.status.as_ref();
    let (executable, executable_deleted) = executable(context, running.pid);
    let uid = status.clone().map(|status| status.uid.effective);
    let optional = |value: Option<Text>, origin| {
        value.map_or_else(|| Fact::Absent(Origin::clone(&origin)), |value| Fact::Known(value, origin.clone()))
    };
    Process {
        name: status.clone().map(|status| status.name.as_str().into()),
        pid: Fact::Known(running.pid.into(), Origin::kernel("/proc")),
        parent: status.clone().map(|status| status.parent.into()),
        user: uid.clone().and_then(|uid, _| accounts.user_name(uid)),
        uid: uid.map(i64::from),
        executable,
        executable_deleted,
        unit: running.unit.clone().map(Text::from),
        container: running.container.clone().map(Text::from),
        capabilities: status.clone().map(|status| capability_names(status.effective).into_iter().map(Text::from).collect()),
        seccomp: status.clone().and_then(|status, origin| optional(status.seccomp.map(|seccomp| seccomp.word().into()), origin)),
        no_new_privileges: status.and_then(|status, origin| match status.no_new_privileges {
            Some(set) => Fact::Known(set, origin),
            None => Fact::Unknown(Gap::new(origin, Reason::unsupported("this kernel does not say"))),
        }),
    }
}

/// The path of the executable and whether it is gone; absent for threads of the kernel. Looked at only where wanted.
fn executable(context: &Context<'_>, pid: i32) -> (Fact<Text>, Fact<bool>) {
    let origin = Origin::kernel(format!("/proc/{pid}/exe"));
    if !context.wants("process", "executable") && !context.wants("process", "executable_deleted") {
        let gap = Gap::new(origin, Reason::NotCollected);
        return (Fact::Unknown(gap.clone()), Fact::Unknown(gap));
    }
    let program = process_table::links(context, pid).and_then(|links, _| match links.program() {
        Some((path, deleted)) => Fact::Known((Text::from(path), deleted), origin),
        None => Fact::Absent(origin),
    });
    (program.clone().map(|(path, _)| path), program.map(|(_, deleted)| deleted))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::host::{ProcessLinks, memory::Memory};

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn status(name: &str, uid: u32) -> String {
        format!("Name:\t{name}\nPPid:\t1\nUid:\t0\t{uid}\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t2\nCapBnd:\t0\nNoNewPrivs:\t1\nSeccomp:\t2\n")
    }

    fn host() -> Memory {
        Memory::new()
            .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nal:x:1000:1000::/home/al:/bin/sh\n")
            .file("/proc/1/status", status("init", 0))
            .file("/proc/1/cgroup", "0::/init.scope\n")
            .file("/proc/20/status", status("dockerd", 0))
            .file("/proc/20/cgroup", "0::/system.slice/docker.service\n")
            .process(20, ProcessLinks { exe: Some("/usr/bin/dockerd (deleted)".into()), namespaces: Vec::new() })
            .file("/proc/30/status", status("web: a", 1000))
            .file("/proc/30/cgroup", format!("0::/system.slice/docker-{ID}.scope\n"))
            .process(30, ProcessLinks::default())
    }

    fn collect(host: &Memory, key: &str) -> Vec<Process> {
        Processes::collect(&Context::new(host), &Selector::Keys(vec![key.into()])).unwrap()
    }

    #[test]
    fn a_process_of_the_host() {
        let row = collect(&host(), "dockerd").remove(0);
        assert_eq!(row.executable.known().map(Text::raw), Some("/usr/bin/dockerd"));
        assert_eq!(row.executable_deleted.known(), Some(&true));
        assert_eq!(row.unit.known().map(Text::raw), Some("docker.service"));
        assert!(matches!(row.container, Fact::Absent(_)));
        assert_eq!(row.user.known().map(Text::raw), Some("root"));
        assert_eq!(row.capabilities.known(), Some(&vec!["DAC_OVERRIDE".into()]));
        assert_eq!((row.seccomp.known().map(Text::raw), row.no_new_privileges.known()), (Some("filter"), Some(&true)));
    }

    #[test]
    fn a_process_in_a_container() {
        let row = collect(&host(), "web*").remove(0);
        assert_eq!(row.container.known().map(Text::raw), Some(ID));
        assert_eq!((row.uid.known(), row.user.known().map(Text::raw)), (Some(&1000), Some("al")));
        assert!(matches!(row.executable, Fact::Absent(_)));
    }

    #[test]
    fn executables_are_looked_at_only_where_wanted() {
        let host = host();
        let wanted = BTreeMap::from([("process", BTreeSet::from(["name".to_owned()]))]);
        let rows = Processes::collect(&Context::new(&host).wanting(wanted), &Selector::All).unwrap();
        assert!(matches!(&rows[1].executable, Fact::Unknown(Gap { reason: Reason::NotCollected, .. })));
    }

    #[test]
    fn what_is_hidden_is_unknown_and_never_left_out() {
        let denied = host().gap("/proc/20/status", Reason::Denied);
        let rows = collect(&denied, "nothing");
        assert_eq!(rows.len(), 1, "a process whose name cannot be read may be any");
        assert_eq!(rows[0].pid.known(), Some(&20));
        assert!(matches!(&rows[0].uid, Fact::Unknown(Gap { reason: Reason::Denied, .. })));
        let own = Memory::new().file("/proc/30/status", status("sh", 1000)).file("/proc/30/cgroup", "0::/\n");
        let rows = collect(&own, "*");
        assert_eq!(rows.len(), 2);
        assert!(matches!(&rows[1].name, Fact::Unknown(_)));
        assert!(Processes::collect(&Context::new(&Memory::new()), &Selector::All).is_err());
    }
}
