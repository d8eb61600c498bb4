//! Finds the container engines of a host: by processes, sockets and what is installed.

mod dormant;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Fact, Gap, Text};
use crate::host::FileKind;
use crate::parse::sockets::listening_unix;
use crate::resource::Context;
use crate::resource::accounts::Accounts;

use super::told::Defaults;
use super::{Engine, Kind, Process, Told, process};

const DOCKER_SOCKET: &str = "/run/docker.sock";
const DOCKER_UNIT: &str = "docker.service";
const PODMAN_UNIT: &str = "podman.service";
const PODMAN_SOCKET: &str = "/run/podman/podman.sock";

/// Any of these files means that Docker is installed.
const INSTALLED: &[&str] = &[
    "/usr/bin/dockerd",
    "/usr/sbin/dockerd",
    "/usr/local/bin/dockerd",
    "/usr/local/sbin/dockerd",
    "/etc/systemd/system/docker.service",
    "/run/systemd/system/docker.service",
    "/usr/lib/systemd/system/docker.service",
    "/lib/systemd/system/docker.service",
    "/snap/bin/dockerd",
];

pub(super) fn discover(context: &Context<'_>) -> Result<Vec<Engine>, Gap> {
    let running = process::daemons(context);
    let mut search = Search { context, found: Vec::new(), gap: running.gap, accounts: Accounts::of(context) };
    let daemons = |kind| running.found.iter().filter(move |(is, _)| *is == kind).map(|(_, process)| process);
    let mut docker: Vec<(&Process, Told)> = daemons(Kind::Docker).map(|process| (process, search.told(process))).collect();
    // Root's first: nobody else may claim a socket of theirs. Those of which it is known where they listen before those
    // that get what is left.
    docker.sort_by_key(|(process, told)| (process.uid != 0, told.values("hosts").known().is_none(), process.pid));
    for (process, told) in docker {
        search.docker_process(process, told);
    }
    for process in daemons(Kind::Podman) {
        search.podman_process(process);
    }
    search.podman_at(PathBuf::from(PODMAN_SOCKET), 0, None);
    search.system_docker(context);
    search.user_sockets();
    context.host.named_engines().iter().for_each(|socket| search.named(socket));
    search.name_all();
    match search.gap {
        // An engine whose process hides is seen by its socket; with neither, nothing was really looked at.
        Some(gap) if search.found.is_empty() => Err(gap),
        _ => Ok(search.found),
    }
}

struct Search<'a, 'host> {
    context: &'a Context<'host>,
    found: Vec<Engine>,
    /// Why there may be others.
    gap: Option<Gap>,
    accounts: Arc<Accounts>,
}

impl Search<'_, '_> {
    fn account(&self, uid: u32) -> (Text, PathBuf) {
        match self.accounts.users().iter().find(|user| user.uid == uid) {
            Some(account) => (account.name.clone(), PathBuf::from(account.home.raw())),
            None if uid == 0 => (Text::from("root"), PathBuf::from("/root")),
            // As of a directory service.
            None => (Text::from(uid.to_string()), PathBuf::from(format!("~{uid}"))),
        }
    }

    /// The path with links resolved where it exists, so that aliases are one engine.
    fn real(&self, socket: &Path) -> PathBuf {
        match self.context.host.resolve(socket) {
            Fact::Known(real, _) => real,
            Fact::Absent(_) | Fact::Unknown(_) => match socket.strip_prefix("/var/run") {
                Ok(rest) => Path::new("/run").join(rest),
                Err(_) => socket.to_path_buf(),
            },
        }
    }

    fn is_socket(&self, path: &Path) -> bool {
        self.context.host.stat(path).known().is_some_and(|stat| stat.kind == FileKind::Socket)
    }

    /// Whether two paths are one socket: by name, or by inode where it is bind-mounted or hard-linked.
    fn same(&self, a: &Path, b: &Path) -> bool {
        let identity = |path| self.context.host.stat(path).known().map(|stat| (stat.device, stat.inode));
        a == b || identity(a).is_some_and(|a| Some(a) == identity(b))
    }

    fn taken(&self, socket: &Path) -> bool {
        self.found.iter().filter_map(|engine| engine.socket.as_deref()).any(|other| self.same(other, socket))
    }

    fn add(&mut self, kind: Kind, socket: Option<PathBuf>, uid: u32, process: Option<Process>, told: Told) {
        let (user, home) = self.account(uid);
        let engine =
            Engine { name: Text::default(), kind, socket, rootless: uid != 0, uid, user, home, process, asleep: None, told, doubt: None };
        self.found.push(engine);
    }

