//! Services: systemd units as systemd resolves them.

mod running;
mod settings;

use std::collections::BTreeSet;

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Setting, Text, record};
use crate::parse::glob::{is_glob, matches};
use crate::parse::unit_name::{UnitName, full, short};

use super::init::Init;
use super::systemd::{Loaded, Says, Starts, Triggers, Units};
use super::{Context, Resource, Selector};

record! {
    /// One unit, by its name without `.service` (other unit types keep their suffix: `docker.socket`). A name no unit file
    /// stands behind is a record with `installed = false`.
    pub struct Service("service") {
        /// Name: `docker` for `docker.service`, `docker.socket` as it is; an alias asked for is the record's name.
        name: Text,
        /// Whether a unit file (or a generator's, or a SysV script's) stands behind the name.
        installed: Flag,
        /// Path of the unit file that wins; of what masks it where masked.
        unit_path: Text,
        /// Drop-ins that apply, in order.
        dropins: List,
        /// `enabled`, `enabled-runtime`, `disabled`, `static`, `masked`, `masked-runtime`, `alias`, `indirect`, `generated`, `transient`,
        /// `linked`, `linked-runtime`, `not-found`. Unknown where init is not systemd.
        enablement: Text,
        /// Whether it starts at boot or on a socket, path, timer or bus name that does: enabled itself, or wanted by something
        /// that does, or triggered by a unit that does. Conditions in units are not weighed. Unknown where init is not systemd.
        starts: Flag,
        /// Whether it is masked.
        masked: Flag,
        /// Whether a process runs in its cgroup; for sockets, whether something listens on all their addresses. Unknown for
        /// other types of unit.
        running: Flag,
        /// Process ids in its cgroup, as texts; not those of containers in it.
        pids: List,
        /// Units that start it on demand: sockets, paths, timers, by full name.
        triggered_by: List,
        /// The command lines of `ExecStart=` after drop-ins, variables and specifiers left in; absent for what is no service.
        exec_start: List,
        /// Value of `User=` after drop-ins; absent where it is not set, which means root.
        user: Setting,
        /// Names of the variables in `Environment=` and environment files. Never values.
        environment_names: List,
    }
}

/// Finds the records.
pub struct Services;

impl Resource for Services {
    type Row = Service;
    const SELECTOR: &'static str = "a unit name, `.service` may be left out; globs work";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let units = Units::of(context);
        let mut names = BTreeSet::new();
        match of {
            Selector::Keys(keys) => {
                for key in keys {
                    if is_glob(key) {
                        let matches = |name: &&&str| matches(key, name) || matches(key, short(name));
                        names.extend(units.names().iter().filter(matches).map(|name| (*name).to_owned()));
                    } else {
                        names.insert(full(key));
                    }
                }
            }
            Selector::All | Selector::Named(_) => names.extend(units.names().into_iter().map(str::to_owned)),
        }
        Ok(names.iter().map(|name| row(context, &units, name)).collect())
    }
}

fn row(context: &Context<'_>, units: &Units, name: &str) -> Service {
    let subject = Fact::derived(Text::from(short(name)));
    if let Some(gap) = units.gap() {
        return Service { name: subject, ..Service::unknown(gap) };
    }
    let canonical = units.canonical(name);
    let Some((file, loaded)) = units.file(&canonical).zip(units.load(context.host, &canonical)) else {
        return Service { name: subject, ..not_found(context, units, name) };
    };
    let origin = Origin::file(file.path.as_path());
    let other_init = other_init(context, &origin);
    let by_manager = |fact: Fact<Flag>| other_init.clone().map_or(fact, Fact::Unknown);
    let (pids, running) = running(context, units, &loaded);
    let started = pids.known().is_some_and(|pids| !pids.is_empty());
    Service {
        name: subject,
        installed: Fact::Known(file.says != Says::Masked { hides: false }, origin.clone()),
        unit_path: Fact::Known(file.path.as_path().into(), origin.clone()),
        dropins: loaded.fact(|_| Fact::Known(loaded.dropins.iter().map(|path| path.as_path().into()).collect(), origin.clone())),
        enablement: other_init.clone().map_or_else(|| units.enablement(context.host, name).map(Text::from), Fact::Unknown),
        starts: if context.wants("service", "starts") { by_manager(Starts::of(context).fact(&canonical)) } else { not_wanted(&origin) },
        masked: Fact::Known(matches!(file.says, Says::Masked { .. }), origin.clone()),
        running: if started { running } else { by_manager(running) },
        pids,
        triggered_by: triggered_by(context, &canonical, &origin),
        exec_start: settings::exec_start(&loaded, &origin),
        user: settings::user(&loaded, &origin),
        environment_names: settings::environment_names(context, &loaded, &origin),
    }
}

