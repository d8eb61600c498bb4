//! Puts one of the ten fixed questions to an engine, and passes its answer on unread.
//!
//! Which sockets are connected to:
//!
//! 1. The path is absolute, and what it leads to is a socket. It is opened once, and that descriptor is what is looked
//!    at and connected to, so that exchanging the path in between gains nothing.
//! 2. Its name, links resolved, is `docker.sock` or `podman.sock`; or the path was named on the command line.
//!    Environment variables such as `DOCKER_HOST` are never consulted.
//! 3. Whoever listens is root or the owner of the socket (`SO_PEERCRED`).
//!
//! The path is resolved from what the kernel has in memory only, where it can do that (5.12). What somebody listens on
//! is there, as are links the worker has just looked at; while a file system of a user's own making could keep whoever
//! asks it waiting for ever.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, StatxFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::fact::Reason;
use crate::host::broker::frame::{Failure, MOST_PART};
use crate::host::engine::Route;

/// Names an engine's socket may have without being named on the command line.
const NAMES: [&str; 2] = ["docker.sock", "podman.sock"];

/// How long and how much an engine may answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Until the connection stands.
    connect: Duration,
    /// Of silence.
    silence: Duration,
    /// For the whole answer.
    answer: Duration,
    /// The most bytes of an answer about one thing.
    one: usize,
    /// The most bytes of an answer that lists.
    list: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let headers = 64 * 1024;
        Self {
            connect: Duration::from_secs(2),
            silence: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            one: 8 * 1024 * 1024 + headers,
            list: 32 * 1024 * 1024 + headers,
        }
    }
}

/// Asks engines.
pub(super) struct Engines {
    /// Sockets named on the command line.
    named: Vec<PathBuf>,
    limits: Limits,
}

impl Engines {
    /// With the usual limits.
    pub(super) fn new(named: Vec<PathBuf>) -> Self {
        Self { named, limits: Limits::default() }
    }

