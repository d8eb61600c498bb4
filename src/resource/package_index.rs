//! The metadata of repositories that the host has fetched, and its age.

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Reason, Text, record};

use super::apt::{Apt, Repository};
use super::dnf;
use super::{Context, Resource, Selector};

record! {
    /// What was fetched of one repository that is in use.
    pub struct PackageIndex("package_index") {
        /// The repository: place and suite, or its id.
        repository: Text,
        /// Whether anything was fetched of it.
        exists: Flag,
        /// Days since the metadata is known to have been current: since its maker made it, since all was last fetched with success
        /// where that is written down, or, security fixes apart, since another repository of the same server was made; whichever is latest. Absent where nothing was fetched.
        age_days: Integer,
        /// Days since its maker made it. Repositories of security fixes are made anew every few days, others every few months.
        made_days: Integer,
        /// Whether its maker still vouches for it; absent where he does not say for how long.
        valid: Flag,
        /// Whether the repository holds security fixes and nothing else; absent where fixes are not kept apart, as with dnf.
        security: Flag,
        /// Whether the metadata was signed.
        signed: Flag,
        /// What must have signed it: paths of keys, fingerprints, or `embedded`; absent where any trusted key will do.
        signed_by: Text,
        /// Whether it is trusted whoever signed it, if anybody.
        trusted: Flag,
        /// Who made it, by its own word: `Origin` of the Release file.
        maker: Text,
        /// What it is called by its own word: `Label` of the Release file.
        label: Text,
        /// Lists of it that are meant to be used and were not fetched.
        missing: List,
    }
}

/// Finds the records.
pub struct PackageIndexes;

impl Resource for PackageIndexes {
    type Row = PackageIndex;
    const SELECTOR: &'static str = "`\"*\"`, or a repository: place and suite with a blank between them, or its id; globs work";

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let apt = Apt::of(context);
        let mut rows = match apt.as_ref() {
            Some(apt) => {
                let mut rows: Vec<PackageIndex> = Vec::new();
                let mut seen = Vec::new();
                for repository in apt.enabled() {
                    let name = repository.name();
                    // Components configured one by one are one repository.
                    if seen.contains(&name) {
                        continue;
                    }
                    let same = apt.enabled().filter(|other| other.name() == name);
                    let missing = same.flat_map(|repository| apt.indexes(context, repository)).filter_map(Result::err).collect();
                    rows.push(row(context, apt, repository, missing));
                    seen.push(name);
                }
                rows.extend(apt.gaps.iter().map(PackageIndex::unknown));
                rows
            }
            None => match dnf::indexes(context) {
                Some(rows) => rows?,
                None => {
                    return Err(Gap::new(
                        Origin::file("/etc"),
                        Reason::unsupported("no package manager whose metadata plimsoll knows: neither apt nor dnf"),
                    ));
                }
            },
        };
        rows.retain(|row| row.repository.known().is_none_or(|name| of.picks(name.raw())));
        Ok(rows)
    }
}

