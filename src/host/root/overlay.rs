//! A directory with its description laid over it.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::description::{FileEntry, GapWord};
use crate::fact::{Mode, Reason};
use crate::host::tree::{Tree, Trouble};
use crate::host::{Entry, FileKind, MOST_LISTED, MOST_READ, Opened, Stat, of_kernel};
use crate::parse::glob;

/// The most links that are followed in one path, as many as the kernel does.
const MOST_LINKS: usize = 40;
/// The most steps one path may take, links included.
const MOST_STEPS: usize = 4096;

/// A directory with its description laid over it.
pub(super) struct Overlay {
    tree: Tree,
    /// What is said of single paths, by the path without links.
    said: BTreeMap<PathBuf, Said>,
    /// What is said of globs, in the order in which it is said.
    globs: Vec<(String, Change)>,
    running: bool,
    /// Set where the directory keeps no owners, modes and times: the time of its files.
    bare: Option<DateTime<Utc>>,
}

/// What is said of one path.
#[derive(Default)]
struct Said {
    body: Option<Body>,
    change: Change,
    gap: Option<GapWord>,
}

/// What is there instead of what the directory holds.
enum Body {
    Nothing,
    Content(Arc<[u8]>),
    Link(PathBuf),
    Kind(FileKind),
}

/// What is different about the metadata.
#[derive(Default)]
struct Change {
    owner: Option<u32>,
    group: Option<u32>,
    mode: Option<Mode>,
    modified: Option<i64>,
    size: Option<u64>,
}

impl Change {
    fn apply(&self, stat: &mut Stat) {
        stat.uid = self.owner.unwrap_or(stat.uid);
        stat.gid = self.group.unwrap_or(stat.gid);
        stat.mode = self.mode.unwrap_or(stat.mode);
        stat.modified = self.modified.unwrap_or(stat.modified);
        stat.size = self.size.unwrap_or(stat.size);
    }
}

impl Overlay {
    /// A directory of which nothing is said yet. With `bare`, it keeps no owners, modes and times.
    pub(super) fn new(tree: Tree, running: bool, bare: Option<DateTime<Utc>>) -> Self {
        Self { tree, said: BTreeMap::new(), globs: Vec::new(), running, bare }
    }

    /// Puts a socket where an engine listens.
    pub(super) fn add_socket(&mut self, path: &Path) {
        let change = Change { owner: Some(0), group: Some(0), mode: Some(Mode::from_bits(0o660)), ..Change::default() };
        let at = self.place(path);
        self.said.insert(at, Said { body: Some(Body::Kind(FileKind::Socket)), change, gap: None });
    }

    /// Adds what is said of a path or glob. Links in it are those of the directory and of what was said before.
    pub(super) fn add(&mut self, entry: FileEntry) {
        let change = Change {
            owner: entry.owner,
            group: entry.group,
            mode: entry.mode,
            modified: entry.modified.as_ref().map(|at| at.0.timestamp()),
            size: entry.size,
        };
        if entry.is_glob() {
            self.globs.push((entry.path.0.to_string_lossy().into_owned(), change));
            return;
        }
        let content = entry.content.map(String::into_bytes).or(entry.content_hex.map(|hex| hex.0));
        let body = match (content, entry.target, entry.kind) {
            (Some(content), ..) => Some(Body::Content(content.into())),
            (None, Some(target), _) => Some(Body::Link(target)),
            (None, None, Some(kind)) => Some(kind.0.map_or(Body::Nothing, Body::Kind)),
            (None, None, None) => None,
        };
        let at = self.place(&entry.path.0);
        let said = self.said.entry(at).or_default();
        said.body = body.or(said.body.take());
        said.gap = entry.gap.or(said.gap);
        let before = &said.change;
        said.change = Change {
            owner: change.owner.or(before.owner),
            group: change.group.or(before.group),
            mode: change.mode.or(before.mode),
            modified: change.modified.or(before.modified),
            size: change.size.or(before.size),
        };
    }

    /// Where a path is kept: the directory above it without links, and its name.
    pub(super) fn place(&self, path: &Path) -> PathBuf {
        let mut missing = Vec::new();
        for above in path.ancestors() {
            if above != path
                && let Ok(above) = self.resolve(above)
            {
                return missing.iter().rev().fold(above, |path, name| path.join(name));
            }
            missing.extend(above.file_name());
        }
        path.into()
    }

