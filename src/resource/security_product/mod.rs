//! Products that watch the host: whether each is there, at work, and of any effect.
//!
//! Being installed is not being at work, and being at work is not seeing anything. What a product's own console alone
//! knows (policies, enforcement) is not here.

mod bans;
mod effect;
mod table;

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Text, record};

use super::process_table::ProcessTable;
use super::unit_state::{UnitState, any};
use super::{Context, Resource, Selector, paths};
use table::{PRODUCTS, Product, Works};

record! {
    /// One product that watches hosts. Those that are not installed are records too.
    pub struct SecurityProduct("security_product") {
        /// Name, such as `falco`: `auditd`, `aide`, `tripwire`, `samhain`, `fail2ban`, `crowdsec`, `falco`, `sysdig`, `wazuh`, `ossec`,
        /// `suricata`, `snort`, `zeek`, `clamav`, `osquery`, `falcon-sensor`, `mdatp`, `rkhunter`, `chkrootkit`.
        name: Text,
        /// What it is for: `audit`, `integrity`, `bans`, `runtime`, `network`, `agent`, `malware`, `rootkits`.
        kind: Text,
        /// Whether it is there: its program, a unit, or a process of its name on the host or in a container.
        installed: Flag,
        /// Whether it is at work: a process runs; for what runs now and then, something runs it.
        working: Flag,
        /// Whether it will be after the next start of the host. Unknown for one that runs in a container alone.
        starts: Flag,
        /// Whether it runs in a container.
        in_container: Flag,
        /// Days since its data last changed: signatures, rules, reports. Absent where it has none of its own, or none is there.
        data_age_days: Integer,
        /// What keeps it from having an effect, in words; empty where nothing is known to. Looked at where it is installed on the host.
        problems: List,
        /// Whether what it bans is kept from published ports of containers too, not from the host's own alone. Absent for what
        /// bans nobody.
        bans_forwarded: Flag,
    }
}

/// Finds the records.
pub struct SecurityProducts;

impl Resource for SecurityProducts {
    type Row = SecurityProduct;
    const SELECTOR: &'static str = "name of a product, such as `falco`; globs work";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Ok(PRODUCTS.iter().filter(|product| of.picks(product.name)).map(|product| row(context, product)).collect())
    }
}

fn row(context: &Context<'_>, product: &Product) -> SecurityProduct {
    let units = UnitState::of(context, product.units);
    let processes = processes(context, product);
    let found = |wanted: bool| processes.clone().map(|found| found.contains(&wanted));
    let marks = any(product.marks.iter().map(|mark| there(context, mark)));
    let own = any([marks, units.installed.clone()]);
    let cron = any(product.cron.iter().map(|file| there(context, file)));
    let (working, starts) = match product.works {
        Works::Daemon => {
            let running = any([units.running.clone(), processes.clone().map(|found| !found.is_empty())]);
            let contained = found(true).known() == Some(&true) && own.known() == Some(&false);
            let why = "whether a container starts again is told by its restart policy";
            let open = || Fact::Unknown(Gap::new(Origin::kernel("/proc"), crate::fact::Reason::unsupported(why)));
            (running, if contained { open() } else { units.starts.clone() })
        }
        Works::Regularly if product.name == "aide" => {
            let scheduled = super::aide::scheduled(context);
            (scheduled.clone(), scheduled)
        }
        Works::Regularly => {
            let scheduled = any([units.starts.clone(), cron]);
            (scheduled.clone(), scheduled)
        }
    };
    let installed = any([own.clone(), found(true)]);
    let here = own.known() == Some(&true);
    SecurityProduct {
        name: Fact::derived(product.name),
        kind: Fact::derived(product.kind),
        data_age_days: age(context, product),
        problems: if here { effect::problems(context, product.name) } else { own.clone().map(|_| List::new()) },
        bans_forwarded: if here { bans::reach_forwarded(context, product.name) } else { Fact::Absent(own.origin().clone()) },
        installed,
        working,
        starts,
        in_container: found(true),
    }
}

fn there(context: &Context<'_>, path: &str) -> Fact<bool> {
    match context.host.stat(Path::new(path)) {
        Fact::Known(_, origin) => Fact::Known(true, origin),
        Fact::Absent(origin) => Fact::Known(false, origin),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

/// For each process of a product, whether it runs in a container.
fn processes(context: &Context<'_>, product: &Product) -> Fact<Vec<bool>> {
    let table = ProcessTable::of(context);
    let table = match table.as_ref() {
        Ok(table) => table,
        Err(gap) => return Fact::Unknown(gap.clone()),
    };
    let own = |name: &String| product.processes.iter().any(|known| name.as_str() == known.get(..15).unwrap_or(known));
    let running = table.processes.iter().filter(|process| process.status.known().is_some_and(|status| own(&status.name)));
    let found: Vec<bool> = running.map(|process| process.container.known().is_some()).collect();
    match (&table.hidden, found.is_empty()) {
        (Some(gap), true) => Fact::Unknown(gap.clone()),
        _ => Fact::Known(found, Origin::kernel("/proc")),
    }
}

/// How long ago the youngest file of its data changed.
fn age(context: &Context<'_>, product: &Product) -> Fact<i64> {
    let (mut youngest, mut gap): (Option<(i64, Origin)>, Option<Gap>) = (None, None);
    for pattern in product.data {
        let found = match paths::expand(context.host, pattern) {
            Ok(found) => found,
            Err(unknown) => return Fact::Unknown(unknown),
        };
        gap = gap.or_else(|| found.gaps.into_iter().next().map(|(_, gap)| gap));
        for path in found.paths {
            match context.host.stat(&path) {
                Fact::Known(stat, origin) => {
                    if youngest.as_ref().is_none_or(|(known, _)| stat.modified > *known) {
                        youngest = Some((stat.modified, origin));
                    }
                }
                Fact::Absent(_) => {}
                Fact::Unknown(unknown) => gap = gap.or(Some(unknown)),
            }
        }
    }
    match (gap, youngest) {
        (Some(gap), _) => Fact::Unknown(gap),
        (None, Some((modified, origin))) => Fact::Known((context.host.now().timestamp() - modified).div_euclid(86_400), origin),
        (None, None) => Fact::Absent(Origin::Derived),
    }
}

#[cfg(test)]
mod tests;
