//! Engines that were told this and that, by file, by flag and by unit, and what should be said of each.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use crate::engine::{Engine, REMAPPED, Setup};
use crate::needs;
use crate::report::Report;

/// One engine.
struct Case {
    name: &'static str,
    setup: Setup<'static>,
    /// A script that is run in the host while the engine runs.
    after: &'static str,
    /// Results that are expected: the result, and the checks, names without `docker-`.
    expect: &'static [(&'static str, &'static str)],
}

const TOLD_NOTHING: Setup<'static> = Setup { file: None, flags: &[], unit_flags: &[], containers: false, before: "" };

/// A certificate authority, and a certificate and a key of the server's.
const CERTIFICATES: &str = "
    mkdir /etc/docker/tls; cd /etc/docker/tls
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost -keyout key.pem -out cert.pem 2>/dev/null
    cp cert.pem ca.pem";

const CASES: &[Case] = &[
    Case {
        name: "told nothing",
        setup: TOLD_NOTHING,
        after: "",
        expect: &[
            ("fail", "icc-disabled default-ulimits-set userns-remapped authorization-plugin logs-shipped no-new-privileges-default"),
            ("fail", "live-restore userland-proxy-disabled"),
            ("pass", "log-level-info iptables-managed registries-secure mirrors-secure storage-not-aufs storage-not-devicemapper"),
            ("pass", "tcp-authenticated cgroup-parent-default seccomp-default experimental-disabled swarm-off content-trust-outdated"),
            ("pass", "settings-persistent settings-in-force settings-consistent"),
            (
                "not_applicable",
                "devicemapper-basesize-default swarm-managers-few swarm-autolock swarm-ports-bound swarm-overlays-encrypted",
            ),
            ("manual", "rootless"),
        ],
    },
    Case {
        name: "hardened by its file",
        setup: Setup {
            file: Some(
                r#"{"icc": false, "userland-proxy": false, "live-restore": true, "log-driver": "syslog", "no-new-privileges": true,
                    "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 2048}}, "userns-remap": "remapped"}"#,
            ),
            before: REMAPPED,
            ..TOLD_NOTHING
        },
        after: "",
        expect: &[
            ("pass", "icc-disabled default-ulimits-set userns-remapped logs-shipped no-new-privileges-default live-restore"),
            ("pass", "userland-proxy-disabled settings-persistent settings-in-force settings-consistent"),
        ],
    },
    Case {
        name: "weakened by its file",
        setup: Setup {
            file: Some(
                r#"{"icc": true, "debug": true, "log-driver": "none", "insecure-registries": ["registry.example:5000"], "iptables": false,
                    "registry-mirrors": ["http://mirror.example"], "cgroup-parent": "/somewhere", "experimental": true,
                    "seccomp-profile": "/etc/docker/allow.json", "hosts": ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2375"]}"#,
            ),
            before: r#"echo '{"defaultAction": "SCMP_ACT_ALLOW"}' > /etc/docker/allow.json"#,
            ..TOLD_NOTHING
        },
        after: "",
        expect: &[
            ("fail", "icc-disabled log-level-info logs-shipped registries-secure iptables-managed mirrors-secure experimental-disabled"),
            ("fail", "seccomp-default tcp-authenticated"),
            ("manual", "cgroup-parent-default"),
            ("pass", "settings-persistent settings-in-force settings-consistent"),
        ],
    },
    Case {
        name: "hardened by flags of its unit",
        setup: Setup {
            unit_flags: &[
                "--icc=0",
                "--userland-proxy=f",
                "--live-restore",
                "--log-driver",
                "syslog",
                "--no-new-privileges=true",
                "--default-ulimit",
                "nofile=1024:2048",
                "-l",
                "info",
            ],
            ..TOLD_NOTHING
        },
        after: "",
        expect: &[
            ("pass", "icc-disabled default-ulimits-set logs-shipped no-new-privileges-default live-restore userland-proxy-disabled"),
            ("pass", "log-level-info settings-persistent settings-in-force settings-consistent"),
        ],
    },
    Case {
        name: "hardened by hand",
        setup: Setup { flags: &["--icc=false", "-D"], ..TOLD_NOTHING },
        after: "",
        expect: &[("pass", "icc-disabled settings-in-force settings-consistent"), ("fail", "settings-persistent log-level-info")],
    },
    Case {
        name: "its file changed since",
        setup: Setup { file: Some(r#"{"icc": false, "live-restore": false}"#), ..TOLD_NOTHING },
        after: r#"sleep 4; echo '{"icc": true, "live-restore": true, "userland-proxy": false}' > /etc/docker/daemon.json"#,
        expect: &[
            // The engine tells of these.
            ("pass", "icc-disabled"),
            ("fail", "live-restore settings-in-force settings-persistent"),
            // It does not of this.
            ("unknown", "userland-proxy-disabled"),
        ],
    },
    Case {
        name: "its unit contradicts its file",
        setup: Setup { file: Some(r#"{"icc": false}"#), ..TOLD_NOTHING },
        after: "sed -i 's/dockerd/dockerd --icc=true/' /etc/systemd/system/docker.service",
        expect: &[("pass", "icc-disabled settings-in-force"), ("fail", "settings-consistent settings-persistent")],
    },
    Case {
        name: "without a default bridge",
        setup: Setup { file: Some(r#"{"bridge": "none"}"#), ..TOLD_NOTHING },
        after: "",
        expect: &[("not_applicable", "icc-disabled"), ("pass", "settings-in-force settings-persistent")],
    },
    Case {
        name: "TLS that asks nobody for a certificate",
        setup: Setup {
            file: Some(
                r#"{"tls": true, "tlscert": "/etc/docker/tls/cert.pem", "tlskey": "/etc/docker/tls/key.pem",
                    "hosts": ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2376"]}"#,
            ),
            before: CERTIFICATES,
            ..TOLD_NOTHING
        },
        after: "",
        expect: &[("fail", "tcp-authenticated")],
    },
    Case {
        name: "TLS that asks for certificates",
        setup: Setup {
            file: Some(
                r#"{"tlsverify": true, "tlscacert": "/etc/docker/tls/ca.pem", "tlscert": "/etc/docker/tls/cert.pem",
                    "tlskey": "/etc/docker/tls/key.pem", "insecure-registries": ["127.0.0.0/8"]}"#,
            ),
            unit_flags: &["-H", "unix:///var/run/docker.sock", "--host=tcp://127.0.0.1:2376"],
            before: CERTIFICATES,
            ..TOLD_NOTHING
        },
        after: "",
        expect: &[("pass", "tcp-authenticated registries-secure settings-persistent settings-in-force")],
    },
    Case {
        name: "a swarm as it comes",
        setup: TOLD_NOTHING,
        after: "docker swarm init --advertise-addr 127.0.0.1 > /dev/null",
        expect: &[
            ("fail", "swarm-off swarm-autolock swarm-ports-bound swarm-overlays-encrypted swarm-data-path-separate"),
            ("pass", "swarm-managers-few swarm-certificates-short swarm-root-ca-rotated"),
            ("not_applicable", "live-restore"),
        ],
    },
    Case {
        name: "a swarm that is locked and bound",
        setup: TOLD_NOTHING,
        after: "docker swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377 --autolock --cert-expiry 2880h > /dev/null",
        expect: &[("pass", "swarm-autolock swarm-ports-bound"), ("fail", "swarm-off swarm-certificates-short")],
    },
];

#[test]
fn every_setting_counts_however_it_was_made() {
    needs!("every_setting_counts_however_it_was_made", "dockerd", "docker", "nsenter", "unshare", "runc", "ip", "openssl");
    let (next, wrong) = (Mutex::new(CASES.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = { next.lock().unwrap().next() } {
                    let disagreements = disagreements(case);
                    wrong.lock().unwrap().extend(disagreements);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where an audit of the case says something else than it should.
fn disagreements(case: &Case) -> Vec<String> {
    let engine = Engine::start(&case.setup);
    engine.host.sh(case.after);
    let report = Report::in_host(&engine.host, &["--only", "docker-*,swarm-*"]);
    let results = report.results();
    let mut expected = BTreeMap::new();
    for (result, checks) in case.expect {
        for check in checks.split_whitespace() {
            let swarm = check.starts_with("swarm-") && check != "swarm-off";
            let check = if swarm { check.to_owned() } else { format!("docker-{check}") };
            assert!(expected.insert(check, *result).is_none(), "{}: {checks}", case.name);
        }
    }
    let wrong = expected.iter().filter(|(check, result)| results.get(*check).map(String::as_str) != Some(**result));
    wrong.map(|(check, result)| format!("{}: {check} should be {result}: {:#}", case.name, report.finding(check))).collect()
}
