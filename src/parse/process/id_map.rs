//! `/proc/PID/uid_map` and `gid_map`: what ids of a user namespace are outside of it.

use crate::fact::Reason;

/// How ids of a user namespace map to those of the host: first inside, first outside, how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdMap(Vec<(u32, u32, u32)>);

impl IdMap {
    /// Reads `uid_map` or `gid_map`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        let line = |line: &str| {
            let mut numbers = line.split_whitespace().map(str::parse);
            let ranges = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
            numbers.next().is_none().then_some(ranges)
        };
        let lines = std::str::from_utf8(bytes).ok().and_then(|text| text.lines().map(line).collect::<Option<_>>());
        lines.map(Self).ok_or_else(|| Reason::malformed("a line is not three numbers"))
    }

    /// The id inside of an id of the host; none where the namespace has no such id.
    #[must_use]
    pub fn inside(&self, outside: u32) -> Option<u32> {
        self.0.iter().find_map(|(inside, first, count)| {
            let offset = outside.checked_sub(*first).filter(|offset| offset < count)?;
            inside.checked_add(offset)
        })
    }

    /// Whether it is that of the initial user namespace: every id as it is.
    #[must_use]
    pub fn is_initial(&self) -> bool {
        self.0 == [(0, 0, u32::MAX)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_mapped() {
        let map = IdMap::parse(b"         0     100000      65536\n     70000          5          1\n").unwrap();
        assert_eq!((map.inside(100_000), map.inside(100_999), map.inside(5), map.inside(0)), (Some(0), Some(999), Some(70_000), None));
        assert!(!map.is_initial() && IdMap::parse(b"         0          0 4294967295\n").unwrap().is_initial());
        assert!(IdMap::parse(b"0 0").is_err() && IdMap::parse(b"\xff").is_err());
    }
}
