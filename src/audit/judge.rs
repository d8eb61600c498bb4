//! Judging: whether a check holds, as a pure function of the check, its parameters and the facts.
//!
//! Three-valued throughout: what could not be seen is never taken for what was seen. Nothing here can reach a
//! host, a file or a clock.

mod evidence;
mod expectation;

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use super::finding::{Observation, Outcome, Subjects};
use crate::definition::{Basis, Check, Expectation, Holds, Params};
use crate::fact::{Fact, Text, Truth};
pub(super) use evidence::{KEPT_BAD, selector};
use expectation::Judged;

/// What judging a check comes to.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// The result; never `waived` or `skipped`.
    pub result: Outcome,
    /// How many subjects comply, of how many.
    pub subjects: Subjects,
    /// Why it is unknown or not applicable; what to ask where it is manual.
    pub reason: Option<String>,
    /// What was seen, worst first.
    pub observations: Vec<Observation>,
    /// Observations beyond what is kept.
    pub omitted: u64,
}

/// How one expectation, or several together, came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Pass,
    Fail,
    Unknown,
    /// There was nothing to judge.
    Idle,
}

impl From<Truth> for State {
    fn from(truth: Truth) -> Self {
        match truth {
            Truth::True => Self::Pass,
            Truth::False => Self::Fail,
            Truth::Unknown => Self::Unknown,
        }
    }
}

/// Judges one check.
#[must_use]
pub fn judge(check: &Check, params: &Params, facts: &Facts) -> Verdict {
    let conditions = judged(&check.applies_when, params, facts);
    match applies(&conditions) {
        Truth::True => {}
        Truth::False => {
            let told = check.applies_when.iter().map(|condition| condition.because.clone());
            let proof = conditions.into_iter().zip(told).filter(|(one, _)| matches!(one.state, State::Fail | State::Idle));
            let proof = proof.map(|(one, told)| Judged { summary: told.or(one.summary), ..one });
            return verdict(Outcome::NotApplicable, proof.collect());
        }
        Truth::Unknown => {
            let doubt = conditions.into_iter().filter(|one| one.state == State::Unknown);
            return verdict(Outcome::Unknown, doubt.collect());
        }
    }
    match &check.basis {
        Basis::Manual { ask } => Verdict {
            result: Outcome::Manual,
            subjects: Subjects::default(),
            reason: Some(ask.clone()),
            observations: Vec::new(),
            omitted: 0,
        },
        Basis::Automated { holds, expect } => {
            let mut parts = judged(expect, params, facts);
            let state = combined(*holds, &parts);
            if *holds == Holds::Any && state == State::Pass {
                parts.retain(|part| part.state == State::Pass);
            }
            let left_to_people = state == State::Unknown && parts.iter().all(Judged::hangs_on_parameters);
            let verdict = verdict(outcome(state), parts);
            if left_to_people { Verdict { result: Outcome::Manual, reason: Some(undecided(expect, params)), ..verdict } } else { verdict }
        }
    }
}

/// Whether conditions hold, such as those of a profile. A condition with nothing to judge does not.
#[must_use]
pub fn holds(conditions: &[Expectation], params: &Params, facts: &Facts) -> Truth {
    applies(&judged(conditions, params, facts))
}

fn judged(expectations: &[Expectation], params: &Params, facts: &Facts) -> Vec<Judged> {
    expectations.iter().map(|one| expectation::judge(one, params, facts)).collect()
}

fn applies(conditions: &[Judged]) -> Truth {
    Truth::all(conditions.iter().map(|one| match one.state {
        State::Pass => Truth::True,
        State::Fail | State::Idle => Truth::False,
        State::Unknown => Truth::Unknown,
    }))
}

/// All: fail beats unknown beats pass. One of them: the mirror. Nothing to judge only where all have nothing.
fn combined(holds: Holds, parts: &[Judged]) -> State {
    let any = |state| parts.iter().any(|part| part.state == state);
    let order = match holds {
        Holds::All => [State::Fail, State::Unknown, State::Pass],
        Holds::Any => [State::Pass, State::Unknown, State::Fail],
    };
    order.into_iter().find(|state| any(*state)).unwrap_or(State::Idle)
}

fn outcome(state: State) -> Outcome {
    match state {
        State::Pass => Outcome::Pass,
        State::Fail => Outcome::Fail,
        State::Unknown => Outcome::Unknown,
        State::Idle => Outcome::NotApplicable,
    }
}

fn verdict(result: Outcome, parts: Vec<Judged>) -> Verdict {
    let subjects = if result == Outcome::NotApplicable { Subjects::default() } else { count(&parts) };
    let reason = match result {
        Outcome::NotApplicable => parts.iter().find_map(|part| part.summary.clone()),
        Outcome::Unknown => Some(gaps(&parts)),
        _ => None,
    };
    let observations = parts.into_iter().flat_map(|part| part.observations).collect();
    let (observations, omitted) = evidence::kept(observations);
    Verdict { result, subjects, reason, observations, omitted }
}

/// Subjects that comply with every expectation, of all that were looked at. A claim that is not about each
/// subject counts as one of its own where it does not hold, or where there is nothing else to count.
fn count(parts: &[Judged]) -> Subjects {
    let mut subjects: BTreeMap<(&str, &Text, usize), bool> = BTreeMap::new();
    for (key, ok) in parts.iter().flat_map(|part| &part.subjects) {
        *subjects.entry((key.0, &key.1, key.2)).or_insert(true) &= *ok;
    }
    let whole = parts.iter().filter(|part| part.subjects.iter().all(|(_, ok)| *ok) && part.state != State::Idle);
    let (ok, open): (Vec<_>, Vec<_>) = whole.partition(|part| part.state == State::Pass);
    let alone = u64::from(subjects.is_empty() && !ok.is_empty());
    let good = subjects.values().filter(|ok| **ok).count() as u64;
    Subjects { ok: good + alone, of: subjects.len() as u64 + alone + open.len() as u64 }
}

/// What nobody has decided yet, and so keeps a check from being judged.
fn undecided(expect: &[Expectation], params: &Params) -> String {
    let used: BTreeSet<&str> = expect.iter().flat_map(Expectation::parameters).collect();
    params
        .unset()
        .filter(|(name, _)| used.contains(name))
        .map(|(name, doc)| format!("{name} is not set. {doc}"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The reasons why something could not be told, the first of them in full.
fn gaps(parts: &[Judged]) -> String {
    let mut reasons: Vec<String> = Vec::new();
    for observation in parts.iter().flat_map(|part| &part.observations) {
        if let (Truth::Unknown, Fact::Unknown(gap)) = (observation.truth, &observation.observed) {
            let reason = gap.to_string();
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    reasons.sort();
    match reasons.split_first() {
        None => "the facts do not tell".to_owned(),
        Some((first, [])) => first.clone(),
        Some((first, [_])) => format!("{first}, and for one more reason"),
        Some((first, more)) => format!("{first}, and for {} more reasons", more.len()),
    }
}

#[cfg(test)]
mod tests;
