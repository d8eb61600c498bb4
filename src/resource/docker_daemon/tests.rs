//! Which place wins, and when it may be believed.

use super::*;
use crate::fact::Row as _;
use crate::host::engine::Route;
use crate::host::memory::Memory;
use crate::resource::docker::fixture::{INFO, NETWORKS, answering, daemon, docker};

const JSON: &str = "/etc/docker/daemon.json";
const UNIT: &str = "/lib/systemd/system/docker.service";

fn all(host: &Memory, option: &str) -> Vec<DockerOption> {
    DockerDaemon::collect(&Context::new(host), &Selector::Keys(vec![option.to_owned()])).unwrap()
}

fn one(host: &Memory, option: &str) -> DockerOption {
    let mut rows = all(host, option);
    assert_eq!(rows.len(), 1, "{option}");
    rows.remove(0)
}

fn shown(row: &DockerOption, field: &str) -> String {
    match row.clone().into_record().get(field).unwrap() {
        Fact::Known(value, _) => value.to_string(),
        Fact::Absent(_) => "absent".into(),
        Fact::Unknown(_) => "unknown".into(),
    }
}

/// Value and source.
fn value(host: &Memory, option: &str) -> (String, String) {
    let row = one(host, option);
    (shown(&row, "value"), shown(&row, "source"))
}

fn is(value: &str, source: &str) -> (String, String) {
    (value.to_owned(), source.to_owned())
}

/// A daemon without a default bridge, which would have its own say.
fn running(flags: &str, json: &str) -> Memory {
    let host = docker().answer("/run/docker.sock", Route::Networks, "[]");
    daemon(host, 100, 0, format!("/usr/bin/dockerd {flags}").trim_end()).file(JSON, json)
}

#[test]
fn every_option_has_a_record_and_the_place_that_decides() {
    let host = running("--icc=f --log-level debug", "{\n\"userland-proxy\": false,\n\"mtu\": 1400}");
    assert_eq!(DockerDaemon::collect(&Context::new(&host), &Selector::All).unwrap().len(), OPTIONS.len());
    assert_eq!(shown(&one(&host, "icc"), "name"), "icc");
    assert_eq!(value(&host, "icc"), is("false", "flag"));
    assert_eq!(value(&host, "log-level"), is("debug", "flag"));
    assert_eq!(value(&host, "userland-proxy"), is("false", "file"));
    assert_eq!(value(&host, "mtu"), is("1400", "file"));
    assert_eq!(value(&host, "iptables"), is("true", "default"));
    assert_eq!(value(&host, "bridge"), is("absent", "default"));
    let proxy = one(&host, "userland-proxy");
    assert_eq!(proxy.value.origin(), &Origin::line(JSON, 2));
    assert_eq!(shown(&proxy, "sources"), format!("[{JSON}:2 false, default of dockerd true]"));
    assert_eq!([&proxy.persistent, &proxy.in_force, &proxy.conflict].map(|fact| fact.known().copied()), [Some(true), Some(true), Some(false)]);
    assert!(all(&host, "frobnicate").is_empty());
}

