//! The limits of a process's cgroup, the strictest of its own and of those above.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::Host;
use crate::parse::process::Cgroups;

/// Version 1 writes a number near the largest there is for "no limit", rounded to pages.
const UNLIMITED: u64 = 1 << 62;

/// Where cgroups are mounted.
const MOUNT: &str = "/sys/fs/cgroup";

/// One limit: which controller keeps it, and in which file on either version.
pub(super) struct Limit {
    controller: &'static str,
    version_1: &'static str,
    version_2: &'static str,
}

/// Bytes of memory.
pub(super) const MEMORY: Limit = Limit { controller: "memory", version_1: "memory.limit_in_bytes", version_2: "memory.max" };
/// Processes.
pub(super) const PIDS: Limit = Limit { controller: "pids", version_1: "pids.max", version_2: "pids.max" };

impl Limit {
    /// The limit that counts for a process in these cgroups; absent where there is none.
    pub(super) fn of(&self, host: &dyn Host, cgroups: &Cgroups) -> Fact<i64> {
        // The kernel names hierarchies of version 1 also where none is mounted: a host inside another may use version 2 alone.
        let version_1 = Path::new(MOUNT).join(self.controller);
        let mounted = !matches!(host.stat(&version_1), Fact::Absent(_));
        let (mount, path, file) = match (cgroups.controller(self.controller).filter(|_| mounted), cgroups.unified()) {
            (Some(path), _) => (version_1, path, self.version_1),
            (None, Some(path)) => {
                // A hybrid host keeps version 2 in a directory of its own.
                let hybrid = Path::new(MOUNT).join("unified");
                let mount = if host.stat(&hybrid).known().is_some() { hybrid } else { PathBuf::from(MOUNT) };
                (mount, path, self.version_2)
            }
            (None, None) => {
                return Fact::Unknown(Gap::new(Origin::kernel(MOUNT), Reason::unsupported("the process is in no cgroup that limits")));
            }
        };
        let relative = Path::new(path.trim_start_matches('/'));
        if relative.starts_with("..") {
            let why = "a cgroup namespace hides the cgroup from the audit";
            return Fact::Unknown(Gap::new(Origin::kernel(mount.as_path()), Reason::unsupported(why)));
        }
        let own = mount.join(relative);
        let mut strictest: Option<(i64, Origin)> = None;
        for directory in own.ancestors().take_while(|directory| directory.starts_with(&mount)) {
            let path = directory.join(file);
            let origin = Origin::kernel(path.as_path());
            let bytes = match host.read(&path) {
                Fact::Known(bytes, _) => bytes,
                // The root has no limit on version 2. The process's own cgroup is gone when the process is.
                Fact::Absent(_) if directory != own || directory == mount => continue,
                Fact::Absent(_) => return Fact::Unknown(Gap::new(origin, Reason::unsupported("the controller is not there"))),
                Fact::Unknown(gap) => return Fact::Unknown(gap),
            };
            let text = String::from_utf8_lossy(&bytes);
            let limit = match text.trim() {
                "max" => None,
                number => match number.parse::<u64>() {
                    Ok(number) => i64::try_from(number).ok().filter(|_| number < UNLIMITED),
                    Err(_) => return Fact::Unknown(Gap::new(origin, Reason::malformed("not a number"))),
                },
            };
            if let Some(limit) = limit
                && strictest.as_ref().is_none_or(|(least, _)| limit < *least)
            {
                strictest = Some((limit, origin));
            }
        }
        match strictest {
            Some((limit, origin)) => Fact::Known(limit, origin),
            None => Fact::Absent(Origin::kernel(own.join(file).as_path())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn cgroups(text: &str) -> Cgroups {
        Cgroups::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_strictest_of_parents_counts_on_version_2() {
        let host = Memory::new().file("/sys/fs/cgroup/a/b/memory.max", "max\n").file("/sys/fs/cgroup/a/memory.max", "1048576\n");
        let host = host.file("/sys/fs/cgroup/a/b/pids.max", "max\n").file("/sys/fs/cgroup/a/pids.max", "max\n");
        let here = cgroups("0::/a/b\n");
        assert_eq!(MEMORY.of(&host, &here), Fact::Known(1_048_576, Origin::kernel("/sys/fs/cgroup/a/memory.max")));
        assert_eq!(PIDS.of(&host, &here), Fact::Absent(Origin::kernel("/sys/fs/cgroup/a/b/pids.max")));
        assert!(matches!(MEMORY.of(&host, &cgroups("0::/gone\n")), Fact::Unknown(_)));
        assert!(matches!(MEMORY.of(&host, &cgroups("0::/../a/b\n")), Fact::Unknown(_)));
    }

    #[test]
    fn what_is_not_mounted_limits_nothing_and_tells_nothing() {
        let host = Memory::new().file("/sys/fs/cgroup/d/memory.max", "4096\n");
        assert_eq!(MEMORY.of(&host, &cgroups("4:memory:/\n0::/d\n")).known(), Some(&4096));
        assert!(matches!(PIDS.of(&host, &cgroups("8:pids:/\n0::/d\n")), Fact::Unknown(_)), "not unlimited");
        assert!(matches!(PIDS.of(&host, &cgroups("8:pids:/\n")), Fact::Unknown(_)));
    }

    #[test]
    fn version_1_writes_a_huge_number_for_none() {
        let host = Memory::new().file("/sys/fs/cgroup/memory/d/memory.limit_in_bytes", "9223372036854771712\n");
        let host = host.file("/sys/fs/cgroup/pids/d/pids.max", "50\n").file("/sys/fs/cgroup/unified/cgroup.procs", "");
        let here = cgroups("8:pids:/d\n4:memory:/d\n0::/d\n");
        assert!(matches!(MEMORY.of(&host, &here), Fact::Absent(_)));
        assert_eq!(PIDS.of(&host, &here).known(), Some(&50));
    }
}
