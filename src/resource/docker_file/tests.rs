use super::*;
use crate::host::engine::Route;
use crate::host::memory::Memory;
use crate::host::{FileKind, Identity, ProcessLinks};
use crate::parse::audit_rules::kernel::tests::listing;

const UNIT: &str = "[Service]\nExecStart=/usr/sbin/dockerd -H fd://\n[Install]\nWantedBy=multi-user.target\n";
const SOCKET_UNIT: &str = "[Socket]\nListenStream=/run/docker.sock\nSocketMode=0660\nSocketGroup=docker\n";

/// A process of the host, as `/proc` shows it.
fn process(host: Memory, pid: i32, uid: u32, parent: i32, unit: &str, exe: &str, line: &str) -> Memory {
    let name = exe.rsplit('/').next().unwrap();
    host.file(&format!("/proc/{pid}/comm"), format!("{name}\n"))
        .file(&format!("/proc/{pid}/cmdline"), line.replace(' ', "\0") + "\0")
        .file(
            &format!("/proc/{pid}/status"),
            format!("Name:\t{name}\nPPid:\t{parent}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t0\t0\t0\t0\nNSpid:\t{pid}\nCapEff:\t0\nCapBnd:\t0\n"),
        )
        .file(&format!("/proc/{pid}/cgroup"), format!("0::{unit}\n"))
        .process(pid, ProcessLinks { exe: Some(exe.into()), namespaces: vec![] })
}

/// A host as Debian's docker.io sets it up.
fn debian() -> Memory {
    let host = Memory::new()
        .named(Identity { architecture: "x86_64".into(), ..Identity::default() })
        .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n")
        .file("/etc/group", "root:x:0:\ndocker:x:998:alice\nalice:x:1000:\nstaff:x:50:\n")
        .symlink("/var/run", "/run")
        .symlink("/lib", "usr/lib")
        .file("/usr/sbin/dockerd", "")
        .file("/usr/bin/containerd", "")
        .file("/usr/bin/containerd-shim-runc-v2", "")
        .file("/usr/sbin/runc", "")
        .file("/usr/lib/systemd/system/docker.service", UNIT)
        .file("/usr/lib/systemd/system/docker.socket", SOCKET_UNIT)
        .file("/etc/docker/daemon.json", "{}")
        .file("/etc/default/docker", "")
        .node("/var/lib/docker", FileKind::Directory, 0o710)
        .node("/run/docker.sock", FileKind::Socket, 0o660)
        .owned("/run/docker.sock", 0, 998, 0o660)
        .node("/run/containerd/containerd.sock", FileKind::Socket, 0o660);
    let host = process(host, 1, 0, 0, "/init.scope", "/usr/lib/systemd/systemd", "/sbin/init");
    let host = process(host, 50, 0, 1, "/system.slice/containerd.service", "/usr/bin/containerd", "/usr/bin/containerd");
    process(host, 100, 0, 1, "/system.slice/docker.service", "/usr/sbin/dockerd", "/usr/sbin/dockerd -H fd://")
}

fn all(host: &Memory) -> Vec<DockerFile> {
    DockerFiles::collect(&Context::new(host), &Selector::All).unwrap()
}

fn role(host: &Memory, role: &str) -> Vec<DockerFile> {
    DockerFiles::collect(&Context::new(host), &Selector::Keys(vec![role.to_owned()])).unwrap()
}

fn one(host: &Memory, name: &str) -> DockerFile {
    let mut rows = role(host, name);
    assert_eq!(rows.len(), 1, "{name}");
    rows.remove(0)
}

fn path(row: &DockerFile) -> &str {
    row.path.known().unwrap().raw()
}

fn paths(rows: &[DockerFile]) -> Vec<&str> {
    rows.iter().map(path).collect()
}

fn exists(row: &DockerFile) -> bool {
    *row.exists.known().unwrap()
}

/// Whether rules audit what plays a role.
fn audited(rules: &str, name: &str) -> bool {
    *one(&debian().loaded_audit_rules(listing(rules)), name).audited.known().unwrap()
}

