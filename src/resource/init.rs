//! Which program starts everything else on the host. Much of what files say depends on it.

use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Origin};

use super::Context;

/// The init of the host.
#[derive(Debug)]
pub(crate) struct Init {
    /// Whether it is systemd: running here, or, on a host that does not run, what `/sbin/init` leads to.
    pub(crate) systemd: Fact<bool>,
}

impl Init {
    /// The init of the host under audit.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| Self { systemd: systemd(context) })
    }

    /// Whether it is known not to be systemd.
    pub(crate) fn is_other(&self) -> bool {
        self.systemd.known() == Some(&false)
    }
}

fn systemd(context: &Context<'_>) -> Fact<bool> {
    // What sd_booted(3) looks at.
    if let Fact::Known(_, origin) = context.host.lstat(Path::new("/run/systemd/system")) {
        return Fact::Known(true, origin);
    }
    let comm = Path::new("/proc/1/comm");
    if let Fact::Known(name, _) = context.host.read(comm) {
        return Fact::Known(name.trim_ascii_end() == b"systemd", Origin::kernel(comm));
    }
    match context.host.resolve(Path::new("/sbin/init")) {
        Fact::Known(path, origin) => Fact::Known(path.ends_with("systemd"), origin),
        Fact::Absent(_) => {
            let found = context.host.stat(Path::new("/usr/lib/systemd/systemd"));
            if matches!(found, Fact::Absent(_)) { context.host.stat(Path::new("/lib/systemd/systemd")) } else { found }.map(|_| true)
        }
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    #[test]
    fn what_runs_counts_before_what_is_installed() {
        let known = |host: Memory| Init::of(&Context::new(&host)).systemd.known().copied();
        let installed = || Memory::new().file("/usr/lib/systemd/systemd", "").symlink("/sbin/init", "/usr/lib/systemd/systemd");
        assert_eq!(known(Memory::new().node("/run/systemd/system", crate::host::FileKind::Directory, 0o755)), Some(true));
        assert_eq!(known(installed().file("/proc/1/comm", "tini\n")), Some(false));
        assert_eq!(known(installed().file("/proc/1/comm", "systemd\n")), Some(true));
        assert_eq!(known(installed()), Some(true));
        assert_eq!(known(Memory::new().file("/sbin/init", "")), Some(false));
        assert_eq!(known(Memory::new().file("/lib/systemd/systemd", "")), Some(true));
        assert_eq!(known(Memory::new()), None);
    }
}
