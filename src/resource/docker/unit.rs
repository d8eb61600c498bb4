//! The units that start engines and listen for them, and what they will tell a daemon at its next start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::Host;
use crate::parse::dockerd::CommandLine;
use crate::parse::unit::{Unit, commands, environment, environment_file};

use super::homeless;
use super::told::Flags;

/// Where the system's manager looks for units, what wins first.
const SYSTEM: &[&str] =
    &["/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
/// Where the manager of a user looks, besides that user's home.
const USER: &[&str] = &["/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"];

/// The directories of the system's units, or of a user's by his home.
pub(super) fn directories(home: Option<&Path>) -> Vec<PathBuf> {
    match home {
        None => SYSTEM.iter().map(PathBuf::from).collect(),
        Some(home) => std::iter::once(home.join(".config/systemd/user")).chain(USER.iter().map(PathBuf::from)).collect(),
    }
}

/// The name of the socket unit that belongs to a service.
pub(in crate::resource) fn socket_of(service: &str) -> Option<String> {
    service.strip_suffix(".service").map(|name| format!("{name}.socket"))
}

/// The files of a unit.
#[derive(Debug)]
pub(in crate::resource) struct Files {
    /// The unit file that wins.
    pub(in crate::resource) fragment: PathBuf,
    /// The drop-ins that apply, in their order.
    pub(in crate::resource) dropins: Vec<PathBuf>,
}

/// The files of a unit. Absent where there is none or it is masked.
pub(in crate::resource) fn files(host: &dyn Host, directories: &[PathBuf], name: &str) -> Fact<Files> {
    if let Some(gap) = directories.iter().find_map(|directory| homeless(directory)) {
        return Fact::Unknown(gap);
    }
    // Links that mask lead there also where the host's directory holds no devices.
    let is_null = |path: Fact<PathBuf>| path.known().is_some_and(|path| path == Path::new("/dev/null"));
    let null = |path: &Path| is_null(host.link(path)) || is_null(host.resolve(path));
    let mut fragment = None;
    for path in directories.iter().map(|directory| directory.join(name)) {
        if null(&path) {
            return Fact::Absent(Origin::file(path.as_path()));
        }
        match host.stat(&path) {
            // An empty file masks.
            Fact::Known(stat, _) if stat.size == 0 => return Fact::Absent(Origin::file(path.as_path())),
            Fact::Known(..) => {
                fragment = Some(path);
                break;
            }
            Fact::Absent(_) => {}
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        }
    }
    let first = || directories.first().map_or_else(|| PathBuf::from(name), |directory| directory.join(name));
    let Some(fragment) = fragment else { return Fact::Absent(Origin::file(first().as_path())) };
    // Of drop-ins with one name the first directory's counts; they apply in the order of their names.
    let kind = name.rsplit('.').next().unwrap_or_default();
    let mut dropins: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for directory in
        [format!("{name}.d"), format!("{kind}.d")].iter().flat_map(|dropins| directories.iter().map(move |at| at.join(dropins)))
    {
        let entries = match host.list(&directory) {
            Fact::Known(entries, _) => entries,
            Fact::Absent(_) => continue,
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        };
        for entry in entries.iter().filter(|entry| entry.name.extension().is_some_and(|extension| extension == "conf")) {
            dropins.entry(entry.name.clone()).or_insert_with(|| directory.join(&entry.name));
        }
    }
    let dropins = dropins.into_values().filter(|path| !null(path)).collect();
    let origin = Origin::file(fragment.as_path());
    Fact::Known(Files { fragment, dropins }, origin)
}

/// A unit with its drop-ins. Absent where there is none or it is masked.
pub(super) fn load(host: &dyn Host, directories: &[PathBuf], name: &str) -> Fact<Unit> {
    files(host, directories, name).and_then(|files, origin| {
        let mut unit = Unit::default();
        match host.read(&files.fragment) {
            Fact::Known(content, _) => unit.add(files.fragment.as_path(), &content),
            Fact::Absent(origin) => return Fact::Absent(origin),
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        }
        for path in &files.dropins {
            match host.read(path) {
                Fact::Known(content, _) => unit.add(path.as_path(), &content),
                Fact::Absent(_) => {}
                Fact::Unknown(gap) => return Fact::Unknown(gap),
            }
        }
        Fact::Known(unit, origin)
    })
}

/// The flags dockerd will get from a unit. Variables are put in; nothing of them is kept that is no flag of dockerd.
pub(super) fn flags(host: &dyn Host, unit: &Fact<Unit>) -> Fact<Flags> {
    unit.as_ref().and_then(|unit, origin| {
        let Some(start) = unit.last("Service", "ExecStart") else { return Fact::Absent(origin) };
        let origin = Origin::line(start.path.clone(), start.line);
        let command = commands(&start.value).and_then(|commands| commands.into_iter().next_back());
        let Some(command) = command.filter(|command| command.program.rsplit('/').next().is_some_and(|name| name.starts_with("dockerd")))
        else {
            return Fact::Unknown(Gap::new(origin, Reason::unsupported("the unit starts dockerd by way of another program")));
        };
        let mut variables = BTreeMap::new();
        for assignment in unit.all("Service", "Environment") {
            variables.extend(environment(&assignment.value));
        }
        for assignment in unit.all("Service", "EnvironmentFile") {
            let path = assignment.value.trim_start_matches('-');
            match host.read(Path::new(path)) {
                Fact::Known(content, _) => variables.extend(environment_file(&content).into_iter().map(|(name, (value, _))| (name, value))),
                Fact::Absent(_) => {}
                Fact::Unknown(gap) => return Fact::Unknown(gap),
            }
        }
        let arguments = command.expanded(|name| variables.get(name).map(|value| value.expose().as_str()));
        Fact::Known(Flags { line: CommandLine::parse(arguments), origin: origin.clone() }, origin)
    })
}
