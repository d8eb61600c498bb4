//! One expectation: how many of the selected records must look like what.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::State;
use super::evidence;
use crate::audit::facts::Facts;
use crate::audit::finding::Observation;
use crate::definition::{Claim, Conjunction, Expectation, FieldClaim, FieldPath, Matcher, Params, Pattern, Place};
use crate::fact::{Fact, Gap, Origin, Reason, Record, Text, Truth, Value};

/// What judging one expectation comes to.
pub(super) struct Judged {
    /// How it came out.
    pub(super) state: State,
    /// Each subject it is about, by resource, name and count of that name, and whether it complies.
    pub(super) subjects: Vec<((&'static str, Text, usize), bool)>,
    /// What was seen.
    pub(super) observations: Vec<Observation>,
    /// In words, why there was nothing to judge or why it does not hold as a whole.
    pub(super) summary: Option<String>,
}

impl Judged {
    /// Whether nothing but parameters that nobody has decided on keeps it open: everything it looked at was seen.
    pub(super) fn hangs_on_parameters(&self) -> bool {
        self.state != State::Unknown
            || !self.observations.iter().any(|one| one.truth == Truth::Unknown && matches!(one.observed, Fact::Unknown(_)))
    }
}

/// One record, whether it is selected and whether it looks as the claim says.
struct Looked<'a> {
    record: &'a Record,
    nth: usize,
    selected: Truth,
    matches: Truth,
}

struct Scene<'a> {
    expectation: &'a Expectation,
    params: &'a Params,
    words: RefCell<BTreeSet<Arc<str>>>,
}

pub(super) fn judge(expectation: &Expectation, params: &Params, facts: &Facts) -> Judged {
    let scene = Scene { expectation, params, words: RefCell::default() };
    let records = match facts.get(&expectation.query) {
        Ok(records) => records,
        Err(gap) => return scene.blind(gap),
    };
    match &expectation.claim {
        Claim::Each(pattern) => scene.each(pattern, &scene.look(records, Some(pattern))),
        Claim::Any(pattern) => scene.any(pattern, &scene.look(records, Some(pattern))),
        Claim::None(pattern) => scene.none(pattern, &scene.look(records, Some(pattern))),
        Claim::Count(matcher) => scene.count(matcher, &scene.look(records, None)),
    }
}

