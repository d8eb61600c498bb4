//! Logins to registries kept by users of the host.

use crate::fact::{Gap, List, Mode, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One client configuration that may hold logins: `~/.docker/config.json`, `.dockercfg`, Podman's `auth.json`, of every account. Secrets are never kept.
    pub struct RegistryLogin("registry_login") {
        /// Path of the file.
        path: Text,
        /// Account in whose home it is.
        user: Text,
        /// Registries whose login is stored in the file itself, merely base64-encoded.
        plaintext: List,
        /// Registries whose login is with a credential helper.
        helped: List,
        /// Default credential store.
        store: Text,
        /// Permission bits of the file.
        mode: Mode,
    }
}

/// Finds the records.
pub struct RegistryLogins;

impl Resource for RegistryLogins {
    type Row = RegistryLogin;
    const SELECTOR: &'static str = "a path, or a glob; accounts without such a file give no record";
    const ENUMERABLE: bool = true;


    fn collect(_context: &Context<'_>, _of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Err(Gap::new(crate::fact::Origin::Derived, crate::fact::Reason::NotCollected))
    }
}
