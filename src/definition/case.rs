//! Test cases: facts written down, and the result a check must have on them.

mod record;

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeValue;

use crate::fact::{Fact, Gap, Origin, Reason, Record, Value};
use crate::resource::{Entry, Query, Selector, find};

use super::site::params;
use super::tree::{File, Item, Table};
use super::words::closest;
use super::{Basis, Benchmark, Check, Definitions, Expectation, Params, Place, Problem, Source, Values};

/// Results a case may name.
pub const RESULTS: &[&str] = &["pass", "fail", "unknown", "not_applicable", "manual"];

/// Keys of a case that name no resource.
const OTHER_KEYS: &[&str] = &["name", "param"];

/// What a resource has in a case: its records, or why there are none to be had.
pub type CaseFacts = BTreeMap<&'static str, Result<Vec<Record>, Gap>>;

/// One case of one check.
#[derive(Clone, Debug)]
pub struct Case {
    /// Id of the check.
    pub check: String,
    /// What it shows, where somebody wrote it down.
    pub name: Option<String>,
    /// The result it must have: one of [`RESULTS`].
    pub result: &'static str,
    /// What is known of the host. A resource that is not mentioned has no records.
    pub facts: CaseFacts,
    /// Parameters it sets.
    pub params: Values,
    /// Where it stands.
    pub place: Place,
}

impl Case {
    /// The check as this case puts it to the test: a condition for its applying that asks about
    /// a resource the case does not mention is taken to hold.
    #[must_use]
    pub fn tested(&self, check: &Check) -> Check {
        let mentioned = |expectation: &&Expectation| self.facts.contains_key(expectation.query.resource);
        Check { applies_when: check.applies_when.iter().filter(mentioned).cloned().collect(), ..check.clone() }
    }

    /// What the case answers to a query: those of its records that the query selects.
    pub fn answer(&self, query: &Query) -> Result<Vec<Record>, Gap> {
        let Some(facts) = self.facts.get(query.resource) else { return Ok(Vec::new()) };
        let records = facts.as_ref().map_err(Clone::clone)?;
        let key = find(query.resource).map_or("", key);
        let selected = |record: &&Record| match (&query.of, record.get(key).and_then(Fact::known)) {
            (Selector::Keys(_), Some(Value::Text(name) | Value::Setting(name))) => query.of.picks(name.raw()),
            (Selector::Keys(_), _) => false,
            _ => true,
        };
        Ok(records.iter().filter(selected).cloned().collect())
    }

    /// The parameters of a benchmark as the case sets them.
    #[must_use]
    pub fn parameters(&self, benchmark: &Benchmark) -> Params {
        Params::of(benchmark, [&self.params])
    }
}

/// The field that keys of a resource are compared with.
fn key(entry: &'static Entry) -> &'static str {
    if entry.key.is_empty() { entry.schema.fields.first().map_or("", |field| field.name) } else { entry.key }
}

/// Reads the cases beside a benchmark.
pub(super) fn load(source: &Source, benchmark: &Benchmark, known: &Definitions) -> Result<Vec<Case>, Vec<Problem>> {
    let file = File::new(source);
    let read = file.parse().and_then(|tree| {
        let reader = Reader { benchmark, known };
        let checks = file.root(&tree, false)?.items().into_iter().filter(|item| item.key != "format");
        Some(checks.flat_map(|item| reader.check(&item).unwrap_or_default()).collect())
    });
    file.finish(read)
}

struct Reader<'a> {
    benchmark: &'a Benchmark,
    known: &'a Definitions,
}

