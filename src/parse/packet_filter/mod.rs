//! Packet filters: one model of chains and rules, whatever they are written in.
//!
//! A rule is kept as far as it matters for what a filter does with a kind of packet: conditions that are understood, those
//! that are understood to restrict and not looked into, and those that are not understood. Nothing is guessed of the last.

pub mod evaluate;
mod expression;
mod iptables;
mod netlink;
mod script;
mod xt;

use std::net::IpAddr;

pub use iptables::saved;
pub use netlink::ruleset;
pub use script::{Include, Script, script};

/// Which packets a table sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
    /// Both.
    Inet,
    /// ARP.
    Arp,
    /// Frames of bridges.
    Bridge,
    /// Everything of some devices.
    Netdev,
    /// One this version does not know.
    Other,
}

impl Family {
    /// The word nft has for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Ip6 => "ip6",
            Self::Inet => "inet",
            Self::Arp => "arp",
            Self::Bridge => "bridge",
            Self::Netdev => "netdev",
            Self::Other => "other",
        }
    }

    /// The family with a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::Ip, Self::Ip6, Self::Inet, Self::Arp, Self::Bridge, Self::Netdev].into_iter().find(|family| family.word() == word)
    }

    /// Whether packets of IPv4, or of IPv6, pass here.
    #[must_use]
    pub fn sees(self, v6: bool) -> bool {
        matches!((self, v6), (Self::Inet, _) | (Self::Ip, false) | (Self::Ip6, true))
    }
}

/// All chains of all tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// Tables, by family and name.
    pub tables: Vec<(Family, String)>,
    /// Chains, in the order they were listed.
    pub chains: Vec<Chain>,
}

/// One chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Family of its table.
    pub family: Family,
    /// Name of its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Where it is hooked into the path of packets; none for those that are only jumped to, or whose table is dormant.
    pub base: Option<Base>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// Where a chain is hooked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// `prerouting`, `input`, `forward`, `output`, `postrouting`, `ingress`, `egress` or a number.
    pub hook: String,
    /// `filter`, `nat` or `route`.
    pub kind: String,
    /// Lower comes first.
    pub priority: i32,
    /// Whether what no rule decides is dropped.
    pub drops: bool,
}

/// One rule: what it does in turn. Most have one step; a map of verdicts has one for each of its elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Its steps.
    pub steps: Vec<Step>,
}

/// Conditions that must all hold, and what happens then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The conditions; none holds always.
    pub conditions: Vec<Condition>,
    /// What happens.
    pub verdict: Verdict,
}

/// What a rule does with a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on to the next rule.
    Continue,
    /// It has passed this chain's hook.
    Accept,
    /// It is dropped or rejected.
    Drop,
    /// It goes back to where the chain was jumped from.
    Return,
    /// It goes through another chain and comes back.
    Jump(String),
    /// It goes through another chain.
    Goto(String),
    /// Its destination is changed to another host.
    Translate,
    /// What happens is not understood, or a program decides.
    Opaque,
}

/// What must be true of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It came in through an interface.
    In(Interface),
    /// It goes out through one.
    Out(Interface),
    /// It is IPv6, or IPv4.
    V6(bool),
    /// Its protocol is one of these numbers.
    Protocol(Numbers),
    /// Where it comes from.
    Source(Addresses),
    /// Where it goes to.
    Destination(Addresses),
    /// The port it goes to.
    Port(Numbers),
    /// The state of its connection is one of these bits: 1 invalid, 2 established, 4 related, 8 new, 64 untracked.
    State(u32),
    /// Its destination is an address of this host.
    ToHost,
    /// Something that only some packets have.
    Restricts,
    /// Something that is not understood.
    Opaque,
}

/// Interfaces by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Names, or beginnings of names where `prefix`.
    pub names: Vec<String>,
    /// Whether the names are beginnings.
    pub prefix: bool,
    /// Whether it is any other than these.
    pub not: bool,
}

/// A set of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// From and to, inclusive.
    pub ranges: Vec<(u16, u16)>,
    /// Whether it is any other than these.
    pub not: bool,
}

impl Numbers {
    /// Just one.
    #[must_use]
    pub fn one(number: u16) -> Self {
        Self { ranges: vec![(number, number)], not: false }
    }

    /// Whether a number is in the set.
    #[must_use]
    pub fn has(&self, number: u16) -> bool {
        self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&number)) != self.not
    }
}

/// A set of addresses of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// From and to, inclusive, as numbers.
    pub ranges: Vec<(u128, u128)>,
    /// Whether they are addresses of IPv6.
    pub v6: bool,
    /// Whether it is any other than these.
    pub not: bool,
}

impl Addresses {
    /// A network.
    #[must_use]
    pub fn network(address: IpAddr, prefix: u32, not: bool) -> Self {
        let (number, bits, v6) = match address {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32u32, false),
            IpAddr::V6(address) => (u128::from(address), 128, true),
        };
        let host = bits.saturating_sub(prefix);
        let mask = if host >= 128 { u128::MAX } else { (1u128 << host) - 1 };
        Self { ranges: vec![(number & !mask, number | mask)], v6, not }
    }

    /// How much of a range of addresses is in the set: all, none, or some.
    #[must_use]
    pub fn share(&self, from: u128, to: u128) -> Option<bool> {
        let inside = self.ranges.iter().any(|(low, high)| *low <= from && to <= *high);
        let touched = self.ranges.iter().any(|(low, high)| *low <= to && from <= *high);
        match (inside, touched) {
            (true, _) => Some(!self.not),
            (false, false) => Some(self.not),
            (false, true) => None,
        }
    }
}
