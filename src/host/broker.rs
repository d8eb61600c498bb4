//! The closed list of questions the sealed worker may ask of its supervisor.

use std::path::Path;
use std::sync::Arc;

use super::{ProcessLinks, engine::Route};
use crate::fact::Fact;

/// Answers the questions a process without sockets and without rights over others cannot answer itself.
pub trait Broker: Send + Sync {
    /// The raw HTTP answer of an engine, status line and headers included.
    fn engine(&self, socket: &Path, route: &Route) -> Fact<Arc<[u8]>>;

    /// The loaded audit rules, as netlink messages, `NLMSG_DONE` included.
    fn audit_rules(&self) -> Fact<Arc<[u8]>>;

    /// Executable and namespaces of a process.
    fn process_links(&self, pid: i32) -> Fact<ProcessLinks>;
}
