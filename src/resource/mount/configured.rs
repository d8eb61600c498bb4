//! What is mounted at the next start: fstab, mount units and the few that systemd mounts by itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin};
use crate::parse::fstab::{self, Entry};
use crate::resource::Context;
use crate::resource::init::Init;
use crate::resource::systemd::{Loaded, Says, Starts, Units};

const FSTAB: &str = "/etc/fstab";

/// What systemd mounts before anything else, with the options of each that matter, from its table in `mount-setup.c`.
const BY_SYSTEMD: [(&str, &[&str]); 6] = [
    ("/proc", &["nosuid", "nodev", "noexec"]),
    ("/sys", &["nosuid", "nodev", "noexec"]),
    ("/dev", &["nosuid"]),
    ("/dev/shm", &["nosuid", "nodev"]),
    ("/dev/pts", &["nosuid", "noexec"]),
    ("/run", &["nosuid", "nodev"]),
];

/// Everything that says what is mounted at the next start.
pub(super) struct Configuration {
    fstab: Fact<Vec<Entry>>,
    systemd: bool,
    units: Arc<Units>,
}

/// What it says about one point.
pub(super) struct Configured {
    pub(super) persistent: Fact<bool>,
    pub(super) options: Fact<Vec<String>>,
    pub(super) masked: Fact<bool>,
}

/// The entries of fstab.
fn entries(context: &Context<'_>) -> Fact<Vec<Entry>> {
    context.host.read(Path::new(FSTAB)).map(|bytes| fstab::parse(&bytes))
}

