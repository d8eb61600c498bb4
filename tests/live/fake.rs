//! An engine that is none: a socket on which somebody answers as a test wants, and counts what is asked.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// How questions are answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum How {
    /// As Docker does.
    Well,
    /// In chunks, as HTTP/1.1 allows.
    InChunks,
    /// Half of the body, then the end.
    HalfOf,
    /// Half of the body, and its whole length promised.
    LessThanPromised,
    /// The body, and more than the length promised.
    MoreThanPromised,
    /// Half of the body in a chunk that promises the whole.
    HalfAChunk,
    /// Nothing at all: the connection closes.
    Closing,
    /// Nothing at all: the connection stays.
    Silent,
    /// A byte every tenth of a second.
    Slowly,
    /// Without end.
    Endlessly,
    /// Headers without end.
    EndlessHeaders,
    /// With this status.
    Status(&'static str),
    /// Not in HTTP.
    NotHttp,
    /// JSON that breaks off.
    BrokenJson,
    /// JSON of another shape.
    OtherJson,
    /// JSON that is nested 10,000 deep.
    DeepJson,
    /// As Docker does, but what was listed is gone when it is asked for.
    GoneWhenAsked,
    /// As Docker does, but what was listed cannot be asked for.
    FailingWhenAsked,
    /// As Docker does, with identifiers that are none.
    OddIds,
}

/// What there is to tell.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) containers: Vec<Value>,
    pub(crate) images: Vec<Value>,
}

impl World {
    /// So many containers and images, well-behaved or not so.
    pub(crate) fn of(containers: usize, images: usize) -> Self {
        Self {
            containers: (0..containers).map(|number| container(number, &format!("container-{number}"))).collect(),
            images: (0..images).map(image).collect(),
        }
    }
}

fn container(number: usize, name: &str) -> Value {
    let mut inspect: Value = serde_json::from_str(include_str!("../hosts/containers/engine/containers/exited.json")).unwrap();
    inspect["Id"] = json!(format!("{number:064x}"));
    inspect["Name"] = json!(format!("/{name}"));
    inspect
}

fn image(number: usize) -> Value {
    let mut inspect: Value = serde_json::from_str(include_str!("../hosts/containers/engine/images/app_1.json")).unwrap();
    inspect["Id"] = json!(format!("sha256:{number:064x}"));
    inspect["RepoTags"] = json!([format!("image-{number}:1")]);
    inspect
}

impl World {
    /// Another name for a container.
    pub(crate) fn name(&mut self, container: usize, name: &str) {
        self.containers[container]["Name"] = json!(format!("/{name}"));
    }

    /// What Docker answers; `None` for 404.
    fn answer(&self, target: &str, how: How) -> Option<String> {
        let one = |all: &[Value], id: &str| all.iter().find(|one| one["Id"] == id).map(Value::to_string);
        let between = |from: &str, to: &str| target.strip_prefix(from)?.strip_suffix(to).map(str::to_owned);
        let text = |text: &str| Some(text.to_owned());
        let info = || {
            let mut info: Value = serde_json::from_str(include_str!("../hosts/containers/engine/info.json")).unwrap();
            info["Containers"] = json!(self.containers.len());
            info["Images"] = json!(self.images.len());
            // Nothing of this machine.
            info["DockerRootDir"] = json!("/nonexistent");
            info.to_string()
        };
        match target {
            "/_ping" => text("OK"),
            "/version" => text(include_str!("../hosts/containers/engine/version.json")),
            "/info" => Some(info()),
            "/networks" => text(include_str!("../hosts/containers/engine/networks.json")),
            "/volumes" => text(include_str!("../hosts/containers/engine/volumes.json")),
            "/containers/json?all=1" => Some(Value::from_iter(self.containers.iter().map(|one| listed(one, how))).to_string()),
            "/images/json" => Some(Value::from_iter(self.images.iter().map(|one| listed_image(one, how))).to_string()),
            _ if how == How::GoneWhenAsked => None,
            _ => between("/containers/", "/json")
                .and_then(|id| one(&self.containers, &id))
                .or_else(|| between("/images/", "/json").and_then(|id| one(&self.images, &id))),
        }
    }
}

fn id(one: &Value, how: How) -> Value {
    if how == How::OddIds { json!("../images/json?") } else { one["Id"].clone() }
}

fn listed(one: &Value, how: How) -> Value {
    json!({"Id": id(one, how), "Names": [one["Name"]], "Image": one["Config"]["Image"], "ImageID": one["Image"],
           "State": one["State"]["Status"], "Status": "", "Labels": {}})
}

fn listed_image(one: &Value, how: How) -> Value {
    json!({"Id": id(one, how), "RepoTags": one["RepoTags"], "RepoDigests": [], "Created": 1_700_000_000, "Labels": {}})
}

