use super::super::fixture::{host, run};
use super::super::{Request, Run};
use super::*;

/// One critical failure of 11: score 0.0 or so, and a manual check.
fn sample() -> Run {
    run(host(), Request::default())
}

#[test]
fn without_gates_a_finished_audit_is_good() {
    let judgement = Gates::default().judge(&sample());
    assert_eq!((judgement.exit, judgement.exit.code()), (Exit::Good, 0));
    assert!(judgement.reasons.is_empty());
}

#[test]
fn each_gate_trips_by_itself() {
    let run = sample();
    let gates = Gates::default();
    let exit = |gates: Gates| gates.judge(&run).exit;
    assert_eq!(exit(Gates { fail_on: Some(Severity::Critical), ..gates }), Exit::Tripped);
    assert_eq!(exit(Gates { fail_on: Some(Severity::Low), ..gates }), Exit::Tripped);
    assert_eq!(exit(Gates { fail_under: Tenths::parse("50"), ..gates }), Exit::Tripped);
    assert_eq!(exit(Gates { fail_under: Tenths::parse("0"), ..gates }), Exit::Good);
    assert_eq!(exit(Gates { min_coverage: Tenths::parse("99"), ..gates }), Exit::Blind);
    assert_eq!(exit(Gates { fail_on_unknown: true, ..gates }), Exit::Good);
    let reasons = Gates { fail_on: Some(Severity::High), ..gates }.judge(&run).reasons;
    assert_eq!(reasons, ["1 failure of severity high or above"]);
}

#[test]
fn what_is_waived_does_not_trip_and_what_is_unknown_may() {
    let mut run = sample();
    run.score.open.clear();
    assert_eq!(Gates { fail_on: Some(Severity::Info), ..Gates::default() }.judge(&run).exit, Exit::Good);
    run.findings[0].result = Outcome::Unknown;
    let judgement = Gates { fail_on_unknown: true, ..Gates::default() }.judge(&run);
    assert_eq!((judgement.exit.code(), judgement.reasons), (1, vec!["1 check could not be decided".to_owned()]));
}

#[test]
fn nothing_assessable_and_deadlines_have_their_own_codes() {
    let nothing = run(crate::host::memory::Memory::new(), Request::default());
    assert_eq!(Gates { fail_under: Tenths::parse("80"), ..Gates::default() }.judge(&nothing).exit.code(), 4);
    let mut late = sample();
    late.partial = true;
    assert_eq!(Gates::default().judge(&late).exit.code(), 5);
    let tripped = Gates { fail_on: Some(Severity::Low), ..Gates::default() }.judge(&late);
    assert_eq!((tripped.exit.code(), tripped.reasons.len()), (1, 2), "both are told");
}
