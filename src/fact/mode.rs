//! The twelve permission bits of a file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Permission bits: set-uid, set-gid, sticky, and read, write, execute for owner, group and others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Mode(u16);

impl Mode {
    /// The permission bits of `st_mode`; the file type is dropped.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self((bits & 0o7777) as u16)
    }

    /// Reads three or four octal digits, such as `0640`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let octal = matches!(text.len(), 3 | 4) && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
        octal.then(|| u16::from_str_radix(text, 8).ok().map(Self)).flatten()
    }

    /// The twelve bits.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.0
    }

    /// No bit outside `most`. This is what "0640 or stricter" means; a numeric compare is not.
    #[must_use]
    pub fn within(self, most: Self) -> bool {
        self.0 & !most.0 == 0
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl Serialize for Mode {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl schemars::JsonSchema for Mode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Mode".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-7]{3,4}$", "description": "Permission bits in octal." })
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a mode is three or four octal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stricter_is_inclusion_not_size() {
        let most = Mode::parse("0644").unwrap();
        assert!(Mode::parse("0600").unwrap().within(most));
        assert!(!Mode::parse("617").unwrap().within(most));
        assert!(!Mode::parse("4644").unwrap().within(most), "set-uid is a bit like any other");
        assert_eq!(Mode::parse("0o644"), None);
        assert_eq!(Mode::parse("0689"), None);
        assert_eq!(Mode::from_bits(0o100_640).to_string(), "0640");
    }
}
