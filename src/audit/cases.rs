//! Test cases of checks: judged like a host, and compared with what they say.

use std::fmt;

use super::judge::{Verdict, judge};
use super::plan::expectations;
use super::{Facts, Outcome};
use crate::definition::{Benchmark, Case, Check, Definitions, Place};

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

/// Runs one case: an error where it does not come out as it says. A case of a check that is not there has nothing to say.
pub fn run_case(definitions: &Definitions, case: &Case) -> Result<(), Failure> {
    let Some((benchmark, check)) = definitions.check(&case.check) else { return Ok(()) };
    let verdict = judge_case(benchmark, check, case);
    if verdict.result.word() == case.result {
        return Ok(());
    }
    Err(Failure {
        check: case.check.clone(),
        name: case.name.clone(),
        expected: case.result,
        got: verdict.result,
        reason: verdict.reason,
        place: case.place.clone(),
    })
}

/// What a case comes to under a check, which may be a weaker variant of the one it is written for.
#[must_use]
pub fn judge_case(benchmark: &Benchmark, check: &Check, case: &Case) -> Verdict {
    let check = case.tested(check);
    let mut facts = Facts::default();
    for expectation in expectations(&check) {
        facts.insert(expectation.query.clone(), case.answer(&expectation.query));
    }
    judge(&check, &case.parameters(benchmark), &facts)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::definitions;
    use super::*;
    use crate::definition::Source;

    fn cases(text: &str) -> Vec<Case> {
        let source = Source::new("benchmarks/host/test.test.toml", format!("format = 1\n{text}"));
        let cases = definitions().cases(&source);
        cases.unwrap_or_else(|problems| panic!("{}", problems.iter().map(ToString::to_string).collect::<String>()))
    }

    fn failures(cases: &[Case]) -> Vec<String> {
        cases.iter().filter_map(|case| run_case(&definitions(), case).err()).map(|failure| failure.to_string()).collect()
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
        assert_eq!(failures(&cases), [] as [String; 0]);
    }

    #[test]
    fn a_case_that_is_wrong_is_told() {
        let cases =
            cases("[files-restricted]\npass = [{ name = \"open\", file = [{ path = \"/etc/a\", exists = true, mode = \"0666\" }] }]");
        assert_eq!(failures(&cases), ["benchmarks/host/test.test.toml:3:9: files-restricted (open) should be pass, but is fail"]);
    }
}
