//! The dated table of branches.

use std::cmp::Ordering;
use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, Utc};

use crate::fact::{Fact, Gap, Origin, Reason, Scheme, Version};

static TABLE: LazyLock<Option<Table>> = LazyLock::new(|| toml::from_str(include_str!("versions.toml")).ok());

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    as_of: String,
    branch: Vec<Branch>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Branch {
    of: String,
    series: String,
    maintained: Option<bool>,
    until: Option<NaiveDate>,
    fixed: Option<String>,
}

/// Whether the branch of a version receives fixes, and whether the version has those for the escapes the table knows.
pub(super) fn judge(component: &str, version: &str, now: DateTime<Utc>, origin: &Origin) -> (Fact<bool>, Fact<bool>) {
    let unknown = |why: String| Fact::Unknown(Gap::new(origin.clone(), Reason::unsupported(why)));
    let Some(table) = TABLE.as_ref() else {
        return (unknown("the table is not to be read".into()), unknown("the table is not to be read".into()));
    };
    let bare = version.trim_start_matches('v');
    let compare = |other: &str| Version::new(bare, Scheme::Upstream).compare(other);
    let within = |series: &str| bare.strip_prefix(series).is_some_and(|rest| rest.starts_with('.') || rest.is_empty());
    let branches = || table.branch.iter().filter(|branch| branch.of == component);
    if let Some(branch) = branches().find(|branch| within(&branch.series)) {
        let maintained = match (branch.maintained, branch.until) {
            (Some(true), Some(until)) if now.date_naive() > until => {
                unknown(format!("{component} {} was planned to be maintained until {until}", branch.series))
            }
            (Some(maintained), _) => Fact::Known(maintained, origin.clone()),
            (None, _) => unknown(format!("the table of {} does not say whether {component} {} receives fixes", table.as_of, branch.series)),
        };
        let fixed = branch.fixed.as_ref().is_none_or(|fixed| compare(fixed) != Ordering::Less);
        return (maintained, Fact::Known(fixed, origin.clone()));
    }
    // Of what is newer than the table nothing is known; what lies between and before its branches is left by its makers.
    let newest = branches().map(|branch| branch.series.as_str()).max_by(|a, b| Version::new(*a, Scheme::Upstream).compare(b));
    match newest {
        Some(newest) if compare(newest) == Ordering::Less => (Fact::Known(false, origin.clone()), Fact::Known(false, origin.clone())),
        _ => {
            let why = format!("{component} {bare} is newer than the table of {}", table.as_of);
            (unknown(why.clone()), unknown(why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(component: &str, version: &str, day: &str) -> (Option<bool>, Option<bool>) {
        let now = format!("{day}T00:00:00Z").parse().unwrap();
        let (maintained, fixed) = judge(component, version, now, &Origin::Derived);
        (maintained.known().copied(), fixed.known().copied())
    }

    #[test]
    fn branches_and_fixes() {
        assert!(TABLE.is_some());
        let day = "2026-03-01";
        for (component, version, expected) in [
            ("runc", "1.3.3", (Some(true), Some(true))),
            ("runc", "1.3.2", (Some(true), Some(false))),
            ("runc", "1.2.8", (None, Some(true))),
            ("runc", "1.1.15", (Some(false), Some(false))),
            ("runc", "1.4.0-rc.2", (Some(true), Some(false))),
            ("runc", "1.4.0", (Some(true), Some(true))),
            ("runc", "1.5.0", (None, None)),
            ("containerd", "v1.7.29", (Some(true), Some(true))),
            ("containerd", "1.6.39", (Some(false), Some(false))),
            ("containerd", "2.2.0", (Some(true), Some(true))),
            ("containerd", "2.10.0", (None, None)),
            ("docker", "29.1.3", (Some(true), Some(true))),
            ("docker", "28.3.2", (None, Some(false))),
            ("docker", "25.0.9", (Some(true), Some(false))),
            ("docker", "27.5.1", (Some(false), Some(false))),
            ("podman", "5.0", (None, None)),
        ] {
            assert_eq!(of(component, version, day), expected, "{component} {version}");
        }
        assert_eq!(of("containerd", "2.1.5", "2026-05-06"), (None, Some(true)), "after the plan ended");
    }
}
