use proptest::prelude::*;

use super::*;

const VECTOR: [(&str, Severity, Outcome); 15] = {
    use Outcome::{Fail, Manual, NotApplicable, Pass, Unknown, Waived};
    use Severity::{Critical, High, Low, Medium};
    [
        ("tcp needs client certificates", Critical, Pass),
        ("no privileged container", Critical, Fail),
        ("group membership reviewed", High, Pass),
        ("user namespaces", High, Waived),
        ("branch is maintained", High, Pass),
        ("no traffic on the default bridge", Medium, Fail),
        ("log size limited", Medium, Pass),
        ("memory limits", Medium, Fail),
        ("pid limits", Medium, Pass),
        ("audit rule for the daemon", Medium, Unknown),
        ("image scanning process", Medium, Manual),
        ("read-only root file system", Low, Fail),
        ("live restore", Low, Pass),
        ("swarm autolock", High, NotApplicable),
        ("swarm managers", Medium, NotApplicable),
    ]
};

fn score(results: &[(Severity, Outcome)]) -> Score {
    Score::of_results(results.iter().copied(), String::new())
}

fn vector(change: impl Fn(&str, Outcome) -> Outcome) -> Score {
    let results: Vec<_> = VECTOR.iter().map(|(name, severity, outcome)| (*severity, change(name, *outcome))).collect();
    score(&results)
}

fn numbers(score: &Score) -> String {
    let show = |tenths: Option<Tenths>| tenths.map_or("-".to_owned(), |tenths| tenths.to_string());
    format!(
        "{} {} {}-{} {}",
        show(score.score),
        show(score.coverage),
        show(score.lowest),
        show(score.highest),
        show(score.with_accepted_risk)
    )
}

#[test]
fn published_vector() {
    let score = vector(|_, outcome| outcome);
    assert_eq!(score.sums, Sums { pass: 27, fail: 17, waived: 5, unknown: 3, manual: 3 });
    assert_eq!(numbers(&score), "51.9 89.0 49.0-60.0 57.4");
    assert_eq!(score.band, Some(Band::D));
    assert_eq!(score.open.get(&Severity::Critical), Some(&1));
}

#[test]
fn published_vector_without_root() {
    let hidden = ["tcp needs client certificates", "group membership reviewed", "log size limited"];
    let score = vector(|name, outcome| if hidden.contains(&name) { Outcome::Unknown } else { outcome });
    assert_eq!((score.score, score.coverage), (Tenths::new(173), Tenths::new(563)));
    assert_eq!((score.lowest, score.highest), (Tenths::new(163), Tenths::new(600)));
}

#[test]
fn published_vector_with_unreadable_failures() {
    let score = vector(|_, outcome| if outcome == Outcome::Fail { Outcome::Unknown } else { outcome });
    assert_eq!((score.score, score.coverage), (Tenths::new(519), Tenths::new(581)));
}

#[test]
fn nothing_assessable_has_no_score() {
    let manual = score(&[(Severity::High, Outcome::Manual), (Severity::High, Outcome::NotApplicable)]);
    assert_eq!(numbers(&manual), "- 0.0 0.0-100.0 -");
    assert_eq!(manual.band, None);
    assert_eq!(numbers(&score(&[])), "- - --- -");
    assert_eq!(score(&[(Severity::Info, Outcome::Pass)]).score, None, "info weighs nothing");
}

#[test]
fn open_failures_cap_the_letter_and_never_the_number() {
    let mut results = vec![(Severity::Critical, Outcome::Pass); 99];
    assert_eq!(score(&results).band, Some(Band::A));
    results.push((Severity::High, Outcome::Fail));
    assert_eq!((score(&results).score, score(&results).band), (Tenths::new(994), Some(Band::B)));
    results.push((Severity::Critical, Outcome::Fail));
    assert_eq!((score(&results).score, score(&results).band), (Tenths::new(985), Some(Band::D)));
    results.iter_mut().for_each(|result| {
        if result.1 == Outcome::Fail {
            result.1 = Outcome::Waived
        }
    });
    assert_eq!(score(&results).band, Some(Band::A), "what is waived is not open");
}

