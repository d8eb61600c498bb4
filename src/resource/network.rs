//! Networks of an engine.

use crate::fact::{Flag, Gap, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One network.
    pub struct Network("network", document) {
        /// Name.
        name: Text,
        /// Name of the engine.
        engine: Text,
        /// Driver: `bridge`, `overlay`, `macvlan` and so on.
        driver: Text,
        /// `local` or `swarm`.
        scope: Text,
        /// Whether it has no way out.
        internal: Flag,
        /// Whether it is the predefined routing mesh of a swarm.
        ingress: Flag,
        /// Whether traffic between hosts is encrypted: the option is present, whatever its value. Meaningful for overlays.
        encrypted: Flag,
        /// Whether containers on it may talk to each other; absent where the driver has no such setting.
        icc: Flag,
        /// Whether it is the default bridge.
        default_bridge: Flag,
    }
}

/// Finds the records.
pub struct Networks;

impl Resource for Networks {
    type Row = Network;
    const SELECTOR: &'static str = "a network name, or a glob";
    const ENUMERABLE: bool = true;


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
