use proptest::prelude::*;

use super::*;
use crate::definition::{Claim, FieldClaim, FieldPath, Literal, Matcher, Operand, Pattern, Place, Severity};
use crate::fact::{Flag, Gap, Integer, List, Origin, Reason, Record, Row as _, record};
use crate::resource::{Query, Selector};

record! {
    /// A made-up thing.
    pub struct Thing("thing") {
        /// Name.
        name: Text,
        /// State.
        state: Text,
        /// Whether it is bad.
        bad: Flag,
        /// Size.
        size: Integer,
        /// Tags.
        tags: List,
    }
}

fn place() -> Place {
    Place { file: "benchmarks/test.toml".into(), line: 7, column: 1 }
}

fn query() -> Query {
    Query { resource: "thing", of: Selector::All }
}

fn is(field: &'static str, matcher: Matcher) -> FieldClaim {
    let (position, field) = Thing::SCHEMA.field(field).unwrap();
    FieldClaim { field: FieldPath::Field(position, field.name, field.kind), matcher, place: place() }
}

fn equals(literal: Literal) -> Matcher {
    Matcher::Equals(Operand::Literal(literal))
}

fn running() -> Pattern {
    Pattern(vec![vec![is("state", equals(Literal::Text("running".into())))]])
}

fn bad(flag: bool) -> Pattern {
    Pattern(vec![vec![is("bad", equals(Literal::Flag(flag)))]])
}

fn expect(filter: Option<Pattern>, claim: Claim) -> Expectation {
    Expectation { query: query(), filter, claim, because: None, place: place() }
}

fn check(holds: Holds, expect: Vec<Expectation>) -> Check {
    Check {
        id: "things-good".into(),
        benchmark: "test".into(),
        title: "No thing is bad".into(),
        severity: Severity::High,
        why: String::new(),
        fix: String::new(),
        disturbs: String::new(),
        see: Vec::new(),
        applies_when: Vec::new(),
        basis: Basis::Automated { holds, expect },
        place: place(),
    }
}

fn gap() -> Gap {
    Gap::new(Origin::engine("/run/docker.sock", "/containers/json"), Reason::Denied)
}

fn known<T>(value: impl Into<T>) -> Fact<T> {
    Fact::Known(value.into(), Origin::Derived)
}

/// A thing; `None` is unknown.
fn thing(name: &str, state: Option<&str>, bad: Option<bool>) -> Record {
    Thing {
        name: known(name),
        state: state.map_or(Fact::Unknown(gap()), known),
        bad: bad.map_or(Fact::Unknown(gap()), known),
        size: Fact::Absent(Origin::Derived),
        tags: Fact::Absent(Origin::Derived),
    }
    .into_record()
}

fn facts(records: Vec<Record>) -> Facts {
    let mut facts = Facts::default();
    facts.insert(query(), Ok(records));
    facts
}

fn of(expectation: Expectation, records: Vec<Record>) -> Verdict {
    judge(&check(Holds::All, vec![expectation]), &Params::default(), &facts(records))
}

const UP: Option<&str> = Some("running");
const DOWN: Option<&str> = Some("exited");

#[test]
fn a_condition_says_why_it_does_not_hold() {
    let count = |matcher: fn(Operand) -> Matcher| expect(None, Claim::Count(matcher(Operand::Literal(Literal::Integer(0)))));
    let condition = Expectation { because: Some("the engine needs it".into()), ..count(Matcher::Max) };
    let check = Check { applies_when: vec![condition], ..check(Holds::All, vec![count(Matcher::Min)]) };
    let told = judge(&check, &Params::default(), &facts(vec![thing("a", UP, Some(true))]));
    assert_eq!((told.result, told.reason.as_deref()), (Outcome::NotApplicable, Some("the engine needs it")));
    let idle = judge(&check, &Params::default(), &facts(Vec::new()));
    assert_eq!(idle.result, Outcome::Pass);
}

