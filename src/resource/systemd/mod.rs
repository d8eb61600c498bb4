//! systemd's units as files say they are, found once per run and shared by every resource that looks at services.
//!
//! [`Units`] finds and loads them, for the system's manager or for a user's; [`Units::enablement`] says what
//! `systemctl is-enabled` would, [`Starts`] what comes up by itself. Nothing here asks a running manager.

mod enablement;
mod environment;
mod load;
mod starts;
mod triggers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Fact, Gap};
use crate::host::{FileKind, Host};
use crate::parse::unit_name::UnitName;
use crate::resource::{Context, layered::is_null};

pub(crate) use load::{Loaded, origin};
pub(crate) use starts::Starts;
pub(crate) use triggers::Triggers;

/// Where the system's manager looks for units, the most important first.
const SYSTEM: [&str; 13] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// Every unit of one manager that there is a file for.
#[derive(Debug, Default)]
pub(crate) struct Units {
    /// Where its manager looks, the most important first.
    directories: Vec<PathBuf>,
    /// The one of them in which whoever configures it puts units.
    own: PathBuf,
    /// What counts for a name, by full name.
    files: BTreeMap<String, UnitFile>,
    /// Directories of drop-ins, by the name before `.d`, the most important first, each with the rank of its parent.
    dropins: BTreeMap<String, Vec<(usize, PathBuf)>>,
    /// Links that make one unit want another.
    links: Vec<Link>,
    /// The first directory that could not be looked into. It may hold anything.
    gap: Option<Gap>,
}

/// What the winning file of a name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnitFile {
    /// Its path.
    pub(crate) path: PathBuf,
    /// What it says by being what it is.
    pub(crate) says: Says,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Says {
    /// A unit file, in its place or linked there from elsewhere.
    Unit,
    /// The unit cannot be started: a link to `/dev/null`, or an empty file. Whether it hides a unit file.
    Masked { hides: bool },
    /// The name is another one for this unit.
    Alias(String),
    /// A script of SysV init that systemd makes a service of.
    Script,
}

/// A link in `TARGET.wants` or `TARGET.requires`, or one that gives a unit another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// Path of the link.
    pub(crate) path: PathBuf,
    /// Name of the link: the unit that is wanted.
    pub(crate) name: String,
    /// The unit that wants it; `None` for an alias.
    pub(crate) wanted_by: Option<String>,
    /// File name of what the link leads to.
    pub(crate) target: String,
}

