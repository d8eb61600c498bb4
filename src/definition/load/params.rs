//! The parameters a benchmark declares.

use std::collections::{BTreeMap, BTreeSet};

use crate::definition::tree::{Item, Table};
use crate::definition::{Literal, Param};

use super::{Scope, literal};

/// Reads `[param.…]`; what bounds them is read later, when it is known what they are compared with.
pub(super) fn declared(root: &Table<'_, '_>) -> BTreeMap<String, Param> {
    let mut params = BTreeMap::new();
    let Some(table) = root.get("param").and_then(|item| item.table()) else { return params };
    for item in table.items() {
        if let Some(param) = item.table().and_then(|table| param(&item, &table)) {
            params.insert(item.key.to_owned(), param);
        }
    }
    params
}

fn param(item: &Item<'_, '_>, table: &Table<'_, '_>) -> Option<Param> {
    if !is_name(item.key) {
        item.file.error::<()>(item.at.clone(), format!("`{}` is not a name for a parameter: small letters, digits and `_`", item.key));
    }
    table.only(&["default", "within", "doc"], "a parameter");
    let doc = table.need_text("doc", "the parameter");
    let (default, is_list) = match table.get("default") {
        Some(item) => values(&item).map(|(values, is_list)| (Some(values), is_list))?,
        None => (None, true),
    };
    Some(Param { default, is_list, within: None, kinds: BTreeSet::new(), doc, place: item.place() })
}

/// Whether a parameter may have this name.
pub(in crate::definition) fn is_name(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    first && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The values of a parameter, all of one type, and whether they are written as a list. A list may be empty.
pub(in crate::definition) fn values(item: &Item<'_, '_>) -> Option<(Vec<Literal>, bool)> {
    let is_list = item.value.get_ref().is_array();
    let mut values: Vec<Literal> = Vec::new();
    for element in item.one_or_many() {
        let value = literal(&element)?;
        if values.first().is_some_and(|first| first.kind() != value.kind()) {
            return item.file.error(element.span(), "the values of a list must be of one type");
        }
        values.push(value);
    }
    Some((values, is_list))
}

/// Reads `within` and checks the defaults against it.
pub(super) fn bounds(root: &Table<'_, '_>, params: &mut BTreeMap<String, Param>) {
    let Some(table) = root.get("param").and_then(|item| item.table()) else { return };
    for item in table.items() {
        let (Some(table), Some(param)) = (item.table(), params.get_mut(item.key)) else { continue };
        if let Some(within) = table.get("within") {
            let kind = param.kind();
            param.within = Scope::new(&BTreeMap::new()).bounds(&within, item.key, kind);
        }
        let values = param.default.as_deref().unwrap_or_default();
        if let (Some(default), Some(why)) = (table.get("default"), param.refuses(item.key, values, param.is_list)) {
            item.file.error::<()>(default.span(), why);
        }
    }
}
