//! Environment variables and labels: what may be known about them without keeping their values.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};

use crate::parse::secret;

/// An environment variable. Its value is judged while it is read and never kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Name.
    pub name: String,
    /// Whether its name or the shape of its value says that it holds a secret. False for an empty value.
    pub secret: bool,
}

impl Variable {
    /// Reads `NAME=value`. A variable without `=` is one that the engine removes.
    #[must_use]
    pub fn read(pair: &str) -> Self {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Self { name: name.to_owned(), secret: secret::is_secret(name, value) }
    }
}

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Pair;
        impl Visitor<'_> for Pair {
            type Value = Variable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("NAME=value")
            }

            fn visit_str<E: de::Error>(self, pair: &str) -> Result<Variable, E> {
                Ok(Variable::read(pair))
            }
        }
        from.deserialize_str(Pair)
    }
}

/// The value of a label: kept only where it is not a secret by its shape and short enough to mean something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Label {
    /// The value, or empty where it is too long or looks like a secret.
    pub value: String,
    /// Whether the value alone looks like a secret.
    pub secret: bool,
    /// Whether there is a value at all.
    pub is_set: bool,
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Value;
        impl Visitor<'_> for Value {
            type Value = Label;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the value of a label")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Label, E> {
                let secret = secret::shape(value).is_some();
                let kept = if secret || value.len() > 255 { "" } else { value };
                Ok(Label { value: kept.to_owned(), secret, is_set: !value.is_empty() })
            }
        }
        from.deserialize_str(Value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_judged_and_dropped() {
        let read: Vec<Variable> = serde_json::from_str(r#"["DB_PASSWORD=hunter2","PATH=/bin","EMPTY_TOKEN=","GONE"]"#).unwrap();
        assert_eq!(
            read.iter().map(|v| (v.name.as_str(), v.secret)).collect::<Vec<_>>(),
            [("DB_PASSWORD", true), ("PATH", false), ("EMPTY_TOKEN", false), ("GONE", false)]
        );
        assert!(!format!("{read:?}").contains("hunter2"));
    }
}
