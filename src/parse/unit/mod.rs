//! systemd's unit files, drop-ins and environment files, read as systemd reads them (`systemd.syntax(7)`, `systemd.exec(5)`).
//!
//! ```text
//! let mut unit = Unit::default();
//! unit.add(path_of_fragment, &content);
//! unit.add(path_of_dropin, &content);                       // in the order they apply
//! let user = unit.last("Service", "User");                  // the last assignment wins, an empty one resets
//! for start in unit.all("Service", "ExecStart") {           // all since the last empty assignment
//!     let commands = commands(&start.value);                // `None` where systemd refuses the line start.path:start.line
//! }
//! ```
//!
//! Specifiers such as `%i` are left as they are. Nothing here fails: what systemd ignores is ignored.

mod command;
mod environment;

use crate::fact::Text;

pub use command::{Command, commands, words};
pub use environment::{environment, environment_file};

/// The assignments of a unit file and its drop-ins, in the order they apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// Every assignment, the empty ones too.
    pub assignments: Vec<Assignment>,
}

/// One assignment, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Section, such as `Service`.
    pub section: String,
    /// Key, such as `ExecStart`.
    pub key: String,
    /// Value as written: continuation lines joined, quotes and escapes kept. Empty for a reset.
    pub value: String,
    /// File it stands in.
    pub path: Text,
    /// Line of the key, from 1.
    pub line: u32,
}

impl Unit {
    /// Adds the content of the unit file, then of each drop-in in the order they apply.
    pub fn add(&mut self, path: impl Into<Text>, content: &[u8]) {
        let path = path.into();
        let mut section = String::new();
        for (line, text) in logical_lines(content) {
            let text = text.trim();
            if let Some(header) = text.strip_prefix('[') {
                header.strip_suffix(']').unwrap_or_default().clone_into(&mut section);
            } else if let Some((key, value)) = text.split_once('=').filter(|_| !section.is_empty()) {
                let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
                self.assignments.push(Assignment { section: section.clone(), key, value, path: path.clone(), line });
            }
        }
    }

    /// The assignments of a key that count: those since the last empty one.
    #[must_use]
    pub fn all(&self, section: &str, key: &str) -> Vec<&Assignment> {
        let mut found = Vec::new();
        for assignment in self.assignments.iter().filter(|a| a.section == section && a.key == key) {
            if assignment.value.is_empty() {
                found.clear();
            } else {
                found.push(assignment);
            }
        }
        found
    }

    /// The assignment of a key that takes one value: the last one, unless it is empty.
    #[must_use]
    pub fn last(&self, section: &str, key: &str) -> Option<&Assignment> {
        self.all(section, key).pop()
    }

    /// The names of units in a key that lists them, such as `Install` `WantedBy`, split at blanks.
    #[must_use]
    pub fn names(&self, section: &str, key: &str) -> Vec<String> {
        self.all(section, key).into_iter().flat_map(|a| words(&a.value).unwrap_or_default()).collect()
    }

    /// Whether a section is there with anything in it.
    #[must_use]
    pub fn has_section(&self, section: &str) -> bool {
        self.assignments.iter().any(|a| a.section == section)
    }
}

/// Lines with continuations joined, each with the number of its first line. Comments are skipped, inside continuations too.
fn logical_lines(content: &[u8]) -> Vec<(u32, String)> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let text = String::from_utf8_lossy(content);
    let mut lines = Vec::new();
    let mut pending: Option<(u32, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        if line.starts_with(['#', ';']) {
            continue;
        }
        let (first, mut joined) = pending.take().unwrap_or((number, String::new()));
        joined.push_str(line);
        // An escaped backslash at the end continues nothing.
        if joined.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1 {
            joined.pop();
            joined.push(' ');
            pending = Some((first, joined));
        } else {
            lines.push((first, joined));
        }
    }
    lines.extend(pending);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(texts: &[&str]) -> Unit {
        let mut unit = Unit::default();
        for (number, text) in texts.iter().enumerate() {
            unit.add(format!("/{number}"), text.as_bytes());
        }
        unit
    }

    fn values<'a>(unit: &'a Unit, key: &str) -> Vec<&'a str> {
        unit.all("Service", key).iter().map(|a| a.value.as_str()).collect()
    }

    #[test]
    fn lines_continue_and_comments_do_not_end_them() {
        let unit = unit(&[
            "\u{feff}[Unit]\nnonsense\n[Service]\n# c\nExecStart = a \\\n  # inside\n  ; too\n  b \\\n\n User=x\nPath=c:\\\\\nLast=\\",
        ]);
        let start = unit.last("Service", "ExecStart").unwrap();
        assert_eq!((start.value.as_str(), start.line, start.path.raw()), ("a  b", 5, "/0"));
        assert_eq!(values(&unit, "User"), ["x"]);
        assert_eq!(values(&unit, "Path"), ["c:\\\\"], "an escaped backslash continues nothing");
        assert_eq!(unit.assignments.len(), 4);
        assert!(unit.has_section("Service") && !unit.has_section("Unit"));
    }

    #[test]
    fn empty_assignments_reset() {
        let unit = unit(&["[Service]\nExecStart=a\nUser=u\n", "[Service]\nExecStart=\nExecStart=b\nUser=\n[Unit]\nUser=no", "x=outside"]);
        assert_eq!(values(&unit, "ExecStart"), ["b"]);
        assert_eq!(unit.last("Service", "User"), None);
        assert_eq!(unit.last("Service", "ExecStart").map(|a| (a.path.raw(), a.line)), Some(("/1", 3)));
    }
}
