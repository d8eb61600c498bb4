//! The command line: arguments, phases, progress, exit codes.

mod args;

use std::process::ExitCode;

use clap::Parser as _;

/// Runs the command and gives its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let _ = args::Cli::parse();
    ExitCode::SUCCESS
}
