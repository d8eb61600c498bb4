//! Finds the container engines of a host: by processes, sockets and what is installed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Fact, Gap, Text};
use crate::host::{FileKind, Host};
use crate::resource::Context;
use crate::resource::accounts::Accounts;

use super::told::Defaults;
use super::{Engine, Kind, Process, Told, process};

const DOCKER_SOCKET: &str = "/run/docker.sock";
const DOCKER_UNIT: &str = "docker.service";
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
    let host = context.host;
    let mut search = Search { host, found: Vec::new(), accounts: Accounts::of(context) };
    let processes = process::daemons(context);
    // Root's first: nobody else may claim a socket of theirs.
    let mut daemons: Vec<&(Kind, Process)> = processes.iter().flatten().collect();
    daemons.sort_by_key(|(_, process)| (process.uid != 0, process.pid));
    for (kind, process) in daemons {
        match kind {
            Kind::Docker => search.docker_process(process),
            Kind::Podman => search.podman_process(process),
        }
    }
    search.podman_at(PathBuf::from(PODMAN_SOCKET), 0, None);
    search.system_docker();
    search.user_sockets();
    search.name_all();
    match processes {
        // An engine whose process hides is seen by its socket; with neither, nothing was really looked at.
        Err(gap) if search.found.is_empty() => Err(gap),
        _ => Ok(search.found),
    }
}

struct Search<'a> {
    host: &'a dyn Host,
    found: Vec<Engine>,
    accounts: Arc<Accounts>,
}