    /// Puts a question to the engine behind a socket and gives its answer, status line and headers included, to `take`
    /// piece by piece, until the engine closes the connection.
    pub(super) fn ask(&self, socket: &Path, route: &Route, take: &mut dyn FnMut(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut connection = File::from(self.connect(&self.admit(socket)?)?);
        let until = Instant::now() + self.limits.answer;
        // One write: strict peers refuse a request that comes in pieces.
        let request = format!("GET {route} HTTP/1.0\r\nHost: plimsoll\r\nConnection: close\r\n\r\n");
        let written = connection.write(request.as_bytes()).map_err(|_| Reason::Unreachable)?;
        if written != request.len() {
            return Err(Reason::Unreachable.into());
        }
        let most = match route {
            Route::Containers | Route::Images | Route::Networks | Route::Volumes => self.limits.list,
            Route::Ping | Route::Version | Route::Info | Route::Container(_) | Route::Image(_) | Route::Network(_) => self.limits.one,
        };
        let mut buffer = vec![0; MOST_PART];
        let mut so_far = 0;
        loop {
            let left = until.saturating_duration_since(Instant::now()).min(self.limits.silence);
            readable(&connection, left)?;
            let read = match connection.read(&mut buffer) {
                // An engine that closes without a word has not answered.
                Ok(0) if so_far == 0 => return Err(Reason::Unreachable.into()),
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => continue,
                Err(_) => return Err(Reason::Unreachable.into()),
            };
            so_far += read;
            if so_far > most {
                return Err(Reason::TooLarge.into());
            }
            take(buffer.get(..read).unwrap_or_default())?;
        }
    }

    /// Opens a socket's path, if it may be connected to. Opening it so does not connect yet.
    fn admit(&self, path: &Path) -> Result<Admitted, Failure> {
        if !path.is_absolute() {
            return Err(Reason::unsupported("the path of an engine's socket must be absolute").into());
        }
        let file = open(path)?;
        // What is known of it without asking its file system.
        let look = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        let known = rustix::fs::statx(&file, c"", look, StatxFlags::TYPE | StatxFlags::UID).map_err(refused)?;
        if FileType::from_raw_mode(known.stx_mode.into()) != FileType::Socket {
            return Err(Reason::unsupported("it is not a socket").into());
        }
        let through = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        let resolved = std::fs::read_link(&through).map_err(|error| failure(&error))?;
        let usual = |path: &Path| path.file_name().is_some_and(|name| NAMES.iter().any(|usual| name == *usual));
        let expected = self.named.iter().any(|named| named == path) || (usual(path) && usual(&resolved));
        if !expected {
            let why = "only sockets named docker.sock or podman.sock are asked, or those given with --engine-socket";
            return Err(Reason::unsupported(why).into());
        }
        Ok(Admitted { through, owner: known.stx_uid, _file: file })
    }

    /// Connects to an admitted socket, if root or its owner listens there.
    fn connect(&self, to: &Admitted) -> Result<OwnedFd, Failure> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(refused)?;
        let address = SocketAddrUnix::new(&to.through).map_err(refused)?;
        let until = Instant::now() + self.limits.connect;
        loop {
            match rustix::net::connect(&socket, &address) {
                Ok(()) => break,
                // More are waiting than the engine lets wait. This kind of socket cannot tell when that changes.
                Err(Errno::AGAIN) if Instant::now() < until => thread::sleep(Duration::from_millis(20)),
                Err(Errno::AGAIN) => return Err(Reason::TimedOut.into()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        // Not rustix's, which fails for a peer outside our process id namespace: its process has no number in here.
        let peer = getsockopt(&socket, PeerCredentials).map_err(|error| failure(&error.into()))?.uid();
        if peer != 0 && peer != to.owner {
            return Err(Reason::unsupported("somebody other than root and the owner of the socket listens there").into());
        }
        Ok(socket)
    }
}

/// A socket that may be connected to, held by a descriptor.
struct Admitted {
    /// The path that leads to exactly what the descriptor holds.
    through: PathBuf,
    owner: u32,
    _file: File,
}

/// Opens a path as a place, without touching what is there, and without waiting for a file system.
fn open(path: &Path) -> Result<File, Failure> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let mut tries = 0..5;
    loop {
        return match rustix::fs::openat2(rustix::fs::CWD, path, flags, Mode::empty(), ResolveFlags::CACHED) {
            Ok(file) => Ok(file.into()),
            // Also when something was renamed meanwhile.
            Err(Errno::AGAIN) if tries.next().is_some() => {
                thread::sleep(Duration::from_millis(2));
                continue;
            }
            // Not in memory, so nobody listens there; to find out more could take for ever.
            Err(Errno::AGAIN) => Err(Reason::Unreachable.into()),
            // Before 5.12, or where a filter forbids it.
            Err(Errno::INVAL | Errno::NOSYS | Errno::PERM) => {
                rustix::fs::openat(rustix::fs::CWD, path, flags, Mode::empty()).map(File::from).map_err(refused)
            }
            Err(error) => Err(refused(error)),
        };
    }
}

/// Waits until there is something to read or the peer has closed.
fn readable(connection: &File, within: Duration) -> Result<(), Failure> {
    let within = Timespec::try_from(within).map_err(|_| Reason::TimedOut)?;
    let mut fds = [PollFd::from_borrowed_fd(connection.as_fd(), PollFlags::IN)];
    match poll(&mut fds, Some(&within)) {
        Ok(0) => Err(Reason::TimedOut.into()),
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: Errno) -> Failure {
    failure(&error.into())
}

fn failure(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Failure::Absent,
        io::ErrorKind::PermissionDenied => Reason::Denied.into(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Reason::Unreachable.into(),
        _ => Reason::malformed(error.to_string()).into(),
    }
}

#[cfg(test)]
mod tests;
