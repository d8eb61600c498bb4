//! Groups and everybody in them.

use crate::fact::{Flag, Gap, Integer, List, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One group of the host's group file.
    pub struct Group("group") {
        /// Name.
        name: Text,
        /// Numeric id.
        gid: Integer,
        /// Everybody in it: members listed, and users whose primary group it is.
        members: List,
        /// Users whose primary group it is.
        primary_members: List,
        /// Whether another group has the same gid.
        gid_shared: Flag,
    }
}

/// Finds the records.
pub struct Groups;

impl Resource for Groups {
    type Row = Group;
    const SELECTOR: &'static str = "a group name, or a glob; no such group gives no record";
    const ENUMERABLE: bool = true;


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
