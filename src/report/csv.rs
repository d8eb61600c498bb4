//! The worksheet as CSV: what an auditor needs to redo the score, then what a spreadsheet is filtered by.
//!
//! The first six columns are `check,severity,weight,result,k,n` and never need quotes, so that `awk -F,` can sum them.

use super::worksheet::lines;
use crate::audit::{Outcome, Run};
use crate::fact::Shown;

const HEADER: [&str; 11] = ["check", "severity", "weight", "result", "k", "n", "title", "benchmark", "controls", "reason", "waived_until"];

/// One line per check, in the order of their ids.
pub(super) fn render(run: &Run) -> Vec<u8> {
    let mut csv = ::csv::Writer::from_writer(Vec::new());
    // Writing into memory cannot fail, and every line has as many cells as the header.
    let _ = csv.write_record(HEADER);
    for line in lines(run) {
        let finding = line.finding;
        let (ok, of) = line.subjects.map_or_else(Default::default, |(ok, of)| (ok.to_string(), of.to_string()));
        let controls: Vec<String> = finding.references.iter().map(|one| format!("{} {}", one.profile, one.control)).collect();
        let until = finding.waivers.iter().map(|waiver| waiver.expires).min().filter(|_| finding.result == Outcome::Waived);
        let _ = csv.write_record([
            cell(&finding.check),
            finding.severity.word().to_owned(),
            line.weight.to_string(),
            finding.result.word().to_owned(),
            ok,
            of,
            cell(&finding.title),
            cell(&finding.benchmark),
            cell(&controls.join("; ")),
            cell(finding.reason.as_deref().unwrap_or_default()),
            until.map(|until| until.to_rfc3339()).unwrap_or_default(),
        ]);
    }
    csv.into_inner().unwrap_or_default()
}

/// Text on one line that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let shown = Shown::of(text).to_string();
    if shown.trim_start().starts_with(['=', '+', '-', '@', '|', '%']) { format!("'{shown}") } else { shown }
}
