//! Files in home directories whose names begin with a dot: they decide what a login does, and some let others in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::fact::{Fact, Flag, Gap, Mode, Origin, Text, record};
use crate::host::FileKind;
use crate::parse::passwd::Passwd;

use super::accounts::Accounts;
use super::home::on_demand;
use super::shells::Listed;
use super::{Context, Resource, Selector};

record! {
    /// One file directly in the home directory of somebody whose shell is valid, root included, whose name begins with a dot.
    /// Links are followed; directories and what leads nowhere are left out.
    pub struct HomeFile("home_file") {
        /// Path.
        path: Text,
        /// Name without its directory.
        name: Text,
        /// Whose home directory it is in; several, where they share it, joined by commas.
        user: Text,
        /// Whether one of them owns it; of what a link leads to, or root.
        owned: Flag,
        /// Whether its group is the primary group of one of them; of what a link leads to, or root's.
        group_owned: Flag,
        /// Permission bits.
        mode: Mode,
    }
}

/// Finds the records.
pub struct HomeFiles;

impl Resource for HomeFiles {
    type Row = HomeFile;
    const SELECTOR: &'static str = "the name of a file, such as `.netrc`, or a glob";
    const KEY: &'static str = "name";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let accounts = Accounts::of(context);
        accounts.passwd()?;
        let listed = Listed::of(context);
        let mut homes: BTreeMap<&str, Vec<&Passwd>> = BTreeMap::new();
        for user in accounts.users() {
            // Where it is not known whether a shell is valid the home is looked at: nothing is passed over.
            if listed.admits(user.shell.raw()).known() != Some(&false) && user.home.raw().starts_with('/') {
                homes.entry(user.home.raw()).or_default().push(user);
            }
        }
        Ok(homes.into_iter().flat_map(|(home, users)| files(context, of, home, &users)).collect())
    }
}

fn files(context: &Context<'_>, of: &Selector, home: &str, users: &[&Passwd]) -> Vec<HomeFile> {
    let directory = PathBuf::from(home);
    let names: Vec<&str> = users.iter().map(|user| user.name.raw()).collect();
    let names = Text::from(names.join(","));
    let unseen = |gap: &Gap| HomeFile { path: Fact::Known(home.into(), Origin::stat(home)), user: Fact::derived(names.clone()), ..HomeFile::unknown(gap) };
    if let Some(gap) = on_demand(context, &directory) {
        return vec![unseen(&gap)];
    }
    let entries = match context.host.list(&directory) {
        Fact::Known(entries, _) => entries,
        Fact::Absent(_) => return Vec::new(),
        Fact::Unknown(gap) => return vec![unseen(&gap)],
    };
    let mut rows = Vec::new();
    for entry in entries.iter().filter(|entry| matches!(entry.kind, FileKind::File | FileKind::Link)) {
        let name = Text::from(entry.name.as_path());
        if !name.raw().starts_with('.') || !of.picks(name.raw()) {
            continue;
        }
        let path = directory.join(&entry.name);
        let link = entry.kind == FileKind::Link;
        let known = (Fact::Known(Text::from(path.as_path()), Origin::stat(path.as_path())), Fact::Known(name, Origin::stat(path.as_path())));
        rows.push(match context.host.stat(&path) {
            Fact::Known(stat, origin) if stat.kind == FileKind::File => HomeFile {
                path: known.0,
                name: known.1,
                user: Fact::derived(names.clone()),
                owned: Fact::Known(users.iter().any(|user| user.uid == stat.uid) || link && stat.uid == 0, origin.clone()),
                group_owned: Fact::Known(users.iter().any(|user| user.gid == stat.gid) || link && stat.gid == 0, origin.clone()),
                mode: Fact::Known(stat.mode, origin),
            },
            Fact::Known(..) | Fact::Absent(_) => continue,
            Fact::Unknown(gap) => HomeFile { path: known.0, name: known.1, ..unseen(&gap) },
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    fn host() -> Memory {
        Memory::new()
            .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nal:x:1000:1000::/home/al:/bin/sh\nsvc:x:5:5::/srv:/usr/sbin/nologin\n")
            .file("/home/al/.netrc", "")
            .owned("/home/al/.netrc", 1000, 1000, 0o600)
            .file("/home/al/notes", "")
            .node("/home/al/.ssh", FileKind::Directory, 0o700)
            .symlink("/home/al/.bashrc", "/etc/bashrc")
            .symlink("/home/al/.gone", "/nowhere")
            .file("/etc/bashrc", "")
            .file("/root/.rhosts", "")
            .owned("/root/.rhosts", 7, 8, 0o666)
            .file("/srv/.netrc", "")
    }

    #[test]
    fn dot_files_of_those_who_can_log_in() {
        let rows = HomeFiles::collect(&Context::new(&host()), &Selector::All).unwrap();
        let told: Vec<_> = rows.iter().map(|row| (row.path.known().unwrap().raw(), row.owned.known().copied(), row.group_owned.known().copied())).collect();
        assert_eq!(
            told,
            [
                ("/home/al/.bashrc", Some(true), Some(true)),
                ("/home/al/.netrc", Some(true), Some(true)),
                ("/root/.rhosts", Some(false), Some(false))
            ]
        );
        let one = HomeFiles::collect(&Context::new(&host()), &Selector::Keys(vec![".netrc".into()])).unwrap();
        assert_eq!((one.len(), one[0].user.known().unwrap().raw()), (1, "al"));
    }

    #[test]
    fn a_closed_home_is_a_gap() {
        let rows = HomeFiles::collect(&Context::new(&host().gap("/home/al", Reason::Denied)), &Selector::All).unwrap();
        assert!(matches!(rows[0].mode, Fact::Unknown(_)) && rows[0].path.known().unwrap().raw() == "/home/al");
    }
}
