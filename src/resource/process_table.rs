//! The processes of the host at one moment, read once per run and shared by every resource that looks at them.
//!
//! It is a sample, not a census: what starts and ends in between is not seen, and what ends while it is read is left out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::ProcessLinks;
use crate::parse::process::{self, Cgroups, Status};

use super::Context;

/// The processes of a host.
pub(crate) struct ProcessTable {
    /// Every process seen, by process id.
    pub(crate) processes: Vec<Running>,
    /// Why others may be missing: `/proc` shows each user his own processes only (`hidepid`).
    pub(crate) hidden: Option<Gap>,
}

/// One process.
pub(crate) struct Running {
    /// Process id.
    pub(crate) pid: i32,
    /// What the kernel says of it.
    pub(crate) status: Fact<Status>,
    /// The cgroups it is in.
    pub(crate) cgroups: Fact<Cgroups>,
    /// The unit of the system manager it runs in, such as `docker.service`. Absent outside of units and in containers.
    pub(crate) unit: Fact<String>,
    /// The id of the container it runs in. Absent for processes of the host.
    pub(crate) container: Fact<String>,
}

impl ProcessTable {
    /// The processes of the host under audit, or why they cannot be listed.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Result<Self, Gap>> {
        context.once(Self::read)
    }

    fn read(context: &Context<'_>) -> Result<Self, Gap> {
        let origin = Origin::kernel("/proc");
        let missing = || Gap::new(origin.clone(), Reason::NotCollected);
        let names = context.host.list(Path::new("/proc")).into_result()?.ok_or_else(missing)?;
        let mut pids: Vec<i32> = names.iter().filter_map(|entry| entry.name.to_str()?.parse().ok()).collect();
        pids.sort_unstable();
        // The directory of a machine that does not run is there and empty.
        let first = *pids.first().ok_or_else(missing)?;
        let root = match cgroups(context, 1) {
            Fact::Known(cgroups, _) => cgroups.root_of_units().to_owned(),
            Fact::Absent(_) | Fact::Unknown(_) => String::new(),
        };
        let processes = pids.into_iter().filter_map(|pid| Running::read(context, pid, &root)).collect();
        // Process 1 never ends: where it is not listed, others are not either.
        let hidden = (first != 1).then(|| Gap::new(origin, Reason::Denied));
        Ok(Self { processes, hidden })
    }
}

impl Running {
    /// `None` for a process that has ended meanwhile.
    fn read(context: &Context<'_>, pid: i32, root: &str) -> Option<Self> {
        let path = file(pid, "status");
        let origin = Origin::kernel(path.as_path());
        let status = match context.host.read(&path) {
            Fact::Known(bytes, _) => match process::status(&bytes) {
                Ok(status) => Fact::Known(status, origin),
                Err(reason) => Fact::Unknown(Gap::new(origin, reason)),
            },
            Fact::Absent(_) => return None,
            Fact::Unknown(gap) => Fact::Unknown(gap),
        };
        let cgroups = cgroups(context, pid);
        let unread = matches!(status, Fact::Unknown(_)) || !matches!(cgroups, Fact::Known(..));
        if unread && matches!(context.host.stat(Path::new(&format!("/proc/{pid}"))), Fact::Absent(_)) {
            return None;
        }
        let found = |name: fn(&Cgroups, &str) -> Option<String>| {
            cgroups.as_ref().and_then(|cgroups, origin| match name(cgroups, root) {
                Some(name) => Fact::Known(name, origin),
                None => Fact::Absent(origin),
            })
        };
        let unit = found(|cgroups, root| cgroups.unit(root).map(str::to_owned));
        let container = found(|cgroups, _| cgroups.container().map(str::to_owned));
        Some(Self { pid, status, cgroups, unit, container })
    }

    /// When it started, in seconds since the epoch. Unknown where the start of the kernel is.
    pub(crate) fn started(&self, context: &Context<'_>) -> Fact<i64> {
        let path = file(self.pid, "stat");
        let origin = Origin::kernel(path.as_path());
        let Some(booted) = context.host.identity().booted else { return Fact::Unknown(Gap::new(origin, Reason::NotCollected)) };
        context.host.read(&path).and_then(|bytes, _| match process::stat(&bytes) {
            Ok(stat) => Fact::Known(booted.saturating_add_unsigned(stat.started_seconds()), origin),
            Err(reason) => Fact::Unknown(Gap::new(origin, reason)),
        })
    }

