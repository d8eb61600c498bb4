//! The keys of the SSH server: private keys, public keys and certificates, found by the configuration and by their content.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, Integer, Mode, Origin, Text, record};
use crate::host::FileKind;
use crate::parse::ssh_key::{self, Key, Kind};

use super::file::look;
use super::{Context, Resource, Selector, sshd};

record! {
    /// One key file of the SSH server: in `/etc/ssh`, known by its content whatever it is called, or named by `HostKey` or
    /// `HostCertificate`. Nothing of a private key is kept but its kind and size.
    pub struct SshKey("ssh_key") {
        /// Path of the file.
        path: Text,
        /// `private`, `public` or `certificate`, by content.
        kind: Text,
        /// Type of the key, such as `ssh-ed25519`; absent where the format of a private key does not tell.
        algorithm: Text,
        /// Size of the key in bits; absent where it is not told.
        bits: Integer,
        /// Whether the configuration names the file, or does by default; unknown where the configuration is.
        used: Flag,
        /// Name of the owner.
        owner: Text,
        /// Name of the group.
        group: Text,
        /// Numeric owner.
        uid: Integer,
        /// Numeric group.
        gid: Integer,
        /// Permission bits.
        mode: Mode,
    }
}

/// Finds the records.
pub struct SshKeys;

impl Resource for SshKeys {
    type Row = SshKey;
    const SELECTOR: &'static str = "`private`, `public` or `certificate`";
    const KEY: &'static str = "kind";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let (used, doubt) = configured(context);
        let mut paths: BTreeMap<PathBuf, bool> = used.iter().map(|path| (path.clone(), true)).collect();
        let directory = Path::new("/etc/ssh");
        let entries = context.host.list(directory).into_result()?;
        for entry in entries.iter().flat_map(|entries| entries.iter()) {
            if matches!(entry.kind, FileKind::File | FileKind::Link | FileKind::Other) {
                paths.entry(directory.join(&entry.name)).or_insert(false);
            }
        }
        let mut rows = Vec::new();
        for (path, named) in paths {
            let used = match &doubt {
                Some(gap) if !named => Fact::Unknown(gap.clone()),
                _ => Fact::derived(named),
            };
            rows.extend(row(context, &path, used));
        }
        rows.retain(|row| row.kind.known().is_none_or(|kind| of.picks(kind.raw())));
        Ok(rows)
    }
}

/// The files the configuration names, and why there may be others.
fn configured(context: &Context<'_>) -> (Vec<PathBuf>, Option<Gap>) {
    let (mut paths, mut doubt) = (Vec::new(), None);
    for option in ["HostKey", "HostCertificate"] {
        match sshd::values(context, option) {
            Err(gap) => doubt = Some(gap),
            Ok(found) => {
                for values in found {
                    match values {
                        Fact::Known(values, _) => paths.extend(values.iter().map(|path| PathBuf::from(path.raw()))),
                        Fact::Absent(_) => {}
                        Fact::Unknown(gap) => doubt = Some(gap),
                    }
                }
            }
        }
    }
    paths.retain(|path| path.is_absolute());
    // A public key stands beside each, and serves it.
    let public: Vec<PathBuf> = paths.iter().map(|path| PathBuf::from(format!("{}.pub", path.display()))).collect();
    paths.extend(public);
    (paths, doubt)
}

/// `None` for what is no key, or is not there.
fn row(context: &Context<'_>, path: &Path, used: Fact<Flag>) -> Option<SshKey> {
    let content = match context.host.read(path) {
        Fact::Absent(_) => return None,
        Fact::Known(content, origin) => Fact::Known(ssh_key::key(&content)?, origin),
        // What cannot be read may be a key where it is called one.
        Fact::Unknown(gap) => {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let looks = name.contains("_key") || used.known() == Some(&true);
            if !looks {
                return None;
            }
            Fact::Unknown(gap)
        }
    };
    let file = look(context, path);
    let told = |of: fn(&Key) -> Option<Text>| {
        content.as_ref().and_then(|key, origin| of(key).map_or_else(|| Fact::Absent(origin.clone()), |text| Fact::Known(text, origin.clone())))
    };
    Some(SshKey {
        path: Fact::Known(path.into(), Origin::stat(path)),
        kind: told(|key| Some(word(key.kind).into())),
        algorithm: told(|key| key.algorithm.as_deref().map(Text::from)),
        bits: content.as_ref().and_then(|key, origin| key.bits.map_or_else(|| Fact::Absent(origin.clone()), |bits| Fact::Known(bits, origin.clone()))),
        used,
        owner: file.owner,
        group: file.group,
        uid: file.uid,
        gid: file.gid,
        mode: file.mode,
    })
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Private => "private",
        Kind::Public => "public",
        Kind::Certificate => "certificate",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    const PUBLIC: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYqGUOCvpH0Z0Q1xVDMFKxh3hoSg9vPxVyoAqJt6oKc al@host\n";
    const PRIVATE: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";

    fn host() -> Memory {
        Memory::new()
            .file("/usr/sbin/sshd", "")
            .file("/etc/ssh/sshd_config", "HostKey /srv/keys/host\n")
            .file("/srv/keys/host", PRIVATE)
            .owned("/srv/keys/host", 0, 0, 0o600)
            .file("/etc/ssh/moduli", "20230101 2 6 100 2047 2 F4\n")
            .file("/etc/ssh/backup-of-a-key", PRIVATE)
            .file("/etc/ssh/host.pub", PUBLIC)
    }

    fn keys(host: &Memory, kind: &str) -> Vec<(String, Option<bool>)> {
        let rows = SshKeys::collect(&Context::new(host), &Selector::Keys(vec![kind.to_owned()])).unwrap();
        rows.iter().map(|row| (row.path.known().unwrap().raw().to_owned(), row.used.known().copied())).collect()
    }

    #[test]
    fn keys_are_found_by_content_and_by_configuration() {
        assert_eq!(keys(&host(), "private"), [("/etc/ssh/backup-of-a-key".to_owned(), Some(false)), ("/srv/keys/host".to_owned(), Some(true))]);
        assert_eq!(keys(&host(), "public"), [("/etc/ssh/host.pub".to_owned(), Some(false))]);
    }

    #[test]
    fn what_cannot_be_read_is_still_there() {
        let host = host().file("/etc/ssh/ssh_host_rsa_key", "").gap("/etc/ssh/ssh_host_rsa_key", Reason::Denied);
        let rows = SshKeys::collect(&Context::new(&host), &Selector::Keys(vec!["private".to_owned()])).unwrap();
        let row = rows.iter().find(|row| row.path.known().unwrap().raw().ends_with("rsa_key")).unwrap();
        assert!(matches!(row.kind, Fact::Unknown(_)));
        assert!(SshKeys::collect(&Context::new(&Memory::new().file("/etc/ssh/x", "").gap("/etc/ssh", Reason::Denied)), &Selector::All).is_err());
        assert!(keys(&Memory::new(), "private").is_empty());
    }
}
