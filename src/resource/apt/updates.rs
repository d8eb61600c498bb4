//! Updates that wait, by apt's own lists: each is read once, as a stream, and compared with what is installed.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason, Scheme, Version};
use crate::parse::control::{Scanner, Stanza};
use crate::resource::Context;
use crate::resource::packages::{Package, Packages};

use super::{Apt, Configuration, LISTS, index, phase, pin};

/// What apt's lists say.
pub(crate) struct Updates {
    pub(crate) pending: Vec<Update>,
    /// Repositories of which too little is known.
    pub(crate) gaps: Vec<Unseen>,
}

/// A repository of which too little is known.
pub(crate) struct Unseen {
    pub(crate) repository: String,
    pub(crate) gap: Gap,
    /// Whether it may hold security fixes: not where its maker says otherwise.
    pub(crate) fixes: bool,
}

/// A package of which there is a newer version.
pub(crate) struct Update {
    pub(crate) package: Package,
    /// What apt would install; `None` where its preferences keep the installed version.
    pub(crate) candidate: Option<Offer>,
    /// The newest version that a repository of security fixes offers.
    pub(crate) security: Option<Offer>,
    /// Whether the candidate has not reached this machine yet.
    pub(crate) phased: Fact<bool>,
}

/// A version that a repository offers.
#[derive(Clone)]
pub(crate) struct Offer {
    pub(crate) version: String,
    /// Name of the repository.
    pub(crate) repository: String,
    /// Who made it, by its Release file.
    pub(crate) maker: Option<String>,
    pub(crate) origin: Origin,
    priority: i32,
    security: bool,
    phased: Option<u32>,
    source: (String, String),
}

const FIELDS: &[&str] = &["Package", "Version", "Architecture", "Source", "Phased-Update-Percentage"];

/// The most newer versions that are kept of one package.
const MOST_VERSIONS: usize = 1000;

/// What a scan of the lists collects of one installed package.
struct Collected<'a> {
    package: &'a Package,
    /// The priority of the installed version.
    priority: i32,
    newer: Vec<Offer>,
}

impl Updates {
    /// The updates of the host under audit; `None` where it has no apt.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Option<Result<Self, Gap>>> {
        context.once(|context| {
            let apt = Apt::of(context);
            apt.as_ref().as_ref().map(|apt| Self::read(context, apt))
        })
    }

    fn read(context: &Context<'_>, apt: &Apt) -> Result<Self, Gap> {
        let packages = Packages::of(context);
        let packages = packages.as_ref().as_ref().map_err(Gap::clone)?;
        let of_all = |gap: &Gap| Unseen { repository: "?".to_owned(), gap: gap.clone(), fixes: true };
        let mut gaps: Vec<Unseen> = apt.gaps.iter().chain(&packages.gaps).map(of_all).collect();
        if apt.enabled().next().is_none() && gaps.is_empty() {
            let why = "no repository is configured, so nobody says what is newer";
            return Err(Gap::new(Origin::file("/etc/apt/sources.list.d"), Reason::unsupported(why)));
        }
        let preferences = pin::Preferences::of(context);
        gaps.extend(preferences.gap.iter().map(of_all));
        let mut collected: Vec<Collected<'_>> = packages
            .installed()
            .filter(|package| package.scheme == Scheme::Debian)
            .map(|package| Collected { package, priority: 100, newer: Vec::new() })
            .collect();
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (position, found) in collected.iter().enumerate() {
            by_name.entry(found.package.name.clone()).or_default().push(position);
        }
        let mut scanned: Vec<String> = Vec::new();
        for repository in apt.enabled() {
            let name = repository.name();
            let fixes = repository.release.known().is_none_or(|release| release.is_security());
            let unseen = |gap| Unseen { repository: name.clone(), gap, fixes };
            gaps.extend(apt.stale(repository, context.host.now()).map(unseen));
            let security = repository.security().known() == Some(&true);
            let maker = repository.release.known().map(|release| release.origin.clone()).filter(|maker| !maker.is_empty());
            for index in apt.indexes(context, repository) {
                let index = match index {
                    Ok(index) if scanned.contains(&index.name) => continue,
                    Ok(index) => index,
                    Err(gap) => {
                        gaps.push(unseen(gap));
                        continue;
                    }
                };
                let path = Path::new(LISTS).join(&index.name);
                let each = &mut |stanza: &Stanza| {
                    let (Some(package), Some(version)) = (stanza.get(0), stanza.get(1)) else { return };
                    for found in by_name.get(package).into_iter().flatten() {
                        let Some(found) = collected.get_mut(*found) else { continue };
                        let own = found.package.architecture.as_deref();
                        let other = stanza.get(2);
                        if own != other && own != Some("all") && other != Some("all") {
                            continue;
                        }
                        let order = Version::new(version, Scheme::Debian).compare(&found.package.version);
                        if order == Ordering::Less {
                            continue;
                        }
                        let priority = preferences.priority(package, version, repository);
                        if order == Ordering::Equal {
                            found.priority = found.priority.max(priority);
                            continue;
                        }
                        // No archive has that many; one that does is not kept whole.
                        if found.newer.len() >= MOST_VERSIONS {
                            continue;
                        }
                        found.newer.push(Offer {
                            version: version.to_owned(),
                            repository: name.clone(),
                            maker: maker.clone(),
                            origin: Origin::line(path.as_path(), stanza.line),
                            priority,
                            security,
                            phased: stanza.get(4).and_then(|percentage| percentage.trim().parse().ok()),
                            source: source(package, version, stanza.get(3)),
                        });
                    }
                };
                if let Err(gap) = scan(context, &path, &index, each) {
                    gaps.push(unseen(gap));
                }
                scanned.push(index.name);
            }
        }
        let phasing = Phasing::of(context);
        let pending = collected.into_iter().filter(|found| !found.newer.is_empty()).filter_map(|found| found.judge(&phasing)).collect();
        Ok(Self { pending, gaps })
    }
}

