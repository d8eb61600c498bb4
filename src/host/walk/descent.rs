//! One thread's way through a tree: which directories it has still to enter, and where it is.
//!
//! Memory and descriptors stay bounded whatever the tree. Names of directories wait in one block of bytes; when that
//! is full, directories are left half read until what is below them is done. A directory is held open only while some of
//! its own directories wait; when too many are, the outermost is closed, and later found again by its path.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use super::places::Spot;
use super::{Hit, Walked};
use crate::fact::Reason;

/// How many bytes of names may wait before directories are left half read.
const MOST_NAMES: usize = 512 * 1024;
/// How many directories one thread holds open.
const MOST_OPEN: usize = 48;

/// A directory some of whose directories wait.
pub(super) struct Frame {
    /// Its descriptor, or what it was when it was closed to save one.
    pub(super) handle: Handle,
    /// How much of the path of the descent is its path.
    path: usize,
    /// How many names waited before its own.
    first: usize,
    /// Where to go on reading, where it was left half read.
    resume: Option<u64>,
    pub(super) spot: Spot,
    pub(super) depth: usize,
}

/// How a directory is got at.
#[derive(Clone)]
pub(super) enum Handle {
    /// By its descriptor.
    Open(Arc<OwnedFd>),
    /// By its path, where it must be this device and inode.
    Closed(u64, u64),
}

/// What to do next.
pub(super) enum Next {
    /// Nothing is left.
    Nothing,
    /// Enter the directory whose name was given out.
    Enter { parent: Arc<OwnedFd>, spot: Spot, depth: usize },
    /// Go on with a directory that was left half read.
    GoOn { directory: Arc<OwnedFd>, from: u64, spot: Spot, depth: usize },
    /// Find the directory on top again, by the path that was given out, and [`Descent::reopened`].
    Reopen { device: u64, inode: u64 },
}

/// Where a thread is, and what waits.
#[derive(Default)]
pub(super) struct Descent {
    /// The start it came from.
    pub(super) start: usize,
    /// The path of what is being looked at, or of the last directory that was.
    pub(super) path: Vec<u8>,
    frames: Vec<Frame>,
    /// Names that wait, one after the other, each ended by a NUL.
    names: Vec<u8>,
    /// Where each begins.
    begins: Vec<usize>,
    /// How many frames, from the first, are closed.
    closed: usize,
}

impl Descent {
    /// Takes the next step. `out` is given the name to enter, or the path to find again.
    pub(super) fn next(&mut self, out: &mut Vec<u8>) -> Next {
        loop {
            let Some(frame) = self.frames.last_mut() else { return Next::Nothing };
            self.path.truncate(frame.path);
            let waiting = self.begins.len() > frame.first;
            if !waiting && frame.resume.is_none() {
                self.pop();
                continue;
            }
            let (spot, depth) = (frame.spot, frame.depth);
            let directory = match &frame.handle {
                Handle::Open(fd) => fd.clone(),
                Handle::Closed(device, inode) => {
                    out.clone_from(&self.path);
                    return Next::Reopen { device: *device, inode: *inode };
                }
            };
            if !waiting && let Some(from) = frame.resume.take() {
                return Next::GoOn { directory, from, spot, depth };
            }
            let begin = self.begins.pop().unwrap_or_default();
            out.clear();
            out.extend_from_slice(self.names.get(begin..).unwrap_or_default());
            self.names.truncate(begin);
            self.path.push(b'/');
            self.path.extend_from_slice(out.strip_suffix(b"\0").unwrap_or(out));
            if self.begins.len() == frame.first && frame.resume.is_none() {
                self.pop();
            }
            return Next::Enter { parent: directory, spot, depth };
        }
    }

    fn pop(&mut self) {
        self.frames.pop();
        self.closed = self.closed.min(self.frames.len());
    }

    /// Adds names to those that wait, of the directory at the path of the descent. `resume` says where it was left half
    /// read. `own` is whether its frame is on top already, because of names it had before.
    pub(super) fn wait(&mut self, names: &[u8], directory: &Arc<OwnedFd>, resume: Option<u64>, spot: Spot, depth: usize, own: &mut bool) {
        if !std::mem::replace(own, true) {
            let (path, first) = (self.path.len(), self.begins.len());
            self.frames.push(Frame { handle: Handle::Open(directory.clone()), path, first, resume: None, spot, depth });
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.resume = resume;
        }
        for name in names.split_inclusive(|byte| *byte == 0) {
            self.begins.push(self.names.len());
            self.names.extend_from_slice(name);
        }
    }

    /// Whether so much waits that directories are to be left half read.
    pub(super) fn is_crowded(&self) -> bool {
        self.names.len() > MOST_NAMES
    }

