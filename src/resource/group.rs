//! Groups and everybody in them.

use std::collections::BTreeSet;

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Text, record};
use crate::parse::passwd as parse;

use super::accounts::{Accounts, GROUP, PASSWD};
use super::{Context, Resource, Selector};

record! {
    /// One group of the host's group file.
    pub struct Group("group") {
        /// Name.
        name: Text,
        /// Numeric id.
        gid: Integer,
        /// Everybody in it: members listed, users whose primary group it is, and those of groups with the same number.
        members: List,
        /// Users whose primary group it is.
        primary_members: List,
        /// Whether another group has the same gid.
        gid_shared: Flag,
        /// Whether another group has the same name.
        name_shared: Flag,
    }
}

/// Finds the records.
pub struct Groups;

impl Resource for Groups {
    type Row = Group;
    const SELECTOR: &'static str = "a group name, or a glob; no such group gives no record";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let accounts = Accounts::of(context);
        accounts.group_file()?;
        Ok(accounts.groups().iter().filter(|group| of.picks(group.name.raw())).map(|group| row(&accounts, group)).collect())
    }
}

fn row(accounts: &Accounts, group: &parse::Group) -> Group {
    let origin = Origin::line(GROUP, group.line);
    let same = |other: &&parse::Group| other.gid == group.gid;
    let primary: Fact<List> = match accounts.passwd() {
        Ok(passwd) => {
            let of_group = passwd.entries.iter().filter(|user| user.gid == group.gid);
            Fact::Known(unique(of_group.map(|user| user.name.clone())), Origin::file(PASSWD))
        }
        Err(gap) => Fact::Unknown(gap),
    };
    let listed = accounts.groups().iter().filter(same).flat_map(|other| other.members.iter().cloned());
    let members = primary.clone().and_then(|primary, _| Fact::Known(unique(listed.chain(primary)), origin.clone()));
    Group {
        name: Fact::Known(group.name.clone(), origin.clone()),
        gid: Fact::Known(group.gid.into(), origin.clone()),
        members,
        primary_members: primary,
        gid_shared: Fact::Known(accounts.groups().iter().filter(same).count() > 1, origin.clone()),
        name_shared: Fact::Known(accounts.groups().iter().any(|other| other.name == group.name && other.line != group.line), origin),
    }
}

fn unique(names: impl Iterator<Item = Text>) -> List {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    fn group(host: &Memory, name: &str) -> Group {
        Groups::collect(&Context::new(host), &Selector::Keys(vec![name.into()])).unwrap().remove(0)
    }

    fn names(fact: &Fact<List>) -> Vec<&str> {
        fact.known().unwrap().iter().map(Text::raw).collect()
    }

    fn host() -> Memory {
        Memory::new()
            .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nal:x:1000:999::/:/bin/sh\ncy:x:1002:1002::/:/bin/sh\n")
            .file("/etc/group", "docker:x:999:bob,al\nharmless:x:999:eve\nempty:x:7:\n+\n")
    }

    #[test]
    fn everybody_with_the_number_is_a_member() {
        let docker = group(&host(), "docker");
        assert_eq!(names(&docker.members), ["bob", "al", "eve"], "listed, by primary group, and under another name of the number");
        assert_eq!(names(&docker.primary_members), ["al"]);
        assert_eq!(docker.gid_shared.known(), Some(&true));
        assert_eq!(docker.name_shared.known(), Some(&false));
        let twice = host().file("/etc/group", "a:x:1:\na:x:2:\n");
        assert_eq!(group(&twice, "a").name_shared.known(), Some(&true));
        assert!(names(&group(&host(), "empty").members).is_empty());
    }

    #[test]
    fn members_are_unknown_without_passwd() {
        let docker = group(&host().gap("/etc/passwd", Reason::Denied), "docker");
        assert!(matches!(docker.members, Fact::Unknown(Gap { reason: Reason::Denied, .. })));
        assert_eq!(docker.gid.known(), Some(&999));
    }

    #[test]
    fn no_such_group_gives_no_record() {
        assert!(Groups::collect(&Context::new(&host()), &Selector::Keys(vec!["wheel".into()])).unwrap().is_empty());
        assert!(Groups::collect(&Context::new(&Memory::new()), &Selector::All).is_err());
    }
}
