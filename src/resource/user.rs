//! User accounts.

use crate::fact::{Flag, Gap, Integer, List, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One account of the host's passwd, with what shadow says about it. Hashes are never kept.
    pub struct User("user") {
        /// Login name.
        name: Text,
        /// Numeric id.
        uid: Integer,
        /// Numeric id of the primary group.
        gid: Integer,
        /// Home directory.
        home: Text,
        /// Login shell.
        shell: Text,
        /// Every group it is in, primary and secondary, by name.
        groups: List,
        /// Whether another account has the same uid.
        uid_shared: Flag,
        /// `set`, `locked`, `empty` or `none` (no entry in shadow).
        password: Text,
        /// How the password is hashed: `yescrypt`, `sha512`, `sha256`, `bcrypt`, `md5`, `des`, `other`; absent without one.
        password_hash: Text,
        /// Whether the shell lets it log in.
        login: Flag,
    }
}

/// Finds the records.
pub struct Users;

impl Resource for Users {
    type Row = User;
    const SELECTOR: &'static str = "a login name, or a glob; no such user gives no record";
    const ENUMERABLE: bool = true;


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
