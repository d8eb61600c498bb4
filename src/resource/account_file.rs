//! The account files themselves: lines that are no entry, and lines that take in accounts from elsewhere.

use crate::fact::{Fact, Flag, Gap, List, Origin, Text, record};
use crate::parse::passwd::Entries;

use super::accounts::{Accounts, GROUP, PASSWD, SHADOW};
use super::{Context, Resource, Selector};

record! {
    /// One of `/etc/passwd`, `/etc/group` and `/etc/shadow`.
    pub struct AccountFile("account_file") {
        /// Path.
        path: Text,
        /// Whether it is there.
        exists: Flag,
        /// Numbers of lines that the C library cannot read as an entry; absent without the file.
        malformed: List,
        /// Numbers of lines that begin with `+` or `-`: they take in or leave out accounts of NIS where nsswitch says `compat`,
        /// and are accounts of that name to programs that read the file themselves. Absent without the file.
        nis: List,
    }
}

/// Finds the records.
pub struct AccountFiles;

impl Resource for AccountFiles {
    type Row = AccountFile;
    const SELECTOR: &'static str = "a path, such as `/etc/passwd`";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let accounts = Accounts::of(context);
        let rows = [row(PASSWD, &accounts.passwd), row(GROUP, &accounts.group), row(SHADOW, &accounts.shadow)];
        Ok(rows.into_iter().filter(|row| row.path.known().is_some_and(|path| of.picks(path.raw()))).collect())
    }
}

fn row<T>(path: &'static str, file: &Fact<Entries<T>>) -> AccountFile {
    let lines = |pick: fn(&Entries<T>) -> &Vec<u32>| -> Fact<List> {
        file.as_ref().and_then(|found, origin| {
            let numbers = pick(found);
            let origin = numbers.first().map_or(origin, |line| Origin::line(path, *line));
            Fact::Known(numbers.iter().map(|number| Text::from(number.to_string())).collect(), origin)
        })
    };
    AccountFile {
        path: Fact::Known(path.into(), Origin::file(path)),
        exists: match file {
            Fact::Known(_, origin) => Fact::Known(true, origin.clone()),
            Fact::Absent(origin) => Fact::Known(false, origin.clone()),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        },
        malformed: lines(|entries| &entries.malformed),
        nis: lines(|entries| &entries.nis),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    #[test]
    fn lines_that_are_no_entries_are_numbered() {
        let host = Memory::new().file(PASSWD, "root:x:0:0::/:/bin/sh\n+nis::::::\nbad:x:y:1::/:\n").gap(SHADOW, Reason::Denied);
        let rows = AccountFiles::collect(&Context::new(&host), &Selector::All).unwrap();
        let list = |fact: &Fact<List>| fact.known().map(|list| list.iter().map(|line| line.raw().to_owned()).collect::<Vec<_>>());
        assert_eq!((list(&rows[0].malformed), list(&rows[0].nis)), (Some(vec!["3".to_owned()]), Some(vec!["2".to_owned()])));
        assert_eq!(rows[0].malformed.origin(), &Origin::line(PASSWD, 3));
        assert_eq!((rows[1].exists.known(), list(&rows[1].nis)), (Some(&false), None));
        assert!(matches!(rows[2].exists, Fact::Unknown(_)) && matches!(rows[2].nis, Fact::Unknown(_)));
    }
}
