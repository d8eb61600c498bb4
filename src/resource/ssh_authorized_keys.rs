//! The files of keys that let accounts log in without a password.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, Integer, Mode, Origin, Text, record};
use crate::parse::passwd::Passwd;
use crate::parse::ssh_key;

use super::accounts::Accounts;
use super::file::look;
use super::{Context, Resource, Selector, paths, sshd};

record! {
    /// One file of public keys that may log in as an account: where `AuthorizedKeysFile` of an SSH server says for each account of
    /// passwd. Accounts without such a file have no record; nor has a host without an SSH server.
    pub struct AuthorizedKeysFile("ssh_authorized_keys") {
        /// Path of the file.
        path: Text,
        /// Login name of the account.
        user: Text,
        /// How many keys it holds.
        keys: Integer,
        /// How many of them may do whatever the account may: neither `restrict` nor `command=` nor `from=` stands before them.
        unrestricted: Integer,
        /// Name of the owner.
        owner: Text,
        /// Permission bits.
        mode: Mode,
        /// Whether the account itself or root owns it.
        owner_expected: Flag,
        /// Whether somebody other than the account and root can replace it by writing to a parent directory.
        replaceable: Flag,
    }
}

/// Finds the records.
pub struct AuthorizedKeys;

impl Resource for AuthorizedKeys {
    type Row = AuthorizedKeysFile;
    const SELECTOR: &'static str = "a login name, or a glob";
    const KEY: &'static str = "user";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let (patterns, doubt) = patterns(context)?;
        if patterns.is_empty() && doubt.is_none() {
            return Ok(Vec::new());
        }
        let accounts = Accounts::of(context);
        accounts.passwd()?;
        let mut rows = Vec::new();
        for user in accounts.users().iter().filter(|user| of.picks(user.name.raw())) {
            rows.extend(patterns.iter().filter_map(|pattern| row(context, user, &place(user, pattern))));
        }
        // There may be others: one record says so.
        rows.extend(doubt.as_ref().map(AuthorizedKeysFile::unknown));
        Ok(rows)
    }
}

/// What `AuthorizedKeysFile` says, in blocks too, and why there may be more.
fn patterns(context: &Context<'_>) -> Result<(BTreeSet<String>, Option<Gap>), Gap> {
    let (mut patterns, mut doubt) = (BTreeSet::new(), None);
    for values in sshd::values(context, "AuthorizedKeysFile")? {
        match values {
            Fact::Known(values, _) => patterns.extend(values.iter().map(|value| value.raw().to_owned()).filter(|value| value != "none")),
            Fact::Absent(_) => {}
            Fact::Unknown(gap) => doubt = Some(gap),
        }
    }
    Ok((patterns, doubt))
}

/// Where the keys of an account are: `%h`, `%u`, `%U` and `%%` put in, relative to its home.
fn place(user: &Passwd, pattern: &str) -> PathBuf {
    let mut made = String::new();
    let mut signs = pattern.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '%' => match signs.next() {
                Some('h') => made.push_str(user.home.raw()),
                Some('u') => made.push_str(user.name.raw()),
                Some('U') => made.push_str(&user.uid.to_string()),
                other => made.extend(other),
            },
            sign => made.push(sign),
        }
    }
    Path::new(user.home.raw()).join(made)
}

