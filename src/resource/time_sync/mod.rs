//! The daemons that set the host's clock: which of them is used, by whose time, and as whom it runs.

mod sources;

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Text, record};

use super::accounts::Accounts;
use super::process_table::ProcessTable;
use super::unit_state::UnitState;
use super::{Context, Resource, Selector};

record! {
    /// One daemon that can set the clock. Those that are not installed are records too.
    pub struct TimeSync("time_sync") {
        /// `systemd-timesyncd`, `chrony`, `ntpsec`, `ntp`, `openntpd`.
        name: Text,
        /// Whether there is a unit for it.
        installed: Flag,
        /// Whether it runs.
        running: Flag,
        /// Whether it comes up with the host.
        starts: Flag,
        /// Whether it runs or comes up with the host: the clock is its business.
        in_use: Flag,
        /// Servers, pools, peers and clocks it is told to go by, drop-ins and included files too; those of systemd-timesyncd's
        /// `FallbackNTP=` where `NTP=` is not set and some file sets the other. What the network tells it (DHCP, settings of a link)
        /// counts where it stands in a file. Empty where it is told nothing and goes by what was built in, or by nothing.
        servers: List,
        /// Names of the users its processes run as, or their numbers; absent where it does not run.
        users: List,
        /// Whether it says that the clock is right. Unknown for daemons that say so to their own clients alone.
        synchronized: Flag,
    }
}

/// Finds the records.
pub struct TimeSyncs;

/// A daemon: its name, the names of its units and of its processes.
struct Daemon {
    name: &'static str,
    units: &'static [&'static str],
    process: &'static str,
}

const DAEMONS: [Daemon; 5] = [
    Daemon { name: "systemd-timesyncd", units: &["systemd-timesyncd"], process: "systemd-timesyn" },
    Daemon { name: "chrony", units: &["chrony", "chronyd"], process: "chronyd" },
    Daemon { name: "ntpsec", units: &["ntpsec"], process: "ntpd" },
    Daemon { name: "ntp", units: &["ntp", "ntpd"], process: "ntpd" },
    Daemon { name: "openntpd", units: &["openntpd"], process: "ntpd" },
];

impl Resource for TimeSyncs {
    type Row = TimeSync;
    const SELECTOR: &'static str = "name of a daemon, such as `chrony`; globs work";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Ok(DAEMONS.iter().filter(|daemon| of.picks(daemon.name)).map(|daemon| row(context, daemon)).collect())
    }
}

fn row(context: &Context<'_>, daemon: &Daemon) -> TimeSync {
    // ntpsec gives its unit the name of its forerunner as well: what is the other's is not counted twice.
    let taken = daemon.name == "ntp" && UnitState::of(context, &["ntpsec"]).installed.known() == Some(&true);
    let units = if taken { &["no-such-unit"] } else { daemon.units };
    let state = UnitState::of(context, units);
    TimeSync {
        name: Fact::derived(daemon.name),
        in_use: state.in_use(),
        servers: if taken { Fact::derived(List::new()) } else { sources::of(context, daemon.name) },
        users: users(context, units, daemon.process),
        synchronized: synchronized(context, daemon.name, &state),
        installed: state.installed,
        running: state.running,
        starts: state.starts,
    }
}

/// The users of the processes of a daemon: those in its unit, and others of its name outside of containers.
fn users(context: &Context<'_>, units: &[&str], process: &str) -> Fact<List> {
    let table = ProcessTable::of(context);
    let table = match table.as_ref() {
        Ok(table) => table,
        Err(gap) => return Fact::Unknown(gap.clone()),
    };
    let accounts = Accounts::of(context);
    let mut found = List::new();
    for running in &table.processes {
        let in_unit = running.unit.known().is_some_and(|unit| units.iter().any(|own| unit.strip_suffix(".service") == Some(own)));
        let Some(status) = running.status.known() else { continue };
        if in_unit && status.name == process {
            let user = match accounts.user_name(status.uid.effective) {
                Fact::Known(name, _) => name,
                Fact::Absent(_) | Fact::Unknown(_) => status.uid.effective.to_string().into(),
            };
            if !found.contains(&user) {
                found.push(user);
            }
        }
    }
    match (&table.hidden, found.is_empty()) {
        (Some(gap), true) => Fact::Unknown(gap.clone()),
        (None, true) => Fact::Absent(Origin::kernel("/proc")),
        _ => Fact::Known(found, Origin::kernel("/proc")),
    }
}

fn synchronized(context: &Context<'_>, name: &str, state: &UnitState) -> Fact<bool> {
    if state.running.known() == Some(&false) {
        return Fact::Absent(state.running.origin().clone());
    }
    if name != "systemd-timesyncd" {
        let why = Reason::unsupported("only the daemon itself knows, and it is not asked");
        return Fact::Unknown(Gap::new(state.running.origin().clone(), why));
    }
    match (context.host.stat(Path::new("/run/systemd/timesync/synchronized")), &state.running) {
        (Fact::Known(_, origin), Fact::Known(..)) => Fact::Known(true, origin),
        (Fact::Absent(origin), Fact::Known(..)) => Fact::Known(false, origin),
        (Fact::Unknown(gap), _) => Fact::Unknown(gap),
        (_, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
        (_, Fact::Absent(origin)) => Fact::Absent(origin.clone()),
    }
}

#[cfg(test)]
mod tests;
