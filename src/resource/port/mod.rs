//! Ports of the host that take what others send: sockets that listen, and what engines publish without one.

mod holders;
mod published;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Reason, Text, record};
use crate::parse::sockets::{self, Bound};

use super::packet_filter::{Loaded, names_port};
use super::{Context, Resource, Selector};
use holders::{Holder, Holders};
use published::PublishedPorts;

record! {
    /// One port on one address of the host's own network, whether a socket listens there or an engine leads it into a container. A socket
    /// for IPv6 that listens on `::` takes IPv4 as well, and is one record. Where containers cannot be listed or a table cannot be read,
    /// a record of which nothing is known stands for what it holds.
    pub struct Port("port") {
        /// Protocol and number: `tcp/22`. For raw sockets the number of the protocol, `raw/1`; for packet sockets that of the Ethernet
        /// type, `packet/3`.
        endpoint: Text,
        /// `tcp`, `udp`, `udplite`, `sctp`, `raw` or `packet`.
        protocol: Text,
        /// Port number; of raw and packet sockets what the endpoint says.
        number: Integer,
        /// Address, IPv4 where it is one written as IPv6; absent for packet sockets.
        address: Text,
        /// `ipv4`, `ipv6` or both: what it takes. `::` takes both, unless another socket has IPv4 on that port; that the program asked for
        /// IPv6 alone cannot be seen otherwise.
        families: List,
        /// Whether others can send to it: not bound to loopback or link-local addresses only.
        reachable: Flag,
        /// Whether a socket listens. A port an engine publishes by address translation alone has none.
        listener: Flag,
        /// Short name of the process that holds the socket; where several do, not process 1 if it can be helped. Absent for sockets
        /// of the kernel's own and where none listens.
        process: Text,
        /// Process ids that hold the socket, as texts.
        pids: List,
        /// User id the socket belongs to; absent where none listens.
        uid: Integer,
        /// Unit that process runs in, such as `ssh.service`; absent outside of units.
        unit: Text,
        /// Container it belongs to, by name (by id where no engine tells it): the one that process runs in, or the one the port is published for. Absent for the host's own.
        container: Text,
        /// Whether an engine publishes it for a container.
        published: Flag,
        /// Whether packets to it are led into a container before the host's INPUT rules see them, so that neither they nor ufw decide.
        bypasses_firewall: Flag,
        /// Whether a rule of what filters incoming IPv4 names its port or a range with it; absent where it takes none, and for raw and
        /// packet sockets.
        firewalled_ipv4: Flag,
        /// The same of IPv6; absent too where no interface has it.
        firewalled_ipv6: Flag,
    }
}

/// Finds the records.
pub struct Ports;

impl Resource for Ports {
    type Row = Port;
    const SELECTOR: &'static str = "an endpoint such as `tcp/22`, or a glob such as `tcp/*`; what nobody listens on gives no record";

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let rows = sockets(context)?;
        let holders = Holders::of(context);
        let published = PublishedPorts::of(context);
        let mut found: Vec<Port> = rows.iter().map(|row| listening(row, &rows, &holders, &published)).collect();
        found.extend(published.unheard(&rows).map(|port| published.row(port)));
        let loaded = Loaded::of(context);
        for row in &mut found {
            (row.firewalled_ipv4, row.firewalled_ipv6) = (firewalled(&loaded, row, false), firewalled(&loaded, row, true));
        }
        found.retain(|row| row.endpoint.known().is_none_or(|endpoint| of.picks(endpoint.raw())));
        found.sort_by_cached_key(|row| {
            let text = |fact: &Fact<Text>| fact.known().map(|text| text.raw().to_owned());
            (text(&row.protocol), row.number.known().copied(), text(&row.address))
        });
        Ok(found)
    }
}

/// A socket, and the table it stands in.
pub(super) struct Socket {
    protocol: &'static str,
    path: &'static str,
    /// Nothing where the table could not be read.
    bound: Result<Bound, Gap>,
}

type Reader = fn(&[u8]) -> Result<Vec<Bound>, Reason>;

/// The kernel's tables in the network namespace of process 1. Our own may be another.
const TABLES: [(&str, &str, Reader); 10] = [
    ("tcp", "/proc/1/net/tcp", sockets::bound_tcp),
    ("tcp", "/proc/1/net/tcp6", sockets::bound_tcp),
    ("udp", "/proc/1/net/udp", sockets::bound_udp),
    ("udp", "/proc/1/net/udp6", sockets::bound_udp),
    ("udplite", "/proc/1/net/udplite", sockets::bound_udp),
    ("udplite", "/proc/1/net/udplite6", sockets::bound_udp),
    ("raw", "/proc/1/net/raw", sockets::bound_udp),
    ("raw", "/proc/1/net/raw6", sockets::bound_udp),
    ("packet", "/proc/1/net/packet", sockets::packet),
    ("sctp", "/proc/1/net/sctp/eps", sockets::listening_sctp),
];

