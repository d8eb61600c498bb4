//! Client configurations that hold logins to registries: Docker's `config.json`, its old `.dockercfg`, Podman's `auth.json`.
//!
//! Secrets are looked at only to see whether there are any; no value is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::{Deserialize, Deserializer, IgnoredAny};

use crate::fact::{Reason, Secret};

/// The logins a client configuration holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logins {
    /// Registries whose password or token is in the file itself.
    pub plaintext: BTreeSet<String>,
    /// Registries whose login a helper program keeps.
    pub helped: BTreeSet<String>,
    /// The helper for every other registry.
    pub store: Option<String>,
}

#[derive(serde::Deserialize)]
struct File {
    auths: Option<BTreeMap<String, Login>>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
    #[serde(rename = "credHelpers")]
    helpers: Option<BTreeMap<String, IgnoredAny>>,
}

#[derive(serde::Deserialize)]
struct Login {
    #[serde(default)]
    auth: Filled,
    #[serde(default)]
    password: Filled,
    #[serde(default, rename = "identitytoken")]
    identity: Filled,
    #[serde(default, rename = "registrytoken")]
    registry: Filled,
}

/// Whether a secret is there and not empty.
#[derive(Default)]
struct Filled(bool);

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let secret = Secret::new(Option::<String>::deserialize(from)?);
        Ok(Self(secret.expose().as_ref().is_some_and(|secret| !secret.is_empty())))
    }
}

impl Login {
    fn plain(&self) -> bool {
        self.auth.0 || self.password.0 || self.identity.0 || self.registry.0
    }
}

/// Reads `config.json` or `auth.json`. An entry without a secret counts as helped only where a store is named: it is
/// what logging in with a store leaves behind.
pub fn config(bytes: &[u8]) -> Result<Logins, Reason> {
    let file: File = read(bytes)?;
    let store = file.store.filter(|store| !store.is_empty());
    let mut logins = Logins { helped: file.helpers.unwrap_or_default().into_keys().collect(), store, ..Logins::default() };
    for (registry, login) in file.auths.unwrap_or_default() {
        if login.plain() {
            logins.plaintext.insert(registry);
        } else if logins.store.is_some() {
            logins.helped.insert(registry);
        }
    }
    Ok(logins)
}

/// Reads `.dockercfg`, which holds nothing but logins, by registry.
pub fn dockercfg(bytes: &[u8]) -> Result<Logins, Reason> {
    let logins: BTreeMap<String, Login> = read(bytes)?;
    let plaintext = logins.into_iter().filter(|(_, login)| login.plain()).map(|(registry, _)| registry).collect();
    Ok(Logins { plaintext, ..Logins::default() })
}

/// The parser's message may quote what it stumbled over, so only the place is kept.
fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Reason> {
    if bytes.trim_ascii().is_empty() {
        return serde_json::from_str("{}").map_err(|_| Reason::malformed("is empty"));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| Reason::malformed(format!("is no client configuration at line {} column {}", error.line(), error.column())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(set: &BTreeSet<String>) -> Vec<&str> {
        set.iter().map(String::as_str).collect()
    }

    #[test]
    fn secrets_are_seen_and_not_kept() {
        let logins = config(
            br#"{"auths":{"a":{"auth":"dXNlcjpzM2NyZXQ="},"b":{},"c":{"identitytoken":"t"},"d":{"auth":"","email":"x"},"e":{"auth":null}},
                 "credHelpers":{"gcr.io":"gcloud"},"HttpHeaders":{}}"#,
        )
        .unwrap();
        assert_eq!((names(&logins.plaintext), names(&logins.helped)), (vec!["a", "c"], vec!["gcr.io"]));
        assert_eq!(logins.store, None);
        assert!(!format!("{logins:?}").contains("dXNl"));
    }

    #[test]
    fn a_store_helps_entries_without_secrets() {
        let logins = config(br#"{"auths":{"a":{},"b":{"auth":"x"}},"credsStore":"pass"}"#).unwrap();
        assert_eq!((names(&logins.plaintext), names(&logins.helped)), (vec!["b"], vec!["a"]));
        assert_eq!(logins.store.as_deref(), Some("pass"));
    }

    #[test]
    fn old_files_hold_nothing_but_logins() {
        assert_eq!(names(&dockercfg(br#"{"https://index.docker.io/v1/":{"auth":"x","email":"e"},"b":{}}"#).unwrap().plaintext).len(), 1);
    }

    #[test]
    fn errors_do_not_quote() {
        let error = config(br#"{"auths":{"a":"s3cret"}}"#).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
        assert!(config(b"[]").is_err());
        assert_eq!(config(b" \n"), Ok(Logins::default()));
    }
}
