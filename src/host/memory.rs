//! A made-up host, for tests: what it holds is what the test says, and nothing else.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Entry, FileKind, Host, Identity, Opened, ProcessLinks, Stat, engine::Route};
use crate::fact::{Fact, Gap, Mode, Origin, Reason};

/// What an engine answers, or why it does not.
type Answer = Result<Arc<[u8]>, Reason>;

/// A host in memory. Directories above whatever is added exist by themselves, owned by root, mode 0755.
#[derive(Default)]
pub struct Memory {
    nodes: BTreeMap<PathBuf, Node>,
    gaps: BTreeMap<PathBuf, Reason>,
    answers: BTreeMap<(PathBuf, Route), Answer>,
    audit_rules: Option<Arc<[u8]>>,
    packet_filter: Option<Arc<[u8]>>,
    socket_owners: Option<Arc<[u8]>>,
    deleted_code: Option<Arc<[u8]>>,
    links: BTreeMap<i32, ProcessLinks>,
    now: DateTime<Utc>,
    identity: Identity,
    named_engines: Vec<PathBuf>,
}

struct Node {
    stat: Stat,
    content: Arc<[u8]>,
    target: Option<PathBuf>,
}

impl Memory {
    /// An empty host at the epoch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn add(mut self, path: &str, kind: FileKind, mode: u32, content: &[u8], target: Option<PathBuf>) -> Self {
        let path = PathBuf::from(path);
        let parents: Vec<PathBuf> = path.ancestors().skip(1).map(Path::to_path_buf).collect();
        for parent in parents {
            let inode = self.nodes.len() as u64 + 1;
            self.nodes.entry(parent).or_insert_with(|| Node {
                stat: stat(FileKind::Directory, 0o755, 0, inode),
                content: Arc::from([]),
                target: None,
            });
        }
        let inode = self.nodes.len() as u64 + 1;
        self.nodes.insert(path, Node { stat: stat(kind, mode, content.len() as u64, inode), content: content.into(), target });
        self
    }

    /// Adds a regular file, root's, mode 0644.
    #[must_use]
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.add(path, FileKind::File, 0o644, content.as_ref(), None)
    }

    /// Adds something of another kind, root's: a directory, socket, FIFO, device.
    #[must_use]
    pub fn node(self, path: &str, kind: FileKind, mode: u32) -> Self {
        self.add(path, kind, mode, &[], None)
    }

    /// Adds a symbolic link.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.add(path, FileKind::Link, 0o777, &[], Some(target.into()))
    }

    /// Changes owner, group and mode of something added before.
    #[must_use]
    pub fn owned(mut self, path: &str, uid: u32, gid: u32, mode: u32) -> Self {
        if let Some(node) = self.nodes.get_mut(Path::new(path)) {
            (node.stat.uid, node.stat.gid, node.stat.mode) = (uid, gid, Mode::from_bits(mode));
        }
        self
    }

    /// Changes when something added before was last modified, in seconds since the epoch.
    #[must_use]
    pub fn modified(mut self, path: &str, at: i64) -> Self {
        if let Some(node) = self.nodes.get_mut(Path::new(path)) {
            node.stat.modified = at;
        }
        self
    }

    /// Makes every look at a path fail, and at everything below it.
    #[must_use]
    pub fn gap(mut self, path: &str, reason: Reason) -> Self {
        self.gaps.insert(path.into(), reason);
        self
    }

    /// What an engine answers: the body.
    #[must_use]
    pub fn answer(mut self, socket: &str, route: Route, body: impl AsRef<[u8]>) -> Self {
        self.answers.insert((socket.into(), route), Ok(body.as_ref().into()));
        self
    }

    /// The socket of an engine that whoever asked for the audit named.
    #[must_use]
    pub fn named_engine(mut self, socket: &str) -> Self {
        self.named_engines.push(socket.into());
        self
    }

    /// An engine that fails to answer a question.
    #[must_use]
    pub fn no_answer(mut self, socket: &str, route: Route, reason: Reason) -> Self {
        self.answers.insert((socket.into(), route), Err(reason));
        self
    }

    /// The loaded audit rules, as netlink messages.
    #[must_use]
    pub fn loaded_audit_rules(mut self, messages: impl AsRef<[u8]>) -> Self {
        self.audit_rules = Some(messages.as_ref().into());
        self
    }

    /// What nftables holds, as netlink messages.
    #[must_use]
    pub fn loaded_packet_filter(mut self, messages: impl AsRef<[u8]>) -> Self {
        self.packet_filter = Some(messages.as_ref().into());
        self
    }

    /// Which processes hold which sockets, as lines of `PID INODE`.
    #[must_use]
    pub fn held_sockets(mut self, pairs: impl AsRef<[u8]>) -> Self {
        self.socket_owners = Some(pairs.as_ref().into());
        self
    }

    /// Which processes run code whose file is gone, as lines of `PID PATH`.
    #[must_use]
    pub fn running_deleted(mut self, lines: impl AsRef<[u8]>) -> Self {
        self.deleted_code = Some(lines.as_ref().into());
        self
    }

    /// What the supervisor can read of a process.
    #[must_use]
    pub fn process(mut self, pid: i32, links: ProcessLinks) -> Self {
        self.links.insert(pid, links);
        self
    }

    /// The time of the audit, in seconds since the epoch.
    #[must_use]
    pub fn at(mut self, seconds: i64) -> Self {
        self.now = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        self
    }

    /// Who the host is.
    #[must_use]
    pub fn named(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    fn gap_at(&self, path: &Path) -> Option<Gap> {
        path.ancestors().find_map(|above| self.gaps.get(above)).map(|reason| Gap::new(Origin::file(path), reason.clone()))
    }

    /// Resolves links in every component, the last one only where `last` says so.
    fn walk(&self, path: &Path, last: bool) -> Fact<PathBuf> {
        let mut left: Vec<PathBuf> = path.components().rev().map(|part| PathBuf::from(part.as_os_str())).collect();
        let mut at = PathBuf::new();
        let mut links = 0;
        while let Some(part) = left.pop() {
            match part.components().next() {
                Some(Component::RootDir) => at = PathBuf::from("/"),
                Some(Component::ParentDir) => {
                    at.pop();
                }
                Some(Component::Normal(name)) => at.push(name),
                _ => {}
            }
            if let Some(gap) = self.gap_at(&at) {
                return Fact::Unknown(gap);
            }
            let Some(node) = self.nodes.get(&at) else { return Fact::Absent(Origin::file(path)) };
            if let Some(target) = &node.target
                && (last || !left.is_empty())
            {
                links += 1;
                if links > 40 {
                    return Fact::Unknown(Gap::new(Origin::file(path), Reason::malformed("too many symbolic links")));
                }
                at.pop();
                left.extend(target.components().rev().map(|part| PathBuf::from(part.as_os_str())));
            }
        }
        // As for the kernel, only a directory has a name with a slash at its end.
        let is_directory = || self.nodes.get(&at).is_some_and(|node| node.stat.kind == FileKind::Directory);
        if path.as_os_str().as_bytes().ends_with(b"/") && !is_directory() {
            return Fact::Absent(Origin::file(path));
        }
        Fact::Known(at, Origin::file(path))
    }

    fn found(&self, path: &Path, follow: bool) -> Fact<&Node> {
        self.walk(path, follow).and_then(|at, origin| match self.nodes.get(&at) {
            Some(node) => Fact::Known(node, origin),
            None => Fact::Absent(origin),
        })
    }
}

