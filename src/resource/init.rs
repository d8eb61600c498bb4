//! Which program starts everything else on the host. Much of what files say depends on it.

use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Origin};
use crate::host::Host;

use super::Context;
use super::kernel::line;

/// The init of the host.
#[derive(Debug)]
pub(crate) struct Init {
    /// `systemd`, `openrc`, `sysvinit` or `other`: what runs, or, on a host that does not run, what is installed. Absent
    /// where nothing is.
    pub(crate) name: Fact<&'static str>,
}

impl Init {
    /// The init of the host under audit.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| Self { name: name(context.host) })
    }

    /// Whether it is known not to be systemd.
    pub(crate) fn is_other(&self) -> bool {
        self.name.known().is_some_and(|name| *name != "systemd")
    }
}

/// What PID 1 calls itself, and the marks the systems leave in `/run`, for a PID 1 may be called `init` by any of them.
/// The mark of systemd is what sd_booted(3) looks at.
fn name(host: &dyn Host) -> Fact<&'static str> {
    let first = line(host, "/proc/1/comm");
    match first.known().map(String::as_str) {
        Some("systemd") => return first.map(|_| "systemd"),
        Some("openrc-init") => return first.map(|_| "openrc"),
        _ => {}
    }
    for (mark, name) in [("/run/systemd/system", "systemd"), ("/run/openrc/softlevel", "openrc")] {
        if let Fact::Known(_, origin) = host.stat(Path::new(mark)) {
            return Fact::Known(name, origin);
        }
    }
    let called = first.known().is_some();
    if first.known().is_some_and(|name| name != "init") {
        return first.map(|_| "other");
    }
    let program = host.resolve(Path::new("/sbin/init"));
    if let Fact::Known(path, origin) = &program
        && path.ends_with("systemd")
    {
        return Fact::Known("systemd", origin.clone());
    }
    let mut gap = None;
    let mut marks = vec![("/sbin/openrc", "openrc"), ("/etc/inittab", "sysvinit")];
    if matches!(program, Fact::Absent(_)) && !called {
        // An image of a machine may lack the link.
        marks.extend([("/usr/lib/systemd/systemd", "systemd"), ("/lib/systemd/systemd", "systemd")]);
    }
    for (mark, name) in marks {
        match host.stat(Path::new(mark)) {
            Fact::Known(_, origin) => return Fact::Known(name, origin),
            Fact::Unknown(unread) => gap = Some(unread),
            Fact::Absent(_) => {}
        }
    }
    match (gap, program) {
        (Some(gap), _) | (None, Fact::Unknown(gap)) => Fact::Unknown(gap),
        (None, Fact::Absent(origin)) if !called => Fact::Absent(origin),
        (None, _) => Fact::Known("other", Origin::Derived),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    #[test]
    fn what_runs_counts_before_what_is_installed() {
        let known = |host: Memory| Init::of(&Context::new(&host)).name.known().map(|name| *name == "systemd");
        let installed = || Memory::new().file("/usr/lib/systemd/systemd", "").symlink("/sbin/init", "/usr/lib/systemd/systemd");
        assert_eq!(known(Memory::new().node("/run/systemd/system", crate::host::FileKind::Directory, 0o755)), Some(true));
        assert_eq!(known(installed().file("/proc/1/comm", "tini\n")), Some(false));
        assert_eq!(known(installed().file("/proc/1/comm", "systemd\n")), Some(true));
        assert_eq!(known(installed()), Some(true));
        assert_eq!(known(Memory::new().file("/sbin/init", "")), Some(false));
        assert_eq!(known(Memory::new().file("/lib/systemd/systemd", "")), Some(true));
        assert_eq!(known(Memory::new()), None);
        let denied = Memory::new().symlink("/sbin/init", "/x").gap("/sbin/init", crate::fact::Reason::Denied).file("/etc/inittab", "");
        assert_eq!(known(denied), Some(false), "a mark is enough");
        let denied = Memory::new().symlink("/sbin/init", "/x").gap("/sbin/init", crate::fact::Reason::Denied);
        assert!(matches!(Init::of(&Context::new(&denied)).name, Fact::Unknown(_)));
    }
}
