//! Profiles: a framework's numbering, mapped to checks.

use std::collections::BTreeMap;

use super::load::{Scope, identifier};
use super::site::params;
use super::tree::{File, Item, Table};
use super::words::closest;
use super::{Control, ControlBasis, Definitions, Levels, Problem, Profile, Source};

const KEYS: &[&str] = &["format", "profile", "title", "version", "default", "line", "applies_when", "param", "control"];
const CONTROL_KEYS: &[&str] = &["id", "title", "level", "checks", "manual", "uncovered", "note"];

/// Whether a source is a profile and not a benchmark: it says so in a key of its own.
pub(super) fn is_profile(source: &Source) -> bool {
    File::new(source).parse().is_some_and(|tree| tree.get_ref().contains_key("profile"))
}

/// Reads a profile, which may name only checks and parameters that are loaded.
pub(super) fn load(source: &Source, known: &Definitions) -> Result<Profile, Vec<Problem>> {
    let file = File::new(source);
    let read = file.parse().and_then(|tree| read(&file.root(&tree, true)?, known));
    file.finish(read)
}

fn read(root: &Table<'_, '_>, known: &Definitions) -> Option<Profile> {
    root.only(KEYS, "a profile");
    let none = BTreeMap::new();
    let id = root.need("profile", "the file").and_then(|item| identifier(&item, ""));
    let place = root.get("profile").map_or_else(|| root.file.place(0), |item| item.place());
    let title = root.need_text("title", "the profile");
    let version = root.text("version");
    let default = root.get("default").and_then(|item| item.flag()).unwrap_or_default();
    let line = root.get("line").and_then(|item| item.number_within(0, 100)).and_then(|line| u32::try_from(line).ok());
    let applies_when = Scope::new(&none).expectations(root, "applies_when");
    let params = params(root, known);
    let mut controls: Vec<Control> = Vec::new();
    for table in root.need("control", "the profile")?.filled_tables() {
        let Some(control) = control(&table, known) else { continue };
        if let Some(first) = controls.iter().find(|first| first.id == control.id) {
            let at = table.get("id").map_or_else(|| table.at.clone(), |id| id.span());
            table.file.error::<()>(at, format!("a second control `{}`; the first stands on line {}", control.id, first.place.line));
        }
        controls.push(control);
    }
    Some(Profile { id: id?, title, version, default, line, applies_when, params, controls, place })
}

fn control(table: &Table<'_, '_>, known: &Definitions) -> Option<Control> {
    table.only(CONTROL_KEYS, "a control");
    let number = table.need("id", "the control");
    let place = number.as_ref().map_or_else(|| table.file.place(table.at.start), Item::place);
    let id = number.and_then(|item| match item.value.get_ref().as_str() {
        Some(_) => item.filled_text(),
        None => {
            let message = "the number of a control is text, so that 2.10 is not 2.1";
            item.file.hint(item.span(), message, Some("write it in quotes".into()))
        }
    });
    let title = table.text("title").unwrap_or_default();
    let level = table.get("level").map_or(Some(Levels::both(1)), |item| levels(&item));
    let basis = basis(table, known);
    let note = table.text("note");
    Some(Control { id: id?, title, level: level?, basis: basis?, note, place })
}

/// One level for all hosts, or one for each role: `{ server = 2, workstation = 1 }`, of which one may be left out.
fn levels(item: &Item<'_, '_>) -> Option<Levels> {
    if item.value.get_ref().as_table().is_none() {
        return level(item).map(Levels::both);
    }
    let table = item.table().filter(|table| !table.is_empty());
    let Some(table) = table else {
        return item.file.error(item.span(), "`level` is empty: it is 1, 2, or says which for `server` and `workstation`");
    };
    table.only(&["server", "workstation"], "a level");
    let of = |role| table.get(role).map_or(Some(None), |item| level(&item).map(Some));
    Some(Levels { server: of("server")?, workstation: of("workstation")? })
}

fn level(item: &Item<'_, '_>) -> Option<u8> {
    item.number_within(1, 2).and_then(|level| u8::try_from(level).ok())
}

fn basis(table: &Table<'_, '_>, known: &Definitions) -> Option<ControlBasis> {
    let given: Vec<_> = ["checks", "manual", "uncovered"].into_iter().filter_map(|key| table.get(key)).collect();
    match given.as_slice() {
        [] => table.file.error(table.at.clone(), "a control is answered by `checks`, by `manual`, or is `uncovered` with the reason"),
        [item] => match item.key {
            "checks" => checks(item, known).map(ControlBasis::Checks),
            "manual" => item.filled_text().map(ControlBasis::Manual),
            _ => item.filled_text().map(ControlBasis::Uncovered),
        },
        [first, second, ..] => table.file.error(
            second.at.clone(),
            format!("a control has one of `checks`, `manual` and `uncovered`; this one has `{}` already", first.key),
        ),
    }
}

fn checks(item: &Item<'_, '_>, known: &Definitions) -> Option<Vec<String>> {
    let elements = item.list()?;
    if elements.is_empty() {
        let message = "`checks` is an empty list; a control that nothing answers is `uncovered`, with the reason";
        return item.file.error(item.span(), message);
    }
    let mut checks = Vec::new();
    for element in elements {
        let id = element.filled_text()?;
        if checks.contains(&id) {
            element.file.error::<()>(element.span(), format!("`{id}` is listed twice"));
        } else if known_check(&element, &id, known).is_some() {
            checks.push(id);
        }
    }
    Some(checks)
}

/// Notes a problem where no check has this id.
pub(super) fn known_check(item: &Item<'_, '_>, id: &str, known: &Definitions) -> Option<()> {
    if known.check(id).is_some() {
        return Some(());
    }
    let suggestion = closest(id, known.checks().map(|(_, check)| check.id.as_str()));
    item.file.hint(item.span(), format!("there is no check `{id}`"), suggestion)
}