fn stat(kind: FileKind, mode: u32, size: u64, inode: u64) -> Stat {
    Stat { kind, mode: Mode::from_bits(mode), uid: 0, gid: 0, size, inode, device: 1, modified: 0 }
}

impl Host for Memory {
    fn read(&self, path: &Path) -> Fact<Arc<[u8]>> {
        self.found(path, true).and_then(|node, origin| match node.stat.kind {
            FileKind::File => Fact::Known(node.content.clone(), origin),
            kind => Fact::Unknown(Gap::new(origin, kind.unreadable())),
        })
    }

    fn open(&self, path: &Path) -> Fact<Arc<Opened>> {
        self.read(path).map(|content| Arc::new(Opened::bytes(content)))
    }

    fn stat(&self, path: &Path) -> Fact<Stat> {
        self.found(path, true).and_then(|node, _| Fact::Known(node.stat.clone(), Origin::stat(path)))
    }

    fn lstat(&self, path: &Path) -> Fact<Stat> {
        self.found(path, false).and_then(|node, _| Fact::Known(node.stat.clone(), Origin::stat(path)))
    }

    fn link(&self, path: &Path) -> Fact<PathBuf> {
        self.found(path, false).and_then(|node, origin| match &node.target {
            Some(target) => Fact::Known(target.clone(), origin),
            None => Fact::Absent(origin),
        })
    }

