//! Dumps are what Linux 6.18 answered after `nft -f` or `iptables-nft-restore`; the rules stand beside them.

use super::fixture::dump;
use super::*;
use crate::fact::Reason;
use crate::host::memory::Memory;

fn host(dump: &[u8]) -> Memory {
    Memory::new().loaded_packet_filter(dump).file("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "0\n")
}

fn at(host: &Memory, path: &str) -> PacketFilter {
    PacketFilters::collect(&Context::new(host), &Selector::Keys(vec![path.into()])).unwrap().remove(0)
}

fn flag(fact: &Fact<Flag>) -> Option<bool> {
    fact.known().copied()
}

fn list(fact: &Fact<List>) -> Vec<&str> {
    fact.known().unwrap().iter().map(Text::raw).collect()
}

#[test]
fn rules_of_nft() {
    let host = host(&dump("nft"));
    for family in ["ipv4", "ipv6"] {
        let input = at(&host, &format!("input {family}"));
        assert_eq!(list(&input.chains), ["inet filter input"]);
        assert_eq!(
            (flag(&input.default_denies), flag(&input.accepts_loopback), flag(&input.drops_spoofed_loopback)),
            (Some(true), Some(true), Some(true)),
            "{family}"
        );
        assert_eq!(list(&input.named_ports), ["tcp/22", "tcp/80", "tcp/443", "tcp/8000-8080", "udp/53"]);
        let output = at(&host, &format!("output {family}"));
        assert_eq!((flag(&output.default_denies), flag(&output.accepts_loopback)), (Some(false), Some(true)));
    }
    let forward = at(&host, "forward ipv4");
    assert_eq!(
        (flag(&forward.default_denies), flag(&forward.guards_containers), flag(&forward.docker_hooked)),
        (Some(true), Some(true), Some(false))
    );
}

#[test]
fn rules_of_iptables_with_docker() {
    let host = host(&dump("iptables"));
    let input = at(&host, "input ipv4");
    assert_eq!(
        (flag(&input.default_denies), flag(&input.accepts_loopback), flag(&input.drops_spoofed_loopback)),
        (Some(true), Some(true), Some(true))
    );
    assert_eq!(list(&input.named_ports), ["tcp/22", "tcp/80", "tcp/8000-8080", "udp/123"]);
    let forward = at(&host, "forward ipv4");
    assert_eq!(
        (flag(&forward.default_denies), flag(&forward.guards_containers), flag(&forward.docker_hooked)),
        (Some(true), Some(true), Some(true))
    );
    let open = at(&host, "input ipv6");
    assert_eq!((flag(&open.default_denies), list(&open.chains)), (Some(false), vec![]), "nothing filters IPv6");
}

#[test]
fn rules_of_ufw() {
    let host = host(&dump("ufw"));
    for family in ["ipv4", "ipv6"] {
        let input = at(&host, &format!("input {family}"));
        assert_eq!(
            (flag(&input.default_denies), flag(&input.accepts_loopback), flag(&input.drops_spoofed_loopback)),
            (Some(true), Some(true), Some(true)),
            "{family}"
        );
        assert!(list(&input.named_ports).contains(&"tcp/22"));
    }
}

#[test]
fn tables_of_iptables_legacy_leave_open_what_nftables_lets_through() {
    let host = host(&dump("nft")).file("/proc/1/net/ip_tables_names", "filter\n");
    let output = at(&host, "output ipv4");
    assert_eq!((flag(&output.default_denies), flag(&output.accepts_loopback)), (None, None));
    let input = at(&host, "input ipv4");
    assert_eq!((flag(&input.default_denies), flag(&input.accepts_loopback)), (Some(true), None));
    assert!(input.named_ports.known().is_none());
    assert_eq!(flag(&at(&host, "output ipv6").default_denies), Some(false));
}

#[test]
fn without_ipv6_there_is_nothing_to_filter() {
    let host = Memory::new().loaded_packet_filter(dump("nft")).file("/proc/sys/net/ipv4/ip_forward", "0\n");
    assert_eq!(PacketFilters::collect(&Context::new(&host), &Selector::All).unwrap().len(), 3);
}

#[test]
fn a_list_cut_anywhere_is_a_gap() {
    let whole = dump("iptables");
    for cut in (0..whole.len()).step_by(7).chain([0, 1, whole.len() - 1]) {
        let host = host(&whole[..cut]);
        let row = at(&host, "input ipv4");
        assert!(matches!(&row.default_denies, Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })), "{cut}");
    }
}

#[test]
fn garbage_in_messages_does_not_panic() {
    let whole = dump("nft");
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        let _ = crate::parse::packet_filter::ruleset(&bytes);
    }
}
