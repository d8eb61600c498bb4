//! "plimsoll score 1": four numbers by integer arithmetic that an auditor can redo by hand.
//!
//! `Score = P / (P + F + W + U)`, never shown without its coverage and range. P, F, W, U and M are
//! the weights of checks that passed, failed, failed but are waived, are unknown, or wait for a
//! person. What does not apply or was left out is in none of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::finding::{Finding, Outcome};
use super::plan::Plan;
use super::run::EngineSummary;
use crate::definition::Severity;
use crate::parse::hex::hex;

/// The number of this score model. Scores of different models are never compared.
pub const MODEL: u32 = 1;

/// What a check of a severity weighs. Part of the model, not of content.
#[must_use]
pub fn weight(severity: Severity) -> u64 {
    match severity {
        Severity::Critical => 10,
        Severity::High => 5,
        Severity::Medium => 3,
        Severity::Low => 1,
        Severity::Info => 0,
    }
}

/// A percentage in tenths, rounded down: 519 is 51.9 %. Written as a number with one decimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tenths(u32);

impl Tenths {
    /// A percentage from its tenths, at most 1000.
    #[must_use]
    pub fn new(tenths: u32) -> Option<Self> {
        (tenths <= 1000).then_some(Self(tenths))
    }

    /// `part` of `whole` in tenths of a percent, rounded down; none of nothing.
    #[must_use]
    pub fn of(part: u64, whole: u64) -> Option<Self> {
        let tenths = (u128::from(part) * 1000).checked_div(u128::from(whole))?;
        u32::try_from(tenths).ok().and_then(Self::new)
    }

    /// Reads `80` or `79.5`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, decimal) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimal) || decimal.len() != 1 {
            return None;
        }
        Self::new(whole.parse::<u32>().ok()?.checked_mul(10)?.checked_add(decimal.parse().ok()?)?)
    }

    /// The tenths.
    #[must_use]
    pub fn tenths(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

impl Serialize for Tenths {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(f64::from(self.0) / 10.0)
    }
}

impl<'de> Deserialize<'de> for Tenths {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let tenths = (f64::deserialize(from)? * 10.0).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
        let tenths = (0.0..=1000.0).contains(&tenths).then_some(tenths as u32);
        tenths.and_then(Self::new).ok_or_else(|| serde::de::Error::custom("a percentage lies between 0 and 100"))
    }
}

impl JsonSchema for Tenths {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percentage".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "number", "minimum": 0, "maximum": 100,
            "description": "A percentage, rounded down to one decimal."
        })
    }
}

/// The sums of weights a score is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sums {
    /// P: weight of what passes.
    pub pass: u64,
    /// F: weight of what fails.
    pub fail: u64,
    /// W: weight of what fails and is waived.
    pub waived: u64,
    /// U: weight of what could not be determined.
    pub unknown: u64,
    /// M: weight of what waits for a person.
    pub manual: u64,
}

impl Sums {
    /// The sums over results and their severities.
    pub fn of(results: impl IntoIterator<Item = (Severity, Outcome)>) -> Self {
        let mut sums = Self::default();
        for (severity, outcome) in results {
            let sum = match outcome {
                Outcome::Pass => &mut sums.pass,
                Outcome::Fail => &mut sums.fail,
                Outcome::Waived => &mut sums.waived,
                Outcome::Unknown => &mut sums.unknown,
                Outcome::Manual => &mut sums.manual,
                Outcome::NotApplicable | Outcome::Skipped => continue,
            };
            *sum += weight(severity);
        }
        sums
    }

    /// D: everything that was assessed, `P + F + W + U`.
    #[must_use]
    pub fn assessed(&self) -> u64 {
        self.pass + self.fail + self.waived + self.unknown
    }

    /// `100 · P / D`, rounded down to tenths; none where nothing was assessed.
    #[must_use]
    pub fn score(&self) -> Option<Tenths> {
        Tenths::of(self.pass, self.assessed())
    }

    /// `100 · (P + F + W) / (D + M)`.
    #[must_use]
    pub fn coverage(&self) -> Option<Tenths> {
        Tenths::of(self.pass + self.fail + self.waived, self.assessed() + self.manual)
    }

