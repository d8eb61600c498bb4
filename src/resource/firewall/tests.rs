use super::*;
use crate::fact::Reason;
use crate::host::memory::Memory;
use crate::resource::packet_filter::fixture;

const UNIT: &str = "[Unit]\n[Service]\nType=oneshot\nExecStart=/x\n[Install]\nWantedBy=sysinit.target\n";

fn unit(host: Memory, name: &str, enabled: bool) -> Memory {
    let host = host.file(&format!("/lib/systemd/system/{name}.service"), UNIT);
    if enabled {
        host.symlink(&format!("/etc/systemd/system/sysinit.target.wants/{name}.service"), &format!("/lib/systemd/system/{name}.service"))
    } else {
        host
    }
}

fn firewall(host: &Memory) -> Firewall {
    Firewalls::collect(&Context::new(host), &Selector::All).unwrap().remove(0)
}

fn text(fact: &Fact<Text>) -> &str {
    match fact {
        Fact::Known(text, _) => text.raw(),
        Fact::Absent(_) => "-",
        Fact::Unknown(_) => "?",
    }
}

fn list(fact: &Fact<List>) -> Vec<&str> {
    fact.known().unwrap().iter().map(Text::raw).collect()
}

/// A host with systemd.
fn host() -> Memory {
    Memory::new()
        .file("/sbin/init", "")
        .file("/lib/systemd/systemd", "")
        .file("/proc/1/comm", "systemd\n")
        .file("/proc/1/cgroup", "0::/init.scope\n")
        .file("/proc/1/status", "Name:\tsystemd\nPPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n")
}

#[test]
fn ufw_needs_its_switch_and_its_rules() {
    let on = |switch: &str, dump: &str| {
        let host = unit(host(), "ufw", true).file("/etc/ufw/ufw.conf", format!("# x\nENABLED={switch}\n"));
        let host = host.file(
            "/etc/default/ufw",
            "IPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\nDEFAULT_OUTPUT_POLICY=\"ACCEPT\"\nDEFAULT_FORWARD_POLICY=\"REJECT\"\n",
        );
        firewall(&host.loaded_packet_filter(fixture::dump(dump)))
    };
    let both = on("yes", "ufw");
    assert_eq!((list(&both.active), text(&both.front_end)), (vec!["ufw"], "ufw"));
    assert_eq!((text(&both.ufw_incoming), text(&both.ufw_outgoing), text(&both.ufw_routed)), ("deny", "allow", "reject"));
    assert_eq!(list(&on("no", "ufw").active), Vec::<&str>::new(), "active (exited) though it is switched off");
    let unloaded = on("yes", "empty");
    assert_eq!((list(&unloaded.active), text(&unloaded.front_end)), (vec![], "ufw"), "it is what is meant to run");
}

#[test]
fn rules_tell_who_manages_them() {
    let nft = firewall(&unit(unit(host(), "nftables", true), "ufw", false).loaded_packet_filter(fixture::dump("nft")));
    assert_eq!((list(&nft.active), text(&nft.front_end), list(&nft.installed)), (vec!["nftables"], "nftables", vec!["ufw", "nftables"]));
    let iptables = firewall(&unit(host(), "netfilter-persistent", true).loaded_packet_filter(fixture::dump("iptables")));
    assert_eq!((list(&iptables.active), text(&iptables.front_end)), (vec!["iptables"], "iptables"));
    let none = firewall(&host().loaded_packet_filter(fixture::dump("empty")));
    assert_eq!((list(&none.active), text(&none.front_end)), (vec![], "-"));
}

#[test]
fn unread_rules_leave_the_enabled_one() {
    let unread = firewall(&unit(host(), "nftables", true));
    assert_eq!((text(&unread.front_end), unread.active.known()), ("nftables", None));
    let legacy = host().loaded_packet_filter(fixture::dump("empty")).file("/proc/1/net/ip_tables_names", "filter\n");
    assert_eq!(text(&firewall(&legacy).front_end), "?");
}

#[test]
fn files_of_nftables_are_followed() {
    let host = host()
        .file("/etc/nftables.conf", "flush ruleset\ninclude \"/etc/nftables.d/*.nft\"\ninclude \"/etc/nftables.conf\"\n")
        .file("/etc/nftables.d/a.nft", "table inet f { chain i { type filter hook input priority 0; policy drop; } }\n")
        .file("/etc/nftables.d/b.conf", "table inet f { chain o { type filter hook output priority 0; } }\n");
    let row = firewall(&host);
    assert_eq!((list(&row.nft_persisted), row.nft_flushes.known()), (vec!["input"], Some(&true)));
    let hidden = host.gap("/etc/nftables.d/a.nft", Reason::Denied);
    assert!(firewall(&hidden).nft_persisted.known().is_none());
}

#[test]
fn zones_of_firewalld() {
    let rule = |family: &str, address: &str| {
        format!(r#"<rule family="{family}"><source address="{address}"/><destination address="{address}" invert="true"/><drop/></rule>"#)
    };
    let trusted = format!("<zone target=\"ACCEPT\"><interface name=\"lo\"/>{}{}</zone>", rule("ipv4", "127.0.0.1"), rule("ipv6", "::1"));
    let row = firewall(&host().file("/etc/firewalld/zones/trusted.xml", trusted));
    assert_eq!((row.firewalld_trusts_loopback.known(), row.firewalld_drops_spoofed_loopback.known()), (Some(&true), Some(&true)));
    let bare = firewall(&host().file("/etc/firewalld/firewalld.conf", ""));
    assert_eq!(bare.firewalld_trusts_loopback.known(), Some(&false));
    assert!(matches!(firewall(&host()).firewalld_trusts_loopback, Fact::Absent(_)));
}