#[test]
fn every_role_has_a_record_and_what_is_not_there_says_so() {
    let host = debian();
    let rows = all(&host);
    for (name, _) in ROLES {
        assert!(rows.iter().any(|row| row.role.known().unwrap().raw() == *name), "{name}");
    }
    assert!(rows.iter().all(|row| row.engine.known().unwrap().raw() == "docker"));
    let missing: Vec<_> = rows.iter().filter(|row| !exists(row)).map(|row| (row.role.known().unwrap().raw(), path(row))).collect();
    assert_eq!(
        missing,
        [
            ("containerd_shim", "/usr/bin/containerd-shim"),
            ("containerd_shim_runc_v1", "/usr/bin/containerd-shim-runc-v1"),
            ("unit_dropin", "/usr/lib/systemd/system/docker.service.d"),
            ("containerd_config", "/etc/containerd/config.toml"),
            ("sysconfig_file", "/etc/sysconfig/docker"),
            ("registry_cert", "/etc/docker/certs.d"),
            ("tls_ca", "/root/.docker/ca.pem"),
            ("tls_cert", "/root/.docker/cert.pem"),
            ("tls_key", "/root/.docker/key.pem"),
        ]
    );
    for row in rows.iter().filter(|row| !exists(row)) {
        assert!(matches!((&row.audited, &row.mode, &row.uid), (Fact::Absent(_), Fact::Absent(_), Fact::Absent(_))));
    }
}

#[test]
fn a_host_without_docker_has_no_records() {
    assert!(all(&Memory::new().file("/etc/passwd", "")).is_empty());
    let podman = Memory::new().node("/run/podman/podman.sock", FileKind::Socket, 0o660);
    assert!(all(&podman).is_empty(), "Podman has none of these roles");
}

#[test]
fn programs_are_those_that_run() {
    let host = debian();
    assert_eq!(path(&one(&host, "dockerd")), "/usr/sbin/dockerd");
    assert_eq!(*one(&host, "dockerd").path.origin(), Origin::kernel("/proc/100/exe"));
    let upgraded = debian().process(100, ProcessLinks { exe: Some("/usr/sbin/dockerd (deleted)".into()), namespaces: vec![] });
    assert_eq!(path(&one(&upgraded, "dockerd")), "/usr/sbin/dockerd");
    let own = process(
        debian(),
        101,
        0,
        100,
        "/system.slice/docker.service",
        "/opt/docker/containerd",
        "containerd --config /run/docker/containerd/containerd.toml",
    )
    .file("/opt/docker/containerd-shim-runc-v2", "")
    .file("/run/docker/containerd/containerd.toml", "state = \"/run/docker/containerd/daemon\"\n");
    assert_eq!(path(&one(&own, "containerd")), "/opt/docker/containerd", "the one dockerd started is the engine's");
    assert_eq!(path(&one(&own, "containerd_shim_runc_v2")), "/opt/docker/containerd-shim-runc-v2");
    assert_eq!(path(&one(&own, "containerd_config")), "/run/docker/containerd/containerd.toml");
    assert_eq!(paths(&role(&own, "containerd_state")), ["/run/docker/containerd/daemon", "/run/containerd"]);
    let stopped = Memory::new().file("/usr/local/bin/dockerd", "").file("/usr/sbin/dockerd", "");
    assert_eq!(path(&one(&stopped, "dockerd")), "/usr/sbin/dockerd");
}

#[test]
fn runtimes_are_those_the_engine_has() {
    assert_eq!(path(&one(&debian(), "runc")), "/usr/sbin/runc", "without an answer there is still runc");
    let info = r#"{"Runtimes":{"io.containerd.runc.v2":{"path":"runc"},"runc":{"path":"runc"},"nv":{"path":"/opt/nv/runtime"},"kata":{"runtimeType":"x"},"odd":{"path":"./x/y"}}}"#;
    let host = debian().answer("/run/docker.sock", Route::Info, info);
    let rows = role(&host, "runc");
    let known: Vec<_> = rows.iter().filter_map(|row| row.path.known()).map(|path| path.raw()).collect();
    assert_eq!(known.len(), 2);
    assert!(known.contains(&"/usr/sbin/runc") && known.contains(&"/opt/nv/runtime"));
    assert_eq!(rows.iter().filter(|row| row.path.known().is_none()).count(), 1);
}

