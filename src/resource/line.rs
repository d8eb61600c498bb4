//! Lines of text files that match, for the long tail.

use crate::fact::{Gap, Integer, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One line that matches. A file that is not there gives no record.
    pub struct LineRow("line") {
        /// The line, without its end, at most 256 bytes of it.
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

    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
