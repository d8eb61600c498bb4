//! Who the audited host is: the head of a report.

#![expect(clippy::disallowed_types, reason = "only for what the running kernel says of itself")]

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Host;
use crate::fact::Text;
use crate::parse::os_release;

/// Name, system and kernel of the audited host.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Identity {
    /// Host name.
    pub name: Text,
    /// `PRETTY_NAME` of os-release.
    pub os: Text,
    /// Kernel release, such as `6.1.0-25-amd64`; empty where it cannot be known.
    pub kernel: Text,
    /// Machine architecture, such as `x86_64`.
    pub architecture: Text,
    /// Machine id, or empty.
    pub machine_id: Text,
    /// Seconds since the epoch at which the kernel started, where known.
    pub booted: Option<i64>,
    /// `live` for this machine, else the directory audited.
    pub source: Text,
    /// User id the audit ran as.
    pub uid: u32,
}

/// What the files of a host say about it; what they do not say is left empty.
pub(super) fn of_files(host: &dyn Host, source: Text) -> Identity {
    let read = |path: &str| host.read(Path::new(path)).known().map(|content| String::from_utf8_lossy(content).into_owned());
    let line = |path: &str| Text::from(read(path).unwrap_or_default().trim());
    let release = read("/etc/os-release").or_else(|| read("/usr/lib/os-release")).unwrap_or_default();
    let release = os_release::parse(&release);
    let named = ["PRETTY_NAME", "NAME", "ID"].iter().find_map(|name| release.get(*name));
    let booted = |stat: String| stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok());
    Identity {
        name: line("/etc/hostname"),
        os: named.map(|(name, _)| Text::from(name.as_str())).unwrap_or_default(),
        kernel: line("/proc/sys/kernel/osrelease"),
        architecture: line("/proc/sys/kernel/arch"),
        machine_id: line("/etc/machine-id"),
        booted: read("/proc/stat").and_then(booted),
        source,
        uid: rustix::process::geteuid().as_raw(),
    }
}

/// This machine: its files, and what the running kernel says of itself.
pub(super) fn of_this_machine(host: &dyn Host) -> Identity {
    let known = |said: Result<String, sysinfo::Error>, or: Text| said.map_or(or, Text::from);
    let files = of_files(host, "live".into());
    Identity {
        name: known(sysinfo::System::host_name(), files.name),
        kernel: known(sysinfo::System::kernel_version(), files.kernel),
        architecture: sysinfo::System::cpu_arch().into(),
        ..files
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    #[test]
    fn files_say_who_a_host_is() {
        let host = Memory::new()
            .file("/etc/hostname", "web-1\n")
            .file("/usr/lib/os-release", "NAME=Debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n")
            .file("/etc/machine-id", "0123\n")
            .file("/proc/stat", "cpu 1 2\nbtime 1700000000\n");
        let identity = of_files(&host, "/mnt".into());
        assert_eq!(identity.name.raw(), "web-1");
        assert_eq!(identity.os.raw(), "Debian GNU/Linux 12 (bookworm)");
        assert_eq!((identity.machine_id.raw(), identity.kernel.raw()), ("0123", ""));
        assert_eq!(identity.booted, Some(1_700_000_000));
    }
}
