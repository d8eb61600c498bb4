//! Running other programs, and reaching other processes.

use std::ffi::CStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;

use nix::fcntl::AtFlags;
use nix::sys::ptrace;
use rustix::process::{DumpableBehavior, PidfdFlags, PidfdGetfdFlags, Resource, Signal};

use super::{Act, done, forbidden};

const NO_ENVIRONMENT: &[&CStr] = &[];

/// What is tried.
pub(super) const ACTS: &[Act] = &[
    // Running.
    forbidden("start a program", |_| command().status().map(drop)),
    forbidden("become another program", |_| Err(command().exec())),
    forbidden("become another program by descriptor", |_| done(nix::unistd::fexecve(File::open("/bin/true")?, &[c"true"], NO_ENVIRONMENT))),
    forbidden("become another program beneath a directory", |_| {
        done(nix::unistd::execveat(File::open("/bin")?, c"true", &[c"true"], NO_ENVIRONMENT, AtFlags::empty()))
    }),
    // Reaching.
    forbidden("signal process 1", |_| done(rustix::process::test_kill_process(rustix::process::Pid::INIT))),
    forbidden("signal the supervisor", |_| done(rustix::process::kill_process(parent()?, Signal::CONT))),
    forbidden("signal the own process group", |_| done(rustix::process::test_kill_current_process_group())),
    forbidden("get hold of the supervisor", |_| done(rustix::process::pidfd_open(parent()?, PidfdFlags::empty()))),
    forbidden("take a descriptor of another process", |_| {
        done(rustix::process::pidfd_getfd(io::stdin().as_fd(), 0, PidfdGetfdFlags::empty()))
    }),
    forbidden("signal through a descriptor", |_| done(rustix::process::pidfd_send_signal(io::stdin().as_fd(), Signal::CONT))),
    forbidden("be traced", |_| done(ptrace::traceme())),
    forbidden("trace the supervisor", |_| {
        let parent = nix::unistd::Pid::from_raw(parent()?.as_raw_pid());
        done(ptrace::seize(parent, ptrace::Options::empty()))
    }),
    forbidden("read another process's memory", |_| {
        let parent = nix::unistd::Pid::from_raw(parent()?.as_raw_pid());
        done(nix::sys::uio::process_vm_readv(parent, &mut [], &[]))
    }),
    forbidden("open own memory for writing", |_| writing("/proc/self/mem")),
    forbidden("open own settings for writing", |_| writing("/proc/self/oom_score_adj")),
    forbidden("open the supervisor's settings for writing", |_| writing(&format!("/proc/{}/oom_score_adj", parent()?.as_raw_pid()))),
    // Its own standing.
    forbidden("change its priority", |_| done(rustix::process::setpriority_process(None, 19))),
    forbidden("change its processors", |_| done(rustix::thread::sched_setaffinity(None, &rustix::thread::sched_getaffinity(None)?))),
    forbidden("change a resource limit", |_| done(rustix::process::setrlimit(Resource::Core, rustix::process::getrlimit(Resource::Core)))),
    forbidden("become dumpable", |_| done(rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable))),
    forbidden("leave its session", |_| done(rustix::process::setsid())),
    forbidden("change its user", |_| done(nix::unistd::setuid(nix::unistd::getuid()))),
    forbidden("change its group", |_| done(nix::unistd::setgid(nix::unistd::getgid()))),
    forbidden("change its user for a thread", |_| done(rustix::thread::set_thread_uid(rustix::process::getuid()))),
    forbidden("change its supplementary groups", |_| done(rustix::thread::set_thread_groups(&[]))),
    forbidden("change its capabilities", |_| done(rustix::thread::set_capabilities(None, rustix::thread::capabilities(None)?))),
    forbidden("change its personality", |_| done(nix::sys::personality::get())),
];

#[expect(clippy::disallowed_types, reason = "that this cannot run is what is tested")]
fn command() -> std::process::Command {
    std::process::Command::new("/bin/true")
}

fn parent() -> io::Result<rustix::process::Pid> {
    rustix::process::getppid().ok_or_else(|| io::Error::other("no parent"))
}

fn writing(path: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path).map(drop)
}
