//! The sealed process: it reads the host, and can change nothing.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::panic;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::confine;
use super::self_test;
use super::wire::{Kind, MOST_FRAME, Order, Task, write_frame};
use crate::host::broker::Client;
use crate::host::sandbox::{Sandbox, SandboxLevel};

/// The first argument of the process that becomes a worker.
pub const WORKER: &str = "worker";

/// Exit code of a worker that could not begin.
const COULD_NOT_BEGIN: u8 = 2;

/// What a worker is given once it is sealed.
pub struct Sealed {
    /// The job, as it was handed to [`super::Job::new`].
    job: Value,
    /// Answers what the worker cannot find out itself.
    pub broker: Client,
    /// How far the worker is sealed.
    pub sandbox: Sandbox,
    /// Where the result goes.
    pub report: Report,
}

impl Sealed {
    /// The job, in the terms of the command.
    ///
    /// # Errors
    ///
    /// Where it was written as another type.
    pub fn job<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        T::deserialize(&self.job)
    }
}

/// The worker's line to its supervisor. Cheap to clone; may be used from any thread.
///
/// Writing never fails: a worker whose supervisor is gone is about to be ended by the kernel.
#[derive(Clone)]
pub struct Report(Arc<Mutex<File>>);

impl Report {
    fn send(&self, kind: Kind, number: u16, bytes: &[u8]) -> io::Result<()> {
        write_frame(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), kind, number, bytes)
    }

    /// Says what is going on, in one line. It is shown while the worker runs, escaped.
    pub fn progress(&self, line: &str) {
        let _ = self.send(Kind::Progress, 0, line.as_bytes());
    }

    /// A line to be shown with the result, escaped.
    pub fn note(&self, line: &str) {
        let _ = self.send(Kind::Note, 0, line.as_bytes());
    }

    /// Names what is about to be looked at, so that the supervisor can say on what the worker got stuck.
    /// Meant for what is known to hang, such as mounts; not for every file.
    pub fn at(&self, path: &Path) {
        let _ = self.send(Kind::At, 0, path.as_os_str().as_encoded_bytes());
    }

    /// A writer for the output with this number; what is written in several goes is joined.
    #[must_use]
    pub fn output(&self, number: u16) -> Output {
        Output { report: self.clone(), number }
    }
}

/// One output of the worker. Written in frames, so wrap it in a `BufWriter` if you write in small pieces.
pub struct Output {
    report: Report,
    number: u16,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = bytes.get(..MOST_FRAME).unwrap_or(bytes);
        self.report.send(Kind::Output, self.number, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs as a worker: takes the order, seals itself, then runs the job. `run` gives the exit code of the whole command.
///
/// To be called first thing in `main` when the first argument is [`WORKER`], before any thread is started.
pub fn worker(run: impl FnOnce(Sealed) -> u8) -> ExitCode {
    match begin(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "the worker could not begin: {error}");
            ExitCode::from(COULD_NOT_BEGIN)
        }
    }
}

fn begin(run: impl FnOnce(Sealed) -> u8) -> io::Result<()> {
    confine::close_strays()?;
    let broker = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    if !broker.metadata()?.file_type().is_socket() {
        return Err(io::Error::other("this command is started by plimsoll itself"));
    }
    confine::die_with_parent()?;
    let report = Report(Arc::new(Mutex::new(File::from(io::stdout().as_fd().try_clone_to_owned()?))));
    let order = Order::read(&mut &broker)?;
    panic::set_hook(Box::new(tell_where));

    let sandbox = if order.seal { confine::seal() } else { confine::unsealed() };
    if order.require && sandbox.level != SandboxLevel::Full {
        return Err(io::Error::other(format!("the sandbox is not complete here: {}", sandbox.shortfalls.join("; "))));
    }
    let broker = Client::new(broker.try_clone()?, broker)?;
    let code = match order.task {
        Task::Run(job) => run(Sealed { job, broker, sandbox, report: report.clone() }),
        Task::Attempt { act, scratch } => self_test::attempt(&act, Path::new(&scratch), &broker, &report)?,
    };
    report.send(Kind::Finish, u16::from(code), &[])
}

/// Says where a panic happened and not what it says, which may quote the host.
fn tell_where(panic: &panic::PanicHookInfo<'_>) {
    let _ = match panic.location() {
        Some(place) => writeln!(io::stderr(), "internal error at {}:{}", place.file(), place.line()),
        None => writeln!(io::stderr(), "internal error"),
    };
}
