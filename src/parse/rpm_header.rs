//! Headers of rpm packages, as the rpm database holds them.

use crate::fact::Reason;

/// What a header says of its package.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// Name.
    pub name: String,
    /// `EPOCH:VERSION-RELEASE`, the epoch left out where there is none.
    pub version: String,
    /// Architecture; absent for keys, which are kept as if they were packages.
    pub architecture: Option<String>,
    /// File name of the source package, where it was asked for.
    pub source: Option<String>,
}

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const ARCHITECTURE: u32 = 1022;
const SOURCE: u32 = 1044;

/// The most entries a header may have; real ones have about a hundred.
const MOST_ENTRIES: usize = 4096;
/// The longest text that is wanted of a header.
const LONGEST: usize = 1024;

/// How many bytes the index of a header takes, told by its first eight.
pub fn index_length(head: &[u8]) -> Result<usize, Reason> {
    let entries = be32(head, 0).ok_or_else(cut)? as usize;
    if entries > MOST_ENTRIES {
        return Err(Reason::malformed("a header has more entries than any real one"));
    }
    Ok(8 + 16 * entries)
}

/// How much of a header must be read to know what is wanted of it, told by its index.
pub fn needed(head: &[u8], with_source: bool) -> Result<usize, Reason> {
    let index = index_length(head)?;
    let wanted = |tag: u32| matches!(tag, NAME | VERSION | RELEASE | EPOCH | ARCHITECTURE) || (with_source && tag == SOURCE);
    let last = entries(head)?.filter(|entry| wanted(entry.tag)).map(|entry| entry.offset).max().unwrap_or(0);
    Ok(index + last + LONGEST)
}

/// Reads a header, or as much of it as [`needed`] says.
pub fn parse(head: &[u8]) -> Result<Header, Reason> {
    let data = head.get(index_length(head)?..).ok_or_else(cut)?;
    let (mut release, mut epoch) = (None, None);
    let (mut name, mut version, mut header) = (None, None, Header::default());
    for entry in entries(head)? {
        let text = || {
            let bytes = data.get(entry.offset..)?;
            let end = bytes.iter().take(LONGEST).position(|byte| *byte == 0)?;
            Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
        };
        // Texts are of type 6, numbers of type 4.
        match (entry.tag, entry.kind) {
            (NAME, 6) => name = text(),
            (VERSION, 6) => version = text(),
            (RELEASE, 6) => release = text(),
            (ARCHITECTURE, 6) => header.architecture = text(),
            (SOURCE, 6) => header.source = text(),
            (EPOCH, 4) => epoch = Some(data.get(entry.offset..).and_then(|bytes| be32(bytes, 0)).ok_or_else(cut)?),
            _ => {}
        }
    }
    let (Some(name), Some(version), Some(release)) = (name, version, release) else {
        return Err(Reason::malformed("a header without name, version and release"));
    };
    header.name = name;
    header.version = epoch.map_or_else(|| format!("{version}-{release}"), |epoch| format!("{epoch}:{version}-{release}"));
    Ok(header)
}

struct Entry {
    tag: u32,
    kind: u32,
    offset: usize,
}

fn entries(head: &[u8]) -> Result<impl Iterator<Item = Entry>, Reason> {
    let index = head.get(8..index_length(head)?).ok_or_else(cut)?;
    let (entries, _) = index.as_chunks::<16>();
    Ok(entries
        .iter()
        .filter_map(|entry| Some(Entry { tag: be32(entry, 0)?, kind: be32(entry, 4)?, offset: usize::try_from(be32(entry, 8)?).ok()? })))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|number| u32::from_be_bytes(*number))
}

fn cut() -> Reason {
    Reason::malformed("a header is cut off")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(entries: &[(u32, u32, u32)], data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
        bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        for (tag, kind, offset) in entries {
            for number in [*tag, *kind, *offset, 1] {
                bytes.extend(number.to_be_bytes());
            }
        }
        bytes.extend(data);
        bytes
    }

    #[test]
    fn headers_are_read_and_cut_ones_refused() {
        let data = b"bash\x005.1\x009.el9\0\0\0\0\0\x01x86_64\0bash.src.rpm\0";
        let bytes = header(
            &[(63, 7, 0), (NAME, 6, 0), (VERSION, 6, 5), (RELEASE, 6, 9), (EPOCH, 4, 16), (ARCHITECTURE, 6, 20), (SOURCE, 6, 27)],
            data,
        );
        let found = parse(&bytes).unwrap();
        assert_eq!((found.name.as_str(), found.version.as_str(), found.architecture.as_deref()), ("bash", "1:5.1-9.el9", Some("x86_64")));
        assert_eq!(found.source.as_deref(), Some("bash.src.rpm"));
        assert_eq!(needed(&bytes, false).unwrap(), 8 + 16 * 7 + 20 + LONGEST);
        for end in 0..bytes.len() {
            if let Ok(part) = parse(&bytes[..end]) {
                // What is cut is what was not needed.
                assert_eq!(part.version, "1:5.1-9.el9");
            }
        }
        assert!(parse(&[0xff; 8]).is_err());
        assert!(parse(&header(&[(NAME, 6, u32::MAX)], b"x\0")).is_err());
    }
}
