//! Whose chains are whose, by the names programs give them.

use crate::parse::packet_filter::{Chain, Family};

/// Programs that make tables of their own.
const TABLES: [(&str, &str); 7] = [
    ("docker-bridges", "docker"),
    ("firewalld", "firewalld"),
    ("netavark", "podman"),
    ("f2b-table", "fail2ban"),
    ("crowdsec", "crowdsec"),
    ("crowdsec6", "crowdsec"),
    ("libvirt_network", "libvirt"),
];

/// Programs that make chains in tables of others.
const CHAINS: [(&str, &str); 14] = [
    ("DOCKER", "docker"),
    ("ufw-", "ufw"),
    ("ufw6-", "ufw"),
    ("f2b-", "fail2ban"),
    ("NETAVARK", "podman"),
    ("CNI-", "cni"),
    ("KUBE-", "kubernetes"),
    ("cali-", "calico"),
    ("CILIUM_", "cilium"),
    ("FLANNEL-", "flannel"),
    ("LIBVIRT_", "libvirt"),
    ("CROWDSEC", "crowdsec"),
    ("ts-", "tailscale"),
    ("sshguard", "sshguard"),
];

/// The program that made a chain; `host` for those of the host's own administration. `DOCKER-USER` is made by Docker and left
/// to the host.
pub(crate) fn of(chain: &Chain) -> &'static str {
    let by_table = TABLES.iter().find(|(table, _)| chain.table == *table);
    let by_chain = || CHAINS.iter().find(|(beginning, _)| chain.name.starts_with(beginning) && chain.name != "DOCKER-USER");
    by_table.or_else(by_chain).map_or("host", |(_, owner)| owner)
}

/// Whether it is one of the chains that iptables itself makes.
pub(crate) fn of_iptables(chain: &Chain) -> bool {
    let tables = ["filter", "nat", "mangle", "raw", "security"];
    let chains = ["INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING"];
    matches!(chain.family, Family::Ip | Family::Ip6) && tables.contains(&chain.table.as_str()) && chains.contains(&chain.name.as_str())
}
