//! What the sealed worker does: everything from loading definitions to rendered bytes.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::Utc;
use serde::{Deserialize, Serialize};

use super::args::{FactsArgs, HostArgs};
use super::error::Error;
use super::facts;
use crate::host::Host;
use crate::host::broker::Broker;
use crate::host::live::Live;
use crate::host::root::Root;
use crate::resource::Context;
use crate::seal::{Report, Sealed};

/// What the worker is handed: a command, as it was understood.
#[derive(Serialize, Deserialize)]
pub(crate) enum Task {
    /// `plimsoll facts`.
    Facts(FactsArgs),
}

/// The number of the output that goes to standard error, such as what was wrong.
pub(crate) const DIAGNOSTICS: u16 = u16::MAX;

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
        Task::Facts(args) => {
            let host = host(&args.host, Box::new(sealed.broker))?;
            let text = facts::show(&args, &Context::new(&*host))?;
            put(&sealed.report, 0, text.as_bytes())?;
            Ok(0)
        }
    }
}

/// The host to look at: this machine, or a directory.
fn host(args: &HostArgs, broker: Box<dyn Broker>) -> Result<Arc<dyn Host + Send + Sync>, Error> {
    let now = Utc::now();
    Ok(match &args.root {
        Some(directory) => Arc::new(Root::open(directory, now)?),
        None => Arc::new(Live::new(broker, now).map_err(|source| Error::Audit(format!("cannot open /: {source}")))?),
    })
}

fn put(report: &Report, number: u16, bytes: &[u8]) -> Result<(), Error> {
    report.output(number).write_all(bytes).map_err(|source| Error::Write { path: PathBuf::from("the supervisor"), source })
}
