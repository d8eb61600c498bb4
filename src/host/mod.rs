//! The only code that touches an operating system.
//!
//! Every question about the audited host goes through [`Host`]: this machine, a directory that
//! holds one, or a made-up one in a test. What is asked and read is written down by [`manifest`].

pub mod broker;
mod busy;
pub mod engine;
pub mod identity;
pub mod live;
pub mod manifest;
pub mod memory;
mod opened;
pub mod root;
pub mod sandbox;
mod tree;
pub mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::fact::{Fact, Gap, Mode, Origin, Reason, Text};
pub use busy::InFlight;
pub use identity::Identity;
pub use opened::{Opened, Stream};

/// The most that is read of one file, in bytes.
pub const MOST_READ: usize = 16 * 1024 * 1024;
/// The most names that are listed of one directory; more is `TooLarge`.
pub const MOST_LISTED: usize = 100_000;

/// A host under audit. Nothing here can change it.
///
/// Paths are absolute on the audited host. `Fact::Absent` means it was looked for and is not
/// there (`ENOENT`, `ENOTDIR`); whatever else stood in the way is `Fact::Unknown` with its reason.
pub trait Host: Sync {
    /// The content of a regular file or of a file below `/proc` or `/sys`, following links.
    /// Never opens a FIFO, socket or device: those are `Unknown`. At most [`MOST_READ`] bytes, else `TooLarge`.
    fn read(&self, path: &Path) -> Fact<Arc<[u8]>>;

    /// A regular file to be read in parts, following links: for those that may be larger than [`MOST_READ`]. Nothing below
    /// `/proc` or `/sys`, and never a FIFO, socket or device.
    fn open(&self, path: &Path) -> Fact<Arc<Opened>>;

    /// The metadata of what a path leads to, following links.
    fn stat(&self, path: &Path) -> Fact<Stat>;

    /// The metadata of the path itself, not following a link in its last component.
    fn lstat(&self, path: &Path) -> Fact<Stat>;

    /// Where a symbolic link points, as written. `Absent` where the path is not a link.
    fn link(&self, path: &Path) -> Fact<PathBuf>;

    /// The path with every link resolved.
    fn resolve(&self, path: &Path) -> Fact<PathBuf>;

    /// The names in a directory with their kinds, sorted by name.
    fn list(&self, path: &Path) -> Fact<Arc<[Entry]>>;

    /// Walks whole file systems once for every question that needs it. Never fails: what could not be looked at is in the answer.
    fn walk(&self, walk: &walk::Walk) -> walk::Walked {
        walk::by_looks(self, walk)
    }

    /// What an engine answers to one of the fixed questions: the body of a 200 answer.
    /// `Absent` for 404; anything else is `Unknown`.
    fn engine(&self, socket: &Path, question: &engine::Route) -> Fact<Arc<[u8]>>;

    /// The audit rules loaded in the kernel, as the raw netlink messages of `AUDIT_LIST_RULES`, one after the other,
    /// padded to four bytes, the end mark `NLMSG_DONE` included; before them that of `AUDIT_GET`, the status.
    fn audit_rules(&self) -> Fact<Arc<[u8]>>;

    /// Tables, chains, rules, sets and their elements of nftables in the host's network namespace, as raw netlink messages one
    /// after the other, each list with its `NLMSG_DONE`. `Absent` where the kernel has no nftables.
    fn packet_filter(&self) -> Fact<Arc<[u8]>> {
        Fact::Unknown(Gap::new(Origin::kernel("nftables"), Reason::NotCollected))
    }

    /// Which processes hold which sockets, as lines of `PID INODE`; `PID -` for a process whose descriptors cannot be read.
    fn socket_owners(&self) -> Fact<Arc<[u8]>> {
        Fact::Unknown(Gap::new(Origin::kernel("/proc"), Reason::NotCollected))
    }

    /// Which processes run code whose file was removed or replaced, as lines of `PID PATH`; `PID -` for one whose maps cannot be read.
    fn deleted_code(&self) -> Fact<Arc<[u8]>> {
        Fact::Unknown(Gap::new(Origin::kernel("/proc"), Reason::NotCollected))
    }

