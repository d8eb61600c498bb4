//! The kinds of event that the benchmarks want in the audit trail, and what records them.

use crate::parse::audit_rules::Arch;

/// One kind of event.
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) needs: &'static [Need],
}

/// Something that must be recorded.
pub(super) enum Need {
    /// Changes to these paths. One that is not there counts all the same: whoever makes it changes the host.
    Changes(&'static [&'static str]),
    /// Changes to those of these paths that are there.
    ChangesIfThere(&'static [&'static str]),
    /// Changes to where a link leads, not to what it leads to.
    ChangesOfLink(&'static str),
    /// Changes to the policy of AppArmor, and to that of SELinux where it is used: a library brings its directory everywhere.
    Policy,
    /// Changes to the file sudo writes its log to.
    SudoLog,
    /// Changes to the directory in which pam_faillock counts.
    Faillock,
    /// System calls, of which something may be assumed.
    Calls(&'static [&'static str], &'static [Arch], Assumed),
    /// Starts of a program by people who logged in; not needed where the program is not there.
    Runs(&'static str),
}

/// What is assumed of calls that must be recorded.
#[derive(Clone, Copy)]
pub(super) enum Assumed {
    /// Nothing.
    Nothing,
    /// Somebody logged in with an account of a person.
    People,
    /// The same, and the call was refused with this error.
    Refused(&'static str),
    /// Somebody logged in and acts as another user.
    AsAnother,
    /// The first argument is zero.
    FirstIsZero,
}

const BOTH: &[Arch] = &[Arch::B64, Arch::B32];
const WIDE: &[Arch] = &[Arch::B64];
const OPENS: &[&str] = &["creat", "open", "openat", "truncate", "ftruncate"];

pub(super) const EVENTS: &[Event] = &[
    Event { name: "sudo-rules", needs: &[Need::Changes(&["/etc/sudoers", "/etc/sudoers.d"])] },
    Event { name: "acting-as-another", needs: &[Need::Calls(&["execve"], BOTH, Assumed::AsAnother)] },
    Event { name: "sudo-log", needs: &[Need::SudoLog] },
    Event {
        name: "time",
        needs: &[
            Need::Calls(&["adjtimex", "settimeofday"], BOTH, Assumed::Nothing),
            Need::Calls(&["clock_settime"], BOTH, Assumed::FirstIsZero),
            Need::ChangesOfLink("/etc/localtime"),
        ],
    },
    Event {
        name: "network-names",
        needs: &[
            Need::Calls(&["sethostname", "setdomainname"], BOTH, Assumed::Nothing),
            Need::Changes(&["/etc/issue", "/etc/issue.net", "/etc/hosts"]),
            Need::ChangesIfThere(&[
                "/etc/networks",
                "/etc/network",
                "/etc/netplan",
                "/etc/sysconfig/network",
                "/etc/sysconfig/network-scripts",
                "/etc/NetworkManager",
            ]),
        ],
    },
    Event {
        name: "refused-access",
        needs: &[Need::Calls(OPENS, BOTH, Assumed::Refused("-EACCES")), Need::Calls(OPENS, BOTH, Assumed::Refused("-EPERM"))],
    },
    Event {
        name: "accounts",
        needs: &[
            Need::Changes(&["/etc/group", "/etc/passwd", "/etc/gshadow", "/etc/shadow", "/etc/security/opasswd", "/etc/nsswitch.conf"]),
            Need::ChangesIfThere(&["/etc/pam.conf", "/etc/pam.d"]),
        ],
    },
    Event {
        name: "permissions",
        needs: &[
            Need::Calls(&["chmod", "fchmod", "fchmodat"], BOTH, Assumed::People),
            Need::Calls(&["chown", "fchown", "lchown", "fchownat"], BOTH, Assumed::People),
            Need::Calls(
                &["setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"],
                BOTH,
                Assumed::People,
            ),
        ],
    },
    Event { name: "mounts", needs: &[Need::Calls(&["mount"], BOTH, Assumed::People)] },
    Event { name: "sessions", needs: &[Need::ChangesIfThere(&["/run/utmp", "/var/log/wtmp", "/var/log/btmp"])] },
    Event { name: "logins", needs: &[Need::ChangesIfThere(&["/var/log/lastlog"]), Need::Faillock] },
    Event { name: "deletions", needs: &[Need::Calls(&["unlink", "unlinkat", "rename", "renameat"], BOTH, Assumed::People)] },
    Event {
        name: "mandatory-access-control",
        needs: &[Need::Policy],
    },
    Event { name: "chcon", needs: &[Need::Runs("/usr/bin/chcon")] },
    Event { name: "setfacl", needs: &[Need::Runs("/usr/bin/setfacl")] },
    Event { name: "chacl", needs: &[Need::Runs("/usr/bin/chacl")] },
    Event { name: "usermod", needs: &[Need::Runs("/usr/sbin/usermod")] },
    Event {
        name: "kernel-modules",
        needs: &[Need::Calls(&["init_module", "finit_module", "delete_module"], WIDE, Assumed::People), Need::Runs("/usr/bin/kmod")],
    },
];
