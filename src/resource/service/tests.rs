use super::*;
use crate::host::{FileKind, memory::Memory};

const STATUS: &str = "Name:\tx\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n";
const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn host() -> Memory {
    Memory::new()
        .node("/run/systemd/system", FileKind::Directory, 0o755)
        .symlink("/usr/lib/systemd/system/default.target", "multi-user.target")
        .file("/usr/lib/systemd/system/multi-user.target", "[Unit]\n")
        .file(
            "/usr/lib/systemd/system/docker.service",
            "[Service]\nEnvironment=A=1 B=s3cret\nExecStart=/usr/bin/dockerd -H fd:// $OPTS\n[Install]\nWantedBy=multi-user.target\n",
        )
        .file("/usr/lib/systemd/system/docker.socket", "[Socket]\nListenStream=/var/run/docker.sock\n[Install]\nWantedBy=sockets.target\n")
        .symlink("/var/run", "/run")
}

fn process(host: Memory, pid: i32, cgroup: &str) -> Memory {
    host.file(&format!("/proc/{pid}/status"), STATUS).file(&format!("/proc/{pid}/cgroup"), format!("0::{cgroup}\n"))
}

fn booted() -> Memory {
    process(process(host(), 1, "/init.scope"), 40, "/system.slice/docker.service")
}

fn service(host: &Memory, key: &str) -> Service {
    Services::collect(&Context::new(host), &Selector::Keys(vec![key.into()])).unwrap().remove(0)
}

fn texts(fact: &Fact<List>) -> Vec<&str> {
    fact.known().unwrap().iter().map(Text::raw).collect()
}

fn text(fact: &Fact<Text>) -> &str {
    fact.known().unwrap().raw()
}

#[test]
fn a_service_as_files_and_cgroups_say() {
    let host = booted()
        .symlink("/etc/systemd/system/multi-user.target.wants/docker.service", "/lib/systemd/system/docker.service")
        .file("/etc/systemd/system/docker.service.d/x.conf", "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd --icc=false\nUser=al\n")
        .file("/usr/lib/systemd/system/docker.service.d/e.conf", "[Service]\nEnvironmentFile=-/etc/default/%N\nEnvironmentFile=-/nowhere\n")
        .file("/etc/default/docker", "OPTS=--secret\n# C=1\n");
    let row = service(&host, "docker");
    assert_eq!((text(&row.name), text(&row.enablement)), ("docker", "enabled"));
    assert_eq!((row.installed.known(), row.masked.known(), row.starts.known()), (Some(&true), Some(&false), Some(&true)));
    assert_eq!(texts(&row.exec_start), ["/usr/bin/dockerd --icc=false"]);
    assert_eq!(row.exec_start.origin(), &Origin::line("/etc/systemd/system/docker.service.d/x.conf", 3));
    assert_eq!(texts(&row.dropins).len(), 2);
    assert_eq!(row.user.known().map(|user| user.0.raw()), Some("al"));
    assert_eq!(texts(&row.environment_names), ["A", "B", "OPTS"]);
    assert_eq!((row.running.known(), texts(&row.pids)), (Some(&true), vec!["40"]));
    assert_eq!(texts(&row.triggered_by), ["docker.socket"]);
    assert!(!format!("{row:?}").contains("s3cret"));
}

#[test]
fn a_disabled_service_that_an_enabled_socket_starts() {
    let host = host().symlink("/etc/systemd/system/sockets.target.wants/docker.socket", "/usr/lib/systemd/system/docker.socket");
    let row = service(&host, "docker.service");
    assert_eq!((text(&row.enablement), row.starts.known()), ("disabled", Some(&true)));
    assert!(matches!(&row.running, Fact::Unknown(Gap { reason: Reason::NotCollected, .. })), "a directory does not run");
}

#[test]
fn masked_by_a_link_in_etc() {
    let host = booted().symlink("/etc/systemd/system/docker.service", "/dev/null");
    let row = service(&host, "docker");
    assert_eq!((text(&row.enablement), row.masked.known(), row.starts.known()), ("masked", Some(&true), Some(&false)));
    assert_eq!((row.installed.known(), text(&row.unit_path)), (Some(&true), "/etc/systemd/system/docker.service"));
    assert_eq!(row.running.known(), Some(&true), "a mask does not end what runs");
    assert!(matches!(row.exec_start, Fact::Absent(_)));
    let nothing = service(&booted().symlink("/etc/systemd/system/rsh.service", "/dev/null"), "rsh");
    assert_eq!((nothing.installed.known(), text(&nothing.enablement)), (Some(&false), "masked"));
}

