//! Which engines a host has.

use super::*;
use crate::fact::{Origin, Reason};
use crate::host::ProcessLinks;
use crate::host::memory::Memory;
use crate::resource::docker::fixture::{daemon, socket, status};

fn discover(host: &Memory) -> Result<Vec<Engine>, Gap> {
    super::discover(&Context::new(host))
}

fn names(host: &Memory) -> Vec<String> {
    discover(host).unwrap().iter().map(|engine| engine.name.raw().to_owned()).collect()
}

/// A host on which processes can be seen.
fn booted() -> Memory {
    daemon(Memory::new(), 1, 0, "/sbin/init")
}

#[test]
fn a_host_without_engines_has_none_and_that_is_known() {
    assert!(names(&Memory::new().file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")).is_empty());
    let hidden = Memory::new().node("/proc", FileKind::Directory, 0o755).gap("/proc", Reason::Denied);
    assert!(discover(&hidden).is_err(), "not having looked is not the same");
    assert!(discover(&daemon(Memory::new(), 300, 0, "sleep")).is_err(), "nor is seeing one's own processes alone");
    assert!(discover(&booted().file("/proc/7/status", "").gap("/proc/7/status", Reason::Denied)).is_err());
    assert!(discover(&booted().node("/run/user", FileKind::Directory, 0o755).gap("/run/user", Reason::Denied)).is_err());
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
fn an_engine_that_is_named_is_one_there_or_not_and_nobodys_settings_are_taken_for_its() {
    let host = socket(Memory::new(), "/srv/proxy.sock", 0).file("/etc/docker/daemon.json", r#"{"icc":false}"#);
    let host = host.named_engine("/srv/proxy.sock").named_engine("/srv/gone-podman.sock");
    assert_eq!(names(&host), ["docker:/srv/proxy.sock", "podman:/srv/gone-podman.sock"]);
    assert!(matches!(discover(&host).unwrap()[0].told.values("icc"), Fact::Unknown(_)));
    let found = socket(daemon(Memory::new(), 100, 0, "dockerd"), "/run/docker.sock", 0).symlink("/srv/link.sock", "/run/docker.sock");
    assert_eq!(names(&found.named_engine("/srv/link.sock")), ["docker"], "it was found already");
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
    let host = daemon(booted(), 300, 0, "dockerd").file("/proc/300/cgroup", format!("0::/system.slice/docker-{id}.scope\n"));
    assert!(names(&host).is_empty());
    let nested = daemon(booted(), 300, 0, "dockerd").file("/proc/300/status", status(0, "300\t12"));
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
    let host = daemon(booted(), 100, 0, "dockerd").process(100, ProcessLinks { exe: Some("/usr/bin/sleep".into()), namespaces: vec![] });
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
    let others: Vec<_> = engines.iter().skip(1).map(|engine| (engine.name.raw(), engine.socket.as_deref())).collect();
    assert_eq!(others, [("docker@eve", Some(Path::new("/run/user/1000/docker.sock")))]);
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
fn a_users_socket_is_found_outside_the_usual_directory() {
    let host = daemon(Memory::new(), 100, 1000, "dockerd").file("/etc/passwd", "alice:x:1000:1000::/home/alice:/bin/sh\n");
    let table = "Num\n0: 00000002 00000000 00010000 0001 01 7 /home/alice/xdg/docker.sock\n";
    let host = socket(host, "/home/alice/xdg/docker.sock", 1000).file("/proc/100/net/unix", table);
    assert_eq!(names(&host), ["docker@alice:/home/alice/xdg/docker.sock"]);
    assert_eq!(names(&host.owned("/home/alice/xdg/docker.sock", 0, 0, 0o660)), ["docker@alice"], "somebody else's");
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
    assert!(names(&daemon(booted(), 100, 0, "podman run x")).is_empty());
}

#[test]
fn a_broken_configuration_is_no_default() {
    let host = daemon(Memory::new(), 100, 0, "dockerd").file("/etc/docker/daemon.json", "{");
    let engines = discover(&host).unwrap();
    assert!(matches!(engines[0].told.data_root(), Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
    assert_eq!(engines[0].name.raw(), "docker");
}

#[test]
fn docker_that_is_installed_and_nothing_more_is_no_engine() {
    let installed = || {
        daemon(Memory::new(), 1, 0, "/sbin/init")
            .file("/usr/bin/dockerd", "")
            .file(
                "/usr/lib/systemd/system/docker.service",
                "[Service]\nExecStart=/usr/bin/dockerd\n[Install]\nWantedBy=multi-user.target\n",
            )
            .file("/usr/lib/systemd/system/docker.socket", "[Socket]\nListenStream=/run/docker.sock\n[Install]\nWantedBy=sockets.target\n")
            .node("/etc/systemd/system", FileKind::Directory, 0o755)
            .node("/var/lib/docker/containers", FileKind::Directory, 0o710)
            .node("/var/lib/docker/image/overlay2/imagedb/content/sha256", FileKind::Directory, 0o700)
    };
    assert!(names(&installed()).is_empty());
    let stopped = [
        installed().symlink("/etc/systemd/system/multi-user.target.wants/docker.service", "/usr/lib/systemd/system/docker.service"),
        installed().symlink("/etc/systemd/system/sockets.target.wants/docker.socket", "/usr/lib/systemd/system/docker.socket"),
        socket(installed(), "/run/docker.sock", 0),
        installed().file("/var/lib/docker/containers/ab/config.v2.json", "").gap("/proc", Reason::Denied),
        installed().file("/var/lib/docker/image/overlay2/imagedb/content/sha256/ab", ""),
        installed().file("/var/lib/docker/swarm/docker-state.json", ""),
    ];
    let in_doubt = [
        installed().gap("/var/lib/docker", Reason::Denied),
        installed().gap("/proc", Reason::Denied),
        installed().gap("/etc/systemd/system", Reason::Denied),
    ];
    for (hosts, doubted) in [(&stopped[..], false), (&in_doubt[..], true)] {
        for (case, host) in hosts.iter().enumerate() {
            let engines = discover(host).unwrap();
            assert_eq!(names(host), ["docker"], "case {case}");
            assert_eq!(engines[0].doubt.is_some(), doubted, "case {case}");
        }
    }
}

#[test]
fn docker_that_waits_behind_its_socket_unit_is_not_woken() {
    let first = |host: Memory| host.file("/proc/1/status", status(0, "1")).file("/proc/1/cgroup", "0::/init.scope\n");
    let stopped = || {
        first(socket(Memory::new(), "/run/docker.sock", 0))
            .node("/run/systemd/system", FileKind::Directory, 0o755)
            .file("/usr/lib/systemd/system/docker.socket", "[Socket]\nListenStream=/run/docker.sock\n")
    };
    let asleep = |host: &Memory| discover(host).unwrap().remove(0).asleep.is_some();
    assert!(asleep(&stopped()));
    let said = discover(&stopped()).unwrap().remove(0).get(&Context::new(&stopped()), crate::host::engine::Route::Info);
    assert!(matches!(said, Fact::Unknown(Gap { reason: Reason::Unsupported(_), .. })), "and nothing is asked");
    assert!(!asleep(&daemon(stopped(), 100, 0, "/usr/bin/dockerd -H fd://")), "it runs");
    assert!(!asleep(&daemon(stopped(), 100, 0, "/opt/engine")), "something runs as its service");
    assert!(!asleep(&stopped().file("/etc/systemd/system/docker.socket", "")), "the unit is masked");
    let unseen = socket(Memory::new(), "/run/docker.sock", 0).file("/usr/lib/systemd/system/docker.socket", "[Socket]\n");
    assert!(!asleep(&unseen.file("/proc/9/status", status(0, "9"))), "processes are hidden");
    assert!(!asleep(&stopped().gap("/proc/1/cgroup", Reason::Denied)), "who runs as what is not known");
}

#[test]
fn the_files_of_a_user_whose_account_cannot_be_seen_are_unknown() {
    let host = socket(daemon(Memory::new(), 100, 1000, "dockerd"), "/run/user/1000/docker.sock", 1000);
    let engines = discover(&host.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")).unwrap();
    assert!(matches!(engines[0].told.data_root(), Fact::Unknown(_)));
    assert!(matches!(engines[0].told.text("log-driver"), Fact::Unknown(_)), "daemon.json may set it");
    assert!(matches!(engines[0].told.service_unit, Fact::Unknown(_)));
}

#[test]
fn podman_in_a_directory_that_is_closed_to_us_may_be_there() {
    let host = Memory::new().file("/proc/1/status", status(0, "1"));
    assert!(names(&host).is_empty());
    assert_eq!(names(&socket(host, "/run/podman/podman.sock", 0).gap("/run/podman", Reason::Denied)), ["podman"]);
}