    fn defaults(&self, uid: u32) -> Defaults {
        let (_, home) = self.account(uid);
        if uid == 0 {
            return Defaults {
                config_file: "/etc/docker/daemon.json".into(),
                data_root: "/var/lib/docker".into(),
                runtime_directory: "/var/run".into(),
                home,
                rootless: false,
            };
        }
        Defaults {
            config_file: home.join(".config/docker/daemon.json"),
            data_root: home.join(".local/share/docker"),
            runtime_directory: format!("/run/user/{uid}").into(),
            home,
            rootless: true,
        }
    }

    fn told(&self, process: &Process) -> Told {
        Told::new(self.context, Some(process), Some(process.service().unwrap_or(DOCKER_UNIT)), self.defaults(process.uid))
    }

    fn docker_process(&mut self, process: &Process, told: Told) {
        let uid = process.uid;
        let default = self.real(&default_socket(Kind::Docker, uid));
        let hosts = told.values("hosts").into_result().ok().flatten().unwrap_or_default();
        let paths = hosts.iter().filter_map(|host| socket_path(host.raw(), &default)).map(|path| self.real(&path));
        // Whoever is not root can only speak for sockets of his own.
        let own = |path: &PathBuf| uid == 0 || self.context.host.stat(path).known().is_none_or(|stat| stat.uid == uid);
        let paths: Vec<PathBuf> = paths.filter(own).collect();
        let paths = if uid != 0 && !self.is_socket(&default) && paths.iter().all(|path| *path == default) {
            self.listening(process).filter(own).map_or(paths, |path| vec![path])
        } else {
            paths
        };
        let mut socket = paths.iter().find(|path| **path == default).or(paths.first()).cloned();
        if socket.as_deref().is_some_and(|socket| self.taken(socket)) {
            return;
        }
        // Told of TCP alone, or of something that cannot be read: if it is the system's daemon, it stays that.
        let usual = hosts.is_empty() || told.config_file() == self.defaults(uid).config_file;
        if socket.is_none() && usual && own(&default) && !self.taken(&default) {
            socket = Some(default.clone());
        }
        let others = process.service().is_none() && socket.as_deref() != Some(&default);
        let told = if others { told.without_unit(self.context.host) } else { told };
        self.add(Kind::Docker, socket, uid, Some(process.clone()), told);
    }

    /// The socket a user's daemon made in a runtime directory that is not the usual one: only its network namespace tells.
    fn listening(&self, process: &Process) -> Option<PathBuf> {
        let table = self.context.host.read(Path::new(&format!("/proc/{}/net/unix", process.pid))).into_result().ok()??;
        let mut sockets = listening_unix(&table).into_iter().filter(|name| name.starts_with('/') && name.ends_with("/docker.sock"));
        sockets.next().map(PathBuf::from)
    }

    fn podman_process(&mut self, process: &Process) {
        let default = default_socket(Kind::Podman, process.uid);
        let words = process.arguments.iter().skip_while(|word| *word != "service");
        let socket = words.skip(1).find(|word| word.contains("://")).and_then(|uri| socket_path(uri, &default)).unwrap_or(default);
        self.podman_at(socket, process.uid, Some(process));
    }

    fn podman_at(&mut self, socket: PathBuf, uid: u32, process: Option<&Process>) {
        let socket = self.real(&socket);
        let seen = self.context.host.stat(&socket);
        let owned = seen.known().is_none_or(|stat| uid == 0 || stat.uid == uid);
        // Root's is in a directory of root's alone, which is there where the engine is.
        let hidden = uid == 0 && matches!(seen, Fact::Unknown(_));
        if (process.is_none() && !hidden && !self.is_socket(&socket)) || !owned || self.taken(&socket) {
            return;
        }
        let unit = process.and_then(Process::service).unwrap_or(PODMAN_UNIT);
        let told = Told::new(self.context, None, Some(unit), self.defaults(uid));
        self.add(Kind::Podman, Some(socket), uid, process.cloned(), told);
    }

    /// What whoever asked for the audit says is an engine, there or not. It is asked by the name it was given.
    fn named(&mut self, socket: &Path) {
        if self.taken(&self.real(socket)) {
            return;
        }
        let called_podman = socket.file_name().is_some_and(|name| name.to_string_lossy().contains("podman"));
        let uid = self.context.host.stat(socket).known().map_or(0, |stat| stat.uid);
        let kind = if called_podman { Kind::Podman } else { Kind::Docker };
        self.add(kind, Some(socket.to_path_buf()), uid, None, Told::unseen(self.defaults(uid)));
    }