fn row(context: &Context<'_>, apt: &Apt, repository: &Repository, missing: Vec<Gap>) -> PackageIndex {
    let now = context.host.now();
    let days = |since: i64| (now.timestamp() - since).div_euclid(86_400).max(0);
    let (release, here) = (&repository.release, repository.origin());
    let of_release = |text: fn(&crate::parse::apt_release::Release) -> &str| {
        release.as_ref().and_then(|release, origin| match text(release) {
            "" => Fact::Absent(origin),
            text => Fact::Known(Text::from(text), origin),
        })
    };
    let date = |date: fn(&crate::parse::apt_release::Release) -> Option<chrono::DateTime<chrono::Utc>>| {
        release.as_ref().and_then(|release, origin| date(release).map_or(Fact::Absent(origin.clone()), |date| Fact::Known(date, origin)))
    };
    PackageIndex {
        repository: Fact::Known(repository.name().into(), here.clone()),
        exists: match release {
            Fact::Known(_, origin) => Fact::Known(true, origin.clone()),
            Fact::Absent(origin) => Fact::Known(false, origin.clone()),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        },
        age_days: apt.current(repository).map(days),
        made_days: date(|release| release.date).map(|date| days(date.timestamp())),
        valid: date(|release| release.valid_until).map(|until| until >= now),
        security: repository.security(),
        signed: release.as_ref().map(|_| repository.signed),
        signed_by: repository
            .source
            .signed_by
            .as_deref()
            .map_or_else(|| Fact::Absent(here.clone()), |by| Fact::Known(by.into(), here.clone())),
        trusted: Fact::Known(repository.source.trusted == Some(true), here.clone()),
        maker: of_release(|release| &release.origin),
        label: of_release(|release| &release.label),
        missing: Fact::Known(
            missing.iter().filter_map(|gap| if let Origin::File { path, .. } = &gap.origin { Some(path.clone()) } else { None }).collect(),
            here,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    const DAY: i64 = 86_400;
    /// 17 May 2025.
    const MADE: i64 = 1_747_473_011;

    fn host() -> Memory {
        let release = |label: &str, suite: &str| {
            format!("Origin: Debian\nLabel: {label}\nSuite: {suite}\nCodename: x\nDate: Sat, 17 May 2025 09:10:11 UTC\n")
        };
        Memory::new()
            .file(
                "/etc/apt/sources.list",
                "deb [signed-by=/k] http://d/debian x main\ndeb http://d/debian x-security main\ndeb [trusted=yes] http://none y main\n",
            )
            .file(
                "/var/lib/apt/lists/d_debian_dists_x_Release",
                release("Debian", "stable").replace("17 May", "10 Apr").replace("Sat", "Thu"),
            )
            .file("/var/lib/apt/lists/d_debian_dists_x_main_binary-amd64_Packages", "")
            .file("/var/lib/apt/lists/d_debian_dists_x-security_InRelease", release("Debian-Security", "stable-security"))
            .file("/var/lib/apt/lists/d_debian_dists_x-security_main_binary-amd64_Packages", "")
            .file("/var/lib/dpkg/status", "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n")
            .at(MADE + 3 * DAY)
    }

    #[test]
    fn what_was_fetched_and_when() {
        let rows = PackageIndexes::collect(&Context::new(&host()), &Selector::All).unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!((rows[0].exists.known(), rows[0].signed.known(), rows[0].security.known()), (Some(&true), Some(&false), Some(&false)));
        assert_eq!(
            (rows[0].made_days.known(), rows[0].age_days.known()),
            (Some(&40), Some(&3)),
            "fetched with the other one from the same server"
        );
        assert_eq!((rows[1].security.known(), rows[1].age_days.known(), rows[1].signed.known()), (Some(&true), Some(&3), Some(&true)));
        assert!(matches!(rows[1].signed_by, Fact::Absent(_)) && matches!(rows[1].valid, Fact::Absent(_)));
        assert_eq!(
            (rows[2].exists.known(), rows[2].trusted.known(), rows[2].missing.known().map(Vec::len)),
            (Some(&false), Some(&true), Some(1))
        );
        assert!(matches!(rows[2].age_days, Fact::Absent(_)));
    }

    #[test]
    fn security_fixes_vouch_for_themselves_alone() {
        let late = host().at(MADE + 20 * DAY);
        let rows = PackageIndexes::collect(&Context::new(&late), &Selector::All).unwrap();
        assert_eq!(rows[1].age_days.known(), Some(&20));
        let stamped = late
            .file("/var/lib/apt/periodic/update-success-stamp", "")
            .modified("/var/lib/apt/periodic/update-success-stamp", MADE + 19 * DAY);
        let rows = PackageIndexes::collect(&Context::new(&stamped), &Selector::All).unwrap();
        assert_eq!(rows[1].age_days.known(), Some(&1));
    }
}
