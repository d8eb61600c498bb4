//! What a chain does with a kind of packet.

use super::{Chain, Condition, Family, Ruleset, Verdict};

/// How deep chains may jump, as the kernel has it.
const DEEPEST: usize = 16;

/// The most rules looked at for one question: chains that jump to one another can be walked in very many ways.
const MOST_STEPS: usize = 2_000_000;

/// A kind of packet, all of a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Whether it is IPv6.
    pub v6: bool,
    /// Whether its interface is the loopback one, in and out; any other otherwise.
    pub on_loopback: bool,
    /// Whether it says to come from a loopback address.
    pub from_loopback: bool,
    /// Protocol and port it goes to; any otherwise.
    pub to: Option<(u16, u16)>,
}

/// Whether rules that only some packets of the kind meet are passed by, or may be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What becomes of a packet that none of them is about.
    Others,
    /// What may become of any.
    Any,
}

/// The ways a packet may end, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Ends(u8);

impl Ends {
    /// Accepted because of its interface.
    pub const ACCEPT_INTERFACE: Self = Self(1);
    /// Accepted, by a rule about something else or by the policy.
    pub const ACCEPT: Self = Self(2);
    /// Dropped because of its source.
    pub const DROP_SOURCE: Self = Self(4);
    /// Dropped, by another rule or by the policy.
    pub const DROP: Self = Self(8);
    /// Sent to another host.
    pub const TRANSLATE: Self = Self(16);
    /// Anything.
    pub const OPAQUE: Self = Self(32);
    const CONTINUE: Self = Self(64);
    const RETURN: Self = Self(128);

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it is dropped: `None` where that cannot be told.
    #[must_use]
    pub fn dropped(self) -> Option<bool> {
        self.within(Self(Self::DROP.0 | Self::DROP_SOURCE.0))
    }

    /// Whether it is accepted.
    #[must_use]
    pub fn accepted(self) -> Option<bool> {
        self.within(Self(Self::ACCEPT.0 | Self::ACCEPT_INTERFACE.0))
    }

    /// Whether it is dropped because of its source.
    #[must_use]
    pub fn dropped_by_source(self) -> Option<bool> {
        self.within(Self::DROP_SOURCE)
    }

    /// Whether it is sent to another host.
    #[must_use]
    pub fn translated(self) -> Option<bool> {
        self.within(Self::TRANSLATE)
    }

    fn within(self, wanted: Self) -> Option<bool> {
        match (self.has(wanted), self.without(wanted).0 != 0) {
            (true, false) => Some(true),
            (false, _) if !self.has(Self::OPAQUE) => Some(false),
            _ => None,
        }
    }
}

/// How a rule's conditions fit the packets of a kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fits {
    All,
    Some,
    None,
    Unclear,
}

impl Packet {
    fn fits(self, condition: &Condition, hook: &str) -> Fits {
        let sure = |yes: bool| if yes { Fits::All } else { Fits::None };
        let (incoming, outgoing) = match hook {
            "input" | "prerouting" | "ingress" => (true, false),
            "output" | "postrouting" => (false, true),
            _ => (true, true),
        };
        match condition {
            Condition::In(interface) | Condition::Out(interface) => {
                let is_in = matches!(condition, Condition::In(_));
                if !(if is_in { incoming } else { outgoing }) {
                    // No packet has such an interface here, so only what asks for another one holds.
                    return sure(interface.not);
                }
                let loopback =
                    interface.names.iter().any(|name| if interface.prefix { "lo".starts_with(name.as_str()) } else { name == "lo" });
                let only_loopback = loopback && !interface.prefix && interface.names.len() == 1;
                match (self.on_loopback, interface.not) {
                    (true, not) => sure(loopback != not),
                    (false, not) if only_loopback => sure(not),
                    (false, false) if interface.prefix && interface.names.iter().any(String::is_empty) => Fits::All,
                    (false, _) => Fits::Some,
                }
            }
            Condition::V6(v6) => sure(*v6 == self.v6),
            Condition::Protocol(numbers) => self.to.map_or(Fits::Some, |(protocol, _)| sure(numbers.has(protocol))),
            Condition::Port(numbers) => match self.to {
                Some((_, port)) => sure(numbers.has(port)),
                None if numbers.ranges == [(0, u16::MAX)] && !numbers.not => Fits::All,
                None => Fits::Some,
            },
            Condition::Source(addresses) | Condition::Destination(addresses) => {
                if addresses.v6 != self.v6 {
                    return sure(addresses.not);
                }
                let source = matches!(condition, Condition::Source(_));
                let (from, to) = match (self.on_loopback, source && self.from_loopback, self.v6) {
                    (true, _, false) => (0x7f00_0001, 0x7f00_0001),
                    (true, _, true) | (false, true, true) => (1, 1),
                    (false, true, false) => (0x7f00_0000, 0x7fff_ffff),
                    (false, false, false) => (0, u128::from(u32::MAX)),
                    (false, false, true) => (0, u128::MAX),
                };
                addresses.share(from, to).map_or(Fits::Some, sure)
            }
            // What comes in here is for this host, and what is forwarded is not.
            Condition::ToHost => match hook {
                "input" | "prerouting" => Fits::All,
                "forward" => Fits::None,
                _ => Fits::Unclear,
            },
            Condition::State(bits) => sure(bits & 8 != 0),
            Condition::Restricts => Fits::Some,
            Condition::Opaque => Fits::Unclear,
        }
    }
}

struct Walk<'a> {
    ruleset: &'a Ruleset,
    family: Family,
    table: &'a str,
    hook: &'a str,
    packet: Packet,
    mode: Mode,
    left: usize,
}