#[test]
fn rules_cover_by_name_alias_and_parent() {
    assert!(audited("-w /usr/sbin/dockerd -p wa -k docker", "dockerd"));
    assert!(!audited("-w /usr/bin/dockerd -p wa", "dockerd"), "a rule for another path watches nothing here");
    assert!(!audited("-w /run/containerd/containerd.sock -p wa", "containerd_state"));
    assert!(!audited("-a always,exit -F path=/run/containerd -F perm=wa", "containerd_state"), "the directory alone is not its tree");
    assert!(audited("-a always,exit -F dir=/run/containerd -F perm=wa", "containerd_state"));
    assert!(!audited("-w /etc/docker/daemon.json -p wa", "config_dir"));
    assert!(audited("-a always,exit -F dir=/etc/docker -F perm=wa", "config_file"));
    assert!(audited("-w /lib/systemd/system/docker.service -p wa", "service_unit"));
    assert!(audited("-w /usr/lib/systemd/system/docker.service -p wa", "service_unit"));
    assert!(audited("-w /var/run/docker.sock -p wa", "api_socket"));
    assert!(!audited("-w /usr/lib/systemd/system/docker.socket -p wa", "api_socket"), "the unit is not the socket");
    assert!(audited("-w /run/containerd/containerd.sock -p wa", "containerd_socket"));
    assert!(!audited("-w /usr/bin/containerd-shim-runc-v2 -p wa", "containerd"));
    assert!(!audited("-w /usr/bin/containerd -p wa", "containerd_shim_runc_v2"));
    assert!(!audited("-w /usr/sbin/runc -p x", "runc"));
    assert!(audited("-w /usr/sbin/runc", "runc"));
    assert!(!audited("-a always,exit -F path=/usr/sbin/runc -F perm=wa -F auid>=1000 -F auid!=unset", "runc"));
    assert!(!audited("-w /etc/default/docker.bak -p wa", "default_file"));
    assert!(!audited("-a never,task\n-w /etc/default/docker -p wa", "default_file"));
}

#[test]
fn the_rule_that_watches_is_shown() {
    let rules = "-a always,exit -F dir=/etc/docker -F perm=wa -k docker";
    let host = debian().loaded_audit_rules(listing(rules)).file("/etc/audit/rules.d/docker.rules", "-w /etc/docker -p wa -k docker\n");
    let row = one(&host, "config_file");
    assert_eq!(
        row.audit_rule,
        Fact::Known("-a always,exit -F dir=/etc/docker -F perm=wa -F key=docker".into(), Origin::kernel("audit rules"))
    );
    assert_eq!(row.audited_on_disk, Fact::Known(true, Origin::line("/etc/audit/rules.d/docker.rules", 1)));
    let row = one(&debian().loaded_audit_rules(listing("")), "config_file");
    assert!(matches!(row.audit_rule, Fact::Absent(_)));
    assert_eq!((row.audited.known(), row.audited_on_disk.known()), (Some(&false), Some(&false)));
}

#[test]
fn rules_that_cannot_be_read_are_not_missing() {
    let host = debian().file("/etc/audit/rules.d/docker.rules", "-w /etc/docker -p wa -k docker\n");
    let row = one(&host, "config_dir");
    assert!(matches!(&row.audited, Fact::Unknown(Gap { reason: Reason::NotCollected, .. })));
    assert!(matches!(&row.audit_rule, Fact::Unknown(_)));
    assert_eq!(row.audited_on_disk.known(), Some(&true));
    assert_eq!(row.mode.known().map(ToString::to_string).as_deref(), Some("0755"));
}

