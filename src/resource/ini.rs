//! Settings of key=value files with sections, for the long tail.

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Origin, Setting, Text, record};
use crate::parse::ini;
use crate::parse::scrub::scrub_named;

use super::{Context, Resource, Selector, paths};

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
        /// Value, without what looks like a secret; absent where the key is not set.
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

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let keys = of.required("key")?;
        let sections = match of.argument("section") {
            [] => vec![""],
            sections => sections.iter().map(String::as_str).collect(),
        };
        let mut rows = Vec::new();
        for (path, content) in paths::contents(context.host, of.required("file")?)? {
            let content = content.map(|content| Text::from_bytes(&content));
            rows.extend(sections.iter().flat_map(|section| keys.iter().map(|key| row(&path, section, key, content.as_ref()))));
        }
        Ok(rows)
    }
}

fn row(path: &Path, section: &str, key: &str, content: Fact<&Text>) -> IniRow {
    let here = Origin::file(path);
    let value = content.clone().and_then(|content, origin| {
        match ini::parse(content.raw()).filter(|found| found.section == section && found.key == key).last() {
            Some(found) => Fact::Known(scrub_named(key, found.value).into(), Origin::line(path, found.line)),
            None => Fact::Absent(origin),
        }
    });
    IniRow {
        path: Fact::Known(path.into(), here.clone()),
        section: Fact::Known(section.into(), here.clone()),
        key: Fact::Known(key.into(), here),
        exists: paths::exists(content),
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    fn rows(host: &Memory, arguments: &[(&str, &str)]) -> Result<Vec<IniRow>, Gap> {
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]));
        Ini::collect(&Context::new(host), &Selector::Named(arguments.collect()))
    }

    #[test]
    fn the_last_assignment_of_the_section_wins() {
        let host =
            Memory::new().file("/etc/x.conf", "top = 0\n[Journal]\nStorage=auto\n#Storage=none\nStorage=persistent\n[Other]\nStorage=no\n");
        let row = |section, key| rows(&host, &[("file", "/etc/x.conf"), ("section", section), ("key", key)]).unwrap().remove(0);
        assert_eq!(row("Journal", "Storage").value, Fact::Known("persistent".into(), Origin::line("/etc/x.conf", 5)));
        assert_eq!(row("Journal", "storage").value, Fact::Absent(Origin::file("/etc/x.conf")));
        let top = rows(&host, &[("file", "/etc/x.conf"), ("key", "top")]).unwrap().remove(0);
        assert_eq!((top.value.known(), top.section.known().map(Text::raw)), (Some(&"0".into()), Some("")));
    }

    #[test]
    fn globs_missing_files_and_bad_selectors() {
        let host =
            Memory::new().file("/etc/d/a", "k=1").file("/etc/d/b", "").gap("/etc/d/b", Reason::Denied).file("/etc/d/c.key", "k=canary");
        let found = rows(&host, &[("file", "/etc/d/*"), ("key", "k")]).unwrap();
        assert_eq!(found.iter().map(|row| row.value.known().is_some()).collect::<Vec<_>>(), [true, false, false]);
        assert!(matches!(found[1].exists, Fact::Unknown(_)));
        assert!(matches!(&found[2].value, Fact::Unknown(Gap { reason: Reason::Unsupported(_), .. })));
        let missing = rows(&host, &[("file", "/none"), ("key", "k")]).unwrap().remove(0);
        assert_eq!(missing.exists.known(), Some(&false));
        assert!(rows(&host, &[("file", "/none")]).is_err());
    }
}
