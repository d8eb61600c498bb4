//! The worker's end of the broker: many threads ask over one socket.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Write as _};
use std::mem;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use super::frame::{Failure, MOST_OPEN, PART_HEAD, PartHead, Question, Status};
use super::{Broker, links};
use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::{ProcessLinks, engine::Route};

/// Longer than the supervisor allows itself for any answer: only a supervisor that is stuck lets this pass.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most that is kept of one answer, in bytes: what the supervisor sends at most, and its headers.
const MOST_ANSWER: usize = 33 * 1024 * 1024;

type Answer = Result<Arc<[u8]>, Failure>;

/// Asks the supervisor, from any number of threads. A supervisor that is gone makes every answer a gap.
pub struct Client {
    questions: Mutex<File>,
    shared: Arc<Shared>,
}

/// What the asking threads share with the one that reads answers.
struct Shared {
    open: Mutex<Open>,
    /// Signalled whenever a question is no longer open.
    fewer: Condvar,
}

#[derive(Default)]
struct Open {
    waiting: HashMap<u32, Waiting>,
    next: u32,
    gone: bool,
}

struct Waiting {
    so_far: Vec<u8>,
    too_large: bool,
    tell: mpsc::Sender<Answer>,
}

impl Client {
    /// A client over its own two handles of the broker socket; starts the thread that reads answers.
    ///
    /// # Errors
    ///
    /// Where the thread cannot be started.
    pub fn new(questions: File, answers: File) -> io::Result<Self> {
        let shared = Arc::new(Shared { open: Mutex::default(), fewer: Condvar::new() });
        let reader = Arc::clone(&shared);
        thread::Builder::new().name("answers".into()).spawn(move || {
            // An error here and the end of the socket mean the same: nobody answers any more.
            let _ = reader.read_from(answers);
            let mut open = reader.lock();
            open.gone = true;
            open.waiting.clear();
            reader.fewer.notify_all();
        })?;
        Ok(Self { questions: Mutex::new(questions), shared })
    }

    fn ask(&self, question: &Question) -> Answer {
        let (tell, told) = mpsc::channel();
        let Some(tag) = self.shared.enter(tell) else { return Err(Reason::Unreachable.into()) };
        let sent = match question.encode(tag) {
            Some(bytes) => lock(&self.questions).write_all(&bytes).map_err(|_| Reason::Unreachable),
            None => Err(Reason::unsupported("the path is not absolute, or too long for a socket")),
        };
        let answer = match sent {
            Ok(()) => told.recv_timeout(PATIENCE).unwrap_or_else(|error| {
                Err(match error {
                    mpsc::RecvTimeoutError::Timeout => Reason::TimedOut.into(),
                    mpsc::RecvTimeoutError::Disconnected => Reason::Unreachable.into(),
                })
            }),
            Err(reason) => Err(reason.into()),
        };
        self.shared.leave(tag);
        answer
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Open> {
        lock(&self.open)
    }

    /// Waits until another question may be asked, and gives it a tag; `None` once nobody answers.
    fn enter(&self, tell: mpsc::Sender<Answer>) -> Option<u32> {
        let full = |open: &mut Open| !open.gone && open.waiting.len() >= MOST_OPEN;
        let mut open = self.fewer.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        if open.gone {
            return None;
        }
        let tag = open.next;
        open.next = open.next.wrapping_add(1);
        open.waiting.insert(tag, Waiting { so_far: Vec::new(), too_large: false, tell });
        Some(tag)
    }

    fn leave(&self, tag: u32) {
        self.lock().waiting.remove(&tag);
        self.fewer.notify_all();
    }

    fn read_from(&self, answers: File) -> io::Result<()> {
        let mut answers = BufReader::with_capacity(64 * 1024, answers);
        let mut head = [0; PART_HEAD];
        let mut bytes = Vec::new();
        loop {
            answers.read_exact(&mut head)?;
            let head = PartHead::decode(&head).ok_or(io::ErrorKind::InvalidData)?;
            bytes.resize(head.length, 0);
            answers.read_exact(&mut bytes)?;
            self.take(head, &bytes);
        }
    }

    /// Adds a part to its answer, and hands the answer over when it is complete.
    fn take(&self, head: PartHead, bytes: &[u8]) {
        let mut open = self.lock();
        // Nobody waits any more for an answer that took too long.
        let Some(waiting) = open.waiting.get_mut(&head.tag) else { return };
        if let Some(failure) = Failure::decode(head.status, bytes) {
            let _ = waiting.tell.send(Err(failure));
            return;
        }
        waiting.too_large |= waiting.so_far.len() + bytes.len() > MOST_ANSWER;
        if !waiting.too_large {
            waiting.so_far.extend_from_slice(bytes);
        }
        if head.status == Status::Done {
            let whole = mem::take(&mut waiting.so_far);
            let _ = waiting.tell.send(if waiting.too_large { Err(Reason::TooLarge.into()) } else { Ok(whole.into()) });
        }
    }
}

fn fact(answer: Answer, origin: Origin) -> Fact<Arc<[u8]>> {
    match answer {
        Ok(bytes) => Fact::Known(bytes, origin),
        Err(Failure::Absent) => Fact::Absent(origin),
        Err(Failure::Gap(reason)) => Fact::Unknown(Gap::new(origin, reason)),
    }
}

impl Broker for Client {
    fn engine(&self, socket: &Path, route: &Route) -> Fact<Arc<[u8]>> {
        let question = Question::Engine { socket: socket.to_path_buf(), route: *route };
        fact(self.ask(&question), Origin::engine(socket, route.to_string()))
    }

