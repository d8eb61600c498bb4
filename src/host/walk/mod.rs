//! One walk of whole file systems for every question that needs one.
//!
//! What is looked for is decided by a function of the metadata of one name at a time ([`Judge`]), which puts it into any of
//! eight classes. Of each class the first so many paths are kept, in the order of their bytes, and all are counted:
//! the result does not depend on how many threads walk, nor on who comes first. Whatever could not be looked at is kept and counted
//! in the same way, so nothing is left out silently.

mod crew;
mod descent;
mod kept;
mod looks;
mod places;
mod reader;

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::FileKind;
use crate::fact::{Mode, Reason};
pub use crew::walk as in_threads;
pub use kept::Kept;
pub(super) use looks::walk as by_looks;

/// How many classes there may be.
pub const CLASSES: usize = 8;
/// The deepest directory that is looked into: the sandbox's checks cost more with every level.
const DEEPEST: usize = 2000;

/// Some of eight classes, one bit each.
pub type Classes = u8;

/// Decides what a thing belongs to, by its metadata.
pub type Judge = Arc<dyn Fn(&Met) -> Classes + Send + Sync>;

/// What a walk meets: the metadata that it asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Met {
    /// What it is; a link is a link.
    pub kind: FileKind,
    /// Permission bits.
    pub mode: Mode,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Whether it lies below one of [`Walk::apart`].
    pub apart: bool,
}

/// Where a walk begins: the whole of what is mounted there, but nothing that is mounted below it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Start {
    /// The mount point, or any directory or file without links in its path.
    pub path: PathBuf,
    /// What has to be mounted there: the number of the device and the part of its file system, as in a mount table.
    /// `None` where that does not matter.
    pub mounted: Option<(String, PathBuf)>,
}

/// What to walk, and what to look for.
#[derive(Clone)]
pub struct Walk {
    /// Where to begin, each by itself.
    pub starts: Vec<Start>,
    /// Paths that are neither entered nor looked at: mount points, and whatever else is left out.
    pub left_out: Vec<PathBuf>,
    /// Directories whose content is told apart from the rest: see [`Met::apart`].
    pub apart: Vec<PathBuf>,
    /// The kinds whose metadata is asked for; others are passed over.
    pub kinds: Vec<FileKind>,
    /// What is looked for.
    pub judge: Judge,
    /// How many paths are kept of each class, and how many of what could not be looked at.
    pub most: usize,
    /// How many threads walk.
    pub threads: usize,
    /// How long one look may take before its directory is given up.
    pub patience: Duration,
    /// When to stop, with what was found by then.
    pub until: Option<Instant>,
}

/// Something that belongs to a class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// Its metadata.
    pub met: Met,
    /// Through which of the starts it was found.
    pub start: usize,
}

/// What a walk has found.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    /// What belongs to each class.
    pub found: [Kept<Hit>; CLASSES],
    /// What could not be looked at, and why. Of a directory, everything below it.
    pub lost: Kept<Reason>,
    /// How many directories were looked into.
    pub directories: u64,
    /// How many names were seen.
    pub names: u64,
}

impl Walked {
    /// Takes over what another part of the walk has found.
    fn add(&mut self, other: Self, most: usize) {
        for (own, others) in self.found.iter_mut().zip(other.found) {
            own.merge(others, most);
        }
        self.lost.merge(other.lost, most);
        self.directories += other.directories;
        self.names += other.names;
    }

    /// Keeps something in each of its classes.
    fn hit(&mut self, classes: Classes, directory: &[u8], name: &[u8], hit: &Hit, most: usize) {
        for (class, kept) in self.found.iter_mut().enumerate() {
            if classes & (1 << class) != 0 {
                kept.add([directory, name], || hit.clone(), most);
            }
        }
    }

    /// Keeps something that could not be looked at.
    fn lose(&mut self, path: &[u8], reason: Reason, most: usize) {
        self.lost.add([path, b""], || reason, most);
    }
}

/// A path as the walk keeps it: bytes without a slash at the end, so that the root is empty.
fn bytes(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_bytes();
    bytes.strip_suffix(b"/").unwrap_or(bytes).to_vec()
}

/// The reason why nothing below a depth is looked at.
fn too_deep() -> Reason {
    Reason::unsupported(format!("lies more than {DEEPEST} directories deep"))
}

#[cfg(test)]
mod tests;
