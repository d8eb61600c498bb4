//! The looks of one thread: directories are read in large pieces, and metadata is asked for only where the answer matters.

#![expect(clippy::disallowed_methods, reason = "this is where the audited host is walked")]

use std::ffi::CStr;
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, FileType, Mode as OpenMode, OFlags, RawDir, ResolveFlags, SeekFrom, StatxAttributes, StatxFlags};
use rustix::io::Errno;

use super::crew::{Ground, Slot};
use super::descent::{Next, Progress, identity};
use super::places::Spot;
use super::{DEEPEST, Met, too_deep};
use crate::fact::{Mode, Reason};
use crate::host::FileKind;
use crate::host::tree::{Trouble, kind};

/// How much of a directory is read at once, in bytes.
const BUFFER: usize = 64 * 1024;
/// The same where so much waits already that directories are left half read.
const BUFFER_CROWDED: usize = 4 * 1024;
/// How many bytes of names are gathered before they are handed over.
const GATHERED: usize = 16 * 1024;

/// What one thread looks with.
pub(super) struct Reader<'a> {
    ground: &'a Ground,
    slot: &'a Slot,
    stop: &'a AtomicBool,
    buffer: Vec<u8>,
    /// The name to enter, ended by a NUL, or the path to find again.
    name: Vec<u8>,
    /// Names of directories in the one being read.
    gathered: Vec<u8>,
    seen: u64,
}

/// A directory being read.
struct Directory {
    fd: Arc<OwnedFd>,
    spot: Spot,
    depth: usize,
    /// Whether it has a frame in the descent.
    framed: bool,
    crowded: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(ground: &'a Ground, slot: &'a Slot, stop: &'a AtomicBool) -> Self {
        let seen = slot.seen.load(Ordering::Relaxed);
        Self { ground, slot, stop, buffer: Vec::with_capacity(BUFFER), name: Vec::new(), gathered: Vec::new(), seen }
    }

    /// Looks at what a walk begins with.
    pub(super) fn start(&mut self, number: usize) {
        let Some(start) = self.ground.starts.get(number) else { return };
        self.with(|progress| {
            progress.descent.start = number;
            progress.descent.path.clone_from(&start.bytes);
        });
        match open_start(&start.path) {
            Ok(fd) => self.enter(fd, start.spot, start.depth),
            Err(Errno::NOTDIR) => self.single(&start.path, start.spot),
            // What was to be walked, and is not there, was not walked.
            Err(Errno::NOENT) => self.lose(Reason::unsupported("what is mounted there cannot be reached")),
            Err(error) => self.lose_to(error),
        }
    }

    /// Looks at a file on which another is mounted.
    fn single(&mut self, path: &Path, spot: Spot) {
        match self.stat(rustix::fs::CWD, path.as_os_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok((met, _)) => self.judge(None, Met { apart: spot.apart, ..met }),
            Err(error) => self.lose_to(error),
        }
    }

    /// Takes one step of the descent. False where nothing is left to do.
    pub(super) fn step(&mut self) -> bool {
        let next = {
            let mut progress = self.slot.progress();
            if progress.abandoned {
                return false;
            }
            let next = progress.descent.next(&mut self.name);
            progress.busy = !matches!(next, Next::Nothing);
            next
        };
        match next {
            Next::Nothing => return false,
            Next::Enter { parent, spot, depth } => self.descend(&parent, spot, depth + 1),
            Next::GoOn { directory, from, spot, depth } => {
                let seek = rustix::fs::seek(&directory, SeekFrom::Start(from));
                match seek {
                    Ok(_) => self.read(Directory { fd: directory, spot, depth, framed: true, crowded: true }),
                    Err(error) => self.lose_to(error),
                }
            }
            Next::Reopen { device, inode } => self.reopen(device, inode),
        }
        true
    }

