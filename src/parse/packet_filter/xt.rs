//! Matches and targets of iptables inside of rules of nftables, as far as their binary form is looked into.

use super::{Condition, Numbers, Verdict};

/// What a match asks of a packet.
pub(super) fn matched(name: &str, revision: u32, info: &[u8]) -> Vec<Condition> {
    let understood = match name {
        "comment" => Some(Vec::new()),
        "tcp" => ports(info, 8, 11),
        "udp" | "udplite" => ports(info, 8, 8),
        "multiport" => multiport(revision, info),
        "state" => word(info, 0).map(|bits| vec![Condition::State(bits)]),
        "conntrack" => conntrack(revision, info),
        "addrtype" => addrtype(revision, info),
        "limit" | "hashlimit" | "icmp" | "icmp6" | "string" | "statistic" | "time" | "rt" | "frag" | "ah" | "esp" | "hbh" | "dst" => {
            Some(vec![Condition::Restricts])
        }
        _ => None,
    };
    understood.unwrap_or_else(|| vec![Condition::Opaque])
}

/// What a target does; `None` where it is not known.
pub(super) fn target(name: &str) -> Option<Verdict> {
    Some(match name {
        "LOG" | "NFLOG" | "ULOG" | "MARK" | "CONNMARK" | "CT" | "NOTRACK" | "TCPMSS" | "TCPOPTSTRIP" | "TOS" | "DSCP" | "TTL" | "HL"
        | "AUDIT" | "CHECKSUM" | "CLASSIFY" | "SECMARK" | "CONNSECMARK" | "SET" | "TRACE" | "TEE" | "HMARK" | "IDLETIMER" | "LED"
        | "RATEEST" => Verdict::Continue,
        "REJECT" => Verdict::Drop,
        "DNAT" => Verdict::Translate,
        "SNAT" | "MASQUERADE" | "REDIRECT" | "NETMAP" => Verdict::Accept,
        "NFQUEUE" => Verdict::Opaque,
        _ => return None,
    })
}

fn half(info: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*info.get(at..)?.first_chunk()?))
}

fn word(info: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*info.get(at..)?.first_chunk()?))
}

/// `struct xt_tcp` and `struct xt_udp`: source ports, destination ports, then options up to what is inverted.
fn ports(info: &[u8], options: usize, inverted: usize) -> Option<Vec<Condition>> {
    const EVERY: (u16, u16) = (0, u16::MAX);
    let source = (half(info, 0)?, half(info, 2)?);
    let destination = (half(info, 4)?, half(info, 6)?);
    let inverted_bits = *info.get(inverted)?;
    let mut conditions = Vec::new();
    if destination != EVERY {
        conditions.push(Condition::Port(Numbers { ranges: vec![destination], not: inverted_bits & 2 != 0 }));
    }
    let other = info.get(options..inverted)?.iter().any(|byte| *byte != 0);
    if source != EVERY || other {
        conditions.push(Condition::Restricts);
    }
    Some(conditions)
}

/// `struct xt_multiport_v1`: kind, count, fifteen ports, which of them begin ranges, inversion.
fn multiport(revision: u32, info: &[u8]) -> Option<Vec<Condition>> {
    const DESTINATION: u8 = 1;
    let (kind, count) = (*info.first()?, usize::from(*info.get(1)?));
    if revision != 1 || kind != DESTINATION {
        return Some(vec![Condition::Restricts]);
    }
    let not = *info.get(47)? != 0;
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < count {
        let port = half(info, 2 + 2 * at)?;
        let begins = *info.get(32 + at)? != 0;
        let last = if begins { half(info, 4 + 2 * at)? } else { port };
        ranges.push((port, last));
        at += if begins { 2 } else { 1 };
    }
    Some(vec![Condition::Port(Numbers { ranges, not })])
}

/// `struct xt_conntrack_mtinfo1` to `3`: after addresses and ports, which of its parts are asked for, which are inverted, states.
fn conntrack(revision: u32, info: &[u8]) -> Option<Vec<Condition>> {
    const STATE: u16 = 1;
    let (asked, inverted) = (half(info, 146)?, half(info, 148)?);
    let bits = match revision {
        1 => u32::from(*info.get(150)?),
        2 | 3 => u32::from(half(info, 150)?),
        _ => return None,
    };
    let mut conditions = Vec::new();
    if asked & STATE != 0 {
        conditions.push(Condition::State(if inverted & STATE != 0 { !bits } else { bits }));
    }
    if asked & !STATE != 0 {
        conditions.push(Condition::Opaque);
    }
    Some(conditions)
}

/// `struct xt_addrtype_info_v1`: kinds of source, kinds of destination, flags.
fn addrtype(revision: u32, info: &[u8]) -> Option<Vec<Condition>> {
    const LOCAL: u16 = 1 << 2;
    let (source, destination) = (half(info, 0)?, half(info, 2)?);
    let flags = word(info, 4)?;
    let plain = revision == 1 && source == 0 && flags == 0;
    (plain && destination & LOCAL != 0).then(|| vec![Condition::ToHost])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_matches() {
        let tcp = [0, 0, 255, 255, 22, 0, 23, 0, 0, 0, 0, 0];
        assert_eq!(matched("tcp", 0, &tcp), [Condition::Port(Numbers { ranges: vec![(22, 23)], not: false })]);
        let mut flags = tcp;
        flags[9] = 2;
        assert!(matched("tcp", 0, &flags).contains(&Condition::Restricts));
        let mut multiport = vec![1, 3];
        multiport.extend([80u16, 8000, 8080].iter().flat_map(|port| port.to_ne_bytes()));
        multiport.resize(32, 0);
        multiport.extend([0, 1, 0]);
        multiport.resize(48, 0);
        assert_eq!(matched("multiport", 1, &multiport), [Condition::Port(Numbers { ranges: vec![(80, 80), (8000, 8080)], not: false })]);
        let mut conntrack = vec![0; 164];
        conntrack[146] = 1;
        conntrack[150] = 6;
        assert_eq!(matched("conntrack", 3, &conntrack), [Condition::State(6)]);
        let local = [0, 0, 4, 0, 0, 0, 0, 0];
        assert_eq!(matched("addrtype", 1, &local), [Condition::ToHost]);
        assert_eq!(matched("addrtype", 1, &[0, 0, 4, 0, 2, 0, 0, 0]), [Condition::Opaque]);
        assert_eq!(matched("brandnew", 0, &[]), [Condition::Opaque]);
        for name in ["tcp", "udp", "multiport", "state", "conntrack", "addrtype"] {
            for length in 0..48 {
                let _ = matched(name, 1, &vec![1; length]);
            }
        }
    }
}
