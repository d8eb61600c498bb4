//! What confined the process that read the host: part of every run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far the worker was sealed, as it found itself after sealing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    /// The sum of the rest.
    pub level: SandboxLevel,
    /// Landlock, which limits what may be touched.
    pub landlock: Enforced,
    /// Landlock's version that was used; 0 for none. 6 and later can enforce everything asked for.
    pub landlock_abi: u8,
    /// The system call filters, which limit how.
    pub seccomp: Enforced,
    /// Whether `openat2` was allowed. It is where Landlock watches truncation, as its flags are out of a filter's sight.
    pub openat2: bool,
    /// Capabilities left, by name without `CAP_`.
    pub capabilities: Vec<String>,
    /// Whether it could never gain privileges.
    pub no_new_privileges: bool,
    /// Whether the limits against writing files and dumping memory were in force.
    pub limits: bool,
    /// What fell short, as short sentences. Empty is good.
    pub shortfalls: Vec<String>,
}

/// How far the worker was sealed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SandboxLevel {
    /// Not at all, because it was asked for.
    Off,
    /// Something is missing that this kernel or container does not offer.
    Partial,
    /// In every way.
    Full,
}

/// How much of one mechanism is in force.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enforced {
    /// Nothing.
    None,
    /// A part.
    Partly,
    /// Everything asked for.
    Fully,
}

impl SandboxLevel {
    /// The word used in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Partial => "partial",
            Self::Full => "full",
        }
    }
}

impl Sandbox {
    /// A worker that was not sealed.
    #[must_use]
    pub fn off() -> Self {
        Self {
            level: SandboxLevel::Off,
            landlock: Enforced::None,
            landlock_abi: 0,
            seccomp: Enforced::None,
            openat2: true,
            capabilities: Vec::new(),
            no_new_privileges: false,
            limits: false,
            shortfalls: vec!["the sandbox was switched off".into()],
        }
    }
}
