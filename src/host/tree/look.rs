//! The looks themselves: content, metadata, links, names.

use std::ffi::OsStr;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FileType, Mode as OpenMode, OFlags, RawDir, Statx};
use rustix::io::Errno;

use super::{Found, Tree, Trouble, kind, read_link, stat, statx};
use crate::fact::Reason;
use crate::host::{Entry, FileKind, MOST_LISTED, MOST_READ, Opened, Stat};

/// Kernel files that are never read: they empty a log, hold all memory, or never end.
const NEVER_READ: &[&str] = &["kmsg", "trace_pipe", "trace_pipe_raw", "kcore", "mem", "pagemap", "access_process_vm"];
/// How often a file that changes while it is read is read again.
const TRIES: usize = 3;

impl Tree {
    /// The content of a regular file.
    pub(in crate::host) fn read(&self, path: &Path) -> Result<Arc<[u8]>, Trouble> {
        let found = self.find(path, true)?;
        if found.kind() != FileKind::File {
            return Err(found.kind().unreadable().into());
        }
        // Files have been mounted over single files of /proc.
        self.may_enter(&found.path)?;
        let of_kernel = self.running && (found.path.starts_with("/proc") || found.path.starts_with("/sys"));
        if of_kernel && found.path.file_name().is_some_and(|name| NEVER_READ.iter().any(|never| name == *never)) {
            return Err(Reason::unsupported("reading it would disturb the host").into());
        }
        // Made-up files give no size or a wrong one; for the others the size saves reading in vain.
        if found.meta.stx_size > MOST_READ as u64 {
            return Err(Reason::TooLarge.into());
        }
        for _ in 0..TRIES {
            let fd = self.reopen(&found, OFlags::RDONLY)?;
            let before = statx(&fd)?;
            let content = read_all(&fd, before.stx_size)?;
            if of_kernel || same(&before, &statx(&fd)?) {
                return Ok(content.into());
            }
        }
        Err(Reason::unsupported("it kept changing while it was read").into())
    }

    /// A regular file, open for reading in parts. Nothing the kernel makes up: that has no size to tell its end by.
    pub(in crate::host) fn open_file(&self, path: &Path) -> Result<Opened, Trouble> {
        let found = self.find(path, true)?;
        if found.kind() != FileKind::File {
            return Err(found.kind().unreadable().into());
        }
        self.may_enter(&found.path)?;
        if self.running && (found.path.starts_with("/proc") || found.path.starts_with("/sys")) {
            return Err(Reason::unsupported("is not read in parts").into());
        }
        let fd = self.reopen(&found, OFlags::RDONLY)?;
        let size = statx(&fd)?.stx_size;
        Ok(Opened::descriptor(fd, size))
    }

    /// The metadata of what a path leads to; of the path itself unless `follow`.
    pub(in crate::host) fn stat(&self, path: &Path, follow: bool) -> Result<Stat, Trouble> {
        Ok(stat(&self.find(path, follow)?))
    }

    /// Where a link points.
    pub(in crate::host) fn link(&self, path: &Path) -> Result<PathBuf, Trouble> {
        let found = self.find(path, false)?;
        if found.kind() == FileKind::Link { read_link(&found) } else { Err(Trouble::Absent) }
    }

    /// The path with its links followed.
    pub(in crate::host) fn resolve(&self, path: &Path) -> Result<PathBuf, Trouble> {
        Ok(self.find(path, true)?.path)
    }

    /// The names in a directory, sorted.
    pub(in crate::host) fn list(&self, path: &Path) -> Result<Arc<[Entry]>, Trouble> {
        let found = self.find(path, true)?;
        if found.kind() != FileKind::Directory {
            return Err(Trouble::Absent);
        }
        self.may_enter(&found.path)?;
        let fd = self.reopen(&found, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut buffer = Vec::with_capacity(32 * 1024);
        let mut directory = RawDir::new(&fd, buffer.spare_capacity_mut());
        let mut entries = Vec::new();
        while let Some(entry) = directory.next() {
            let entry = match entry {
                Err(Errno::INTR) => continue,
                entry => entry?,
            };
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if entries.len() >= MOST_LISTED {
                return Err(Reason::TooLarge.into());
            }
            let name = PathBuf::from(OsStr::from_bytes(name));
            let kind = match entry.file_type() {
                FileType::Unknown => self.stat(&found.path.join(&name), false).map_or(FileKind::Other, |stat| stat.kind),
                known => kind(known),
            };
            entries.push(Entry { name, kind });
        }
        entries.sort_unstable_by(|a, b| a.name.as_os_str().cmp(b.name.as_os_str()));
        Ok(entries.into())
    }

    /// Opens for reading what was found, and nothing that may have taken its name since.
    fn reopen(&self, found: &Found, flags: OFlags) -> Result<OwnedFd, Trouble> {
        let own = format!("/proc/self/fd/{}", found.fd.as_raw_fd());
        let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        rustix::fs::openat(rustix::fs::CWD, own, flags, OpenMode::empty()).map_err(|error| match error {
            // What was found is there, so what is missing is our own /proc; except for a process that ended.
            Errno::NOENT if !(self.running && found.path.starts_with("/proc")) => Reason::unsupported("/proc is not mounted").into(),
            error => error.into(),
        })
    }
}

/// Reads to the end, or says that there is too much.
pub(super) fn read_all(fd: &OwnedFd, size: u64) -> Result<Vec<u8>, Trouble> {
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or(0).min(MOST_READ) + 1);
    loop {
        if content.capacity() - content.len() < 512 {
            content.reserve(16 * 1024);
        }
        match rustix::io::read(fd, rustix::buffer::spare_capacity(&mut content)) {
            Ok(0) => return Ok(content),
            Ok(_) if content.len() > MOST_READ => return Err(Reason::TooLarge.into()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether a file has stayed as it was.
fn same(before: &Statx, after: &Statx) -> bool {
    let times = |meta: &Statx| (meta.stx_mtime.tv_sec, meta.stx_mtime.tv_nsec, meta.stx_ctime.tv_sec, meta.stx_ctime.tv_nsec);
    before.stx_size == after.stx_size && times(before) == times(after)
}
