use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::super::fixture::host;
use super::*;
use crate::fact::Fact;
use crate::host::memory::Memory;
use crate::host::{Entry, Identity, ProcessLinks, Stat, engine::Route};
use crate::resource::Selector;

/// A host on which looking at some paths never ends, and at others panics.
struct Stuck {
    memory: Memory,
    looks: Mutex<Vec<InFlight>>,
}

impl Stuck {
    fn host() -> Arc<dyn Host + Send + Sync> {
        Arc::new(Self { memory: host(), looks: Mutex::default() })
    }

    fn look(&self, path: &Path) {
        match path.to_str() {
            Some("/dead" | "/dead2") => {
                let look = InFlight { thread: thread::current().id(), path: path.into(), since: Instant::now() };
                self.looks.lock().unwrap().push(look);
                loop {
                    thread::park();
                }
            }
            Some("/slow") => thread::sleep(Duration::from_secs(3600)),
            Some("/panic") => panic!("broken \u{1b}[31m"),
            _ => {}
        }
    }
}

impl Host for Stuck {
    fn read(&self, path: &Path) -> Fact<Arc<[u8]>> {
        self.memory.read(path)
    }
    fn open(&self, path: &Path) -> Fact<Arc<crate::host::Opened>> {
        self.memory.open(path)
    }
    fn stat(&self, path: &Path) -> Fact<Stat> {
        self.look(path);
        self.memory.stat(path)
    }
    fn lstat(&self, path: &Path) -> Fact<Stat> {
        self.look(path);
        self.memory.lstat(path)
    }
    fn link(&self, path: &Path) -> Fact<PathBuf> {
        self.memory.link(path)
    }
    fn resolve(&self, path: &Path) -> Fact<PathBuf> {
        self.memory.resolve(path)
    }
    fn list(&self, path: &Path) -> Fact<Arc<[Entry]>> {
        self.memory.list(path)
    }
    fn engine(&self, socket: &Path, question: &Route) -> Fact<Arc<[u8]>> {
        self.memory.engine(socket, question)
    }
    fn audit_rules(&self) -> Fact<Arc<[u8]>> {
        self.memory.audit_rules()
    }
    fn process_links(&self, pid: i32) -> Fact<ProcessLinks> {
        self.memory.process_links(pid)
    }
    fn now(&self) -> DateTime<Utc> {
        self.memory.now()
    }
    fn identity(&self) -> Identity {
        self.memory.identity()
    }
    fn parallelism(&self) -> usize {
        2
    }
    fn in_flight(&self) -> Vec<InFlight> {
        self.looks.lock().unwrap().clone()
    }
}

fn files(paths: &[&str]) -> BTreeSet<Query> {
    paths.iter().map(|path| Query { resource: "file", of: Selector::Keys(vec![(*path).to_owned()]) }).collect()
}

fn collect(limits: Limits, paths: &[&str]) -> (Collected, Vec<usize>) {
    let mut seen = Vec::new();
    let collected = Collector::new(Stuck::host(), BTreeMap::new(), limits).collect(&files(paths), &mut |progress| seen.push(progress.done));
    (collected, seen)
}

fn reason(collected: &Collected, path: &str) -> Option<Reason> {
    files(&[path]).iter().find_map(|query| collected.facts.get(query).err()).map(|gap| gap.reason)
}

const QUICK: Limits =
    Limits { deadline: Duration::from_secs(60), collector: Duration::from_millis(400), object: Duration::from_millis(100) };

#[test]
fn everything_is_answered_and_progress_is_told() {
    let (collected, seen) = collect(Limits::default(), &["/etc/a", "/etc/b", "/etc/passwd"]);
    assert_eq!(seen, [1, 2, 3]);
    assert!(collected.notes.is_empty() && !collected.partial);
    assert_eq!(reason(&collected, "/etc/a"), None);
}

#[test]
fn an_object_that_does_not_answer_is_given_up_and_named() {
    let began = Instant::now();
    let (collected, seen) = collect(QUICK, &["/dead", "/dead2", "/etc/a", "/etc/b"]);
    assert_eq!(seen, [1, 2, 3, 4]);
    assert_eq!(reason(&collected, "/dead"), Some(Reason::TimedOut));
    assert_eq!(reason(&collected, "/etc/b"), None, "others are collected in its place");
    assert!(collected.notes.iter().any(|note| note.text == "/dead did not answer within 100 ms and was given up"));
    assert!(!collected.partial && began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_collector_that_takes_too_long_is_given_up() {
    let (collected, _) = collect(QUICK, &["/slow", "/etc/a"]);
    assert_eq!(reason(&collected, "/slow"), Some(Reason::TimedOut));
    assert_eq!(collected.notes[0].text, r#"file "/slow" took longer than 400 ms and was given up"#);
}

#[test]
fn a_panic_is_a_gap_and_is_told() {
    let (collected, _) = collect(Limits::default(), &["/panic", "/etc/a"]);
    assert_eq!(reason(&collected, "/panic"), Some(Reason::unsupported("internal error")));
    assert_eq!(reason(&collected, "/etc/a"), None);
    assert_eq!(collected.notes[0].kind, NoteKind::InternalError);
    assert!(collected.notes[0].text.ends_with(r"broken \u{1b}[31m"), "{}", collected.notes[0].text);
}

#[test]
fn the_deadline_ends_it_and_the_rest_is_a_gap() {
    let began = Instant::now();
    let limits = Limits { deadline: Duration::from_millis(300), ..Limits::default() };
    let (collected, _) = collect(limits, &["/slow", "/dead", "/etc/a", "/etc/b"]);
    assert!(collected.partial);
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    assert_eq!(reason(&collected, "/slow"), Some(Reason::TimedOut));
    assert_eq!(collected.facts.iter().count(), 4);
}
