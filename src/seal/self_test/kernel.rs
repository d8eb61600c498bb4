//! Changing what the kernel does for everybody.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use nix::sys::fanotify::{EventFFlags, Fanotify, InitFlags};
use rustix::mount::{FsOpenFlags, FsPickFlags, MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};
use rustix::thread::{LinkNameSpaceType, UnshareFlags};
use rustix::time::{ClockId, Timespec};

use super::{Act, done, forbidden};

/// What is tried.
pub(super) const ACTS: &[Act] = &[
    // Mounts. Permitted, these fail for want of such a file system or mount, or make one that nobody can see.
    forbidden("mount a file system", |on| done(rustix::mount::mount("none", on.at("directory"), "no-such", MountFlags::empty(), None))),
    forbidden("unmount a file system", |on| done(rustix::mount::unmount(on.at("directory"), UnmountFlags::NOFOLLOW))),
    forbidden("prepare a file system", |_| done(rustix::mount::fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC))),
    forbidden("reconfigure a file system", |on| done(rustix::mount::fspick(rustix::fs::CWD, on.scratch, FsPickFlags::FSPICK_CLOEXEC))),
    forbidden("clone a mount", |on| {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        done(rustix::mount::open_tree(rustix::fs::CWD, on.scratch, flags))
    }),
    forbidden("move a mount", |on| {
        let (from, to) = (on.at("directory"), on.at("nowhere"));
        done(rustix::mount::move_mount(rustix::fs::CWD, from, rustix::fs::CWD, to, MoveMountFlags::empty()))
    }),
    forbidden("change the root", |_| done(rustix::process::chroot("/"))),
    forbidden("exchange the root", |_| done(rustix::process::pivot_root("/", "/"))),
    // Namespaces.
    forbidden("leave the mount namespace", |_| unshare(UnshareFlags::NEWNS)),
    forbidden("leave the user namespace", |_| unshare(UnshareFlags::NEWUSER)),
    forbidden("join a namespace", |_| {
        let own = File::open("/proc/self/ns/uts")?;
        done(rustix::thread::move_into_link_name_space(std::os::fd::AsFd::as_fd(&own), Some(LinkNameSpaceType::HostNameAndNISDomainName)))
    }),
    // Names and time.
    forbidden("set the host name", |_| done(rustix::system::sethostname(rustix::system::uname().nodename().to_bytes()))),
    forbidden("set the domain name", |_| done(rustix::system::setdomainname(rustix::system::uname().domainname().to_bytes()))),
    // Always an error, but another one.
    forbidden("set a clock", |_| done(rustix::time::clock_settime(ClockId::Monotonic, Timespec { tv_sec: 0, tv_nsec: 0 }))),
    // Modules: none of these is one.
    forbidden("load a module", |_| done(rustix::system::init_module(&[], c""))),
    forbidden("load a module from a file", |on| {
        let file = File::open(on.at("file"))?;
        done(rustix::system::finit_module(&file, c"", 0))
    }),
    forbidden("unload a module", |_| done(rustix::system::delete_module(c"plimsoll_self_test", 0))),
    // Settings. Opened only, never written.
    forbidden("open a kernel parameter for writing", |_| writing("/proc/sys/kernel/hostname")),
    forbidden("open a kernel parameter for writing by openat2", |_| {
        let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::CLOEXEC;
        let path = Path::new("/proc/sys/kernel/hostname");
        done(rustix::fs::openat2(rustix::fs::CWD, path, flags, rustix::fs::Mode::empty(), rustix::fs::ResolveFlags::empty()))
    }),
    forbidden("open the kernel log for writing", |_| writing("/dev/kmsg")),
    forbidden("open the system request trigger for writing", |_| writing("/proc/sysrq-trigger")),
    // Watching.
    forbidden("watch a directory", |_| done(rustix::fs::inotify::init(rustix::fs::inotify::CreateFlags::CLOEXEC))),
    forbidden("watch a file system", |_| done(Fanotify::init(InitFlags::FAN_CLOEXEC, EventFFlags::O_RDONLY))),
];

#[expect(deprecated, reason = "its replacement is unsafe for a flag that is not used here")]
fn unshare(what: UnshareFlags) -> io::Result<()> {
    done(rustix::thread::unshare(what))
}

fn writing(path: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path).map(drop)
}
