//! The kernel's audit system as a whole: on or off, locked, what it lost, and whether it follows the rules on disk.

use std::collections::HashSet;

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Reason, Text, record};
use crate::parse::audit_rules::{Rule, Scope};

use super::audit_rule::Trail;
use super::{Context, Resource, Selector};

record! {
    /// The audit system of the kernel. Always exactly one record.
    pub struct AuditSystem("audit_system") {
        /// `audit`.
        name: Text,
        /// `off`, `on`, or `locked`: on, and no rule can be changed until the next start of the host. What the kernel says.
        enabled: Text,
        /// The same of the last `-e` in the rules that the next start of auditd loads; absent where none says.
        enabled_on_disk: Text,
        /// Whether a daemon takes the records.
        listened_to: Flag,
        /// Records that were lost since the start of the host.
        lost_records: Integer,
        /// Records that may wait before some are lost.
        backlog_limit: Integer,
        /// What the kernel does when a record is lost: `nothing`, `log` or `panic`.
        on_loss: Text,
        /// Rules on disk that are not loaded, normalised.
        not_loaded: List,
        /// Loaded rules that the next start of auditd does not load, normalised.
        not_on_disk: List,
        /// Whether `/etc/audit/audit.rules` is what augenrules makes of `/etc/audit/rules.d` now; absent where there is no such directory.
        merged: Flag,
    }
}

/// Finds the record.
pub struct AuditSystems;

impl Resource for AuditSystems {
    type Row = AuditSystem;
    const SELECTOR: &'static str = "`\"*\"`";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, _: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let trail = Trail::of(context);
        let status = &trail.status;
        let (not_loaded, not_on_disk) = differences(&trail);
        Ok(vec![AuditSystem {
            name: Fact::derived("audit"),
            enabled: status.as_ref().map(|status| switch(status.enabled)),
            enabled_on_disk: match (trail.disk_gap(), &trail.switch) {
                (Some(gap), _) => Fact::Unknown(gap.clone()),
                (None, Some((value, origin))) => Fact::Known(switch(u32::from(*value)), origin.clone()),
                (None, None) => Fact::Absent(Origin::file("/etc/audit/rules.d")),
            },
            listened_to: status.as_ref().map(|status| status.pid != 0),
            lost_records: status.as_ref().map(|status| status.lost.into()),
            backlog_limit: status.as_ref().map(|status| status.backlog_limit.into()),
            on_loss: status.as_ref().map(|status| match status.failure {
                0 => "nothing".into(),
                1 => "log".into(),
                _ => "panic".into(),
            }),
            not_loaded,
            not_on_disk,
            merged: trail.merged.clone(),
        }])
    }
}

fn switch(value: u32) -> Text {
    match value {
        0 => "off".into(),
        1 => "on".into(),
        _ => "locked".into(),
    }
}

