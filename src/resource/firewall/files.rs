//! What the files of front ends say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Text};
use crate::parse::glob::{is_glob, matches};
use crate::parse::packet_filter::script;
use crate::parse::{firewalld as zones, ini};
use crate::resource::Context;

/// What ufw is told.
pub(super) struct Ufw {
    pub(super) switched_on: Fact<Flag>,
    pub(super) incoming: Fact<Text>,
    pub(super) outgoing: Fact<Text>,
    pub(super) routed: Fact<Text>,
}

impl Ufw {
    pub(super) fn of(context: &Context<'_>) -> Self {
        let policy = |key: &str| {
            value(context, "/etc/default/ufw", key).and_then(|value, origin| {
                let word = match value.to_ascii_uppercase().as_str() {
                    "DROP" => "deny",
                    "REJECT" => "reject",
                    "ACCEPT" => "allow",
                    _ => return Fact::Unknown(Gap::new(origin, Reason::malformed(format!("{value} is no policy of ufw")))),
                };
                Fact::Known(Text::from(word), origin)
            })
        };
        let forwarded = context.host.read(Path::new("/proc/sys/net/ipv4/ip_forward"));
        let routed = match (policy("DEFAULT_FORWARD_POLICY"), forwarded) {
            (Fact::Known(_, _), Fact::Known(bytes, origin)) if bytes.trim_ascii() == b"0" => Fact::Known("disabled".into(), origin),
            (policy, _) => policy,
        };
        Self {
            switched_on: value(context, "/etc/ufw/ufw.conf", "ENABLED").map(|value| value.eq_ignore_ascii_case("yes")),
            incoming: policy("DEFAULT_INPUT_POLICY"),
            outgoing: policy("DEFAULT_OUTPUT_POLICY"),
            routed,
        }
    }
}

/// The last value of a key in a file of assignments.
fn value(context: &Context<'_>, path: &str, key: &str) -> Fact<String> {
    context.host.read(Path::new(path)).and_then(|bytes, _| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let last = ini::parse(&text).filter(|assignment| assignment.key == key).last();
        match last {
            Some(found) => Fact::Known(found.value.to_owned(), Origin::line(path, found.line)),
            None => Fact::Absent(Origin::file(path)),
        }
    })
}

/// What the service of nftables loads.
pub(super) struct Nft {
    pub(super) persisted: Fact<List>,
    pub(super) flushes: Fact<Flag>,
}

/// The most files that are read.
const MOST_FILES: usize = 500;

pub(super) fn nft(context: &Context<'_>) -> Nft {
    let mut files = Files { context, seen: BTreeSet::new(), hooks: BTreeSet::new(), origin: None, flushes: None, gap: None };
    // Debian's name, then that of Red Hat.
    let first = ["/etc/nftables.conf", "/etc/sysconfig/nftables.conf"];
    let found = first.iter().find(|path| !matches!(context.host.stat(Path::new(path)), Fact::Absent(_)));
    let Some(main) = found else {
        let origin = || Origin::file("/etc/nftables.conf");
        return Nft { persisted: Fact::Known(Vec::new(), origin()), flushes: Fact::Known(false, origin()) };
    };
    files.read(Path::new(main));
    let origin = files.origin.unwrap_or_else(|| Origin::file(*main));
    let hooks: List = files.hooks.iter().map(|hook| Text::from(hook.as_str())).collect();
    match files.gap {
        Some(gap) => Nft {
            persisted: Fact::Unknown(gap.clone()),
            flushes: files.flushes.map_or(Fact::Unknown(gap), |origin| Fact::Known(true, origin)),
        },
        None => Nft {
            persisted: Fact::Known(hooks, origin.clone()),
            flushes: files.flushes.map_or(Fact::Known(false, origin), |origin| Fact::Known(true, origin)),
        },
    }
}

struct Files<'a> {
    context: &'a Context<'a>,
    seen: BTreeSet<PathBuf>,
    hooks: BTreeSet<String>,
    /// The line of the first base chain.
    origin: Option<Origin>,
    flushes: Option<Origin>,
    gap: Option<Gap>,
}

