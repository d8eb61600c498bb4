//! `plimsoll lint`, `plimsoll test` and `plimsoll schema`: for authors of definitions.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::args::{SchemaArgs, SchemaOf};
use super::error::Error;
use super::load::wrong;
use crate::audit::run_case;
use crate::definition::{Case, Definitions, Source, Trust, benchmark_schema, counted, profile_schema};

/// The definitions at some paths, or those inside the binary.
fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Error> {
    if paths.is_empty() {
        return Ok(Source::embedded().into_iter().chain(Source::embedded_cases()).collect());
    }
    let mut sources = Vec::new();
    for path in paths {
        // An author's own files are trusted with nothing: they are read, not used.
        let found = if is_folder(path) {
            Source::below(path, Trust::Caller)
        } else {
            Source::file(path, Trust::Caller).map(|one| vec![one]).map_err(|one| vec![one])
        };
        sources.extend(found.map_err(wrong)?);
    }
    Ok(sources)
}

#[expect(clippy::disallowed_methods, reason = "an author's own files, not the host under audit")]
fn is_folder(path: &std::path::Path) -> bool {
    path.is_dir()
}

/// The definitions and the cases beside them.
fn loaded(paths: &[PathBuf]) -> Result<(Definitions, Vec<Case>, usize), Error> {
    let sources = sources(paths)?;
    let files = sources.len();
    let (beside, definitions): (Vec<Source>, Vec<Source>) = sources.into_iter().partition(Source::is_cases);
    let definitions = Definitions::load(definitions).map_err(wrong)?;
    let (mut cases, mut problems) = (Vec::new(), Vec::new());
    for source in &beside {
        match definitions.cases(source) {
            Ok(found) => cases.extend(found),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok((definitions, cases, files)) } else { Err(wrong(problems)) }
}

/// Looks for mistakes; the exit code is 3 where there is one.
pub(crate) fn lint(paths: &[PathBuf]) -> Result<(String, u8), Error> {
    let (definitions, cases, files) = loaded(paths)?;
    let problems = definitions.lints(Some(&cases));
    let mut text = String::new();
    for problem in &problems {
        let _ = writeln!(text, "{problem}\n");
    }
    let _ = match problems.len() {
        0 => writeln!(text, "{}, nothing to mend", counted(files, "file")),
        count => writeln!(text, "{}", counted(count, "problem")),
    };
    Ok((text, if problems.is_empty() { 0 } else { 3 }))
}

/// Runs cases; the exit code is 1 where one does not come out as it says.
pub(crate) fn test(paths: &[PathBuf]) -> Result<(String, u8), Error> {
    let (definitions, cases, _) = loaded(paths)?;
    let failures: Vec<_> = cases.iter().filter_map(|case| run_case(&definitions, case).err()).collect();
    let mut text = String::new();
    for failure in &failures {
        let _ = writeln!(text, "{failure}\n");
    }
    let checks = definitions.checks().count();
    let _ = writeln!(
        text,
        "{} of {} of {} come out as they say",
        cases.len() - failures.len(),
        counted(cases.len(), "case"),
        counted(checks, "check")
    );
    Ok((text, u8::from(!failures.is_empty())))
}

/// A JSON Schema.
pub(crate) fn schema(args: &SchemaArgs) -> String {
    crate::report::to_json(&match args.of {
        SchemaOf::Benchmark => benchmark_schema(),
        SchemaOf::Profile => profile_schema(),
        SchemaOf::Run => crate::report::schema(),
    })
}
