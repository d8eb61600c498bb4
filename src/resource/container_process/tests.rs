//! Processes held against what their containers declare, on hosts in memory.

use serde_json::{Value, json};

use super::*;
use crate::host::ProcessLinks;
use crate::host::engine::Route;
use crate::host::memory::Memory;
use crate::resource::container::fixture::{DEFAULTS, SOCKET, host, inspect, process};

const NAMES: [&str; 7] = ["pid", "net", "ipc", "uts", "mnt", "user", "cgroup"];

/// Links of a process that shares some namespaces with the host.
fn links(shared: &[&str]) -> ProcessLinks {
    let inode = |name: &&str| if shared.contains(name) { 1 } else { 2 };
    ProcessLinks { namespaces: NAMES.iter().map(|name| (Text::from(*name), inode(name))).collect(), ..ProcessLinks::default() }
}

/// A container whose first process is as declared.
fn container(differs: Value) -> Memory {
    let host = process(host(&[inspect('a', differs)]), 700, 100, 'a', "nginx", DEFAULTS);
    host.process(1, links(&NAMES)).process(700, links(&["user", "cgroup"]))
}

fn collect(host: &Memory, key: &str) -> Vec<ContainerProcess> {
    ContainerProcesses::collect(&Context::new(host), &Selector::Keys(vec![key.into()])).unwrap()
}

fn one(host: &Memory, key: &str) -> ContainerProcess {
    let [row] = collect(host, key).try_into().unwrap();
    row
}

fn texts(fact: &Fact<Vec<Text>>) -> Vec<&str> {
    fact.known().unwrap().iter().map(Text::raw).collect()
}

const PRIVILEGED: &str = "CapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t0\nSeccomp:\t0\n";

#[test]
fn a_process_that_is_as_declared_breaks_nothing() {
    let row = one(&container(json!({})), "web/nginx");
    assert_eq!(
        (row.first.known(), row.joined.known(), row.host_root.known(), row.uid.known()),
        (Some(&true), Some(&false), Some(&true), Some(&0))
    );
    assert!(texts(&row.capabilities_undeclared).is_empty() && texts(&row.broken_promises).is_empty());
    assert_eq!(texts(&row.host_namespaces), ["user", "cgroup"]);
    assert!(texts(&row.host_namespaces_undeclared).is_empty());
    assert!(matches!(row.confined, Fact::Absent(_)));
}

#[test]
fn a_privileged_shell_in_a_well_behaved_container_is_found() {
    let host = process(container(json!({})), 801, 100, 'a', "sh", PRIVILEGED).process(801, links(&["user", "cgroup"]));
    let row = one(&host, "web/sh");
    assert_eq!((row.first.known(), row.joined.known(), row.host_uid.known()), (Some(&false), Some(&true), Some(&0)));
    assert!(texts(&row.capabilities_undeclared).contains(&"SYS_ADMIN") && texts(&row.capabilities_dangerous).contains(&"SYS_MODULE"));
    let broken = texts(&row.broken_promises);
    assert!(broken[0].starts_with("holds ") && broken[0].ends_with(" beyond its declaration"), "{broken:?}");
    assert_eq!(broken[1], "has no seccomp filter");
    assert!(texts(&one(&host, "web/nginx").broken_promises).is_empty());
}

#[test]
fn what_a_privileged_container_declares_it_may_do() {
    let differs = json!({"HostConfig": {"Privileged": true}});
    let host = process(container(differs), 801, 700, 'a', "sh", PRIVILEGED).process(801, links(&["user", "cgroup"]));
    assert!(texts(&one(&host, "web/sh").broken_promises).is_empty());
}

#[test]
fn descendants_are_those_of_the_first_process() {
    let host = process(container(json!({})), 801, 700, 'a', "worker", DEFAULTS);
    let host = process(process(host, 802, 801, 'a', "grandchild", DEFAULTS), 803, 803, 'a', "circle", DEFAULTS);
    assert_eq!(one(&host, "web/grandchild").joined.known(), Some(&false));
    assert_eq!(one(&host, "web/circle").joined.known(), Some(&true));
}

#[test]
fn namespaces_of_the_host_are_told_by_inode() {
    let host = container(json!({"HostConfig": {"PidMode": "host"}})).process(700, links(&["pid", "net", "mnt", "user", "cgroup"]));
    let row = one(&host, "web/nginx");
    assert_eq!(texts(&row.host_namespaces), ["pid", "net", "mnt", "user", "cgroup"]);
    assert_eq!(texts(&row.host_namespaces_undeclared), ["net", "mnt"]);
    assert_eq!(texts(&row.broken_promises), ["shares the host's network namespace", "shares the host's mount namespace"]);
}