    /// Root's Docker on the usual socket, where no process of it was seen: hidden, started on demand, or stopped. One that is
    /// installed and nothing more, as beside rootless engines, is none.
    fn system_docker(&mut self, context: &Context<'_>) {
        let socket = self.real(Path::new(DOCKER_SOCKET));
        if self.taken(&socket) {
            return;
        }
        let is = |path: &str, kind| self.context.host.stat(Path::new(path)).known().is_some_and(|stat| stat.kind == kind);
        let snap = is("/var/snap/docker/current", FileKind::Directory);
        let distributed = INSTALLED.iter().any(|path| is(path, FileKind::File));
        if !(self.is_socket(&socket) || distributed || snap || is("/var/lib/docker", FileKind::Directory)) {
            return;
        }
        let mut defaults = self.defaults(0);
        let mut unit = DOCKER_UNIT;
        if snap && !distributed {
            unit = "snap.docker.dockerd.service";
            defaults.config_file = "/var/snap/docker/current/config/daemon.json".into();
            defaults.data_root = "/var/snap/docker/common/var-lib-docker".into();
        }
        let told = Told::new(self.context, None, Some(unit), defaults);
        let doubt = match dormant::is_dormant(context, &socket, unit, &told.data_root()) {
            Ok(true) => return,
            Ok(false) => None,
            Err(gap) => Some(gap),
        };
        let asleep = dormant::asleep(context, unit, &told.socket_unit, &socket);
        self.add(Kind::Docker, Some(socket), 0, None, told);
        if let Some(engine) = self.found.last_mut() {
            (engine.asleep, engine.doubt) = (asleep, doubt);
        }
    }

    fn user_sockets(&mut self) {
        let entries = match self.context.host.list(Path::new("/run/user")) {
            Fact::Known(entries, _) => entries,
            Fact::Absent(_) => return,
            Fact::Unknown(gap) => {
                self.gap.get_or_insert(gap);
                return;
            }
        };
        let uids = entries.iter().filter_map(|entry| entry.name.to_str()?.parse::<u32>().ok());
        for uid in uids.filter(|uid| *uid != 0) {
            let docker = self.real(&default_socket(Kind::Docker, uid));
            let owned = self.context.host.stat(&docker).known().is_some_and(|stat| stat.kind == FileKind::Socket && stat.uid == uid);
            if owned && !self.taken(&docker) {
                let told = Told::new(self.context, None, Some(DOCKER_UNIT), self.defaults(uid));
                self.add(Kind::Docker, Some(docker), uid, None, told);
            }
            self.podman_at(default_socket(Kind::Podman, uid), uid, None);
        }
    }

    /// The engine on the usual socket of its kind and user has the plain name; others carry theirs.
    fn name_all(&mut self) {
        for at in 0..self.found.len() {
            let Some(engine) = self.found.get(at) else { break };
            let plain =
                if engine.uid == 0 { engine.kind.word().to_owned() } else { format!("{}@{}", engine.kind.word(), engine.user.raw()) };
            let usual = self.real(&default_socket(engine.kind, engine.uid));
            let name = match &engine.socket {
                Some(socket) if !self.same(socket, &usual) => format!("{plain}:{}", Text::from(socket.as_path()).raw()),
                Some(_) => plain,
                None => format!("{plain}:{}", engine.process.as_ref().map_or_else(String::new, |process| process.pid.to_string())),
            };
            if let Some(engine) = self.found.get_mut(at) {
                engine.name = name.into();
            }
        }
        self.found.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

fn default_socket(kind: Kind, uid: u32) -> PathBuf {
    match (kind, uid) {
        (Kind::Docker, 0) => DOCKER_SOCKET.into(),
        (Kind::Podman, 0) => PODMAN_SOCKET.into(),
        (Kind::Docker, uid) => format!("/run/user/{uid}/docker.sock").into(),
        (Kind::Podman, uid) => format!("/run/user/{uid}/podman/podman.sock").into(),
    }
}

/// The path behind a listening address: `unix://PATH`, or what systemd hands over as `fd://`. TCP has none.
fn socket_path(address: &str, usual: &Path) -> Option<PathBuf> {
    if address.starts_with("fd://") || address == "unix://" {
        return Some(usual.to_path_buf());
    }
    address.strip_prefix("unix://").filter(|path| path.starts_with('/')).map(PathBuf::from)
}

#[cfg(test)]
mod tests;
