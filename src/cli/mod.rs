//! The command line: arguments, phases, progress, exit codes.

mod args;
mod definitions;
mod error;
mod explain;
mod facts;
mod list;
mod load;
mod output;
mod supervised;
mod work;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::seal;
use args::{Cli, Command};
use error::Error;

/// Runs the command and gives its exit code.
///
/// 0 every gate holds, 1 a gate tripped, 2 could not run, 3 a definition, profile or site file is wrong, 4 too little could be
/// determined, 5 the deadline passed and the report is partial.
#[must_use]
pub fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|first| first == seal::WORKER) {
        return seal::worker(work::work);
    }
    match run(Cli::parse().command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::tell(&format!("plimsoll: {error}"));
            ExitCode::from(error.code())
        }
    }
}

fn run(command: Command) -> Result<u8, Error> {
    let text = match command {
        Command::Audit(args) => return supervised::audit(args),
        Command::Facts(args) => return supervised::facts(args),
        Command::SelfTest(args) => return self_test(!args.unsealed),
        Command::Lint(args) => return finish(definitions::lint(&args.paths)?),
        Command::Test(args) => return finish(definitions::test(&args.paths)?),
        Command::Schema(args) => definitions::schema(&args),
        Command::List(args) => list::list(&args)?,
        Command::Explain(args) => explain::explain(&args)?,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "plimsoll", &mut script);
            return output::say(&script).map(|()| 0);
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(|error| Error::Internal(error.to_string()))?;
            return output::say(&page).map(|()| 0);
        }
    };
    output::say(text.as_bytes()).map(|()| 0)
}

/// Prints a text and gives its exit code.
fn finish((text, code): (String, u8)) -> Result<u8, Error> {
    output::say(text.as_bytes()).map(|()| code)
}

/// Prints what came of every act the sandbox must refuse or allow; 1 where one came out otherwise.
fn self_test(sealed: bool) -> Result<u8, Error> {
    let attempts = seal::self_test(sealed)?;
    let mut text = String::new();
    for attempt in &attempts {
        let verdict = if attempt.ok { "ok  " } else { "FAIL" };
        text += &format!("{verdict}  {:10} {:50} {:?}\n", attempt.group, attempt.act, attempt.observed);
    }
    let forbidden: Vec<_> = attempts.iter().filter(|attempt| attempt.forbidden).collect();
    let refused = forbidden.iter().filter(|attempt| attempt.ok).count();
    text += &format!("{refused} of {} forbidden acts refused\n", forbidden.len());
    finish((text, u8::from(!attempts.iter().all(|attempt| attempt.ok))))
}
