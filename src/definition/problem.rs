//! What is wrong with a definition, where, and what was probably meant.

use std::fmt;

use crate::fact::Shown;

use super::Place;

/// Longest part of a source line that is shown, in characters.
const SHOWN_WIDTH: usize = 160;

/// Whether a problem stops a definition from being used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProblemKind {
    /// The definition cannot be used.
    Error,
    /// It can, but is not as it should be.
    Lint,
}

/// Something wrong with a definition, a profile, a site file or a test case.
///
/// Displayed as `kernel.toml:12:6: message; suggestion`, with the line it is about underneath.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where. Line 0 means the file as a whole.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where that can be guessed: ``did you mean `running`?``.
    pub suggestion: Option<String>,
    /// The line it is about.
    pub excerpt: Option<Excerpt>,
    /// Whether it stops the definition from being used.
    pub kind: ProblemKind,
}

/// A line of a definition with a part of it marked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpt {
    /// The line as written. Escaped when shown.
    pub line: String,
    /// Where the marked part begins, in characters from 0.
    pub start: usize,
    /// How many characters are marked, at least one.
    pub width: usize,
}

impl Problem {
    /// An error about a file as a whole.
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        let place = Place { file: file.into(), line: 0, column: 0 };
        Self { place, message: message.into(), suggestion: None, excerpt: None, kind: ProblemKind::Error }
    }
}

/// `file:line:column`, the file's name escaped; only the file where it is meant as a whole.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Shown::of(&self.file))?;
        if self.line > 0 { write!(f, ":{}:{}", self.line, self.column) } else { Ok(()) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, Shown::of(&self.message))?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; {}", Shown::of(suggestion))?;
        }
        if let Some(excerpt) = &self.excerpt {
            write!(f, "\n{excerpt}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped = if self.start < SHOWN_WIDTH { 0 } else { self.start - SHOWN_WIDTH / 4 };
        let part = |from: usize, count: usize| Shown::of(&self.line.chars().skip(from).take(count).collect::<String>()).to_string();
        let before = part(skipped, self.start - skipped);
        let marked = part(self.start, self.width.min(SHOWN_WIDTH));
        let after = part(self.start + self.width, SHOWN_WIDTH.saturating_sub(self.start - skipped + self.width));
        let line = format!("{before}{marked}{after}");
        writeln!(f, "  {}", line.trim_end())?;
        let carets = marked.trim_end().chars().count().max(1);
        write!(f, "  {}{}", " ".repeat(before.chars().count()), "^".repeat(carets))
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_escaped_and_marked() {
        let excerpt = Excerpt { line: "each.\u{202e}bad = 2".into(), start: 6, width: 3 };
        assert_eq!(excerpt.to_string(), "  each.\\u{202e}bad = 2\n               ^^^");
        let long = Excerpt { line: format!("{}bad{}", "x".repeat(1000), "y".repeat(1000)), start: 1000, width: 3 };
        assert_eq!(long.to_string(), format!("  {}bad{}\n  {}^^^", "x".repeat(40), "y".repeat(117), " ".repeat(40)));
    }
}
