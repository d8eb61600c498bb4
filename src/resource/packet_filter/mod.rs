//! What the packet filter does at each hook, whatever front end wrote its rules.

#[cfg(test)]
pub(super) mod fixture;
mod loaded;
pub(super) mod owner;
#[cfg(test)]
mod tests;

use crate::fact::{Fact, Flag, Gap, List, Origin, Text, record};
use crate::parse::packet_filter::evaluate::{Ends, Packet, named_ports};
use crate::parse::packet_filter::{Chain, Ruleset, Verdict};

use super::{Context, Resource, Selector};
pub(crate) use loaded::{KERNEL, Loaded};

record! {
    /// What happens to packets that come in, are forwarded or go out, in each family, whatever nftables chains decide it: a packet has to get
    /// through all of them. There are no records of IPv6 where no interface has it. Tables of iptables-legacy cannot be read: where they
    /// exist, only what nftables holds up by itself is known. Chains at `prerouting` count where they drop what would come in.
    pub struct PacketFilter("packet_filter") {
        /// Hook and family: `input ipv4`.
        path: Text,
        /// `input`, `forward` or `output`.
        hook: Text,
        /// `ipv4` or `ipv6`.
        family: Text,
        /// The base chains of nftables that filter here, as `FAMILY TABLE CHAIN`, in the order packets meet them.
        chains: List,
        /// Whether a new connection that no rule is about is dropped or rejected. Loopback does not count.
        default_denies: Flag,
        /// Whether the policy of a chain here is to drop. Its rules may accept everything all the same: see `default_denies`.
        drops_by_policy: Flag,
        /// Whether the host's traffic with itself passes; absent for `forward`.
        accepts_loopback: Flag,
        /// Whether a rule drops packets that say to come from a loopback address and do not come from there; absent but for `input`.
        drops_spoofed_loopback: Flag,
        /// Ports that rules name, as `tcp/22` or `udp/6000-6007`.
        named_ports: List,
        /// Whether rules of the host's own restrict what is forwarded to containers: `DOCKER-USER` or a chain that no engine
        /// and no front end made drops something; absent but for `forward`.
        guards_containers: Flag,
        /// Whether the chains Docker makes are there and reached; absent but for `forward`.
        docker_hooked: Flag,
    }
}

/// Finds the records.
pub struct PacketFilters;

impl Resource for PacketFilters {
    type Row = PacketFilter;
    const SELECTOR: &'static str = "a hook and a family, such as `input ipv4`, or a glob such as `* ipv4`";

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let loaded = Loaded::of(context);
        let mut rows = Vec::new();
        for hook in ["input", "forward", "output"] {
            for v6 in [false, true] {
                let path = format!("{hook} {}", family(v6));
                if !of.picks(&path) || (v6 && loaded.ipv6.known() == Some(&false)) {
                    continue;
                }
                let row = match (&loaded.ruleset, &loaded.ipv6) {
                    (Err(gap), _) => PacketFilter::unknown(gap),
                    // Whether there is IPv6 is not known, so neither whether it must be filtered.
                    (Ok(_), Fact::Unknown(gap)) if v6 => PacketFilter::unknown(gap),
                    (Ok(_), _) => row(&loaded, hook, v6),
                };
                rows.push(PacketFilter {
                    path: Fact::derived(Text::from(path)),
                    hook: Fact::derived(hook),
                    family: Fact::derived(family(v6)),
                    ..row
                });
            }
        }
        Ok(rows)
    }
}

fn family(v6: bool) -> &'static str {
    if v6 { "ipv6" } else { "ipv4" }
}

fn row(loaded: &Loaded, hook: &str, v6: bool) -> PacketFilter {
    let origin = Origin::kernel(KERNEL);
    let only = |wanted: bool, fact: Fact<Flag>| if wanted { fact } else { Fact::Absent(origin.clone()) };
    let mut chains: Vec<_> = loaded.at(hook, v6).collect();
    chains.sort_by_key(|(_, chain)| chain.base.as_ref().map(|base| base.priority));
    let any = Packet { v6, on_loopback: false, from_loopback: false, to: None };
    let own = Packet { on_loopback: true, from_loopback: true, ..any };
    let spoofed = Packet { from_loopback: true, ..any };
    PacketFilter {
        path: Fact::derived(""),
        hook: Fact::derived(hook),
        family: Fact::derived(family(v6)),
        chains: Fact::Known(chains.iter().map(|(_, chain)| named(chain)).collect(), origin.clone()),
        default_denies: loaded.drops(hook, any, Ends::dropped),
        drops_by_policy: drops_by_policy(loaded, hook, v6),
        accepts_loopback: only(hook != "forward", loaded.passes(hook, own)),
        drops_spoofed_loopback: only(hook == "input", loaded.drops(hook, spoofed, Ends::dropped_by_source)),
        named_ports: ports(loaded, hook, v6),
        guards_containers: only(hook == "forward", guards(loaded, v6)),
        docker_hooked: only(hook == "forward", docker_hooked(loaded, v6)),
    }
}

