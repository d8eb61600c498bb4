//! Facts from the JSON documents engines answer with.
//!
//! A member that is missing is unknown, not a default: an answer that lacks it is no answer of an engine, or of one
//! that does not tell. `null` is how engines write "none".

use std::sync::Arc;

use serde_json::Value;

use crate::fact::{Fact, Gap, Origin, Reason, Text};

/// A document, or why there is none.
#[derive(Clone, Debug)]
pub(in crate::resource) struct Document(pub(in crate::resource) Fact<Arc<Value>>);

impl Document {
    /// What a JSON Pointer leads to, read by `read`, which gives `None` for values of another type.
    pub(in crate::resource) fn at<T>(&self, pointer: &str, read: impl FnOnce(&Value) -> Option<T>) -> Fact<T> {
        self.0.clone().and_then(|document, origin| member(&document, pointer, origin, read))
    }

    pub(in crate::resource) fn flag(&self, pointer: &str) -> Fact<bool> {
        self.at(pointer, Value::as_bool)
    }

    pub(in crate::resource) fn integer(&self, pointer: &str) -> Fact<i64> {
        self.at(pointer, Value::as_i64)
    }

    pub(in crate::resource) fn text(&self, pointer: &str) -> Fact<Text> {
        self.at(pointer, |value| value.as_str().map(Text::from))
    }

    /// A list of texts; `null` is an empty one.
    pub(in crate::resource) fn texts(&self, pointer: &str) -> Fact<Vec<Text>> {
        match self.at(pointer, texts) {
            // An absent document stays absent.
            Fact::Absent(origin) if self.0.known().is_some() => Fact::Known(Vec::new(), origin),
            fact => fact,
        }
    }
}

/// What a JSON Pointer leads to in a document: see [`Document::at`].
pub(in crate::resource) fn member<T>(document: &Value, pointer: &str, origin: Origin, read: impl FnOnce(&Value) -> Option<T>) -> Fact<T> {
    match document.pointer(pointer) {
        None => Fact::Unknown(Gap::new(origin, Reason::unsupported(format!("the engine does not tell {pointer}")))),
        Some(Value::Null) => Fact::Absent(origin),
        Some(value) => match read(value) {
            Some(value) => Fact::Known(value, origin),
            None => Fact::Unknown(Gap::new(origin, Reason::malformed(format!("{pointer} is of another type")))),
        },
    }
}

/// The texts in an array of nothing else.
pub(in crate::resource) fn texts(value: &Value) -> Option<Vec<Text>> {
    value.as_array()?.iter().map(|item| item.as_str().map(Text::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_null_and_odd_are_told_apart() {
        let origin = Origin::engine("/run/docker.sock", "/info");
        let json = serde_json::json!({"a": true, "n": null, "l": ["x"], "m": ["x", 1], "o": {"i": 3}});
        let document = Document(Fact::Known(Arc::new(json), origin.clone()));
        assert_eq!(document.flag("/a"), Fact::Known(true, origin.clone()));
        assert_eq!(document.integer("/o/i"), Fact::Known(3, origin.clone()));
        assert_eq!(document.text("/n"), Fact::Absent(origin.clone()));
        assert_eq!(document.texts("/n"), Fact::Known(Vec::new(), origin.clone()));
        assert_eq!(document.texts("/l"), Fact::Known(vec!["x".into()], origin));
        for fact in [document.texts("/m"), document.texts("/z"), document.texts("/a")] {
            assert!(matches!(fact, Fact::Unknown(_)), "{fact:?}");
        }
    }
}
