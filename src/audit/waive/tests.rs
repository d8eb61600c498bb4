use super::super::fixture::{host, now, request, run};
use super::super::{ControlResult, Request, Run};
use super::*;

fn waiver(subject: &str, more: &str) -> String {
    let subject = if subject.is_empty() { String::new() } else { format!("subject = \"{subject}\"\n") };
    format!(
        "[[waiver]]\ncheck = \"files-restricted\"\n{subject}reason = \"reviewed\"\nowner = \"platform\"\n\
         approved_by = \"security\"\n{more}\n"
    )
}

const FAR: &str = "expires = 2027-06-30T00:00:00Z";

fn with(site: &str) -> Run {
    run(host(), request(site))
}

fn result(run: &Run) -> Outcome {
    run.finding("files-restricted").unwrap().result
}

fn kinds(run: &Run) -> Vec<NoteKind> {
    run.notes.iter().map(|note| note.kind).collect()
}

#[test]
fn a_waiver_excuses_and_never_moves_the_score() {
    let plain = run(host(), Request::default());
    let waived = with(&waiver("/etc/a", FAR));
    assert_eq!((result(&plain), result(&waived)), (Outcome::Fail, Outcome::Waived));
    assert_eq!((plain.score.score, plain.score.coverage), (waived.score.score, waived.score.coverage));
    assert!(waived.score.with_accepted_risk >= waived.score.score);
    assert_eq!(kinds(&waived), [] as [NoteKind; 0]);
    assert_eq!(plain.score.scorecard, waived.score.scorecard);
}

#[test]
fn every_failing_subject_has_to_be_covered() {
    let both = || host().owned("/etc/b", 0, 0, 0o666);
    let one = run(both(), request(&waiver("/etc/a", FAR)));
    assert_eq!(result(&one), Outcome::Fail);
    assert_eq!(one.finding("files-restricted").unwrap().waivers.len(), 1, "the waiver is shown all the same");
    assert_eq!(result(&run(both(), request(&format!("{}{}", waiver("/etc/a", FAR), waiver("/etc/b", FAR))))), Outcome::Waived);
    assert_eq!(result(&run(both(), request(&waiver("/etc/?", FAR)))), Outcome::Waived);
}

#[test]
fn waivers_end_to_the_second_and_are_told_in_time() {
    let at = |expires: &str| with(&waiver("/etc/a", &format!("expires = {expires}")));
    let ended = at("2026-11-24T00:00:00Z");
    assert_eq!((result(&ended), kinds(&ended)), (Outcome::Fail, vec![NoteKind::Expired]));
    let soon = at("2026-11-24T00:00:01Z");
    assert_eq!((result(&soon), kinds(&soon)), (Outcome::Waived, vec![NoteKind::ExpiresSoon]));
    assert_eq!(now().to_rfc3339(), "2026-11-24T00:00:00+00:00");
}

#[test]
fn a_pinned_waiver_stops_when_what_it_excuses_worsens() {
    let plain = run(host(), Request::default());
    let fingerprint = plain.finding("files-restricted").unwrap().fingerprint.clone().unwrap();
    let pinned = waiver("/etc/a", &format!("{FAR}\nfingerprint = \"{fingerprint}\""));
    let same = with(&pinned);
    assert_eq!((result(&same), kinds(&same)), (Outcome::Waived, vec![]));
    let worse = run(host().owned("/etc/a", 0, 0, 0o6777), request(&pinned));
    assert_eq!((result(&worse), kinds(&worse)), (Outcome::Fail, vec![NoteKind::Changed]));
}

#[test]
fn broad_and_idle_waivers_are_told() {
    assert_eq!(kinds(&with(&waiver("", FAR))), [NoteKind::Broad]);
    assert_eq!(kinds(&with(&waiver("**", FAR))), [NoteKind::Broad]);
    assert_eq!(kinds(&with(&waiver("/etc/b", FAR))), [NoteKind::Idle]);
    let fixed = run(host().owned("/etc/a", 0, 0, 0o644), request(&waiver("/etc/a", FAR)));
    assert_eq!((result(&fixed), kinds(&fixed)), (Outcome::Pass, vec![NoteKind::Idle]));
    let unreadable = run(host().gap("/etc/a", crate::fact::Reason::Denied), request(&waiver("/etc/a", FAR)));
    assert_eq!(result(&unreadable), Outcome::Unknown, "a waiver excuses what was seen, not what was not");
}

#[test]
fn people_answer_manual_checks_and_controls() {
    let answer = |check: &str, answer: &str, expires: &str| {
        format!("[[attestation]]\ncheck = \"{check}\"\nanswer = \"{answer}\"\nnote = \"seen\"\nby = \"office\"\nexpires = {expires}\n")
    };
    let of = |site: &str| {
        let run = with(site);
        (run.finding("plan-exists").unwrap().result, run.profiles[0].controls[3].result, kinds(&run))
    };
    let far = "2027-06-30T00:00:00Z";
    assert_eq!(of(""), (Outcome::Manual, ControlResult::Manual, vec![]));
    assert_eq!(of(&answer("plan-exists", "pass", far)).0, Outcome::Pass);
    assert_eq!(of(&answer("plan-exists", "fail", far)).0, Outcome::Fail);
    assert_eq!(of(&answer("base 1.10", "pass", far)).1, ControlResult::Pass);
    let expired = of(&answer("plan-exists", "pass", "2026-01-01T00:00:00Z"));
    assert_eq!(expired, (Outcome::Manual, ControlResult::Manual, vec![NoteKind::Expired]));
}

#[test]
fn restarts_do_not_change_fingerprints() {
    assert!(is_fleeting("pid") && is_fleeting("image_id") && is_fleeting("age_days"));
    assert!(!is_fleeting("privileged") && !is_fleeting("user") && !is_fleeting("pids_limit"));
}
