//! User accounts.

use std::collections::BTreeSet;

use crate::fact::{Fact, Flag, Gap, Integer, List, Mode, Origin, Reason, Text, record};
use crate::parse::passwd::{Number, Passwd, Password, Shadow};

use super::accounts::{Accounts, GROUP, PASSWD, SHADOW};
use super::home::Home;
use super::login_defs::Settings;
use super::shells::Listed;
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
        /// Whether another line of passwd has the same name.
        name_shared: Flag,
        /// Whether the primary group is in the group file; unknown where groups may come from elsewhere too.
        gid_exists: Flag,
        /// Whether it is an account of the system and of no person: uid below `UID_MIN` of login.defs, or the nobody of 16 bits (65534).
        system: Flag,
        /// `set`, `locked`, `empty` or `none` (no entry in shadow). A field in passwd other than `x` counts in place of shadow.
        password: Text,
        /// How the password is hashed: `yescrypt`, `sha512`, `sha256`, `bcrypt`, `md5`, `des`, `other`; absent without one.
        password_hash: Text,
        /// Whether passwd leaves the password to shadow: its field is `x`.
        shadowed: Flag,
        /// Days after which the password has to be changed; absent where it never has to, or shadow has no entry.
        max_days: Integer,
        /// Days that have to pass before the password may be changed again; absent where none is set.
        min_days: Integer,
        /// Days of warning before the password runs out; absent where none is set.
        warn_days: Integer,
        /// Days after the password has run out at which the account is locked; absent where it never is.
        inactive_days: Integer,
        /// Days since the password was last changed; absent where that is not kept. Negative for a day in the future.
        password_age_days: Integer,
        /// Whether the day of the last change of the password is in the future.
        password_changed_in_future: Flag,
        /// Days until the account ends, negative where it has; absent where it does not.
        expires_in_days: Integer,
        /// Whether the shell lets it log in: any but `nologin`, `false`, `true`, `sync`, `halt`, `shutdown`.
        login: Flag,
        /// Whether people may log in by the book: the shell is in `/etc/shells` and is neither `nologin` nor `false`.
        shell_valid: Flag,
        /// Whether the home directory is there and a directory. One on a file system that is mounted on demand is unknown.
        home_exists: Flag,
        /// Whether the home directory belongs to the account; absent where there is none.
        home_owned: Flag,
        /// Permission bits of the home directory; absent where there is none.
        home_mode: Mode,
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
        Ok(accounts.users().iter().filter(|user| of.picks(user.name.raw())).map(|user| row(context, &accounts, user)).collect())
    }
}

fn row(context: &Context<'_>, accounts: &Accounts, user: &Passwd) -> User {
    let origin = Origin::line(PASSWD, user.line);
    let known = |text: &Text| Fact::Known(text.clone(), origin.clone());
    let others = || accounts.users().iter().filter(|other| other.line != user.line);
    let password = password(accounts, user);
    let home = Home::of(context, user);
    let changed = limit(accounts, user, |entry| entry.ageing[0]);
    let today = context.host.now().timestamp().div_euclid(86_400);
    User {
        name: known(&user.name),
        uid: Fact::Known(user.uid.into(), origin.clone()),
        gid: Fact::Known(user.gid.into(), origin.clone()),
        home: known(&user.home),
        shell: known(&user.shell),
        groups: groups(accounts, user),
        uid_shared: Fact::Known(others().any(|other| other.uid == user.uid), origin.clone()),
        name_shared: Fact::Known(others().any(|other| other.name == user.name), origin.clone()),
        gid_exists: gid_exists(accounts, user),
        system: system(context, user),
        password: password.clone().map(|password| Text::from(password.map_or("none", word))),
        password_hash: password.and_then(|password, origin| match password {
            Some(Password::Set(scheme)) => Fact::Known(scheme.into(), origin),
            _ => Fact::Absent(origin),
        }),
        shadowed: Fact::Known(user.password.is_none(), origin.clone()),
        min_days: limit(accounts, user, |entry| entry.ageing[1]),
        max_days: limit(accounts, user, |entry| entry.ageing[2]),
        warn_days: limit(accounts, user, |entry| entry.ageing[3]),
        inactive_days: limit(accounts, user, |entry| entry.ageing[4]),
        // Day 0 is the mark for a password that has to be changed at the next login.
        password_age_days: changed.clone().and_then(|day, origin| match day {
            0 => Fact::Absent(origin),
            day => Fact::Known(today - day, origin),
        }),
        password_changed_in_future: match changed {
            Fact::Absent(origin) => Fact::Known(false, origin),
            changed => changed.map(|day| day > today),
        },
        expires_in_days: limit(accounts, user, |entry| entry.ageing[5]).map(|day| day - today),
        login: Fact::Known(logs_in(user.shell.raw()), origin),
        shell_valid: Listed::of(context).admits(user.shell.raw()),
        home_exists: home.exists,
        home_owned: home.owned,
        home_mode: home.mode,
    }
}

