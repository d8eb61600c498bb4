//! Every container of every engine, listed once and inspected once, for whoever asks.
//!
//! A document is turned into facts as soon as it arrives and dropped, so that a thousand of them never lie in memory together.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Gap, Reason, Text};
use crate::host::engine::{Id, Route};
use crate::parse::engine_json::{self, ContainerInspect, ContainerListEntry};
use crate::parse::mountinfo;
use crate::parse::process::Cgroups;
use crate::resource::docker::{self, Engine};
use crate::resource::kernel::SecurityModules;
use crate::resource::side_by_side::ask_all;
use crate::resource::{Context, container_process};

use super::Container;
use super::capabilities::Declared;
use super::declared::{self, Read};
use super::namespaces::AllModes;
use super::places::Places;
use super::redact;
use super::surroundings::Surroundings;

/// Every container there is.
pub(in crate::resource) struct Inspected {
    /// Their records, by engine and name.
    pub(in crate::resource) rows: Vec<Container>,
    /// What those that run promise, to be held against their processes.
    pub(in crate::resource) promises: Vec<Promise>,
    /// Engines whose containers could not be listed.
    pub(in crate::resource) unlisted: Vec<(Text, Gap)>,
}

/// What a running container declares to be.
#[derive(Debug)]
pub(in crate::resource) struct Promise {
    pub(in crate::resource) name: Fact<Text>,
    pub(in crate::resource) id: Text,
    pub(in crate::resource) engine: Text,
    /// Whether it must have processes: it does not while it waits to be restarted.
    pub(in crate::resource) alive: bool,
    /// First process; `None` where the container's document could not be read.
    pub(in crate::resource) pid: Option<i32>,
    pub(in crate::resource) capabilities: Option<Declared>,
    pub(in crate::resource) seccomp: Fact<Text>,
    pub(in crate::resource) no_new_privileges: Fact<bool>,
    pub(in crate::resource) confined: Fact<bool>,
    pub(in crate::resource) host_network: Fact<bool>,
    pub(in crate::resource) host_pid: Fact<bool>,
    pub(in crate::resource) host_ipc: Fact<bool>,
    pub(in crate::resource) host_uts: Fact<bool>,
    pub(in crate::resource) host_cgroup: Fact<bool>,
    /// `host` or `remapped`.
    pub(in crate::resource) user_namespace: Fact<Text>,
}

/// Every container, looked at once per run. An error means that engines could not be looked for.
pub(in crate::resource) fn inspected(context: &Context<'_>) -> Result<Arc<Inspected>, Gap> {
    struct Once(Result<Arc<Inspected>, Gap>);
    context.once(|context| Once(all(context).map(Arc::new))).0.clone()
}

fn all(context: &Context<'_>) -> Result<Inspected, Gap> {
    let engines = docker::engines(context)?;
    let places = Places::of(context, &engines);
    let modules = SecurityModules::of(context);
    let own = own_container(context);
    let mut found = Inspected { rows: Vec::new(), promises: Vec::new(), unlisted: Vec::new() };
    for engine in engines.iter() {
        match list(context, engine) {
            Ok(list) => {
                let mut entries: Vec<&ContainerListEntry> = list.iter().collect();
                entries.sort_by_key(|entry| (entry.name(), &entry.id));
                entries.dedup_by_key(|entry| &entry.id);
                let around = Surroundings::of(context, engine, &modules, &places);
                for read in read_all(context, engine, &around, own.as_deref(), &entries) {
                    if matches!(read.row.state.known().map(Text::raw), Some("running" | "paused" | "restarting")) {
                        found.promises.push(promise(&read, engine));
                    }
                    found.rows.push(read.row);
                }
            }
            Err(gap) => found.unlisted.push((engine.name.clone(), gap)),
        }
    }
    Ok(found)
}

fn list(context: &Context<'_>, engine: &Engine) -> Result<Arc<Vec<ContainerListEntry>>, Gap> {
    let unknown = || Gap::new(engine.origin(Route::Containers), Reason::malformed("the engine does not know this question"));
    engine.containers(context).into_result()?.ok_or_else(unknown)
}

