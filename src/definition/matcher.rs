//! What a claim about one value means, and how it reads in a sentence.

mod expected;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use crate::fact::{Fact, Kind, Mode, Text, Value};

use super::param::Params;
use super::{Literal, Matcher, Operand, Truth};

pub use expected::Expected;

/// The words of the language, the kinds of field each is for, and those kinds in words.
pub(super) static WORDS: &[(&str, &[Kind], &str)] = &[
    ("min", ORDERED, "integers, settings, versions and modes"),
    ("max", ORDERED, "integers, settings, versions and modes"),
    ("not", ALL, "anything"),
    ("matches", &[Kind::Text, Kind::Setting], "text and settings"),
    ("starts_with", &[Kind::Text, Kind::Setting], "text and settings"),
    ("ends_with", &[Kind::Text, Kind::Setting], "text and settings"),
    ("contains", &[Kind::List, Kind::Text, Kind::Setting], "lists, text and settings"),
    ("only", &[Kind::List], "lists"),
    ("empty", &[Kind::List], "lists"),
    ("count", &[Kind::List], "lists"),
    ("present", ALL, "anything"),
];

const ORDERED: &[Kind] = &[Kind::Integer, Kind::Setting, Kind::Version, Kind::Mode];
const ALL: &[Kind] = &[Kind::Flag, Kind::Integer, Kind::Text, Kind::Setting, Kind::Mode, Kind::Version, Kind::List];

impl Matcher {
    /// Whether the claim holds of a fact. What is unknown stays unknown; what is absent matches nothing
    /// but `present = false`, and what `not` turns round. A parameter nobody has decided on leaves open what hangs on it.
    #[must_use]
    pub fn judge(&self, fact: &Fact<Value>, params: &Params) -> Truth {
        match fact {
            Fact::Unknown(_) => Truth::Unknown,
            Fact::Absent(_) => self.holds(None, params),
            Fact::Known(value, _) => self.holds(Some(value), params),
        }
    }

    /// Whether the claim holds of a number, for `count`.
    #[must_use]
    pub fn holds_of_number(&self, number: usize, params: &Params) -> Truth {
        self.holds(Some(&Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))), params)
    }

    /// Whether the claim holds of a value, or of there being none. A value that cannot be read as
    /// the claim needs it, such as a word where a number is asked for, does not satisfy it.
    fn holds(&self, value: Option<&Value>, params: &Params) -> Truth {
        let any = |operand: &Operand, test: &dyn Fn(&Value, &Literal) -> bool| match (value, params.resolve(operand)) {
            (None, _) => Truth::False,
            (Some(_), None) => Truth::Unknown,
            (Some(value), Some(literals)) => literals.iter().any(|literal| test(value, literal)).into(),
        };
        match self {
            Self::Present(wanted) => (value.is_some() == *wanted).into(),
            Self::Not(inner) => !inner.holds(value, params),
            Self::All(all) => Truth::all(all.iter().map(|inner| inner.holds(value, params))),
            Self::Any(any) => Truth::any(any.iter().map(|inner| inner.holds(value, params))),
            Self::Equals(operand) => any(operand, &equals),
            Self::Min(operand) => any(operand, &at_least),
            Self::Max(operand) => any(operand, &at_most),
            Self::StartsWith(operand) => any(operand, &|value, literal| text_test(value, literal, |text, part| text.starts_with(part))),
            Self::EndsWith(operand) => any(operand, &|value, literal| text_test(value, literal, |text, part| text.ends_with(part))),
            Self::Matches(_, regex) => value.and_then(text_of).is_some_and(|text| regex.is_match(text.raw())).into(),
            Self::Contains(inner) => match value {
                Some(Value::List(list)) => Truth::any(list.iter().map(|element| inner.holds_of_element(element, params))),
                Some(Value::Text(text) | Value::Setting(text)) => inner.holds_of_part(text, params),
                _ => Truth::False,
            },
            Self::Only(inner) => of_list(value, |list| Truth::all(list.iter().map(|element| inner.holds_of_element(element, params)))),
            Self::Empty(wanted) => of_list(value, |list| (list.is_empty() == *wanted).into()),
            Self::Count(inner) => of_list(value, |list| inner.holds_of_number(list.len(), params)),
        }
    }

    fn holds_of_element(&self, element: &Text, params: &Params) -> Truth {
        self.holds(Some(&Value::Setting(element.clone())), params)
    }

    /// `contains` on text: equality becomes being a part of it.
    fn holds_of_part(&self, text: &Text, params: &Params) -> Truth {
        match self {
            Self::Equals(operand) => params
                .resolve(operand)
                .map_or(Truth::Unknown, |parts| parts.iter().any(|part| text.raw().contains(&literal_text(part))).into()),
            Self::Any(any) => Truth::any(any.iter().map(|inner| inner.holds_of_part(text, params))),
            Self::All(all) => Truth::all(all.iter().map(|inner| inner.holds_of_part(text, params))),
            Self::Not(inner) => !inner.holds_of_part(text, params),
            other => other.holds_of_element(text, params),
        }
    }
}

