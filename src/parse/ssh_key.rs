//! Keys as OpenSSH keeps them: what a file holds, by its content, and of which kind and size it is. The secret part of a private key
//! is never looked at.

use super::certificate::base64;

/// What a file of a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A private key.
    Private,
    /// A public key.
    Public,
    /// A certificate for a public key.
    Certificate,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What the file holds.
    pub kind: Kind,
    /// Type, such as `ssh-ed25519`. `None` of a private key whose format does not tell.
    pub algorithm: Option<String>,
    /// Size in bits, of the keys whose size varies or is in their name.
    pub bits: Option<i64>,
}

/// What a file holds; `None` where it is no key.
#[must_use]
pub fn key(content: &[u8]) -> Option<Key> {
    let text = String::from_utf8_lossy(content);
    if let Some((_, begun)) = text.split_once("-----BEGIN ") {
        let (label, body) = begun.split_once("-----")?;
        if !label.ends_with("PRIVATE KEY") {
            return None;
        }
        let public = (label == "OPENSSH PRIVATE KEY").then(|| body.split("-----").next().and_then(base64)).flatten();
        let (algorithm, bits) = public.as_deref().and_then(public_part).map(described).unwrap_or_default();
        let written = label.strip_suffix(" PRIVATE KEY").filter(|label| matches!(*label, "RSA" | "EC" | "DSA"));
        let algorithm = algorithm.or_else(|| written.map(|name| if name == "RSA" { "ssh-rsa" } else { name }.to_owned()));
        return Some(Key { kind: Kind::Private, algorithm, bits });
    }
    text.lines().find_map(line)
}

/// The key of one line of a public key file or of `authorized_keys`, options before it passed over.
#[must_use]
pub fn line(line: &str) -> Option<Key> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let mut words = line.split_ascii_whitespace().skip_while(|word| !is_type(word));
    let (name, blob) = (words.next()?, words.next()?);
    let blob = base64(blob)?;
    let (algorithm, bits) = described(&blob);
    let kind = if name.contains("-cert-v") { Kind::Certificate } else { Kind::Public };
    Some(Key { kind, algorithm: algorithm.or_else(|| Some(name.to_owned())), bits })
}

/// Whether a word is the type of a key.
fn is_type(word: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-", "rsa-sha2-"].iter().any(|start| word.starts_with(start))
}

/// The public part of the format of OpenSSH: a mark, three texts about encryption, a number of keys, the public key.
fn public_part(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    for _ in 0..3 {
        (_, rest) = text(rest)?;
    }
    let (_, rest) = rest.split_at_checked(4)?;
    text(rest).map(|(public, _)| public)
}

/// A text with its length before it, and what follows.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// Type and size of a public key.
fn described(blob: &[u8]) -> (Option<String>, Option<i64>) {
    let Some((name, mut rest)) = text(blob) else { return (None, None) };
    let Some(name) = std::str::from_utf8(name).ok().filter(|name| is_type(name)) else { return (None, None) };
    if name.contains("-cert-v") {
        // Something random comes first in a certificate.
        rest = text(rest).map_or(&[][..], |(_, rest)| rest);
    }
    let bits = if name.starts_with("ssh-rsa") {
        text(rest).and_then(|(_, rest)| text(rest)).and_then(|(modulus, _)| width(modulus))
    } else if name.starts_with("ssh-dss") {
        text(rest).and_then(|(prime, _)| width(prime))
    } else if name.contains("ed25519") || name.contains("nistp256") {
        Some(256)
    } else if name.contains("nistp384") {
        Some(384)
    } else if name.contains("nistp521") {
        Some(521)
    } else {
        None
    };
    (Some(name.to_owned()), bits)
}

/// Bits of a number.
fn width(number: &[u8]) -> Option<i64> {
    let digits = number.iter().position(|byte| *byte != 0).and_then(|at| number.get(at..))?;
    let first = digits.first()?;
    i64::try_from(digits.len()).ok().map(|length| length * 8 - i64::from(first.leading_zeros()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYqGUOCvpH0Z0Q1xVDMFKxh3hoSg9vPxVyoAqJt6oKc al@host\n";

    fn blob(parts: &[&[u8]]) -> Vec<u8> {
        parts.iter().flat_map(|part| u32::try_from(part.len()).unwrap().to_be_bytes().into_iter().chain(part.iter().copied())).collect()
    }

    #[test]
    fn public_keys_are_known_by_their_lines() {
        let found = key(ED25519.as_bytes()).unwrap();
        assert_eq!((found.kind, found.algorithm.as_deref(), found.bits), (Kind::Public, Some("ssh-ed25519"), Some(256)));
        let with_options = line(&format!("from=\"10.0.0.0/8\",command=\"x y\" {ED25519}")).unwrap();
        assert_eq!(with_options.algorithm.as_deref(), Some("ssh-ed25519"));
        for nothing in ["", "# ssh-ed25519 AAAA", "ssh-ed25519", "ssh-ed25519 !!!", "hello world"] {
            assert_eq!(line(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn sizes_are_those_of_the_modulus() {
        let mut modulus = vec![0, 0x80];
        modulus.extend([0; 255]);
        assert_eq!(described(&blob(&[b"ssh-rsa", &[1, 0, 1], &modulus])), (Some("ssh-rsa".to_owned()), Some(2048)));
        let certificate = blob(&[b"ssh-rsa-cert-v01@openssh.com", b"random", &[1, 0, 1], &modulus]);
        assert_eq!(described(&certificate).1, Some(2048));
        assert_eq!(described(&blob(&[b"ecdsa-sha2-nistp521"])).1, Some(521));
        for end in 0..certificate.len() {
            let _ = described(&certificate[..end]);
        }
    }

    #[test]
    fn private_keys_are_known_by_their_first_line() {
        for label in ["OPENSSH PRIVATE KEY", "RSA PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
            let pem = format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
            assert_eq!(key(pem.as_bytes()).map(|key| key.kind), Some(Kind::Private), "{label}");
            for end in 0..pem.len() {
                let _ = key(&pem.as_bytes()[..end]);
            }
        }
        assert_eq!(key(b"-----BEGIN CERTIFICATE-----\nAAAA"), None);
    }
}
