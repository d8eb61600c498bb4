//! Running other programs, and reaching other processes.

use std::ffi::CStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;

use nix::fcntl::AtFlags;
use nix::sys::ptrace;
use rustix::process::{DumpableBehavior, PidfdFlags, PidfdGetfdFlags, Resource, Signal};

use super::{Act, forbidden};

const NO_ENVIRONMENT: &[&CStr] = &[];

/// What is tried.
pub(super) const ACTS: &[Act] = &[
    // Running.
    forbidden("start a program", |_| command().status().map(drop)),
    forbidden("become another program", |_| Err(command().exec())),
    forbidden("become another program by descriptor", |_| {
        Ok(nix::unistd::fexecve(File::open("/bin/true")?, &[c"true"], NO_ENVIRONMENT).map(drop)?)
    }),
    forbidden("become another program beneath a directory", |_| {
        Ok(nix::unistd::execveat(File::open("/bin")?, c"true", &[c"true"], NO_ENVIRONMENT, AtFlags::empty()).map(drop)?)
    }),
    // Reaching.
    forbidden("signal process 1", |_| Ok(rustix::process::test_kill_process(rustix::process::Pid::INIT)?)),
    forbidden("signal the supervisor", |_| Ok(rustix::process::kill_process(parent()?, Signal::CONT)?)),
    forbidden("signal the own process group", |_| Ok(rustix::process::test_kill_current_process_group()?)),
    forbidden("get hold of the supervisor", |_| Ok(drop(rustix::process::pidfd_open(parent()?, PidfdFlags::empty())?))),
    forbidden("take a descriptor of another process", |_| {
        Ok(drop(rustix::process::pidfd_getfd(io::stdin().as_fd(), 0, PidfdGetfdFlags::empty())?))
    }),
    forbidden("signal through a descriptor", |_| Ok(rustix::process::pidfd_send_signal(io::stdin().as_fd(), Signal::CONT)?)),
    forbidden("be traced", |_| Ok(ptrace::traceme()?)),
    forbidden("trace the supervisor", |_| {
        let parent = nix::unistd::Pid::from_raw(parent()?.as_raw_pid());
        Ok(ptrace::seize(parent, ptrace::Options::empty())?)
    }),
    forbidden("read another process's memory", |_| {
        let parent = nix::unistd::Pid::from_raw(parent()?.as_raw_pid());
        Ok(nix::sys::uio::process_vm_readv(parent, &mut [], &[]).map(drop)?)
    }),
    forbidden("open own memory for writing", |_| writing("/proc/self/mem")),
    forbidden("open own settings for writing", |_| writing("/proc/self/oom_score_adj")),
    forbidden("open the supervisor's settings for writing", |_| writing(&format!("/proc/{}/oom_score_adj", parent()?.as_raw_pid()))),
    // Its own standing.
    forbidden("change its priority", |_| Ok(rustix::process::setpriority_process(None, 19)?)),
    forbidden("change its processors", |_| Ok(rustix::thread::sched_setaffinity(None, &rustix::thread::sched_getaffinity(None)?)?)),
    forbidden("change a resource limit", |_| Ok(rustix::process::setrlimit(Resource::Core, rustix::process::getrlimit(Resource::Core))?)),
    forbidden("become dumpable", |_| Ok(rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable)?)),
    forbidden("leave its session", |_| Ok(rustix::process::setsid().map(drop)?)),
    forbidden("change its user", |_| Ok(nix::unistd::setuid(nix::unistd::getuid())?)),
    forbidden("change its group", |_| Ok(nix::unistd::setgid(nix::unistd::getgid())?)),
    forbidden("change its user for a thread", |_| Ok(rustix::thread::set_thread_uid(rustix::process::getuid())?)),
    forbidden("change its supplementary groups", |_| Ok(rustix::thread::set_thread_groups(&[])?)),
    forbidden("change its capabilities", |_| Ok(rustix::thread::set_capabilities(None, rustix::thread::capabilities(None)?)?)),
    forbidden("change its personality", |_| Ok(nix::sys::personality::get().map(drop)?)),
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
