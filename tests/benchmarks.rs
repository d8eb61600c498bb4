//! The bundled benchmarks, tried on their cases: every one comes out as it says, and no claim is idle.
#![expect(clippy::unwrap_used, reason = "a test")]

use plimsoll::audit::judge_case;
use plimsoll::definition::{Benchmark, Case, Check, Definitions, Problem, Source, weaken};

fn told(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

fn bundled() -> (Definitions, Vec<Case>) {
    let definitions = Definitions::load(Source::embedded()).map_err(|problems| told(&problems)).unwrap();
    let cases = Source::embedded_cases().into_iter().map(|source| definitions.cases(&source).map_err(|problems| told(&problems)).unwrap());
    let cases = cases.collect::<Vec<_>>().concat();
    (definitions, cases)
}

/// The result of a check on a case.
fn result(benchmark: &Benchmark, check: &Check, case: &Case) -> &'static str {
    judge_case(benchmark, check, case).result.word()
}

#[test]
fn every_case_comes_out_as_it_says() {
    let (definitions, cases) = bundled();
    let mut wrong = Vec::new();
    for case in &cases {
        let (benchmark, check) = definitions.check(&case.check).unwrap();
        let result = result(benchmark, check, case);
        if result != case.result {
            wrong.push(format!("{}: {} is {result}, not {}", case.place, case.check, case.result));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn every_claim_is_needed() {
    let (definitions, cases) = bundled();
    let mut idle = Vec::new();
    for (benchmark, check) in definitions.checks() {
        let cases: Vec<_> = cases.iter().filter(|case| case.check == check.id).collect();
        for (dropped, weaker) in weaken(check) {
            if cases.iter().all(|case| result(benchmark, &weaker, case) == case.result) {
                idle.push(format!("{dropped} ({})", check.id));
            }
        }
    }
    assert!(idle.is_empty(), "no case notices that these are gone, {} in all:\n{}", idle.len(), idle.join("\n"));
}

#[test]
fn no_lint_is_left() {
    let (definitions, cases) = bundled();
    assert_eq!(told(&definitions.lints(Some(&cases))), "");
}
