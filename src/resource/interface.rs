//! Network interfaces, and what the kernel makes of the settings for all of them and for each together.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, Integer, Origin, Reason, Text, record};
use crate::host::FileKind;

use super::{Context, Resource, Selector};

record! {
    /// One network interface of the host. For each key below `net.ipv4.conf` the kernel combines the value for `all` with the interface's own: by
    /// or, by and, or the greater one counts, and some depend on forwarding. The fields say what comes out. Those of a family the
    /// interface does not have are absent.
    pub struct Interface("interface") {
        /// Name, such as `eth0`.
        name: Text,
        /// `loopback`, `wireless`, `bridge`, `physical` (a device drives it) or `virtual`.
        kind: Text,
        /// Whether it is a radio. One that is switched off by rfkill still is.
        wireless: Flag,
        /// Kernel driver of its device; absent for those without a device.
        driver: Text,
        /// Whether IPv6 is in use on it.
        ipv6: Flag,
        /// Whether it forwards IPv4.
        forwards: Flag,
        /// Whether it sends ICMP redirects: `all` or its own value says so.
        sends_redirects: Flag,
        /// Whether it believes ICMP redirects: one of the two values while it does not forward, both while it does.
        accepts_redirects: Flag,
        /// Whether of redirects it believes those of its gateways: `all` or its own value says so.
        accepts_secure_redirects: Flag,
        /// How it checks where packets come from, the greater value of the two: 0 not at all, 1 strictly, 2 loosely.
        reverse_path_filter: Integer,
        /// Whether it takes packets that say themselves which way they go: both values say so.
        accepts_source_route: Flag,
        /// Whether packets with impossible addresses are logged: `all` or its own value says so.
        logs_martians: Flag,
        /// Whether it believes redirects of IPv6: its own value says so, and it does not forward.
        accepts_redirects_ipv6: Flag,
        /// Whether it takes source routed packets of IPv6: both values are above 0.
        accepts_source_route_ipv6: Flag,
        /// Whether it believes router advertisements: its own value is 2, or 1 while it does not forward.
        accepts_router_advertisements: Flag,
    }
}

/// Finds the records.
pub struct Interfaces;

impl Resource for Interfaces {
    type Row = Interface;
    const SELECTOR: &'static str = "a name, or a glob; no such interface gives no record";

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let missing = || Gap::new(Origin::kernel(CLASS), Reason::NotCollected);
        let names = context.host.list(Path::new(CLASS)).into_result()?.ok_or_else(missing)?;
        let names =
            names.iter().filter(|entry| matches!(entry.kind, FileKind::Link | FileKind::Directory)).filter_map(|entry| entry.name.to_str());
        Ok(names.filter(|name| of.picks(name)).map(|name| row(context, name)).collect())
    }
}

const CLASS: &str = "/sys/class/net";

fn row(context: &Context<'_>, name: &str) -> Interface {
    let directory = Path::new(CLASS).join(name);
    let there = |file: &str| match context.host.stat(&directory.join(file)) {
        Fact::Known(_, origin) => Fact::Known(true, origin),
        Fact::Absent(origin) => Fact::Known(false, origin),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    };
    let wireless = either(there("wireless"), there("phy80211"));
    let v4 = |key: &'static str| Pair::of(context, "ipv4", name, key);
    let v6 = |key: &'static str| Pair::of(context, "ipv6", name, key);
    let ipv6 = match v6("disable_ipv6").own {
        Fact::Absent(origin) => Fact::Known(false, origin),
        disabled => disabled.map(|disabled| disabled == 0),
    };
    let of_v6 = |fact: Fact<Flag>| match &ipv6 {
        Fact::Known(true, _) => fact,
        Fact::Known(false, origin) | Fact::Absent(origin) => Fact::Absent(origin.clone()),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    };
    let forwards = v4("forwarding").own.map(|value| value != 0);
    let forwards_ipv6 = v6("forwarding").own.map(|value| value != 0);
    let quiet = |accepts: Fact<Flag>, forwards: &Fact<Flag>| both(accepts, forwards.clone().map(|forwards| !forwards));
    let advertisements = v6("accept_ra").own;
    Interface {
        name: Fact::derived(Text::from(name)),
        kind: kind(name, &wireless, &there),
        driver: driver(context, &directory.join("device/driver")),
        sends_redirects: v4("send_redirects").or(),
        accepts_redirects: match &forwards {
            Fact::Known(true, _) => v4("accept_redirects").and(),
            Fact::Known(false, _) => v4("accept_redirects").or(),
            Fact::Absent(origin) => Fact::Absent(origin.clone()),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        },
        accepts_secure_redirects: v4("secure_redirects").or(),
        reverse_path_filter: v4("rp_filter").greater(),
        accepts_source_route: v4("accept_source_route").and(),
        logs_martians: v4("log_martians").or(),
        accepts_redirects_ipv6: of_v6(quiet(v6("accept_redirects").own.map(|value| value != 0), &forwards_ipv6)),
        accepts_source_route_ipv6: of_v6(v6("accept_source_route").and_above_zero()),
        accepts_router_advertisements: of_v6(either(
            advertisements.clone().map(|value| value > 1),
            quiet(advertisements.map(|value| value == 1), &forwards_ipv6),
        )),
        forwards,
        wireless,
        ipv6,
    }
}

