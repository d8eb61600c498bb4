//! What can be wrong with plimsoll or with how it is used: said to a person, with advice.

use std::fmt;
use std::path::PathBuf;

use crate::definition::Problem;
use crate::fact::{Gap, Shown};
use crate::{audit, seal, store};

/// Why a command could not be carried out. Each message says what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A name that nothing has.
    #[error("there is no {what} `{}`{}", Shown::of(name), .nearest.as_ref().map(|nearest| format!("; {nearest}")).unwrap_or_default())]
    NoSuch {
        /// What was looked for.
        what: &'static str,
        /// The name given.
        name: String,
        /// What was perhaps meant, as a question.
        nearest: Option<String>,
    },

    /// A selector the resource cannot read.
    #[error("`{resource}` is selected by {how}")]
    Selector {
        /// Name of the resource.
        resource: &'static str,
        /// How its selector is read.
        how: &'static str,
    },

    /// Nothing of a resource could be seen.
    #[error("cannot look at `{resource}`: {gap}")]
    CannotLook {
        /// Name of the resource.
        resource: String,
        /// What stood in the way.
        gap: Gap,
    },

    /// Something wrong with definitions, profiles or the site file.
    #[error("{}", Problems(problems))]
    Definitions {
        /// Every problem found.
        problems: Vec<Problem>,
    },

    /// An output format that cannot be read.
    #[error("`--format {}`: {why}", Shown::of(written))]
    Format {
        /// What was written.
        written: String,
        /// What is wrong with it.
        why: String,
    },

    /// A root directory that cannot be audited.
    #[error("{0}")]
    Root(#[from] crate::host::root::Error),

    /// A profile or check that is asked for and does not exist.
    #[error("{0}")]
    Asked(#[from] audit::NoSuch),

    /// This machine cannot be looked at.
    #[error("cannot open /: {0}")]
    Live(std::io::Error),

    /// The worker could not be run.
    #[error("no audit was performed: {0}")]
    Worker(#[from] seal::Error),

    /// The worker ended without a result.
    #[error("no audit was performed: {how}{}", last_at.as_ref().map(|at| format!(" (while looking at {at})")).unwrap_or_default())]
    NoResult {
        /// How it ended.
        how: String,
        /// What it was looking at, escaped.
        last_at: Option<String>,
    },

    /// Another audit holds the lock, or it cannot be trusted.
    #[error("no audit was performed: {0}")]
    Lock(#[from] store::lock::LockError),

    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// The program is broken.
    #[error("internal error: {0}; please report it")]
    Internal(String),
}

impl Error {
    /// The exit code: 3 where a definition, profile or site file is wrong, else 2.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Definitions { .. } => 3,
            _ => 2,
        }
    }
}

/// Problems one after the other, with a count where there are several.
struct Problems<'a>(&'a [Problem]);

impl fmt::Display for Problems<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{problem}")?;
        }
        match self.0.len() {
            0 | 1 => Ok(()),
            count => write!(f, "\n\n{count} problems"),
        }
    }
}
