//! User accounts.

use std::collections::BTreeSet;

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Text, record};
use crate::parse::passwd::{Passwd, Password};

use super::accounts::{Accounts, PASSWD, SHADOW};
use super::{Context, Resource, Selector};

record! {
    /// One account of the host's passwd, with what shadow says about it. Hashes are never kept. Accounts of directory
    /// services are not seen; lines the C library cannot read are no accounts.
    pub struct User("user") {
        /// Login name.
        name: Text,
        /// Numeric id.
        uid: Integer,
        /// Numeric id of the primary group.
        gid: Integer,
        /// Home directory.
        home: Text,
        /// Login shell; empty means `/bin/sh`.
        shell: Text,
        /// Every group it is in, by name, the primary one first. Groups that share a number are one. A primary group without a name is its number.
        groups: List,
        /// Whether another account has the same uid.
        uid_shared: Flag,
        /// `set`, `locked`, `empty` or `none` (no entry in shadow). A field in passwd other than `x` counts in place of shadow.
        password: Text,
        /// How the password is hashed: `yescrypt`, `sha512`, `sha256`, `bcrypt`, `md5`, `des`, `other`; absent without one.
        password_hash: Text,
        /// Whether the shell lets it log in: any but `nologin`, `false`, `true`, `sync`, `halt`, `shutdown`.
        login: Flag,
    }
}

/// Finds the records.
pub struct Users;

impl Resource for Users {
    type Row = User;
    const SELECTOR: &'static str = "a login name, or a glob; no such user gives no record";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let accounts = Accounts::of(context);
        accounts.passwd()?;
        Ok(accounts.users().iter().filter(|user| of.picks(user.name.raw())).map(|user| row(&accounts, user)).collect())
    }
}

fn row(accounts: &Accounts, user: &Passwd) -> User {
    let origin = Origin::line(PASSWD, user.line);
    let known = |text: &Text| Fact::Known(text.clone(), origin.clone());
    let password = password(accounts, user);
    User {
        name: known(&user.name),
        uid: Fact::Known(user.uid.into(), origin.clone()),
        gid: Fact::Known(user.gid.into(), origin.clone()),
        home: known(&user.home),
        shell: known(&user.shell),
        groups: groups(accounts, user),
        uid_shared: Fact::Known(accounts.users().iter().any(|other| other.uid == user.uid && other.line != user.line), origin.clone()),
        password: password.clone().map(|password| Text::from(password.map_or("none", word))),
        password_hash: password.and_then(|password, origin| match password {
            Some(Password::Set(scheme)) => Fact::Known(scheme.into(), origin),
            _ => Fact::Absent(origin),
        }),
        login: Fact::Known(logs_in(user.shell.raw()), origin),
    }
}

/// What decides about the password: the line in passwd unless it points to shadow, and `None` where shadow has no entry.
fn password(accounts: &Accounts, user: &Passwd) -> Fact<Option<Password>> {
    if let Some(password) = user.password {
        return Fact::Known(Some(password), Origin::line(PASSWD, user.line));
    }
    match &accounts.shadow {
        Fact::Known(shadow, origin) => match shadow.entries.iter().find(|entry| entry.name == user.name) {
            Some(entry) => Fact::Known(Some(entry.password), Origin::line(SHADOW, entry.line)),
            None => Fact::Known(None, origin.clone()),
        },
        Fact::Absent(origin) => Fact::Known(None, origin.clone()),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    }
}

fn word(password: Password) -> &'static str {
    match password {
        Password::Empty => "empty",
        Password::Locked => "locked",
        Password::Set(_) => "set",
    }
}

/// The kernel knows groups by number, so a group whose number another has is the same group.
fn groups(accounts: &Accounts, user: &Passwd) -> Fact<List> {
    accounts.group.as_ref().map(|found| {
        let listed = found.entries.iter().filter(|group| group.members.contains(&user.name)).map(|group| group.gid);
        let gids: BTreeSet<u32> = listed.chain([user.gid]).collect();
        let (primary, others): (Vec<_>, Vec<_>) =
            found.entries.iter().filter(|group| gids.contains(&group.gid)).partition(|group| group.gid == user.gid);
        let unnamed = primary.is_empty().then(|| Text::from(user.gid.to_string()));
        unnamed.into_iter().chain(primary.into_iter().chain(others).map(|group| group.name.clone())).collect()
    })
}

