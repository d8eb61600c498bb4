//! Processes that are, or claim to be, container engines.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Text};
use crate::host::Host;

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
    pub(in crate::resource) arguments: Vec<Text>,
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
    let home = containers_of(host, 1);
    Ok(pids.into_iter().filter_map(|pid| daemon(host, pid, &home)).collect())
}

fn daemon(host: &dyn Host, pid: i32, home: &[String]) -> Option<(Kind, Process)> {
    let comm = text(host, pid, "comm")?;
    let arguments = arguments(host, pid)?;
    let named = arguments.first().map(|program| base(program.raw()).to_owned()).unwrap_or_default();
    let is = |names: &[&str]| names.contains(&comm.trim_end()) || names.contains(&named.as_str());
    let (kind, names) = if is(DOCKERD) {
        (Kind::Docker, DOCKERD)
    } else if is(&["podman"]) && serves(&arguments) {
        (Kind::Podman, &["podman"][..])
    } else {
        return None;
    };
    let links = host.process_links(pid);
    let executable = links.known().and_then(|links| links.exe.as_ref());
    if executable.is_some_and(|exe| !names.contains(&base(exe.raw().trim_end_matches(" (deleted)")))) {
        return None;
    }
    let status = text(host, pid, "status")?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let inside_namespace = field("NSpid").is_some_and(|ids| ids.split_whitespace().count() > 1);
    let rootless_helper = || {
        let parent = field("PPid").and_then(|parent| parent.trim().parse().ok());
        parent.and_then(|parent| text(host, parent, "comm")).is_some_and(|comm| matches!(comm.trim_end(), "rootlesskit" | "exe"))
    };
    let uid = field("Uid")?.split_whitespace().next()?.parse().ok()?;
    let in_container = containers_of(host, pid).iter().any(|container| !home.contains(container));
    if in_container || (inside_namespace && (uid == 0 || !rootless_helper())) {
        return None;
    }
    Some((kind, Process { pid, uid, started: started(host, pid), arguments }))
}

/// Whether the arguments are those of `podman system service`.
fn serves(arguments: &[Text]) -> bool {
    let words: Vec<&str> = arguments.iter().map(Text::raw).collect();
    words.windows(2).any(|pair| pair == ["system", "service"])
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn path(pid: i32, file: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{file}"))
}

fn text(host: &dyn Host, pid: i32, file: &str) -> Option<String> {
    let bytes = host.read(&path(pid, file)).into_result().ok()??;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn arguments(host: &dyn Host, pid: i32) -> Option<Vec<Text>> {
    let bytes = host.read(&path(pid, "cmdline")).into_result().ok()??;
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
    // Kernel threads and dead processes have none.
    (!bytes.is_empty()).then(|| bytes.split(|byte| *byte == 0).map(Text::from_bytes).collect())
}

/// The parts of a process's cgroup paths that name a container or a machine.
fn containers_of(host: &dyn Host, pid: i32) -> Vec<String> {
    let names = |line: &str| line.splitn(3, ':').nth(2).map(str::to_owned);
    let paths: Vec<String> = text(host, pid, "cgroup").unwrap_or_default().lines().filter_map(names).collect();
    paths.iter().flat_map(|path| path.split('/')).filter(|part| names_container(part)).map(str::to_owned).collect()
}

fn names_container(part: &str) -> bool {
    let part = part.strip_suffix(".scope").unwrap_or(part);
    let id = part.rsplit(['-', ':']).next().unwrap_or(part);
    (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
        || ["lxc.payload", "machine-"].iter().any(|prefix| part.starts_with(prefix))
}

fn started(host: &dyn Host, pid: i32) -> Option<i64> {
    let stat = text(host, pid, "stat")?;
    // The name in parentheses may hold anything; the fields after the last one are numbers.
    let ticks: i64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let system = host.read(Path::new("/proc/stat")).into_result().ok()??;
    let system = String::from_utf8_lossy(&system);
    let boot: i64 = system.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    // /proc counts in hundredths of a second on every architecture Docker runs on.
    boot.checked_add(ticks / 100)
}
