//! Sentences that several reports share: what was seen, where, and what was expected.

use crate::audit::{Finding, Observation, Run, Tenths};
pub(super) use crate::definition::counted;
use crate::fact::{Fact, Origin, Shown, Text};

/// What was seen of a field and what was expected of it.
pub(super) fn seen(observation: &Observation) -> String {
    let expected = Shown::of(&observation.expected);
    let Some(field) = &observation.field else {
        return match &observation.observed {
            Fact::Known(value, _) => format!("expected {expected}, found {value}"),
            Fact::Absent(_) => format!("expected {expected}, found none"),
            Fact::Unknown(gap) => format!("expected {expected}, could not be told: {gap}"),
        };
    };
    let field = Shown::of(field);
    let which = match observation.alternative {
        None => "",
        Some(1) => "either ",
        Some(_) => "or ",
    };
    match &observation.observed {
        Fact::Known(value, _) => format!("{which}{field} is {value}, expected {expected}"),
        Fact::Absent(_) => format!("{which}{field} is absent, expected {expected}"),
        Fact::Unknown(gap) => format!("{which}{field} could not be told: {gap}, expected {expected}"),
    }
}

/// Where a fact of a subject came from, such as `seen by stat`; none where there is nothing to add.
pub(super) fn source(observation: &Observation) -> Option<String> {
    let of_itself = |path: &Text| observation.subject.as_ref() == Some(path);
    match &observation.observed {
        Fact::Unknown(_) => None,
        Fact::Known(_, origin) | Fact::Absent(origin) => match origin {
            Origin::Stat { path } if of_itself(path) => Some("seen by stat".to_owned()),
            Origin::File { path, line: Some(line) } if of_itself(path) => Some(format!("line {line}")),
            Origin::Derived => None,
            Origin::Default { of } => Some(format!("the default of {}", of.shown())),
            Origin::Stat { path } => Some(format!("seen by stat of {}", path.shown())),
            // The endpoint holds a long id and tells a reader nothing that the subject does not.
            Origin::Engine { engine, .. } => Some(format!("answered by {}", engine.shown())),
            origin => Some(format!("seen in {origin}")),
        },
    }
}

/// `7 of 12 containers`; none where there is one subject or none.
pub(super) fn subjects(finding: &Finding) -> Option<String> {
    if finding.subjects.of < 2 {
        return None;
    }
    let resources = || finding.observations.iter().filter(|one| one.subject.is_some()).map(|one| &*one.resource);
    let first = resources().next().unwrap_or("subject");
    let noun = match first {
        _ if resources().any(|resource| resource != first) => "subject".to_owned(),
        // The resource is named for the daemon; its records are options.
        "docker_daemon" => "daemon option".to_owned(),
        resource => Shown::of(resource).to_string().replace('_', " "),
    };
    let ending = if noun.ends_with(['s', 'x']) { "es" } else { "s" };
    Some(format!("{} of {} {noun}{ending} comply", finding.subjects.ok, finding.subjects.of))
}

/// What the score is about.
pub(super) fn scope(run: &Run) -> String {
    let scope = &run.scope;
    let mut parts = vec![format!("{} assessed", counted(scope.assessed, "check")), format!("{} not applicable", scope.not_applicable)];
    parts.extend((scope.manual > 0).then(|| format!("{} manual", scope.manual)));
    parts.push(format!("{} skipped", scope.skipped));
    let things = [(scope.containers, "container"), (scope.images, "image"), (scope.engines, "engine")];
    let things: Vec<String> = things.into_iter().filter_map(|(count, noun)| count.map(|count| counted(count, noun))).collect();
    let things = if things.is_empty() { String::new() } else { format!("; {}", things.join(", ")) };
    format!("scope: {}{things}", parts.join(", "))
}

/// A percentage, or a dash for none.
pub(super) fn percentage(tenths: Option<Tenths>) -> String {
    tenths.map_or_else(|| "-".to_owned(), |tenths| tenths.to_string())
}

/// The first characters of a digest, enough to tell two apart by eye.
pub(super) fn short(digest: &str) -> String {
    Shown::of(digest).to_string().chars().take(12).collect()
}
