//! Settings of key=value files with sections, for the long tail.

use crate::fact::{Flag, Gap, Setting, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One key of one section of one file; the last assignment wins.
    pub struct IniRow("ini") {
        /// Path of the file.
        path: Text,
        /// Section; empty for keys before the first.
        section: Text,
        /// Key.
        key: Text,
        /// Whether the file is there.
        exists: Flag,
        /// Value; absent where the key is not set.
        value: Setting,
    }
}

/// Finds the records.
pub struct Ini;

impl Resource for Ini {
    type Row = IniRow;
    const SELECTOR: &'static str = "`{ file = …, section = …, key = … }`; `file` may be a glob; files that hold secrets are refused";
    const ENUMERABLE: bool = false;
    const ARGUMENTS: &'static [&'static str] = &["file", "section", "key"];

    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