fn kind(name: &str, wireless: &Fact<Flag>, there: &dyn Fn(&str) -> Fact<Flag>) -> Fact<Text> {
    let named = |word: &str| Fact::derived(Text::from(word));
    if name == "lo" {
        return named("loopback");
    }
    match (wireless.clone(), there("bridge"), there("device")) {
        (Fact::Unknown(gap), ..) | (_, Fact::Unknown(gap), _) | (_, _, Fact::Unknown(gap)) => Fact::Unknown(gap),
        (Fact::Known(true, _), ..) => named("wireless"),
        (_, Fact::Known(true, _), _) => named("bridge"),
        (_, _, Fact::Known(true, _)) => named("physical"),
        _ => named("virtual"),
    }
}

fn driver(context: &Context<'_>, link: &Path) -> Fact<Text> {
    context.host.link(link).and_then(|target, origin| match target.file_name() {
        Some(name) => Fact::Known(Text::from(Path::new(name)), origin),
        None => Fact::Absent(origin),
    })
}

/// What is set for all interfaces, and for one.
struct Pair {
    all: Fact<i64>,
    own: Fact<i64>,
}

impl Pair {
    fn of(context: &Context<'_>, family: &str, name: &str, key: &str) -> Self {
        let read = |name: &str| {
            let path: PathBuf = ["/proc/sys/net", family, "conf", name, key].iter().collect();
            context.host.read(&path).and_then(|bytes, origin| {
                let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
                number.map_or_else(
                    || Fact::Unknown(Gap::new(origin.clone(), Reason::malformed("not a number"))),
                    |number| Fact::Known(number, origin.clone()),
                )
            })
        };
        // A host that does not run has no such files at all.
        if context.host.list(Path::new("/proc/sys/net")).known().is_none_or(|names| names.is_empty()) {
            let gap = || Fact::Unknown(Gap::new(Origin::kernel("/proc/sys/net"), Reason::NotCollected));
            return Self { all: gap(), own: gap() };
        }
        Self { all: read("all"), own: read(name) }
    }

    fn or(self) -> Fact<Flag> {
        either(self.all.map(|value| value != 0), self.own.map(|value| value != 0))
    }

    fn and(self) -> Fact<Flag> {
        both(self.all.map(|value| value != 0), self.own.map(|value| value != 0))
    }

    fn and_above_zero(self) -> Fact<Flag> {
        both(self.all.map(|value| value > 0), self.own.map(|value| value > 0))
    }

    fn greater(self) -> Fact<Integer> {
        self.all.and_then(|all, origin| {
            self.own.map(|own| all.max(own)).and_then(|value, own| Fact::Known(value, if value > all { own } else { origin }))
        })
    }
}

fn either(a: Fact<Flag>, b: Fact<Flag>) -> Fact<Flag> {
    match (a, b) {
        (Fact::Known(true, origin), _) | (_, Fact::Known(true, origin)) => Fact::Known(true, origin),
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap),
        (Fact::Absent(origin), _) | (_, Fact::Absent(origin)) => Fact::Absent(origin),
        (a, _) => a,
    }
}

