//! The report for a person at a terminal, perhaps at three in the morning: what is wrong comes first, each with what
//! was seen, where, why it matters and the smallest fix; then what waits for people; then the numbers.

mod finding;
mod page;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::{Style, words};
use crate::audit::{ControlResult, Finding, NoteKind, Outcome, Run};
use crate::definition::Severity;
use crate::fact::Shown;
use page::{Ink, Page};

pub(super) fn render(run: &Run, style: Style) -> String {
    let mut page = Page::new(style);
    head(&mut page, run);
    let open: &[&[Outcome]] = &[&[Outcome::Fail, Outcome::Unknown], &[Outcome::Waived], &[Outcome::Manual]];
    let rest: &[&[Outcome]] = &[&[Outcome::Pass], &[Outcome::NotApplicable], &[Outcome::Skipped]];
    for outcomes in open.iter().chain(rest.iter().filter(|_| style.verbose)) {
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for finding in with(run, outcomes) {
            let alike = if style.verbose { Vec::new() } else { unknown_alike(run, finding) };
            if alike.len() < ALIKE {
                page.blank();
                finding::write(&mut page, finding, style.verbose);
            } else if told.insert(cause(finding)) {
                page.blank();
                unknown_together(&mut page, finding, &alike);
            }
        }
    }
    page.blank();
    notes(&mut page, run);
    profiles(&mut page, run);
    numbers(&mut page, run);
    page.finish()
}

/// From so many unknowns of one cause on, they are told together.
const ALIKE: usize = 4;

/// Why a finding is unknown: the first of its reasons.
fn cause(finding: &Finding) -> &str {
    let reason = finding.reason.as_deref().unwrap_or_default();
    reason.split(", and for ").next().unwrap_or(reason)
}

/// The unknowns of the same cause as an unknown, itself among them.
fn unknown_alike<'a>(run: &'a Run, finding: &Finding) -> Vec<&'a Finding> {
    if finding.result != Outcome::Unknown {
        return Vec::new();
    }
    with(run, &[Outcome::Unknown]).into_iter().filter(|other| cause(other) == cause(finding)).collect()
}

/// One wall that many checks stand before, and which they are.
fn unknown_together(page: &mut Page, finding: &Finding, alike: &[&Finding]) {
    let count = format!("{} checks   ", alike.len());
    page.headed(&[(Ink::Doubtful, "UNKNOWN "), (Ink::Strong, &count)], "could not be decided, all for one reason", 6);
    page.plain(6, &Shown::of(cause(finding)).to_string());
    for severity in Severity::ALL.into_iter().rev() {
        let of: Vec<String> = alike.iter().filter(|one| one.severity == severity).map(|one| Shown::of(&one.check).to_string()).collect();
        if !of.is_empty() {
            page.labelled(6, severity.word(), 9, &of.join(", "));
        }
    }
}

/// The findings that ended in one of some ways, worst first.
fn with<'a>(run: &'a Run, outcomes: &[Outcome]) -> Vec<&'a Finding> {
    let mut findings: Vec<&Finding> = run.findings.iter().filter(|finding| outcomes.contains(&finding.result)).collect();
    findings.sort_by_key(|finding| (Reverse(finding.severity), finding.result, &finding.check));
    findings
}

fn head(page: &mut Page, run: &Run) {
    let host = &run.host;
    let name = if host.name.raw().is_empty() { host.source.shown() } else { host.name.shown() }.to_string();
    let kernel = if host.kernel.raw().is_empty() { String::new() } else { format!("kernel {}", host.kernel.shown()) };
    let about: Vec<String> = [host.os.shown().to_string(), kernel].into_iter().filter(|part| !part.is_empty()).collect();
    page.headed(&[(Ink::Strong, &format!("{name}  "))], &about.join(", "), 2);
    let engine = |engine: &crate::audit::EngineSummary| match &engine.version {
        Some(version) => format!("{} {}", engine.name.shown(), version.shown()),
        None => engine.name.shown().to_string(),
    };
    let engines: Vec<String> = run.engines.iter().map(engine).collect();
    page.plain(2, &if engines.is_empty() { "no container engine seen".to_owned() } else { format!("engines: {}", engines.join(", ")) });
    let profiles: Vec<String> = run.profiles.iter().map(|profile| Shown::of(&profile.id).to_string()).collect();
    let level = run.level.map(|level| format!(", up to level {level}")).unwrap_or_default();
    if !profiles.is_empty() {
        page.plain(2, &format!("profiles: {}{level}", profiles.join(", ")));
    }
    if host.uid != 0 && host.source.raw() == "live" {
        page.plain(2, "not run as root: what needs root to be read is unknown");
    }
    for note in run.notes.iter().filter(|note| note.kind == NoteKind::Surroundings) {
        page.headed(&[(Ink::Doubtful, "  CAREFUL  ")], &Shown::of(&note.text).to_string(), 2);
    }
    if run.partial {
        page.headed(&[(Ink::Doubtful, "  PARTIAL  ")], "the deadline passed before everything was read", 2);
    }
}

