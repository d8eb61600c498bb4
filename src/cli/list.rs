//! `plimsoll list`: what there is.

use std::fmt::Write as _;

use super::args::{ListArgs, ListWhat};
use super::error::Error;
use super::load;
use crate::definition::{Basis, ControlBasis, Definitions, Literal, Param};
use crate::resource::RESOURCES;

/// The list, one thing to a line.
pub(crate) fn list(args: &ListArgs) -> Result<String, Error> {
    let of: fn(&Definitions) -> String = match args.what {
        ListWhat::Checks => checks,
        ListWhat::Profiles => profiles,
        ListWhat::Parameters => parameters,
        ListWhat::Resources => return Ok(resources()),
    };
    Ok(of(&load::definitions(&args.definitions)?))
}

fn checks(definitions: &Definitions) -> String {
    let mut text = String::new();
    let width = definitions.checks().map(|(_, check)| check.id.len()).max().unwrap_or_default();
    for (_, check) in definitions.checks() {
        let manual = if matches!(check.basis, Basis::Manual { .. }) { " (manual)" } else { "" };
        let _ = writeln!(text, "{:width$}  {:8}  {}{manual}", check.id, check.severity.word(), check.title);
    }
    text
}

fn profiles(definitions: &Definitions) -> String {
    let mut text = String::new();
    let width = definitions.profiles.iter().map(|profile| profile.id.len()).max().unwrap_or_default();
    for profile in &definitions.profiles {
        let count = |wanted: fn(&ControlBasis) -> bool| profile.controls.iter().filter(|control| wanted(&control.basis)).count();
        let _ = writeln!(
            text,
            "{:width$}  {:3} controls: {:3} automated, {:2} manual, {:2} uncovered  {}{}",
            profile.id,
            profile.controls.len(),
            count(|basis| matches!(basis, ControlBasis::Checks(_))),
            count(|basis| matches!(basis, ControlBasis::Manual(_))),
            count(|basis| matches!(basis, ControlBasis::Uncovered(_))),
            profile.title,
            if profile.default { " (default)" } else { "" },
        );
    }
    text
}

fn resources() -> String {
    let mut text = String::new();
    let width = RESOURCES.iter().map(|entry| entry.schema.resource.len()).max().unwrap_or_default();
    for entry in RESOURCES {
        let _ = writeln!(text, "{:width$}  {}", entry.schema.resource, first_sentence(entry.schema.doc));
    }
    text
}

fn parameters(definitions: &Definitions) -> String {
    let mut text = String::new();
    let params = || definitions.benchmarks.iter().flat_map(|benchmark| &benchmark.params);
    let width = params().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, param) in params() {
        let _ = writeln!(text, "{name:width$}  {}\n{:width$}  default: {}", param.doc, "", default(param));
    }
    text
}

/// A parameter's default as it would be written in TOML.
pub(crate) fn default(param: &Param) -> String {
    let written = |literal: &Literal| match literal {
        Literal::Flag(flag) => flag.to_string(),
        Literal::Integer(number) => number.to_string(),
        Literal::Text(text) => format!("{text:?}"),
        Literal::Mode(mode) => format!("\"{mode}\""),
    };
    match &param.default {
        None => "none, somebody has to decide".to_owned(),
        Some(values) if param.is_list => format!("[{}]", values.iter().map(written).collect::<Vec<_>>().join(", ")),
        Some(values) => values.first().map(written).unwrap_or_default(),
    }
}

/// The first sentence of a doc comment.
pub(crate) fn first_sentence(doc: &str) -> String {
    let line = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.find(". ") {
        Some(end) => line.get(..=end).unwrap_or(&line).to_owned(),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_sentences() {
        assert_eq!(first_sentence(" One thing.\n Another.\n"), "One thing.");
        assert_eq!(first_sentence(" One thing, 1.5 of it\n"), "One thing, 1.5 of it");
    }
}