#[test]
fn each_reads_selected_implies_matches() {
    use Outcome::{Fail, NotApplicable, Pass, Unknown};
    type Row = (&'static str, Vec<Record>, Outcome, (u64, u64));
    let table: &[Row] = &[
        ("none", vec![], NotApplicable, (0, 0)),
        ("none selected", vec![thing("a", DOWN, Some(true))], NotApplicable, (0, 0)),
        ("all good", vec![thing("a", UP, Some(false)), thing("b", UP, Some(false))], Pass, (2, 2)),
        ("one bad, one unreadable", vec![thing("a", UP, Some(true)), thing("b", UP, None)], Fail, (0, 2)),
        ("one good, one unreadable", vec![thing("a", UP, Some(false)), thing("b", UP, None)], Unknown, (1, 2)),
        ("perhaps selected, good anyway", vec![thing("a", UP, Some(false)), thing("b", None, Some(false))], Pass, (1, 1)),
        ("only perhaps selected", vec![thing("a", None, Some(false))], Unknown, (0, 1)),
        ("perhaps selected and bad", vec![thing("a", None, Some(true))], Unknown, (0, 1)),
        ("same name twice", vec![thing("a", UP, Some(false)), thing("a", UP, Some(true))], Fail, (1, 2)),
    ];
    for (name, records, outcome, (ok, of_all)) in table {
        let verdict = of(expect(Some(running()), Claim::Each(bad(false))), records.clone());
        assert_eq!(verdict.result, *outcome, "{name}");
        if *outcome != Unknown || *of_all == 2 {
            assert_eq!(verdict.subjects, Subjects { ok: *ok, of: *of_all }, "{name}");
        }
    }
}

#[test]
fn any_none_and_count() {
    use Outcome::{Fail, Pass, Unknown};
    let good = || thing("good", UP, Some(false));
    let bad_one = || thing("bad", UP, Some(true));
    let hidden = || thing("hidden", UP, None);
    let perhaps = || thing("perhaps", None, Some(true));
    let any = || Claim::Any(bad(true));
    let none = || Claim::None(bad(true));
    let two = || Claim::Count(Matcher::Max(Operand::Literal(Literal::Integer(1))));
    let table: Vec<(Claim, Vec<Record>, Outcome)> = vec![
        (any(), vec![], Fail),
        (any(), vec![good(), bad_one(), hidden()], Pass),
        (any(), vec![good(), hidden()], Unknown),
        (any(), vec![good(), perhaps()], Unknown),
        (any(), vec![good()], Fail),
        (none(), vec![], Pass),
        (none(), vec![good()], Pass),
        (none(), vec![good(), hidden()], Unknown),
        (none(), vec![perhaps()], Unknown),
        (none(), vec![hidden(), bad_one()], Fail),
        (two(), vec![], Pass),
        (two(), vec![good(), bad_one()], Fail),
        (two(), vec![good(), perhaps()], Unknown),
        (two(), vec![perhaps()], Pass),
        (two(), vec![good(), bad_one(), perhaps()], Fail),
    ];
    for (at, (claim, records, outcome)) in table.into_iter().enumerate() {
        assert_eq!(of(expect(Some(running()), claim), records).result, outcome, "row {at}");
    }
}

#[test]
fn nothing_enumerable_is_unknown_and_says_why() {
    let mut facts = Facts::default();
    facts.insert(query(), Err(gap()));
    for claim in [Claim::Each(bad(false)), Claim::Any(bad(false)), Claim::None(bad(true)), Claim::Count(equals(Literal::Integer(0)))] {
        let verdict = judge(&check(Holds::All, vec![expect(None, claim)]), &Params::default(), &facts);
        assert_eq!(verdict.result, Outcome::Unknown);
        assert_eq!(verdict.subjects, Subjects { ok: 0, of: 1 });
        assert_eq!(verdict.reason.as_deref(), Some("permission denied (/run/docker.sock GET /containers/json)"));
    }
}

#[test]
fn expectations_combine() {
    use Outcome::{Fail, NotApplicable, Pass, Unknown};
    let each = |name: &'static str| {
        let named = Pattern(vec![vec![is("name", equals(Literal::Text(name.into())))]]);
        expect(Some(named), Claim::Each(bad(false)))
    };
    let facts = facts(vec![thing("pass", UP, Some(false)), thing("fail", UP, Some(true)), thing("unknown", UP, None)]);
    let table: &[(Holds, &[&'static str], Outcome)] = &[
        (Holds::All, &["pass", "unknown", "fail"], Fail),
        (Holds::All, &["pass", "unknown"], Unknown),
        (Holds::All, &["pass", "nothing"], Pass),
        (Holds::All, &["nothing", "nothing"], NotApplicable),
        (Holds::Any, &["pass", "unknown", "fail"], Pass),
        (Holds::Any, &["unknown", "fail"], Unknown),
        (Holds::Any, &["fail", "nothing"], Fail),
        (Holds::Any, &["nothing"], NotApplicable),
    ];
    for (holds, names, outcome) in table {
        let check = check(*holds, names.iter().map(|name| each(name)).collect());
        let verdict = judge(&check, &Params::default(), &facts);
        assert_eq!(verdict.result, *outcome, "{holds:?} {names:?}");
        if *outcome == Pass {
            assert!(verdict.observations.iter().all(|one| one.truth != Truth::False || one.subject.is_none()), "{names:?}");
        }
    }
}

#[test]
fn what_does_not_apply_is_proved() {
    let mut check = check(Holds::All, vec![expect(None, Claim::Each(bad(false)))]);
    check.applies_when = vec![expect(None, Claim::Any(running()))];
    let with = |records| judge(&check, &Params::default(), &facts(records));
    let idle = with(vec![thing("a", DOWN, Some(true))]);
    assert_eq!(idle.result, Outcome::NotApplicable);
    assert_eq!(idle.reason.as_deref(), Some("there is no thing with state running"));
    assert!(!idle.observations.is_empty());
    assert_eq!(with(vec![thing("a", None, Some(true))]).result, Outcome::Unknown, "unknown whether it applies");
    assert_eq!(with(vec![thing("a", UP, Some(true))]).result, Outcome::Fail);
}

#[test]
fn observations_say_what_was_seen_and_expected() {
    let either =
        Pattern(vec![vec![is("bad", equals(Literal::Flag(false)))], vec![is("size", Matcher::Max(Operand::Literal(Literal::Integer(4))))]]);
    let verdict = of(expect(None, Claim::Each(either)), vec![thing("a", UP, Some(true)), thing("b", UP, Some(false))]);
    let shown: Vec<_> = verdict
        .observations
        .iter()
        .map(|one| format!("{:?} {:?} {:?} {:?} {}", one.subject, one.alternative, one.field, one.truth, one.expected))
        .collect();
    assert_eq!(
        shown,
        [
            r#"Some("a") Some(1) Some("bad") False false"#,
            r#"Some("a") Some(2) Some("size") False no more than 4"#,
            r#"Some("b") Some(1) Some("bad") True false"#,
        ]
    );
    let verdict = of(expect(None, Claim::None(bad(true))), vec![thing("a", UP, Some(true)), thing("b", UP, Some(false))]);
    let shown: Vec<_> = verdict.observations.iter().map(|one| format!("{:?} {}", one.subject, one.expected)).collect();
    assert_eq!(shown, [r#"Some("a") not true"#]);
    let verdict = of(expect(None, Claim::None(bad(true))), vec![thing("b", UP, Some(false))]);
    let shown: Vec<_> = verdict.observations.iter().map(|one| format!("{:?} {}", one.subject, one.expected)).collect();
    assert_eq!(shown, ["None no thing with bad true"]);
}

#[test]
fn evidence_is_bounded_and_its_digest_tells_changes_apart() {
    let named = |last: char| {
        let long = format!("{}{last}", "x".repeat(5000));
        let record = Thing { tags: known(vec![Text::from(long.clone()), "b".into()]), state: known(long), ..Thing::unknown(&gap()) };
        let wanted = vec![is("state", equals(Literal::Text("y".into()))), is("tags", Matcher::Empty(true))];
        of(expect(None, Claim::Each(Pattern(vec![wanted]))), vec![record.into_record()])
    };
    let (a, b) = (named('a'), named('b'));
    for (one, other) in a.observations.iter().zip(&b.observations) {
        assert_ne!(one.observed, other.observed);
        let size = match one.observed.known().unwrap() {
            crate::fact::Value::List(list) => list.iter().map(|item| item.raw().len()).sum(),
            value => value.to_string().len(),
        };
        assert!(size <= 256, "{size}");
    }
    let many: Vec<_> = (0..3000).map(|n| thing(&n.to_string(), UP, Some(n % 2 == 0))).collect();
    let verdict = of(expect(None, Claim::Each(bad(false))), many);
    assert_eq!((verdict.observations.len(), verdict.omitted), (1050, 1950));
    assert_eq!(verdict.subjects, Subjects { ok: 1500, of: 3000 });
}

type Made = (u8, Option<bool>, Option<bool>);

/// A thing by a number for its name, whether it runs and whether it is bad, each perhaps unknown.
fn made(one: &Made) -> Record {
    thing(&one.0.to_string(), one.1.map(|up| if up { "running" } else { "exited" }), one.2)
}

fn things() -> impl Strategy<Value = Vec<Made>> {
    let fact = || prop::option::weighted(0.7, any::<bool>());
    prop::collection::vec((0..4u8, fact(), fact()), 0..6)
}

fn claims() -> impl Strategy<Value = Claim> {
    let matcher = |max: bool, n: i64| {
        let operand = Operand::Literal(Literal::Integer(n));
        if max { Matcher::Max(operand) } else { Matcher::Min(operand) }
    };
    let pattern = (any::<bool>(), any::<bool>()).prop_map(|(flag, either)| {
        let mut pattern = bad(flag);
        if either {
            pattern.0.push(vec![is("state", equals(Literal::Text("exited".into()))), is("bad", equals(Literal::Flag(!flag)))]);
        }
        pattern
    });
    prop_oneof![
        pattern.clone().prop_map(Claim::Each),
        pattern.clone().prop_map(Claim::Any),
        pattern.prop_map(Claim::None),
        (any::<bool>(), 0..4i64).prop_map(move |(max, n)| Claim::Count(matcher(max, n))),
    ]
}

fn checks() -> impl Strategy<Value = Check> {
    let expectation = || (any::<bool>(), claims()).prop_map(|(filtered, claim)| expect(filtered.then(running), claim));
    let expectations = prop::collection::vec(expectation(), 1..3);
    (any::<bool>(), expectations, prop::collection::vec(expectation(), 0..2)).prop_map(|(all, expect, applies_when)| {
        let holds = if all { Holds::All } else { Holds::Any };
        Check { applies_when, ..check(holds, expect) }
    })
}

fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Fail => 0,
        Outcome::Unknown => 1,
        _ => 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    /// Learning what was unknown never contradicts what was already decided.
    #[test]
    fn knowing_more_only_refines(check in checks(), things in things(), learnt: [bool; 12]) {
        let full: Vec<Made> = things.iter().zip(learnt.chunks(2)).map(|(one, learnt)| {
            (one.0, one.1.or(Some(learnt[0])), one.2.or(Some(learnt[1])))
        }).collect();
        let judged = |things: &[Made]| judge(&check, &Params::default(), &facts(things.iter().map(made).collect())).result;
        let (before, after) = (judged(&things), judged(&full));
        prop_assert!(before == Outcome::Unknown || before == after, "{before} became {after}");
        prop_assert!(after != Outcome::Unknown, "everything is known");
    }

    #[test]
    fn a_failing_record_never_helps(check in checks(), things in things(), at in 0..7usize) {
        let Basis::Automated { expect, .. } = &check.basis else { unreachable!() };
        prop_assume!(check.applies_when.is_empty() && expect.iter().all(|one| matches!(one.claim, Claim::Each(_) | Claim::None(_))));
        let mut more = things.clone();
        // Bad in the sense of each claim: judged alone, it fails the check.
        let worst = (9, Some(true), Some(true));
        let alone = judge(&check, &Params::default(), &facts(vec![made(&worst)])).result;
        prop_assume!(alone == Outcome::Fail);
        more.insert(at.min(things.len()), worst);
        let judged = |things: &[Made]| judge(&check, &Params::default(), &facts(things.iter().map(made).collect())).result;
        let Basis::Automated { holds, .. } = &check.basis else { unreachable!() };
        if *holds == Holds::All {
            prop_assert_eq!(judged(&more), Outcome::Fail);
        } else {
            prop_assert!(rank(judged(&more)) <= rank(judged(&things)));
        }
    }

    #[test]
    fn order_does_not_matter(check in checks(), things in things().prop_flat_map(|things| (Just(things.clone()), Just(things).prop_shuffle()))) {
        let judged = |things: &[Made]| judge(&check, &Params::default(), &facts(things.iter().map(made).collect()));
        prop_assert_eq!(judged(&things.0), judged(&things.1));
    }

    #[test]
    fn the_count_agrees_with_the_result(check in checks(), things in things()) {
        let verdict = judge(&check, &Params::default(), &facts(things.iter().map(made).collect()));
        prop_assert!(verdict.subjects.ok <= verdict.subjects.of);
        match verdict.result {
            Outcome::Pass => prop_assert!(verdict.subjects.ok == verdict.subjects.of && verdict.subjects.of > 0),
            Outcome::NotApplicable => prop_assert_eq!(verdict.subjects.of, 0),
            _ => prop_assert!(verdict.subjects.ok < verdict.subjects.of),
        }
    }
}

/// A parameter without a value asks a person, unless the answer does not hang on it.
#[test]
fn what_nobody_decided_is_manual_and_what_nobody_saw_is_unknown() {
    let approved = Matcher::Only(Box::new(Matcher::Equals(Operand::Param("approved".into()))));
    let claim = || expect(None, Claim::Each(Pattern(vec![vec![is("tags", approved.clone())]])));
    let tagged = |tags: Fact<List>| Thing { tags, ..Thing::unknown(&gap()) }.into_record();
    let of = |tags| of(claim(), vec![tagged(tags)]).result;
    assert_eq!(of(known(vec![Text::from("x")])), Outcome::Manual);
    assert_eq!(of(known(Vec::<Text>::new())), Outcome::Pass, "nothing there has to be approved");
    assert_eq!(of(Fact::Unknown(gap())), Outcome::Unknown, "what could not be seen is no question to a person");
    let set = Params::default().with("approved", vec![Literal::Text("x".into())]);
    let verdict = judge(&check(Holds::All, vec![claim()]), &set, &facts(vec![tagged(known(vec![Text::from("x")]))]));
    assert_eq!(verdict.result, Outcome::Pass);
}