    /// The outermost directory that is open, where too many are: to be [`closed`](Self::close).
    pub(super) fn too_many_open(&self) -> Option<Arc<OwnedFd>> {
        let outermost = self.frames.get(self.closed).filter(|_| self.frames.len() - self.closed > MOST_OPEN);
        outermost.and_then(|frame| match &frame.handle {
            Handle::Open(fd) => Some(fd.clone()),
            Handle::Closed(..) => None,
        })
    }

    /// Closes the outermost directory that is open, which is this.
    pub(super) fn close(&mut self, device: u64, inode: u64) {
        if let Some(frame) = self.frames.get_mut(self.closed) {
            frame.handle = Handle::Closed(device, inode);
            self.closed += 1;
        }
    }

    /// Goes on with a directory that was found again.
    pub(super) fn reopened(&mut self, fd: Arc<OwnedFd>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.handle = Handle::Open(fd);
            self.closed = self.closed.min(self.frames.len() - 1);
        }
    }

    /// Gives up the directory on top, with all that waits in it.
    pub(super) fn give_up(&mut self) {
        if let Some(frame) = self.frames.last() {
            let first = frame.first;
            self.names.truncate(self.begins.get(first).copied().unwrap_or(self.names.len()));
            self.begins.truncate(first);
        }
        self.pop();
    }

    /// Splits off work for another thread, from the outermost directory that has names waiting, as long as some stays here.
    pub(super) fn share(&mut self) -> Option<Self> {
        if self.begins.len() < 2 {
            return None;
        }
        let next_first = |at: usize| self.frames.get(at + 1).map_or(self.begins.len(), |next| next.first);
        let at = (0..self.frames.len()).find(|at| self.frames.get(*at).is_some_and(|frame| next_first(*at) > frame.first))?;
        let end = next_first(at);
        let frame = self.frames.get_mut(at)?;
        let first = frame.first;
        let count = (end - first).div_ceil(2);
        let (handle, path, spot, depth) = (frame.handle.clone(), frame.path, frame.spot, frame.depth);
        // Those that would come next here stay here.
        let from = *self.begins.get(first)?;
        let to = self.begins.get(first + count).copied().unwrap_or(self.names.len());
        let names: Vec<u8> = self.names.drain(from..to).collect();
        self.begins.drain(first..first + count);
        self.begins.iter_mut().skip(first).for_each(|begin| *begin -= to - from);
        self.frames.iter_mut().skip(at + 1).for_each(|later| later.first -= count);
        let closed = usize::from(matches!(handle, Handle::Closed(..)));
        let mut part = Self { start: self.start, path: self.path.get(..path)?.to_vec(), closed, ..Self::default() };
        part.frames.push(Frame { handle, path, first: 0, resume: None, spot, depth });
        for name in names.split_inclusive(|byte| *byte == 0) {
            part.begins.push(part.names.len());
            part.names.extend_from_slice(name);
        }
        Some(part)
    }

    /// The directories that are not done, for the record: none of what waits in them was looked at.
    pub(super) fn lose_rest(&self, walked: &mut Walked, reason: &Reason, most: usize) {
        for frame in &self.frames {
            walked.lose(self.path.get(..frame.path).unwrap_or_default(), reason.clone(), most);
        }
    }
}

/// What one thread shares with the one that waits for it: never locked while the kernel is asked.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) descent: Descent,
    pub(super) walked: Walked,
    /// Whether something is being looked at.
    pub(super) busy: bool,
    /// Whether it took too long and another thread has taken over.
    pub(super) abandoned: bool,
}

impl Progress {
    /// Keeps something at the path of the descent, or a name in it.
    pub(super) fn hit(&mut self, classes: u8, name: Option<&[u8]>, met: super::Met, most: usize) {
        let hit = Hit { met, start: self.descent.start };
        let path = &mut self.descent.path;
        if name.is_some() {
            path.push(b'/');
        }
        self.walked.hit(classes, path, name.unwrap_or_default(), &hit, most);
        if name.is_some() {
            path.pop();
        }
    }

    /// Keeps that something at the path of the descent could not be looked at, or a name in it.
    pub(super) fn lose(&mut self, name: Option<&[u8]>, reason: Reason, most: usize) {
        let path = match name {
            Some(name) => [&self.descent.path, b"/".as_slice(), name].concat(),
            None => self.descent.path.clone(),
        };
        self.walked.lose(&path, reason, most);
    }
}

/// The device and inode of a directory.
pub(super) fn identity(fd: &OwnedFd) -> Option<(u64, u64)> {
    let stat = rustix::fs::fstat(fd.as_fd()).ok()?;
    #[allow(clippy::useless_conversion, reason = "the types differ between architectures")]
    Some((stat.st_dev.into(), stat.st_ino.into()))
}
