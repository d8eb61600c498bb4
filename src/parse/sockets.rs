//! The kernel's tables of sockets, `/proc/net/{unix,tcp,tcp6,udp,udp6,raw,raw6,packet,sctp/eps}`, as far as who listens where.

use std::net::{IpAddr, SocketAddr};

use procfs::net::{TcpNetEntries, TcpState, UdpNetEntries, UdpState};
use procfs::{ExplicitSystemInfo, FromBufReadSI as _, ProcError};

use super::process::TICKS_PER_SECOND;
use crate::fact::Reason;

/// The names of unix sockets that listen: paths, or `@` and an abstract name. Whoever binds a socket chooses its name, and may
/// put line breaks in it: lines that are none are passed over, for nobody shall be able to hide what others listen on.
#[must_use]
pub fn listening_unix(bytes: &[u8]) -> Vec<String> {
    const ACCEPTS: u32 = 0x0001_0000;
    let listens = |line: &str| {
        let mut fields = line.split_whitespace();
        let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
        // Type, state and inode come before the name, which may hold blanks.
        let inode = fields.nth(2)?;
        let (_, name) = line.split_once(&format!(" {inode} "))?;
        (flags & ACCEPTS != 0).then(|| name.to_owned())
    };
    String::from_utf8_lossy(bytes).lines().skip(1).filter_map(listens).collect()
}

/// The addresses of TCP sockets that listen, from `tcp` or `tcp6`. Errors where a line is not one of such a table.
pub fn listening_tcp(bytes: &[u8]) -> Result<Vec<SocketAddr>, Reason> {
    Ok(bound_tcp(bytes)?.into_iter().filter_map(|bound| Some(SocketAddr::new(bound.address?, bound.number))).collect())
}

/// A socket that takes what anybody sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The address it is bound to; none for packet sockets, which are bound to interfaces.
    pub address: Option<IpAddr>,
    /// Port; for raw sockets the number of the protocol, for packet sockets that of the Ethernet type.
    pub number: u16,
    /// The user it belongs to.
    pub uid: u32,
    /// The number of the socket, by which its processes are found.
    pub inode: u64,
    /// Of a packet socket, the number of the interface; 0 for all.
    pub interface: u32,
}

/// The TCP sockets that listen, from `tcp` or `tcp6`. Errors where a line is not one of such a table.
pub fn bound_tcp(bytes: &[u8]) -> Result<Vec<Bound>, Reason> {
    let TcpNetEntries(sockets) = TcpNetEntries::from_buf_read(bytes, &machine()).map_err(malformed)?;
    let listen = sockets.into_iter().filter(|socket| socket.state == TcpState::Listen);
    Ok(listen.map(|socket| bound(socket.local_address, socket.uid, socket.inode)).collect())
}

/// The UDP or raw sockets that are not connected, from `udp`, `udp6`, `raw` or `raw6`. Errors as for TCP.
pub fn bound_udp(bytes: &[u8]) -> Result<Vec<Bound>, Reason> {
    let UdpNetEntries(sockets) = UdpNetEntries::from_buf_read(bytes, &machine()).map_err(malformed)?;
    let open = sockets.into_iter().filter(|socket| socket.state == UdpState::Close);
    Ok(open.map(|socket| bound(socket.local_address, socket.uid, socket.inode)).collect())
}

fn bound(address: SocketAddr, uid: u32, inode: u64) -> Bound {
    Bound { address: Some(address.ip()), number: address.port(), uid, inode, interface: 0 }
}

/// The packet sockets, from `packet`: they see all that passes, whatever a filter says.
pub fn packet(bytes: &[u8]) -> Result<Vec<Bound>, Reason> {
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, _, _, protocol, interface, _, _, uid, inode] = fields[..] else { return None };
        Some(Bound {
            address: None,
            number: u16::from_str_radix(protocol, 16).ok()?,
            uid: uid.parse().ok()?,
            inode: inode.parse().ok()?,
            interface: interface.parse().ok()?,
        })
    };
    lines(bytes, |text| line(text).map(|bound| vec![bound]))
}

/// The SCTP sockets that listen, one for each of their addresses, from `sctp/eps`.
pub fn listening_sctp(bytes: &[u8]) -> Result<Vec<Bound>, Reason> {
    const LISTENING: &str = "10";
    let line = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(3);
        let (state, _, port, uid, inode) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let (number, uid, inode) = (port.parse().ok()?, uid.parse().ok()?, inode.parse().ok()?);
        let addresses = fields.map(|address| address.trim_start_matches('*').parse().ok()).collect::<Option<Vec<IpAddr>>>()?;
        let listens = state == LISTENING;
        let of = |address| Bound { address: Some(address), number, uid, inode, interface: 0 };
        Some(addresses.into_iter().filter(|_| listens).map(of).collect())
    };
    lines(bytes, line)
}

