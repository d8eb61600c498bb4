//! Chains of nftables, those of iptables-nft included.

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Text, record};
use crate::parse::packet_filter::evaluate::named_ports;
use crate::parse::packet_filter::{Chain, Family, Ruleset, Verdict};

use super::packet_filter::{KERNEL, Loaded, named, owner, reached};
use super::{Context, Resource, Selector};

record! {
    /// One chain the kernel holds now. What the chains decide together is in `packet_filter`. Where there are tables of iptables-legacy, a
    /// record of which little is known stands for those of each family.
    pub struct PacketFilterChain("packet_filter_chain") {
        /// Family, table and name: `inet filter input`.
        chain: Text,
        /// `ip`, `ip6`, `inet`, `arp`, `bridge` or `netdev`.
        family: Text,
        /// Name of its table.
        table: Text,
        /// Its name.
        name: Text,
        /// `prerouting`, `input`, `forward`, `output`, `postrouting`, `ingress` or `egress`; absent for chains that are only jumped to, and in
        /// dormant tables.
        hook: Text,
        /// `filter`, `nat` or `route`; absent as the hook.
        kind: Text,
        /// Where it stands among the chains of its hook, the lowest first; absent as the hook.
        priority: Integer,
        /// `accept` or `drop`: what becomes of packets no rule decides about; absent as the hook.
        policy: Text,
        /// Number of its rules.
        rules: Integer,
        /// `nft`, `iptables-nft` or `iptables-legacy`: with which program's means it was made, as far as its name tells.
        source: Text,
        /// Who made it, by its name: `host`, `docker`, `ufw`, `firewalld`, `podman`, `fail2ban`, `kubernetes` and others.
        owner: Text,
        /// Whether it, or a chain reached from it, has a rule that drops or rejects.
        drops: Flag,
        /// Chains it jumps to, and those they do.
        jumps_to: List,
        /// Ports that its rules and those of chains reached from it name, as numbers or ranges of any protocol: `22`.
        named_ports: List,
    }
}

/// Finds the records.
pub struct PacketFilterChains;

impl Resource for PacketFilterChains {
    type Row = PacketFilterChain;
    const SELECTOR: &'static str = "family, table and name, such as `inet filter input`, or a glob such as `ip filter DOCKER*`";

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let loaded = Loaded::of(context);
        let ruleset = loaded.ruleset.as_ref().map_err(Gap::clone)?;
        let mut rows: Vec<_> =
            ruleset.chains.iter().filter(|chain| of.picks(named(chain).raw())).map(|chain| row(ruleset, chain)).collect();
        // Tables that cannot be read may hold chains of any name.
        rows.extend([(false, "ip"), (true, "ip6")].into_iter().filter_map(|(v6, family)| loaded.doubt(v6).map(|gap| unread(family, gap))));
        Ok(rows)
    }
}

/// What stands for the chains of iptables-legacy.
fn unread(family: &str, gap: &Gap) -> PacketFilterChain {
    PacketFilterChain {
        chain: Fact::derived(format!("{family} tables of iptables-legacy")),
        family: Fact::derived(family),
        source: Fact::derived("iptables-legacy"),
        ..PacketFilterChain::unknown(gap)
    }
}

fn row(ruleset: &Ruleset, chain: &Chain) -> PacketFilterChain {
    let origin = || Origin::kernel(KERNEL);
    let text = |text: &str| Fact::Known(Text::from(text), origin());
    let base = |text: fn(&crate::parse::packet_filter::Base) -> Text| {
        chain.base.as_ref().map_or_else(|| Fact::Absent(origin()), |base| Fact::Known(text(base), origin()))
    };
    let reached = reached(ruleset, chain);
    let drops = |chain: &Chain| chain.rules.iter().flat_map(|rule| &rule.steps).any(|step| step.verdict == Verdict::Drop);
    let mut ports: Vec<(u16, u16)> = [false, true]
        .into_iter()
        .filter(|v6| chain.family.sees(*v6))
        .flat_map(|v6| named_ports(ruleset, chain, v6))
        .map(|(_, from, to)| (from, to))
        .collect();
    ports.sort_unstable();
    ports.dedup();
    let port = |(from, to): (u16, u16)| Text::from(if from == to { from.to_string() } else { format!("{from}-{to}") });
    let mixed = matches!(chain.family, Family::Ip | Family::Ip6)
        && ruleset.chains.iter().any(|other| other.family == chain.family && other.table == chain.table && owner::of_iptables(other));
    PacketFilterChain {
        chain: Fact::Known(named(chain), origin()),
        family: text(chain.family.word()),
        table: text(&chain.table),
        name: text(&chain.name),
        hook: base(|base| base.hook.as_str().into()),
        kind: base(|base| base.kind.as_str().into()),
        priority: chain.base.as_ref().map_or_else(|| Fact::Absent(origin()), |base| Fact::Known(base.priority.into(), origin())),
        policy: base(|base| if base.drops { "drop" } else { "accept" }.into()),
        rules: Fact::Known(i64::try_from(chain.rules.len()).unwrap_or(i64::MAX), origin()),
        source: text(if mixed { "iptables-nft" } else { "nft" }),
        owner: text(owner::of(chain)),
        drops: Fact::Known(drops(chain) || reached.iter().any(|chain| drops(chain)), origin()),
        jumps_to: Fact::Known(reached.iter().map(|chain| chain.name.as_str().into()).collect(), origin()),
        named_ports: Fact::Known(ports.into_iter().map(port).collect(), origin()),
    }
}
