//! Checks with one claim taken away, to find claims that no test case needs.

use super::{Basis, Check, Claim, Expectation, Matcher, Pattern};

/// Every variant of a check with one claimed field, one field of a filter, or one alternative
/// dropped, and what was dropped. A pattern that loses its last field matches everything.
/// Whatever the check is worth, some case of it must come out differently for each variant.
#[must_use]
pub fn weaken(check: &Check) -> Vec<(String, Check)> {
    let Basis::Automated { holds, expect } = &check.basis else { return Vec::new() };
    let mut variants = Vec::new();
    for (at, expectation) in expect.iter().enumerate() {
        for (dropped, weaker) in expectations(expectation) {
            let mut expect = expect.clone();
            if let Some(slot) = expect.get_mut(at) {
                *slot = weaker;
            }
            let basis = Basis::Automated { holds: *holds, expect };
            variants.push((format!("{}: {dropped}", expectation.place), Check { basis, ..check.clone() }));
        }
    }
    variants
}

fn expectations(expectation: &Expectation) -> Vec<(String, Expectation)> {
    let filters = expectation.filter.iter().flat_map(patterns).map(|(dropped, filter)| {
        let weaker = Expectation { filter: Some(filter), ..expectation.clone() };
        (format!("`where` without {dropped}"), weaker)
    });
    let claim = |claim| Expectation { claim, ..expectation.clone() };
    let patterned = |word: &'static str, pattern: &Pattern, make: fn(Pattern) -> Claim| -> Vec<(String, Expectation)> {
        patterns(pattern).into_iter().map(|(dropped, weaker)| (format!("`{word}` without {dropped}"), claim(make(weaker)))).collect()
    };
    let claims = match &expectation.claim {
        Claim::Each(pattern) => patterned("each", pattern, Claim::Each),
        Claim::Any(pattern) => patterned("any", pattern, Claim::Any),
        Claim::None(pattern) => patterned("none", pattern, Claim::None),
        Claim::Count(matcher) => {
            let parts = matchers(matcher).into_iter().map(|(dropped, weaker)| (format!("`count` without {dropped}"), weaker));
            let whole = std::iter::once(("`count` dropped".to_owned(), Matcher::All(Vec::new())));
            whole.chain(parts).map(|(dropped, weaker)| (dropped, claim(Claim::Count(weaker)))).collect()
        }
    };
    filters.chain(claims).collect()
}

fn patterns(pattern: &Pattern) -> Vec<(String, Pattern)> {
    let mut variants = Vec::new();
    for (or, conjunction) in pattern.0.iter().enumerate() {
        let with = |conjunction| {
            let mut weaker = pattern.clone();
            if let Some(slot) = weaker.0.get_mut(or) {
                *slot = conjunction;
            }
            weaker
        };
        if pattern.0.len() > 1 {
            let mut weaker = pattern.clone();
            weaker.0.remove(or);
            variants.push((format!("alternative {}", or + 1), weaker));
        }
        for (and, claim) in conjunction.iter().enumerate() {
            let name = claim.field.name();
            let mut rest = conjunction.clone();
            rest.remove(and);
            variants.push((format!("`{name}`"), with(rest)));
            for (dropped, matcher) in matchers(&claim.matcher) {
                let mut changed = conjunction.clone();
                if let Some(slot) = changed.get_mut(and) {
                    slot.matcher = matcher;
                }
                variants.push((format!("{dropped} of `{name}`"), with(changed)));
            }
        }
    }
    variants
}

/// A matcher without one of its parts or alternatives, where it has several.
fn matchers(matcher: &Matcher) -> Vec<(String, Matcher)> {
    let within = |inner: &Matcher, make: fn(Box<Matcher>) -> Matcher| -> Vec<(String, Matcher)> {
        matchers(inner).into_iter().map(|(dropped, weaker)| (dropped, make(Box::new(weaker)))).collect()
    };
    match matcher {
        Matcher::Not(inner) => within(inner, Matcher::Not),
        Matcher::Contains(inner) => within(inner, Matcher::Contains),
        Matcher::Only(inner) => within(inner, Matcher::Only),
        Matcher::Count(inner) => within(inner, Matcher::Count),
        Matcher::All(parts) => lists(parts, "part", Matcher::All),
        Matcher::Any(parts) => lists(parts, "alternative", Matcher::Any),
        _ => Vec::new(),
    }
}

fn lists(parts: &[Matcher], word: &str, make: fn(Vec<Matcher>) -> Matcher) -> Vec<(String, Matcher)> {
    let mut variants = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        if parts.len() > 1 {
            let mut rest = parts.to_vec();
            rest.remove(at);
            variants.push((format!("{word} {}", at + 1), make(rest)));
        }
        for (dropped, weaker) in matchers(part) {
            let mut changed = parts.to_vec();
            if let Some(slot) = changed.get_mut(at) {
                *slot = weaker;
            }
            variants.push((format!("{dropped} within {word} {}", at + 1), make(changed)));
        }
    }
    variants
}
