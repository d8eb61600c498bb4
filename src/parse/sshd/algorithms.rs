//! Lists of algorithms: changes to the compiled-in list, and that list, found in the program itself.
//!
//! Distributions patch the lists, also in updates within a release, so the version alone does not tell them. The program holds
//! each as one string.

use std::collections::BTreeSet;

use crate::parse::glob;

/// The longest word that may be a keyword.
const LONGEST_WORD: usize = 48;

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Ciphers.
    Ciphers,
    /// Message authentication codes.
    Macs,
    /// Key exchange.
    Exchanges,
    /// Types of keys and certificates with their signatures.
    Keys,
    /// Signatures of certificate authorities.
    Signatures,
}

/// What a program was compiled with, as far as it shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compiled {
    /// What it calls itself, such as `9.2p1`.
    pub version: Option<String>,
    /// Words at the end of its strings, in small letters.
    words: BTreeSet<String>,
    /// Files of host keys it knows.
    pub host_keys: Vec<String>,
    lists: BTreeSet<String>,
}

impl Compiled {
    /// Looks through the bytes of a program.
    #[must_use]
    pub fn find(program: &[u8]) -> Self {
        let mut found = Self::default();
        for string in program.split(|b| *b == 0) {
            let word: Vec<u8> = string.iter().rev().take_while(|b| b.is_ascii_alphanumeric()).take(LONGEST_WORD).copied().collect();
            if word.len() > 2 {
                found.words.insert(word.iter().rev().map(|b| char::from(b.to_ascii_lowercase())).collect());
            }
            let Some(text) = printable(string) else { continue };
            if text.contains(',') {
                if family_of(text).is_some() {
                    found.lists.insert(text.to_owned());
                }
            } else if let Some(version) = text.strip_prefix("OpenSSH_") {
                let version = version.split(' ').next().unwrap_or_default();
                let is_version = version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('p') && !version.contains('*');
                if is_version && found.version.is_none() {
                    found.version = Some(version.to_owned());
                }
            } else if text.starts_with("/etc/ssh/ssh_host_") && text.ends_with("_key") {
                found.host_keys.push(text.to_owned());
            }
        }
        found
    }

    /// Whether it may know a keyword, in small letters. Linkers keep a string that is the end of another only there.
    #[must_use]
    pub fn knows(&self, keyword: &str) -> bool {
        self.words.iter().any(|word| word.ends_with(keyword))
    }

    /// The list that is in effect when nothing is set. `None` where the program shows none, or several of which any may be it.
    #[must_use]
    pub fn list(&self, family: Family) -> Option<Vec<String>> {
        let mut of_family = self.lists.iter().filter(|list| family_of(list) == Some(family));
        let Some(first) = of_family.next() else {
            // Where the list of signatures is the end of that of keys, linkers keep it only there.
            let keys = if family == Family::Signatures { self.list(Family::Keys)? } else { return None };
            let certificates = keys.iter().take_while(|name| name.contains("-cert-")).count();
            return Some(keys.into_iter().skip(certificates).collect());
        };
        let list = match (of_family.next(), family) {
            (None, _) => first,
            // Newer builds hold one for clients too: the same with more behind it.
            (Some(second), Family::Exchanges) if of_family.next().is_none() && second.starts_with(first.as_str()) => first,
            _ => return None,
        };
        Some(list.split(',').map(str::to_owned).collect())
    }
}

/// The text of a string that may be a word or list: short, printable and without anything else before it.
fn printable(string: &[u8]) -> Option<&str> {
    let fits = (3..4096).contains(&string.len()) && string.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
    fits.then(|| std::str::from_utf8(string).ok()).flatten()
}

/// What a string is a list of: three names or more, of one kind.
fn family_of(text: &str) -> Option<Family> {
    let names = || text.split(',');
    let all = |is: fn(&str) -> bool| names().count() > 2 && names().all(is);
    let is_key = |name: &str| {
        let bare = name.strip_suffix("-cert-v01@openssh.com").or_else(|| name.strip_suffix("@openssh.com")).unwrap_or(name);
        matches!(bare, "ssh-ed25519" | "sk-ssh-ed25519" | "sk-ecdsa-sha2-nistp256" | "webauthn-sk-ecdsa-sha2-nistp256" | "ssh-rsa")
            || matches!(bare, "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" | "rsa-sha2-512" | "rsa-sha2-256")
            || matches!(bare, "ssh-mldsa44-ed25519" | "ssh-dss")
    };
    let is_cipher = |name: &str| name.starts_with("aes") || name.starts_with("chacha20-") || name == "3des-cbc";
    let is_exchange =
        |name: &str| ["curve25519-", "ecdh-sha2-", "diffie-hellman-", "sntrup", "mlkem"].iter().any(|prefix| name.starts_with(prefix));
    if all(is_cipher) {
        Some(Family::Ciphers)
    } else if all(|name| name.starts_with("umac-") || name.starts_with("hmac-")) {
        Some(Family::Macs)
    } else if all(is_exchange) {
        Some(Family::Exchanges)
    } else if all(is_key) {
        Some(if text.contains("-cert-") { Family::Keys } else { Family::Signatures })
    } else {
        None
    }
}

