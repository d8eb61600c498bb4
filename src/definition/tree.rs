//! Reading TOML by hand over a tree with positions, so that every problem has a place.

mod nesting;
mod table;

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Excerpt, Problem, ProblemKind};
use super::{Place, Source};

pub(super) use table::{Item, Table, type_words};

/// Highest format of definition files that is understood.
const FORMAT: i64 = 1;

/// A value with its position.
pub(super) type Node<'a> = Spanned<DeValue<'a>>;

/// A definition file being read, and what was found wrong with it so far.
pub(super) struct File<'a> {
    path: Arc<str>,
    text: &'a str,
    lines: Vec<usize>,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> File<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        let text: &str = &source.text;
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path: source.path.clone(), text, lines, problems: RefCell::default() }
    }

    /// The tree, or nothing and a problem where it is not TOML.
    pub(super) fn parse(&self) -> Option<Spanned<DeTable<'a>>> {
        if let Some(at) = nesting::too_deep(self.text) {
            return self.error(at..at + 1, "nested too deeply");
        }
        match DeTable::parse(self.text) {
            Ok(tree) => Some(tree),
            Err(error) => {
                let at = error.span().unwrap_or_default();
                self.error(at, format!("not valid TOML: {}", error.message()))
            }
        }
    }

    /// The file as a table, or nothing and a problem where its format is not understood.
    pub(super) fn root<'t>(&'t self, tree: &'t Spanned<DeTable<'a>>, format_required: bool) -> Option<Table<'t, 'a>> {
        let table = Table::new(self, tree.get_ref(), 0..0);
        match table.get("format") {
            Some(item) => match item.integer()? {
                FORMAT => {}
                higher if higher > FORMAT => {
                    let message = format!("written in format {higher}, and this plimsoll understands up to {FORMAT}");
                    return self.hint(item.span(), message, Some("upgrade plimsoll".into()));
                }
                _ => return self.error(item.span(), format!("there is no such format; the first is {FORMAT}")),
            },
            None if format_required => self.hint(0..0, "the file does not say its format", Some("begin it with `format = 1`".into()))?,
            None => {}
        }
        Some(table)
    }

    /// The line and column of an offset, both from 1, columns in characters.
    pub(super) fn place(&self, at: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= at).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        let column = self.text.get(start..at).map_or(0, |before| before.chars().count()) + 1;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place { file: self.path.clone(), line: number(line), column: number(column) }
    }

    fn problem(&self, span: Range<usize>, kind: ProblemKind, message: String, suggestion: Option<String>) -> Problem {
        let place = self.place(span.start);
        let width = self.text.get(span).map_or(1, |marked| marked.lines().next().unwrap_or_default().chars().count());
        let excerpt = self.excerpt(&place, width);
        Problem { place, message, suggestion, excerpt, kind }
    }

    /// The line of a place, so many characters of it marked.
    pub(super) fn excerpt(&self, place: &Place, width: usize) -> Option<Excerpt> {
        let line = self.text.lines().nth(place.line as usize - 1)?.to_owned();
        Some(Excerpt { line, start: place.column as usize - 1, width: width.max(1) })
    }

    /// Notes an error. Always `None`, so that a reader can `return` it.
    pub(super) fn error<T>(&self, span: Range<usize>, message: impl Into<String>) -> Option<T> {
        self.problems.borrow_mut().push(self.problem(span, ProblemKind::Error, message.into(), None));
        None
    }

    /// Notes an error with a suggestion. Always `None`.
    pub(super) fn hint<T>(&self, span: Range<usize>, message: impl Into<String>, suggestion: Option<String>) -> Option<T> {
        self.problems.borrow_mut().push(self.problem(span, ProblemKind::Error, message.into(), suggestion));
        None
    }

    /// Notes a lint about a place that was read before, so many characters wide.
    pub(super) fn lint(&self, place: &Place, width: usize, message: impl Into<String>) {
        let excerpt = self.excerpt(place, width);
        let (place, message) = (place.clone(), message.into());
        self.problems.borrow_mut().push(Problem { place, message, suggestion: None, excerpt, kind: ProblemKind::Lint });
    }

    /// Notes a lint.
    pub(super) fn lint_at(&self, span: Range<usize>, message: impl Into<String>) {
        self.problems.borrow_mut().push(self.problem(span, ProblemKind::Lint, message.into(), None));
    }

    /// Its path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Everything found wrong, in the order of the file.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| (problem.place.line, problem.place.column));
        problems.dedup();
        problems
    }

    /// What was read, where nothing was wrong with it.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<T, Vec<Problem>> {
        let path = self.path.clone();
        let problems = self.into_problems();
        match read {
            Some(read) if problems.is_empty() => Ok(read),
            _ if problems.is_empty() => Err(vec![Problem::of_file(&path, "could not be read")]),
            _ => Err(problems),
        }
    }
}
