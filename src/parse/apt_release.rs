//! The Release file of an apt repository: who made it, when, how long it is good for, and what it lists.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::control::{Scanner, Stanza};
use crate::fact::Reason;

/// A Release file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Release {
    /// `Origin`, such as `Debian` or `Docker`.
    pub origin: String,
    /// `Label`, such as `Debian-Security`.
    pub label: String,
    /// `Suite`, such as `stable-security`.
    pub suite: String,
    /// `Codename`, such as `bookworm-security`.
    pub codename: String,
    /// `Version`, such as `12`.
    pub version: String,
    /// When it was made.
    pub date: Option<DateTime<Utc>>,
    /// Until when its maker vouches for it.
    pub valid_until: Option<DateTime<Utc>>,
    /// `NotAutomatic: yes`: nothing is upgraded from here by itself.
    pub not_automatic: bool,
    /// `ButAutomaticUpgrades: yes`: but what came from here is.
    pub but_automatic_upgrades: bool,
    /// Whether packages for all architectures have a list of their own: they are in those of each architecture otherwise.
    pub apart: bool,
    /// The files it lists, with their sizes.
    pub files: BTreeMap<String, u64>,
}

const FIELDS: &[&str] = &[
    "Origin",
    "Label",
    "Suite",
    "Codename",
    "Version",
    "Date",
    "Valid-Until",
    "NotAutomatic",
    "ButAutomaticUpgrades",
    "SHA256",
    "SHA512",
    "SHA1",
    "MD5Sum",
    "Architectures",
    "No-Support-for-Architecture-all",
];

impl Release {
    /// Reads `Release`, or `InRelease` with its signature around it. The signature is not checked: apt did.
    pub fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        let text = String::from_utf8_lossy(bytes);
        let body = match text.strip_prefix("-----BEGIN PGP SIGNED MESSAGE-----") {
            Some(signed) => {
                let signed = signed.split_once("\n\n").or_else(|| signed.split_once("\n\r\n")).map(|(_, body)| body);
                let end = signed.and_then(|body| body.split_once("\n-----BEGIN PGP SIGNATURE-----"));
                end.map(|(body, _)| body).ok_or_else(|| Reason::malformed("the signature is cut off"))?
            }
            None => &text,
        };
        let mut scanner = Scanner::new(body.as_bytes(), FIELDS);
        let mut stanza = Stanza::default();
        if !scanner.next(&mut stanza).map_err(|error| Reason::malformed(error.to_string()))? {
            return Err(Reason::malformed("it is empty"));
        }
        let text = |field| stanza.get(field).unwrap_or_default().to_owned();
        let time =
            |field| stanza.get(field).map(|date| self::date(date).ok_or_else(|| Reason::malformed("a date that is none"))).transpose();
        let yes = |field| stanza.get(field).is_some_and(|value| value.eq_ignore_ascii_case("yes"));
        let mut files = BTreeMap::new();
        for line in (9..13).filter_map(|field| stanza.get(field)).flat_map(str::lines) {
            let mut words = line.split_whitespace();
            if let (Some(_), Some(size), Some(name)) = (words.next(), words.next().and_then(|size| size.parse().ok()), words.next()) {
                files.insert(name.to_owned(), size);
            }
        }
        Ok(Self {
            origin: text(0),
            label: text(1),
            suite: text(2),
            codename: text(3),
            version: text(4),
            date: time(5)?,
            valid_until: time(6)?,
            not_automatic: yes(7),
            but_automatic_upgrades: yes(8),
            apart: stanza.get(13).is_some_and(|names| names.split_whitespace().any(|name| name == "all")) && stanza.get(14).is_none(),
            files,
        })
    }

    /// Whether it is a repository of security fixes and nothing else, by what its maker says of it.
    #[must_use]
    pub fn is_security(&self) -> bool {
        self.label == "Debian-Security" || self.suite.ends_with("-security") || self.codename.ends_with("-security")
    }
}

/// `Sat, 17 May 2025 09:10:11 UTC`.
fn date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let text = text
        .strip_suffix("UTC")
        .or_else(|| text.strip_suffix("GMT"))
        .or_else(|| text.strip_suffix('Z'))
        .map_or_else(|| text.to_owned(), |rest| format!("{rest}+0000"));
    DateTime::parse_from_rfc2822(&text).ok().map(|date| date.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nLabel: Debian-Security\nSuite: stable-security\nCodename: bookworm-security\n\
        Date: Sat, 17 May 2025 09:10:11 UTC\nValid-Until: Sat, 24 May 2025 09:10:11 UTC\nSHA256:\n 0a 12 main/binary-amd64/Packages\n 0b 0 contrib/binary-amd64/Packages\n-----BEGIN PGP SIGNATURE-----\n\nx\n";

    #[test]
    fn signed_files() {
        let release = Release::parse(TEXT.as_bytes()).unwrap();
        assert!(release.is_security() && !release.not_automatic);
        assert_eq!(release.date.unwrap().timestamp(), 1_747_473_011);
        assert_eq!(release.valid_until.unwrap().timestamp(), 1_748_077_811);
        assert_eq!(release.files.get("main/binary-amd64/Packages"), Some(&12));
        for end in 0..TEXT.len() {
            if let Ok(release) = Release::parse(&TEXT.as_bytes()[..end]) {
                assert!(release.files.len() == 2, "{end}");
            }
        }
    }

    #[test]
    fn other_makers() {
        let docker = Release::parse(
            b"Origin: Docker\nLabel: Docker CE\nSuite: bookworm\nCodename: bookworm\nDate: Tue, 1 Jul 2025 10:00:00 +0000\n",
        )
        .unwrap();
        assert!(!docker.is_security());
        assert!(docker.date.is_some() && docker.valid_until.is_none());
        assert!(Release::parse(b"Suite: noble-security\n").unwrap().is_security());
        assert!(Release::parse(b"").is_err());
        assert!(Release::parse(b"Date: yesterday\n").is_err());
    }
}
