//! Updates that are installed without anybody asking: unattended-upgrades and dnf-automatic.

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Reason, Text, record};
use crate::parse::{glob, ini, os_release};

use super::apt::{Apt, Configuration, Repository};
use super::init::Init;
use super::packages::{Packages, State};
use super::systemd::Starts;
use super::{Context, Resource, Selector, dnf};

record! {
    /// How the host keeps itself up to date. Exactly one record on hosts with apt or dnf.
    pub struct AutomaticUpdatesRow("automatic_updates") {
        /// The program meant for it: `unattended-upgrades` or `dnf-automatic`.
        name: Text,
        /// Whether it is installed.
        installed: Flag,
        /// Whether it is set to install updates, and not only to tell of them.
        enabled: Flag,
        /// Whether metadata is fetched by itself too.
        fetches: Flag,
        /// Whether timers that run it are started at boot; with another init than systemd, whether cron runs it.
        scheduled: Flag,
        /// Days since it last ran to its end, or for dnf-automatic was last started by its timer; absent where it never did.
        last_run_days: Integer,
        /// Whether it installs fixes from the distribution's repository of security fixes.
        covers_security: Flag,
        /// Whether it installs updates from Docker's own repository; absent where no such repository is in use.
        covers_docker: Flag,
        /// Packages it leaves alone, as they are configured.
        excluded: List,
        /// Whether it restarts the machine where an update asks for it.
        reboots: Flag,
    }
}

/// Finds the record.
pub struct AutomaticUpdates;

const APT_STAMP: &str = "/var/lib/apt/periodic/unattended-upgrades-stamp";
const DNF_CONFIGURATIONS: [&str; 2] = ["/etc/dnf/automatic.conf", "/usr/share/dnf5/dnf5-plugins/automatic.conf"];
/// The timers of dnf-automatic; the second installs whatever the configuration says.
const DNF_TIMERS: [&str; 3] = ["dnf-automatic.timer", "dnf-automatic-install.timer", "dnf5-automatic.timer"];
const DOCKER: &str = "download.docker.com";

impl Resource for AutomaticUpdates {
    type Row = AutomaticUpdatesRow;
    const SELECTOR: &'static str = "`\"*\"`";

    fn collect(context: &Context<'_>, _: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let apt = Apt::of(context);
        match (apt.as_ref(), dnf::repositories(context)) {
            (Some(apt), _) => Ok(vec![of_apt(context, apt)]),
            (None, Some(repositories)) => Ok(vec![of_dnf(context, &repositories)]),
            (None, None) => Err(Gap::new(
                Origin::file("/etc"),
                Reason::unsupported("no package manager whose automatic updates plimsoll knows: neither apt nor dnf"),
            )),
        }
    }
}

fn days(context: &Context<'_>, path: &str) -> Fact<i64> {
    let now = context.host.now().timestamp();
    context.host.stat(Path::new(path)).map(|stat| (now - stat.modified).div_euclid(86_400).max(0))
}

/// Whether any of some packages is installed.
fn installed(context: &Context<'_>, names: &[&str]) -> Fact<bool> {
    let packages = Packages::of(context);
    let packages = match packages.as_ref() {
        Ok(packages) => packages,
        Err(gap) => return Fact::Unknown(gap.clone()),
    };
    match (names.iter().flat_map(|name| packages.named(name)).find(|package| package.state == State::Installed), packages.gaps.first()) {
        (Some(package), _) => Fact::Known(true, package.origin.clone()),
        (None, Some(gap)) => Fact::Unknown(gap.clone()),
        (None, None) => Fact::Known(false, packages.origin()),
    }
}

/// Both, told by whichever is not so.
fn both(first: Fact<bool>, second: Fact<bool>) -> Fact<bool> {
    match (first, second) {
        (Fact::Known(false, origin), _) | (_, Fact::Known(false, origin)) => Fact::Known(false, origin),
        (Fact::Known(true, _), second) => second,
        (first, _) => first,
    }
}