#[test]
fn a_bridge_that_outlived_a_restart_counts_for_more_than_what_the_daemon_was_told() {
    let told = |networks: &str| answering(running("", "{\"icc\": false}"), INFO).answer("/run/docker.sock", Route::Networks, networks);
    let bridge = |icc: &str| {
        format!(r#"[{{"Name":"bridge","Driver":"bridge","Options":{{"com.docker.network.bridge.enable_icc":"{icc}"}}}}]"#)
    };
    let facts = |host: &Memory| ["value", "next_value", "persistent", "in_force"].map(|field| shown(&one(host, "icc"), field));
    assert_eq!(facts(&told(&bridge("true"))), ["true", "false", "false", "false"]);
    assert_eq!(facts(&told(&bridge("false"))), ["false", "false", "true", "true"]);
    assert_eq!(facts(&told("[]")), ["false", "false", "true", "true"], "no bridge, so what it was told");
}

#[test]
fn a_flag_given_by_hand_does_not_last() {
    let unit = "[Service]\nEnvironment=OPTS=--debug\nEnvironmentFile=-/etc/default/docker\nExecStart=/usr/bin/dockerd $DOCKER_OPTS $OPTS\n";
    let host = running("--icc=false --debug", "{}").file(UNIT, unit).file("/etc/default/docker", "DOCKER_OPTS=\"-l warn --secret-thing x\"\n");
    let icc = one(&host, "icc");
    assert_eq!((shown(&icc, "next_value"), shown(&icc, "persistent")), is("true", "false"));
    assert_eq!(shown(&one(&host, "debug"), "persistent"), "true");
    let level = one(&host, "log-level");
    assert_eq!((shown(&level, "value"), shown(&level, "next_value")), is("info", "warn"));
    assert_eq!(level.next_value.origin(), &Origin::line(UNIT, 4));
    let wrapped = host.file(UNIT, "[Service]\nExecStart=/bin/sh -c 'exec dockerd'\n");
    assert_eq!(shown(&one(&wrapped, "icc"), "next_value"), "unknown");
    assert_eq!(shown(&one(&wrapped, "icc"), "persistent"), "unknown");
}

#[test]
fn what_no_unit_starts_keeps_its_own_file() {
    let host = docker().file(JSON, r#"{"icc":true}"#).file("/srv/d.json", r#"{"icc":false,"hosts":["unix:///srv/d.sock"]}"#);
    let host = daemon(host, 200, 0, "dockerd --config-file /srv/d.json --debug");
    let rows = all(&host, "icc");
    let private = rows.iter().find(|row| row.engine.known().is_some_and(|name| name.raw() == "docker:/srv/d.sock")).unwrap();
    assert_eq!([shown(private, "value"), shown(private, "next_value"), shown(private, "persistent")], ["false", "false", "true"]);
    assert_eq!(shown(&all(&host, "debug")[1], "persistent"), "false");
}

#[test]
fn a_stopped_daemon_is_described_by_what_would_start_it() {
    let host = Memory::new().file("/usr/bin/dockerd", "").file(UNIT, "[Service]\nExecStart=/usr/bin/dockerd --icc=0\n").file(JSON, r#"{"debug":true}"#);
    assert_eq!(value(&host, "icc"), is("false", "flag"));
    assert_eq!(value(&host, "debug"), is("true", "file"));
    assert_eq!(shown(&one(&host, "debug"), "in_force"), "absent");
    assert_eq!(shown(&one(&host, "debug"), "persistent"), "true");
    let dropin = "/etc/systemd/system/docker.service.d/override.conf";
    let host = host.file(dropin, "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd --icc=true\n");
    assert_eq!(one(&host, "icc").value, Fact::Known("true".into(), Origin::line(dropin, 3)));
}

#[test]
fn a_file_newer_than_the_daemon_is_not_believed() {
    let json = r#"{"live-restore":true,"userland-proxy":false,"icc":false}"#;
    let host = running("--log-level warn", json).modified(JSON, 2000).answer("/run/docker.sock", Route::Networks, NETWORKS);
    let live = one(&host, "live-restore");
    assert_eq!([shown(&live, "value"), shown(&live, "next_value"), shown(&live, "in_force"), shown(&live, "persistent")], ["false", "true", "false", "false"]);
    let proxy = one(&host, "userland-proxy");
    assert_eq!([shown(&proxy, "value"), shown(&proxy, "in_force"), shown(&proxy, "persistent")], ["unknown", "false", "unknown"]);
    assert_eq!(shown(&one(&host, "icc"), "value"), "true", "by the bridge");
    assert_eq!(shown(&one(&host, "log-level"), "value"), "warn", "a flag stays what it was");
    assert_eq!(shown(&one(&host, "iptables"), "value"), "unknown", "the file may have set it before");
    assert_eq!(value(&host, "bridge"), is("absent", "default"), "by its usual name");
    let without = running("", r#"{"bridge":"none"}"#).modified(JSON, 2000).answer("/run/docker.sock", Route::Networks, NETWORKS);
    let bridge = one(&without, "bridge");
    assert_eq!([shown(&bridge, "value"), shown(&bridge, "in_force")], ["absent", "false"], "there is one until the next start");
    let other = |networks: &str| {
        running("", r#"{"bridge":"none"}"#).answer("/run/docker.sock", Route::Networks, networks).file(JSON, "{}").modified(JSON, 2000)
    };
    let off = other(r#"[{"Name":"host","Driver":"host"},{"Name":"none","Driver":"null"}]"#);
    assert_eq!(shown(&one(&off, "bridge"), "value"), "none");
    for broken in ["[]", r#"[{"Name":"host","Driver":"host"},{"Name":7}]"#] {
        assert_eq!(shown(&one(&other(broken), "bridge"), "value"), "unknown", "{broken}");
    }
    let told = answering(running("", json).modified(JSON, 2000), &INFO.replace("\"LiveRestoreEnabled\":false", "\"LiveRestoreEnabled\":true"));
    assert_eq!(shown(&one(&told, "live-restore"), "in_force"), "true");
    let older = running("", json).modified(JSON, 1051);
    assert_eq!(value(&older, "userland-proxy"), is("false", "file"), "written while it started");
}

#[test]
fn a_file_that_cannot_be_read_leaves_nothing_to_defaults() {
    for host in [
        running("--debug", "{\"icc\": fals"),
        running("--debug", "[]"),
        running("--debug", "").gap(JSON, Reason::TooLarge),
        running("--debug", "").gap(JSON, Reason::Denied),
        daemon(docker(), 100, 0, "dockerd --debug").node(JSON, crate::host::FileKind::Fifo, 0o600),
        running("--debug --config-file etc/d.json", ""),
    ]
    .map(|host| host.answer("/run/docker.sock", Route::Networks, NETWORKS))
    {
        assert_eq!(value(&host, "userland-proxy"), is("unknown", "unknown"));
        assert_eq!(shown(&one(&host, "userland-proxy"), "conflict"), "unknown");
        assert_eq!(value(&host, "debug"), is("true", "flag"));
        assert_eq!(shown(&one(&host, "icc"), "value"), "true", "the bridge tells");
    }
    assert_eq!(value(&running("", "\n"), "userland-proxy"), is("true", "default"), "an empty file is one");
    assert_eq!(shown(&one(&running("", r#"{"icc":"false"}"#), "icc"), "value"), "unknown", "text is no flag");
}

#[test]
fn what_is_told_twice_stops_the_next_start() {
    let host = running("--insecure-registry a --add-runtime x=/x", r#"{"insecure-registries":["b"],"runtimes":{"y":{"path":"/y"}}}"#);
    assert_eq!(shown(&one(&host, "insecure-registries"), "conflict"), "true");
    assert_eq!(shown(&one(&host, "runtimes"), "conflict"), "false");
    let next = running("", r#"{"hosts":["fd://"]}"#).file(UNIT, "[Service]\nExecStart=/usr/bin/dockerd -H fd://\n");
    assert_eq!(shown(&one(&next, "hosts"), "conflict"), "true");
}

#[test]
fn lists_maps_and_what_is_set_to_nothing() {
    let host = running("--default-ulimit nofile=1:2 --storage-opt dm.basesize=20G", r#"{"authorization-plugins":[],"userns-remap":"","log-opts":{"tag":"x"}}"#);
    let values = |option| shown(&one(&host, option), "values");
    assert_eq!(values("default-ulimits"), "[nofile=1:2]");
    assert_eq!(values("storage-opts"), "[dm.basesize=20G]");
    assert_eq!(values("authorization-plugins"), "[]");
    assert_eq!(values("log-opts"), "[tag=x]");
    assert_eq!(values("labels"), "[]");
    assert_eq!(value(&host, "userns-remap"), is("\"\"", "file"));
    assert_eq!(shown(&one(&running("", r#"{"default-ulimits":{}}"#), "default-ulimits"), "values"), "[]");
}

#[test]
fn verifying_implies_tls_and_tls_has_files_in_the_home() {
    let host = running("--tlsverify --tlskey /k", "{}");
    assert_eq!(shown(&one(&host, "tls"), "value"), "true");
    assert_eq!(value(&host, "tlscacert"), is("/root/.docker/ca.pem", "default"));
    assert_eq!(value(&host, "tlskey"), is("/k", "flag"));
    assert_eq!(shown(&one(&running("", "{}"), "tlscacert"), "value"), "absent");
}

#[test]
fn what_dockerd_does_not_know_is_named_and_nothing_more() {
    let host = running("--frobnicate", "{\"icc\":false,\n\"ICC\":true,\"config-file\":\"/x\"}");
    let row = one(&host, "ICC");
    assert_eq!(row.option.origin(), &Origin::line(JSON, 2));
    assert_eq!([shown(&row, "value"), shown(&row, "source")], ["unknown", "file"]);
    assert_eq!(shown(&one(&host, "--frobnicate"), "source"), "flag");
    assert_eq!(all(&host, "config-file").len(), 2, "the option, and the key that is none");
    assert_eq!(value(&host, "icc"), is("false", "file"));
}

#[test]
fn a_users_daemon_has_his_files_and_defaults() {
    let host = daemon(Memory::new(), 7, 1000, "dockerd").file("/etc/passwd", "al:x:1000:1000::/home/al:/bin/sh\n");
    let host = host.file("/home/al/.config/docker/daemon.json", r#"{"icc":false}"#).file(JSON, r#"{"icc":true}"#);
    assert_eq!(value(&host, "icc"), is("false", "file"));
    assert_eq!(value(&host, "data-root"), is("/home/al/.local/share/docker", "default"));
    assert_eq!(shown(&one(&host, "hosts"), "values"), "[unix:///run/user/1000/docker.sock]");
    assert_eq!(shown(&one(&host, "icc"), "name"), "docker@al icc", "not to be taken for the system's");
}

#[test]
fn where_the_process_hides_the_engine_is_believed() {
    let host = Memory::new().node("/run/docker.sock", crate::host::FileKind::Socket, 0o660).file(JSON, r#"{"live-restore":true,"mtu":9000}"#);
    let host = answering(host, INFO).answer("/run/docker.sock", Route::Networks, NETWORKS);
    assert_eq!(shown(&one(&host, "live-restore"), "value"), "false");
    assert_eq!(value(&host, "mtu"), is("9000", "file"));
    assert!(DockerDaemon::collect(&Context::new(&Memory::new()), &Selector::All).unwrap().is_empty());
}
