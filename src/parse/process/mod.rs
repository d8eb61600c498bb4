//! What `/proc/PID` says about a process: `status`, `stat`, `cgroup`, `cmdline`, `uid_map`.
//!
//! Names are chosen by the process itself and may hold any byte, colons and parentheses included, which is why these
//! files are read here and not by a general crate.

mod cgroup;
mod id_map;

use crate::fact::Reason;

pub use cgroup::{Cgroup, Cgroups};
pub use id_map::IdMap;

/// Clock ticks per second in `/proc/PID/stat`: 100 on every architecture of Linux that runs containers.
pub const TICKS_PER_SECOND: u64 = 100;

/// Capability names without `CAP_`, by bit.
pub const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// The names of the capabilities in a mask, in bit order. Bits that no kernel has named yet are left out.
#[must_use]
pub fn capability_names(mask: u64) -> Vec<&'static str> {
    CAPABILITIES.iter().enumerate().filter(|(bit, _)| mask & (1 << bit) != 0).map(|(_, name)| *name).collect()
}

/// The four user or group ids of a process, in the numbering of whoever mounted `/proc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    /// Who started it.
    pub real: u32,
    /// Whose rights it has.
    pub effective: u32,
    /// What it can return to.
    pub saved: u32,
    /// Whose rights it has on files.
    pub filesystem: u32,
}

/// How system calls of a process are filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seccomp {
    /// Not at all.
    Disabled,
    /// Only read, write, exit and sigreturn.
    Strict,
    /// By a program.
    Filter,
}

impl Seccomp {
    /// The word used in records: `disabled`, `strict` or `filter`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Strict => "strict",
            Self::Filter => "filter",
        }
    }
}

/// `/proc/PID/status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Short name, up to 15 bytes, chosen by the process. The kernel's escapes (`\n`, `\\`) are left.
    pub name: String,
    /// Parent's process id; 0 for none.
    pub parent: i32,
    /// User ids.
    pub uid: Ids,
    /// Group ids.
    pub gid: Ids,
    /// Its process id in each process id namespace it is in, outermost first; empty before Linux 4.1.
    /// A process of the host has one, one in a container two or more.
    pub namespace_pids: Vec<i32>,
    /// Effective capabilities.
    pub effective: u64,
    /// Bounding capabilities.
    pub bounding: u64,
    /// How system calls are filtered; `None` where the kernel was built without.
    pub seccomp: Option<Seccomp>,
    /// Whether it can never gain privileges; `None` before Linux 4.10.
    pub no_new_privileges: Option<bool>,
}

/// Reads `/proc/PID/status`. Errors where a line every kernel writes is missing or odd.
pub fn status(bytes: &[u8]) -> Result<Status, Reason> {
    let text = String::from_utf8_lossy(bytes);
    let fields: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once(':')).map(|(key, value)| (key, value.trim())).collect();
    let field = |name: &str| fields.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let needed = |name: &str| field(name).ok_or_else(|| Reason::malformed(format!("no line {name}")));
    let odd = |name: &str| Reason::malformed(format!("line {name} is odd"));
    let ids = |name: &str| {
        let numbers: Option<Vec<u32>> = needed(name)?.split_whitespace().map(|id| id.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[real, effective, saved, filesystem]) => Ok(Ids { real, effective, saved, filesystem }),
            _ => Err(odd(name)),
        }
    };
    let mask = |name: &str| u64::from_str_radix(needed(name)?, 16).map_err(|_| odd(name));
    Ok(Status {
        name: needed("Name")?.to_owned(),
        parent: needed("PPid")?.parse().map_err(|_| odd("PPid"))?,
        uid: ids("Uid")?,
        gid: ids("Gid")?,
        namespace_pids: match field("NSpid") {
            Some(pids) => pids.split_whitespace().map(str::parse).collect::<Result<_, _>>().map_err(|_| odd("NSpid"))?,
            None => Vec::new(),
        },
        effective: mask("CapEff")?,
        bounding: mask("CapBnd")?,
        seccomp: match field("Seccomp") {
            Some("0") => Some(Seccomp::Disabled),
            Some("1") => Some(Seccomp::Strict),
            Some("2") => Some(Seccomp::Filter),
            Some(_) => return Err(odd("Seccomp")),
            None => None,
        },
        no_new_privileges: match field("NoNewPrivs") {
            Some("0") => Some(false),
            Some("1") => Some(true),
            Some(_) => return Err(odd("NoNewPrivs")),
            None => None,
        },
    })
}

