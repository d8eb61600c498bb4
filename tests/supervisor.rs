//! Supervisor and worker, with workers that misbehave. Has its own `main`, because it is started again as a worker.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::explicit_write,
    reason = "a test"
)]

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use plimsoll::fact::{Fact, Gap, Reason};
use plimsoll::host::broker::Broker as _;
use plimsoll::host::engine::Route;
use plimsoll::seal::{self, Event, Job, Options, Outcome, Sealed, Status};
use serde_json::{Value, json};

const TESTS: &[(&str, fn())] = &[
    ("outputs_notes_and_progress_arrive", outputs_notes_and_progress_arrive),
    ("the_worker_is_sealed_as_it_says", the_worker_is_sealed_as_it_says),
    ("a_hanging_worker_is_ended_at_the_deadline", a_hanging_worker_is_ended_at_the_deadline),
    ("a_panic_is_a_crash_that_quotes_nothing", a_panic_is_a_crash_that_quotes_nothing),
    ("ending_without_a_result_is_a_crash", ending_without_a_result_is_a_crash),
    ("garbage_is_no_result", garbage_is_no_result),
    ("endless_output_is_cut", endless_output_is_cut),
    ("endless_diagnostics_do_not_block", endless_diagnostics_do_not_block),
    ("threads_left_running_do_not_hold_up_the_result", threads_left_running_do_not_hold_up_the_result),
    ("descriptors_of_others_do_not_reach_the_worker", descriptors_of_others_do_not_reach_the_worker),
    ("the_environment_does_not_reach_the_worker", the_environment_does_not_reach_the_worker),
    ("questions_are_answered", questions_are_answered),
    ("asking_to_stop_stops_the_worker", asking_to_stop_stops_the_worker),
    ("a_worker_does_not_outlive_its_supervisor", a_worker_does_not_outlive_its_supervisor),
    // Last, because it moves to another mount namespace.
    ("a_worker_that_cannot_be_killed_is_left_behind", a_worker_that_cannot_be_killed_is_left_behind),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(seal::WORKER) => return seal::worker(work),
        Some("supervise") => return supervise_and_say(),
        _ => {}
    }
    if arguments.iter().any(|argument| argument == "--list") {
        TESTS.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    for (name, test) in TESTS.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|wanted| name.contains(*wanted))) {
        test();
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

/// What the workers of these tests do.
fn work(sealed: Sealed) -> u8 {
    let job: Value = sealed.job().unwrap();
    let report = sealed.report.clone();
    let mut say = report.output(0);
    match job["do"].as_str().unwrap() {
        "report" => {
            report.progress("half done\u{1b}[2J");
            report.note("noted");
            report.at(Path::new("/mnt/slow"));
            report.output(1).write_all(&vec![b'x'; 3_000_000]).unwrap();
            say.write_all(b"first ").unwrap();
            say.write_all(b"second").unwrap();
            return 4;
        }
        "sandbox" => say.write_all(&serde_json::to_vec(&sealed.sandbox).unwrap()).unwrap(),
        "hang" => {
            report.progress(&std::process::id().to_string());
            thread::sleep(Duration::from_secs(60));
        }
        "panic" => panic!("secret of the host"),
        "exit" => std::process::exit(7),
        "garbage" => io::stdout().write_all(&[b'\n'; 100]).unwrap(),
        "flood" => while report.output(9).write_all(&vec![0; 1 << 18]).is_ok() {},
        "complain" => (0..200_000).for_each(|number| writeln!(io::stderr(), "complaint {number} \u{1b}]0;x\u{7}").unwrap()),
        "threads" => {
            (0..8).for_each(|_| drop(thread::spawn(|| thread::sleep(Duration::from_secs(60)))));
            say.write_all(b"done").unwrap();
        }
        "descriptors" => {
            for entry in std::fs::read_dir("/proc/self/fd").unwrap() {
                let target = std::fs::read_link(entry.unwrap().path()).unwrap_or_default();
                writeln!(say, "{}", target.display()).unwrap();
            }
        }
        "look" => {
            let path = Path::new(job["path"].as_str().unwrap()).to_path_buf();
            let begun = Instant::now();
            let answer = sealed.broker.engine(&path.join("docker.sock"), &Route::Ping);
            assert!(matches!(answer, Fact::Unknown(Gap { reason: Reason::Unreachable, .. })) && begun.elapsed() < Duration::from_secs(1));
            report.at(&path);
            let looking = thread::spawn(move || std::fs::metadata(path.join("file")).map(drop));
            if job["wait"] == true {
                looking.join().unwrap().unwrap();
            }
            thread::sleep(Duration::from_millis(100));
        }
        "environment" => say.write_all(format!("{:?}", std::env::vars_os().collect::<Vec<_>>()).as_bytes()).unwrap(),
        "ask" => {
            let socket = Path::new(job["socket"].as_str().unwrap());
            let links = sealed.broker.process_links(i32::try_from(std::process::id()).unwrap());
            assert!(links.known().unwrap().namespaces.iter().any(|(name, _)| name.raw() == "net"));
            let answer = sealed.broker.engine(socket, &Route::Info);
            say.write_all(answer.known().unwrap()).unwrap();
            let foreign = sealed.broker.engine(Path::new("/run/dbus/system_bus_socket"), &Route::Info);
            assert!(!matches!(foreign, Fact::Known(..)));
            let long = sealed.broker.engine(Path::new(&format!("/{}", "x".repeat(500))), &Route::Info);
            assert!(matches!(long, Fact::Unknown(Gap { reason: Reason::Unsupported(_), .. })));
        }
        other => panic!("{other}?"),
    }
    0
}

fn options() -> Options {
    Options { sandbox: true, require_sandbox: false, deadline: Duration::from_secs(30), engine_sockets: Vec::new() }
}

fn run(job: Value, options: &Options) -> (Outcome, Vec<Event>) {
    let mut events = Vec::new();
    let outcome = seal::supervise(&Job::new(&job).unwrap(), options, &mut |event| events.push(event)).unwrap();
    (outcome, events)
}

fn finished(outcome: Outcome) -> (u8, Vec<(u16, Vec<u8>)>) {
    match outcome.status {
        Status::Finished { code, outputs } => (code, outputs),
        other => panic!("{other}"),
    }
}

fn outputs_notes_and_progress_arrive() {
    let (outcome, events) = run(json!({"do": "report"}), &options());
    assert!(!outcome.abandoned);
    assert_eq!(outcome.notes.iter().map(|note| note.raw()).collect::<Vec<_>>(), ["noted"]);
    assert_eq!(outcome.last_at.as_ref().map(|path| path.raw()), Some("/mnt/slow"));
    assert!(matches!(&events[..], [Event::Progress(line)] if line.shown().to_string() == "half done\\u{1b}[2J"));
    let (code, outputs) = finished(outcome);
    assert_eq!(code, 4);
    assert_eq!(outputs, [(0, b"first second".to_vec()), (1, vec![b'x'; 3_000_000])]);
}

fn the_worker_is_sealed_as_it_says() {
    let (_, outputs) = finished(run(json!({"do": "sandbox"}), &options()).0);
    let sandbox: Value = serde_json::from_slice(&outputs[0].1).unwrap();
    assert_eq!(sandbox["seccomp"], "fully", "{sandbox}");
    assert_eq!(sandbox["no_new_privileges"], true);
    assert_eq!(sandbox["limits"], true);
    let full = sandbox["level"] == "full";
    assert_eq!(full, sandbox["shortfalls"] == json!([]), "{sandbox}");

    let required = run(json!({"do": "sandbox"}), &Options { require_sandbox: true, ..options() }).0;
    assert_eq!(full, matches!(required.status, Status::Finished { .. }));

    let (_, outputs) = finished(run(json!({"do": "sandbox"}), &Options { sandbox: false, ..options() }).0);
    let sandbox: Value = serde_json::from_slice(&outputs[0].1).unwrap();
    assert_eq!(sandbox["level"], "off");
}

fn a_hanging_worker_is_ended_at_the_deadline() {
    let begun = Instant::now();
    let (outcome, _) = run(json!({"do": "hang"}), &Options { deadline: Duration::from_millis(500), ..options() });
    assert!(matches!(outcome.status, Status::TimedOut));
    assert!(!outcome.abandoned);
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(500) && took < Duration::from_millis(1500), "{took:?}");
}

