//! The bundled benchmarks and profiles, as data: cases, the need of every claim, names, coverage.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use plimsoll::audit::{judge_case, run_case};
use plimsoll::definition::{Basis, Case, ControlBasis, Definitions, Profile, Source, weaken};

fn loaded() -> Definitions {
    Definitions::load(Source::embedded())
        .unwrap_or_else(|problems| panic!("{}", problems.iter().map(|problem| format!("{problem}\n")).collect::<String>()))
}

fn cases(definitions: &Definitions) -> Vec<Case> {
    let load = |source: &Source| {
        definitions
            .cases(source)
            .unwrap_or_else(|problems| panic!("{}", problems.iter().map(|problem| format!("{problem}\n")).collect::<String>()))
    };
    Source::embedded_cases().iter().flat_map(load).collect()
}

#[test]
fn every_case_comes_out_as_it_says() {
    let definitions = loaded();
    let failed = cases(&definitions).into_iter().filter_map(|case| run_case(&definitions, &case).err());
    let failures: Vec<String> = failed.map(|failure| failure.to_string()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn every_automated_check_has_cases_that_pass_fail_and_cannot_tell() {
    let definitions = loaded();
    let cases = cases(&definitions);
    let mut missing = Vec::new();
    for (_, check) in definitions.checks().filter(|(_, check)| matches!(check.basis, Basis::Automated { .. })) {
        for result in ["pass", "fail", "unknown"] {
            if !cases.iter().any(|case| case.check == check.id && case.result == result) {
                missing.push(format!("{} has no case that is {result}", check.id));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Drops each claimed field of each check in turn: some case of it must come out differently.
#[test]
fn every_claim_is_needed() {
    let definitions = loaded();
    let mut by_check: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for case in cases(&definitions) {
        by_check.entry(case.check.clone()).or_default().push(case);
    }
    let mut idle = Vec::new();
    for (benchmark, check) in definitions.checks() {
        let cases = by_check.get(&check.id).map(Vec::as_slice).unwrap_or_default();
        for (dropped, weaker) in weaken(check) {
            if cases.iter().all(|case| judge_case(benchmark, &weaker, case).result.word() == case.result) {
                idle.push(format!("{}: no case notices when this is dropped: {dropped}", check.id));
            }
        }
    }
    assert!(idle.is_empty(), "{}", idle.join("\n"));
}

#[test]
fn lints_find_nothing() {
    let definitions = loaded();
    let cases = cases(&definitions);
    let lints: Vec<String> = definitions.lints(Some(&cases)).iter().map(ToString::to_string).collect();
    assert!(lints.is_empty(), "{}", lints.join("\n\n"));
}

/// `benchmarks/containers/limits.toml` holds `container-…`: the id begins with what its folder is about. The folders
/// about the machine beneath hold many subjects each.
#[test]
fn ids_begin_with_the_subject_of_their_folder() {
    for (benchmark, check) in loaded().checks() {
        let subject = match benchmark.id.split('/').next().unwrap() {
            "docker" => "docker",
            "containers" => "container",
            "images" => "image",
            "swarm" => "swarm",
            "registries" => "registry",
            _ => continue,
        };
        assert!(check.id.starts_with(&format!("{subject}-")), "{} stands in benchmarks/{}.toml", check.id, benchmark.id);
    }
}

#[test]
fn every_check_is_named_by_some_profile_and_no_title_commands() {
    let definitions = loaded();
    let named: BTreeSet<&str> = definitions
        .profiles
        .iter()
        .flat_map(|profile| &profile.controls)
        .filter_map(|control| match &control.basis {
            ControlBasis::Checks(checks) => Some(checks.iter().map(String::as_str)),
            _ => None,
        })
        .flatten()
        .collect();
    for (_, check) in definitions.checks() {
        assert!(named.contains(check.id.as_str()), "no profile names {}", check.id);
        assert!(!check.title.starts_with("Ensure") && !check.title.ends_with('.'), "{}", check.title);
    }
}

/// The same for distributions, of which most is automated.
#[test]
fn the_linux_profiles_list_every_recommendation() {
    let definitions = loaded();
    let sections: [(&str, [usize; 7], usize); 3] = [
        ("cis-debian-12", [64, 43, 18, 29, 71, 62, 23], 289),
        ("cis-ubuntu-24.04", [66, 43, 18, 29, 71, 62, 23], 289),
        ("cis-rhel-9", [77, 39, 18, 8, 71, 62, 22], 270),
    ];
    for (id, expected, least) in sections {
        let profile = definitions.profile(id).unwrap();
        assert_eq!(by_section(profile), expected, "{id}");
        let automated = profile.controls.iter().filter(|control| matches!(control.basis, ControlBasis::Checks(_))).count();
        assert!(automated >= least, "{id}: {automated} automated");
        for control in &profile.controls {
            let uncovered = matches!(&control.basis, ControlBasis::Uncovered(why) if why.len() < 40);
            assert!(!control.title.starts_with("TODO") && !uncovered, "{id} {} says nothing", control.id);
        }
    }
}

/// How many controls each section has, whose numbers are listed once and in order.
fn by_section(profile: &Profile) -> [usize; 7] {
    let number = |part: &str| part.parse().unwrap_or_else(|_| panic!("{} has a number that is none: {part}", profile.id));
    let numbers: Vec<Vec<usize>> = profile.controls.iter().map(|control| control.id.split('.').map(number).collect()).collect();
    let counted = std::array::from_fn(|at| numbers.iter().filter(|number| number.first() == Some(&(at + 1))).count());
    assert!(numbers.is_sorted_by(|one, next| one < next), "{} lists its numbers once and in order", profile.id);
    counted
}

/// How many recommendations each edition of the framework has, by section.
#[test]
fn the_cis_profiles_list_every_recommendation() {
    let definitions = loaded();
    let sections: [(&str, [usize; 7]); 3] = [
        ("cis-docker-1.8", [20, 19, 24, 12, 32, 2, 9]),
        ("cis-docker-1.7", [20, 18, 24, 12, 32, 2, 9]),
        ("cis-docker-1.6", [20, 18, 24, 12, 32, 2, 9]),
    ];
    for (id, expected) in sections {
        let profile = definitions.profile(id).unwrap();
        assert_eq!(by_section(profile), expected, "{id}");
        let automated = profile.controls.iter().filter(|control| matches!(control.basis, ControlBasis::Checks(_))).count();
        assert!(automated >= 105, "{id}: {automated} automated");
    }
}