/// How packets of a kind may leave a chain that is hooked in; for one that is not, accepted.
#[must_use]
pub fn ends(ruleset: &Ruleset, chain: &Chain, packet: Packet, mode: Mode) -> Ends {
    let Some(base) = &chain.base else { return Ends::ACCEPT };
    let mut walk = Walk { ruleset, family: chain.family, table: &chain.table, hook: &base.hook, packet, mode, left: MOST_STEPS };
    let ends = walk.chain(chain, false, false, 0);
    let undecided = Ends(Ends::CONTINUE.0 | Ends::RETURN.0);
    let by_policy = if base.drops { Ends::DROP } else { Ends::ACCEPT };
    if ends.has(undecided) { ends.without(undecided).with(by_policy) } else { ends }
}

impl Walk<'_> {
    /// `interface` and `source`: whether a condition on the way here was about them.
    fn chain(&mut self, chain: &Chain, interface: bool, source: bool, depth: usize) -> Ends {
        let mut ends = Ends::default();
        for step in chain.rules.iter().flat_map(|rule| &rule.steps) {
            if self.left == 0 {
                return ends.with(Ends::OPAQUE);
            }
            self.left -= 1;
            let mut fits = Fits::All;
            for condition in &step.conditions {
                fits = match (fits, self.packet.fits(condition, self.hook)) {
                    (Fits::None, _) | (_, Fits::None) => Fits::None,
                    // What is understood decides for a packet that no rule is about.
                    (Fits::Some, _) | (_, Fits::Some) => Fits::Some,
                    (Fits::Unclear, _) | (_, Fits::Unclear) => Fits::Unclear,
                    (Fits::All, Fits::All) => Fits::All,
                };
            }
            if fits == Fits::None || (fits == Fits::Some && self.mode == Mode::Others) {
                continue;
            }
            let interface = interface || step.conditions.iter().any(|condition| matches!(condition, Condition::In(_) | Condition::Out(_)));
            let source = source || step.conditions.iter().any(|condition| matches!(condition, Condition::Source(_)));
            let outcome = self.verdict(&step.verdict, interface, source, depth);
            if fits == Fits::All && !outcome.has(Ends::CONTINUE) {
                return ends.with(outcome);
            }
            ends = ends.with(outcome.without(Ends::CONTINUE));
        }
        ends.with(Ends::CONTINUE)
    }

    fn verdict(&mut self, verdict: &Verdict, interface: bool, source: bool, depth: usize) -> Ends {
        match verdict {
            Verdict::Continue => Ends::CONTINUE,
            Verdict::Accept if interface => Ends::ACCEPT_INTERFACE,
            Verdict::Accept => Ends::ACCEPT,
            Verdict::Drop if source => Ends::DROP_SOURCE,
            Verdict::Drop => Ends::DROP,
            Verdict::Return => Ends::RETURN,
            Verdict::Translate => Ends::TRANSLATE,
            Verdict::Opaque => Ends::OPAQUE.with(Ends::CONTINUE),
            Verdict::Jump(name) | Verdict::Goto(name) => {
                let ruleset = self.ruleset;
                let found =
                    ruleset.chains.iter().find(|chain| chain.family == self.family && chain.table == self.table && chain.name == *name);
                let Some(chain) = found.filter(|_| depth < DEEPEST) else { return Ends::OPAQUE.with(Ends::CONTINUE) };
                let ends = self.chain(chain, interface, source, depth + 1);
                let undecided = Ends(Ends::CONTINUE.0 | Ends::RETURN.0);
                let back = if matches!(verdict, Verdict::Jump(_)) { Ends::CONTINUE } else { Ends::RETURN };
                if ends.has(undecided) { ends.without(undecided).with(back) } else { ends }
            }
        }
    }
}

/// The protocols and ports that rules in reach of a chain name: `(protocol, from, to)`. Rules that match every port name none.
#[must_use]
pub fn named_ports(ruleset: &Ruleset, chain: &Chain, v6: bool) -> Vec<(u16, u16, u16)> {
    let mut named = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let mut next: Vec<(&Chain, Option<u16>)> = vec![(chain, None)];
    while let Some((chain, inherited)) = next.pop() {
        for step in chain.rules.iter().flat_map(|rule| &rule.steps) {
            if step.conditions.contains(&Condition::V6(!v6)) || step.verdict == Verdict::Continue {
                continue;
            }
            // Loopback is not where others come from.
            let on_loopback =
                |condition: &Condition| matches!(condition, Condition::In(interface) if !interface.not && interface.names == ["lo"]);
            if step.conditions.iter().any(on_loopback) {
                continue;
            }
            let protocols: Vec<u16> = [6, 17, 132, 136, 33]
                .into_iter()
                .filter(|number| {
                    let all = step.conditions.iter().filter_map(|condition| match condition {
                        Condition::Protocol(numbers) => Some(numbers.has(*number)),
                        _ => None,
                    });
                    all.clone().all(|has| has) && inherited.is_none_or(|inherited| inherited == *number)
                })
                .collect();
            for condition in &step.conditions {
                let Condition::Port(numbers) = condition else { continue };
                if numbers.not {
                    continue;
                }
                for protocol in &protocols {
                    named.extend(numbers.ranges.iter().filter(|range| **range != (0, u16::MAX)).map(|(from, to)| (*protocol, *from, *to)));
                }
            }
            if let Verdict::Jump(name) | Verdict::Goto(name) = &step.verdict
                && !seen.contains(&name.as_str())
            {
                seen.push(name);
                let of = |other: &&Chain| other.family == chain.family && other.table == chain.table && other.name == *name;
                let only = if let [one] = protocols[..] { Some(one) } else { inherited };
                next.extend(ruleset.chains.iter().find(of).map(|chain| (chain, only)));
            }
        }
    }
    named.sort_unstable();
    named.dedup();
    named
}
