//! The invariants of ARCHITECTURE.md that the compiler cannot hold.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "it reads the source tree, and fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From left to right: a module may use only those before it.
const LAYERS: [&str; 9] = ["fact", "parse", "host", "resource", "definition", "audit", "report", "store", "cli"];

/// What the sandbox may use besides itself. Only `cli` may use the sandbox.
const SEAL_USES: [&str; 3] = ["fact", "host", "store"];

fn rust_files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|suffix| suffix == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn source() -> PathBuf {
    root().join("src")
}

/// The layer a file belongs to; `None` for lib.rs and main.rs.
fn layer_of(file: &Path) -> Option<String> {
    let below = file.strip_prefix(source()).unwrap();
    (below.components().count() > 1).then(|| below.iter().next().unwrap().to_string_lossy().into_owned())
}

/// A line without its comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// The modules a text names after `crate::`, with the line of each.
fn uses(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (at, _) in code(line).match_indices("crate::") {
            let after = &code(line)[at + "crate::".len()..];
            let names: Vec<&str> = match after.strip_prefix('{') {
                Some(group) => group.split(',').map(|part| part.trim().split("::").next().unwrap_or_default()).collect(),
                None => vec![after.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()],
            };
            found.extend(names.into_iter().map(|name| (number + 1, name.trim_matches('}').to_owned())));
        }
    }
    found
}

fn may_use(own: &str, used: &str) -> bool {
    let rank = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    match (own, used) {
        (own, used) if own == used => true,
        ("seal", used) => SEAL_USES.contains(&used) || rank(used).is_none(),
        (own, "seal") => own == "cli",
        (own, used) => match (rank(own), rank(used)) {
            (Some(own), Some(used)) => used < own,
            (None, _) => panic!("src/{own} is in no layer"),
            (Some(_), None) => true,
        },
    }
}

#[test]
fn layers_point_left() {
    let mut wrong = Vec::new();
    for file in rust_files(&source()) {
        let Some(own) = layer_of(&file) else { continue };
        for (line, used) in uses(&fs::read_to_string(&file).unwrap()) {
            if !may_use(&own, &used) {
                wrong.push(format!("{}:{line}: {own} uses {used}", file.strip_prefix(source()).unwrap().display()));
            }
        }
    }
    assert!(wrong.is_empty(), "a module may use only those to its left:\n{}", wrong.join("\n"));
}

#[test]
fn modules_stand_in_layer_order() {
    let lib = fs::read_to_string(source().join("lib.rs")).unwrap();
    let order: Vec<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).filter(|name| *name != "seal").collect();
    assert_eq!(order, LAYERS);
}

#[test]
fn judging_has_no_host_and_no_clock() {
    let is_judge = |file: &PathBuf| file.iter().any(|part| part.to_string_lossy().starts_with("judge"));
    let files: Vec<PathBuf> = rust_files(&source().join("audit")).into_iter().filter(is_judge).collect();
    assert!(!files.is_empty(), "audit/judge.rs is gone");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for banned in ["host::", "dyn Host", "SystemTime", "Instant", "Utc::now", "Local::now", "std::fs", "std::env", "std::net"] {
            assert!(!text.contains(banned), "{} names {banned}: judging is a pure function", file.display());
        }
    }
}

#[test]
fn the_crate_forbids_unsafe() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
}

#[test]
fn only_the_command_line_prints() {
    for file in rust_files(&source()) {
        if layer_of(&file).is_some_and(|layer| layer == "cli") {
            continue;
        }
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            for printer in ["println!(", "print!(", "eprintln!(", "eprint!(", "dbg!("] {
                let whole_word = |at: usize| !code(line)[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                let printed = code(line).match_indices(printer).any(|(at, _)| whole_word(at));
                assert!(!printed, "{}:{}: {printer}", file.display(), number + 1);
            }
        }
    }
}

#[test]
fn no_async_runtime_and_no_tls_library_comes_into_the_tree() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let packages: BTreeSet<&str> = lock.lines().filter_map(|line| line.strip_prefix("name = ")).collect();
    for banned in ["\"tokio\"", "\"openssl-sys\"", "\"async-std\""] {
        assert!(!packages.contains(banned), "{banned} came into the tree");
    }
}
