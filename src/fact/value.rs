//! The kinds of value a field can have.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Mode, Text, Version};

/// A yes or no.
pub type Flag = bool;
/// A whole number; its unit is in the field's name.
pub type Integer = i64;
/// An ordered list of texts.
pub type List = Vec<Text>;

/// A value from a configuration file: text whose type the check decides.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Setting(pub Text);

impl<T: Into<Text>> From<T> for Setting {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

/// What kind of value a field holds. It decides which matchers a check may use on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Hash, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Yes or no.
    Flag,
    /// A whole number.
    Integer,
    /// Text.
    Text,
    /// Text from a configuration, read as the check asks: number, yes or no, or text.
    Setting,
    /// Permission bits, ordered by inclusion.
    Mode,
    /// A version, ordered by its packager's rules.
    Version,
    /// A list of texts.
    List,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "flag",
            Self::Integer => "integer",
            Self::Text => "text",
            Self::Setting => "setting",
            Self::Mode => "mode",
            Self::Version => "version",
            Self::List => "list",
        })
    }
}

/// A value of one of the kinds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(Text),
    /// Text from a configuration.
    Setting(Text),
    /// Permission bits.
    Mode(Mode),
    /// A version.
    Version(Version),
    /// A list of texts.
    List(Vec<Text>),
}

impl Value {
    /// The kind of this value.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Flag(_) => Kind::Flag,
            Self::Integer(_) => Kind::Integer,
            Self::Text(_) => Kind::Text,
            Self::Setting(_) => Kind::Setting,
            Self::Mode(_) => Kind::Mode,
            Self::Version(_) => Kind::Version,
            Self::List(_) => Kind::List,
        }
    }
}

/// Shown escaped, for people: `true`, `0644`, `[a, b]`; empty text as `""`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Text(text) | Self::Setting(text) if text.raw().is_empty() => f.write_str("\"\""),
            Self::Text(text) | Self::Setting(text) => write!(f, "{}", text.shown()),
            Self::Mode(mode) => write!(f, "{mode}"),
            Self::Version(version) => write!(f, "{}", version.text().shown()),
            Self::List(list) => {
                f.write_str("[")?;
                for (i, item) in list.iter().enumerate() {
                    let comma = if i > 0 { ", " } else { "" };
                    write!(f, "{comma}{}", item.shown())?;
                }
                f.write_str("]")
            }
        }
    }
}

/// A Rust type that fields of records may have. Implemented for exactly one type per [`Kind`].
pub trait FieldType {
    /// The kind it stands for.
    const KIND: Kind;
    /// The value.
    fn into_value(self) -> Value;
}

macro_rules! field_types {
    ($($rust:ty => $kind:ident($value:ident) $make:expr;)*) => {$(
        impl FieldType for $rust {
            const KIND: Kind = Kind::$kind;
            fn into_value(self) -> Value { let $value = self; Value::$kind($make) }
        }
    )*};
}

field_types! {
    bool => Flag(v) v;
    i64 => Integer(v) v;
    Text => Text(v) v;
    Setting => Setting(v) v.0;
    Mode => Mode(v) v;
    Version => Version(v) v;
    Vec<Text> => List(v) v;
}
