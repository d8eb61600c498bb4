//! The system calls of the sealed worker: the one table.
//!
//! Two filters are stacked, and the kernel applies the stricter answer. The first kills the process for calls that
//! no library makes by surprise: reaching one means that somebody else is in control. The second allows what
//! reading, computing and threads need, and answers `ENOSYS` to everything else, so that a new C library falls
//! back to older calls instead of dying.

use std::collections::BTreeMap;

use libc as c;
use seccompiler::{BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};

/// Calls that change, execute, reach out or interfere. Making one ends the process.
#[rustfmt::skip]
const FATAL: &[i64] = &[
    // Other programs.
    c::SYS_execve, c::SYS_execveat,
    // Other processes.
    c::SYS_ptrace, c::SYS_process_vm_readv, c::SYS_process_vm_writev, c::SYS_process_madvise, c::SYS_kill, c::SYS_tkill,
    c::SYS_rt_sigqueueinfo, c::SYS_rt_tgsigqueueinfo, c::SYS_pidfd_open, c::SYS_pidfd_send_signal, c::SYS_pidfd_getfd,
    c::SYS_kcmp, c::SYS_setpriority, c::SYS_sched_setscheduler, c::SYS_sched_setparam, c::SYS_sched_setattr,
    // Names in file systems.
    c::SYS_unlinkat, c::SYS_renameat2, c::SYS_mkdirat, c::SYS_mknodat, c::SYS_linkat, c::SYS_symlinkat,
    // Contents and metadata of files.
    c::SYS_truncate, c::SYS_ftruncate, c::SYS_fallocate, c::SYS_fchmod, c::SYS_fchmodat, c::SYS_fchmodat2, c::SYS_fchown,
    c::SYS_fchownat, c::SYS_setxattr, c::SYS_lsetxattr, c::SYS_fsetxattr, c::SYS_removexattr, c::SYS_lremovexattr,
    c::SYS_fremovexattr, c::SYS_utimensat,
    // Mounts and roots.
    c::SYS_mount, c::SYS_umount2, c::SYS_pivot_root, c::SYS_chroot, c::SYS_open_tree, c::SYS_move_mount, c::SYS_fsopen,
    c::SYS_fsconfig, c::SYS_fsmount, c::SYS_fspick, c::SYS_mount_setattr, c::SYS_open_by_handle_at, c::SYS_quotactl,
    c::SYS_swapon, c::SYS_swapoff,
    // Namespaces and identity.
    c::SYS_unshare, c::SYS_setns, c::SYS_setuid, c::SYS_setgid, c::SYS_setreuid, c::SYS_setregid, c::SYS_setresuid,
    c::SYS_setresgid, c::SYS_setgroups, c::SYS_setfsuid, c::SYS_setfsgid, c::SYS_capset, c::SYS_sethostname,
    c::SYS_setdomainname, c::SYS_personality,
    // Sockets.
    c::SYS_socket, c::SYS_socketpair, c::SYS_connect, c::SYS_bind, c::SYS_listen, c::SYS_accept, c::SYS_accept4,
    // The kernel itself.
    c::SYS_bpf, c::SYS_perf_event_open, c::SYS_userfaultfd, c::SYS_io_uring_setup, c::SYS_io_uring_enter,
    c::SYS_io_uring_register, c::SYS_init_module, c::SYS_finit_module, c::SYS_delete_module, c::SYS_kexec_load,
    c::SYS_reboot, c::SYS_acct, c::SYS_syslog, c::SYS_settimeofday, c::SYS_clock_settime, c::SYS_clock_adjtime,
    c::SYS_adjtimex, c::SYS_add_key, c::SYS_request_key, c::SYS_keyctl, c::SYS_fanotify_init, c::SYS_fanotify_mark,
];

