//! Waivers and attestations: what the site accepts and answers, for as long as it says, bound to what it excuses.
//!
//! A waived failure stays visible and never moves the score. A waiver that is pinned to a fingerprint stops excusing
//! when what it excuses changes; one whose time has passed excuses nothing.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::finding::{Attested, Finding, Observation, Outcome, Subjects, Waived};
use super::judge::KEPT_BAD;
use super::run::{Note, NoteKind};
use crate::definition::{Attestation, Site, Waiver};
use crate::fact::{Fact, Shown, Text, Truth};
use crate::parse::hex::hex;
use crate::resource::{self, glob_matches};

/// How long before its end a waiver or an attestation is worth a note.
const SOON: TimeDelta = TimeDelta::days(30);

/// Applies the site's waivers and attestations to findings, at a time. Returns what there is to say about the site file.
pub fn apply(findings: &mut [Finding], site: &Site, now: DateTime<Utc>) -> Vec<Note> {
    let mut notes = Vec::new();
    for finding in findings {
        if finding.result == Outcome::Fail {
            finding.fingerprint = Some(fingerprint(finding, |_| true));
        }
        let waivers: Vec<&Waiver> = site.waivers.iter().filter(|waiver| waiver.check == finding.check).collect();
        waive(finding, &waivers, now, &mut notes);
        if finding.result == Outcome::Manual
            && let Some(answer) = answer(&finding.check, site, now, &mut notes)
        {
            finding.result = if answer.pass { Outcome::Pass } else { Outcome::Fail };
            finding.subjects = Subjects { ok: u64::from(answer.pass), of: 1 };
            finding.attestation = Some(answer);
        } else {
            idle_answers(finding, site, &mut notes);
        }
    }
    notes
}

/// The valid answer to a manual check or control, with notes on such as have ended or soon will.
pub(super) fn answer(name: &str, site: &Site, now: DateTime<Utc>, notes: &mut Vec<Note>) -> Option<Attested> {
    let mut valid = None;
    for attestation in site.attestations.iter().filter(|attestation| attestation.check == name) {
        let what = format!("the attestation for {name}");
        if ends(&what, attestation.expires, &attestation.place, now, notes) {
            valid = valid.or_else(|| Some(attested(attestation)));
        }
    }
    valid
}

fn attested(attestation: &Attestation) -> Attested {
    Attested {
        pass: attestation.pass,
        note: attestation.note.clone(),
        by: attestation.by.clone(),
        expires: attestation.expires,
        place: attestation.place.clone(),
    }
}

fn idle_answers(finding: &Finding, site: &Site, notes: &mut Vec<Note>) {
    if matches!(finding.result, Outcome::Skipped | Outcome::Manual) {
        return;
    }
    for attestation in site.attestations.iter().filter(|attestation| attestation.check == finding.check) {
        let text = format!("the attestation for {} answers a check that needs no answer: {}", finding.check, finding.result);
        notes.push(Note { kind: NoteKind::Idle, text, place: Some(attestation.place.clone()) });
    }
}

/// Whether something has not ended yet; notes it when it has or soon will.
fn ends(what: &str, at: DateTime<Utc>, place: &crate::definition::Place, now: DateTime<Utc>, notes: &mut Vec<Note>) -> bool {
    let day = at.format("%Y-%m-%d");
    let (kind, text) = if at <= now {
        (NoteKind::Expired, format!("{what} expired on {day}"))
    } else if at - now <= SOON {
        (NoteKind::ExpiresSoon, format!("{what} expires on {day}"))
    } else {
        return true;
    };
    notes.push(Note { kind, text, place: Some(place.clone()) });
    at > now
}

fn waive(finding: &mut Finding, waivers: &[&Waiver], now: DateTime<Utc>, notes: &mut Vec<Note>) {
    if finding.result == Outcome::Skipped {
        return;
    }
    let failing = failing(finding);
    let mut excused: BTreeSet<&Failing> = BTreeSet::new();
    let mut applied = Vec::new();
    for waiver in waivers {
        let what = waiver_in_words(waiver);
        let mut note = |kind, text| notes.push(Note { kind, text, place: Some(waiver.place.clone()) });
        let covered: BTreeSet<&Failing> = failing.iter().filter(|one| covers(waiver, one)).collect();
        if covered.is_empty() || finding.result != Outcome::Fail {
            match finding.result {
                Outcome::Unknown => {}
                Outcome::Fail => note(NoteKind::Idle, format!("{what} covers nothing that fails")),
                result => note(NoteKind::Idle, format!("{what} is not needed: {result}")),
            }
            _ = ends(&what, waiver.expires, &waiver.place, now, notes);
            continue;
        }
        if is_broad(waiver, finding) {
            note(NoteKind::Broad, format!("{what} covers every subject, also such as are still to come"));
        }
        let found = fingerprint(finding, |one| covered.contains(one));
        if let Some(pinned) = waiver.fingerprint.as_ref().filter(|pinned| **pinned != found) {
            note(
                NoteKind::Changed,
                format!("{what} no longer excuses: what fails has changed since it was approved (was {}, is {found})", Shown::of(pinned)),
            );
            continue;
        }
        if ends(&what, waiver.expires, &waiver.place, now, notes) {
            excused.extend(covered);
            applied.push(waived(waiver, found));
        }
    }
    if finding.result == Outcome::Fail && !failing.is_empty() && failing.iter().all(|one| excused.contains(one)) {
        finding.result = Outcome::Waived;
    }
    finding.waivers = applied;
}

