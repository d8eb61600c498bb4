//! The kernel's tables of sockets, `/proc/net/{unix,tcp,tcp6,udp,udp6}`, as far as who listens where.

use std::net::SocketAddr;

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
    let TcpNetEntries(sockets) = TcpNetEntries::from_buf_read(bytes, &machine()).map_err(malformed)?;
    Ok(sockets.into_iter().filter(|socket| socket.state == TcpState::Listen).map(|socket| socket.local_address).collect())
}

/// The addresses of UDP sockets that take datagrams from anybody, from `udp` or `udp6`. Errors as for TCP.
pub fn listening_udp(bytes: &[u8]) -> Result<Vec<SocketAddr>, Reason> {
    let UdpNetEntries(sockets) = UdpNetEntries::from_buf_read(bytes, &machine()).map_err(malformed)?;
    Ok(sockets.into_iter().filter(|socket| socket.state == UdpState::Close).map(|socket| socket.local_address).collect())
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
    fn a_line_that_is_none_is_not_passed_over() {
        for odd in ["junk\n", "   0: 0100007F:0016\n", "   0: zz00007F:0016 00000000:0000 0A 0:0 0 0 0 0 1\n", "   0: é:0016 0:0 0A\n"] {
            assert!(matches!(listening_tcp((table(&[]) + odd).as_bytes()), Err(Reason::Malformed(_))), "{odd}");
        }
    }
}