    /// Links of a process that only its peers may read: executable and namespaces.
    fn process_links(&self, pid: i32) -> Fact<ProcessLinks>;

    /// The time of the audit, taken once.
    fn now(&self) -> DateTime<Utc>;

    /// Who this host is.
    fn identity(&self) -> Identity;

    /// Sockets of engines named by whoever asked for the audit, beside those that can be found.
    fn named_engines(&self) -> &[PathBuf] {
        &[]
    }

    /// How many threads may ask at the same time.
    fn parallelism(&self) -> usize {
        1
    }

    /// The looks that have not returned yet, the oldest first, so that one that is stuck can be given up.
    fn in_flight(&self) -> Vec<InFlight> {
        Vec::new()
    }
}

/// The kind of thing at a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A socket.
    Socket,
    /// A named pipe.
    Fifo,
    /// A character or block device.
    Device,
    /// Anything else.
    Other,
}

impl FileKind {
    /// The word used in records: `file`, `directory`, `link`, `socket`, `fifo`, `device`, `other`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Link => "link",
            Self::Socket => "socket",
            Self::Fifo => "fifo",
            Self::Device => "device",
            Self::Other => "other",
        }
    }

    /// Why something of this kind is not read.
    fn unreadable(self) -> Reason {
        Reason::unsupported(format!("is a {}, not a regular file", self.word()))
    }
}

/// The metadata of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits.
    pub mode: Mode,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Inode number; with `device` it identifies the object.
    pub inode: u64,
    /// Device number of the file system.
    pub device: u64,
    /// Last change of the content, seconds since the epoch.
    pub modified: i64,
}

/// One name in a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The name, without its directory.
    pub name: PathBuf,
    /// What it is; a link is a link.
    pub kind: FileKind,
}

/// What only the supervisor can read of another process.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProcessLinks {
    /// `/proc/PID/exe`, as the kernel prints it; ends in ` (deleted)` when the file is gone.
    pub exe: Option<Text>,
    /// Namespace names and inode numbers, such as `("net", 4026531840)`.
    pub namespaces: Vec<(Text, u64)>,
}

/// Inode numbers that every kernel gives to its initial namespaces. Those of `net` and `mnt` are fixed on new kernels only.
pub const INITIAL_NAMESPACES: [(&str, u64); 5] =
    [("ipc", 0xEFFF_FFFF), ("uts", 0xEFFF_FFFE), ("user", 0xEFFF_FFFD), ("pid", 0xEFFF_FFFC), ("cgroup", 0xEFFF_FFFB)];

impl ProcessLinks {
    /// Whether it runs in the machine's own namespaces, as far as those have fixed numbers. Not where they could not be read.
    #[must_use]
    pub fn outermost(&self) -> bool {
        INITIAL_NAMESPACES.iter().all(|(name, inode)| self.namespaces.iter().any(|(other, own)| other.raw() == *name && own == inode))
    }

    /// The path of the executable, and whether the file has been removed or replaced since it was started.
    #[must_use]
    pub fn program(&self) -> Option<(&str, bool)> {
        let exe = self.exe.as_ref()?.raw();
        Some(exe.strip_suffix(" (deleted)").map_or((exe, false), |path| (path, true)))
    }
}

/// An answer that a host brings along, where it does.
fn brought(answer: Option<&Arc<[u8]>>, origin: Origin) -> Fact<Arc<[u8]>> {
    match answer {
        Some(answer) => Fact::Known(answer.clone(), origin),
        None => Fact::Unknown(Gap::new(origin, Reason::NotCollected)),
    }
}

/// Where the content of a path comes from: the kernel makes up what is below `/proc` and `/sys`.
fn origin(path: &Path) -> Origin {
    if of_kernel(path) { Origin::kernel(path) } else { Origin::file(path) }
}

/// Whether a path is one that only a running kernel fills.
fn of_kernel(path: &Path) -> bool {
    path.starts_with("/proc") || path.starts_with("/sys")
}
