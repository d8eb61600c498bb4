//! One expectation: what, which, how many, and must look like what.

use std::collections::BTreeMap;

use crate::definition::tree::{Item, Table, type_words};
use crate::definition::words::closest;
use crate::definition::{Claim, Expectation};
use crate::fact::Kind;
use crate::resource::{Entry, Query, RESOURCES, Selector, find};

use super::Scope;
use super::matcher::{Subject, regex};

const CLAIMS: &[&str] = &["each", "any", "none", "count"];
const SLOTS: &[&str] = &["where", "each", "any", "none", "count", "because"];

impl Scope<'_> {
    pub(super) fn expectation(&self, table: &Table<'_, '_>) -> Option<Expectation> {
        let file = table.file;
        if table.is_empty() {
            return file.error(table.at.clone(), "an expectation is empty: it names a resource and claims something about it");
        }
        let (slots, others): (Vec<_>, Vec<_>) = table.items().into_iter().partition(|item| SLOTS.contains(&item.key));
        let mut resource: Option<(Item<'_, '_>, &'static Entry)> = None;
        for item in others {
            match (find(item.key), &resource) {
                (Some(entry), None) => resource = Some((item, entry)),
                (Some(_), Some((first, _))) => {
                    let message = format!("two resources in one expectation, `{}` and `{}`", first.key, item.key);
                    file.hint::<()>(item.at, message, Some("write two expectations".into()));
                }
                (None, _) => {
                    let known = RESOURCES.iter().map(|entry| entry.schema.resource).chain(SLOTS.iter().copied());
                    file.hint::<()>(item.at, format!("there is no resource `{}`", item.key), closest(item.key, known));
                    if resource.is_none() && !table.items().iter().any(|item| find(item.key).is_some()) {
                        return None;
                    }
                }
            }
        }
        let Some((item, entry)) = resource else {
            return file.error(table.at.clone(), "an expectation names a resource, such as `file = \"/etc/passwd\"`");
        };
        let query = selector(&item, entry).map(|of| Query { resource: entry.schema.resource, of });
        let filter = slots.iter().find(|item| item.key == "where").map(|item| self.pattern(entry, item));
        let claims: Vec<_> = slots.iter().filter(|item| CLAIMS.contains(&item.key)).collect();
        let claim = match claims.as_slice() {
            [] => file.error(item.at.clone(), "an expectation claims something: one of `each`, `any`, `none` and `count`"),
            [claim] => self.claim(entry, claim),
            [first, second, ..] => {
                let message = format!("two claims in one expectation, `{}` and `{}`", first.key, second.key);
                file.hint(second.at.clone(), message, Some("write two expectations".into()))
            }
        };
        let filter = match filter {
            Some(filter) => Some(filter?),
            None => None,
        };
        let because = slots.iter().find(|item| item.key == "because").map(Item::filled_text);
        let because = match because {
            Some(because) => Some(because?),
            None => None,
        };
        Some(Expectation { query: query?, filter, claim: claim?, because, place: item.place() })
    }

    fn claim(&self, entry: &'static Entry, item: &Item<'_, '_>) -> Option<Claim> {
        match item.key {
            "each" => self.pattern(entry, item).map(Claim::Each),
            "any" => self.pattern(entry, item).map(Claim::Any),
            "none" => self.pattern(entry, item).map(Claim::None),
            _ => self.matcher(&Subject::new("count", Kind::Integer), item, 0).map(Claim::Count),
        }
    }
}

/// What is selected: `"*"`, a key, a list of keys, or named arguments.
fn selector(item: &Item<'_, '_>, entry: &'static Entry) -> Option<Selector> {
    use toml::de::DeValue;
    let resource = entry.schema.resource;
    match item.value.get_ref() {
        DeValue::Table(_) => arguments(&item.table()?, entry).map(Selector::Named),
        DeValue::String(_) | DeValue::Array(_) if !entry.arguments.is_empty() => {
            let arguments = entry.arguments.iter().map(|name| format!("{name} = …")).collect::<Vec<_>>().join(", ");
            item.file.hint(item.span(), format!("`{resource}` is selected by named arguments"), Some(format!("write `{{ {arguments} }}`")))
        }
        DeValue::String(text) if text == "*" => {
            if entry.enumerable {
                return Some(Selector::All);
            }
            let message = format!("`{resource}` cannot list all there are; name which: {}", entry.selector);
            item.file.error(item.span(), message)
        }
        DeValue::String(_) => Some(Selector::Keys(vec![key(item)?])),
        DeValue::Array(array) if array.is_empty() => item.file.error(item.span(), "the list is empty, so nothing would be selected"),
        DeValue::Array(_) => {
            let mut keys = Vec::new();
            for element in item.list()? {
                match key(&element)? {
                    all if all == "*" => return element.file.error(element.span(), "`\"*\"` selects everything and stands alone"),
                    twice if keys.contains(&twice) => return element.file.error(element.span(), format!("`{twice}` is listed twice")),
                    key => keys.push(key),
                }
            }
            Some(Selector::Keys(keys))
        }
        other => item.file.error(item.span(), format!("a selector is text or a list of texts, not {}", type_words(other))),
    }
}

/// A key. Parameters are not looked up here: what will be read is known before any parameter is.
fn key(item: &Item<'_, '_>) -> Option<String> {
    let key = item.filled_text()?;
    if key.starts_with('$') {
        let message = "a selector cannot be a parameter: what is read does not depend on tailoring";
        return item.file.hint(item.span(), message, Some("select more and narrow it with `where`".into()));
    }
    Some(key)
}

fn arguments(table: &Table<'_, '_>, entry: &'static Entry) -> Option<BTreeMap<String, Vec<String>>> {
    let resource = entry.schema.resource;
    if entry.arguments.is_empty() {
        return table.file.error(table.at.clone(), format!("`{resource}` has no named arguments; it is selected by {}", entry.selector));
    }
    table.only(entry.arguments, &format!("the selector of `{resource}`"));
    let mut arguments = BTreeMap::new();
    for name in entry.arguments {
        let item = table.need(name, &format!("the selector of `{resource}`"))?;
        let mut values = Vec::new();
        for element in item.one_or_many() {
            let value = element.text()?;
            match *name {
                "matches" => _ = regex(&element, &value)?,
                "pointer" => well_formed_pointer(&element, &value)?,
                "file" => _ = key(&element)?,
                _ => {}
            }
            values.push(value);
        }
        if values.is_empty() {
            return item.file.error(item.span(), format!("`{name}` is empty"));
        }
        arguments.insert((*name).to_owned(), values);
    }
    Some(arguments)
}

/// Checks the syntax of RFC 6901.
pub(super) fn well_formed_pointer(item: &Item<'_, '_>, pointer: &str) -> Option<()> {
    let escapes = pointer.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    let rooted = pointer.is_empty() || pointer.starts_with('/');
    if escapes && rooted { Some(()) } else { item.file.error(item.at.clone(), format!("`{pointer}` is not a JSON Pointer (RFC 6901)")) }
}
