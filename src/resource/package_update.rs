//! Updates that wait to be installed, by the metadata the host has fetched.

use crate::fact::{Fact, Flag, Gap, Origin, Reason, Scheme, Text, Version, record};

use super::apt::updates::{Update, Updates};
use super::dnf;
use super::{Context, Resource, Selector};

record! {
    /// An installed package of which there is a newer version. Nothing is fetched: this is what the host knows. Where it knows too
    /// little (a repository of which nothing was fetched, or so long ago that it says nothing about today) a record stands for what
    /// that repository may hold, of which nothing is known.
    pub struct PackageUpdate("package_update") {
        /// Name of the installed package.
        name: Text,
        /// Its architecture.
        architecture: Text,
        /// The installed version.
        installed: Version,
        /// The version the package manager would install; absent where its preferences keep the installed one.
        candidate: Version,
        /// Whether a newer version comes from a repository of security fixes, or is said to be one.
        security: Flag,
        /// The newest version that is a security fix; absent where none is.
        security_version: Version,
        /// Whether the package is held at its version.
        held: Flag,
        /// Whether preferences keep the installed version though a fix is there.
        pinned: Flag,
        /// Whether the update is given to more and more machines, and this one is not among them yet.
        phased: Flag,
        /// The repository: place and suite, or its id.
        repository: Text,
        /// Who made the repository, such as `Debian` or `Docker`, by its own word; absent where it does not say.
        maker: Text,
    }
}

/// Finds the records.
pub struct PackageUpdates;

impl Resource for PackageUpdates {
    type Row = PackageUpdate;
    const SELECTOR: &'static str = "the name of an installed package; globs work";

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let apt = Updates::of(context);
        let mut rows = match apt.as_ref() {
            Some(updates) => {
                let updates = updates.as_ref().map_err(Gap::clone)?;
                let mut rows: Vec<PackageUpdate> = updates.pending.iter().map(row).collect();
                rows.extend(updates.gaps.iter().map(|unseen| {
                    let row = self::unseen(&unseen.repository, &unseen.gap);
                    // Nothing in a repository that is not one of fixes is a fix.
                    if unseen.fixes { row } else { PackageUpdate { security: Fact::Known(false, unseen.gap.origin.clone()), ..row } }
                }));
                rows
            }
            None => match dnf::updates(context) {
                Some(rows) => rows?,
                None => return Err(Gap::new(Origin::file("/etc"), Reason::unsupported("no package manager whose updates plimsoll knows: neither apt nor dnf"))),
            },
        };
        rows.retain(|row| row.name.known().is_none_or(|name| of.picks(name.raw())));
        Ok(rows)
    }
}

fn row(update: &Update) -> PackageUpdate {
    let Update { package, candidate, security, phased } = update;
    let here = &package.origin;
    let version = |offer: Option<&super::apt::updates::Offer>| match offer {
        Some(offer) => Fact::Known(Version::new(offer.version.as_str(), Scheme::Debian), offer.origin.clone()),
        None => Fact::Absent(here.clone()),
    };
    let offer = candidate.as_ref().or(security.as_ref());
    let origin = offer.map_or_else(|| here.clone(), |offer| offer.origin.clone());
    let text = |text: Option<&str>| match text {
        Some(text) => Fact::Known(Text::from(text), origin.clone()),
        None => Fact::Absent(origin.clone()),
    };
    PackageUpdate {
        name: Fact::Known(package.name.as_str().into(), here.clone()),
        architecture: text(package.architecture.as_deref()),
        installed: Fact::Known(Version::new(package.version.as_str(), package.scheme), here.clone()),
        candidate: version(candidate.as_ref()),
        security: Fact::Known(security.is_some(), security.as_ref().map_or_else(|| origin.clone(), |offer| offer.origin.clone())),
        security_version: version(security.as_ref()),
        held: package.held.clone(),
        pinned: Fact::Known(candidate.is_none(), origin.clone()),
        phased: phased.clone(),
        repository: text(offer.map(|offer| offer.repository.as_str())),
        maker: text(offer.and_then(|offer| offer.maker.as_deref())),
    }
}

/// What stands for all that a repository may hold.
pub(super) fn unseen(repository: &str, gap: &Gap) -> PackageUpdate {
    PackageUpdate { repository: Fact::Known(repository.into(), gap.origin.clone()), ..PackageUpdate::unknown(gap) }
}

#[cfg(test)]
mod tests;
