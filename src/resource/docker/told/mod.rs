//! What a Docker daemon was told and will be told: flags, unit, configuration file, defaults.

mod side;

use std::path::PathBuf;
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::host::Host;
use crate::parse::dockerd::{CommandLine, Spec, by_key};
use crate::resource::Context;
use crate::resource::systemd::{Loaded, Units};

use super::{Process, homeless, unit};
pub(in crate::resource) use side::{Place, Side, Source};

/// Flags of one command line, and where it stands.
#[derive(Debug, Clone)]
pub(in crate::resource) struct Flags {
    pub(in crate::resource) line: CommandLine,
    pub(in crate::resource) origin: Origin,
}

/// What a daemon was told.
#[derive(Debug)]
pub(in crate::resource) struct Told {
    /// The running process: its flags, and the file they name. `None` where none can be seen.
    pub(in crate::resource) running: Option<Side>,
    /// What the next start will tell it. Its flags are absent where no unit starts it.
    pub(in crate::resource) next: Side,
    /// Whether the file changed after the process started. Absent without a process or a file.
    pub(in crate::resource) stale: Fact<bool>,
    /// The unit that starts it. Absent where none is known to, or it is masked.
    pub(in crate::resource) service_unit: Fact<Loaded>,
    /// The unit whose sockets it inherits as `fd://`.
    pub(in crate::resource) socket_unit: Fact<Loaded>,
    /// Whether a unit is known to start it, be it there or not.
    pub(in crate::resource) has_unit: bool,
    defaults: Defaults,
}

/// What differs between a daemon of root's and one of a user's when told nothing.
#[derive(Debug, Clone)]
pub(in crate::resource) struct Defaults {
    pub(super) config_file: PathBuf,
    pub(super) data_root: PathBuf,
    pub(super) runtime_directory: PathBuf,
    pub(super) home: PathBuf,
    pub(super) rootless: bool,
}

impl Defaults {
    /// What dockerd uses for an option nothing sets.
    fn of(&self, spec: &Spec) -> Option<String> {
        let below = |name: &str| self.runtime_directory.join(name).to_string_lossy().into_owned();
        match spec.key {
            "config-file" => Some(self.config_file.to_string_lossy().into_owned()),
            "data-root" => Some(self.data_root.to_string_lossy().into_owned()),
            "exec-root" if self.rootless => Some(below("docker")),
            "pidfile" if self.rootless => Some(below("docker.pid")),
            "hosts" if self.rootless => Some(format!("unix://{}", below("docker.sock"))),
            "rootless" if self.rootless => Some("true".to_owned()),
            _ => spec.default.map(str::to_owned),
        }
    }

    /// Where a certificate is looked for that no option names, once TLS is on.
    fn certificate(&self, spec: &Spec) -> Option<String> {
        let name = match spec.key {
            "tlscacert" => "ca.pem",
            "tlscert" => "cert.pem",
            "tlskey" => "key.pem",
            _ => return None,
        };
        Some(self.home.join(".docker").join(name).to_string_lossy().into_owned())
    }
}

impl Told {
    /// Asks process, unit and file. `unit` starts the daemon; without one nothing is known to.
    pub(super) fn new(context: &Context<'_>, process: Option<&Process>, unit: Option<&str>, defaults: Defaults) -> Self {
        let host = context.host;
        let units = unit.map(|_| match (defaults.rootless, homeless(&defaults.home)) {
            (false, _) => Ok(Units::of(context)),
            (true, None) => Ok(Arc::new(Units::of_user(host, &defaults.home, &defaults.runtime_directory))),
            (true, Some(gap)) => Err(gap),
        });
        let load = |name: Option<String>| match (&units, name) {
            (Some(Ok(units)), Some(name)) => unit::load(host, units, &name),
            (Some(Err(gap)), _) => Fact::Unknown(gap.clone()),
            _ => Fact::Absent(Origin::Derived),
        };
        let service_unit = load(unit.map(str::to_owned));
        let running = process.map(|process| {
            let origin = Origin::kernel(format!("/proc/{}/cmdline", process.pid));
            let flags = Flags { line: CommandLine::parse(process.arguments.iter().skip(1)), origin: origin.clone() };
            Side::new(host, Fact::Known(flags, origin), &defaults.config_file)
        });
        let next = Side::next(host, unit::flags(host, &service_unit), running.as_ref(), &defaults.config_file);
        let stale = match (process, &running) {
            (Some(process), Some(side)) => stale(host, process, side),
            _ => Fact::Absent(Origin::Derived),
        };
        let socket_unit = load(unit.and_then(unit::socket_of));
        Self { running, next, stale, service_unit, socket_unit, has_unit: unit.is_some(), defaults }
    }

