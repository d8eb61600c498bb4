//! Every file that an audit reads, spoiled in every way: nothing panics, nothing takes long, and no check passes because a file
//! could not be read.
//!
//! A job is one file spoiled in one way. Only the questions that read the file are asked again, and everything is judged. There
//! are many more jobs than a minute has room for, so they are shuffled, always in the same order, and done while there is time;
//! `PLIMSOLL_SWEEP=all` does them all.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "tests fail by panicking, and tell a person who looks what they did"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use common::folder;
use plimsoll::audit::{Facts, Outcome, Plan, Request, judge, plan};
use plimsoll::definition::{Definitions, Source};
use plimsoll::fact::{Fact, Gap, Origin, Reason, Record};
use plimsoll::host::engine::Route;
use plimsoll::host::memory::Memory;
use plimsoll::host::root::Root;
use plimsoll::host::{Entry, FileKind, Host, Identity, Opened, ProcessLinks, Stat};
use plimsoll::resource::{self, Context, Query};

/// How long the jobs of one host may take together.
const BUDGET: Duration = Duration::from_secs(12);

/// How long one job may take: far more than any needs, as other tests run beside it.
const PATIENCE: Duration = Duration::from_secs(20);

/// What has become of a file.
#[derive(Clone, Debug)]
enum Spoiled {
    /// It ends early.
    Cut(usize),
    /// It holds something else.
    Holds(&'static str, Arc<[u8]>),
    /// It cannot be read.
    Unreadable(Reason),
    /// There is something in its place that is no file.
    Is(FileKind),
}

/// A host with one file spoiled, which remembers what is read.
struct Spoilt<'a> {
    root: &'a Root,
    file: Option<(PathBuf, Spoiled)>,
    read: Mutex<BTreeSet<PathBuf>>,
}

impl<'a> Spoilt<'a> {
    fn new(root: &'a Root, file: Option<(PathBuf, Spoiled)>) -> Self {
        Self { root, file, read: Mutex::default() }
    }

    /// What is wrong with a path, whichever links lead there.
    fn wrong(&self, path: &Path) -> Option<&Spoiled> {
        let (file, spoiled) = self.file.as_ref()?;
        (path == file || self.root.resolve(path).known().is_some_and(|at| at == file)).then_some(spoiled)
    }

    fn spoil(&self, path: &Path, stat: Fact<Stat>) -> Fact<Stat> {
        match (stat, self.wrong(path)) {
            (Fact::Known(mut stat, origin), Some(Spoiled::Is(kind))) => {
                stat.kind = *kind;
                Fact::Known(stat, origin)
            }
            (Fact::Known(mut stat, origin), Some(Spoiled::Holds(_, content))) => {
                stat.size = content.len() as u64;
                Fact::Known(stat, origin)
            }
            (stat, _) => stat,
        }
    }
}

impl Host for Spoilt<'_> {
    fn read(&self, path: &Path) -> Fact<Arc<[u8]>> {
        let content = self.root.read(path);
        if let Fact::Known(..) = content {
            let at = self.root.resolve(path).known().cloned();
            self.read.lock().unwrap().insert(at.unwrap_or_else(|| path.into()));
        }
        let unreadable = |reason: &Reason| Fact::Unknown(Gap::new(Origin::file(path.to_string_lossy().into_owned()), reason.clone()));
        match (content, self.wrong(path)) {
            (Fact::Known(content, origin), Some(Spoiled::Cut(at))) => Fact::Known(content[..*at].into(), origin),
            (Fact::Known(_, origin), Some(Spoiled::Holds(_, content))) => Fact::Known(content.clone(), origin),
            (_, Some(Spoiled::Unreadable(reason))) => unreadable(reason),
            (_, Some(Spoiled::Is(_))) => unreadable(&Reason::malformed("not a file")),
            (content, _) => content,
        }
    }
    fn open(&self, path: &Path) -> Fact<Arc<Opened>> {
        // The same bytes, however they are asked for.
        match self.read(path) {
            Fact::Known(content, _) => Memory::new().file("/opened", &content).open(Path::new("/opened")),
            Fact::Absent(origin) => Fact::Absent(origin),
            Fact::Unknown(gap) => Fact::Unknown(gap),
        }
    }
    fn stat(&self, path: &Path) -> Fact<Stat> {
        self.spoil(path, self.root.stat(path))
    }
    fn lstat(&self, path: &Path) -> Fact<Stat> {
        match self.root.lstat(path) {
            Fact::Known(stat, origin) if stat.kind == FileKind::Link => Fact::Known(stat, origin),
            stat => self.spoil(path, stat),
        }
    }
    fn link(&self, path: &Path) -> Fact<PathBuf> {
        self.root.link(path)
    }
    fn resolve(&self, path: &Path) -> Fact<PathBuf> {
        self.root.resolve(path)
    }
    fn list(&self, path: &Path) -> Fact<Arc<[Entry]>> {
        match (&self.file, self.root.list(path)) {
            (Some((file, Spoiled::Is(kind))), Fact::Known(entries, origin))
                if file.parent().is_some_and(|above| self.root.resolve(path).known().is_some_and(|at| at == above)) =>
            {
                let changed = |entry: &Entry| Entry {
                    kind: if file.file_name() == Some(entry.name.as_os_str()) { *kind } else { entry.kind },
                    ..entry.clone()
                };
                Fact::Known(entries.iter().map(changed).collect(), origin)
            }
            (Some((file, Spoiled::Is(FileKind::Directory))), _) if file == path => {
                Fact::Known(Arc::from([]), Origin::file(path.to_string_lossy().into_owned()))
            }
            (_, listed) => listed,
        }
    }
    fn engine(&self, socket: &Path, question: &Route) -> Fact<Arc<[u8]>> {
        self.root.engine(socket, question)
    }
    fn audit_rules(&self) -> Fact<Arc<[u8]>> {
        self.root.audit_rules()
    }
    fn packet_filter(&self) -> Fact<Arc<[u8]>> {
        self.root.packet_filter()
    }
    fn socket_owners(&self) -> Fact<Arc<[u8]>> {
        self.root.socket_owners()
    }
    fn process_links(&self, pid: i32) -> Fact<ProcessLinks> {
        self.root.process_links(pid)
    }
    fn now(&self) -> DateTime<Utc> {
        self.root.now()
    }
    fn identity(&self) -> Identity {
        self.root.identity()
    }
}

