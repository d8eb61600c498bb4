//! A directory that holds a host: a mounted disk, an unpacked image, or a host made for a test.
//!
//! Every look stays inside the directory, whatever its links say. A directory cannot hold everything a host
//! is; what it does not hold is not collected, and so unknown. In particular nothing is concluded from what is
//! missing below `/proc` and `/sys`, which only a running kernel fills.
//!
//! # `host.toml`
//!
//! A file of this name beside the directory (`x/host.toml` for `x/root`), in the very directory that holds it, says
//! what the directory itself cannot. It is used only where it belongs to root or to the user who runs the audit and
//! others may not write it: whoever can write it can say anything about the host. Everything in it but `format` may be left out.
//!
//! ```toml
//! format = 1
//! now = 2026-01-31T12:00:00Z     # the time of the audit; without it the real time
//! running = true                 # what is missing below /proc and /sys is absent, and an engine that is not described does not answer
//! owned_by_root = true           # what git keeps of a file, and no more: owner and group root, mode 0755 for directories and
//!                                # executables, 0644 for other files, last modified `now`
//!
//! [identity]                     # each taken from the files of the directory otherwise
//! name = "web-1"
//! os = "Debian GNU/Linux 12 (bookworm)"
//! kernel = "6.1.0-25-amd64"
//! architecture = "x86_64"
//! machine_id = "0123456789abcdef0123456789abcdef"
//! booted = 2026-01-30T08:00:00Z
//!
//! [[file]]                       # changes a path that is in the directory, or adds one that is not
//! path = "/run/docker.sock"
//! kind = "socket"                # file (the default), directory, link, socket, fifo, device, other, or absent: is not there
//! owner = 0                      # numbers
//! group = 998
//! mode = "0660"
//! modified = 2026-01-30T08:00:00Z
//!
//! [[file]]
//! path = "/proc/sys/net/ipv4/ip_forward"
//! content = "1\n"                # or content_hex = "310a"; size = 4 says another size than the content has
//!
//! [[file]]
//! path = "/var/run"
//! target = "/run"                # a link
//!
//! [[file]]
//! path = "/root"
//! gap = "denied"                 # every look at it and below it fails; any of `Gaps` below
//!
//! [[file]]
//! path = "/etc/cron.*/**"        # a glob changes owner, group, mode and modified of what is there; later entries win, exact paths over globs
//! mode = "0700"
//!
//! [[engine]]
//! socket = "/run/docker.sock"    # a socket is put there, root's with mode 0660, unless a `[[file]]` says otherwise
//! answers = "engine"             # folder beside this file; "engine" without it. Its layout is below
//! gap = { info = "denied" }      # questions that fail: ping, version, info, containers, container, images, image,
//!                                # networks, network, volumes
//!
//! [[process]]
//! pid = 1
//! exe = "/usr/lib/systemd/systemd"
//! namespaces = { mnt = 4026531841, net = 4026531840 }   # or gap = "denied"
//!
//! # deleted_code = "77 /usr/lib/x.so\n"  code whose file is gone, as lines of `PID PATH`; stands there too
//! # socket_owners = "77 4711\n"  who holds which sockets, as lines of `PID INODE`; stands above the first section
//! [audit_rules]                  # loaded rules: struct audit_rule_data, each in its netlink message, one after the other
//! hex = ""                       # in hexadecimal, blanks ignored; or file = "audit_rules.hex" beside this file, or gap = "denied"
//! [packet_filter]                # what nftables holds: netlink messages, in the same forms
//! file = "packet_filter.hex"
//! ```
//!
//! `Gaps`: `denied`, `unreachable`, `timed_out`, `too_large`, `malformed`, `not_collected`.
//!
//! # Answers of an engine
//!
//! The folder holds the bodies of the answers: `ping` (`OK` without it), `version.json`, `info.json`, `containers.json`,
//! `images.json`, `networks.json`, `volumes.json`, and in the folders `containers`, `images` and `networks` one file for
//! each answer to an inspect, under any name that ends in `.json`: they are told apart by their member `Id`, 64 hexadecimal digits with or
//! without `sha256:`. A list that is missing is made from its folder; without a folder it is not collected.

#![expect(clippy::disallowed_methods, reason = "what stands beside the directory of a host is given by who runs the audit")]

mod answers;
mod description;
mod overlay;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::busy::{Busy, InFlight};
use super::tree::{Tree, fact};
use super::{Entry, Host, Identity, Opened, ProcessLinks, Stat, engine::Route, identity, origin};
use crate::fact::{Fact, Gap, Origin, Reason};
use answers::Answers;
use description::Description;
pub use description::Error;
use overlay::Overlay;

/// A directory that holds a host.
pub struct Root {
    overlay: Overlay,
    engines: BTreeMap<PathBuf, Answers>,
    processes: BTreeMap<i32, Result<ProcessLinks, Reason>>,
    audit_rules: Result<Arc<[u8]>, Reason>,
    packet_filter: Result<Arc<[u8]>, Reason>,
    socket_owners: Option<Arc<[u8]>>,
    deleted_code: Option<Arc<[u8]>>,
    running: bool,
    now: DateTime<Utc>,
    identity: Identity,
    busy: Busy,
}

