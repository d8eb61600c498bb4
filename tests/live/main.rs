//! Against real container engines and the real kernel: a host of its own for each test, thrown away afterwards.
//!
//! They need root, dockerd, a docker client, a static busybox and strace. Where something is missing, each test says so and passes.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test"
)]

mod answers;
mod engine;
mod fake;
mod host;
mod promises;
mod report;
mod settings;
mod verdicts;

/// Says why a test cannot be made on this machine and ends it, where that is so.
macro_rules! needs {
    ($name:literal, $($program:literal),*) => {
        if let Some(why) = $crate::missing(&[$($program),*]) {
            eprintln!("SKIPPED live test {}: {why}", $name);
            return;
        }
    };
}
use needs;

/// What a test needs and this machine lacks.
fn missing(programs: &[&str]) -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("it needs root".into());
    }
    let lacking: Vec<&str> = programs.iter().copied().filter(|program| host::program(program).is_none()).collect();
    (!lacking.is_empty()).then(|| format!("there is no {}", lacking.join(" and no ")))
}
