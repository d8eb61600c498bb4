//! All definitions together: benchmarks first, then the profiles that name their checks.

use std::collections::BTreeMap;

use super::load::MOST_CHECKS;
use super::problem::Problem;
use super::tree::File;
use super::{Benchmark, Case, Check, ControlBasis, Param, Place, Profile, Site, Source, case, lint, load, profile, site};

/// Everything that was loaded.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    /// Benchmarks, in the order of their sources.
    pub benchmarks: Vec<Benchmark>,
    /// Profiles, in the order of their sources.
    pub profiles: Vec<Profile>,
    /// The files they were read from, for digests and for showing.
    pub sources: Vec<Source>,
}

impl Definitions {
    /// Loads benchmarks and profiles; test cases among the sources are left alone. Everything wrong with any file is told at once.
    pub fn load(sources: Vec<Source>) -> Result<Self, Vec<Problem>> {
        let sources: Vec<Source> = sources.into_iter().filter(|source| !source.is_cases()).collect();
        let (profile_sources, benchmark_sources): (Vec<_>, Vec<_>) = sources.iter().partition(|source| profile::is_profile(source));
        let mut problems = Vec::new();
        let benchmarks: Vec<Benchmark> =
            benchmark_sources.into_iter().filter_map(|source| keep(load::benchmark(source), &mut problems)).collect();
        let mut loaded = Self { benchmarks, profiles: Vec::new(), sources: Vec::new() };
        problems.extend(loaded.duplicates(&sources));
        // Profiles name checks: with checks missing, every profile would be full of problems that are none.
        if !problems.is_empty() {
            return Err(problems);
        }
        loaded.profiles = profile_sources.into_iter().filter_map(|source| keep(profile::load(source, &loaded), &mut problems)).collect();
        problems.extend(twice(loaded.profiles.iter().map(|profile| ("profile", profile.id.as_str(), &profile.place)), &sources));
        if !problems.is_empty() {
            return Err(problems);
        }
        loaded.title_controls();
        loaded.sources = sources;
        Ok(loaded)
    }

    /// Reads a site file, which may name only what is loaded.
    pub fn site(&self, source: &Source) -> Result<Site, Vec<Problem>> {
        site::load(source, self)
    }

    /// Reads `NAME=VALUE`, as given on the command line.
    pub fn setting(&self, assignment: &str) -> Result<super::Values, Problem> {
        site::setting(assignment, self)
    }

    /// Reads the test cases beside a benchmark: `daemon.test.toml` beside `daemon.toml`.
    pub fn cases(&self, source: &Source) -> Result<Vec<Case>, Vec<Problem>> {
        let tested = source.path.strip_suffix(".test.toml").map(|stem| format!("{stem}.toml"));
        match self.benchmarks.iter().find(|benchmark| Some(&*benchmark.place.file) == tested.as_deref()) {
            Some(benchmark) => case::load(source, benchmark, self),
            None => Err(vec![Problem::of_file(&source.path, "stands beside no benchmark of its name")]),
        }
    }

    /// What loads but is not as a check should be. Where cases are given, checks without them are noted too.
    #[must_use]
    pub fn lints(&self, cases: Option<&[Case]>) -> Vec<Problem> {
        let source = |benchmark: &Benchmark| self.sources.iter().find(|source| source.path == benchmark.place.file);
        self.benchmarks
            .iter()
            .filter_map(|benchmark| Some((source(benchmark)?, benchmark)))
            .flat_map(|(s, b)| lint::lints(s, b, cases))
            .collect()
    }

    /// Every check, with its benchmark.
    pub fn checks(&self) -> impl Iterator<Item = (&Benchmark, &Check)> {
        self.benchmarks.iter().flat_map(|benchmark| benchmark.checks.iter().map(move |check| (benchmark, check)))
    }

    /// The check with an id.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<(&Benchmark, &Check)> {
        self.checks().find(|(_, check)| check.id == id)
    }

    /// The profile with an id.
    #[must_use]
    pub fn profile(&self, id: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.id == id)
    }

    /// The parameter with a name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.benchmarks.iter().find_map(|benchmark| benchmark.params.get(name))
    }

    fn duplicates(&self, sources: &[Source]) -> Vec<Problem> {
        let benchmarks = self.benchmarks.iter().map(|benchmark| ("benchmark", benchmark.id.as_str(), &benchmark.place));
        let checks = self.checks().map(|(_, check)| ("check", check.id.as_str(), &check.place));
        let params = self.benchmarks.iter().flat_map(|benchmark| &benchmark.params);
        let params = params.map(|(name, param)| ("parameter", name.as_str(), &param.place));
        let mut problems: Vec<Problem> = [twice(benchmarks, sources), twice(checks, sources), twice(params, sources)].concat();
        if self.checks().count() > MOST_CHECKS {
            problems.push(Problem::of_file("definitions", format!("more than {MOST_CHECKS} checks in all")));
        }
        problems
    }

    /// A control without a title of its own bears that of its first check, or what is asked or said of it.
    fn title_controls(&mut self) {
        let titles: BTreeMap<String, String> = self.checks().map(|(_, check)| (check.id.clone(), check.title.clone())).collect();
        for control in self.profiles.iter_mut().flat_map(|profile| &mut profile.controls).filter(|control| control.title.is_empty()) {
            control.title = match &control.basis {
                ControlBasis::Checks(checks) => checks.first().and_then(|id| titles.get(id)).cloned().unwrap_or_default(),
                ControlBasis::Manual(text) | ControlBasis::Uncovered(text) => text.clone(),
            };
        }
    }
}

fn keep<T>(loaded: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    loaded.map_err(|found| problems.extend(found)).ok()
}

/// A problem for each name that was given before, told with both places.
fn twice<'a>(named: impl Iterator<Item = (&'static str, &'a str, &'a Place)>, sources: &[Source]) -> Vec<Problem> {
    let mut first: BTreeMap<&str, &Place> = BTreeMap::new();
    let mut problems = Vec::new();
    for (what, name, place) in named {
        match first.get(name) {
            Some(before) => {
                let message = format!("a second {what} `{name}`; the first is at {before}");
                let source = sources.iter().find(|source| source.path == place.file);
                let excerpt = source.and_then(|source| File::new(source).excerpt(place, 1));
                problems.push(Problem { place: place.clone(), excerpt, ..Problem::of_file("", message) });
            }
            None => _ = first.insert(name, place),
        }
    }
    problems
}
