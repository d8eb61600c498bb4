//! Packages, whatever manages them.

use std::collections::BTreeSet;

use crate::fact::{Fact, Flag, Gap, Origin, Reason, Text, Version, record};
use crate::parse::glob::is_glob;

use super::packages::{Package, Packages, State};
use super::{Context, Resource, Selector, glob_matches};

record! {
    /// One package of dpkg, rpm or apk; one for each version or architecture where several are installed. A name that is asked for
    /// and not there is a record with `installed = false`; a glob gives only what is there.
    pub struct PackageRow("package") {
        /// Name.
        name: Text,
        /// Whether it is installed. False for one that was removed and left its configuration; unknown for one whose installation or
        /// removal was not finished.
        installed: Flag,
        /// Whether it was removed and its configuration is still there.
        config_left: Flag,
        /// Version with epoch and revision, ordered by the rules of its package manager; absent where not installed.
        version: Version,
        /// The part of the version that is the upstream project's: without epoch and revision.
        upstream_version: Version,
        /// Architecture, such as `amd64`, `all`, `x86_64` or `noarch`.
        architecture: Text,
        /// Whether it is held at its version: by dpkg's hold, dnf's versionlock or a version in apk's world.
        held: Flag,
        /// The source package it was built from.
        source: Text,
        /// Whose package it is: `dpkg`, `rpm` or `apk`; absent where not installed.
        manager: Text,
    }
}

/// Finds the records.
pub struct PackageRows;

impl Resource for PackageRows {
    type Row = PackageRow;
    const SELECTOR: &'static str = "a package's name; globs work";

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let packages = Packages::of(context);
        let packages = packages.as_ref().as_ref().map_err(Gap::clone)?;
        let mut rows = Vec::new();
        let Selector::Keys(keys) = of else {
            rows.extend(packages.all.iter().map(row));
            rows.extend(packages.gaps.iter().map(PackageRow::unknown));
            return Ok(rows);
        };
        for key in keys.iter().collect::<BTreeSet<_>>() {
            let before = rows.len();
            if is_glob(key) {
                rows.extend(packages.all.iter().filter(|package| glob_matches(key, &package.name)).map(row));
                // What could not be read may hold a match.
                rows.extend(packages.gaps.iter().map(PackageRow::unknown));
            } else {
                rows.extend(packages.named(key).map(row));
                if rows.len() == before {
                    rows.push(missing(key, packages));
                }
            }
        }
        Ok(rows)
    }
}

fn row(package: &Package) -> PackageRow {
    let origin = &package.origin;
    let there = package.state != State::ConfigurationLeft;
    let manager = match (origin, package.scheme) {
        (Origin::File { path, .. }, _) if path.raw().contains("/apk/") => "apk",
        (_, crate::fact::Scheme::Rpm) => "rpm",
        _ => "dpkg",
    };
    let version = |text: String| {
        if there && !text.is_empty() { Fact::Known(Version::new(text, package.scheme), origin.clone()) } else { Fact::Absent(origin.clone()) }
    };
    let whole = |flag| match package.state {
        State::Partial => Fact::Unknown(Gap::new(origin.clone(), Reason::unsupported("its installation or removal was not finished"))),
        _ => Fact::Known(flag, origin.clone()),
    };
    PackageRow {
        name: Fact::Known(package.name.as_str().into(), origin.clone()),
        installed: whole(package.state == State::Installed),
        config_left: whole(package.state == State::ConfigurationLeft),
        version: version(package.version.clone()),
        upstream_version: version(upstream(&package.version).to_owned()),
        architecture: package.architecture.as_deref().map_or_else(|| Fact::Absent(origin.clone()), |name| Fact::Known(name.into(), origin.clone())),
        held: package.held.clone(),
        source: package.source.clone().map(|(name, _)| name.into()),
        manager: Fact::Known(manager.into(), origin.clone()),
    }
}

/// A version without epoch and revision.
pub(crate) fn upstream(version: &str) -> &str {
    let bare = version.split_once(':').filter(|(epoch, _)| epoch.bytes().all(|byte| byte.is_ascii_digit())).map_or(version, |(_, bare)| bare);
    bare.rsplit_once('-').map_or(bare, |(upstream, _)| upstream)
}

