//! Definitions: benchmarks, profiles and the site file, from TOML to types, or a located problem.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::fact::{Kind, Mode};
use crate::resource::Query;

mod case;
mod library;
mod lint;
mod load;
mod matcher;
mod param;
mod problem;
mod profile;
mod schema;
mod site;
mod source;
mod tree;
mod uses;
mod weaken;
mod words;

pub use crate::fact::Truth;
pub use case::{Case, CaseFacts, RESULTS};
pub use library::Definitions;
pub use matcher::Expected;
pub use param::{Params, Values};
pub use problem::{Excerpt, Problem, ProblemKind};
pub use schema::{benchmark_schema, profile_schema};
pub use source::{Source, Trust};
pub use weaken::weaken;
pub(crate) use words::{closest, counted};

/// How bad it is when a check fails. Weights belong to the score model.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For information; weighs nothing.
    Info,
    /// Weighs 1.
    Low,
    /// Weighs 3.
    Medium,
    /// Weighs 5.
    High,
    /// Weighs 10.
    Critical,
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The severity a word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.word() == word)
    }

    /// The word used in files and on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A place in a definition file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Place {
    /// Path of the file; `benchmarks/…` for those inside the binary.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// A file of checks about one subject.
#[derive(Clone, Debug)]
pub struct Benchmark {
    /// Name: its path below `benchmarks/` without the suffix, such as `docker/daemon`.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Its parameters, by name.
    pub params: BTreeMap<String, Param>,
    /// When its checks apply at all.
    pub applies_when: Vec<Expectation>,
    /// Its checks, in order.
    pub checks: Vec<Check>,
    /// Where it begins.
    pub place: Place,
}

/// A named value that profiles and sites may change.
#[derive(Clone, Debug)]
pub struct Param {
    /// Value where nobody changes it. Without one it is for a person to decide: a check that hangs on it is manual until somebody does.
    pub default: Option<Vec<Literal>>,
    /// Whether it is written as a list; one without a default may be.
    pub is_list: bool,
    /// What a profile or site may set.
    pub within: Option<Matcher>,
    /// Kinds of the fields it is compared with, all of which a value set for it must fit.
    pub kinds: BTreeSet<Kind>,
    /// What it means.
    pub doc: String,
    /// Where it is declared.
    pub place: Place,
}

/// One statement that should be true of a hardened host.
#[derive(Clone, Debug)]
pub struct Check {
    /// Id, in kebab-case.
    pub id: String,
    /// The benchmark it stands in.
    pub benchmark: Arc<str>,
    /// A sentence that is true when it passes.
    pub title: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// Why it matters.
    pub why: String,
    /// The smallest fix.
    pub fix: String,
    /// What the fix disturbs.
    pub disturbs: String,
    /// Where to read more.
    pub see: Vec<String>,
    /// When it applies; all must hold. The file's come first.
    pub applies_when: Vec<Expectation>,
    /// How it is decided.
    pub basis: Basis,
    /// Where it stands.
    pub place: Place,
}

/// How a check is decided.
#[derive(Clone, Debug)]
pub enum Basis {
    /// By expectations.
    Automated {
        /// Whether all must hold or one.
        holds: Holds,
        /// The claims.
        expect: Vec<Expectation>,
    },
    /// By a person.
    Manual {
        /// What to ask.
        ask: String,
    },
}

/// How several expectations combine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Holds {
    /// All must hold.
    #[default]
    All,
    /// One must.
    Any,
}

/// One claim about the records of one resource.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// What to ask.
    pub query: Query,
    /// Which records are considered; all of them without one.
    pub filter: Option<Pattern>,
    /// How many must look like what.
    pub claim: Claim,
    /// For a condition: what to tell people where it does not hold.
    pub because: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// How many records must look like what.
#[derive(Clone, Debug)]
pub enum Claim {
    /// Every selected record matches; not applicable when none is selected.
    Each(Pattern),
    /// At least one does; fails when none is selected.
    Any(Pattern),
    /// None does; passes when none is selected.
    None(Pattern),
    /// The number selected satisfies the matcher.
    Count(Matcher),
}

/// What a record must look like: an *or* of *ands*. No conjunction matches nothing, an empty one everything;
/// neither can be written, but [`weaken`] makes them.
#[derive(Clone, Debug)]
pub struct Pattern(pub Vec<Conjunction>);

/// Fields that must all match.
pub type Conjunction = Vec<FieldClaim>;

/// A claim about one field.
#[derive(Clone, Debug)]
pub struct FieldClaim {
    /// The field.
    pub field: FieldPath,
    /// What its value must be.
    pub matcher: Matcher,
    /// Where it stands.
    pub place: Place,
}

/// A field of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FieldPath {
    /// A curated field: its position in the schema, its name, its kind.
    Field(usize, &'static str, Kind),
    /// A JSON Pointer into the record's document.
    Pointer(String),
}

impl FieldPath {
    /// The name as written.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Field(_, name, _) => name,
            Self::Pointer(pointer) => pointer,
        }
    }
}

