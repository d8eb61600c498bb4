//! The JSON document a record was read from, for the corners its fields do not cover.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::{Fact, Gap, Origin, Reason, Text, Value};

/// A JSON document, kept as text and parsed when a check points into it: most checks never do.
#[derive(Clone, Debug)]
pub struct Document {
    json: Arc<RawValue>,
    origin: Origin,
}

impl Document {
    /// Keeps a document. Errors with the parser's message where it is not JSON.
    pub fn new(json: &[u8], origin: Origin) -> Result<Self, Gap> {
        match serde_json::from_slice::<Box<RawValue>>(json) {
            Ok(json) => Ok(Self { json: json.into(), origin }),
            Err(error) => Err(Gap::new(origin, Reason::malformed(error.to_string()))),
        }
    }

    /// The document as it was read.
    #[must_use]
    pub fn json(&self) -> &str {
        self.json.get()
    }

    /// What an RFC 6901 pointer leads to. Scalars become a setting, arrays of scalars a list,
    /// objects the list of their keys; `null` and nothing are absent.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Fact<Value> {
        let document: serde_json::Value = match serde_json::from_str(self.json.get()) {
            Ok(document) => document,
            Err(error) => return Fact::Unknown(Gap::new(self.origin.clone(), Reason::malformed(error.to_string()))),
        };
        match document.pointer(pointer) {
            None | Some(serde_json::Value::Null) => Fact::Absent(self.origin.clone()),
            Some(found) => Fact::Known(value(found), self.origin.clone()),
        }
    }
}

fn scalar(json: &serde_json::Value) -> Text {
    match json {
        serde_json::Value::String(text) => Text::from(text.as_str()),
        other => Text::from(other.to_string()),
    }
}

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Array(items) => Value::List(items.iter().map(scalar).collect()),
        serde_json::Value::Object(members) => Value::List(members.keys().map(|key| Text::from(key.as_str())).collect()),
        json => Value::Setting(scalar(json)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_lead_to_typed_values() {
        let origin = Origin::engine("docker", "/info");
        let document = Document::new(br#"{"a/b":{"n":3,"x":null,"l":["p","q"]},"t":true}"#, origin.clone()).unwrap();
        let known = |value| Fact::Known(value, origin.clone());
        assert_eq!(document.pointer("/a~1b/n"), known(Value::Setting("3".into())));
        assert_eq!(document.pointer("/a~1b/l"), known(Value::List(vec!["p".into(), "q".into()])));
        assert_eq!(document.pointer("/t"), known(Value::Setting("true".into())));
        assert_eq!(document.pointer("/a~1b/x"), Fact::Absent(origin.clone()));
        assert_eq!(document.pointer("/nothing"), Fact::Absent(origin.clone()));
        assert!(Document::new(b"{", origin).is_err());
    }
}
