//! Containers with one weakness each, and the verdict each deserves. The table is the oracle: it follows from what the
//! controls demand, not from what the program says.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::engine::{Engine, IMAGE, REMAPPED, Setup};
use crate::needs;
use crate::report::Report;

/// How a well-behaved container is run: options that do not go together have a name in common.
const GOOD: &[(&str, &[&str])] = &[
    ("root", &["--read-only"]),
    ("caps", &["--cap-drop", "ALL"]),
    ("nnp", &["--security-opt", "no-new-privileges"]),
    ("memory", &["--memory", "64m"]),
    ("cpu", &["--cpus", "0.5"]),
    ("pids", &["--pids-limit", "50"]),
    ("restart", &["--restart", "on-failure:5"]),
    ("net", &["--network", "none"]),
    ("user", &["--user", "1000"]),
    ("cgroupns", &["--cgroupns", "private"]),
    ("health", &["--health-cmd", "true", "--health-interval", "1h"]),
];

/// One container.
struct Case {
    name: &'static str,
    /// The options of a well-behaved container it lacks.
    without: &'static str,
    /// The options it has, a space in one written `~`; then the image and the command, where they are others.
    with: &'static str,
    /// The checks it fails.
    fails: &'static str,
}

const fn case(name: &'static str, without: &'static str, with: &'static str, fails: &'static str) -> Case {
    Case { name, without, with, fails }
}

/// What every container here fails: an image that was imported has no digest of a registry.
const ALWAYS: &str = "image-by-digest";

/// Running as root, which the kernel confirms.
const ROOT: &str = "user-not-root root-remapped processes-not-host-root";

