//! Processes that are, or claim to be, container engines.

use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Gap};
use crate::host::Host;
use crate::parse::process::{self, Cgroups};

use super::Kind;

/// The process of an engine's daemon.
#[derive(Clone, Debug)]
pub(in crate::resource) struct Process {
    pub(in crate::resource) pid: i32,
    /// Real user id.
    pub(in crate::resource) uid: u32,
    /// When it started, seconds since the epoch.
    pub(in crate::resource) started: Option<i64>,
    /// Its arguments, the program's own name first.
    pub(in crate::resource) arguments: Vec<String>,
}

/// Names under which distributions ship dockerd.
const DOCKERD: &[&str] = &["dockerd", "dockerd-ce", "dockerd-current", "dockerd-latest"];

/// The daemons that run on the host itself, by process id. Those inside containers are not the host's engines.
pub(super) fn daemons(host: &dyn Host) -> Result<Vec<(Kind, Process)>, Gap> {
    let entries = match host.list(Path::new("/proc")) {
        Fact::Known(entries, _) => entries,
        Fact::Absent(_) => return Ok(Vec::new()),
        Fact::Unknown(gap) => return Err(gap),
    };
    let mut pids: Vec<i32> = entries.iter().filter_map(|entry| entry.name.to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    let booted = host.identity().booted;
    let home = container(host, 1);
    Ok(pids.into_iter().filter_map(|pid| daemon(host, pid, booted, home.as_deref())).collect())
}

fn daemon(host: &dyn Host, pid: i32, booted: Option<i64>, home: Option<&str>) -> Option<(Kind, Process)> {
    let comm = name(host, pid)?;
    // A process that has ended, but is not waited for, has no arguments.
    let arguments = process::command_line(&read(host, pid, "cmdline")?);
    let called = base(arguments.first()?);
    let is = |names: &[&str]| names.contains(&comm.as_str()) || names.contains(&called);
    let (kind, names) = if is(DOCKERD) {
        (Kind::Docker, DOCKERD)
    } else if is(&["podman"]) && arguments.windows(2).any(|pair| pair == ["system", "service"]) {
        (Kind::Podman, &["podman"][..])
    } else {
        return None;
    };
    // Names are chosen by the process; its executable is not.
    let links = host.process_links(pid);
    let executable = links.known().and_then(|links| links.exe.as_ref());
    if executable.is_some_and(|exe| !names.contains(&base(exe.raw().trim_end_matches(" (deleted)")))) {
        return None;
    }
    let status = process::status(&read(host, pid, "status")?).ok()?;
    let elsewhere = container(host, pid).is_some_and(|id| Some(id.as_str()) != home);
    let nested = status.namespace_pids.len() > 1 && (status.uid.real == 0 || !is_rootlesskit(host, status.parent));
    if elsewhere || nested {
        return None;
    }
    let started = read(host, pid, "stat").and_then(|stat| process::stat(&stat).ok());
    let started = started.and_then(|stat| booted?.checked_add_unsigned(stat.started_seconds()));
    Some((kind, Process { pid, uid: status.uid.real, started, arguments }))
}

/// Whether a process is the one that gives a rootless engine its namespaces.
fn is_rootlesskit(host: &dyn Host, pid: i32) -> bool {
    name(host, pid).is_some_and(|comm| matches!(comm.as_str(), "rootlesskit" | "exe"))
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn read(host: &dyn Host, pid: i32, file: &str) -> Option<Arc<[u8]>> {
    host.read(Path::new(&format!("/proc/{pid}/{file}"))).into_result().ok()?
}

fn name(host: &dyn Host, pid: i32) -> Option<String> {
    read(host, pid, "comm").map(|comm| String::from_utf8_lossy(comm.trim_ascii_end()).into_owned())
}

fn container(host: &dyn Host, pid: i32) -> Option<String> {
    Cgroups::parse(&read(host, pid, "cgroup")?).ok()?.container().map(str::to_owned)
}
