use serde_json::json;

use super::*;
use crate::host::engine::Route;
use crate::host::memory::Memory;
use crate::resource::container::fixture as engine;

const STATUS: &str = "PPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n";

/// A table with lines of local address, state and inode.
fn table(lines: &[(&str, &str, u64)]) -> String {
    let line = |(address, state, inode): &(&str, &str, u64)| {
        let other = address.split_once(':').unwrap().0.replace(|c: char| c != '0', "0");
        format!("   0: {address} {other}:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0\n")
    };
    lines.iter().fold("  sl  local_address rem_address   st …\n".to_owned(), |table, one| table + &line(one))
}

fn process(host: Memory, pid: i32, name: &str, cgroup: &str) -> Memory {
    host.file(&format!("/proc/{pid}/status"), format!("Name:\t{name}\n{STATUS}"))
        .file(&format!("/proc/{pid}/cgroup"), format!("0::{cgroup}\n"))
}

const EVERY6: &str = "00000000000000000000000000000000:0016";
const LOOPBACK6: &str = "00000000000000000000000001000000:1F90";
const MAPPED: &str = "0000000000000000FFFF00000100007F:0035";
const LINK_LOCAL: &str = "000080FE000000000000000001000000:0222";

fn host() -> Memory {
    let host = Memory::new()
        .file("/proc/1/net/tcp", table(&[("00000000:1F90", "0A", 10), ("0100007F:0277", "0A", 11), ("0100007F:0016", "01", 12)]))
        .file("/proc/1/net/tcp6", table(&[(EVERY6, "0A", 13), (LOOPBACK6, "0A", 14), (MAPPED, "0A", 15)]))
        .file("/proc/1/net/udp", table(&[("00000000:0044", "07", 16), ("0A000001:D431", "01", 17)]))
        .file("/proc/1/net/udp6", table(&[(LINK_LOCAL, "07", 18)]))
        .held_sockets("1 13\n70 13\n71 10\n72 16\n");
    let host = process(host, 1, "systemd", "/init.scope");
    let host = process(host, 70, "sshd", "/system.slice/ssh.service");
    let host = process(host, 71, "docker-proxy", "/system.slice/docker.service");
    process(host, 72, "dhclient", "/system.slice/networking.service")
}

fn ports(host: &Memory, of: &str) -> Vec<Port> {
    let of = if of == "*" { Selector::All } else { Selector::Keys(vec![of.into()]) };
    Ports::collect(&Context::new(host), &of).unwrap()
}

fn text(fact: &Fact<Text>) -> &str {
    match fact {
        Fact::Known(text, _) => text.raw(),
        Fact::Absent(_) => "-",
        Fact::Unknown(_) => "?",
    }
}

#[test]
fn sockets_are_joined_to_processes_and_units() {
    let ssh = ports(&host(), "tcp/22").remove(0);
    assert_eq!((text(&ssh.process), text(&ssh.unit), text(&ssh.container), text(&ssh.address)), ("sshd", "ssh.service", "-", "::"));
    assert_eq!(ssh.families.known().unwrap(), &[Text::from("ipv4"), Text::from("ipv6")], "a socket on :: takes both");
    assert_eq!(ssh.pids.known().unwrap().len(), 2, "the manager holds it as well");
    assert_eq!(ssh.reachable.known(), Some(&true));
}