#[test]
fn percentages_are_read_and_written() {
    for text in ["0.0", "51.9", "99.9", "100.0"] {
        let tenths = Tenths::parse(text).unwrap();
        assert_eq!(tenths.to_string(), text);
        let json = serde_json::to_string(&tenths).unwrap();
        assert_eq!(json, text);
        assert_eq!(serde_json::from_str::<Tenths>(&json).unwrap(), tenths);
    }
    assert_eq!(Tenths::parse("80"), Tenths::new(800));
    for text in ["", "100.1", "-1", "1.23", "1.", ".5", "4294967295", "x"] {
        assert_eq!(Tenths::parse(text), None, "{text}");
    }
    assert!(serde_json::from_str::<Tenths>("100.1").is_err());
}

fn severity() -> impl Strategy<Value = Severity> {
    use Severity::{Critical, High, Info, Low, Medium};
    prop::sample::select(vec![Info, Low, Medium, High, Critical])
}

fn results() -> impl Strategy<Value = Vec<(Severity, Outcome)>> {
    prop::collection::vec((severity(), prop::sample::select(Outcome::ALL.to_vec())), 0..40)
}

/// The results with every outcome in `from` at one place turned into `to`.
fn turned(results: &[(Severity, Outcome)], at: usize, from: &[Outcome], to: Outcome) -> Option<Vec<(Severity, Outcome)>> {
    let mut results = results.to_vec();
    let at = at.checked_rem(results.len())?;
    let result = results.get_mut(at).filter(|(_, outcome)| from.contains(outcome))?;
    result.1 = to;
    Some(results)
}

fn percentages(score: &Score) -> [Option<Tenths>; 5] {
    [score.score, score.coverage, score.lowest, score.highest, score.with_accepted_risk]
}

proptest! {
    #[test]
    fn unknown_never_beats_fail(results in results(), at: usize) {
        if let Some(less) = turned(&results, at, &[Outcome::Fail], Outcome::Unknown) {
            let (before, after) = (score(&results), score(&less));
            prop_assert_eq!(before.score, after.score);
            prop_assert!(after.coverage <= before.coverage);
        }
    }

    #[test]
    fn losing_access_only_widens_the_range(results in results(), at: usize) {
        let seen = [Outcome::Pass, Outcome::Fail, Outcome::Waived];
        if let Some(less) = turned(&results, at, &seen, Outcome::Unknown) {
            let (before, after) = (score(&results), score(&less));
            prop_assert!(after.lowest <= before.lowest && after.highest >= before.highest);
            prop_assert!(after.score <= before.score);
        }
    }

    #[test]
    fn waiving_never_changes_the_score(results in results(), at: usize) {
        if let Some(waived) = turned(&results, at, &[Outcome::Fail], Outcome::Waived) {
            let (before, after) = (score(&results), score(&waived));
            prop_assert_eq!((before.score, before.coverage, before.lowest, before.highest),
                            (after.score, after.coverage, after.lowest, after.highest));
        }
    }

    #[test]
    fn what_does_not_apply_changes_nothing(results in results(), severity in severity(), skipped: bool) {
        let mut more = results.clone();
        more.push((severity, if skipped { Outcome::Skipped } else { Outcome::NotApplicable }));
        prop_assert_eq!(percentages(&score(&results)), percentages(&score(&more)));
    }

    #[test]
    fn passing_strictly_helps(results in results(), at: usize) {
        let bad = [Outcome::Fail, Outcome::Waived, Outcome::Unknown];
        if let Some(better) = turned(&results, at, &bad, Outcome::Pass) {
            let (before, after) = (Sums::of(results.clone()), Sums::of(better));
            prop_assert_eq!(before.assessed(), after.assessed());
            let weighs = results.get(at % results.len()).is_some_and(|(severity, _)| weight(*severity) > 0);
            prop_assert_eq!(after.pass > before.pass, weighs);
        }
    }

    #[test]
    fn the_score_lies_in_its_range(results in results()) {
        let score = score(&results);
        if let (Some(lowest), Some(number), Some(highest)) = (score.lowest, score.score, score.highest) {
            prop_assert!(lowest <= number && number <= highest);
            if score.sums.unknown + score.sums.manual == 0 {
                prop_assert!(lowest == number && number == highest);
            }
        }
    }

    #[test]
    fn order_does_not_matter(results in results()) {
        let mut reversed = results.clone();
        reversed.reverse();
        prop_assert_eq!(score(&results), score(&reversed));
    }

    #[test]
    fn a_hundred_means_everything_passed(results in results()) {
        let Score { score: Some(score), sums, .. } = score(&results) else { return Ok(()) };
        prop_assert_eq!(score.tenths() == 1000, sums.fail + sums.waived + sums.unknown == 0);
    }
}