impl Configuration {
    pub(super) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| Self {
            fstab: entries(context),
            systemd: !Init::of(context).is_other(),
            units: Units::of(context),
        })
    }

    /// The points fstab names.
    pub(super) fn points(&self) -> Vec<PathBuf> {
        self.fstab.known().into_iter().flatten().filter_map(|entry| entry.point.clone()).collect()
    }

    pub(super) fn of_point(&self, context: &Context<'_>, point: &Path) -> Configured {
        let name = fstab::unit_name(point);
        let unit = if self.systemd { self.units.load(context.host, &name) } else { None };
        let mut configured = self.by_files(context, point, &name, unit.as_ref());
        configured.masked = match (&unit, self.units.gap()) {
            (Some(Loaded { file, .. }), _) if matches!(file.says, Says::Masked { .. }) => Fact::Known(true, Origin::file(file.path.as_path())),
            (None, Some(gap)) if self.systemd => Fact::Unknown(gap.clone()),
            _ => Fact::Known(false, Origin::file("/etc/systemd/system")),
        };
        if let Fact::Known(true, origin) = &configured.masked {
            configured.persistent = Fact::Known(false, origin.clone());
        }
        configured
    }

    /// Units that somebody put there come before fstab, which comes before those that packages bring.
    fn by_files(&self, context: &Context<'_>, point: &Path, name: &str, unit: Option<&Loaded>) -> Configured {
        let unit = unit.filter(|unit| !matches!(unit.file.says, Says::Masked { .. }));
        let generated = |unit: &Loaded| unit.file.path.starts_with("/run/systemd/generator") || from_fstab(unit);
        let own = |unit: &Loaded| !unit.file.path.starts_with("/usr") && !unit.file.path.starts_with("/lib") && !generated(unit);
        if let Some(unit) = unit.filter(|unit| own(unit)) {
            return Self::by_unit(context, name, unit);
        }
        let entry = match &self.fstab {
            Fact::Unknown(gap) => return Configured::all(&Fact::Unknown(gap.clone())),
            Fact::Absent(_) => None,
            // Of several entries the first makes the unit.
            Fact::Known(entries, _) => entries.iter().find(|entry| entry.point.as_deref() == Some(point)),
        };
        if let Some(entry) = entry {
            return self.by_entry(entry, unit);
        }
        match unit.filter(|unit| !from_fstab(unit)) {
            // Made at the start from the table of partitions.
            Some(unit) if generated(unit) => Configured { persistent: Fact::Known(true, Origin::file(unit.file.path.as_path())), ..options_of(unit) },
            Some(unit) => Self::by_unit(context, name, unit),
            None => self.by_default(point),
        }
    }

    fn by_unit(context: &Context<'_>, name: &str, unit: &Loaded) -> Configured {
        let persistent = match Starts::of(context).fact(name) {
            Fact::Known(starts, Origin::Derived) => Fact::Known(starts, Origin::file(unit.file.path.as_path())),
            starts => starts,
        };
        Configured { persistent, ..options_of(unit) }
    }

    fn by_entry(&self, entry: &Entry, unit: Option<&Loaded>) -> Configured {
        let origin = Origin::line(FSTAB, entry.line);
        let options = fstab::effective(&entry.options);
        let has = |option: &str| options.iter().any(|other| other == option);
        let persistent = !has("noauto") || (self.systemd && has("x-systemd.automount"));
        // A drop-in of the unit that is made from it has the last word.
        let dropped = unit.and_then(|unit| {
            let last = unit.unit.last("Mount", "Options")?;
            unit.dropins.iter().any(|path| path.to_string_lossy() == last.path.raw()).then(|| options_of(unit).options)
        });
        Configured {
            options: dropped.unwrap_or_else(|| Fact::Known(options, origin.clone())),
            persistent: Fact::Known(persistent, origin),
            masked: Fact::Absent(Origin::Derived),
        }
    }

    fn by_default(&self, point: &Path) -> Configured {
        let default = Origin::default_of("systemd");
        match BY_SYSTEMD.iter().find(|(path, _)| self.systemd && Path::new(path) == point) {
            Some((_, options)) => Configured {
                persistent: Fact::Known(true, default.clone()),
                options: Fact::Known(options.iter().map(|option| (*option).to_owned()).collect(), default),
                masked: Fact::Absent(Origin::Derived),
            },
            // Something mounts the root before any file can be read.
            None if point == Path::new("/") => Configured {
                persistent: Fact::Known(true, Origin::default_of("the kernel")),
                ..Configured::all(&Fact::Absent(Origin::file(FSTAB)))
            },
            None => match self.units.gap().filter(|_| self.systemd) {
                Some(gap) => Configured::all(&Fact::Unknown(gap.clone())),
                None => Configured {
                    persistent: Fact::Known(false, Origin::file(FSTAB)),
                    ..Configured::all(&Fact::Absent(Origin::file(FSTAB)))
                },
            },
        }
    }
}

impl Configured {
    /// The same for everything.
    fn all(fact: &Fact<()>) -> Self {
        let gap = |gap: &Gap| Self { persistent: Fact::Unknown(gap.clone()), options: Fact::Unknown(gap.clone()), masked: Fact::Unknown(gap.clone()) };
        match fact {
            Fact::Unknown(unknown) => gap(unknown),
            Fact::Known((), origin) | Fact::Absent(origin) => {
                Self { persistent: Fact::Absent(origin.clone()), options: Fact::Absent(origin.clone()), masked: Fact::Absent(origin.clone()) }
            }
        }
    }
}

/// Whether a unit is one made from fstab, perhaps from an older state of it.
fn from_fstab(unit: &Loaded) -> bool {
    unit.unit.last("Unit", "SourcePath").is_some_and(|source| source.value == FSTAB)
}

fn options_of(unit: &Loaded) -> Configured {
    let here = Origin::file(unit.file.path.as_path());
    let options = unit.fact(|content| match content.last("Mount", "Options") {
        Some(said) => {
            let origin = crate::resource::systemd::origin(said);
            Fact::Known(fstab::effective(&fstab::split_options(&said.value)), origin)
        }
        None => Fact::Known(Vec::new(), here.clone()),
    });
    Configured { options, ..Configured::all(&Fact::Absent(here)) }
}
