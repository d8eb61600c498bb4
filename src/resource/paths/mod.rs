//! What several resources need to know about paths: globs expanded, who could replace a file, which files hold secrets.

mod replaceable;
mod secret;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::{FileKind, Host, Stat};
use crate::parse::glob;

pub(crate) use replaceable::replaceable;
pub(crate) use secret::open_to_definitions;

/// The most paths one glob may stand for.
const MOST_PATHS: usize = 10_000;

/// What a path or glob stands for.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    /// The paths, sorted. One without a glob in it is given whether or not it is there.
    pub(crate) paths: Vec<PathBuf>,
    /// The directories that could not be looked into.
    pub(crate) gaps: Vec<(PathBuf, Gap)>,
}

/// Finds what an absolute path or glob stands for. `*` matches names that begin with a dot as well: a shell's habit of
/// leaving them out would leave them unchecked. `Err` for a pattern that is none, or one that stands for too much.
pub(crate) fn expand(host: &dyn Host, pattern: &str) -> Result<Expanded, Gap> {
    let refuse = |reason| Err(Gap::new(Origin::file(pattern), reason));
    if !pattern.starts_with('/') {
        return refuse(Reason::malformed("not an absolute path"));
    }
    if pattern.contains("**") {
        return refuse(Reason::malformed("`**` is not allowed in a path"));
    }
    if !glob::is_glob(pattern) {
        return Ok(Expanded { paths: vec![pattern.into()], gaps: Vec::new() });
    }
    let mut found = Expanded { paths: vec!["/".into()], gaps: Vec::new() };
    let mut unseen = false;
    let mut parts = pattern.split('/').filter(|part| !part.is_empty()).peekable();
    while let Some(part) = parts.next() {
        unseen = !glob::is_glob(part);
        if unseen {
            found.paths.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        let last = parts.peek().is_none();
        let mut next = Vec::new();
        for directory in std::mem::take(&mut found.paths) {
            let entries = match host.list(&directory).into_result() {
                Ok(entries) => entries,
                Err(gap) => {
                    found.gaps.push((directory.join(part), gap));
                    continue;
                }
            };
            let leads_on = |kind| last || matches!(kind, FileKind::Directory | FileKind::Link | FileKind::Other);
            let named = |name: &Path| glob::matches(part, &name.to_string_lossy());
            let entries = entries.iter().flat_map(|entries| entries.iter());
            next.extend(entries.filter(|entry| leads_on(entry.kind) && named(&entry.name)).map(|entry| directory.join(&entry.name)));
            if next.len() > MOST_PATHS {
                return refuse(Reason::TooLarge);
            }
        }
        found.paths = next;
    }
    if unseen {
        found.paths.retain(|path| !matches!(host.lstat(path), Fact::Absent(_)));
    }
    found.paths.sort();
    Ok(found)
}

/// A path and what definitions may see of what it leads to.
pub(crate) type Content = (PathBuf, Fact<Arc<[u8]>>);

/// What definitions may see of the files that paths and globs stand for. What cannot be looked into by a glob is given
/// with the glob for its path.
pub(crate) fn contents(host: &dyn Host, patterns: &[String]) -> Result<Vec<Content>, Gap> {
    let mut contents = Vec::new();
    for pattern in patterns {
        let found = expand(host, pattern)?;
        let read = |path: PathBuf| {
            let content = open_to_definitions(host, &path).and_then(|target, _| host.read(&target));
            (path, content)
        };
        // A glob gives only what is there, and directories among the files it stands for are none of them.
        let is_file = |path: &PathBuf| {
            !glob::is_glob(pattern) || !matches!(host.stat(path), Fact::Absent(_) | Fact::Known(Stat { kind: FileKind::Directory, .. }, _))
        };
        contents.extend(found.paths.into_iter().filter(is_file).map(read));
        contents.extend(found.gaps.into_iter().map(|(path, gap)| (path, Fact::Unknown(gap))));
    }
    Ok(contents)
}

/// Whether a file is there, from a look at its content. One that cannot be understood is there all the same.
pub(crate) fn exists<T>(content: Fact<T>) -> Fact<bool> {
    match content {
        Fact::Known(_, origin) | Fact::Unknown(Gap { origin, reason: Reason::Malformed(_) | Reason::TooLarge }) => {
            Fact::Known(true, origin)
        }
        Fact::Absent(origin) => Fact::Known(false, origin),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn paths(host: &Memory, pattern: &str) -> Vec<String> {
        expand(host, pattern).unwrap().paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn globs_stay_within_a_directory() {
        let host = Memory::new()
            .file("/etc/docker/certs.d/a:5000/ca.crt", "")
            .file("/etc/docker/certs.d/b/ca.crt", "")
            .file("/etc/docker/certs.d/b/.hidden", "")
            .file("/etc/docker/certs.d/README", "")
            .symlink("/etc/docker/certs.d/c", "/srv/c")
            .file("/srv/c/client.key", "");
        assert_eq!(paths(&host, "/etc/docker/certs.d/*/ca.crt"), ["/etc/docker/certs.d/a:5000/ca.crt", "/etc/docker/certs.d/b/ca.crt"]);
        assert_eq!(
            paths(&host, "/etc/*/certs.d/?/*"),
            ["/etc/docker/certs.d/b/.hidden", "/etc/docker/certs.d/b/ca.crt", "/etc/docker/certs.d/c/client.key"]
        );
        assert_eq!(paths(&host, "/nowhere"), ["/nowhere"]);
        assert!(paths(&host, "/nowhere/*").is_empty());
    }

    #[test]
    fn what_cannot_be_looked_into_is_said() {
        let host = Memory::new().file("/a/x/f", "").file("/a/y/f", "").gap("/a/y", Reason::Denied);
        let found = expand(&host, "/a/*/*").unwrap();
        assert_eq!(found.paths, [PathBuf::from("/a/x/f")]);
        assert_eq!(
            found.gaps.iter().map(|(path, gap)| (path.clone(), gap.reason.clone())).collect::<Vec<_>>(),
            [("/a/y/*".into(), Reason::Denied)]
        );
    }

    #[test]
    fn refused_patterns() {
        let host = (0..=MOST_PATHS).fold(Memory::new(), |host, n| host.file(&format!("/many/{n}"), ""));
        assert_eq!(expand(&host, "/many/*").unwrap_err().reason, Reason::TooLarge);
        assert!(matches!(expand(&host, "/many/**").unwrap_err().reason, Reason::Malformed(_)));
        assert!(matches!(expand(&host, "many/*").unwrap_err().reason, Reason::Malformed(_)));
    }
}
