//! What managers, workers and locked nodes know.

use super::*;
use crate::fact::Row as _;
use crate::host::memory::Memory;
use crate::resource::docker::fixture::{INFO, answering, docker};

const INACTIVE: &str = r#"{"NodeID":"","NodeAddr":"","LocalNodeState":"inactive","ControlAvailable":false,"Error":"","RemoteManagers":null}"#;
const MANAGER: &str = r#"{"NodeID":"n","NodeAddr":"10.0.0.1","LocalNodeState":"active","ControlAvailable":true,"Error":"","RemoteManagers":[],
"Nodes":4,"Managers":2,"Cluster":{"ID":"c","Spec":{"CAConfig":{"NodeCertExpiry":7776000000000001},"EncryptionConfig":{"AutoLockManagers":false}},
"TLSInfo":{"TrustRoot":"PEM"},"RootRotationInProgress":false}}"#;
const WORKER: &str = r#"{"NodeID":"n","NodeAddr":"10.0.0.2","LocalNodeState":"active","ControlAvailable":false,"Error":""}"#;
const LOCKED: &str = r#"{"NodeID":"","NodeAddr":"","LocalNodeState":"locked","ControlAvailable":false,"Error":"Swarm is encrypted and needs to be unlocked"}"#;
/// Made on 2026-11-24 at 12:11:30.
const ROOT: &str = "-----BEGIN CERTIFICATE-----\nMIIBejCCASGgAwIBAgIUb7FmOZgbjeWx3+sIf80GVu8EmY4wCgYIKoZIzj0EAwIwEzERMA8GA1UEAwwIc3dhcm0tY2EwHhcNMjYxMTI0MTIxMTMwWhcNNDYxMTE5MTIx\nMTMwWjATMREwDwYDVQQDDAhzd2FybS1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOezUu7ahKf/ulffraM+9Rmov1HQ2kpXameKoMefm0lhkS01S1YJ+vZeSQhr\naVTm0qO1dBIJr70tOkI13yjxxAKjUzBRMB0GA1UdDgQWBBRm4paSise66rb67oQUMwYwYa09XTAfBgNVHSMEGDAWgBRm4paSise66rb67oQUMwYwYa09XTAPBgNVHRMB\nAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIE0DyfyX0sy3EvqvPjEdfvp/u4d/Fl1r5GQ2ls0LJ3FgAiBH9e1CNtgxuW8ygPVjMng4tWTy74DccVBPnAQCwrVt8g==\n-----END CERTIFICATE-----\n";
const MADE: i64 = 1_795_522_290;

fn host(swarm: &str) -> Memory {
    let info = INFO.replace(INACTIVE, &swarm.replace("PEM", &ROOT.replace('\n', "\\n")));
    answering(docker(), &info).at(MADE + 100 * DAY + 5)
}

fn facts(host: &Memory, fields: &[&str]) -> Vec<String> {
    let mut rows = Swarms::collect(&Context::new(host), &Selector::All).unwrap();
    assert_eq!(rows.len(), 1);
    let record = rows.remove(0).into_record();
    let shown = |field: &&str| match record.get(field).unwrap() {
        Fact::Known(value, _) => value.to_string(),
        Fact::Absent(_) => "absent".to_owned(),
        Fact::Unknown(_) => "unknown".to_owned(),
    };
    fields.iter().map(shown).collect()
}

const ROLE: &[&str] = &["state", "role", "managers", "managers_odd", "nodes", "autolock", "certificate_days", "root_ca_age_days"];

#[test]
fn a_manager_knows_the_swarm() {
    assert_eq!(facts(&host(MANAGER), ROLE), ["active", "manager", "2", "false", "4", "false", "91", "100"]);
}

#[test]
fn a_worker_knows_itself() {
    let worker = host(WORKER);
    assert_eq!(facts(&worker, ROLE), ["active", "worker", "unknown", "unknown", "unknown", "unknown", "unknown", "unknown"]);
    let worker = worker.file("/var/lib/docker/swarm/certificates/swarm-root-ca.crt", ROOT);
    assert_eq!(facts(&worker, &["root_ca_age_days"]), ["100"]);
}

#[test]
fn a_locked_manager_locks_itself() {
    assert_eq!(facts(&host(LOCKED), ROLE), ["locked", "manager", "unknown", "unknown", "unknown", "true", "unknown", "unknown"]);
}

