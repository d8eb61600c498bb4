//! What dnf is configured to do and what it has cached.

mod cache;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Text};
use crate::parse::ini;

use super::Context;
use super::repository::{RepositoryRow, scheme};
pub(super) use cache::{indexes, updates};

const MAIN: &str = "/etc/dnf/dnf.conf";
const PLACES: [&str; 3] = ["/etc/yum.repos.d", "/etc/yum/repos.d", "/etc/distro.repos.d"];

/// The repositories of a host that uses dnf.
struct Dnf {
    repositories: Vec<Repository>,
    gaps: Vec<Gap>,
    /// Settings of `[main]`, the last one counting.
    main: Vec<(String, String, u32)>,
}

struct Repository {
    id: String,
    origin: Origin,
    settings: Vec<(String, String, Origin)>,
}

impl Repository {
    fn get(&self, key: &str) -> Option<(&str, &Origin)> {
        self.settings.iter().rfind(|(name, ..)| name == key).map(|(_, value, origin)| (value.as_str(), origin))
    }

    fn enabled(&self) -> Fact<bool> {
        match self.get("enabled") {
            Some((value, origin)) => Fact::Known(truth(value) != Some(false), origin.clone()),
            None => Fact::Known(true, Origin::default_of("dnf")),
        }
    }
}

impl Dnf {
    fn of(context: &Context<'_>) -> Arc<Option<Self>> {
        context.once(Self::read)
    }

    fn read(context: &Context<'_>) -> Option<Self> {
        let mut dnf = Self { repositories: Vec::new(), gaps: Vec::new(), main: Vec::new() };
        let mut found = false;
        match context.host.read(Path::new(MAIN)).into_result() {
            Ok(Some(bytes)) => {
                let text = String::from_utf8_lossy(&bytes);
                dnf.main.extend(
                    ini::parse(&text).filter(|set| set.section == "main").map(|set| (set.key.to_owned(), set.value.to_owned(), set.line)),
                );
                found = true;
            }
            Ok(None) => {}
            Err(gap) => dnf.gaps.push(gap),
        }
        let mut files: Vec<PathBuf> = Vec::new();
        for place in PLACES.map(Path::new) {
            match context.host.list(place).into_result() {
                Ok(Some(names)) => files.extend(
                    names
                        .iter()
                        .filter(|entry| entry.name.extension().is_some_and(|end| end == "repo"))
                        .map(|entry| place.join(&entry.name)),
                ),
                Ok(None) => {}
                Err(gap) => dnf.gaps.push(gap),
            }
        }
        for path in files {
            match context.host.read(&path).into_result() {
                Ok(Some(bytes)) => dnf.take(&path, &String::from_utf8_lossy(&bytes)),
                Ok(None) => {}
                Err(gap) => dnf.gaps.push(gap),
            }
        }
        (found || !dnf.repositories.is_empty() || !dnf.gaps.is_empty()).then_some(dnf)
    }

    fn take(&mut self, path: &Path, text: &str) {
        for set in ini::parse(text).filter(|set| !set.section.is_empty() && set.section != "main") {
            let origin = Origin::line(path, set.line);
            if !self.repositories.iter().any(|repository| repository.id == set.section) {
                self.repositories.push(Repository { id: set.section.to_owned(), origin: origin.clone(), settings: Vec::new() });
            }
            if let Some(repository) = self.repositories.iter_mut().find(|repository| repository.id == set.section) {
                repository.settings.push((set.key.to_owned(), set.value.to_owned(), origin));
            }
        }
    }

    /// A yes or no that a repository may say and `[main]` says for all that do not.
    fn flag(&self, repository: &Repository, key: &str) -> Fact<bool> {
        if let Some((value, origin)) = repository.get(key) {
            return Fact::Known(truth(value) == Some(true), origin.clone());
        }
        match self.main.iter().rfind(|(name, ..)| name == key) {
            Some((_, value, line)) => Fact::Known(truth(value) == Some(true), Origin::line(MAIN, *line)),
            None => Fact::Known(false, Origin::default_of("dnf")),
        }
    }
}

/// A yes or no as dnf reads it.
pub(super) fn truth(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" => Some(true),
        "0" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// The repositories as they are configured; `None` where the host has no dnf.
pub(super) fn repositories(context: &Context<'_>) -> Option<Vec<RepositoryRow>> {
    let dnf = Dnf::of(context);
    let dnf = dnf.as_ref().as_ref()?;
    let mut rows: Vec<RepositoryRow> = dnf.repositories.iter().map(|repository| row(dnf, repository)).collect();
    rows.extend(dnf.gaps.iter().map(RepositoryRow::unknown));
    Some(rows)
}

fn row(dnf: &Dnf, repository: &Repository) -> RepositoryRow {
    let here = &repository.origin;
    let known = |text: &str| Fact::Known(Text::from(text), here.clone());
    let uris: Vec<&str> = ["baseurl", "metalink", "mirrorlist"]
        .iter()
        .filter_map(|key| repository.get(key))
        .flat_map(|(value, _)| value.split([',', ' ']))
        .filter(|uri| !uri.is_empty())
        .collect();
    // One unencrypted place among several is one too many.
    let weakest =
        uris.iter().map(|uri| scheme(uri)).min_by_key(|scheme| ["ftp", "http", "file", "https"].iter().position(|known| known == scheme));
    RepositoryRow {
        name: known(&repository.id),
        manager: known("dnf"),
        enabled: repository.enabled(),
        uris: Fact::Known(uris.iter().map(|uri| Text::from(*uri)).collect(), here.clone()),
        scheme: weakest.map_or_else(|| Fact::Absent(here.clone()), known),
        suite: Fact::Absent(here.clone()),
        components: Fact::Known(Vec::new(), here.clone()),
        security: Fact::Absent(here.clone()),
        gpgcheck: dnf.flag(repository, "gpgcheck"),
        repo_gpgcheck: dnf.flag(repository, "repo_gpgcheck"),
        signed_by: repository
            .get("gpgkey")
            .map_or_else(|| Fact::Absent(here.clone()), |(keys, origin)| Fact::Known(keys.into(), origin.clone())),
        trusted: Fact::Absent(here.clone()),
    }
}
