//! The kernel's tables of sockets, `/proc/net/{unix,tcp,tcp6,udp,udp6}`, as far as who listens where.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The names of unix sockets that listen: paths, or `@` and an abstract name.
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

/// The addresses of TCP sockets that listen, from `tcp` or `tcp6`.
#[must_use]
pub fn listening_tcp(bytes: &[u8]) -> Vec<SocketAddr> {
    in_state(bytes, "0A")
}

/// The addresses of UDP sockets that take datagrams from anybody, from `udp` or `udp6`.
#[must_use]
pub fn listening_udp(bytes: &[u8]) -> Vec<SocketAddr> {
    in_state(bytes, "07")
}

fn in_state(bytes: &[u8], state: &str) -> Vec<SocketAddr> {
    let listens = |line: &str| {
        let mut fields = line.split_whitespace();
        let (address, port) = fields.nth(1)?.split_once(':')?;
        let listening = fields.nth(1)? == state;
        let address = SocketAddr::new(self::address(address)?, u16::from_str_radix(port, 16).ok()?);
        listening.then_some(address)
    };
    String::from_utf8_lossy(bytes).lines().skip(1).filter_map(listens).collect()
}

/// An address as the kernel prints it: words of 32 bits as the processor holds them, which is least byte first on
/// every machine that is built here.
fn address(hex: &str) -> Option<IpAddr> {
    let words: Vec<[u8; 4]> = (0..hex.len() / 8)
        .map(|at| hex.get(at * 8..at * 8 + 8).and_then(|word| u32::from_str_radix(word, 16).ok()).map(u32::to_le_bytes))
        .collect::<Option<_>>()?;
    let bytes = words.concat();
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| Ipv4Addr::from(bytes).into()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|bytes| Ipv6Addr::from(bytes).into()),
        _ => None,
    }
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

    #[test]
    fn tcp_sockets_that_listen() {
        let text = "  sl  local_address rem_address   st\n   0: 0100007F:0016 00000000:0000 0A 0\n   1: 0100007F:0017 0100007F:9999 01 0\n   2: junk 0A\n";
        assert_eq!(listening_tcp(text.as_bytes()), ["127.0.0.1:22".parse().unwrap()]);
        let text = "  sl\n   0: 00000000:1F0A 00000000:0000 07\n   1: 0100007F:0035 0100007F:0036 01\n";
        assert_eq!(listening_udp(text.as_bytes()), ["0.0.0.0:7946".parse().unwrap()]);
        let text = "  sl\n   0: 00000000000000000000000001000000:0050 0:0 0A\n   1: 00000000000000000000000000000000:0051 0:0 0A\n";
        assert_eq!(listening_tcp(text.as_bytes()), ["[::1]:80".parse().unwrap(), "[::]:81".parse().unwrap()]);
    }
}
