//! How a claim about one value reads in a sentence.

use std::fmt;

use crate::definition::{Literal, Matcher, Operand, Params};
use crate::fact::Shown;

impl Matcher {
    /// What is expected, in words to be read after "expected".
    #[must_use]
    pub fn expected<'a>(&'a self, params: &'a Params) -> Expected<'a> {
        Expected { matcher: self, params }
    }
}

/// What a matcher expects, in words: `false`, `no more than 0660`, `root or docker`, `not present`.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    matcher: &'a Matcher,
    params: &'a Params,
}

impl<'a> Expected<'a> {
    fn of(self, matcher: &'a Matcher) -> Self {
        Self { matcher, ..self }
    }

    /// The values of an operand, joined by "or".
    fn operand(self, operand: &Operand) -> String {
        match self.params.resolve(operand) {
            None => undecided(operand),
            Some([]) => "nothing at all".to_owned(),
            Some(literals) => join(literals.iter().map(shown), " or "),
        }
    }

    /// The alternatives by which elements are measured, where they are plain values.
    fn plain(self) -> Option<Vec<String>> {
        match self.matcher {
            Matcher::Equals(operand) => match self.params.resolve(operand) {
                None => Some(vec![undecided(operand)]),
                Some(literals) => Some(literals.iter().map(shown).collect()),
            },
            Matcher::Any(any) => any.iter().map(|inner| self.of(inner).plain()).collect::<Option<Vec<_>>>().map(|all| all.concat()),
            _ => None,
        }
    }

    fn is_compound(self) -> bool {
        matches!(self.matcher, Matcher::All(_) | Matcher::Any(_))
    }
}

/// In place of the values of a parameter nobody has decided on.
fn undecided(operand: &Operand) -> String {
    match operand {
        Operand::Param(name) => format!("what {name} says"),
        Operand::Literal(literal) => shown(literal),
    }
}

fn shown(literal: &Literal) -> String {
    Shown::of(&literal.to_string()).to_string()
}

fn join(parts: impl IntoIterator<Item = String>, with: &str) -> String {
    parts.into_iter().collect::<Vec<_>>().join(with)
}

impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.matcher {
            Matcher::Equals(operand) => f.write_str(&self.operand(operand)),
            Matcher::Min(operand) => write!(f, "at least {}", self.operand(operand)),
            Matcher::Max(operand) => write!(f, "no more than {}", self.operand(operand)),
            Matcher::Not(inner) => match &**inner {
                Matcher::Any(any) => f.write_str(&join(any.iter().map(|inner| negated(self.of(inner))), " and ")),
                inner => f.write_str(&negated(self.of(inner))),
            },
            Matcher::Matches(text, _) => write!(f, "matching {}", Shown::of(text)),
            Matcher::StartsWith(operand) => write!(f, "starting with {}", self.operand(operand)),
            Matcher::EndsWith(operand) => write!(f, "ending with {}", self.operand(operand)),
            Matcher::Contains(inner) => match self.of(inner).plain() {
                Some(plain) => write!(f, "containing {}", join(plain, " or ")),
                None => write!(f, "containing something {}", self.of(inner)),
            },
            Matcher::Only(inner) => match self.of(inner).plain() {
                Some(plain) if plain.is_empty() => f.write_str("empty"),
                Some(plain) => write!(f, "only of [{}]", join(plain, ", ")),
                None => write!(f, "only elements {}", self.of(inner)),
            },
            Matcher::Empty(true) => f.write_str("empty"),
            Matcher::Empty(false) => f.write_str("not empty"),
            Matcher::Count(inner) => match &**inner {
                Matcher::Equals(_) => write!(f, "exactly {} of them", self.of(inner)),
                _ => write!(f, "{} of them", self.of(inner)),
            },
            Matcher::Present(true) => f.write_str("present"),
            Matcher::Present(false) => f.write_str("not present"),
            Matcher::All(all) => f.write_str(&join(all.iter().map(|inner| grouped(self.of(inner))), " and ")),
            Matcher::Any(any) => f.write_str(&join(any.iter().map(|inner| grouped(self.of(inner))), " or ")),
        }
    }
}

/// In brackets where it is itself joined by a word.
fn grouped(expected: Expected<'_>) -> String {
    if expected.is_compound() { format!("({expected})") } else { expected.to_string() }
}

fn negated(expected: Expected<'_>) -> String {
    match expected.matcher {
        Matcher::Present(wanted) => if *wanted { "not present" } else { "present" }.to_owned(),
        Matcher::Empty(wanted) => if *wanted { "not empty" } else { "empty" }.to_owned(),
        Matcher::Equals(operand) if expected.params.resolve(operand).is_some_and(|literals| literals.len() > 1) => {
            format!("not ({expected})")
        }
        _ => format!("not {}", grouped(expected)),
    }
}