impl<'a> Scene<'a> {
    fn look<'r>(&self, records: &'r [Record], pattern: Option<&Pattern>) -> Vec<Looked<'r>> {
        let mut names: HashMap<Text, usize> = HashMap::new();
        let mut looked = Vec::with_capacity(records.len());
        for record in records {
            let nth = names.entry(record.subject()).or_default();
            *nth += 1;
            let selected = self.expectation.filter.as_ref().map_or(Truth::True, |filter| self.matches(filter, record));
            if selected != Truth::False {
                let matches = pattern.map_or(Truth::True, |pattern| self.matches(pattern, record));
                looked.push(Looked { record, nth: *nth, selected, matches });
            }
        }
        looked
    }

    fn matches(&self, pattern: &Pattern, record: &Record) -> Truth {
        Truth::any(pattern.0.iter().map(|conjunction| self.all_match(conjunction, record)))
    }

    fn all_match(&self, conjunction: &Conjunction, record: &Record) -> Truth {
        Truth::all(conjunction.iter().map(|claim| self.one_matches(claim, record)))
    }

    fn one_matches(&self, claim: &FieldClaim, record: &Record) -> Truth {
        claim.matcher.judge(&fact(record, &claim.field), self.params)
    }

    /// Words that many observations say, held once.
    fn shared(&self, words: &str) -> Arc<str> {
        let mut known = self.words.borrow_mut();
        if let Some(known) = known.get(words) {
            return known.clone();
        }
        let shared: Arc<str> = words.into();
        known.insert(shared.clone());
        shared
    }

    /// Nothing could be enumerated.
    fn blind(&self, gap: Gap) -> Judged {
        let observation = self.about_all(Fact::Unknown(gap), self.claim_in_words(), Truth::Unknown);
        Judged { state: State::Unknown, subjects: Vec::new(), observations: vec![observation], summary: None }
    }

    /// Every selected record matches. Read as "selected implies matches"; nothing to judge where none is selected.
    fn each(&self, pattern: &Pattern, looked: &[Looked<'_>]) -> Judged {
        let certain = looked.iter().any(|one| one.selected == Truth::True);
        let truth = Truth::all(looked.iter().map(|one| (!one.selected).or(one.matches)));
        let state = match truth {
            _ if looked.is_empty() => State::Idle,
            // Whether there is anything to judge at all is itself not known.
            Truth::True if !certain => State::Unknown,
            truth => truth.into(),
        };
        let mut observations = Vec::new();
        for one in looked {
            observations.extend(self.doubts(one));
            observations.extend(self.details(pattern, one, one.selected == Truth::Unknown));
        }
        let summary = (state == State::Idle).then(|| format!("there is no {}", self.selection()));
        if state == State::Idle {
            observations.push(self.counted(0, format!("some {} to judge", self.selection()), Truth::False));
        }
        Judged { state, subjects: self.subjects(looked, |one| one.matches == Truth::True), observations, summary }
    }

    /// At least one selected record matches.
    fn any(&self, pattern: &Pattern, looked: &[Looked<'_>]) -> Judged {
        let truth = Truth::any(looked.iter().map(|one| one.selected.and(one.matches)));
        let found = looked.iter().filter(|one| one.selected.and(one.matches) == Truth::True).count();
        let mut observations = vec![self.counted(found, self.claim_in_words(), truth)];
        for one in looked {
            if truth != Truth::True || one.selected.and(one.matches) == Truth::True {
                observations.extend(self.doubts(one));
                observations.extend(self.details(pattern, one, one.selected == Truth::Unknown));
            }
        }
        let summary = (truth == Truth::False).then(|| format!("there is no {} with {}", self.selection(), self.pattern_in_words(pattern)));
        Judged { state: truth.into(), subjects: Vec::new(), observations, summary }
    }

    /// No selected record matches.
    fn none(&self, pattern: &Pattern, looked: &[Looked<'_>]) -> Judged {
        let offends = |one: &Looked<'_>| one.selected.and(one.matches);
        let truth = !Truth::any(looked.iter().map(offends));
        let found = looked.iter().filter(|one| offends(one) == Truth::True).count();
        // Where it fails, the offenders say so themselves.
        let summarised = (truth != Truth::False).then(|| self.counted(found, self.claim_in_words(), truth));
        let mut observations = Vec::from_iter(summarised);
        for one in looked.iter().filter(|one| offends(one) != Truth::False) {
            observations.extend(self.doubts(one));
            observations.extend(self.offences(pattern, one));
        }
        let summary =
            (truth == Truth::False).then(|| format!("there are {found} {} with {}", self.selection(), self.pattern_in_words(pattern)));
        Judged { state: truth.into(), subjects: self.subjects(looked, |one| offends(one) == Truth::False), observations, summary }
    }

    /// The number selected satisfies the matcher: certainly, where it does for every number it could be.
    fn count(&self, matcher: &Matcher, looked: &[Looked<'_>]) -> Judged {
        let least = looked.iter().filter(|one| one.selected == Truth::True).count();
        let mut possible = (least..=looked.len()).map(|number| matcher.holds_of_number(number, self.params));
        let first = possible.next().unwrap_or(Truth::Unknown);
        let truth = if possible.all(|holds| holds == first) { first } else { Truth::Unknown };
        let mut observations = vec![self.counted(least, self.claim_in_words(), truth)];
        for one in looked.iter().filter(|_| truth != Truth::True) {
            observations.extend(self.doubts(one));
            if one.selected == Truth::True {
                observations.push(self.named(one.record, truth));
            }
        }
        let summary = (truth == Truth::False).then(|| format!("there are {least} {}", self.selection()));
        Judged { state: truth.into(), subjects: Vec::new(), observations, summary }
    }

    fn subjects(&self, looked: &[Looked<'_>], complies: impl Fn(&Looked<'_>) -> bool) -> Vec<((&'static str, Text, usize), bool)> {
        let harmless = |one: &&Looked<'_>| one.selected == Truth::True || !complies(one);
        looked
            .iter()
            .filter(harmless)
            .map(|one| ((self.expectation.query.resource, one.record.subject(), one.nth), complies(one)))
            .collect()
    }

    /// Why it is not known whether a record is selected.
    fn doubts<'s>(&'s self, one: &'s Looked<'_>) -> impl Iterator<Item = Observation> + 's {
        let filter = self.expectation.filter.iter().filter(|_| one.selected == Truth::Unknown);
        filter.flat_map(|filter| filter.0.iter().flatten()).filter_map(|claim| {
            let unknown = self.one_matches(claim, one.record) == Truth::Unknown;
            let expected = format!("{}, for the check to look at it", claim.matcher.expected(self.params));
            unknown.then(|| self.observed(one.record, claim, expected, Truth::Unknown, None))
        })
    }

    /// What was seen of the fields a pattern claims: those of the alternative that holds, or of all where none does.
    /// What is false of a record that may not be selected at all is only doubtful.
    fn details(&self, pattern: &Pattern, one: &Looked<'_>, doubtful: bool) -> Vec<Observation> {
        let holding = pattern.0.iter().position(|conjunction| self.all_match(conjunction, one.record) == Truth::True);
        let several = pattern.0.len() > 1;
        let mut observations = Vec::new();
        for (at, conjunction) in pattern.0.iter().enumerate().filter(|(at, _)| holding.is_none_or(|holding| holding == *at)) {
            let alternative = several.then(|| u32::try_from(at + 1).unwrap_or(u32::MAX));
            for claim in conjunction {
                let truth = match self.one_matches(claim, one.record) {
                    Truth::False if doubtful => Truth::Unknown,
                    truth => truth,
                };
                observations.push(self.observed(one.record, claim, claim.matcher.expected(self.params).to_string(), truth, alternative));
            }
        }
        observations
    }

    /// What makes a record one of those there may not be.
    fn offences(&self, pattern: &Pattern, one: &Looked<'_>) -> Vec<Observation> {
        let offends = one.selected.and(one.matches);
        let mut observations = Vec::new();
        for conjunction in pattern.0.iter().filter(|conjunction| one.selected.and(self.all_match(conjunction, one.record)) == offends) {
            for claim in conjunction {
                let forbidden = Matcher::Not(Box::new(claim.matcher.clone()));
                let together = if conjunction.len() > 1 { ", or another field to differ" } else { "" };
                let expected = format!("{}{together}", forbidden.expected(self.params));
                observations.push(self.observed(one.record, claim, expected, !offends, None));
            }
        }
        observations
    }

    fn observed(&self, record: &Record, claim: &FieldClaim, expected: String, truth: Truth, alternative: Option<u32>) -> Observation {
        Observation {
            resource: self.shared(self.expectation.query.resource),
            subject: Some(evidence::subject(&record.subject())),
            field: Some(self.shared(claim.field.name())),
            observed: evidence::shortened(&fact(record, &claim.field)),
            expected: self.shared(&expected),
            truth,
            alternative,
            place: claim.place.clone(),
        }
    }

    /// A record that was counted.
    fn named(&self, record: &Record, truth: Truth) -> Observation {
        let name = record.fact(0).cloned().unwrap_or(Fact::Absent(Origin::Derived));
        Observation {
            resource: self.shared(self.expectation.query.resource),
            subject: Some(evidence::subject(&record.subject())),
            field: record.schema().fields.first().map(|field| self.shared(field.name)),
            observed: evidence::shortened(&name),
            expected: self.shared("one of those counted"),
            truth,
            alternative: None,
            place: self.expectation.place.clone(),
        }
    }

    fn counted(&self, number: usize, expected: String, truth: Truth) -> Observation {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.about_all(Fact::Known(Value::Integer(number), Origin::Derived), expected, truth)
    }

    fn about_all(&self, observed: Fact<Value>, expected: String, truth: Truth) -> Observation {
        Observation {
            resource: self.shared(self.expectation.query.resource),
            subject: None,
            field: None,
            observed: evidence::shortened(&observed),
            expected: self.shared(&expected),
            truth,
            alternative: None,
            place: Place::clone(&self.expectation.place),
        }
    }

    /// Which records are meant: `container "web" where state is running`.
    fn selection(&self) -> String {
        let which = evidence::selector(&self.expectation.query);
        match &self.expectation.filter {
            None => which,
            Some(filter) => format!("{which} where {}", self.pattern_in_words(filter)),
        }
    }

    fn claim_in_words(&self) -> String {
        let selection = self.selection();
        match &self.expectation.claim {
            Claim::Each(pattern) => format!("each {selection} with {}", self.pattern_in_words(pattern)),
            Claim::Any(pattern) => format!("at least one {selection} with {}", self.pattern_in_words(pattern)),
            Claim::None(pattern) => format!("no {selection} with {}", self.pattern_in_words(pattern)),
            Claim::Count(matcher) => format!("the number of {selection} to be {}", matcher.expected(self.params)),
        }
    }

    fn pattern_in_words(&self, pattern: &Pattern) -> String {
        let claim = |claim: &FieldClaim| format!("{} {}", claim.field.name(), claim.matcher.expected(self.params));
        let conjunction = |all: &Conjunction| all.iter().map(claim).collect::<Vec<_>>().join(" and ");
        pattern.0.iter().map(conjunction).collect::<Vec<_>>().join(", or ")
    }
}

/// The fact a path leads to in a record.
fn fact<'r>(record: &'r Record, field: &FieldPath) -> Cow<'r, Fact<Value>> {
    let found = match field {
        FieldPath::Field(position, ..) => record.fact(*position).map(Cow::Borrowed),
        FieldPath::Pointer(pointer) => record.document().map(|document| Cow::Owned(document.pointer(pointer))),
    };
    found.unwrap_or_else(|| Cow::Owned(Fact::Unknown(Gap::new(Origin::Derived, Reason::NotCollected))))
}