fn collected(context: &Context<'_>, query: &Query) -> Result<Vec<Record>, Gap> {
    (resource::find(query.resource).unwrap().collect)(context, &query.of)
}

/// The ways to spoil a file with this content at this path.
fn ways(path: &Path, content: &[u8]) -> Vec<Spoiled> {
    let mut ways = vec![
        Spoiled::Unreadable(Reason::Denied),
        Spoiled::Unreadable(Reason::TooLarge),
        Spoiled::Unreadable(Reason::TimedOut),
        Spoiled::Is(FileKind::Directory),
        Spoiled::Is(FileKind::Fifo),
    ];
    let holds = |name, content: Vec<u8>| Spoiled::Holds(name, content.into());
    let kernels = path.starts_with("/proc") || path.starts_with("/sys");
    if !kernels {
        // Every byte of short files, and of long ones fewer the longer they are.
        let step = content.len() / 400 + 1;
        ways.extend((0..content.len()).step_by(step).map(Spoiled::Cut));
    }
    let lines: Vec<u8> = content.iter().flat_map(|b| if *b == b'\n' { vec![b'\r', b'\n'] } else { vec![*b] }).collect();
    ways.push(holds("CRLF", lines));
    let middle = content.len() / 2;
    for (name, bytes) in [("a NUL", &b"\0"[..]), ("bytes that are no UTF-8", &b"\xff\xfe\xc3"[..]), ("an escape sequence", &b"\x1b[2J"[..])]
    {
        ways.push(holds(name, [&content[..middle], bytes, &content[middle..]].concat()));
        ways.push(holds(name, [bytes, content].concat()));
    }
    ways.push(holds(
        "one long line",
        content.iter().map(|b| if *b == b'\n' { b' ' } else { *b }).cycle().take(300_000.max(content.len())).collect(),
    ));
    ways.push(holds("nothing but brackets", b"[{(\"'\\".repeat(20_000)));
    let own = path.to_string_lossy();
    let including = format!(
        "Include {own}\ninclude {own}\n@include {own}\n#includedir {}\n@includedir {}\n$IncludeConfig {own}\ninclude(file=\"{own}\")\nsource {own}\nconfdir {}\nauth include {}\nauth substack {}\n",
        path.parent().unwrap().display(),
        path.parent().unwrap().display(),
        path.parent().unwrap().display(),
        path.file_name().unwrap().to_string_lossy(),
        path.file_name().unwrap().to_string_lossy()
    );
    ways.push(holds("itself", [including.as_bytes(), content].concat()));
    ways
}

/// The same order each time, with nothing to do with the order of files.
fn shuffled<T>(mut jobs: Vec<T>) -> Vec<T> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for at in (1..jobs.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        jobs.swap(at, usize::try_from(state % (at as u64 + 1)).unwrap());
    }
    jobs
}

