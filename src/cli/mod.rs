//! The command line: arguments, phases, progress, exit codes.

mod args;

use std::process::ExitCode;

use clap::Parser as _;

use crate::seal;

/// Runs the command and gives its exit code.
#[must_use]
pub fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|first| first == seal::WORKER) {
        return seal::worker(|_| 0);
    }
    match args::Cli::parse().command {
        args::Command::SelfTest(asked) => self_test(!asked.unsealed),
        _ => ExitCode::SUCCESS,
    }
}

/// Prints what came of every act the sandbox must refuse or allow.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the command line is what prints")]
fn self_test(sealed: bool) -> ExitCode {
    match seal::self_test(sealed) {
        Ok(attempts) => {
            for attempt in &attempts {
                let verdict = if attempt.ok { "ok  " } else { "FAIL" };
                println!("{verdict}  {:10} {:50} {:?}", attempt.group, attempt.act, attempt.observed);
            }
            let forbidden: Vec<_> = attempts.iter().filter(|attempt| attempt.forbidden).collect();
            let refused = forbidden.iter().filter(|attempt| attempt.ok).count();
            println!("{refused} of {} forbidden acts refused", forbidden.len());
            if attempts.iter().all(|attempt| attempt.ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("plimsoll: {error}");
            ExitCode::from(2)
        }
    }
}