    pub(super) fn read(&self, path: &Path) -> Result<Arc<[u8]>, Trouble> {
        let (at, stat) = self.find(path, true)?;
        if stat.kind != FileKind::File {
            return Err(stat.kind.unreadable().into());
        }
        if stat.size > MOST_READ as u64 {
            return Err(Reason::TooLarge.into());
        }
        match self.said.get(&at).and_then(|said| said.body.as_ref()) {
            Some(Body::Content(content)) => Ok(content.clone()),
            _ => match self.tree.read(&at) {
                // Said to be there, and nothing more was said.
                Err(Trouble::Absent) => Ok(Arc::from([])),
                read => read,
            },
        }
    }

    pub(super) fn open(&self, path: &Path) -> Result<Opened, Trouble> {
        let (at, stat) = self.find(path, true)?;
        if stat.kind != FileKind::File {
            return Err(stat.kind.unreadable().into());
        }
        match self.said.get(&at).and_then(|said| said.body.as_ref()) {
            Some(Body::Content(content)) => Ok(Opened::bytes(content.clone())),
            _ => match self.tree.open_file(&at) {
                Err(Trouble::Absent) => Ok(Opened::bytes(Arc::from([]))),
                opened => opened,
            },
        }
    }

    pub(super) fn stat(&self, path: &Path, follow: bool) -> Result<Stat, Trouble> {
        Ok(self.find(path, follow)?.1)
    }

    pub(super) fn resolve(&self, path: &Path) -> Result<PathBuf, Trouble> {
        Ok(self.find(path, true)?.0)
    }

    pub(super) fn link(&self, path: &Path) -> Result<PathBuf, Trouble> {
        let (at, stat) = self.find(path, false)?;
        if stat.kind == FileKind::Link { self.target(&at) } else { Err(Trouble::Absent) }
    }

    pub(super) fn list(&self, path: &Path) -> Result<Arc<[Entry]>, Trouble> {
        let (at, stat) = self.find(path, true)?;
        if stat.kind != FileKind::Directory {
            return Err(Trouble::Absent);
        }
        let mut names: BTreeMap<PathBuf, FileKind> = BTreeMap::new();
        match self.tree.list(&at) {
            Ok(entries) => names.extend(entries.iter().map(|entry| (entry.name.clone(), entry.kind))),
            Err(Trouble::Absent) => {}
            Err(Trouble::Gap(reason)) => return Err(reason.into()),
        }
        for said in self.below(&at) {
            let Some(name) = said.strip_prefix(&at).ok().and_then(|below| below.components().next()) else { continue };
            let name = PathBuf::from(name.as_os_str());
            match self.node(&at.join(&name)) {
                Ok(stat) => {
                    names.insert(name, stat.kind);
                }
                Err(Trouble::Absent) => {
                    names.remove(&name);
                }
                Err(Trouble::Gap(_)) => {
                    names.entry(name).or_insert(FileKind::Other);
                }
            }
        }
        // The empty directories that a kernel would fill say nothing; nor does a /proc without processes.
        let is_process = |name: &PathBuf| name.as_os_str().as_encoded_bytes().iter().all(u8::is_ascii_digit);
        let unfilled = if at == Path::new("/proc") { !names.keys().any(is_process) } else { names.is_empty() && of_kernel(&at) };
        if unfilled && !self.running {
            return Err(Reason::NotCollected.into());
        }
        if names.len() > MOST_LISTED {
            return Err(Reason::TooLarge.into());
        }
        Ok(names.into_iter().map(|(name, kind)| Entry { name, kind }).collect())
    }