/// A name that no database knows; unknown where one could not be read.
fn missing(name: &str, packages: &Packages) -> PackageRow {
    let subject = Fact::derived(Text::from(name));
    if let Some(gap) = packages.gaps.first() {
        return PackageRow { name: subject, ..PackageRow::unknown(gap) };
    }
    let origin = packages.origin();
    PackageRow {
        name: subject,
        installed: Fact::Known(false, origin.clone()),
        config_left: Fact::Known(false, origin.clone()),
        version: Fact::Absent(origin.clone()),
        upstream_version: Fact::Absent(origin.clone()),
        architecture: Fact::Absent(origin.clone()),
        held: Fact::Absent(origin.clone()),
        source: Fact::Absent(origin.clone()),
        manager: Fact::Absent(origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    const STATUS: &str = "/var/lib/dpkg/status";
    const DPKG: &str = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nSource: bash-src (5.2.15-2)\nVersion: 5.2.15-2+b8\n\n\
        Package: gdm3\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 43.0-3\n\n\
        Package: docker.io\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 1:20.10.24+dfsg1-1\n\n\
        Package: half\nStatus: install ok half-configured\nArchitecture: all\nVersion: 1\n\n\
        Package: gone\nStatus: purge ok not-installed\nArchitecture: amd64\n\n";

    fn rows(host: &Memory, keys: &[&str]) -> Vec<PackageRow> {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        PackageRows::collect(&Context::new(host), &Selector::Keys(keys)).unwrap()
    }

    fn installed(host: &Memory, key: &str) -> Option<bool> {
        rows(host, &[key]).remove(0).installed.known().copied()
    }

    #[test]
    fn what_dpkg_says() {
        let host = Memory::new().file(STATUS, DPKG);
        let bash = rows(&host, &["bash"]).remove(0);
        assert_eq!(bash.version.known().unwrap().text().raw(), "5.2.15-2+b8");
        assert_eq!(bash.upstream_version.known().unwrap().text().raw(), "5.2.15");
        assert_eq!((bash.source.known().unwrap().raw(), bash.manager.known().unwrap().raw()), ("bash-src", "dpkg"));
        assert_eq!(bash.installed.origin(), &Origin::line(STATUS, 1));
        assert_eq!(installed(&host, "gdm3"), Some(false), "only its configuration is left");
        assert_eq!(rows(&host, &["gdm3"])[0].config_left.known(), Some(&true));
        assert!(matches!(rows(&host, &["gdm3"])[0].version, Fact::Absent(_)));
        let held = rows(&host, &["docker.io"]).remove(0);
        assert_eq!((held.installed.known(), held.held.known()), (Some(&true), Some(&true)));
        assert_eq!(held.upstream_version.known().unwrap().text().raw(), "20.10.24+dfsg1");
        assert_eq!(installed(&host, "half"), None, "neither there nor gone");
        assert_eq!(installed(&host, "gone"), Some(false));
        assert_eq!(installed(&host, "avahi-daemon"), Some(false));
        assert!(rows(&host, &["avahi*"]).is_empty());
        assert_eq!(rows(&host, &["*d*"]).len(), 2);
        assert_eq!(PackageRows::collect(&Context::new(&host), &Selector::All).unwrap().len(), 4);
    }

    #[test]
    fn a_database_cut_off_says_nothing_of_what_is_missing() {
        for end in 1..DPKG.len() {
            let host = Memory::new().file(STATUS, &DPKG[..end]);
            let context = Context::new(&host);
            let whole = DPKG[..end].ends_with("\n\n") || DPKG[..end].trim_end().is_empty();
            match PackageRows::collect(&context, &Selector::Keys(vec!["zz".into()])) {
                Ok(rows) => assert_eq!(rows[0].installed.known().is_some(), whole, "{end}"),
                Err(_) => assert!(!whole, "{end}"),
            }
        }
    }

    #[test]
    fn a_host_without_packages_is_a_gap_and_so_is_one_that_hides_them() {
        let all = |host: &Memory| PackageRows::collect(&Context::new(host), &Selector::Keys(vec!["x".into()]));
        assert!(all(&Memory::new()).is_err());
        assert!(all(&Memory::new().file(STATUS, DPKG).gap(STATUS, Reason::Denied)).is_err());
        let old = Memory::new().file("/var/lib/rpm/Packages", "");
        assert!(matches!(all(&old).unwrap_err().reason, Reason::Unsupported(_)));
        let both = Memory::new().file(STATUS, DPKG).file("/var/lib/rpm/Packages.db", "");
        assert_eq!(installed(&both, "bash"), Some(true));
        assert_eq!(installed(&both, "zz"), None, "it may be in the other database");
    }

    #[test]
    fn images_without_dpkg_and_alpine() {
        let distroless = Memory::new()
            .file("/var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12.4+deb12u5\nArchitecture: amd64")
            .file("/var/lib/dpkg/status.d/base.md5sums", "0 x");
        assert_eq!(installed(&distroless, "base-files"), Some(true));
        assert_eq!(installed(&distroless, "bash"), Some(false));
        let alpine = Memory::new()
            .file("/lib/apk/db/installed", "P:musl\nV:1.2.5-r0\nA:x86_64\n\nP:docker\nV:26.1.5-r0\n\n")
            .file("/etc/apk/world", "docker=26.1.5-r0\nmusl\n");
        let row = rows(&alpine, &["docker"]).remove(0);
        assert_eq!((row.held.known(), row.manager.known().unwrap().raw()), (Some(&true), "apk"));
        assert_eq!(rows(&alpine, &["musl"])[0].held.known(), Some(&false));
    }
}
