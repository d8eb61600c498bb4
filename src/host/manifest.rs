//! What was asked of a host, written down.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::walk::{Walk, Walked};
use super::{Entry, Host, Identity, InFlight, Opened, ProcessLinks, Stat, engine::Route};
use crate::fact::{Fact, Text};

/// Everything that was asked of a host: no path and no question that is not in here was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Manifest {
    /// Files whose content was read, or tried to be.
    pub read: BTreeSet<Text>,
    /// Paths whose metadata or link target was looked at.
    pub looked_at: BTreeSet<Text>,
    /// Directories that were listed.
    pub listed: BTreeSet<Text>,
    /// File systems that were walked whole, by where they are mounted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub walked: BTreeSet<Text>,
    /// Questions put to engines.
    pub engines: Vec<Asked>,
    /// Whether the kernel was asked for its audit rules.
    pub audit_rules: bool,
    /// Whether the kernel was asked for what nftables holds.
    #[serde(default)]
    pub packet_filter: bool,
    /// Whether the descriptors of processes were looked through for sockets.
    #[serde(default)]
    pub socket_owners: bool,
    /// Whether the maps of processes were looked through for code whose file is gone.
    #[serde(default)]
    pub deleted_code: bool,
    /// Processes whose executable and namespaces were asked for.
    pub processes: BTreeSet<i32>,
    /// How the looks and questions ended.
    pub outcomes: Outcomes,
}

/// A question put to an engine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Asked {
    /// The engine's socket.
    pub socket: Text,
    /// The endpoint.
    pub endpoint: Text,
    /// How often.
    pub times: u64,
}

/// How looks and questions ended, each counted every time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Outcomes {
    /// Answered.
    pub known: u64,
    /// Not there.
    pub absent: u64,
    /// Could not be told.
    pub unknown: u64,
}

/// A host that writes down what it is asked.
pub struct Recorded<'a> {
    host: &'a dyn Host,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    read: BTreeSet<PathBuf>,
    looked_at: BTreeSet<PathBuf>,
    listed: BTreeSet<PathBuf>,
    walked: BTreeSet<PathBuf>,
    engines: BTreeMap<(PathBuf, Route), u64>,
    audit_rules: bool,
    packet_filter: bool,
    socket_owners: bool,
    deleted_code: bool,
    processes: BTreeSet<i32>,
    outcomes: Outcomes,
}

impl<'a> Recorded<'a> {
    /// Nothing has been asked yet.
    #[must_use]
    pub fn new(host: &'a dyn Host) -> Self {
        Self { host, notes: Mutex::default() }
    }

    /// What has been asked so far.
    #[must_use]
    pub fn manifest(&self) -> Manifest {
        self.note(|notes| {
            let texts = |paths: &BTreeSet<PathBuf>| paths.iter().map(|path| Text::from(path.as_path())).collect();
            let asked = |((socket, route), times): (&(PathBuf, Route), &u64)| Asked {
                socket: socket.as_path().into(),
                endpoint: route.to_string().into(),
                times: *times,
            };
            Manifest {
                read: texts(&notes.read),
                looked_at: texts(&notes.looked_at),
                listed: texts(&notes.listed),
                walked: texts(&notes.walked),
                engines: notes.engines.iter().map(asked).collect(),
                audit_rules: notes.audit_rules,
                packet_filter: notes.packet_filter,
                socket_owners: notes.socket_owners,
                deleted_code: notes.deleted_code,
                processes: notes.processes.clone(),
                outcomes: notes.outcomes,
            }
        })
    }

