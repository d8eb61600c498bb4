//! Kinds of event that an audit trail should hold, and whether rules record them: those that are loaded, and those that the
//! next start of auditd loads.
//!
//! What counts is what rules do, not how they are spelled: one rule or several, by a path or by a directory above it,
//! wider ones too. An earlier `never` for users at large takes an event out. See `parse/audit_rules/cover.rs`.

mod sudo;
mod table;

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Text, record};
use crate::host::FileKind;
use crate::parse::audit_rules::cover::{self, Demand, Located, Target};
use crate::parse::audit_rules::{Access, Arch, Comparison, Machine, Operator};

use super::audit_rule::{Trail, located};
use super::kernel::SecurityModules;
use super::login_defs::Settings;
use super::{Context, Resource, Selector};
use table::{Assumed, EVENTS, Need};

record! {
    /// One kind of event, and whether the audit trail holds it.
    pub struct AuditEvent("audit_event") {
        /// `sudo-rules`, `acting-as-another`, `sudo-log`, `time`, `network-names`, `refused-access`, `accounts`, `permissions`,
        /// `mounts`, `sessions`, `logins`, `deletions`, `mandatory-access-control`, `chcon`, `setfacl`, `chacl`, `usermod`,
        /// `kernel-modules`.
        name: Text,
        /// Whether the host has anything such an event could be about: the program, or one of the files.
        possible: Flag,
        /// Whether the loaded rules record every such event.
        loaded: Flag,
        /// Whether the rules do that the next start of auditd loads.
        on_disk: Flag,
        /// What the loaded rules do not record: paths, programs, or system calls with their calling convention.
        missing_loaded: List,
        /// What the rules that the next start loads do not record.
        missing_on_disk: List,
    }
}

/// Finds the records.
pub struct AuditEvents;

impl Resource for AuditEvents {
    type Row = AuditEvent;
    const SELECTOR: &'static str = "name of a kind of event, such as `time`; globs work";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let trail = Trail::of(context);
        let people = People::of(context);
        Ok(EVENTS.iter().filter(|event| of.picks(event.name)).map(|event| row(context, &trail, &people, event)).collect())
    }
}

fn row(context: &Context<'_>, trail: &Trail, people: &Fact<People>, event: &table::Event) -> AuditEvent {
    let name = Fact::derived(event.name);
    let fail = |gap: &Gap| AuditEvent { name: name.clone(), ..AuditEvent::unknown(gap) };
    let people = match people {
        Fact::Known(people, _) => *people,
        Fact::Absent(origin) => return fail(&Gap::new(origin.clone(), Reason::NotCollected)),
        Fact::Unknown(gap) => return fail(gap),
    };
    let mut wanted = Vec::new();
    for need in event.needs {
        match wants(context, need, people) {
            Ok(found) => wanted.extend(found),
            Err(gap) => return fail(&gap),
        }
    }
    let possible = Fact::Known(!wanted.is_empty(), Origin::Derived);
    let (missing_loaded, missing_on_disk) = trail.missing(&|rules| wanted.iter().flat_map(|want| want.missing(rules)).collect());
    // Numbers of system calls of such a machine have no names here, so that rules cannot be compared.
    let unnamed = Machine::named(context.host.identity().architecture.raw()) == Machine::Other
        && wanted.iter().any(|want| matches!(want, Want::Calls { .. }));
    if unnamed {
        return fail(&Gap::new(Origin::Derived, Reason::unsupported("there is no table of this machine's system calls")));
    }
    let all = |missing: &Fact<List>| missing.as_ref().map(|missing| missing.is_empty());
    AuditEvent {
        name,
        possible,
        loaded: all(&missing_loaded),
        on_disk: all(&missing_on_disk),
        missing_loaded,
        missing_on_disk,
    }
}