/// Names without `container-`. `ROOT` stands for three of them, `DEFAULT-CGROUP` and `OOM` for what depends on the kernel.
/// `CGROUP` and `DIR` are the test's own.
const CASES: &[Case] = &[
    case("good", "", "", ""),
    case(
        "default",
        "root caps nnp memory cpu pids restart net user cgroupns health",
        "",
        "ROOT root-read-only net-raw-dropped no-new-privileges processes-no-new-privileges memory-limited cpu-limited pids-limited \
         not-on-default-bridge health-checked DEFAULT-CGROUP",
    ),
    // Privileges.
    case(
        "privileged",
        "user caps",
        "--privileged",
        "ROOT not-privileged capabilities-limited net-raw-dropped seccomp-enabled processes-seccomp processes-harmless no-devices \
         kernel-paths-masked",
    ),
    case("cap-sys-admin", "user", "--cap-add SYS_ADMIN", "ROOT capabilities-limited processes-harmless"),
    case("cap-prefix", "", "--cap-add cap_sys_ptrace", "capabilities-limited"),
    case("cap-all", "", "--cap-add ALL", "capabilities-limited net-raw-dropped"),
    case("cap-default-again", "", "--cap-add CHOWN", ""),
    case("cap-net-raw", "", "--cap-add NET_RAW", "net-raw-dropped"),
    case("cap-drop-net-raw", "caps", "--cap-drop net_raw", ""),
    case("user-0-0", "user", "--user 0:0", "ROOT"),
    case("user-root-root", "user", "--user root:root", "ROOT"),
    case("user-00", "user", "--user 00", "ROOT"),
    case("user-name", "user", "--user app", ""),
    case("group-0", "user", "--user 1000:0", ""),
    case("nnp-true", "nnp", "--security-opt no-new-privileges=true", ""),
    case("nnp-false", "nnp", "--security-opt no-new-privileges=false", "no-new-privileges processes-no-new-privileges"),
    case("seccomp-off", "", "--security-opt seccomp=unconfined", "seccomp-enabled processes-seccomp"),
    case("seccomp-off-colon", "", "--security-opt seccomp:unconfined", "seccomp-enabled processes-seccomp"),
    case("label-off", "", "--security-opt label=disable", ""),
    case("unmasked", "", "--security-opt systempaths=unconfined", "kernel-paths-masked"),
    // Namespaces.
    case("net-host", "net", "--network host", "network-not-host"),
    case("net-joins", "net", "--network container:net-host", "network-not-host"),
    case("net-joins-good", "net", "--network container:good", ""),
    case("pid-host", "", "--pid host", "pid-not-host"),
    case("pid-joins", "", "--pid container:pid-host", "pid-not-host"),
    case("ipc-host", "", "--ipc host", "ipc-not-host"),
    case("ipc-shareable", "", "--ipc shareable", ""),
    case("uts-host", "", "--uts host", "uts-not-host"),
    case("userns-host", "", "--userns host", "userns-not-host"),
    case("cgroupns-host", "cgroupns", "--cgroupns host", "cgroup-not-host"),
    // Mounts. `/run` as a whole is not among the benchmark's directories, but holds every socket of the host.
    case("mount-root", "", "-v /:/host", "no-sensitive-mounts no-engine-socket"),
    case("mount-etc-ro", "", "-v /etc:/x:ro", "no-sensitive-mounts"),
    case("mount-passwd", "", "-v /etc/passwd:/x:ro", "no-sensitive-mounts"),
    case("mount-link", "", "-v DIR/link:/x", "no-sensitive-mounts"),
    case("mount-dots", "", "--mount type=bind,src=/var/lib/../../etc,dst=/x", "no-sensitive-mounts"),
    case("mount-socket-ro", "", "-v /var/run/docker.sock:/x:ro", "no-engine-socket"),
    case("mount-socket-dir", "", "-v /run:/x", "no-risky-mounts no-engine-socket"),
    case("mount-volume", "", "-v plain:/x", ""),
    case("mount-volume-bind", "", "-v sneaky:/x", "no-sensitive-mounts"),
    case("mount-harmless", "", "-v DIR/harmless:/etc/ssl", ""),
    case("mount-called-socket", "", "-v DIR/harmless:/var/run/docker.sock", ""),
    case("mount-shared", "", "-v /run/shared:/x:rshared", "no-shared-mounts"),
    case("mount-slave", "", "-v /run/shared:/x:rslave", ""),
    case("tmpfs", "", "--tmpfs /tmp:rw,exec", ""),
    case("device", "", "--device /dev/zero:/dev/x", "no-devices"),
    case("device-rule", "", "--device-cgroup-rule c~1:3~rwm", "no-devices"),
    case("writable", "root", "", "root-read-only"),
    // Ports.
    case("port-any", "net", "--network app -p 0.0.0.0:8080:80", "ports-bound"),
    case("port-unsaid", "net", "--network app -p 8081:80", "ports-bound"),
    case("port-loopback", "net", "--network app -p 127.0.0.1:8082:80", ""),
    case("port-any-6", "net", "--network app -p [::]:8083:80", "ports-bound"),
    case("port-loopback-6", "net", "--network app -p [::1]:8084:80", ""),
    case("port-80", "net", "--network app -p 127.0.0.1:80:80", "no-privileged-ports"),
    case("port-1024", "net", "--network app -p 127.0.0.1:1024:80", ""),
    case("port-all", "net", "--network app --expose 80 -P", "ports-bound ports-approved"),
    case("bridge", "net", "", "not-on-default-bridge"),
    // Limits.
    case("memory-no", "memory", "", "memory-limited"),
    case("memory-reserved", "memory", "--memory-reservation 32m", "memory-limited"),
    case("cpu-no", "cpu", "", "cpu-limited"),
    case("cpu-usual", "cpu", "--cpu-shares 1024", "cpu-limited"),
    case("cpu-shares", "cpu", "--cpu-shares 512", ""),
    case("pids-no", "pids", "", "pids-limited"),
    case("pids-minus", "pids", "--pids-limit -1", "pids-limited"),
    case("ulimits", "", "--ulimit nofile=1000:2000", "ulimits-default"),
    case("oom-off-limited", "", "--oom-kill-disable", ""),
    case("oom-off", "memory", "--oom-kill-disable", "memory-limited OOM"),
    case("oom-spared", "", "--oom-score-adj -500", "oom-score-neutral"),
    case("oom-first", "", "--oom-score-adj 500", ""),
    case("restart-no", "restart", "", ""),
    case("restart-always", "restart", "--restart always", "restarts-bounded"),
    case("restart-stopped", "restart", "--restart unless-stopped", "restarts-bounded"),
    case("restart-0", "restart", "--restart on-failure", "restarts-bounded"),
    case("restart-6", "restart", "--restart on-failure:6", "restarts-bounded"),
    case("cgroup", "", "--cgroup-parent /CGROUP/own", ""),
    // Operation.
    case("health-no", "health", "", "health-checked"),
    case("health-none", "health", "--no-healthcheck", "health-checked"),
    case("health-bad", "health", "--health-cmd false --health-interval 1s --health-retries 1", "health-checked"),
    case("secret", "", "-e DB_PASSWORD=not-a-secret", "no-secret-environment"),
    case("secret-empty", "", "-e DB_PASSWORD=", ""),
    case("secret-file", "", "-e DB_PASSWORD_FILE=/run/secrets/db", ""),
    case("latest", "", "plimsoll-live:latest", "image-not-latest"),
    case("untagged", "", "plimsoll-live", "image-not-latest"),
    case("sshd", "", "IMAGE /usr/sbin/sshd", "no-ssh-server"),
    case("check-sshd", "", "IMAGE /usr/sbin/check_sshd", ""),
    case("init", "", "--init", ""),
    case("removed", "restart", "--rm", ""),
    // States. What does not run comes back with everything it was created with.
    case("exited", "restart", "IMAGE true", ""),
    case("paused", "", "", ""),
    case(
        "created",
        "user caps",
        "--privileged -v /:/host",
        "user-not-root not-privileged capabilities-limited net-raw-dropped seccomp-enabled no-devices kernel-paths-masked \
         no-sensitive-mounts no-engine-socket",
    ),
    // Somebody comes in from outside.
    case("visited", "", "", ""),
    case("visited-by-root", "", "", "processes-not-host-root"),
    case("entered", "", "", "processes-as-declared processes-capabilities-declared processes-harmless processes-not-host-root"),
];

