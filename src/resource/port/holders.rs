//! Which processes hold a socket.

use std::collections::HashMap;
use std::sync::Arc;

use crate::fact::{Fact, Gap, List, Origin, Reason, Text};
use crate::parse::sockets;
use crate::resource::Context;
use crate::resource::process_table::{ProcessTable, Running};

/// Every process that holds a socket.
pub(super) struct Holders {
    pids: HashMap<u64, Vec<i32>>,
    /// Why a socket nobody holds may be held after all.
    doubt: Option<Gap>,
    table: Arc<Result<ProcessTable, Gap>>,
}

/// Who holds one socket.
pub(super) struct Holder {
    pub(super) process: Fact<Text>,
    pub(super) pids: Fact<List>,
    pub(super) unit: Fact<Text>,
    /// Identifier of the container the process runs in.
    pub(super) container: Fact<String>,
}

impl Holder {
    fn unknown(gap: &Gap) -> Self {
        let gap = || gap.clone();
        Self { process: Fact::Unknown(gap()), pids: Fact::Unknown(gap()), unit: Fact::Unknown(gap()), container: Fact::Unknown(gap()) }
    }

    pub(super) fn none(origin: &Origin) -> Self {
        let origin = || origin.clone();
        Self {
            process: Fact::Absent(origin()),
            pids: Fact::Known(Vec::new(), origin()),
            unit: Fact::Absent(origin()),
            container: Fact::Absent(origin()),
        }
    }
}

impl Holders {
    pub(super) fn of(context: &Context<'_>) -> Self {
        let mut holders = Self { pids: HashMap::new(), doubt: None, table: ProcessTable::of(context) };
        match context.host.socket_owners() {
            Fact::Known(bytes, origin) => {
                for (pid, inode) in sockets::owners(&bytes) {
                    match inode {
                        Some(inode) => holders.pids.entry(inode).or_default().push(pid),
                        None => holders.doubt = Some(Gap::new(origin.clone(), Reason::Denied)),
                    }
                }
            }
            Fact::Absent(origin) => holders.doubt = Some(Gap::new(origin, Reason::NotCollected)),
            Fact::Unknown(gap) => holders.doubt = Some(gap),
        }
        for pids in holders.pids.values_mut() {
            pids.sort_unstable();
            pids.dedup();
        }
        holders
    }

    pub(super) fn of_socket(&self, inode: u64) -> Holder {
        let origin = Origin::kernel("/proc");
        let Some(pids) = self.pids.get(&inode) else {
            return self.doubt.as_ref().map_or_else(|| Holder::none(&origin), Holder::unknown);
        };
        // The manager of units holds the sockets of its units beside the service they are for.
        let chosen = pids.iter().find(|pid| **pid != 1).or(pids.first());
        let held: List = pids.iter().map(|pid| Text::from(pid.to_string())).collect();
        let running = match self.table.as_ref() {
            Ok(table) => table.processes.iter().find(|process| Some(&process.pid) == chosen),
            Err(_) => None,
        };
        let gone = Gap::new(origin.clone(), Reason::unsupported("the process ended while it was looked at"));
        let from = |running: Option<&Running>| match running {
            Some(running) => Holder {
                process: running.status.as_ref().map(|status| status.name.as_str().into()),
                pids: Fact::Known(Vec::new(), origin.clone()),
                unit: running.unit.clone().map(Text::from),
                container: running.container.clone(),
            },
            None => Holder::unknown(&gone),
        };
        Holder { pids: Fact::Known(held, origin.clone()), ..from(running) }
    }
}
