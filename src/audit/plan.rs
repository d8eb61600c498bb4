//! What an audit will ask and judge, known before anything is read.

use std::collections::{BTreeMap, BTreeSet};

use super::Facts;
use super::finding::Reference;
use super::judge::{self, selector};
use super::run::{Note, NoteKind, Override, Source};
use crate::definition::{
    Basis, Benchmark, Check, Claim, ControlBasis, Definitions, Expectation, Params, Pattern, Profile, Role, Site, Values, closest,
};
use crate::fact::Truth;
use crate::resource::{self, Query, Selector, glob_matches};

/// What the operator asks for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Profiles by id. Without any, those of the site; without those, every default profile that applies.
    pub profiles: Vec<String>,
    /// Highest level of controls; the site's where not given, and all of them where it says nothing.
    pub level: Option<u8>,
    /// What the host is for; the site's where not given, and a server where it says nothing.
    pub role: Option<Role>,
    /// Run only these checks, by id or glob; also such that no chosen profile names.
    pub only: Vec<String>,
    /// Leave these checks out, by id or glob.
    pub skip: Vec<String>,
    /// The site file.
    pub site: Site,
    /// Parameters set on the command line.
    pub set: Values,
}

/// A request that names something that does not exist.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no {what} `{name}`{}", .suggestion.as_ref().map(|s| format!("; {s}")).unwrap_or_default())]
pub struct NoSuch {
    /// What was named: `check` or `profile`.
    pub what: &'static str,
    /// How it was named.
    pub name: String,
    /// What was perhaps meant.
    pub suggestion: Option<String>,
}

/// What will be judged, and by which parameters.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// The profiles, in the order of the definitions.
    pub profiles: Vec<&'a Profile>,
    /// The checks to judge, by id.
    pub checks: BTreeMap<&'a str, &'a Check>,
    /// The checks left out, and why.
    pub skipped: BTreeMap<&'a str, (&'a Check, String)>,
    /// Highest level of controls.
    pub level: Option<u8>,
    /// What the host is for: controls may have another level for each.
    pub role: Role,
    /// The parameters that are changed.
    pub overrides: Vec<Override>,
    params: BTreeMap<&'a str, Params>,
}

/// The query every audit asks: which engines there are.
#[must_use]
pub fn engines() -> Query {
    Query { resource: "engine", of: Selector::All }
}

/// The fields a report shows of every engine.
pub(super) const ENGINE_FIELDS: [&str; 3] = ["name", "kind", "version"];

/// The profiles a request may come to: the named ones, else the default ones, which are used where they apply.
pub fn candidates<'a>(definitions: &'a Definitions, request: &Request) -> Result<Vec<&'a Profile>, NoSuch> {
    let named = [&request.profiles, &request.site.profiles].into_iter().find(|named| !named.is_empty());
    let Some(named) = named else {
        return Ok(definitions.profiles.iter().filter(|profile| profile.default).collect());
    };
    if let Some(name) = named.iter().find(|name| definitions.profile(name).is_none()) {
        let suggestion = closest(name, definitions.profiles.iter().map(|profile| profile.id.as_str()));
        return Err(NoSuch { what: "profile", name: name.clone(), suggestion });
    }
    Ok(definitions.profiles.iter().filter(|profile| named.contains(&profile.id)).collect())
}

/// Of the candidates, those that are judged, and what there is to say about the choice. Named profiles are always
/// judged; default ones where they apply, and also where that cannot be told.
pub fn applicable<'a>(candidates: &[&'a Profile], request: &Request, facts: &Facts) -> (Vec<&'a Profile>, Vec<Note>) {
    if !request.profiles.is_empty() || !request.site.profiles.is_empty() {
        return (candidates.to_vec(), Vec::new());
    }
    let mut notes = Vec::new();
    let mut note = |text| notes.push(Note { kind: NoteKind::Profile, text, place: None });
    let (mut chosen, mut others) = (Vec::new(), Vec::new());
    for profile in candidates {
        match judge::holds(&profile.applies_when, &Params::default(), facts) {
            Truth::True => chosen.push(*profile),
            Truth::False => others.push(profile.id.as_str()),
            Truth::Unknown => {
                note(format!("it cannot be told whether profile {} applies to this host; it is judged", profile.id));
                chosen.push(*profile);
            }
        }
    }
    match others.as_slice() {
        [] => {}
        [one] => note(format!("profile {one} does not apply to this host")),
        many => note(format!("profiles that do not apply to this host: {}", many.join(", "))),
    }
    (chosen, notes)
}

