//! Tries what the sandbox must refuse, and shows each refusal.
//!
//! Every act is tried by a worker of its own, sealed like any other, because some acts end the process. An act is
//! chosen so that it would succeed, or fail with another error, if it were permitted; and so that it would harm
//! nothing if it did. Acts that must succeed are among them: a worker that can do nothing would pass otherwise.

mod controls;
mod files;
mod kernel;
mod processes;
mod sockets;

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::supervisor::run;
use super::wire::{Order, Task};
use super::worker::Report;
use super::{Error, Options, Status};
use crate::host::broker::Client;

/// How long one act may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One act and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// What was tried.
    pub act: &'static str,
    /// What it belongs to: `files`, `processes`, `sockets`, `kernel`, `reading`.
    pub group: &'static str,
    /// Whether it must be refused; else it must succeed.
    pub forbidden: bool,
    /// What came of it.
    pub observed: Observed,
    /// Whether that is as it must be.
    pub ok: bool,
}

/// What came of an act.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    /// It succeeded.
    Succeeded,
    /// The kernel ended the process for it.
    Killed,
    /// It was answered with an error that means refusal, by name such as `EACCES`.
    Refused(String),
    /// It failed for another reason: it was permitted, but could not be done.
    Failed(String),
    /// The worker did not live to try it.
    NotTried(String),
}

/// Errors of the system call filter, Landlock, missing capabilities and `RLIMIT_FSIZE`.
const REFUSALS: [(i32, &str); 4] = [(libc::ENOSYS, "ENOSYS"), (libc::EACCES, "EACCES"), (libc::EPERM, "EPERM"), (libc::EFBIG, "EFBIG")];

/// One act, and whether it must be refused.
struct Act {
    name: &'static str,
    forbidden: bool,
    run: fn(&Ground<'_>) -> io::Result<()>,
}

/// An act that must be refused.
const fn forbidden(name: &'static str, run: fn(&Ground<'_>) -> io::Result<()>) -> Act {
    Act { name, forbidden: true, run }
}

/// An act that must succeed.
const fn allowed(name: &'static str, run: fn(&Ground<'_>) -> io::Result<()>) -> Act {
    Act { name, forbidden: false, run }
}

/// Forgets what an act gained, if it gained anything.
fn done<T, E: Into<io::Error>>(result: Result<T, E>) -> io::Result<()> {
    result.map(drop).map_err(Into::into)
}

/// What an act has to work with.
struct Ground<'a> {
    /// A directory of the self-test's own, holding `file`, `directory` and a listening `socket`.
    scratch: &'a Path,
    broker: &'a Client,
}

impl Ground<'_> {
    fn at(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }
}

/// All acts, by group.
fn acts() -> impl Iterator<Item = (&'static str, &'static Act)> {
    let groups: [(&str, &[Act]); 5] = [
        ("files", files::ACTS),
        ("processes", processes::ACTS),
        ("sockets", sockets::ACTS),
        ("kernel", kernel::ACTS),
        ("reading", controls::ACTS),
    ];
    groups.into_iter().flat_map(|(group, acts)| acts.iter().map(move |act| (group, act)))
}

/// Tries every act, each in a worker of its own, and says what came of it.
///
/// Without `sealed` the workers are like any program, which shows that it is the sandbox that refuses.
///
/// # Errors
///
/// Where no directory can be made to try things in, or a worker cannot be started.
pub fn self_test(sealed: bool) -> Result<Vec<Attempt>, Error> {
    let options = Options { sandbox: sealed, require_sandbox: false, deadline: PATIENCE, engine_sockets: Vec::new() };
    acts()
        .map(|(group, act)| {
            let scratch = Scratch::new().map_err(Error::Scratch)?;
            let task = Task::Attempt { act: act.name.into(), scratch: scratch.path.to_string_lossy().into_owned() };
            let mut said = Vec::new();
            let order = Order { seal: sealed, require: false, task };
            let outcome = run(&order, &options, &mut |event| said.push(event))?;
            let observed = observed(outcome.status);
            let ok = match &observed {
                Observed::Killed | Observed::Refused(_) => act.forbidden,
                Observed::Succeeded => !act.forbidden,
                Observed::Failed(_) | Observed::NotTried(_) => false,
            };
            Ok(Attempt { act: act.name, group, forbidden: act.forbidden, observed, ok })
        })
        .collect()
}

fn observed(status: Status) -> Observed {
    match status {
        Status::Crashed { signal: Some(libc::SIGSYS), .. } => Observed::Killed,
        Status::Finished { outputs, .. } => {
            let said = outputs.into_iter().next().map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
            match said.split_once(' ') {
                Some(("refused", name)) => Observed::Refused(name.into()),
                Some(("failed", why)) => Observed::Failed(why.into()),
                _ => Observed::Succeeded,
            }
        }
        other => Observed::NotTried(other.to_string()),
    }
}

/// Tries one act in this worker and reports what came of it.
pub(super) fn attempt(name: &str, scratch: &Path, broker: &Client, report: &Report) -> io::Result<u8> {
    use std::io::Write as _;
    let act = acts().find_map(|(_, act)| (act.name == name).then_some(act)).ok_or(io::ErrorKind::NotFound)?;
    let said = match (act.run)(&Ground { scratch, broker }) {
        Ok(()) => "succeeded".to_owned(),
        Err(error) => match REFUSALS.iter().find(|(number, _)| error.raw_os_error() == Some(*number)) {
            Some((_, name)) => format!("refused {name}"),
            None => format!("failed {error}"),
        },
    };
    report.output(0).write_all(said.as_bytes())?;
    Ok(0)
}

/// A directory to try things in, removed in the end.
struct Scratch {
    path: PathBuf,
    _listener: UnixListener,
}

impl Scratch {
    /// Makes it where only this user can get at it, or else under a name nobody can guess; never where it exists already.
    fn new() -> io::Result<Self> {
        let parent = match std::env::var_os("XDG_RUNTIME_DIR") {
            Some(own) => PathBuf::from(own),
            None if rustix::process::geteuid().is_root() => PathBuf::from("/run"),
            None => std::env::temp_dir(),
        };
        let mut random = [0; 16];
        rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
        let path = parent.join(format!("plimsoll-self-test-{:032x}", u128::from_ne_bytes(random)));
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| io::Error::new(error.kind(), format!("{} cannot be used to try things in: {error}", parent.display())))?;
        let scratch = Self { _listener: UnixListener::bind(path.join("socket"))?, path };
        fs::write(scratch.path.join("file"), "untouched")?;
        fs::create_dir(scratch.path.join("directory"))?;
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<&str> = acts().map(|(_, act)| act.name).collect();
        assert_eq!(names.len(), acts().count());
    }

    #[test]
    fn only_refusals_count_as_refused() {
        let finished = |said: &str| Status::Finished { code: 0, outputs: vec![(0, said.into())] };
        assert_eq!(observed(finished("refused EACCES")), Observed::Refused("EACCES".into()));
        assert_eq!(observed(finished("failed no such file")), Observed::Failed("no such file".into()));
        assert_eq!(observed(finished("succeeded")), Observed::Succeeded);
        assert_eq!(observed(Status::Crashed { how: String::new(), signal: Some(libc::SIGSYS) }), Observed::Killed);
        assert!(matches!(observed(Status::Crashed { how: String::new(), signal: Some(libc::SIGSEGV) }), Observed::NotTried(_)));
        assert!(matches!(observed(Status::TimedOut), Observed::NotTried(_)));
    }
}