/// What x86-64 keeps from older days.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const FATAL_HERE: &[i64] = &[
    c::SYS_fork, c::SYS_vfork, c::SYS_unlink, c::SYS_rmdir, c::SYS_rename, c::SYS_renameat, c::SYS_mkdir, c::SYS_mknod, c::SYS_link,
    c::SYS_symlink, c::SYS_creat, c::SYS_chmod, c::SYS_chown, c::SYS_lchown, c::SYS_utime, c::SYS_utimes, c::SYS_futimesat,
    c::SYS_kexec_file_load, c::SYS_iopl, c::SYS_ioperm, c::SYS_modify_ldt, c::SYS_uselib,
];
/// Nothing more on newer architectures.
#[cfg(not(target_arch = "x86_64"))]
const FATAL_HERE: &[i64] = &[c::SYS_renameat];

/// Calls that are allowed whatever their arguments: what runs were seen to make, and what the standard library and the C
/// library make in their place on other kernels, under memory pressure, or when they give up.
#[rustfmt::skip]
const HARMLESS: &[i64] = &[
    // Looking at files.
    c::SYS_close, c::SYS_statx, c::SYS_newfstatat, c::SYS_fstat, c::SYS_getdents64, c::SYS_readlinkat, c::SYS_lseek, c::SYS_pread64,
    c::SYS_getcwd,
    // The descriptors it was given: the broker's socket and two pipes. Files cannot be opened for writing.
    c::SYS_read, c::SYS_write, c::SYS_writev,
    // Memory; executable memory is below.
    c::SYS_munmap, c::SYS_mremap, c::SYS_madvise, c::SYS_brk,
    // Threads and time; new threads are below.
    c::SYS_futex, c::SYS_rseq, c::SYS_set_robust_list, c::SYS_gettid, c::SYS_sched_yield, c::SYS_sched_getaffinity,
    c::SYS_clock_gettime, c::SYS_clock_nanosleep, c::SYS_restart_syscall,
    // Signals to itself, panics, the end.
    c::SYS_rt_sigaction, c::SYS_rt_sigprocmask, c::SYS_rt_sigreturn, c::SYS_sigaltstack, c::SYS_exit, c::SYS_exit_group,
    // Who it is.
    c::SYS_getpid, c::SYS_getppid, c::SYS_getuid, c::SYS_geteuid, c::SYS_getgid, c::SYS_getegid, c::SYS_capget, c::SYS_uname,
    c::SYS_getrandom,
];

/// What x86-64 keeps from older days, and its C library still uses.
#[cfg(target_arch = "x86_64")]
const HARMLESS_HERE: &[i64] = &[c::SYS_readlink];
/// Nothing more on newer architectures.
#[cfg(not(target_arch = "x86_64"))]
const HARMLESS_HERE: &[i64] = &[];

/// Flags of `open` that ask for more than reading.
const WRITING: c::c_int = c::O_ACCMODE | c::O_CREAT | c::O_TRUNC | c::O_APPEND | (c::O_TMPFILE & !c::O_DIRECTORY);

/// What every new thread has, and what makes a new thread something else.
const THREAD: c::c_int = c::CLONE_VM | c::CLONE_THREAD | c::CLONE_SIGHAND;
const NAMESPACES: c::c_int = c::CLONE_NEWNS
    | c::CLONE_NEWCGROUP
    | c::CLONE_NEWUTS
    | c::CLONE_NEWIPC
    | c::CLONE_NEWUSER
    | c::CLONE_NEWPID
    | c::CLONE_NEWNET
    | c::CLONE_PTRACE;

