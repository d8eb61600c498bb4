//! What the running kernel says of itself: its security modules, asked once per run and shared by every resource that
//! depends on them.

use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Gap, List, Reason, Text};
use crate::host::Host;

use super::Context;

/// The security modules of the running kernel.
#[derive(Clone, Debug)]
pub(super) struct SecurityModules {
    /// Whether AppArmor is enabled.
    pub(super) apparmor: Fact<bool>,
    /// Whether SELinux is enabled.
    pub(super) selinux: Fact<bool>,
    /// Whether SELinux enforces.
    pub(super) selinux_enforcing: Fact<bool>,
    /// Names of all that are active.
    pub(super) active: Fact<List>,
}

impl SecurityModules {
    /// Those of the host under audit.
    pub(super) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| {
            let host = context.host;
            let selinux = selinux(host);
            Self { apparmor: apparmor(host), selinux_enforcing: selinux_enforcing(host, &selinux), selinux, active: active(host) }
        })
    }
}

fn apparmor(host: &dyn Host) -> Fact<bool> {
    const ENABLED: &str = "/sys/module/apparmor/parameters/enabled";
    match line(host, ENABLED) {
        Fact::Known(said, origin) => match said.as_str() {
            "Y" => Fact::Known(true, origin),
            "N" => Fact::Known(false, origin),
            other => Fact::Unknown(Gap::new(origin, Reason::malformed(format!("neither Y nor N: {other}")))),
        },
        // The parameter is there whenever AppArmor is in the kernel, so it is not.
        Fact::Absent(_) => certain(host.stat(Path::new("/sys/module")), "/sys is not mounted, or not all of it").map(|_| false),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

/// SELinux as its own file system shows it. It is unknown to the kernel's list of file systems
/// where SELinux was not enabled at boot, so that list settles it when nothing is mounted.
fn selinux(host: &dyn Host) -> Fact<bool> {
    let enforce = line(host, ENFORCE);
    let (Fact::Absent(_) | Fact::Unknown(_)) = enforce else { return enforce.map(|_| true) };
    if let Fact::Known(modules, origin) = active(host) {
        return Fact::Known(modules.iter().any(|module| module.raw() == "selinux"), origin);
    }
    let systems = certain(text(host, "/proc/filesystems"), "/proc is not mounted");
    systems.map(|systems| systems.lines().any(|line| line.split_whitespace().last() == Some("selinuxfs")))
}

const ENFORCE: &str = "/sys/fs/selinux/enforce";

fn selinux_enforcing(host: &dyn Host, enabled: &Fact<bool>) -> Fact<bool> {
    match (line(host, ENFORCE), enabled) {
        (Fact::Known(enforce, origin), _) => Fact::Known(enforce != "0", origin),
        (_, Fact::Known(false, origin)) => Fact::Known(false, origin.clone()),
        (Fact::Absent(origin), _) => Fact::Unknown(Gap::new(origin, Reason::unsupported("selinuxfs is not mounted"))),
        (Fact::Unknown(gap), _) => Fact::Unknown(gap),
    }
}

fn active(host: &dyn Host) -> Fact<Vec<Text>> {
    let list = certain(line(host, "/sys/kernel/security/lsm"), "securityfs is not mounted");
    list.map(|list| list.split(',').filter(|name| !name.is_empty()).map(Text::from).collect())
}

/// What every running kernel tells: where it is missing, nothing is known.
pub(super) fn certain<T>(fact: Fact<T>, missing: &str) -> Fact<T> {
    match fact {
        Fact::Absent(origin) => Fact::Unknown(Gap::new(origin, Reason::unsupported(missing))),
        fact => fact,
    }
}

fn text(host: &dyn Host, path: &str) -> Fact<String> {
    host.read(Path::new(path)).map(|content| String::from_utf8_lossy(&content).into_owned())
}

/// The one line of a kernel's file.
pub(super) fn line(host: &dyn Host, path: &str) -> Fact<String> {
    text(host, path).map(|text| text.trim().to_owned())
}
