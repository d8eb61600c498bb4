//! Where a fact came from, and why one could not be learnt.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Text;

/// Where a fact came from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "from")]
pub enum Origin {
    /// A file, and the line that decided, counted from 1.
    File {
        /// Absolute path on the audited host.
        path: Text,
        /// Line, where one line decided.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        line: Option<u32>,
    },
    /// The metadata of a file: owner, group, mode, kind.
    Stat {
        /// Absolute path on the audited host.
        path: Text,
    },
    /// The running kernel: a path below `/proc` or `/sys`, or the name of a netlink question.
    Kernel {
        /// What was asked.
        path: Text,
    },
    /// A container engine's API.
    Engine {
        /// The engine's socket.
        engine: Text,
        /// The endpoint, such as `/info`.
        endpoint: Text,
    },
    /// The documented default of a program, because nothing sets the value.
    Default {
        /// The program, such as `dockerd`.
        of: Text,
    },
    /// Worked out from other facts of the host.
    Derived,
}

impl Origin {
    /// A file without a deciding line.
    pub fn file(path: impl Into<Text>) -> Self {
        Self::File { path: path.into(), line: None }
    }

    /// A line of a file, counted from 1.
    pub fn line(path: impl Into<Text>, line: u32) -> Self {
        Self::File { path: path.into(), line: Some(line) }
    }

    /// The metadata of a file.
    pub fn stat(path: impl Into<Text>) -> Self {
        Self::Stat { path: path.into() }
    }

    /// A path below `/proc` or `/sys`, or a netlink question.
    pub fn kernel(path: impl Into<Text>) -> Self {
        Self::Kernel { path: path.into() }
    }

    /// An endpoint of an engine.
    pub fn engine(engine: impl Into<Text>, endpoint: impl Into<Text>) -> Self {
        Self::Engine { engine: engine.into(), endpoint: endpoint.into() }
    }

    /// The default of a program.
    pub fn default_of(program: &str) -> Self {
        Self::Default { of: program.into() }
    }
}

/// Shown escaped: paths are host text.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: Some(line) } => write!(f, "{}:{line}", path.shown()),
            Self::File { path, line: None } => write!(f, "{}", path.shown()),
            Self::Stat { path } => write!(f, "stat {}", path.shown()),
            Self::Kernel { path } => write!(f, "kernel {}", path.shown()),
            Self::Engine { engine, endpoint } => write!(f, "{} GET {}", engine.shown(), endpoint.shown()),
            Self::Default { of } => write!(f, "default of {}", of.shown()),
            Self::Derived => f.write_str("derived"),
        }
    }
}

/// Why a fact or a whole set of records could not be learnt, and where it was looked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Gap {
    /// Where it was looked for.
    pub origin: Origin,
    /// What stood in the way.
    pub reason: Reason,
}

impl Gap {
    /// A gap at `origin` for `reason`.
    #[must_use]
    pub fn new(origin: Origin, reason: Reason) -> Self {
        Self { origin, reason }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.origin)
    }
}

/// What stood in the way of looking.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Permission was refused.
    Denied,
    /// Nothing answered, or the connection broke.
    Unreachable,
    /// It took longer than its limit.
    TimedOut,
    /// It is larger than what is read.
    TooLarge,
    /// It could not be understood; what was wrong.
    Malformed(Text),
    /// This host does not carry it: a directory without `/proc`, a bundle made without it.
    NotCollected,
    /// plimsoll cannot tell here; why.
    Unsupported(Text),
}

impl Reason {
    /// Data that could not be understood.
    pub fn malformed(what: impl Into<Text>) -> Self {
        Self::Malformed(what.into())
    }

    /// Something plimsoll cannot tell here.
    pub fn unsupported(why: impl Into<Text>) -> Self {
        Self::Unsupported(why.into())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied => f.write_str("permission denied"),
            Self::Unreachable => f.write_str("nothing answers"),
            Self::TimedOut => f.write_str("timed out"),
            Self::TooLarge => f.write_str("larger than what is read"),
            Self::Malformed(what) => write!(f, "not understood: {}", what.shown()),
            Self::NotCollected => f.write_str("not collected from this host"),
            Self::Unsupported(why) => write!(f, "{}", why.shown()),
        }
    }
}
