//! What an audit promises not to do, watched from outside while it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::engine::{Engine, IMAGE, Setup};
use crate::host::{Host, done, words};
use crate::needs;
use crate::report::{PLIMSOLL, Report};

/// System calls that change something, start something, or reach somebody. `?` is for architectures that lack one.
const TELLING: &str = "trace=?open,openat,openat2,?creat,?rename,?renameat,renameat2,?unlink,unlinkat,?rmdir,?mkdir,mkdirat,?mknod,mknodat,?link,\
    linkat,?symlink,symlinkat,?chmod,fchmod,fchmodat,?fchmodat2,?chown,fchown,?lchown,fchownat,setxattr,lsetxattr,fsetxattr,removexattr,\
    lremovexattr,fremovexattr,?utime,?utimes,?futimesat,utimensat,truncate,ftruncate,fallocate,mount,umount2,move_mount,fsopen,open_tree,\
    mount_setattr,pivot_root,chroot,setns,unshare,sethostname,setdomainname,settimeofday,clock_settime,adjtimex,clock_adjtime,reboot,\
    kexec_load,kexec_file_load,init_module,finit_module,delete_module,bpf,perf_event_open,userfaultfd,io_uring_setup,kill,tgkill,tkill,\
    pidfd_open,pidfd_send_signal,pidfd_getfd,process_vm_readv,process_vm_writev,process_madvise,ptrace,execve,execveat,socket,socketpair,\
    connect,bind,listen,accept,accept4,sendto,sendmsg,sendmmsg,write,writev,pwrite64,pwritev,pwritev2,sendfile,splice,copy_file_range,\
    swapon,swapoff,quotactl,acct,syslog,add_key,request_key,keyctl,setpriority,sched_setscheduler,sched_setattr,ioprio_set,clone,?fork,\
    ?vfork,clone3,fanotify_init,inotify_init1,memfd_create,shmget,semget,msgget,mq_open";

/// One system call.
#[derive(Debug)]
struct Call {
    process: u32,
    name: String,
    rest: String,
}

/// The system calls of a trace, with the process, not the thread, that made each.
fn calls(trace: &str) -> Vec<Call> {
    let mut process_of = BTreeMap::<u32, u32>::new();
    let mut begun = BTreeMap::<u32, String>::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let (thread, what) = line.split_once(' ').unwrap();
        let thread: u32 = thread.parse().unwrap();
        let what = what.trim_start();
        if let Some(start) = what.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, start.to_owned());
            continue;
        }
        let whole = match what.strip_prefix("<... ") {
            Some(end) => begun.remove(&thread).unwrap_or_default() + end.split_once(" resumed>").unwrap().1,
            None => what.to_owned(),
        };
        // Signals and ends.
        let Some((name, rest)) = whole.split_once('(').filter(|_| !whole.starts_with(['+', '-'])) else { continue };
        let process = *process_of.entry(thread).or_insert(thread);
        if matches!(name, "clone" | "clone3" | "fork" | "vfork") {
            // Interrupted ones are made again.
            if let Ok(child) = rest.rsplit("= ").next().unwrap().split(|end: char| !end.is_ascii_digit()).next().unwrap().parse() {
                process_of.insert(child, if rest.contains("CLONE_THREAD") { process } else { child });
            }
        }
        calls.push(Call { process, name: name.to_owned(), rest: rest.to_owned() });
    }
    // A thread may be heard of before whoever started it has said so.
    for call in &mut calls {
        call.process = process_of.get(&call.process).copied().unwrap_or(call.process);
    }
    calls
}

