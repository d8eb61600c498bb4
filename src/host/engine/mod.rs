//! Container engines: the ten fixed questions, and how their answers are read.

mod answer;

use std::fmt;

pub use answer::body;

/// The only questions ever put to an engine. All are GET; none attaches, runs, exports or waits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Route {
    /// `/_ping`
    Ping,
    /// `/version`
    Version,
    /// `/info`
    Info,
    /// `/containers/json?all=1`
    Containers,
    /// `/containers/ID/json`
    Container(Id),
    /// `/images/json`
    Images,
    /// `/images/ID/json`
    Image(Id),
    /// `/networks`
    Networks,
    /// `/networks/ID`
    Network(Id),
    /// `/volumes`
    Volumes,
}

impl Route {
    /// Whether it is about one container, image or network, which may be gone.
    #[must_use]
    pub fn is_about_one(&self) -> bool {
        matches!(self, Self::Container(_) | Self::Image(_) | Self::Network(_))
    }
}

/// The 256-bit identifier of a container, image or network. Being raw bytes, it cannot carry a path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub [u8; 32]);

impl Id {
    /// Reads 64 hexadecimal digits, with or without `sha256:` before them. Podman and Docker use both.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        let mut id = [0; 32];
        for (byte, pair) in id.iter_mut().zip(digits.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(id))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The request target.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ping => f.write_str("/_ping"),
            Self::Version => f.write_str("/version"),
            Self::Info => f.write_str("/info"),
            Self::Containers => f.write_str("/containers/json?all=1"),
            Self::Container(id) => write!(f, "/containers/{id}/json"),
            Self::Images => f.write_str("/images/json"),
            Self::Image(id) => write!(f, "/images/sha256:{id}/json"),
            Self::Networks => f.write_str("/networks"),
            Self::Network(id) => write!(f, "/networks/{id}"),
            Self::Volumes => f.write_str("/volumes"),
        }
    }
}
