//! Containers as whole records, against engines in memory.

use std::path::Path;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::fixture::{DEFAULTS, SOCKET, host, host_with, id, inspect, process};
use super::*;
use crate::fact::{Reason, Row as _};
use crate::host::engine::{Id, Route};
use crate::host::memory::Memory;
use crate::host::{Entry, FileKind, Host, Identity, ProcessLinks, Stat};
use crate::resource::docker::fixture::{INFO, answering, daemon};

fn collect(host: &dyn Host) -> Vec<Container> {
    Containers::collect(&Context::new(host), &Selector::All).unwrap()
}

/// The one container of a host, with what differs from one with default settings.
fn one(differs: Value) -> Container {
    only(&host(&[inspect('a', differs)]))
}

fn only(host: &dyn Host) -> Container {
    let [row] = collect(host).try_into().unwrap();
    row
}

fn texts(fact: &Fact<Vec<Text>>) -> Vec<&str> {
    fact.known().unwrap().iter().map(Text::raw).collect()
}

fn text(fact: &Fact<Text>) -> Option<&str> {
    fact.known().map(Text::raw)
}

/// A host that counts questions to engines, and to which one container is gone.
struct Asked<'a> {
    host: &'a Memory,
    gone: Option<Id>,
    /// Whether it stands in the list for ever, or the first time only.
    still_listed: bool,
    routes: Mutex<Vec<Route>>,
}

impl Host for Asked<'_> {
    fn read(&self, path: &Path) -> Fact<Arc<[u8]>> {
        self.host.read(path)
    }
    fn open(&self, path: &Path) -> Fact<Arc<crate::host::Opened>> {
        self.host.open(path)
    }
    fn stat(&self, path: &Path) -> Fact<Stat> {
        self.host.stat(path)
    }
    fn lstat(&self, path: &Path) -> Fact<Stat> {
        self.host.lstat(path)
    }
    fn link(&self, path: &Path) -> Fact<PathBuf> {
        self.host.link(path)
    }
    fn resolve(&self, path: &Path) -> Fact<PathBuf> {
        self.host.resolve(path)
    }
    fn list(&self, path: &Path) -> Fact<Arc<[Entry]>> {
        self.host.list(path)
    }
    fn engine(&self, socket: &Path, question: &Route) -> Fact<Arc<[u8]>> {
        let mut routes = self.routes.lock().unwrap();
        let again = routes.contains(question);
        routes.push(*question);
        match (question, self.gone) {
            (Route::Container(id), Some(gone)) if *id == gone => Fact::Absent(crate::fact::Origin::Derived),
            (Route::Containers, Some(gone)) if again && !self.still_listed => self.host.engine(socket, question).map(|body| {
                let mut list: Vec<Value> = serde_json::from_slice(&body).unwrap();
                list.retain(|one| one["Id"] != gone.to_string());
                Value::Array(list).to_string().into_bytes().into()
            }),
            _ => self.host.engine(socket, question),
        }
    }
    fn audit_rules(&self) -> Fact<Arc<[u8]>> {
        self.host.audit_rules()
    }
    fn process_links(&self, pid: i32) -> Fact<ProcessLinks> {
        self.host.process_links(pid)
    }
    fn now(&self) -> DateTime<Utc> {
        self.host.now()
    }
    fn identity(&self) -> Identity {
        self.host.identity()
    }
    fn parallelism(&self) -> usize {
        4
    }
}

#[test]
fn a_container_with_default_settings() {
    let row = one(json!({}));
    assert_eq!((text(&row.name), text(&row.state), text(&row.seccomp)), (Some("web"), Some("running"), Some("default")));
    assert_eq!((row.root.known(), row.privileged.known(), row.default_bridge.known()), (Some(&true), Some(&false), Some(&true)));
    assert_eq!(text(&row.image_tag), Some("1"));
    assert!(matches!((&row.pids_limit, &row.memory_limit_bytes, &row.confined), (Fact::Absent(_), Fact::Absent(_), Fact::Absent(_))));
    assert_eq!((texts(&row.networks), texts(&row.environment_names)), (vec!["bridge"], vec!["PATH"]));
    assert_eq!(
        (row.restart_bounded.known(), row.healthcheck.known(), row.unmasked_paths.known()),
        (Some(&true), Some(&false), Some(&false))
    );
}