fn of_list(value: Option<&Value>, test: impl FnOnce(&[Text]) -> Truth) -> Truth {
    elements(value).map_or(Truth::False, test)
}

/// The elements of a list; a scalar of a document is a list of one.
fn elements(value: Option<&Value>) -> Option<&[Text]> {
    match value {
        Some(Value::List(list)) => Some(list),
        Some(Value::Setting(text) | Value::Text(text)) => Some(std::slice::from_ref(text)),
        _ => None,
    }
}

fn text_of(value: &Value) -> Option<&Text> {
    match value {
        Value::Text(text) | Value::Setting(text) => Some(text),
        _ => None,
    }
}

fn text_test(value: &Value, literal: &Literal, test: impl Fn(&str, &str) -> bool) -> bool {
    text_of(value).is_some_and(|text| test(text.raw(), &literal_text(literal)))
}

fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) => text.clone(),
        Literal::Flag(flag) => flag.to_string(),
        Literal::Integer(number) => number.to_string(),
        Literal::Mode(mode) => mode.to_string(),
    }
}

/// A parameter's value is text until it meets a mode.
fn literal_mode(literal: &Literal) -> Option<Mode> {
    match literal {
        Literal::Mode(mode) => Some(*mode),
        Literal::Text(text) => Mode::parse(text),
        Literal::Flag(_) | Literal::Integer(_) => None,
    }
}

/// Reads a setting as yes or no, in the spellings configuration files use.
fn setting_flag(setting: &Text) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| setting.raw().trim().eq_ignore_ascii_case(word));
    match () {
        () if is(&["true", "yes", "on", "1"]) => Some(true),
        () if is(&["false", "no", "off", "0"]) => Some(false),
        () => None,
    }
}

fn setting_number(setting: &Text) -> Option<i64> {
    setting.raw().trim().parse().ok()
}

fn equals(value: &Value, literal: &Literal) -> bool {
    match (value, literal) {
        (Value::Flag(a), Literal::Flag(b)) => a == b,
        (Value::Integer(a), Literal::Integer(b)) => a == b,
        (Value::Text(a) | Value::Setting(a), Literal::Text(b)) => a.raw() == b,
        (Value::Setting(a), Literal::Flag(b)) => setting_flag(a) == Some(*b),
        (Value::Setting(a), Literal::Integer(b)) => setting_number(a) == Some(*b),
        (Value::Version(a), Literal::Text(b)) => a.compare(b) == Ordering::Equal,
        (Value::Mode(a), b) => literal_mode(b) == Some(*a),
        _ => false,
    }
}

fn at_least(value: &Value, literal: &Literal) -> bool {
    match (value, literal) {
        (Value::Mode(a), b) => literal_mode(b).is_some_and(|least| least.within(*a)),
        (a, b) => order(a, b).is_some_and(Ordering::is_ge),
    }
}

fn at_most(value: &Value, literal: &Literal) -> bool {
    match (value, literal) {
        (Value::Mode(a), b) => literal_mode(b).is_some_and(|most| a.within(most)),
        (a, b) => order(a, b).is_some_and(Ordering::is_le),
    }
}

fn order(value: &Value, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (Value::Integer(a), Literal::Integer(b)) => Some(a.cmp(b)),
        (Value::Setting(a), Literal::Integer(b)) => setting_number(a).map(|a| a.cmp(b)),
        (Value::Version(a), Literal::Text(b)) => Some(a.compare(b)),
        _ => None,
    }
}