/// Calls that are allowed with some arguments: number, argument, what it must be. Several lines for one call are alternatives.
const CONDITIONAL: &[(i64, u8, Must)] = &[
    (c::SYS_openat, 2, Must::Bits { mask: WRITING, equal: c::O_RDONLY }),
    // `clone3` hides its flags behind a pointer; refused, the C library falls back to `clone`.
    (c::SYS_clone, 0, Must::Bits { mask: THREAD | NAMESPACES, equal: THREAD }),
    (c::SYS_mmap, 2, Must::Bits { mask: c::PROT_EXEC, equal: 0 }),
    (c::SYS_mprotect, 2, Must::Bits { mask: c::PROT_EXEC, equal: 0 }),
    // Limits may be read, not set.
    (c::SYS_prlimit64, 2, Must::Be(0)),
    (c::SYS_tgkill, 0, Must::BeOwnPid),
    (c::SYS_prctl, 0, Must::Be(c::PR_SET_NAME as u64)),
    (c::SYS_prctl, 0, Must::Be(c::PR_GET_NO_NEW_PRIVS as u64)),
    (c::SYS_fcntl, 1, Must::Be(c::F_GETFD as u64)),
    (c::SYS_fcntl, 1, Must::Be(c::F_GETFL as u64)),
    (c::SYS_fcntl, 1, Must::Be(c::F_DUPFD_CLOEXEC as u64)),
];

/// What an argument must be.
#[derive(Clone, Copy)]
enum Must {
    /// The bits of the mask are exactly these.
    Bits { mask: c::c_int, equal: c::c_int },
    /// This value.
    Be(u64),
    /// The process's own id: it may abort, and signal nobody else.
    BeOwnPid,
}

/// The two filters, in the order they are to be installed: the deadly one, then the one that allows.
///
/// # Errors
///
/// On an architecture the filters are not written for.
pub(super) fn programs(openat2: bool, own_pid: u32) -> Result<[BpfProgram; 2], BackendError> {
    let mut allowed: BTreeMap<i64, Vec<SeccompRule>> = always(&[HARMLESS, HARMLESS_HERE]);
    for (call, argument, must) in CONDITIONAL {
        allowed.entry(*call).or_default().push(SeccompRule::new(vec![must.condition(*argument, own_pid)?])?);
    }
    if openat2 {
        allowed.insert(c::SYS_openat2, Vec::new());
    }
    let architecture = std::env::consts::ARCH.try_into()?;
    let refuse = SeccompAction::Errno(c::ENOSYS.unsigned_abs());
    let deadly = SeccompFilter::new(always(&[FATAL, FATAL_HERE]), SeccompAction::Allow, SeccompAction::KillProcess, architecture)?;
    let allowing = SeccompFilter::new(allowed, refuse, SeccompAction::Allow, architecture)?;
    Ok([deadly.try_into()?, allowing.try_into()?])
}

/// Rules that match whatever the arguments.
fn always(lists: &[&[i64]]) -> BTreeMap<i64, Vec<SeccompRule>> {
    lists.iter().flat_map(|list| list.iter()).map(|call| (*call, Vec::new())).collect()
}

impl Must {
    fn condition(self, argument: u8, own_pid: u32) -> Result<SeccompCondition, BackendError> {
        // The kernel looks at the low half of these arguments only, except for the pointer of `prlimit64`.
        let (length, operator, value) = match self {
            Self::Bits { mask, equal } => {
                (SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(u64::from(mask.cast_unsigned())), u64::from(equal.cast_unsigned()))
            }
            Self::Be(0) => (SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0),
            Self::Be(value) => (SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value),
            Self::BeOwnPid => (SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, u64::from(own_pid)),
        };
        SeccompCondition::new(argument, length, operator, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_filters_compile_and_fit_the_kernel() {
        for openat2 in [false, true] {
            for program in programs(openat2, 42).unwrap() {
                assert!(program.len() < 4096, "{}", program.len());
            }
        }
    }

    #[test]
    fn no_call_is_both_fatal_and_allowed() {
        let allowed: Vec<i64> = [HARMLESS, HARMLESS_HERE].concat().into_iter().chain(CONDITIONAL.iter().map(|(call, ..)| *call)).collect();
        for call in [FATAL, FATAL_HERE].concat() {
            assert!(!allowed.contains(&call), "{call}");
        }
    }

    #[test]
    fn no_call_is_listed_twice() {
        for mut list in [[FATAL, FATAL_HERE].concat(), [HARMLESS, HARMLESS_HERE].concat()] {
            let before = list.len();
            list.sort_unstable();
            list.dedup();
            assert_eq!(list.len(), before);
        }
    }
}