/// Whether a written list says how to change the compiled-in one.
#[must_use]
pub fn is_change(written: &str) -> bool {
    written.starts_with(['+', '-', '^'])
}

/// The list that results: the written one, or the compiled-in one as changed by it. `None` for a pattern of names, which
/// only the build could resolve.
#[must_use]
pub fn resolve(written: &str, compiled: &[String]) -> Option<Vec<String>> {
    let (sign, names) = match written.strip_prefix(['+', '-', '^']) {
        Some(names) => (written.chars().next()?, names),
        None => ('=', written),
    };
    let names: Vec<String> = names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let pattern = |name: &String| name.contains(['*', '?', '!']);
    let with = |head: &[String], tail: &[String]| {
        let mut list: Vec<String> = Vec::new();
        for name in head.iter().chain(tail) {
            if !list.contains(name) {
                list.push(name.clone());
            }
        }
        list
    };
    match sign {
        '-' => Some(compiled.iter().filter(|name| !names.iter().any(|glob| glob::matches(glob, name))).cloned().collect()),
        _ if names.iter().any(pattern) => None,
        '+' => Some(with(compiled, &names)),
        '^' => Some(with(&names, compiled)),
        _ => Some(with(&names, &[])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &[u8] = b"\x7fELF\0\x01\x02OpenSSH_5*\0OpenSSH_9.2p1 Debian-2+deb12u3\0OpenSSH_9.2p1\0permitrootlogin\0UsePAM\0\
        chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr\0umac-64@openssh.com,hmac-sha2-256,hmac-sha1\0\
        curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group14-sha256\0\
        ssh-ed25519-cert-v01@openssh.com,ssh-ed25519,rsa-sha2-512\0ssh-ed25519,rsa-sha2-512,rsa-sha2-256\0none,zlib@openssh.com\0\
        /etc/ssh/ssh_host_rsa_key\0";

    fn names(list: Option<Vec<String>>) -> Option<String> {
        list.map(|list| list.join(","))
    }

    #[test]
    fn a_program_shows_what_it_was_compiled_with() {
        let compiled = Compiled::find(PROGRAM);
        assert_eq!(compiled.version.as_deref(), Some("9.2p1"));
        assert!(compiled.knows("permitrootlogin") && compiled.knows("usepam") && !compiled.knows("port"));
        assert!(Compiled::find(b"\x01bad %s report\0").knows("port"));
        let merged = Compiled::find(b"ssh-ed25519-cert-v01@openssh.com,ssh-rsa-cert-v01@openssh.com,ssh-ed25519,rsa-sha2-512\0");
        assert_eq!(names(merged.list(Family::Signatures)).as_deref(), Some("ssh-ed25519,rsa-sha2-512"));
        assert_eq!(compiled.host_keys, ["/etc/ssh/ssh_host_rsa_key"]);
        for (family, list) in [
            (Family::Ciphers, "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr"),
            (Family::Macs, "umac-64@openssh.com,hmac-sha2-256,hmac-sha1"),
            (Family::Exchanges, "curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group14-sha256"),
            (Family::Keys, "ssh-ed25519-cert-v01@openssh.com,ssh-ed25519,rsa-sha2-512"),
            (Family::Signatures, "ssh-ed25519,rsa-sha2-512,rsa-sha2-256"),
        ] {
            assert_eq!(names(compiled.list(family)).as_deref(), Some(list));
        }
        for end in 0..PROGRAM.len() {
            let _ = Compiled::find(&PROGRAM[..end]);
        }
    }

    #[test]
    fn of_two_lists_neither_is_believed_unless_one_is_for_clients() {
        let two = Compiled::find(b"aes128-ctr,aes192-ctr,aes256-ctr\0aes256-cbc,aes128-cbc,3des-cbc\0");
        assert_eq!(two.list(Family::Ciphers), None);
        let others = Compiled::find(b"curve25519-a,ecdh-sha2-b,ecdh-sha2-c\0mlkem-a,sntrup-b,curve25519-c,diffie-hellman-d\0");
        assert_eq!(others.list(Family::Exchanges), None);
        let newer = Compiled::find(b"mlkem-a,sntrup-b,curve25519-c\0mlkem-a,sntrup-b,curve25519-c,diffie-hellman-d\0");
        assert_eq!(names(newer.list(Family::Exchanges)).as_deref(), Some("mlkem-a,sntrup-b,curve25519-c"));
        assert_eq!(Compiled::default().list(Family::Macs), None);
    }

    #[test]
    fn lists_change_the_compiled_one() {
        let compiled: Vec<String> = ["a", "b-cbc", "c"].map(str::to_owned).to_vec();
        let is = |written: &str| names(resolve(written, &compiled));
        assert_eq!(is("x,y,x").as_deref(), Some("x,y"));
        assert_eq!(is("+d,a").as_deref(), Some("a,b-cbc,c,d"));
        assert_eq!(is("-*-cbc,c").as_deref(), Some("a"));
        assert_eq!(is("^c,d").as_deref(), Some("c,d,a,b-cbc"));
        assert_eq!(is("+ssh-*"), None);
        assert_eq!(is("-zz").as_deref(), Some("a,b-cbc,c"));
    }
}
