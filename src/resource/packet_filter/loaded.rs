//! What filters packets now: nftables as the kernel lists it, and whether there are tables of older iptables beside it.

use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::parse::packet_filter::evaluate::{Ends, Mode, Packet, ends};
use crate::parse::packet_filter::{self, Chain, Ruleset};
use crate::resource::Context;

/// The packet filter of the host.
pub(crate) struct Loaded {
    /// What nftables holds, iptables-nft included. Empty where the kernel has no nftables.
    pub(crate) ruleset: Result<Ruleset, Gap>,
    /// Of IPv4 and IPv6, why more may be filtered: tables of iptables-legacy, whose rules cannot be read.
    legacy: [Option<Gap>; 2],
    /// Whether IPv6 is in use.
    pub(crate) ipv6: Fact<bool>,
}

pub(crate) const KERNEL: &str = "nftables";

impl Loaded {
    pub(crate) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| {
            let ruleset = match context.host.packet_filter() {
                Fact::Known(bytes, origin) => packet_filter::ruleset(&bytes).map_err(|reason| Gap::new(origin, reason)),
                Fact::Absent(_) => Ok(Ruleset::default()),
                Fact::Unknown(gap) => Err(gap),
            };
            let legacy = ["/proc/1/net/ip_tables_names", "/proc/1/net/ip6_tables_names"].map(|path| legacy(context, path));
            Self { ruleset, legacy, ipv6: ipv6(context) }
        })
    }

    /// Why more may be filtered than the rules say that are known.
    pub(crate) fn doubt(&self, v6: bool) -> Option<&Gap> {
        let [v4, six] = &self.legacy;
        if v6 { six.as_ref() } else { v4.as_ref() }
    }

    /// The base chains that filter at a hook.
    pub(crate) fn at<'a>(&'a self, hook: &'a str, v6: bool) -> impl Iterator<Item = (&'a Ruleset, &'a Chain)> {
        self.ruleset.iter().flat_map(move |ruleset| {
            let here = move |chain: &&Chain| {
                chain.family.sees(v6) && chain.base.as_ref().is_some_and(|base| base.hook == hook && base.kind == "filter")
            };
            ruleset.chains.iter().filter(here).map(move |chain| (ruleset, chain))
        })
    }

    /// Whether a kind of packet is held up at a hook: some chain drops it. A packet has to get through all of them.
    pub(crate) fn drops(&self, hook: &str, packet: Packet, how: fn(Ends) -> Option<bool>) -> Fact<bool> {
        let origin = Origin::kernel(KERNEL);
        if let Err(gap) = &self.ruleset {
            return Fact::Unknown(gap.clone());
        }
        let mut open = false;
        for (ruleset, chain) in self.at(hook, packet.v6) {
            match how(ends(ruleset, chain, packet, Mode::Others)) {
                Some(true) => return Fact::Known(true, origin),
                Some(false) => {}
                None => open = true,
            }
        }
        // What is dropped before it gets here does not get here.
        let before = |(ruleset, chain)| how(ends(ruleset, chain, packet, Mode::Others)) == Some(true);
        if hook == "input" && !packet.on_loopback && self.at("prerouting", packet.v6).any(before) {
            return Fact::Known(true, origin);
        }
        match self.doubt(packet.v6) {
            _ if open => Fact::Unknown(Gap::new(origin, Reason::unsupported("it depends on a rule that is not understood"))),
            Some(gap) => Fact::Unknown(gap.clone()),
            None => Fact::Known(false, origin),
        }
    }

    /// Whether a kind of packet gets through all chains at a hook.
    pub(crate) fn passes(&self, hook: &str, packet: Packet) -> Fact<bool> {
        self.drops(hook, packet, |ends| ends.accepted().map(|accepted| !accepted)).map(|dropped| !dropped)
    }
}

/// Which tables of iptables-legacy the network namespace has. They may be empty; only their names can be read.
fn legacy(context: &Context<'_>, path: &str) -> Option<Gap> {
    let gap = |reason| Some(Gap::new(Origin::kernel(path), reason));
    match context.host.read(Path::new(path)) {
        Fact::Known(bytes, _) if bytes.iter().all(u8::is_ascii_whitespace) => None,
        Fact::Known(..) => gap(Reason::unsupported("there are tables of iptables-legacy, whose rules cannot be read")),
        // The module is not loaded.
        Fact::Absent(_) => None,
        Fact::Unknown(unread) => Some(unread),
    }
}

/// Whether any interface, or one still to come, has IPv6.
fn ipv6(context: &Context<'_>) -> Fact<bool> {
    const ALL: &str = "/proc/sys/net/ipv6/conf";
    let origin = Origin::kernel(ALL);
    let names = match context.host.list(Path::new(ALL)) {
        Fact::Known(names, _) => names,
        Fact::Absent(_) if context.host.list(Path::new("/proc/sys/net")).known().is_some_and(|names| !names.is_empty()) => {
            return Fact::Known(false, origin);
        }
        Fact::Absent(_) => return Fact::Unknown(Gap::new(origin, Reason::NotCollected)),
        Fact::Unknown(gap) => return Fact::Unknown(gap),
    };
    let mut unread = None;
    for name in names.iter().filter(|entry| !matches!(entry.name.to_str(), Some("all" | "lo"))) {
        let path = Path::new(ALL).join(&name.name).join("disable_ipv6");
        match context.host.read(&path) {
            Fact::Known(bytes, _) if bytes.trim_ascii() == b"0" => return Fact::Known(true, Origin::kernel(path.as_path())),
            Fact::Known(..) | Fact::Absent(_) => {}
            Fact::Unknown(gap) => unread = Some(gap),
        }
    }
    unread.map_or(Fact::Known(false, origin), Fact::Unknown)
}