/// Every socket that takes what anybody sends. An error where not even the first table is there.
fn sockets(context: &Context<'_>) -> Result<Vec<Socket>, Gap> {
    let mut found = Vec::new();
    for (at, (protocol, path, read)) in TABLES.into_iter().enumerate() {
        let origin = Origin::kernel(path);
        let bound = match context.host.read(Path::new(path)) {
            Fact::Known(bytes, _) => read(&bytes).map_err(|reason| Gap::new(origin, reason)),
            Fact::Unknown(gap) => Err(gap),
            // A kernel without IPv6 or SCTP has no table of it; one without TCP is not one.
            Fact::Absent(_) if at > 0 => Ok(Vec::new()),
            Fact::Absent(_) => return Err(Gap::new(origin, Reason::NotCollected)),
        };
        match bound {
            Ok(bound) => found.extend(bound.into_iter().map(|bound| Socket { protocol, path, bound: Ok(bound) })),
            Err(gap) if at == 0 => return Err(gap),
            Err(gap) => found.push(Socket { protocol, path, bound: Err(gap) }),
        }
    }
    Ok(found)
}

fn listening(socket: &Socket, all: &[Socket], holders: &Holders, published: &PublishedPorts) -> Port {
    let bound = match &socket.bound {
        Ok(bound) => bound,
        Err(gap) => return Port { protocol: Fact::derived(socket.protocol), ..Port::unknown(gap) },
    };
    let origin = Origin::kernel(socket.path);
    let address = bound.address.map(|address| address.to_canonical());
    let Holder { process, pids, unit, container } = holders.of_socket(bound.inode);
    let by_engine = address.and_then(|address| published.of_socket(socket.protocol, bound.number, address, &process));
    Port {
        endpoint: Fact::Known(endpoint(socket.protocol, bound.number), origin.clone()),
        protocol: Fact::Known(socket.protocol.into(), origin.clone()),
        number: Fact::Known(bound.number.into(), origin.clone()),
        address: address.map_or_else(|| Fact::Absent(origin.clone()), |address| Fact::Known(address.to_string().into(), origin.clone())),
        families: Fact::Known(
            if ipv4_is_elsewhere(socket, bound, all) { vec!["ipv6".into()] } else { families(bound.address) },
            origin.clone(),
        ),
        reachable: Fact::Known(address.is_none_or(reachable), origin.clone()),
        listener: Fact::Known(true, origin.clone()),
        process,
        pids,
        uid: Fact::Known(bound.uid.into(), origin),
        unit,
        container: by_engine.map_or_else(|| published.name_of(container), |port| Fact::Known(port.container.clone(), port.origin.clone())),
        published: published.is(by_engine),
        bypasses_firewall: published.bypasses(by_engine),
        firewalled_ipv4: Fact::Absent(Origin::Derived),
        firewalled_ipv6: Fact::Absent(Origin::Derived),
    }
}

fn firewalled(loaded: &Loaded, port: &Port, v6: bool) -> Fact<Flag> {
    let word = if v6 { "ipv6" } else { "ipv4" };
    let taken = port.families.as_ref().map(|families| families.iter().any(|family| family.raw() == word));
    match (taken, &loaded.ipv6, port.protocol.known(), port.number.known()) {
        (Fact::Unknown(gap), ..) => Fact::Unknown(gap),
        (Fact::Known(true, _), Fact::Known(false, origin), ..) if v6 => Fact::Absent(origin.clone()),
        (Fact::Known(true, _), _, Some(protocol), Some(number)) => {
            names_port(loaded, v6, protocol.raw(), u16::try_from(*number).unwrap_or_default())
        }
        (Fact::Known(..) | Fact::Absent(_), ..) => Fact::Absent(Origin::Derived),
    }
}

fn endpoint(protocol: &str, number: u16) -> Text {
    format!("{protocol}/{number}").into()
}

fn families(address: Option<IpAddr>) -> List {
    match address {
        Some(IpAddr::V6(address)) if address.is_unspecified() => vec!["ipv4".into(), "ipv6".into()],
        Some(address) if address.to_canonical().is_ipv4() => vec!["ipv4".into()],
        Some(_) => vec!["ipv6".into()],
        None => Vec::new(),
    }
}

/// Whether a socket on `::` leaves IPv4 to another one on the same port.
fn ipv4_is_elsewhere(socket: &Socket, bound: &Bound, all: &[Socket]) -> bool {
    bound.address == Some(IpAddr::from([0u16; 8]))
        && all.iter().any(|other| {
            let same = |other: &Bound| other.number == bound.number && other.address == Some(IpAddr::from([0u8; 4]));
            other.protocol == socket.protocol && other.bound.as_ref().is_ok_and(same)
        })
}

/// Whether packets from beyond the cable reach an address.
fn reachable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !address.is_loopback() && !address.is_link_local(),
        IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
    }
}
