//! Parameters: named values that profiles and sites may change.

use std::collections::BTreeMap;

use crate::fact::{Fact, Kind, Mode, Origin, Scheme, Value, Version};

use super::{Benchmark, Literal, Operand, Param, Place, Truth};

/// Values set for parameters by a profile or a site, and where.
pub type Values = BTreeMap<String, (Vec<Literal>, Place)>;

/// The parameters of one benchmark as they are in force.
#[derive(Clone, Debug, Default)]
pub struct Params {
    values: BTreeMap<String, Vec<Literal>>,
    /// Those nobody has decided on, with what they mean.
    unset: BTreeMap<String, String>,
}

impl Params {
    /// The defaults of a benchmark, changed by each layer in turn: profiles, then the site, then the command line.
    pub fn of<'a>(benchmark: &Benchmark, layers: impl IntoIterator<Item = &'a Values>) -> Self {
        let mut params = Self::default();
        for (name, param) in &benchmark.params {
            match &param.default {
                Some(values) => _ = params.values.insert(name.clone(), values.clone()),
                None => _ = params.unset.insert(name.clone(), param.doc.clone()),
            }
        }
        for layer in layers {
            for (name, (values, _)) in layer.iter().filter(|(name, _)| benchmark.params.contains_key(*name)) {
                params = params.with(name, values.clone());
            }
        }
        params
    }

    /// The same parameters with one of them changed.
    #[must_use]
    pub fn with(mut self, name: &str, values: Vec<Literal>) -> Self {
        self.unset.remove(name);
        self.values.insert(name.to_owned(), values);
        self
    }

    /// The values an operand stands for: any of them will do, and an empty list parameter has none. `None` for a
    /// parameter nobody has decided on.
    #[must_use]
    pub fn resolve<'a>(&'a self, operand: &'a Operand) -> Option<&'a [Literal]> {
        match operand {
            Operand::Literal(literal) => Some(std::slice::from_ref(literal)),
            Operand::Param(name) => self.values.get(name).map(Vec::as_slice),
        }
    }

    /// The parameters nobody has decided on, with what they mean.
    pub fn unset(&self) -> impl Iterator<Item = (&str, &str)> {
        self.unset.iter().map(|(name, doc)| (name.as_str(), doc.as_str()))
    }
}

impl Param {
    /// Why these values may not be set for this parameter, if so.
    pub(super) fn refuses(&self, name: &str, values: &[Literal], written_as_list: bool) -> Option<String> {
        if written_as_list && !self.is_list {
            return Some(format!("`{name}` is a single value, not a list"));
        }
        for value in values {
            for kind in &self.kinds {
                if let Err(misfit) = value.clone().fit(*kind) {
                    return Some(format!("`{name}` {}", misfit.message));
                }
            }
            if self.kinds.is_empty() && self.first_default().is_some_and(|default| default.kind() != value.kind()) {
                return Some(format!("`{name}` is {} by default, not {}", self.kind_words(), value.words()));
            }
            let none = Params::default();
            if let Some(within) = self.within.as_ref().filter(|within| within.judge(&value.fact(self.kind()), &none) != Truth::True) {
                return Some(format!("`{name}` may not be {value}: expected {}", within.expected(&none)));
            }
        }
        None
    }

    /// The kind by which its bounds are read: that of the fields it is compared with, or of its default.
    pub(super) fn kind(&self) -> Kind {
        let ordered = self.kinds.iter().find(|kind| matches!(kind, Kind::Mode | Kind::Version));
        ordered.copied().or_else(|| self.first_default().map(Literal::kind)).unwrap_or(Kind::Text)
    }

    fn first_default(&self) -> Option<&Literal> {
        self.default.iter().flatten().next()
    }

    fn kind_words(&self) -> &'static str {
        self.first_default().map_or("nothing", Literal::words)
    }
}

