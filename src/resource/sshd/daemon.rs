//! The SSH servers of the host: those that listen, or the one that would be started, each with what its command line tells it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::Host;
use crate::parse::sshd::algorithms::Compiled;
use crate::parse::sshd::{CommandLine, listener};
use crate::parse::unit::commands;
use crate::resource::Context;
use crate::resource::process_table::{self, ProcessTable, Running};
use crate::resource::systemd::{Says, Units, origin};

use super::configuration::Configuration;

/// Where distributions put the program.
const PROGRAMS: [&str; 4] = ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd", "/usr/lib/ssh/sshd"];
/// Where it looks for its configuration: the vendor's own counts where the administrator has none.
const FILES: [&str; 2] = ["/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config"];
/// The units that start it.
const UNITS: [&str; 2] = ["ssh.service", "sshd.service"];

/// A command line, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Flags {
    pub(super) line: CommandLine,
    pub(super) origin: Origin,
}

/// One SSH server.
#[derive(Debug)]
pub(super) struct Daemon {
    /// Its configuration file.
    pub(super) file: PathBuf,
    /// Whether another server's records have the plain names.
    pub(super) other: bool,
    /// What it was told by its command line.
    pub(super) flags: Result<Flags, Gap>,
    /// What it was compiled with. Absent where there is no program to look at.
    pub(super) compiled: Fact<Arc<Compiled>>,
    /// What it reads, or why it would not start or cannot be looked at.
    pub(super) configuration: Result<Configuration, Gap>,
}

/// Every SSH server of the host; none where none is installed.
pub(super) struct Daemons(pub(super) Vec<Daemon>);

impl Daemons {
    pub(super) fn of(context: &Context<'_>) -> Arc<Result<Self, Gap>> {
        context.once(Self::find)
    }

    fn find(context: &Context<'_>) -> Result<Self, Gap> {
        let host = context.host;
        let mut installed = None;
        for path in PROGRAMS {
            if host.stat(path.as_ref()).into_result()?.is_some() {
                installed = Some(PathBuf::from(path));
                break;
            }
        }
        let (listening, hidden) = listening(context)?;
        if installed.is_none() && listening.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let mut daemons: Vec<Daemon> = Vec::new();
        for (program, flags) in listening {
            let compiled = compiled(host, program.or_else(|| installed.clone()));
            daemons.push(Daemon::new(host, Ok(flags), compiled, !daemons.is_empty()));
        }
        if daemons.is_empty() {
            let flags = hidden.map_or_else(|| next_start(context), Err);
            daemons.push(Daemon::new(host, flags, compiled(host, installed), false));
        }
        Ok(Self(daemons))
    }
}

impl Daemon {
    fn new(host: &dyn Host, flags: Result<Flags, Gap>, compiled: Fact<Arc<Compiled>>, other: bool) -> Self {
        let usual = || {
            let there = FILES.iter().find(|file| !matches!(host.stat(file.as_ref()), Fact::Absent(_)));
            PathBuf::from(there.unwrap_or(&FILES[0]))
        };
        let named = flags.as_ref().ok().and_then(|flags| flags.line.file.clone());
        let file = named.map_or_else(usual, PathBuf::from);
        let known = compiled.known().map(AsRef::as_ref);
        let configuration = match &flags {
            Ok(_) if !file.is_absolute() => {
                Err(Gap::new(Origin::file(file.as_path()), Reason::unsupported("where the file is depends on where sshd was started")))
            }
            Ok(flags) => Configuration::read(host, flags, &file, known),
            Err(gap) => Err(gap.clone()),
        };
        Self { file, other, flags, compiled, configuration }
    }
}

fn compiled(host: &dyn Host, program: Option<PathBuf>) -> Fact<Arc<Compiled>> {
    let Some(program) = program else { return Fact::Absent(Origin::Derived) };
    host.read(&program).map(|bytes| Arc::new(Compiled::find(&bytes)))
}

/// A server that listens: its program, where that shows, and its command line.
type Listening = (Option<PathBuf>, Flags);

/// The servers that listen on the host itself, and why there may be others.
fn listening(context: &Context<'_>) -> Result<(Vec<Listening>, Option<Gap>), Gap> {
    let table = ProcessTable::of(context);
    let table = match table.as_ref() {
        Ok(table) => table,
        // A host that does not run has no processes.
        Err(Gap { reason: Reason::NotCollected, .. }) => return Ok((Vec::new(), None)),
        Err(gap) => return Err(gap.clone()),
    };
    let home = table.processes.iter().find(|process| process.pid == 1).and_then(|first| first.container.known());
    let mut found: Vec<(i32, i32, Listening)> = Vec::new();
    for process in &table.processes {
        // Where the audit itself runs in a container, that container is the host.
        let elsewhere = process.container.known().is_some_and(|container| Some(container) != home);
        if !elsewhere && let Some((parent, listening)) = listens(context, process) {
            found.push((process.pid, parent, listening));
        }
    }
    // One that was forked to serve a connection shows its parent's arguments until it has its own title.
    let pids: Vec<i32> = found.iter().map(|(pid, ..)| *pid).collect();
    found.retain(|(_, parent, _)| !pids.contains(parent));
    Ok((found.into_iter().map(|(_, _, listening)| listening).collect(), table.hidden.clone()))
}

fn listens(context: &Context<'_>, process: &Running) -> Option<(i32, Listening)> {
    let status = process.status.known().filter(|status| status.name == "sshd" && status.namespace_pids.len() < 2)?;
    let shown = process.command_line(context).known().cloned()?;
    let arguments = listener(&shown)?;
    let links = process_table::links(context, process.pid);
    let program = links.known().and_then(|links| links.program()).map(|(path, _)| path.to_owned());
    // Names are chosen by the process; its executable is not.
    if program.as_ref().is_some_and(|path| !path.ends_with("/sshd")) {
        return None;
    }
    let origin = Origin::kernel(format!("/proc/{}/cmdline", process.pid));
    Some((status.parent, (program.map(PathBuf::from), Flags { line: CommandLine::parse(arguments.iter().skip(1)), origin })))
}

/// What the unit tells it that starts it. Nothing where no unit does.
fn next_start(context: &Context<'_>) -> Result<Flags, Gap> {
    let units = Units::of(context);
    if let Some(gap) = units.gap() {
        return Err(gap.clone());
    }
    let nothing = Flags { line: CommandLine::default(), origin: Origin::Derived };
    for name in UNITS {
        let Some(loaded) = units.load(context.host, name).filter(|loaded| loaded.file.says == Says::Unit) else { continue };
        if let Some(gap) = &loaded.gap {
            return Err(gap.clone());
        }
        let Some(start) = loaded.unit.last("Service", "ExecStart") else { continue };
        let command = commands(&start.value).and_then(|commands| commands.into_iter().next_back());
        let Some(command) = command.filter(|command| command.program.ends_with("/sshd")) else {
            return Err(Gap::new(origin(start), Reason::unsupported("the unit starts sshd by way of another program")));
        };
        let variables = loaded.variables(context.host).into_result()?.unwrap_or_default();
        let arguments = command.expanded(|name| variables.get(name).map(|(value, _)| value.expose().as_str()));
        return Ok(Flags { line: CommandLine::parse(arguments), origin: origin(start) });
    }
    Ok(nothing)
}
