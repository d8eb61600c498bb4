//! The engine's parts that keep containers in: the daemon, containerd, runc.

mod table;

use std::collections::BTreeSet;

use crate::fact::{Fact, Flag, Gap, Origin, Reason, Scheme, Text, Version, record};
use crate::host::engine::Route;

use super::docker::{self, Document, Kind};
use super::package::upstream;
use super::packages::{Packages, State};
use super::{Context, Resource, Selector};

record! {
    /// One part of an engine, as a running engine tells it, or as it is installed where none tells.
    pub struct EngineComponent("engine_component") {
        /// `docker`, `containerd` or `runc`.
        name: Text,
        /// The engine that says so; absent where it is told by a package.
        engine: Text,
        /// The package that brings it; absent where an engine says so.
        package: Text,
        /// Version as its project numbers it.
        version: Version,
        /// Whether its branch still receives fixes, by the table of this release. Unknown for builds that a distribution maintains:
        /// there the package tells.
        maintained: Flag,
        /// Whether it has the fixes for the ways out of containers that the table of this release knows. Unknown for builds that a
        /// distribution maintains.
        fixed: Flag,
    }
}

/// Finds the records.
pub struct EngineComponents;

/// What is told by packages: name of the package, the part it brings, and whether its maker is upstream.
const PACKAGES: [(&str, &str, bool); 6] = [
    ("docker-ce", "docker", true),
    ("docker.io", "docker", false),
    ("moby-engine", "docker", false),
    ("containerd.io", "containerd", true),
    ("containerd", "containerd", false),
    ("runc", "runc", false),
];

impl Resource for EngineComponents {
    type Row = EngineComponent;
    const SELECTOR: &'static str = "`docker`, `containerd` or `runc`; globs work; what is neither told nor installed gives no record";

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let engines = docker::engines(context)?;
        let mut rows: Vec<EngineComponent> = Vec::new();
        for engine in engines.iter().filter(|engine| engine.kind == Kind::Docker && engine.doubt.is_none()) {
            rows.extend(told(context, &engine.name, &engine.document(context, Route::Version)));
        }
        let told: BTreeSet<String> = rows.iter().filter_map(|row| row.name.known().map(|name| name.raw().to_owned())).collect();
        let packages = Packages::of(context);
        match packages.as_ref() {
            Ok(packages) => {
                for (package, part, upstream) in PACKAGES.iter().filter(|(_, part, _)| !told.contains(*part)) {
                    let found = packages.named(package).filter(|package| package.state == State::Installed);
                    rows.extend(found.map(|found| installed(context, part, found, *upstream)));
                }
            }
            // Without an engine that tells, and without packages, nothing is known.
            Err(gap) if rows.is_empty() => return Err(gap.clone()),
            Err(_) => {}
        }
        rows.retain(|row| row.name.known().is_none_or(|name| of.picks(name.raw())));
        Ok(rows)
    }
}

/// Whether the branch of a release receives fixes, by the table of this release.
pub(super) fn maintained(component: &str, version: &str, now: chrono::DateTime<chrono::Utc>, origin: &Origin) -> Fact<bool> {
    table::judge(component, version, now, origin).0
}

/// The parts that a running engine names.
fn told(context: &Context<'_>, engine: &Text, version: &Document) -> Vec<EngineComponent> {
    let platform = version.text("/Platform/Name");
    let released = |name: &Text| ["Docker Engine", "Docker Desktop", "Mirantis"].iter().any(|maker| name.raw().starts_with(maker));
    let upstream = platform.known().is_some_and(released);
    let parts = version.at("/Components", |parts| {
        let part = |part: &serde_json::Value| Some((part.get("Name")?.as_str()?.to_owned(), part.get("Version")?.as_str()?.to_owned()));
        parts.as_array().map(|parts| parts.iter().filter_map(part).collect::<Vec<_>>())
    });
    let Fact::Known(parts, origin) = parts else { return Vec::new() };
    let named = parts.iter().filter_map(|(name, version)| {
        let name = match name.as_str() {
            "Engine" => "docker",
            "containerd" => "containerd",
            "runc" => "runc",
            _ => return None,
        };
        Some(row(context, name, version, upstream, Fact::Known(engine.clone(), origin.clone()), Fact::Absent(origin.clone()), &origin))
    });
    named.collect()
}