impl Root {
    /// The host in a directory, with the `host.toml` beside it where there is one; `now` is the time where that says none.
    ///
    /// # Errors
    /// Where the directory cannot be opened, or what stands beside it cannot be understood.
    pub fn open(directory: &Path, now: DateTime<Utc>) -> Result<Self, Error> {
        let open = |source: std::io::Error| Error::Open { path: directory.into(), source };
        let directory = directory.canonicalize().map_err(open)?;
        let tree = Tree::open(&directory, false).map_err(|error| open(error.into()))?;
        let (description, beside) = description::beside(&directory)?;
        let Description {
            now: at,
            running,
            owned_by_root,
            identity: said,
            file,
            engine,
            process,
            audit_rules,
            packet_filter,
            socket_owners,
            deleted_code,
            ..
        } = description;

        let now = at.map_or(now, |at| at.0);
        let mut overlay = Overlay::new(tree, running, owned_by_root.then_some(now));
        let sockets: Vec<PathBuf> = engine.iter().map(|engine| engine.socket.0.clone()).collect();
        sockets.iter().for_each(|socket| overlay.add_socket(socket));
        file.into_iter().for_each(|entry| overlay.add(entry));
        let mut engines = BTreeMap::new();
        for engine in engine {
            let socket = overlay.place(&engine.socket.0);
            engines.insert(socket, Answers::load(&beside, engine)?);
        }
        let host = Self {
            overlay,
            engines,
            processes: process.into_iter().map(description::ProcessEntry::into_links).collect(),
            audit_rules: audit_rules.map_or(Ok(Err(Reason::NotCollected)), |rules| rules.load(&beside))?,
            packet_filter: packet_filter.map_or(Ok(Err(Reason::NotCollected)), |messages| messages.load(&beside))?,
            socket_owners: socket_owners.map(|pairs| pairs.into_bytes().into()),
            deleted_code: deleted_code.map(|lines| lines.into_bytes().into()),
            running,
            now,
            identity: Identity::default(),
            busy: Busy::default(),
        };
        let files = identity::of_files(&host, directory.as_path().into());
        Ok(Self { identity: said.unwrap_or_default().over(files), ..host })
    }
}

impl Host for Root {
    fn read(&self, path: &Path) -> Fact<Arc<[u8]>> {
        let _look = self.busy.begin(path);
        fact(self.overlay.read(path), origin(path))
    }

    fn open(&self, path: &Path) -> Fact<Arc<Opened>> {
        let _look = self.busy.begin(path);
        fact(self.overlay.open(path).map(Arc::new), origin(path))
    }

    fn stat(&self, path: &Path) -> Fact<Stat> {
        let _look = self.busy.begin(path);
        fact(self.overlay.stat(path, true), Origin::stat(path))
    }

    fn lstat(&self, path: &Path) -> Fact<Stat> {
        let _look = self.busy.begin(path);
        fact(self.overlay.stat(path, false), Origin::stat(path))
    }

    fn link(&self, path: &Path) -> Fact<PathBuf> {
        let _look = self.busy.begin(path);
        fact(self.overlay.link(path), origin(path))
    }

    fn resolve(&self, path: &Path) -> Fact<PathBuf> {
        let _look = self.busy.begin(path);
        fact(self.overlay.resolve(path), origin(path))
    }

    fn list(&self, path: &Path) -> Fact<Arc<[Entry]>> {
        let _look = self.busy.begin(path);
        fact(self.overlay.list(path), origin(path))
    }

    fn engine(&self, socket: &Path, question: &Route) -> Fact<Arc<[u8]>> {
        let origin = Origin::engine(socket, question.to_string());
        match self.engines.get(&self.overlay.place(socket)) {
            Some(answers) => fact(answers.answer(question), origin),
            None => Fact::Unknown(Gap::new(origin, if self.running { Reason::Unreachable } else { Reason::NotCollected })),
        }
    }

    fn audit_rules(&self) -> Fact<Arc<[u8]>> {
        let origin = Origin::kernel("audit rules");
        match &self.audit_rules {
            Ok(rules) => Fact::Known(rules.clone(), origin),
            Err(reason) => Fact::Unknown(Gap::new(origin, reason.clone())),
        }
    }

    fn packet_filter(&self) -> Fact<Arc<[u8]>> {
        let origin = Origin::kernel("nftables");
        match &self.packet_filter {
            Ok(messages) => Fact::Known(messages.clone(), origin),
            Err(reason) => Fact::Unknown(Gap::new(origin, reason.clone())),
        }
    }

    fn socket_owners(&self) -> Fact<Arc<[u8]>> {
        super::brought(self.socket_owners.as_ref(), Origin::kernel("/proc"))
    }

    fn deleted_code(&self) -> Fact<Arc<[u8]>> {
        super::brought(self.deleted_code.as_ref(), Origin::kernel("/proc"))
    }

    fn process_links(&self, pid: i32) -> Fact<ProcessLinks> {
        let origin = Origin::kernel(format!("/proc/{pid}"));
        match self.processes.get(&pid) {
            Some(Ok(links)) => Fact::Known(links.clone(), origin),
            Some(Err(reason)) => Fact::Unknown(Gap::new(origin, reason.clone())),
            None => Fact::Unknown(Gap::new(origin, Reason::NotCollected)),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.now
    }

    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn parallelism(&self) -> usize {
        std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4))
    }

    fn in_flight(&self) -> Vec<InFlight> {
        self.busy.now()
    }
}

#[cfg(test)]
mod tests;
