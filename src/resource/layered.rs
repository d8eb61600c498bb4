//! Configuration directories that lie over each other, as systemd and its friends merge them: of files with the same
//! name the one in the first directory counts, and a link to `/dev/null` takes a name away.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap};
use crate::host::{FileKind, Host};

/// The files of layered directories.
#[derive(Default)]
pub(crate) struct Layered {
    /// The file that counts, by name. In the order of names, which is the order in which they apply.
    pub(crate) files: BTreeMap<String, PathBuf>,
    /// Directories that could not be listed. They may hold anything.
    pub(crate) gaps: Vec<Gap>,
}

impl Layered {
    /// Looks into directories, the most important first, for files whose name ends so. A masked name is kept: see [`is_null`].
    pub(crate) fn of(host: &dyn Host, directories: impl IntoIterator<Item = impl AsRef<Path>>, suffix: &str) -> Self {
        let mut found = Self::default();
        for directory in directories {
            match host.list(directory.as_ref()) {
                Fact::Known(entries, _) => {
                    for entry in entries.iter().filter(|entry| matches!(entry.kind, FileKind::File | FileKind::Link)) {
                        if let Some(name) = entry.name.to_str().filter(|name| name.ends_with(suffix) && !name.starts_with('.')) {
                            found.files.entry(name.to_owned()).or_insert_with(|| directory.as_ref().join(name));
                        }
                    }
                }
                Fact::Absent(_) => {}
                Fact::Unknown(gap) => found.gaps.push(gap),
            }
        }
        found
    }
}

/// Whether a path is a link to `/dev/null`. The host may be a directory in which the device itself is missing.
pub(crate) fn is_null(host: &dyn Host, path: &Path) -> bool {
    let null = Path::new("/dev/null");
    host.link(path).known().is_some_and(|target| target == null) || host.resolve(path).known().is_some_and(|resolved| resolved == null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    #[test]
    fn the_first_directory_wins_a_name() {
        let host = Memory::new()
            .file("/usr/x.d/b.conf", "")
            .file("/usr/x.d/a.conf", "")
            .symlink("/etc/x.d/b.conf", "/dev/null")
            .file("/etc/x.d/.h.conf", "")
            .file("/etc/x.d/c.conf~", "")
            .file("/run/x.d/z.conf", "")
            .gap("/run/x.d", Reason::Denied);
        let found = Layered::of(&host, ["/etc/x.d", "/run/x.d", "/nowhere", "/usr/x.d"], ".conf");
        let paths: Vec<_> = found.files.values().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(paths, ["/usr/x.d/a.conf", "/etc/x.d/b.conf"]);
        assert_eq!(found.gaps.len(), 1);
        assert!(is_null(&host, Path::new("/etc/x.d/b.conf")) && !is_null(&host, Path::new("/usr/x.d/b.conf")));
    }
}