    fn resolve(&self, path: &Path) -> Fact<PathBuf> {
        self.walk(path, true)
    }

    fn list(&self, path: &Path) -> Fact<Arc<[Entry]>> {
        self.walk(path, true).and_then(|at, origin| match self.nodes.get(&at) {
            Some(node) if node.stat.kind == FileKind::Directory => {
                let inside = |(path, node): (&PathBuf, &Node)| {
                    (path.parent() == Some(&at))
                        .then(|| path.file_name().map(|name| Entry { name: name.into(), kind: node.stat.kind }))
                        .flatten()
                };
                Fact::Known(self.nodes.iter().filter_map(inside).collect(), origin)
            }
            _ => Fact::Absent(origin),
        })
    }

    fn engine(&self, socket: &Path, question: &Route) -> Fact<Arc<[u8]>> {
        let origin = Origin::engine(socket, question.to_string());
        match self.answers.get(&(socket.to_path_buf(), *question)) {
            Some(Ok(body)) => Fact::Known(body.clone(), origin),
            Some(Err(reason)) => Fact::Unknown(Gap::new(origin, reason.clone())),
            None => Fact::Unknown(Gap::new(origin, Reason::Unreachable)),
        }
    }

    fn audit_rules(&self) -> Fact<Arc<[u8]>> {
        super::brought(self.audit_rules.as_ref(), Origin::kernel("audit rules"))
    }

    fn packet_filter(&self) -> Fact<Arc<[u8]>> {
        super::brought(self.packet_filter.as_ref(), Origin::kernel("nftables"))
    }

    fn socket_owners(&self) -> Fact<Arc<[u8]>> {
        super::brought(self.socket_owners.as_ref(), Origin::kernel("/proc"))
    }

    fn deleted_code(&self) -> Fact<Arc<[u8]>> {
        super::brought(self.deleted_code.as_ref(), Origin::kernel("/proc"))
    }

    fn process_links(&self, pid: i32) -> Fact<ProcessLinks> {
        let origin = Origin::kernel(format!("/proc/{pid}"));
        match self.links.get(&pid) {
            Some(links) => Fact::Known(links.clone(), origin),
            None => Fact::Unknown(Gap::new(origin, Reason::NotCollected)),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.now
    }

    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn named_engines(&self) -> &[PathBuf] {
        &self.named_engines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Text;

    #[test]
    fn links_are_followed_and_gaps_reach_below() {
        let host = Memory::new().file("/run/docker.sock", "").symlink("/var/run", "/run").gap("/root", Reason::Denied).file("/root/x", "x");
        assert_eq!(host.resolve(Path::new("/var/run/docker.sock")).known(), Some(&PathBuf::from("/run/docker.sock")));
        assert!(matches!(host.read(Path::new("/nowhere")), Fact::Absent(_)));
        assert!(matches!(host.stat(Path::new("/root/x")), Fact::Unknown(Gap { reason: Reason::Denied, .. })));
        assert_eq!(host.list(Path::new("/var/run")).known().map(|list| list.len()), Some(1));
        assert_eq!(Text::from(host.link(Path::new("/var/run")).known().unwrap().as_path()).raw(), "/run");
    }
}
