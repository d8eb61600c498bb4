//! Keeps two audits of one host apart: a state directory of our own, and the lock in it.
//!
//! The lock belongs to the descriptor, not to the file: it is gone when its holder is, however that ended, and no
//! process started meanwhile inherits it.
#![expect(clippy::disallowed_methods, reason = "the lock is plimsoll's own file")]

use std::fs::{DirBuilder, File};
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use chrono::{SecondsFormat, Utc};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// Name of the lock's file in the state directory.
const NAME: &str = "lock";

/// More than a holder ever writes into the lock's file.
const MOST_HOLDER: u64 = 100;

/// The state directory, locked until this is dropped.
#[derive(Debug)]
pub struct Lock {
    directory: File,
    _lock: File,
}

/// The lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("another audit is running{}: it holds {}", holder(*.pid, .since.as_deref()), .path.display())]
    Taken {
        /// The lock's file.
        path: PathBuf,
        /// Process id of the holder, as it wrote it down.
        pid: Option<u32>,
        /// When it began, as it wrote it down.
        since: Option<String>,
    },
    /// There is no state directory and none can be made, because the file system is read-only or belongs to others.
    /// An audit that keeps nothing can go on without.
    #[error("{} cannot be made: {source}", .path.display())]
    CannotMake {
        /// The directory.
        path: PathBuf,
        /// What stood in the way.
        source: io::Error,
    },
    /// What is there cannot be trusted.
    #[error("{} cannot be used: {why}", .path.display())]
    Unusable {
        /// The directory or the lock's file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Something else went wrong.
    #[error("{}: {source}", .path.display())]
    Failed {
        /// The directory or the lock's file.
        path: PathBuf,
        /// What.
        source: io::Error,
    },
}

fn holder(pid: Option<u32>, since: Option<&str>) -> String {
    match (pid, since) {
        (Some(pid), Some(since)) => format!(" (process {pid}, since {since})"),
        _ => String::new(),
    }
}

impl Lock {
    /// Makes the state directory where it is missing, and takes its lock without waiting.
    ///
    /// # Errors
    ///
    /// Where the directory or the lock's file is a link, is writable by others or belongs to others, cannot be made, or is locked.
    pub fn take(directory: &Path) -> Result<Self, LockError> {
        let failed = |path: &Path, error: Errno| LockError::Failed { path: path.to_path_buf(), source: error.into() };
        if let Err(source) = DirBuilder::new().recursive(true).mode(0o700).create(directory)
            && source.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(LockError::CannotMake { path: directory.to_path_buf(), source });
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let held = match rustix::fs::open(directory, flags, Mode::empty()) {
            Ok(held) => File::from(held),
            Err(Errno::LOOP | Errno::NOTDIR) => return Err(unusable(directory, "it is not a directory, or a link to one")),
            Err(error) => return Err(failed(directory, error)),
        };
        ours(&held, directory)?;

        let path = directory.join(NAME);
        // O_NONBLOCK for whoever put a FIFO there.
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let lock = match rustix::fs::openat(&held, NAME, flags, Mode::RUSR | Mode::WUSR) {
            Ok(lock) => File::from(lock),
            Err(Errno::LOOP) => return Err(unusable(&path, "it is a link")),
            Err(error @ (Errno::ROFS | Errno::ACCESS)) => return Err(LockError::CannotMake { path, source: error.into() }),
            Err(error) => return Err(failed(&path, error)),
        };
        if !ours(&lock, &path)?.is_file() {
            return Err(unusable(&path, "it is not a regular file"));
        }
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let (pid, since) = read_holder(&lock).unzip();
                return Err(LockError::Taken { path, pid, since });
            }
            Err(error) => return Err(failed(&path, error)),
        }
        write_holder(&lock).map_err(|source| LockError::Failed { path, source })?;
        Ok(Self { directory: held, _lock: lock })
    }
}

/// The state directory, for everything that is done in it: its name might lead elsewhere by now.
impl AsFd for Lock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

fn unusable(path: &Path, why: &'static str) -> LockError {
    LockError::Unusable { path: path.to_path_buf(), why }
}

