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
mod sshd;
mod verdicts;

use std::io::Write as _;
use std::sync::OnceLock;

/// Says why a test cannot be made on this machine and ends it, where that is so.
macro_rules! needs {
    ($name:literal, $($program:literal),*) => {
        if $crate::is_skipped($name, &[$($program),*]) {
            return;
        }
    };
}
use needs;

/// Whether a test lacks something, which is then said.
fn is_skipped(name: &str, programs: &[&str]) -> bool {
    let why = missing(programs);
    if let Some(why) = &why {
        // Past the test harness, which keeps to itself what a passing test prints.
        let _ = std::io::stderr().write_all(format!("SKIPPED live test {name}: {why}\n").as_bytes());
    }
    why.is_some()
}

/// What a test needs and this machine lacks.
fn missing(programs: &[&str]) -> Option<String> {
    static HOST: OnceLock<Option<String>> = OnceLock::new();
    if !rustix::process::geteuid().is_root() {
        return Some("it needs root".into());
    }
    let lacking: Vec<&str> = programs.iter().copied().filter(|program| host::program(program).is_none()).collect();
    if !lacking.is_empty() {
        return Some(format!("there is no {}", lacking.join(" and no ")));
    }
    HOST.get_or_init(host::hindrance).clone()
}
