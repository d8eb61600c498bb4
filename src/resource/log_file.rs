//! The files below `/var/log`, each with who may reach it and who should.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, Mode, Origin, Reason, Text, record};
use crate::host::FileKind;

use super::accounts::Accounts;
use super::file::look;
use super::{Context, Resource, Selector};

record! {
    /// One regular file below `/var/log`, links followed.
    pub struct LogFile("log_file") {
        /// Path.
        path: Text,
        /// What it is by its name: `login-record`, `open`, `journal`, `sssd`, `gdm`, or `log`.
        class: Text,
        /// Permission bits.
        mode: Mode,
        /// Name of the owner; the number where it has no name.
        owner: Text,
        /// Name of the group; the number where it has no name.
        group: Text,
        /// Whether no permission is given beyond those its class needs: 0664 for records of logins, 0644 for logs that hold nothing
        /// of people (cloud-init, apt), 0660 for those of sssd and gdm, 0640 for all others.
        mode_expected: Flag,
        /// Whether it belongs to root, syslog, the program of its class, or an account nobody logs in to.
        owner_expected: Flag,
        /// Whether its group is root, adm, the group of its class, or that of the account nobody logs in to which owns it.
        group_expected: Flag,
    }
}

/// Finds the records.
pub struct LogFiles;

/// How deep directories are looked into, and how many files are looked at.
const DEEPEST: usize = 32;
const MOST: usize = 50_000;

impl Resource for LogFiles {
    type Row = LogFile;
    const SELECTOR: &'static str = "a path below `/var/log`, or a glob";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let mut walk = Walk { context, files: Vec::new(), gaps: Vec::new(), seen: HashSet::new() };
        walk.directory(Path::new("/var/log"), 0);
        let accounts = Accounts::of(context);
        let wanted = walk.files.iter().filter(|path| of.picks(&path.to_string_lossy()));
        let mut rows: Vec<_> = wanted.filter_map(|path| row(context, &accounts, path)).collect();
        rows.extend(walk.gaps.iter().map(LogFile::unknown));
        Ok(rows)
    }
}

struct Walk<'a> {
    context: &'a Context<'a>,
    files: Vec<PathBuf>,
    gaps: Vec<Gap>,
    /// Directories that were looked into: links may lead back.
    seen: HashSet<(u64, u64)>,
}

impl Walk<'_> {
    fn directory(&mut self, path: &Path, depth: usize) {
        let host = self.context.host;
        match host.stat(path) {
            Fact::Known(stat, _) if !self.seen.insert((stat.device, stat.inode)) => return,
            Fact::Known(..) => {}
            Fact::Absent(_) => return,
            Fact::Unknown(gap) => return self.gaps.push(gap),
        }
        let entries = match host.list(path) {
            Fact::Known(entries, _) => entries,
            Fact::Absent(_) => return,
            Fact::Unknown(gap) => return self.gaps.push(gap),
        };
        if depth > DEEPEST || self.files.len() + entries.len() > MOST {
            return self.gaps.push(Gap::new(Origin::file(path), Reason::TooLarge));
        }
        for entry in entries.iter() {
            let inner = path.join(&entry.name);
            let kind = match entry.kind {
                FileKind::Link | FileKind::Other => match host.stat(&inner) {
                    Fact::Known(stat, _) => stat.kind,
                    Fact::Absent(_) => continue,
                    Fact::Unknown(gap) => {
                        self.gaps.push(gap);
                        continue;
                    }
                },
                kind => kind,
            };
            match kind {
                FileKind::File => self.files.push(inner),
                FileKind::Directory => self.directory(&inner, depth + 1),
                _ => {}
            }
        }
    }
}

