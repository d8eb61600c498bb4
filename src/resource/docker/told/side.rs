//! One start of a daemon: the flags it gets, and the file those name.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::Host;
use crate::parse::dockerd::{DaemonFile, Setting, Spec};

use super::Flags;
use crate::resource::docker::homeless;

/// Flags, and the configuration file they lead to.
#[derive(Debug)]
pub(in crate::resource) struct Side {
    /// Absent where nothing is known to start the daemon.
    pub(in crate::resource) flags: Fact<Flags>,
    /// Where its configuration file is, or would be.
    pub(in crate::resource) config_file: PathBuf,
    /// What that file holds; absent where there is none.
    pub(in crate::resource) file: Fact<DaemonFile>,
}

/// The kind of place that sets an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::resource) enum Source {
    /// The command line.
    Flag,
    /// The configuration file.
    File,
    /// Nothing: what dockerd does by itself.
    Default,
}

impl Source {
    pub(in crate::resource) fn word(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::File => "file",
            Self::Default => "default",
        }
    }
}

/// One place that sets an option.
#[derive(Clone, Debug)]
pub(in crate::resource) struct Place {
    pub(in crate::resource) source: Source,
    /// What it sets it to, and where it stands. Unknown where dockerd would not understand it.
    pub(in crate::resource) setting: Fact<Setting>,
}

impl Place {
    pub(super) fn default(spec: &Spec, value: &str) -> Self {
        Self { source: Source::Default, setting: Fact::Known(Setting::of_texts(spec, &[value]), Origin::default_of("dockerd")) }
    }

    fn new(source: Source, setting: Result<Setting, String>, origin: Origin) -> Self {
        let setting = match setting {
            Ok(setting) => Fact::Known(setting, origin),
            Err(what) => Fact::Unknown(Gap::new(origin, Reason::malformed(what))),
        };
        Self { source, setting }
    }
}

impl Side {
    pub(super) fn new(host: &dyn Host, flags: Fact<Flags>, config_file: &Path) -> Self {
        let named = flags.known().and_then(|flags| flags.line.value("config-file")).map(PathBuf::from);
        let config_file = named.unwrap_or_else(|| config_file.to_path_buf());
        let file = read(host, &config_file);
        Self { flags, config_file, file }
    }

    /// The next start. Whoever starts by hand a daemon that no unit starts will name the same file again.
    pub(super) fn next(host: &dyn Host, flags: Fact<Flags>, running: Option<&Self>, config_file: &Path) -> Self {
        let by_hand = running.filter(|_| matches!(flags, Fact::Absent(_)));
        let config_file = by_hand.map_or(config_file, |running| &running.config_file);
        Self::new(host, flags, config_file)
    }

    /// The places that set an option, what wins first. Flags win: a daemon that is told both does not start.
    pub(super) fn places(&self, spec: &Spec) -> Result<Vec<Place>, Gap> {
        let mut places = Vec::new();
        match &self.flags {
            Fact::Known(flags, _) => {
                let given: Vec<&str> = flags.line.values(spec.key).collect();
                if !given.is_empty() {
                    places.push(Place::new(Source::Flag, Setting::of_flags(spec, &given), flags.origin.clone()));
                }
            }
            Fact::Absent(_) => {}
            Fact::Unknown(gap) => return Err(gap.clone()),
        }
        match &self.file {
            Fact::Known(file, _) => {
                if let Some(entry) = file.get(spec.key).filter(|_| spec.in_file) {
                    let origin = Origin::line(self.config_file.as_path(), entry.line);
                    places.push(Place::new(Source::File, Setting::of_json(spec, &entry.value), origin));
                }
            }
            // What a file holds that cannot be read does not matter to what a flag sets.
            Fact::Unknown(gap) if places.is_empty() && spec.in_file => return Err(gap.clone()),
            Fact::Absent(_) | Fact::Unknown(_) => {}
        }
        Ok(places)
    }
}

fn read(host: &dyn Host, path: &Path) -> Fact<DaemonFile> {
    if let Some(gap) = homeless(path) {
        return Fact::Unknown(gap);
    }
    if path.is_relative() {
        let reason = Reason::unsupported("its path depends on where the daemon was started");
        return Fact::Unknown(Gap::new(Origin::file(path), reason));
    }
    host.read(path).and_then(|bytes, origin| match DaemonFile::parse(&bytes) {
        Ok(file) => Fact::Known(file, origin),
        Err(what) => Fact::Unknown(Gap::new(origin, Reason::malformed(what))),
    })
}
