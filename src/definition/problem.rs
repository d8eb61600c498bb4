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

    /// Adds a suggestion.
    #[must_use]
    pub fn suggesting(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// Whether it stops the definition from being used.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.kind == ProblemKind::Error
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

/// ``did you mean `x`?``, for the candidate closest to what was written, if one is close.
pub(crate) fn closest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let most = match written.chars().count() {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    // The beginning of a name is as good as a few slips.
    let begins = |candidate: &str| written.chars().count() > 2 && candidate.starts_with(written);
    candidates
        .into_iter()
        .map(|candidate| (distance(written, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= most || begins(candidate))
        .min()
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}

/// Edits that turn one text into another: insertions, deletions, replacements, swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&last, j) + usize::from(x != y);
            let mut best = replaced.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, edits) in
            [("runing", "running", 1), ("", "abc", 3), ("same", "same", 0), ("onwer", "owner", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
        assert_eq!(closest("runing", ["running", "configured"]).as_deref(), Some("did you mean `running`?"));
        assert_eq!(closest("colour", ["running", "configured"]), None);
    }

    #[test]
    fn excerpts_are_escaped_and_marked() {
        let excerpt = Excerpt { line: "each.\u{202e}bad = 2".into(), start: 6, width: 3 };
        assert_eq!(excerpt.to_string(), "  each.\\u{202e}bad = 2\n               ^^^");
        let long = Excerpt { line: format!("{}bad{}", "x".repeat(1000), "y".repeat(1000)), start: 1000, width: 3 };
        assert_eq!(long.to_string(), format!("  {}bad{}\n  {}^^^", "x".repeat(40), "y".repeat(117), " ".repeat(40)));
    }
}
