//! What `/proc/PID` says about a process: `status`, `stat`, `cgroup`, `cmdline`.
//!
//! Names are chosen by the process itself and may hold any byte, colons and parentheses included, which is why these
//! files are read here and not by a general crate.

use crate::fact::Reason;

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

/// One line of `/proc/PID/cgroup`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cgroup {
    /// Number of the hierarchy; 0 for version 2.
    pub hierarchy: u32,
    /// Controllers bound to it, or a name such as `name=systemd`; empty for version 2.
    pub controllers: Vec<String>,
    /// Path below the hierarchy's mount, as the reader's cgroup namespace shows it.
    pub path: String,
}

/// `/proc/PID/cgroup`: one line on a version 2 host, one per hierarchy on version 1, both on a hybrid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cgroups(pub Vec<Cgroup>);

impl Cgroups {
    /// Reads `/proc/PID/cgroup`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        let text = String::from_utf8_lossy(bytes);
        let line = |line: &str| {
            let mut parts = line.splitn(3, ':');
            let (hierarchy, controllers, path) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
            let controllers = controllers.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
            Some(Cgroup { hierarchy, controllers, path: path.to_owned() })
        };
        text.lines().map(line).collect::<Option<_>>().map(Self).ok_or_else(|| Reason::malformed("a line of cgroup is odd"))
    }

    /// The path in the version 2 hierarchy, where there is one.
    #[must_use]
    pub fn unified(&self) -> Option<&str> {
        self.0.iter().find(|cgroup| cgroup.hierarchy == 0).map(|cgroup| cgroup.path.as_str())
    }

    /// The path in the version 1 hierarchy of a controller, such as `memory` or `name=systemd`.
    #[must_use]
    pub fn controller(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|cgroup| cgroup.controllers.iter().any(|controller| controller == name)).map(|cgroup| cgroup.path.as_str())
    }

    /// The path in the hierarchy systemd keeps its units in: `name=systemd` where mounted, else version 2.
    #[must_use]
    pub fn systemd(&self) -> Option<&str> {
        self.controller("name=systemd").or_else(|| self.unified())
    }

    /// Where the host's own units begin, judged from the cgroups of process 1: `""` on a machine, `/payload` or the
    /// like where the host is itself booted inside another.
    #[must_use]
    pub fn root_of_units(&self) -> &str {
        self.systemd().and_then(|path| path.strip_suffix("/init.scope")).unwrap_or_default()
    }

    /// The unit of the system manager it runs in, such as `docker.service` or `session-2.scope`: the first component
    /// below the slices. What a user's own manager started is in `user@1000.service`. Units inside containers are not
    /// the host's. `root` is [`Self::root_of_units`] of process 1.
    #[must_use]
    pub fn unit(&self, root: &str) -> Option<&str> {
        unit_in(self.systemd()?.strip_prefix(root)?).map(|(unit, _)| unit)
    }

    /// The unit of a user's own manager, such as the `docker.service` of a rootless engine, with that user's id.
    #[must_use]
    pub fn user_unit(&self, root: &str) -> Option<(u32, &str)> {
        let (manager, below) = unit_in(self.systemd()?.strip_prefix(root)?)?;
        let uid = manager.strip_prefix("user@")?.strip_suffix(".service")?.parse().ok()?;
        unit_in(below).map(|(unit, _)| (uid, unit))
    }

    /// The id of the container it runs in: 64 hexadecimal digits, alone or behind an engine's prefix, in any cgroup
    /// parent. Of containers in containers the outermost. The monitors of Podman and CRI-O are processes of the host.
    #[must_use]
    pub fn container(&self) -> Option<&str> {
        let mut paths: Vec<&str> = self.systemd().into_iter().chain(self.unified()).collect();
        paths.extend(self.0.iter().map(|cgroup| cgroup.path.as_str()));
        paths.into_iter().find_map(|path| path.split('/').find_map(container_in))
    }
}

/// The id in one component of a cgroup path: `ID`, `docker-ID.scope`, `libpod-ID.scope`, `cri-containerd-ID.scope`,
/// `SLICE:cri-containerd:ID`.
fn container_in(component: &str) -> Option<&str> {
    let name = component.strip_suffix(".scope").unwrap_or(component);
    let (prefix, id) = name.rsplit_once(['-', ':']).unwrap_or(("", name));
    let monitor = prefix == "conmon" || prefix.ends_with("-conmon");
    (!monitor && id.len() == 64 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))).then_some(id)
}

/// The unit below the slices, and the path below the unit. systemd puts `_` before a name that would be taken for an
/// attribute of the cgroup.
fn unit_in(path: &str) -> Option<(&str, &str)> {
    let mut rest = path.trim_start_matches('/');
    loop {
        let (component, below) = rest.split_once('/').unwrap_or((rest, ""));
        let name = component.strip_prefix('_').unwrap_or(component);
        match name.rsplit_once('.') {
            Some((stem, "slice")) if !stem.is_empty() => rest = below,
            Some((stem, "service" | "scope" | "socket" | "mount" | "swap")) if !stem.is_empty() => return Some((name, below)),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn cgroups(text: &str) -> Cgroups {
        Cgroups::parse(text.replace("ID", ID).as_bytes()).unwrap()
    }

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

    #[test]
    fn units_are_found_below_slices() {
        let unit = |text: &str, root: &str| cgroups(text).unit(root).map(str::to_owned);
        assert_eq!(unit("0::/system.slice/docker.service\n", "").as_deref(), Some("docker.service"));
        assert_eq!(unit("0::/system.slice/system-getty.slice/getty@tty1.service/x", "").as_deref(), Some("getty@tty1.service"));
        assert_eq!(unit("5:pids:/\n1:name=systemd:/system.slice/cron.service\n0::/", "").as_deref(), Some("cron.service"));
        assert_eq!(unit("0::/init.scope", "").as_deref(), Some("init.scope"));
        assert_eq!(unit("0::/docker/ID/system.slice/ssh.service", ""), None, "a unit inside a container is not the host's");
        assert_eq!(unit("0::/payload/system.slice/ssh.service", "/payload").as_deref(), Some("ssh.service"));
        assert_eq!(unit("0::/", ""), None);
        assert_eq!(cgroups("1:name=systemd:/payload/init.scope\n0::/x").root_of_units(), "/payload");
        let rootless = cgroups("0::/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service");
        assert_eq!(rootless.unit(""), Some("user@1000.service"), "not the system's docker.service");
        assert_eq!(rootless.user_unit(""), Some((1000, "docker.service")));
    }

    #[test]
    fn containers_are_found_in_any_parent() {
        for path in [
            "0::/system.slice/docker-ID.scope",
            "0::/docker/ID",
            "0::/my/parent/ID/nested",
            "0::/my.slice/docker-ID.scope",
            "0::/machine.slice/libpod-ID.scope/container",
            "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope",
            "0::/kubepods.slice/kubepods-podx.slice/cri-containerd-ID.scope",
            "0::/kubepods/besteffort/pod53d4/ID",
            "0::/system.slice/containerd.service/kubepods-podx.slice:cri-containerd:ID",
            "4:memory:/docker/ID\n1:name=systemd:/docker/ID\n0::/",
            "4:memory:/docker/ID\n0::/system.slice/containerd.service",
        ] {
            assert_eq!(cgroups(path).container(), Some(ID), "{path}");
        }
        for path in ["0::/machine.slice/libpod-conmon-ID.scope", "0::/system.slice/docker.service", "0::/docker/buildkit/x"] {
            assert_eq!(cgroups(path).container(), None, "{path}");
        }
        assert!(Cgroups::parse(b"nonsense\n").is_err());
    }
}
