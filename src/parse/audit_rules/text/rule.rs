//! One rule, from the words of its line.

use std::collections::BTreeSet;

use crate::parse::audit_rules::fields::{self, Comparison, Kind, Names, Operator};
use crate::parse::audit_rules::{Access, Action, Arch, Calls, Filter, Machine, Rule, Scope, Watch, kernel, syscalls};

/// Fields the kernel takes in one rule.
const MOST_FIELDS: usize = 64;

/// The option a line begins with, and its value: the next word, or what follows a letter in the same word.
pub(super) fn option(words: &[String]) -> Result<(&str, Option<&str>), String> {
    let first = words.first().map(String::as_str).unwrap_or_default();
    let second = words.get(1).map(String::as_str);
    match first.char_indices().nth(2) {
        Some((at, _)) if first.starts_with('-') && !first.starts_with("--") => {
            let (option, value) = first.split_at(at);
            Ok((option, Some(value)))
        }
        _ if first.starts_with('-') => Ok((first, second)),
        _ => Err(format!("`{first}` is not an option of auditctl")),
    }
}

/// One rule from the words of its line.
pub(super) fn rule(words: &[String], names: &Names<'_>) -> Result<Rule, String> {
    let mut rule = Rule {
        list: Filter::Exit,
        action: Action::Always,
        arch: None,
        calls: Calls::All,
        watch: None,
        access: None,
        comparisons: Vec::new(),
        keys: Vec::new(),
    };
    let (mut calls, mut every_call, mut begun, mut fields) = (BTreeSet::new(), false, false, 0_usize);
    let mut rest = words;
    while let [first, after @ ..] = rest {
        let (letter, value) = option(rest)?;
        let value = value.ok_or_else(|| format!("`{letter}` without its value"))?;
        rest = if first == letter { after.get(1..).unwrap_or_default() } else { after };
        fields += 1;
        if fields > 2 * MOST_FIELDS {
            return Err(format!("a rule has at most {MOST_FIELDS} fields"));
        }
        match letter {
            "-a" | "-A" | "-d" if !begun => (rule.list, rule.action) = list_and_action(value)?,
            "-w" | "-W" if !begun => {
                // auditctl takes a slash off the end, and with it a link is no longer followed.
                let path = value.trim_end_matches('/');
                let path = if path.is_empty() { "/" } else { path };
                rule.watch = Some(Watch { path: absolute(path)?, scope: Scope::AsFound });
                rule.access = Some(Access::ALL);
            }
            _ if !begun => return Err(format!("`{letter}` before the rule it belongs to")),
            "-p" => rule.access = Some(access(value)?),
            "-k" => rule.keys.push(key(value)?),
            "-S" => {
                for call in value.split(',').filter(|call| !call.is_empty()) {
                    if call == "all" {
                        every_call = true;
                    } else {
                        calls.insert(call.to_owned());
                    }
                }
            }
            "-F" => field(&mut rule, value, names)?,
            "-C" => {
                let (left, operator, right) = Operator::split(value).ok_or_else(|| format!("`{value}` compares nothing"))?;
                let (field, value) =
                    fields::pair_by_names(left, right).ok_or_else(|| format!("`{left}` and `{right}` cannot be compared"))?;
                if !matches!(operator, Operator::Equal | Operator::NotEqual) {
                    return Err("fields are compared with `=` or `!=`".to_owned());
                }
                rule.comparisons.push(Comparison { field: field.to_owned(), operator, value: value.to_owned(), between_fields: true });
            }
            _ => return Err(format!("`{letter}` is not an option of a rule")),
        }
        begun = true;
    }
    if !every_call && !calls.is_empty() && rule.list == Filter::Exit {
        rule.calls = Calls::Some(calls.into_iter().map(|call| call_name(&call, &rule, names.machine)).collect::<Result<_, _>>()?);
    }
    rule.comparisons.sort();
    rule.comparisons.dedup();
    Ok(rule)
}

