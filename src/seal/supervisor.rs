//! Starts the worker, follows it, and gives up on it when it must.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::heard::Heard;
use super::server::Server;
use super::signals::Signals;
use super::wire::{Order, Task};
use super::worker::WORKER;
use super::{Error, Event, Job, Options, Outcome, Status};

/// How long a worker that was killed, or has said all, is waited for.
const FAREWELL: Duration = Duration::from_millis(500);

/// Starts a worker for the job and follows it to its end, telling `hear` what it says meanwhile.
///
/// To be called from the main thread before others are started: the worker lives as long as the thread that started it.
///
/// # Errors
///
/// Where the worker cannot be started or followed. What becomes of a started worker is the [`Outcome`].
pub fn supervise(job: &Job, options: &Options, hear: &mut dyn FnMut(Event)) -> Result<Outcome, Error> {
    let order = Order { seal: options.sandbox, require: options.require_sandbox, task: Task::Run(job.0.clone()) };
    run(&order, options, hear)
}

/// As [`supervise`], for any order.
pub(super) fn run(order: &Order, options: &Options, hear: &mut dyn FnMut(Event)) -> Result<Outcome, Error> {
    let deadline = Instant::now() + options.deadline;
    // Caught before the worker starts, which inherits that: Ctrl-C at a terminal then reaches the supervisor alone.
    let signals = Signals::catch().map_err(Error::Start)?;
    let (ours, theirs) = UnixStream::pair().map_err(Error::Start)?;
    let mut worker = Worker::start(theirs).map_err(Error::Start)?;
    let outcome = follow(&mut worker, order, options, deadline, &signals, &ours, hear);
    let abandoned = !worker.end();
    // Whoever is still writing an answer must not wait for a worker that was left behind.
    let _ = ours.shutdown(Shutdown::Both);
    outcome.map(|outcome| Outcome { abandoned, ..outcome })
}

/// The worker's whole environment: its threads share one heap, and what was large goes back to the system when it goes.
/// With a heap for each, what one thread no longer needs is of no use to the others.
const ALLOCATOR: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=131072");

/// The started process.
struct Worker {
    child: Child,
    ended: Option<ExitStatus>,
}

impl Worker {
    /// Starts this program again, with nothing but the socket and two pipes.
    #[expect(clippy::disallowed_types, reason = "the one program ever started is this one, before anything is read")]
    fn start(broker: UnixStream) -> io::Result<Self> {
        let child = std::process::Command::new("/proc/self/exe")
            .arg0("plimsoll")
            .arg(WORKER)
            .env_clear()
            .env(ALLOCATOR.0, ALLOCATOR.1)
            .stdin(OwnedFd::from(broker))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        Ok(Self { child, ended: None })
    }

    /// How the process ended, if it does so within the time.
    fn wait(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        let until = Instant::now() + within;
        while self.ended.is_none() {
            self.ended = self.child.try_wait()?;
            if self.ended.is_none() && Instant::now() >= until {
                break;
            }
            if self.ended.is_none() {
                thread::sleep(Duration::from_millis(2));
            }
        }
        Ok(self.ended)
    }

    /// Ends the process; `false` where it does not end. Never waits without a limit: a process that waits for a dead
    /// file system cannot be killed.
    fn end(&mut self) -> bool {
        if self.ended.is_none() {
            let _ = self.child.kill();
        }
        matches!(self.wait(FAREWELL), Ok(Some(_)))
    }

    /// What a worker that closed its output without a result came to.
    fn crashed(&mut self) -> io::Result<Status> {
        Ok(match self.wait(FAREWELL)? {
            Some(status) => {
                let how = match (status.code(), status.signal()) {
                    (Some(code), _) => format!("the worker ended with code {code} and without a result"),
                    (None, Some(signal)) => format!("the worker was ended by signal {signal}"),
                    (None, None) => "the worker ended".into(),
                };
                Status::Crashed { how, signal: status.signal() }
            }
            None => Status::Crashed { how: "the worker closed its output without a result".into(), signal: None },
        })
    }
}

