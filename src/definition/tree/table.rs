//! Tables and their entries, each knowing where it stands.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::definition::Place;
use crate::definition::words::closest;
use crate::fact::is_unsafe;

use super::{File, Node};

/// A table being read.
#[derive(Clone)]
pub(in crate::definition) struct Table<'t, 'a> {
    /// The file it stands in.
    pub(in crate::definition) file: &'t File<'a>,
    table: &'t DeTable<'a>,
    /// Where to point for what is wrong with the table as a whole.
    pub(in crate::definition) at: Range<usize>,
}

/// A key and its value, or one element of its list.
#[derive(Clone)]
pub(in crate::definition) struct Item<'t, 'a> {
    /// The file it stands in.
    pub(in crate::definition) file: &'t File<'a>,
    /// The key.
    pub(in crate::definition) key: &'t str,
    /// Where the key stands.
    pub(in crate::definition) at: Range<usize>,
    /// The value.
    pub(in crate::definition) value: &'t Node<'a>,
}

impl<'t, 'a> Table<'t, 'a> {
    pub(super) fn new(file: &'t File<'a>, table: &'t DeTable<'a>, at: Range<usize>) -> Self {
        Self { file, table, at }
    }

    /// Its entries, in the order they are written.
    pub(in crate::definition) fn items(&self) -> Vec<Item<'t, 'a>> {
        let item = |(key, value): (&'t Spanned<_>, &'t Node<'a>)| self.item(key, value);
        let mut items: Vec<_> = self.table.iter().map(item).collect();
        items.sort_by_key(|item| item.at.start);
        items
    }

    fn item(&self, key: &'t Spanned<Cow<'a, str>>, value: &'t Node<'a>) -> Item<'t, 'a> {
        Item { file: self.file, key: key.get_ref(), at: key.span(), value }
    }

    pub(in crate::definition) fn get(&self, key: &str) -> Option<Item<'t, 'a>> {
        self.table.get_key_value(key).map(|(key, value)| self.item(key, value))
    }

    /// An entry that has to be there.
    pub(in crate::definition) fn need(&self, key: &str, what: &str) -> Option<Item<'t, 'a>> {
        self.get(key).or_else(|| self.file.error(self.at.clone(), format!("{what} has no `{key}`")))
    }

    /// Text that has to be there and not be empty; empty after a problem.
    pub(in crate::definition) fn need_text(&self, key: &str, what: &str) -> String {
        self.need(key, what).and_then(|item| item.filled_text()).unwrap_or_default()
    }

    /// Text that may be left out.
    pub(in crate::definition) fn text(&self, key: &str) -> Option<String> {
        self.get(key).and_then(|item| item.filled_text())
    }

    /// Notes a problem for every key that is not known.
    pub(in crate::definition) fn only(&self, known: &[&str], what: &str) {
        for item in self.items() {
            if !known.contains(&item.key) {
                let message = format!("{what} has no `{}`", item.key);
                self.file.hint::<()>(item.at, message, closest(item.key, known.iter().copied()));
            }
        }
    }

    pub(in crate::definition) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

impl<'t, 'a> Item<'t, 'a> {
    /// Where the value stands.
    pub(in crate::definition) fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// Where the key stands.
    pub(in crate::definition) fn place(&self) -> Place {
        self.file.place(self.at.start)
    }

    fn wrong<T>(&self, wanted: &str) -> Option<T> {
        self.file.error(self.span(), format!("`{}` must be {wanted}, not {}", self.key, type_words(self.value.get_ref())))
    }

    /// Text. Invisible and control characters are refused, so that definitions can be shown as they are.
    pub(in crate::definition) fn text(&self) -> Option<String> {
        let Some(text) = self.value.get_ref().as_str() else { return self.wrong("text") };
        match text.chars().find(|c| is_unsafe(*c) && !matches!(c, '\n' | '\t')) {
            Some(c) => self.file.error(self.span(), format!("`{}` holds the invisible character U+{:04X}", self.key, u32::from(c))),
            None => Some(text.to_owned()),
        }
    }

    /// Text with something in it.
    pub(in crate::definition) fn filled_text(&self) -> Option<String> {
        let text = self.text()?;
        if text.trim().is_empty() { self.file.error(self.span(), format!("`{}` is empty", self.key)) } else { Some(text) }
    }

    pub(in crate::definition) fn flag(&self) -> Option<bool> {
        self.value.get_ref().as_bool().or_else(|| self.wrong("`true` or `false`"))
    }

    pub(in crate::definition) fn integer(&self) -> Option<i64> {
        match self.value.get_ref() {
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Some(number),
                Err(_) => self.file.error(self.span(), "the number is too large: 64 bits with a sign are the limit"),
            },
            _ => self.wrong("a whole number"),
        }
    }

    /// A whole number within bounds.
    pub(in crate::definition) fn number_within(&self, least: i64, most: i64) -> Option<i64> {
        let number = self.integer()?;
        let fits = (least..=most).contains(&number);
        if fits { Some(number) } else { self.file.error(self.span(), format!("`{}` must be from {least} to {most}", self.key)) }
    }

    /// The elements of a list.
    pub(in crate::definition) fn list(&self) -> Option<Vec<Self>> {
        match self.value.get_ref() {
            DeValue::Array(array) => Some(self.elements(array)),
            _ => self.wrong("a list"),
        }
    }

    fn elements(&self, array: &'t [Node<'a>]) -> Vec<Self> {
        array.iter().map(|value| Self { value, at: value.span(), ..self.clone() }).collect()
    }

    /// The elements of a list, or the value itself where it is none.
    pub(in crate::definition) fn one_or_many(&self) -> Vec<Self> {
        match self.value.get_ref() {
            DeValue::Array(array) => self.elements(array),
            _ => vec![self.clone()],
        }
    }

    /// Texts, none of them empty.
    pub(in crate::definition) fn texts(&self) -> Option<Vec<String>> {
        self.list()?.iter().map(Self::filled_text).collect()
    }

    pub(in crate::definition) fn table(&self) -> Option<Table<'t, 'a>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(Table { file: self.file, table, at: self.at.clone() }),
            _ => self.wrong("a table"),
        }
    }

    /// A list of tables, as `[[key]]` writes them; a list without any says nothing.
    pub(in crate::definition) fn filled_tables(&self) -> Vec<Table<'t, 'a>> {
        if self.value.get_ref().as_array().is_some_and(|array| array.is_empty()) {
            self.file.error::<()>(self.at.clone(), format!("`{}` is empty", self.key));
        }
        self.tables()
    }

    /// A list of tables.
    pub(in crate::definition) fn tables(&self) -> Vec<Table<'t, 'a>> {
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
pub(in crate::definition) fn type_words(value: &DeValue<'_>) -> &'static str {
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
