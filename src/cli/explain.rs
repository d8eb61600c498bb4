//! `plimsoll explain`: a check, a control, a resource, a profile or a parameter, in full.

use std::fmt::Write as _;

use super::args::ExplainArgs;
use super::error::Error;
use super::{list, load};
use crate::audit::plan::references;
use crate::definition::{Basis, Check, Control, ControlBasis, Definitions, Levels, Param, Profile, Role, closest};
use crate::resource::{Entry, RESOURCES};

/// The explanation.
pub(crate) fn explain(args: &ExplainArgs) -> Result<String, Error> {
    let definitions = load::definitions(&args.definitions)?;
    match args.what.as_slice() {
        [profile, control] => explain_control(&definitions, profile, control),
        [name] => explain_name(&definitions, name),
        _ => Err(Error::Internal("clap let another number of names through".to_owned())),
    }
}

fn explain_name(definitions: &Definitions, name: &str) -> Result<String, Error> {
    if let Some((_, found)) = definitions.check(name) {
        return Ok(check(definitions, found));
    }
    if let Some(entry) = crate::resource::find(name) {
        return Ok(resource(entry));
    }
    if let Some(found) = definitions.profile(name) {
        return Ok(profile(found));
    }
    if let Some(found) = definitions.param(name) {
        return Ok(parameter(name, found));
    }
    let controls: Vec<_> =
        definitions.profiles.iter().flat_map(|profile| profile.controls.iter().map(move |control| (profile, control))).collect();
    let named: Vec<_> = controls.into_iter().filter(|(profile, control)| control.id == name && profile.id != name).collect();
    if !named.is_empty() {
        return Ok(named.into_iter().map(|(profile, found)| control(definitions, profile, found)).collect::<Vec<_>>().join("\n"));
    }
    let names = definitions.checks().map(|(_, check)| check.id.as_str());
    let names = names
        .chain(RESOURCES.iter().map(|entry| entry.schema.resource))
        .chain(definitions.profiles.iter().map(|profile| profile.id.as_str()));
    Err(Error::NoSuch { what: "check, control, resource, profile or parameter", name: name.to_owned(), nearest: closest(name, names) })
}

fn explain_control(definitions: &Definitions, profile: &str, id: &str) -> Result<String, Error> {
    let no_such = |what, name: &str, nearest| Error::NoSuch { what, name: name.to_owned(), nearest };
    let profiles = || definitions.profiles.iter().map(|profile| profile.id.as_str());
    let found = definitions.profile(profile).ok_or_else(|| no_such("profile", profile, closest(profile, profiles())))?;
    let controls = || found.controls.iter().map(|control| control.id.as_str());
    let named = found.controls.iter().find(|control| control.id == id).ok_or_else(|| no_such("control", id, closest(id, controls())))?;
    Ok(control(definitions, found, named))
}

fn check(definitions: &Definitions, check: &Check) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}\n  {}\n", check.id, check.title);
    let _ = writeln!(text, "severity  {}", check.severity.word());
    for (label, sentence) in [("why", &check.why), ("fix", &check.fix), ("disturbs", &check.disturbs)] {
        if !sentence.is_empty() {
            let _ = writeln!(text, "{label:8}  {}", folded(sentence, 10));
        }
    }
    for see in &check.see {
        let _ = writeln!(text, "see       {see}");
    }
    let references = references(definitions, Role::default()).remove(check.id.as_str()).unwrap_or_default();
    for named in references.iter().filter(|named| named.control != check.id) {
        let _ = writeln!(text, "control   {} {} (level {})", named.profile, named.control, named.level);
    }
    let _ = writeln!(text, "defined   {}", check.place);
    match &check.basis {
        Basis::Manual { ask } => {
            let _ = writeln!(text, "\nA person has to judge: {ask}");
        }
        Basis::Automated { .. } => {
            if let Some(source) = definitions.sources.iter().find(|source| source.path == check.place.file) {
                let _ = writeln!(text, "\n{}", block(&source.text, check.place.line));
            }
        }
    }
    text
}