#[test]
fn no_swarm_is_no_record_and_no_answer_is_a_gap() {
    let all = |host: &Memory| Swarms::collect(&Context::new(host), &Selector::All);
    assert!(all(&docker()).unwrap().is_empty());
    assert!(all(&Memory::new()).unwrap().is_empty());
    assert!(all(&docker().no_answer("/run/docker.sock", Route::Info, Reason::Denied)).is_err());
    for odd in ["{}", "null", "[]", r#"{"LocalNodeState":7}"#] {
        assert!(all(&host(odd)).is_err(), "{odd}");
    }
    let odd = host(&MANAGER.replace("7776000000000001", "\"long\"").replace("PEM", "x").replace("\"Managers\":2", "\"Managers\":null"));
    assert_eq!(facts(&odd, ROLE), ["active", "manager", "absent", "absent", "4", "false", "unknown", "unknown"]);
}

/// A kernel's table with one socket, or with none.
fn table(socket: &str) -> String {
    let line = if socket.is_empty() { String::new() } else { format!("   0: {socket} 00000000:00000000 00:00000000 00000000 0 0 18734 1 0\n") };
    format!("  sl  local_address rem_address   st\n{line}")
}

#[test]
fn every_control_listener_is_looked_at() {
    let bound = |tables: &[(&str, &str)]| {
        let host = tables.iter().fold(host(MANAGER), |host, (file, line)| host.file(&format!("/proc/100/net/{file}"), table(line)));
        facts(&host, &["bound", "unbound_listeners"])
    };
    let loopback = ("udp", "0100007F:1F0A 00000000:0000 07");
    assert_eq!(bound(&[("tcp", "0100000A:0949 00000000:0000 0A"), loopback]), ["true", "[]"]);
    assert_eq!(bound(&[("tcp", "00000000:0949 00000000:0000 0A"), loopback]), ["false", "[tcp/2377]"]);
    let everywhere = "00000000000000000000000000000000:1F0A 00000000000000000000000000000000:0000";
    let (tcp6, udp6) = (format!("{everywhere} 0A"), format!("{everywhere} 07"));
    assert_eq!(bound(&[("tcp", ""), ("udp", ""), ("tcp6", &tcp6), ("udp6", &udp6)]), ["false", "[tcp/7946, udp/7946]"]);
    assert_eq!(bound(&[("tcp", "00000000:5CD9 00000000:0000 0A"), ("udp", "")]), ["unknown", "unknown"], "23769 is no such port, and none is none");
    assert_eq!(bound(&[("tcp", "junk"), loopback]), ["unknown", "unknown"], "a line that is none may be any");
    assert_eq!(bound(&[]), ["unknown", "unknown"]);
}

#[test]
fn container_traffic_may_have_its_own_address() {
    let fields = ["advertise_address", "data_path_address", "data_path_separate"];
    let state = |json: &str| facts(&host(MANAGER).file("/var/lib/docker/swarm/docker-state.json", json), &fields);
    assert_eq!(state(r#"{"AdvertiseAddr":"10.0.0.1:2377","DataPathAddr":""}"#), ["10.0.0.1", "absent", "false"]);
    assert_eq!(state(r#"{"AdvertiseAddr":"10.0.0.1","DataPathAddr":"10.9.0.1"}"#), ["10.0.0.1", "10.9.0.1", "true"]);
    assert_eq!(state(r#"{"AdvertiseAddr":"[fd00::1]:2377","DataPathAddr":"fd00::1"}"#), ["fd00::1", "fd00::1", "false"]);
    assert_eq!(state(r#"{"AdvertiseAddr":"","DataPathAddr":"10.0.0.1"}"#), ["10.0.0.1", "10.0.0.1", "false"]);
    assert_eq!(state(r#"{"AdvertiseAddr":"eth0:2377","DataPathAddr":"10.9.0.1"}"#), ["eth0", "10.9.0.1", "unknown"]);
    assert_eq!(state("{"), ["10.0.0.1", "unknown", "unknown"]);
    assert_eq!(facts(&host(MANAGER), &fields), ["10.0.0.1", "unknown", "unknown"], "no such file");
    let denied = host(MANAGER).file("/var/lib/docker/swarm/docker-state.json", "{}").gap("/var/lib/docker/swarm", Reason::Denied);
    assert_eq!(facts(&denied, &fields), ["10.0.0.1", "unknown", "unknown"]);
}