fn logs_in(shell: &str) -> bool {
    !matches!(shell.rsplit('/').next(), Some("nologin" | "false" | "true" | "sync" | "halt" | "shutdown"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    const ACCOUNTS: &str = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/usr/sbin/nologin\ntoor::0:0::/root:\n\
        al:x:1000:999::/home/al:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n+@nis::::::\nbroken:x:y:1::/:\nsvc:x:5:1::/:/bin/false\n";
    const GROUPS: &str = "root:x:0:\nstaff:x:50:al,bob\ndocker:x:999:\nhelpers:x:999:bob\n";

    fn host() -> Memory {
        Memory::new()
            .file("/etc/passwd", ACCOUNTS)
            .file("/etc/group", GROUPS)
            .file("/etc/shadow", "root:$y$j9T$s$h:1::::::\ntoor:*:1::::::\nal:!$6$s$h:1::::::\nbob::1::::::\ndaemon:*:1::::::\n")
    }

    fn user(host: &Memory, name: &str) -> User {
        Users::collect(&Context::new(host), &Selector::Keys(vec![name.into()])).unwrap().remove(0)
    }

    fn text(fact: &Fact<Text>) -> Option<&str> {
        fact.known().map(Text::raw)
    }

    #[test]
    fn passwords_are_judged_by_whichever_file_decides() {
        let host = host();
        let words = |name: &str| {
            let user = user(&host, name);
            (text(&user.password).map(str::to_owned), text(&user.password_hash).map(str::to_owned))
        };
        let is = |word: &str, hash: Option<&str>| (Some(word.to_owned()), hash.map(str::to_owned));
        assert_eq!(words("root"), is("set", Some("yescrypt")));
        assert_eq!(words("toor"), is("empty", None), "an empty field in passwd beats a lock in shadow");
        assert_eq!(words("al"), is("locked", None));
        assert_eq!(words("bob"), is("empty", None));
        assert_eq!(words("svc"), is("none", None));
        assert_eq!(user(&host, "root").password.origin(), &Origin::line("/etc/shadow", 1));
    }

    #[test]
    fn an_unreadable_shadow_is_unknown() {
        let host = host().gap("/etc/shadow", Reason::Denied);
        assert!(matches!(user(&host, "root").password, Fact::Unknown(Gap { reason: Reason::Denied, .. })));
        assert!(matches!(user(&host, "root").password_hash, Fact::Unknown(_)));
        assert_eq!(text(&user(&host, "toor").password), Some("empty"));
    }

    #[test]
    fn groups_go_by_number() {
        let host = host();
        let names = |name: &str| user(&host, name).groups.known().unwrap().iter().map(|g| g.raw().to_owned()).collect::<Vec<_>>();
        assert_eq!(names("al"), ["docker", "helpers", "staff"], "the primary group comes first, under every name it has");
        assert_eq!(names("bob"), ["1001", "staff", "docker", "helpers"]);
    }

    #[test]
    fn shells_and_duplicates() {
        let host = host();
        assert_eq!(user(&host, "toor").login.known(), Some(&true), "no shell means /bin/sh");
        assert_eq!(user(&host, "daemon").login.known(), Some(&false));
        assert_eq!(user(&host, "root").uid_shared.known(), Some(&true));
        assert_eq!(user(&host, "al").uid_shared.known(), Some(&false));
    }

    #[test]
    fn only_accounts_are_accounts() {
        let rows = Users::collect(&Context::new(&host()), &Selector::All).unwrap();
        assert_eq!(rows.len(), 6, "neither NIS lines nor lines nobody can read");
        assert!(Users::collect(&Context::new(&Memory::new()), &Selector::All).is_err());
    }
}