fn row(context: &Context<'_>, user: &Passwd, path: &Path) -> Option<AuthorizedKeysFile> {
    if !path.is_absolute() {
        return None;
    }
    if let Some(gap) = super::home::on_demand(context, path) {
        let (path, user) = (Fact::Known(path.into(), Origin::stat(path)), Fact::derived(user.name.clone()));
        return Some(AuthorizedKeysFile { path, user, ..AuthorizedKeysFile::unknown(&gap) });
    }
    let content = match context.host.read(path) {
        Fact::Absent(_) => return None,
        content => content,
    };
    let counted = content.map(|content| {
        let text = String::from_utf8_lossy(&content).into_owned();
        let keys = text.lines().filter(|line| ssh_key::line(line).is_some()).count();
        let open = text.lines().filter(|line| ssh_key::line(line).is_some() && !restricted(line)).count();
        (i64::try_from(keys).unwrap_or(i64::MAX), i64::try_from(open).unwrap_or(i64::MAX))
    });
    let file = look(context, path);
    let uid = i64::from(user.uid);
    Some(AuthorizedKeysFile {
        path: Fact::Known(path.into(), Origin::stat(path)),
        user: Fact::derived(user.name.clone()),
        keys: counted.clone().map(|(keys, _)| keys),
        unrestricted: counted.map(|(_, open)| open),
        owner: file.owner,
        mode: file.mode,
        owner_expected: file.uid.map(|owner| owner == 0 || owner == uid),
        replaceable: paths::replaceable(context.host, path, &[user.uid]),
    })
}

/// Whether options before a key limit what it may do, or from where.
fn restricted(line: &str) -> bool {
    let options = line.trim().split(" ssh-").next().unwrap_or_default().to_ascii_lowercase();
    let options = options.split(" ecdsa-").next().unwrap_or_default().split(" sk-").next().unwrap_or_default().to_owned();
    ["restrict", "command=", "from="].iter().any(|option| options.starts_with(option) || options.contains(&format!(",{option}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYqGUOCvpH0Z0Q1xVDMFKxh3hoSg9vPxVyoAqJt6oKc";

    fn host(config: &str) -> Memory {
        Memory::new()
            .file("/usr/sbin/sshd", "")
            .file("/etc/ssh/sshd_config", config)
            .file("/etc/passwd", "root:x:0:0::/root:/bin/bash\nal:x:1000:1000::/home/al:/bin/bash\n")
    }

    fn rows(host: &Memory) -> Vec<AuthorizedKeysFile> {
        AuthorizedKeys::collect(&Context::new(host), &Selector::All).unwrap()
    }

    #[test]
    fn keys_are_counted_where_the_configuration_has_them() {
        let keys = format!("# mine\n{KEY} a\nfrom=\"10.0.0.0/8\" {KEY} b\nno-pty,command=\"x, y\" {KEY}\n\nnonsense\n");
        let found = rows(&host("").file("/root/.ssh/authorized_keys", &keys).file("/home/al/.ssh/authorized_keys2", ""));
        assert_eq!(found.iter().map(|row| (row.keys.known().copied(), row.unrestricted.known().copied())).collect::<Vec<_>>(), [
            (Some(3), Some(1)),
            (Some(0), Some(0))
        ]);
        let elsewhere = rows(&host("AuthorizedKeysFile /etc/keys/%u .ssh/%%k\n").file("/etc/keys/al", KEY).file("/root/.ssh/%k", KEY));
        let paths: Vec<_> = elsewhere.iter().map(|row| row.path.known().unwrap().raw().to_owned()).collect();
        assert_eq!(paths, ["/root/.ssh/%k", "/etc/keys/al"]);
    }

    #[test]
    fn owners_and_directories_are_those_sshd_insists_on() {
        let host = host("")
            .file("/home/al/.ssh/authorized_keys", KEY)
            .owned("/home/al/.ssh/authorized_keys", 1001, 1000, 0o644)
            .owned("/home/al/.ssh", 1000, 1000, 0o700)
            .owned("/home/al", 1000, 1000, 0o755);
        let row = rows(&host).remove(0);
        assert_eq!((row.owner_expected.known(), row.replaceable.known()), (Some(&false), Some(&false)));
        let open = host.owned("/home/al/.ssh", 1000, 1000, 0o777);
        assert_eq!(rows(&open)[0].replaceable.known(), Some(&true));
    }

    #[test]
    fn what_is_not_seen_is_said() {
        let denied = host("").gap("/root", Reason::Denied);
        assert!(matches!(rows(&denied)[0].keys, Fact::Unknown(_)));
        let refused = rows(&host("Nonsense 1\n"));
        assert!(matches!(refused[0].user, Fact::Unknown(_)));
        assert!(rows(&Memory::new()).is_empty());
    }
}
