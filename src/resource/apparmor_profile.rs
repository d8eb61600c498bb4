//! Profiles of AppArmor as the kernel has them loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Text, record};
use crate::host::{FileKind, Host};
use crate::parse::apparmor;

use super::kernel::{SecurityModules, certain, line};
use super::process_table::{self, ProcessTable};
use super::{Context, Resource, Selector};

const PROFILES: &str = "/sys/kernel/security/apparmor/profiles";
const POLICY: &str = "/sys/kernel/security/apparmor/policy/profiles";
const FILES: &str = "/etc/apparmor.d";

record! {
    /// One loaded profile of AppArmor.
    pub struct ApparmorProfile("apparmor_profile") {
        /// Name of the profile, often the path of the program it is for.
        name: Text,
        /// `enforce`, `complain`, `kill`, `prompt` or `unconfined`.
        mode: Text,
        /// Whether it confines nothing on purpose: a name under which a program may have user namespaces, as Ubuntu brings many.
        label_only: Flag,
        /// Processes of the host that run the program it is for and are not confined at all, as `pid path`: they were started before it was loaded.
        unconfined_processes: List,
    }
}

/// Finds the records.
pub struct ApparmorProfiles;

impl Resource for ApparmorProfiles {
    type Row = ApparmorProfile;
    const SELECTOR: &'static str = "a profile name, or a glob; no such profile gives no record, and neither does a kernel without AppArmor";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let host = context.host;
        if let Some(false) = SecurityModules::of(context).apparmor.clone().into_result()? {
            return Ok(Vec::new());
        }
        let content = certain(host.read(Path::new(PROFILES)), "securityfs is not mounted").into_result()?.unwrap_or_default();
        let text = String::from_utf8_lossy(&content).into_owned();
        let unconfined = context.wants("apparmor_profile", "unconfined_processes").then(|| unconfined(context));
        let attachments = attachments(host);
        let labels = if text.lines().any(|line| line.ends_with(" (unconfined)")) { labels(host) } else { Ok(BTreeSet::new()) };
        let mut rows = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let Some((name, mode)) = apparmor::loaded(line) else {
                rows.push(ApparmorProfile::unknown(&Gap::new(Origin::kernel(PROFILES), Reason::malformed("not a line about a profile"))));
                continue;
            };
            if of.picks(name) {
                let attached = attachments.get(name).map_or(name, String::as_str);
                rows.push(ApparmorProfile {
                    name: Fact::Known(name.into(), Origin::kernel(PROFILES)),
                    mode: Fact::Known(mode.into(), Origin::kernel(PROFILES)),
                    label_only: match &labels {
                        _ if mode != "unconfined" => Fact::derived(false),
                        Ok(labels) => Fact::Known(labels.contains(name), Origin::file(FILES)),
                        Err(gap) => Fact::Unknown(gap.clone()),
                    },
                    unconfined_processes: running_free(attached, mode, unconfined.as_ref()),
                });
            }
        }
        Ok(rows)
    }
}

/// Processes of the host that nothing confines, with their programs, or why some may be missing.
type Unconfined = Result<Vec<(i32, String)>, Gap>;

fn unconfined(context: &Context<'_>) -> Unconfined {
    let table = ProcessTable::of(context);
    let table = table.as_ref().as_ref().map_err(Gap::clone)?;
    let mut found = Vec::new();
    for process in table.processes.iter().filter(|process| process.container.known().is_none()) {
        let confined = ["attr/apparmor/current", "attr/current"].iter().find_map(|name| {
            match line(context.host, &process_table::file(process.pid, name).to_string_lossy()) {
                Fact::Absent(_) => None,
                said => Some(said),
            }
        });
        match confined {
            Some(Fact::Known(label, _)) if label == "unconfined" => {
                if let Some((program, _)) = process_table::links(context, process.pid).into_result()?.as_deref().and_then(|links| links.program()) {
                    found.push((process.pid, program.to_owned()));
                }
            }
            // One that has ended meanwhile has no label, and says so by an error.
            Some(Fact::Unknown(gap)) if context.host.stat(&process_table::file(process.pid, "status")).known().is_some() => return Err(gap),
            _ => {}
        }
    }
    match &table.hidden {
        Some(gap) => Err(gap.clone()),
        None => Ok(found),
    }
}

fn running_free(attached: &str, mode: &str, unconfined: Option<&Unconfined>) -> Fact<List> {
    let origin = Origin::kernel("/proc");
    match unconfined {
        None => Fact::Unknown(Gap::new(origin, Reason::NotCollected)),
        // Under a profile that does not confine a process is not confined either.
        _ if mode == "unconfined" || !attached.starts_with(['/', '{', '@']) => Fact::Known(Vec::new(), Origin::kernel(PROFILES)),
        Some(Err(gap)) => Fact::Unknown(gap.clone()),
        Some(Ok(processes)) => match apparmor::pattern(attached) {
            Some(pattern) => {
                let free = processes.iter().filter(|(_, program)| pattern.is_match(program));
                Fact::Known(free.map(|(pid, program)| Text::from(format!("{pid} {program}"))).collect(), origin)
            }
            None => Fact::Unknown(Gap::new(Origin::kernel(POLICY), Reason::malformed("not a pattern of paths"))),
        },
    }
}