#[test]
fn where_process_one_hides_its_namespaces_the_kernels_threads_tell() {
    let kernel = |host: Memory, parent: i32| {
        let status = format!("Name:\tkthreadd\nPPid:\t{parent}\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n");
        host.file("/proc/2/status", status).file("/proc/2/cgroup", "0::/\n")
    };
    let bare = process(host(&[inspect('a', json!({}))]), 700, 100, 'a', "nginx", DEFAULTS).process(700, links(&["user", "net", "cgroup"]));
    assert!(matches!(one(&bare, "web/nginx").host_namespaces, Fact::Unknown(_)));
    let by_thread = kernel(bare, 0).process(2, links(&NAMES));
    assert_eq!(texts(&one(&by_thread, "web/nginx").host_namespaces), ["net", "user", "cgroup"]);
    let fixed = ProcessLinks { namespaces: vec![("pid".into(), 0xEFFF_FFFC), ("uts".into(), 7)], ..ProcessLinks::default() };
    let by_number = process(host(&[inspect('a', json!({}))]), 700, 100, 'a', "nginx", DEFAULTS).process(700, fixed);
    assert_eq!(texts(&one(&kernel(by_number, 0), "web/nginx").host_namespaces), ["pid"]);
}

#[test]
fn capabilities_in_a_namespace_of_ones_own_are_worth_nothing_outside() {
    let host = process(container(json!({})), 801, 700, 'a', "sandbox", &PRIVILEGED.replace("Seccomp:\t0", "Seccomp:\t2"));
    let host = host.file("/proc/801/uid_map", "0 1000 1\n").process(801, links(&["cgroup"]));
    let row = one(&host, "web/sandbox");
    assert!(texts(&row.capabilities_undeclared).is_empty() && texts(&row.broken_promises).is_empty());
    assert!(matches!(row.uid, Fact::Absent(_)), "its user is nobody there");
}

#[test]
fn a_promise_not_to_gain_privileges_is_held_against_the_bit() {
    let differs = json!({"HostConfig": {"SecurityOpt": ["no-new-privileges"]}});
    assert_eq!(texts(&one(&container(differs), "web/nginx").broken_promises), ["may gain new privileges"]);
}

#[test]
fn confinement_is_held_against_the_profile() {
    let differs = json!({"AppArmorProfile": "docker-default"});
    let host = container(differs).file("/sys/module/apparmor/parameters/enabled", "Y\n").file("/proc/700/attr/current", "unconfined\n");
    let row = one(&host, "web/nginx");
    assert_eq!((row.confinement.known().map(Text::raw), row.confined.known()), (Some("unconfined"), Some(&false)));
    assert_eq!(texts(&row.broken_promises), ["is not confined by AppArmor or SELinux"]);
}

#[test]
fn what_cannot_be_read_is_neither_kept_nor_broken() {
    let hidden = process(host(&[inspect('a', json!({}))]), 700, 100, 'a', "nginx", DEFAULTS);
    let row = one(&hidden, "web/nginx");
    assert!(matches!((&row.host_namespaces, &row.broken_promises), (Fact::Unknown(_), Fact::Unknown(_))));
    let blind = container(json!({})).answer(SOCKET, Route::Container(crate::host::engine::Id([0xaa; 32])), "{");
    let row = one(&blind, "web/nginx");
    assert!(matches!(
        (&row.first, &row.capabilities_undeclared, &row.broken_promises),
        (Fact::Unknown(_), Fact::Unknown(_), Fact::Unknown(_))
    ));
    assert_eq!(row.pid.known(), Some(&700));
    let neither = host(&[inspect('a', json!({}))]).answer(SOCKET, Route::Container(crate::host::engine::Id([0xaa; 32])), "{");
    assert!(matches!(one(&neither, "web/*").capabilities, Fact::Unknown(_)), "running, by the list, and nothing more is known");
    let unseen = host(&[inspect('a', json!({}))]);
    assert!(matches!(one(&unseen, "web/*").pid, Fact::Unknown(_)), "a running container has a process");
    assert!(collect(&host(&[inspect('a', json!({"State": {"Status": "exited", "Running": false, "Pid": 0}}))]), "**").is_empty());
}

#[test]
fn ids_inside_and_outside_differ_where_users_are_remapped() {
    let host = container(json!({})).file("/proc/700/uid_map", "         0     100000      65536\n");
    let host = host
        .file("/proc/700/status", format!("Name:\tnginx\nPPid:\t1\nUid:\t100033\t100033\t100033\t100033\nGid:\t0\t0\t0\t0\n{DEFAULTS}"));
    let row = one(&host, "web/nginx");
    assert_eq!((row.host_uid.known(), row.uid.known(), row.host_root.known()), (Some(&100_033), Some(&33), Some(&false)));
}

#[test]
fn powers_over_a_user_namespace_are_none_over_the_host() {
    let all = "CapEff:\t000001ffffffffff\nCapPrm:\t000001ffffffffff\nCapInh:\t0\nCapBnd:\t000001ffffffffff\nCapAmb:\t0\nNoNewPrivs:\t0\nSeccomp:\t2\n";
    let with = |map: &str| {
        let status = format!("Name:\tnginx\nPPid:\t1\nUid:\t1000\t1000\t1000\t1000\nGid:\t0\t0\t0\t0\n{all}");
        one(&container(json!({})).file("/proc/700/uid_map", map).file("/proc/700/status", status), "web/nginx")
    };
    assert!(texts(&with("0 0 4294967295\n").capabilities_dangerous).contains(&"SYS_ADMIN"));
    let rootless = with("0 1000 1\n1 100000 65536\n");
    assert!(texts(&rootless.capabilities_dangerous).is_empty());
    assert!(texts(&rootless.capabilities).contains(&"SYS_ADMIN"), "held all the same");
}
