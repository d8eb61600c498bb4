//! Versions, ordered by the rules of whoever numbered them.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::Text;

/// Whose rules order a version.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// `deb-version(7)`: epoch, upstream, revision; `~` sorts before everything.
    Debian,
    /// `rpmvercmp`: epoch, version, release; `~` before, `^` after.
    Rpm,
    /// Dotted numbers as upstream projects write them: `28.0.4`, `v1.7.2-rc1`.
    Upstream,
}

/// A version and the rules it is ordered by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Version {
    text: Text,
    scheme: Scheme,
}

impl Version {
    /// A version under the given rules.
    pub fn new(text: impl Into<Text>, scheme: Scheme) -> Self {
        Self { text: text.into(), scheme }
    }

    /// The version as written.
    #[must_use]
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// Orders names as `ls -v` does: runs of digits by their number, letters before other characters, `~` first.
    #[must_use]
    pub fn natural(a: &str, b: &str) -> Ordering {
        debian_part(a, b)
    }

    /// Compares with another version, written in the same scheme.
    #[must_use]
    pub fn compare(&self, other: &str) -> Ordering {
        let mine = self.text.raw();
        match self.scheme {
            Scheme::Debian => debian(mine, other),
            Scheme::Rpm => rpm(mine, other),
            Scheme::Upstream => upstream(mine, other),
        }
    }
}

fn epoch(version: &str) -> (u64, &str) {
    match version.split_once(':') {
        Some((epoch, rest)) => epoch.parse().map_or((0, version), |epoch| (epoch, rest)),
        None => (0, version),
    }
}

fn debian(a: &str, b: &str) -> Ordering {
    let ((epoch_a, a), (epoch_b, b)) = (epoch(a), epoch(b));
    let (up_a, rev_a) = a.rsplit_once('-').unwrap_or((a, "0"));
    let (up_b, rev_b) = b.rsplit_once('-').unwrap_or((b, "0"));
    epoch_a.cmp(&epoch_b).then_with(|| debian_part(up_a, up_b)).then_with(|| debian_part(rev_a, rev_b))
}

/// `~` sorts before the end, the end before letters, letters before everything else.
fn debian_rank(byte: Option<&u8>) -> i32 {
    match byte {
        Some(b'~') => -1,
        None => 0,
        Some(digit) if digit.is_ascii_digit() => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(*letter),
        Some(other) => i32::from(*other) + 256,
    }
}

fn debian_part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while !a.is_empty() || !b.is_empty() {
        loop {
            let (x, y) = (a.first(), b.first());
            let text = |byte: Option<&u8>| byte.is_some_and(|b| !b.is_ascii_digit());
            if !text(x) && !text(y) {
                break;
            }
            let order = debian_rank(x).cmp(&debian_rank(y));
            if order != Ordering::Equal {
                return order;
            }
            a = a.get(1..).unwrap_or_default();
            b = b.get(1..).unwrap_or_default();
        }
        let (number_a, rest_a) = digits(a);
        let (number_b, rest_b) = digits(b);
        let order = numbers(number_a, number_b);
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

fn digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.iter().take_while(|b| b.is_ascii_digit()).count())
}

/// Numbers of any length, without overflow.
fn numbers(a: &[u8], b: &[u8]) -> Ordering {
    let strip = |n: &'_ [u8]| n.iter().position(|d| *d != b'0').map_or(Vec::new(), |at| n.iter().skip(at).copied().collect());
    let (a, b): (Vec<u8>, Vec<u8>) = (strip(a), strip(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(&b))
}

fn rpm(a: &str, b: &str) -> Ordering {
    let ((epoch_a, a), (epoch_b, b)) = (epoch(a), epoch(b));
    let (version_a, release_a) = a.split_once('-').unwrap_or((a, ""));
    let (version_b, release_b) = b.split_once('-').unwrap_or((b, ""));
    let release = || if release_a.is_empty() || release_b.is_empty() { Ordering::Equal } else { rpm_part(release_a, release_b) };
    epoch_a.cmp(&epoch_b).then_with(|| rpm_part(version_a, version_b)).then_with(release)
}

fn rpm_part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let separator = |byte: &&u8| !byte.is_ascii_alphanumeric() && **byte != b'~' && **byte != b'^';
        a = a.split_at(a.iter().take_while(separator).count()).1;
        b = b.split_at(b.iter().take_while(separator).count()).1;
        match (a.first(), b.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                a = a.get(1..).unwrap_or_default();
                b = b.get(1..).unwrap_or_default();
                continue;
            }
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (Some(b'^'), None) => return Ordering::Greater,
            (None, Some(b'^')) => return Ordering::Less,
            (Some(b'^'), _) => return Ordering::Less,
            (_, Some(b'^')) => return Ordering::Greater,
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) => match (x.is_ascii_digit(), y.is_ascii_digit()) {
                (true, false) => return Ordering::Greater,
                (false, true) => return Ordering::Less,
                (number, _) => {
                    let same = |byte: &&u8| byte.is_ascii_alphanumeric() && byte.is_ascii_digit() == number;
                    let (part_a, rest_a) = a.split_at(a.iter().take_while(same).count());
                    let (part_b, rest_b) = b.split_at(b.iter().take_while(same).count());
                    let order = if number { numbers(part_a, part_b) } else { part_a.cmp(part_b) };
                    if order != Ordering::Equal {
                        return order;
                    }
                    (a, b) = (rest_a, rest_b);
                }
            },
        }
    }
}