fn drops_by_policy(loaded: &Loaded, hook: &str, v6: bool) -> Fact<Flag> {
    let drops = loaded.at(hook, v6).any(|(_, chain)| chain.base.as_ref().is_some_and(|base| base.drops));
    match loaded.doubt(v6) {
        Some(gap) if !drops => Fact::Unknown(gap.clone()),
        _ => Fact::Known(drops, Origin::kernel(KERNEL)),
    }
}

/// How a chain is called.
pub(super) fn named(chain: &Chain) -> Text {
    format!("{} {} {}", chain.family.word(), chain.table, chain.name).into()
}

fn ports(loaded: &Loaded, hook: &str, v6: bool) -> Fact<List> {
    let mut found: Vec<_> = loaded.at(hook, v6).flat_map(|(ruleset, chain)| named_ports(ruleset, chain, v6)).collect();
    found.sort_unstable();
    found.dedup();
    let text = |(protocol, from, to): (u16, u16, u16)| {
        let protocol = match protocol {
            6 => "tcp",
            17 => "udp",
            132 => "sctp",
            136 => "udplite",
            _ => return None,
        };
        Some(Text::from(if from == to { format!("{protocol}/{from}") } else { format!("{protocol}/{from}-{to}") }))
    };
    let known = Fact::Known(found.into_iter().filter_map(text).collect(), Origin::kernel(KERNEL));
    loaded.doubt(v6).map_or(known, |gap| Fact::Unknown(gap.clone()))
}

/// Whether a rule at the host's `input` names a port, in a family.
pub(crate) fn names_port(loaded: &Loaded, v6: bool, protocol: &str, number: u16) -> Fact<bool> {
    let protocol = match protocol {
        "tcp" => 6,
        "udp" => 17,
        "sctp" => 132,
        "udplite" => 136,
        _ => return Fact::Absent(Origin::Derived),
    };
    if let Err(gap) = &loaded.ruleset {
        return Fact::Unknown(gap.clone());
    }
    let of = |(ruleset, chain)| named_ports(ruleset, chain, v6);
    let named = loaded.at("input", v6).flat_map(of).any(|(number_of, from, to)| number_of == protocol && (from..=to).contains(&number));
    match loaded.doubt(v6) {
        Some(gap) if !named => Fact::Unknown(gap.clone()),
        _ => Fact::Known(named, Origin::kernel(KERNEL)),
    }
}

fn guards(loaded: &Loaded, v6: bool) -> Fact<Flag> {
    let origin = Origin::kernel(KERNEL);
    for (ruleset, chain) in loaded.at("forward", v6) {
        let of_nobody = owner::of(chain) == "host" && !owner::of_iptables(chain);
        let policy = chain.base.as_ref().is_some_and(|base| base.drops);
        let own_chain = of_nobody && (policy || holds_up(ruleset, chain));
        let docker_user = reached(ruleset, chain).into_iter().any(|chain| chain.name == "DOCKER-USER" && holds_up(ruleset, chain));
        if own_chain || docker_user {
            return Fact::Known(true, origin);
        }
    }
    loaded.doubt(v6).map_or(Fact::Known(false, origin), |gap| Fact::Unknown(gap.clone()))
}

fn docker_hooked(loaded: &Loaded, v6: bool) -> Fact<Flag> {
    let origin = Origin::kernel(KERNEL);
    let hooked = loaded.at("forward", v6).any(|(ruleset, chain)| {
        chain.table == "docker-bridges"
            || reached(ruleset, chain).into_iter().any(|chain| chain.name == "DOCKER" || chain.name == "DOCKER-FORWARD")
    });
    match loaded.doubt(v6) {
        Some(gap) if !hooked => Fact::Unknown(gap.clone()),
        _ => Fact::Known(hooked, origin),
    }
}

/// Whether a chain, or one reached from it, has a rule that drops.
fn holds_up(ruleset: &Ruleset, chain: &Chain) -> bool {
    let drops = |chain: &&Chain| chain.rules.iter().flat_map(|rule| &rule.steps).any(|step| step.verdict == Verdict::Drop);
    std::iter::once(chain).chain(reached(ruleset, chain)).any(|chain| drops(&chain))
}

/// The chains that are jumped to from a chain, and from those.
pub(super) fn reached<'a>(ruleset: &'a Ruleset, chain: &'a Chain) -> Vec<&'a Chain> {
    let mut found: Vec<&Chain> = Vec::new();
    let mut next = vec![chain];
    while let Some(from) = next.pop() {
        for step in from.rules.iter().flat_map(|rule| &rule.steps) {
            let (Verdict::Jump(name) | Verdict::Goto(name)) = &step.verdict else { continue };
            let is = |other: &&Chain| other.family == from.family && other.table == from.table && other.name == *name;
            if let Some(to) = ruleset.chains.iter().find(is)
                && !found.iter().any(|seen| std::ptr::eq(*seen, to))
            {
                found.push(to);
                next.push(to);
            }
        }
    }
    found
}