/// Containers that others join.
const JOINED: [&str; 3] = ["good", "net-host", "pid-host"];

/// Checks whose verdict depends on what else the kernel runs.
pub(crate) const MAC: [&str; 4] =
    ["container-apparmor-confined", "container-selinux-confined", "container-confined", "container-processes-confined"];

#[test]
fn every_container_gets_the_verdict_it_deserves() {
    needs!("every_container_gets_the_verdict_it_deserves", "dockerd", "docker", "busybox", "nsenter", "unshare", "runc", "ip");
    let engine = Engine::start(&Setup { containers: true, ..Setup::default() });
    engine.make_image();
    let dir = engine.host.dir().display().to_string();
    engine.host.sh(&format!(
        "mkdir {dir}/harmless /run/shared; ln -s /etc {dir}/link; mount -t tmpfs shared /run/shared; mount --make-shared /run/shared"
    ));
    engine.docker(&["network", "create", "app"]);
    engine.docker(&["volume", "create", "plain"]);
    engine.docker(&["volume", "create", "--opt", "type=none", "--opt", "o=bind", "--opt", "device=/etc", "sneaky"]);
    check(&engine, CASES);
}

#[test]
fn remapped_root_is_not_root_and_defaults_of_the_engine_count() {
    const CASES: &[Case] = &[
        case("good", "", "", ""),
        case("remapped", "user nnp", "", "user-not-root"),
        case("opts-out", "user nnp", "--userns host", "ROOT userns-not-host"),
        case("nnp-false", "nnp", "--security-opt no-new-privileges=false", "no-new-privileges processes-no-new-privileges"),
    ];
    needs!(
        "remapped_root_is_not_root_and_defaults_of_the_engine_count",
        "dockerd",
        "docker",
        "busybox",
        "nsenter",
        "unshare",
        "runc",
        "ip"
    );
    let engine = Engine::start(&Setup {
        file: Some(r#"{"userns-remap": "remapped", "no-new-privileges": true}"#),
        before: REMAPPED,
        containers: true,
        ..Setup::default()
    });
    engine.make_image();
    check(&engine, CASES);
}

/// Holds what an audit says of every case against what it should say.
fn check(engine: &Engine, cases: &[Case]) {
    start(engine, cases);
    let report = Report::in_host(&engine.host, &["--only", "container-*"]);
    let neither = !["apparmor", "selinux"].iter().any(|module| engine.docker(&["info", "-f", "{{.SecurityOptions}}"]).contains(module));
    let about = |check: &str| check.starts_with("container-") && (neither || !MAC.contains(&check));

    let mut should = BTreeSet::new();
    for case in cases {
        for check in checks(engine, case) {
            assert!(report.results().contains_key(&check), "there is no check {check}");
            should.insert((case.name.to_owned(), check));
        }
    }
    let mut does = BTreeSet::new();
    for (check, subjects) in report.failing().into_iter().filter(|(check, _)| about(check)) {
        // Processes are called CONTAINER/NAME.
        does.extend(subjects.iter().map(|subject| (subject.split('/').next().unwrap().to_owned(), check.clone())));
    }
    let mut wrong: Vec<String> = should.difference(&does).map(|(name, check)| format!("{name} should fail {check}")).collect();
    wrong.extend(does.difference(&should).map(|(name, check)| format!("{name} should not fail {check}")));
    let unknown = report.results().into_iter().filter(|(check, result)| about(check) && result == "unknown");
    wrong.extend(unknown.map(|(check, _)| format!("{check} is unknown: {:#}", report.finding(&check))));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((report.code, report.said.as_str()), (0, ""));
}

/// The checks a case should fail, by their full names.
fn checks(engine: &Engine, case: &Case) -> Vec<String> {
    // What cgroups of the second version do otherwise.
    let first = engine.docker(&["info", "-f", "{{.CgroupVersion}}"]) == "1";
    let on_first = |check: &'static str| if first { check } else { "" };
    let fails = case.fails.replace("ROOT", ROOT);
    let fails = fails.replace("DEFAULT-CGROUP", on_first("cgroup-not-host")).replace("OOM", on_first("oom-killable"));
    ALWAYS.split_whitespace().chain(fails.split_whitespace()).map(|check| format!("container-{check}")).collect()
}

/// Starts every container, and whoever comes in from outside.
fn start(engine: &Engine, cases: &[Case]) {
    let (first, others): (Vec<&Case>, _) = cases.iter().partition(|case| JOINED.contains(&case.name));
    first.into_iter().for_each(|case| run(engine, case));
    let next = Mutex::new(others.into_iter());
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(case) = { next.lock().unwrap().next() } {
                    run(engine, case);
                }
            });
        }
    });
    let is = |name: &str, what: &str, value: &str| engine.docker(&["inspect", "-f", what, name]) == value;
    let until = Instant::now() + Duration::from_secs(30);
    let settled = |case: &Case| match case.name {
        "health-bad" => is(case.name, "{{.State.Health.Status}}", "unhealthy"),
        "exited" => is(case.name, "{{.State.Status}}", "exited"),
        _ => true,
    };
    while !cases.iter().all(settled) {
        assert!(Instant::now() < until, "{}", engine.docker(&["ps", "-a"]));
        thread::sleep(Duration::from_millis(100));
    }
}

