//! The commands that look at a host: started, followed and written down by a process that reads nothing of it.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::args::{AuditArgs, Colour, FactsArgs, HostArgs, Switch};
use super::error::Error;
use super::output;
use super::work::{DIAGNOSTICS, Task};
use crate::fact::{Shown, Text};
use crate::report::{Format, Style};
use crate::seal::{self, Event, Job, Status};
use crate::store::lock::{Lock, LockError};

/// Where the lock is when root audits.
const STATE: &str = "/var/lib/plimsoll";
/// How long a worker may take beyond its own deadline to say what it has.
const GRACE: Duration = Duration::from_secs(1);
/// A run that is over sooner shows no progress.
const QUIET: Duration = Duration::from_millis(500);

/// Documents by the number of their output.
type Outputs = Vec<(u16, Vec<u8>)>;

/// `plimsoll audit`.
pub(crate) fn audit(args: AuditArgs) -> Result<u8, Error> {
    let targets = targets(&args)?;
    let style = style(&args);
    // A directory is not the live host: two people may audit two of them.
    let _lock = if args.host.root.is_none() && !args.plan { lock(args.state.as_deref())? } else { None };
    if args.host.sandbox == Switch::Off {
        output::tell("plimsoll: the sandbox is off, as asked; the result says so");
    }
    let formats = targets.iter().map(|(format, _)| *format).collect();
    let host = args.host.clone();
    let (code, outputs) = run(&Task::Audit { args: Box::new(args), formats, style }, &host)?;
    let mut failed = None;
    for (number, bytes) in outputs {
        let written = match targets.get(usize::from(number)) {
            Some((_, Some(path))) => output::write_file(path, &bytes),
            // Without a file, and what has no format: the plan, and how the score comes about.
            _ => output::say(&bytes),
        };
        // One file that cannot be written costs nobody the other documents.
        if let Some(earlier) = written.err().and_then(|error| failed.replace(error)) {
            output::tell(&format!("plimsoll: {earlier}"));
        }
    }
    failed.map_or(Ok(code), Err)
}

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
fn run(task: &Task, host: &HostArgs) -> Result<(u8, Outputs), Error> {
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

/// What is written where: a terminal report to standard output where nothing is said.
fn targets(args: &AuditArgs) -> Result<Vec<(Format, Option<PathBuf>)>, Error> {
    if args.plan {
        return Ok(Vec::new());
    }
    let mut targets = args.format.iter().map(|written| target(written)).collect::<Result<Vec<_>, _>>()?;
    if targets.is_empty() && !args.explain_score {
        targets.push((Format::Terminal, None));
    }
    let on_stdout = targets.iter().filter(|(_, path)| path.is_none()).count() + usize::from(args.explain_score);
    if on_stdout > 1 {
        let written = args.format.join(" --format ");
        return Err(Error::Format { written, why: "standard output carries one document; give the others a file: FORMAT=FILE".to_owned() });
    }
    Ok(targets)
}

fn target(written: &str) -> Result<(Format, Option<PathBuf>), Error> {
    let (name, path) = match written.split_once('=') {
        Some((name, path)) => (name, Some(PathBuf::from(path))),
        None => (written, None),
    };
    let wrong = |why: String| Error::Format { written: written.to_owned(), why };
    if path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
        return Err(wrong("the file has no name".to_owned()));
    }
    let format = Format::named(name).ok_or_else(|| wrong(format!("one of {}", Format::ALL.map(|(name, _)| name).join(", "))))?;
    Ok((format, path))
}

fn style(args: &AuditArgs) -> Style {
    let terminal = io::stdout().is_terminal();
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = match args.colour {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => terminal && !no_colour && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
    };
    Style { colour, width: width(terminal), verbose: args.verbose }
}

/// Columns of the terminal; 100 where there is none.
fn width(terminal: bool) -> usize {
    let asked = terminal.then(|| rustix::termios::tcgetwinsize(io::stdout()).ok()).flatten();
    asked.map(|size| usize::from(size.ws_col)).filter(|columns| *columns >= 20).unwrap_or(100)
}

/// Keeps two audits of the live host apart. Where no lock can be kept, the audit goes on and says so.
fn lock(state: Option<&Path>) -> Result<Option<Lock>, Error> {
    let directory = state.map(Path::to_path_buf).or_else(default_state);
    let Some(directory) = directory else { return Ok(None) };
    match Lock::take(&directory) {
        Ok(lock) => Ok(Some(lock)),
        Err(error @ LockError::CannotMake { .. }) if state.is_none() => {
            output::tell(&format!("plimsoll: no lock against a second audit: {error}"));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn default_state() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some(STATE.into());
    }
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state"))).map(|base| base.join("plimsoll"))
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