/// A number that shadow holds about an account.
fn limit(accounts: &Accounts, user: &Passwd, pick: impl Fn(&Shadow) -> Number) -> Fact<i64> {
    accounts.shadow.as_ref().and_then(|shadow, origin| match shadow.entries.iter().find(|entry| entry.name == user.name) {
        None => Fact::Absent(origin),
        Some(entry) => {
            let origin = Origin::line(SHADOW, entry.line);
            match pick(entry) {
                Number::Is(value) => Fact::Known(value, origin),
                Number::None => Fact::Absent(origin),
                Number::Bad => Fact::Unknown(Gap::new(origin, Reason::malformed("not a number"))),
            }
        }
    })
}

fn gid_exists(accounts: &Accounts, user: &Passwd) -> Fact<bool> {
    match accounts.group_name(user.gid) {
        Fact::Known(_, origin) => Fact::Known(true, origin),
        Fact::Absent(_) if matches!(accounts.group, Fact::Absent(_)) => {
            Fact::Unknown(Gap::new(Origin::file(GROUP), Reason::NotCollected))
        }
        Fact::Absent(origin) => match accounts.elsewhere("group") {
            Some(gap) => Fact::Unknown(gap),
            None => Fact::Known(false, origin),
        },
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

fn system(context: &Context<'_>, user: &Passwd) -> Fact<bool> {
    if user.uid == 0 || user.uid == 65_534 {
        return Fact::Known(true, Origin::line(PASSWD, user.line));
    }
    Settings::of(context).number("UID_MIN").map(|least| i64::from(user.uid) < least)
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
    fn ageing_comes_from_shadow() {
        let host = Memory::new()
            .at(20_000 * 86_400)
            .file("/etc/passwd", "al:x:1000:7::/:/bin/sh\nbo:x:1001:7::/:/bin/sh\ncy:x:1002:7::/:/bin/sh\nal:x:1003:7::/:/bin/sh\n")
            .file("/etc/group", "root:x:0:\n")
            .file("/etc/shadow", "al:$y$h:19990:1:365:7:30:20010:\nbo:$y$h:20001:::7::x:\nal:!:0:0:0:0:0:0:\n");
        let al = user(&host, "al");
        let numbers = [&al.min_days, &al.max_days, &al.warn_days, &al.inactive_days, &al.password_age_days, &al.expires_in_days];
        assert_eq!(numbers.map(|fact| fact.known().copied()), [Some(1), Some(365), Some(7), Some(30), Some(10), Some(10)]);
        assert_eq!(al.max_days.origin(), &Origin::line("/etc/shadow", 1));
        assert_eq!((al.name_shared.known(), al.gid_exists.known()), (Some(&true), Some(&false)));
        let bo = user(&host, "bo");
        assert!(matches!(bo.max_days, Fact::Absent(_)));
        assert_eq!((bo.password_age_days.known(), bo.password_changed_in_future.known()), (Some(&-1), Some(&true)));
        assert!(matches!(bo.expires_in_days, Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
        let cy = user(&host, "cy");
        assert!(matches!(cy.max_days, Fact::Absent(_)) && cy.password_changed_in_future.known() == Some(&false));
        let hidden = host.gap("/etc/shadow", Reason::Denied);
        assert!(matches!(user(&hidden, "al").max_days, Fact::Unknown(_)));
    }

    #[test]
    fn groups_may_be_kept_elsewhere() {
        let host = Memory::new().file("/etc/passwd", "al:x:1000:7::/:/bin/sh\n").file("/etc/nsswitch.conf", "group: files sss\n");
        assert!(matches!(user(&host, "al").gid_exists, Fact::Unknown(Gap { reason: Reason::NotCollected, .. })));
        let host = host.file("/etc/group", "x:x:8:\n");
        assert!(matches!(user(&host, "al").gid_exists, Fact::Unknown(Gap { reason: Reason::Unsupported(_), .. })));
    }

    #[test]
    fn the_system_s_own_end_where_login_defs_says() {
        let host = host().file("/etc/login.defs", "UID_MIN 1001\n");
        let system = |host: &Memory, name: &str| user(host, name).system.known().copied();
        assert_eq!([system(&host, "al"), system(&host, "bob"), system(&host, "root")], [Some(true), Some(false), Some(true)]);
        let closed = host.gap("/etc/login.defs", Reason::Denied);
        assert_eq!([system(&closed, "al"), system(&closed, "root")], [None, Some(true)]);
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