/// A name without a unit: nothing starts, though something may still run in its cgroup after it was removed.
fn not_found(context: &Context<'_>, units: &Units, name: &str) -> Service {
    let origin = Origin::file(units.own());
    let pids = running::pids(context, name, &[]).map(|pids| pids.into_iter().map(|pid| Text::from(pid.to_string())).collect::<List>());
    Service {
        name: Fact::derived(Text::from(short(name))),
        installed: Fact::Known(false, origin.clone()),
        unit_path: Fact::Absent(origin.clone()),
        dropins: Fact::Absent(origin.clone()),
        enablement: units.enablement(context.host, name).map(Text::from),
        starts: Fact::Known(false, origin.clone()),
        masked: Fact::Known(false, origin.clone()),
        running: pids.clone().map(|pids| !pids.is_empty()),
        pids,
        triggered_by: triggered_by(context, name, &origin),
        exec_start: Fact::Absent(origin.clone()),
        user: Fact::Absent(origin.clone()),
        environment_names: Fact::Absent(origin),
    }
}

/// Where another program than systemd starts services, its files say nothing about what comes up.
fn other_init(context: &Context<'_>, origin: &Origin) -> Option<Gap> {
    let why = "units have no effect here, init is not systemd";
    Init::of(context).is_other().then(|| Gap::new(origin.clone(), Reason::unsupported(why)))
}

fn not_wanted<T>(origin: &Origin) -> Fact<T> {
    Fact::Unknown(Gap::new(origin.clone(), Reason::NotCollected))
}

/// The processes of a unit, and whether it runs.
fn running(context: &Context<'_>, units: &Units, loaded: &Loaded) -> (Fact<List>, Fact<Flag>) {
    let kind = UnitName::parse(&loaded.name).map(|name| name.kind).unwrap_or_default();
    if !context.wants("service", "running") && !context.wants("service", "pids") {
        let origin = Origin::kernel("/proc");
        return (not_wanted(&origin), not_wanted(&origin));
    }
    let aliases: Vec<&str> = units.aliases(&loaded.name).collect();
    let pids = running::pids(context, &loaded.name, &aliases);
    let running = match kind {
        "service" | "scope" => pids.clone().map(|pids| !pids.is_empty()),
        "socket" => loaded.fact(|_| running::listening(context, loaded)),
        _ => Fact::Unknown(Gap::new(Origin::Derived, Reason::unsupported("only the running manager knows the state of such a unit"))),
    };
    (pids.map(|pids| pids.into_iter().map(|pid| Text::from(pid.to_string())).collect()), running)
}

fn triggered_by(context: &Context<'_>, name: &str, origin: &Origin) -> Fact<List> {
    if !context.wants("service", "triggered_by") {
        return not_wanted(origin);
    }
    let triggers = Triggers::of(context);
    match &triggers.gap {
        Some(gap) => Fact::Unknown(gap.clone()),
        None => Fact::derived(triggers.of_unit(name).map(Text::from).collect::<List>()),
    }
}

#[cfg(test)]
mod tests;
