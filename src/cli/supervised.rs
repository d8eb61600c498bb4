//! The commands that look at a host: started, followed and written down by a process that reads nothing of it.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use super::args::{FactsArgs, HostArgs, Switch};
use super::error::Error;
use super::output;
use super::work::{DIAGNOSTICS, Task};
use crate::fact::{Shown, Text};
use crate::seal::{self, Event, Job, Status};

/// How long a worker may take beyond its own deadline to say what it has.
const GRACE: Duration = Duration::from_secs(1);
/// A run that is over sooner shows no progress.
const QUIET: Duration = Duration::from_millis(500);

/// `plimsoll facts`.
pub(crate) fn facts(args: FactsArgs) -> Result<u8, Error> {
    let host = args.host.clone();
    let (code, outputs) = run(&Task::Facts(args), &host)?;
    for (_, bytes) in outputs {
        output::say(&bytes)?;
    }
    Ok(code)
}

/// Runs a task in a sealed worker; its exit code, and its outputs by number. What it has to say to people is said.
fn run(task: &Task, host: &HostArgs) -> Result<(u8, Vec<(u16, Vec<u8>)>), Error> {
    let job = Job::new(task).map_err(|error| Error::Internal(error.to_string()))?;
    let options = seal::Options {
        sandbox: host.sandbox == Switch::On,
        require_sandbox: host.require_sandbox,
        deadline: host.deadline.saturating_add(GRACE),
        engine_sockets: host.engine_socket.clone(),
    };
    let mut progress = ProgressLine::new();
    let outcome = seal::supervise(&job, &options, &mut |event| match event {
        Event::Progress(line) => progress.show(&line),
        Event::Diagnostic(line) => {
            progress.clear();
            output::tell(&format!("plimsoll: {}", line.shown()));
        }
    })?;
    progress.clear();
    for note in &outcome.notes {
        output::tell(&format!("plimsoll: {}", note.shown()));
    }
    let last_at = outcome.last_at.map(|at| at.shown().to_string());
    match outcome.status {
        Status::Finished { code, outputs } => {
            let (said, outputs): (Vec<_>, Vec<_>) = outputs.into_iter().partition(|(number, _)| *number == DIAGNOSTICS);
            for line in said.iter().flat_map(|(_, bytes)| bytes.split(|byte| *byte == b'\n')) {
                output::tell(&Shown::of(&String::from_utf8_lossy(line)).to_string());
            }
            Ok((code, outputs))
        }
        Status::TimedOut => {
            let error = Error::NoResult { how: "the worker took longer than its deadline and was ended".to_owned(), last_at };
            output::tell(&format!("plimsoll: {error}"));
            Ok((5, Vec::new()))
        }
        Status::Interrupted { signal } => Ok((128_u8.saturating_add(signal), Vec::new())),
        Status::Crashed { how, .. } => Err(Error::NoResult { how, last_at }),
    }
}

/// One line on standard error that says what is going on, for a person who has waited half a second.
struct ProgressLine {
    began: Instant,
    watched: bool,
    shown: bool,
}

impl ProgressLine {
    fn new() -> Self {
        Self { began: Instant::now(), watched: io::stderr().is_terminal(), shown: false }
    }

    fn show(&mut self, line: &Text) {
        if self.watched && self.began.elapsed() >= QUIET {
            let line: String = line.shown().to_string().chars().take(100).collect();
            let _ = write!(io::stderr(), "\r\u{1b}[K{line}");
            self.shown = true;
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}