fn notes(page: &mut Page, run: &Run) {
    for note in run.notes.iter().filter(|note| note.kind != NoteKind::Surroundings) {
        let ink = match note.kind {
            NoteKind::InternalError | NoteKind::TimedOut | NoteKind::Expired | NoteKind::Changed => Ink::Doubtful,
            _ => Ink::Faint,
        };
        let place = note.place.as_ref().map(|place| format!(" ({}:{})", Shown::of(&place.file), place.line)).unwrap_or_default();
        page.headed(&[(ink, "note ")], &format!("{}{place}", Shown::of(&note.text)), 5);
    }
    for change in &run.overrides {
        let shown = |values: &[String]| values.iter().map(|value| Shown::of(value).to_string()).collect::<Vec<_>>().join(", ");
        let default = change.default.as_deref().map_or("without a default".to_owned(), |default| format!("by default {}", shown(default)));
        let by = match (&change.source, &change.place) {
            (_, Some(place)) => format!("{}:{}", Shown::of(&place.file), place.line),
            (crate::audit::Source::Profile(id), None) => Shown::of(id).to_string(),
            _ => "the command line".to_owned(),
        };
        page.headed(&[(Ink::Faint, "set  ")], &format!("{} = {}, {default} ({by})", Shown::of(&change.param), shown(&change.value)), 5);
    }
    if !run.notes.is_empty() || !run.overrides.is_empty() {
        page.blank();
    }
}

fn profiles(page: &mut Page, run: &Run) {
    for profile in &run.profiles {
        let manual = profile.controls.iter().filter(|control| control.result == ControlResult::Manual && control.checks.is_empty()).count();
        let people = if manual > 0 { format!("; {manual} wait for a person") } else { String::new() };
        let text = format!(
            "{} of {} assessed controls met; {} of {} have any technical check here{people}",
            profile.met,
            profile.assessed,
            profile.covered,
            profile.controls.len(),
        );
        page.headed(&[(Ink::Strong, &format!("{}: ", Shown::of(&profile.id)))], &text, 2);
    }
    let counts = |outcome| with(run, &[outcome]).len() as u64;
    let open: Vec<String> = run.score.open.iter().rev().map(|(severity, count)| format!("{count} {}", severity.word())).collect();
    let open = if open.is_empty() { String::new() } else { format!(" ({})", open.join(", ")) };
    let parts = Outcome::ALL.map(|outcome| {
        let detail = if outcome == Outcome::Fail { open.as_str() } else { "" };
        format!("{} {}{detail}", counts(outcome), outcome.word().replace('_', " "))
    });
    page.plain(0, &parts.join(", "));
}

fn numbers(page: &mut Page, run: &Run) {
    page.blank();
    let score = &run.score;
    match (score.score, score.band) {
        (Some(number), Some(band)) => {
            let ink = if number.tenths() >= 900 {
                Ink::Good
            } else if number.tenths() >= 600 {
                Ink::Doubtful
            } else {
                Ink::Bad
            };
            let open = match score.open.iter().next_back() {
                Some((severity, count)) => format!(", {count} {} open", severity.word()),
                None => String::new(),
            };
            page.headed(
                &[(ink, &format!("score {number}   "))],
                &format!(
                    "coverage {}, range {} to {}, with accepted risk {}, band {band:?}{open}",
                    words::percentage(score.coverage),
                    words::percentage(score.lowest),
                    words::percentage(score.highest),
                    words::percentage(score.with_accepted_risk),
                ),
                2,
            );
        }
        _ => page.headed(
            &[(Ink::Doubtful, "no score (nothing assessable)  ")],
            &format!("coverage {}", words::percentage(score.coverage)),
            2,
        ),
    }
    page.plain(0, &words::scope(run));
    let sandbox = run.sandbox.as_ref().map_or_else(String::new, |sandbox| format!(", sandbox {}", sandbox.level.word()));
    page.plain(
        0,
        &format!(
            "{} {}, content {}, scorecard {}, run {}{sandbox}",
            Shown::of(&run.tool.name),
            Shown::of(&run.tool.version),
            words::short(&run.content_digest),
            words::short(&score.scorecard),
            Shown::of(&run.id),
        ),
    );
    if let Some(worst) = with(run, &[Outcome::Fail, Outcome::Unknown]).first() {
        page.plain(0, &format!("plimsoll explain {} says more about a check.", Shown::of(&worst.check)));
    }
}
