//! Members of JSON files, for the long tail.

use crate::fact::{Flag, Gap, List, Setting, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One JSON file and what a pointer leads to in it.
    pub struct JsonRow("json") {
        /// Path of the file.
        path: Text,
        /// RFC 6901 pointer that was followed.
        pointer: Text,
        /// Whether the file is there.
        exists: Flag,
        /// The scalar at the pointer; absent where there is none.
        value: Setting,
        /// The elements of an array or the keys of an object; for a scalar the one value.
        values: List,
    }
}

/// Finds the records.
pub struct Json;

impl Resource for Json {
    type Row = JsonRow;
    const SELECTOR: &'static str = "`{ file = …, pointer = … }`; files that hold secrets are refused";
    const ENUMERABLE: bool = false;
    const ARGUMENTS: &'static [&'static str] = &["file", "pointer"];

    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