#[test]
fn every_system_call_of_a_full_audit_is_one_it_may_make() {
    needs!(
        "every_system_call_of_a_full_audit_is_one_it_may_make",
        "dockerd",
        "docker",
        "busybox",
        "strace",
        "nsenter",
        "unshare",
        "runc",
        "ip"
    );
    let engine = Engine::start(&Setup { containers: true, ..Setup::default() });
    engine.make_image();
    engine.docker(&["run", "-d", "--network", "none", "-v", "/etc:/host:ro", IMAGE]);
    let dir = engine.host.dir();
    let (trace, state) = (dir.join("trace"), dir.join("state"));
    let mut command = engine.host.command("strace");
    // Where a descriptor leads is shown with it.
    command.args(["-f", "-y", "-s", "200", "-e", TELLING, "-o"]).arg(&trace).arg(PLIMSOLL).args(["audit", "--state"]).arg(&state);
    let began = Instant::now();
    let output = command.args(["--format", "json"]).output().unwrap();
    let report = Report::read(&output, began.elapsed()).unwrap_or_else(|why| panic!("{why}: {}", words(&output)));
    assert_eq!(report.result("container-no-sensitive-mounts"), "fail");

    let calls = calls(&fs::read_to_string(&trace).unwrap());
    let named = |name: &str| calls.iter().filter(|call| call.name == name).collect::<Vec<_>>();
    let started = named("execve");
    assert_eq!(started.len(), 2, "the program and its worker are all that is started: {started:#?}");
    assert!(started[1].rest.starts_with("\"/proc/self/exe\""), "{started:#?}");
    let (supervisor, worker) = (started[0].process, started[1].process);
    assert_ne!(supervisor, worker);

    let state = state.to_str().unwrap();
    let mut wrong: Vec<&Call> =
        calls.iter().filter(|call| !(may(call, state) && (call.process == supervisor || worker_may(call)))).collect();
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let locks = calls.iter().filter(|call| call.name == "openat" && call.rest.contains("O_CREAT")).count();
    assert_eq!(locks, 1, "one file is made, the lock");
    let sockets: BTreeSet<&str> = named("socket").iter().map(|call| call.rest.split(',').next().unwrap()).collect();
    assert_eq!(sockets, BTreeSet::from(["AF_NETLINK", "AF_UNIX"]), "engines, and the kernel's audit rules");
    assert!(named("socket").iter().all(|call| !call.rest.starts_with("AF_NETLINK")
        || ["NETLINK_AUDIT", "NETLINK_NETFILTER"].iter().any(|family| call.rest.contains(family))));
    let unexpected: Vec<u32> = calls.iter().map(|call| call.process).filter(|process| ![supervisor, worker].contains(process)).collect();
    assert!(unexpected.is_empty(), "processes {unexpected:?}");
}

/// Whether a system call changes nothing but what is the audit's own.
fn may(call: &Call, state: &str) -> bool {
    let rest = call.rest.as_str();
    let result = rest.rsplit(" = ").next().unwrap_or_default();
    // Where the first argument, a descriptor, leads.
    let to = rest.split_once('<').map_or("", |(_, to)| to);
    match call.name.as_str() {
        "openat" | "openat2" | "open" => {
            let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE"].iter().any(|flag| rest.contains(flag));
            !writes || (to.starts_with(state) && rest.contains("\"lock\"") && rest.contains("O_NOFOLLOW"))
        }
        "mkdir" | "mkdirat" => rest.contains(state),
        "ftruncate" | "pwrite64" => to.starts_with(&format!("{state}/lock>")),
        // Pipes to whoever reads the report, to the worker and back.
        "write" | "writev" => ["socket:", "pipe:", "anon_inode:", "UNIX"].iter().any(|kind| to.starts_with(kind)),
        "socket" => rest.starts_with("AF_UNIX, SOCK_STREAM") || rest.starts_with("AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC"),
        "socketpair" => rest.starts_with("AF_UNIX, SOCK_STREAM"),
        "connect" => rest.contains("sun_path=\"/proc/self/fd/"),
        "sendto" | "sendmsg" => ["socket:", "NETLINK", "UNIX"].iter().any(|kind| to.starts_with(kind)),
        "bind" => rest.contains("AF_NETLINK"),
        "execve" => result == "0",
        "clone" | "clone3" | "vfork" => true,
        _ => false,
    }
}

/// Whether the worker, which reads and judges, may make it too.
fn worker_may(call: &Call) -> bool {
    match call.name.as_str() {
        "openat" | "openat2" | "open" => !call.rest.contains("O_CREAT"),
        "clone" | "clone3" => call.rest.contains("CLONE_THREAD"),
        "execve" | "write" | "writev" | "sendto" | "sendmsg" => true,
        _ => false,
    }
}

#[test]
fn no_file_is_changed() {
    needs!("no_file_is_changed", "nsenter", "unshare", "find", "sha256sum");
    let host = Host::start();
    // Everything stat tells but the time of the last access, and the content.
    let picture = || {
        let places = "/etc /var/lib /run /usr/bin /usr/sbin";
        host.sh(&format!(
            "for place in {places}; do [ ! -d $place ] || find $place -xdev -printf '%p %y %m %U %G %s %T@ %C@ %i %n %l\n'; done | sort
             find /etc /run -xdev -type f -exec sha256sum {{}} + | sort"
        ))
    };
    let before = picture();
    assert!(before.lines().count() > 1000, "that is a picture of something");
    let report = Report::in_host(&host, &[]);
    assert!(!report.results().is_empty());
    let after = picture();
    let (before, after): (BTreeSet<&str>, BTreeSet<&str>) = (before.lines().collect(), after.lines().collect());
    let changed: Vec<&&str> = before.symmetric_difference(&after).collect();
    assert!(changed.is_empty(), "{changed:#?}");
}

