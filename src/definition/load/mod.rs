//! Benchmark files: TOML in, typed checks out, or everything that is wrong with them.

mod check;
mod expectation;
mod matcher;
mod params;
mod pattern;

pub(super) use params::{is_name, values};
pub(super) use pattern::field;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::fact::Kind;

use super::tree::{File, Item, Table};
use super::{Benchmark, Expectation, Literal, Param, Problem, Source};

/// Most checks in one file, and in all files together.
pub(super) const MOST_CHECKS: usize = 10_000;

/// Reads a benchmark. Lints are not looked for here.
pub(super) fn benchmark(source: &Source) -> Result<Benchmark, Vec<Problem>> {
    let file = File::new(source);
    let read = file.parse().and_then(|tree| read(&file.root(&tree, true)?));
    file.finish(read)
}

fn read(root: &Table<'_, '_>) -> Option<Benchmark> {
    root.only(&["format", "benchmark", "title", "param", "applies_when", "check"], "a benchmark");
    let place = root.file.place(0);
    let id = root.need("benchmark", "the file").and_then(|item| identifier(&item, "/")).unwrap_or_default();
    let title = root.need_text("title", "the benchmark");
    let mut params = params::declared(root);
    let scope = Scope { params: &params, uses: RefCell::default() };
    let applies_when = scope.expectations(root, "applies_when");
    let checks = check::checks(&scope, root, &id, &applies_when);
    let mut uses = scope.uses.into_inner();
    for (name, param) in &mut params {
        param.kinds = uses.remove(name).unwrap_or_default();
    }
    params::bounds(root, &mut params);
    Some(Benchmark { id, title, params, applies_when, checks, place })
}

/// Text that names a thing: letters, digits and `-`, `_`, `.`, and what else is allowed.
pub(super) fn identifier(item: &Item<'_, '_>, also: &str) -> Option<String> {
    let text = item.filled_text()?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c) || also.contains(c);
    if text.chars().all(allowed) && text.len() <= 128 {
        return Some(text);
    }
    item.file.error(item.span(), format!("`{}` is a name of letters, digits and hyphens", item.key))
}

/// What a definition may refer to while it is read.
pub(super) struct Scope<'p> {
    params: &'p BTreeMap<String, Param>,
    uses: RefCell<BTreeMap<String, BTreeSet<Kind>>>,
}

impl<'p> Scope<'p> {
    /// A scope with these parameters.
    pub(super) fn new(params: &'p BTreeMap<String, Param>) -> Self {
        Self { params, uses: RefCell::default() }
    }

    /// The expectations under a key; none where it is left out.
    pub(super) fn expectations(&self, table: &Table<'_, '_>, key: &str) -> Vec<Expectation> {
        let Some(item) = table.get(key) else { return Vec::new() };
        let tables = item.filled_tables();
        tables.iter().filter_map(|table| self.expectation(table)).collect()
    }
}

/// A value written in a file, by itself.
pub(super) fn literal(item: &Item<'_, '_>) -> Option<Literal> {
    use toml::de::DeValue;
    match item.value.get_ref() {
        DeValue::Boolean(flag) => Some(Literal::Flag(*flag)),
        DeValue::Integer(_) => item.integer().map(Literal::Integer),
        DeValue::String(_) => item.text().map(Literal::Text),
        other => {
            let words = super::tree::type_words(other);
            item.file.error(item.span(), format!("a value is text, a whole number or a flag, not {words}"))
        }
    }
}