/// Dotted numbers; a suffix after `-` is a pre-release and sorts before none; build metadata
/// after `+` does not count.
fn upstream(a: &str, b: &str) -> Ordering {
    let split = |v: &str| {
        let v = v.trim().trim_start_matches('v');
        let v = v.split('+').next().unwrap_or_default().to_owned();
        match v.split_once('-') {
            Some((core, pre)) => (core.to_owned(), Some(pre.to_owned())),
            None => (v, None),
        }
    };
    let ((core_a, pre_a), (core_b, pre_b)) = (split(a), split(b));
    let parts = |core: &str| core.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (parts_a, parts_b) = (parts(&core_a), parts(&core_b));
    for i in 0..parts_a.len().max(parts_b.len()) {
        let part = |parts: &[String]| parts.get(i).cloned().unwrap_or_else(|| "0".to_owned());
        let order = debian_part(&part(&parts_a), &part(&parts_b));
        if order != Ordering::Equal {
            return order;
        }
    }
    match (pre_a, pre_b) {
        (None, None) => Ordering::Equal,
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (Some(a), Some(b)) => debian_part(&a, &b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn less(scheme: Scheme, pairs: &[(&str, &str)]) {
        for (a, b) in pairs {
            assert_eq!(Version::new(*a, scheme).compare(b), Ordering::Less, "{a} < {b}");
            assert_eq!(Version::new(*b, scheme).compare(a), Ordering::Greater, "{b} > {a}");
            assert_eq!(Version::new(*a, scheme).compare(a), Ordering::Equal);
        }
    }

    #[test]
    fn debian_order() {
        less(
            Scheme::Debian,
            &[
                ("1.0~rc1", "1.0"),
                ("1.0", "1.0-1"),
                ("1.9", "1.10"),
                ("2.0", "1:1.0"),
                ("1.0-1", "1.0-1+deb12u1"),
                ("20.10.24+dfsg1-1", "20.10.24+dfsg1-1+b1"),
                ("1.0a", "1.0+"),
            ],
        );
        assert_eq!(Version::new("1.0", Scheme::Debian).compare("1.0-0"), Ordering::Equal);
    }

    #[test]
    fn rpm_order() {
        less(
            Scheme::Rpm,
            &[
                ("1.0~rc1", "1.0"),
                ("1.0", "1.0^git1"),
                ("1.0^git1", "1.0.1"),
                ("1.9", "1.10"),
                ("5.14.0-70.el9", "5.14.0-427.el9"),
                ("1.0a", "1.0.1"),
                ("2.0", "1:1.0"),
            ],
        );
    }

    /// What `dpkg --compare-versions` and rpm's own comparison said of a thousand pairs. Left out are versions of rpm of which one names a
    /// release and the other does not: as in rpm's dependencies, a version without one means every release.
    #[test]
    fn package_managers_agree() {
        let mut wrong = Vec::new();
        for line in include_str!("version_orders.txt").lines() {
            let [manager, a, sign, b] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let scheme = if manager == "deb" { Scheme::Debian } else { Scheme::Rpm };
            let order = match Version::new(a, scheme).compare(b) {
                Ordering::Less => "<",
                Ordering::Equal => "=",
                Ordering::Greater => ">",
            };
            if order != sign {
                wrong.push(format!("{line}, not {order}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn upstream_order() {
        less(Scheme::Upstream, &[("20.10.24+dfsg1", "28.0.4"), ("28.0.0-rc.1", "28.0.0"), ("v1.7.2", "1.7.10"), ("27", "27.0.1")]);
        assert_eq!(Version::new("28.0.4+azure", Scheme::Upstream).compare("28.0.4"), Ordering::Equal);
    }
}
