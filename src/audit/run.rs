//! A run: everything one audit produced. Every report is a function of it.

use std::io::{self, BufWriter, Write};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::finding::{Attested, Finding, Outcome};
use super::score::Score;
use crate::definition::{Place, Role};
use crate::fact::Text;
use crate::host::Identity;
use crate::host::manifest::Manifest;
use crate::host::sandbox::Sandbox;
use crate::parse::hex::hex;

/// Everything one audit produced. Sorted and complete, so that equal audits give equal runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Version of this layout: 1.
    pub format: u32,
    /// Id of the run: made from its time, its host and its content, not random.
    pub id: String,
    /// The program that made it.
    pub tool: Tool,
    /// Digest of the definitions that were used, SHA-256 in hexadecimal.
    pub content_digest: String,
    /// How well the process that read the host was sealed off; none where nothing was read by a process of its own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sandbox: Option<Sandbox>,
    /// The audited host.
    pub host: Identity,
    /// The engines found on it.
    pub engines: Vec<EngineSummary>,
    /// When the audit began.
    pub started: DateTime<Utc>,
    /// When it was over.
    pub finished: DateTime<Utc>,
    /// Seconds it was given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deadline_seconds: Option<u64>,
    /// Whether the deadline passed before everything was collected.
    pub partial: bool,
    /// Highest level of controls that was asked for; all without one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub level: Option<u8>,
    /// What the host was said to be for.
    pub role: Role,
    /// The profiles judged, with the result of each control.
    pub profiles: Vec<ProfileOutcome>,
    /// Parameters that were changed.
    pub overrides: Vec<Override>,
    /// One finding per check, sorted by id.
    pub findings: Vec<Finding>,
    /// The score.
    pub score: Score,
    /// What the score is about.
    pub scope: Scope,
    /// What is worth knowing about the run itself and the site file.
    pub notes: Vec<Note>,
    /// What was asked of the host and read from it.
    pub manifest: Manifest,
}

impl Run {
    /// Gives the run its id: its time, and a digest of all it holds.
    pub(super) fn seal(&mut self) {
        self.id.clear();
        let mut digest = Digesting(Sha256::new());
        let mut to = BufWriter::with_capacity(64 * 1024, &mut digest);
        // Writing into a digest cannot fail, and all keys are text.
        let _ = serde_json::to_writer(&mut to, self);
        let _ = to.flush();
        drop(to);
        let digest = hex(&digest.0.finalize());
        let (short, _) = digest.split_at_checked(16).unwrap_or_default();
        self.id = format!("{}-{short}", self.started.format("%Y%m%dT%H%M%SZ"));
    }

    /// The finding of a check.
    #[must_use]
    pub fn finding(&self, check: &str) -> Option<&Finding> {
        self.findings.binary_search_by(|finding| finding.check.as_str().cmp(check)).ok().and_then(|at| self.findings.get(at))
    }
}

/// Takes a digest of what is written, so that a run is never held in memory as text for it.
struct Digesting(Sha256);

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The program that made a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

impl Tool {
    /// This program.
    #[must_use]
    pub fn this() -> Self {
        Self { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() }
    }
}

/// A container engine found on the host.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EngineSummary {
    /// Name, such as `docker` or `podman@alice`.
    pub name: Text,
    /// Kind: `docker` or `podman`.
    pub kind: Text,
    /// Version, where known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<Text>,
}

/// A profile and what became of its controls.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileOutcome {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Version of the framework, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// The score a host should float above, where the profile says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// Controls all of whose checks pass.
    pub met: u64,
    /// Controls with at least one check that was assessed.
    pub assessed: u64,
    /// Controls that any check answers.
    pub covered: u64,
    /// Every control of the framework, in its order.
    pub controls: Vec<ControlOutcome>,
}

/// One control and its result.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlOutcome {
    /// Number.
    pub id: String,
    /// Title.
    pub title: String,
    /// Level.
    pub level: u8,
    /// The result.
    pub result: ControlResult,
    /// The checks that answer it; none for manual and uncovered ones.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub checks: Vec<String>,
    /// What to ask where it is manual, why where it is uncovered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub says: Option<String>,
    /// The profile's remark.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
    /// A person's answer to a manual control.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attestation: Option<Attested>,
}

/// The result of a control.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ControlResult {
    /// A check of it fails.
    Fail,
    /// A check of it could not be determined.
    Unknown,
    /// What fails is waived.
    Waived,
    /// A person has to judge.
    Manual,
    /// All its checks pass, those that do not apply left aside.
    Pass,
    /// None of its checks applies.
    NotApplicable,
    /// Left out by the operator, in whole or in part.
    Skipped,
    /// No check answers it.
    Uncovered,
}

impl ControlResult {
    /// The result of a control from those of its checks. Worst first; a part that was left out keeps it from passing.
    pub fn of(results: impl IntoIterator<Item = Outcome>) -> Self {
        let results: Vec<Outcome> = results.into_iter().collect();
        let any = |outcome| results.contains(&outcome);
        if any(Outcome::Fail) {
            Self::Fail
        } else if any(Outcome::Unknown) {
            Self::Unknown
        } else if any(Outcome::Waived) {
            Self::Waived
        } else if any(Outcome::Manual) {
            Self::Manual
        } else if any(Outcome::Skipped) || results.is_empty() {
            Self::Skipped
        } else if any(Outcome::Pass) {
            Self::Pass
        } else {
            Self::NotApplicable
        }
    }

    /// The word used in files.
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
            Self::Uncovered => "uncovered",
        }
    }
}

/// A parameter that does not have its default.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Name of the parameter.
    pub param: String,
    /// Benchmark that declares it.
    pub benchmark: String,
    /// Its default; none where the site has to decide.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub default: Option<Vec<String>>,
    /// The value in force.
    pub value: Vec<String>,
    /// Who set it.
    pub source: Source,
    /// Where; none for the command line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<Place>,
}

/// Who changed a parameter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The profile with this id.
    Profile(String),
    /// The site file.
    Site,
    /// The command line.
    CommandLine,
}

/// What a score is about.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Checks that were assessed: pass, fail, waived, unknown.
    pub assessed: u64,
    /// Checks that wait for a person.
    pub manual: u64,
    /// Checks shown not to apply.
    pub not_applicable: u64,
    /// Checks left out.
    pub skipped: u64,
    /// Containers seen; none where nobody looked or nobody could.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub containers: Option<u64>,
    /// Images seen; none where nobody looked or nobody could.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub images: Option<u64>,
    /// Engines seen; none where nobody could look.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub engines: Option<u64>,
}

/// Something worth knowing about the run itself or the site file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// What there is to say.
    pub text: String,
    /// Where in the site file or a definition, if anywhere.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<Place>,
}

/// What a note is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// What was looked at may not be what was meant.
    Surroundings,
    /// plimsoll itself failed somewhere.
    InternalError,
    /// Something took longer than its limit.
    TimedOut,
    /// How profiles were chosen.
    Profile,
    /// A waiver or an attestation whose time has passed.
    Expired,
    /// A waiver that excuses something else than it was approved for.
    Changed,
    /// A waiver or an attestation that ends within 30 days.
    ExpiresSoon,
    /// A waiver that covers more than one named subject.
    Broad,
    /// A waiver or an attestation that nothing needs.
    Idle,
}