/// What is to be recorded on this host.
enum Want {
    Path { path: PathBuf, is_directory: bool, access: Access, assumed: Vec<Comparison>, shown: String },
    Calls { calls: &'static [&'static str], arches: &'static [Arch], machine: Machine, assumed: Vec<Comparison> },
    /// Something that no rule can record here, and why.
    Never(&'static str),
}

impl Want {
    fn missing(&self, rules: &[Located<'_>]) -> List {
        match self {
            Self::Path { path, is_directory, access, assumed, shown } => {
                let target = Target { path, is_directory: *is_directory };
                let covered = cover::covers_for(rules.iter().copied(), target, *access, assumed).is_some();
                if covered { Vec::new() } else { vec![shown.as_str().into()] }
            }
            Self::Calls { calls, arches, machine, assumed } => {
                let demand = Demand { machine: *machine, calls, arches, assumed };
                let refused = assumed.iter().find(|own| own.field == "exit").map(|own| format!(" {}", own.text())).unwrap_or_default();
                let missing = cover::unrecorded(rules.iter().map(|located| located.rule), demand);
                missing.into_iter().map(|(arch, call)| Text::from(format!("{arch} {call}{refused}"))).collect()
            }
            Self::Never(why) => vec![(*why).into()],
        }
    }
}

/// The least user id of a person, by login.defs.
#[derive(Clone, Copy)]
struct People(u32);

impl People {
    fn of(context: &Context<'_>) -> Fact<Self> {
        Settings::of(context).number("UID_MIN").and_then(|least, origin| match u32::try_from(least) {
            Ok(least) => Fact::Known(Self(least), origin),
            Err(_) => Fact::Unknown(Gap::new(origin, Reason::malformed(format!("{least} is no user id")))),
        })
    }
}

fn comparison(field: &str, operator: Operator, value: impl Into<String>) -> Comparison {
    Comparison { field: field.to_owned(), operator, value: value.into(), between_fields: false }
}

fn assumed(what: Assumed, people: People) -> Vec<Comparison> {
    let somebody = comparison("auid", Operator::NotEqual, "unset");
    let person = comparison("auid", Operator::GreaterOrEqual, people.0.to_string());
    match what {
        Assumed::Nothing => Vec::new(),
        Assumed::People => vec![somebody, person],
        Assumed::Refused(error) => vec![somebody, person, comparison("exit", Operator::Equal, error)],
        Assumed::AsAnother => {
            let differs = Comparison { between_fields: true, ..comparison("uid", Operator::NotEqual, "euid") };
            vec![somebody, differs]
        }
        Assumed::FirstIsZero => vec![comparison("a0", Operator::Equal, "0x0")],
    }
}

fn wants(context: &Context<'_>, need: &Need, people: People) -> Result<Vec<Want>, Gap> {
    match need {
        Need::Changes(paths) => paths.iter().map(|path| change(context, path, true)).collect::<Result<Vec<_>, _>>().map(flat),
        Need::ChangesIfThere(paths) => paths.iter().map(|path| change(context, path, false)).collect::<Result<Vec<_>, _>>().map(flat),
        Need::ChangesOfLink(path) => Ok(vec![at(located(context.host, path), false, Access::CHANGES, Vec::new(), path)]),
        Need::SudoLog => Ok(match sudo::log_file(context).into_result()? {
            None => vec![Want::Never("sudo writes no log file")],
            Some(path) => change(context, &path, true)?,
        }),
        Need::Policy => {
            let paths = |paths: [&str; 2]| paths.iter().map(|path| change(context, path, false)).collect::<Result<Vec<_>, _>>().map(flat);
            let mut wants = paths(["/etc/apparmor", "/etc/apparmor.d"])?;
            if wants.is_empty() || SecurityModules::of(context).selinux.known() == Some(&true) {
                wants.extend(paths(["/etc/selinux", "/usr/share/selinux"])?);
            }
            Ok(wants)
        }
        Need::Faillock => change(context, &faillock(context)?, true),
        Need::Calls(calls, arches, what) => {
            let machine = Machine::named(context.host.identity().architecture.raw());
            Ok(vec![Want::Calls { calls, arches, machine, assumed: assumed(*what, people) }])
        }
        Need::Runs(program) => match context.host.resolve(Path::new(program)).into_result()? {
            None => Ok(Vec::new()),
            Some(path) => Ok(vec![at(path, false, Access::EXECUTE, assumed(Assumed::People, people), program)]),
        },
    }
}

fn flat(lists: Vec<Vec<Want>>) -> Vec<Want> {
    lists.into_iter().flatten().collect()
}

fn at(path: PathBuf, is_directory: bool, access: Access, assumed: Vec<Comparison>, shown: &str) -> Want {
    Want::Path { path, is_directory, access, assumed, shown: shown.to_owned() }
}

/// Changes to a path: to the name itself and, where that is a link, to what it leads to.
fn change(context: &Context<'_>, path: &str, always: bool) -> Result<Vec<Want>, Gap> {
    let host = context.host;
    let name = located(host, path);
    let Some(target) = host.resolve(Path::new(path)).into_result()? else {
        return Ok(if always { vec![at(name, false, Access::CHANGES, Vec::new(), path)] } else { Vec::new() });
    };
    let is_directory = host.stat(&target).into_result()?.is_some_and(|stat| stat.kind == FileKind::Directory);
    let shown = target.to_string_lossy().into_owned();
    let mut wants = Vec::new();
    if target != name {
        wants.push(at(name, false, Access::CHANGES, Vec::new(), path));
    }
    wants.push(at(target, is_directory, Access::CHANGES, Vec::new(), &shown));
    Ok(wants)
}

/// The directory in which pam_faillock counts, by its own configuration file.
fn faillock(context: &Context<'_>) -> Result<String, Gap> {
    let content = context.host.read(Path::new("/etc/security/faillock.conf")).into_result()?.unwrap_or_default();
    let text = String::from_utf8_lossy(&content);
    let own = crate::parse::ini::parse(&text).filter(|line| line.key == "dir" && line.value.starts_with('/')).last();
    Ok(own.map_or_else(|| "/run/faillock".to_owned(), |line| line.value.to_owned()))
}

#[cfg(test)]
mod tests;