    fn descend(&mut self, parent: &OwnedFd, spot: Spot, depth: usize) {
        let plain = self.name.strip_suffix(b"\0").unwrap_or(&self.name);
        let spot = if spot.is_plain() { Some(spot) } else { self.ground.places.below(spot, plain) };
        let Some(spot) = spot else { return };
        if depth > DEEPEST {
            return self.lose(too_deep());
        }
        let Ok(name) = CStr::from_bytes_with_nul(&self.name) else { return };
        match open_below(parent, name) {
            Ok(fd) => self.enter(fd, spot, depth),
            // It was removed or replaced meanwhile, or something has been mounted on it: then it is not of this file system.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV) => {}
            Err(error) => self.lose_to(error),
        }
    }

    fn enter(&mut self, fd: OwnedFd, spot: Spot, depth: usize) {
        if self.ground.wants(FileKind::Directory) {
            match self.stat(fd.as_fd(), c"", AtFlags::EMPTY_PATH) {
                Ok((met, _)) => self.judge(None, Met { apart: spot.apart, ..met }),
                Err(error) => self.lose_to(error),
            }
        }
        let mut progress = self.slot.progress();
        if progress.abandoned {
            return;
        }
        progress.walked.directories += 1;
        let crowded = progress.descent.is_crowded();
        drop(progress);
        self.read(Directory { fd: Arc::new(fd), spot, depth, framed: false, crowded });
    }