    /// Its arguments. It may have written anything over them.
    pub(crate) fn command_line(&self, context: &Context<'_>) -> Fact<Vec<String>> {
        let path = file(self.pid, "cmdline");
        context.host.read(&path).and_then(|bytes, _| Fact::Known(process::command_line(&bytes), Origin::kernel(path.as_path())))
    }
}

/// The executable and namespaces of a process. Each process is asked about once per run, however many look at it:
/// the supervisor has to answer.
pub(crate) fn links(context: &Context<'_>, pid: i32) -> Fact<Arc<ProcessLinks>> {
    type Links = Mutex<HashMap<i32, Arc<OnceLock<Fact<Arc<ProcessLinks>>>>>>;
    #[derive(Default)]
    struct Known(Links);
    let known = context.once(|_| Known::default());
    let cell = known.0.lock().unwrap_or_else(PoisonError::into_inner).entry(pid).or_default().clone();
    cell.get_or_init(|| context.host.process_links(pid).map(Arc::new)).clone()
}

fn cgroups(context: &Context<'_>, pid: i32) -> Fact<Cgroups> {
    let path = file(pid, "cgroup");
    let origin = Origin::kernel(path.as_path());
    context.host.read(&path).and_then(|bytes, _| match Cgroups::parse(&bytes) {
        Ok(cgroups) => Fact::Known(cgroups, origin),
        Err(reason) => Fact::Unknown(Gap::new(origin, reason)),
    })
}

/// A file of the kernel's about a process.
pub(super) fn file(pid: i32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Identity, manifest::Recorded, memory::Memory};

    const STATUS: &str = "Name:\tx\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n";

    fn host(pids: &[i32]) -> Memory {
        pids.iter().fold(Memory::new(), |host, pid| {
            host.file(&format!("/proc/{pid}/status"), STATUS).file(&format!("/proc/{pid}/cgroup"), "0::/payload/init.scope\n")
        })
    }

    #[test]
    fn a_directory_without_processes_was_not_collected() {
        for host in [Memory::new(), Memory::new().file("/proc/cmdline", "")] {
            let table = ProcessTable::of(&Context::new(&host));
            assert!(matches!(&*table, Err(Gap { reason: Reason::NotCollected, .. })));
        }
    }

    #[test]
    fn the_vanished_are_left_out_and_the_unreadable_kept() {
        let gone = host(&[1, 2, 3]).node("/proc/4", crate::host::FileKind::Directory, 0o555).gap("/proc/2/status", Reason::Denied);
        let table = ProcessTable::of(&Context::new(&gone));
        let table = table.as_ref().as_ref().unwrap();
        let pids: Vec<_> = table.processes.iter().map(|process| process.pid).collect();
        assert_eq!(pids, [1, 2, 3]);
        assert!(table.processes[1].status.known().is_none() && table.hidden.is_none());
    }

    #[test]
    fn a_host_without_process_one_hides_others() {
        let table = ProcessTable::of(&Context::new(&host(&[77])));
        assert!(matches!(&table.as_ref().as_ref().unwrap().hidden, Some(Gap { reason: Reason::Denied, .. })));
    }

    #[test]
    fn the_supervisor_is_asked_once_about_a_process() {
        let host = Memory::new().process(7, ProcessLinks { exe: Some("/bin/a".into()), namespaces: Vec::new() });
        let recorded = Recorded::new(&host);
        let context = Context::new(&recorded);
        for _ in 0..3 {
            assert_eq!(links(&context, 7).known().and_then(|links| links.exe.clone()), Some("/bin/a".into()));
        }
        assert_eq!(recorded.manifest().outcomes.known, 1);
    }

    #[test]
    fn units_begin_where_process_one_says() {
        let nested = host(&[1]).file("/proc/9/status", STATUS).file("/proc/9/cgroup", "0::/payload/system.slice/ssh.service");
        let nested = nested.file("/proc/9/stat", "9 (x) S 1 9 9 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 0 0").file("/proc/9/cmdline", "a\0b\0");
        let nested = nested.named(Identity { booted: Some(1000), ..Identity::default() });
        let context = Context::new(&nested);
        let table = ProcessTable::of(&context);
        let process = &table.as_ref().as_ref().unwrap().processes[1];
        assert_eq!(process.unit.known().map(String::as_str), Some("ssh.service"));
        assert_eq!(process.started(&context).known(), Some(&1005));
        assert_eq!(process.command_line(&context).known().map(Vec::len), Some(2));
    }
}
