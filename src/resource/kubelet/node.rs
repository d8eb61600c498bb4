//! The kubelet of this host: its command line, and the files and drop-ins that configure it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::fact::{Gap, Origin, Reason};
use crate::parse::unit::commands;
use crate::parse::yaml_document as yaml;
use crate::resource::Context;
use crate::resource::layered::Layered;
use crate::resource::process_table::{self, ProcessTable};
use crate::resource::systemd::{Loaded, Says, Units, origin};

use super::options::flags;

/// A program with a kubelet in it, and where it has what the kubelet is told.
struct Kind {
    /// Names of its process.
    programs: &'static [&'static str],
    /// Its service.
    unit: &'static str,
    /// A file of flags, one a line, instead of a command line.
    arguments: Option<&'static str>,
    /// The configuration it makes for the kubelet, where the command line does not name it.
    directory: Option<&'static str>,
}

const KINDS: [Kind; 5] = [
    Kind { programs: &["kubelet"], unit: "kubelet.service", arguments: None, directory: None },
    Kind {
        programs: &["kubelite"],
        unit: "snap.microk8s.daemon-kubelite.service",
        arguments: Some("/var/snap/microk8s/current/args/kubelet"),
        directory: None,
    },
    Kind {
        programs: &["k3s", "k3s-server"],
        unit: "k3s.service",
        arguments: None,
        directory: Some("/var/lib/rancher/k3s/agent/etc/kubelet.conf.d"),
    },
    Kind {
        programs: &["k3s-agent"],
        unit: "k3s-agent.service",
        arguments: None,
        directory: Some("/var/lib/rancher/k3s/agent/etc/kubelet.conf.d"),
    },
    Kind { programs: &["kube-proxy"], unit: "kube-proxy.service", arguments: None, directory: None },
];

/// What one program is told.
#[derive(Debug)]
pub(in crate::resource) struct Node {
    /// `kubelet`, or what it is part of.
    pub(in crate::resource) name: &'static str,
    /// Its flags, in order, and where they stand; or why they are not seen.
    pub(in crate::resource) flags: Result<(Vec<(String, String)>, Origin), Gap>,
    /// Its configuration files, what counts most first; or why one is not seen.
    pub(in crate::resource) files: Result<Vec<(PathBuf, Value)>, Gap>,
    /// Whether the insecure defaults of old hold: no configuration file is named.
    pub(in crate::resource) legacy: bool,
    /// The unit that starts it.
    pub(in crate::resource) unit: Option<Loaded>,
}

/// The kubelets of the host, and the proxies beside them.
pub(in crate::resource) struct Nodes {
    pub(in crate::resource) kubelets: Vec<Node>,
    pub(in crate::resource) proxies: Vec<Node>,
}

impl Nodes {
    pub(in crate::resource) fn of(context: &Context<'_>) -> Arc<Result<Self, Gap>> {
        context.once(Self::find)
    }

    fn find(context: &Context<'_>) -> Result<Self, Gap> {
        let mut found = Self { kubelets: Vec::new(), proxies: Vec::new() };
        let units = Units::of(context);
        for kind in &KINDS {
            let unit = units.load(context.host, kind.unit).filter(|loaded| matches!(loaded.file.says, Says::Unit));
            let running = running(context, kind)?;
            if unit.is_none() && running.is_empty() {
                if let Some(gap) = units.gap() {
                    return Err(gap.clone());
                }
                continue;
            }
            let nodes = if kind.programs == ["kube-proxy"] { &mut found.proxies } else { &mut found.kubelets };
            if running.is_empty() {
                let flags = unit.as_ref().map_or_else(|| Ok((Vec::new(), Origin::Derived)), |unit| next_start(context, unit));
                nodes.push(Node::new(context, kind, flags, unit));
            } else {
                nodes.extend(running.into_iter().map(|flags| Node::new(context, kind, Ok(flags), unit.clone())));
            }
        }
        Ok(found)
    }
}

/// Flags, and where they stand.
type Flags = (Vec<(String, String)>, Origin);

impl Node {
    fn new(context: &Context<'_>, kind: &Kind, told: Result<Flags, Gap>, unit: Option<Loaded>) -> Self {
        let flags = match kind.arguments {
            Some(path) => arguments(context, Path::new(path)),
            None => told,
        };
        let flag = |name: &str| {
            let (flags, _) = flags.as_ref().ok()?;
            flags.iter().rev().find(|(flag, _)| flag == name).map(|(_, value)| PathBuf::from(value))
        };
        let config = flag("config");
        let directory = flag("config-dir").or_else(|| kind.directory.map(PathBuf::from));
        let files = flags.as_ref().map_err(Clone::clone).and_then(|_| files(context, config.as_deref(), directory.as_deref()));
        let made = kind.directory.is_some();
        let files = match files {
            // What has the kubelet in it tells it things that are not to be seen from outside.
            Ok(files) if made && files.is_empty() => {
                Err(Gap::new(Origin::Derived, Reason::unsupported(format!("{} does not show what it tells its kubelet", kind.unit))))
            }
            files => files,
        };
        let legacy = config.is_none() && !made;
        let name = kind.programs.first().copied().unwrap_or_default();
        // The flags of what is around it are not the kubelet's.
        let flags = if made { Ok((Vec::new(), Origin::Derived)) } else { flags };
        Self { name, flags, files, legacy, unit }
    }