impl Units {
    /// The units of the system's manager.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| {
            let mut units = Self::within(context.host, "/etc/systemd/system".into(), SYSTEM.iter().map(PathBuf::from).collect());
            units.read_scripts(context.host);
            units
        })
    }

    /// The units of a user's own manager, by that user's home and runtime directory.
    pub(crate) fn of_user(host: &dyn Host, home: &Path, runtime: &Path) -> Self {
        let own = home.join(".config/systemd/user");
        let directories = vec![
            home.join(".config/systemd/user.control"),
            runtime.join("systemd/user.control"),
            runtime.join("systemd/transient"),
            own.clone(),
            "/etc/systemd/user".into(),
            runtime.join("systemd/user"),
            "/run/systemd/user".into(),
            home.join(".local/share/systemd/user"),
            "/usr/local/lib/systemd/user".into(),
            "/usr/lib/systemd/user".into(),
        ];
        Self::within(host, own, directories)
    }

    fn within(host: &dyn Host, own: PathBuf, directories: Vec<PathBuf>) -> Self {
        let mut units = Self { directories, own, ..Self::default() };
        let mut known = BTreeSet::new();
        for (rank, directory) in units.directories.clone().iter().enumerate() {
            // On most systems `/lib` leads to `/usr/lib`. What is there twice counts once.
            if host.resolve(directory).known().is_none_or(|real| known.insert(real.clone())) {
                units.read(host, directory, rank);
            }
        }
        units
    }

    /// Where whoever configures the manager puts units: what is not there was looked for there.
    pub(crate) fn own(&self) -> &Path {
        &self.own
    }

    /// The first directory that could not be looked into, which may hold anything.
    pub(crate) fn gap(&self) -> Option<&Gap> {
        self.gap.as_ref()
    }

    /// Every name with a unit of its own behind it, instances that are asked for by links too. Aliases are not among them.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        let own = self.files.iter().filter(|(_, file)| !matches!(file.says, Says::Alias(_))).map(|(name, _)| name.as_str());
        let instances = self.links.iter().map(|link| link.name.as_str()).filter(|name| self.file(name).is_some());
        own.chain(instances).filter(|name| !matches!(self.files.get(*name).map(|file| &file.says), Some(Says::Alias(_)))).collect()
    }

    /// The file that counts for a full name; for an instance without one of its own, that of its template.
    pub(crate) fn file(&self, name: &str) -> Option<&UnitFile> {
        self.files.get(name).or_else(|| self.files.get(&UnitName::parse(name)?.template()?))
    }

    /// The name of the unit behind a name: where aliases lead. An alias of a template keeps the instance.
    pub(crate) fn canonical(&self, name: &str) -> String {
        let mut name = name.to_owned();
        // Aliases of aliases are few; a circle of them ends somewhere.
        for _ in 0..8 {
            let Some(UnitFile { says: Says::Alias(target), .. }) = self.file(&name) else { break };
            name = match (UnitName::parse(target), UnitName::parse(&name).and_then(|name| name.instance)) {
                (Some(template), instance) if template.is_template() => UnitName { instance, ..template }.with_kind(template.kind),
                _ => target.clone(),
            };
        }
        name
    }

    /// Other names that lead to a unit.
    pub(crate) fn aliases(&self, name: &str) -> impl Iterator<Item = &str> {
        self.files
            .iter()
            .filter(move |(_, file)| matches!(&file.says, Says::Alias(target) if target == name))
            .map(|(alias, _)| alias.as_str())
    }

    fn list(&mut self, host: &dyn Host, directory: &Path) -> Vec<(String, FileKind)> {
        match host.list(directory) {
            Fact::Known(entries, _) => entries.iter().filter_map(|entry| Some((entry.name.to_str()?.to_owned(), entry.kind))).collect(),
            Fact::Absent(_) => Vec::new(),
            Fact::Unknown(gap) => {
                self.gap.get_or_insert(gap);
                Vec::new()
            }
        }
    }

    fn read(&mut self, host: &dyn Host, directory: &Path, rank: usize) {
        for (name, kind) in self.list(host, directory) {
            let path = directory.join(&name);
            if let Some(unit) = name.strip_suffix(".d") {
                self.dropins.entry(unit.to_owned()).or_default().push((rank, path));
            } else if let Some(wanted_by) = [".wants", ".requires", ".upholds"].iter().find_map(|suffix| name.strip_suffix(suffix)) {
                for (link, _) in self.list(host, &path) {
                    let at = path.join(&link);
                    let target = target_name(host, &at).unwrap_or_else(|| link.clone());
                    self.links.push(Link { path: at, name: link, wanted_by: Some(wanted_by.to_owned()), target });
                }
            } else if UnitName::parse(&name).is_some() && matches!(kind, FileKind::File | FileKind::Link) {
                self.add(host, name, path, kind);
            }
        }
    }

    fn add(&mut self, host: &dyn Host, name: String, path: PathBuf, kind: FileKind) {
        let null = kind == FileKind::Link && is_null(host, &path);
        let inside = kind == FileKind::Link && !null && self.leads_inside(host, &path);
        // A link to a file that is gone is no unit.
        if kind == FileKind::Link && !null && !inside && matches!(host.stat(&path), Fact::Absent(_)) {
            return;
        }
        let empty = || host.stat(&path).known().is_some_and(|stat| stat.kind == FileKind::File && stat.size == 0);
        let alias = inside.then(|| target_name(host, &path)).flatten();
        let alias = alias.filter(|target| *target != name && UnitName::parse(target).is_some());
        if let Some(target) = &alias {
            self.links.push(Link { path: path.clone(), name: name.clone(), wanted_by: None, target: target.clone() });
        }
        let says = match alias {
            _ if null || empty() => Says::Masked { hides: false },
            Some(target) => Says::Alias(target),
            None => Says::Unit,
        };
        match self.files.get_mut(&name) {
            None => {
                self.files.insert(name, UnitFile { path, says });
            }
            Some(UnitFile { says: Says::Masked { hides }, .. }) => *hides |= !matches!(says, Says::Masked { .. }),
            Some(_) => {}
        }
    }

    /// Whether a link leads to another unit of the manager. One that leads elsewhere puts the file there in this place.
    fn leads_inside(&self, host: &dyn Host, path: &Path) -> bool {
        let is_unit = |path: &Path| path.parent().is_some_and(|parent| self.directories.iter().any(|directory| directory == parent));
        match host.resolve(path) {
            Fact::Known(real, _) => is_unit(&real),
            Fact::Absent(_) | Fact::Unknown(_) => {
                host.link(path).known().is_some_and(|target| is_unit(target) || target.parent() == Some(Path::new("")))
            }
        }
    }

    /// systemd makes a service of every script that is not one already.
    fn read_scripts(&mut self, host: &dyn Host) {
        const HELPERS: [&str; 9] = ["README", "skeleton", "functions", "rc", "rcS", "single", "halt", "reboot", "killall"];
        let directory = Path::new("/etc/init.d");
        for (name, kind) in self.list(host, directory) {
            let path = directory.join(&name);
            let runs = match host.stat(&path) {
                Fact::Known(stat, _) => kind != FileKind::Directory && stat.mode.bits() & 0o111 != 0,
                Fact::Absent(_) => false,
                Fact::Unknown(gap) => {
                    self.gap.get_or_insert(gap);
                    false
                }
            };
            if runs && !HELPERS.contains(&name.as_str()) && !name.starts_with('.') {
                let unit = format!("{}.service", name.strip_suffix(".sh").unwrap_or(&name));
                self.files.entry(unit).or_insert(UnitFile { path, says: Says::Script });
            }
        }
    }
}