#[test]
fn the_data_root_is_where_the_engine_has_it() {
    let rules = listing("-a always,exit -F dir=/var/lib/docker -F perm=wa");
    let host = debian()
        .answer("/run/docker.sock", Route::Info, r#"{"DockerRootDir":"/srv/docker","Runtimes":{}}"#)
        .node("/srv/docker", FileKind::Directory, 0o710)
        .loaded_audit_rules(&rules);
    let row = one(&host, "data_root");
    assert_eq!((path(&row), row.audited.known()), ("/srv/docker", Some(&false)));
    let row = one(&debian().loaded_audit_rules(&rules), "data_root");
    assert_eq!((path(&row), row.audited.known()), ("/var/lib/docker", Some(&true)));
}

#[test]
fn the_configuration_file_may_be_elsewhere() {
    let host = process(debian(), 100, 0, 1, "/system.slice/docker.service", "/usr/sbin/dockerd", "dockerd --config-file=/srv/d.json")
        .file("/srv/d.json", r#"{"hosts":["unix:///var/run/docker.sock","unix:///run/docker.sock","tcp://127.0.0.1:2376"],"tls":true,"tlskey":"/srv/key.pem"}"#)
        .owned("/srv/d.json", 1000, 50, 0o664)
        .file("/srv/key.pem", "")
        .owned("/srv/key.pem", 0, 0, 0o400);
    let row = one(&host, "config_file");
    assert_eq!((path(&row), row.owner_expected.known(), row.group_expected.known()), ("/srv/d.json", Some(&false), Some(&false)));
    assert_eq!(row.owner.known().map(Text::raw), Some("alice"));
    assert_eq!(paths(&role(&host, "api_socket")), ["/var/run/docker.sock"], "one socket, spelled twice");
    assert_eq!(path(&one(&host, "config_dir")), "/etc/docker");
    let key = one(&host, "tls_key");
    assert_eq!((path(&key), exists(&key)), ("/srv/key.pem", true));
    assert_eq!(*key.path.origin(), Origin::line("/srv/d.json", 1));
    let ca = one(&host, "tls_ca");
    assert_eq!((path(&ca), exists(&ca)), ("/root/.docker/ca.pem", false));
}

#[test]
fn certificates_count_while_tls_is_on() {
    let client = debian().file("/root/.docker/ca.pem", "");
    assert!(!exists(&one(&client, "tls_ca")), "it is a client's");
    for on in [r#"{"tls":true}"#, r#"{"tlsverify":true}"#, r#"{"tlsverify":false}"#] {
        let host = debian().file("/root/.docker/ca.pem", "").file("/etc/docker/daemon.json", on);
        assert!(exists(&one(&host, "tls_ca")), "{on}");
    }
    let off =
        debian().file("/root/.docker/ca.pem", "").file("/etc/docker/daemon.json", r#"{"tls":false,"tlscacert":"/root/.docker/ca.pem"}"#);
    assert!(!exists(&one(&off, "tls_ca")));
    let broken = debian().file("/etc/docker/daemon.json", "{");
    assert!(matches!(one(&broken, "tls_ca").exists, Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
}

#[test]
fn sockets_are_found_where_systemd_listens() {
    let host = debian()
        .file(
            "/etc/systemd/system/docker.socket.d/more.conf",
            "[Socket]\nListenStream=%t/docker/api.sock\nListenStream=2375\nSocketGroup=staff\n",
        )
        .node("/run/docker/api.sock", FileKind::Socket, 0o660)
        .owned("/run/docker/api.sock", 0, 50, 0o660);
    let rows = role(&host, "api_socket");
    assert_eq!(paths(&rows), ["/run/docker.sock", "/run/docker/api.sock"]);
    assert_eq!(rows[1].group_expected.known(), Some(&true), "the group is the one that is configured");
    assert_eq!(rows[0].group_expected.known(), Some(&false));
    assert_eq!(rows[1].kind.known().map(Text::raw), Some("socket"));
    assert_eq!(*rows[1].path.origin(), Origin::line("/etc/systemd/system/docker.socket.d/more.conf", 2));
    assert_eq!(one(&debian(), "api_socket").group_expected.known(), Some(&true));
    let roots = debian().owned("/run/docker.sock", 0, 0, 0o600);
    assert_eq!(one(&roots, "api_socket").group_expected.known(), Some(&true));
    let tcp = process(debian(), 100, 0, 1, "/system.slice/docker.service", "/usr/sbin/dockerd", "dockerd -H tcp://127.0.0.1:2375");
    assert!(!exists(&one(&tcp, "api_socket")), "it listens on no path, whatever lies there");
    let nogroups = debian().owned("/run/docker.sock", 0, 7, 0o660).gap("/etc/group", Reason::Denied);
    assert!(one(&nogroups, "api_socket").group_expected.known().is_none());
}

#[test]
fn units_are_those_that_win() {
    let host = debian()
        .file("/etc/systemd/system/docker.service", UNIT)
        .owned("/etc/systemd/system/docker.service", 0, 0, 0o666)
        .file("/etc/systemd/system/docker.service.d/override.conf", "[Service]\n")
        .file("/run/systemd/system/docker.service.d/a.conf", "[Service]\n")
        .file("/usr/lib/systemd/system/docker.service.d/override.conf", "[Service]\n")
        .file("/etc/systemd/system/docker.socket.d/s.conf", "[Socket]\n");
    assert_eq!(path(&one(&host, "service_unit")), "/etc/systemd/system/docker.service");
    assert_eq!(path(&one(&host, "socket_unit")), "/usr/lib/systemd/system/docker.socket");
    assert_eq!(
        paths(&role(&host, "unit_dropin")),
        [
            "/run/systemd/system/docker.service.d/a.conf",
            "/etc/systemd/system/docker.service.d/override.conf",
            "/etc/systemd/system/docker.socket.d/s.conf"
        ]
    );
    let masked = debian().symlink("/etc/systemd/system/docker.socket", "/dev/null").node("/dev/null", FileKind::Device, 0o666);
    assert!(!exists(&one(&masked, "socket_unit")));
}

#[test]
fn a_linked_unit_counts_by_what_it_leads_to() {
    let host = debian()
        .file("/srv/docker.service", UNIT)
        .owned("/srv/docker.service", 1000, 1000, 0o644)
        .symlink("/etc/systemd/system/docker.service", "/srv/docker.service")
        .loaded_audit_rules(listing("-w /etc/systemd/system/docker.service -p wa"));
    let row = one(&host, "service_unit");
    assert_eq!((path(&row), row.uid.known()), ("/etc/systemd/system/docker.service", Some(&1000)));
    assert_eq!(row.audited.known(), Some(&false), "the kernel watches the link, not the file behind it");
    let host = host.loaded_audit_rules(listing("-w /srv/docker.service -p wa"));
    assert_eq!(one(&host, "service_unit").audited.known(), Some(&true));
}

#[test]
fn containerd_may_listen_elsewhere() {
    let socket = |host: &Memory| path(&one(host, "containerd_socket")).to_owned();
    assert_eq!(socket(&debian()), "/run/containerd/containerd.sock");
    let configured =
        debian().file("/etc/containerd/config.toml", "version = 3\nstate = \"/srv/state\"\n[grpc]\n  address = \"/srv/c.sock\"\n");
    assert_eq!(socket(&configured), "/srv/c.sock");
    assert_eq!(paths(&role(&configured, "containerd_state")), ["/srv/state", "/run/containerd"]);
    let told = process(configured, 100, 0, 1, "/system.slice/docker.service", "/usr/sbin/dockerd", "dockerd --containerd=/run/k.sock");
    assert_eq!(socket(&told), "/run/k.sock");
    let own = Memory::new()
        .file("/usr/bin/dockerd", "")
        .node("/run/docker/containerd/containerd.sock", FileKind::Socket, 0o660)
        .symlink("/var/run", "/run");
    assert!(exists(&one(&own, "containerd_socket")));
    assert_eq!(
        one(&own, "containerd_socket").path.known().map(|path| path.raw().ends_with("run/docker/containerd/containerd.sock")),
        Some(true)
    );
    let broken = debian().file("/etc/containerd/config.toml", "[grpc\n");
    assert!(matches!(one(&broken, "containerd_socket").path, Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
}

#[test]
fn every_file_of_a_registry_counts() {
    let host = debian()
        .file("/etc/docker/certs.d/reg:5000/ca.crt", "")
        .file("/etc/docker/certs.d/reg:5000/client.cert", "")
        .file("/etc/docker/certs.d/reg:5000/client.key", "")
        .owned("/etc/docker/certs.d/reg:5000/client.key", 0, 50, 0o400)
        .node("/etc/docker/certs.d/reg:5000/old", FileKind::Directory, 0o755)
        .file("/etc/docker/certs.d/README", "");
    let rows = role(&host, "registry_cert");
    assert_eq!(
        paths(&rows),
        ["/etc/docker/certs.d/reg:5000/ca.crt", "/etc/docker/certs.d/reg:5000/client.cert", "/etc/docker/certs.d/reg:5000/client.key"]
    );
    assert_eq!((rows[2].owner_expected.known(), rows[2].group_expected.known()), (Some(&true), Some(&false)));
    let denied = host.gap("/etc/docker/certs.d/reg:5000", Reason::Denied);
    assert!(role(&denied, "registry_cert").iter().all(|row| row.exists.known().is_none()));
}

#[test]
fn rootless_engines_have_files_of_their_user() {
    let host = process(
        debian(),
        200,
        1000,
        1,
        "/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service",
        "/usr/bin/dockerd",
        "dockerd",
    )
    .node("/run/user/1000/docker.sock", FileKind::Socket, 0o660)
    .owned("/run/user/1000/docker.sock", 1000, 1000, 0o660)
    .owned("/run/user/1000", 1000, 1000, 0o700)
    .file("/home/alice/.config/docker/daemon.json", "{}")
    .owned("/home/alice/.config/docker/daemon.json", 1000, 1000, 0o644)
    .owned("/home/alice/.config/docker", 1000, 1000, 0o755)
    .file("/home/alice/.config/systemd/user/docker.service", UNIT);
    let rows: Vec<_> = all(&host).into_iter().filter(|row| row.rootless.known() == Some(&true)).collect();
    let find = |name: &str| rows.iter().find(|row| row.role.known().unwrap().raw() == name).unwrap();
    assert!(rows.iter().all(|row| row.engine.known().unwrap().raw() == "docker@alice"));
    assert_eq!(path(find("config_file")), "/home/alice/.config/docker/daemon.json");
    assert_eq!(path(find("config_dir")), "/home/alice/.config/docker");
    assert_eq!(path(find("api_socket")), "/run/user/1000/docker.sock");
    assert_eq!(path(find("data_root")), "/home/alice/.local/share/docker");
    assert_eq!(path(find("service_unit")), "/home/alice/.config/systemd/user/docker.service");
    assert_eq!(path(find("registry_cert")), "/home/alice/.config/docker/certs.d");
    assert_eq!(path(find("containerd_socket")), "/run/user/1000/docker/containerd/containerd.sock");
    for name in ["config_file", "api_socket", "service_unit"] {
        let row = find(name);
        assert_eq!((row.owner_expected.known(), row.group_expected.known()), (Some(&true), Some(&true)), "{name}");
        assert_eq!(row.replaceable.known(), Some(&false), "{name}: its user is trusted");
    }
    assert!(!exists(find("default_file")), "units of users do not read it");
    // Its docker group is one of its user namespace.
    let mapped = |gid: u32| {
        let host = process(debian(), 200, 1000, 1, "/user.slice/user-1000.slice/session-1.scope", "/usr/bin/dockerd", "dockerd")
            .file("/proc/200/gid_map", "0 1000 1\n1 100000 65536\n")
            .node("/run/user/1000/docker.sock", FileKind::Socket, 0o660)
            .owned("/run/user/1000/docker.sock", 1000, gid, 0o1660);
        let rows = role(&host, "api_socket");
        rows.iter().find(|row| row.rootless.known() == Some(&true)).unwrap().group_expected.known().copied()
    };
    assert_eq!((mapped(100_107), mapped(107)), (Some(true), Some(false)));
}

#[test]
fn an_open_directory_makes_a_strict_file_replaceable() {
    let host = debian().owned("/etc/docker", 0, 50, 0o775);
    assert_eq!(one(&host, "config_file").replaceable.known(), Some(&true));
    assert_eq!(one(&debian(), "config_file").replaceable.known(), Some(&false));
    let sticky = debian().owned("/run", 0, 0, 0o1777);
    assert_eq!(one(&sticky, "api_socket").replaceable.known(), Some(&false));
}

#[test]
fn what_nobody_asks_for_is_not_looked_up() {
    let host = debian();
    let wanted = [("docker_file", ["mode".to_owned()].into_iter().collect())].into_iter().collect();
    let context = Context::new(&host).wanting(wanted);
    let rows = DockerFiles::collect(&context, &Selector::Keys(vec!["dockerd".to_owned()])).unwrap();
    assert!(matches!(&rows[0].audited, Fact::Unknown(Gap { reason: Reason::NotCollected, .. })));
    assert!(rows[0].mode.known().is_some());
}

#[test]
fn without_a_group_file_no_group_is_wrong() {
    let host = process(Memory::new(), 100, 0, 1, "/system.slice/docker.service", "/usr/sbin/dockerd", "dockerd")
        .node("/run/docker.sock", FileKind::Socket, 0o660)
        .owned("/run/docker.sock", 0, 108, 0o660);
    assert!(one(&host, "api_socket").group_expected.known().is_none(), "as in a container that plimsoll itself runs in");
}
