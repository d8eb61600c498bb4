//! The rules loaded in the kernel, from the netlink messages of `AUDIT_LIST_RULES`.

use std::collections::BTreeSet;

use super::fields::{self, Comparison, Kind, Operator};
use super::syscalls::{self, Machine};
use super::{Access, Action, Arch, Calls, Filter, Rule, Scope, Watch};
use crate::fact::Reason;

const ERROR: u16 = 2;
const DONE: u16 = 3;
const GET: u16 = 1000;
const LIST_RULES: u16 = 1013;
/// Length of a netlink header; also what messages of `audit_rule_data` are counted from.
const HEADER: usize = 16;
/// Words of the system call mask, and fields of a rule.
const WORDS: usize = 64;
/// More rules than anybody loads; what comes after is not read.
const MOST_RULES: usize = 200_000;

/// What the kernel says of its audit system: `struct audit_status`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
    /// 0 off, 1 on, 2 on and locked until the next start.
    pub enabled: u32,
    /// What happens when records are lost: 0 nothing, 1 a line in the kernel's log, 2 a panic.
    pub failure: u32,
    /// Process id of the daemon that takes the records; 0 where none does.
    pub pid: u32,
    /// Records that may wait.
    pub backlog_limit: u32,
    /// Records lost since the start.
    pub lost: u32,
    /// Records that wait.
    pub backlog: u32,
}