/// Starts one container.
fn run(engine: &Engine, case: &Case) {
    let lacks: Vec<&str> = case.without.split_whitespace().collect();
    let mut arguments: Vec<String> = Vec::new();
    for (_, options) in GOOD.iter().filter(|(name, _)| !lacks.contains(name)) {
        arguments.extend(options.iter().map(|option| (*option).to_owned()));
    }
    let dir = engine.host.dir().display().to_string();
    let with = case.with.replace("DIR", &dir).replace("CGROUP", engine.host.cgroup()).replace("IMAGE", IMAGE);
    arguments.extend(with.split_whitespace().map(|word| word.replace('~', " ")));
    if !["IMAGE", "plimsoll-live"].iter().any(|image| case.with.contains(image)) {
        arguments.push(IMAGE.to_owned());
    }
    let how: &[&str] = if case.name == "created" { &["create"] } else { &["run", "-d"] };
    let arguments = arguments.iter().map(String::as_str);
    engine.docker(&how.iter().copied().chain(["--name", case.name]).chain(arguments).collect::<Vec<_>>());
    let then: &[&str] = match case.name {
        "paused" => &["pause", "paused"],
        "visited" => &["exec", "-d", "visited", "sleep", "1000000"],
        "visited-by-root" => &["exec", "-d", "-u", "0", "visited-by-root", "sleep", "1000000"],
        "entered" => &["exec", "-d", "--privileged", "-u", "0", "entered", "sleep", "1000000"],
        _ => return,
    };
    engine.docker(then);
}