    fn audit_rules(&self) -> Fact<Arc<[u8]>> {
        fact(self.ask(&Question::AuditRules), Origin::kernel("audit rules"))
    }

    fn packet_filter(&self) -> Fact<Arc<[u8]>> {
        fact(self.ask(&Question::PacketFilter), Origin::kernel("nftables"))
    }

    fn socket_owners(&self) -> Fact<Arc<[u8]>> {
        fact(self.ask(&Question::SocketOwners), Origin::kernel("/proc"))
    }

    fn deleted_code(&self) -> Fact<Arc<[u8]>> {
        fact(self.ask(&Question::DeletedCode), Origin::kernel("/proc"))
    }

    fn process_links(&self, pid: i32) -> Fact<ProcessLinks> {
        fact(self.ask(&Question::ProcessLinks(pid)), Origin::kernel(format!("/proc/{pid}"))).and_then(|bytes, origin| {
            match links::decode(&bytes) {
                Some(links) => Fact::Known(links, origin),
                None => Fact::Unknown(Gap::new(origin, Reason::malformed("the links of the process"))),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    use super::super::frame::{QUESTION, part};
    use super::*;

    fn connected() -> (Client, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let client = Client::new(File::from(OwnedFd::from(ours.try_clone().unwrap())), File::from(OwnedFd::from(ours))).unwrap();
        (client, theirs)
    }

    fn question(supervisor: &mut UnixStream) -> (u32, Question) {
        let mut bytes = [0; QUESTION];
        supervisor.read_exact(&mut bytes).unwrap();
        Question::decode(&bytes).unwrap()
    }

    #[test]
    fn interleaved_answers_reach_their_questions() {
        let (client, mut supervisor) = connected();
        thread::scope(|scope| {
            let asked: Vec<_> = (1..=8)
                .map(|pid| {
                    (
                        pid,
                        scope.spawn({
                            let client = &client;
                            move || client.process_links(pid)
                        }),
                    )
                })
                .collect();
            let mut tags: Vec<(u32, i32)> = Vec::new();
            for _ in 0..8 {
                let (tag, Question::ProcessLinks(pid)) = question(&mut supervisor) else { panic!("another question") };
                tags.push((tag, pid));
            }
            for (tag, _) in &tags {
                supervisor.write_all(&part(*tag, Status::More, b"exe\0/bin/")).unwrap();
            }
            for (tag, pid) in tags.iter().rev() {
                supervisor.write_all(&part(*tag, Status::Done, format!("{pid}\0").as_bytes())).unwrap();
            }
            for (pid, answer) in asked {
                let links = answer.join().unwrap().known().unwrap().clone();
                assert_eq!(links.exe.unwrap().raw(), format!("/bin/{pid}"));
            }
        });
    }

    #[test]
    fn a_vanished_supervisor_makes_every_answer_a_gap() {
        let (client, supervisor) = connected();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| client.audit_rules());
            thread::sleep(Duration::from_millis(20));
            drop(supervisor);
            assert!(matches!(waiting.join().unwrap(), Fact::Unknown(Gap { reason: Reason::Unreachable, .. })));
        });
        assert!(matches!(client.audit_rules(), Fact::Unknown(Gap { reason: Reason::Unreachable, .. })));
    }

    #[test]
    fn failures_keep_their_reason_and_late_answers_are_dropped() {
        let (client, mut supervisor) = connected();
        thread::scope(|scope| {
            let asked = scope.spawn(|| client.engine(Path::new("/run/docker.sock"), &Route::Info));
            let (tag, _) = question(&mut supervisor);
            supervisor.write_all(&part(tag.wrapping_add(9), Status::Done, b"for nobody")).unwrap();
            supervisor.write_all(&part(tag, Status::More, b"HTTP/1.0 200")).unwrap();
            supervisor.write_all(&part(tag, Status::Unsupported, b"not a socket")).unwrap();
            let Fact::Unknown(gap) = asked.join().unwrap() else { panic!("known") };
            assert_eq!(gap.reason, Reason::unsupported("not a socket"));
        });
        let long = format!("/{}", "x".repeat(200));
        assert!(matches!(client.engine(Path::new(&long), &Route::Ping), Fact::Unknown(Gap { reason: Reason::Unsupported(_), .. })));
    }

    #[test]
    fn no_more_questions_are_open_than_allowed() {
        let (client, mut supervisor) = connected();
        thread::scope(|scope| {
            for pid in 0..(MOST_OPEN as i32 + 8) {
                let client = &client;
                scope.spawn(move || client.process_links(pid));
            }
            thread::sleep(Duration::from_millis(100));
            supervisor.set_nonblocking(true).unwrap();
            let mut sent = vec![0; QUESTION * (MOST_OPEN + 8)];
            let mut length = 0;
            while let Ok(read) = supervisor.read(&mut sent[length..]) {
                length += read;
            }
            assert_eq!(length, QUESTION * MOST_OPEN);
            drop(supervisor);
        });
    }
}
