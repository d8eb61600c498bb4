//! The programs an engine runs: itself, containerd, its shims, the runtimes.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::Host;
use crate::host::engine::Route;
use crate::resource::Context;
use crate::resource::docker::Engine;
use crate::resource::process_table::{self, ProcessTable, Running};

use super::places::Place;

/// Where distributions and people install programs. The first is where most do.
const DIRECTORIES: [&str; 4] = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
/// Where a daemon started by systemd looks for a program that is named without a directory.
const SEARCH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// The first of some paths at which something is, or cannot be looked at; the last one where nothing is.
fn first(host: &dyn Host, paths: impl IntoIterator<Item = PathBuf>, usual: &Path) -> PathBuf {
    paths.into_iter().find(|path| !matches!(host.stat(path), Fact::Absent(_))).unwrap_or_else(|| usual.to_path_buf())
}

fn installed(context: &Context<'_>, name: &str) -> Place {
    let usual = Path::new("/usr/bin").join(name);
    Place::At(first(context.host, DIRECTORIES.map(|directory| Path::new(directory).join(name)), &usual), Origin::Derived)
}

/// The program a process runs, by the kernel's word. A file that has been replaced since counts by its name.
fn executable(context: &Context<'_>, pid: i32) -> Option<(PathBuf, Origin)> {
    let links = process_table::links(context, pid);
    let (path, _) = links.known()?.program()?;
    path.starts_with('/').then(|| (PathBuf::from(path), Origin::kernel(format!("/proc/{pid}/exe"))))
}

pub(super) fn dockerd(context: &Context<'_>, engine: &Engine) -> Vec<Place> {
    let running = engine.process.as_ref().and_then(|process| executable(context, process.pid));
    vec![running.map_or_else(|| installed(context, "dockerd"), |(path, origin)| Place::At(path, origin))]
}

/// The containerd of an engine as it runs.
pub(super) struct Containerd {
    /// Its program, where the kernel tells.
    pub(super) program: Option<(PathBuf, Origin)>,
    /// Its arguments, and where they were seen.
    pub(super) arguments: Fact<Vec<String>>,
}

/// The process of the engine's containerd: the one that dockerd started, else one of the same user outside of containers.
pub(super) fn running_containerd(context: &Context<'_>, engine: &Engine) -> Option<Containerd> {
    let table = ProcessTable::of(context);
    let processes = &table.as_ref().as_ref().ok()?.processes;
    let home = processes.iter().find(|process| process.pid == 1).and_then(|first| first.container.known());
    let dockerd = engine.process.as_ref().map(|process| process.pid);
    let is = |process: &&Running| {
        let Some(status) = process.status.known() else { return false };
        let elsewhere = process.container.known().is_some_and(|container| Some(container) != home);
        // Its executable is asked of the supervisor: only for those that look like it.
        let real = || executable(context, process.pid).is_none_or(|(path, _)| path.file_name().is_some_and(|name| name == "containerd"));
        status.name == "containerd" && status.uid.real == engine.uid && !elsewhere && real()
    };
    let parent = |process: &Running| process.status.known().map(|status| status.parent);
    let found: Vec<&Running> = processes.iter().filter(is).collect();
    let own = found.iter().find(|process| dockerd.is_some() && parent(process) == dockerd).or(found.first())?;
    Some(Containerd { program: executable(context, own.pid), arguments: own.command_line(context) })
}

pub(super) fn containerd(context: &Context<'_>, engine: &Engine) -> Vec<Place> {
    let running = running_containerd(context, engine).and_then(|containerd| containerd.program);
    vec![running.map_or_else(|| installed(context, "containerd"), |(path, origin)| Place::At(path, origin))]
}

/// A shim: containerd looks for it beside itself, then where any program is.
pub(super) fn beside_containerd(context: &Context<'_>, engine: &Engine, name: &str) -> Vec<Place> {
    let containerd = containerd(context, engine).into_iter().next();
    let beside = match &containerd {
        Some(Place::At(path, _)) => path.with_file_name(name),
        _ => Path::new("/usr/bin").join(name),
    };
    let others = DIRECTORIES.map(|directory| Path::new(directory).join(name));
    let path = first(context.host, std::iter::once(beside.clone()).chain(others), &beside);
    vec![Place::At(path, Origin::Derived)]
}

/// The programs of every runtime that is registered, each once. An engine that does not answer still has runc.
pub(super) fn runtimes(context: &Context<'_>, engine: &Engine) -> Vec<Place> {
    let info = engine.document(context, Route::Info);
    let told = info.at("/Runtimes", |runtimes| {
        let path = |runtime: &serde_json::Value| runtime.get("path").and_then(|path| path.as_str()).map(str::to_owned);
        runtimes.as_object().map(|runtimes| runtimes.values().filter_map(path).collect::<Vec<_>>())
    });
    let Fact::Known(paths, origin) = told else { return vec![installed(context, "runc")] };
    let mut seen = Vec::new();
    let mut places = Vec::new();
    for path in paths.into_iter().filter(|path| !path.is_empty()) {
        let path = if path.contains('/') {
            PathBuf::from(path)
        } else {
            let usual = Path::new("/usr/bin").join(&path);
            first(context.host, SEARCH.map(|directory| Path::new(directory).join(&path)), &usual)
        };
        let real = context.host.resolve(&path).known().cloned().unwrap_or_else(|| path.clone());
        if seen.contains(&real) {
            continue;
        }
        seen.push(real);
        if path.is_absolute() {
            places.push(Place::At(path, origin.clone()));
        } else {
            let reason = Reason::unsupported("the path of a runtime depends on where the daemon was started");
            places.push(Place::Unknown(Gap::new(origin.clone(), reason)));
        }
    }
    if places.is_empty() { vec![installed(context, "runc")] } else { places }
}
