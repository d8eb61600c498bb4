//! Which parameters a claim refers to.

use std::collections::BTreeSet;

use super::{Claim, Expectation, Matcher, Operand, Pattern};

impl Expectation {
    /// Names of the parameters it refers to.
    #[must_use]
    pub fn parameters(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.filter.iter().for_each(|filter| in_pattern(filter, &mut names));
        match &self.claim {
            Claim::Each(pattern) | Claim::Any(pattern) | Claim::None(pattern) => in_pattern(pattern, &mut names),
            Claim::Count(matcher) => in_matcher(matcher, &mut names),
        }
        names
    }
}

fn in_pattern<'a>(pattern: &'a Pattern, names: &mut BTreeSet<&'a str>) {
    pattern.0.iter().flatten().for_each(|claim| in_matcher(&claim.matcher, names));
}

fn in_matcher<'a>(matcher: &'a Matcher, names: &mut BTreeSet<&'a str>) {
    match matcher {
        Matcher::Equals(operand)
        | Matcher::Min(operand)
        | Matcher::Max(operand)
        | Matcher::StartsWith(operand)
        | Matcher::EndsWith(operand) => {
            if let Operand::Param(name) = operand {
                names.insert(name);
            }
        }
        Matcher::Not(inner) | Matcher::Contains(inner) | Matcher::Only(inner) | Matcher::Count(inner) => in_matcher(inner, names),
        Matcher::All(inner) | Matcher::Any(inner) => inner.iter().for_each(|inner| in_matcher(inner, names)),
        Matcher::Matches(..) | Matcher::Empty(_) | Matcher::Present(_) => {}
    }
}
