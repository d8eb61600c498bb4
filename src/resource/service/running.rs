//! Whether a unit runs, without asking its manager: its processes by cgroup, its sockets by the kernel's tables.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::FileKind;
use crate::parse::unit_name::UnitName;
use crate::parse::{sockets, unit::words};
use crate::resource::Context;
use crate::resource::process_table::{ProcessTable, Running};
use crate::resource::systemd::{Loaded, Units};

/// The processes of a unit, by id. Of a template those of all its instances.
pub(super) fn pids(context: &Context<'_>, name: &str, aliases: &[&str]) -> Fact<BTreeSet<i32>> {
    let origin = Origin::kernel("/proc");
    let table = ProcessTable::of(context);
    let mut gap = match table.as_ref() {
        Ok(table) => table.hidden.clone(),
        Err(gap) => Some(gap.clone()),
    };
    let mut found = BTreeSet::new();
    for process in table.iter().flat_map(|table| &table.processes) {
        match &process.unit {
            Fact::Known(unit, _) if is_of(unit, name, aliases) && is_own(process) => drop(found.insert(process.pid)),
            Fact::Known(..) | Fact::Absent(_) => {}
            Fact::Unknown(unread) => drop(gap.get_or_insert_with(|| unread.clone())),
        }
    }
    match gap {
        None => Fact::Known(found, origin),
        // Cgroups can be listed by everybody, also where processes are hidden.
        Some(gap) => match from_cgroups(context, name) {
            Some((more, origin)) => Fact::Known(found.into_iter().chain(more).collect(), origin),
            None => Fact::Unknown(gap),
        },
    }
}

fn is_of(unit: &str, name: &str, aliases: &[&str]) -> bool {
    let template = UnitName::parse(unit).and_then(|unit| unit.template());
    unit == name || aliases.contains(&unit) || template.as_deref() == Some(name)
}

/// A container may lie in the cgroup of the engine's unit; its processes are not the engine's.
fn is_own(process: &Running) -> bool {
    !matches!(process.container, Fact::Known(..))
}

/// The processes in the cgroup of a system unit and below it. `None` where no hierarchy of systemd can be looked into, or
/// the unit is told to be elsewhere.
fn from_cgroups(context: &Context<'_>, name: &str) -> Option<(BTreeSet<i32>, Origin)> {
    let unit = UnitName::parse(name).filter(|unit| !unit.is_template())?;
    let loaded = Units::of(context).load(context.host, name);
    if loaded.is_some_and(|loaded| loaded.gap.is_some() || loaded.unit.last("Service", "Slice").is_some()) {
        return None;
    }
    let slice = match unit.instance {
        Some(_) => format!("system.slice/system-{}.slice", unit.prefix.replace('-', "\\x2d")),
        None => "system.slice".to_owned(),
    };
    ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"].iter().find_map(|hierarchy| {
        let top = Path::new(hierarchy).join("system.slice");
        context.host.list(&top).known()?;
        let directory = Path::new(hierarchy).join(&slice).join(name);
        let mut found = BTreeSet::new();
        below(context, &directory, 0, &mut found).then(|| (found, Origin::kernel(directory.as_path())))
    })
}

/// Adds the processes of a cgroup and those below. False where one cannot be looked into.
fn below(context: &Context<'_>, directory: &Path, depth: u8, found: &mut BTreeSet<i32>) -> bool {
    const DEEPEST: u8 = 8;
    match context.host.read(&directory.join("cgroup.procs")) {
        Fact::Known(bytes, _) => found.extend(String::from_utf8_lossy(&bytes).lines().filter_map(|pid| pid.trim().parse::<i32>().ok())),
        Fact::Absent(_) => return true,
        Fact::Unknown(_) => return false,
    }
    match context.host.list(directory) {
        Fact::Known(entries, _) => entries
            .iter()
            .filter(|entry| entry.kind == FileKind::Directory)
            .all(|entry| depth < DEEPEST && below(context, &directory.join(&entry.name), depth + 1, found)),
        Fact::Absent(_) => true,
        Fact::Unknown(_) => false,
    }
}

/// Whether something listens on every stream address of a socket unit.
pub(super) fn listening(context: &Context<'_>, loaded: &Loaded) -> Fact<bool> {
    let origin = loaded.unit.last("Socket", "ListenStream").map(crate::resource::systemd::origin);
    let name = UnitName::parse(&loaded.name);
    let mut addresses = Vec::new();
    for assignment in loaded.unit.all("Socket", "ListenStream").into_iter().chain(loaded.unit.all("Socket", "ListenSequentialPacket")) {
        for word in words(&assignment.value).unwrap_or_default() {
            match name.and_then(|name| name.expand(&word)) {
                Some(address) => addresses.push(address),
                None => return unsupported(origin, "its address depends on the running manager"),
            }
        }
    }
    if addresses.is_empty() {
        return unsupported(origin, "only stream sockets show whether they listen");
    }
    let mut all = true;
    for address in addresses {
        let listens = if address.starts_with(['/', '@']) { unix(context, &address) } else { tcp(context, &address) };
        match listens {
            Ok(Some(listens)) => all &= listens,
            Ok(None) => return unsupported(origin, "its address is of a kind that is not looked up"),
            Err(gap) => return Fact::Unknown(gap),
        }
    }
    Fact::Known(all, Origin::kernel("/proc/net"))
}

fn unsupported(origin: Option<Origin>, why: &str) -> Fact<bool> {
    Fact::Unknown(Gap::new(origin.unwrap_or(Origin::Derived), Reason::unsupported(why)))
}

fn unix(context: &Context<'_>, address: &str) -> Result<Option<bool>, Gap> {
    let names = sockets::listening_unix(&table(context, "/proc/net/unix")?);
    // `/var/run` is a link to `/run`; the kernel keeps the name that was bound.
    let real = |path: &str| context.host.resolve(Path::new(path)).known().cloned().unwrap_or_else(|| PathBuf::from(path));
    Ok(Some(names.iter().any(|name| name == address || (address.starts_with('/') && real(name) == real(address)))))
}

fn tcp(context: &Context<'_>, address: &str) -> Result<Option<bool>, Gap> {
    // A bare port is every address; what is no address and port may be a vsock.
    let wanted: Option<SocketAddr> = address.parse().ok();
    let Some(port) = wanted.map(|address| address.port()).or_else(|| address.parse().ok()) else { return Ok(None) };
    let read = |bytes: &[u8], path| sockets::listening_tcp(bytes).map_err(|reason| Gap::new(Origin::kernel(path), reason));
    let mut found = read(&table(context, "/proc/net/tcp")?, "/proc/net/tcp")?;
    // Without IPv6 there is no such table.
    match context.host.read(Path::new("/proc/net/tcp6")) {
        Fact::Known(bytes, _) => found.extend(read(&bytes, "/proc/net/tcp6")?),
        Fact::Absent(_) => {}
        Fact::Unknown(gap) => return Err(gap),
    }
    Ok(Some(found.iter().any(|listens| listens.port() == port && wanted.is_none_or(|wanted| wanted.ip() == listens.ip()))))
}

fn table(context: &Context<'_>, path: &str) -> Result<std::sync::Arc<[u8]>, Gap> {
    let path = Path::new(path);
    context.host.read(path).into_result()?.ok_or_else(|| Gap::new(Origin::kernel(path), Reason::NotCollected))
}
