//! Where definitions come from: the binary itself, folders of the machine, and files named by hand.
//!
//! These files belong to plimsoll, not to the host under audit. Run as root, a file outside the
//! binary is believed only when nobody but root could have written it: it is opened first and then
//! checked on its descriptor, and so is every directory on the way to it.

mod trusted;

use std::borrow::Cow;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use super::Problem;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Where a machine keeps its own definitions.
const MACHINE_FOLDERS: &[&str] = &["/etc/plimsoll/benchmarks.d", "/etc/plimsoll/profiles.d"];
/// Largest definition file, in bytes.
const LARGEST: u64 = 1 << 20;
/// Most files below one folder.
const MOST_FILES: usize = 2_000;
/// Deepest folder below the one that is named.
const DEEPEST: usize = 8;

/// One definition file: benchmark, profile, site file or test cases.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Its path; `benchmarks/…` or `profiles/…` for those inside the binary.
    pub path: Arc<str>,
    /// Its text.
    pub text: Cow<'static, str>,
}

/// Who must own files outside the binary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// Only root may have written them: what is decided with root's eyes must not be decided by others.
    Root,
    /// Whoever runs plimsoll is trusted with the files they name.
    Caller,
}

impl Trust {
    /// What this process must ask for: root trusts only root.
    #[must_use]
    pub fn of_process() -> Self {
        if rustix::process::geteuid().is_root() { Self::Root } else { Self::Caller }
    }
}

impl Source {
    /// A file that is already in memory.
    pub fn new(path: &str, text: impl Into<Cow<'static, str>>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// The benchmarks and profiles inside the binary.
    #[must_use]
    pub fn embedded() -> Vec<Self> {
        DEFINITIONS.iter().map(|(path, text)| Self::new(path, *text)).collect()
    }

    /// The test cases of the bundled benchmarks.
    #[must_use]
    pub fn embedded_cases() -> Vec<Self> {
        CASES.iter().map(|(path, text)| Self::new(path, *text)).collect()
    }

    /// The machine's own benchmarks and profiles, `/etc/plimsoll/benchmarks.d` and `profiles.d`; folders that are not there are empty.
    pub fn machine(trust: Trust) -> Result<Vec<Self>, Vec<Problem>> {
        let folders = MACHINE_FOLDERS.iter().map(Path::new).filter(|folder| exists(folder));
        let mut sources = Vec::new();
        for folder in folders {
            sources.extend(Self::below(folder, trust)?);
        }
        Ok(sources)
    }

    /// One file.
    pub fn file(path: &Path, trust: Trust) -> Result<Self, Problem> {
        let name = path.to_string_lossy();
        let problem = |message: String| Problem::of_file(&name, message);
        let mut file = open(path, trust).map_err(problem)?;
        let mut bytes = Vec::new();
        let read = file.by_ref().take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| problem(format!("cannot be read: {error}")))?;
        if read as u64 > LARGEST {
            return Err(problem(format!("larger than {} MiB, the limit for definitions", LARGEST >> 20)));
        }
        let text = String::from_utf8(bytes).map_err(|_| problem("not UTF-8 text".to_owned()))?;
        Ok(Self { path: name.as_ref().into(), text: text.into() })
    }

    /// Every `.toml` file below a folder, in the order of their paths. Links to folders are not followed, hidden files left out.
    pub fn below(folder: &Path, trust: Trust) -> Result<Vec<Self>, Vec<Problem>> {
        let paths = find(folder).map_err(|problem| vec![problem])?;
        let (mut sources, mut problems) = (Vec::new(), Vec::new());
        for path in paths {
            match Self::file(&path, trust) {
                Ok(source) => sources.push(source),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(sources) } else { Err(problems) }
    }

    /// Whether it holds test cases, by its name.
    #[must_use]
    pub fn is_cases(&self) -> bool {
        self.path.ends_with(".test.toml")
    }
}

fn open(path: &Path, trust: Trust) -> Result<fs::File, String> {
    let file = match trust {
        Trust::Root => trusted::open(path)?,
        Trust::Caller => trusted::open_any(path)?,
    };
    Ok(file.into())
}

#[allow(clippy::disallowed_methods, reason = "a folder of plimsoll's own, not of the host under audit")]
fn exists(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok()
}

/// Every `.toml` file below a folder, sorted.
#[expect(clippy::disallowed_methods, reason = "a folder of plimsoll's own, not of the host under audit")]
fn find(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let problem = |at: &Path, message: String| Problem::of_file(&at.to_string_lossy(), message);
    let is_hidden = |entry: &DirEntry| entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).into_iter().filter_entry(|entry| !is_hidden(entry)) {
        let entry = entry.map_err(|error| {
            let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
            problem(error.path().unwrap_or(folder), format!("cannot be listed: {why}"))
        })?;
        if entry.file_type().is_dir() {
            if entry.depth() > DEEPEST {
                return Err(problem(entry.path(), format!("folders are nested more than {DEEPEST} deep")));
            }
        } else if entry.depth() == 0 {
            return Err(problem(folder, "cannot be listed: not a folder".to_owned()));
        } else if entry.file_name().as_encoded_bytes().ends_with(b".toml") {
            found.push(entry.into_path());
        }
        if found.len() > MOST_FILES {
            return Err(problem(folder, format!("more than {MOST_FILES} definition files")));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn folders_are_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for name in ["b/x.toml", "a.toml", "b/x.test.toml", ".hidden.toml", ".git/y.toml", "notes.md"] {
            write(folder, name, name);
        }
        std::os::unix::fs::symlink("..", folder.join("b/loop")).unwrap();
        let sources = Source::below(folder, Trust::Caller).unwrap();
        let texts: Vec<_> = sources.iter().map(|source| source.text.as_ref()).collect();
        assert_eq!(texts, ["a.toml", "b/x.test.toml", "b/x.toml"]);
        assert_eq!(sources.iter().map(Source::is_cases).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn what_is_no_definition_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        write(folder, "large.toml", vec![b'#'; (LARGEST + 1) as usize]);
        write(folder, "latin1.toml", b"title = \"\xe9\"");
        write(folder, "exact.toml", vec![b'#'; LARGEST as usize]);
        let told: Vec<_> = Source::below(folder, Trust::Caller).unwrap_err().iter().map(|problem| problem.message.clone()).collect();
        assert_eq!(told, ["larger than 1 MiB, the limit for definitions", "not UTF-8 text"]);
        let missing = Source::below(&folder.join("nothing"), Trust::Caller).unwrap_err();
        assert!(missing[0].to_string().contains("nothing: cannot be listed"), "{}", missing[0]);
        assert!(Source::file(&folder.join("nothing.toml"), Trust::Caller).is_err());
        assert!(Source::file(folder, Trust::Caller).unwrap_err().message.contains("not a regular file"));
    }
}
