//! On which addresses a node listens for other nodes.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::parse::sockets::{listening_tcp, listening_udp};
use crate::resource::Context;
use crate::resource::docker::Engine;

/// A table of sockets, the protocol it is of, and how it is read.
type Table = (&'static str, &'static str, fn(&[u8]) -> Result<Vec<SocketAddr>, Reason>);

const TABLES: [Table; 4] =
    [("tcp", "tcp", listening_tcp), ("tcp6", "tcp", listening_tcp), ("udp", "udp", listening_udp), ("udp6", "udp", listening_udp)];

/// Whether a port is one on which nodes talk to each other: managers on 2377, all of them on 7946.
fn is_control(protocol: &str, port: u16) -> bool {
    port == 7946 || (port == 2377 && protocol == "tcp")
}

/// Control listeners that take connections on every address, from the tables of the daemon's own network namespace.
pub(super) fn unbound(context: &Context<'_>, engine: &Engine) -> Fact<Vec<Text>> {
    let Some(process) = &engine.process else {
        return Fact::Unknown(Gap::new(Origin::kernel("/proc"), Reason::unsupported("no process of the daemon was seen")));
    };
    let directory = PathBuf::from(format!("/proc/{}/net", process.pid));
    let origin = Origin::kernel(directory.as_path());
    let (mut seen, mut unbound) = (false, BTreeSet::new());
    for (file, protocol, read) in TABLES {
        match context.host.read(&directory.join(file)) {
            Fact::Known(table, _) => {
                let addresses = match read(&table) {
                    Ok(addresses) => addresses,
                    Err(reason) => return Fact::Unknown(Gap::new(origin, reason)),
                };
                for address in addresses.into_iter().filter(|address| is_control(protocol, address.port())) {
                    seen = true;
                    if address.ip().to_canonical().is_unspecified() {
                        unbound.insert(Text::from(format!("{protocol}/{}", address.port())));
                    }
                }
            }
            // A kernel without IPv6 has no tables of it.
            Fact::Absent(_) if file.ends_with('6') => {}
            Fact::Absent(_) => return Fact::Unknown(Gap::new(origin, Reason::NotCollected)),
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        }
    }
    if seen {
        Fact::Known(unbound.into_iter().collect(), origin)
    } else {
        Fact::Unknown(Gap::new(origin, Reason::unsupported("no listener of the swarm was seen where the daemon runs")))
    }
}