fn crashed(outcome: &Outcome) -> &str {
    match &outcome.status {
        Status::Crashed { how, .. } => how,
        other => panic!("{other}"),
    }
}

fn a_panic_is_a_crash_that_quotes_nothing() {
    let (outcome, events) = run(json!({"do": "panic"}), &options());
    assert!(crashed(&outcome).contains("code 101"));
    assert!(
        matches!(&events[..], [Event::Diagnostic(line)] if line.raw().starts_with("internal error at tests/supervisor.rs:")),
        "{events:?}"
    );
}

fn ending_without_a_result_is_a_crash() {
    assert!(crashed(&run(json!({"do": "exit"}), &options()).0).contains("code 7"));
}

fn garbage_is_no_result() {
    assert!(crashed(&run(json!({"do": "garbage"}), &options()).0).contains("garbled"));
}

fn endless_output_is_cut() {
    assert!(crashed(&run(json!({"do": "flood"}), &options()).0).contains("larger"));
}

fn endless_diagnostics_do_not_block() {
    let (outcome, events) = run(json!({"do": "complain"}), &options());
    assert_eq!(finished(outcome).0, 0);
    assert!(!events.is_empty() && events.len() < 4000, "{}", events.len());
}

fn threads_left_running_do_not_hold_up_the_result() {
    let begun = Instant::now();
    let (outcome, _) = run(json!({"do": "threads"}), &options());
    assert_eq!(finished(outcome).1, [(0, b"done".to_vec())]);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

fn descriptors_of_others_do_not_reach_the_worker() {
    let file = tempfile::NamedTempFile::new().unwrap();
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).unwrap();
    let (_, outputs) = finished(run(json!({"do": "descriptors"}), &options()).0);
    let text = String::from_utf8(outputs[0].1.clone()).unwrap();
    assert!(text.contains("pipe:") && text.contains("socket:"), "{text}");
    assert!(
        text.lines().all(|target| target.starts_with("pipe:") || target.starts_with("socket:") || target.starts_with("/proc/")),
        "{text}"
    );
}

