//! A whole audit: plan, collect, judge, waive, score.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::collect::{Collector, Limits, Progress};
use super::finding::{Finding, Outcome, Reference, Subjects};
use super::judge::{Verdict, judge};
use super::plan::{self, NoSuch, Plan, Request};
use super::run::{ControlOutcome, ControlResult, EngineSummary, Note, NoteKind, ProfileOutcome, Run, Scope, Tool};
use super::score::{self, Score};
use super::{Facts, waive};
use crate::definition::{Check, Control, ControlBasis, Definitions, Profile, Role, Site};
use crate::fact::{Fact, Record, Text, Value};
use crate::host::manifest::Manifest;
use crate::host::sandbox::Sandbox;
use crate::host::{Host, Identity, ProcessLinks};
use crate::parse::hex::hex;
use crate::parse::mountinfo;
use crate::resource::{Query, Selector};

/// Everything an audit needs besides the host and the definitions.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is asked for.
    pub request: Request,
    /// How long things may take.
    pub limits: Limits,
    /// How well this process is sealed off, to be recorded.
    pub sandbox: Option<Sandbox>,
}

/// Audits a host. The host is kept for the rest of the process's life: see [`super::collect`].
///
/// Errors where a profile or check is asked for that does not exist.
pub fn audit(
    host: Arc<dyn Host + Send + Sync>,
    definitions: &Definitions,
    options: &Options,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Run, NoSuch> {
    let request = &options.request;
    let candidates = plan::candidates(definitions, request)?;
    // What every candidate would look at is wanted from the start: what is shared is collected once.
    let widest = Plan::new(definitions, request, candidates.clone())?;
    let (started, identity) = (host.now(), host.identity());
    let inside = inside(host.as_ref(), &identity);
    let asked = widest.queries().into_iter().chain(widest.conditions()).collect();
    let collector = Collector::asking(host, widest.wanted(), asked, options.limits);
    let named = !request.profiles.is_empty() || !request.site.profiles.is_empty();
    let mut collected = if named { Default::default() } else { collector.collect(&widest.conditions(), progress) };
    let (profiles, chosen) = plan::applicable(&candidates, request, &collected.facts);
    let plan = Plan::new(definitions, request, profiles)?;
    let left: BTreeSet<Query> = plan.queries().into_iter().filter(|query| !collected.facts.contains(query)).collect();
    let rest = collector.collect(&left, progress);
    collector.done();
    collected.facts.extend(rest.facts);
    collected.notes.extend(rest.notes.into_iter().chain(chosen));
    collected.partial |= rest.partial;

    let mut run = judged(definitions, &plan, &collected.facts, &request.site, started);
    run.host = identity;
    run.sandbox = options.sandbox.clone();
    run.finished = started + TimeDelta::from_std(collector.elapsed()).unwrap_or_default();
    run.deadline_seconds = Some(options.limits.deadline.as_secs());
    run.partial = collected.partial;
    run.manifest = collector.manifest();
    run.notes.extend(collected.notes.into_iter().chain(inside));
    run.notes.sort();
    run.notes.dedup();
    run.seal();
    Ok(run)
}

/// Whether the running system that is looked at is but a container. Engines mark theirs; but a machine made from the image of a
/// container carries the mark as well, and is told by its namespaces and its root file system.
fn inside(host: &dyn Host, identity: &Identity) -> Option<Note> {
    let marked = ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| host.lstat(Path::new(mark)).known().is_some());
    let text = "plimsoll runs in a container, and takes the files of that container for the host's; \
                run it on the host, or mount the host's root directory and name it with --root";
    (identity.source.raw() == "live" && marked && !is_machine(host)).then(|| Note {
        kind: NoteKind::Surroundings,
        text: text.to_owned(),
        place: None,
    })
}

/// Whether this process is in the machine's own namespaces, on a root file system that no engine has put together.
fn is_machine(host: &dyn Host) -> bool {
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let outermost = host.process_links(own).known().is_some_and(ProcessLinks::outermost);
    let table = host.read(Path::new("/proc/self/mountinfo"));
    let mounts = table.known().map(|table| mountinfo::topmost(mountinfo::parse(table).0)).unwrap_or_default();
    let plain_root = mounts.iter().any(|mount| mount.point == Path::new("/") && !mount.fs_type.contains("overlay"));
    outermost && plain_root
}

/// The run that facts come to under a plan, at a time. Reads nothing; says nothing of a host, and has no id yet.
#[must_use]
pub fn judged(definitions: &Definitions, plan: &Plan<'_>, facts: &Facts, site: &Site, now: DateTime<Utc>) -> Run {
    let references = plan::references(definitions, plan.role);
    let of = |check: &Check| references.get(check.id.as_str()).cloned().unwrap_or_default();
    let checked = plan.checks.values().map(|check| finding(check, judge(check, &plan.params(check), facts), of(check)));
    let skipped = plan.skipped.values().map(|(check, reason)| finding(check, skipped(reason), of(check)));
    let mut findings: Vec<Finding> = checked.chain(skipped).collect();
    findings.sort_by(|a, b| a.check.cmp(&b.check));

    let mut notes = waive::apply(&mut findings, site, now);
    let results: BTreeMap<&str, Outcome> = findings.iter().map(|finding| (finding.check.as_str(), finding.result)).collect();
    let profiles =
        plan.profiles.iter().map(|one| profile(one, (plan.level, plan.role), &results, site, now, &mut notes)).collect::<Vec<_>>();
    if plan.profiles.is_empty() && !definitions.profiles.is_empty() {
        notes.push(Note { kind: NoteKind::Profile, text: "no profile applies to this host".to_owned(), place: None });
    }
    notes.sort();
    let engines = engines(facts);
    let content_digest = digest(definitions);
    let scorecard = score::scorecard(&content_digest, plan, &engines);
    Run {
        format: 1,
        id: String::new(),
        tool: Tool::this(),
        sandbox: None,
        host: Default::default(),
        started: now,
        finished: now,
        deadline_seconds: None,
        partial: false,
        level: plan.level,
        role: plan.role,
        overrides: plan.overrides.clone(),
        scope: scope(&findings, facts, &engines),
        score: Score::of(&findings, scorecard),
        content_digest,
        engines,
        profiles,
        findings,
        notes,
        manifest: Manifest::default(),
    }
}

