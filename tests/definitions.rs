//! Definition files as their authors meet them: what loads, and what is said of what does not.

use plimsoll::definition::{Basis, Definitions, Source};

const SAMPLES: &[(&str, &str)] = &[
    ("benchmarks/host/kernel.toml", include_str!("definitions/kernel.toml")),
    ("benchmarks/docker/daemon.toml", include_str!("definitions/docker.toml")),
    ("benchmarks/docker/container.toml", include_str!("definitions/container.toml")),
];

fn samples() -> Vec<Source> {
    SAMPLES.iter().map(|(path, text)| Source::new(path, *text)).collect()
}

fn loaded(sources: Vec<Source>) -> Definitions {
    Definitions::load(sources).unwrap_or_else(|problems| panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>()))
}

#[test]
fn samples_load() {
    let definitions = loaded(samples());
    assert_eq!(definitions.benchmarks.len(), 3);
    let (benchmark, check) = definitions.check("docker-icc-disabled").unwrap();
    assert_eq!(benchmark.id, "docker/daemon");
    assert_eq!(check.applies_when.len(), 1, "the file's condition is the check's too");
    assert_eq!((check.place.line, check.place.column), (27, 1));
    let manual = definitions.check("container-owners-known").unwrap().1;
    assert!(matches!(&manual.basis, Basis::Manual { ask } if ask.starts_with("Ask")));
}