fn both(a: Fact<Flag>, b: Fact<Flag>) -> Fact<Flag> {
    either(a.map(|a| !a), b.map(|b| !b)).map(|neither| !neither)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn host(settings: &[(&str, &str)]) -> Memory {
        let host = Memory::new().node("/sys/class/net/eth0", FileKind::Directory, 0o755).file("/proc/sys/net/ipv4/ip_forward", "0\n");
        settings.iter().fold(host, |host, (path, value)| host.file(&format!("/proc/sys/net/{path}"), format!("{value}\n")))
    }

    fn eth0(settings: &[(&str, &str)]) -> Interface {
        Interfaces::collect(&Context::new(&host(settings)), &Selector::Keys(vec!["eth0".into()])).unwrap().remove(0)
    }

    fn pair<'a>(all: &'a str, own: &'a str, key: &'a str) -> Vec<(String, &'a str)> {
        vec![(format!("ipv4/conf/all/{key}"), all), (format!("ipv4/conf/eth0/{key}"), own)]
    }

    fn with(all: &str, own: &str, key: &str, more: &[(&str, &str)]) -> Interface {
        let pairs = pair(all, own, key);
        let settings: Vec<(&str, &str)> = pairs.iter().map(|(path, value)| (path.as_str(), *value)).chain(more.iter().copied()).collect();
        eth0(&settings)
    }

    #[test]
    fn values_are_combined_as_the_kernel_does() {
        let table = |key: &str, field: fn(&Interface) -> Option<bool>| {
            ["00", "01", "10", "11"].map(|bits| field(&with(&bits[..1], &bits[1..], key, &[("ipv4/conf/eth0/forwarding", "0")])).unwrap())
        };
        assert_eq!(table("send_redirects", |row| row.sends_redirects.known().copied()), [false, true, true, true]);
        assert_eq!(table("secure_redirects", |row| row.accepts_secure_redirects.known().copied()), [false, true, true, true]);
        assert_eq!(table("log_martians", |row| row.logs_martians.known().copied()), [false, true, true, true]);
        assert_eq!(table("accept_source_route", |row| row.accepts_source_route.known().copied()), [false, false, false, true]);
        assert_eq!(table("accept_redirects", |row| row.accepts_redirects.known().copied()), [false, true, true, true]);
        let router = with("1", "0", "accept_redirects", &[("ipv4/conf/eth0/forwarding", "1")]);
        assert_eq!(router.accepts_redirects.known(), Some(&false));
        assert_eq!(with("1", "2", "rp_filter", &[]).reverse_path_filter.known(), Some(&2));
        assert_eq!(with("1", "0", "rp_filter", &[]).reverse_path_filter.known(), Some(&1));
    }

    #[test]
    fn ipv6_has_rules_of_its_own() {
        let v6 = |disabled, key: &str, own, forwarding| {
            let path = format!("ipv6/conf/eth0/{key}");
            let all = format!("ipv6/conf/all/{key}");
            eth0(&[("ipv6/conf/eth0/disable_ipv6", disabled), (&all, "0"), (&path, own), ("ipv6/conf/eth0/forwarding", forwarding)])
        };
        assert_eq!(v6("0", "accept_redirects", "1", "0").accepts_redirects_ipv6.known(), Some(&true), "what all says does not count");
        assert_eq!(v6("0", "accept_redirects", "1", "1").accepts_redirects_ipv6.known(), Some(&false));
        assert_eq!(v6("0", "accept_ra", "1", "0").accepts_router_advertisements.known(), Some(&true));
        assert_eq!(v6("0", "accept_ra", "1", "1").accepts_router_advertisements.known(), Some(&false));
        assert_eq!(v6("0", "accept_ra", "2", "1").accepts_router_advertisements.known(), Some(&true));
        assert_eq!(v6("0", "accept_source_route", "1", "0").accepts_source_route_ipv6.known(), Some(&false));
        let off = v6("1", "accept_ra", "2", "0");
        assert!(off.ipv6.known() == Some(&false) && matches!(off.accepts_router_advertisements, Fact::Absent(_)));
        assert_eq!(eth0(&[]).ipv6.known(), Some(&false), "a kernel without IPv6");
    }

    #[test]
    fn kinds_of_interfaces() {
        let host = host(&[])
            .node("/sys/class/net/lo", FileKind::Directory, 0o755)
            .node("/sys/class/net/wlan0/phy80211", FileKind::Directory, 0o755)
            .symlink("/sys/class/net/wlan0/device/driver", "../../bus/pci/drivers/iwlwifi")
            .node("/sys/class/net/docker0/bridge", FileKind::Directory, 0o755)
            .file("/sys/class/net/bonding_masters", "");
        let rows = Interfaces::collect(&Context::new(&host), &Selector::All).unwrap();
        let kinds: Vec<_> = rows.iter().map(|row| (row.name.known().unwrap().raw(), row.kind.known().unwrap().raw())).collect();
        assert_eq!(kinds, [("docker0", "bridge"), ("eth0", "virtual"), ("lo", "loopback"), ("wlan0", "wireless")]);
        assert_eq!((rows[3].wireless.known(), rows[3].driver.known().map(Text::raw)), (Some(&true), Some("iwlwifi")));
        assert!(Interfaces::collect(&Context::new(&Memory::new()), &Selector::All).is_err());
    }

    #[test]
    fn a_host_that_does_not_run_has_no_settings() {
        let host = Memory::new().node("/sys/class/net/eth0", FileKind::Directory, 0o755);
        let row = Interfaces::collect(&Context::new(&host), &Selector::All).unwrap().remove(0);
        assert!(row.sends_redirects.known().is_none() && row.ipv6.known().is_none());
    }
}