    /// From `100 · P / (D + M)` to `100 · (P + U + M) / (D + M)`.
    #[must_use]
    pub fn range(&self) -> Option<(Tenths, Tenths)> {
        let all = self.assessed() + self.manual;
        Some((Tenths::of(self.pass, all)?, Tenths::of(self.pass + self.unknown + self.manual, all)?))
    }

    /// `100 · P / (P + F + U)`: never the headline.
    #[must_use]
    pub fn with_accepted_risk(&self) -> Option<Tenths> {
        Tenths::of(self.pass, self.pass + self.fail + self.unknown)
    }
}

/// A letter for people. Gates do not use it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
pub enum Band {
    /// From 90, and nothing high or critical open.
    A,
    /// From 75, and nothing critical open.
    B,
    /// From 60, and nothing critical open.
    C,
    /// From 40.
    D,
    /// Below 40.
    E,
}

impl Band {
    /// The letter of a score: an open critical failure caps it at D, an open high one at B.
    #[must_use]
    pub fn of(score: Tenths, worst_open: Option<Severity>) -> Self {
        let letter = match score.tenths() {
            900.. => Self::A,
            750.. => Self::B,
            600.. => Self::C,
            400.. => Self::D,
            _ => Self::E,
        };
        match worst_open {
            Some(Severity::Critical) => letter.max(Self::D),
            Some(Severity::High) => letter.max(Self::B),
            _ => letter,
        }
    }
}

/// The score of a run. Two scores are compared only when model and scorecard are the same.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Number of the score model.
    pub model: u32,
    /// Hash of everything that decides what is scored and how: content, profiles, tailoring, parameters, kinds of engine.
    pub scorecard: String,
    /// The headline; none where nothing could be assessed.
    pub score: Option<Tenths>,
    /// How much of what counts was really determined.
    pub coverage: Option<Tenths>,
    /// The lowest the score could turn out.
    pub lowest: Option<Tenths>,
    /// The highest the score could turn out.
    pub highest: Option<Tenths>,
    /// The score with waived failures left aside.
    pub with_accepted_risk: Option<Tenths>,
    /// The letter.
    pub band: Option<Band>,
    /// The sums of weights it is made of.
    pub sums: Sums,
    /// Unwaived failures by severity, those at zero left out.
    pub open: BTreeMap<Severity, u64>,
}

impl Score {
    /// The score of findings. `scorecard` says what was scored: see [`scorecard`].
    #[must_use]
    pub fn of(findings: &[Finding], scorecard: String) -> Self {
        Self::of_results(findings.iter().map(|finding| (finding.severity, finding.result)), scorecard)
    }

    fn of_results(results: impl Iterator<Item = (Severity, Outcome)> + Clone, scorecard: String) -> Self {
        let sums = Sums::of(results.clone());
        let mut open = BTreeMap::new();
        for (severity, _) in results.filter(|(_, outcome)| *outcome == Outcome::Fail) {
            *open.entry(severity).or_default() += 1;
        }
        let score = sums.score();
        let worst = open.keys().next_back().copied();
        Self {
            model: MODEL,
            scorecard,
            score,
            coverage: sums.coverage(),
            lowest: sums.range().map(|(lowest, _)| lowest),
            highest: sums.range().map(|(_, highest)| highest),
            with_accepted_risk: sums.with_accepted_risk(),
            band: score.map(|score| Band::of(score, worst)),
            sums,
            open,
        }
    }
}

/// Hash of everything that decides what is scored and how: the score model, the content, the profiles and their level,
/// what was left out, the parameters that were changed, and the kinds of engine found.
#[must_use]
pub fn scorecard(content_digest: &str, plan: &Plan<'_>, engines: &[EngineSummary]) -> String {
    let kinds: BTreeSet<&str> = engines.iter().map(|engine| engine.kind.raw()).collect();
    let profiles: BTreeSet<&str> = plan.profiles.iter().map(|profile| profile.id.as_str()).collect();
    let params: BTreeMap<&str, &[String]> = plan.overrides.iter().map(|one| (one.param.as_str(), one.value.as_slice())).collect();
    let checks: Vec<(&str, Severity)> = plan.checks.values().map(|check| (check.id.as_str(), check.severity)).collect();
    let skipped: Vec<&str> = plan.skipped.keys().copied().collect();
    let all = serde_json::json!([MODEL, content_digest, profiles, plan.level, plan.role, checks, skipped, params, kinds]);
    hex(&Sha256::digest(all.to_string()))
}

#[cfg(test)]
mod tests;