    /// The last value of a flag.
    pub(in crate::resource) fn flag(&self, name: &str) -> Option<(&str, &Origin)> {
        let (flags, origin) = self.flags.as_ref().ok()?;
        flags.iter().rev().find(|(flag, _)| flag == name).map(|(_, value)| (value.as_str(), origin))
    }

    /// The first value of a field in the files, and the file.
    pub(in crate::resource) fn field(&self, path: &str) -> Option<(&Value, &Path)> {
        let files = self.files.as_ref().ok()?;
        files.iter().find_map(|(file, value)| {
            let mut at = value;
            for part in path.split('.') {
                at = at.get(part)?;
            }
            (!at.is_null()).then_some((at, file.as_path()))
        })
    }
}

/// The files that configure it: drop-ins, the last name first, and the file itself.
fn files(context: &Context<'_>, config: Option<&Path>, directory: Option<&Path>) -> Result<Vec<(PathBuf, Value)>, Gap> {
    let mut found = Vec::new();
    let mut paths: Vec<PathBuf> = Vec::new();
    if let Some(directory) = directory {
        let layer = Layered::of(context.host, [directory], ".conf");
        if let Some(gap) = layer.gaps.into_iter().next() {
            return Err(gap);
        }
        paths.extend(layer.files.into_values().rev());
    }
    paths.extend(config.map(Path::to_path_buf));
    for path in paths {
        if !path.is_absolute() {
            return Err(Gap::new(Origin::file(path.as_path()), Reason::unsupported("where the file is depends on where it was started")));
        }
        let content = context.host.read(&path).into_result()?;
        let content = content.ok_or_else(|| Gap::new(Origin::file(path.as_path()), Reason::malformed("the configuration file is not there")))?;
        let value = yaml::document(&content).map_err(|why| Gap::new(Origin::file(path.as_path()), Reason::malformed(why)))?;
        if !value.is_object() && !value.is_null() {
            return Err(Gap::new(Origin::file(path.as_path()), Reason::malformed("not a configuration")));
        }
        found.push((path, value));
    }
    Ok(found)
}

/// A file of flags.
fn arguments(context: &Context<'_>, path: &Path) -> Result<Flags, Gap> {
    let content = context.host.read(path).into_result()?;
    let content = content.ok_or_else(|| Gap::new(Origin::file(path), Reason::malformed("the file of flags is not there")))?;
    let text = String::from_utf8_lossy(&content);
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let words: Vec<String> = lines.flat_map(str::split_whitespace).map(|word| word.trim_matches(['"', '\'']).to_owned()).collect();
    let words: Vec<String> = words.into_iter().map(|word| word.replace("${SNAP_DATA}", "/var/snap/microk8s/current")).collect();
    Ok((flags(&words), Origin::file(path)))
}

/// The command lines of its processes on the host itself: one in a container is another host's.
fn running(context: &Context<'_>, kind: &Kind) -> Result<Vec<Flags>, Gap> {
    let table = ProcessTable::of(context);
    let table = match table.as_ref() {
        Ok(table) => table,
        // A host that does not run has no processes.
        Err(Gap { reason: Reason::NotCollected, .. }) => return Ok(Vec::new()),
        Err(gap) => return Err(gap.clone()),
    };
    let home = table.processes.iter().find(|process| process.pid == 1).and_then(|first| first.container.known());
    let mut found = Vec::new();
    for process in &table.processes {
        let Some(status) = process.status.known() else { continue };
        let elsewhere = process.container.known().is_some_and(|container| Some(container) != home) || status.namespace_pids.len() > 1;
        if elsewhere || !kind.programs.contains(&status.name.as_str()) {
            continue;
        }
        let links = process_table::links(context, process.pid);
        let program = links.known().and_then(|links| links.program()).map(|(path, _)| path.rsplit('/').next().unwrap_or(path).to_owned());
        // Names are chosen by the process; its executable is not.
        if program.is_some_and(|program| !kind.programs.iter().any(|name| *name == program || name.starts_with(&format!("{program}-")))) {
            continue;
        }
        let origin = Origin::kernel(format!("/proc/{}/cmdline", process.pid));
        if let Some(arguments) = process.command_line(context).into_result()? {
            found.push((flags(arguments.get(1..).unwrap_or_default()), origin));
        }
    }
    Ok(found)
}

/// What its unit tells it.
fn next_start(context: &Context<'_>, unit: &Loaded) -> Result<Flags, Gap> {
    if let Some(gap) = &unit.gap {
        return Err(gap.clone());
    }
    let Some(start) = unit.unit.last("Service", "ExecStart") else { return Ok((Vec::new(), Origin::Derived)) };
    let Some(command) = commands(&start.value).and_then(|commands| commands.into_iter().next_back()) else {
        return Err(Gap::new(origin(start), Reason::malformed("no command")));
    };
    let variables = unit.variables(context.host).into_result()?.unwrap_or_default();
    let arguments = command.expanded(|name| variables.get(name).map(|(value, _)| value.expose().as_str()));
    Ok((flags(&arguments), origin(start)))
}
