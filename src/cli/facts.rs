//! `plimsoll facts`: what plimsoll sees, with the origin of every value.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use super::args::FactsArgs;
use super::error::Error;
use crate::definition::closest;
use crate::fact::{Fact, Record, Text, Value};
use crate::resource::{Context, Entry, RESOURCES, Selector};

/// The records asked for, as text or JSON.
pub(crate) fn show(args: &FactsArgs, context: &Context<'_>) -> Result<String, Error> {
    let entry = resource(&args.resource)?;
    let selector = selector(entry, &args.selector)?;
    let records = (entry.collect)(context, &selector).map_err(|gap| Error::CannotLook { resource: args.resource.clone(), gap })?;
    Ok(if args.json { as_json(&records) } else { as_text(entry, &records) })
}

/// The resource of a name, or the nearest one in the error.
pub(crate) fn resource(name: &str) -> Result<&'static Entry, Error> {
    crate::resource::find(name).ok_or_else(|| Error::NoSuch {
        what: "resource",
        name: name.to_owned(),
        nearest: closest(name, RESOURCES.iter().map(|entry| entry.schema.resource)),
    })
}

/// Reads selector arguments: nothing or `*` for all, `NAME=VALUE` for resources with arguments, else keys.
fn selector(entry: &Entry, words: &[String]) -> Result<Selector, Error> {
    let usage = || Error::Selector { resource: entry.schema.resource, how: entry.selector };
    if !entry.arguments.is_empty() {
        let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for word in words {
            let (name, value) = word.split_once('=').ok_or_else(usage)?;
            if !entry.arguments.contains(&name) {
                return Err(usage());
            }
            named.entry(name.to_owned()).or_default().push(value.to_owned());
        }
        return if named.is_empty() { Err(usage()) } else { Ok(Selector::Named(named)) };
    }
    match words {
        [] => entry.enumerable.then_some(Selector::All).ok_or_else(usage),
        [all] if all == "*" && entry.enumerable => Ok(Selector::All),
        keys => Ok(Selector::Keys(keys.to_vec())),
    }
}

fn as_json(records: &[Record]) -> String {
    let records: Vec<serde_json::Value> = records
        .iter()
        .map(|record| {
            let facts: serde_json::Map<String, serde_json::Value> =
                record.facts().map(|(name, fact)| (name.to_owned(), json!(fact))).collect();
            json!({ "resource": record.schema().resource, "subject": record.subject(), "facts": facts })
        })
        .collect();
    crate::report::to_json(&records)
}

fn as_text(entry: &Entry, records: &[Record]) -> String {
    let mut text = String::new();
    let width = entry.schema.fields.iter().map(|field| field.name.len()).max().unwrap_or_default();
    for record in records {
        let _ = writeln!(text, "{} {}", record.schema().resource, record.subject().shown());
        for (name, fact) in record.facts() {
            match fact {
                Fact::Known(Value::List(items), origin) if items.len() > 1 => {
                    let _ = writeln!(text, "  {name:width$}  {} of them, from {origin}", items.len());
                    for line in lines(items) {
                        let _ = writeln!(text, "  {:width$}    {line}", "");
                    }
                }
                Fact::Known(value, origin) => {
                    let _ = writeln!(text, "  {name:width$}  {value}  from {origin}");
                }
                Fact::Absent(origin) => {
                    let _ = writeln!(text, "  {name:width$}  absent  from {origin}");
                }
                Fact::Unknown(gap) => {
                    let _ = writeln!(text, "  {name:width$}  unknown: {gap}");
                }
            }
        }
        text.push('\n');
    }
    if records.is_empty() {
        let _ = writeln!(text, "no {}", entry.schema.resource);
    }
    text
}

/// The items of a list: short ones beside each other, long ones on lines of their own.
fn lines(items: &[Text]) -> Vec<String> {
    const WIDTH: usize = 80;
    let mut lines: Vec<String> = Vec::new();
    for item in items.iter().map(|item| item.shown().to_string()) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + item.chars().count() + 2 <= WIDTH => {
                line.push_str(", ");
                line.push_str(&item);
            }
            _ => lines.push(item),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    /// Names of files are the host's: JSON on a terminal must be as harmless as text.
    #[test]
    fn no_name_from_the_host_reaches_a_terminal_raw() {
        let path = "/srv/a\u{9b}2J\u{202e}\u{1b}]0;x\u{7}";
        let host = Memory::new().file(path, "");
        let records =
            (crate::resource::find("file").unwrap().collect)(&Context::new(&host), &Selector::Keys(vec![path.to_owned()])).unwrap();
        for text in [as_json(&records), as_text(resource("file").unwrap(), &records)] {
            assert!(text.contains("/srv/a"));
            assert!(!text.chars().any(|c| c != '\n' && crate::fact::is_unsafe(c)), "{text:?}");
        }
        let read: serde_json::Value = serde_json::from_str(&as_json(&records)).unwrap();
        assert_eq!(read.pointer("/0/subject").and_then(serde_json::Value::as_str), Some(path));
    }
}
