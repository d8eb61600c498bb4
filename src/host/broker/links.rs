//! The links of a process as they travel: names and targets, each ended by a zero byte.

use crate::fact::Text;
use crate::host::ProcessLinks;

/// One link and its target, as it travels.
#[must_use]
pub(crate) fn encode(name: &str, target: &[u8]) -> Vec<u8> {
    [name.as_bytes(), target].into_iter().flat_map(|part| part.iter().copied().chain([0])).collect()
}

/// Reads what [`encode`] wrote; `None` where it is something else. Links that were not sent are not there.
pub(super) fn decode(bytes: &[u8]) -> Option<ProcessLinks> {
    let mut links = ProcessLinks::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (name, target);
        (name, rest) = until_zero(rest)?;
        (target, rest) = until_zero(rest)?;
        match name {
            b"exe" => links.exe = Some(Text::from_bytes(target)),
            name => {
                let name = std::str::from_utf8(name.strip_prefix(b"ns/")?).ok()?;
                links.namespaces.push((name.into(), inode(target)?));
            }
        }
    }
    Some(links)
}

fn until_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == 0)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

/// The number of `net:[4026531840]`.
fn inode(target: &[u8]) -> Option<u64> {
    let (_, number) = std::str::from_utf8(target).ok()?.split_once(":[")?;
    number.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_round_trip() {
        let bytes = [encode("exe", b"/usr/bin/\xff (deleted)"), encode("ns/net", b"net:[4026531840]")].concat();
        let links = decode(&bytes).unwrap();
        assert_eq!(links.exe.unwrap().raw(), "/usr/bin/\u{fffd} (deleted)");
        assert_eq!(links.namespaces, [("net".into(), 4_026_531_840)]);
        assert_eq!(decode(b""), Some(ProcessLinks::default()));
    }

    #[test]
    fn what_is_not_links_is_refused() {
        for bad in [&b"exe"[..], b"exe\0", b"exe\0/bin/sh", b"ns/net\0net:4026531840\0", b"cwd\0/\0", b"ns/net\0net:[x]\0"] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }
}
