//! Lints: what loads, but is not as a check should be.

use toml::de::DeValue;

use super::case::Case;
use super::tree::{File, Item, Table};
use super::{Basis, Benchmark, Check, Claim, Expectation, Matcher, Place, Problem, Source};

/// Lints of one benchmark. Cases are asked for where they are given.
pub(super) fn lints(source: &Source, benchmark: &Benchmark, cases: Option<&[Case]>) -> Vec<Problem> {
    let file = File::new(source);
    if let Some(tree) = file.parse() {
        file.root(&tree, true).iter().for_each(|root| written(root, benchmark));
    }
    for (name, param) in &benchmark.params {
        if param.kinds.is_empty() {
            file.lint(&param.place, name.chars().count(), format!("parameter `{name}` is never used"));
        }
    }
    for check in &benchmark.checks {
        Checked { file: &file, check }.lint(cases);
    }
    file.into_problems()
}

/// Lints about how the file is written.
fn written(root: &Table<'_, '_>, benchmark: &Benchmark) {
    let file = root.file;
    if let Some(id) = root.get("benchmark").filter(|_| !file.path().ends_with(&format!("{}.toml", benchmark.id))) {
        file.lint_at(id.span(), format!("the benchmark `{}` is not in a file of that name", benchmark.id));
    }
    for key in ["applies_when", "check"] {
        for table in root.get(key).map(|item| item.tables()).unwrap_or_default() {
            if key == "applies_when" {
                lists_of_one(&table);
                continue;
            }
            check_text(&table);
            for key in ["applies_when", "expect"] {
                table.get(key).map(|item| item.tables()).unwrap_or_default().iter().for_each(lists_of_one);
            }
        }
    }
}

fn lists_of_one(table: &Table<'_, '_>) {
    fn walk(item: &Item<'_, '_>) {
        match item.value.get_ref() {
            DeValue::Array(array) => {
                if array.len() == 1 {
                    item.file.lint_at(item.span(), "a list of one: leave out the brackets");
                }
                item.one_or_many().iter().for_each(walk);
            }
            DeValue::Table(_) => item.table().iter().flat_map(Table::items).for_each(|item| walk(&item)),
            _ => {}
        }
    }
    table.items().iter().for_each(walk);
}

fn check_text(table: &Table<'_, '_>) {
    let text = |key| table.get(key).and_then(|item| item.text().map(|text| (item, text)));
    if let Some((item, title)) = text("title") {
        if title.trim_end().ends_with('.') {
            item.file.lint_at(item.span(), "a title does not end with a dot");
        }
        if title.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("ensure")) {
            item.file.lint_at(item.span(), "a title is a sentence that is true when the check passes; it does not say \"Ensure\"");
        }
    }
    if let Some((item, id)) = text("id") {
        let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if !id.split('-').all(word) || !id.contains('-') {
            item.file.lint_at(item.span(), format!("`{id}` is not in kebab-case: small words joined by hyphens, subject first"));
        }
    }
}

/// A check being looked at.
struct Checked<'c, 'f, 'a> {
    file: &'f File<'a>,
    check: &'c Check,
}

impl Checked<'_, '_, '_> {
    fn lint(&self, cases: Option<&[Case]>) {
        let check = self.check;
        let Basis::Automated { expect, .. } = &check.basis else { return };
        for (text, name) in [(&check.why, "why"), (&check.fix, "fix"), (&check.disturbs, "disturbs")] {
            if text.is_empty() {
                self.note(format!("`{}` has no `{name}`", check.id));
            }
        }
        if !self.subject_agrees(expect) {
            self.note(format!("`{}` begins with a word that neither its file nor a resource it looks at has", check.id));
        }
        for result in ["pass", "fail"] {
            if cases.is_some_and(|cases| !cases.iter().any(|case| case.check == check.id && case.result == result)) {
                self.note(format!("`{}` has no case for `{result}`", check.id));
            }
        }
        for expectation in expect.iter().chain(&check.applies_when) {
            self.expectation(expectation);
        }
    }

    fn note(&self, message: String) {
        let place = &self.check.place;
        self.file.lint(place, 2, message);
    }

    /// The first word of an id says what it is about: a word of the benchmark's path, or of a resource.
    fn subject_agrees(&self, expect: &[Expectation]) -> bool {
        let first = self.check.id.split('-').next().unwrap_or_default();
        let about = |word: &str| !word.is_empty() && (first.starts_with(word.trim_end_matches('s')) || word.starts_with(first));
        let path = self.check.benchmark.split(['/', '-', '_']);
        let resources = expect.iter().flat_map(|expectation| expectation.query.resource.split('_'));
        path.chain(resources).any(about)
    }

    fn expectation(&self, expectation: &Expectation) {
        let pattern = match &expectation.claim {
            Claim::Each(pattern) | Claim::Any(pattern) | Claim::None(pattern) => pattern,
            Claim::Count(matcher) => return self.matcher(matcher, &expectation.place, "count"),
        };
        // Asking first whether there is a value is how "where it is set, it is right" is said.
        let asked = expectation.filter.iter().flat_map(|filter| filter.0.iter().flatten());
        let filtered: Vec<_> =
            asked.filter(|claim| !matches!(claim.matcher, Matcher::Present(_))).map(|claim| claim.field.name()).collect();
        for claim in pattern.0.iter().flatten() {
            let name = claim.field.name();
            if filtered.contains(&name) {
                self.file.lint(&claim.place, name.chars().count(), format!("`where` and the claim both name `{name}`"));
            }
        }
        for claim in expectation.filter.iter().chain([pattern]).flat_map(|pattern| pattern.0.iter().flatten()) {
            self.matcher(&claim.matcher, &claim.place, claim.field.name());
        }
    }

    fn matcher(&self, matcher: &Matcher, place: &Place, name: &str) {
        match matcher {
            Matcher::Matches(text, _) if regex::escape(text) == *text => {
                self.file.lint(place, name.chars().count(), format!("`matches` of plain text: `{name} = \"{text}\"` says the same"));
            }
            Matcher::Not(inner) | Matcher::Contains(inner) | Matcher::Only(inner) | Matcher::Count(inner) => {
                self.matcher(inner, place, name)
            }
            Matcher::All(parts) | Matcher::Any(parts) => parts.iter().for_each(|part| self.matcher(part, place, name)),
            _ => {}
        }
    }
}