    /// Follows a path to what is there, link by link.
    fn find(&self, path: &Path, follow: bool) -> Result<(PathBuf, Stat), Trouble> {
        if !path.is_absolute() {
            return Err(Reason::malformed("not an absolute path").into());
        }
        let steps = |path: &Path| path.components().rev().map(|part| PathBuf::from(part.as_os_str())).collect::<Vec<_>>();
        let mut left = steps(path);
        let mut at = PathBuf::from("/");
        let mut stat = self.node(&at)?;
        let (mut links, mut taken) = (0, 0);
        while let Some(part) = left.pop() {
            taken += 1;
            if taken > MOST_STEPS {
                return Err(Reason::malformed("the path takes too many steps").into());
            }
            match part.components().next() {
                Some(Component::RootDir) => at = PathBuf::from("/"),
                Some(Component::ParentDir) => {
                    at.pop();
                }
                Some(Component::Normal(name)) if stat.kind == FileKind::Directory => at.push(name),
                Some(Component::Normal(_)) => return Err(Trouble::Absent),
                _ => continue,
            }
            stat = self.node(&at)?;
            if stat.kind == FileKind::Link && (follow || !left.is_empty()) {
                links += 1;
                if links > MOST_LINKS {
                    return Err(Reason::malformed("too many symbolic links").into());
                }
                left.extend(steps(&self.target(&at)?));
                at.pop();
                stat = self.node(&at)?;
            }
        }
        Ok((at, stat))
    }

    fn target(&self, at: &Path) -> Result<PathBuf, Trouble> {
        match self.said.get(at).and_then(|said| said.body.as_ref()) {
            Some(Body::Link(target)) => Ok(target.clone()),
            _ => self.tree.link(at),
        }
    }

    /// What is at a path whose directories are no links.
    fn node(&self, at: &Path) -> Result<Stat, Trouble> {
        if let Some(gap) = at.ancestors().find_map(|above| self.said.get(above)?.gap) {
            return Err(gap.reason().into());
        }
        let said = self.said.get(at);
        let made = |kind, size| Ok(self.made(at, kind, size));
        let mut stat = match said.and_then(|said| said.body.as_ref()) {
            Some(Body::Nothing) => Err(Trouble::Absent),
            Some(Body::Content(content)) => made(FileKind::File, content.len() as u64),
            Some(Body::Link(target)) => made(FileKind::Link, target.as_os_str().len() as u64),
            Some(Body::Kind(kind)) => match self.real(at) {
                Ok(stat) if stat.kind == *kind => Ok(stat),
                _ => made(*kind, 0),
            },
            None => match self.real(at) {
                Err(Trouble::Absent) if self.below(at).any(|below| self.is_there(below)) => made(FileKind::Directory, 0),
                Err(Trouble::Absent) if said.is_some() => made(FileKind::File, 0),
                // Only a running kernel knows what it does not have.
                Err(Trouble::Absent) if of_kernel(at) && !self.running => Err(Reason::NotCollected.into()),
                real => real,
            },
        }?;
        let text = at.to_string_lossy();
        self.globs.iter().filter(|(glob, _)| glob::matches(glob, &text)).for_each(|(_, change)| change.apply(&mut stat));
        if let Some(said) = said {
            said.change.apply(&mut stat);
        }
        Ok(stat)
    }

    /// What the directory holds at a path.
    fn real(&self, at: &Path) -> Result<Stat, Trouble> {
        let mut stat = self.tree.stat(at, false)?;
        if let Some(modified) = self.bare {
            let mode = match stat.kind {
                FileKind::Link => 0o777,
                FileKind::File if stat.mode.bits() & 0o111 == 0 => 0o644,
                _ => 0o755,
            };
            (stat.uid, stat.gid, stat.mode, stat.modified) = (0, 0, Mode::from_bits(mode), modified.timestamp());
        }
        Ok(stat)
    }

    /// Something that is only said to be there: root's.
    fn made(&self, at: &Path, kind: FileKind, size: u64) -> Stat {
        let mode = match kind {
            FileKind::Directory => 0o755,
            FileKind::Link => 0o777,
            _ => 0o644,
        };
        // No two are the same file.
        let inode = self.said.keys().position(|said| said == at).map_or(0, |position| position as u64 + 1);
        let modified = self.bare.map_or(0, |at| at.timestamp());
        Stat { kind, mode: Mode::from_bits(mode), uid: 0, gid: 0, size, inode, device: 0, modified }
    }

    /// What is said of paths below one.
    fn below<'a>(&'a self, at: &'a Path) -> impl Iterator<Item = &'a Path> {
        use std::ops::Bound::{Excluded, Unbounded};
        let after = self.said.range::<Path, _>((Excluded(at), Unbounded));
        after.map(|(path, _)| path.as_path()).take_while(move |path| path.starts_with(at))
    }

    fn is_there(&self, said: &Path) -> bool {
        !matches!(self.said.get(said), Some(Said { body: Some(Body::Nothing), .. }))
    }
}