fn installed(context: &Context<'_>, part: &str, package: &super::packages::Package, of_upstream: bool) -> EngineComponent {
    let origin = &package.origin;
    let version = upstream(&package.version);
    row(
        context,
        part,
        version,
        of_upstream,
        Fact::Absent(origin.clone()),
        Fact::Known(package.name.as_str().into(), origin.clone()),
        origin,
    )
}

fn row(
    context: &Context<'_>,
    name: &str,
    version: &str,
    of_upstream: bool,
    engine: Fact<Text>,
    package: Fact<Text>,
    origin: &Origin,
) -> EngineComponent {
    let (maintained, fixed) = if of_upstream {
        table::judge(name, version, context.host.now(), origin)
    } else {
        let gap = Gap::new(
            origin.clone(),
            Reason::unsupported("a build that its distributor maintains; see whether an update of the package waits"),
        );
        (Fact::Unknown(gap.clone()), Fact::Unknown(gap))
    };
    EngineComponent {
        name: Fact::Known(name.into(), origin.clone()),
        engine,
        package,
        version: Fact::Known(Version::new(version, Scheme::Upstream), origin.clone()),
        maintained,
        fixed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    const SOCKET: &str = "/run/docker.sock";

    fn rows(host: &Memory) -> Vec<(String, String, Option<bool>, Option<bool>)> {
        let rows = EngineComponents::collect(&Context::new(host), &Selector::All).unwrap();
        let text = |row: &EngineComponent| {
            (
                row.name.known().unwrap().raw().to_owned(),
                row.version.known().unwrap().text().raw().to_owned(),
                row.maintained.known().copied(),
                row.fixed.known().copied(),
            )
        };
        rows.iter().map(text).collect()
    }

    #[test]
    fn packages_tell_where_no_engine_does() {
        let status = |packages: &[(&str, &str)]| {
            packages
                .iter()
                .map(|(name, version)| {
                    format!("Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n")
                })
                .collect::<String>()
        };
        let host = |packages: &[(&str, &str)]| Memory::new().file("/var/lib/dpkg/status", status(packages)).at(1_770_000_000);
        let of_docker = host(&[("docker-ce", "5:28.0.4-1~debian.12~bookworm"), ("containerd.io", "1.7.27-1")]);
        assert_eq!(
            rows(&of_docker),
            [("docker".into(), "28.0.4".into(), None, Some(false)), ("containerd".into(), "1.7.27".into(), Some(true), Some(false))]
        );
        let of_debian = host(&[("docker.io", "20.10.24+dfsg1-1"), ("runc", "1.1.5+ds1-1+deb12u1")]);
        assert!(rows(&of_debian).iter().all(|(.., maintained, fixed)| maintained.is_none() && fixed.is_none()));
        assert!(rows(&host(&[("bash", "5")])).is_empty());
    }

    #[test]
    fn a_running_engine_tells_more() {
        let version = r#"{"Platform":{"Name":"Docker Engine - Community"},"Version":"29.1.3","Components":[
            {"Name":"Engine","Version":"29.1.3"},{"Name":"containerd","Version":"v2.2.0"},{"Name":"runc","Version":"1.3.2"},{"Name":"docker-init","Version":"0.19.0"}]}"#;
        let host = Memory::new()
            .node(SOCKET, crate::host::FileKind::Socket, 0o660)
            .answer(SOCKET, Route::Version, version)
            .answer(SOCKET, Route::Info, "{}")
            .file("/var/lib/dpkg/status", "Package: docker-ce\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5:29.1.3-1\n\n")
            .at(1_770_000_000);
        assert_eq!(
            rows(&host),
            [
                ("docker".into(), "29.1.3".into(), Some(true), Some(true)),
                ("containerd".into(), "v2.2.0".into(), Some(true), Some(true)),
                ("runc".into(), "1.3.2".into(), Some(true), Some(false)),
            ]
        );
    }
}