impl<'a> Plan<'a> {
    /// The plan for profiles. Where there are no profiles at all among the definitions, every check is judged.
    pub fn new(definitions: &'a Definitions, request: &Request, profiles: Vec<&'a Profile>) -> Result<Self, NoSuch> {
        for pattern in request.only.iter().chain(&request.skip) {
            if !definitions.checks().any(|(_, check)| names(pattern, &check.id)) {
                let suggestion = closest(pattern, definitions.checks().map(|(_, check)| check.id.as_str()));
                return Err(NoSuch { what: "check", name: pattern.clone(), suggestion });
            }
        }
        let level = request.level.or(request.site.level);
        let role = request.role.or(request.site.role).unwrap_or_default();
        let mut plan = Self {
            profiles,
            checks: BTreeMap::new(),
            skipped: BTreeMap::new(),
            level,
            role,
            overrides: Vec::new(),
            params: BTreeMap::new(),
        };
        let levels = plan.levels();
        for (_, check) in definitions.checks() {
            let named = if definitions.profiles.is_empty() { Some(1) } else { levels.get(check.id.as_str()).copied() };
            match plan.left_out(check, named, request) {
                Choice::Judged => _ = plan.checks.insert(&check.id, check),
                Choice::Skipped(reason) => _ = plan.skipped.insert(&check.id, (check, reason)),
                Choice::Unasked => {}
            }
        }
        plan.set_parameters(definitions, request);
        Ok(plan)
    }

    /// The lowest level at which each check is named.
    fn levels(&self) -> BTreeMap<&'a str, u8> {
        let mut levels = BTreeMap::new();
        for control in self.profiles.iter().flat_map(|profile| &profile.controls) {
            if let ControlBasis::Checks(checks) = &control.basis {
                let Some(asked) = control.level.of(self.role) else { continue };
                for check in checks {
                    let level = levels.entry(check.as_str()).or_insert(asked);
                    *level = asked.min(*level);
                }
            }
        }
        levels
    }

    fn left_out(&self, check: &Check, named: Option<u8>, request: &Request) -> Choice {
        let by = |patterns: &[String]| patterns.iter().any(|pattern| names(pattern, &check.id));
        let only = by(&request.only);
        if named.is_none() && !only {
            Choice::Unasked
        } else if let Some(reason) = request.site.skips.get(&check.id) {
            Choice::Skipped(reason.clone())
        } else if by(&request.skip) {
            Choice::Skipped("left out by --skip".to_owned())
        } else if !request.only.is_empty() && !only {
            Choice::Skipped("left out by --only".to_owned())
        } else if let (Some(named), Some(level), false) = (named, self.level, only)
            && named > level
        {
            Choice::Skipped(format!("belongs to level {named}"))
        } else {
            Choice::Judged
        }
    }

    /// Default, then profiles, then site, then command line: the last one wins.
    fn set_parameters(&mut self, definitions: &'a Definitions, request: &Request) {
        let profiles = self.profiles.iter().map(|profile| (Source::Profile(profile.id.clone()), &profile.params));
        let layers: Vec<(Source, &Values)> =
            profiles.chain([(Source::Site, &request.site.params), (Source::CommandLine, &request.set)]).collect();
        let judged: BTreeSet<&str> = self.checks.values().map(|check| &*check.benchmark).collect();
        for benchmark in definitions.benchmarks.iter().filter(|benchmark| judged.contains(benchmark.id.as_str())) {
            self.params.insert(&benchmark.id, Params::of(benchmark, layers.iter().map(|(_, values)| *values)));
            self.overrides.extend(overrides(benchmark, &layers));
        }
        self.overrides.sort_by(|a, b| a.param.cmp(&b.param));
    }

    /// The parameters in force for a check.
    #[must_use]
    pub fn params(&self, check: &Check) -> Params {
        self.params.get(&*check.benchmark).cloned().unwrap_or_default()
    }

    /// Everything that will be asked, each question once.
    #[must_use]
    pub fn queries(&self) -> BTreeSet<Query> {
        self.expectations().map(|expectation| expectation.query.clone()).chain([engines()]).collect()
    }

    /// What has to be asked before it is known which profiles apply.
    #[must_use]
    pub fn conditions(&self) -> BTreeSet<Query> {
        self.profiles.iter().flat_map(|profile| &profile.applies_when).map(|expectation| expectation.query.clone()).collect()
    }

    /// The fields that anything looks at, by resource.
    #[must_use]
    pub fn wanted(&self) -> BTreeMap<&'static str, BTreeSet<String>> {
        let mut wanted: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        wanted.entry("engine").or_default().extend(ENGINE_FIELDS.map(str::to_owned));
        for expectation in self.expectations() {
            let fields = wanted.entry(expectation.query.resource).or_default();
            if let Some(entry) = resource::find(expectation.query.resource) {
                let key = Some(entry.key).filter(|key| !key.is_empty());
                fields.extend(entry.schema.fields.first().map(|field| field.name).into_iter().chain(key).map(str::to_owned));
            }
            let patterns = expectation.filter.iter().chain(pattern(&expectation.claim));
            fields.extend(patterns.flat_map(|pattern| pattern.0.iter().flatten()).map(|claim| claim.field.name().to_owned()));
        }
        wanted
    }

    /// What will be read, for people: one line per question.
    #[must_use]
    pub fn in_words(&self) -> Vec<String> {
        let mut uses: BTreeMap<Query, BTreeSet<&str>> = BTreeMap::from([(engines(), BTreeSet::new())]);
        for (id, check) in &self.checks {
            for expectation in expectations(check) {
                uses.entry(expectation.query.clone()).or_default().insert(id);
            }
        }
        for query in self.conditions() {
            uses.entry(query).or_default();
        }
        let line = |(query, checks): (&Query, &BTreeSet<&str>)| match checks.len() {
            0 => format!("{}, to know what the report is about", selector(query)),
            1 => format!("{}, for {}", selector(query), checks.iter().copied().collect::<String>()),
            many => format!("{}, for {many} checks", selector(query)),
        };
        uses.iter().map(line).collect()
    }

    fn expectations(&self) -> impl Iterator<Item = &'a Expectation> {
        let profiles = self.profiles.iter().flat_map(|profile| &profile.applies_when);
        self.checks.values().flat_map(|check| expectations(check)).chain(profiles)
    }
}