/// The patterns by which profiles attach to programs, by profile. Older kernels do not tell: there the name is the pattern.
fn attachments(host: &dyn Host) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in host.list(Path::new(POLICY)).known().iter().flat_map(|entries| entries.iter()) {
        let said = |file: &str| line(host, &Path::new(POLICY).join(&entry.name).join(file).to_string_lossy());
        if let (Fact::Known(name, _), Fact::Known(attach, _)) = (said("name"), said("attach")) {
            found.insert(name, if attach == "<unknown>" { String::new() } else { attach });
        }
    }
    found.retain(|_, attach| !attach.is_empty());
    found
}

/// The profiles that only name programs, from the files they are made of.
fn labels(host: &dyn Host) -> Result<BTreeSet<String>, Gap> {
    let mut found = BTreeSet::new();
    for entry in host.list(Path::new(FILES)).into_result()?.iter().flat_map(|entries| entries.iter()) {
        if entry.kind == FileKind::File
            && let Some(content) = host.read(&Path::new(FILES).join(&entry.name)).into_result()?
        {
            found.extend(apparmor::labels_for_user_namespaces(&String::from_utf8_lossy(&content)));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{ProcessLinks, memory::Memory};

    fn enabled() -> Memory {
        Memory::new().file("/sys/module/apparmor/parameters/enabled", "Y\n")
    }

    fn process(host: Memory, pid: i32, label: &str, exe: &str) -> Memory {
        let status = "Name:\tx\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n";
        host.file(&format!("/proc/{pid}/status"), status)
            .file(&format!("/proc/{pid}/cgroup"), "0::/system.slice/x.service\n")
            .file(&format!("/proc/{pid}/attr/current"), format!("{label}\n"))
            .process(pid, ProcessLinks { exe: Some(exe.into()), namespaces: Vec::new() })
    }

    fn rows(host: &Memory) -> Result<Vec<ApparmorProfile>, Gap> {
        ApparmorProfiles::collect(&Context::new(host), &Selector::All)
    }

    #[test]
    fn profiles_their_modes_and_who_escaped_them() {
        let host = enabled()
            .file(PROFILES, "/usr/sbin/cupsd (enforce)\nping (complain)\ndocker-default (enforce)\nbrave (unconfined)\nodd (unconfined)\n")
            .file(&format!("{POLICY}/ping.1/name"), "ping\n")
            .file(&format!("{POLICY}/ping.1/attach"), "/{,usr/}bin/ping\n")
            .file("/etc/apparmor.d/brave", "profile brave /opt/brave flags=(unconfined) {\n  userns,\n}\n")
            .node("/etc/apparmor.d/local", FileKind::Directory, 0o755);
        let host = process(host, 1, "unconfined", "/usr/lib/systemd/systemd");
        let host = process(process(host, 7, "unconfined", "/usr/sbin/cupsd"), 8, "/usr/sbin/cupsd (enforce)", "/usr/sbin/cupsd");
        let host = process(host, 9, "unconfined", "/usr/bin/ping (deleted)");
        let found = rows(&host).unwrap();
        let seen: Vec<_> = found
            .iter()
            .map(|row| {
                let free = row.unconfined_processes.known().unwrap().iter().map(Text::raw).collect::<Vec<_>>().join(",");
                (row.mode.known().unwrap().raw(), *row.label_only.known().unwrap(), free)
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("enforce", false, "7 /usr/sbin/cupsd".into()),
                ("complain", false, "9 /usr/bin/ping".into()),
                ("enforce", false, String::new()),
                ("unconfined", true, String::new()),
                ("unconfined", false, String::new()),
            ]
        );
    }

    #[test]
    fn without_apparmor_there_are_none_and_out_of_sight_it_is_unknown() {
        assert!(rows(&Memory::new().file("/sys/module/apparmor/parameters/enabled", "N\n")).unwrap().is_empty());
        assert!(rows(&enabled()).is_err(), "securityfs is not mounted");
        assert!(rows(&Memory::new()).is_err());
        assert_eq!(rows(&enabled().file(PROFILES, "").gap(PROFILES, Reason::Denied)).unwrap_err().reason, Reason::Denied);
        let blind = rows(&enabled().file(PROFILES, "/a (enforce)\nbroken\n")).unwrap();
        assert!(matches!((&blind[0].unconfined_processes, &blind[1].mode), (Fact::Unknown(_), Fact::Unknown(_))));
    }
}
