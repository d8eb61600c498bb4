//! The closed list of questions the sealed worker may ask of its supervisor.
//!
//! The worker has no sockets and no rights over other processes, so six things must be asked for: what an
//! engine answers, which audit rules are loaded, what the packet filter holds, which processes hold which sockets, which run
//! code whose file is gone, and where a process's links point. [`frame`] is how a question and its answer travel, [`Client`]
//! the worker's end. Answers are raw bytes; only the worker parses them.

mod client;
pub mod frame;
pub(crate) mod links;

use std::path::Path;
use std::sync::Arc;

use super::{ProcessLinks, engine::Route};
use crate::fact::{Fact, Gap, Origin, Reason};
pub use client::Client;

/// The links of a process that are asked for: the name below `/proc/PID`.
pub const PROCESS_LINKS: [&str; 9] = ["exe", "ns/cgroup", "ns/ipc", "ns/mnt", "ns/net", "ns/pid", "ns/time", "ns/user", "ns/uts"];

/// Answers the questions a process without sockets and without rights over others cannot answer itself.
pub trait Broker: Send + Sync {
    /// The raw HTTP answer of an engine, status line and headers included.
    fn engine(&self, socket: &Path, route: &Route) -> Fact<Arc<[u8]>>;

    /// The status of the audit system and its loaded rules, as netlink messages, `NLMSG_DONE` included.
    fn audit_rules(&self) -> Fact<Arc<[u8]>>;

    /// What nftables holds, as netlink messages.
    fn packet_filter(&self) -> Fact<Arc<[u8]>> {
        Fact::Unknown(Gap::new(Origin::kernel("nftables"), Reason::NotCollected))
    }

    /// Which processes hold which sockets, as lines of `PID INODE`.
    fn socket_owners(&self) -> Fact<Arc<[u8]>> {
        Fact::Unknown(Gap::new(Origin::kernel("/proc"), Reason::NotCollected))
    }

    /// Which processes run code whose file was removed or replaced, as lines of `PID PATH`; `PID -` for one whose maps cannot be read.
    fn deleted_code(&self) -> Fact<Arc<[u8]>> {
        Fact::Unknown(Gap::new(Origin::kernel("/proc"), Reason::NotCollected))
    }

    /// Executable and namespaces of a process.
    fn process_links(&self, pid: i32) -> Fact<ProcessLinks>;
}
