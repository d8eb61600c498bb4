//! Files: existence, kind, owner, group and mode.

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Integer, Mode, Origin, Reason, Text, record};
use crate::parse::glob;

use super::accounts::Accounts;
use super::{Context, Resource, Selector, paths};

record! {
    /// One path. A path that is not there is a record with `exists = false`; a glob gives only what is there.
    pub struct File("file") {
        /// The path as asked for.
        path: Text,
        /// Whether anything is there, following links.
        exists: Flag,
        /// `file`, `directory`, `socket`, `fifo`, `device` or `other`, following links; absent where nothing is.
        kind: Text,
        /// Name of the owner, from the host's own passwd; the number where it has no name.
        owner: Text,
        /// Name of the group, from the host's own group file; the number where it has no name.
        group: Text,
        /// Numeric owner.
        uid: Integer,
        /// Numeric group.
        gid: Integer,
        /// Permission bits, set-uid, set-gid and sticky included.
        mode: Mode,
        /// Size in bytes.
        size_bytes: Integer,
        /// The path with links resolved.
        target: Text,
        /// Days since the content last changed.
        age_days: Integer,
        /// Whether somebody other than root can replace it by writing to one of its parent directories (sticky ones excepted).
        replaceable: Flag,
    }
}

/// Finds the records.
pub struct Files;

impl Resource for Files {
    type Row = File;
    const SELECTOR: &'static str = "an absolute path, or a glob: `*` within a directory, `**` is not allowed";
    const ENUMERABLE: bool = false;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let Selector::Keys(keys) = of else {
            return Err(Gap::new(Origin::Derived, Reason::malformed("files are selected by path")));
        };
        let mut rows = Vec::new();
        for key in keys {
            let found = paths::expand(context.host, key)?;
            let one = !glob::is_glob(key);
            let there = |file: &File| one || file.exists.known() != Some(&false);
            rows.extend(found.paths.iter().map(|path| look(context, path)).filter(there));
            rows.extend(found.gaps.iter().map(|(path, gap)| File { path: named(path), ..File::unknown(gap) }));
        }
        Ok(rows)
    }
}

/// Everything about one path. Shared by resources whose records are files in a role.
pub(crate) fn look(context: &Context<'_>, path: &Path) -> File {
    let (stat, origin) = match context.host.stat(path) {
        Fact::Known(stat, origin) => (stat, origin),
        Fact::Absent(origin) => return missing(path, &origin),
        Fact::Unknown(gap) => return File { path: named(path), ..File::unknown(&gap) },
    };
    let accounts = Accounts::of(context);
    let known = |number: i64| Fact::Known(number, origin.clone());
    let age = (context.host.now().timestamp() - stat.modified).div_euclid(86_400);
    File {
        path: named(path),
        exists: Fact::Known(true, origin.clone()),
        kind: Fact::Known(stat.kind.word().into(), origin.clone()),
        owner: or_number(accounts.user_name(stat.uid), stat.uid, &origin),
        group: or_number(accounts.group_name(stat.gid), stat.gid, &origin),
        uid: known(stat.uid.into()),
        gid: known(stat.gid.into()),
        mode: Fact::Known(stat.mode, origin.clone()),
        size_bytes: known(i64::try_from(stat.size).unwrap_or(i64::MAX)),
        target: context.host.resolve(path).map(|target| Text::from(target.as_path())),
        age_days: known(age),
        replaceable: paths::replaceable(context.host, path, &[]),
    }
}

fn named(path: &Path) -> Fact<Text> {
    Fact::Known(path.into(), Origin::stat(path))
}

/// A path at which nothing is, or nothing that counts.
pub(crate) fn missing(path: &Path, origin: &Origin) -> File {
    File {
        path: named(path),
        exists: Fact::Known(false, origin.clone()),
        kind: Fact::Absent(origin.clone()),
        owner: Fact::Absent(origin.clone()),
        group: Fact::Absent(origin.clone()),
        uid: Fact::Absent(origin.clone()),
        gid: Fact::Absent(origin.clone()),
        mode: Fact::Absent(origin.clone()),
        size_bytes: Fact::Absent(origin.clone()),
        target: Fact::Absent(origin.clone()),
        age_days: Fact::Absent(origin.clone()),
        replaceable: Fact::Absent(origin.clone()),
    }
}

/// The name, or the number where nobody has it.
fn or_number(name: Fact<Text>, number: u32, origin: &Origin) -> Fact<Text> {
    match name {
        Fact::Absent(_) => Fact::Known(number.to_string().into(), origin.clone()),
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{FileKind, memory::Memory};

    fn files(host: &Memory, keys: &[&str]) -> Vec<File> {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Files::collect(&Context::new(host), &Selector::Keys(keys)).unwrap()
    }

    #[test]
    fn metadata_is_that_of_what_links_lead_to() {
        let host = Memory::new()
            .file("/etc/passwd", "root:x:0:0::/:/bin/sh\n")
            .file("/etc/group", "root:x:0:\ndocker:x:998:\n")
            .node("/run/docker.sock", FileKind::Socket, 0o660)
            .owned("/run/docker.sock", 0, 998, 0o660)
            .modified("/run/docker.sock", 86_400)
            .symlink("/var/run", "/run")
            .at(3 * 86_400 + 5);
        let file = files(&host, &["/var/run/docker.sock"]).remove(0);
        assert_eq!(file.path.known().unwrap().raw(), "/var/run/docker.sock");
        assert_eq!(file.target.known().unwrap().raw(), "/run/docker.sock");
        assert_eq!(file.kind.known().unwrap().raw(), "socket");
        assert_eq!((file.owner.known().unwrap().raw(), file.group.known().unwrap().raw()), ("root", "docker"));
        assert_eq!(file.owner.origin(), &Origin::line("/etc/passwd", 1));
        assert_eq!(file.mode.known().unwrap().bits(), 0o660);
        assert_eq!(file.age_days.known(), Some(&2));
        assert_eq!(file.replaceable.known(), Some(&false));
    }

    #[test]
    fn a_missing_path_is_a_record_and_a_missing_match_is_none() {
        let host = Memory::new().file("/etc/x.conf", "").symlink("/etc/y.conf", "/nowhere");
        let found = files(&host, &["/etc/none", "/etc/*.conf"]);
        assert_eq!(found.iter().map(|file| file.exists.known().copied()).collect::<Vec<_>>(), [Some(false), Some(true)]);
        assert!(matches!(found[0].mode, Fact::Absent(_)));
    }

    #[test]
    fn nameless_owners_are_numbers_and_unreadable_names_are_gaps() {
        let host = Memory::new().file("/f", "").owned("/f", 7, 8, 0o644).file("/etc/passwd", "").gap("/etc/group", Reason::Denied);
        let file = files(&host, &["/f"]).remove(0);
        assert_eq!(file.owner.known().unwrap().raw(), "7");
        assert!(matches!(file.group, Fact::Unknown(_)));
        assert_eq!(file.gid.known(), Some(&8));
    }

    #[test]
    fn not_being_able_to_look_is_not_absence() {
        let host = Memory::new().file("/root/f", "").gap("/root", Reason::Denied);
        for key in ["/root/f", "/root/*"] {
            let file = files(&host, &[key]).remove(0);
            assert!(matches!(file.exists, Fact::Unknown(_)), "{key}");
            assert_eq!(file.path.known().unwrap().raw(), key);
        }
        assert!(Files::collect(&Context::new(&host), &Selector::All).is_err());
        assert!(Files::collect(&Context::new(&host), &Selector::Keys(vec!["/etc/**".into()])).is_err());
    }
}
