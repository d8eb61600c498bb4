//! Whether a program is there, runs and comes up by itself, for resources that know programs by the names of their units.

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::parse::unit_name::full;

use super::Context;
use super::init::Init;
use super::process_table::ProcessTable;
use super::systemd::{Says, Starts, Units};

/// What is known of a program by its units.
#[derive(Debug, Clone)]
pub(crate) struct UnitState {
    /// Whether there is a unit of any of the names.
    pub(crate) installed: Fact<bool>,
    /// Whether a process runs in the cgroup of any.
    pub(crate) running: Fact<bool>,
    /// Whether any comes up with the host, or on demand.
    pub(crate) starts: Fact<bool>,
}

impl UnitState {
    /// The state of a program that goes by any of these units.
    pub(crate) fn of(context: &Context<'_>, names: &[&str]) -> Self {
        let units = Units::of(context);
        let origin = Origin::file(units.own());
        let names: Vec<String> = names.iter().map(|name| units.canonical(&full(name))).collect();
        let unit = |name: &String| {
            if let Some(gap) = units.gap() {
                return Fact::Unknown(gap.clone());
            }
            match units.file(name) {
                Some(file) if file.says == (Says::Masked { hides: false }) => Fact::Known(false, Origin::file(file.path.as_path())),
                Some(file) => Fact::Known(true, Origin::file(file.path.as_path())),
                None => Fact::Known(false, origin.clone()),
            }
        };
        let starts = |name: &String| match unit(name) {
            Fact::Known(true, _) if Init::of(context).is_other() => {
                let why = Reason::unsupported("units have no effect here, init is not systemd");
                Fact::Unknown(Gap::new(origin.clone(), why))
            }
            Fact::Known(true, _) => Starts::of(context).fact(name),
            other => other,
        };
        Self {
            installed: any(names.iter().map(unit)),
            running: any(names.iter().map(|name| running(context, name))),
            starts: any(names.iter().map(starts)),
        }
    }

    /// Whether it runs or comes up by itself. Of a host that does not run, the latter alone.
    pub(crate) fn in_use(&self) -> Fact<bool> {
        let not_running = matches!(&self.running, Fact::Unknown(Gap { reason: Reason::NotCollected, .. }));
        if not_running { self.starts.clone() } else { any([self.running.clone(), self.starts.clone()]) }
    }
}

/// Whether a process runs in a unit.
fn running(context: &Context<'_>, name: &str) -> Fact<bool> {
    let table = ProcessTable::of(context);
    let table = match table.as_ref() {
        Ok(table) => table,
        Err(gap) => return Fact::Unknown(gap.clone()),
    };
    let of_unit = |unit: &String| unit == name;
    let found = table.processes.iter().any(|process| process.unit.known().is_some_and(of_unit));
    match (found, &table.hidden) {
        (false, Some(gap)) => Fact::Unknown(gap.clone()),
        (found, _) => Fact::Known(found, Origin::kernel("/proc")),
    }
}

/// Whether any of several facts holds: one that does decides, and one that is not known leaves it open.
pub(crate) fn any(facts: impl IntoIterator<Item = Fact<bool>>) -> Fact<bool> {
    let mut left: Option<Fact<bool>> = None;
    for fact in facts {
        match fact {
            Fact::Known(true, _) => return fact,
            Fact::Unknown(_) => left = Some(fact),
            Fact::Known(false, _) if left.is_none() => left = Some(fact),
            _ => {}
        }
    }
    left.unwrap_or(Fact::Known(false, Origin::Derived))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    const STATUS: &str = "Name:\tx\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n";

    #[test]
    fn one_of_several_names_is_enough() {
        let host = Memory::new()
            .file("/usr/lib/systemd/system/chrony.service", "[Install]\nWantedBy=multi-user.target\nAlias=chronyd.service\n")
            .symlink("/etc/systemd/system/chronyd.service", "/usr/lib/systemd/system/chrony.service")
            .file("/proc/1/status", STATUS)
            .file("/proc/1/cgroup", "0::/init.scope\n")
            .file("/proc/9/status", STATUS)
            .file("/proc/9/cgroup", "0::/system.slice/chrony.service\n");
        let state = UnitState::of(&Context::new(&host), &["chronyd"]);
        assert_eq!((state.installed.known(), state.running.known()), (Some(&true), Some(&true)));
        assert_eq!(state.in_use().known(), Some(&true));
        let none = UnitState::of(&Context::new(&host), &["ntpd", "ntpsec"]);
        assert_eq!((none.installed.known(), none.running.known(), none.starts.known()), (Some(&false), Some(&false), Some(&false)));
    }

    #[test]
    fn a_host_that_does_not_run_is_judged_by_what_starts() {
        let host = Memory::new().file("/usr/lib/systemd/system/x.service", "[Service]\nExecStart=/x\n");
        let state = UnitState::of(&Context::new(&host), &["x"]);
        assert!(state.running.known().is_none());
        assert_eq!(state.in_use().known(), Some(&false));
    }
}