#[test]
fn what_is_reachable() {
    let reached = |endpoint: &str| {
        ports(&host(), endpoint).iter().map(|port| (text(&port.address).to_owned(), *port.reachable.known().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(reached("tcp/8080"), [("0.0.0.0".to_owned(), true), ("::1".to_owned(), false)]);
    assert_eq!(reached("tcp/53"), [("127.0.0.1".to_owned(), false)], "IPv4 in IPv6 is IPv4");
    assert_eq!(reached("udp/546"), [("fe80::1".to_owned(), false)]);
    assert_eq!(reached("udp/68"), [("0.0.0.0".to_owned(), true)], "UDP has no state of listening");
    assert_eq!(reached("udp/54321"), [], "connected");
}

#[test]
fn a_socket_for_ipv6_leaves_ipv4_to_its_neighbour() {
    let both = host().file("/proc/1/net/tcp", table(&[("00000000:0016", "0A", 20)]));
    let families = ports(&both, "tcp/22").iter().map(|port| port.families.known().unwrap().clone()).collect::<Vec<_>>();
    assert_eq!(families, [vec![Text::from("ipv4")], vec![Text::from("ipv6")]]);
}

#[test]
fn globs_pick_ports() {
    assert_eq!(ports(&host(), "udp/*").len(), 2);
    assert_eq!(ports(&host(), "tcp/9").len(), 0);
}

#[test]
fn who_holds_a_socket_may_not_be_told() {
    assert_eq!(text(&ports(&host(), "tcp/631")[0].process), "-", "the kernel's own");
    let hidden = host().held_sockets("1 -\n70 13\n");
    assert_eq!(text(&ports(&hidden, "tcp/631")[0].process), "?");
    assert_eq!(text(&ports(&hidden, "tcp/22")[0].process), "sshd");
}

#[test]
fn without_tables_nothing_is_known() {
    let none = Ports::collect(&Context::new(&Memory::new()), &Selector::All);
    assert!(matches!(none, Err(Gap { reason: Reason::NotCollected, .. })));
    let half = host().gap("/proc/1/net/udp", Reason::Denied);
    let unknown: Vec<_> = ports(&half, "tcp/22").into_iter().filter(|port| port.endpoint.known().is_none()).collect();
    assert_eq!((unknown.len(), text(&unknown[0].protocol)), (1, "udp"));
}

fn with_engine(list: serde_json::Value) -> Memory {
    let ports = host();
    let base = engine::host(&[engine::inspect('a', json!({}))]);
    let base = [1, 70, 71, 72].iter().fold(base, |base, pid| {
        let names = [
            (1, "systemd", "/init.scope"),
            (70, "sshd", "/system.slice/ssh.service"),
            (71, "docker-proxy", "/system.slice/docker.service"),
            (72, "dhclient", "/x"),
        ];
        let (_, name, cgroup) = names.iter().find(|(number, ..)| number == pid).unwrap();
        process(base, *pid, name, cgroup)
    });
    let copy = |base: Memory, path: &str| {
        let bytes = crate::host::Host::read(&ports, Path::new(path)).known().unwrap().to_vec();
        base.file(path, bytes)
    };
    let base = ["/proc/1/net/tcp", "/proc/1/net/tcp6", "/proc/1/net/udp", "/proc/1/net/udp6"].into_iter().fold(base, copy);
    base.held_sockets("1 13\n70 13\n71 10\n72 16\n").answer(engine::SOCKET, Route::Containers, list.to_string())
}

#[test]
fn published_ports_belong_to_their_container() {
    let listed = json!([{"Id": engine::id('a'), "Names": ["/web"], "State": "running", "Ports": [
        {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"IP": "0.0.0.0", "PrivatePort": 53, "PublicPort": 5353, "Type": "udp"},
        {"IP": "::", "PrivatePort": 53, "PublicPort": 5353, "Type": "udp"},
        {"IP": "127.0.0.1", "PrivatePort": 22, "PublicPort": 22, "Type": "tcp"},
        {"PrivatePort": 443, "Type": "tcp"}]}]);
    let host = with_engine(listed);
    let proxied = ports(&host, "tcp/8080").remove(0);
    assert_eq!((text(&proxied.container), proxied.published.known(), proxied.listener.known()), ("web", Some(&true), Some(&true)));
    assert_eq!(proxied.bypasses_firewall.known(), Some(&true));
    let translated = ports(&host, "udp/5353");
    let shown: Vec<_> =
        translated.iter().map(|port| (text(&port.address), port.listener.known().copied(), port.reachable.known().copied())).collect();
    assert_eq!(shown, [("0.0.0.0", Some(false), Some(true)), ("::", Some(false), Some(true))], "published without a listener");
    let ssh = ports(&host, "tcp/22");
    assert_eq!(ssh.len(), 2, "the server's own, and one published on loopback");
    assert_eq!((text(&ssh[1].process), ssh[1].published.known()), ("sshd", Some(&false)));
    assert_eq!(ports(&host, "tcp/443").len(), 0, "exposed is not published");
}

#[test]
fn an_engine_that_does_not_answer_leaves_ports_open() {
    let host = with_engine(json!([])).no_answer(engine::SOCKET, Route::Containers, Reason::Denied);
    let all = ports(&host, "*");
    assert!(all.iter().any(|port| port.endpoint.known().is_none()), "there may be published ports");
    assert!(all.iter().all(|port| port.published.known().is_none()));
}
