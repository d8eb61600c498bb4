//! Files of the audit system, by the part they play: logs, their directory, configuration and tools.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, Integer, Mode, Origin, Reason, Text, record};
use crate::host::FileKind;

use super::file::look;
use super::{Context, Resource, Selector, auditd_setting};

record! {
    /// One file of the audit system. A part that no file plays has no record; a tool that is not installed is one with
    /// `exists = false`.
    pub struct AuditFile("audit_file") {
        /// Path.
        path: Text,
        /// `log`, `log_directory`, `config`, `tool`.
        role: Text,
        /// Whether it is there, following links.
        exists: Flag,
        /// Name of the owner; the number where it has no name.
        owner: Text,
        /// Name of the group; the number where it has no name.
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
pub struct AuditFiles;

const ROLES: [&str; 4] = ["log", "log_directory", "config", "tool"];
const TOOLS: [&str; 6] = ["auditctl", "aureport", "ausearch", "autrace", "auditd", "augenrules"];
/// How deep directories of the configuration are looked into, and how many files there may be.
const DEEPEST: usize = 8;
const MOST: usize = 10_000;

impl Resource for AuditFiles {
    type Row = AuditFile;
    const SELECTOR: &'static str = "a role: `log`, `log_directory`, `config` or `tool`";
    const KEY: &'static str = "role";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let mut rows = Vec::new();
        for role in ROLES.into_iter().filter(|role| of.picks(role)) {
            let mut found = Found::default();
            match role {
                "tool" => found.paths.extend(TOOLS.map(|tool| Path::new("/sbin").join(tool))),
                "config" => found.walk(context, Path::new("/etc/audit"), 0),
                role => found.logs(context, role),
            }
            rows.extend(found.paths.iter().map(|path| row(context, role, path)));
            rows.extend(found.gaps.iter().map(|gap| AuditFile { role: Fact::derived(role), ..AuditFile::unknown(gap) }));
        }
        Ok(rows)
    }
}

#[derive(Default)]
struct Found {
    paths: Vec<PathBuf>,
    gaps: Vec<Gap>,
}

impl Found {
    /// The log's directory, or the regular files in it: that is where old logs lie too.
    fn logs(&mut self, context: &Context<'_>, role: &str) {
        let directory = match auditd_setting::value(context, "log_file") {
            Fact::Known(path, origin) => match Path::new(&path).parent().filter(|_| path.starts_with('/')) {
                Some(parent) => parent.to_path_buf(),
                None => return self.gaps.push(Gap::new(origin, Reason::malformed("not an absolute path"))),
            },
            Fact::Absent(_) => return,
            Fact::Unknown(gap) => return self.gaps.push(gap),
        };
        match context.host.list(&directory) {
            Fact::Known(..) if role == "log_directory" => self.paths.push(directory),
            Fact::Known(entries, _) => {
                let files = entries.iter().filter(|entry| matches!(entry.kind, FileKind::File | FileKind::Link | FileKind::Other));
                self.paths.extend(files.map(|entry| directory.join(&entry.name)));
                self.paths.retain(|path| !matches!(context.host.stat(path), Fact::Known(stat, _) if stat.kind != FileKind::File));
            }
            Fact::Absent(_) => {}
            // The directory's own metadata may be there to see all the same.
            Fact::Unknown(_) if role == "log_directory" && matches!(context.host.stat(&directory), Fact::Known(..)) => {
                self.paths.push(directory);
            }
            Fact::Unknown(gap) => self.gaps.push(gap),
        }
    }

    /// Files of the configuration: `*.conf` and `*.rules`, in directories below too.
    fn walk(&mut self, context: &Context<'_>, directory: &Path, depth: usize) {
        let entries = match context.host.list(directory) {
            Fact::Known(entries, _) => entries,
            Fact::Absent(_) => return,
            Fact::Unknown(gap) => return self.gaps.push(gap),
        };
        for entry in entries.iter() {
            let path = directory.join(&entry.name);
            match entry.kind {
                FileKind::Directory if depth < DEEPEST => self.walk(context, &path, depth + 1),
                FileKind::Directory => self.gaps.push(Gap::new(Origin::file(path.as_path()), Reason::TooLarge)),
                _ if self.paths.len() >= MOST => return self.gaps.push(Gap::new(Origin::file(directory), Reason::TooLarge)),
                _ => {
                    let named = path.extension().is_some_and(|end| end == "conf" || end == "rules");
                    if named && !matches!(context.host.stat(&path), Fact::Known(stat, _) if stat.kind != FileKind::File) {
                        self.paths.push(path);
                    }
                }
            }
        }
    }
}

fn row(context: &Context<'_>, role: &str, path: &Path) -> AuditFile {
    let file = look(context, path);
    AuditFile {
        path: file.path,
        role: Fact::derived(role),
        exists: file.exists,
        owner: file.owner,
        group: file.group,
        uid: file.uid,
        gid: file.gid,
        mode: file.mode,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn paths(host: &Memory, role: &str) -> Vec<String> {
        let rows = AuditFiles::collect(&Context::new(host), &Selector::Keys(vec![role.into()])).unwrap();
        rows.iter().map(|row| row.path.known().map_or("?".into(), |path| path.raw().to_owned())).collect()
    }

    #[test]
    fn logs_are_where_the_configuration_says() {
        let host = || Memory::new().file("/var/log/audit/audit.log", "").file("/var/log/audit/audit.log.1", "").file("/srv/a/x.log", "").node("/srv/a/d", FileKind::Directory, 0o755);
        assert_eq!(paths(&host(), "log"), ["/var/log/audit/audit.log", "/var/log/audit/audit.log.1"]);
        assert_eq!(paths(&host(), "log_directory"), ["/var/log/audit"]);
        let moved = host().file(auditd_setting::PATH, "log_file = /srv/a/audit.log\n");
        assert_eq!(paths(&moved, "log"), ["/srv/a/x.log"], "old logs count, and those of another name");
        assert_eq!(paths(&host().file(auditd_setting::PATH, "log_file = audit.log\n"), "log"), ["?"]);
        assert_eq!(paths(&host().gap("/var/log/audit", Reason::Denied), "log"), ["?"]);
        assert!(paths(&Memory::new(), "log").is_empty() && paths(&Memory::new(), "log_directory").is_empty());
    }

    #[test]
    fn configuration_is_looked_for_below_and_tools_by_name() {
        let host = Memory::new()
            .file("/etc/audit/auditd.conf", "")
            .file("/etc/audit/audit-stop.rules", "")
            .file("/etc/audit/rules.d/a.rules", "")
            .file("/etc/audit/plugins.d/syslog.conf", "")
            .file("/etc/audit/rules.d/README", "")
            .symlink("/sbin", "usr/sbin")
            .file("/usr/sbin/auditctl", "");
        assert_eq!(
            paths(&host, "config"),
            ["/etc/audit/audit-stop.rules", "/etc/audit/auditd.conf", "/etc/audit/plugins.d/syslog.conf", "/etc/audit/rules.d/a.rules"]
        );
        let tools = AuditFiles::collect(&Context::new(&host), &Selector::Keys(vec!["tool".into()])).unwrap();
        assert_eq!(tools.iter().filter(|tool| tool.exists.known() == Some(&true)).count(), 1);
        assert_eq!(tools.len(), 6);
    }
}
