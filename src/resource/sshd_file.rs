//! The files the SSH server reads its configuration from.

use std::path::Path;

use crate::fact::{Fact, Gap, Integer, Mode, Origin, Text, record};

use super::file::look;
use super::{Context, Resource, Selector, paths, sshd};

/// Where drop-ins stand that may be included at the next start.
const DROP_INS: &str = "/etc/ssh/sshd_config.d/*.conf";

record! {
    /// One configuration file of an SSH server: the main one, each that it includes from wherever, and drop-ins that it might.
    /// No record where no SSH server is installed.
    pub struct SshdFile("sshd_file") {
        /// Path of the file.
        path: Text,
        /// Name of the owner.
        owner: Text,
        /// Name of the group.
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
pub struct SshdFiles;

impl Resource for SshdFiles {
    type Row = SshdFile;
    const SELECTOR: &'static str = "a path, or a glob";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let (mut files, missing) = sshd::files(context)?;
        if files.is_empty() && missing.is_none() {
            return Ok(Vec::new());
        }
        let drop_ins = paths::expand(context.host, DROP_INS)?;
        files.extend(drop_ins.paths);
        files.sort();
        files.dedup();
        let mut rows: Vec<SshdFile> = files.iter().filter(|path| of.picks(&path.to_string_lossy())).map(|path| row(context, path)).collect();
        // There may be others: one record says so.
        rows.extend(missing.or_else(|| drop_ins.gaps.into_iter().next().map(|(_, gap)| gap)).as_ref().map(|gap| SshdFile {
            path: Fact::Known(named(gap), gap.origin.clone()),
            ..SshdFile::unknown(gap)
        }));
        Ok(rows)
    }
}

fn named(gap: &Gap) -> Text {
    match &gap.origin {
        Origin::File { path, .. } | Origin::Stat { path } => path.clone(),
        _ => "/etc/ssh/sshd_config".into(),
    }
}

fn row(context: &Context<'_>, path: &Path) -> SshdFile {
    let file = look(context, path);
    SshdFile { path: file.path, owner: file.owner, group: file.group, uid: file.uid, gid: file.gid, mode: file.mode }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    fn paths(host: &Memory) -> Vec<String> {
        let rows = SshdFiles::collect(&Context::new(host), &Selector::All).unwrap();
        rows.iter().map(|row| row.path.known().unwrap().raw().to_owned()).collect()
    }

    #[test]
    fn every_file_that_is_read_is_one() {
        let host = Memory::new()
            .file("/usr/sbin/sshd", "")
            .file("/etc/ssh/sshd_config", "Include /srv/ssh.conf\n")
            .file("/srv/ssh.conf", "")
            .file("/etc/ssh/sshd_config.d/a.conf", "");
        assert_eq!(paths(&host), ["/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/a.conf", "/srv/ssh.conf"]);
        let denied = host.gap("/srv/ssh.conf", Reason::Denied);
        let rows = SshdFiles::collect(&Context::new(&denied), &Selector::All).unwrap();
        assert!(matches!(rows.last().unwrap().mode, Fact::Unknown(_)));
        assert!(paths(&Memory::new().file("/etc/ssh/sshd_config", "")).is_empty());
    }

    #[test]
    fn a_refused_configuration_is_a_file_all_the_same() {
        let host = Memory::new().file("/usr/sbin/sshd", "").file("/etc/ssh/sshd_config", "Nonsense yes\n");
        assert_eq!(paths(&host)[0], "/etc/ssh/sshd_config");
    }
}