fn sweep(name: &str) {
    let definitions = Definitions::load(Source::embedded()).unwrap_or_else(|_| panic!("the definitions load"));
    let request = Request { profiles: definitions.profiles.iter().map(|profile| profile.id.clone()).collect(), ..Request::default() };
    let plan = Plan::new(&definitions, &request, plan::candidates(&definitions, &request).unwrap()).unwrap();
    let root = Root::open(&folder(name).join("root"), DateTime::UNIX_EPOCH).unwrap();
    let results = |facts: &Facts| -> BTreeMap<&str, Outcome> {
        plan.checks.values().map(|check| (check.id.as_str(), judge(check, &plan.params(check), facts).result)).collect()
    };

    // What reads what.
    let mut facts = Facts::default();
    let mut readers: BTreeMap<PathBuf, Vec<Query>> = BTreeMap::new();
    let mut cost: BTreeMap<PathBuf, Duration> = BTreeMap::new();
    let mut slowest = Vec::new();
    for query in plan.queries() {
        let (host, asked) = (Spoilt::new(&root, None), Instant::now());
        let answer = collected(&Context::new(&host).wanting(plan.wanted()), &query);
        slowest.push((asked.elapsed(), query.resource));
        for path in host.read.into_inner().unwrap() {
            *cost.entry(path.clone()).or_default() += asked.elapsed();
            readers.entry(path).or_default().push(query.clone());
        }
        facts.insert(query, answer);
    }
    slowest.sort_by(|a, b| b.cmp(a));
    eprintln!("{name}: {} questions, the slowest {:?}", slowest.len(), &slowest[..8]);
    let judging = Instant::now();
    let before = results(&facts);
    eprintln!("{name}: judged in {:?}", judging.elapsed());
    assert!(readers.len() > 20, "only {} files are read", readers.len());

    let mut jobs = Vec::new();
    for path in readers.keys() {
        let content = root.read(path).known().cloned().unwrap();
        let all = ways(path, &content);
        // The first ones first: what cannot be read at all matters most.
        jobs.extend(all.into_iter().map(|spoiled| (path, spoiled)));
    }
    let (urgent, rest): (Vec<_>, Vec<_>) =
        shuffled(jobs).into_iter().partition(|(_, spoiled)| matches!(spoiled, Spoiled::Unreadable(Reason::Denied)));
    // What is quickly asked comes first, so that a minute holds as many jobs as it can.
    let quick = |path: &PathBuf| cost[path] < Duration::from_millis(400);
    let (urgent_quick, urgent): (Vec<_>, Vec<_>) = urgent.into_iter().partition(|(path, _)| quick(path));
    let (rest_quick, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(path, _)| quick(path));
    let (began, everything) = (Instant::now(), std::env::var_os("PLIMSOLL_SWEEP").is_some());
    let (mut done, mut wrong, of) = (0, BTreeSet::new(), urgent_quick.len() + urgent.len() + rest_quick.len() + rest.len());
    for (path, spoiled) in urgent_quick.into_iter().chain(rest_quick).chain(urgent).chain(rest) {
        if began.elapsed() > BUDGET && !everything {
            break;
        }
        done += 1;
        let unreadable = matches!(spoiled, Spoiled::Unreadable(_) | Spoiled::Is(_));
        let what = match &spoiled {
            Spoiled::Holds(name, _) => format!("{} holding {name}", path.display()),
            other => format!("{} {other:?}", path.display()),
        };
        let started = Instant::now();
        let host = Spoilt::new(&root, Some((path.clone(), spoiled)));
        let after = catch_unwind(AssertUnwindSafe(|| {
            let context = Context::new(&host).wanting(plan.wanted());
            let mut facts = facts.clone();
            for query in &readers[path] {
                facts.insert(query.clone(), collected(&context, query));
            }
            results(&facts)
        }));
        let Ok(after) = after else {
            wrong.insert(format!("{what}: a panic"));
            continue;
        };
        if started.elapsed() > PATIENCE {
            wrong.insert(format!("{what}: takes {:?}", started.elapsed()));
        }
        if unreadable {
            for (check, result) in &after {
                if *result == Outcome::Pass && before[check] != Outcome::Pass {
                    wrong.insert(format!("{what}: {check} goes from {} to pass", before[check].word()));
                }
            }
        }
    }
    eprintln!("{name}: {done} of {of} jobs on {} files in {:?}", readers.len(), began.elapsed());
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

/// Everything passes here, so everything can be lost.
#[test]
fn files_of_a_hardened_host() {
    sweep("debian-12-hardened");
}

/// Much fails here, so that passing for want of sight would show.
#[test]
fn files_of_a_stock_host() {
    sweep("debian-12-server");
}

/// The same, of files that Debian does not have.
#[test]
fn files_of_another_distribution() {
    sweep("rhel-9");
}