/// `/proc/PID/stat`, as far as it is not in `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// State letter, such as `S`; `Z` for a process that has ended and waits for its parent.
    pub state: char,
    /// Whether it is a thread of the kernel.
    pub kernel_thread: bool,
    /// When it started, in ticks since the kernel did. See [`TICKS_PER_SECOND`].
    pub started_ticks: u64,
}

impl Stat {
    /// Seconds from the start of the kernel to the start of the process.
    #[must_use]
    pub fn started_seconds(&self) -> u64 {
        self.started_ticks / TICKS_PER_SECOND
    }
}

/// Reads `/proc/PID/stat`. The name in it may hold blanks and parentheses, so fields are counted from the last one.
pub fn stat(bytes: &[u8]) -> Result<Stat, Reason> {
    const KERNEL_THREAD: u64 = 0x0020_0000;
    let text = String::from_utf8_lossy(bytes);
    let fields: Vec<&str> = text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    let read = || {
        Some(Stat { state: fields.first()?.chars().next()?, kernel_thread: number(6)? & KERNEL_THREAD != 0, started_ticks: number(19)? })
    };
    read().ok_or_else(|| Reason::malformed("fields are missing"))
}

/// The arguments in `/proc/PID/cmdline`, each ended by a NUL. Empty for kernel threads and processes that have ended.
/// A process may have written anything over them: identify processes by executable and unit, not by this.
#[must_use]
pub fn command_line(bytes: &[u8]) -> Vec<String> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    bytes.split(|b| *b == 0).map(|argument| String::from_utf8_lossy(argument).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_survives_hostile_names() {
        let text = "Name:\tUid:\t0 (x)\nPPid:\t1\nUid:\t1000\t0\t0\t0\nGid:\t5\t6\t7\t8\nNSpid:\t44\t1\nCapEff:\t0000000000200001\n\
            CapBnd:\t000001ffffffffff\nNoNewPrivs:\t1\nSeccomp:\t2\n";
        let read = status(text.as_bytes()).unwrap();
        assert_eq!(read.name, "Uid:\t0 (x)");
        assert_eq!((read.parent, read.uid.real, read.uid.effective, read.gid.saved), (1, 1000, 0, 7));
        assert_eq!(read.namespace_pids, [44, 1]);
        assert_eq!(capability_names(read.effective), ["CHOWN", "SYS_ADMIN"]);
        assert_eq!(capability_names(read.bounding).len(), 41);
        assert_eq!((read.seccomp, read.no_new_privileges), (Some(Seccomp::Filter), Some(true)));
        assert!(status(b"Name:\tx\xff\nPPid:\t1\n").is_err());
        assert!(status(b"").is_err());
    }

    #[test]
    fn stat_counts_from_the_last_parenthesis() {
        let text = "7 (a) S 1 (b) Z 1 7 7 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0";
        assert_eq!(stat(text.as_bytes()), Ok(Stat { state: 'Z', kernel_thread: true, started_ticks: 12345 }));
        assert_eq!(stat(text.as_bytes()).unwrap().started_seconds(), 123);
        assert!(stat(b"7 (a S 1").is_err());
    }

    #[test]
    fn arguments_may_be_empty() {
        assert_eq!(command_line(b"dockerd\0--label\0\0-H\0fd://\0"), ["dockerd", "--label", "", "-H", "fd://"]);
        assert!(command_line(b"").is_empty());
    }
}