fn read_all(
    context: &Context<'_>,
    engine: &Engine,
    around: &Surroundings<'_>,
    own: Option<&str>,
    entries: &[&ContainerListEntry],
) -> Vec<Read> {
    let read = |entry: &&ContainerListEntry| inspect(context, engine, around, own, entry);
    let asked = ask_all(context.host.parallelism(), entries, read);
    let still_listed = asked.iter().any(Option::is_none).then(|| engine.still_listed(context, Route::Containers));
    let kept_from_us = |entry: &ContainerListEntry| {
        let gap = still_listed.as_ref()?(&entry.id)?;
        Some(declared::listed(entry, engine, own, &gap))
    };
    let mut read: Vec<Read> =
        asked.into_iter().zip(entries).filter_map(|(read, entry)| read.or_else(|| kept_from_us(entry))).collect();
    let modes: AllModes = read.iter().map(|read| (read.id.clone(), read.modes.clone())).collect();
    for read in &mut read {
        if let Some(own) = &read.modes {
            let namespaces = modes.namespaces(own, &read.source);
            read.row.network_mode = namespaces.network_mode;
            read.row.host_network = namespaces.host_network;
            read.row.host_pid = namespaces.host_pid;
            read.row.host_ipc = namespaces.host_ipc;
            read.row.networks = namespaces.networks;
            read.row.default_bridge = namespaces.default_bridge;
        }
    }
    if context.wants("container", "ssh_servers") {
        let found = container_process::found(context);
        for read in &mut read {
            read.row.ssh_servers = found.ssh_servers(context, &read.id, read.row.state.known().map(Text::raw));
        }
    }
    read
}

/// One container; `None` where the engine does not know it.
fn inspect(
    context: &Context<'_>,
    engine: &Engine,
    around: &Surroundings<'_>,
    own: Option<&str>,
    entry: &ContainerListEntry,
) -> Option<Read> {
    let failed = |gap: &Gap| Some(declared::listed(entry, engine, own, gap));
    let malformed = |what: String| Gap::new(engine.origin(Route::Containers), Reason::malformed(what));
    let (Some(id), Some(socket)) = (Id::parse(&entry.id), &engine.socket) else {
        return failed(&malformed("the identifier of a container is not one".to_owned()));
    };
    // Not through `Engine::get`, which keeps every answer for the run.
    let (body, origin) = match context.host.engine(socket, &Route::Container(id)) {
        Fact::Known(body, origin) => (body, origin),
        Fact::Absent(_) => return None,
        Fact::Unknown(gap) => return failed(&gap),
    };
    let parts = ["State", "HostConfig", "Config", "NetworkSettings"];
    let inspect: ContainerInspect = match engine_json::read_whole(&body, &parts) {
        Ok(inspect) => inspect,
        Err(what) => return failed(&Gap::new(origin, Reason::malformed(what))),
    };
    if inspect.id != entry.id {
        return failed(&Gap::new(origin, Reason::malformed("the engine answered about another container")));
    }
    let document = context.wants_document("container").then(|| redact::document(&body, &origin).ok()).flatten();
    Some(Read::of(context, engine, around, own, &inspect, id, document))
}

fn promise(read: &Read, engine: &Engine) -> Promise {
    let row = &read.row;
    Promise {
        name: row.name.clone(),
        id: Text::from(read.id.as_str()),
        engine: engine.name.clone(),
        alive: matches!(row.state.known().map(Text::raw), Some("running" | "paused")),
        pid: (read.pid > 0).then_some(read.pid),
        capabilities: read.declared,
        seccomp: row.seccomp.clone(),
        no_new_privileges: row.no_new_privileges.clone(),
        confined: row.confined.clone(),
        host_network: row.host_network.clone(),
        host_pid: row.host_pid.clone(),
        host_ipc: row.host_ipc.clone(),
        host_uts: row.host_uts.clone(),
        host_cgroup: row.host_cgroup.clone(),
        user_namespace: row.user_namespace.clone(),
    }
}

/// The identifier of the container the audit itself runs in: from its cgroup, or, where a cgroup namespace hides that, from the
/// files engines mount into every container.
fn own_container(context: &Context<'_>) -> Option<String> {
    let cgroup = context.host.read(Path::new("/proc/self/cgroup"));
    let by_cgroup = cgroup.known().and_then(|bytes| Cgroups::parse(bytes).ok()).and_then(|cgroups| cgroups.container().map(str::to_owned));
    let by_mounts = || {
        let table = context.host.read(Path::new("/proc/self/mountinfo"));
        let (mounts, _) = mountinfo::parse(table.known()?);
        let managed: BTreeSet<&Path> = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"].into_iter().map(Path::new).collect();
        mounts.iter().filter(|mount| managed.contains(mount.point.as_path())).find_map(|mount| {
            let parts: Vec<&str> = mount.root.iter().filter_map(|part| part.to_str()).collect();
            parts.into_iter().find(|part| Id::parse(part).is_some()).map(str::to_owned)
        })
    };
    by_cgroup.or_else(by_mounts)
}
