//! What apt is configured to do and what it knows: read once per run, shared by every resource about repositories and updates.

pub(crate) mod config;
mod index;
mod phase;
pub(crate) mod pin;
pub(crate) mod updates;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::parse::apt_release::Release;
use crate::parse::apt_source::{self, Source};

use super::Context;
use super::packages::Packages;
pub(crate) use config::Configuration;

/// Where apt is configured, and where it keeps what it fetched.
const SOURCES: &str = "/etc/apt/sources.list";
const SOURCE_PARTS: &str = "/etc/apt/sources.list.d";
pub(crate) const LISTS: &str = "/var/lib/apt/lists";
/// Written where an update of all lists went well, by a hook that Ubuntu ships. The similar `update-stamp` is not looked at: it is
/// written too where servers could not be reached.
const SUCCESS: &str = "/var/lib/apt/periodic/update-success-stamp";

/// Metadata older than this says nothing about today, unless its maker vouches for it longer.
pub(crate) const MOST_DAYS: i64 = 30;

/// The repositories of a host that uses apt.
pub(crate) struct Apt {
    /// Repositories of binary packages, in the order in which they are configured.
    pub(crate) repositories: Vec<Repository>,
    /// Files of sources that could not be read.
    pub(crate) gaps: Vec<Gap>,
    /// Names in the directory of lists.
    lists: Fact<BTreeSet<String>>,
    /// When all lists were last updated with success.
    updated: Option<i64>,
}

/// One configured repository.
pub(crate) struct Repository {
    pub(crate) source: Source,
    pub(crate) path: PathBuf,
    /// What apt last fetched of it; absent where nothing is there.
    pub(crate) release: Fact<Arc<Release>>,
    /// Whether the metadata came with a signature.
    pub(crate) signed: bool,
}

impl Repository {
    pub(crate) fn origin(&self) -> Origin {
        Origin::line(self.path.as_path(), self.source.line)
    }

    /// Place and suite.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.source.uri, self.source.suite)
    }

    /// Whether it holds security fixes and nothing else: by what its maker says, else by the name it is configured under.
    pub(crate) fn security(&self) -> Fact<bool> {
        match &self.release {
            Fact::Known(release, origin) => Fact::Known(release.is_security(), origin.clone()),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
            Fact::Absent(_) => {
                let suite = self.source.suite.as_str();
                Fact::Known(suite.ends_with("-security") || suite.ends_with("/updates"), self.origin())
            }
        }
    }

    /// The part of the names of its lists that is the same for all of them.
    fn prefix(&self) -> String {
        let Source { uri, suite, .. } = &self.source;
        if suite.ends_with('/') {
            apt_source::list_name(&format!("{uri}{}", suite.trim_start_matches("./")))
        } else {
            apt_source::list_name(&format!("{uri}dists/{suite}/"))
        }
    }
}

impl Apt {
    /// What apt knows; `None` where the host has no apt.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Option<Self>> {
        context.once(Self::read)
    }

    fn read(context: &Context<'_>) -> Option<Self> {
        let host = context.host;
        let mut sources: Vec<(PathBuf, Source)> = Vec::new();
        let mut gaps = Vec::new();
        let mut found = !matches!(host.stat(Path::new("/etc/apt")), Fact::Absent(_));
        for path in files(context, &mut gaps) {
            let read = match host.read(&path).into_result() {
                Ok(None) => continue,
                Ok(Some(bytes)) if path.extension().is_some_and(|end| end == "sources") => apt_source::deb822(&bytes),
                Ok(Some(bytes)) => apt_source::one_line(&String::from_utf8_lossy(&bytes)),
                Err(gap) => {
                    gaps.push(gap);
                    continue;
                }
            };
            found = true;
            match read {
                Ok(read) => sources.extend(read.into_iter().map(|source| (path.clone(), source))),
                Err(reason) => gaps.push(Gap::new(Origin::file(path.as_path()), reason)),
            }
        }
        if !found {
            return None;
        }
        let native = native(context);
        let lists = host
            .list(Path::new(LISTS))
            .map(|entries| entries.iter().map(|entry| entry.name.to_string_lossy().into_owned()).collect::<BTreeSet<_>>());
        let mut repositories: Vec<Repository> = Vec::new();
        for (path, mut source) in sources {
            if let Some(native) = &native {
                source.suite = source.suite.replace("$(ARCH)", native);
            }
            let mut repository = Repository { source, path, release: Fact::Absent(Origin::Derived), signed: false };
            // Lines that add components to a suite have its Release file in common.
            let same = repositories.iter().find(|other| other.prefix() == repository.prefix());
            (repository.release, repository.signed) = match same {
                Some(other) => (other.release.clone(), other.signed),
                None => release(context, &lists, &repository.prefix()),
            };
            repositories.push(repository);
        }
        let updated = host.stat(Path::new(SUCCESS)).known().map(|stat| stat.modified);
        Some(Self { repositories, gaps, lists, updated })
    }

    /// The repositories that are used.
    pub(crate) fn enabled(&self) -> impl Iterator<Item = &Repository> {
        self.repositories.iter().filter(|repository| repository.source.enabled)
    }

    /// Since when a repository's metadata is known to have been current: since its maker made it, since all were last fetched, or since
    /// another repository from the same server was made that was fetched with it. The last does not count for security fixes.
    pub(crate) fn current(&self, repository: &Repository) -> Fact<i64> {
        repository.release.clone().and_then(|release, origin| {
            let made = |release: &Release| release.date.map(|date| date.timestamp());
            let mut known: Vec<(i64, Origin)> = made(&release).map(|made| (made, origin.clone())).into_iter().collect();
            known.extend(self.updated.map(|updated| (updated, Origin::stat(SUCCESS))));
            if !release.is_security() {
                let beside = self.enabled().filter(|other| other.source.server() == repository.source.server());
                known.extend(beside.filter_map(|other| match &other.release {
                    Fact::Known(release, origin) => made(release).map(|made| (made, origin.clone())),
                    _ => None,
                }));
            }
            match known.into_iter().max_by_key(|(since, _)| *since) {
                Some((since, origin)) => Fact::Known(since, origin),
                None => Fact::Unknown(Gap::new(origin, Reason::unsupported("the repository does not say when it was made"))),
            }
        })
    }

    /// Why what is known of a repository says too little about today: nothing was fetched, its maker does not vouch for it any
    /// more, or it is old.
    pub(crate) fn stale(&self, repository: &Repository, now: DateTime<Utc>) -> Option<Gap> {
        let (release, origin) = match &repository.release {
            Fact::Known(release, origin) => (release, origin),
            Fact::Absent(origin) => {
                return Some(Gap::new(origin.clone(), Reason::unsupported("nothing was fetched from the repository yet")));
            }
            Fact::Unknown(gap) => return Some(gap.clone()),
        };
        let gap = |why: &str| Some(Gap::new(origin.clone(), Reason::unsupported(why)));
        if let Some(until) = release.valid_until {
            return if until < now { gap("the metadata is older than its maker vouches for; update it first") } else { None };
        }
        match self.current(repository) {
            Fact::Known(since, _) if now.timestamp() - since > MOST_DAYS * 86_400 => {
                gap("the metadata is more than thirty days old; update it first")
            }
            Fact::Unknown(gap) => Some(gap),
            _ => None,
        }
    }
}

