//! Swarm membership of an engine.

use crate::fact::{Flag, Gap, Integer, List, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One engine's part in a swarm. An engine that is in none gives no record.
    pub struct Swarm("swarm") {
        /// Name of the engine.
        engine: Text,
        /// `pending`, `active`, `error` or `locked`.
        state: Text,
        /// `manager` or `worker`.
        role: Text,
        /// Number of managers; unknown on workers.
        managers: Integer,
        /// Whether that number is odd.
        managers_odd: Flag,
        /// Number of nodes; unknown on workers.
        nodes: Integer,
        /// Whether managers must be unlocked after a restart; unknown on workers.
        autolock: Flag,
        /// Days for which a node certificate is valid; unknown on workers.
        certificate_days: Integer,
        /// Days since the root certificate was made.
        root_ca_age_days: Integer,
        /// Whether every control listener (2377, 7946) is bound to a specific address.
        bound: Flag,
        /// Control listeners on every address, as `tcp/2377`.
        unbound_listeners: List,
        /// Address advertised to other nodes.
        advertise_address: Text,
        /// Address for container traffic; absent where it is the advertised one.
        data_path_address: Text,
        /// Whether container traffic has an address of its own.
        data_path_separate: Flag,
    }
}

/// Finds the records.
pub struct Swarms;

impl Resource for Swarms {
    type Row = Swarm;
    const SELECTOR: &'static str = "an engine name";
    const ENUMERABLE: bool = true;


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
