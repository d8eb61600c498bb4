//! SELinux: what is in force and what is configured.

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Setting, Text, record};

use super::kernel::{SecurityModules, line};
use super::process_table::{self, ProcessTable};
use super::{Context, Resource, Selector};

const CONFIG: &str = "/etc/selinux/config";

record! {
    /// SELinux on this host. Always exactly one record.
    pub struct Selinux("selinux") {
        /// `selinux`.
        name: Text,
        /// Whether the running kernel has it enabled.
        enabled: Flag,
        /// Whether it enforces now.
        enforcing: Flag,
        /// Mode at the next start, `SELINUX=` of /etc/selinux/config: `enforcing`, `permissive` or `disabled`; absent where the file does not say.
        configured: Setting,
        /// Policy, `SELINUXTYPE=` of the same file, such as `targeted`; absent where it does not say.
        policy: Setting,
        /// Whether that policy is installed; absent where none is named.
        policy_installed: Flag,
        /// Services that no policy knows, as `pid name`: processes of the type `unconfined_service_t`.
        unconfined_services: List,
    }
}

/// Finds the record.
pub struct SelinuxState;

impl Resource for SelinuxState {
    type Row = Selinux;
    const SELECTOR: &'static str = "`\"*\"`";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let modules = SecurityModules::of(context);
        let config = context.host.read(Path::new(CONFIG)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let policy = setting(&config, policy_of);
        let row = Selinux {
            name: Fact::derived("selinux"),
            enabled: modules.selinux.clone(),
            enforcing: modules.selinux_enforcing.clone(),
            configured: setting(&config, mode_of),
            policy_installed: policy.as_ref().and_then(|policy, _| {
                let directory = format!("/etc/selinux/{}/policy", policy.0.raw());
                context.host.list(Path::new(&directory)).map(|files| !files.is_empty())
            }),
            policy,
            unconfined_services: unconfined_services(context, &modules.selinux),
        };
        Ok(if of.picks("selinux") { vec![row] } else { Vec::new() })
    }
}

fn setting(config: &Fact<String>, find: fn(&str) -> Option<(String, u32)>) -> Fact<Setting> {
    config.as_ref().and_then(|text, origin| match find(text) {
        Some((value, line)) => Fact::Known(value.into(), Origin::line(CONFIG, line)),
        None => Fact::Absent(origin),
    })
}

/// The first line that names a mode counts; blanks before it are not allowed, and what follows the word does not matter.
fn mode_of(text: &str) -> Option<(String, u32)> {
    (1..).zip(text.lines()).find_map(|(number, line)| {
        let said = line.strip_prefix("SELINUX=")?.to_ascii_lowercase();
        let mode = ["enforcing", "permissive", "disabled"].into_iter().find(|mode| said.starts_with(mode))?;
        Some((mode.to_owned(), number))
    })
}

/// The last line counts.
fn policy_of(text: &str) -> Option<(String, u32)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines.filter_map(|(number, line)| Some((line.strip_prefix("SELINUXTYPE=")?.trim().to_owned(), number))).last()
}

fn unconfined_services(context: &Context<'_>, enabled: &Fact<bool>) -> Fact<List> {
    let origin = Origin::kernel("/proc");
    if !context.wants("selinux", "unconfined_services") {
        return Fact::Unknown(Gap::new(origin, Reason::NotCollected));
    }
    match enabled {
        Fact::Known(true, _) => {}
        Fact::Known(false, _) | Fact::Absent(_) => return Fact::Absent(origin),
        Fact::Unknown(gap) => return Fact::Unknown(gap.clone()),
    }
    let table = ProcessTable::of(context);
    let table = match table.as_ref() {
        Ok(table) => table,
        Err(gap) => return Fact::Unknown(gap.clone()),
    };
    let mut found = Vec::new();
    for process in &table.processes {
        match line(context.host, &process_table::file(process.pid, "attr/current").to_string_lossy()) {
            Fact::Known(label, _) if label.split(':').nth(2) == Some("unconfined_service_t") => {
                let name = process.status.known().map(|status| status.name.clone()).unwrap_or_default();
                found.push(Text::from(format!("{} {name}", process.pid)));
            }
            Fact::Unknown(gap) if context.host.stat(&process_table::file(process.pid, "status")).known().is_some() => {
                return Fact::Unknown(gap);
            }
            _ => {}
        }
    }
    match &table.hidden {
        Some(gap) => Fact::Unknown(gap.clone()),
        None => Fact::Known(found, origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn state(host: &Memory) -> Selinux {
        SelinuxState::collect(&Context::new(host), &Selector::All).unwrap().remove(0)
    }

    fn said(fact: &Fact<Setting>) -> Option<&str> {
        fact.known().map(|setting| setting.0.raw())
    }

    #[test]
    fn what_is_in_force_and_what_is_configured() {
        let host = Memory::new()
            .file("/sys/fs/selinux/enforce", "0")
            .file(CONFIG, "# SELINUX=disabled\n SELINUX=disabled\nSELINUX=Enforcing # now\nSELINUX=permissive\nSELINUXTYPE=mls\nSELINUXTYPE= targeted \n")
            .file("/etc/selinux/targeted/policy/policy.33", "")
            .file("/proc/1/status", "Name:\tsystemd\nPPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n")
            .file("/proc/1/cgroup", "0::/init.scope\n")
            .file("/proc/1/attr/current", "system_u:system_r:init_t:s0\0")
            .file("/proc/9/status", "Name:\tagent\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n")
            .file("/proc/9/cgroup", "0::/system.slice/agent.service\n")
            .file("/proc/9/attr/current", "system_u:system_r:unconfined_service_t:s0\0");
        let state = state(&host);
        assert_eq!((state.enabled.known(), state.enforcing.known()), (Some(&true), Some(&false)));
        assert_eq!((said(&state.configured), state.configured.origin()), (Some("enforcing"), &Origin::line(CONFIG, 3)));
        assert_eq!((said(&state.policy), state.policy_installed.known()), (Some("targeted"), Some(&true)));
        assert_eq!(state.unconfined_services.known().unwrap(), &[Text::from("9 agent")]);
    }

    #[test]
    fn not_there_and_not_readable() {
        let bare = state(&Memory::new().file("/sys/kernel/security/lsm", "capability,apparmor"));
        assert_eq!((bare.enabled.known(), bare.enforcing.known()), (Some(&false), Some(&false)));
        assert!(matches!((&bare.configured, &bare.policy_installed, &bare.unconfined_services), (Fact::Absent(_), Fact::Absent(_), Fact::Absent(_))));
        let denied = state(&Memory::new().file(CONFIG, "").gap(CONFIG, Reason::Denied));
        assert!(matches!((&denied.configured, &denied.enabled), (Fact::Unknown(_), Fact::Unknown(_))));
    }
}