/// What is made of every line but the first, which names the columns.
fn lines(bytes: &[u8], read: impl Fn(&str) -> Option<Vec<Bound>>) -> Result<Vec<Bound>, Reason> {
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::malformed("not a table of sockets"))?;
    let all = text.lines().skip(1).map(|line| read(line).ok_or_else(|| Reason::malformed("not a table of sockets")));
    Ok(all.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Processes that hold sockets: process id and number of the socket; none for a process whose descriptors could not be read.
/// Lines that are none are passed over: only the kernel writes them.
#[must_use]
pub fn owners(bytes: &[u8]) -> Vec<(i32, Option<u64>)> {
    let line = |line: &str| {
        let (pid, inode) = line.split_once(' ')?;
        let inode = if inode == "-" { None } else { Some(inode.parse().ok()?) };
        Some((pid.parse().ok()?, inode))
    };
    String::from_utf8_lossy(bytes).lines().filter_map(line).collect()
}

/// The addresses of UDP sockets that take datagrams from anybody, from `udp` or `udp6`. Errors as for TCP.
pub fn listening_udp(bytes: &[u8]) -> Result<Vec<SocketAddr>, Reason> {
    Ok(bound_udp(bytes)?.into_iter().filter_map(|bound| Some(SocketAddr::new(bound.address?, bound.number))).collect())
}

/// What the tables depend on: addresses stand in them as the processor holds them.
fn machine() -> ExplicitSystemInfo {
    ExplicitSystemInfo {
        boot_time_secs: 0,
        ticks_per_second: TICKS_PER_SECOND,
        page_size: 4096,
        is_little_endian: cfg!(target_endian = "little"),
    }
}

/// What the parser says of an odd line speaks of its own source.
fn malformed(_: ProcError) -> Reason {
    Reason::malformed("not a table of sockets")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_sockets_that_accept() {
        let text = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 29535 /run/docker.sock\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 29536 /run/other\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 29537\n\
            0000000000000000: 00000002 00000000 00010000 0005 01 29538 @a b\n";
        assert_eq!(listening_unix(text.as_bytes()), ["/run/docker.sock", "@a b"]);
    }

    /// A table with these local addresses and states.
    fn table(sockets: &[(&str, &str)]) -> String {
        let line = |(address, state): &(&str, &str)| {
            let other = address.split_once(':').unwrap().0.replace(|c: char| c != '0', "0");
            format!("   0: {address} {other}:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 18734 1 0\n")
        };
        sockets.iter().fold("  sl  local_address rem_address   st …\n".to_owned(), |table, socket| table + &line(socket))
    }

    #[test]
    fn tcp_sockets_that_listen() {
        let listening = |sockets: &[(&str, &str)]| listening_tcp(table(sockets).as_bytes()).unwrap();
        assert_eq!(listening(&[("0100007F:0016", "0A"), ("0100007F:0017", "01")]), ["127.0.0.1:22".parse().unwrap()]);
        let sockets = [("00000000000000000000000001000000:0050", "0A"), ("00000000000000000000000000000000:0051", "0A")];
        assert_eq!(listening(&sockets), ["[::1]:80".parse().unwrap(), "[::]:81".parse().unwrap()]);
        let udp = listening_udp(table(&[("00000000:1F0A", "07"), ("0100007F:0035", "01")]).as_bytes());
        assert_eq!(udp, Ok(vec!["0.0.0.0:7946".parse().unwrap()]));
    }

    #[test]
    fn packet_and_sctp_sockets() {
        let text = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n0000000000000000 3      3    0003   2     1 0      0      77\n";
        assert_eq!(packet(text.as_bytes()), Ok(vec![Bound { address: None, number: 3, uid: 0, inode: 77, interface: 2 }]));
        let text = " ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS\n\
            0 0 2   10  29   3868    0 1918 0.0.0.0\n0 0 2   7  29   99    0 1919 *127.0.0.1\n";
        let sctp = listening_sctp(text.as_bytes()).unwrap();
        assert_eq!(sctp, [Bound { address: Some("0.0.0.0".parse().unwrap()), number: 3868, uid: 0, inode: 1918, interface: 0 }]);
        assert!(packet(b"x\nshort\n").is_err() && listening_sctp(b"x\n1 2 3\n").is_err());
    }

    #[test]
    fn tables_cut_anywhere_do_not_panic() {
        let text = table(&[("0100007F:0016", "0A"), ("00000000:0017", "07")]);
        for cut in 0..text.len() {
            let bytes = text.get(..cut).unwrap_or_default().as_bytes();
            let _ = (bound_tcp(bytes), bound_udp(bytes), packet(bytes), listening_sctp(bytes), owners(bytes));
        }
    }

    #[test]
    fn who_holds_sockets() {
        assert_eq!(owners(b"1 -\n77 4711\nx\n"), [(1, None), (77, Some(4711))]);
    }

    #[test]
    fn a_line_that_is_none_is_not_passed_over() {
        for odd in ["junk\n", "   0: 0100007F:0016\n", "   0: zz00007F:0016 00000000:0000 0A 0:0 0 0 0 0 1\n", "   0: é:0016 0:0 0A\n"] {
            assert!(matches!(listening_tcp((table(&[]) + odd).as_bytes()), Err(Reason::Malformed(_))), "{odd}");
        }
    }
}