impl Search<'_> {
    fn account(&self, uid: u32) -> (Text, PathBuf) {
        match self.accounts.users().iter().find(|user| user.uid == uid) {
            Some(account) => (account.name.clone(), PathBuf::from(account.home.raw())),
            None if uid == 0 => (Text::from("root"), PathBuf::from("/root")),
            None => (Text::from(uid.to_string()), PathBuf::from("/")),
        }
    }

    /// The path with links resolved where it exists, so that aliases are one engine.
    fn real(&self, socket: &Path) -> PathBuf {
        match self.host.resolve(socket) {
            Fact::Known(real, _) => real,
            Fact::Absent(_) | Fact::Unknown(_) => match socket.strip_prefix("/var/run") {
                Ok(rest) => Path::new("/run").join(rest),
                Err(_) => socket.to_path_buf(),
            },
        }
    }

    fn is_socket(&self, path: &Path) -> bool {
        self.host.stat(path).known().is_some_and(|stat| stat.kind == FileKind::Socket)
    }

    /// Whether two paths are one socket: by name, or by inode where it is bind-mounted or hard-linked.
    fn same(&self, a: &Path, b: &Path) -> bool {
        let identity = |path| self.host.stat(path).known().map(|stat| (stat.device, stat.inode));
        a == b || identity(a).is_some_and(|a| Some(a) == identity(b))
    }

    fn taken(&self, socket: &Path) -> bool {
        self.found.iter().filter_map(|engine| engine.socket.as_deref()).any(|other| self.same(other, socket))
    }

    fn add(&mut self, kind: Kind, socket: Option<PathBuf>, uid: u32, process: Option<Process>, told: Told) {
        let (user, home) = self.account(uid);
        self.found.push(Engine { name: Text::default(), kind, socket, rootless: uid != 0, uid, user, home, process, told });
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

    fn docker_process(&mut self, process: &Process) {
        let uid = process.uid;
        let unit = process.unit.as_deref().filter(|unit| unit.ends_with(".service"));
        let told = Told::new(self.host, Some(process), unit.or(Some(DOCKER_UNIT)), self.defaults(uid));
        let default = self.real(&default_socket(Kind::Docker, uid));
        let hosts = match told.values("hosts") {
            Fact::Known(hosts, _) => hosts,
            // A daemon whose own configuration cannot be read may be anywhere; the system's is where it always is.
            _ if told.config_file() == self.defaults(uid).config_file => vec![Text::from("unix://")],
            _ => Vec::new(),
        };
        let paths = hosts.iter().filter_map(|host| socket_path(host.raw(), &default)).map(|path| self.real(&path));
        // Whoever is not root can only speak for sockets of his own.
        let own = |path: &PathBuf| uid == 0 || self.host.stat(path).known().is_none_or(|stat| stat.uid == uid);
        let paths: Vec<PathBuf> = paths.filter(own).collect();
        let socket = paths.iter().find(|path| **path == default).or(paths.first()).cloned();
        if socket.as_deref().is_some_and(|socket| self.taken(socket)) {
            return;
        }
        let told = if unit.is_none() && socket.as_deref() != Some(&default) { told.without_unit(self.host) } else { told };
        self.add(Kind::Docker, socket, uid, Some(process.clone()), told);
    }

    fn podman_process(&mut self, process: &Process) {
        let default = default_socket(Kind::Podman, process.uid);
        let words = process.arguments.iter().skip_while(|word| *word != "service");
        let socket = words.skip(1).find(|word| word.contains("://")).and_then(|uri| socket_path(uri, &default)).unwrap_or(default);
        self.podman_at(socket, process.uid, Some(process));
    }

    fn podman_at(&mut self, socket: PathBuf, uid: u32, process: Option<&Process>) {
        let socket = self.real(&socket);
        let owned = self.host.stat(&socket).known().is_none_or(|stat| uid == 0 || stat.uid == uid);
        if (process.is_none() && !self.is_socket(&socket)) || !owned || self.taken(&socket) {
            return;
        }
        let told = Told::new(self.host, None, None, self.defaults(uid));
        self.add(Kind::Podman, Some(socket), uid, process.cloned(), told);
    }

    /// Root's Docker on the usual socket, where no process of it was seen: hidden, started on demand, or stopped.
    fn system_docker(&mut self) {
        let socket = self.real(Path::new(DOCKER_SOCKET));
        if self.taken(&socket) {
            return;
        }
        let is = |path: &str, kind| self.host.stat(Path::new(path)).known().is_some_and(|stat| stat.kind == kind);
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
        let told = Told::new(self.host, None, Some(unit), defaults);
        self.add(Kind::Docker, Some(socket), 0, None, told);
    }

    fn user_sockets(&mut self) {
        let Fact::Known(entries, _) = self.host.list(Path::new("/run/user")) else { return };
        let uids = entries.iter().filter_map(|entry| entry.name.to_str()?.parse::<u32>().ok());
        for uid in uids.filter(|uid| *uid != 0) {
            let docker = self.real(&default_socket(Kind::Docker, uid));
            let owned = self.host.stat(&docker).known().is_some_and(|stat| stat.kind == FileKind::Socket && stat.uid == uid);
            if owned && !self.taken(&docker) {
                let told = Told::new(self.host, None, Some(DOCKER_UNIT), self.defaults(uid));
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
mod tests {
    use super::*;
    use crate::fact::{Origin, Reason};
    use crate::host::memory::Memory;
    use crate::host::{Identity, ProcessLinks};

    /// A process as `/proc` shows it.
    fn daemon(host: Memory, pid: i32, uid: u32, line: &str) -> Memory {
        let comm = line.split(' ').next().unwrap().rsplit('/').next().unwrap().to_owned();
        host.file(&format!("/proc/{pid}/comm"), format!("{comm}\n"))
            .file(&format!("/proc/{pid}/cmdline"), line.replace(' ', "\0") + "\0")
            .file(&format!("/proc/{pid}/status"), status(uid, &pid.to_string()))
            .file(&format!("/proc/{pid}/cgroup"), "0::/system.slice/docker.service\n")
            .file(&format!("/proc/{pid}/stat"), format!("{pid} (a) b) S 1{} 5000 0", " 0".repeat(17)))
            .named(Identity { booted: Some(1000), ..Identity::default() })
    }

    fn status(uid: u32, pids: &str) -> String {
        let ids = format!("{uid}\t{uid}\t{uid}\t{uid}");
        format!("Name:\tx\nPPid:\t1\nUid:\t{ids}\nGid:\t{ids}\nNSpid:\t{pids}\nCapEff:\t0\nCapBnd:\t0\n")
    }

    fn discover(host: &Memory) -> Result<Vec<Engine>, Gap> {
        super::discover(&Context::new(host))
    }

    fn names(host: &Memory) -> Vec<String> {
        discover(host).unwrap().iter().map(|engine| engine.name.raw().to_owned()).collect()
    }

    fn socket(host: Memory, path: &str, uid: u32) -> Memory {
        host.node(path, FileKind::Socket, 0o660).owned(path, uid, 0, 0o660)
    }

    #[test]
    fn a_host_without_engines_has_none_and_that_is_known() {
        assert!(names(&Memory::new().file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")).is_empty());
        let hidden = Memory::new().node("/proc", FileKind::Directory, 0o755).gap("/proc", Reason::Denied);
        assert!(discover(&hidden).is_err(), "not having looked is not the same");
    }

    #[test]
    fn a_socket_by_another_name_is_the_same_engine() {
        let host = daemon(Memory::new(), 100, 0, "/usr/bin/dockerd -H unix:///var/run/docker.sock -H tcp://0.0.0.0:2375");
        let host = socket(host, "/run/docker.sock", 0).symlink("/var/run", "/run");
        assert_eq!(names(&host), ["docker"]);
        let engines = discover(&host).unwrap();
        assert_eq!(engines[0].socket.as_deref(), Some(Path::new("/run/docker.sock")));
        assert_eq!(engines[0].process.as_ref().and_then(|process| process.started.known().copied()), Some(1050));
    }

    #[test]
    fn private_daemons_of_root_are_engines_of_their_own() {
        let host = daemon(Memory::new(), 100, 0, "dockerd --host fd:// --containerd=/run/containerd/containerd.sock");
        let host = daemon(host, 200, 0, "dockerd --config-file /srv/a/d.json")
            .file("/srv/a/d.json", r#"{"hosts":["unix:///srv/a/d.sock"],"data-root":"/srv/a/data"}"#);
        assert_eq!(names(&host), ["docker", "docker:/srv/a/d.sock"]);
        let engines = discover(&host).unwrap();
        assert_eq!(engines[1].told.data_root(), Fact::Known("/srv/a/data".into(), Origin::line("/srv/a/d.json", 1)));
        assert_eq!(engines[0].told.data_root(), Fact::Known("/var/lib/docker".into(), Origin::default_of("dockerd")));
    }

    #[test]
    fn a_daemon_inside_a_container_is_not_the_hosts() {
        let id = "ab".repeat(32);
        let host = daemon(Memory::new(), 300, 0, "dockerd").file("/proc/300/cgroup", format!("0::/system.slice/docker-{id}.scope\n"));
        assert!(names(&host).is_empty());
        let nested = daemon(Memory::new(), 300, 0, "dockerd").file("/proc/300/status", status(0, "300\t12"));
        assert!(names(&nested).is_empty());
        // The audit and the daemon inside the same container: that container is the host.
        let same = daemon(Memory::new(), 300, 0, "dockerd")
            .file("/proc/300/cgroup", format!("0::/docker/{id}\n"))
            .file("/proc/1/status", status(0, "1"))
            .file("/proc/1/cgroup", format!("0::/docker/{id}\n"));
        assert_eq!(names(&same), ["docker"]);
    }

    #[test]
    fn a_process_that_only_claims_to_be_dockerd_is_not() {
        let host =
            daemon(Memory::new(), 100, 0, "dockerd").process(100, ProcessLinks { exe: Some("/usr/bin/sleep".into()), namespaces: vec![] });
        assert!(names(&host).is_empty());
        let host = daemon(Memory::new(), 100, 0, "dockerd")
            .process(100, ProcessLinks { exe: Some("/usr/bin/dockerd (deleted)".into()), namespaces: vec![] });
        assert_eq!(names(&host), ["docker"]);
        // A user's look-alike is that user's own and takes nothing of root's.
        let host = daemon(daemon(Memory::new(), 90, 1000, "dockerd -H unix:///run/docker.sock"), 100, 0, "dockerd");
        let host = socket(host, "/run/docker.sock", 0).file("/etc/passwd", "eve:x:1000:1000::/home/eve:/bin/sh\n");
        let engines = discover(&host).unwrap();
        assert_eq!(engines[0].name.raw(), "docker");
        assert_eq!(engines[0].process.as_ref().map(|process| process.pid), Some(100));
        assert!(engines.iter().skip(1).all(|engine| engine.uid == 1000 && engine.socket.is_none()));
    }

    #[test]
    fn rootless_engines_have_their_users_files() {
        let host = daemon(Memory::new(), 100, 1000, "dockerd").file("/etc/passwd", "alice:x:1000:1000::/home/alice:/bin/sh\n");
        let host = socket(host, "/run/user/1000/docker.sock", 1000);
        let host = socket(host, "/run/user/1001/podman/podman.sock", 1001);
        let engines = discover(&host).unwrap();
        assert_eq!(names(&host), ["docker@alice", "podman@1001"]);
        assert_eq!(engines[0].told.config_file(), Path::new("/home/alice/.config/docker/daemon.json"));
        assert_eq!(engines[0].told.data_root().known().map(PathBuf::as_path), Some(Path::new("/home/alice/.local/share/docker")));
    }

    #[test]
    fn a_stopped_or_hidden_docker_is_an_engine() {
        let stopped = Memory::new().file("/usr/bin/dockerd", "");
        assert_eq!(names(&stopped), ["docker"]);
        assert!(discover(&stopped).unwrap()[0].process.is_none());
        assert!(
            names(&Memory::new().symlink("/etc/systemd/system/docker.service", "/dev/null").node("/dev/null", FileKind::Device, 0o666))
                .is_empty()
        );
        let hidden = socket(Memory::new().node("/proc", FileKind::Directory, 0o755).gap("/proc", Reason::Denied), "/run/docker.sock", 0);
        assert_eq!(names(&hidden), ["docker"]);
        let snap = Memory::new().file("/var/snap/docker/2963/config/daemon.json", "{}").symlink("/var/snap/docker/current", "2963");
        assert_eq!(discover(&snap).unwrap()[0].told.config_file(), Path::new("/var/snap/docker/current/config/daemon.json"));
    }

    #[test]
    fn podman_behind_dockers_socket_is_podman() {
        let host = socket(Memory::new(), "/run/podman/podman.sock", 0).symlink("/run/docker.sock", "/run/podman/podman.sock");
        assert_eq!(names(&host), ["podman"]);
        let host = daemon(Memory::new(), 100, 0, "podman system service -t 0 unix:///srv/p.sock");
        assert_eq!(names(&host), ["podman:/srv/p.sock"]);
        assert!(names(&daemon(Memory::new(), 100, 0, "podman run x")).is_empty());
    }

    #[test]
    fn a_broken_configuration_is_no_default() {
        let host = daemon(Memory::new(), 100, 0, "dockerd").file("/etc/docker/daemon.json", "{");
        let engines = discover(&host).unwrap();
        assert!(matches!(engines[0].told.data_root(), Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
        assert_eq!(engines[0].name.raw(), "docker");
    }
}
