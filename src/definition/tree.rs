//! Reading TOML by hand over a tree with positions, so that every problem has a place.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fact::is_unsafe;

use super::problem::{Excerpt, Problem, ProblemKind, closest};
use super::{Place, Source};

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
        match DeTable::parse(self.text) {
            Ok(tree) => Some(tree),
            Err(error) => {
                let at = error.span().unwrap_or_default();
                self.error(at, format!("not valid TOML: {}", error.message()))
            }
        }
    }

    /// Reads the file as a table of the given keys, with `format` among them.
    pub(super) fn root<'t>(&'t self, tree: &'t Spanned<DeTable<'a>>, format_required: bool) -> Table<'t, 'a> {
        let table = Table { file: self, table: tree.get_ref(), at: 0..0 };
        match table.get("format") {
            Some(item) => match item.integer() {
                Some(FORMAT) | None => {}
                Some(higher) if higher > FORMAT => {
                    let message = format!("written in format {higher}, and this plimsoll understands up to {FORMAT}");
                    self.hint::<()>(item.value.span(), message, Some("upgrade plimsoll".into()));
                }
                Some(_) => _ = self.error::<()>(item.value.span(), format!("there is no such format; the first is {FORMAT}")),
            },
            None if format_required => {
                _ = self.hint::<()>(0..0, "the file does not say its format", Some("begin it with `format = 1`".into()))
            }
            None => {}
        }
        table
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

    fn excerpt(&self, place: &Place, width: usize) -> Option<Excerpt> {
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

    /// Notes a lint about a place that was read before.
    pub(super) fn lint(&self, place: &Place, width: usize, message: impl Into<String>) {
        let excerpt = self.excerpt(place, width);
        let (place, message) = (place.clone(), message.into());
        self.problems.borrow_mut().push(Problem { place, message, suggestion: None, excerpt, kind: ProblemKind::Lint });
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

/// A table being read.
#[derive(Clone)]
pub(super) struct Table<'t, 'a> {
    /// The file it stands in.
    pub(super) file: &'t File<'a>,
    table: &'t DeTable<'a>,
    /// Where to point for what is wrong with the table as a whole.
    pub(super) at: Range<usize>,
}

/// A key and its value, or one element of its list.
#[derive(Clone)]
pub(super) struct Item<'t, 'a> {
    /// The file it stands in.
    pub(super) file: &'t File<'a>,
    /// The key.
    pub(super) key: &'t str,
    /// Where the key stands.
    pub(super) at: Range<usize>,
    /// The value.
    pub(super) value: &'t Node<'a>,
}

impl<'t, 'a> Table<'t, 'a> {
    /// Its entries, in the order they are written.
    pub(super) fn items(&self) -> Vec<Item<'t, 'a>> {
        let item = |(key, value): (&'t Spanned<_>, &'t Node<'a>)| self.item(key, value);
        let mut items: Vec<_> = self.table.iter().map(item).collect();
        items.sort_by_key(|item| item.at.start);
        items
    }

    fn item(&self, key: &'t Spanned<std::borrow::Cow<'a, str>>, value: &'t Node<'a>) -> Item<'t, 'a> {
        Item { file: self.file, key: key.get_ref(), at: key.span(), value }
    }

    pub(super) fn get(&self, key: &str) -> Option<Item<'t, 'a>> {
        self.table.get_key_value(key).map(|(key, value)| self.item(key, value))
    }

    /// An entry that has to be there.
    pub(super) fn need(&self, key: &str, what: &str) -> Option<Item<'t, 'a>> {
        self.get(key).or_else(|| self.file.error(self.at.clone(), format!("{what} has no `{key}`")))
    }

    /// Text that has to be there and not be empty; empty after a problem.
    pub(super) fn need_text(&self, key: &str, what: &str) -> String {
        self.need(key, what).and_then(|item| item.filled_text()).unwrap_or_default()
    }

    /// Text that may be left out.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.get(key).and_then(|item| item.filled_text())
    }

    /// Notes a problem for every key that is not known.
    pub(super) fn only(&self, known: &[&str], what: &str) {
        for item in self.items() {
            if !known.contains(&item.key) {
                let message = format!("{what} has no `{}`", item.key);
                self.file.hint::<()>(item.at, message, closest(item.key, known.iter().copied()));
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

impl<'t, 'a> Item<'t, 'a> {
    /// Where the value stands.
    pub(super) fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// Where the key stands.
    pub(super) fn place(&self) -> Place {
        self.file.place(self.at.start)
    }

    fn wrong<T>(&self, wanted: &str) -> Option<T> {
        self.file.error(self.span(), format!("`{}` must be {wanted}, not {}", self.key, type_words(self.value.get_ref())))
    }

    /// Text. Invisible and control characters are refused, so that definitions can be shown as they are.
    pub(super) fn text(&self) -> Option<String> {
        let Some(text) = self.value.get_ref().as_str() else { return self.wrong("text") };
        match text.chars().find(|c| is_unsafe(*c) && !matches!(c, '\n' | '\t')) {
            Some(c) => self.file.error(self.span(), format!("`{}` holds the invisible character U+{:04X}", self.key, u32::from(c))),
            None => Some(text.to_owned()),
        }
    }

    /// Text with something in it.
    pub(super) fn filled_text(&self) -> Option<String> {
        let text = self.text()?;
        if text.trim().is_empty() { self.file.error(self.span(), format!("`{}` is empty", self.key)) } else { Some(text) }
    }

    pub(super) fn flag(&self) -> Option<bool> {
        self.value.get_ref().as_bool().or_else(|| self.wrong("`true` or `false`"))
    }

    pub(super) fn integer(&self) -> Option<i64> {
        match self.value.get_ref() {
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Some(number),
                Err(_) => self.file.error(self.span(), "the number is too large: 64 bits with a sign are the limit"),
            },
            _ => self.wrong("a whole number"),
        }
    }

    /// A whole number within bounds.
    pub(super) fn number_within(&self, least: i64, most: i64) -> Option<i64> {
        let number = self.integer()?;
        let fits = (least..=most).contains(&number);
        if fits { Some(number) } else { self.file.error(self.span(), format!("`{}` must be from {least} to {most}", self.key)) }
    }

    /// The elements of a list.
    pub(super) fn list(&self) -> Option<Vec<Self>> {
        match self.value.get_ref() {
            DeValue::Array(array) => Some(self.elements(array)),
            _ => self.wrong("a list"),
        }
    }

    fn elements(&self, array: &'t [Node<'a>]) -> Vec<Self> {
        array.iter().map(|value| Self { value, at: value.span(), ..self.clone() }).collect()
    }

    /// The elements of a list, or the value itself where it is none.
    pub(super) fn one_or_many(&self) -> Vec<Self> {
        match self.value.get_ref() {
            DeValue::Array(array) => self.elements(array),
            _ => vec![self.clone()],
        }
    }

    /// Texts, none of them empty.
    pub(super) fn texts(&self) -> Option<Vec<String>> {
        self.list()?.iter().map(Self::filled_text).collect()
    }

    pub(super) fn table(&self) -> Option<Table<'t, 'a>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(Table { file: self.file, table, at: self.at.clone() }),
            _ => self.wrong("a table"),
        }
    }

    /// A list of tables, as `[[key]]` writes them.
    pub(super) fn tables(&self) -> Vec<Table<'t, 'a>> {
        match self.value.get_ref() {
            DeValue::Array(array) => self.elements(array).iter().filter_map(Self::table).collect(),
            _ => {
                let message = format!("`{}` must be a list of tables, not {}", self.key, type_words(self.value.get_ref()));
                self.file.hint::<()>(self.at.clone(), message, Some(format!("write `[[{}]]`", self.key)));
                Vec::new()
            }
        }
    }
}

/// What a value is, in words.
pub(super) fn type_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a flag",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