#[test]
fn whoever_waits_at_a_pipe_goes_on_waiting() {
    needs!("whoever_waits_at_a_pipe_goes_on_waiting", "nsenter", "unshare", "mkfifo");
    let host = Host::start();
    host.sh("mkfifo /etc/docker/daemon.json /etc/docker/waiting; mkdir -p /var/lib/docker");
    let mut writer = host.command("sh").args(["-c", "echo '{}' > /etc/docker/daemon.json"]).spawn().unwrap();
    thread::sleep(Duration::from_millis(300));
    let report = Report::in_host(&host, &[]);
    assert_eq!(report.result("docker-icc-disabled"), "unknown");
    assert!(report.took < Duration::from_secs(20), "{:?}", report.took);
    // The same in a directory that holds a host.
    let root = host.dir().join("root");
    host.sh(&format!(
        "mkdir -p {0}/etc {0}/var/lib/docker {0}/usr/bin; cp -a /etc/docker {0}/etc; touch {0}/usr/bin/dockerd",
        root.display()
    ));
    let mut other = Command::new("sh").arg("-c").arg(format!("echo '{{}}' > {}/etc/docker/daemon.json", root.display())).spawn().unwrap();
    thread::sleep(Duration::from_millis(300));
    let report = Report::of(Command::new(PLIMSOLL).arg("audit").arg("--root").arg(&root));
    assert!(report.took < Duration::from_secs(20), "{:?}", report.took);
    thread::sleep(Duration::from_millis(300));
    let let_go = (writer.try_wait().unwrap(), other.try_wait().unwrap());
    let _ = (writer.kill(), other.kill(), writer.wait(), other.wait());
    assert_eq!(let_go, (None, None), "somebody was let through");
}

#[test]
fn who_may_see_less_claims_less() {
    needs!("who_may_see_less_claims_less", "dockerd", "docker", "busybox", "setpriv", "nsenter", "unshare", "runc", "ip");
    let engine = Engine::start(&Setup { file: Some(r#"{"icc": false}"#), containers: true, ..Setup::default() });
    engine.make_image();
    engine.docker(&["run", "-d", "--network", "none", "--privileged", IMAGE]);
    engine.docker(&["run", "-d", "--network", "none", "--user", "1000", "--cap-drop", "ALL", "--memory", "64m", IMAGE]);
    let program = engine.host.dir().join("plimsoll");
    fs::copy(PLIMSOLL, &program).unwrap();
    // As Debian makes it: the group of root here, so that nobody gets in.
    engine.host.sh("chmod 0660 /run/docker.sock; chmod 0600 /etc/docker/daemon.json");
    let all = Report::in_host(&engine.host, &[]).results();
    let lesser = [
        ("root without capabilities", &["--bounding-set=-all", "--inh-caps=-all"][..]),
        ("nobody", &["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]),
    ];
    let mut wrong = Vec::new();
    for (who, rights) in lesser {
        let state = engine.host.dir().join(who.replace(' ', "-"));
        fs::create_dir(&state).unwrap();
        if who == "nobody" {
            std::os::unix::fs::chown(&state, Some(65534), Some(65534)).unwrap();
        }
        fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
        let mut command = engine.host.command("setpriv");
        command.args(rights).arg("--").arg(&program).args(["audit", "--format", "json", "--state"]).arg(&state);
        let output = command.output().unwrap();
        let report = Report::read(&output, Duration::ZERO).unwrap_or_else(|why| panic!("{who}: {why}: {}", words(&output)));
        let results = report.results();
        assert_eq!(results.keys().collect::<Vec<_>>(), all.keys().collect::<Vec<_>>());
        for (check, result) in &results {
            let honest = *result == all[check] || matches!(result.as_str(), "unknown" | "manual");
            if !honest {
                wrong.push(format!("{who}: {check} is {result}, but {} to root: {}", all[check], report.finding(check)["observations"]));
            }
        }
        let unknown = results.values().filter(|result| *result == "unknown").count();
        assert!(who != "nobody" || unknown > 40, "nobody cannot see so much: {unknown} unknown");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_sandbox_refuses_all_it_must() {
    needs!("the_sandbox_refuses_all_it_must", "setpriv");
    let copy = tempfile::tempdir().unwrap();
    fs::set_permissions(copy.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = copy.path().join("plimsoll");
    fs::copy(PLIMSOLL, &program).unwrap();
    done(Command::new(&program).args(["self-test", "sandbox"]));
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&program).args(["self-test", "sandbox"]);
    done(nobody.stdin(Stdio::null()));
    // Without the sandbox the same acts succeed: it is what refuses.
    let bare = Command::new(&program).args(["self-test", "sandbox", "--unsealed"]).output().unwrap();
    assert!(!bare.status.success(), "{}", words(&bare));
}
