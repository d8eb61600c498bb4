//! The packages a host has installed, read once per run and shared by every resource that asks about them.

mod dpkg;
mod rpm;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason, Scheme};
use crate::parse::apk;

use super::Context;

/// The packages of a host.
pub(crate) struct Packages {
    /// All that are there in some way, in the order of their databases.
    pub(crate) all: Vec<Package>,
    /// The databases that were read, or tried to be.
    pub(crate) databases: Vec<PathBuf>,
    /// Why packages may be missing from `all`.
    pub(crate) gaps: Vec<Gap>,
}

/// One package in a database.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) scheme: Scheme,
    pub(crate) architecture: Option<String>,
    pub(crate) state: State,
    /// Whether upgrades of it are held back.
    pub(crate) held: Fact<bool>,
    /// The source package it was built from, and that one's version.
    pub(crate) source: Fact<(String, String)>,
    pub(crate) origin: Origin,
}

/// How much of a package is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Installed,
    /// Removed; its configuration is still there.
    ConfigurationLeft,
    /// An installation or removal that was not finished.
    Partial,
}

impl Packages {
    /// The packages of the host under audit. The gap is for hosts of which no package database is known.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Result<Self, Gap>> {
        context.once(Self::read)
    }

    fn read(context: &Context<'_>) -> Result<Self, Gap> {
        let mut packages = Self { all: Vec::new(), databases: Vec::new(), gaps: Vec::new() };
        let looked = [dpkg::read(context, &mut packages), rpm::read(context, &mut packages), apk_database(context, &mut packages)];
        match looked.into_iter().collect::<Result<Vec<()>, Gap>>() {
            Err(gap) if packages.all.is_empty() => return Err(gap),
            Err(gap) => packages.gaps.push(gap),
            Ok(_) => {}
        }
        if packages.databases.is_empty() {
            return Err(Gap::new(
                Origin::file("/var/lib"),
                Reason::unsupported("no package database that plimsoll can read: neither dpkg, rpm nor apk"),
            ));
        }
        Ok(packages)
    }

    /// Those with a name.
    pub(crate) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Package> {
        self.all.iter().filter(move |package| package.name == name)
    }

    /// Those that are there whole.
    pub(crate) fn installed(&self) -> impl Iterator<Item = &Package> {
        self.all.iter().filter(|package| package.state == State::Installed)
    }

    /// Where a package that is not there was looked for.
    pub(crate) fn origin(&self) -> Origin {
        self.databases.first().map_or(Origin::Derived, |path| Origin::file(path.as_path()))
    }

    /// Takes note of a database that is there; `None` where it is not.
    fn open<T>(&mut self, path: &Path, fact: Fact<T>) -> Result<Option<T>, Gap> {
        let content = fact.into_result();
        if !matches!(content, Ok(None)) {
            self.databases.push(path.into());
        }
        content
    }
}

const APK: &str = "/lib/apk/db/installed";
const APK_WORLD: &str = "/etc/apk/world";

fn apk_database(context: &Context<'_>, packages: &mut Packages) -> Result<(), Gap> {
    let Some(bytes) = packages.open(Path::new(APK), context.host.read(Path::new(APK)))? else { return Ok(()) };
    let world = context.host.read(Path::new(APK_WORLD)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let (found, whole) = apk::parse(&bytes);
    packages.all.extend(found.into_iter().map(|package| {
        // A name with a version behind it stays at that version.
        let held = match &world {
            Fact::Known(world, origin) => {
                let pins = |wish: &str| wish.strip_prefix(package.name.as_str()).is_some_and(|rest| rest.starts_with(['=', '<', '~']));
                Fact::Known(world.split_whitespace().any(pins), origin.clone())
            }
            Fact::Absent(origin) => Fact::Known(false, origin.clone()),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        };
        let origin = Origin::line(APK, package.line);
        let source = package.source.unwrap_or_else(|| package.name.clone());
        Package {
            name: package.name,
            source: Fact::Known((source, package.version.clone()), origin.clone()),
            version: package.version,
            scheme: Scheme::Debian,
            architecture: package.architecture,
            state: State::Installed,
            held,
            origin,
        }
    }));
    if whole { Ok(()) } else { Err(Gap::new(Origin::file(APK), Reason::malformed("the list ends in the middle of a package"))) }
}
