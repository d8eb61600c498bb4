//! A directory tree that may be hostile, looked at without leaving it, waiting in it or changing it.
//!
//! Nothing is opened before it is known what it is: a path is first opened with `O_PATH`, which wakes
//! no FIFO, device, socket or automount, then judged by its metadata, and only a regular file or a
//! directory is opened for reading, through the descriptor that was judged. Links are followed here,
//! one by one, and never by the kernel: no link leads out of the tree, none is followed into a file
//! system that could keep us waiting, and a name swapped for a link in between is an error.

#![expect(clippy::disallowed_methods, reason = "this is where the audited host is read")]

mod look;
mod trouble;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode as OpenMode, OFlags, ResolveFlags, Statx, StatxFlags};
use rustix::io::Errno;

use super::{FileKind, Stat};
use crate::fact::{Mode, Reason};
use crate::parse::mountinfo;
pub(super) use trouble::{Trouble, fact};

/// The most links that are followed in one path, as many as the kernel does.
const MOST_LINKS: usize = 40;
/// The most steps one path may take, links included.
const MOST_STEPS: usize = 4096;
/// The deepest directory that is looked into: the sandbox's checks cost more with every level.
const DEEPEST: usize = 256;

/// A directory tree, by the descriptor of its root.
pub(super) struct Tree {
    root: OwnedFd,
    /// Mount points of file systems that may keep us waiting, with their types.
    remote: BTreeMap<PathBuf, String>,
    /// Whether `/proc` and `/sys` in it are the running kernel's.
    running: bool,
}

/// Something in the tree, opened with `O_PATH`.
struct Found {
    fd: OwnedFd,
    path: PathBuf,
    meta: Statx,
}

impl Found {
    fn kind(&self) -> FileKind {
        kind(FileType::from_raw_mode(self.meta.stx_mode.into()))
    }
}

/// One step of a walk.
enum Step {
    Root,
    Up,
    Name(OsString),
}

impl Tree {
    /// The tree below a directory given by its path without links. With `running`, `/proc` and `/sys` in it are taken
    /// for the kernel's own.
    pub(super) fn open(root: &Path, running: bool) -> rustix::io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let tree = Self { root: rustix::fs::openat(rustix::fs::CWD, root, flags, OpenMode::empty())?, remote: BTreeMap::new(), running };
        let below = |mount: mountinfo::Mount| {
            let point = mount.point.strip_prefix(root).ok()?;
            mount.is_remote().then(|| (Path::new("/").join(point), mount.fs_type))
        };
        Ok(tree.without(mounted().into_iter().filter_map(below)))
    }

    /// Never looks into these mount points, given with the types of their file systems. The root is not left out.
    pub(super) fn without(mut self, remote: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
        self.remote = remote.into_iter().filter(|(point, _)| point.as_path() != Path::new("/")).collect();
        self
    }

    /// Opens what a path leads to with `O_PATH`, following a link in its last component where `follow` says so.
    fn find(&self, path: &Path, follow: bool) -> Result<Found, Trouble> {
        self.find_after(0, path, follow)
    }

    /// The same, after some links have been followed.
    fn find_after(&self, links: usize, path: &Path, follow: bool) -> Result<Found, Trouble> {
        let steps = steps(path);
        if !matches!(steps.last(), Some(Step::Root)) {
            return Err(Reason::malformed("not an absolute path").into());
        }
        if steps.len() > DEEPEST {
            return Err(too_deep());
        }
        // Most paths hold no links; then one call finds them. NO_SYMLINKS refuses the others.
        if !steps.iter().any(|step| matches!(step, Step::Up)) {
            self.may_enter(path.parent().unwrap_or(path))?;
            match self.at_once(path) {
                // The commonest link is the last component.
                Ok(found) if follow && found.kind() == FileKind::Link => {
                    if links >= MOST_LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    let target = self.target(&found)?;
                    let from = found.path.parent().unwrap_or(Path::new("/"));
                    return self.find_after(links + 1, &from.join(target), true);
                }
                Ok(found) => return Ok(found),
                // Links on the way, a kernel before 5.6, or a sandbox that does not let openat2 through.
                Err(Errno::LOOP | Errno::NOSYS) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.walk(links, steps, follow)
    }

    /// Opens a path on the way to which there is no link.
    fn at_once(&self, path: &Path) -> rustix::io::Result<Found> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let fd = rustix::fs::openat2(&self.root, path, flags, OpenMode::empty(), resolve)?;
        Ok(Found { meta: statx(&fd)?, fd, path: path.components().collect() })
    }

    /// Opens a path one component after the other, reading links ourselves.
    fn walk(&self, mut links: usize, mut left: Vec<Step>, follow: bool) -> Result<Found, Trouble> {
        let mut at = self.top()?;
        let mut taken = 0;
        while let Some(step) = left.pop() {
            taken += 1;
            if taken > MOST_STEPS || left.len() > MOST_STEPS {
                return Err(Reason::malformed("the path takes too many steps").into());
            }
            let name = match step {
                Step::Root => {
                    at = self.top()?;
                    continue;
                }
                Step::Up => {
                    // `..` of a descriptor could leave the tree if it was moved meanwhile: start again from the top.
                    at.path.pop();
                    left.extend(steps(&at.path));
                    continue;
                }
                Step::Name(name) => name,
            };
            self.may_enter(&at.path)?;
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let fd = rustix::fs::openat(&at.fd, name.as_os_str(), flags, OpenMode::empty())?;
            let next = Found { meta: statx(&fd)?, fd, path: at.path.join(&name) };
            if next.kind() == FileKind::Link && (follow || !left.is_empty()) {
                links += 1;
                if links > MOST_LINKS {
                    return Err(Errno::LOOP.into());
                }
                left.extend(steps(&self.target(&next)?));
            } else if next.path.components().count() > DEEPEST {
                return Err(too_deep());
            } else {
                at = next;
            }
        }
        Ok(at)
    }

    fn top(&self) -> Result<Found, Trouble> {
        let fd = self.root.try_clone().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::MFILE))?;
        Ok(Found { meta: statx(&fd)?, fd, path: PathBuf::from("/") })
    }

    /// Where a link leads that is to be followed. Links the kernel makes up for a process (its root, its
    /// descriptors) lead into that process's view of the system and are never followed.
    fn target(&self, link: &Found) -> Result<PathBuf, Trouble> {
        let mut names = link.path.components().skip(1).map(Component::as_os_str);
        let of_process = names.next() == Some(OsStr::new("proc"))
            && names.next().is_some_and(|name| name.as_encoded_bytes().iter().all(u8::is_ascii_digit))
            && names.next().is_some();
        if self.running && of_process {
            return Err(Reason::unsupported("leads through a link of a process").into());
        }
        read_link(link)
    }

    /// Refuses a directory on a file system that may keep us waiting.
    fn may_enter(&self, directory: &Path) -> Result<(), Trouble> {
        match directory.ancestors().find_map(|above| self.remote.get(above)) {
            Some(fs_type) => Err(Reason::unsupported(format!("is on a file system that may not answer: {fs_type}")).into()),
            None => Ok(()),
        }
    }
}

