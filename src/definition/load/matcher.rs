//! Matchers, each typed against the kind of its field.

use toml::de::DeValue;

use crate::definition::matcher::WORDS;
use crate::definition::param::{Misfit, kind_words};
use crate::definition::tree::{Item, type_words};
use crate::definition::words::closest;
use crate::definition::{Literal, Matcher, Operand};
use crate::fact::Kind;

use super::{Scope, literal};

/// Deepest nesting of matchers. Nothing sensible comes near it.
const DEEPEST: usize = 8;
/// Largest compiled regular expression, in bytes.
const REGEX_SIZE: usize = 1 << 20;
/// Deepest nesting within a regular expression.
const REGEX_NEST: u32 = 64;

/// What a matcher is about.
pub(super) struct Subject {
    /// Its name in a sentence, in backticks.
    name: String,
    kind: Kind,
    /// Read from a document: scalars like a setting, and lists too.
    pointer: bool,
}

impl Subject {
    pub(super) fn new(name: &str, kind: Kind) -> Self {
        Self { name: format!("`{name}`"), kind, pointer: false }
    }

    pub(super) fn pointer(name: &str) -> Self {
        Self { name: format!("`{name}`"), kind: Kind::Setting, pointer: true }
    }

    fn element(&self) -> Self {
        Self { name: format!("an element of {}", self.name), kind: Kind::Text, pointer: false }
    }

    fn takes(&self, kinds: &[Kind]) -> bool {
        kinds.contains(&self.kind) || (self.pointer && kinds.contains(&Kind::List))
    }
}

impl Scope<'_> {
    /// Bounds of a parameter.
    pub(super) fn bounds(&self, item: &Item<'_, '_>, name: &str, kind: Kind) -> Option<Matcher> {
        self.matcher(&Subject::new(name, kind), item, 0)
    }

    /// A bare value is equality, a table means and, a list means or.
    pub(super) fn matcher(&self, of: &Subject, item: &Item<'_, '_>, depth: usize) -> Option<Matcher> {
        if depth > DEEPEST {
            return item.file.error(item.at.clone(), "matchers are nested too deeply");
        }
        match item.value.get_ref() {
            DeValue::Table(_) => {
                let words = item.table()?.items();
                if words.is_empty() {
                    return item.file.error(item.span(), format!("`{}` is an empty table, which says nothing", item.key));
                }
                let mut all: Vec<_> = words.iter().filter_map(|word| self.word(of, word, depth + 1)).collect();
                if all.len() == 1 { all.pop() } else { Some(Matcher::All(all)) }
            }
            DeValue::Array(_) => alternatives(item, |element| self.matcher(of, element, depth + 1)),
            _ if of.kind == Kind::List => {
                let message = format!("{} is a list and cannot equal a single value", of.name);
                item.file.hint(item.span(), message, Some("say `contains`, `only`, `empty` or `count`".into()))
            }
            _ => self.operand(of, of.kind, item).map(Matcher::Equals),
        }
    }

    fn word(&self, of: &Subject, item: &Item<'_, '_>, depth: usize) -> Option<Matcher> {
        let Some((word, kinds, for_what)) = WORDS.iter().find(|(word, ..)| *word == item.key) else {
            let suggestion = closest(item.key, WORDS.iter().map(|(word, ..)| *word));
            return item.file.hint(item.at.clone(), format!("there is no matcher `{}`", item.key), suggestion);
        };
        if !of.takes(kinds) {
            let (name, kind) = (&of.name, kind_words(of.kind));
            let order = if matches!(*word, "min" | "max") { " and has no order" } else { "" };
            return item.file.error(item.at.clone(), format!("{name} is {kind}{order}; `{word}` is for {for_what}"));
        }
        let text_parts = |make: fn(Operand) -> Matcher| or_list(item, |part| self.operand(of, Kind::Text, part).map(make));
        match *word {
            "min" => self.bound(of, item).map(Matcher::Min),
            "max" => self.bound(of, item).map(Matcher::Max),
            "not" => self.matcher(of, item, depth).map(|inner| Matcher::Not(Box::new(inner))),
            "starts_with" => text_parts(Matcher::StartsWith),
            "ends_with" => text_parts(Matcher::EndsWith),
            "matches" => or_list(item, |part| {
                let text = part.filled_text()?;
                regex(part, &text).map(|regex| Matcher::Matches(text, regex))
            }),
            "contains" if of.kind == Kind::List || of.pointer => {
                self.matcher(&of.element(), item, depth).map(|inner| Matcher::Contains(Box::new(inner)))
            }
            "contains" => text_parts(Matcher::Equals).map(|inner| Matcher::Contains(Box::new(inner))),
            "only" => self.matcher(&of.element(), item, depth).map(|inner| Matcher::Only(Box::new(inner))),
            "empty" => item.flag().map(Matcher::Empty),
            "count" => {
                let number = Subject { name: format!("the count of {}", of.name), kind: Kind::Integer, pointer: false };
                self.matcher(&number, item, depth).map(|inner| Matcher::Count(Box::new(inner)))
            }
            _ => item.flag().map(Matcher::Present),
        }
    }

    /// The operand of `min` and `max`: one value, a number where the field is a setting.
    fn bound(&self, of: &Subject, item: &Item<'_, '_>) -> Option<Operand> {
        let list = |name: &str| self.params.get(name).is_some_and(|param| param.is_list);
        let kind = if of.kind == Kind::Setting { Kind::Integer } else { of.kind };
        match self.operand(of, kind, item)? {
            Operand::Param(name) if list(&name) => {
                item.file.error(item.span(), format!("`{name}` is a list, and `{}` takes a single value", item.key))
            }
            operand => Some(operand),
        }
    }

    /// A value as written, or a parameter, of the kind that is wanted.
    fn operand(&self, of: &Subject, kind: Kind, item: &Item<'_, '_>) -> Option<Operand> {
        match literal(item)? {
            Literal::Text(text) if text.starts_with("$$") => {
                fitting(of, kind, item, Literal::Text(text.chars().skip(1).collect())).map(Operand::Literal)
            }
            Literal::Text(text) if text.starts_with('$') => self.param(of, kind, item, text.trim_start_matches('$')),
            written => fitting(of, kind, item, written).map(Operand::Literal),
        }
    }

    fn param(&self, of: &Subject, kind: Kind, item: &Item<'_, '_>, name: &str) -> Option<Operand> {
        let Some(param) = self.params.get(name) else {
            let suggestion = closest(name, self.params.keys().map(String::as_str))
                .unwrap_or_else(|| format!("declare `[param.{name}]` in this file, or write `$$` for a dollar"));
            return item.file.hint(item.span(), format!("there is no parameter `{name}`"), Some(suggestion));
        };
        if let Some(Misfit { message, .. }) = param.default.iter().flatten().find_map(|value| value.clone().fit(kind).err()) {
            let message = format!("{} {message}: the default of `{name}`, line {}", of.name, param.place.line);
            return item.file.error(item.span(), message);
        }
        self.uses.borrow_mut().entry(name.to_owned()).or_default().insert(kind);
        Some(Operand::Param(name.to_owned()))
    }
}

