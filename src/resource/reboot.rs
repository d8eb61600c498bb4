//! Whether the host has to be restarted for what is installed to take effect.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Reason, Scheme, Text, Version, record};
use crate::parse::process::Status;

use super::kernel;
use super::process_table::ProcessTable;
use super::{Context, Resource, Selector};

record! {
    /// What waits for a restart of the machine or of programs. Always exactly one record.
    pub struct RebootRow("reboot") {
        /// Always `host`.
        name: Text,
        /// Whether something says that the machine must be restarted: a marker of its packages, or a newer kernel of the flavour that
        /// runs. A kernel that is patched while it runs is told by `livepatches`.
        required: Flag,
        /// The marker that asks for a restart; absent where none does.
        marker: Text,
        /// Packages that asked for it, as far as they are written down.
        packages: List,
        /// Release of the running kernel.
        running_kernel: Version,
        /// The newest installed kernel of the flavour that runs, by its directory of modules; absent where there is no such kernel.
        installed_kernel: Version,
        /// Whether that one is newer than the running one.
        kernel_outdated: Flag,
        /// Live patches that are applied to the running kernel.
        livepatches: List,
        /// Processes of the host that run code whose file was removed or replaced, as `NAME: PATH`, each once.
        outdated_processes: List,
        /// Days since the machine was started.
        uptime_days: Integer,
    }
}

/// Finds the record.
pub struct Reboots;

/// Files that packages write when they want a restart.
const MARKERS: [&str; 3] = ["/run/reboot-required", "/var/run/reboot-required", "/run/reboot-needed"];
const MARKED: &str = "/run/reboot-required.pkgs";
const MODULES: &str = "/lib/modules";
const LIVEPATCH: &str = "/sys/kernel/livepatch";

/// Where packages keep code. What is mapped from elsewhere and gone was temporary.
const CODE: [&str; 6] = ["/usr/", "/lib/", "/lib32/", "/lib64/", "/bin/", "/sbin/"];

impl Resource for Reboots {
    type Row = RebootRow;
    const SELECTOR: &'static str = "`\"*\"`";

    fn collect(context: &Context<'_>, _: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let marker = marker(context);
        let running = running(context);
        let installed = installed(context, &running);
        let outdated = outdated(&running, &installed);
        Ok(vec![RebootRow {
            name: Fact::derived(Text::from("host")),
            required: required(&marker, &outdated),
            packages: context.host.read(Path::new(MARKED)).map(|bytes| {
                let names: BTreeSet<String> = String::from_utf8_lossy(&bytes).split_whitespace().map(str::to_owned).collect();
                names.into_iter().map(Text::from).collect()
            }),
            marker,
            running_kernel: running.clone().map(|release| Version::new(release, Scheme::Debian)),
            installed_kernel: installed.map(|release| Version::new(release, Scheme::Debian)),
            kernel_outdated: outdated,
            livepatches: livepatches(context),
            outdated_processes: outdated_processes(context),
            uptime_days: match context.host.identity().booted {
                Some(booted) => Fact::Known((context.host.now().timestamp() - booted).div_euclid(86_400).max(0), Origin::kernel("/proc/stat")),
                None => Fact::Unknown(Gap::new(Origin::kernel("/proc/stat"), Reason::NotCollected)),
            },
        }])
    }
}

/// The marker that is there. What is not there on a directory that nothing runs on says nothing: it stands in memory.
fn marker(context: &Context<'_>) -> Fact<Text> {
    let mut absent = Origin::stat(MARKERS[0]);
    for marker in MARKERS {
        match context.host.stat(Path::new(marker)) {
            Fact::Known(_, origin) => return Fact::Known(marker.into(), origin),
            Fact::Absent(origin) => absent = origin,
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        }
    }
    if context.host.identity().booted.is_none() {
        return Fact::Unknown(Gap::new(absent, Reason::NotCollected));
    }
    Fact::Absent(absent)
}

fn required(marker: &Fact<Text>, outdated: &Fact<bool>) -> Fact<bool> {
    match (marker, outdated) {
        (Fact::Known(_, origin), _) => Fact::Known(true, origin.clone()),
        (_, Fact::Known(true, origin)) => Fact::Known(true, origin.clone()),
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
        (Fact::Absent(origin), _) => Fact::Known(false, origin.clone()),
    }
}

