//! Where packages are fetched from.

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Text, record};

use super::apt::{Apt, Configuration, Repository};
use super::dnf;
use super::{Context, Resource, Selector};

record! {
    /// One repository as it is configured: for apt one suite at one place, for dnf one section.
    pub struct RepositoryRow("repository") {
        /// Place and suite for apt, the id for dnf.
        name: Text,
        /// Which package manager uses it: `apt` or `dnf`.
        manager: Text,
        /// Whether it is used.
        enabled: Flag,
        /// Places it is fetched from; for dnf also lists of mirrors.
        uris: List,
        /// How it is fetched: `https`, `http`, `file`, `cdrom` and so on; of several ways the weakest.
        scheme: Text,
        /// Suite; absent for dnf.
        suite: Text,
        /// Components; none for dnf.
        components: List,
        /// Whether it holds security fixes and nothing else; absent where fixes are not kept apart, as with dnf.
        security: Flag,
        /// Whether packages from it are refused unless they are signed: for dnf `gpgcheck`, for apt the chain from a signed index.
        gpgcheck: Flag,
        /// Whether its metadata is refused unless it is signed.
        repo_gpgcheck: Flag,
        /// What must have signed: paths or addresses of keys, fingerprints, or `embedded`; absent where any trusted key will do.
        signed_by: Text,
        /// Whether it is trusted whoever signed it, if anybody: apt's `trusted=yes`.
        trusted: Flag,
    }
}

/// Finds the records.
pub struct Repositories;

impl Resource for Repositories {
    type Row = RepositoryRow;
    const SELECTOR: &'static str = "`\"*\"`, or a repository: place and suite with a blank between them, or its id; globs work";

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let apt = Apt::of(context);
        let dnf = dnf::repositories(context);
        if apt.is_none() && dnf.is_none() {
            return Err(Gap::new(Origin::file("/etc"), Reason::unsupported("no package manager whose repositories plimsoll knows: neither apt nor dnf")));
        }
        let mut rows: Vec<RepositoryRow> = Vec::new();
        if let Some(apt) = apt.as_ref() {
            rows.extend(apt.repositories.iter().map(|repository| row(context, repository)));
            rows.extend(apt.gaps.iter().map(RepositoryRow::unknown));
        }
        rows.extend(dnf.into_iter().flatten());
        rows.retain(|row| row.name.known().is_none_or(|name| of.picks(name.raw())));
        Ok(rows)
    }
}

fn row(context: &Context<'_>, repository: &Repository) -> RepositoryRow {
    let here = repository.origin();
    let source = &repository.source;
    let known = |text: &str| Fact::Known(Text::from(text), here.clone());
    let settings = Configuration::of(context);
    // Any of these makes apt take what nobody signed.
    let loose = [source.allow_insecure, source.trusted == Some(true)].contains(&true);
    let checked = if loose {
        Fact::Known(false, here.clone())
    } else {
        let loosened = ["Acquire::AllowInsecureRepositories", "APT::Get::AllowUnauthenticated"].map(|name| settings.flag(name, false));
        match loosened.iter().find(|flag| flag.known() != Some(&false)) {
            Some(flag) => flag.clone().map(|_| false),
            None => Fact::Known(true, Origin::default_of("apt")),
        }
    };
    RepositoryRow {
        name: known(&repository.name()),
        manager: known("apt"),
        enabled: Fact::Known(source.enabled, here.clone()),
        uris: Fact::Known(vec![source.uri.as_str().into()], here.clone()),
        scheme: known(scheme(&source.uri)),
        suite: known(&source.suite),
        components: Fact::Known(source.components.iter().map(|component| component.as_str().into()).collect(), here.clone()),
        security: repository.security(),
        gpgcheck: checked.clone(),
        repo_gpgcheck: checked,
        signed_by: source.signed_by.as_deref().map_or_else(|| Fact::Absent(here.clone()), known),
        trusted: Fact::Known(source.trusted == Some(true), here.clone()),
    }
}

/// `https` of `https://…`; of `tor+http://…` and the like the last part.
pub(super) fn scheme(uri: &str) -> &str {
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
    scheme.rsplit_once('+').map_or(scheme, |(_, last)| last)
}

#[cfg(test)]
mod tests;
