//! What dnf has fetched: which updates there are, and how old that knowledge is.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason, Scheme, Text, Version};
use crate::host::{Host, Opened};
use crate::parse::{ini, repo_metadata};
use crate::resource::Context;
use crate::resource::apt::MOST_DAYS;
use crate::resource::package_index::PackageIndex;
use crate::resource::package_update::{PackageUpdate, unseen};
use crate::resource::packages::{Package, Packages};

use super::{Dnf, Repository};

const CACHES: [&str; 2] = ["/var/cache/dnf", "/var/cache/libdnf5"];
const MODULES: &str = "/etc/dnf/modules.d";
/// The most that is unpacked of one file.
const MOST_UNPACKED: u64 = 2 * 1024 * 1024 * 1024;

/// The cache of one repository.
struct Cached {
    directory: PathBuf,
    index: repo_metadata::Index,
    /// When its metadata was last seen to be current.
    seen: Fact<i64>,
}

/// Finds the cache of a repository: `ID-` and sixteen hexadecimal digits; the newest, where an address changed.
fn cached(host: &dyn Host, repository: &Repository) -> Fact<Cached> {
    let mut found: Option<(i64, PathBuf)> = None;
    for cache in CACHES.map(Path::new) {
        let names = match host.list(cache) {
            Fact::Known(names, _) => names,
            Fact::Absent(_) => continue,
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        };
        let of_it = |name: &str| {
            name.strip_prefix(&format!("{}-", repository.id))
                .is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        for entry in names.iter().filter(|entry| entry.name.to_str().is_some_and(of_it)) {
            let directory = cache.join(&entry.name);
            match host.stat(&directory.join("repodata/repomd.xml")) {
                Fact::Known(stat, _) if found.as_ref().is_none_or(|(newest, _)| stat.modified > *newest) => {
                    found = Some((stat.modified, directory))
                }
                Fact::Unknown(gap) => return Fact::Unknown(gap),
                _ => {}
            }
        }
    }
    let Some((_, directory)) = found else { return Fact::Absent(Origin::file(CACHES[0])) };
    host.read(&directory.join("repodata/repomd.xml")).and_then(|bytes, origin| match repo_metadata::index(&bytes) {
        Ok(index) => {
            // Dnf touches the list of packages whenever it has seen that it is still current.
            let primary = index.files.iter().find(|(kind, _)| kind == "primary").map(|(_, file)| directory.join(file));
            let seen = primary.map_or_else(|| Fact::Absent(origin.clone()), |path| host.stat(&path).map(|stat| stat.modified));
            Fact::Known(Cached { directory, index, seen }, origin)
        }
        Err(error) => Fact::Unknown(Gap::new(origin, Reason::malformed(error.to_string()))),
    })
}

/// What was fetched of every repository in use; `None` where the host has no dnf.
pub(in crate::resource) fn indexes(context: &Context<'_>) -> Option<Result<Vec<PackageIndex>, Gap>> {
    let dnf = Dnf::of(context);
    let dnf = dnf.as_ref().as_ref()?;
    let now = context.host.now().timestamp();
    let days = |since: i64| (now - since).div_euclid(86_400).max(0);
    let mut rows: Vec<PackageIndex> = dnf.gaps.iter().map(PackageIndex::unknown).collect();
    for repository in dnf.repositories.iter().filter(|repository| repository.enabled().known() != Some(&false)) {
        let here = &repository.origin;
        let cached = cached(context.host, repository);
        let made = cached
            .as_ref()
            .and_then(|cached, origin| cached.index.made.map_or(Fact::Absent(origin.clone()), |made| Fact::Known(days(made), origin)));
        rows.push(PackageIndex {
            repository: Fact::Known(repository.id.as_str().into(), here.clone()),
            exists: match &cached {
                Fact::Known(_, origin) => Fact::Known(true, origin.clone()),
                Fact::Absent(origin) => Fact::Known(false, origin.clone()),
                Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
            },
            age_days: cached.as_ref().and_then(|cached, _| cached.seen.clone().map(days)),
            made_days: made,
            valid: Fact::Absent(here.clone()),
            security: Fact::Absent(here.clone()),
            signed: dnf.flag(repository, "repo_gpgcheck"),
            signed_by: repository
                .get("gpgkey")
                .map_or_else(|| Fact::Absent(here.clone()), |(keys, origin)| Fact::Known(keys.into(), origin.clone())),
            trusted: Fact::Absent(here.clone()),
            maker: Fact::Absent(here.clone()),
            label: Fact::Absent(here.clone()),
            missing: cached.as_ref().and_then(|cached, origin| {
                let wanted = cached.index.files.iter().filter(|(kind, _)| kind == "primary" || kind == "updateinfo");
                let gone = wanted.filter(|(_, file)| matches!(context.host.stat(&cached.directory.join(file)), Fact::Absent(_)));
                Fact::Known(gone.map(|(_, file)| Text::from(cached.directory.join(file).as_path())).collect(), origin)
            }),
        });
    }
    Some(Ok(rows))
}

/// Updates by what is cached; `None` where the host has no dnf.
pub(in crate::resource) fn updates(context: &Context<'_>) -> Option<Result<Vec<PackageUpdate>, Gap>> {
    let dnf = Dnf::of(context);
    let dnf = dnf.as_ref().as_ref()?;
    Some(waiting(context, dnf))
}

fn waiting(context: &Context<'_>, dnf: &Dnf) -> Result<Vec<PackageUpdate>, Gap> {
    let packages = Packages::of(context);
    let packages = packages.as_ref().as_ref().map_err(Gap::clone)?;
    // Of kernels several are installed; only the newest tells whether a newer one waits.
    let mut newest: HashMap<(&str, &str), &Package> = HashMap::new();
    for package in packages.installed().filter(|package| package.scheme == Scheme::Rpm) {
        let Some(architecture) = &package.architecture else { continue };
        let known = newest.entry((&package.name, architecture)).or_insert(package);
        if compare(&package.version, &known.version) == Ordering::Greater {
            *known = package;
        }
    }
    let mut rows: Vec<PackageUpdate> = dnf.gaps.iter().chain(&packages.gaps).map(|gap| unseen("?", gap)).collect();
    let streams = streams(context.host);
    rows.extend(streams.iter().filter_map(|stream| stream.as_ref().err()).map(|gap| unseen("?", gap)));
    let enabled: Vec<&Repository> = dnf.repositories.iter().filter(|repository| repository.enabled().known() != Some(&false)).collect();
    if enabled.is_empty() && rows.is_empty() {
        return Err(Gap::new(
            Origin::file(super::PLACES[0]),
            Reason::unsupported("no repository is configured, so nobody says what is newer"),
        ));
    }
    for repository in enabled {
        let mut offers: HashMap<(String, String), (repo_metadata::Offer, Origin)> = HashMap::new();
        let take = &mut |offer: repo_metadata::Offer, origin: &Origin| {
            let Some(package) = newest.get(&(offer.name.as_str(), offer.architecture.as_str())) else { return };
            let wanted = match &offer.module {
                Some(module) => streams.iter().flatten().any(|stream| stream == module),
                None => !package.version.contains(".module"),
            };
            if !wanted || compare(&offer.version, &package.version) != Ordering::Greater {
                return;
            }
            let key = (offer.name.clone(), offer.architecture.clone());
            match offers.get_mut(&key) {
                // The newest fix stands for all; what else is newer counts where no fix is.
                Some((known, at)) => {
                    let better = (offer.security == Some(true), &offer.version);
                    let than = (known.security == Some(true), &known.version);
                    if (better.0 && !than.0) || (better.0 == than.0 && compare(better.1, than.1) == Ordering::Greater) {
                        (*known, *at) = (offer, origin.clone());
                    }
                }
                None => {
                    offers.insert(key, (offer, origin.clone()));
                }
            }
        };
        if let Err(gap) = read(context, repository, take) {
            rows.push(unseen(&repository.id, &gap));
        }
        let mut found: Vec<_> = offers.into_values().collect();
        found.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        rows.extend(found.iter().filter_map(|(offer, origin)| {
            Some(row(newest.get(&(offer.name.as_str(), offer.architecture.as_str()))?, offer, origin, repository))
        }));
    }
    Ok(rows)
}

fn row(package: &Package, offer: &repo_metadata::Offer, origin: &Origin, repository: &Repository) -> PackageUpdate {
    let version = Version::new(offer.version.strip_prefix("0:").unwrap_or(&offer.version), Scheme::Rpm);
    let here = &package.origin;
    let unsaid = || Gap::new(origin.clone(), Reason::unsupported("the repository does not say which updates are security fixes"));
    let known = |text: &str| Fact::Known(Text::from(text), origin.clone());
    PackageUpdate {
        name: Fact::Known(package.name.as_str().into(), here.clone()),
        architecture: known(&offer.architecture),
        installed: Fact::Known(Version::new(package.version.as_str(), Scheme::Rpm), here.clone()),
        candidate: Fact::Known(version.clone(), origin.clone()),
        security: offer.security.map_or_else(|| Fact::Unknown(unsaid()), |security| Fact::Known(security, origin.clone())),
        security_version: match offer.security {
            Some(true) => Fact::Known(version, origin.clone()),
            Some(false) => Fact::Absent(origin.clone()),
            None => Fact::Unknown(unsaid()),
        },
        held: package.held.clone(),
        pinned: Fact::Known(false, origin.clone()),
        phased: Fact::Known(false, origin.clone()),
        repository: known(&repository.id),
        maker: Fact::Absent(origin.clone()),
    }
}

/// Hands over all that a repository says is newer than something: by its advisories, or where it has none by all its packages.
fn read(context: &Context<'_>, repository: &Repository, take: &mut dyn FnMut(repo_metadata::Offer, &Origin)) -> Result<(), Gap> {
    let host = context.host;
    let nothing = || Gap::new(repository.origin.clone(), Reason::unsupported("nothing was fetched from the repository yet"));
    let cached = cached(host, repository).into_result()?.ok_or_else(nothing)?;
    let of_kind = |wanted: &str| cached.index.files.iter().find(|(kind, _)| kind == wanted).map(|(_, file)| cached.directory.join(file));
    let path = match (of_kind("updateinfo"), of_kind("primary")) {
        (Some(path), _) | (None, Some(path)) => path,
        (None, None) => return Err(Gap::new(Origin::file(cached.directory.as_path()), Reason::malformed("it lists no packages"))),
    };
    let origin = Origin::file(path.as_path());
    let gap = |reason| Gap::new(origin.clone(), reason);
    let file = host.open(&path).into_result()?.ok_or_else(|| gap(Reason::unsupported("this list of the repository was not fetched")))?;
    let mut reader = unpacked(&path, &file).map_err(gap)?;
    let advisories = of_kind("updateinfo").is_some();
    let each = &mut |offer| take(offer, &origin);
    let visited = if advisories { repo_metadata::updates(&mut reader, each) } else { repo_metadata::packages(&mut reader, each) };
    visited.map_err(|error| gap(Reason::malformed(error.to_string())))?;
    match cached.seen {
        Fact::Known(seen, _) if host.now().timestamp() - seen > MOST_DAYS * 86_400 => {
            Err(gap(Reason::unsupported("the metadata is more than thirty days old; update it first")))
        }
        Fact::Known(..) => Ok(()),
        Fact::Absent(_) => Err(gap(Reason::unsupported("when it was last current cannot be told"))),
        Fact::Unknown(gap) => Err(gap),
    }
}

fn unpacked<'a>(path: &Path, file: &'a Opened) -> Result<Box<dyn BufRead + 'a>, Reason> {
    let raw = BufReader::with_capacity(128 * 1024, file.stream());
    match path.extension().and_then(|end| end.to_str()) {
        Some("gz") => Ok(Box::new(BufReader::with_capacity(128 * 1024, flate2::bufread::MultiGzDecoder::new(raw).take(MOST_UNPACKED)))),
        Some("xml") => Ok(Box::new(raw)),
        end => Err(Reason::unsupported(format!("it is packed as .{}, which plimsoll does not unpack", end.unwrap_or_default()))),
    }
}

/// Streams of modules that are enabled.
fn streams(host: &dyn Host) -> Vec<Result<(String, String), Gap>> {
    let names = match host.list(Path::new(MODULES)).into_result() {
        Ok(names) => names.unwrap_or_default(),
        Err(gap) => return vec![Err(gap)],
    };
    let files = names
        .iter()
        .filter(|entry| entry.name.extension().is_some_and(|end| end == "module"))
        .map(|entry| Path::new(MODULES).join(&entry.name));
    files
        .filter_map(|path| match host.read(&path).into_result() {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes?).into_owned();
                let get = |key: &str| {
                    ini::parse(&text).filter(|set| set.key == key).last().map(|set| (set.section.to_owned(), set.value.to_owned()))
                };
                let (module, stream) = get("stream")?;
                (get("state")?.1 == "enabled").then_some(Ok((module, stream)))
            }
            Err(gap) => Some(Err(gap)),
        })
        .collect()
}

fn compare(a: &str, b: &str) -> Ordering {
    Version::new(a, Scheme::Rpm).compare(b)
}

#[cfg(test)]
mod tests;
