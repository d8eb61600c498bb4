//! Facts and records.

use serde::{Deserialize, Serialize};

use super::{Document, Gap, Origin, Schema, Text, Value};

/// One thing that may be known about a record. Three-valued on purpose: "not there" and "could
/// not look" must never be taken for each other.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fact<T> {
    /// Known, and where it came from.
    Known(T, Origin),
    /// Known not to be there, and where that was seen.
    Absent(Origin),
    /// Not known, and why.
    Unknown(Gap),
}

impl<T> Fact<T> {
    /// A fact worked out from others.
    pub fn derived(value: impl Into<T>) -> Self {
        Self::Known(value.into(), Origin::Derived)
    }

    /// The value, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value, _) => Some(value),
            Self::Absent(_) | Self::Unknown(_) => None,
        }
    }

    /// The same fact about a value made from this one.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known(value, origin) => Fact::Known(make(value), origin),
            Self::Absent(origin) => Fact::Absent(origin),
            Self::Unknown(gap) => Fact::Unknown(gap),
        }
    }

    /// A fact that depends on this one.
    pub fn and_then<U>(self, make: impl FnOnce(T, Origin) -> Fact<U>) -> Fact<U> {
        match self {
            Self::Known(value, origin) => make(value, origin),
            Self::Absent(origin) => Fact::Absent(origin),
            Self::Unknown(gap) => Fact::Unknown(gap),
        }
    }

    /// The value where there is one, `None` where it is absent, or the gap.
    pub fn into_result(self) -> Result<Option<T>, Gap> {
        match self {
            Self::Known(value, _) => Ok(Some(value)),
            Self::Absent(_) => Ok(None),
            Self::Unknown(gap) => Err(gap),
        }
    }

    /// Borrows the value.
    pub fn as_ref(&self) -> Fact<&T> {
        match self {
            Self::Known(value, origin) => Fact::Known(value, origin.clone()),
            Self::Absent(origin) => Fact::Absent(origin.clone()),
            Self::Unknown(gap) => Fact::Unknown(gap.clone()),
        }
    }

    /// Where it came from, or where it was looked for.
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Known(_, origin) | Self::Absent(origin) => origin,
            Self::Unknown(gap) => &gap.origin,
        }
    }
}

/// A type declared with `record!`.
pub trait Row: Sized {
    /// What its records look like.
    const SCHEMA: &'static Schema;
    /// The record itself.
    fn into_record(self) -> Record;
}

/// One thing on a host: one parameter, one file, one container.
#[derive(Clone, Debug)]
pub struct Record {
    schema: &'static Schema,
    facts: Vec<Fact<Value>>,
    document: Option<Document>,
}

impl Record {
    /// A record with one fact per field of the schema, in its order.
    #[must_use]
    pub fn new(schema: &'static Schema, facts: Vec<Fact<Value>>, document: Option<Document>) -> Self {
        debug_assert_eq!(schema.fields.len(), facts.len());
        Self { schema, facts, document }
    }

    /// What this record looks like.
    #[must_use]
    pub fn schema(&self) -> &'static Schema {
        self.schema
    }

    /// The name of the thing: its first field.
    #[must_use]
    pub fn subject(&self) -> Text {
        match self.facts.first() {
            Some(Fact::Known(Value::Text(text) | Value::Setting(text), _)) => text.clone(),
            Some(Fact::Known(other, _)) => Text::from(other.to_string()),
            _ => Text::from("?"),
        }
    }

    /// The fact at a field, by its position in the schema.
    #[must_use]
    pub fn fact(&self, position: usize) -> Option<&Fact<Value>> {
        self.facts.get(position)
    }

    /// The fact of a named field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Fact<Value>> {
        self.schema.field(field).and_then(|(position, _)| self.fact(position))
    }

    /// The facts, with the names of their fields.
    pub fn facts(&self) -> impl Iterator<Item = (&'static str, &Fact<Value>)> {
        self.schema.fields.iter().map(|field| field.name).zip(&self.facts)
    }

    /// The document it was read from, where the resource keeps one.
    #[must_use]
    pub fn document(&self) -> Option<&Document> {
        self.document.as_ref()
    }
}
