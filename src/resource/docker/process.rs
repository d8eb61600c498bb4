//! Processes that are, or claim to be, container engines.

use crate::fact::{Fact, Gap, Reason};
use crate::resource::Context;
use crate::resource::process_table::{ProcessTable, Running};

use super::Kind;

/// The process of an engine's daemon.
#[derive(Clone, Debug)]
pub(in crate::resource) struct Process {
    pub(in crate::resource) pid: i32,
    /// Real user id.
    pub(in crate::resource) uid: u32,
    /// When it started, seconds since the epoch.
    pub(in crate::resource) started: Fact<i64>,
    /// Its arguments, the program's own name first.
    pub(in crate::resource) arguments: Vec<String>,
    /// The unit it runs in: one of the system's manager, or of the user's own where the engine is a user's.
    pub(in crate::resource) unit: Option<String>,
}

impl Process {
    /// The service it runs in. What is started by hand runs in a session or in none.
    pub(in crate::resource) fn service(&self) -> Option<&str> {
        self.unit.as_deref().filter(|unit| unit.ends_with(".service"))
    }
}

/// Names under which distributions ship dockerd.
const DOCKERD: &[&str] = &["dockerd", "dockerd-ce", "dockerd-current", "dockerd-latest"];

/// The daemons that run on the host itself, by process id. Those inside containers are not the host's engines.
pub(super) fn daemons(context: &Context<'_>) -> Result<Vec<(Kind, Process)>, Gap> {
    let table = ProcessTable::of(context);
    match table.as_ref() {
        Ok(table) => Ok(table.processes.iter().filter_map(|process| daemon(context, table, process)).collect()),
        // A host that does not run has no processes.
        Err(Gap { reason: Reason::NotCollected, .. }) => Ok(Vec::new()),
        Err(gap) => Err(gap.clone()),
    }
}

fn daemon(context: &Context<'_>, table: &ProcessTable, process: &Running) -> Option<(Kind, Process)> {
    let status = process.status.known()?;
    // A process that has ended, but is not waited for, has no arguments.
    let arguments = process.command_line(context).into_result().ok()??;
    let called = base(arguments.first()?);
    let is = |names: &[&str]| names.contains(&status.name.as_str()) || names.contains(&called);
    let (kind, names) = if is(DOCKERD) {
        (Kind::Docker, DOCKERD)
    } else if is(&["podman"]) && arguments.windows(2).any(|pair| pair == ["system", "service"]) {
        (Kind::Podman, &["podman"][..])
    } else {
        return None;
    };
    // Names are chosen by the process; its executable is not.
    let links = context.host.process_links(process.pid);
    let executable = links.known().and_then(|links| links.exe.as_ref());
    if executable.is_some_and(|exe| !names.contains(&base(exe.raw().trim_end_matches(" (deleted)")))) {
        return None;
    }
    let uid = status.uid.real;
    let find = |pid| table.processes.iter().find(|process| process.pid == pid);
    let parent_is_rootlesskit = || {
        let parent = find(status.parent).and_then(|parent| parent.status.known());
        parent.is_some_and(|parent| matches!(parent.name.as_str(), "rootlesskit" | "exe"))
    };
    let nested = status.namespace_pids.len() > 1 && (uid == 0 || !parent_is_rootlesskit());
    // Where the audit itself runs in a container, that container is the host.
    let home = find(1).and_then(|first| first.container.known());
    let elsewhere = process.container.known().is_some_and(|container| Some(container) != home);
    if nested || elsewhere {
        return None;
    }
    let unit = if uid == 0 {
        process.unit.known().cloned()
    } else {
        let root = find(1).and_then(|first| first.cgroups.known()).map_or("", |cgroups| cgroups.root_of_units());
        let unit = process.cgroups.known().and_then(|cgroups| cgroups.user_unit(root));
        unit.filter(|(user, _)| *user == uid).map(|(_, unit)| unit.to_owned())
    };
    Some((kind, Process { pid: process.pid, uid, started: process.started(context), arguments, unit }))
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
