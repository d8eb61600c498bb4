//! Test cases of checks: judged like a host, and compared with what they say.

use std::fmt;

use super::judge::{Verdict, judge};
use super::plan::expectations;
use super::{Facts, Outcome};
use crate::definition::{Benchmark, Case, Check, Definitions, Params, Place, weaken};
use crate::fact::{Record, Value};
use crate::resource::{self, Query, Selector};

/// A case that does not come out as it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Id of the check.
    pub check: String,
    /// What the case shows, where somebody wrote it down.
    pub name: Option<String>,
    /// What it says.
    pub expected: &'static str,
    /// What it came to.
    pub got: Outcome,
    /// Why, in words, where there is something to say.
    pub reason: Option<String>,
    /// Where the case stands.
    pub place: Place,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let Self { check, expected, got, place, .. } = self;
        write!(f, "{place}: {check}{name} should be {expected}, but is {got}{reason}")
    }
}

/// A claim that no case needs: the check without it comes out the same for all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unneeded {
    /// Id of the check.
    pub check: String,
    /// What can be dropped, and where it stands.
    pub claim: String,
}

impl fmt::Display for Unneeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: no case notices {}", self.check, self.claim)
    }
}

/// Runs cases; those that do not come out as they say.
#[must_use]
pub fn run_cases(definitions: &Definitions, cases: &[Case]) -> Vec<Failure> {
    let failure = |case: &Case| {
        let (benchmark, check) = definitions.check(&case.check)?;
        let verdict = run_case(benchmark, check, case);
        (verdict.result.word() != case.result).then(|| Failure {
            check: case.check.clone(),
            name: case.name.clone(),
            expected: case.result,
            got: verdict.result,
            reason: verdict.reason,
            place: case.place.clone(),
        })
    };
    cases.iter().filter_map(failure).collect()
}

/// What a case comes to under a check, which may be a weaker variant of the one it is written for.
#[must_use]
pub fn run_case(benchmark: &Benchmark, check: &Check, case: &Case) -> Verdict {
    let check = case.tested(check);
    let mut facts = Facts::default();
    for query in expectations(&check).map(|expectation| &expectation.query) {
        let answer = match case.facts.get(query.resource) {
            None => Ok(Vec::new()),
            Some(Err(gap)) => Err(gap.clone()),
            Some(Ok(records)) => Ok(records.iter().filter(|record| picks(query, record)).cloned().collect()),
        };
        facts.insert(query.clone(), answer);
    }
    judge(&check, &Params::of(benchmark, [&case.params]), &facts)
}

/// Whether a query would give a record; one whose key is not known is taken to be meant.
fn picks(query: &Query, record: &Record) -> bool {
    let key = resource::find(query.resource).map(|entry| entry.key).filter(|key| !key.is_empty());
    let key = key.and_then(|key| record.get(key)).or_else(|| record.fact(0)).and_then(|fact| fact.known());
    match (&query.of, key) {
        (Selector::Keys(_), Some(Value::Text(text) | Value::Setting(text))) => query.of.picks(text.raw()),
        (Selector::Keys(_), Some(key)) => query.of.picks(&key.to_string()),
        _ => true,
    }
}

/// Weakens every check claim by claim: the claims whose loss no case notices.
#[must_use]
pub fn unneeded(definitions: &Definitions, cases: &[Case]) -> Vec<Unneeded> {
    let mut unneeded = Vec::new();
    for (benchmark, check) in definitions.checks() {
        let own: Vec<&Case> = cases.iter().filter(|case| case.check == check.id).collect();
        for (claim, weaker) in weaken(check) {
            let noticed = own.iter().any(|case| run_case(benchmark, &weaker, case).result.word() != case.result);
            if !noticed {
                unneeded.push(Unneeded { check: check.id.clone(), claim });
            }
        }
    }
    unneeded
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{BENCHMARK, definitions};
    use super::*;
    use crate::definition::Source;

    fn cases(text: &str) -> Vec<Case> {
        assert!(BENCHMARK.contains("files-restricted"));
        let source = Source::new("benchmarks/host/test.test.toml", format!("format = 1\n{text}"));
        let cases = definitions().cases(&source);
        cases.unwrap_or_else(|problems| panic!("{}", problems.iter().map(ToString::to_string).collect::<String>()))
    }

    #[test]
    fn cases_are_judged_like_a_host() {
        let cases = cases(
            r#"
            [files-restricted]
            pass = [
              { file = [{ path = "/etc/a", exists = true, mode = "0644" }] },
              { name = "not one of them", file = [{ path = "/etc/other", exists = true, mode = "0777" }, { path = "/etc/b", exists = true, mode = "0600" }] },
            ]
            fail = [
              { file = [{ path = "/etc/a", exists = true, mode = "0666" }] },
              { name = "a stricter site", param = { most = "0600" }, file = [{ path = "/etc/a", exists = true, mode = "0644" }] },
            ]
            unknown = [{ file = { gap = "denied" } }]
            not_applicable = [{ file = [{ path = "/etc/a", exists = false }] }]
            "#,
        );
        assert_eq!(cases.len(), 6);
        assert_eq!(run_cases(&definitions(), &cases), []);
    }

    #[test]
    fn a_case_that_is_wrong_is_told() {
        let cases =
            cases("[files-restricted]\npass = [{ name = \"open\", file = [{ path = \"/etc/a\", exists = true, mode = \"0666\" }] }]");
        let failures: Vec<String> = run_cases(&definitions(), &cases).iter().map(ToString::to_string).collect();
        assert_eq!(failures, ["benchmarks/host/test.test.toml:3:9: files-restricted (open) should be pass, but is fail"]);
    }

    #[test]
    fn claims_that_no_case_needs_are_told() {
        let few = cases("[shadow-there]\npass = [{ file = [{ path = \"/etc/shadow\", exists = true }] }]");
        let told: Vec<String> = unneeded(&definitions(), &few).iter().map(|one| one.check.clone()).collect();
        assert!(told.contains(&"shadow-there".to_owned()), "{told:?}");
        let enough = cases(
            "[shadow-there]\npass = [{ file = [{ path = \"/etc/shadow\", exists = true }] }]\n\
             fail = [{ file = [{ path = \"/etc/shadow\", exists = false }] }]",
        );
        assert!(unneeded(&definitions(), &enough).iter().all(|one| one.check != "shadow-there"));
    }
}
