//! What the running kernel has of modules.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::Host;
use crate::parse::modprobe::{listed, normal};
use crate::resource::Context;

const MODULES: &str = "/proc/modules";
const COMMAND_LINE: &str = "/proc/cmdline";
const FILE_SYSTEMS: &str = "/proc/filesystems";
const PROTOCOLS: &str = "/proc/net/protocols";
const USB_DRIVERS: &str = "/sys/bus/usb/drivers";

/// The running kernel.
pub(super) struct Running {
    /// Its release; empty where nothing runs.
    pub(super) release: String,
    /// Names of the modules that are loaded.
    pub(super) modules: Fact<BTreeSet<String>>,
    /// Whether it can load modules at all.
    pub(super) has_modules: bool,
    refused: Fact<Vec<String>>,
    unaliased: Fact<Vec<String>>,
    file_systems: Fact<Vec<String>>,
    protocols: Fact<Vec<String>>,
    usb_drivers: Fact<Vec<String>>,
}

/// The names that modules of file systems register, for those that are asked about most.
pub(super) fn file_system(module: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 11] = [
        ("cramfs", "cramfs"),
        ("freevxfs", "vxfs"),
        ("hfs", "hfs"),
        ("hfsplus", "hfsplus"),
        ("jffs2", "jffs2"),
        ("overlay", "overlay"),
        ("squashfs", "squashfs"),
        ("udf", "udf"),
        ("gfs2", "gfs2"),
        ("cifs", "cifs"),
        ("ceph", "ceph"),
    ];
    NAMES.iter().find(|(name, _)| *name == module).map(|(_, registered)| *registered)
}

/// The name that a module of a network protocol registers.
fn protocol(module: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 4] = [("dccp", "DCCP"), ("sctp", "SCTP"), ("rds", "RDS"), ("tipc", "TIPC")];
    NAMES.iter().find(|(name, _)| *name == module).map(|(_, registered)| *registered)
}

impl Running {
    pub(super) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| {
            let host = context.host;
            let first_words = |text: String| text.lines().filter_map(|line| line.split_whitespace().next().map(normal)).collect();
            let modules = read(host, MODULES);
            let has_modules = modules.known().is_some();
            let modules = match modules {
                // Where `/proc` is that of a running kernel, this one was built without them.
                Fact::Absent(origin) if host.stat(Path::new(FILE_SYSTEMS)).known().is_some() => Fact::Known(BTreeSet::new(), origin),
                Fact::Absent(origin) => Fact::Unknown(Gap::new(origin, Reason::NotCollected)),
                modules => modules.map(first_words),
            };
            let command_line = read(host, COMMAND_LINE);
            let release = super::super::kernel::line(host, "/proc/sys/kernel/osrelease");
            Self {
                release: release.known().cloned().unwrap_or_else(|| host.identity().kernel.raw().to_owned()),
                modules,
                has_modules,
                refused: command_line.clone().map(|line| listed(&line, "module_blacklist")),
                unaliased: command_line.map(|line| listed(&line, "modprobe.blacklist")),
                file_systems: read(host, FILE_SYSTEMS).map(|text| column(&text, true)),
                protocols: read(host, PROTOCOLS).map(|text| column(&text, false)),
                usb_drivers: host
                    .list(Path::new(USB_DRIVERS))
                    .map(|names| names.iter().filter_map(|entry| entry.name.to_str().map(str::to_owned)).collect()),
            }
        })
    }

    pub(super) fn loaded(&self, name: &str) -> Fact<bool> {
        self.modules.clone().map(|modules| modules.contains(name))
    }

    /// Whether the kernel refuses it. A directory that does not run refuses nothing that could be seen.
    pub(super) fn denied(&self, name: &str) -> Fact<bool> {
        match &self.refused {
            Fact::Known(names, origin) => Fact::Known(names.iter().any(|refused| refused == name), origin.clone()),
            Fact::Absent(origin) => Fact::Known(false, origin.clone()),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        }
    }

    /// Where the command line keeps its aliases from being followed.
    pub(super) fn blacklisted(&self, name: &str) -> Option<Origin> {
        let names = self.unaliased.known()?;
        names.iter().any(|listed| listed == name).then(|| Origin::kernel(COMMAND_LINE))
    }

    /// Whether the kernel has what the module would bring, from the traces it leaves. Only for those whose traces are known.
    pub(super) fn registered(&self, name: &str) -> Fact<bool> {
        let among = |registered: &Fact<Vec<String>>, wanted: &str| match registered {
            Fact::Known(names, origin) => Fact::Known(names.iter().any(|name| name == wanted), origin.clone()),
            Fact::Absent(origin) => Fact::Unknown(Gap::new(origin.clone(), Reason::NotCollected)),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        };
        match (file_system(name), protocol(name)) {
            (Some(registered), _) => among(&self.file_systems, registered),
            (_, Some(registered)) => among(&self.protocols, registered),
            _ if name == "usb_storage" => among(&self.usb_drivers, "usb-storage"),
            _ => {
                let why = "the modules of the running kernel are not installed here";
                Fact::Unknown(Gap::new(Origin::file("/lib/modules"), Reason::unsupported(why)))
            }
        }
    }
}

fn read(host: &dyn Host, path: &str) -> Fact<String> {
    host.read(Path::new(path)).map(|content| String::from_utf8_lossy(&content).into_owned())
}

/// The first or the last word of each line.
fn column(text: &str, last: bool) -> Vec<String> {
    let word = |line: &str| {
        let mut words = line.split_whitespace();
        if last { words.next_back() } else { words.next() }.map(str::to_owned)
    };
    text.lines().filter_map(word).collect()
}
