//! Which program keeps the host's logs.

use crate::fact::{Fact, Flag, Gap, Origin, Text, record};

use super::unit_state::UnitState;
use super::{Context, Resource, Selector};

record! {
    /// Who keeps the logs of the host. Always exactly one record.
    pub struct LogSystem("log_system") {
        /// `log`.
        name: Text,
        /// `rsyslog`, `syslog-ng` or `journald`: the first of them that runs or comes up with the host; journald runs beside the
        /// others. Absent where none does.
        keeper: Text,
        /// Whether rsyslog runs or comes up with the host.
        rsyslog: Flag,
        /// Whether syslog-ng does.
        syslog_ng: Flag,
        /// Whether journald does.
        journald: Flag,
    }
}

/// Finds the record.
pub struct LogSystems;

impl Resource for LogSystems {
    type Row = LogSystem;
    const SELECTOR: &'static str = "`\"*\"`";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, _: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let used = |unit| UnitState::of(context, &[unit]).in_use();
        let programs = [("rsyslog", used("rsyslog")), ("syslog-ng", used("syslog-ng")), ("journald", journald(context))];
        let [(_, rsyslog), (_, syslog_ng), (_, journald)] = programs.clone();
        let mut keeper = Fact::Absent(Origin::Derived);
        for (name, used) in programs {
            match used {
                Fact::Known(true, origin) => {
                    keeper = Fact::Known(Text::from(name), origin);
                    break;
                }
                // One that comes first may be the one.
                Fact::Unknown(gap) => {
                    keeper = Fact::Unknown(gap);
                    break;
                }
                Fact::Known(false, _) | Fact::Absent(_) => {}
            }
        }
        Ok(vec![LogSystem { name: Fact::derived("log"), keeper, rsyslog, syslog_ng, journald }])
    }
}

/// journald is static: what wants it is systemd itself.
fn journald(context: &Context<'_>) -> Fact<bool> {
    let state = UnitState::of(context, &["systemd-journald"]);
    match state.running {
        Fact::Unknown(_) => state.installed,
        running => running,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    const STATUS: &str = "Name:\tx\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n";

    fn host(unit: &str) -> Memory {
        Memory::new()
            .file("/usr/lib/systemd/system/systemd-journald.service", "[Service]\n")
            .file("/proc/1/status", STATUS)
            .file("/proc/1/cgroup", "0::/init.scope\n")
            .file("/proc/8/status", STATUS)
            .file("/proc/8/cgroup", "0::/system.slice/systemd-journald.service\n")
            .file("/proc/9/status", STATUS)
            .file("/proc/9/cgroup", format!("0::/system.slice/{unit}.service\n"))
    }

    fn keeper(host: &Memory) -> Option<String> {
        let row = LogSystems::collect(&Context::new(host), &Selector::All).unwrap().remove(0);
        row.keeper.known().map(|keeper| keeper.raw().to_owned())
    }

    #[test]
    fn rsyslog_comes_before_journald() {
        assert_eq!(keeper(&host("rsyslog")).as_deref(), Some("rsyslog"));
        assert_eq!(keeper(&host("ssh")).as_deref(), Some("journald"));
        let enabled = host("ssh").file("/usr/lib/systemd/system/rsyslog.service", "[Service]\n").symlink(
            "/etc/systemd/system/multi-user.target.wants/rsyslog.service",
            "/usr/lib/systemd/system/rsyslog.service",
        );
        let enabled = enabled
            .file("/usr/lib/systemd/system/multi-user.target", "[Unit]\n")
            .symlink("/usr/lib/systemd/system/default.target", "multi-user.target");
        assert_eq!(keeper(&enabled).as_deref(), Some("rsyslog"), "it should run");
    }

    #[test]
    fn what_cannot_be_told_is_unknown() {
        let hidden = host("ssh").gap("/etc/systemd/system", crate::fact::Reason::Denied).file("/etc/systemd/system/x.service", "");
        assert_eq!(keeper(&hidden), None);
    }
}