    /// Reads a directory, from where its descriptor stands.
    fn read(&mut self, mut directory: Directory) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let room: &mut [MaybeUninit<u8>] = buffer.spare_capacity_mut();
        let size = if directory.crowded { BUFFER_CROWDED } else { BUFFER };
        let fd = directory.fd.clone();
        let mut entries = RawDir::new(&*fd, room.get_mut(..size).unwrap_or_default());
        let mut at = 0;
        loop {
            let enough = if directory.crowded { 0 } else { GATHERED };
            if entries.is_buffer_empty() && self.gathered.len() > enough && self.hand_over(&mut directory, Some(at)) {
                break;
            }
            let entry = match entries.next() {
                Some(Ok(entry)) => entry,
                // A directory that was removed has an end.
                None | Some(Err(Errno::NOENT)) => break,
                Some(Err(error)) => {
                    self.lose_to(error);
                    break;
                }
            };
            if self.stop.load(Ordering::Relaxed) {
                self.lose(Reason::TimedOut);
                break;
            }
            at = entry.next_entry_cookie();
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            self.seen += 1;
            self.slot.seen.store(self.seen, Ordering::Relaxed);
            self.meet(&directory, name, entry.file_type());
        }
        if !self.gathered.is_empty() {
            self.hand_over(&mut directory, None);
        }
        self.buffer = buffer;
    }

    /// Looks at one name.
    fn meet(&mut self, directory: &Directory, name: &CStr, file_type: FileType) {
        let found = kind(file_type);
        if found == FileKind::Directory {
            self.gathered.extend_from_slice(name.to_bytes_with_nul());
            return;
        }
        // Not every file system says what a name is.
        if !self.ground.wants(found) && file_type != FileType::Unknown {
            return;
        }
        if !directory.spot.is_plain() && self.ground.places.below(directory.spot, name.to_bytes()).is_none() {
            return;
        }
        match self.stat(directory.fd.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok((met, _)) if met.kind == FileKind::Directory => self.gathered.extend_from_slice(name.to_bytes_with_nul()),
            // Something that was mounted meanwhile belongs to another file system.
            Ok((_, true)) => {}
            Ok((met, false)) => self.judge(Some(name.to_bytes()), Met { apart: directory.spot.apart, ..met }),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(error) => {
                if let Trouble::Gap(reason) = error.into() {
                    self.with(|progress| progress.lose(Some(name.to_bytes()), reason, self.ground.most));
                }
            }
        }
    }

    /// Lets the names that were gathered wait in the descent. Whether the directory is now left half read, to be gone on with at
    /// `resume`.
    fn hand_over(&mut self, directory: &mut Directory, resume: Option<u64>) -> bool {
        let mut progress = self.slot.progress();
        let Directory { fd, spot, depth, framed, crowded } = directory;
        if progress.abandoned {
            self.gathered.clear();
            return true;
        }
        progress.descent.wait(&self.gathered, fd, None, *spot, *depth, framed);
        self.gathered.clear();
        *crowded = progress.descent.is_crowded();
        let suspended = resume.filter(|_| *crowded);
        if suspended.is_some() {
            progress.descent.wait(&[], fd, suspended, *spot, *depth, framed);
        }
        let outermost = progress.descent.too_many_open();
        drop(progress);
        if let Some((device, inode)) = outermost.as_deref().and_then(identity) {
            self.with(|progress| progress.descent.close(device, inode));
        }
        suspended.is_some()
    }

    /// Finds a directory again that was closed to save its descriptor: the same one, or none.
    fn reopen(&mut self, device: u64, inode: u64) {
        let path = std::mem::take(&mut self.name);
        let start = self.slot.progress().descent.start;
        let found = self.ground.starts.get(start).and_then(|start| {
            let below = path.get(start.bytes.len()..)?;
            let mut at = open_start(&start.path).ok()?;
            for name in below.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
                at = open_below(&at, OsStr::from_bytes(name)).ok()?;
            }
            (identity(&at) == Some((device, inode))).then_some(at)
        });
        self.name = path;
        self.with(|progress| match found {
            Some(fd) => progress.descent.reopened(Arc::new(fd)),
            None => {
                progress.lose(None, Reason::unsupported("was moved or removed while it was looked at"), self.ground.most);
                progress.descent.give_up();
            }
        });
    }

    /// The metadata of a name in a directory, and whether something is mounted there.
    fn stat<P: rustix::path::Arg>(&self, at: impl AsFd, name: P, flags: AtFlags) -> rustix::io::Result<(Met, bool)> {
        let flags = flags | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
        let mask = StatxFlags::TYPE | StatxFlags::MODE | StatxFlags::UID | StatxFlags::GID;
        let meta = rustix::fs::statx(at, name, flags, mask)?;
        let mounted = meta.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
        let kind = kind(FileType::from_raw_mode(meta.stx_mode.into()));
        Ok((Met { kind, mode: Mode::from_bits(meta.stx_mode.into()), uid: meta.stx_uid, gid: meta.stx_gid, apart: false }, mounted))
    }

    fn judge(&self, name: Option<&[u8]>, met: Met) {
        let classes = (self.ground.judge)(&met);
        if classes != 0 {
            self.with(|progress| progress.hit(classes, name, met, self.ground.most));
        }
    }

    fn lose_to(&self, error: Errno) {
        match Trouble::from(error) {
            Trouble::Gap(reason) => self.lose(reason),
            Trouble::Absent => {}
        }
    }

    fn lose(&self, reason: Reason) {
        self.with(|progress| progress.lose(None, reason, self.ground.most));
    }

    /// Changes the progress, unless another thread has taken over.
    fn with(&self, change: impl FnOnce(&mut Progress)) {
        let mut progress = self.slot.progress();
        if !progress.abandoned {
            change(&mut progress);
        }
    }
}

/// How directories are opened.
const OPEN: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens a directory by its name in another, never following a link or entering what is mounted on it.
fn open_below<P: rustix::path::Arg + Copy>(parent: &OwnedFd, name: P) -> rustix::io::Result<OwnedFd> {
    match rustix::fs::openat2(parent, name, OPEN, OpenMode::empty(), ResolveFlags::NO_XDEV | ResolveFlags::BENEATH) {
        // A kernel before 5.6, or a sandbox that does not let it through: the mount points that are known are left out by name.
        Err(Errno::NOSYS) => rustix::fs::openat(parent, name, OPEN, OpenMode::empty()),
        done => done,
    }
}

/// Opens a directory by its whole path, in which there is no link.
fn open_start(path: &Path) -> rustix::io::Result<OwnedFd> {
    match rustix::fs::openat2(rustix::fs::CWD, path, OPEN, OpenMode::empty(), ResolveFlags::NO_SYMLINKS) {
        Err(Errno::NOSYS) => rustix::fs::openat(rustix::fs::CWD, path, OPEN, OpenMode::empty()),
        done => done,
    }
}
