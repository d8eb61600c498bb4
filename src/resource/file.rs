//! Files: existence, kind, owner, group and mode.

use crate::fact::{Flag, Gap, Integer, Mode, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One path. A path that is not there is a record with `exists = false`; a glob gives only what is there.
    pub struct File("file") {
        /// The path as asked for.
        path: Text,
        /// Whether anything is there, following links.
        exists: Flag,
        /// `file`, `directory`, `socket`, `fifo`, `device` or `other`, following links; absent where nothing is.
        kind: Text,
        /// Name of the owner, from the host's own passwd; the number where it has no name.
        owner: Text,
        /// Name of the group, from the host's own group file; the number where it has no name.
        group: Text,
        /// Numeric owner.
        uid: Integer,
        /// Numeric group.
        gid: Integer,
        /// Permission bits, set-uid, set-gid and sticky included.
        mode: Mode,
        /// Size in bytes.
        size_bytes: Integer,
        /// The path with links resolved.
        target: Text,
        /// Days since the content last changed.
        age_days: Integer,
        /// Whether somebody other than root can replace it by writing to one of its parent directories (sticky ones excepted).
        replaceable: Flag,
    }
}

/// Finds the records.
pub struct Files;

impl Resource for Files {
    type Row = File;
    const SELECTOR: &'static str = "an absolute path, or a glob: `*` within a directory, `**` is not allowed";
    const ENUMERABLE: bool = false;


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
