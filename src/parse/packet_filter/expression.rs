//! The expressions of a rule of nftables: a small machine that loads parts of a packet into registers and compares them.

use std::collections::HashMap;

use super::netlink::{Attributes, text};
use super::{Addresses, Condition, Family, Interface, Numbers, Step, Verdict, xt};

/// A set as far as its elements are needed.
pub(super) struct Set {
    flags: u32,
    key: usize,
    elements: Vec<Element>,
}

struct Element {
    key: Vec<u8>,
    key_end: Option<Vec<u8>>,
    ends_interval: bool,
    catch_all: bool,
    verdict: Option<Verdict>,
}

/// From and to, inclusive, and what a map of verdicts does with it.
type Range<'a> = (Vec<u8>, Vec<u8>, Option<&'a Verdict>);

const INTERVAL: u32 = 4;
const EVALUATED: u32 = 0x20;
const TIMEOUT: u32 = 0x10;
const CONCATENATED: u32 = 0x80;

/// The most ranges that are looked into: of a set with more only is known that it restricts.
const MOST_RANGES: usize = 100_000;

impl Set {
    pub(super) fn new(flags: u32, key: u32) -> Self {
        Self { flags, key: usize::try_from(key).unwrap_or(0), elements: Vec::new() }
    }

    pub(super) fn add(&mut self, element: &Attributes<'_>) {
        const ENDS_INTERVAL: u32 = 1;
        const CATCH_ALL: u32 = 2;
        let flags = element.number(3).unwrap_or(0);
        let data = element.inside(2);
        self.elements.push(Element {
            key: element.inside(1).get(1).unwrap_or_default().to_vec(),
            key_end: element.inside(10).get(1).map(<[u8]>::to_vec),
            ends_interval: flags & ENDS_INTERVAL != 0,
            catch_all: flags & CATCH_ALL != 0,
            verdict: data.get(2).map(|verdict| self::verdict(&Attributes::of(verdict))),
        });
    }

    /// Its ranges, from and to inclusive, each with its verdict. `None` where they change by themselves or are not understood.
    fn ranges(&self) -> Option<Vec<Range<'_>>> {
        if self.flags & (EVALUATED | TIMEOUT | CONCATENATED) != 0 || self.elements.len() > MOST_RANGES {
            return None;
        }
        let mut elements: Vec<&Element> = self.elements.iter().filter(|element| !element.catch_all).collect();
        if self.flags & INTERVAL == 0 {
            return Some(
                elements.into_iter().map(|element| (element.key.clone(), element.key.clone(), element.verdict.as_ref())).collect(),
            );
        }
        // The end of one interval may be the beginning of the next.
        elements.sort_by(|a, b| (&a.key, !a.ends_interval).cmp(&(&b.key, !b.ends_interval)));
        let mut ranges = Vec::new();
        let mut open: Option<&Element> = None;
        for element in elements {
            if let Some(start) = open.take() {
                let last = if element.ends_interval || element.key != start.key { before(&element.key) } else { element.key.clone() };
                ranges.push((start.key.clone(), last, start.verdict.as_ref()));
            }
            if !element.ends_interval {
                match &element.key_end {
                    Some(end) => ranges.push((element.key.clone(), end.clone(), element.verdict.as_ref())),
                    None => open = Some(element),
                }
            }
        }
        if let Some(start) = open {
            ranges.push((start.key.clone(), vec![0xff; self.key.max(start.key.len())], start.verdict.as_ref()));
        }
        Some(ranges)
    }
}

/// The number before one, as bytes.
fn before(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for byte in bytes.iter_mut().rev() {
        let (less, borrowed) = byte.overflowing_sub(1);
        *byte = less;
        if !borrowed {
            break;
        }
    }
    bytes
}

/// What a register holds.
#[derive(Clone, Debug)]
struct Loaded {
    part: Part,
    /// What is kept of it, where not all.
    mask: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    InIndex,
    OutIndex,
    InName,
    OutName,
    /// The number nftables has for IPv4 or IPv6.
    Family,
    /// The number Ethernet has.
    EtherType,
    Protocol,
    State,
    Network(u32, u32),
    Transport(u32, u32),
    /// What the address it goes to is to this host.
    DestinationType,
    /// A mark or status, zero where nobody set one.
    Mark,
    /// Something else of the packet's headers.
    Header,
    /// Something else.
    Other,
}