    /// Of an engine of which nothing but its socket is known, which may be anybody's.
    pub(super) fn unseen(defaults: Defaults) -> Self {
        let gap = Gap::new(Origin::Derived, Reason::unsupported("no process of the daemon was seen"));
        let next = Side { flags: Fact::Unknown(gap.clone()), config_file: defaults.config_file.clone(), file: Fact::Unknown(gap.clone()) };
        let (service_unit, socket_unit) = (Fact::Unknown(gap.clone()), Fact::Unknown(gap.clone()));
        Self { running: None, next, stale: Fact::Unknown(gap), service_unit, socket_unit, has_unit: false, defaults }
    }

    /// Forgets the unit: it was looked up for another daemon.
    pub(super) fn without_unit(mut self, host: &dyn Host) -> Self {
        self.next = Side::next(host, Fact::Absent(Origin::Derived), self.running.as_ref(), &self.defaults.config_file);
        self.has_unit = false;
        self.service_unit = Fact::Absent(Origin::Derived);
        self.socket_unit = Fact::Absent(Origin::Derived);
        self
    }

    /// What counts now: for the running daemon, or for the next start where none is seen.
    pub(in crate::resource) fn now(&self) -> &Side {
        self.running.as_ref().unwrap_or(&self.next)
    }

    /// Where the configuration file is, or would be.
    pub(in crate::resource) fn config_file(&self) -> &std::path::Path {
        &self.now().config_file
    }

    /// What an option is set to, as a list: for scalars one text, empty where it is unset and has no default.
    pub(in crate::resource) fn values(&self, key: &str) -> Fact<Vec<Text>> {
        let Some(spec) = by_key(key) else {
            return Fact::Unknown(Gap::new(Origin::Derived, Reason::unsupported(format!("dockerd has no option {key}"))));
        };
        match self.places(self.now(), spec) {
            Err(gap) => Fact::Unknown(gap),
            Ok(places) => match places.into_iter().next() {
                Some(place) => place.setting.map(|setting| setting.values.iter().map(|value| Text::from(value.as_str())).collect()),
                None => Fact::Known(Vec::new(), Origin::default_of("dockerd")),
            },
        }
    }

    /// The same as the daemon was told at its start: not known where the file has changed since and no flag decides.
    pub(in crate::resource) fn values_at_start(&self, key: &str) -> Fact<Vec<Text>> {
        match (self.values(key), &self.stale) {
            (Fact::Known(_, Origin::File { .. } | Origin::Default { .. }), Fact::Known(true, changed)) => {
                Fact::Unknown(Gap::new(changed.clone(), Reason::unsupported("the file changed after the daemon started")))
            }
            (values, _) => values,
        }
    }

    /// What an option that holds one text is set to; absent where it is unset and has no default.
    pub(in crate::resource) fn text(&self, key: &str) -> Fact<Text> {
        last(self.values(key))
    }

    /// Whether an option is on.
    pub(in crate::resource) fn flag(&self, key: &str) -> Fact<bool> {
        self.text(key).map(|value| value.raw() == "true")
    }

    /// Whether it was on when the daemon started: see [`Told::values_at_start`].
    pub(in crate::resource) fn flag_at_start(&self, key: &str) -> Fact<bool> {
        last(self.values_at_start(key)).map(|value| value.raw() == "true")
    }

    /// The data directory by what it was told.
    pub(in crate::resource) fn data_root(&self) -> Fact<PathBuf> {
        self.text("data-root").and_then(|path, origin| {
            let path = PathBuf::from(path.raw());
            homeless(&path).map_or_else(|| Fact::Known(path, origin), Fact::Unknown)
        })
    }

    /// Every place that sets an option, what wins first, the default last. Errors where a place cannot be read that could win.
    pub(in crate::resource) fn places(&self, side: &Side, spec: &'static Spec) -> Result<Vec<Place>, Gap> {
        let mut places = side.places(spec)?;
        let on = |key: &'static str| {
            let places = by_key(key).map(|spec| side.places(spec)).transpose()?.unwrap_or_default();
            let first = places.into_iter().next();
            first.map_or(Ok(false), |place| Ok(place.setting.into_result()?.is_some_and(|setting| setting.text == "true")))
        };
        let mut default = self.defaults.of(spec);
        // Verifying clients implies TLS, and TLS has files of its own.
        if spec.key == "tls" && on("tlsverify")? {
            default = Some("true".to_owned());
        } else if default.is_none() && self.defaults.certificate(spec).is_some() && (on("tls")? || on("tlsverify")?) {
            default = self.defaults.certificate(spec);
        }
        places.extend(default.map(|value| Place::default(spec, &value)));
        Ok(places)
    }
}

/// Of a scalar the one value, absent where there is none.
fn last(values: Fact<Vec<Text>>) -> Fact<Text> {
    values.and_then(|values, origin| match values.into_iter().next_back() {
        Some(value) => Fact::Known(value, origin),
        None => Fact::Absent(origin),
    })
}

/// Whether the file was written after the process started. Two seconds are allowed for: the kernel counts the start of
/// processes from a moment it knows to the second.
fn stale(host: &dyn Host, process: &Process, side: &Side) -> Fact<bool> {
    host.stat(&side.config_file).and_then(|stat, _| process.started.clone().map(|started| stat.modified > started.saturating_add(2)))
}