fn the_environment_does_not_reach_the_worker() {
    let (_, outputs) = finished(run(json!({"do": "environment"}), &options()).0);
    let text = String::from_utf8(outputs[0].1.clone()).unwrap();
    assert!(text.starts_with("[(\"GLIBC_TUNABLES\", \"glibc.malloc.") && text.matches('(').count() == 1, "{text}");
}

fn questions_are_answered() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("docker.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let engine = thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut request = [0; 200];
        let read = peer.read(&mut request).unwrap();
        assert!(request[..read].starts_with(b"GET /info HTTP/1.0\r\n"));
        peer.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
        peer.write_all(&vec![b'{'; 200_000]).unwrap();
    });
    let (_, outputs) = finished(run(json!({"do": "ask", "socket": socket}), &options()).0);
    engine.join().unwrap();
    assert_eq!(outputs[0].1.len(), 200_019);
}

/// A supervisor with a hanging worker, for the tests that end it: says the worker's process id, then how it ended.
fn supervise_and_say() -> ExitCode {
    let mut hear = |event| {
        if let Event::Progress(line) = event {
            println!("{}", line.shown());
        }
    };
    let outcome = seal::supervise(&Job::new(&json!({"do": "hang"})).unwrap(), &options(), &mut hear).unwrap();
    println!("{}", outcome.status);
    ExitCode::SUCCESS
}

