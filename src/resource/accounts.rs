//! The host's own accounts, read once per run and shared by every resource that needs names or members.
//!
//! They come from `/etc/passwd`, `/etc/group` and `/etc/shadow` of the audited host alone: what a directory service adds
//! is not seen. Where a name or a number repeats, the first line counts, as it does for the C library.

use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::parse::passwd::{self, Entries, Group, Passwd, Shadow};

use super::Context;

/// The accounts of a host. Each file is a fact of its own: one may be readable and another not.
pub(crate) struct Accounts {
    /// `/etc/passwd`.
    pub(crate) passwd: Fact<Entries<Passwd>>,
    /// `/etc/group`.
    pub(crate) group: Fact<Entries<Group>>,
    /// `/etc/shadow`, hashes judged and dropped.
    pub(crate) shadow: Fact<Entries<Shadow>>,
    /// Where names are looked up beside the files, from `/etc/nsswitch.conf`: by database, the sources that cannot be seen.
    unseen: Fact<Vec<(String, String, u32)>>,
}

/// The path of the accounts.
pub(crate) const PASSWD: &str = "/etc/passwd";
/// The path of the groups.
pub(crate) const GROUP: &str = "/etc/group";
/// The path of the passwords.
pub(crate) const SHADOW: &str = "/etc/shadow";
/// Where it is configured who is asked for accounts.
const NSSWITCH: &str = "/etc/nsswitch.conf";

impl Accounts {
    /// The accounts of the host under audit.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| Self {
            passwd: context.host.read(Path::new(PASSWD)).map(|bytes| passwd::passwd(&bytes)),
            group: context.host.read(Path::new(GROUP)).map(|bytes| passwd::group(&bytes)),
            shadow: context.host.read(Path::new(SHADOW)).map(|bytes| passwd::shadow(&bytes)),
            unseen: context.host.read(Path::new(NSSWITCH)).map(|bytes| unseen(&bytes)),
        })
    }

    /// The accounts, or why there are none to see. A host without passwd is one it was not collected from.
    pub(crate) fn passwd(&self) -> Result<&Entries<Passwd>, Gap> {
        needed(&self.passwd)
    }

    /// The groups, or why there are none to see.
    pub(crate) fn group_file(&self) -> Result<&Entries<Group>, Gap> {
        needed(&self.group)
    }

    /// The accounts, none where there is no passwd or it cannot be read.
    pub(crate) fn users(&self) -> &[Passwd] {
        self.passwd.known().map(|found| found.entries.as_slice()).unwrap_or_default()
    }

    /// The groups, none where there is no group file or it cannot be read.
    pub(crate) fn groups(&self) -> &[Group] {
        self.group.known().map(|found| found.entries.as_slice()).unwrap_or_default()
    }

    /// Why somebody who is not in the file of a database may exist all the same: the database has sources that cannot be seen.
    pub(crate) fn elsewhere(&self, database: &str) -> Option<Gap> {
        match &self.unseen {
            Fact::Known(sources, _) => sources.iter().find(|(of, ..)| of == database).map(|(_, source, line)| {
                let why = format!("{database} entries may come from the source {source}, which is not asked");
                Gap::new(Origin::line(NSSWITCH, *line), Reason::unsupported(why))
            }),
            // The C library looks into the files alone where nothing is configured.
            Fact::Absent(_) => None,
            Fact::Unknown(gap) => Some(gap.clone()),
        }
    }

    /// The account with a name.
    pub(crate) fn user(&self, name: &str) -> Option<&Passwd> {
        self.users().iter().find(|user| user.name.raw() == name)
    }

    /// The group with a name.
    pub(crate) fn group(&self, name: &str) -> Option<&Group> {
        self.groups().iter().find(|group| group.name.raw() == name)
    }

    /// The name of a user id. Absent where no account has it.
    pub(crate) fn user_name(&self, uid: u32) -> Fact<Text> {
        named(&self.passwd, PASSWD, |user| (user.uid == uid).then_some((&user.name, user.line)))
    }

    /// The name of a group id. Absent where no group has it.
    pub(crate) fn group_name(&self, gid: u32) -> Fact<Text> {
        named(&self.group, GROUP, |group| (group.gid == gid).then_some((&group.name, group.line)))
    }
}

/// The sources of `nsswitch.conf` that hold entries which are in no file, by database.
fn unseen(bytes: &[u8]) -> Vec<(String, String, u32)> {
    let text = String::from_utf8_lossy(bytes);
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some((database, sources)) = line.split('#').next().unwrap_or_default().split_once(':') else { continue };
        let sources = sources.split_whitespace().filter(|source| !source.starts_with('[') && !source.ends_with(']'));
        // `systemd` makes up its accounts while their services run, `mymachines` those of containers: both are no accounts to log in to.
        let hidden = sources.filter(|source| !matches!(*source, "files" | "systemd" | "mymachines" | "compat" | "cache"));
        found.extend(hidden.map(|source| (database.trim().to_owned(), source.to_owned(), number)));
    }
    found
}

fn needed<T>(file: &Fact<T>) -> Result<&T, Gap> {
    match file {
        Fact::Known(found, _) => Ok(found),
        Fact::Absent(origin) => Err(Gap::new(origin.clone(), Reason::NotCollected)),
        Fact::Unknown(gap) => Err(gap.clone()),
    }
}

fn named<T>(file: &Fact<Entries<T>>, path: &str, pick: impl Fn(&T) -> Option<(&Text, u32)>) -> Fact<Text> {
    file.as_ref().and_then(|found, origin| match found.entries.iter().find_map(pick) {
        Some((name, line)) => Fact::Known(name.clone(), Origin::line(path, line)),
        None => Fact::Absent(origin),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    #[test]
    fn sources_that_cannot_be_seen_are_named() {
        let nss = "# passwd: ldap\npasswd: files systemd [NOTFOUND=return] sss # x\ngroup:\tcompat\n\0shadow files\n";
        let host = Memory::new().file(NSSWITCH, nss);
        let accounts = Accounts::of(&Context::new(&host));
        assert_eq!(accounts.elsewhere("passwd").map(|gap| gap.origin), Some(Origin::line(NSSWITCH, 2)));
        assert!(accounts.elsewhere("group").is_none() && accounts.elsewhere("shadow").is_none());
        assert!(Accounts::of(&Context::new(&host.gap(NSSWITCH, Reason::Denied))).elsewhere("group").is_some());
        assert!(Accounts::of(&Context::new(&Memory::new())).elsewhere("group").is_none());
    }

    #[test]
    fn the_first_of_a_number_names_it() {
        let host = Memory::new().file(PASSWD, "root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\n").gap(GROUP, Reason::Denied);
        let accounts = Accounts::of(&Context::new(&host));
        assert_eq!(accounts.user_name(0), Fact::Known("root".into(), Origin::line(PASSWD, 1)));
        assert_eq!(accounts.user_name(7), Fact::Absent(Origin::file(PASSWD)));
        assert!(matches!(accounts.group_name(0), Fact::Unknown(Gap { reason: Reason::Denied, .. })));
        assert_eq!(accounts.user("toor").map(|user| user.line), Some(2));
        assert!(accounts.group("root").is_none() && accounts.groups().is_empty());
    }
}
