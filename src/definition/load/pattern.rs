//! Patterns: a table of fields means and, a list of tables means or.

use toml::de::DeValue;

use crate::definition::tree::{Item, Table, type_words};
use crate::definition::words::closest;
use crate::definition::{Conjunction, FieldClaim, FieldPath, Pattern};
use crate::resource::Entry;

use super::Scope;
use super::expectation::well_formed_pointer;
use super::matcher::Subject;

impl Scope<'_> {
    pub(super) fn pattern(&self, entry: &'static Entry, item: &Item<'_, '_>) -> Option<Pattern> {
        let alternatives = match item.value.get_ref() {
            DeValue::Table(_) => vec![item.clone()],
            DeValue::Array(_) => item.list()?,
            other => {
                let message = format!("`{}` must say which field, not only {}", item.key, type_words(other));
                let field = entry.schema.fields.get(1).map_or("field", |field| field.name);
                return item.file.hint(item.span(), message, Some(format!("write `{}.{field} = …`", item.key)));
            }
        };
        if alternatives.is_empty() {
            return item.file.error(item.span(), format!("`{}` is an empty list, which says nothing", item.key));
        }
        let mut conjunctions = Vec::new();
        for alternative in alternatives {
            conjunctions.extend(self.conjunction(entry, &alternative.table()?, item.key));
        }
        Some(Pattern(conjunctions))
    }

    fn conjunction(&self, entry: &'static Entry, table: &Table<'_, '_>, slot: &str) -> Option<Conjunction> {
        if table.is_empty() {
            return table.file.error(table.at.clone(), format!("`{slot}` is an empty table, which says nothing"));
        }
        let mut claims = Vec::new();
        for item in table.items() {
            let Some(field) = field(entry, &item) else { continue };
            let subject = match field {
                FieldPath::Field(_, name, kind) => Subject::new(name, kind),
                FieldPath::Pointer(_) => Subject::pointer(item.key),
            };
            if let Some(matcher) = self.matcher(&subject, &item, 0) {
                claims.push(FieldClaim { field, matcher, place: item.place() });
            }
        }
        Some(claims)
    }
}

/// The field a key names.
pub(in crate::definition) fn field(entry: &'static Entry, item: &Item<'_, '_>) -> Option<FieldPath> {
    let resource = entry.schema.resource;
    if item.key.starts_with('/') {
        if !entry.schema.has_document {
            return item.file.error(item.at.clone(), format!("`{resource}` has no document, so pointers lead nowhere"));
        }
        well_formed_pointer(item, item.key)?;
        return Some(FieldPath::Pointer(item.key.to_owned()));
    }
    match entry.schema.field(item.key) {
        Some((position, field)) => Some(FieldPath::Field(position, field.name, field.kind)),
        None => {
            let suggestion = closest(item.key, entry.schema.fields.iter().map(|field| field.name));
            item.file.hint(item.at.clone(), format!("`{resource}` has no field `{}`", item.key), suggestion)
        }
    }
}