fn skipped(reason: &str) -> Verdict {
    Verdict {
        result: Outcome::Skipped,
        subjects: Subjects::default(),
        reason: Some(reason.to_owned()),
        observations: Vec::new(),
        omitted: 0,
    }
}

fn finding(check: &Check, verdict: Verdict, references: Vec<Reference>) -> Finding {
    Finding {
        check: check.id.clone(),
        benchmark: check.benchmark.to_string(),
        title: check.title.clone(),
        severity: check.severity,
        result: verdict.result,
        subjects: verdict.subjects,
        reason: verdict.reason,
        why: check.why.clone(),
        fix: check.fix.clone(),
        disturbs: check.disturbs.clone(),
        see: check.see.clone(),
        place: check.place.clone(),
        references,
        observations: verdict.observations,
        omitted: verdict.omitted,
        fingerprint: None,
        waivers: Vec::new(),
        attestation: None,
    }
}

fn profile(
    profile: &Profile,
    (level, role): (Option<u8>, Role),
    results: &BTreeMap<&str, Outcome>,
    site: &Site,
    now: DateTime<Utc>,
    notes: &mut Vec<Note>,
) -> ProfileOutcome {
    let mut control = |control: &Control| {
        let asked = control.level.of(role);
        let left_out = asked.is_none_or(|asked| level.is_some_and(|level| asked > level));
        let mut outcome = ControlOutcome {
            id: control.id.clone(),
            title: control.title.clone(),
            level: control.level.nearest(role),
            result: ControlResult::Skipped,
            checks: Vec::new(),
            says: None,
            note: control.note.clone(),
            attestation: None,
        };
        let result = match &control.basis {
            ControlBasis::Checks(checks) => {
                outcome.checks.clone_from(checks);
                ControlResult::of(checks.iter().map(|check| results.get(check.as_str()).copied().unwrap_or(Outcome::Skipped)))
            }
            ControlBasis::Manual(ask) => {
                outcome.says = Some(ask.clone());
                outcome.attestation = waive::answer(&format!("{} {}", profile.id, control.id), site, now, notes);
                match &outcome.attestation {
                    None => ControlResult::Manual,
                    Some(answer) if answer.pass => ControlResult::Pass,
                    Some(_) => ControlResult::Fail,
                }
            }
            ControlBasis::Uncovered(why) => {
                outcome.says = Some(why.clone());
                ControlResult::Uncovered
            }
        };
        if !left_out || result == ControlResult::Uncovered {
            outcome.result = result;
        }
        outcome
    };
    let controls: Vec<ControlOutcome> = profile.controls.iter().map(&mut control).collect();
    let answered = || controls.iter().filter(|control| !control.checks.is_empty());
    let count = |results: &[ControlResult]| answered().filter(|control| results.contains(&control.result)).count() as u64;
    use ControlResult::{Fail, Pass, Unknown, Waived};
    ProfileOutcome {
        id: profile.id.clone(),
        title: profile.title.clone(),
        version: profile.version.clone(),
        line: profile.line,
        met: count(&[Pass]),
        assessed: count(&[Pass, Fail, Waived, Unknown]),
        covered: answered().count() as u64,
        controls,
    }
}

fn engines(facts: &Facts) -> Vec<EngineSummary> {
    let text = |record: &Record, field: &str| match record.get(field) {
        Some(Fact::Known(Value::Text(text), _)) => Some(text.clone()),
        Some(Fact::Known(Value::Version(version), _)) => Some(version.text().clone()),
        _ => None,
    };
    let summary = |record: &Record| EngineSummary {
        name: record.subject(),
        kind: text(record, "kind").unwrap_or_else(|| Text::from("unknown")),
        version: text(record, "version"),
    };
    let mut engines: Vec<EngineSummary> = facts.get(&plan::engines()).unwrap_or_default().iter().map(summary).collect();
    engines.sort();
    engines
}

fn scope(findings: &[Finding], facts: &Facts, engines: &[EngineSummary]) -> Scope {
    let count = |outcomes: &[Outcome]| findings.iter().filter(|finding| outcomes.contains(&finding.result)).count() as u64;
    let seen = |resource| facts.get(&Query { resource, of: Selector::All }).ok().map(|records| records.len() as u64);
    Scope {
        assessed: count(&[Outcome::Pass, Outcome::Fail, Outcome::Waived, Outcome::Unknown]),
        manual: count(&[Outcome::Manual]),
        not_applicable: count(&[Outcome::NotApplicable]),
        skipped: count(&[Outcome::Skipped]),
        containers: seen("container"),
        images: seen("image"),
        engines: facts.get(&plan::engines()).ok().map(|_| engines.len() as u64),
    }
}

/// SHA-256 over the definition files that were loaded: their paths and texts, in the order of their paths.
#[must_use]
pub fn digest(definitions: &Definitions) -> String {
    let mut sources: Vec<(&str, &str)> = definitions.sources.iter().map(|source| (&*source.path, &*source.text)).collect();
    sources.sort_unstable();
    let mut digest = Sha256::new();
    for part in sources.iter().flat_map(|(path, text)| [path, text]) {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    hex(&digest.finalize())
}

#[cfg(test)]
mod tests;
