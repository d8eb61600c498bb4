//! Mounted file systems, as PID 1 sees them.

use crate::fact::{Flag, Gap, List, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One mount point in the mount table of the host (PID 1's, not the auditor's own). Where mounts are stacked, the topmost.
    pub struct Mount("mount") {
        /// Where it is mounted; exact, with octal escapes decoded.
        point: Text,
        /// Type of file system, such as `ext4`.
        fs_type: Text,
        /// The device or name mounted.
        device: Text,
        /// Options of this mount: `nodev`, `nosuid`, `noexec`, `ro`, `relatime` and so on.
        options: List,
        /// Options of the file system itself, from after the dash.
        super_options: List,
        /// Propagation: `shared`, `private`, `slave` or `unbindable`.
        propagation: Text,
        /// Whether the file system comes over a network or from a user-space daemon.
        remote: Flag,
    }
}

/// Finds the records.
pub struct Mounts;

impl Resource for Mounts {
    type Row = Mount;
    const SELECTOR: &'static str = "a mount point, or a glob; a path that is not a mount point gives no record";
    const ENUMERABLE: bool = true;


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