/// Refuses what others own or may write to.
fn ours(file: &File, path: &Path) -> Result<std::fs::Metadata, LockError> {
    let metadata = file.metadata().map_err(|source| LockError::Failed { path: path.to_path_buf(), source })?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(unusable(path, "it belongs to somebody else"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(unusable(path, "others may write to it"));
    }
    Ok(metadata)
}

/// Process id and start of the holder, if it has got round to writing them.
fn read_holder(lock: &File) -> Option<(u32, String)> {
    let mut text = String::new();
    lock.take(MOST_HOLDER).read_to_string(&mut text).ok()?;
    let (pid, since) = text.strip_suffix('\n')?.split_once(' ')?;
    let is_time = since.bytes().all(|byte| byte.is_ascii_digit() || b"-:TZ".contains(&byte));
    Some((pid.parse().ok()?, since.to_owned())).filter(|_| is_time)
}

fn write_holder(lock: &File) -> io::Result<()> {
    let line = format!("{} {}\n", std::process::id(), Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true));
    // Over what was there, and only then cut: whoever reads meanwhile finds a holder.
    lock.write_all_at(line.as_bytes(), 0)?;
    lock.set_len(line.len() as u64)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn one_holder_at_a_time_and_the_other_is_told_who() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state/plimsoll");
        let lock = Lock::take(&state).unwrap();
        assert_eq!((mode(&state), mode(&state.join("lock"))), (0o700, 0o600));
        let error = Lock::take(&state).unwrap_err();
        let message = error.to_string();
        let LockError::Taken { pid, since: Some(since), .. } = error else { panic!("{error:?}") };
        assert_eq!(pid, Some(std::process::id()));
        assert!(message.contains(&format!("process {}, since {since}", std::process::id())), "{message}");
        drop(lock);
        assert!(Lock::take(&state).is_ok());
    }

    #[test]
    fn of_ten_at_once_one_wins() {
        let home = tempfile::tempdir().unwrap();
        for _ in 0..20 {
            let results: Vec<_> = std::thread::scope(|scope| {
                let starts: Vec<_> = (0..10).map(|_| scope.spawn(|| Lock::take(home.path()))).collect();
                starts.into_iter().map(|start| start.join().unwrap()).collect()
            });
            assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
            assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(LockError::Taken { .. }))));
        }
    }

    #[test]
    fn what_others_could_have_prepared_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let (open, linked, state) = (home.path().join("open"), home.path().join("linked"), home.path().join("state"));
        fs::create_dir(&open).unwrap();
        for mode in [0o770, 0o702, 0o1777] {
            fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(Lock::take(&open), Err(LockError::Unusable { why: "others may write to it", .. })), "{mode:o}");
        }
        fs::create_dir(&state).unwrap();
        symlink(&state, &linked).unwrap();
        assert!(matches!(Lock::take(&linked), Err(LockError::Unusable { .. })));

        fs::write(home.path().join("victim"), "precious").unwrap();
        symlink(home.path().join("victim"), state.join("lock")).unwrap();
        assert!(matches!(Lock::take(&state), Err(LockError::Unusable { why: "it is a link", .. })));
        assert_eq!(fs::read(home.path().join("victim")).unwrap(), b"precious");

        fs::remove_file(state.join("lock")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, state.join("lock"), rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert!(matches!(Lock::take(&state), Err(LockError::Unusable { why: "it is not a regular file", .. })));
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_an_error_of_its_own() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("file"), "").unwrap();
        assert!(matches!(Lock::take(&home.path().join("file/state")), Err(LockError::CannotMake { .. })));
        assert!(matches!(Lock::take(Path::new("/proc/plimsoll")), Err(LockError::CannotMake { .. })));
    }

    #[test]
    fn a_holder_that_wrote_something_else_is_not_believed() {
        let home = tempfile::tempdir().unwrap();
        let _lock = Lock::take(home.path()).unwrap();
        for text in ["", "7", "7 ", "x 2026-01-01T00:00:00Z\n", "7 \u{1b}[2J\n"] {
            fs::write(home.path().join("lock"), text).unwrap();
            let error = Lock::take(home.path()).unwrap_err();
            assert!(matches!(error, LockError::Taken { pid: None, since: None, .. }), "{text:?}: {error:?}");
        }
    }
}