/// A value written in a definition.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum Literal {
    /// `true`, `false`.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
    /// Permission bits, for mode fields.
    Mode(Mode),
}

/// A claim about one value.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// Is exactly this.
    Equals(Operand),
    /// By the field's own order, inclusive.
    Min(Operand),
    /// By the field's own order, inclusive; for modes: no bit outside.
    Max(Operand),
    /// The opposite.
    Not(Box<Matcher>),
    /// A regular expression matches the whole value. The text as written beside the compiled form.
    Matches(String, regex::Regex),
    /// Begins with this.
    StartsWith(Operand),
    /// Ends with this.
    EndsWith(Operand),
    /// Some element matches; for text: this is part of it.
    Contains(Box<Matcher>),
    /// Every element matches.
    Only(Box<Matcher>),
    /// Whether the list is empty.
    Empty(bool),
    /// The number of elements.
    Count(Box<Matcher>),
    /// Whether there is a value at all.
    Present(bool),
    /// Every one of these (a table); holds for none of them.
    All(Vec<Matcher>),
    /// One of these (a list).
    Any(Vec<Matcher>),
}

/// A literal, or a parameter to be looked up when the plan is made. A parameter that is a list means *or*.
#[derive(Clone, PartialEq, Debug)]
pub enum Operand {
    /// A value as written.
    Literal(Literal),
    /// The name of a parameter, without `$`.
    Param(String),
}

/// A framework's controls, mapped to checks.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Id: its file's name.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Version of the framework, where it has one.
    pub version: Option<String>,
    /// Whether it is used when no profile is named and it applies.
    pub default: bool,
    /// The score a host must float above; a suggestion for `--fail-under`.
    pub line: Option<u32>,
    /// When it applies.
    pub applies_when: Vec<Expectation>,
    /// Parameters it sets.
    pub params: Values,
    /// Every control of the framework, in its order.
    pub controls: Vec<Control>,
    /// Where it begins.
    pub place: Place,
}

/// One numbered recommendation.
#[derive(Clone, Debug)]
pub struct Control {
    /// Number, as text: `2.10` is not `2.1`.
    pub id: String,
    /// Title in our own words.
    pub title: String,
    /// At which level it is asked for, by role of the host.
    pub level: Levels,
    /// How it is answered.
    pub basis: ControlBasis,
    /// A remark for readers: superseded advice, with its reason.
    pub note: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// At which level a control is asked for; not at all where it is not meant for hosts of that role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Levels {
    /// Of servers: 1 or 2.
    pub server: Option<u8>,
    /// Of workstations: 1 or 2.
    pub workstation: Option<u8>,
}

impl Levels {
    /// The same for both.
    #[must_use]
    pub fn both(level: u8) -> Self {
        Self { server: Some(level), workstation: Some(level) }
    }

    /// For a role.
    #[must_use]
    pub fn of(self, role: Role) -> Option<u8> {
        match role {
            Role::Server => self.server,
            Role::Workstation => self.workstation,
        }
    }

    /// For a role, or for the other one where it is not meant for this one.
    #[must_use]
    pub fn nearest(self, role: Role) -> u8 {
        self.of(role).or(self.server).or(self.workstation).unwrap_or(1)
    }
}

/// What a host is for: some controls are stricter, laxer or left out on a machine somebody sits at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A machine that serves others.
    #[default]
    Server,
    /// A machine somebody sits at.
    Workstation,
}

/// How a control is answered.
#[derive(Clone, Debug)]
pub enum ControlBasis {
    /// By these checks, all of which must pass.
    Checks(Vec<String>),
    /// By a person: what to ask.
    Manual(String),
    /// Not at all: why.
    Uncovered(String),
}

/// This machine's or organisation's tailoring.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Profiles to use.
    pub profiles: Vec<String>,
    /// Highest level to use.
    pub level: Option<u8>,
    /// What the host is for.
    pub role: Option<Role>,
    /// Parameters it sets.
    pub params: Values,
    /// Checks left out, with the reason.
    pub skips: BTreeMap<String, String>,
    /// Accepted failures.
    pub waivers: Vec<Waiver>,
    /// Answers to manual checks.
    pub attestations: Vec<Attestation>,
}

/// An accepted failure.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// Check whose failure is accepted.
    pub check: String,
    /// Subjects it covers, as a glob; all without one.
    pub subject: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// Who owns the risk.
    pub owner: String,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When it ends.
    pub expires: DateTime<Utc>,
    /// Fingerprint of what it excuses, where pinned.
    pub fingerprint: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// A person's answer to a manual check or control.
#[derive(Clone, Debug)]
pub struct Attestation {
    /// Check, or profile and control as `PROFILE CONTROL`.
    pub check: String,
    /// Whether the answer is pass.
    pub pass: bool,
    /// What was found.
    pub note: String,
    /// Who answers.
    pub by: String,
    /// When the answer ends.
    pub expires: DateTime<Utc>,
    /// Where it stands.
    pub place: Place,
}
