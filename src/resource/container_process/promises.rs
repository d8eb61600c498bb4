//! What a container declares, held against what the kernel really does with one of its processes.

use crate::fact::{Fact, Gap, Text};
use crate::parse::process::{Seccomp, Status, capability_names};
use crate::resource::container::Promise;

use super::namespaces;

/// Capabilities that amount to control of the host, or lead to it.
const DANGEROUS: [&str; 14] = [
    "DAC_READ_SEARCH",
    "NET_ADMIN",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_PTRACE",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_TIME",
    "AUDIT_CONTROL",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "PERFMON",
    "BPF",
];

/// Of those, the ones everybody knows.
const WORST: [&str; 4] = ["SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "DAC_READ_SEARCH"];

/// Names of the capabilities in a mask that amount to control of the host.
pub(super) fn dangerous(mask: u64) -> Vec<Text> {
    capability_names(mask).into_iter().filter(|name| DANGEROUS.contains(name)).map(Text::from).collect()
}

/// Capabilities a process has or can get beyond the declaration; `None` where the declaration is not known.
pub(super) fn undeclared_capabilities(status: &Status, promise: &Promise) -> Option<Vec<&'static str>> {
    promise.capabilities.map(|declared| capability_names((status.effective | status.bounding) & !declared.all))
}

/// What one process shows of itself.
pub(super) struct Shown<'a> {
    pub(super) status: &'a Status,
    pub(super) confined: &'a Fact<bool>,
    /// Namespaces shared with the host.
    pub(super) shared: &'a Fact<Vec<&'static str>>,
    /// Whether it is in a user namespace made inside the container, where capabilities are worth nothing outside.
    pub(super) nested: bool,
}

/// The promises a process breaks. An error where none is seen broken and one could not be held against anything.
pub(super) fn broken(shown: &Shown<'_>, promise: &Promise, unreadable: &Gap) -> Result<Vec<Text>, Gap> {
    let mut broken: Vec<Text> = Vec::new();
    let mut gap = None;
    let mut holds = |promised: &Fact<bool>, kept: &Fact<bool>, sentence: &str, broken: &mut Vec<Text>| match (promised, kept) {
        (Fact::Known(true, _), Fact::Known(false, _)) => broken.push(sentence.into()),
        (Fact::Unknown(failed), Fact::Known(false, _)) | (Fact::Known(true, _), Fact::Unknown(failed)) => {
            gap.get_or_insert_with(|| failed.clone());
        }
        _ => {}
    };
    let known = Fact::<bool>::derived;
    let filtered = promise.seccomp.as_ref().map(|seccomp| seccomp.raw() != "unconfined");
    let has_filter = shown.status.seccomp.map_or_else(|| known(false), |seccomp| known(seccomp != Seccomp::Disabled));
    holds(&filtered, &has_filter, "has no seccomp filter", &mut broken);
    let keeps = shown.status.no_new_privileges.map_or_else(|| Fact::Unknown(unreadable.clone()), known);
    holds(&promise.no_new_privileges, &keeps, "may gain new privileges", &mut broken);
    holds(&promise.confined, shown.confined, "is not confined by AppArmor or SELinux", &mut broken);
    match undeclared_capabilities(shown.status, promise) {
        Some(names) if !names.is_empty() && !shown.nested => {
            broken.insert(0, holds_beyond(names).into());
        }
        Some(_) => {}
        None => drop(gap.get_or_insert_with(|| unreadable.clone())),
    }
    match shown.shared {
        Fact::Known(shared, _) => match namespaces::undeclared(shared, promise) {
            Ok(names) => broken.extend(names.into_iter().map(|name| Text::from(format!("shares the host's {} namespace", in_words(name))))),
            Err(failed) => drop(gap.get_or_insert(failed)),
        },
        Fact::Absent(_) => {}
        Fact::Unknown(failed) => drop(gap.get_or_insert_with(|| failed.clone())),
    }
    match gap {
        Some(gap) if broken.is_empty() => Err(gap),
        _ => Ok(broken),
    }
}

/// A privileged process holds dozens: then the worst are named and the rest counted.
fn holds_beyond(mut names: Vec<&'static str>) -> String {
    const MOST_NAMED: usize = 6;
    if names.len() <= MOST_NAMED {
        return format!("holds {} beyond its declaration", names.join(", "));
    }
    names.sort_by_key(|name| WORST.iter().position(|worst| worst == name).unwrap_or(usize::MAX));
    let (named, rest) = names.split_at_checked(3).unwrap_or((&names, &[]));
    format!("holds {} and {} more capabilities beyond its declaration", named.join(", "), rest.len())
}

fn in_words(namespace: &str) -> &str {
    match namespace {
        "pid" => "process id",
        "net" => "network",
        "ipc" => "IPC",
        "uts" => "UTS",
        "mnt" => "mount",
        other => other,
    }
}
