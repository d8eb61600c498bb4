//! Reaching out, over the network and on this machine.

#![expect(clippy::disallowed_types, reason = "that none of them can be had is what is tested")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixDatagram, UnixListener, UnixStream};

use rustix::net::{AddressFamily, Shutdown, SocketType, netlink};

use super::{Act, done, forbidden};
use crate::host::broker::Broker as _;
use crate::host::engine::Route;

/// What is tried.
pub(super) const ACTS: &[Act] = &[
    forbidden("listen on TCP", |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map(drop)),
    forbidden("connect over TCP", |_| TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, 9))).map(drop)),
    forbidden("connect over TCP and IPv6", |_| family(AddressFamily::INET6, SocketType::STREAM)),
    forbidden("use UDP", |_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map(drop)),
    forbidden("connect to a socket in the file system", |on| UnixStream::connect(on.at("socket")).map(drop)),
    forbidden("listen on a socket in the file system", |on| UnixListener::bind(on.at("listening")).map(drop)),
    forbidden("send to a socket in the file system", |on| UnixDatagram::unbound()?.send_to(b"x", on.at("socket")).map(drop)),
    forbidden("connect to an abstract socket", |_| {
        UnixStream::connect_addr(&UnixAddress::from_abstract_name(b"plimsoll-self-test")?).map(drop)
    }),
    forbidden("make a pair of sockets", |_| UnixStream::pair().map(drop)),
    forbidden("send raw packets", |_| family(AddressFamily::PACKET, SocketType::RAW)),
    forbidden("send raw IP", |_| family(AddressFamily::INET, SocketType::RAW)),
    forbidden("talk to the routing table", |_| family(AddressFamily::NETLINK, SocketType::RAW)),
    forbidden("talk to the audit system", |_| netlink(netlink::AUDIT)),
    forbidden("talk to the firewall", |_| netlink(netlink::NETFILTER)),
    forbidden("talk to the device manager", |_| netlink(netlink::KOBJECT_UEVENT)),
    forbidden("use the kernel's cryptography", |_| family(AddressFamily::from_raw(38), SocketType::SEQPACKET)),
    forbidden("talk to a hypervisor", |_| family(AddressFamily::VSOCK, SocketType::STREAM)),
    forbidden("use Bluetooth", |_| family(AddressFamily::BLUETOOTH, SocketType::STREAM)),
    forbidden("use a CAN bus", |_| family(AddressFamily::CAN, SocketType::RAW)),
    forbidden("bypass the network stack", |_| family(AddressFamily::XDP, SocketType::RAW)),
    forbidden("listen on the broker's socket", |_| done(rustix::net::listen(io::stdin().as_fd(), 1))),
    forbidden("accept on the broker's socket", |_| done(rustix::net::accept(io::stdin().as_fd()))),
    forbidden("cut the broker's socket", |_| done(rustix::net::shutdown(io::stdin().as_fd(), Shutdown::Both))),
    forbidden("have the broker connect elsewhere", |on| match on.broker.engine(&on.at("socket"), &Route::Ping) {
        crate::fact::Fact::Unknown(gap) if matches!(gap.reason, crate::fact::Reason::Unsupported(_)) => Err(rustix::io::Errno::PERM.into()),
        other => Err(io::Error::other(format!("{other:?}"))),
    }),
];

fn family(family: AddressFamily, kind: SocketType) -> io::Result<()> {
    done(rustix::net::socket(family, kind, None))
}

fn netlink(protocol: rustix::net::Protocol) -> io::Result<()> {
    done(rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, Some(protocol)))
}
