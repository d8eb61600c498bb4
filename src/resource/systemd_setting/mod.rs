//! Settings of systemd's own programs, as their main file and drop-ins make them.
//!
//! The main file is the first of `/etc/systemd`, `/run/systemd`, `/usr/local/lib/systemd` and `/usr/lib/systemd` that has it; drop-ins
//! of all those directories apply after it, in the order of their names, of one name only the first. The last assignment
//! wins, an empty one resets, and one that systemd would not take is passed over, as systemd does with a warning.

mod table;

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Setting, Text, record};
use crate::parse::os_release;
use crate::parse::unit::{Assignment, Unit};

use super::layered::{Layered, is_null};
use super::{Context, Resource, Selector};
use table::{COMPONENTS, Component, Default, Key, Kind};

record! {
    /// One setting of one of systemd's programs. One that nothing sets and that has no default here has an absent value.
    pub struct SystemdSetting("systemd_setting") {
        /// Program and key, such as `journald/Storage`.
        name: Text,
        /// Name of the program's configuration: `journald`, `journal-upload`, `journal-remote`, `timesyncd`, `coredump`, `logind`.
        component: Text,
        /// Key, such as `Storage`.
        key: Text,
        /// The value in effect; `yes` or `no` for what is one of both however it is written. Of a key that lists things, all of them,
        /// separated by blanks. The default of the build where nothing sets it.
        value: Setting,
        /// Whether some file sets it, so that the value does not hang on how this systemd was built.
        explicit: Flag,
        /// Every assignment on the way, in the order they apply, as `PATH:LINE VALUE`.
        assignments: List,
    }
}

/// Finds the records.
pub struct SystemdSettings;

impl Resource for SystemdSettings {
    type Row = SystemdSetting;
    const SELECTOR: &'static str = "`COMPONENT/KEY`, such as `journald/Storage`; `\"*\"` for all that have a known default or are set";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let mut rows = Vec::new();
        for component in COMPONENTS {
            let keys: Vec<&str> = match of {
                Selector::Keys(keys) => {
                    keys.iter().filter_map(|key| key.strip_prefix(component.name)?.strip_prefix('/')).collect()
                }
                Selector::All | Selector::Named(_) => component.keys.iter().map(|key| key.name).collect(),
            };
            if keys.is_empty() {
                continue;
            }
            let files = Files::of(context, component);
            rows.extend(keys.into_iter().map(|key| row(context, component, &files, key)));
        }
        if let Selector::Keys(keys) = of
            && rows.len() < keys.len()
        {
            let why = Reason::malformed("a setting is selected as `COMPONENT/KEY`");
            return Err(Gap::new(Origin::Derived, why));
        }
        Ok(rows)
    }
}

/// The value of one setting, for resources that need it.
pub(crate) fn value(context: &Context<'_>, component: &str, key: &str) -> Fact<Setting> {
    match COMPONENTS.iter().find(|known| known.name == component) {
        Some(component) => row(context, component, &Files::of(context, component), key).value,
        None => Fact::Absent(Origin::Derived),
    }
}

/// The files of one program, read.
struct Files {
    unit: Unit,
    main: PathBuf,
    gap: Option<Gap>,
}

const DIRECTORIES: [&str; 4] = ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"];

impl Files {
    fn of(context: &Context<'_>, component: &Component) -> Self {
        let host = context.host;
        let file = format!("{}.conf", component.name);
        let mut files = Self { unit: Unit::default(), main: Path::new("/etc/systemd").join(&file), gap: None };
        for directory in DIRECTORIES {
            let path = Path::new(directory).join(&file);
            // A link to the null device masks those below.
            if is_null(host, &path) {
                break;
            }
            match host.read(&path) {
                Fact::Known(content, _) => {
                    files.unit.add(path.as_path(), &content);
                    files.main = path;
                    break;
                }
                Fact::Absent(_) => {}
                Fact::Unknown(gap) => {
                    files.gap = Some(gap);
                    break;
                }
            }
        }
        let found = Layered::of(host, DIRECTORIES.map(|directory| Path::new(directory).join(format!("{file}.d"))), ".conf");
        for path in found.files.values().filter(|path| !is_null(host, path)) {
            match host.read(path) {
                Fact::Known(content, _) => files.unit.add(path.as_path(), &content),
                Fact::Absent(_) => {}
                Fact::Unknown(gap) => drop(files.gap.get_or_insert(gap)),
            }
        }
        if let Some(gap) = found.gaps.into_iter().next() {
            files.gap.get_or_insert(gap);
        }
        files
    }
}

