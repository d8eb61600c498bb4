//! Changing files: contents, names, metadata.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{self as unix, PermissionsExt as _};
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::{
    AtFlags, CWD, FallocateFlags, FileType, FlockOperation, IFlags, MemfdFlags, Mode, OFlags, RenameFlags, ResolveFlags, Timespec,
    Timestamps, XattrFlags,
};

use super::{Act, done, forbidden};

/// What is tried.
pub(super) const ACTS: &[Act] = &[
    // Contents.
    forbidden("overwrite a file", |on| fs::write(on.at("file"), "changed")),
    forbidden("append to a file", |on| opened(OpenOptions::new().append(true), &on.at("file"))),
    forbidden("open a file for reading and writing", |on| opened(OpenOptions::new().read(true).write(true), &on.at("file"))),
    forbidden("create a file", |on| opened(OpenOptions::new().write(true).create_new(true), &on.at("created"))),
    forbidden("empty a file while opening it for reading", |on| openat(&on.at("file"), OFlags::RDONLY | OFlags::TRUNC)),
    forbidden("create a file by openat2", |on| openat2(&on.at("created"), OFlags::WRONLY | OFlags::CREATE)),
    forbidden("write to a file by openat2", |on| openat2(&on.at("file"), OFlags::WRONLY)),
    forbidden("empty a file by openat2", |on| openat2(&on.at("file"), OFlags::RDONLY | OFlags::TRUNC)),
    forbidden("reopen a file for writing through its descriptor", |on| {
        let reading = File::open(on.at("file"))?;
        openat2(Path::new(&format!("/proc/self/fd/{}", reading.as_raw_fd())), OFlags::WRONLY)
    }),
    forbidden("truncate a file by name", |on| done(nix::unistd::truncate(&on.at("file"), 0))),
    forbidden("truncate a file by descriptor", |on| done(rustix::fs::ftruncate(File::open(on.at("file"))?, 0))),
    forbidden("reserve space in a file", |on| done(rustix::fs::fallocate(File::open(on.at("file"))?, FallocateFlags::empty(), 0, 1))),
    forbidden("make an unnamed file in /", |_| unnamed("/")),
    forbidden("make an unnamed file in /etc", |_| unnamed("/etc")),
    forbidden("make an unnamed file in /usr", |_| unnamed("/usr")),
    forbidden("make an unnamed file in /var", |_| unnamed("/var")),
    forbidden("make an unnamed file in /run", |_| unnamed("/run")),
    forbidden("make an unnamed file in /tmp", |_| unnamed("/tmp")),
    forbidden("make an unnamed file in /dev", |_| unnamed("/dev")),
    forbidden("make an unnamed file by openat2", |on| openat2(on.scratch, OFlags::WRONLY | OFlags::TMPFILE)),
    forbidden("make a file in memory", |_| done(rustix::fs::memfd_create("self-test", MemfdFlags::CLOEXEC))),
    forbidden("open /etc/passwd for appending", |_| opened(OpenOptions::new().append(true), Path::new("/etc/passwd"))),
    forbidden("open /etc/passwd for appending by openat2", |_| openat2(Path::new("/etc/passwd"), OFlags::WRONLY | OFlags::APPEND)),
    forbidden("open /dev/null for writing", |_| opened(OpenOptions::new().write(true), Path::new("/dev/null"))),
    forbidden("open /dev/null for writing by openat2", |_| openat2(Path::new("/dev/null"), OFlags::WRONLY)),
    // Names.
    forbidden("remove a file", |on| fs::remove_file(on.at("file"))),
    forbidden("remove a directory", |on| fs::remove_dir(on.at("directory"))),
    forbidden("rename a file", |on| fs::rename(on.at("file"), on.at("renamed"))),
    forbidden("exchange two names", |on| {
        done(rustix::fs::renameat_with(CWD, on.at("file"), CWD, on.at("directory"), RenameFlags::EXCHANGE))
    }),
    forbidden("make a directory", |on| fs::create_dir(on.at("made"))),
    forbidden("make a named pipe", |on| done(rustix::fs::mknodat(CWD, on.at("pipe"), FileType::Fifo, Mode::RUSR, 0))),
    forbidden("make a device", |on| {
        done(rustix::fs::mknodat(CWD, on.at("null"), FileType::CharacterDevice, Mode::RUSR, rustix::fs::makedev(1, 3)))
    }),
    forbidden("make a hard link", |on| fs::hard_link(on.at("file"), on.at("linked"))),
    forbidden("make a symbolic link", |on| unix::symlink("file", on.at("pointer"))),
    // Metadata.
    forbidden("change a mode", |on| fs::set_permissions(on.at("file"), fs::Permissions::from_mode(0o640))),
    forbidden("change a mode by descriptor", |on| done(rustix::fs::fchmod(File::open(on.at("file"))?, Mode::RUSR))),
    forbidden("change an owner", |on| unix::chown(on.at("file"), Some(rustix::process::geteuid().as_raw()), None)),
    forbidden("change an owner by descriptor", |on| {
        unix::fchown(File::open(on.at("file"))?, None, Some(rustix::process::getegid().as_raw()))
    }),
    forbidden("change the owner of a link", |on| unix::lchown(on.at("file"), Some(rustix::process::geteuid().as_raw()), None)),
    forbidden("change times", |on| {
        let now = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
        done(rustix::fs::utimensat(CWD, on.at("file"), &Timestamps { last_access: now, last_modification: now }, AtFlags::empty()))
    }),
    forbidden("change times by descriptor", |on| File::open(on.at("file"))?.set_modified(SystemTime::UNIX_EPOCH)),
    forbidden("set an extended attribute", |on| done(rustix::fs::setxattr(on.at("file"), "user.test", b"1", XattrFlags::empty()))),
    forbidden("set an extended attribute by descriptor", |on| {
        done(rustix::fs::fsetxattr(File::open(on.at("file"))?, "user.test", b"1", XattrFlags::empty()))
    }),
    forbidden("remove an extended attribute", |on| done(rustix::fs::removexattr(on.at("file"), "user.test"))),
    forbidden("set the flags of a file", |on| done(rustix::fs::ioctl_setflags(File::open(on.at("file"))?, IFlags::NOATIME))),
    forbidden("lock a file", |on| done(rustix::fs::flock(File::open(on.at("file"))?, FlockOperation::NonBlockingLockShared))),
    forbidden("write a file system to disk", |on| done(rustix::fs::syncfs(File::open(on.scratch)?))),
];

fn opened(how: &OpenOptions, path: &Path) -> io::Result<()> {
    how.open(path).map(drop)
}

fn openat(path: &Path, flags: OFlags) -> io::Result<()> {
    done(rustix::fs::openat(CWD, path, flags | OFlags::CLOEXEC, Mode::RUSR))
}

fn openat2(path: &Path, flags: OFlags) -> io::Result<()> {
    let mode = if flags.intersects(OFlags::CREATE | OFlags::TMPFILE) { Mode::RUSR } else { Mode::empty() };
    done(rustix::fs::openat2(CWD, path, flags | OFlags::CLOEXEC, mode, ResolveFlags::empty()))
}

/// A file without a name: gone with its descriptor.
fn unnamed(directory: &str) -> io::Result<()> {
    openat(Path::new(directory), OFlags::WRONLY | OFlags::TMPFILE)
}
