//! Logins to registries kept by users of the host.

use std::collections::BTreeSet;
use std::path::Path;

use crate::fact::{Fact, Gap, List, Mode, Origin, Reason, Text, record};
use crate::parse::client_config::{Logins, config, dockercfg};

use super::accounts::Accounts;
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

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let accounts = Accounts::of(context);
        let mut seen = BTreeSet::new();
        let mut rows = Vec::new();
        for place in places(&accounts) {
            if of.picks(&place.path) && seen.insert(place.path.clone()) {
                rows.extend(row(context, &place));
            }
        }
        // Accounts that cannot be read may have any: one record says so.
        rows.extend(accounts.passwd().err().as_ref().map(RegistryLogin::unknown));
        Ok(rows)
    }
}

/// Where one account may keep logins, and how the file is written.
struct Place {
    path: String,
    user: Text,
    read: fn(&[u8]) -> Result<Logins, Reason>,
}

/// Every place of every account, root's first and also where the account file does not name it.
fn places(accounts: &Accounts) -> Vec<Place> {
    let root = ("root".into(), 0, "/root".to_owned());
    let of_files = accounts.users().iter().map(|user| (user.name.clone(), user.uid, user.home.raw().to_owned()));
    let mut places = Vec::new();
    for (user, uid, home) in std::iter::once(root).chain(of_files) {
        let home = home.trim_end_matches('/');
        // An account whose home is the root directory has no home.
        if home.starts_with('/') {
            places.push(Place { path: format!("{home}/.docker/config.json"), user: Text::clone(&user), read: config });
            places.push(Place { path: format!("{home}/.dockercfg"), user: user.clone(), read: dockercfg });
            places.push(Place { path: format!("{home}/.config/containers/auth.json"), user: user.clone(), read: config });
        }
        for run in ["/run/containers", "/run/user"] {
            let below = if run == "/run/user" { "/containers" } else { "" };
            places.push(Place { path: format!("{run}/{uid}{below}/auth.json"), user: user.clone(), read: config });
        }
    }
    places
}

/// `None` where there is no such file.
fn row(context: &Context<'_>, place: &Place) -> Option<RegistryLogin> {
    let path = Path::new(&place.path);
    let origin = Origin::file(path);
    let content = context.host.read(path);
    if matches!(content, Fact::Absent(_)) {
        return None;
    }
    let logins = content.and_then(|bytes, _| match (place.read)(&bytes) {
        Ok(logins) => Fact::Known(logins, origin.clone()),
        Err(reason) => Fact::Unknown(Gap::new(origin.clone(), reason)),
    });
    let list = |set: &BTreeSet<String>| set.iter().map(|name| Text::from(name.as_str())).collect();
    let logins = logins.as_ref();
    Some(RegistryLogin {
        path: Fact::Known(path.into(), origin),
        user: Fact::derived(place.user.clone()),
        plaintext: logins.clone().map(|logins| list(&logins.plaintext)),
        helped: logins.clone().map(|logins| list(&logins.helped)),
        store: logins.and_then(|logins, origin| match &logins.store {
            Some(store) => Fact::Known(store.as_str().into(), origin),
            None => Fact::Absent(origin),
        }),
        mode: context.host.stat(path).map(|stat| stat.mode),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn collect(host: &Memory) -> Vec<RegistryLogin> {
        RegistryLogins::collect(&Context::new(host), &Selector::All).unwrap()
    }

    fn paths(rows: &[RegistryLogin]) -> Vec<&str> {
        rows.iter().filter_map(|row| row.path.known().map(Text::raw)).collect()
    }

    const PASSWD: &str =
        "root:x:0:0::/root:/bin/sh\nal:x:1000:1000::/home/al/:/bin/sh\nci:x:1001:1001::/home/al:/bin/sh\nno:x:9:9::/:/bin/false\n";

    #[test]
    fn every_account_is_looked_at_once() {
        let host = Memory::new()
            .file("/etc/passwd", PASSWD)
            .file("/root/.docker/config.json", r#"{"auths":{"r:5000":{"auth":"x"}},"credsStore":"pass"}"#)
            .owned("/root/.docker/config.json", 0, 0, 0o600)
            .file("/home/al/.dockercfg", r#"{"hub":{"auth":"x"}}"#)
            .file("/home/al/.config/containers/auth.json", r#"{"auths":{}}"#)
            .file("/run/containers/0/auth.json", "{")
            .file("/run/user/1001/containers/auth.json", r#"{"credHelpers":{"gcr.io":"gcloud"}}"#);
        let rows = collect(&host);
        let expected = ["/root/.docker/config.json", "/run/containers/0/auth.json", "/home/al/.dockercfg"];
        let expected = [&expected[..], &["/home/al/.config/containers/auth.json", "/run/user/1001/containers/auth.json"]].concat();
        assert_eq!(paths(&rows), expected);
        assert_eq!(rows[0].plaintext.known(), Some(&vec!["r:5000".into()]));
        assert_eq!(rows[0].store.known().map(Text::raw), Some("pass"));
        assert_eq!(rows[0].mode.known().map(ToString::to_string).as_deref(), Some("0600"));
        assert!(matches!(&rows[1].plaintext, Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
        assert_eq!(rows[2].user.known().map(Text::raw), Some("al"));
        assert!(matches!(rows[3].store, Fact::Absent(_)));
        assert_eq!(rows[4].helped.known(), Some(&vec!["gcr.io".into()]));
    }

    #[test]
    fn homes_that_cannot_be_read_are_unknown() {
        let host = Memory::new().file("/etc/passwd", PASSWD).gap("/root", Reason::Denied);
        let rows = collect(&host);
        assert_eq!(paths(&rows).len(), 3);
        assert!(matches!(&rows[0].plaintext, Fact::Unknown(Gap { reason: Reason::Denied, .. })));
    }

    #[test]
    fn accounts_that_cannot_be_read_are_not_none() {
        let host = Memory::new().file("/etc/passwd", PASSWD).gap("/etc/passwd", Reason::Denied).file("/root/.docker/config.json", "{}");
        let rows = collect(&host);
        assert_eq!(paths(&rows), ["/root/.docker/config.json"]);
        assert!(matches!(&rows[1].path, Fact::Unknown(Gap { reason: Reason::Denied, .. })));
    }
}