/// The rules on disk that are not loaded, and the other way round.
fn differences(trail: &Trail) -> (Fact<List>, Fact<List>) {
    let loaded = match (&trail.loaded, trail.disk_gap()) {
        (Err(gap), _) | (Ok(_), Some(gap)) => return (Fact::Unknown(gap.clone()), Fact::Unknown(gap.clone())),
        (Ok(rules), None) => rules,
    };
    // What a watch is in the kernel hangs on what is at its path.
    let mut undecided = trail.lasting_rules().filter(|placed| placed.rule.watch.as_ref().is_some_and(|watch| watch.scope == Scope::AsFound));
    if let Some(placed) = undecided.next() {
        let gap = Gap::new(placed.origin.clone(), Reason::unsupported("whether it watches a directory cannot be seen"));
        return (Fact::Unknown(gap.clone()), Fact::Unknown(gap));
    }
    let in_kernel: HashSet<&Rule> = loaded.iter().map(|placed| &placed.rule).collect();
    let on_disk: HashSet<&Rule> = trail.lasting_rules().map(|placed| &placed.rule).collect();
    let only = |rule: &Rule| Text::from(rule.to_string());
    let not_loaded = trail.lasting_rules().filter(|placed| !in_kernel.contains(&placed.rule)).map(|placed| only(&placed.rule)).collect();
    let not_on_disk = loaded.iter().filter(|placed| !on_disk.contains(&placed.rule)).map(|placed| only(&placed.rule)).collect();
    (Fact::Known(not_loaded, Origin::kernel("audit rules")), Fact::Known(not_on_disk, Origin::file("/etc/audit/rules.d")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Identity, memory::Memory};
    use crate::parse::audit_rules::kernel::tests::{listing, status_message as status};

    fn row(host: Memory) -> AuditSystem {
        let host = host.named(Identity { architecture: "x86_64".into(), ..Identity::default() });
        AuditSystems::collect(&Context::new(&host), &Selector::All).unwrap().remove(0)
    }

    fn told(enabled: u32, lost: u32, rules: &str) -> Vec<u8> {
        [status(enabled, lost), listing(rules)].concat()
    }

    const DISK: &str = "/etc/audit/rules.d/a.rules";

    #[test]
    fn locked_loaded_and_on_disk() {
        let host = Memory::new()
            .loaded_audit_rules(told(2, 7, "-w /etc/shadow -p wa\n-a always,exit -F path=/x -F perm=wa"))
            .file("/etc/shadow", "")
            .file(DISK, "-e 1\n-w /etc/shadow -p wa\n-w /etc/hosts -p wa\n")
            .file("/etc/audit/rules.d/b.rules", "  -e 2\n")
            .file("/etc/audit/audit.rules", "## made\n-w /etc/shadow -p wa\n\n-w /etc/hosts -p wa\n-e 2\n");
        let row = row(host);
        let text = |fact: &Fact<Text>| fact.known().map(|text| text.raw().to_owned());
        assert_eq!((text(&row.enabled).as_deref(), text(&row.enabled_on_disk).as_deref()), (Some("locked"), Some("locked")));
        assert_eq!(*row.enabled_on_disk.origin(), Origin::line("/etc/audit/rules.d/b.rules", 1));
        assert_eq!((row.lost_records.known(), row.listened_to.known(), row.backlog_limit.known()), (Some(&7), Some(&true), Some(&8192)));
        assert_eq!(row.not_loaded.known(), Some(&vec!["-a always,exit -F path=/etc/hosts -F perm=wa".into()]));
        assert_eq!(row.not_on_disk.known(), Some(&vec!["-a always,exit -F path=/x -F perm=wa".into()]));
        assert_eq!(row.merged.known(), Some(&true));
    }

    #[test]
    fn a_file_that_was_not_made_anew() {
        let host = Memory::new().loaded_audit_rules(told(1, 0, "")).file(DISK, "-w /etc/hosts -p wa\n").file("/etc/audit/audit.rules", "-e 2\n");
        let row = row(host);
        assert_eq!((row.merged.known(), row.on_loss.known()), (Some(&false), Some(&"log".into())));
        assert!(matches!(row.enabled_on_disk, Fact::Absent(_)), "what augenrules will not write again counts no more");
    }

    #[test]
    fn a_watch_on_what_cannot_be_seen_is_compared_with_nothing() {
        let host = |rules: &str| Memory::new().loaded_audit_rules(told(1, 0, "-a always,exit -F dir=/etc/docker -F perm=wa")).file(DISK, rules);
        let hidden = row(host("-w /etc/docker -p wa\n").gap("/etc/docker", Reason::Denied));
        assert!(hidden.not_loaded.known().is_none() && hidden.not_on_disk.known().is_none());
        let plain = row(host("-a always,exit -F dir=/etc/docker -F perm=wa\n").gap("/etc/docker", Reason::Denied));
        assert_eq!(plain.not_loaded.known(), Some(&Vec::new()), "this one says itself what it watches");
    }

    #[test]
    fn what_was_not_told_is_not_known() {
        let silent = row(Memory::new().loaded_audit_rules(listing("")));
        assert!(matches!(&silent.enabled, Fact::Unknown(Gap { reason: Reason::NotCollected, .. })));
        assert_eq!(silent.not_loaded.known(), Some(&Vec::new()));
        let nothing = row(Memory::new().file(DISK, "").gap("/etc/audit", Reason::Denied));
        assert!(nothing.enabled.known().is_none() && nothing.enabled_on_disk.known().is_none() && nothing.not_loaded.known().is_none());
    }
}
