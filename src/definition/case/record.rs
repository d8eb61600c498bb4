//! One record of a case, typed against its resource's schema.

use serde_json::{Map, Value as Json, json};
use toml::de::DeValue;

use crate::definition::load::{field, literal};
use crate::definition::param::kind_words;
use crate::definition::tree::{Item, Table, type_words};
use crate::definition::{FieldPath, Literal};
use crate::fact::{Document, Fact, Gap, Kind, Mode, Origin, Reason, Record, Scheme, Text, Value, Version};
use crate::resource::Entry;

use super::gap;

/// Reads a record. A field that is not given was not collected: a case gives what its check looks at.
pub(super) fn read(table: &Table<'_, '_>, entry: &'static Entry) -> Option<Record> {
    let missing = Gap::new(Origin::Derived, Reason::NotCollected);
    let mut facts = vec![Fact::Unknown(missing); entry.schema.fields.len()];
    let mut document = Json::Null;
    for item in table.items() {
        match field(entry, &item)? {
            FieldPath::Field(position, _, kind) => {
                let fact = fact(&item, kind)?;
                if let Some(slot) = facts.get_mut(position) {
                    *slot = fact;
                }
            }
            FieldPath::Pointer(pointer) => insert(&mut document, &item, &pointer)?,
        }
    }
    let document = if document.is_null() { None } else { Document::new(document.to_string().as_bytes(), Origin::Derived).ok() };
    Some(Record::new(entry.schema, facts, document))
}

/// A value, `{ absent = true }`, or `{ gap = "…" }`.
fn fact(item: &Item<'_, '_>, kind: Kind) -> Option<Fact<Value>> {
    let DeValue::Table(_) = item.value.get_ref() else {
        return value(item, kind).map(|value| Fact::Known(value, Origin::Derived));
    };
    let table = item.table()?;
    let entries = table.items();
    match entries.as_slice() {
        [only] if only.key == "gap" => gap(only).map(Fact::Unknown),
        [only] if only.key == "absent" => is_absent(only).map(|()| Fact::Absent(Origin::Derived)),
        _ if kind == Kind::Version => versioned(&table).map(|version| Fact::Known(Value::Version(version), Origin::Derived)),
        _ => item.file.error(item.at.clone(), format!("`{}` is a value, `{{ absent = true }}` or `{{ gap = \"denied\" }}`", item.key)),
    }
}

fn is_absent(item: &Item<'_, '_>) -> Option<()> {
    if item.flag()? { Some(()) } else { item.file.error(item.span(), "`absent` is `true`, or left out") }
}

fn value(item: &Item<'_, '_>, kind: Kind) -> Option<Value> {
    let wrong = |what: &str| item.file.error(item.span(), format!("`{}` is {}, not {what}", item.key, kind_words(kind)));
    if kind == Kind::List {
        let DeValue::Array(_) = item.value.get_ref() else { return wrong(type_words(item.value.get_ref())) };
        let texts = item.list()?.iter().map(|element| element.text().map(Text::from)).collect::<Option<Vec<_>>>()?;
        return Some(Value::List(texts));
    }
    match (kind, literal(item)?) {
        (Kind::Flag, Literal::Flag(flag)) => Some(Value::Flag(flag)),
        (Kind::Integer, Literal::Integer(number)) => Some(Value::Integer(number)),
        (Kind::Text, Literal::Text(text)) => Some(Value::Text(text.into())),
        (Kind::Setting, literal) => Some(Value::Setting(raw(&literal).into())),
        (Kind::Version, Literal::Text(text)) => Some(Value::Version(Version::new(text, Scheme::Upstream))),
        (Kind::Mode, Literal::Text(text)) => match Mode::parse(&text) {
            Some(mode) => Some(Value::Mode(mode)),
            None => wrong(&format!("\"{text}\": three or four octal digits")),
        },
        _ => wrong(type_words(item.value.get_ref())),
    }
}

fn raw(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `{ version = "1.2-3", scheme = "debian" }`; without a scheme a version is ordered as upstream projects write them.
fn versioned(table: &Table<'_, '_>) -> Option<Version> {
    table.only(&["version", "scheme"], "a version");
    let version = table.need_text("version", "the value");
    let scheme = table.need("scheme", "the version").and_then(|item| match item.text()?.as_str() {
        "debian" => Some(Scheme::Debian),
        "rpm" => Some(Scheme::Rpm),
        "upstream" => Some(Scheme::Upstream),
        _ => item.file.error(item.span(), "a scheme is \"debian\", \"rpm\" or \"upstream\""),
    })?;
    Some(Version::new(version, scheme))
}

/// Puts a value where a pointer leads, making the objects on the way.
fn insert(document: &mut Json, item: &Item<'_, '_>, pointer: &str) -> Option<()> {
    let value = json(item)?;
    let mut here = document;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if here.is_null() {
            *here = Json::Object(Map::new());
        }
        let Json::Object(members) = here else {
            return item.file.error(item.at.clone(), format!("`{pointer}` leads through a value that is given already"));
        };
        here = members.entry(token).or_insert(Json::Null);
    }
    if !here.is_null() {
        return item.file.error(item.at.clone(), format!("`{pointer}` is given already"));
    }
    *here = value;
    Some(())
}

fn json(item: &Item<'_, '_>) -> Option<Json> {
    match item.value.get_ref() {
        DeValue::Array(_) => item.list()?.iter().map(json).collect::<Option<Vec<_>>>().map(Json::Array),
        DeValue::Table(_) => {
            let table = item.table()?;
            is_absent(&table.need("absent", "a value in a document")?)?;
            Some(Json::Null)
        }
        _ => Some(match literal(item)? {
            Literal::Flag(flag) => json!(flag),
            Literal::Integer(number) => json!(number),
            other => json!(raw(&other)),
        }),
    }
}
