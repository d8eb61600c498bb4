//! One check.

use std::sync::Arc;

use crate::definition::tree::{Item, Table};
use crate::definition::words::closest;
use crate::definition::{Basis, Check, Expectation, Holds, Severity};

use super::{MOST_CHECKS, Scope, identifier};

const KEYS: &[&str] = &["id", "title", "severity", "why", "fix", "disturbs", "see", "applies_when", "holds", "expect", "manual"];

/// Reads `[[check]]`.
pub(super) fn checks(scope: &Scope<'_>, root: &Table<'_, '_>, benchmark: &str, applies_when: &[Expectation]) -> Vec<Check> {
    let Some(item) = root.need("check", "the benchmark") else { return Vec::new() };
    let tables = item.filled_tables();
    if tables.len() > MOST_CHECKS {
        item.file.error::<()>(item.at.clone(), format!("{} checks; {MOST_CHECKS} are the limit", tables.len()));
        return Vec::new();
    }
    let benchmark: Arc<str> = benchmark.into();
    let mut checks: Vec<Check> = Vec::new();
    let mut ids = std::collections::BTreeMap::new();
    for table in tables {
        if let Some(check) = check(scope, &table, &benchmark, applies_when) {
            if let Some(first) = ids.insert(check.id.clone(), check.place.line) {
                let at = table.get("id").map_or_else(|| table.at.clone(), |id| id.span());
                table.file.error::<()>(at, format!("a second check `{}`; the first stands on line {first}", check.id));
            }
            checks.push(check);
        }
    }
    checks
}

fn check(scope: &Scope<'_>, table: &Table<'_, '_>, benchmark: &Arc<str>, applies_when: &[Expectation]) -> Option<Check> {
    table.only(KEYS, "a check");
    let id = table.need("id", "the check");
    let place = id.as_ref().map_or_else(|| table.file.place(table.at.start), Item::place);
    let id = id.and_then(|item| identifier(&item, ""));
    let title = table.need_text("title", "the check");
    let severity = table.need("severity", "the check").and_then(|item| severity(&item));
    let text = |key| table.text(key).unwrap_or_default();
    let see = table.get("see").and_then(|item| item.texts()).unwrap_or_default();
    let applies_when = applies_when.iter().cloned().chain(scope.expectations(table, "applies_when")).collect();
    let basis = basis(scope, table);
    let (why, fix, disturbs) = (text("why"), text("fix"), text("disturbs"));
    let benchmark = benchmark.clone();
    Some(Check { id: id?, benchmark, title, severity: severity?, why, fix, disturbs, see, applies_when, basis: basis?, place })
}

fn severity(item: &Item<'_, '_>) -> Option<Severity> {
    let word = item.text()?;
    Severity::parse(&word).or_else(|| {
        let suggestion = closest(&word, Severity::ALL.map(Severity::word));
        item.file.hint(item.span(), format!("`{word}` is not a severity: info, low, medium, high or critical"), suggestion)
    })
}

fn basis(scope: &Scope<'_>, table: &Table<'_, '_>) -> Option<Basis> {
    let holds = table.get("holds");
    match (table.get("expect"), table.get("manual")) {
        (Some(_), Some(manual)) => table.file.error(manual.at, "a check has either `expect` or `manual`, not both"),
        (None, None) => table.file.error(table.at.clone(), "a check needs `[[check.expect]]`, or `manual` for what a person has to ask"),
        (None, Some(manual)) => {
            if let Some(holds) = holds {
                table.file.error::<()>(holds.at, "`holds` says how expectations combine; a manual check has none");
            }
            Some(Basis::Manual { ask: manual.filled_text()? })
        }
        (Some(_), None) => {
            let expect = scope.expectations(table, "expect");
            let holds = holds.map_or(Some(Holds::All), |item| match item.text()?.as_str() {
                "all" => Some(Holds::All),
                "any" => Some(Holds::Any),
                _ => item.file.error(item.span(), "`holds` is \"all\" or \"any\""),
            })?;
            Some(Basis::Automated { holds, expect })
        }
    }
}