#[test]
fn each_container_is_asked_about_once_and_one_that_is_gone_is_left_out() {
    let documents: Vec<Value> = "abcdef".chars().map(|digit| inspect(digit, json!({ "Name": format!("/{digit}") }))).collect();
    let memory = host(&documents);
    let asked = Asked { host: &memory, gone: Id::parse(&id('c')), still_listed: false, routes: Mutex::default() };
    let context = Context::new(&asked);
    let rows = Containers::collect(&context, &Selector::All).unwrap();
    let names: Vec<_> = rows.iter().map(|row| text(&row.name).unwrap()).collect();
    assert_eq!(names, ["a", "b", "d", "e", "f"]);
    Containers::collect(&context, &Selector::Keys(vec!["a*".into()])).unwrap();
    crate::resource::container_process::ContainerProcesses::collect(&context, &Selector::All).unwrap();
    let routes = asked.routes.lock().unwrap();
    assert_eq!(routes.iter().filter(|route| matches!(route, Route::Container(_))).count(), 6);
    assert_eq!(routes.iter().filter(|route| !matches!(route, Route::Container(_))).count(), 5, "list, info, volumes, networks, and the list again");
}

#[test]
fn what_is_still_listed_but_not_known_is_kept_from_us() {
    let memory = host(&[inspect('a', json!({})), inspect('b', json!({ "Name": "/b" }))]);
    let asked = Asked { host: &memory, gone: Id::parse(&id('b')), still_listed: true, routes: Mutex::default() };
    let rows = Containers::collect(&Context::new(&asked), &Selector::Keys(vec!["b".into()])).unwrap();
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(text(&row.state), Some("running"));
    assert!(matches!(&row.privileged, Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
}

#[test]
fn what_cannot_be_inspected_keeps_what_the_list_says() {
    for body in ["{", r#"{"HostConfig":{"Memory":"much"}}"#, &inspect('b', json!({})).to_string()] {
        let host = host(&[inspect('a', json!({}))]).answer(SOCKET, Route::Container(Id::parse(&id('a')).unwrap()), body);
        let row = only(&host);
        assert_eq!((text(&row.name), text(&row.state), text(&row.image)), (Some("web"), Some("running"), Some("plimsoll-test:1")));
        assert!(matches!(&row.privileged, Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
    }
    let host = host(&[inspect('a', json!({}))]).no_answer(SOCKET, Route::Container(Id::parse(&id('a')).unwrap()), Reason::TimedOut);
    assert!(matches!(&only(&host).privileged, Fact::Unknown(Gap { reason: Reason::TimedOut, .. })));
}

#[test]
fn a_list_that_is_refused_is_an_error() {
    let refused = host(&[]).no_answer(SOCKET, Route::Containers, Reason::Denied);
    let error = Containers::collect(&Context::new(&refused), &Selector::All).unwrap_err();
    assert_eq!(error.reason, Reason::Denied);
    assert!(collect(&host(&[])).is_empty() && collect(&Memory::new()).is_empty());
}

#[test]
fn an_identifier_that_is_a_path_is_never_asked_for() {
    let host = host(&[]).answer(SOCKET, Route::Containers, r#"[{"Id":"../images","Names":["/x"],"State":"running"}]"#);
    assert!(matches!(&only(&host).privileged, Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
}

#[test]
fn seccomp_by_option_privilege_and_daemon() {
    let seccomp = |differs: Value| text(&one(json!({ "HostConfig": differs })).seccomp).map(str::to_owned);
    assert_eq!(seccomp(json!({"SecurityOpt": ["seccomp=unconfined"]})).as_deref(), Some("unconfined"));
    assert_eq!(seccomp(json!({"SecurityOpt": ["seccomp:unconfined"]})).as_deref(), Some("unconfined"));
    assert_eq!(seccomp(json!({"SecurityOpt": ["seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}"]})).as_deref(), Some("custom"));
    assert_eq!(seccomp(json!({"SecurityOpt": ["seccomp=builtin"]})).as_deref(), Some("default"));
    assert_eq!(seccomp(json!({"Privileged": true})).as_deref(), Some("unconfined"));
    let daemon = |options: &str| INFO.replace("name=seccomp,profile=default", options);
    let of_daemon = |info: &str| text(&only(&answering(host(&[inspect('a', json!({}))]), info)).seccomp).map(str::to_owned);
    assert_eq!(of_daemon(&daemon("name=seccomp,profile=unconfined")).as_deref(), Some("unconfined"));
    assert_eq!(of_daemon(&daemon("name=cgroupns")).as_deref(), Some("unconfined"), "a kernel without it");
    assert_eq!(of_daemon("{"), None, "an engine that does not tell");
    let row = one(json!({"HostConfig": {"SecurityOpt": ["seccomp={\"a\":1}"]}}));
    assert_eq!(texts(&row.security_options), ["seccomp={…}"]);
}

#[test]
fn no_new_privileges_in_every_spelling() {
    let set = |option: &str| one(json!({"HostConfig": {"SecurityOpt": [option]}})).no_new_privileges.known().copied();
    for option in ["no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"] {
        assert_eq!(set(option), Some(true), "{option}");
    }
    for option in ["no-new-privileges:false", "no-new-privileges=false", "no-new-privilegesx"] {
        assert_eq!(set(option), Some(false), "{option}");
    }
}

#[test]
fn the_daemons_default_counts_for_containers_made_under_it() {
    const DAEMON: &str = r#"{"no-new-privileges": true}"#;
    let with = |differs: Value| host(&[inspect('a', differs)]).file("/etc/docker/daemon.json", DAEMON);
    let kernel =
        |host: Memory, bit: u8| process(host, 700, 1, 'a', "x", &DEFAULTS.replace("NoNewPrivs:\t0", &format!("NoNewPrivs:\t{bit}")));
    assert_eq!(only(&kernel(with(json!({})), 0)).no_new_privileges.known(), Some(&false), "made before: the kernel knows");
    assert_eq!(only(&kernel(with(json!({})), 1)).no_new_privileges.known(), Some(&true));
    let stopped = |created: &str| with(json!({"Created": created, "State": {"Status": "exited", "Running": false, "Pid": 0}}));
    assert_eq!(only(&stopped("2026-11-20T11:30:45Z")).no_new_privileges.known(), Some(&true));
    assert!(matches!(only(&stopped("1970-01-01T00:00:01Z")).no_new_privileges, Fact::Unknown(_)), "older than the daemon");
    let unreadable = host(&[inspect('a', json!({}))]).file("/etc/docker/daemon.json", "{");
    assert!(matches!(only(&unreadable).no_new_privileges, Fact::Unknown(_)));
    assert_eq!(only(&kernel(unreadable, 1)).no_new_privileges.known(), Some(&true));
}

#[test]
fn one_of_two_security_modules_is_enough_and_none_is_not_a_failure() {
    let apparmor = |differs: Value| {
        let info = INFO.replace("[\"name=seccomp", "[\"name=apparmor\",\"name=seccomp");
        let host = answering(host(&[inspect('a', differs)]), &info).file("/sys/module/apparmor/parameters/enabled", "Y\n");
        let row = only(&host);
        (text(&row.apparmor_profile).map(str::to_owned), row.confined.known().copied())
    };
    assert_eq!(apparmor(json!({"AppArmorProfile": "docker-default"})), (Some("docker-default".into()), Some(true)));
    assert_eq!(apparmor(json!({"AppArmorProfile": "unconfined"})), (Some("unconfined".into()), Some(false)));
    assert_eq!(apparmor(json!({"HostConfig": {"Privileged": true}})), (Some("unconfined".into()), Some(false)));
    assert_eq!(
        apparmor(json!({"State": {"Status": "created", "Running": false}})),
        (Some("docker-default".into()), Some(true)),
        "not filled in yet"
    );
    assert_eq!(apparmor(json!({"HostConfig": {"SecurityOpt": ["apparmor:unconfined"]}})).1, Some(false));

    let selinux = |differs: Value| {
        let host = host(&[inspect('a', differs)]).file("/sys/fs/selinux/enforce", "1");
        let row = only(&host);
        (row.selinux_disabled.known().copied().unwrap(), row.confined.known().copied())
    };
    let label = "system_u:system_r:container_t:s0:c1,c2";
    assert_eq!(selinux(json!({"ProcessLabel": label})), (false, Some(true)));
    assert_eq!(selinux(json!({"ProcessLabel": "system_u:system_r:spc_t:s0"})), (false, Some(false)));
    assert_eq!(selinux(json!({"ProcessLabel": label, "HostConfig": {"SecurityOpt": ["seccomp=unconfined"]}})), (false, Some(true)));
    for option in ["label=disable", "label:disable", "label=type:spc_t"] {
        assert_eq!(selinux(json!({"HostConfig": {"SecurityOpt": [option]}})), (true, Some(false)), "{option}");
    }
    assert_eq!(selinux(json!({})), (false, Some(false)), "an engine that does not label");
}

#[test]
fn mounts_are_looked_through() {
    let volumes = json!([{"Name": "etcvol", "Driver": "local", "Options": {"type": "none", "o": "bind", "device": "/etc"}},
        {"Name": "docker.sock", "Driver": "local", "Options": null}]);
    let mount = |kind: &str, name: &str, source: &str, target: &str, rw: bool| json!({"Type": kind, "Name": name, "Source": source, "Destination": target, "RW": rw, "Propagation": ""});
    let data = "/var/lib/docker/volumes/docker.sock/_data";
    let mounts = json!([
        mount("volume", "etcvol", "/var/lib/docker/volumes/etcvol/_data", "/e", true),
        mount("volume", "docker.sock", data, "/var/run/docker.sock", true),
        mount("bind", "", "/var/run", "/hr", false),
        mount("bind", "", "/srv", "/srv", true)
    ]);
    let host = host_with(&[inspect('a', json!({ "Mounts": mounts }))], volumes);
    let row = only(&host.symlink("/var/run", "/run").file("/etc/shadow", "").file("/srv/x", "").file(&format!("{data}/x"), ""));
    assert_eq!(texts(&row.sensitive_mounts), ["/etc (rw)"]);
    assert_eq!(texts(&row.risky_mounts), ["/var/run (ro)"]);
    assert_eq!(texts(&row.engine_sockets), ["/run/docker.sock"], "by the directory, and not by a volume's name");
    assert_eq!(texts(&row.bind_mounts), ["/srv:/srv (rw)", "/var/run:/hr (ro)"]);
}

#[test]
fn what_was_never_started_mounts_what_it_asks_for() {
    let asked = json!({"State": {"Status": "created", "Running": false, "Pid": 0}, "HostConfig": {"Binds": ["/etc/shadow:/s:ro", "data:/d"],
        "Mounts": [{"Type": "bind", "Source": "/srv", "Target": "/x", "BindOptions": {"Propagation": "rshared"}},
            {"Type": "volume", "Target": "/y", "VolumeOptions": {"DriverConfig": {"Options": {"type": "none", "o": "bind", "device": "/boot"}}}}]}});
    let row = one(asked);
    assert_eq!(texts(&row.sensitive_mounts), ["/boot (rw)", "/etc/shadow (ro)"]);
    assert_eq!(texts(&row.bind_mounts), ["/etc/shadow:/s (ro)", "/srv:/x (rw)"]);
    assert_eq!(texts(&row.shared_mounts), ["/x"]);
}

#[test]
fn mounts_that_cannot_be_looked_at_are_no_pass() {
    let bind = json!({"Mounts": [{"Type": "bind", "Source": "/mnt/dead", "Destination": "/d", "RW": true}]});
    let dead = only(&host(&[inspect('a', bind)]).node("/mnt/dead", FileKind::Directory, 0o755).gap("/mnt/dead", Reason::TimedOut));
    assert!(matches!((&dead.sensitive_mounts, &dead.engine_sockets), (Fact::Unknown(_), Fact::Unknown(_))));
    let run = json!({"Mounts": [{"Type": "bind", "Source": "/run/podman", "Destination": "/d", "RW": true}]});
    let closed = host(&[inspect('a', run)]).node("/run/podman", FileKind::Directory, 0o700).gap("/run/podman/podman.sock", Reason::Denied);
    let rows = collect(&closed);
    let web = rows.iter().find(|row| row.name.known().map(Text::raw) == Some("web")).unwrap();
    assert!(matches!(web.engine_sockets, Fact::Unknown(_)), "there may be one in it");
    let volume = json!({"Mounts": [{"Type": "volume", "Name": "v", "Source": "/x", "Destination": "/d", "RW": true}]});
    let blind = only(&host(&[inspect('a', volume)]).no_answer(SOCKET, Route::Volumes, Reason::Denied));
    assert!(matches!(&blind.sensitive_mounts, Fact::Unknown(Gap { reason: Reason::Denied, .. })));
}

#[test]
fn ports_come_from_where_they_are_true() {
    let bindings = json!({"80/tcp": [{"HostIp": "", "HostPort": "80"}]});
    let exited = |mode: &str| {
        one(json!({"State": {"Status": "exited", "Running": false}, "HostConfig": {"NetworkMode": mode, "PortBindings": bindings},
            "NetworkSettings": {"Ports": {}}}))
    };
    assert_eq!(
        (texts(&exited("default").published_ports), texts(&exited("default").ports_on_all_addresses)),
        (vec!["tcp/80"], vec!["tcp/80"])
    );
    assert!(texts(&exited("host").published_ports).is_empty(), "nothing is published with the host's network");
    let running = one(
        json!({"HostConfig": {"PortBindings": bindings}, "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}}}),
    );
    assert_eq!((texts(&running.published_ports), texts(&running.ports_on_all_addresses)), (vec!["tcp/8080"], vec![]));
}

#[test]
fn ssh_servers_by_name_and_executable() {
    let base = || process(host(&[inspect('a', json!({}))]), 700, 1, 'a', "sh", DEFAULTS);
    let servers = |host: Memory| texts(&only(&host).ssh_servers).iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert!(servers(process(base(), 701, 700, 'a', "check_sshd", DEFAULTS)).is_empty());
    assert_eq!(servers(process(base(), 701, 700, 'a', "sshd", DEFAULTS)), ["sshd"]);
    let renamed = ProcessLinks { exe: Some("/usr/sbin/dropbear (deleted)".into()), ..ProcessLinks::default() };
    assert_eq!(servers(process(base(), 701, 700, 'a', "nginx", DEFAULTS).process(701, renamed)), ["nginx"]);
    assert!(servers(process(base(), 701, 1, 'b', "sshd", DEFAULTS)).is_empty(), "another container's");
    assert!(matches!(only(&host(&[inspect('a', json!({}))])).ssh_servers, Fact::Unknown(_)), "a running container has a process");
    assert!(matches!(one(json!({"State": {"Status": "exited", "Running": false}})).ssh_servers, Fact::Absent(_)));
}

#[test]
fn values_of_the_environment_never_leave() {
    let differs = json!({"Config": {"Env": ["DB_PASSWORD=hunter2", "PATH=hunter2", "API_TOKEN="], "Cmd": ["x", "hunter2"], "Labels": {"a": "hunter2"}}});
    let row = one(differs);
    assert_eq!(texts(&row.environment_names), ["API_TOKEN", "DB_PASSWORD", "PATH"]);
    assert_eq!(texts(&row.secret_environment), ["DB_PASSWORD"]);
    let record = row.into_record();
    assert!(!format!("{record:?}").contains("hunter2"));
    assert!(record.document().is_some_and(|document| !document.json().contains("hunter2")));
}

#[test]
fn kinds_of_containers() {
    let labels = |labels: Value| one(json!({"Config": {"Labels": labels}}));
    assert_eq!(labels(json!({"io.kubernetes.docker.type": "podsandbox"})).pause.known(), Some(&true));
    let task = labels(json!({"com.docker.swarm.service.name": "web"}));
    assert_eq!(text(&task.swarm_service), Some("web"));
    assert!(matches!((&task.restart_policy, &task.restart_bounded), (Fact::Unknown(_), Fact::Unknown(_))));
    assert_eq!(text(&labels(json!({"com.docker.compose.project": "shop"})).compose_project), Some("shop"));
    let inside = host(&[inspect('a', json!({}))]).file("/proc/self/cgroup", format!("0::/docker/{}\n", id('a')));
    assert_eq!(only(&inside).own.known(), Some(&true));
    let hostname = format!("9 1 8:1 /var/lib/docker/containers/{}/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n", id('a'));
    let hidden = host(&[inspect('a', json!({}))]).file("/proc/self/cgroup", "0::/\n").file("/proc/self/mountinfo", hostname);
    assert_eq!(only(&hidden).own.known(), Some(&true));
    assert_eq!(one(json!({})).own.known(), Some(&false));
}

#[test]
fn remapped_users_and_those_who_opt_out() {
    let info = INFO.replace("[\"name=seccomp", "[\"name=userns\",\"name=seccomp");
    let of = |mode: &str| {
        let row = only(&answering(host(&[inspect('a', json!({"HostConfig": {"UsernsMode": mode}}))]), &info));
        (text(&row.user_namespace).unwrap().to_owned(), row.host_userns.known().copied().unwrap())
    };
    assert_eq!((of(""), of("host")), (("remapped".into(), false), ("host".into(), true)));
    assert_eq!(text(&one(json!({})).user_namespace), Some("host"));
}

#[test]
fn an_engine_socket_mounted_by_another_name_is_found() {
    let bind = json!({"Mounts": [{"Type": "bind", "Source": "/srv/link.sock", "Destination": "/x.sock", "RW": false}]});
    let linked = host(&[inspect('a', bind)]).symlink("/srv/link.sock", "../run/docker.sock");
    assert_eq!(texts(&only(&linked).engine_sockets), ["/run/docker.sock"]);
    let containerd = json!({"Mounts": [{"Type": "bind", "Source": "/run/containerd", "Destination": "/c", "RW": true}]});
    let usual = host(&[inspect('a', containerd)]).node("/run/containerd/containerd.sock", FileKind::Socket, 0o660);
    assert_eq!(texts(&only(&usual).engine_sockets), ["/run/containerd/containerd.sock"]);
    let elsewhere = json!({"Mounts": [{"Type": "bind", "Source": "/srv/c.sock", "Destination": "/c.sock", "RW": true}]});
    let host = daemon(host(&[inspect('a', elsewhere)]), 100, 0, "/usr/bin/dockerd --containerd=/srv/c.sock").node("/srv/c.sock", FileKind::Socket, 0o660);
    assert_eq!(texts(&only(&host).engine_sockets), ["/srv/c.sock"]);
}
