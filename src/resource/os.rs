//! The operating system: distribution, kernel, init system.

use crate::fact::{Flag, Gap, List, Setting, Text, Version, record};

use super::{Context, Resource, Selector};

record! {
    /// The operating system of the host. Always exactly one record.
    pub struct OsRow("os") {
        /// `ID` of os-release, such as `debian`; `linux` where it says none.
        id: Text,
        /// `ID_LIKE` of os-release, as a list.
        id_like: List,
        /// `VERSION_ID` of os-release, such as `12`; absent on rolling releases.
        version_id: Setting,
        /// `VERSION_CODENAME` of os-release.
        codename: Text,
        /// `VARIANT_ID` of os-release.
        variant_id: Text,
        /// Family: `debian`, `rhel`, `suse`, `alpine`, `arch` or `other`, from `ID` and `ID_LIKE`.
        family: Text,
        /// `PRETTY_NAME` of os-release.
        name: Text,
        /// Release of the running kernel.
        kernel: Version,
        /// The init system that runs: `systemd`, `openrc`, `sysvinit`, `other`; from PID 1, or from what is installed in a directory.
        init: Text,
        /// Whether the kernel has AppArmor enabled.
        apparmor: Flag,
        /// Whether the kernel has SELinux enabled.
        selinux: Flag,
        /// Whether SELinux is enforcing now.
        selinux_enforcing: Flag,
        /// Names of the Linux security modules that are active.
        security_modules: List,
    }
}

/// Finds the records.
pub struct Os;

impl Resource for Os {
    type Row = OsRow;
    const SELECTOR: &'static str = "one record; `\"*\"` or the distribution id";
    const ENUMERABLE: bool = true;


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