/// Why a literal does not fit a field.
pub(super) struct Misfit {
    /// To be read after the field's name: `is a flag and cannot equal text`.
    pub(super) message: String,
    /// What to write instead, where that can be guessed.
    pub(super) suggestion: Option<String>,
}

impl Literal {
    /// The literal as a value of a kind, or why it cannot be one.
    pub(super) fn fit(self, kind: Kind) -> Result<Self, Misfit> {
        let misfit = |message: String, suggestion: Option<String>| Err(Misfit { message, suggestion });
        match (kind, self) {
            (Kind::Mode, Self::Text(text)) => match Mode::parse(&text) {
                Some(mode) => Ok(Self::Mode(mode)),
                None => {
                    misfit(format!("is a mode and \"{text}\" is none"), Some("write three or four octal digits, such as \"0640\"".into()))
                }
            },
            (Kind::Mode, Self::Integer(_)) => {
                misfit("is a mode, not a number".into(), Some("write octal digits as text, such as \"0640\"".into()))
            }
            (Kind::Version, Self::Text(text)) if !text.bytes().any(|b| b.is_ascii_digit()) => {
                misfit(format!("is a version and \"{text}\" is none"), None)
            }
            (Kind::Flag, flag @ Self::Flag(_)) => Ok(flag),
            (Kind::Integer, number @ Self::Integer(_)) => Ok(number),
            (Kind::Text | Kind::Version | Kind::List, text @ Self::Text(_)) => Ok(text),
            (Kind::Setting, any) => Ok(any),
            (Kind::Mode, mode @ Self::Mode(_)) => Ok(mode),
            (kind, literal) => {
                let suggestion = match (kind, &literal) {
                    (Kind::Flag, Self::Text(text)) if text == "true" || text == "false" => Some(format!("write `{text}` without quotes")),
                    (Kind::Integer, Self::Text(text)) if text.parse::<i64>().is_ok() => Some(format!("write `{text}` without quotes")),
                    (Kind::Text | Kind::Version, Self::Integer(_) | Self::Flag(_)) => Some(format!("write `\"{literal}\"`")),
                    _ => None,
                };
                misfit(format!("is {} and cannot equal {}", kind_words(kind), literal.words()), suggestion)
            }
        }
    }

    /// The kind a literal has by itself.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Flag(_) => Kind::Flag,
            Self::Integer(_) => Kind::Integer,
            Self::Text(_) => Kind::Text,
            Self::Mode(_) => Kind::Mode,
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Self::Integer(_) => "a number",
            other => kind_words(other.kind()),
        }
    }

    /// A fact that has this value, to be judged by the bounds of a parameter.
    fn fact(&self, kind: Kind) -> Fact<Value> {
        let value = match (self, kind) {
            (Self::Flag(flag), _) => Value::Flag(*flag),
            (Self::Integer(number), _) => Value::Integer(*number),
            (Self::Mode(mode), _) => Value::Mode(*mode),
            (Self::Text(text), Kind::Mode) => Mode::parse(text).map_or_else(|| Value::Text(text.as_str().into()), Value::Mode),
            (Self::Text(text), Kind::Version) => Value::Version(Version::new(text.as_str(), Scheme::Upstream)),
            (Self::Text(text), _) => Value::Text(text.as_str().into()),
        };
        Fact::Known(value, Origin::Derived)
    }
}

/// As a person writes it in a sentence: `false`, `0640`, text as it is; empty text as `""`.
impl std::fmt::Display for Literal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Text(text) if text.is_empty() => f.write_str("\"\""),
            Self::Text(text) => f.write_str(text),
            Self::Mode(mode) => write!(f, "{mode}"),
        }
    }
}

/// A kind in a sentence: `a flag`, `text`.
pub(super) fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Flag => "a flag",
        Kind::Integer => "an integer",
        Kind::Text => "text",
        Kind::Setting => "a setting",
        Kind::Mode => "a mode",
        Kind::Version => "a version",
        Kind::List => "a list",
    }
}
