//! The supervisor's end of the broker: a closed list of questions, answered with bytes nobody here parses.

mod audit;
mod deleted;
mod engine;
mod packet_filter;
mod process;
mod processes;
mod sockets;

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::mem;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use crate::fact::Reason;
use crate::host::broker::frame::{Failure, MOST_OPEN, MOST_PART, QUESTION, Question, Status, part};
use engine::Engines;

/// Engines are slow and may be asked several things at once; the kernel answers at once, and must not wait behind them.
const ENGINE_THREADS: usize = 4;

/// A worker that goes on asking without waiting is not one of ours. It gives up on questions that take too long,
/// so a few more than it may leave open are waiting here at times.
const MOST_WAITING: usize = 4 * MOST_OPEN;

/// Takes the worker's questions and has them answered.
pub(super) struct Server {
    arrived: Vec<u8>,
    engines: Arc<Queue>,
    kernel: Arc<Queue>,
}

impl Server {
    /// Starts the threads that answer, to the worker at the other end of `broker`.
    pub(super) fn start(named_sockets: &[PathBuf], broker: &UnixStream) -> io::Result<Self> {
        let (engines, kernel) = (Arc::new(Queue::default()), Arc::new(Queue::default()));
        let answers = Arc::new(Mutex::new(broker.try_clone()?));
        let rules = Arc::new(Engines::new(named_sockets.to_vec()));
        for queue in std::iter::repeat_n(&engines, ENGINE_THREADS).chain([&kernel]) {
            let (queue, answers, rules) = (Arc::clone(queue), Arc::clone(&answers), Arc::clone(&rules));
            thread::Builder::new().name("broker".into()).stack_size(256 * 1024).spawn(move || {
                while let Some((tag, question)) = queue.next() {
                    answer(&question, &rules, Answer { tag, to: &answers, held: Vec::new() });
                }
            })?;
        }
        Ok(Self { arrived: Vec::new(), engines, kernel })
    }

    /// Takes what the worker asks next; `false` once it asks no more, an error where it breaks the rules.
    pub(super) fn take(&mut self, mut from: &UnixStream) -> Result<bool, &'static str> {
        let mut buffer = [0; QUESTION * 16];
        // A connection that broke is one that ended.
        let read = from.read(&mut buffer).unwrap_or(0);
        self.arrived.extend_from_slice(buffer.get(..read).unwrap_or_default());
        while let Some((question, _)) = self.arrived.split_first_chunk::<QUESTION>() {
            let asked = Question::decode(question).ok_or("the worker asked what cannot be asked")?;
            let queue = if matches!(asked.1, Question::Engine { .. }) { &self.engines } else { &self.kernel };
            if !queue.push(asked) {
                return Err("the worker asked too much at once");
            }
            self.arrived.drain(..QUESTION);
        }
        Ok(read > 0)
    }
}

/// Whoever is answering finishes that, and no more is begun.
impl Drop for Server {
    fn drop(&mut self) {
        self.engines.close();
        self.kernel.close();
    }
}

/// Questions that wait for a thread.
#[derive(Default)]
struct Queue {
    waiting: Mutex<(VecDeque<(u32, Question)>, bool)>,
    changed: Condvar,
}

impl Queue {
    fn push(&self, asked: (u32, Question)) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.0.len() >= MOST_WAITING {
            return false;
        }
        waiting.0.push_back(asked);
        self.changed.notify_one();
        true
    }

    /// The next question; `None` once closed.
    fn next(&self) -> Option<(u32, Question)> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |(questions, closed): &mut (VecDeque<_>, bool)| questions.is_empty() && !*closed;
        let mut waiting = self.changed.wait_while(waiting, idle).unwrap_or_else(PoisonError::into_inner);
        if waiting.1 { None } else { waiting.0.pop_front() }
    }

    fn close(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.changed.notify_all();
    }
}

/// Where the answer to one question goes.
struct Answer<'a> {
    tag: u32,
    to: &'a Mutex<UnixStream>,
    /// What is not sent yet.
    held: Vec<u8>,
}

impl Answer<'_> {
    /// Sends one part. Parts of several answers may alternate, so that a long one does not hold up the others.
    fn part(&self, status: Status, bytes: &[u8]) -> io::Result<()> {
        self.to.lock().unwrap_or_else(PoisonError::into_inner).write_all(&part(self.tag, status, bytes))
    }

    /// Takes bytes, and sends those taken before. So the last ones go with the word that they are, and an answer that
    /// comes in one piece wakes the worker once.
    fn more(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        for bytes in bytes.chunks(MOST_PART) {
            let before = mem::replace(&mut self.held, bytes.to_vec());
            if !before.is_empty() {
                // Where that fails the worker is gone; there is nobody left to tell.
                self.part(Status::More, &before).map_err(|_| Reason::Unreachable)?;
            }
        }
        Ok(())
    }
}

/// Answers one question: the parts of the answer, then how it ended.
fn answer(question: &Question, engines: &Engines, mut to: Answer<'_>) {
    let done = match question {
        Question::Engine { socket, route } => engines.ask(socket, route, &mut |bytes| to.more(bytes)),
        Question::AuditRules => audit::loaded_rules().and_then(|messages| to.more(&messages)),
        Question::PacketFilter => packet_filter::loaded().and_then(|messages| to.more(&messages)),
        Question::DeletedCode => deleted::code().and_then(|lines| to.more(&lines)),
        Question::SocketOwners => sockets::owners().and_then(|pairs| to.more(&pairs)),
        Question::ProcessLinks(pid) => process::links(*pid).and_then(|links| to.more(&links)),
    };
    // A broken connection means that the worker is gone.
    let _ = match done {
        Ok(()) => to.part(Status::Done, &to.held),
        Err(failure) => {
            let (status, bytes) = failure.encode();
            to.part(status, bytes)
        }
    };
}
