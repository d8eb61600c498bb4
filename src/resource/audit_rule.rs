//! Rules of the kernel's audit system, loaded and on disk.

use crate::fact::{Flag, Gap, List, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One audit rule, normalised so that spellings compare by meaning.
    pub struct AuditRule("audit_rule") {
        /// The rule in one canonical spelling.
        rule: Text,
        /// Whether it is loaded in the kernel.
        loaded: Flag,
        /// Whether a file on disk has it.
        on_disk: Flag,
        /// `exit`, `task`, `user`, `exclude`, `filesystem`.
        list: Text,
        /// `always` or `never`.
        action: Text,
        /// The path or directory watched, aliases resolved; absent for rules without one.
        path: Text,
        /// Whether everything below the path is watched, not the path alone.
        recursive: Flag,
        /// The kinds of access watched: some of `r`, `w`, `x`, `a`.
        permissions: List,
        /// System calls, by name; `all` where the rule names none.
        syscalls: List,
        /// `b64`, `b32`, or absent where the rule is for both.
        arch: Text,
        /// Its key.
        key: Text,
        /// The remaining comparisons, normalised, such as `auid>=1000`, `auid!=unset`.
        fields: List,
    }
}

/// Finds the records.
pub struct AuditRules;

impl Resource for AuditRules {
    type Row = AuditRule;
    const SELECTOR: &'static str = "`\"*\"`, or a path: every rule that watches it, be it by name, by a parent directory or by an alias";
    const KEY: &'static str = "path";
    const ENUMERABLE: bool = true;


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