/// The file name of what a link leads to in one step. A link may dangle: the name still says what is meant.
fn target_name(host: &dyn Host, path: &Path) -> Option<String> {
    host.link(path).known()?.file_name()?.to_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    fn units(host: &Memory) -> Arc<Units> {
        Units::of(&Context::new(host))
    }

    #[test]
    fn the_first_directory_wins_and_links_mask_or_rename() {
        let host = Memory::new()
            .file("/usr/lib/systemd/system/a.service", "[Service]\n")
            .file("/usr/lib/systemd/system/b.service", "[Service]\n")
            .symlink("/lib", "usr/lib")
            .file("/etc/systemd/system/a.service", "[Unit]\n")
            .symlink("/etc/systemd/system/b.service", "/dev/null")
            .symlink("/etc/systemd/system/nothing.service", "../../../dev/null")
            .node("/dev/null", FileKind::Device, 0o666)
            .file("/run/systemd/system/emptied.service", "")
            .symlink("/etc/systemd/system/other.service", "/usr/lib/systemd/system/a.service")
            .symlink("/etc/systemd/system/linked.service", "/opt/linked.service")
            .file("/opt/linked.service", "[Service]\n")
            .symlink("/etc/systemd/system/gone.service", "/opt/gone.service");
        let units = units(&host);
        let says = |name: &str| units.file(name).map(|file| file.says.clone());
        assert_eq!(units.file("a.service").map(|file| file.path.clone()), Some("/etc/systemd/system/a.service".into()));
        assert_eq!(says("b.service"), Some(Says::Masked { hides: true }));
        assert_eq!(says("nothing.service"), Some(Says::Masked { hides: false }));
        assert_eq!(says("emptied.service"), Some(Says::Masked { hides: false }));
        assert_eq!(says("other.service"), Some(Says::Alias("a.service".into())));
        assert_eq!((says("linked.service"), says("gone.service")), (Some(Says::Unit), None));
        assert_eq!(units.canonical("other.service"), "a.service");
        assert_eq!(units.aliases("a.service").collect::<Vec<_>>(), ["other.service"]);
        assert!(!units.names().contains("other.service"));
    }

    #[test]
    fn instances_come_from_templates_and_aliases_keep_them() {
        let host = Memory::new()
            .file("/usr/lib/systemd/system/getty@.service", "[Service]\n")
            .symlink("/usr/lib/systemd/system/autovt@.service", "getty@.service")
            .symlink("/etc/systemd/system/getty.target.wants/getty@tty1.service", "/usr/lib/systemd/system/getty@.service")
            .symlink("/etc/systemd/system/x.wants/gone.service", "/nowhere/gone.service");
        let units = units(&host);
        assert!(units.file("getty@tty9.service").is_some());
        assert_eq!(units.canonical("autovt@tty3.service"), "getty@tty3.service");
        assert_eq!(units.names().into_iter().collect::<Vec<_>>(), ["getty@.service", "getty@tty1.service"]);
    }

    #[test]
    fn scripts_are_services_where_no_unit_is() {
        let host = Memory::new()
            .file("/etc/init.d/old.sh", "#!")
            .owned("/etc/init.d/old.sh", 0, 0, 0o755)
            .file("/etc/init.d/cron", "#!")
            .owned("/etc/init.d/cron", 0, 0, 0o755)
            .file("/etc/init.d/README", "x")
            .file("/usr/lib/systemd/system/cron.service", "[Service]\n");
        let units = units(&host);
        assert_eq!(units.file("old.service").map(|file| file.says.clone()), Some(Says::Script));
        assert_eq!(units.file("cron.service").map(|file| file.says.clone()), Some(Says::Unit));
        assert!(units.file("README.service").is_none());
    }

    #[test]
    fn circles_end_and_gaps_are_kept() {
        let host = Memory::new()
            .symlink("/etc/systemd/system/a.service", "b.service")
            .symlink("/etc/systemd/system/b.service", "a.service")
            .file("/usr/lib/systemd/system/c.service", "")
            .gap("/usr/lib/systemd/system", Reason::Denied);
        let units = units(&host);
        assert!(units.canonical("a.service").ends_with(".service"));
        assert!(units.gap().is_some());
    }
}
