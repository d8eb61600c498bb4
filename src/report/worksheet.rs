//! The worksheet of a score: its lines, and how the numbers come about, for whoever wants to redo them.

use std::fmt::Write as _;

use crate::audit::{Finding, Outcome, Run, Sums, Tenths, weight};

/// Weight, and subjects as `k` and `n` where there are any.
pub(super) struct Line<'a> {
    pub(super) finding: &'a Finding,
    pub(super) weight: u64,
    pub(super) subjects: Option<(u64, u64)>,
}

/// One line per check, in the order of their ids.
pub(super) fn lines(run: &Run) -> impl Iterator<Item = Line<'_>> {
    run.findings.iter().map(|finding| Line {
        finding,
        weight: weight(finding.severity),
        subjects: Some((finding.subjects.ok, finding.subjects.of)).filter(|(_, of)| *of > 0),
    })
}

/// How the score of a run comes about: the sums, the four divisions, and the worksheet.
#[must_use]
pub fn explain_score(run: &Run) -> String {
    let mut text = String::new();
    let Sums { pass, fail, waived, unknown, manual } = run.score.sums;
    let assessed = run.score.sums.assessed();
    let all = assessed + manual;
    let _ = writeln!(text, "Score model {}, scorecard {}", run.score.model, run.score.scorecard);
    let _ = writeln!(text, "Weights: critical 10, high 5, medium 3, low 1, info 0. Rounded down to tenths.\n");
    for (letter, what, sum) in [
        ("P", "passes", pass),
        ("F", "fails", fail),
        ("W", "fails and is waived", waived),
        ("U", "could not be determined", unknown),
        ("M", "waits for a person", manual),
    ] {
        let _ = writeln!(text, "  {letter} = {sum:<5} weight of what {what}");
    }
    let mut division = |name: &str, formula: &str, part: u64, whole: u64, result: Option<Tenths>| {
        let result = result.map_or("nothing to divide by".to_owned(), |result| result.to_string());
        let _ = writeln!(text, "  {name:<20} {formula:<31} = 100 x {part} / {whole} = {result}");
    };
    division("score", "100 P / (P+F+W+U)", pass, assessed, run.score.score);
    division("coverage", "100 (P+F+W) / (P+F+W+U+M)", pass + fail + waived, all, run.score.coverage);
    division("range from", "100 P / (P+F+W+U+M)", pass, all, run.score.lowest);
    division("range to", "100 (P+U+M) / (P+F+W+U+M)", pass + unknown + manual, all, run.score.highest);
    division("with accepted risk", "100 P / (P+F+U)", pass, pass + fail + unknown, run.score.with_accepted_risk);
    let width = run.findings.iter().map(|finding| finding.check.len()).max().unwrap_or_default().max("check".len());
    let _ = writeln!(text, "\n{:<width$}  severity  weight  result          k of n", "check");
    for line in lines(run) {
        let subjects = line.subjects.map_or("-".to_owned(), |(ok, of)| format!("{ok} of {of}"));
        let Finding { check, severity, result, .. } = line.finding;
        let counted = if matches!(result, Outcome::NotApplicable | Outcome::Skipped) { 0 } else { line.weight };
        let _ = writeln!(text, "{check:<width$}  {:<8}  {counted:>6}  {:<14}  {subjects}", severity.word(), result.word());
    }
    text
}
