//! What was found out about one check: the result, and the observations that led to it.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::definition::{Place, Severity};
use crate::fact::{Fact, Text, Truth, Value};

/// The result of a check. Each check ends in exactly one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// At least one observed subject does not comply.
    Fail,
    /// It could not be determined.
    Unknown,
    /// It fails, and a valid waiver covers every failing subject.
    Waived,
    /// A person has to judge, and no valid attestation exists.
    Manual,
    /// Every applicable subject was observed and complies.
    Pass,
    /// Positively shown not to apply.
    NotApplicable,
    /// Left out by the operator.
    Skipped,
}

impl Outcome {
    /// Every outcome, in the order reports list them.
    pub const ALL: [Self; 7] = [Self::Fail, Self::Unknown, Self::Waived, Self::Manual, Self::Pass, Self::NotApplicable, Self::Skipped];

    /// The word used in files: `pass`, `not_applicable`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Waived => "waived",
            Self::Manual => "manual",
            Self::Pass => "pass",
            Self::NotApplicable => "not_applicable",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One check's result, with everything a reader needs to believe and to mend it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Id of the check.
    pub check: String,
    /// Benchmark it stands in, such as `docker/daemon`.
    pub benchmark: String,
    /// A sentence that is true when the check passes.
    pub title: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// How it ended.
    pub result: Outcome,
    /// How many subjects comply, of how many.
    pub subjects: Subjects,
    /// Why it is unknown, not applicable, skipped or manual (there: what to ask), in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Why the check matters.
    pub why: String,
    /// The smallest fix.
    pub fix: String,
    /// What the fix disturbs.
    pub disturbs: String,
    /// Where to read more.
    pub see: Vec<String>,
    /// Where the check is defined.
    pub place: Place,
    /// Every control of every known profile that names this check.
    pub references: Vec<Reference>,
    /// What was seen, worst first.
    pub observations: Vec<Observation>,
    /// Observations beyond what a report keeps.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub omitted: u64,
    /// Fingerprint of the failing subjects and values, for pinning a waiver; present where something fails.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fingerprint: Option<String>,
    /// Waivers that cover failing subjects, whether or not they cover all of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub waivers: Vec<Waived>,
    /// The person's answer that decided a manual check.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attestation: Option<Attested>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// `k` of `n` subjects comply. Of nothing where no subject was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subjects {
    /// Subjects that comply.
    pub ok: u64,
    /// Subjects looked at.
    pub of: u64,
}

/// What was seen of one field of one record, or of all records together. There may be many thousands of these, so those
/// about the same claim share their words.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// The resource.
    pub resource: Arc<str>,
    /// The record; none where the observation is about all of them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<Text>,
    /// The field, or a JSON Pointer; none where the observation is about whole records.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<Arc<str>>,
    /// What was seen and where, or why it could not be. Long values are shortened, with a digest of the whole.
    pub observed: Fact<Value>,
    /// What it should be, in words.
    pub expected: Arc<str>,
    /// Whether it is so.
    pub truth: Truth,
    /// Where the check allows alternatives: which one this belongs to, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub alternative: Option<u32>,
    /// The line of policy that claims it.
    pub place: Place,
}

/// A control of a profile that names a check.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Id of the profile.
    pub profile: String,
    /// Number of the control.
    pub control: String,
    /// Level of the control.
    pub level: u8,
}

/// A waiver that covers failing subjects of a check.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waived {
    /// Subjects it covers, as a glob; all without one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// Why the failure is accepted.
    pub reason: String,
    /// Who owns the risk.
    pub owner: String,
    /// Who approved it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub approved_by: Option<String>,
    /// When it ends.
    pub expires: DateTime<Utc>,
    /// Fingerprint of what it covers now.
    pub fingerprint: String,
    /// Whether the waiver names that fingerprint, and so ends by itself when something changes.
    pub pinned: bool,
    /// Where it is written.
    pub place: Place,
}

/// A person's answer to a manual check or control.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attested {
    /// Whether the answer is pass.
    pub pass: bool,
    /// What was found.
    pub note: String,
    /// Who answers.
    pub by: String,
    /// When the answer ends.
    pub expires: DateTime<Utc>,
    /// Where it is written.
    pub place: Place,
}