fn fitting(of: &Subject, kind: Kind, item: &Item<'_, '_>, written: Literal) -> Option<Literal> {
    match written.fit(kind) {
        Ok(literal) => Some(literal),
        Err(Misfit { message, suggestion }) if kind != of.kind && of.kind == Kind::Setting && kind == Kind::Integer => {
            let message =
                message.replace("is an integer and cannot equal", "is read as a number by `min` and `max`, and cannot be compared with");
            item.file.hint(item.span(), format!("{} {message}", of.name), suggestion)
        }
        Err(Misfit { message, suggestion }) => item.file.hint(item.span(), format!("{} {message}", of.name), suggestion),
    }
}

/// A list of matchers, any of which will do.
fn alternatives(item: &Item<'_, '_>, mut read: impl FnMut(&Item<'_, '_>) -> Option<Matcher>) -> Option<Matcher> {
    let elements = item.list()?;
    if elements.is_empty() {
        return item.file.error(item.span(), format!("`{}` is an empty list, which says nothing", item.key));
    }
    let mut any = Vec::new();
    for element in &elements {
        if element.value.get_ref().is_array() {
            let message =
                format!("a {} in a list: alternatives are one list", type_words(element.value.get_ref()).trim_start_matches("a "));
            return item.file.error(element.span(), message);
        }
        any.extend(read(element));
    }
    Some(Matcher::Any(any))
}

/// One operand, or a list of them, any of which will do.
fn or_list(item: &Item<'_, '_>, mut read: impl FnMut(&Item<'_, '_>) -> Option<Matcher>) -> Option<Matcher> {
    if item.value.get_ref().is_array() { alternatives(item, read) } else { read(item) }
}

/// Compiles a regular expression that has to match the whole of a value.
pub(super) fn regex(item: &Item<'_, '_>, text: &str) -> Option<regex::Regex> {
    let compile = |text: &str| regex::RegexBuilder::new(text).size_limit(REGEX_SIZE).nest_limit(REGEX_NEST).build();
    // The expression is compiled by itself first: `a)(b` is an error, although it is none inside a group.
    match compile(text).and_then(|_| compile(&format!(r"\A(?:{text})\z"))) {
        Ok(regex) => Some(regex),
        Err(regex::Error::CompiledTooBig(_)) => item.file.error(item.span(), "the regular expression is too large"),
        Err(error) => {
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            item.file.error(item.span(), format!("not a regular expression: {reason}"))
        }
    }
}
