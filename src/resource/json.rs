//! Members of JSON files, for the long tail.

use std::path::Path;

use crate::fact::{Document, Fact, Flag, Gap, List, Origin, Setting, Text, Value, record};
use crate::host::Host;
use crate::parse::scrub::scrub_named;
use crate::parse::secret;

use super::{Context, Resource, Selector, paths};

record! {
    /// One JSON file and what a pointer leads to in it.
    pub struct JsonRow("json") {
        /// Path of the file.
        path: Text,
        /// RFC 6901 pointer that was followed.
        pointer: Text,
        /// Whether the file is there.
        exists: Flag,
        /// The scalar at the pointer, without what looks like a secret; absent where there is none.
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

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let pointers = match of.argument("pointer") {
            [] => vec![""],
            pointers => pointers.iter().map(String::as_str).collect(),
        };
        let mut rows = Vec::new();
        for file in of.required("file")? {
            let document = document(context.host, Path::new(file));
            rows.extend(pointers.iter().map(|pointer| row(file, pointer, document.as_ref())));
        }
        Ok(rows)
    }
}

fn document(host: &dyn Host, path: &Path) -> Fact<Document> {
    paths::open_to_definitions(host, path).and_then(|target, _| host.read(&target)).and_then(|content, _| {
        let origin = Origin::file(path);
        match Document::new(&content, origin.clone()) {
            Ok(document) => Fact::Known(document, origin),
            Err(gap) => Fact::Unknown(gap),
        }
    })
}

fn row(file: &str, pointer: &str, document: Fact<&Document>) -> JsonRow {
    let here = Origin::file(file);
    let found = document.clone().and_then(|document, _| document.pointer(pointer));
    let secret = pointer.split('/').find(|name| secret::name_says_so(name)).unwrap_or_default();
    let clean = |text: &Text| Text::from(scrub_named(secret, text.raw()));
    JsonRow {
        path: Fact::Known(file.into(), here.clone()),
        pointer: Fact::Known(pointer.into(), here),
        exists: paths::exists(document),
        value: found.clone().and_then(|found, origin| match found {
            Value::Setting(scalar) => Fact::Known(Setting(clean(&scalar)), origin),
            _ => Fact::Absent(origin),
        }),
        values: found.map(|found| match found {
            Value::List(items) => items.iter().map(clean).collect(),
            Value::Setting(scalar) => vec![clean(&scalar)],
            other => vec![other.to_string().into()],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    fn rows(host: &Memory, file: &str, pointers: &[&str]) -> Vec<JsonRow> {
        let pointers = pointers.iter().map(|pointer| (*pointer).to_owned()).collect();
        let arguments = [("file".to_owned(), vec![file.to_owned()]), ("pointer".to_owned(), pointers)];
        Json::collect(&Context::new(host), &Selector::Named(arguments.into())).unwrap()
    }

    fn known(row: &JsonRow) -> (Option<&str>, Option<Vec<&str>>) {
        (row.value.known().map(|value| value.0.raw()), row.values.known().map(|list| list.iter().map(Text::raw).collect()))
    }

    #[test]
    fn pointers_lead_to_scalars_and_lists() {
        let host =
            Memory::new().file("/etc/docker/daemon.json", r#"{"icc":false,"hosts":["a","b"],"log-opts":{"max-size":"1m"},"x":null}"#);
        let rows = rows(&host, "/etc/docker/daemon.json", &["/icc", "/hosts", "/log-opts", "/x", "/none"]);
        assert_eq!(known(&rows[0]), (Some("false"), Some(vec!["false"])));
        assert_eq!(known(&rows[1]), (None, Some(vec!["a", "b"])));
        assert_eq!(known(&rows[2]), (None, Some(vec!["max-size"])));
        assert!(matches!((&rows[3].value, &rows[4].values), (Fact::Absent(_), Fact::Absent(_))));
        assert!(rows.iter().all(|row| row.exists.known() == Some(&true)));
    }

    #[test]
    fn missing_broken_and_secret_files() {
        let host = Memory::new().file("/broken", "{").file("/root/.docker/config.json", r#"{"auths":{"r":"canary"}}"#);
        let absent = &rows(&host, "/none", &["/a"])[0];
        assert_eq!(absent.exists.known(), Some(&false));
        assert!(matches!(absent.value, Fact::Absent(_)));
        let broken = &rows(&host, "/broken", &["/a"])[0];
        assert!(matches!(&broken.value, Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
        assert_eq!(broken.exists.known(), Some(&true));
        let secret = &rows(&host, "/root/.docker/config.json", &["/auths/r"])[0];
        assert!(matches!(&secret.value, Fact::Unknown(Gap { reason: Reason::Unsupported(_), .. })));
        assert!(!format!("{secret:?}").contains("canary"));
        assert!(Json::collect(&Context::new(&host), &Selector::All).is_err());
    }
}
