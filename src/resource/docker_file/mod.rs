//! The files, directories and sockets an engine depends on, found where this host has them.

mod containerd;
mod places;
mod programs;
mod sockets;

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, Integer, Mode, Origin, Reason, Row as _, Text, record};
use crate::parse::audit_rules::cover::Target;
use crate::parse::process::IdMap;

use super::accounts::{self, Accounts};
use super::audit_rule::Trail;
use super::docker::{self, Engine, Kind};
use super::engine::socket_group;
use super::file::{self, File};
use super::{Context, Resource, Selector, paths};
use places::{Place, ROLES};

record! {
    /// One file, directory or socket in a role. A role with no path on this host, or whose path is not there, is a record with `exists = false`.
    pub struct DockerFile("docker_file") {
        /// Path on the host, as configured.
        path: Text,
        /// What it is for: `dockerd`, `containerd`, `containerd_shim`, `containerd_shim_runc_v1`, `containerd_shim_runc_v2`, `runc`,
        /// `containerd_state`, `data_root`, `config_dir`, `config_file`, `service_unit`, `socket_unit`, `unit_dropin`, `api_socket`,
        /// `containerd_socket`, `containerd_config`, `default_file`, `sysconfig_file`, `registry_cert`, `tls_ca`, `tls_cert`, `tls_key`.
        role: Text,
        /// Name of the engine.
        engine: Text,
        /// Whether that engine is rootless.
        rootless: Flag,
        /// Whether it is there.
        exists: Flag,
        /// `file`, `directory`, `socket` and so on.
        kind: Text,
        /// Name of the owner.
        owner: Text,
        /// Name of the group.
        group: Text,
        /// Numeric owner.
        uid: Integer,
        /// Numeric group.
        gid: Integer,
        /// Permission bits.
        mode: Mode,
        /// Whether the owner is who should own it: root, or the user of a rootless engine.
        owner_expected: Flag,
        /// Whether the group is the one that should: for the API socket the configured socket group or root,
        /// of a rootless engine any group of its user namespace, else root (or the rootless user's).
        group_expected: Flag,
        /// Whether a loaded audit rule watches it for writes and attribute changes, be it by name, alias or parent directory.
        audited: Flag,
        /// Whether a rule on disk does that the next start of auditd will load: one in `/etc/audit/rules.d`, or in
        /// `/etc/audit/audit.rules` where there is no file in that directory.
        audited_on_disk: Flag,
        /// The loaded rule that watches it.
        audit_rule: Text,
        /// Whether somebody other than its owner and root can replace it by writing to a parent directory.
        replaceable: Flag,
    }
}

/// Finds the records.
pub struct DockerFiles;

impl Resource for DockerFiles {
    type Row = DockerFile;
    const SELECTOR: &'static str = "a role, such as `data_root`; `\"*\"` for all of them";
    const KEY: &'static str = "role";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let engines = docker::engines(context)?;
        let mut rows = Vec::new();
        for engine in engines.iter().filter(|engine| engine.kind == Kind::Docker) {
            for (role, find) in ROLES.iter().filter(|(role, _)| of.picks(role)) {
                if let Some(gap) = &engine.doubt {
                    rows.push(DockerFile {
                        role: Fact::derived(*role),
                        engine: Fact::derived(engine.name.clone()),
                        rootless: Fact::derived(engine.rootless),
                        ..DockerFile::unknown(gap)
                    });
                    continue;
                }
                rows.extend(find(context, engine).into_iter().map(|place| row(context, engine, role, place)));
            }
        }
        Ok(rows)
    }
}

fn row(context: &Context<'_>, engine: &Engine, role: &'static str, place: Place) -> DockerFile {
    let place = match place {
        Place::At(path, origin) => docker::homeless(&path).map_or(Place::At(path, origin), Place::Unknown),
        other => other,
    };
    let (file, path) = match place {
        Place::At(path, origin) => (file::look(context, &path), Fact::Known(path, origin)),
        Place::Unused(path, origin) => (file::missing(&path, &origin), Fact::Known(path, origin)),
        Place::Unknown(gap) => (File::unknown(&gap), Fact::Unknown(gap)),
    };
    let watched = Watched::of(context, path.known().map(PathBuf::as_path), &file);
    DockerFile {
        role: Fact::derived(role),
        engine: Fact::derived(engine.name.clone()),
        rootless: Fact::derived(engine.rootless),
        owner_expected: file.uid.clone().map(|uid| uid == 0 || uid == i64::from(engine.uid)),
        group_expected: group_expected(context, engine, role, &file),
        audited: watched.loaded,
        audited_on_disk: watched.on_disk,
        audit_rule: watched.rule,
        replaceable: replaceable(context, engine, path.known().map(PathBuf::as_path), &file),
        path: path.map(|path| Text::from(path.as_path())),
        exists: file.exists,
        kind: file.kind,
        owner: file.owner,
        group: file.group,
        uid: file.uid,
        gid: file.gid,
        mode: file.mode,
    }
}

