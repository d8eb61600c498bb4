//! Kernel parameters, running and configured.

use crate::fact::{Gap, List, Setting, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One kernel parameter, as running and as configured to persist.
    pub struct Sysctl("sysctl") {
        /// Dotted name, such as `net.ipv4.ip_forward`.
        name: Text,
        /// What the running kernel uses; absent where it has no such parameter.
        running: Setting,
        /// What the last-applied configuration file sets, as systemd-sysctl resolves them; absent where none does.
        configured: Setting,
        /// Every configuration file and line that sets it, in the order they are applied, as `path:line value`.
        assignments: List,
    }
}

/// Finds the records.
pub struct Sysctls;

impl Resource for Sysctls {
    type Row = Sysctl;
    const SELECTOR: &'static str = "a dotted name; a name with a slash in place of a dot (an interface with a dot) is understood";
    const ENUMERABLE: bool = false;


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