fn of_apt(context: &Context<'_>, apt: &Apt) -> AutomaticUpdatesRow {
    let settings = Configuration::of(context);
    let there = installed(context, &["unattended-upgrades"]);
    // `0` is never, all else is an interval.
    let interval = |name: &str| match settings.get(name) {
        Fact::Known(value, origin) => Fact::Known(!matches!(value.trim(), "" | "0"), origin),
        Fact::Absent(_) => Fact::Known(false, Origin::default_of("apt")),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    };
    let allowed = settings.flag("APT::Periodic::Enable", true);
    let excluded = settings
        .list("Unattended-Upgrade::Package-Blacklist")
        .map(|found| found.into_iter().map(|(name, _)| Text::from(name)).collect::<List>());
    let patterns = Patterns::of(context, &settings);
    let covered = |wanted: &dyn Fn(&Repository) -> Fact<bool>| covers(apt, &patterns, wanted);
    AutomaticUpdatesRow {
        name: Fact::derived(Text::from("unattended-upgrades")),
        enabled: both(there.clone(), both(allowed.clone(), interval("APT::Periodic::Unattended-Upgrade"))),
        fetches: both(allowed, interval("APT::Periodic::Update-Package-Lists")),
        installed: there,
        scheduled: scheduled(context, &["apt-daily.timer", "apt-daily-upgrade.timer"], "/etc/cron.daily/apt-compat"),
        last_run_days: days(context, APT_STAMP),
        covers_security: covered(&Repository::security),
        covers_docker: covered(&|repository| {
            let by_place = repository.source.uri.contains(&format!("//{DOCKER}/"));
            match &repository.release {
                _ if by_place => Fact::derived(true),
                Fact::Known(release, origin) => Fact::Known(release.origin == "Docker", origin.clone()),
                _ => Fact::derived(false),
            }
        }),
        excluded: match excluded {
            Ok(names) => Fact::Known(names, Origin::file("/etc/apt/apt.conf.d")),
            Err(gap) => Fact::Unknown(gap),
        },
        reboots: settings.flag("Unattended-Upgrade::Automatic-Reboot", false),
    }
}

/// Whether all timers start, or cron does their work where systemd does not.
fn scheduled(context: &Context<'_>, timers: &[&str], cron: &str) -> Fact<bool> {
    if Init::of(context).is_other() {
        return match context.host.stat(Path::new(cron)) {
            Fact::Known(_, origin) => Fact::Known(true, origin),
            Fact::Absent(origin) => Fact::Known(false, origin),
            Fact::Unknown(gap) => Fact::Unknown(gap),
        };
    }
    let starts = Starts::of(context);
    timers.iter().map(|timer| starts.fact(timer)).reduce(both).unwrap_or(Fact::derived(false))
}

/// The repositories unattended-upgrades installs from.
struct Patterns(Result<Vec<Pattern>, Gap>);

/// What must be so of a repository, each as key and value, and where that is said.
type Pattern = (Vec<(String, String)>, Origin);

impl Patterns {
    fn of(context: &Context<'_>, settings: &Configuration) -> Self {
        Self(Self::read(context, settings))
    }