/// Starts such a supervisor; gives its process, the worker's id and what it says next.
fn hanging() -> (std::process::Child, rustix::process::Pid, impl Iterator<Item = String>) {
    let mut supervisor = Command::new("/proc/self/exe").arg("supervise").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(supervisor.stdout.take().unwrap()).lines().map(Result::unwrap);
    let worker = rustix::process::Pid::from_raw(lines.next().unwrap().parse().unwrap()).unwrap();
    (supervisor, worker, lines)
}

fn assert_gone(worker: rustix::process::Pid) {
    let gone = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(20));
        // Whoever adopts it may be slow to bury it.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", worker.as_raw_pid())).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    });
    assert!(gone, "the worker is still there");
}

fn asking_to_stop_stops_the_worker() {
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
        let (mut supervisor, worker, mut lines) = hanging();
        rustix::process::kill_process(rustix::process::Pid::from_child(&supervisor), signal).unwrap();
        assert_eq!(lines.next().unwrap(), format!("interrupted by signal {}", signal.as_raw()));
        assert!(supervisor.wait().unwrap().success());
        assert_gone(worker);
    }
}

fn a_worker_does_not_outlive_its_supervisor() {
    let (mut supervisor, worker, _lines) = hanging();
    supervisor.kill().unwrap();
    assert_eq!(supervisor.wait().unwrap().signal(), Some(9));
    assert_gone(worker);
}

/// A file system whose daemon takes every question and answers none but the first greeting.
fn mount_dead(at: &Path) -> std::fs::File {
    let device = std::fs::OpenOptions::new().read(true).write(true).open("/dev/fuse").unwrap();
    let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", std::os::fd::AsRawFd::as_raw_fd(&device));
    let options = std::ffi::CString::new(options).unwrap();
    rustix::mount::mount("dead", at, "fuse.dead", rustix::mount::MountFlags::empty(), options.as_c_str()).unwrap();
    let mut daemon = device.try_clone().unwrap();
    thread::spawn(move || {
        let mut request = vec![0; 1 << 20];
        let read = daemon.read(&mut request).unwrap();
        assert!(read >= 40);
        // Version 7.31, the request's own id, no features.
        let mut answer = [80u32.to_ne_bytes(), 0u32.to_ne_bytes()].concat();
        answer.extend_from_slice(&request[8..16]);
        answer.extend([7u32.to_ne_bytes(), 31u32.to_ne_bytes()].concat());
        answer.resize(80, 0);
        daemon.write_all(&answer).unwrap();
        while daemon.read(&mut request).is_ok() {}
    });
    device
}

fn a_worker_that_cannot_be_killed_is_left_behind() {
    if !rustix::process::geteuid().is_root() || !Path::new("/dev/fuse").exists() {
        println!("SKIPPED: needs root and /dev/fuse");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    own_namespace();
    let _daemon = mount_dead(directory.path());

    let begun = Instant::now();
    let job = json!({"do": "look", "path": directory.path(), "wait": true});
    let (outcome, _) = run(job, &Options { deadline: Duration::from_millis(700), ..options() });
    let took = begun.elapsed();
    assert!(matches!(outcome.status, Status::TimedOut), "{}", outcome.status);
    assert!(outcome.abandoned && took < Duration::from_secs(2), "{took:?}");
    assert_eq!(outcome.last_at.unwrap().raw(), directory.path().to_str().unwrap());

    // One thread that is stuck does not cost the result of the others.
    let (outcome, _) = run(json!({"do": "look", "path": directory.path()}), &options());
    assert!(outcome.abandoned);
    assert_eq!(finished(outcome).0, 0);
    rustix::mount::unmount(directory.path(), rustix::mount::UnmountFlags::FORCE | rustix::mount::UnmountFlags::DETACH).unwrap();
}

/// Mounts made from here on are this process's own.
fn own_namespace() {
    #[expect(deprecated, reason = "its replacement is unsafe for a flag that is not used here")]
    rustix::thread::unshare(rustix::thread::UnshareFlags::NEWNS).unwrap();
    let private = rustix::mount::MountPropagationFlags::PRIVATE | rustix::mount::MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private).unwrap();
}
