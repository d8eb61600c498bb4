//! One finding on a terminal: what is wrong, where, why it matters, and the smallest thing to do about it.

use std::collections::HashMap;

use super::page::{Ink, Page};
use crate::audit::{Finding, Observation, Outcome};
use crate::fact::{Shown, Text, Truth};
use crate::report::words;

/// Subjects shown of one finding, and of those that are alike; the rest is counted.
const SHOWN: usize = 5;
/// A name wider than this has a line of its own.
const WIDEST: usize = 32;
const INDENT: usize = 6;
const LABEL: usize = 9;

pub(super) fn write(page: &mut Page, finding: &Finding, verbose: bool) {
    head(page, finding);
    if let Some(subjects) = words::subjects(finding).filter(|_| finding.result != Outcome::Manual) {
        page.plain(INDENT, &subjects);
    }
    let wanted = match finding.result {
        Outcome::Fail | Outcome::Waived => Some(Truth::False),
        // Of what a person has to judge, show what there is to judge.
        Outcome::Unknown | Outcome::Manual => Some(Truth::Unknown),
        _ => None,
    };
    if let Some(reason) = &finding.reason
        && (wanted.is_none() || finding.result == Outcome::Manual || finding.observations.is_empty())
    {
        page.plain(INDENT, &Shown::of(reason).to_string());
    }
    let shown: Vec<&Observation> =
        finding.observations.iter().filter(|one| verbose || wanted.is_some_and(|truth| one.truth == truth)).collect();
    observations(page, &shown, if verbose { usize::MAX } else { SHOWN });
    if verbose && finding.omitted > 0 {
        page.plain(INDENT, &format!("{} not kept", words::counted(finding.omitted, "more observation")));
    }
    match finding.result {
        Outcome::Fail => {
            labelled(page, "why", &finding.why);
            policy(page, finding);
            labelled(page, "fix", &finding.fix);
            labelled(page, "disturbs", &finding.disturbs);
        }
        Outcome::Unknown => policy(page, finding),
        _ => {
            if verbose {
                policy(page, finding);
            }
        }
    }
    waivers(page, finding);
    if let Some(answer) = &finding.attestation {
        let until = answer.expires.format("%Y-%m-%d");
        labelled(page, "attested", &format!("by {} until {until}: {}", answer.by, answer.note));
    }
}

/// One line: the result, how bad, which check, and the sentence that should be true.
pub(super) fn head(page: &mut Page, finding: &Finding) {
    let (ink, word) = match finding.result {
        Outcome::Fail => (Ink::Bad, "FAIL"),
        Outcome::Unknown => (Ink::Doubtful, "UNKNOWN"),
        Outcome::Waived => (Ink::Human, "WAIVED"),
        Outcome::Manual => (Ink::Human, "MANUAL"),
        Outcome::Pass => (Ink::Good, "PASS"),
        Outcome::NotApplicable => (Ink::Faint, "N/A"),
        Outcome::Skipped => (Ink::Faint, "SKIPPED"),
    };
    let (result, severity) = (format!("{word:<8}"), format!("{:<9}", finding.severity.word()));
    let check = format!("{}   ", Shown::of(&finding.check));
    let head = [(ink, result.as_str()), (ink, severity.as_str()), (Ink::Strong, check.as_str())];
    page.headed(&head, &Shown::of(&finding.title).to_string(), INDENT);
}

/// Subjects of which the same was seen, and what that was: a line per field.
struct Group {
    subjects: Vec<String>,
    seen: Vec<String>,
}

fn groups(shown: &[&Observation]) -> Vec<Group> {
    let mut by_subject: Vec<(Option<&Text>, Vec<&Observation>)> = Vec::new();
    let mut places: HashMap<Option<&Text>, usize> = HashMap::new();
    for one in shown {
        let subject = one.subject.as_ref();
        let place = *places.entry(subject).or_insert(by_subject.len());
        match by_subject.get_mut(place) {
            Some((_, all)) => all.push(one),
            None => by_subject.push((subject, vec![one])),
        }
    }
    // By what was seen and whether it was seen of a subject: when they came first, and the subjects.
    let mut alike: HashMap<(Vec<String>, bool), (usize, Vec<String>)> = HashMap::new();
    for (subject, all) in by_subject {
        let text = |one: &&Observation| {
            let source = words::source(one).map(|source| format!(" ({source})")).unwrap_or_default();
            format!("{}{source}", words::seen(one))
        };
        let seen = all.iter().map(text).collect();
        let first = alike.len();
        let (_, subjects) = alike.entry((seen, subject.is_some())).or_insert((first, Vec::new()));
        subjects.extend(subject.map(|subject| subject.shown().to_string()));
    }
    let mut groups: Vec<_> = alike.into_iter().map(|((seen, _), (first, subjects))| (first, Group { subjects, seen })).collect();
    groups.sort_by_key(|(first, _)| *first);
    groups.into_iter().map(|(_, group)| group).collect()
}

fn observations(page: &mut Page, shown: &[&Observation], most: usize) {
    let groups = groups(shown);
    let width = |group: &Group| match group.subjects.as_slice() {
        [name] => Some(name.chars().count()).filter(|width| *width <= WIDEST),
        _ => None,
    };
    let column = groups.iter().take(most).filter_map(width).max().unwrap_or_default() + 2;
    for group in groups.iter().take(most) {
        let mut seen = group.seen.iter();
        let indent = match group.subjects.as_slice() {
            [] => INDENT,
            [name] if width(group).is_some() => {
                page.named(INDENT, name, column, seen.next().map_or("", String::as_str));
                INDENT + column
            }
            names => {
                page.plain(INDENT, &listed(names, most));
                INDENT + 2
            }
        };
        seen.for_each(|text| page.plain(indent, text));
    }
    let hidden: usize = groups.iter().skip(most).map(|group| group.subjects.len().max(1)).sum();
    if hidden > 0 {
        page.plain(INDENT, &format!("and {hidden} more"));
    }
}

fn listed(names: &[String], most: usize) -> String {
    let first: Vec<&str> = names.iter().take(most).map(String::as_str).collect();
    let rest = if names.len() > most { format!(", and {} more", names.len() - most) } else { String::new() };
    format!("{}{rest}", first.join(", "))
}

fn labelled(page: &mut Page, label: &str, text: &str) {
    if !text.is_empty() {
        page.labelled(INDENT, label, LABEL, &Shown::of(text).to_string());
    }
}

fn policy(page: &mut Page, finding: &Finding) {
    labelled(page, "policy", &format!("{}:{}", finding.place.file, finding.place.line));
    // A control that is called like the check says nothing new.
    let others = finding.references.iter().filter(|one| one.control != finding.check);
    let controls: Vec<String> = others.map(|one| format!("{} {}", one.profile, one.control)).collect();
    labelled(page, "controls", &controls.join(", "));
}

fn waivers(page: &mut Page, finding: &Finding) {
    for waiver in &finding.waivers {
        let subject = waiver.subject.as_ref().map(|subject| format!("{subject}: ")).unwrap_or_default();
        let approved = waiver.approved_by.as_ref().map(|by| format!(", approved by {by}")).unwrap_or_default();
        let pin = if waiver.pinned { String::new() } else { format!("; pin it with fingerprint = \"{}\"", waiver.fingerprint) };
        let until = waiver.expires.format("%Y-%m-%d");
        labelled(page, "waived", &format!("{subject}{} ({}{approved}, until {until}{pin})", waiver.reason, waiver.owner));
    }
}