    fn read(context: &Context<'_>, settings: &Configuration) -> Result<Vec<Pattern>, Gap> {
        let mut release = context.host.read(Path::new("/etc/os-release"));
        if matches!(release, Fact::Absent(_)) {
            release = context.host.read(Path::new("/usr/lib/os-release"));
        }
        let text = release.known().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
        let fields = os_release::parse(&text);
        let field = |name: &str| fields.get(name).map(|(value, _)| value.clone()).unwrap_or_default();
        // As lsb_release says it: with a capital.
        let id = field("ID");
        let mut letters = id.chars();
        let id: String = letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect();
        let filled = |text: &str| text.replace("${distro_id}", &id).replace("${distro_codename}", &field("VERSION_CODENAME"));
        let mut patterns = Vec::new();
        for (allowed, origin) in settings.list("Unattended-Upgrade::Allowed-Origins")? {
            let (maker, suite) = allowed.split_once(':').or_else(|| allowed.split_once(' ')).unwrap_or((allowed, ""));
            patterns.push((vec![("o".to_owned(), filled(maker)), ("a".to_owned(), filled(suite.trim()))], origin.clone()));
        }
        for (pattern, origin) in settings.list("Unattended-Upgrade::Origins-Pattern")? {
            let parts = pattern.split(',').map(|part| part.split_once('=').unwrap_or((part, "")));
            patterns.push((parts.map(|(key, value)| (key.trim().to_owned(), filled(value.trim()))).collect(), origin.clone()));
        }
        Ok(patterns)
    }

    /// The pattern that a repository matches.
    fn covering(&self, repository: &Repository) -> Result<Option<Origin>, Gap> {
        let patterns = self.0.as_ref().map_err(Gap::clone)?;
        let release = match &repository.release {
            Fact::Known(release, _) => release,
            Fact::Absent(origin) => {
                return Err(Gap::new(origin.clone(), Reason::unsupported("nothing was fetched from the repository yet")));
            }
            Fact::Unknown(gap) => return Err(gap.clone()),
        };
        let host = repository.source.server();
        let fits = |(key, value): &(String, String)| match key.as_str() {
            "o" | "origin" => glob::matches(value, &release.origin),
            "l" | "label" => glob::matches(value, &release.label),
            "a" | "suite" | "archive" => glob::matches(value, &release.suite),
            "n" | "codename" => glob::matches(value, &release.codename),
            "site" => glob::matches(value, host),
            "c" | "component" => repository.source.components.iter().any(|component| glob::matches(value, component)),
            // Unattended-upgrades stops at what it does not know.
            _ => false,
        };
        Ok(patterns.iter().find(|(parts, _)| !parts.is_empty() && parts.iter().all(fits)).map(|(_, origin)| origin.clone()))
    }
}

/// Whether every repository of some kind is installed from; absent where there is none.
fn covers(apt: &Apt, patterns: &Patterns, wanted: &dyn Fn(&Repository) -> Fact<bool>) -> Fact<bool> {
    let mut result = Fact::Absent(Origin::file("/etc/apt/sources.list.d"));
    let mut unknown = apt.gaps.first().cloned();
    for repository in apt.enabled() {
        match wanted(repository) {
            Fact::Known(true, _) => {}
            Fact::Unknown(gap) => {
                unknown = Some(gap);
                continue;
            }
            _ => continue,
        }
        match patterns.covering(repository) {
            Ok(Some(origin)) => result = Fact::Known(true, origin),
            Ok(None) => return Fact::Known(false, repository.origin()),
            Err(gap) => unknown = Some(gap),
        }
    }
    unknown.map_or(result, Fact::Unknown)
}

