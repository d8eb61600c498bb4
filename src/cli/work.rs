//! What the sealed worker does: everything from loading definitions to rendered bytes.

use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::Utc;
use serde::{Deserialize, Serialize};

use super::args::{AuditArgs, FactsArgs, HostArgs};
use super::error::Error;
use super::{facts, load};
use crate::audit::{self, Gates, Limits, NoSuch, Options, Plan, Request};
use crate::definition::Definitions;
use crate::host::Host;
use crate::host::broker::Broker;
use crate::host::live::Live;
use crate::host::root::Root;
use crate::report::{self, Format, Style};
use crate::resource::Context;
use crate::seal::{Report, Sealed};

/// What the worker is handed: a command, as it was understood.
#[derive(Serialize, Deserialize)]
pub(crate) enum Task {
    /// `plimsoll audit`.
    Audit {
        /// Its arguments.
        args: Box<AuditArgs>,
        /// The formats to render, in the order of their outputs.
        formats: Vec<Format>,
        /// How terminal reports look.
        style: Style,
    },
    /// `plimsoll facts`.
    Facts(FactsArgs),
}

/// The number of the output that goes to standard error, such as what was wrong.
pub(crate) const DIAGNOSTICS: u16 = u16::MAX;

/// Bytes of a report that are gathered before they are handed over.
const PIECE: usize = 64 * 1024;

/// Carries out the task in the sealed process; gives the exit code of the command.
pub(crate) fn work(sealed: Sealed) -> u8 {
    let report = sealed.report.clone();
    match carry_out(sealed) {
        Ok(code) => code,
        Err(error) => {
            let _ = report.output(DIAGNOSTICS).write_all(format!("plimsoll: {error}").as_bytes());
            error.code()
        }
    }
}

fn carry_out(sealed: Sealed) -> Result<u8, Error> {
    let task: Task = sealed.job().map_err(|error| Error::Internal(error.to_string()))?;
    match task {
        Task::Audit { args, formats, style } => audit(sealed, *args, &formats, style),
        Task::Facts(args) => {
            let host = host(&args.host, Box::new(sealed.broker))?;
            let text = facts::show(&args, &Context::new(&*host))?;
            put(&sealed.report, 0, text.as_bytes())?;
            Ok(0)
        }
    }
}

fn audit(sealed: Sealed, args: AuditArgs, formats: &[Format], style: Style) -> Result<u8, Error> {
    let definitions = load::definitions(&args.definitions)?;
    let (site, set) = load::site(&args.tailoring, &definitions)?;
    let request =
        Request { profiles: args.profile, level: args.level, role: args.role.map(Into::into), only: args.only, skip: args.skip, site, set };
    if args.plan {
        let text = planned(&definitions, &request)?;
        put(&sealed.report, 0, text.as_bytes())?;
        return Ok(0);
    }
    let host = host(&args.host, Box::new(sealed.broker))?;
    let limits = Limits { deadline: args.host.deadline, ..Limits::default() };
    let options = Options { request, limits, sandbox: Some(sealed.sandbox) };
    let to = &sealed.report;
    let mut progress = |progress: audit::Progress<'_>| {
        to.progress(&format!("{} of {} looked at: {}", progress.done, progress.of, progress.query.resource));
    };
    let run = audit::audit(host, &definitions, &options, &mut progress)?;
    let gates = Gates {
        fail_on: args.fail_on,
        fail_under: args.fail_under,
        fail_on_unknown: args.fail_on_unknown,
        min_coverage: args.min_coverage,
    };
    let judgement = gates.judge(&run);
    let mut outputs = 0..DIAGNOSTICS;
    let mut next = || outputs.next().ok_or_else(|| Error::Internal("too many formats".to_owned()));
    for format in formats {
        let mut output = BufWriter::with_capacity(PIECE, to.output(next()?));
        format.write(&run, style, &mut output).and_then(|()| output.flush()).map_err(lost)?;
    }
    if args.explain_score {
        put(to, next()?, report::explain_score(&run).as_bytes())?;
    }
    if !judgement.reasons.is_empty() {
        put(to, DIAGNOSTICS, format!("plimsoll: {}", judgement.reasons.join("; ")).as_bytes())?;
    }
    Ok(judgement.exit.code())
}

/// What would be asked, one question to a line.
fn planned(definitions: &Definitions, request: &Request) -> Result<String, NoSuch> {
    let profiles = audit::plan::candidates(definitions, request)?;
    let plan = Plan::new(definitions, request, profiles)?;
    Ok(plan.in_words().join("\n") + "\n")
}

/// The host to look at: this machine, or a directory.
fn host(args: &HostArgs, broker: Box<dyn Broker>) -> Result<Arc<dyn Host + Send + Sync>, Error> {
    let now = Utc::now();
    Ok(match &args.root {
        Some(directory) => Arc::new(Root::open(directory, now)?),
        None => {
            let live = Live::new(broker, now).map_err(Error::Live)?;
            Arc::new(live.naming(args.engine_socket.clone()))
        }
    })
}

fn put(report: &Report, number: u16, bytes: &[u8]) -> Result<(), Error> {
    report.output(number).write_all(bytes).map_err(lost)
}

fn lost(source: io::Error) -> Error {
    Error::Write { path: PathBuf::from("the supervisor"), source }
}