fn list_and_action(value: &str) -> Result<(Filter, Action), String> {
    let bad = || format!("`{value}` is not a list and an action");
    let (left, right) = value.split_once(',').ok_or_else(bad)?;
    let action = |word| match word {
        "always" => Some(Action::Always),
        "never" => Some(Action::Never),
        _ => None,
    };
    match (Filter::of_word(left), action(right), action(left), Filter::of_word(right)) {
        (Some(list), Some(action), ..) | (_, _, Some(action), Some(list)) => Ok((list, action)),
        _ => Err(bad()),
    }
}

fn absolute(path: &str) -> Result<String, String> {
    if path.starts_with('/') { Ok(path.to_owned()) } else { Err(format!("`{path}` is not an absolute path")) }
}

fn access(value: &str) -> Result<Access, String> {
    Access::parse(value).filter(|access| *access != Access::default()).ok_or_else(|| format!("`{value}` is not some of r, w, x, a"))
}

fn key(value: &str) -> Result<String, String> {
    if value.is_empty() { Err("an empty key".to_owned()) } else { Ok(value.to_owned()) }
}

fn field(rule: &mut Rule, text: &str, names: &Names<'_>) -> Result<(), String> {
    let (name, operator, value) = Operator::split(text).ok_or_else(|| format!("`{text}` compares nothing"))?;
    let (name, kind) = fields::by_name(name).ok_or_else(|| format!("`{name}` is not a field"))?;
    let equal = operator == Operator::Equal;
    match kind {
        Kind::Path | Kind::Dir if !equal => return Err(format!("`{name}` can only be equal")),
        Kind::Path | Kind::Dir if rule.watch.is_some() => return Err("a rule watches one path".to_owned()),
        Kind::Path => rule.watch = Some(Watch { path: absolute(value)?, scope: Scope::Itself }),
        Kind::Dir => rule.watch = Some(Watch { path: absolute(value)?, scope: Scope::Tree }),
        Kind::Access if !equal => return Err("`perm` can only be equal".to_owned()),
        Kind::Access => rule.access = Some(access(value)?),
        Kind::Key => rule.keys.push(key(value)?),
        Kind::Arch if equal && rule.arch.is_none() => rule.arch = Some(arch(value, names.machine)?),
        Kind::Arch => {
            let value = arch(value, names.machine)?.to_string();
            rule.comparisons.push(Comparison { field: name.to_owned(), operator, value, between_fields: false });
        }
        kind => {
            let value = fields::value_of_text(kind, value, names)?;
            rule.comparisons.push(Comparison { field: name.to_owned(), operator, value, between_fields: false });
        }
    }
    Ok(())
}

fn arch(value: &str, machine: Machine) -> Result<Arch, String> {
    let number = match value {
        "b64" => return Ok(Arch::B64),
        "b32" => return Ok(Arch::B32),
        "x86_64" => 0xc000_003e,
        "i386" | "i486" | "i586" | "i686" => 0x4000_0003,
        "aarch64" => 0xc000_00b7,
        "arm" | "armeb" | "armv5tejl" | "armv5tel" | "armv6l" | "armv7l" => 0x4000_0028,
        "ppc" | "ppc64" | "ppc64le" | "s390" | "s390x" | "riscv32" | "riscv64" => return Ok(Arch::Other(value.to_owned())),
        _ => value
            .strip_prefix("0x")
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .ok_or_else(|| format!("`{value}` is not an architecture"))?,
    };
    Ok(kernel::arch(number, machine))
}

/// A call by its name on the architecture of the rule.
fn call_name(call: &str, rule: &Rule, machine: Machine) -> Result<String, String> {
    let machine = if matches!(rule.arch, Some(Arch::Other(_))) { Machine::Other } else { machine };
    match call.parse::<u16>() {
        Ok(number) if number < 2048 => Ok(syscalls::name(machine, rule.arch == Some(Arch::B32), number)),
        Err(_) if machine == Machine::Other || syscalls::is_known(call) => Ok(call.to_owned()),
        _ => Err(format!("`{call}` is not a system call")),
    }
}
