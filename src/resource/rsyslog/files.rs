//! The files of rsyslog, each put in where it is included.

use std::path::Path;

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::host::{FileKind, Host};
use crate::parse::rsyslog::{Item, Statement, parse};
use crate::resource::paths;

/// How deep files may include others, and how many there may be.
const DEEPEST: usize = 16;
const MOST_FILES: usize = 2_000;

/// A statement and its place.
pub(super) struct Placed {
    pub(super) item: Item,
    pub(super) origin: Origin,
}

/// Everything that was read.
pub(super) struct Read {
    pub(super) statements: Vec<Placed>,
    pub(super) included: Vec<Text>,
}

/// Reads the main file and all it includes. Unknown where some of it cannot be read or understood: it may say anything.
pub(super) fn read(host: &dyn Host) -> Fact<Read> {
    let mut reader = Reader { host, read: Read { statements: Vec::new(), included: Vec::new() }, files: 0 };
    match reader.file(Path::new(super::PATH), 0) {
        Ok(true) => Fact::Known(reader.read, Origin::file(super::PATH)),
        Ok(false) => Fact::Absent(Origin::file(super::PATH)),
        Err(gap) => Fact::Unknown(gap),
    }
}

struct Reader<'a> {
    host: &'a dyn Host,
    read: Read,
    files: usize,
}

impl Reader<'_> {
    /// Whether there is such a file.
    fn file(&mut self, path: &Path, depth: usize) -> Result<bool, Gap> {
        self.files += 1;
        if depth > DEEPEST || self.files > MOST_FILES {
            return Err(Gap::new(Origin::file(path), Reason::malformed("files include each other without end")));
        }
        let Some(content) = self.host.read(path).into_result()? else { return Ok(false) };
        self.text(&String::from_utf8_lossy(&content), path, depth)?;
        Ok(true)
    }

    fn text(&mut self, text: &str, path: &Path, depth: usize) -> Result<(), Gap> {
        let statements = parse(text).map_err(|(line, why)| Gap::new(Origin::line(path, line), Reason::malformed(why)))?;
        for Statement { line, item } in statements {
            match &item {
                Item::Directive(name, value) if name == "includeconfig" => self.include(value, depth)?,
                Item::Object(name, parameters) if name == "include" => {
                    if let Some(pattern) = parameters.get("file") {
                        self.include(pattern, depth)?;
                    }
                    if let Some(text) = parameters.get("text") {
                        self.text(&text.clone(), path, depth + 1)?;
                    }
                }
                _ => self.read.statements.push(Placed { item, origin: Origin::line(path, line) }),
            }
        }
        Ok(())
    }

    /// A path, a glob, or a directory, whose files are all taken.
    fn include(&mut self, pattern: &str, depth: usize) -> Result<(), Gap> {
        let whole = |pattern: &str| if pattern.starts_with('/') { pattern.to_owned() } else { format!("/{pattern}") };
        let pattern = whole(pattern);
        let directory = matches!(self.host.stat(Path::new(&pattern)), Fact::Known(stat, _) if stat.kind == FileKind::Directory);
        let pattern = if directory { format!("{}/*", pattern.trim_end_matches('/')) } else { pattern };
        let found = paths::expand(self.host, &pattern)?;
        if let Some((_, gap)) = found.gaps.into_iter().next() {
            return Err(gap);
        }
        for path in found.paths {
            // As for glob(3), a star does not stand for a dot at the beginning.
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            let is_file = !matches!(self.host.stat(&path), Fact::Known(stat, _) if stat.kind == FileKind::Directory);
            if !hidden && is_file && self.file(&path, depth + 1)? {
                self.read.included.push(path.as_path().into());
            }
        }
        Ok(())
    }
}