/// Root's group is right everywhere, the user's for a rootless engine, and for the API socket whatever group was given it.
fn group_expected(context: &Context<'_>, engine: &Engine, role: &str, file: &File) -> Fact<bool> {
    file.gid.clone().and_then(|gid, origin| {
        let accounts = Accounts::of(context);
        if let (true, Fact::Unknown(gap)) = (engine.rootless, &accounts.passwd) {
            return Fact::Unknown(gap.clone());
        }
        let is = |number: u32| gid == i64::from(number);
        let user = accounts.users().iter().find(|user| user.uid == engine.uid);
        if engine.rootless && gid != 0 && user.is_none() {
            let unseen = || Gap::new(Origin::file(accounts::PASSWD), Reason::unsupported("the account of its user cannot be seen"));
            return Fact::Unknown(accounts.passwd().err().unwrap_or_else(unseen));
        }
        let users_own = engine.rootless && user.is_some_and(|user| is(user.gid));
        if gid == 0 || users_own || role != "api_socket" {
            return Fact::Known(gid == 0 || users_own, origin);
        }
        if engine.rootless {
            return in_its_namespace(context, engine, gid);
        }
        match socket_group(engine) {
            Fact::Known(group, _) => match (&accounts.group, accounts.group(group.raw()), group.raw().parse::<u32>()) {
                (_, Some(group), _) => Fact::Known(is(group.gid), origin),
                (Fact::Unknown(gap), None, _) => Fact::Unknown(gap.clone()),
                (Fact::Absent(origin), None, _) => Fact::Unknown(Gap::new(origin.clone(), Reason::NotCollected)),
                // dockerd takes a number where there is no such name.
                (_, None, Ok(number)) => Fact::Known(is(number), origin),
                (_, None, Err(_)) => Fact::Known(false, origin),
            },
            Fact::Absent(_) => Fact::Known(false, origin),
            Fact::Unknown(gap) => Fact::Unknown(gap),
        }
    })
}

/// Whether a group is one of the user namespace a rootless engine runs in, as its `docker` group is: nobody outside is a member.
fn in_its_namespace(context: &Context<'_>, engine: &Engine, gid: i64) -> Fact<bool> {
    let Some(process) = &engine.process else {
        let why = "the daemon whose group it may be is not seen";
        return Fact::Unknown(Gap::new(Origin::kernel("/proc"), Reason::unsupported(why)));
    };
    let path = PathBuf::from(format!("/proc/{}/gid_map", process.pid));
    context.host.read(&path).and_then(|bytes, origin| match IdMap::parse(&bytes) {
        Ok(map) => Fact::Known(!map.is_initial() && u32::try_from(gid).is_ok_and(|gid| map.inside(gid).is_some()), origin),
        Err(reason) => Fact::Unknown(Gap::new(origin, reason)),
    })
}

fn replaceable(context: &Context<'_>, engine: &Engine, path: Option<&Path>, file: &File) -> Fact<bool> {
    let (Some(path), Some(true)) = (path, file.exists.known()) else { return file.replaceable.clone() };
    let owner = file.uid.known().and_then(|uid| u32::try_from(*uid).ok());
    let trusted: Vec<u32> = owner.into_iter().chain([engine.uid]).collect();
    paths::replaceable(context.host, path, &trusted)
}

/// Whether audit rules watch a file. Absent where there is no file.
struct Watched {
    loaded: Fact<Flag>,
    rule: Fact<Text>,
    on_disk: Fact<Flag>,
}

impl Watched {
    fn of(context: &Context<'_>, path: Option<&Path>, file: &File) -> Self {
        let all = |fact: &Fact<Flag>| Self { loaded: fact.clone(), rule: fact.clone().map(|_| Text::default()), on_disk: fact.clone() };
        if !["audited", "audited_on_disk", "audit_rule"].iter().any(|field| context.wants(DockerFile::SCHEMA.resource, field)) {
            return all(&Fact::Unknown(Gap::new(Origin::Derived, Reason::NotCollected)));
        }
        let path = match (&file.exists, path) {
            (Fact::Known(true, _), Some(path)) => path,
            (Fact::Unknown(gap), _) => return all(&Fact::Unknown(gap.clone())),
            (exists, _) => return all(&Fact::Absent(exists.origin().clone())),
        };
        let path = match context.host.resolve(path) {
            Fact::Known(path, _) => path,
            Fact::Absent(origin) => return all(&Fact::Absent(origin)),
            Fact::Unknown(gap) => return all(&Fact::Unknown(gap)),
        };
        let target = Target { path: &path, is_directory: file.kind.known().is_some_and(|kind| kind.raw() == "directory") };
        let trail = Trail::of(context);
        let rule = trail.watching(target).map(|placed| Text::from(placed.rule.to_string()));
        let loaded = match &rule {
            Fact::Known(_, origin) => Fact::Known(true, origin.clone()),
            Fact::Absent(origin) => Fact::Known(false, origin.clone()),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        };
        Self { loaded, rule, on_disk: trail.will_watch(target) }
    }
}

#[cfg(test)]
mod tests;
