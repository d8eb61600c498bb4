//! Two processes: a sealed worker that reads the host, and a supervisor that reads nothing of it.
//!
//! [`supervise`] starts this program again as a worker, answers its questions from a closed list
//! ([`crate::host::broker`]), and takes its result as bytes it does not understand. [`worker`] is the other side: it
//! gives up every right but reading (`confine`), and then runs. What hangs or is taken over can be ended or
//! left behind, and could at worst lie in its report. [`self_test`] tries what must be refused.
//!
//! The supervisor takes no lock: whoever writes results holds it ([`crate::store::lock`]) from before the worker starts
//! until after the results are durable. No descriptor of the supervisor reaches the worker, so one that cannot be
//! killed keeps nothing locked.

#![expect(clippy::disallowed_methods, reason = "the supervisor starts the worker and talks to sockets; the self-test tries what must fail")]

mod confine;
mod filter;
mod heard;
mod self_test;
mod server;
mod signals;
mod supervisor;
mod wire;
mod worker;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::fact::Text;
pub use self_test::{Attempt, Observed, self_test};
pub use supervisor::supervise;
pub use worker::{Output, Report, Sealed, WORKER, worker};

/// What a worker is to do: the arguments of a command, in the command's own terms.
#[derive(Clone, Debug)]
pub struct Job(Value);

impl Job {
    /// A job that the worker reads back with [`Sealed::job`].
    ///
    /// # Errors
    ///
    /// Where the arguments cannot be written as JSON.
    pub fn new(arguments: &impl Serialize) -> serde_json::Result<Self> {
        serde_json::to_value(arguments).map(Self)
    }
}

/// How a worker is to be run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether the worker seals itself.
    pub sandbox: bool,
    /// Whether anything less than a full seal is an error.
    pub require_sandbox: bool,
    /// When the worker is ended if it has not finished. Its own deadline should be a little shorter.
    pub deadline: Duration,
    /// Sockets that were named on the command line, and may have any name.
    pub engine_sockets: Vec<PathBuf>,
}

/// What is heard of a worker while it runs. Both are from a process that reads hostile data: show them escaped.
#[derive(Clone, Debug)]
pub enum Event {
    /// A line about what is going on.
    Progress(Text),
    /// A line the worker wrote to its standard error.
    Diagnostic(Text),
}

/// What became of a worker.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// Lines to be shown with the result, to be escaped.
    pub notes: Vec<Text>,
    /// What it was looking at last, as far as it said.
    pub last_at: Option<Text>,
    /// Whether the process could not be ended and was left behind: it waits for something that never answers,
    /// such as a dead mount, and will go when that does.
    pub abandoned: bool,
}

/// How a worker ended.
#[derive(Clone, Debug)]
pub enum Status {
    /// It finished.
    Finished {
        /// The exit code it decided on.
        code: u8,
        /// Its outputs by number.
        outputs: Vec<(u16, Vec<u8>)>,
    },
    /// It took longer than the deadline.
    TimedOut,
    /// This program was asked to stop by this signal; the exit code is 128 and its number.
    Interrupted {
        /// Number of the signal.
        signal: u8,
    },
    /// It ended without a result.
    Crashed {
        /// How, in words.
        how: String,
        /// The signal that ended it.
        signal: Option<i32>,
    },
}

/// A worker could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be started.
    #[error("the worker could not be started: {0}")]
    Start(io::Error),
    /// There is nowhere to try things in.
    #[error("nothing can be tried: {0}")]
    Scratch(io::Error),
    /// It could not be given its job.
    #[error("the worker could not be given its job: {0}")]
    Order(io::Error),
    /// Waiting for it failed.
    #[error("the worker could not be followed: {0}")]
    Follow(io::Error),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished { code, .. } => write!(f, "finished with code {code}"),
            Self::TimedOut => f.write_str("took longer than its deadline"),
            Self::Interrupted { signal } => write!(f, "interrupted by signal {signal}"),
            Self::Crashed { how, .. } => f.write_str(how),
        }
    }
}