fn of_dnf(context: &Context<'_>, repositories: &[super::repository::RepositoryRow]) -> AutomaticUpdatesRow {
    let there = installed(context, &["dnf-automatic", "dnf5-plugin-automatic", "libdnf5-plugin-automatic"]);
    let mut configuration = context.host.read(Path::new(DNF_CONFIGURATIONS[0]));
    if matches!(configuration, Fact::Absent(_)) {
        configuration = context.host.read(Path::new(DNF_CONFIGURATIONS[1]));
    }
    let setting = |key: &str| match &configuration {
        Fact::Known(bytes, origin) => {
            let text = String::from_utf8_lossy(bytes);
            let found = ini::parse(&text).filter(|set| set.key == key && (set.section == "commands" || set.section == "base")).last();
            match (found, origin) {
                (Some(set), Origin::File { path, .. }) => Fact::Known(set.value.to_owned(), Origin::line(path.clone(), set.line)),
                (Some(set), origin) => Fact::Known(set.value.to_owned(), origin.clone()),
                (None, origin) => Fact::Absent(origin.clone()),
            }
        }
        Fact::Absent(origin) => Fact::Absent(origin.clone()),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    };
    let flag = |key: &str, default: bool| match setting(key) {
        Fact::Known(value, origin) => Fact::Known(dnf::truth(&value).unwrap_or(default), origin),
        Fact::Absent(_) => Fact::Known(default, Origin::default_of("dnf-automatic")),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    };
    let starts = Starts::of(context);
    let timers = DNF_TIMERS.map(|timer| starts.fact(timer));
    let any = timers.iter().find(|fact| fact.known() == Some(&true)).or_else(|| timers.iter().find(|fact| fact.known().is_none())).cloned();
    let installs = starts.fact("dnf-automatic-install.timer");
    let applies = if installs.known() == Some(&true) { installs } else { flag("apply_updates", false) };
    let only_security = setting("upgrade_type").map(|kind| kind == "security");
    let of_docker = |row: &&super::repository::RepositoryRow| {
        row.enabled.known() == Some(&true)
            && row.uris.known().is_some_and(|uris| uris.iter().any(|uri| uri.raw().contains(&format!("//{DOCKER}/"))))
    };
    let hidden = repositories.iter().find_map(|row| if let Fact::Unknown(gap) = &row.enabled { Some(gap.clone()) } else { None });
    AutomaticUpdatesRow {
        name: Fact::derived(Text::from("dnf-automatic")),
        enabled: both(there.clone(), applies),
        fetches: both(there.clone(), flag("download_updates", true)),
        installed: there,
        scheduled: any.unwrap_or(Fact::derived(false)),
        last_run_days: DNF_TIMERS
            .iter()
            .map(|timer| days(context, &format!("/var/lib/systemd/timers/stamp-{timer}")))
            .reduce(newer)
            .unwrap_or(Fact::Absent(Origin::Derived)),
        covers_security: Fact::Known(true, Origin::default_of("dnf-automatic")),
        // Docker marks no update as a fix, so whoever installs fixes only never gets any.
        covers_docker: match (repositories.iter().find(of_docker), only_security, hidden) {
            (None, _, Some(gap)) | (_, Fact::Unknown(gap), _) => Fact::Unknown(gap),
            (None, ..) => Fact::Absent(Origin::file("/etc/yum.repos.d")),
            (Some(_), Fact::Known(only, origin), _) => Fact::Known(!only, origin),
            (Some(_), Fact::Absent(_), _) => Fact::Known(true, Origin::default_of("dnf-automatic")),
        },
        excluded: match setting("excludepkgs") {
            Fact::Known(names, origin) => {
                Fact::Known(names.split([',', ' ']).filter(|name| !name.is_empty()).map(Text::from).collect(), origin)
            }
            Fact::Absent(origin) => Fact::Known(Vec::new(), origin),
            Fact::Unknown(gap) => Fact::Unknown(gap),
        },
        reboots: match setting("reboot") {
            Fact::Known(when, origin) => Fact::Known(when != "never", origin),
            Fact::Absent(_) => Fact::Known(false, Origin::default_of("dnf-automatic")),
            Fact::Unknown(gap) => Fact::Unknown(gap),
        },
    }
}

/// The more recent of two ages.
fn newer(a: Fact<i64>, b: Fact<i64>) -> Fact<i64> {
    match (a, b) {
        (Fact::Known(a, from), Fact::Known(b, _)) if a <= b => Fact::Known(a, from),
        (Fact::Known(..), Fact::Known(b, from)) => Fact::Known(b, from),
        (Fact::Known(a, from), _) | (_, Fact::Known(a, from)) => Fact::Known(a, from),
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap),
        (a, Fact::Absent(_)) => a,
    }
}

#[cfg(test)]
mod tests;
