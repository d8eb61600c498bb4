//! Which version apt prefers: its preferences.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Gap, Origin, Reason};
use crate::parse::control::{Scanner, Stanza};
use crate::parse::glob;
use crate::resource::Context;

use super::{Configuration, Repository};

const MAIN: &str = "/etc/apt/preferences";
const PARTS: &str = "/etc/apt/preferences.d";

/// Apt's preferences.
pub(crate) struct Preferences {
    pins: Vec<Pin>,
    default_release: Option<String>,
    /// Why they may be other than what was read.
    pub(crate) gap: Option<Gap>,
}

struct Pin {
    packages: Vec<String>,
    what: What,
    priority: i32,
}

enum What {
    Release(Vec<(String, String)>),
    Host(String),
    Version(String),
}

impl Preferences {
    /// The preferences of the host under audit.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(Self::read)
    }

    fn read(context: &Context<'_>) -> Self {
        let mut gaps = Vec::new();
        let mut files = vec![PathBuf::from(MAIN)];
        files.extend(super::parts(context, PARTS, &["pref"], &mut gaps));
        let mut pins = Vec::new();
        for path in files {
            match context.host.read(&path).into_result() {
                Ok(Some(bytes)) => match parse(&bytes) {
                    Ok(found) => pins.extend(found),
                    Err(reason) => gaps.push(Gap::new(Origin::file(path.as_path()), reason)),
                },
                Ok(None) => {}
                Err(gap) => gaps.push(gap),
            }
        }
        let default_release = Configuration::of(context).get("APT::Default-Release").into_result().unwrap_or_else(|gap| {
            gaps.push(gap);
            None
        });
        Self { pins, default_release: default_release.filter(|name| !name.is_empty()), gap: gaps.into_iter().next() }
    }

    /// The priority of a version of a package in a repository.
    pub(crate) fn priority(&self, package: &str, version: &str, repository: &Repository) -> i32 {
        let names = |pin: &&Pin| pin.packages.iter().any(|name| name != "*" && (name == package || glob::matches(name, package)));
        let general = |pin: &&Pin| pin.packages.iter().any(|name| name == "*");
        let fits = |pin: &&Pin| pin.what.fits(version, repository);
        let pinned = self.pins.iter().filter(names).find(fits).or_else(|| self.pins.iter().filter(general).find(fits));
        if let Some(pin) = pinned {
            return pin.priority;
        }
        let Some(release) = repository.release.known() else { return 500 };
        let is_default = |name: &String| [&release.suite, &release.codename, &release.version].contains(&name);
        match (release.not_automatic, release.but_automatic_upgrades) {
            _ if self.default_release.as_ref().is_some_and(is_default) => 990,
            (true, true) => 100,
            (true, false) => 1,
            (false, _) => 500,
        }
    }
}

impl What {
    fn fits(&self, version: &str, repository: &Repository) -> bool {
        match self {
            Self::Version(wanted) => glob::matches(wanted, version),
            Self::Host(wanted) => {
                let place = repository.source.server();
                let host = place.rsplit_once('@').map_or(place, |(_, host)| host).split(':').next().unwrap_or_default();
                glob::matches(wanted, host)
            }
            Self::Release(wanted) => {
                let Some(release) = repository.release.known() else { return false };
                wanted.iter().all(|(key, value)| match key.as_str() {
                    "a" => glob::matches(value, &release.suite),
                    "n" => glob::matches(value, &release.codename),
                    "o" => glob::matches(value, &release.origin),
                    "l" => glob::matches(value, &release.label),
                    "v" => glob::matches(value, &release.version),
                    "c" => repository.source.components.iter().any(|component| glob::matches(value, component)),
                    _ => [&release.suite, &release.codename, &release.version].contains(&value),
                })
            }
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<Pin>, Reason> {
    let mut scanner = Scanner::new(bytes, &["Package", "Pin", "Pin-Priority"]).with_comments();
    let mut stanza = Stanza::default();
    let mut pins = Vec::new();
    while scanner.next(&mut stanza).map_err(|error| Reason::malformed(error.to_string()))? {
        let bad = |what: &str| Reason::malformed(format!("line {}: {what}", stanza.line));
        let (Some(packages), Some(pin), Some(priority)) = (stanza.get(0), stanza.get(1), stanza.get(2)) else {
            // Explanations of their own are allowed.
            if stanza.get(0).is_none() && stanza.get(1).is_none() {
                continue;
            }
            return Err(bad("a preference without package, pin or priority"));
        };
        let packages: Vec<String> = packages.split_whitespace().map(str::to_owned).collect();
        if packages.iter().any(|name| name.starts_with('/') || name.starts_with("src:")) || pin.contains("=/") || pin.contains(" /") {
            return Err(Reason::unsupported(format!(
                "line {}: a preference by expression or source, which plimsoll does not weigh",
                stanza.line
            )));
        }
        let priority = priority.trim().parse().map_err(|_| bad("a priority that is no number"))?;
        let (kind, value) = pin.split_once(char::is_whitespace).unwrap_or((pin, ""));
        let value = value.trim();
        let what = match kind.to_ascii_lowercase().as_str() {
            "version" => What::Version(value.to_owned()),
            "origin" => What::Host(value.trim_matches('"').to_owned()),
            "release" => What::Release(
                value
                    .split(',')
                    .map(|part| part.split_once('=').map_or(("", part.trim()), |(key, value)| (key.trim(), value.trim())))
                    .map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()))
                    .collect(),
            ),
            _ => return Err(bad("a pin of no kind")),
        };
        pins.push(Pin { packages, what, priority });
    }
    Ok(pins)
}

/// A file of the host that says what it is called.
pub(super) fn machine_id(context: &Context<'_>) -> Option<String> {
    let own = context.host.read(Path::new("/etc/machine-id"));
    let id = own.known().map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
    id.filter(|id| !id.is_empty())
}