enum Choice {
    Judged,
    Skipped(String),
    Unasked,
}

fn names(pattern: &str, id: &str) -> bool {
    pattern == id || glob_matches(pattern, id)
}

/// Everything a check asks.
pub(super) fn expectations(check: &Check) -> impl Iterator<Item = &Expectation> {
    let claims = match &check.basis {
        Basis::Automated { expect, .. } => expect.as_slice(),
        Basis::Manual { .. } => &[],
    };
    check.applies_when.iter().chain(claims)
}

fn pattern(claim: &Claim) -> Option<&Pattern> {
    match claim {
        Claim::Each(pattern) | Claim::Any(pattern) | Claim::None(pattern) => Some(pattern),
        Claim::Count(_) => None,
    }
}

fn overrides(benchmark: &Benchmark, layers: &[(Source, &Values)]) -> Vec<Override> {
    let words = |literals: &[crate::definition::Literal]| literals.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut changed = Vec::new();
    for (name, param) in &benchmark.params {
        let last = layers.iter().rev().find_map(|(source, values)| Some((source, values.get(name)?)));
        if let Some((source, (value, place))) = last
            && param.default.as_ref() != Some(value)
        {
            changed.push(Override {
                param: name.clone(),
                benchmark: benchmark.id.clone(),
                default: param.default.as_deref().map(words),
                value: words(value),
                source: source.clone(),
                place: (*source != Source::CommandLine).then(|| place.clone()),
            });
        }
    }
    changed
}

/// Every control of every profile, by the check it names; one that is not meant for the role has the level of the other.
pub fn references(definitions: &Definitions, role: Role) -> BTreeMap<&str, Vec<Reference>> {
    let mut references: BTreeMap<&str, Vec<Reference>> = BTreeMap::new();
    for profile in &definitions.profiles {
        for control in &profile.controls {
            if let ControlBasis::Checks(checks) = &control.basis {
                for check in checks {
                    references.entry(check).or_default().push(Reference {
                        profile: profile.id.clone(),
                        control: control.id.clone(),
                        level: control.level.nearest(role),
                    });
                }
            }
        }
    }
    references
}

#[cfg(test)]
mod tests;