impl Files<'_> {
    fn read(&mut self, path: &Path) {
        if !self.seen.insert(path.to_path_buf()) {
            return;
        }
        if self.seen.len() > MOST_FILES {
            self.gap = Some(Gap::new(Origin::file(path), Reason::TooLarge));
            return;
        }
        let bytes = match self.context.host.read(path) {
            Fact::Known(bytes, _) => bytes,
            Fact::Absent(_) => return,
            Fact::Unknown(gap) => return self.gap = Some(gap),
        };
        let script = script(&bytes);
        for (.., base, line) in script.chains {
            if base.kind == "filter" {
                let _ = self.hooks.insert(base.hook);
                self.origin.get_or_insert_with(|| Origin::line(path, line));
            }
        }
        if script.flushes {
            self.flushes.get_or_insert_with(|| Origin::file(path));
        }
        for include in script.includes {
            let target = Path::new(&include.path);
            // What is not absolute is looked for below /etc.
            let target = if target.is_absolute() { target.to_path_buf() } else { Path::new("/etc").join(target) };
            self.include(&target);
        }
    }

    fn include(&mut self, path: &Path) {
        let Some((directory, name)) = path.parent().zip(path.file_name()) else { return };
        let pattern = name.to_string_lossy();
        if !is_glob(&pattern) {
            return self.read(path);
        }
        match self.context.host.list(directory) {
            Fact::Known(entries, _) => {
                let names: Vec<PathBuf> = entries
                    .iter()
                    .filter(|entry| matches(&pattern, &entry.name.to_string_lossy()))
                    .map(|entry| directory.join(&entry.name))
                    .collect();
                names.iter().for_each(|path| self.read(path));
            }
            Fact::Absent(_) => {}
            Fact::Unknown(gap) => self.gap = Some(gap),
        }
    }
}

/// What firewalld's zones say of loopback.
pub(super) struct Firewalld {
    pub(super) trusts_loopback: Fact<Flag>,
    pub(super) drops_spoofed: Fact<Flag>,
}

const OWN: &str = "/etc/firewalld/zones";

pub(super) fn firewalld(context: &Context<'_>) -> Firewalld {
    if let Fact::Absent(origin) = context.host.stat(Path::new("/etc/firewalld")) {
        return Firewalld { trusts_loopback: Fact::Absent(origin.clone()), drops_spoofed: Fact::Absent(origin) };
    }
    let found = zone_files(context);
    match found {
        Err(gap) => Firewalld { trusts_loopback: Fact::Unknown(gap.clone()), drops_spoofed: Fact::Unknown(gap) },
        Ok(zones) => {
            let trusts = zones.iter().find(|(path, zone)| path.ends_with("trusted.xml") && zone.interfaces.iter().any(|name| name == "lo"));
            let drops = |v6| zones.iter().any(|(_, zone)| zone.drops_spoofed(v6));
            Firewalld {
                trusts_loopback: Fact::Known(trusts.is_some(), Origin::file(trusts.map_or(Path::new(OWN), |(path, _)| path.as_path()))),
                drops_spoofed: Fact::Known(drops(false) && drops(true), Origin::file(OWN)),
            }
        }
    }
}

/// The zones the host has changed; those as delivered say nothing of loopback.
fn zone_files(context: &Context<'_>) -> Result<Vec<(PathBuf, zones::Zone)>, Gap> {
    let names = context.host.list(Path::new(OWN)).into_result()?.unwrap_or_default();
    let mut found = Vec::new();
    for entry in names.iter().filter(|entry| entry.name.extension().is_some_and(|extension| extension == "xml")) {
        let path = Path::new(OWN).join(&entry.name);
        if let Some(bytes) = context.host.read(&path).into_result()? {
            let zone = zones::zone(&bytes).map_err(|reason| Gap::new(Origin::file(path.as_path()), reason))?;
            found.push((path, zone));
        }
    }
    Ok(found)
}