impl Collected<'_> {
    fn judge(mut self, phasing: &Phasing) -> Option<Update> {
        self.newer.sort_by(|a, b| Version::new(b.version.as_str(), Scheme::Debian).compare(&a.version).then(b.priority.cmp(&a.priority)));
        let security = self.newer.iter().find(|offer| offer.security).cloned();
        let mut best: Option<&Offer> = None;
        for offer in &self.newer {
            if offer.priority > best.map_or(0, |best| best.priority) {
                best = Some(offer);
            }
        }
        let candidate = best.filter(|best| best.priority >= self.priority).cloned();
        // Something newer that apt does not look at, and that fixes nothing, is no update.
        if candidate.is_none() && security.is_none() {
            return None;
        }
        let phased = match &candidate {
            Some(candidate) => {
                let fixes = |offer: &Offer| {
                    offer.security && Version::new(offer.version.as_str(), Scheme::Debian).compare(&candidate.version) != Ordering::Greater
                };
                if self.newer.iter().any(fixes) { Fact::Known(false, candidate.origin.clone()) } else { phasing.keeps(candidate) }
            }
            None => Fact::Absent(self.package.origin.clone()),
        };
        Some(Update { package: self.package.clone(), candidate, security, phased })
    }
}

/// Which phased updates are left out.
struct Phasing {
    always: Fact<bool>,
    never: Fact<bool>,
    machine_id: Option<String>,
}

impl Phasing {
    fn of(context: &Context<'_>) -> Self {
        let settings = Configuration::of(context);
        let either = |name: &str| {
            let apt = format!("APT::Get::{name}");
            if matches!(settings.get(&apt), Fact::Absent(_)) {
                settings.flag(&format!("Update-Manager::{name}"), false)
            } else {
                settings.flag(&apt, false)
            }
        };
        let machine_id = settings.get("APT::Machine-ID").known().cloned().or_else(|| pin::machine_id(context));
        Self { always: either("Always-Include-Phased-Updates"), never: either("Never-Include-Phased-Updates"), machine_id }
    }

    fn keeps(&self, offer: &Offer) -> Fact<bool> {
        let Some(percentage) = offer.phased.filter(|percentage| *percentage < 100) else { return Fact::Known(false, offer.origin.clone()) };
        let by_draw = || match &self.machine_id {
            Some(id) => Fact::Known(!phase::reached(&offer.source.0, &offer.source.1, id, percentage), offer.origin.clone()),
            None => Fact::Known(false, offer.origin.clone()),
        };
        match (&self.always, &self.never) {
            (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
            (Fact::Known(true, origin), _) => Fact::Known(false, origin.clone()),
            (_, Fact::Known(true, origin)) => Fact::Known(true, origin.clone()),
            _ => by_draw(),
        }
    }
}

/// Source package and its version, as a stanza says or leaves out.
fn source(package: &str, version: &str, source: Option<&str>) -> (String, String) {
    match source {
        Some(source) => match source.split_once('(') {
            Some((name, number)) => (name.trim().to_owned(), number.trim_end_matches(')').trim().to_owned()),
            None => (source.to_owned(), version.to_owned()),
        },
        None => (package.to_owned(), version.to_owned()),
    }
}

/// Visits every package of a list.
fn scan(context: &Context<'_>, path: &Path, index: &index::Index, each: &mut dyn FnMut(&Stanza)) -> Result<(), Gap> {
    let gap = |reason| Gap::new(Origin::file(path), reason);
    let Some(file) = context.host.open(path).into_result()? else { return Err(gap(Reason::unsupported("it was there a moment ago"))) };
    let mut counted = Counted { reader: index::reader(&index.name, &file).map_err(gap)?, bytes: 0 };
    let mut scanner = Scanner::new(&mut counted, FIELDS);
    let mut stanza = Stanza::default();
    while scanner.next(&mut stanza).map_err(|error| gap(Reason::malformed(error.to_string())))? {
        each(&stanza);
    }
    // Archives made by hand may end without an empty line; what is cut off is told by its length.
    match index.size {
        Some(size) if size != counted.bytes => Err(gap(Reason::malformed("it is not as long as its repository says"))),
        _ => Ok(()),
    }
}

/// Counts what is read.
struct Counted<R> {
    reader: R,
    bytes: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.bytes += amount as u64;
        self.reader.consume(amount);
    }
}