/// The `[[check]]` block that begins at or just above a line.
fn block(text: &str, line: u32) -> String {
    let begins = |line: &str| line.trim_start().starts_with("[[check]]");
    let lines: Vec<&str> = text.lines().collect();
    let from = (0..(line as usize).min(lines.len())).rev().find(|at| lines.get(*at).is_some_and(|line| begins(line))).unwrap_or_default();
    let rest = lines.get(from..).unwrap_or_default();
    let length = rest.iter().skip(1).position(|line| begins(line)).map_or(rest.len(), |at| at + 1);
    rest.iter().take(length).map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn control(definitions: &Definitions, profile: &Profile, control: &Control) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{} {} ({})\n  {}\n", profile.id, control.id, levels(control.level), control.title);
    match &control.basis {
        ControlBasis::Checks(ids) => {
            for id in ids {
                let title = definitions.check(id).map(|(_, check)| check.title.as_str()).unwrap_or_default();
                let _ = writeln!(text, "check     {id}  {title}");
            }
        }
        ControlBasis::Manual(ask) => {
            let _ = writeln!(text, "a person has to judge: {ask}");
        }
        ControlBasis::Uncovered(why) => {
            let _ = writeln!(text, "not covered: {why}");
        }
    }
    if let Some(note) = &control.note {
        let _ = writeln!(text, "note      {note}");
    }
    text
}

fn resource(entry: &Entry) -> String {
    let mut text = String::new();
    let schema = entry.schema;
    let _ = writeln!(text, "{}\n  {}\n", schema.resource, folded(schema.doc, 2));
    let _ = writeln!(text, "selected by {}", folded(entry.selector, 12));
    if schema.has_document {
        let _ = writeln!(text, "documents   fields that begin with / are JSON Pointers into the document it was read from");
    }
    let _ = writeln!(text, "\nfields");
    let width = schema.fields.iter().map(|field| field.name.len()).max().unwrap_or_default();
    for field in schema.fields {
        let _ = writeln!(text, "  {:width$}  {:8}  {}", field.name, field.kind.to_string(), folded(field.doc, width + 14));
    }
    text
}

/// A text on lines of at most 100 columns, those after the first indented.
fn folded(text: &str, indent: usize) -> String {
    const WIDTH: usize = 100;
    let mut folded = String::new();
    let mut column = indent;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > indent && column + 1 + width > WIDTH {
            let _ = write!(folded, "\n{:indent$}", "");
            column = indent;
        } else if column > indent {
            folded.push(' ');
            column += 1;
        }
        folded.push_str(word);
        column += width;
    }
    folded
}

fn profile(profile: &Profile) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}\n  {}\n", profile.id, profile.title);
    let width = profile.controls.iter().map(|control| control.id.len()).max().unwrap_or_default();
    for control in &profile.controls {
        let how = match &control.basis {
            ControlBasis::Checks(_) => "automated",
            ControlBasis::Manual(_) => "manual",
            ControlBasis::Uncovered(_) => "uncovered",
        };
        let _ = writeln!(text, "{:width$}  {}  {how:9}  {}", control.id, levels(control.level), control.title);
    }
    text
}

/// At which level a control is asked for, in words.
fn levels(levels: Levels) -> String {
    match (levels.server, levels.workstation) {
        (Some(server), Some(workstation)) if server == workstation => format!("level {server}"),
        (Some(server), Some(workstation)) => format!("level {server}, workstations {workstation}"),
        (Some(server), None) => format!("level {server}, servers only"),
        (None, Some(workstation)) => format!("level {workstation}, workstations only"),
        (None, None) => "for no host".to_owned(),
    }
}

fn parameter(name: &str, param: &Param) -> String {
    format!("{name}\n  {}\n\ndefault   {}\ndefined   {}\n", param.doc, list::default(param), param.place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_folded_under_their_beginning() {
        let text = "word ".repeat(30);
        let folded = folded(&text, 10);
        assert!(folded.lines().all(|line| line.len() <= 100));
        assert!(folded.lines().skip(1).all(|line| line.starts_with("          word")));
        assert_eq!(folded.split_whitespace().count(), 30);
    }
}