fn row(context: &Context<'_>, component: &Component, files: &Files, name: &str) -> SystemdSetting {
    let known = component.keys.iter().find(|key| key.name == name);
    let kind = known.map_or(Kind::Text, |key| key.kind);
    let here = Origin::file(files.main.as_path());
    let assigned: Vec<&Assignment> =
        files.unit.assignments.iter().filter(|assignment| assignment.section == component.section && assignment.key == name).collect();
    let mut values: Vec<(String, Origin)> = Vec::new();
    for assignment in &assigned {
        let Some(value) = kind.read(&assignment.value) else { continue };
        if assignment.value.is_empty() || kind != Kind::List {
            values.clear();
        }
        if !assignment.value.is_empty() {
            values.push((value, Origin::line(assignment.path.clone(), assignment.line)));
        }
    }
    let lines = assigned.iter().map(|line| Text::from(format!("{}:{} {}", line.path.raw(), line.line, line.value))).collect();
    let (value, explicit, assignments) = if let Some(gap) = &files.gap {
        // A file that cannot be read may set anything.
        (Fact::Unknown(gap.clone()), Fact::Unknown(gap.clone()), Fact::Unknown(gap.clone()))
    } else if let Some((_, origin)) = values.last() {
        let joined = values.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>().join(" ");
        (Fact::Known(Setting::from(joined), origin.clone()), Fact::Known(true, origin.clone()), Fact::Known(lines, origin.clone()))
    } else {
        (default(context, component, known), Fact::Known(false, here.clone()), Fact::Known(lines, here.clone()))
    };
    SystemdSetting {
        name: Fact::derived(format!("{}/{name}", component.name)),
        component: Fact::derived(component.name),
        key: Fact::derived(name),
        value,
        explicit,
        assignments,
    }
}

fn default(context: &Context<'_>, component: &Component, key: Option<&Key>) -> Fact<Setting> {
    let origin = Origin::default_of(component.program);
    match key.map(|key| key.default) {
        Some(Default::Is(value)) => Fact::Known(value.into(), origin),
        Some(Default::None) => Fact::Absent(origin),
        Some(Default::Forwarding) => forwards_by_default(context, origin),
        Some(Default::OfTheBuild) | None => Fact::Unknown(Gap::new(origin, Reason::unsupported("the default of this build is not known"))),
    }
}

/// Debian builds journald so that it forwards to syslog, and so did those who build on it; upstream does not. From the releases after
/// those named here on, which it is cannot be told from files.
fn forwards_by_default(context: &Context<'_>, origin: Origin) -> Fact<Setting> {
    let release = ["/etc/os-release", "/usr/lib/os-release"].iter().map(|path| context.host.read(Path::new(path)));
    let Some(release) = release.into_iter().find(|content| !matches!(content, Fact::Absent(_))) else {
        return Fact::Unknown(Gap::new(origin, Reason::unsupported("the distribution is not known")));
    };
    release.and_then(|content, _| {
        let fields = os_release::parse(&String::from_utf8_lossy(&content));
        let field = |name: &str| fields.get(name).map(|(value, _)| value.as_str()).unwrap_or_default();
        let version: Option<u32> = field("VERSION_ID").split('.').next().and_then(|major| major.parse().ok());
        let like = field("ID_LIKE").split_whitespace().any(|like| like == "debian" || like == "ubuntu");
        match (field("ID"), version) {
            ("debian", Some(..=12)) | ("ubuntu", Some(..=24)) => Fact::Known("yes".into(), origin),
            ("debian" | "ubuntu", _) => Fact::Unknown(Gap::new(origin, Reason::unsupported("the default of this build is not known"))),
            _ if like => Fact::Unknown(Gap::new(origin, Reason::unsupported("the default of this build is not known"))),
            _ => Fact::Known("no".into(), origin),
        }
    })
}

#[cfg(test)]
mod tests;