fn running(context: &Context<'_>) -> Fact<String> {
    let identity = context.host.identity();
    match kernel::line(context.host, "/proc/sys/kernel/osrelease") {
        Fact::Known(release, origin) => Fact::Known(release, origin),
        Fact::Absent(origin) if identity.kernel.raw().is_empty() => Fact::Unknown(Gap::new(origin, Reason::NotCollected)),
        Fact::Absent(_) => Fact::Known(identity.kernel.raw().to_owned(), Origin::kernel("uname")),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

/// The newest kernel of the flavour that runs, by the directories of modules that hold a kernel's own list of them. Absent where the
/// running kernel is not installed at all: a container's or a virtual machine's, that comes from outside.
fn installed(context: &Context<'_>, running: &Fact<String>) -> Fact<String> {
    let (running, _) = match running {
        Fact::Known(running, origin) => (running, origin),
        Fact::Absent(origin) => return Fact::Absent(origin.clone()),
        Fact::Unknown(gap) => return Fact::Unknown(gap.clone()),
    };
    let listed = match context.host.list(Path::new(MODULES)) {
        // As on hosts where the old and the new place are not the same.
        Fact::Absent(_) => context.host.list(Path::new("/usr/lib/modules")),
        listed => listed,
    };
    listed.and_then(|entries, origin| {
        let names = entries.iter().filter_map(|entry| entry.name.to_str());
        // Files that were made for a kernel stay behind when it is removed; what the package brings does not.
        let whole = |name: &&str| ["modules.builtin", "kernel"].iter().any(|file| context.host.stat(&Path::new(MODULES).join(name).join(file)).known().is_some());
        let same: Vec<&str> = names.filter(|name| flavour(name) == flavour(running)).filter(whole).collect();
        if !same.contains(&running.as_str()) && same.iter().all(|name| order(name, running) != Ordering::Greater) {
            return Fact::Absent(origin);
        }
        same.into_iter().max_by(|a, b| order(a, b)).map_or_else(|| Fact::Absent(origin.clone()), |newest| Fact::Known(newest.to_owned(), origin.clone()))
    })
}

fn outdated(running: &Fact<String>, installed: &Fact<String>) -> Fact<bool> {
    match (running, installed) {
        (Fact::Known(running, _), Fact::Known(installed, origin)) => Fact::Known(order(installed, running) == Ordering::Greater, origin.clone()),
        // The kernel that runs is none of this host's.
        (_, Fact::Absent(origin)) => Fact::Known(false, origin.clone()),
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
        (Fact::Absent(origin), _) => Fact::Known(false, origin.clone()),
    }
}

/// Kernels of one flavour replace each other: `6.1.0-25-cloud-amd64` is of the flavour `cloud-amd64`, `5.14.0-427.el9.x86_64` of `x86_64`.
fn flavour(release: &str) -> String {
    let words: Vec<&str> = release.split(['-', '.', '+', '_']).collect();
    let plain = |word: &&&str| word.starts_with(|c: char| c.is_ascii_alphabetic()) && !["el", "fc", "rc", "amzn", "bpo", "deb"].iter().any(|build| word.starts_with(build) && word.len() > build.len() && word.bytes().skip(build.len()).all(|byte| byte.is_ascii_digit()));
    words.iter().filter(plain).copied().collect::<Vec<_>>().join("-")
}

fn order(a: &str, b: &str) -> Ordering {
    Version::natural(a, b)
}

/// The live patches that are in force.
fn livepatches(context: &Context<'_>) -> Fact<Vec<Text>> {
    match context.host.list(Path::new(LIVEPATCH)) {
        Fact::Known(entries, origin) => {
            let enabled = |name: &Path| kernel::line(context.host, &format!("{LIVEPATCH}/{}/enabled", name.display())).known().map(String::as_str) == Some("1");
            Fact::Known(entries.iter().filter(|entry| enabled(&entry.name)).map(|entry| entry.name.as_path().into()).collect(), origin)
        }
        Fact::Absent(origin) => Fact::Known(Vec::new(), origin),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

/// Processes of the host, not of containers, that run code of packages whose file is gone.
fn outdated_processes(context: &Context<'_>) -> Fact<Vec<Text>> {
    if !context.wants("reboot", "outdated_processes") {
        return Fact::Unknown(Gap::new(Origin::kernel("/proc"), Reason::NotCollected));
    }
    let table = ProcessTable::of(context);
    let table = match table.as_ref() {
        Ok(table) => table,
        Err(gap) => return Fact::Unknown(gap.clone()),
    };
    let (lines, origin) = match context.host.deleted_code() {
        Fact::Known(lines, origin) => (lines, origin),
        Fact::Absent(origin) => return Fact::Unknown(Gap::new(origin, Reason::NotCollected)),
        Fact::Unknown(gap) => return Fact::Unknown(gap),
    };
    let mut found = BTreeSet::new();
    let mut hidden = table.hidden.clone();
    let running: BTreeMap<i32, _> = table.processes.iter().map(|process| (process.pid, process)).collect();
    for line in lines.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        let Some((pid, path)) = line.split_once(' ') else { continue };
        // Whoever started since the processes were listed runs what is installed, and whoever ended runs nothing.
        let Some(process) = pid.parse().ok().and_then(|pid: i32| running.get(&pid)) else { continue };
        if process.container.known().is_some() {
            continue;
        }
        if path == "-" {
            hidden.get_or_insert_with(|| Gap::new(Origin::kernel(format!("/proc/{pid}/maps")), Reason::Denied));
        } else if CODE.iter().any(|place| path.starts_with(place)) {
            let name = process.status.known().map_or(pid, |Status { name, .. }| name.as_str());
            found.insert(format!("{name}: {path}"));
        }
    }
    match hidden {
        // What is found is found; what is hidden may be more, and that matters where nothing was found.
        Some(gap) if found.is_empty() => Fact::Unknown(gap),
        _ => Fact::Known(found.into_iter().map(Text::from).collect(), origin),
    }
}

#[cfg(test)]
mod tests;