/// What a rule does.
pub(super) fn steps<'a>(family: Family, expressions: &[u8], set: &dyn Fn(&str) -> Option<&'a Set>) -> Vec<Step> {
    let mut rule =
        Reading { v6: family_of_table(family), registers: HashMap::new(), conditions: Vec::new(), steps: Vec::new(), verdict: None };
    for (_, expression) in Attributes::of(expressions).all() {
        let expression = Attributes::of(expression);
        let name = expression.text(1).unwrap_or_default();
        rule.read(&name, &expression.inside(2), set);
    }
    if let Some(verdict) = rule.verdict {
        rule.steps.push(Step { conditions: rule.conditions, verdict });
    } else if rule.steps.is_empty() {
        rule.steps.push(Step { conditions: rule.conditions, verdict: Verdict::Continue });
    }
    rule.steps
}

fn family_of_table(family: Family) -> Option<bool> {
    match family {
        Family::Ip => Some(false),
        Family::Ip6 => Some(true),
        _ => None,
    }
}

struct Reading {
    /// Whether only IPv6, or only IPv4, comes as far as this.
    v6: Option<bool>,
    registers: HashMap<u32, Loaded>,
    conditions: Vec<Condition>,
    steps: Vec<Step>,
    verdict: Option<Verdict>,
}

/// Registers of sixteen bytes are numbered 1 to 4, those of four bytes from 8.
fn register(number: Option<u32>) -> u32 {
    match number.unwrap_or(0) {
        number @ 1..=4 => (number - 1) * 4,
        number => number.wrapping_sub(8),
    }
}

impl Reading {
    fn load(&mut self, attributes: &Attributes<'_>, part: Part) {
        let _ = self.registers.insert(register(attributes.number(1)), Loaded { part, mask: None });
    }

    fn loaded(&self, attributes: &Attributes<'_>, kind: u16) -> Loaded {
        self.registers.get(&register(attributes.number(kind))).cloned().unwrap_or(Loaded { part: Part::Other, mask: None })
    }

