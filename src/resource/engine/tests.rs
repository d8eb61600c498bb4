//! What is made of engines that answer, half answer, or do not.

use super::*;
use crate::fact::{Record, Row as _, Value};
use crate::host::memory::Memory;
use crate::host::{FileKind, ProcessLinks};
use crate::resource::docker::fixture::{INFO, VERSION, answering, daemon, docker, socket};

const SOCKET: &str = "/run/docker.sock";

fn only(host: &Memory) -> EngineRow {
    let mut rows = Engines::collect(&Context::new(host), &Selector::All).unwrap();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

fn record(host: &Memory) -> Record {
    only(host).into_record()
}

fn shown(record: &Record, field: &str) -> String {
    match record.get(field).unwrap() {
        Fact::Known(value, _) => value.to_string(),
        Fact::Absent(_) => "absent".into(),
        Fact::Unknown(_) => "unknown".into(),
    }
}

#[test]
fn a_real_answer_gives_every_fact() {
    let host = docker()
        .answer(SOCKET, Route::Images, r#"[{"Id":"sha256:aa"},{"Id":"sha256:bb"},{"Id":"sha256:cc"}]"#)
        .answer(SOCKET, Route::Containers, r#"[{"ImageID":"sha256:aa"},{"ImageID":"sha256:aa"},{"ImageID":"sha256:dd"}]"#)
        .file("/proc/1/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n")
        .node("/var/lib/docker", FileKind::Directory, 0o710)
        .file("/etc/group", "docker:x:998:alice,bob\n")
        .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/h:/bin/sh\ncarol:x:1001:998::/h:/bin/sh\n")
        .process(100, ProcessLinks { exe: Some("/usr/bin/dockerd (deleted)".into()), namespaces: vec![] });
    let record = record(&host);
    for (field, value) in [
        ("name", "docker"),
        ("kind", "docker"),
        ("socket", SOCKET),
        ("running", "true"),
        ("rootless", "false"),
        ("user", "root"),
        ("version", "20.10.24+dfsg1"),
        ("api_version", "1.41"),
        ("supported", "unknown"),
        ("binary_replaced", "true"),
        ("data_root", "/var/lib/docker"),
        ("data_root_separate", "false"),
        ("socket_group", "docker"),
        ("socket_users", "[alice, bob, carol]"),
        ("storage_driver", "overlay2"),
        ("security_options", "[name=seccomp,profile=default]"),
        ("seccomp_profile", "builtin"),
        ("apparmor", "false"),
        ("userns_remap", "false"),
        ("live_restore", "false"),
        ("experimental", "false"),
        ("authorization_plugins", "[]"),
        ("insecure_registries", "[]"),
        ("plain_mirrors", "[]"),
        ("tcp_listeners", "[]"),
        ("tcp_unauthenticated", "[]"),
        ("bridge_icc", "true"),
        ("runtimes", "[io.containerd.runc.v2, runc]"),
        ("default_runtime", "runc"),
        ("cgroup_version", "1"),
        ("swarm", "inactive"),
        ("containers", "3"),
        ("containers_stopped", "2"),
        ("images", "2"),
        ("images_used_percent", "33"),
        ("warnings", "[]"),
        ("content_trust", "false"),
    ] {
        assert_eq!(shown(&record, field), value, "{field}");
    }
    let driver = record.document().unwrap().pointer("/CgroupDriver");
    assert_eq!(driver.known(), Some(&Value::Setting("cgroupfs".into())));
}

/// Everything an engine tells, and only it.
const TOLD: &[&str] = &[
    "version",
    "storage_driver",
    "logging_driver",
    "security_options",
    "seccomp_profile",
    "apparmor",
    "userns_remap",
    "live_restore",
    "experimental",
    "authorization_plugins",
    "insecure_registries",
    "plain_mirrors",
    "bridge_icc",
    "runtimes",
    "swarm",
    "containers",
    "images",
    "images_used_percent",
    "warnings",
];

#[test]
fn a_bad_answer_is_no_fact() {
    let bodies = ["", "{", "[]", "null", "{}", "\"x\"", r#"{"SecurityOptions":"x","Driver":3,"RegistryConfig":[]}"#, "\u{0}\u{1}"];
    for body in bodies {
        let host = [Route::Info, Route::Version, Route::Networks, Route::Images, Route::Containers]
            .into_iter()
            .fold(docker(), |host, question| host.answer(SOCKET, question, body));
        let record = record(&host);
        for field in TOLD {
            let no_images = body == "[]" && *field == "images_used_percent";
            assert_eq!(shown(&record, field), if no_images { "absent" } else { "unknown" }, "{field} of {body:?}");
        }
    }
    let long = INFO.replace("overlay2", &"x".repeat(10_000));
    assert_eq!(shown(&record(&answering(docker(), &long)), "storage_driver").len(), 10_000);
}

#[test]
fn an_engine_that_refuses_is_there_and_one_that_is_gone_is_not_running() {
    for (reason, running) in [
        (Reason::Denied, "unknown"),
        (Reason::TimedOut, "unknown"),
        (Reason::Unreachable, "false"),
        (Reason::unsupported("the engine answers 500: no"), "true"),
    ] {
        let host = [Route::Info, Route::Version, Route::Networks]
            .into_iter()
            .fold(docker(), |host, question| host.no_answer(SOCKET, question, reason.clone()));
        let record = record(&host);
        assert_eq!(shown(&record, "running"), running);
        TOLD.iter().for_each(|field| assert_eq!(shown(&record, field), "unknown", "{field}"));
        assert_eq!(shown(&record, "data_root"), "/var/lib/docker", "as it was told");
    }
    let stopped = record(&Memory::new().file("/usr/bin/dockerd", ""));
    assert_eq!(shown(&stopped, "running"), "false");
    assert_eq!(shown(&stopped, "seccomp_profile"), "unknown");
    assert!(Engines::collect(&Context::new(&Memory::new()), &Selector::All).unwrap().is_empty());
}

#[test]
fn remapping_does_not_hide_that_the_data_directory_is_a_mount() {
    let info = INFO.replace("/var/lib/docker", "/var/lib/docker/165536.165536").replace("name=seccomp", "name=userns\",\"name=seccomp");
    let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 8:2 / /srv/docker rw - ext4 /dev/sdb1 rw\n";
    let host = answering(docker(), &info).symlink("/var/lib/docker", "/srv/docker").node("/srv/docker", FileKind::Directory, 0o710);
    let mounted = record(&host.file("/proc/1/mountinfo", mounts));
    assert_eq!(shown(&mounted, "data_root"), "/srv/docker");
    assert_eq!(shown(&mounted, "data_root_separate"), "true");
    assert_eq!(shown(&mounted, "userns_remap"), "true");
    // Mounts inside it, and one above it, are not it.
    let around = "23 22 8:2 / /var rw - ext4 /dev/sdb1 rw\n24 23 0:9 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n";
    let host = docker().node("/var/lib/docker", FileKind::Directory, 0o710);
    assert_eq!(shown(&record(&host.file("/proc/1/mountinfo", around)), "data_root_separate"), "false");
    assert_eq!(shown(&record(&docker()), "data_root_separate"), "unknown");
}

#[test]
fn the_configured_group_is_the_one_that_counts() {
    let host = || docker().file("/etc/group", "docker:x:998:alice\nops:x:50:bob\n").file("/etc/passwd", "eve:x:7:50::/:/bin/sh\n");
    let users = |host: &Memory| shown(&record(host), "socket_users");
    assert_eq!(users(&host()), "[alice]");
    assert_eq!(users(&host().file("/etc/docker/daemon.json", r#"{"group":"ops"}"#)), "[bob, eve]");
    assert_eq!(users(&host().file("/etc/docker/daemon.json", r#"{"group":"50"}"#)), "[bob, eve]", "by number");
    assert_eq!(users(&host().file("/etc/docker/daemon.json", r#"{"group":""}"#)), "[]");
    assert_eq!(users(&host().file("/etc/docker/daemon.json", "{")), "unknown");
    assert_eq!(users(&docker().file("/etc/group", "x:x:1:\n").file("/etc/passwd", "")), "[]", "no such group");
    assert_eq!(users(&docker()), "absent", "no group file");
    let inherited = daemon(host(), 100, 0, "dockerd -H fd://")
        .file("/lib/systemd/system/docker.socket", "[Socket]\nListenStream=/run/docker.sock\nSocketGroup=ops\n");
    assert_eq!(users(&inherited), "[bob, eve]");
}

#[test]
fn tcp_counts_wherever_it_is_configured() {
    let facts = |line: &str, json: &str, info: &str| {
        let host = daemon(answering(docker(), info), 100, 0, line).file("/etc/docker/daemon.json", json);
        let host = host.file("/c/ca.pem", "").file("/c/cert.pem", "").file("/c/key.pem", "");
        let host = host.file("/lib/systemd/system/docker.socket", "[Socket]\nListenStream=/run/docker.sock\nListenStream=2377\n");
        let record = record(&host);
        (shown(&record, "tcp_listeners"), shown(&record, "tcp_unauthenticated"))
    };
    let pair = |all: &str, open: &str| (all.to_owned(), open.to_owned());
    let files = r#""tlscacert":"/c/ca.pem","tlscert":"/c/cert.pem","tlskey":"/c/key.pem""#;
    assert_eq!(facts("dockerd -H unix:///run/docker.sock", "{}", INFO), pair("[]", "[]"));
    assert_eq!(facts("dockerd -H tcp://0.0.0.0:2375", "{}", INFO), pair("[tcp://0.0.0.0:2375]", "[tcp://0.0.0.0:2375]"));
    assert_eq!(facts("dockerd -H 127.0.0.1:2375", "{}", INFO), pair("[tcp://127.0.0.1:2375]", "[tcp://127.0.0.1:2375]"));
    assert_eq!(facts("dockerd", r#"{"hosts":["fd://","tcp://h"]}"#, INFO).0, "[tcp://[::]:2377, tcp://h]");
    // Hosts among the flags, certificates in the file.
    assert_eq!(facts("dockerd -H tcp://h", &format!(r#"{{"tlsverify":true,{files}}}"#), INFO), pair("[tcp://h]", "[]"));
    assert_eq!(facts("dockerd -H tcp://h --tlsverify=0", &format!("{{{files}}}"), INFO).1, "[tcp://h]");
    assert_eq!(facts("dockerd -H tcp://h --tls", &format!("{{{files}}}"), INFO).1, "[tcp://h]", "TLS alone lets anybody in");
    assert_eq!(facts("dockerd -H tcp://h --tlsverify", "{}", INFO).1, "[tcp://h]", "no certificates where they would be");
    assert_eq!(facts("dockerd -H tcp://h", "{", INFO).1, "unknown");
    let warned = INFO.replace(r#""Warnings":null"#, r#""Warnings":["WARNING: API is accessible on http://0.0.0.0:9 without encryption.\n  See"]"#);
    assert_eq!(facts("dockerd", "{}", &warned), pair("[tcp://0.0.0.0:9]", "[tcp://0.0.0.0:9]"));
}

#[test]
fn hosts_of_a_file_newer_than_the_daemon_are_not_believed() {
    let listeners = |line: &str| {
        let host = daemon(docker(), 100, 0, line).file("/etc/docker/daemon.json", "{}").modified("/etc/docker/daemon.json", 9_000);
        shown(&record(&host), "tcp_listeners")
    };
    assert_eq!(listeners("dockerd"), "unknown", "it may have been told of any");
    assert_eq!(listeners("dockerd -H unix:///run/docker.sock"), "[]");
}

#[test]
fn podman_listens_where_its_socket_unit_says() {
    let host = socket(Memory::new(), "/run/podman/podman.sock", 0);
    assert_eq!(shown(&record(&host), "tcp_listeners"), "[]");
    let unit = "/etc/systemd/system/podman.socket";
    let host = host.file(unit, "[Socket]\nListenStream=%t/podman/podman.sock\nListenStream=8080\n");
    assert_eq!(shown(&record(&host), "tcp_listeners"), "[tcp://[::]:8080]");
    assert_eq!(shown(&record(&host.gap(unit, Reason::Denied)), "tcp_listeners"), "unknown");
}

#[test]
fn switches_for_content_trust_are_found() {
    let on = |path: &str, text: &str| only(&docker().file(path, text)).content_trust;
    assert_eq!(on("/etc/environment", "A=b\nDOCKER_CONTENT_TRUST=1\n"), Fact::Known(true, Origin::line("/etc/environment", 2)));
    let unit = "/etc/systemd/system/docker.service.d/x.conf";
    assert_eq!(on(unit, "[Service]\nEnvironment=DOCKER_CONTENT_TRUST=1\n"), Fact::Known(false, Origin::Derived), "no unit to drop in to");
    let host = docker().file("/lib/systemd/system/docker.service", "[Service]\nExecStart=/usr/bin/dockerd\n");
    let host = host.file(unit, "[Service]\nEnvironment=DOCKER_CONTENT_TRUST=1\n");
    assert_eq!(only(&host).content_trust, Fact::Known(true, Origin::line(unit, 2)));
    let off = host.file("/etc/systemd/system/docker.service.d/y.conf", "[Service]\nEnvironment=DOCKER_CONTENT_TRUST=0\n");
    assert_eq!(only(&off).content_trust, Fact::Known(false, Origin::Derived), "the last assignment counts");
    let denied = docker().file("/etc/environment", "").gap("/etc/environment", Reason::Denied);
    assert!(matches!(only(&denied).content_trust, Fact::Unknown(_)));
}

#[test]
fn the_bridge_itself_says_whether_containers_may_talk() {
    let icc = |networks: &str| shown(&record(&docker().answer(SOCKET, Route::Networks, networks)), "bridge_icc");
    let bridge = r#"[{"Name":"bridge","Driver":"bridge","Options":{"com.docker.network.bridge.enable_icc":"false"}}]"#;
    assert_eq!(icc(bridge), "false");
    assert_eq!(icc(&bridge.replace("\"false\"", "0")), "true", "an odd value is no restriction");
    assert_eq!(icc(&bridge.replace("false", "maybe")), "unknown");
    assert_eq!(icc(r#"[{"Name":"none","Driver":"null"}]"#), "absent");
    assert_eq!(icc(r#"[{"Name":"bridge","Driver":"bridge","Options":3}]"#), "unknown");
}

#[test]
fn a_users_engine_is_his() {
    let host = Memory::new().file("/etc/passwd", "al:x:1000:1000::/home/al:/bin/sh\n").file("/etc/group", "docker:x:9:bob\n");
    let host = socket(daemon(host, 7, 1000, "dockerd"), "/run/user/1000/docker.sock", 1000);
    let record = record(&host.answer("/run/user/1000/docker.sock", Route::Version, VERSION));
    for (field, value) in [("name", "docker@al"), ("user", "al"), ("rootless", "true"), ("running", "true"), ("socket_group", "absent")] {
        assert_eq!(shown(&record, field), value, "{field}");
    }
    assert_eq!(shown(&record, "data_root"), "/home/al/.local/share/docker");
}