    fn note<T>(&self, write: impl FnOnce(&mut Notes) -> T) -> T {
        write(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes down a path before it is looked at, so that one that never returns is in the list, and the outcome after.
    fn path<T>(&self, path: &Path, of: fn(&mut Notes) -> &mut BTreeSet<PathBuf>, ask: impl FnOnce() -> Fact<T>) -> Fact<T> {
        self.note(|notes| {
            let paths = of(notes);
            if !paths.contains(path) {
                // Of spellings that are one path, such as with a slash at the end, always the same.
                paths.insert(path.components().as_path().into());
            }
        });
        self.ended(ask())
    }

    fn ended<T>(&self, fact: Fact<T>) -> Fact<T> {
        self.note(|Notes { outcomes, .. }| match fact {
            Fact::Known(..) => outcomes.known += 1,
            Fact::Absent(_) => outcomes.absent += 1,
            Fact::Unknown(_) => outcomes.unknown += 1,
        });
        fact
    }
}

impl Host for Recorded<'_> {
    fn read(&self, path: &Path) -> Fact<Arc<[u8]>> {
        self.path(path, |notes| &mut notes.read, || self.host.read(path))
    }

    fn open(&self, path: &Path) -> Fact<Arc<Opened>> {
        self.path(path, |notes| &mut notes.read, || self.host.open(path))
    }

    fn stat(&self, path: &Path) -> Fact<Stat> {
        self.path(path, |notes| &mut notes.looked_at, || self.host.stat(path))
    }

    fn lstat(&self, path: &Path) -> Fact<Stat> {
        self.path(path, |notes| &mut notes.looked_at, || self.host.lstat(path))
    }

    fn link(&self, path: &Path) -> Fact<PathBuf> {
        self.path(path, |notes| &mut notes.looked_at, || self.host.link(path))
    }

    fn resolve(&self, path: &Path) -> Fact<PathBuf> {
        self.path(path, |notes| &mut notes.looked_at, || self.host.resolve(path))
    }

    fn list(&self, path: &Path) -> Fact<Arc<[Entry]>> {
        self.path(path, |notes| &mut notes.listed, || self.host.list(path))
    }

    fn walk(&self, walk: &Walk) -> Walked {
        self.note(|notes| notes.walked.extend(walk.starts.iter().map(|start| start.path.clone())));
        self.host.walk(walk)
    }

    fn engine(&self, socket: &Path, question: &Route) -> Fact<Arc<[u8]>> {
        self.note(|notes| *notes.engines.entry((socket.into(), *question)).or_default() += 1);
        self.ended(self.host.engine(socket, question))
    }

    fn audit_rules(&self) -> Fact<Arc<[u8]>> {
        self.note(|notes| notes.audit_rules = true);
        self.ended(self.host.audit_rules())
    }

    fn packet_filter(&self) -> Fact<Arc<[u8]>> {
        self.note(|notes| notes.packet_filter = true);
        self.ended(self.host.packet_filter())
    }

    fn socket_owners(&self) -> Fact<Arc<[u8]>> {
        self.note(|notes| notes.socket_owners = true);
        self.ended(self.host.socket_owners())
    }

    fn deleted_code(&self) -> Fact<Arc<[u8]>> {
        self.note(|notes| notes.deleted_code = true);
        self.ended(self.host.deleted_code())
    }

    fn process_links(&self, pid: i32) -> Fact<ProcessLinks> {
        self.note(|notes| notes.processes.insert(pid));
        self.ended(self.host.process_links(pid))
    }

    fn now(&self) -> DateTime<Utc> {
        self.host.now()
    }

    fn identity(&self) -> Identity {
        self.host.identity()
    }

    fn named_engines(&self) -> &[PathBuf] {
        self.host.named_engines()
    }

    fn parallelism(&self) -> usize {
        self.host.parallelism()
    }

    fn in_flight(&self) -> Vec<InFlight> {
        self.host.in_flight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    #[test]
    fn everything_asked_is_written_down_once_and_counted() {
        let memory = Memory::new().file("/a", "").answer("/run/docker.sock", Route::Info, "{}");
        let host = Recorded::new(&memory);
        let _ = host.read(Path::new("/a"));
        let _ = host.read(Path::new("/a"));
        let _ = host.read(Path::new("/none"));
        let _ = host.lstat(Path::new("/a"));
        let _ = host.list(Path::new("/"));
        let _ = host.engine(Path::new("/run/docker.sock"), &Route::Info);
        let _ = host.engine(Path::new("/run/docker.sock"), &Route::Info);
        let _ = host.audit_rules();
        let _ = host.process_links(7);
        let manifest = host.manifest();
        assert_eq!(manifest.read, BTreeSet::from(["/a".into(), "/none".into()]));
        assert_eq!((manifest.looked_at.len(), manifest.listed.len()), (1, 1));
        assert_eq!(manifest.engines, [Asked { socket: "/run/docker.sock".into(), endpoint: "/info".into(), times: 2 }]);
        assert!(manifest.audit_rules && manifest.processes.contains(&7));
        assert_eq!(manifest.outcomes, Outcomes { known: 6, absent: 1, unknown: 2 });
        let json = serde_json::to_string(&manifest).unwrap();
        assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
    }
}
