//! What an engine was told: flags, unit and configuration file.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::host::Host;
use crate::parse::dockerd::{CommandLine, DaemonFile, by_key};

use super::Process;

/// What a Docker daemon was told. Podman's service is told nothing here.
#[derive(Debug)]
pub(in crate::resource) struct Told {
    /// Flags of the running process; `None` where none can be seen.
    pub(in crate::resource) running: Option<CommandLine>,
    /// Where its configuration file is, or would be.
    pub(in crate::resource) config_file: PathBuf,
    /// What that file holds; absent where there is none.
    pub(in crate::resource) file: Fact<DaemonFile>,
    /// The data directory by flags, file or default.
    pub(in crate::resource) data_root: Fact<PathBuf>,
    /// The group given the API socket by flags, file or default.
    pub(in crate::resource) socket_group: Fact<Text>,
    /// Addresses the API listens on, by flags and file; empty where none was told.
    pub(in crate::resource) hosts: Fact<Vec<Text>>,
}

/// Where a daemon keeps things when told nothing.
pub(super) struct Defaults {
    pub(super) config_file: PathBuf,
    pub(super) data_root: PathBuf,
}

impl Told {
    pub(super) fn new(host: &dyn Host, process: Option<&Process>, defaults: &Defaults) -> Self {
        let running = process.map(|process| CommandLine::parse(process.arguments.iter().skip(1)));
        let config_file = running.as_ref().and_then(|line| line.value("config-file")).map_or(defaults.config_file.clone(), PathBuf::from);
        let file = read(host, &config_file);
        let mut told = Self {
            running,
            config_file,
            file,
            data_root: Fact::Absent(Origin::Derived),
            socket_group: Fact::Absent(Origin::Derived),
            hosts: Fact::Absent(Origin::Derived),
        };
        let flag_origin = process.map_or(Origin::Derived, |process| Origin::kernel(format!("/proc/{}/cmdline", process.pid)));
        let default = defaults.data_root.to_string_lossy().into_owned();
        told.data_root = match told.scalar("data-root", &flag_origin, &default) {
            Fact::Known(_, Origin::Default { .. }) => told.scalar("graph", &flag_origin, &default),
            fact => fact,
        }
        .map(|dir| PathBuf::from(dir.raw()));
        told.socket_group = told.scalar("group", &flag_origin, by_key("group").and_then(|spec| spec.default).unwrap_or_default());
        told.hosts = told.list("hosts", &flag_origin);
        told
    }

    fn flag(&self, key: &str) -> Option<&str> {
        self.running.as_ref().and_then(|line| line.value(key))
    }

    fn scalar(&self, key: &str, flags: &Origin, default: &str) -> Fact<Text> {
        if let Some(value) = self.flag(key) {
            return Fact::Known(value.into(), flags.clone());
        }
        match &self.file {
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
            Fact::Known(file, _) if file.get(key).is_some() => match file.get(key).map(|entry| (entry.value.as_str(), entry.line)) {
                Some((Some(value), line)) => Fact::Known(value.into(), Origin::line(self.config_file.as_path(), line)),
                _ => Fact::Unknown(Gap::new(Origin::file(self.config_file.as_path()), Reason::malformed(format!("{key} is not text")))),
            },
            Fact::Known(..) | Fact::Absent(_) => Fact::Known(default.into(), Origin::default_of("dockerd")),
        }
    }

    fn list(&self, key: &str, flags: &Origin) -> Fact<Vec<Text>> {
        let given: Vec<Text> = self.running.iter().flat_map(|line| line.values(key)).map(Text::from).collect();
        match &self.file {
            _ if !given.is_empty() => Fact::Known(given, flags.clone()),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
            Fact::Known(file, origin) => match file.get(key) {
                None => Fact::Known(Vec::new(), origin.clone()),
                Some(entry) => {
                    let origin = Origin::line(self.config_file.as_path(), entry.line);
                    match entry.value.as_array() {
                        Some(items) => Fact::Known(items.iter().filter_map(|item| item.as_str()).map(Text::from).collect(), origin),
                        None => Fact::Unknown(Gap::new(origin, Reason::malformed(format!("{key} is not a list")))),
                    }
                }
            },
            Fact::Absent(origin) => Fact::Known(Vec::new(), origin.clone()),
        }
    }
}

fn read(host: &dyn Host, path: &Path) -> Fact<DaemonFile> {
    host.read(path).and_then(|bytes, origin| match DaemonFile::parse(&bytes) {
        Ok(file) => Fact::Known(file, origin),
        Err(what) => Fact::Unknown(Gap::new(origin, Reason::malformed(what))),
    })
}
