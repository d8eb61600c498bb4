//! Processes that are, or claim to be, container engines.

use crate::fact::{Fact, Gap, Reason};
use crate::resource::Context;
use crate::resource::process_table::{self, ProcessTable, Running};

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

/// The daemons that run.
#[derive(Default)]
pub(super) struct Daemons {
    /// By process id.
    pub(super) found: Vec<(Kind, Process)>,
    /// Why there may be others.
    pub(super) gap: Option<Gap>,
}

/// The daemons that run on the host itself. Those inside containers are not the host's engines.
pub(super) fn daemons(context: &Context<'_>) -> Daemons {
    let mut daemons = Daemons::default();
    match ProcessTable::of(context).as_ref() {
        Ok(table) => {
            daemons.gap.clone_from(&table.hidden);
            for process in &table.processes {
                match daemon(context, table, process) {
                    Ok(found) => daemons.found.extend(found),
                    Err(unread) => drop(daemons.gap.get_or_insert(unread)),
                }
            }
        }
        // A host that does not run has no processes.
        Err(Gap { reason: Reason::NotCollected, .. }) => {}
        Err(gap) => daemons.gap = Some(gap.clone()),
    }
    daemons
}

fn daemon(context: &Context<'_>, table: &ProcessTable, process: &Running) -> Result<Option<(Kind, Process)>, Gap> {
    let Some(status) = process.status.as_ref().into_result()? else { return Ok(None) };
    // A process that has ended, but is not waited for, has no arguments; nor has a thread of the kernel.
    let Some(arguments) = process.command_line(context).into_result()? else { return Ok(None) };
    let Some(called) = arguments.first().map(|program| base(program)) else { return Ok(None) };
    let is = |names: &[&str]| names.contains(&status.name.as_str()) || names.contains(&called);
    let (kind, names) = if is(DOCKERD) {
        (Kind::Docker, DOCKERD)
    } else if is(&["podman"]) && arguments.windows(2).any(|pair| pair == ["system", "service"]) {
        (Kind::Podman, &["podman"][..])
    } else {
        return Ok(None);
    };
    // Names are chosen by the process; its executable is not.
    let links = process_table::links(context, process.pid);
    let program = links.known().and_then(|links| links.program());
    if program.is_some_and(|(path, _)| !names.contains(&base(path))) {
        return Ok(None);
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
        return Ok(None);
    }
    let unit = if uid == 0 {
        process.unit.known().cloned()
    } else {
        let root = find(1).and_then(|first| first.cgroups.known()).map_or("", |cgroups| cgroups.root_of_units());
        let unit = process.cgroups.known().and_then(|cgroups| cgroups.user_unit(root));
        unit.filter(|(user, _)| *user == uid).map(|(_, unit)| unit.to_owned())
    };
    Ok(Some((kind, Process { pid: process.pid, uid, started: process.started(context), arguments, unit })))
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