impl Reader<'_> {
    fn check(&self, item: &Item<'_, '_>) -> Option<Vec<Case>> {
        let Some(check) = self.benchmark.checks.iter().find(|check| check.id == item.key) else {
            let suggestion = closest(item.key, self.benchmark.checks.iter().map(|check| check.id.as_str()));
            let message = format!("`{}` has no check `{}`", self.benchmark.id, item.key);
            return item.file.hint(item.at.clone(), message, suggestion);
        };
        let queries = queries(check);
        let table = item.table()?;
        table.only(RESULTS, "a table of cases");
        let mut cases = Vec::new();
        for result in RESULTS {
            for table in table.get(result).map(|item| item.tables()).unwrap_or_default() {
                cases.extend(self.case(&table, check, result, &queries));
            }
        }
        Some(cases)
    }

    fn case(&self, table: &Table<'_, '_>, check: &Check, result: &'static str, queries: &Queries<'_>) -> Option<Case> {
        let (mut facts, mut name, mut set) = (CaseFacts::new(), None, Values::new());
        for item in table.items() {
            match (item.key, find(item.key)) {
                ("name", _) => name = item.filled_text(),
                ("param", _) => set = params(table, self.known),
                (resource, Some(entry)) => match queries.get(resource) {
                    Some(selectors) => _ = facts.insert(entry.schema.resource, self::facts(&item, entry, selectors)?),
                    None => item.file.error(item.at.clone(), format!("`{}` does not look at `{resource}`", check.id))?,
                },
                (other, None) => {
                    let known = queries.keys().copied().chain(OTHER_KEYS.iter().copied());
                    item.file.hint(item.at.clone(), format!("there is no resource `{other}`"), closest(other, known))?;
                }
            }
        }
        let place = table.file.place(table.at.start);
        Some(Case { check: check.id.clone(), name, result, facts, params: set, place })
    }
}

type Queries<'a> = BTreeMap<&'static str, BTreeSet<&'a Selector>>;

/// Which resources a check asks, and how.
fn queries(check: &Check) -> Queries<'_> {
    let expect = match &check.basis {
        Basis::Automated { expect, .. } => expect.as_slice(),
        Basis::Manual { .. } => &[],
    };
    let mut queries = Queries::new();
    for expectation in expect.iter().chain(&check.applies_when) {
        queries.entry(expectation.query.resource).or_default().insert(&expectation.query.of);
    }
    queries
}

/// A list of records, or `{ gap = "…" }` where nothing could be enumerated.
fn facts(item: &Item<'_, '_>, entry: &'static Entry, selectors: &BTreeSet<&Selector>) -> Option<Result<Vec<Record>, Gap>> {
    if let DeValue::Table(_) = item.value.get_ref() {
        let table = item.table()?;
        table.only(&["gap"], "a resource that is no list of records");
        return gap(&table.need("gap", "the resource")?).map(Err);
    }
    let by_key = selectors.iter().any(|selector| matches!(selector, Selector::Keys(_)));
    let key = key(entry);
    let mut records = Vec::new();
    for element in item.list()? {
        let table = element.table()?;
        if by_key && table.get(key).is_none() {
            let message = format!("the record has no `{key}`, by which the check selects `{}`", entry.schema.resource);
            item.file.error::<()>(element.span(), message);
        }
        records.push(record::read(&table, entry)?);
    }
    Some(Ok(records))
}

/// A word for a gap, and the reason it stands for.
type GapWord = (&'static str, fn() -> Reason);

/// Words for gaps, as they are written.
const GAPS: &[GapWord] = &[
    ("denied", || Reason::Denied),
    ("unreachable", || Reason::Unreachable),
    ("timed_out", || Reason::TimedOut),
    ("too_large", || Reason::TooLarge),
    ("malformed", || Reason::malformed("as the case says")),
    ("not_collected", || Reason::NotCollected),
    ("unsupported", || Reason::unsupported("as the case says")),
];

fn gap(item: &Item<'_, '_>) -> Option<Gap> {
    let word = item.filled_text()?;
    match GAPS.iter().find(|(name, _)| *name == word) {
        Some((_, reason)) => Some(Gap::new(Origin::Derived, reason())),
        None => {
            let words = GAPS.iter().map(|(name, _)| *name);
            let suggestion =
                closest(&word, words.clone()).unwrap_or_else(|| format!("write one of {}", words.collect::<Vec<_>>().join(", ")));
            item.file.hint(item.span(), format!("`{word}` is not a gap"), Some(suggestion))
        }
    }
}