/// What a name is taken for: the class, the most permissions, owners, and groups.
type Class = (&'static str, u32, &'static [&'static str], &'static [&'static str]);

fn class(path: &Path) -> Class {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let below = |directory: &str| path.parent().is_some_and(|parent| parent.ends_with(directory));
    let begins = |names: &[&str]| names.iter().any(|known| name.starts_with(known));
    let rotated = |known: &str| name.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']));
    if ["lastlog", "wtmp", "btmp"].into_iter().any(rotated) || name == "README" {
        ("login-record", 0o664, &["root"], &["root", "utmp"])
    } else if begins(&["cloud-init", "localmessages", "waagent.log"]) || below("apt") {
        ("open", 0o644, &["root", "syslog"], &["root", "adm"])
    } else if below("sssd") || below("SSSD") {
        ("sssd", 0o660, &["root", "sssd"], &["root", "sssd"])
    } else if below("gdm") || below("gdm3") {
        ("gdm", 0o660, &["root", "gdm", "gdm3"], &["root", "gdm", "gdm3"])
    } else if name.ends_with(".journal") || name.ends_with(".journal~") {
        ("journal", 0o640, &["root"], &["root", "systemd-journal"])
    } else {
        ("log", 0o640, &["root", "syslog"], &["root", "adm"])
    }
}

/// `None` for one that was turned over meanwhile.
fn row(context: &Context<'_>, accounts: &Accounts, path: &Path) -> Option<LogFile> {
    let file = look(context, path);
    if file.exists.known() == Some(&false) {
        return None;
    }
    let (class, most, owners, groups) = class(path);
    let service = file.uid.known().and_then(|uid| {
        let mut users = accounts.users().iter();
        users.find(|user| i64::from(user.uid) == *uid && class == "log" && nobody_logs_in(user.shell.raw()))
    });
    let known = |text: &Text, names: &[&str]| names.contains(&text.raw());
    let group_of_service = service.map(|user| i64::from(user.gid));
    Some(LogFile {
        path: file.path,
        class: Fact::derived(class),
        mode_expected: file.mode.clone().map(|mode| mode.within(Mode::from_bits(most))),
        owner_expected: file.owner.clone().map(|owner| known(&owner, owners) || service.is_some()),
        group_expected: match (&file.group, &file.gid) {
            (Fact::Known(group, origin), Fact::Known(gid, _)) => {
                Fact::Known(known(group, groups) || group_of_service == Some(*gid), origin.clone())
            }
            (other, _) => other.clone().map(|_| false),
        },
        mode: file.mode,
        owner: file.owner,
        group: file.group,
    })
}

fn nobody_logs_in(shell: &str) -> bool {
    ["nologin", "false"].contains(&shell.rsplit('/').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    const PASSWD: &str = "root:x:0:0::/root:/bin/bash\nsyslog:x:102:102::/:/usr/sbin/nologin\npg:x:110:111::/:/usr/sbin/nologin\nal:x:1000:1000::/:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nadm:x:4:\nutmp:x:43:\nal:x:1000:\npg:x:111:\n";

    fn host() -> Memory {
        Memory::new().file("/etc/passwd", PASSWD).file("/etc/group", GROUP)
    }

    /// Class, and whether mode, owner and group are as expected.
    fn judged(host: Memory, path: &str) -> (String, bool, bool, bool) {
        let row = LogFiles::collect(&Context::new(&host), &Selector::Keys(vec![path.into()])).unwrap().remove(0);
        let flag = |fact: &Fact<bool>| *fact.known().unwrap();
        (row.class.known().unwrap().raw().to_owned(), flag(&row.mode_expected), flag(&row.owner_expected), flag(&row.group_expected))
    }

    fn one(path: &str, uid: u32, gid: u32, mode: u32) -> (String, bool, bool, bool) {
        judged(host().file(path, "").owned(path, uid, gid, mode), path)
    }

    #[test]
    fn classes_by_name() {
        let all = |class: &str| (class.to_owned(), true, true, true);
        assert_eq!(one("/var/log/wtmp.1", 0, 43, 0o664), all("login-record"));
        assert_eq!(one("/var/log/cloud-init-output.log", 0, 4, 0o644), all("open"));
        assert_eq!(one("/var/log/apt/history.log", 0, 0, 0o644), all("open"));
        assert_eq!(one("/var/log/journal/x/system.journal", 0, 0, 0o640), all("journal"));
        assert_eq!(one("/var/log/syslog", 102, 4, 0o640), all("log"));
        assert_eq!(one("/var/log/dpkg.log", 0, 0, 0o644), ("log".into(), false, true, true));
        assert_eq!(one("/var/log/x", 0, 0, 0o617), ("log".into(), false, true, true), "a mode is a set of bits");
        assert_eq!(one("/var/log/wtmpx", 0, 43, 0o664), ("log".into(), false, true, false));
        assert_eq!(one("/var/log/x", 1000, 1000, 0o600), ("log".into(), true, false, false));
        assert_eq!(one("/var/log/pg/x.log", 110, 111, 0o640), all("log"), "an account nobody logs in to");
        assert_eq!(one("/var/log/x", 4711, 4, 0o640), ("log".into(), true, false, true));
    }

    #[test]
    fn links_are_followed_once_and_what_is_hidden_is_told() {
        let host = host()
            .file("/srv/logs/a.log", "")
            .symlink("/var/log/elsewhere", "/srv/logs")
            .symlink("/srv/logs/back", "/var/log")
            .symlink("/var/log/gone", "/nowhere")
            .file("/var/log/b.log", "")
            .file("/var/log/closed/c.log", "")
            .gap("/var/log/closed", Reason::Denied);
        let rows = LogFiles::collect(&Context::new(&host), &Selector::All).unwrap();
        let paths: Vec<_> = rows.iter().map(|row| row.path.known().map_or("?", Text::raw)).collect();
        assert_eq!(paths, ["/var/log/b.log", "/var/log/elsewhere/a.log", "?"]);
        assert!(LogFiles::collect(&Context::new(&Memory::new()), &Selector::All).unwrap().is_empty());
    }
}