/// What fails: a subject, or the claim as a whole, or something that was not kept.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Failing {
    Subject(Text),
    Whole,
}

fn failing(finding: &Finding) -> BTreeSet<Failing> {
    let seen = finding.observations.iter().filter(|one| one.truth == Truth::False);
    let mut failing: BTreeSet<Failing> = seen.clone().map(about).collect();
    // What was not kept, or cannot be named, is excused only by a waiver for everything.
    let left_out = finding.omitted > 0 && seen.count() >= KEPT_BAD;
    if left_out || (failing.is_empty() && finding.result == Outcome::Fail) {
        failing.insert(Failing::Whole);
    }
    failing
}

fn about(observation: &Observation) -> Failing {
    observation.subject.clone().map_or(Failing::Whole, Failing::Subject)
}

fn covers(waiver: &Waiver, failing: &Failing) -> bool {
    match (&waiver.subject, failing) {
        (None, _) => true,
        (Some(glob), Failing::Subject(subject)) => glob == subject.raw() || glob_matches(glob, subject.raw()),
        (Some(_), Failing::Whole) => false,
    }
}

fn is_broad(waiver: &Waiver, finding: &Finding) -> bool {
    match &waiver.subject {
        Some(glob) => matches!(glob.as_str(), "*" | "**"),
        None => finding.subjects.of > 1,
    }
}

fn waiver_in_words(waiver: &Waiver) -> String {
    let subject = waiver.subject.as_ref().map(|subject| format!(" for {}", Shown::of(subject)));
    format!("the waiver of {}{}", waiver.check, subject.unwrap_or_default())
}

fn waived(waiver: &Waiver, fingerprint: String) -> Waived {
    Waived {
        subject: waiver.subject.clone(),
        reason: waiver.reason.clone(),
        owner: waiver.owner.clone(),
        approved_by: waiver.approved_by.clone(),
        expires: waiver.expires,
        fingerprint,
        pinned: waiver.fingerprint.is_some(),
        place: waiver.place.clone(),
    }
}

/// A short digest of check, failing subjects and their values. Ids, process numbers and times are left out of it, so
/// that a restart changes nothing and a worse value does.
fn fingerprint(finding: &Finding, covered: impl Fn(&Failing) -> bool) -> String {
    let mut lines: BTreeSet<String> = BTreeSet::new();
    for one in finding.observations.iter().filter(|one| one.truth == Truth::False && covered(&about(one))) {
        let field = one.field.as_deref().unwrap_or_default();
        let subject = one.subject.as_ref().filter(|_| !named_by_number(&one.resource)).map(Text::raw).unwrap_or_default();
        let value = match &one.observed {
            _ if is_fleeting(field) => String::new(),
            Fact::Known(value, _) => value.to_string(),
            Fact::Absent(_) => "absent".to_owned(),
            Fact::Unknown(_) => "unknown".to_owned(),
        };
        lines.insert(format!("{}\u{1f}{subject}\u{1f}{field}\u{1f}{value}\u{1e}", one.resource));
    }
    let mut digest = Sha256::new();
    digest.update(finding.check.as_bytes());
    lines.iter().for_each(|line| digest.update(line.as_bytes()));
    hex(&digest.finalize()).chars().take(16).collect()
}

/// Whether records of a resource are named by a number that changes with every restart.
fn named_by_number(name: &str) -> bool {
    resource::find(name).and_then(|entry| entry.schema.fields.first()).is_some_and(|field| is_fleeting(field.name))
}

/// Fields that hold ids, process numbers and times.
fn is_fleeting(field: &str) -> bool {
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| field.ends_with(suffix));
    matches!(field, "id" | "pid" | "parent" | "restarts" | "started" | "modified")
        || ends(&["_id", "_ids", "_pid", "age_days", "_at", "_seconds"])
}

#[cfg(test)]
mod tests;
