//! Kernel parameters, running and configured.

mod configuration;

use std::path::Path;

use crate::fact::{Fact, Gap, List, Origin, Reason, Setting, Text, record};
use crate::parse::sysctl;

use super::{Context, Resource, Selector};
use configuration::Configuration;

record! {
    /// One kernel parameter, as running and as configured to persist.
    pub struct Sysctl("sysctl") {
        /// Dotted name, such as `net.ipv4.ip_forward`.
        name: Text,
        /// What the running kernel uses, runs of blanks as one space; absent where it has no such parameter.
        running: Setting,
        /// What the last-applied configuration file sets, as systemd-sysctl resolves them (procps where init is another), and after it ufw; absent where none does.
        configured: Setting,
        /// Every configuration file and line that sets it, in the order they are applied, as `path:line value`. The last one wins.
        assignments: List,
    }
}

/// Finds the records.
pub struct Sysctls;

impl Resource for Sysctls {
    type Row = Sysctl;
    const SELECTOR: &'static str = "a dotted name; a name with a slash in place of a dot (an interface with a dot) is understood";
    const ENUMERABLE: bool = false;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let Selector::Keys(names) = of else {
            return Err(Gap::new(Origin::kernel(PROC_SYS), Reason::unsupported("parameters are asked for by name")));
        };
        let configuration = Configuration::of(context);
        Ok(names.iter().map(|name| row(context, &configuration, name)).collect())
    }
}

const PROC_SYS: &str = "/proc/sys";

fn row(context: &Context<'_>, configuration: &Configuration, name: &str) -> Sysctl {
    let key = sysctl::path_of(name);
    let path = Path::new(PROC_SYS).join(&key);
    let (configured, assignments) = configuration.resolve(&key);
    Sysctl { name: Fact::Known(name.into(), Origin::kernel(path.as_path())), running: running(context, &path), configured, assignments }
}

fn running(context: &Context<'_>, path: &Path) -> Fact<Setting> {
    let origin = Origin::kernel(path);
    match context.host.read(path) {
        Fact::Known(bytes, _) => Fact::Known(sysctl::one_space(&String::from_utf8_lossy(&bytes)).into(), origin),
        // A directory that was never booted has no parameters at all; a kernel that lacks one still has others.
        Fact::Absent(_) if context.host.list(Path::new(PROC_SYS)).known().is_none_or(|names| names.is_empty()) => {
            Fact::Unknown(Gap::new(origin, Reason::NotCollected))
        }
        Fact::Absent(_) => Fact::Absent(origin),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn sysctl(host: &Memory, name: &str) -> Sysctl {
        Sysctls::collect(&Context::new(host), &Selector::Keys(vec![name.into()])).unwrap().remove(0)
    }

    fn setting(fact: &Fact<Setting>) -> Option<&str> {
        fact.known().map(|setting| setting.0.raw())
    }

    #[test]
    fn the_running_kernel_is_asked_by_path() {
        let host = Memory::new()
            .file("/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n")
            .file("/proc/sys/net/ipv4/conf/eth0.1/rp_filter", "1\n")
            .file("/proc/sys/vm/secret", "1\n")
            .gap("/proc/sys/vm/secret", Reason::Denied);
        assert_eq!(setting(&sysctl(&host, "net.ipv4.ip_local_port_range").running), Some("32768 60999"));
        let vlan = sysctl(&host, "net.ipv4.conf.eth0/1.rp_filter");
        assert_eq!((setting(&vlan.running), vlan.name.known().map(Text::raw)), (Some("1"), Some("net.ipv4.conf.eth0/1.rp_filter")));
        assert!(matches!(sysctl(&host, "net.ipv6.conf.all.forwarding").running, Fact::Absent(_)));
        assert!(matches!(sysctl(&host, "vm.secret").running, Fact::Unknown(Gap { reason: Reason::Denied, .. })));
    }

    #[test]
    fn a_host_that_does_not_run_has_no_running_values() {
        let host = Memory::new().file("/etc/sysctl.d/a.conf", "kernel.a=1\n");
        let row = sysctl(&host, "kernel.a");
        assert!(matches!(row.running, Fact::Unknown(Gap { reason: Reason::NotCollected, .. })));
        assert_eq!((setting(&row.configured), row.configured.origin()), (Some("1"), &Origin::line("/etc/sysctl.d/a.conf", 1)));
    }

    #[test]
    fn all_of_them_is_no_question() {
        assert!(Sysctls::collect(&Context::new(&Memory::new()), &Selector::All).is_err());
    }
}
