//! Engines that misbehave.

use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc;

use super::*;
use crate::host::engine::Id;

/// Short enough for a test, long enough for a busy machine.
const LIMITS: Limits = Limits {
    connect: Duration::from_millis(200),
    silence: Duration::from_millis(300),
    answer: Duration::from_millis(900),
    one: 1000,
    list: 4000,
};

struct Answered {
    result: Result<(), Failure>,
    bytes: Vec<u8>,
    took: Duration,
}

fn ask(socket: &Path, route: Route, named: &[&Path]) -> Answered {
    let engines = Engines { named: named.iter().map(|path| path.to_path_buf()).collect(), limits: LIMITS };
    let (mut bytes, begun) = (Vec::new(), Instant::now());
    let result = engines.ask(socket, &route, &mut |part| {
        bytes.extend_from_slice(part);
        Ok(())
    });
    Answered { result, bytes, took: begun.elapsed() }
}

/// An engine that does `what` with its first connection, once the request is in.
fn engine(what: impl FnOnce(&mut UnixStream, String) + Send + 'static) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("docker.sock");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut request = [0; 512];
        let read = peer.read(&mut request).unwrap();
        what(&mut peer, String::from_utf8_lossy(&request[..read]).into_owned());
    });
    (directory, path)
}

fn reason(answered: &Answered) -> &Reason {
    match &answered.result {
        Err(Failure::Gap(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_request_is_one_write_and_the_answer_passed_on_unread() {
    let (tell, told) = mpsc::channel();
    let (_directory, path) = engine(move |peer, request| {
        tell.send(request).unwrap();
        peer.write_all(b"HTTP/1.0 200 OK\r\n\r\n\xff\x00{").unwrap();
    });
    let answered = ask(&path, Route::Container(Id([0xab; 32])), &[]);
    assert_eq!(answered.result, Ok(()));
    assert_eq!(answered.bytes, b"HTTP/1.0 200 OK\r\n\r\n\xff\x00{");
    let id = "ab".repeat(32);
    assert_eq!(told.recv().unwrap(), format!("GET /containers/{id}/json HTTP/1.0\r\nHost: plimsoll\r\nConnection: close\r\n\r\n"));
}

#[test]
fn silence_is_given_up_on() {
    let (_directory, path) = engine(|_, _| thread::sleep(Duration::from_secs(5)));
    let answered = ask(&path, Route::Ping, &[]);
    assert_eq!(reason(&answered), &Reason::TimedOut);
    assert!(answered.took < Duration::from_millis(800), "{:?}", answered.took);
}

#[test]
fn one_byte_at_a_time_is_given_up_on_in_the_end() {
    let (_directory, path) = engine(|peer, _| {
        while peer.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let answered = ask(&path, Route::Ping, &[]);
    assert_eq!(reason(&answered), &Reason::TimedOut);
    assert!(answered.took < Duration::from_millis(1500), "{:?}", answered.took);
}

#[test]
fn an_endless_answer_is_cut_and_lists_may_be_longer() {
    for (route, most) in [(Route::Info, LIMITS.one), (Route::Containers, LIMITS.list)] {
        let (_directory, path) = engine(|peer, _| while peer.write_all(&[b'x'; 100]).is_ok() {});
        let answered = ask(&path, route, &[]);
        assert_eq!(reason(&answered), &Reason::TooLarge);
        assert!(answered.bytes.len() <= most);
    }
    let (_directory, path) = engine(|peer, _| peer.write_all(&[b'x'; 3000]).unwrap());
    assert_eq!(ask(&path, Route::Images, &[]).bytes.len(), 3000);
}

#[test]
fn an_engine_that_hangs_up_has_not_answered() {
    let (_directory, path) = engine(|_, _| ());
    assert_eq!(reason(&ask(&path, Route::Ping, &[])), &Reason::Unreachable);
}

#[test]
fn nobody_listening_is_unreachable_and_no_socket_is_absent() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("docker.sock");
    // The worker has looked before it asks. What nobody has looked at is not in memory.
    assert!(!path.exists());
    assert_eq!(ask(&path, Route::Ping, &[]).result, Err(Failure::Absent));
    drop(UnixListener::bind(&path).unwrap());
    assert_eq!(reason(&ask(&path, Route::Ping, &[])), &Reason::Unreachable);
}

#[test]
fn a_full_backlog_is_given_up_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("docker.sock");
    let listener = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let _waiting = UnixStream::connect(&path).unwrap();
    let answered = ask(&path, Route::Ping, &[]);
    assert_eq!(reason(&answered), &Reason::TimedOut);
    assert!(answered.took < Duration::from_millis(600), "{:?}", answered.took);
}

#[test]
fn only_sockets_with_the_usual_name_are_asked_unless_named() {
    let directory = tempfile::tempdir().unwrap();
    let (file, other) = (directory.path().join("podman.sock"), directory.path().join("system_bus_socket"));
    std::fs::write(&file, "").unwrap();
    assert_eq!(reason(&ask(&file, Route::Ping, &[])), &Reason::unsupported("it is not a socket"));

    let _listener = UnixListener::bind(&other).unwrap();
    assert!(matches!(reason(&ask(&other, Route::Ping, &[])), Reason::Unsupported(why) if why.raw().contains("--engine-socket")));
    // A link cannot lend its name to another socket.
    let disguise = directory.path().join("docker.sock");
    std::os::unix::fs::symlink(&other, &disguise).unwrap();
    assert!(matches!(reason(&ask(&disguise, Route::Ping, &[])), Reason::Unsupported(_)));
    assert_eq!(reason(&ask(&other, Route::Ping, &[&other])), &Reason::TimedOut, "named, so connected to");

    assert!(matches!(reason(&ask(Path::new("docker.sock"), Route::Ping, &[])), Reason::Unsupported(_)));
}