/// The status among the messages of one listing, where whoever asked for the rules asked for it too.
#[must_use]
pub fn status(messages: &[u8]) -> Option<Status> {
    let mut rest = messages;
    while !rest.is_empty() {
        let length = number(rest, 0).map(|length| length as usize).filter(|length| (HEADER..=rest.len()).contains(length))?;
        let message = rest.get(..length)?;
        if number(message, 4)? & 0xffff == u32::from(GET) {
            let word = |index: usize| number(message, HEADER + index * 4);
            return Some(Status {
                enabled: word(1)?,
                failure: word(2)?,
                pid: word(3)?,
                backlog_limit: word(5)?,
                lost: word(6)?,
                backlog: word(7)?,
            });
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    None
}

/// Reads the messages of one listing, up to and including its end mark.
///
/// # Errors
///
/// `Denied` or `Unreachable` where the kernel answered with an error, `TooLarge` past 200,000 rules, and
/// `Malformed` where lengths do not add up or the end mark is missing: part of a list is no list, since a rule
/// that was lost may be one that silences the others.
pub fn read(messages: &[u8], machine: Machine) -> Result<Vec<Rule>, Reason> {
    let mut rules = Vec::new();
    let mut rest = messages;
    while !rest.is_empty() {
        let length = number(rest, 0).map(|length| length as usize).filter(|length| (HEADER..=rest.len()).contains(length));
        let message = length.and_then(|length| rest.get(..length)).ok_or_else(|| Reason::malformed("a message with a wrong length"))?;
        let kind = number(message, 4).map_or(0, |word| (word & 0xffff) as u16);
        let body = message.get(HEADER..).unwrap_or_default();
        match kind {
            DONE => return Ok(rules),
            ERROR => match number(body, 0).map(u32::cast_signed) {
                Some(0) => {}
                Some(-1 | -13) => return Err(Reason::Denied),
                Some(_) => return Err(Reason::Unreachable),
                None => return Err(Reason::malformed("an error message without its number")),
            },
            LIST_RULES if rules.len() >= MOST_RULES => return Err(Reason::TooLarge),
            LIST_RULES => rules.push(rule(body, machine).ok_or_else(|| Reason::malformed("a rule whose lengths do not add up"))?),
            _ => {}
        }
        rest = rest.get(message.len().next_multiple_of(4)..).unwrap_or_default();
    }
    Err(Reason::malformed("the list of rules has no end mark"))
}

/// The number at an offset, in the byte order of the machine that listed the rules: little-endian on every one that is supported.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

/// One `struct audit_rule_data`. `None` where its lengths do not add up.
fn rule(body: &[u8], machine: Machine) -> Option<Rule> {
    let word = |index: usize| number(body, index * 4);
    let (list, action, count) = (word(0)?, word(1)?, word(2)? as usize);
    let strings = body.get((3 + 4 * WORDS + 1) * 4..)?;
    let mut strings = strings.get(..word(3 + 4 * WORDS)? as usize)?;
    if count > WORDS {
        return None;
    }
    let mut rule = Rule {
        // The highest bit asks for a place at the head of the list; the kernel does not give it back.
        list: match list & 0x7fff_ffff {
            0 => Filter::User,
            1 => Filter::Task,
            4 => Filter::Exit,
            5 => Filter::Exclude,
            6 => Filter::Filesystem,
            7 => Filter::Uring,
            _ => return None,
        },
        action: if action == 0 { Action::Never } else { Action::Always },
        arch: None,
        calls: Calls::All,
        watch: None,
        access: None,
        comparisons: Vec::new(),
        keys: Vec::new(),
    };
    for i in 0..count {
        let (field, value, flags) = (word(3 + WORDS + i)?, word(3 + 2 * WORDS + i)?, word(3 + 3 * WORDS + i)?);
        let mut string = || {
            let (text, rest) = strings.split_at_checked(value as usize)?;
            strings = rest;
            Some(String::from_utf8_lossy(text).into_owned())
        };
        let operator = Operator::of_flags(flags)?;
        let equal = operator == Operator::Equal;
        let compare = |field: &str, value: String| Comparison { field: field.to_owned(), operator, value, between_fields: false };
        match (field, fields::by_number(field)) {
            // "Somebody logged in": how the kernel keeps a comparison with the unset login user.
            (24, _) => {
                let set = (value != 0) == equal;
                let operator = if set { Operator::NotEqual } else { Operator::Equal };
                rule.comparisons.push(Comparison { operator, ..compare("auid", "unset".to_owned()) });
            }
            (111, _) => {
                let (left, right) = fields::pair_by_number(value)?;
                rule.comparisons.push(Comparison { between_fields: true, ..compare(left, right.to_owned()) });
            }
            (_, Some((_, Kind::Arch))) if equal && rule.arch.is_none() => rule.arch = Some(arch(value, machine)),
            (_, Some((name, Kind::Arch))) => rule.comparisons.push(compare(name, arch(value, machine).to_string())),
            (_, Some((_, Kind::Access))) => rule.access = Some(Access::from_bits(value)),
            (_, Some((_, Kind::Key))) => rule.keys.extend(string()?.split('\u{1}').map(str::to_owned)),
            (_, Some((_, Kind::Path))) if rule.watch.is_none() => rule.watch = Some(Watch { path: string()?, scope: Scope::Itself }),
            (_, Some((_, Kind::Dir))) if rule.watch.is_none() => rule.watch = Some(Watch { path: string()?, scope: Scope::Tree }),
            (_, Some((name, Kind::Text | Kind::Path | Kind::Dir))) => {
                let value = string()?;
                rule.comparisons.push(compare(name, value));
            }
            (_, Some((name, kind))) => rule.comparisons.push(compare(name, fields::value_of_number(kind, value))),
            // A field of a newer kernel: it restricts the rule, whatever it means.
            (other, None) => rule.comparisons.push(compare(&format!("field{other}"), value.to_string())),
        }
    }
    rule.comparisons.sort();
    rule.comparisons.dedup();
    if rule.list == Filter::Exit {
        rule.calls = calls(body, &rule, machine)?;
    }
    Some(rule)
}

fn calls(body: &[u8], rule: &Rule, machine: Machine) -> Option<Calls> {
    let mask: Vec<u32> = (0..WORDS).map(|word| number(body, (3 + word) * 4)).collect::<Option<_>>()?;
    // The kernel clears the last bits, which stand for classes of calls.
    if mask.iter().take(WORDS - 1).all(|word| *word == u32::MAX) {
        return Some(Calls::All);
    }
    let narrow = rule.arch == Some(Arch::B32);
    let machine = if matches!(rule.arch, Some(Arch::Other(_))) { Machine::Other } else { machine };
    let numbers = (0_u16..)
        .step_by(32)
        .zip(&mask)
        .flat_map(|(base, word)| (0..32).filter(move |bit| word >> bit & 1 == 1).map(move |bit| base + bit));
    Some(Calls::Some(numbers.map(|number| syscalls::name(machine, narrow, number)).collect::<BTreeSet<_>>()))
}

/// The architecture behind an `AUDIT_ARCH_` number, as the machine sees it.
pub(super) fn arch(number: u32, machine: Machine) -> Arch {
    match (machine, number) {
        (Machine::X86_64, 0xc000_003e) | (Machine::Aarch64, 0xc000_00b7) => Arch::B64,
        (Machine::X86_64, 0x4000_0003) | (Machine::Aarch64, 0x4000_0028) => Arch::B32,
        (Machine::Other, number) if number & 0x8000_0000 != 0 => Arch::B64,
        (Machine::Other, _) => Arch::B32,
        _ => Arch::Other(format!("{number:#x}")),
    }
}

#[cfg(test)]
pub(crate) mod tests;