#[test]
fn what_is_not_there_is_a_record_that_says_so() {
    let row = service(&booted(), "telnetd");
    assert_eq!((row.installed.known(), text(&row.enablement)), (Some(&false), "not-found"));
    assert_eq!((row.starts.known(), row.running.known(), row.masked.known()), (Some(&false), Some(&false), Some(&false)));
    assert!(matches!(row.unit_path, Fact::Absent(_)));
}

#[test]
fn sockets_run_when_they_listen() {
    let unix = "Num RefCount Protocol Flags Type St Inode Path\n0: 2 0 00010000 0001 01 7 /run/docker.sock\n";
    let host = booted().file("/run/docker.sock", "").file("/proc/net/unix", unix);
    assert_eq!(service(&host, "docker.socket").running.known(), Some(&true), "/var/run is /run");
    let host = host.file("/proc/net/unix", "Num\n");
    assert_eq!(service(&host, "docker.socket").running.known(), Some(&false));
    let tcp = "  sl\n   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 18734 1 0\n";
    let host = host.file("/usr/lib/systemd/system/ssh.socket", "[Socket]\nListenStream=22\n").file("/proc/net/tcp", tcp);
    assert_eq!(service(&host, "ssh.socket").running.known(), Some(&true));
    let host = host.file("/usr/lib/systemd/system/udp.socket", "[Socket]\nListenDatagram=5\n");
    assert!(matches!(service(&host, "udp.socket").running, Fact::Unknown(_)));
}

#[test]
fn containers_and_other_managers_are_not_the_unit() {
    let host = process(booted(), 50, &format!("/system.slice/docker.service/{ID}"));
    let host = process(host, 51, "/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service");
    assert_eq!(texts(&service(&host, "docker").pids), ["40"]);
    let rootless =
        process(process(self::host(), 1, "/init.scope"), 51, "/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service");
    assert_eq!(service(&rootless, "docker").running.known(), Some(&false));
}

#[test]
fn where_processes_are_hidden_cgroups_tell() {
    let host = process(host(), 77, "/user.slice/x.scope");
    assert!(matches!(service(&host, "docker").running, Fact::Unknown(_)));
    let host = host
        .file("/sys/fs/cgroup/system.slice/docker.service/cgroup.procs", "")
        .file("/sys/fs/cgroup/system.slice/docker.service/sub/cgroup.procs", "41\n");
    assert_eq!(texts(&service(&host, "docker").pids), ["41"]);
    assert_eq!(service(&host, "cron").running.known(), Some(&false));
}

#[test]
fn under_another_init_units_mean_nothing() {
    let host = process(
        Memory::new().file("/proc/1/comm", "tini\n").file("/usr/lib/systemd/system/docker.service", "[Service]\nExecStart=/x\n"),
        1,
        "/",
    );
    let row = service(&host, "docker");
    assert_eq!((row.installed.known(), texts(&row.exec_start)), (Some(&true), vec!["/x"]));
    for unknown in [&row.starts, &row.running] {
        assert!(matches!(unknown, Fact::Unknown(Gap { reason: Reason::Unsupported(_), .. })));
    }
    assert!(matches!(row.enablement, Fact::Unknown(_)));
    assert_eq!(text(&service(&host, "telnetd").enablement), "not-found");
    let row = service(&process(host, 9, "/system.slice/docker.service"), "docker");
    assert_eq!(row.running.known(), Some(&true));
}

#[test]
fn names_are_globs_aliases_and_instances() {
    let host = booted().symlink("/etc/systemd/system/moby.service", "/usr/lib/systemd/system/docker.service");
    let names = |key: &str| {
        let rows = Services::collect(&Context::new(&host), &Selector::Keys(vec![key.into()])).unwrap();
        rows.iter().map(|row| text(&row.name).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("docker*"), ["docker", "docker.socket"]);
    assert!(names("none*").is_empty());
    let alias = service(&host, "moby");
    assert_eq!((text(&alias.name), text(&alias.enablement)), ("moby", "alias"));
    assert_eq!(alias.running.known(), Some(&true));
    assert_eq!(Services::collect(&Context::new(&host), &Selector::All).unwrap().len(), 3);
}
