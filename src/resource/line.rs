//! Lines of text files that match, for the long tail.

use std::path::Path;

use regex::bytes::{Regex, RegexBuilder};

use crate::fact::{Fact, Gap, Integer, Origin, Reason, Text, record};
use crate::parse::scrub::scrub;

use super::{Context, Resource, Selector, paths};

/// The most that is kept of a line, in bytes.
const MOST_KEPT: usize = 256;
/// The most lines that are given of all files together.
const MOST_LINES: usize = 10_000;
/// The largest a compiled expression may be, in bytes.
const MOST_PROGRAM: usize = 1 << 20;

record! {
    /// One line that matches. A file that is not there gives no record.
    pub struct LineRow("line") {
        /// The line, without its end and without what looks like a secret, at most 256 bytes of it.
        text: Text,
        /// Path of the file.
        path: Text,
        /// Number of the line, from 1.
        number: Integer,
    }
}

/// Finds the records.
pub struct Lines;

impl Resource for Lines {
    type Row = LineRow;
    const SELECTOR: &'static str = "`{ file = …, matches = … }`: a path or glob and a regular expression found anywhere in the line; files that hold secrets are refused";
    const ENUMERABLE: bool = false;
    const ARGUMENTS: &'static [&'static str] = &["file", "matches"];

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let patterns = of.required("matches")?.iter().map(|pattern| compile(pattern)).collect::<Result<Vec<_>, _>>()?;
        let mut rows = Vec::new();
        let mut gaps = Vec::new();
        let mut readable = false;
        for (path, content) in paths::contents(context.host, of.required("file")?)? {
            let content = match content {
                Fact::Known(content, _) => content,
                Fact::Absent(_) => continue,
                Fact::Unknown(gap) => {
                    gaps.push(gap.clone());
                    rows.push(LineRow { path: Fact::Known(path.as_path().into(), Origin::file(path.as_path())), ..LineRow::unknown(&gap) });
                    continue;
                }
            };
            readable = true;
            for (line, number) in content.split(|b| *b == b'\n').zip(1..) {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                if patterns.iter().any(|pattern| pattern.is_match(line)) {
                    rows.push(row(&path, line, number));
                }
                if rows.len() > MOST_LINES {
                    return Err(Gap::new(Origin::file(path.as_path()), Reason::TooLarge));
                }
            }
        }
        match gaps.into_iter().next() {
            Some(gap) if !readable => Err(gap),
            _ => Ok(rows),
        }
    }
}

fn compile(pattern: &str) -> Result<Regex, Gap> {
    let compiled = RegexBuilder::new(pattern).size_limit(MOST_PROGRAM).dfa_size_limit(MOST_PROGRAM).nest_limit(64).build();
    compiled.map_err(|error| Gap::new(Origin::Derived, Reason::malformed(format!("regular expression `{pattern}`: {error}"))))
}

fn row(path: &Path, line: &[u8], number: u32) -> LineRow {
    let origin = Origin::line(path, number);
    LineRow {
        text: Fact::Known(kept(scrub(&String::from_utf8_lossy(line)).as_bytes()), origin.clone()),
        path: Fact::Known(path.into(), origin.clone()),
        number: Fact::Known(number.into(), origin),
    }
}

/// The first bytes of a line, as many as are kept, no character cut in two.
fn kept(line: &[u8]) -> Text {
    let text = Text::from_bytes(line.get(..MOST_KEPT).unwrap_or(line));
    let end = text.raw().floor_char_boundary(MOST_KEPT);
    let whole = text.raw().get(..end).unwrap_or_default();
    // The replacement character of a character that was cut is no part of the line.
    let cut = line.len() > MOST_KEPT && std::str::from_utf8(line).is_ok();
    Text::from(if cut { whole.trim_end_matches('\u{fffd}') } else { whole })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn rows(host: &Memory, file: &str, pattern: &str) -> Result<Vec<LineRow>, Gap> {
        let arguments = [("file".to_owned(), vec![file.to_owned()]), ("matches".to_owned(), vec![pattern.to_owned()])];
        Lines::collect(&Context::new(host), &Selector::Named(arguments.into()))
    }

    #[test]
    fn lines_are_found_anywhere_in_them_with_their_numbers() {
        let host = Memory::new().file("/etc/a", b"one\r\n two\n\xff two\n").file("/etc/b", "two");
        let found = rows(&host, "/etc/*", "two$").unwrap();
        let seen: Vec<_> = found.iter().map(|row| (row.text.known().unwrap().raw(), row.number.known().copied())).collect();
        assert_eq!(seen, [(" two", Some(2)), ("\u{fffd} two", Some(3)), ("two", Some(1))]);
        assert_eq!(*found[2].text.origin(), Origin::line("/etc/b", 1));
        assert_eq!(rows(&host, "/etc/a", "e$").unwrap().len(), 1, "the end of a line is no part of it");
        assert!(rows(&host, "/none", "x").unwrap().is_empty());
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let host = Memory::new().file("/f", format!("x{}", "ü".repeat(10_000)));
        let found = rows(&host, "/f", "^x").unwrap();
        assert_eq!(found[0].text.known().unwrap().raw(), format!("x{}", "ü".repeat(127)));
    }

    #[test]
    fn expressions_are_bounded() {
        let host = Memory::new().file("/f", "");
        for pattern in ["(", r"a{1000}{1000}", r"\w{500}{20}", &"(".repeat(500)] {
            assert!(matches!(rows(&host, "/f", pattern), Err(Gap { reason: Reason::Malformed(_), .. })), "{pattern}");
        }
    }

    #[test]
    fn secrets_and_unreadable_files_are_gaps() {
        let host =
            Memory::new().file("/etc/shadow", "root:canary").file("/etc/x/a", "x").file("/etc/x/b", "x").gap("/etc/x/b", Reason::Denied);
        assert!(matches!(rows(&host, "/etc/shadow", "root"), Err(Gap { reason: Reason::Unsupported(_), .. })));
        let found = rows(&host, "/etc/x/*", "x").unwrap();
        assert_eq!(found.iter().map(|row| row.text.known().is_some()).collect::<Vec<_>>(), [true, false]);
    }
}