/// Files of sources, in the order in which apt reads them.
fn files(context: &Context<'_>, gaps: &mut Vec<Gap>) -> Vec<PathBuf> {
    let mut files = vec![PathBuf::from(SOURCES)];
    match context.host.list(Path::new(SOURCE_PARTS)).into_result() {
        Ok(Some(names)) => files.extend(
            names.iter().filter(|entry| counts(&entry.name, &["list", "sources"])).map(|entry| Path::new(SOURCE_PARTS).join(&entry.name)),
        ),
        Ok(None) => {}
        Err(gap) => gaps.push(gap),
    }
    files
}

/// Whether apt reads a file of this name in a directory of parts.
pub(crate) fn counts(name: &Path, ends: &[&str]) -> bool {
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) && !name.starts_with('.');
    name.to_str().is_some_and(plain) && name.extension().is_some_and(|end| ends.iter().any(|wanted| end == *wanted))
}

/// The architecture of the host's own packages.
pub(crate) fn native(context: &Context<'_>) -> Option<String> {
    let packages = Packages::of(context);
    let packages = packages.as_ref().as_ref().ok()?;
    let named = |name| packages.named(name).find_map(|package| package.architecture.clone());
    named("dpkg").or_else(|| named("libc6")).filter(|architecture| architecture != "all")
}

/// The Release file that was fetched, and whether it was signed.
fn release(context: &Context<'_>, lists: &Fact<BTreeSet<String>>, prefix: &str) -> (Fact<Arc<Release>>, bool) {
    let names = match lists {
        Fact::Known(names, _) => names,
        Fact::Absent(origin) => return (Fact::Absent(origin.clone()), false),
        Fact::Unknown(gap) => return (Fact::Unknown(gap.clone()), false),
    };
    for (name, signed) in [("InRelease", true), ("Release", names.contains(&format!("{prefix}Release.gpg")))] {
        let name = format!("{prefix}{name}");
        if names.contains(&name) {
            let path = Path::new(LISTS).join(name);
            let release = context.host.read(&path).and_then(|bytes, origin| match Release::parse(&bytes) {
                Ok(release) => Fact::Known(Arc::new(release), origin),
                Err(reason) => Fact::Unknown(Gap::new(origin, reason)),
            });
            return (release, signed);
        }
    }
    (Fact::Absent(Origin::file(format!("{LISTS}/{prefix}InRelease"))), false)
}

/// The content of every file that a directory of parts and a file beside it hold, in the order in which apt reads them.
fn parts(context: &Context<'_>, directory: &str, ends: &[&str], gaps: &mut Vec<Gap>) -> Vec<PathBuf> {
    let bare = |name: &Path| name.extension().is_none() && name.to_str().is_some_and(|name| !name.starts_with('.'));
    match context.host.list(Path::new(directory)).into_result() {
        Ok(Some(names)) => names
            .iter()
            .map(|entry| &entry.name)
            .filter(|name| bare(name) || counts(name, ends))
            .map(|name| Path::new(directory).join(name))
            .collect(),
        Ok(None) => Vec::new(),
        Err(gap) => {
            gaps.push(gap);
            Vec::new()
        }
    }
}
