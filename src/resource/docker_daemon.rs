//! What dockerd was told, option by option, merged from every place that can tell it.

use crate::fact::{Flag, Gap, List, Setting, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One option of one Docker daemon. Every known option has a record, set or not.
    pub struct DockerOption("docker_daemon") {
        /// Name as in daemon.json, such as `icc`, `insecure-registries`, `hosts`.
        option: Text,
        /// Name of the engine.
        engine: Text,
        /// What the running daemon uses, or would use when started: flags normalised to `true` and `false`, numbers and
        /// text as they are, objects as compact JSON. Absent where it is unset and has no default. For lists see `values`.
        value: Setting,
        /// The elements of an option that is a list, or `key=value` for one that is a map; for scalars the one value. Empty where unset.
        values: List,
        /// Where the winner stands: `flag`, `file` or `default`.
        source: Text,
        /// Every place that sets it or gives its default, winner first, as `place value`.
        sources: List,
        /// What the next start of the daemon will use, from unit, drop-ins, environment files and daemon.json.
        next_value: Setting,
        /// Whether the value in use is what the next start will use too: false for a flag given by hand.
        persistent: Flag,
        /// Whether what is configured on disk is what runs: false where the file changed after the start.
        in_force: Flag,
        /// Whether it is set both by flag and in the file, so that the daemon will refuse to start.
        conflict: Flag,
    }
}

/// Finds the records.
pub struct DockerDaemon;

impl Resource for DockerDaemon {
    type Row = DockerOption;
    const SELECTOR: &'static str = "an option by its name in daemon.json";
    const ENUMERABLE: bool = true;


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