/// What is mounted for this process. Not for PID 1: our own mounts are the ones our looks go through.
/// Nothing where there is no `/proc` to tell.
pub(super) fn mounted() -> Vec<mountinfo::Mount> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let table = rustix::fs::openat(rustix::fs::CWD, "/proc/self/mountinfo", flags, OpenMode::empty()).map_err(Trouble::from);
    let table = table.and_then(|fd| look::read_all(&fd, 0)).unwrap_or_default();
    mountinfo::topmost(mountinfo::parse(&table).0)
}

fn too_deep() -> Trouble {
    Reason::malformed("the path is too deep").into()
}

/// The steps of a path, the first one last.
fn steps(path: &Path) -> Vec<Step> {
    let step = |part: Component<'_>| match part {
        Component::RootDir => Some(Step::Root),
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Name(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(step).collect()
}

fn read_link(link: &Found) -> Result<PathBuf, Trouble> {
    let target = rustix::fs::readlinkat(&link.fd, "", Vec::new())?;
    Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
}

/// The metadata of a descriptor, as far as the kernel knows it without asking a server or mounting anything.
fn statx(fd: &OwnedFd) -> rustix::io::Result<Statx> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
    rustix::fs::statx(fd.as_fd(), "", flags, StatxFlags::BASIC_STATS)
}

pub(super) fn kind(file_type: FileType) -> FileKind {
    match file_type {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Link,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        FileType::CharacterDevice | FileType::BlockDevice => FileKind::Device,
        _ => FileKind::Other,
    }
}

fn stat(found: &Found) -> Stat {
    let meta = &found.meta;
    Stat {
        kind: found.kind(),
        mode: Mode::from_bits(meta.stx_mode.into()),
        uid: meta.stx_uid,
        gid: meta.stx_gid,
        size: meta.stx_size,
        inode: meta.stx_ino,
        device: rustix::fs::makedev(meta.stx_dev_major, meta.stx_dev_minor),
        modified: meta.stx_mtime.tv_sec,
    }
}
