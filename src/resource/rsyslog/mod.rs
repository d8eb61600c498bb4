//! rsyslog: where its logs come from, where they go, and with which modes it makes files.
//!
//! Its files are read in place, as includes ask for them, since many directives count only from where they stand on.

mod effective;
mod files;

use crate::fact::{Fact, Flag, Gap, List, Mode, Origin, Text, record};

use super::{Context, Resource, Selector};
use effective::{Effective, Target};

record! {
    /// What the configuration of rsyslog makes of logs. No record where there is no configuration.
    pub struct Rsyslog("rsyslog") {
        /// Path of the main file.
        path: Text,
        /// Files that are included, in the order they are read.
        included: List,
        /// Modules that receive logs from the network, by name: `imtcp`, `imudp`, `imrelp` and their like, loaded or used.
        network_inputs: List,
        /// Whether it reads the journal itself (`imjournal`).
        reads_journal: Flag,
        /// Every mode in which it makes files, taken together: a bit is set if some file is made with it. rsyslog's own default is
        /// 0644. Absent where it writes no files.
        file_mode: Mode,
        /// The files it writes, each with the mode it makes it in: `0640 /var/log/syslog`.
        files: List,
        /// Where logs go over the network: `tls tcp host:514`, `tcp host:514`, `udp host:514`, `relp …`.
        remote_targets: List,
        /// Whether everything that goes over the network is encrypted; absent where nothing goes there.
        encrypted: Flag,
        /// Whether the other end of all of it is checked by its certificate; absent where nothing goes there.
        verified: Flag,
        /// Whether all of it waits on disk while the other end is away; absent where nothing goes there.
        queued: Flag,
    }
}

/// Finds the record.
pub struct Rsyslogs;

/// The main file.
pub(crate) const PATH: &str = "/etc/rsyslog.conf";

impl Resource for Rsyslogs {
    type Row = Rsyslog;
    const SELECTOR: &'static str = "`\"*\"`";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, _: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let path = Fact::Known(Text::from(PATH), Origin::file(PATH));
        let read = match files::read(context.host) {
            Fact::Known(read, _) => read,
            Fact::Absent(_) => return Ok(Vec::new()),
            Fact::Unknown(gap) => return Ok(vec![Rsyslog { path, ..Rsyslog::unknown(&gap) }]),
        };
        let effective = Effective::of(&read.statements);
        Ok(vec![row(path, read.included, &effective)])
    }
}

fn row(path: Fact<Text>, included: Vec<Text>, effective: &Effective) -> Rsyslog {
    let main = Origin::file(PATH);
    let each = |judge: &dyn Fn(&Target) -> bool| match effective.targets.iter().find(|(target, _)| !judge(target)) {
        Some((_, origin)) => Fact::Known(false, origin.clone()),
        None => match effective.targets.first() {
            Some((_, origin)) => Fact::Known(true, origin.clone()),
            None => Fact::Absent(main.clone()),
        },
    };
    let list = |found: &[(Text, Origin)]| {
        let origin = found.first().map_or_else(|| main.clone(), |(_, origin)| origin.clone());
        Fact::Known(found.iter().map(|(text, _)| text.clone()).collect(), origin)
    };
    let widest = effective.files.iter().max_by_key(|file| file.mode.count_ones());
    let targets: Vec<_> = effective.targets.iter().map(|(target, origin)| (target.shown(), origin.clone())).collect();
    Rsyslog {
        path,
        included: Fact::Known(included, main.clone()),
        network_inputs: list(&effective.inputs),
        reads_journal: Fact::Known(effective.reads_journal, main.clone()),
        file_mode: match widest {
            Some(widest) => {
                let bits = effective.files.iter().fold(0, |bits, file| bits | file.mode);
                Fact::Known(Mode::from_bits(bits), widest.origin.clone())
            }
            None => Fact::Absent(main.clone()),
        },
        files: Fact::Known(
            effective.files.iter().map(|file| Text::from(format!("{:04o} {}", file.mode, file.path))).collect(),
            main.clone(),
        ),
        remote_targets: list(&targets),
        encrypted: each(&|target| target.encrypted),
        verified: each(&|target| target.verified),
        queued: each(&|target| target.queued),
    }
}

/// What is known of where logs go, for resources that compare programs.
pub(crate) fn summary(context: &Context<'_>) -> Option<Rsyslog> {
    Rsyslogs::collect(context, &Selector::All).ok()?.pop()
}

#[cfg(test)]
mod tests;
