//! Reports: what people and programs read, each a function of a run and nothing else.

mod csv;
mod json;
mod terminal;
mod words;
mod worksheet;

use std::io;

use crate::audit::Run;

pub use json::to_json;
pub use worksheet::explain_score;

/// The formats a run can be written in. A new one is a file here and a variant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Format {
    /// For a person at a terminal.
    Terminal,
    /// The run itself, in canonical JSON.
    Json,
    /// The worksheet of the score, one line per check.
    Csv,
}

impl Format {
    /// Every format, with its name.
    pub const ALL: [(&'static str, Self); 3] = [("terminal", Self::Terminal), ("json", Self::Json), ("csv", Self::Csv)];

    /// The format with a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(known, format)| (known == name).then_some(format))
    }

    /// The name of the format.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(name, format)| (format == self).then_some(name)).unwrap_or_default()
    }

    /// A run in this format. Only the terminal has a style.
    #[must_use]
    pub fn render(self, run: &Run, style: Style) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A vector takes every byte.
        let _ = self.write(run, style, &mut bytes);
        bytes
    }

    /// Writes a run, bit by bit where it may be many megabytes; so give it something that gathers small writes.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn write(self, run: &Run, style: Style, to: &mut dyn io::Write) -> io::Result<()> {
        match self {
            Self::Terminal => to.write_all(terminal::render(run, style).as_bytes()),
            Self::Json => json::write(run, to),
            Self::Csv => to.write_all(&csv::render(run)),
        }
    }
}

/// How a report for a terminal looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Style {
    /// Whether it is coloured.
    pub colour: bool,
    /// Columns to write into; at least 40 are used.
    pub width: usize,
    /// Whether passes and what does not apply are shown too, with their evidence.
    pub verbose: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { colour: false, width: 100, verbose: false }
    }
}

/// The JSON Schema of a run (draft 2020-12).
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Run);
    schema.insert("title".to_owned(), "A plimsoll run".into());
    schema.to_value()
}

#[cfg(test)]
mod tests;