    fn read<'a>(&mut self, name: &str, data: &Attributes<'_>, set: &dyn Fn(&str) -> Option<&'a Set>) {
        match name {
            "counter" | "log" | "notrack" | "last" | "flow_offload" => {}
            "meta" => self.meta(data),
            "ct" if data.get(1).is_some() => {
                let part = match data.number(2) {
                    Some(0) => Part::State,
                    // Status and mark.
                    Some(2 | 3) => Part::Mark,
                    _ => Part::Other,
                };
                self.load(data, part);
            }
            "ct" => {}
            "payload" => self.payload(data),
            "bitwise" => self.bitwise(data),
            "cmp" => self.compare(data),
            "range" => self.range(data),
            "lookup" => self.lookup(data, set),
            "immediate" => {
                if data.number(1) == Some(0) {
                    self.verdict = Some(verdict(&data.inside(2).inside(2)));
                } else {
                    self.load(data, Part::Other);
                }
            }
            "reject" | "synproxy" => self.verdict = Some(Verdict::Drop),
            "nat" => {
                const DESTINATION: u32 = 1;
                self.verdict = Some(if data.number(1) == Some(DESTINATION) { Verdict::Translate } else { Verdict::Accept });
            }
            "masq" | "redir" => self.verdict = Some(Verdict::Accept),
            "queue" | "fwd" | "tproxy" => self.verdict = Some(Verdict::Opaque),
            "limit" | "quota" | "connlimit" | "dynset" => self.conditions.push(Condition::Restricts),
            "objref" => {
                const COUNTER: u32 = 1;
                const HELPER: u32 = 3;
                if !matches!(data.number(1), Some(COUNTER | HELPER)) {
                    self.conditions.push(Condition::Restricts);
                }
            }
            // These load something; what is claimed of it follows.
            "fib" => {
                const TYPE: u32 = 3;
                const DESTINATION: u32 = 2;
                let is_type = data.number(2) == Some(TYPE) && data.number(3) == Some(DESTINATION);
                self.load(data, if is_type { Part::DestinationType } else { Part::Other });
            }
            "exthdr" => self.load(data, Part::Header),
            "rt" | "osf" | "xfrm" | "numgen" => self.load(data, Part::Other),
            "socket" | "tunnel" | "hash" => {
                let _ = self.registers.insert(register(data.number(2)), Loaded { part: Part::Other, mask: None });
            }
            "byteorder" => {
                let _ = self.registers.insert(register(data.number(2)), Loaded { part: Part::Other, mask: None });
            }
            "match" => {
                let info = data.get(3).unwrap_or_default();
                self.conditions.extend(xt::matched(&data.text(1).unwrap_or_default(), data.number(2).unwrap_or(0), info));
            }
            "target" => match xt::target(&data.text(1).unwrap_or_default()) {
                Some(Verdict::Continue) => {}
                Some(verdict) => self.verdict = Some(verdict),
                None => self.verdict = Some(Verdict::Opaque),
            },
            _ => self.conditions.push(Condition::Opaque),
        }
    }

    fn meta(&mut self, data: &Attributes<'_>) {
        // With a source register it sets something and asks nothing.
        if data.get(1).is_none() {
            return;
        }
        let part = match data.number(2) {
            Some(1) => Part::EtherType,
            Some(3) => Part::Mark,
            Some(4) => Part::InIndex,
            Some(5) => Part::OutIndex,
            Some(6) => Part::InName,
            Some(7) => Part::OutName,
            Some(15) => Part::Family,
            Some(16) => Part::Protocol,
            _ => Part::Other,
        };
        self.load(data, part);
    }

    fn payload(&mut self, data: &Attributes<'_>) {
        if data.get(1).is_none() {
            return;
        }
        let (offset, length) = (data.number(3).unwrap_or(u32::MAX), data.number(4).unwrap_or(0));
        let part = match data.number(2) {
            Some(1) => Part::Network(offset, length),
            Some(2) => Part::Transport(offset, length),
            _ => Part::Header,
        };
        self.load(data, part);
    }

    fn bitwise(&mut self, data: &Attributes<'_>) {
        let from = self.loaded(data, 1);
        let value = |kind| data.inside(kind).get(1).unwrap_or_default();
        let changed = data.number(6).unwrap_or(0) != 0 || value(5).iter().any(|byte| *byte != 0) || from.mask.is_some();
        let to = if changed { Loaded { part: Part::Other, mask: None } } else { Loaded { mask: Some(value(4).to_vec()), ..from } };
        let _ = self.registers.insert(register(data.number(2)), to);
    }

    fn compare(&mut self, data: &Attributes<'_>) {
        let loaded = self.loaded(data, 1);
        let value = data.inside(3).get(1).unwrap_or_default();
        let highest = vec![0xff; value.len()];
        let lowest = vec![0; value.len()];
        let condition = match data.number(2) {
            Some(0) => self.in_ranges(&loaded, &[(value.to_vec(), value.to_vec())], false),
            Some(1) => self.in_ranges(&loaded, &[(value.to_vec(), value.to_vec())], true),
            Some(2) if value.iter().any(|byte| *byte != 0) => self.in_ranges(&loaded, &[(lowest, before(value))], false),
            Some(3) => self.in_ranges(&loaded, &[(lowest, value.to_vec())], false),
            Some(4) => self.in_ranges(&loaded, &[(lowest, value.to_vec())], true),
            Some(5) => self.in_ranges(&loaded, &[(value.to_vec(), highest)], false),
            _ => Condition::Opaque,
        };
        self.add(condition);
    }

    fn range(&mut self, data: &Attributes<'_>) {
        let value = |kind| data.inside(kind).get(1).unwrap_or_default().to_vec();
        let condition = self.in_ranges(&self.loaded(data, 1), &[(value(3), value(4))], data.number(2) == Some(1));
        self.add(condition);
    }

    fn add(&mut self, condition: Condition) {
        if let Condition::V6(v6) = condition {
            self.v6 = Some(v6);
        }
        // A range of ports is compared with each of its ends.
        if let (Some(Condition::Port(so_far)), Condition::Port(more)) = (self.conditions.last_mut(), &condition)
            && !so_far.not
            && !more.not
        {
            let inside = |(from, to): &(u16, u16)| {
                more.ranges.iter().map(|(low, high)| (*from.max(low), *to.min(high))).filter(|(from, to)| from <= to).collect::<Vec<_>>()
            };
            so_far.ranges = so_far.ranges.iter().flat_map(inside).collect();
            return;
        }
        self.conditions.push(condition);
    }

    fn lookup<'a>(&mut self, data: &Attributes<'_>, set: &dyn Fn(&str) -> Option<&'a Set>) {
        const INVERTED: u32 = 1;
        const VERDICT: u32 = 0;
        let not = data.number(5).unwrap_or(0) & INVERTED != 0;
        let loaded = self.loaded(data, 2);
        let name = data.get(1).map(text).unwrap_or_default();
        let found = set(&name);
        if data.number(3) == Some(VERDICT) {
            return self.map(&loaded, found);
        }
        if data.get(3).is_some() {
            // A map to something else than a verdict: it restricts, and loads.
            let _ = self.registers.insert(register(data.number(3)), Loaded { part: Part::Other, mask: None });
            return self.conditions.push(Condition::Restricts);
        }
        let condition = match found.and_then(Set::ranges) {
            Some(ranges) => {
                let ranges: Vec<_> = ranges.into_iter().map(|(from, to, _)| (from, to)).collect();
                self.in_ranges(&loaded, &ranges, not)
            }
            None if found.is_some() && !not => Condition::Restricts,
            None => Condition::Opaque,
        };
        self.add(condition);
    }

    /// A map of verdicts: one step for each element.
    fn map(&mut self, loaded: &Loaded, set: Option<&Set>) {
        let Some(set) = set else {
            self.steps.push(Step { conditions: self.conditions.clone(), verdict: Verdict::Opaque });
            return;
        };
        let step = |condition: Condition, verdict: Option<&Verdict>| {
            let conditions = self.conditions.iter().cloned().chain([condition]).collect();
            Step { conditions, verdict: verdict.cloned().unwrap_or(Verdict::Opaque) }
        };
        let steps: Vec<Step> = match set.ranges() {
            Some(ranges) => {
                ranges.into_iter().map(|(from, to, verdict)| step(self.in_ranges(loaded, &[(from, to)], false), verdict)).collect()
            }
            // Which element decides is not looked into: each may.
            None => set.elements.iter().map(|element| step(Condition::Restricts, element.verdict.as_ref())).collect(),
        };
        let rest = set.elements.iter().filter(|element| element.catch_all);
        let rest: Vec<Step> = rest
            .map(|element| Step { conditions: self.conditions.clone(), verdict: element.verdict.clone().unwrap_or(Verdict::Opaque) })
            .collect();
        self.steps.extend(steps);
        self.steps.extend(rest);
    }

    /// The condition that what was loaded is in one of some ranges.
    fn in_ranges(&self, loaded: &Loaded, ranges: &[(Vec<u8>, Vec<u8>)], not: bool) -> Condition {
        match self.understood(loaded, ranges, not) {
            Some(condition) => condition,
            // Parts of headers differ from packet to packet, so not every one has what is asked for.
            None if matches!(loaded.part, Part::Header | Part::Network(..) | Part::Transport(..)) && !not => Condition::Restricts,
            None => Condition::Opaque,
        }
    }

    fn understood(&self, loaded: &Loaded, ranges: &[(Vec<u8>, Vec<u8>)], not: bool) -> Option<Condition> {
        let exact = || ranges.iter().map(|(from, to)| (from == to).then_some(from.as_slice())).collect::<Option<Vec<_>>>();
        match loaded.part {
            Part::InIndex | Part::OutIndex if loaded.mask.is_none() => {
                let index = |bytes: &&[u8]| Some(u32::from_ne_bytes(*bytes.first_chunk()?));
                let all = exact()?;
                let names =
                    all.iter().map(|bytes| index(bytes).map(|index| if index == 1 { "lo".to_owned() } else { format!("#{index}") }));
                let interface = Interface { names: names.collect::<Option<_>>()?, prefix: false, not };
                Some(if loaded.part == Part::InIndex { Condition::In(interface) } else { Condition::Out(interface) })
            }
            Part::InName | Part::OutName if loaded.mask.is_none() => {
                let all = exact()?;
                let prefix = all.iter().any(|name| !name.contains(&0) && name.len() < 16);
                if prefix && all.len() > 1 {
                    return None;
                }
                let interface = Interface { names: all.into_iter().map(text).collect(), prefix, not };
                Some(if loaded.part == Part::InName { Condition::In(interface) } else { Condition::Out(interface) })
            }
            Part::Family if loaded.mask.is_none() => match exact()?.as_slice() {
                [[2, ..]] => Some(Condition::V6(not)),
                [[10, ..]] => Some(Condition::V6(!not)),
                _ => None,
            },
            Part::EtherType if loaded.mask.is_none() => match exact()?.as_slice() {
                [[0x08, 0x00, ..]] if !not => Some(Condition::V6(false)),
                [[0x86, 0xdd, ..]] if !not => Some(Condition::V6(true)),
                _ => None,
            },
            Part::State => self.state(loaded, ranges, not),
            Part::DestinationType => {
                const LOCAL: u32 = 2;
                let local = exact()?.iter().any(|bytes| bytes.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes)) == Some(LOCAL));
                (local && !not).then_some(Condition::ToHost)
            }
            Part::Mark => {
                let zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
                let marked = if not { exact()?.iter().all(|bytes| zero(bytes)) } else { !ranges.iter().any(|(from, _)| zero(from)) };
                (marked && (!not || loaded.mask.is_some() || !ranges.is_empty())).then_some(Condition::Restricts)
            }
            Part::Protocol if loaded.mask.is_none() => Some(Condition::Protocol(numbers(ranges, 1, not)?)),
            Part::Network(offset, length) => self.network(loaded, offset, length, ranges, not),
            Part::Transport(2, 2) if loaded.mask.is_none() => Some(Condition::Port(numbers(ranges, 2, not)?)),
            // Both ports at once: the source's is one more restriction, which a named port does not need.
            Part::Transport(0, 4) if loaded.mask.is_none() && !not => {
                let all =
                    exact()?.iter().map(|bytes| Some(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))).collect::<Option<Vec<_>>>()?;
                Some(Condition::Port(Numbers { ranges: all.into_iter().map(|port| (port, port)).collect(), not: false }))
            }
            _ => None,
        }
    }

    fn state(&self, loaded: &Loaded, ranges: &[(Vec<u8>, Vec<u8>)], not: bool) -> Option<Condition> {
        let bits = |bytes: &[u8]| Some(u32::from_ne_bytes(*bytes.first_chunk()?));
        let all: Vec<u32> = ranges.iter().map(|(from, to)| if from == to { bits(from) } else { None }).collect::<Option<_>>()?;
        match (&loaded.mask, all.as_slice(), not) {
            // With a mask: any of its bits is what `state & mask != 0` says.
            (Some(mask), [0], true) => Some(Condition::State(bits(mask)?)),
            (Some(mask), [0], false) => Some(Condition::State(!bits(mask)?)),
            (None, all, false) => Some(Condition::State(all.iter().fold(0, |sum, bits| sum | bits))),
            (None, all, true) => Some(Condition::State(!all.iter().fold(0, |sum, bits| sum | bits))),
            _ => None,
        }
    }

    fn network(&self, loaded: &Loaded, offset: u32, length: u32, ranges: &[(Vec<u8>, Vec<u8>)], not: bool) -> Option<Condition> {
        match (self.v6?, offset, length) {
            (false, 9, 1) | (true, 6, 1) if loaded.mask.is_none() => Some(Condition::Protocol(numbers(ranges, 1, not)?)),
            (false, 12, 1..=4) => Some(Condition::Source(addresses(loaded, ranges, false, not)?)),
            (false, 16, 1..=4) => Some(Condition::Destination(addresses(loaded, ranges, false, not)?)),
            (true, 8, 1..=16) => Some(Condition::Source(addresses(loaded, ranges, true, not)?)),
            (true, 24, 1..=16) => Some(Condition::Destination(addresses(loaded, ranges, true, not)?)),
            _ => None,
        }
    }
}

