//! What the kernel tells of nftables: netlink messages of tables, chains, rules, sets and their elements.

use std::collections::HashMap;

use super::expression::{self, Set};
use super::{Base, Chain, Family, Rule, Ruleset};
use crate::fact::Reason;

const NLMSG_DONE: u16 = 3;
const NEW_TABLE: u16 = 10 << 8;
const NEW_CHAIN: u16 = 10 << 8 | 3;
const NEW_RULE: u16 = 10 << 8 | 6;
const NEW_SET: u16 = 10 << 8 | 9;
const NEW_ELEMENTS: u16 = 10 << 8 | 12;

/// Bytes of a netlink message's head, and of the netfilter head behind it.
const HEAD: usize = 16;
const FAMILY_HEAD: usize = 4;

/// The lists that are always asked for: tables, chains, rules, sets.
const LISTS: usize = 4;

/// Attributes by number. Flags in the number (nested, byte order) are taken off.
pub(super) struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Number and content of each; stops where one is cut short.
    pub(super) fn all(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (length, tail) = rest.split_first_chunk()?;
            let length = usize::from(u16::from_ne_bytes(*length));
            let kind = u16::from_ne_bytes(*tail.first_chunk()?) & 0x3fff;
            let content = rest.get(4..length)?;
            rest = rest.get(length.next_multiple_of(4).min(rest.len())..)?;
            Some((kind, content))
        })
    }

    pub(super) fn get(&self, kind: u16) -> Option<&'a [u8]> {
        self.all().find_map(|(number, content)| (number == kind).then_some(content))
    }

    pub(super) fn inside(&self, kind: u16) -> Attributes<'a> {
        Attributes(self.get(kind).unwrap_or_default())
    }

    /// A number in network order.
    pub(super) fn number(&self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(*self.get(kind)?.first_chunk()?))
    }

    pub(super) fn text(&self, kind: u16) -> Option<String> {
        self.get(kind).map(text)
    }

    /// Whether everything in it is as long as it says.
    fn is_whole(&self) -> bool {
        let mut taken = 0;
        for (_, content) in self.all() {
            taken += (content.len() + 4).next_multiple_of(4);
        }
        taken >= self.0.len()
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or(bytes)).into_owned()
}

/// What all messages say together.
///
/// # Errors
/// Where a message is cut short or one of the lists does not end: a filter of which a part is missing is another filter.
pub fn ruleset(bytes: &[u8]) -> Result<Ruleset, Reason> {
    let cut = || Reason::malformed("the list of the packet filter is cut short");
    let mut found = Ruleset::default();
    let mut dormant = Vec::new();
    let mut sets: HashMap<(u8, String, String), Set> = HashMap::new();
    let mut rules = Vec::new();
    let (mut ended, mut number_of_sets) = (0, 0);
    let mut rest = bytes;
    while !rest.is_empty() {
        let length =
            rest.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes)).and_then(|length| usize::try_from(length).ok()).ok_or_else(cut)?;
        let message = rest.get(..length).filter(|message| message.len() >= HEAD).ok_or_else(cut)?;
        rest = rest.get(length.next_multiple_of(4).min(rest.len())..).unwrap_or_default();
        let kind = message.get(4..).and_then(|bytes| bytes.first_chunk()).map(|bytes| u16::from_ne_bytes(*bytes)).ok_or_else(cut)?;
        if kind == NLMSG_DONE {
            ended += 1;
            continue;
        }
        let number = *message.get(HEAD).ok_or_else(cut)?;
        let attributes = Attributes::of(message.get(HEAD + FAMILY_HEAD..).ok_or_else(cut)?);
        if !attributes.is_whole() {
            return Err(cut());
        }
        let family = family(number);
        let name = |kind| attributes.text(kind).ok_or_else(cut);
        match kind {
            NEW_TABLE => {
                const DORMANT: u32 = 1;
                if attributes.number(2).unwrap_or(0) & DORMANT != 0 {
                    dormant.push((family, name(1)?));
                }
                found.tables.push((family, name(1)?));
            }
            NEW_CHAIN => {
                let base = attributes.get(4).map(|_| base(family, &attributes));
                found.chains.push(Chain { family, table: name(1)?, name: name(3)?, base, rules: Vec::new() });
            }
            NEW_RULE => rules.push((number, name(1)?, name(2)?, attributes.get(4).unwrap_or_default())),
            NEW_SET => {
                number_of_sets += 1;
                let set = Set::new(attributes.number(3).unwrap_or(0), attributes.number(5).unwrap_or(0));
                sets.insert((number, name(1)?, name(2)?), set);
            }
            NEW_ELEMENTS => {
                if let Some(set) = sets.get_mut(&(number, name(1)?, name(2)?)) {
                    attributes.inside(3).all().for_each(|(_, element)| set.add(&Attributes::of(element)));
                }
            }
            _ => {}
        }
    }
    if ended < LISTS + number_of_sets {
        return Err(cut());
    }
    for (number, table, name, expressions) in rules {
        let family = family(number);
        let find = |set: &str| sets.get(&(number, table.clone(), set.to_owned()));
        let rule = Rule { steps: expression::steps(family, expressions, &find) };
        let of = |chain: &&mut Chain| chain.family == family && chain.table == table && chain.name == name;
        found.chains.iter_mut().find(of).ok_or_else(cut)?.rules.push(rule);
    }
    // A dormant table is not hooked in.
    for chain in &mut found.chains {
        if dormant.contains(&(chain.family, chain.table.clone())) {
            chain.base = None;
        }
    }
    Ok(found)
}

fn family(number: u8) -> Family {
    match number {
        1 => Family::Inet,
        2 => Family::Ip,
        3 => Family::Arp,
        5 => Family::Netdev,
        7 => Family::Bridge,
        10 => Family::Ip6,
        _ => Family::Other,
    }
}

fn base(family: Family, chain: &Attributes<'_>) -> Base {
    const DROP: u32 = 0;
    let hook = chain.inside(4);
    let number = hook.number(1).unwrap_or(u32::MAX);
    let hook_name = match (family, number) {
        (Family::Netdev, 0) | (Family::Inet, 5) => "ingress".to_owned(),
        (Family::Netdev, 1) => "egress".to_owned(),
        (Family::Arp, 0) => "input".to_owned(),
        (Family::Arp, 1) => "output".to_owned(),
        (_, 0) => "prerouting".to_owned(),
        (_, 1) => "input".to_owned(),
        (_, 2) => "forward".to_owned(),
        (_, 3) => "output".to_owned(),
        (_, 4) => "postrouting".to_owned(),
        (_, number) => number.to_string(),
    };
    Base {
        hook: hook_name,
        kind: chain.text(7).unwrap_or_default(),
        priority: hook.number(2).unwrap_or(0).cast_signed(),
        drops: chain.number(5) == Some(DROP),
    }
}