/// What can have something to say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Signals,
    Questions,
    Diagnostics,
    Result,
}

/// Follows the worker until it finished, ended, overran or this program was asked to stop.
fn follow(
    worker: &mut Worker,
    order: &Order,
    options: &Options,
    deadline: Instant,
    signals: &Signals,
    broker: &UnixStream,
    hear: &mut dyn FnMut(Event),
) -> Result<Outcome, Error> {
    let (Some(result), Some(diagnostics)) = (worker.child.stdout.take(), worker.child.stderr.take()) else {
        return Err(Error::Start(io::Error::other("the worker has no pipes")));
    };
    let (mut result, mut diagnostics) = (File::from(OwnedFd::from(result)), File::from(OwnedFd::from(diagnostics)));
    let mut server = Server::start(&options.engine_sockets, broker).map_err(Error::Start)?;
    // A worker that is gone already is found out below, with what it said.
    let unordered = order.write(&mut &*broker).err();
    let mut heard = Heard::new(hear);
    let mut open = vec![Source::Signals, Source::Questions, Source::Diagnostics, Source::Result];
    let mut buffer = vec![0; 64 * 1024];
    let status = 'following: loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break Status::TimedOut;
        }
        let descriptor = |source: &Source| match source {
            Source::Signals => signals.as_fd(),
            Source::Questions => broker.as_fd(),
            Source::Diagnostics => diagnostics.as_fd(),
            Source::Result => result.as_fd(),
        };
        let mut fds: Vec<PollFd<'_>> = open.iter().map(|source| PollFd::from_borrowed_fd(descriptor(source), PollFlags::IN)).collect();
        wait_for(&mut fds, left).map_err(Error::Follow)?;
        let ready: Vec<Source> = open.iter().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty()).map(|(source, _)| *source).collect();
        for source in ready {
            let more = match source {
                Source::Signals => match signals.caught() {
                    Some(signal) => break 'following Status::Interrupted { signal },
                    None => true,
                },
                Source::Questions => match server.take(broker) {
                    Ok(more) => more,
                    Err(breach) => break 'following Status::Crashed { how: breach.into(), signal: None },
                },
                Source::Diagnostics => heard.diagnostic(receive(&mut diagnostics, &mut buffer).map_err(Error::Follow)?),
                Source::Result => match heard.result(receive(&mut result, &mut buffer).map_err(Error::Follow)?) {
                    Ok(more) => more,
                    Err(breach) => break 'following Status::Crashed { how: breach.into(), signal: None },
                },
            };
            if !more {
                open.retain(|still| *still != source);
            }
        }
        if let Some(status) = heard.finished() {
            // It has said all, so how it ends no longer matters.
            let _ = worker.wait(FAREWELL);
            break status;
        }
        if !open.contains(&Source::Result) {
            break worker.crashed().map_err(Error::Follow)?;
        }
    };
    // What it wrote last often says why it ended.
    let mut fd = [PollFd::new(&diagnostics, PollFlags::IN)];
    let said = wait_for(&mut fd, Duration::from_millis(1)).is_ok_and(|()| fd.iter().any(|fd| !fd.revents().is_empty()));
    if said && open.contains(&Source::Diagnostics) {
        heard.diagnostic(receive(&mut diagnostics, &mut buffer).unwrap_or_default());
    }
    match (unordered, status) {
        (Some(error), Status::Crashed { signal: None, .. }) if !heard.spoke() => Err(Error::Order(error)),
        (_, status) => Ok(heard.outcome(status)),
    }
}

fn receive<'a>(from: &mut File, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let read = from.read(buffer)?;
    Ok(buffer.get(..read).unwrap_or_default())
}

fn wait_for(fds: &mut [PollFd<'_>], within: Duration) -> io::Result<()> {
    let within = Timespec::try_from(within).map_err(|_| io::ErrorKind::InvalidInput)?;
    match poll(fds, Some(&within)) {
        // Nothing was said to be ready: the caller comes back.
        Err(rustix::io::Errno::INTR) => fds.iter_mut().for_each(PollFd::clear_revents),
        other => drop(other?),
    }
    Ok(())
}