/// Such an engine. It ends when dropped.
pub(crate) struct Fake {
    asked: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
    open: Arc<AtomicUsize>,
}

impl Fake {
    /// Listens on a path that is free.
    pub(crate) fn at(socket: &Path, how: How, world: World) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        listener.set_nonblocking(true).unwrap();
        let fake = Self { asked: Arc::default(), over: Arc::default(), open: Arc::default() };
        let (asked, over, open, world) = (fake.asked.clone(), fake.over.clone(), fake.open.clone(), Arc::new(world));
        open.fetch_add(1, Ordering::SeqCst);
        thread::spawn(move || {
            while !over.load(Ordering::SeqCst) {
                let Ok((connection, _)) = listener.accept() else {
                    thread::sleep(Duration::from_millis(2));
                    continue;
                };
                let (asked, over, world) = (asked.clone(), over.clone(), world.clone());
                thread::spawn(move || {
                    let _ = answer(connection, how, &world, &asked, &over);
                });
            }
            open.fetch_sub(1, Ordering::SeqCst);
        });
        fake
    }

    /// The targets that were asked for so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        while self.open.load(Ordering::SeqCst) > 0 {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Answers one question. An error means that whoever asked has gone.
fn answer(mut to: UnixStream, how: How, world: &World, asked: &Mutex<Vec<String>>, over: &AtomicBool) -> io::Result<()> {
    to.set_nonblocking(false)?;
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        to.read_exact(&mut byte)?;
        request.extend(byte);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let (method, target) = request.lines().next().and_then(|line| line.split_once(' ')).unwrap();
    assert_eq!(method, "GET", "nothing else is ever asked");
    let target = target.split(' ').next().unwrap();
    asked.lock().unwrap().push(target.to_owned());

    let one = target.starts_with("/containers/") && target != "/containers/json?all=1" || target.starts_with("/images/sha256:");
    let (status, body) = match world.answer(target, how) {
        Some(_) if one && how == How::FailingWhenAsked => ("500 Internal Server Error", json!({"message": "driver failed"}).to_string()),
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", json!({"message": "no such thing"}).to_string()),
    };
    let head = |length: usize| format!("HTTP/1.0 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    let half = body.as_bytes().split_at(body.len() / 2).0;
    let plain = format!("HTTP/1.0 {status}\r\nContent-Type: application/json\r\n\r\n");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut say = |parts: &[&[u8]]| to.write_all(&parts.concat());
    match how {
        How::Well | How::GoneWhenAsked | How::FailingWhenAsked | How::OddIds => say(&[head(body.len()).as_bytes(), body.as_bytes()]),
        How::InChunks if status == "200 OK" => {
            let chunks = body.as_bytes().chunks(7).flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
            say(&[chunked.as_bytes(), &chunks.collect::<Vec<u8>>(), b"0\r\n\r\n"])
        }
        How::InChunks => say(&[head(body.len()).as_bytes(), body.as_bytes()]),
        How::HalfOf => say(&[plain.as_bytes(), half]),
        How::LessThanPromised => say(&[head(body.len()).as_bytes(), half]),
        How::MoreThanPromised => say(&[head(half.len()).as_bytes(), body.as_bytes()]),
        How::HalfAChunk => say(&[chunked.as_bytes(), format!("{:x}\r\n", body.len()).as_bytes(), half]),
        How::Closing => Ok(()),
        How::Silent => {
            while !over.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(10));
            }
            Ok(())
        }
        How::Slowly => [plain.as_bytes(), body.as_bytes()].concat().iter().try_for_each(|byte| {
            thread::sleep(Duration::from_millis(100));
            say(&[&[*byte]])
        }),
        How::Endlessly => {
            say(&[plain.as_bytes(), b"["])?;
            loop {
                say(&[&b"{},".repeat(20_000)])?;
            }
        }
        How::EndlessHeaders => {
            say(&[b"HTTP/1.0 200 OK\r\n"])?;
            loop {
                say(&[&b"X-More: yes\r\n".repeat(2_000)])?;
            }
        }
        How::Status(status) => say(&[format!("HTTP/1.1 {status}\r\nLocation: http://elsewhere/\r\n\r\n").as_bytes(), body.as_bytes()]),
        How::NotHttp => say(&[b"SSH-2.0-OpenSSH_9.2\r\n"]),
        How::BrokenJson => say(&[plain.as_bytes(), half, b"\"\\"]),
        How::OtherJson => say(&[plain.as_bytes(), b"{\"Id\": [7], \"Names\": {}, \"State\": 1e999}"]),
        How::DeepJson => say(&[plain.as_bytes(), &b"[".repeat(10_000), &b"]".repeat(10_000)]),
    }
}
