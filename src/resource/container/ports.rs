//! Published ports: those of a container that runs, and those that will be published when it starts.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::{Fact, Gap, Text};
use crate::parse::engine_json::PortBinding;

/// What is published on the host, sorted by protocol and port.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Published {
    pub(super) ports: Vec<Text>,
    /// Those below 1024.
    pub(super) privileged: Vec<Text>,
    pub(super) on_all_addresses: Vec<Text>,
    /// Those for which no address is given, so that the network's default counts.
    pub(super) on_default_address: Vec<Text>,
}

type Bindings = BTreeMap<String, Option<Vec<PortBinding>>>;

/// Reads bindings. A port of 0 is one at random; a range stands for one port out of it, and counts by its lowest.
pub(super) fn published(bindings: &Bindings) -> Published {
    let (mut ports, mut privileged, mut everywhere, mut by_default) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (inside, bindings) in bindings {
        let protocol = inside.rsplit_once('/').map_or("tcp", |(_, protocol)| protocol);
        for binding in bindings.iter().flatten() {
            let host_port = if binding.host_port.is_empty() { "0" } else { &binding.host_port };
            let lowest: u32 = host_port.split('-').next().and_then(|port| port.parse().ok()).unwrap_or(0);
            let port = (protocol, lowest, host_port);
            ports.insert(port);
            if (1..1024).contains(&lowest) {
                privileged.insert(port);
            }
            match binding.host_ip.trim_matches(['[', ']']) {
                "" => drop(by_default.insert(port)),
                address if is_every_address(address) => drop(everywhere.insert(port)),
                _ => {}
            }
        }
    }
    let named =
        |ports: BTreeSet<(&str, u32, &str)>| ports.into_iter().map(|(protocol, _, port)| format!("{protocol}/{port}").into()).collect();
    Published {
        ports: named(ports),
        privileged: named(privileged),
        on_all_addresses: named(everywhere),
        on_default_address: named(by_default),
    }
}

/// Whether an address stands for every one of the host, in any spelling.
pub(super) fn is_every_address(address: &str) -> bool {
    let address = address.trim_matches(['[', ']']);
    address == "*" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_unspecified())
}

impl Published {
    /// The ports on every address, given the address the network publishes on by default: absent for every address.
    pub(super) fn everywhere(self, default_address: &Fact<Text>) -> Result<Vec<Text>, Gap> {
        let mut everywhere = self.on_all_addresses;
        if !self.on_default_address.is_empty() {
            match default_address {
                Fact::Unknown(gap) if everywhere.is_empty() => return Err(gap.clone()),
                Fact::Known(address, _) if !is_every_address(address.raw()) => {}
                _ => everywhere.extend(self.on_default_address),
            }
        }
        everywhere.sort();
        everywhere.dedup();
        Ok(everywhere)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Origin;

    fn read(json: &str) -> Published {
        published(&serde_json::from_str(json).unwrap())
    }

    fn raw(list: &[Text]) -> Vec<&str> {
        list.iter().map(Text::raw).collect()
    }

    #[test]
    fn the_threshold_is_below_1024_and_families_are_not_told_twice() {
        let read = read(
            r#"{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"1024"},{"HostIp":"::","HostPort":"1024"}],
            "81/tcp":[{"HostIp":"127.0.0.1","HostPort":"1023"}],"53/udp":[{"HostIp":"::1","HostPort":"53"}],"90/tcp":null}"#,
        );
        assert_eq!(raw(&read.ports), ["tcp/1023", "tcp/1024", "udp/53"]);
        assert_eq!(raw(&read.privileged), ["tcp/1023", "udp/53"]);
        assert_eq!(raw(&read.on_all_addresses), ["tcp/1024"]);
    }

    #[test]
    fn every_spelling_of_every_address() {
        for address in ["0.0.0.0", "::", "[::]", "0:0:0:0:0:0:0:0"] {
            assert!(is_every_address(address), "{address}");
        }
        assert!(!is_every_address("::1") && !is_every_address("10.0.0.1") && !is_every_address("x"));
        assert_eq!(raw(&read(r#"{"80/tcp":[{"HostIp":"[::]","HostPort":"80"}]}"#).on_all_addresses), ["tcp/80"]);
    }

    #[test]
    fn no_address_means_the_networks_default() {
        let stopped = || read(r#"{"80/tcp":[{"HostIp":"","HostPort":"8088"}],"70/udp":[{"HostIp":"127.0.0.1","HostPort":"70"}]}"#);
        let absent = Fact::Absent(Origin::Derived);
        assert_eq!(raw(&stopped().everywhere(&absent).unwrap()), ["tcp/8088"]);
        assert!(stopped().everywhere(&Fact::derived("127.0.0.1")).unwrap().is_empty());
        assert_eq!(raw(&stopped().everywhere(&Fact::derived("0.0.0.0")).unwrap()), ["tcp/8088"]);
        let gap = Gap::new(Origin::Derived, crate::fact::Reason::Denied);
        assert_eq!(stopped().everywhere(&Fact::Unknown(gap.clone())), Err(gap));
    }

    #[test]
    fn random_ports_and_ranges() {
        let read = read(r#"{"1/tcp":[{"HostPort":""}],"2/tcp":[{"HostPort":"1000-2000"}],"3/sctp":[{"HostPort":"odd"}]}"#);
        assert_eq!(raw(&read.ports), ["sctp/odd", "tcp/0", "tcp/1000-2000"]);
        assert_eq!(raw(&read.privileged), ["tcp/1000-2000"]);
    }
}
