//! `plimsoll lint`, `plimsoll test` and `plimsoll schema`: for authors of definitions.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::args::{SchemaArgs, SchemaOf};
use super::error::Error;
use super::load::wrong;
use crate::audit::run_cases;
use crate::definition::{Definitions, Source, Trust, cases, lint};

/// The definitions at some paths, beside those of the binary so that profiles may name them; without paths those of the binary alone.
/// The second part is what is at the paths: what the command is about.
fn gathered(paths: &[PathBuf]) -> Result<(Vec<Source>, Vec<Source>), Error> {
    let bundled = || Source::embedded().into_iter().chain(Source::embedded_cases()).collect::<Vec<_>>();
    if paths.is_empty() {
        return Ok((bundled(), bundled()));
    }
    let mut named = Vec::new();
    for path in paths {
        if path.is_dir() {
            named.extend(Source::below(path, Trust::Caller).map_err(wrong)?);
        } else {
            named.push(Source::file(path, Trust::Caller).map_err(|problem| wrong(vec![problem]))?);
        }
    }
    Ok((named.clone(), named))
}

/// Looks for mistakes; the exit code is 3 where there is one.
pub(crate) fn lint_all(paths: &[PathBuf]) -> Result<(String, u8), Error> {
    let (sources, named) = gathered(paths)?;
    let problems = lint(&sources, &named);
    let mut text = String::new();
    for problem in &problems {
        let _ = writeln!(text, "{problem}\n");
    }
    let _ = match problems.len() {
        0 => writeln!(text, "{} files, nothing to mend", named.len()),
        1 => writeln!(text, "1 problem"),
        count => writeln!(text, "{count} problems"),
    };
    Ok((text, if problems.is_empty() { 0 } else { 3 }))
}

/// Runs cases; the exit code is 1 where one does not come out as it says.
pub(crate) fn test_all(paths: &[PathBuf]) -> Result<(String, u8), Error> {
    let (sources, named) = gathered(paths)?;
    let definitions = Definitions::load(sources).map_err(wrong)?;
    let cases = cases(&definitions, &named).map_err(wrong)?;
    let failures = run_cases(&definitions, &cases);
    let mut text = String::new();
    for failure in &failures {
        let _ = writeln!(text, "{failure}\n");
    }
    let _ = writeln!(text, "{} of {} cases come out as they say", cases.len() - failures.len(), cases.len());
    Ok((text, u8::from(!failures.is_empty())))
}

/// Prints a JSON Schema.
pub(crate) fn schema(args: &SchemaArgs) -> String {
    let schema = match args.of {
        SchemaOf::Benchmark => crate::definition::schema(),
        SchemaOf::Run => crate::report::schema(),
    };
    crate::report::to_json(&schema)
}