fn numbers(ranges: &[(Vec<u8>, Vec<u8>)], length: usize, not: bool) -> Option<Numbers> {
    let number = |bytes: &[u8]| {
        let bytes = bytes.get(..length)?;
        Some(bytes.iter().fold(0u16, |sum, byte| sum << 8 | u16::from(*byte)))
    };
    let ranges = ranges.iter().map(|(from, to)| Some((number(from)?, number(to)?))).collect::<Option<_>>()?;
    Some(Numbers { ranges, not })
}

/// Addresses whose first bytes are in ranges; a mask must be one of leading bits.
fn addresses(loaded: &Loaded, ranges: &[(Vec<u8>, Vec<u8>)], v6: bool, not: bool) -> Option<Addresses> {
    let bytes = if v6 { 16 } else { 4 };
    let number = |value: &[u8], fill: u8| {
        let filled = value.iter().copied().chain(std::iter::repeat(fill)).take(bytes);
        filled.fold(0u128, |sum, byte| sum << 8 | u128::from(byte))
    };
    let host = match &loaded.mask {
        None => 0,
        Some(mask) => {
            let width = bytes as u32 * 8;
            let mask = number(mask, 0);
            let all = if width == 128 { u128::MAX } else { (1 << width) - 1 };
            let host = !mask & all;
            (host & host.wrapping_add(1) == 0).then_some(host)?
        }
    };
    let ranges = ranges.iter().map(|(from, to)| (number(from, 0), number(to, 0xff) | host)).collect();
    Some(Addresses { ranges, v6, not })
}

fn verdict(data: &Attributes<'_>) -> Verdict {
    let chain = || data.text(2).unwrap_or_default();
    match data.number(1).map(u32::cast_signed) {
        Some(0) => Verdict::Drop,
        Some(1) => Verdict::Accept,
        Some(-1 | -2) => Verdict::Continue,
        Some(-3) => Verdict::Jump(chain()),
        Some(-4) => Verdict::Goto(chain()),
        Some(-5) => Verdict::Return,
        _ => Verdict::Opaque,
    }
}
