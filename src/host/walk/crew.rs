//! The threads of a walk, and the one that watches over them.
//!
//! A thread that is stuck in the kernel cannot be ended. So threads are not joined: what they find lies where the watching
//! thread can reach it, and what a stuck one had still to do is taken over by another, all but the directory it is stuck in.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::descent::{Descent, Progress};
use super::places::{Places, Spot};
use super::reader::Reader;
use super::{CLASSES, Judge, Walk, Walked, bytes};
use crate::fact::Reason;
use crate::host::FileKind;

/// How often the watching thread looks.
const TICK: Duration = Duration::from_millis(100);
/// How long threads have to say what they have when the time is up.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How many threads are left behind before the walk is given up.
const MOST_STUCK: usize = 16;

/// What is walked, and what for.
pub(super) struct Ground {
    pub(super) starts: Vec<Begin>,
    pub(super) places: Places,
    pub(super) judge: Judge,
    pub(super) most: usize,
    kinds: Vec<FileKind>,
}

/// A start, prepared.
pub(super) struct Begin {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
    pub(super) spot: Spot,
    pub(super) depth: usize,
}

impl Ground {
    /// Whether the metadata of a kind is asked for.
    pub(super) fn wants(&self, kind: FileKind) -> bool {
        self.kinds.contains(&kind)
    }
}

/// One thread, as others see it.
#[derive(Default)]
pub(super) struct Slot {
    progress: Mutex<Progress>,
    /// How many names it has seen: while it goes up the thread is not stuck.
    pub(super) seen: AtomicU64,
}

impl Slot {
    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something to do for any thread.
enum Task {
    Start(usize),
    Part(Descent),
}

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    /// Threads that are not waiting for a task.
    working: usize,
    /// Nothing is left to do.
    over: bool,
}

struct Crew {
    ground: Ground,
    queue: Mutex<Queue>,
    /// There is a task, or none will come.
    news: Condvar,
    /// The walk is over.
    over: Condvar,
    /// Threads that wait for a task.
    idle: AtomicUsize,
    stop: AtomicBool,
}

impl Crew {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next task, as soon as there is one; `None` when the walk is over.
    fn take(&self) -> Option<Task> {
        let mut queue = self.queue();
        queue.working -= 1;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(task) = queue.tasks.pop_front() {
                queue.working += 1;
                return Some(task);
            }
            if queue.working == 0 {
                queue.over = true;
                self.over.notify_all();
                self.news.notify_all();
                return None;
            }
            self.idle.fetch_add(1, Ordering::Relaxed);
            queue = self.news.wait(queue).unwrap_or_else(PoisonError::into_inner);
            self.idle.fetch_sub(1, Ordering::Relaxed);
            if queue.over {
                return None;
            }
        }
    }

    /// Gives work away to threads that have none.
    fn share(&self, slot: &Slot) {
        if self.idle.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut queue = self.queue();
        if queue.tasks.is_empty()
            && let Some(part) = slot.progress().descent.share()
        {
            queue.tasks.push_back(Task::Part(part));
            self.news.notify_one();
        }
    }
}

/// What one thread does.
fn work(crew: &Crew, slot: &Slot) {
    let mut reader = Reader::new(&crew.ground, slot, &crew.stop);
    loop {
        while !crew.stop.load(Ordering::Relaxed) && reader.step() {
            crew.share(slot);
        }
        if crew.stop.load(Ordering::Relaxed) || slot.progress().abandoned {
            return;
        }
        match crew.take() {
            Some(Task::Start(number)) => reader.start(number),
            Some(Task::Part(part)) => {
                let mut progress = slot.progress();
                (progress.descent, progress.busy) = (part, true);
            }
            None => return,
        }
    }
}

/// Walks with threads of its own. `lost` is what is known beforehand not to be reachable.
#[must_use]
pub fn walk(walk: &Walk, lost: Vec<(PathBuf, Reason)>) -> Walked {
    let places = Places::new(walk.left_out.iter().map(PathBuf::as_path), walk.apart.iter().map(PathBuf::as_path));
    let begin = |start: &super::Start| Begin {
        path: start.path.clone(),
        bytes: bytes(&start.path),
        spot: places.start(&start.path),
        depth: start.path.components().count().saturating_sub(1),
    };
    let starts: Vec<Begin> = walk.starts.iter().map(begin).collect();
    let mut walked = Walked::default();
    let unreachable: Vec<usize> =
        (0..starts.len()).filter(|at| walk.starts.get(*at).is_some_and(|start| lost.iter().any(|(path, _)| *path == start.path))).collect();
    for (path, reason) in lost {
        walked.lose(&bytes(&path), reason, walk.most);
    }
    let tasks = (0..starts.len()).filter(|at| !unreachable.contains(at)).map(Task::Start).collect();
    let ground = Ground { starts, places, judge: walk.judge.clone(), most: walk.most, kinds: walk.kinds.clone() };
    let crew = Arc::new(Crew {
        ground,
        queue: Mutex::new(Queue { tasks, ..Queue::default() }),
        news: Condvar::new(),
        over: Condvar::new(),
        idle: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    });
    let mut watch = Watch { crew, threads: Vec::new(), stuck: 0, walked };
    let mut started = 0;
    for _ in 0..walk.threads.clamp(1, 32) {
        started += usize::from(watch.hire(Slot::default()));
    }
    if started == 0 {
        // No thread can be had: this one does it all, and nobody watches.
        let slot = Slot::default();
        watch.crew.queue().working += 1;
        work(&watch.crew, &slot);
        watch.threads.push(Hired { slot: Arc::new(slot), seen: 0, since: Instant::now() });
    }
    watch.wait(walk);
    watch.finish(walk)
}

struct Hired {
    slot: Arc<Slot>,
    /// What it had seen when it was last seen to go on, and when that was.
    seen: u64,
    since: Instant,
}

/// The watching thread's view.
struct Watch {
    crew: Arc<Crew>,
    threads: Vec<Hired>,
    stuck: usize,
    walked: Walked,
}

impl Watch {
    /// Starts a thread with what is in a slot.
    fn hire(&mut self, slot: Slot) -> bool {
        let slot = Arc::new(slot);
        let (crew, own) = (self.crew.clone(), slot.clone());
        // Before it starts, so that none of the others takes the walk for done.
        self.crew.queue().working += 1;
        let spawned = thread::Builder::new().name("walk".to_owned()).stack_size(256 * 1024).spawn(move || work(&crew, &own)).is_ok();
        if spawned {
            self.threads.push(Hired { slot, seen: 0, since: Instant::now() });
        } else {
            self.crew.queue().working -= 1;
        }
        spawned
    }

    /// Waits until the walk is over, its time is up, or too much is stuck.
    fn wait(&mut self, walk: &Walk) {
        loop {
            {
                let queue = self.crew.queue();
                if queue.over {
                    return;
                }
                let until = walk.until.map_or(TICK, |until| until.saturating_duration_since(Instant::now()).min(TICK));
                let (queue, _) = self.crew.over.wait_timeout(queue, until).unwrap_or_else(PoisonError::into_inner);
                if queue.over {
                    return;
                }
            }
            let now = Instant::now();
            if walk.until.is_some_and(|until| now >= until) {
                return self.stop();
            }
            if !self.relieve(walk, now) {
                return self.stop();
            }
        }
    }

    /// Lets others take over from threads that are stuck. False where too many are.
    fn relieve(&mut self, walk: &Walk, now: Instant) -> bool {
        let mut left = Vec::new();
        for hired in &mut self.threads {
            let seen = hired.slot.seen.load(Ordering::Relaxed);
            let mut progress = hired.slot.progress();
            let steps = seen + progress.walked.directories;
            if !progress.busy || progress.abandoned || steps != hired.seen {
                (hired.seen, hired.since) = (steps, now);
            } else if now.saturating_duration_since(hired.since) > walk.patience {
                progress.lose(None, Reason::TimedOut, walk.most);
                left.push(Progress { busy: true, ..std::mem::take(&mut *progress) });
                progress.abandoned = true;
            }
        }
        self.stuck += left.len();
        let mut relieved = self.stuck <= MOST_STUCK;
        for progress in left {
            let slot = Slot { progress: Mutex::new(progress), ..Slot::default() };
            if relieved {
                relieved = self.hire(slot);
                // The stuck one still counts as working, and its successor does too.
                self.crew.queue().working -= 1;
            } else {
                self.threads.push(Hired { slot: Arc::new(slot), seen: 0, since: now });
            }
        }
        relieved
    }

    /// Tells everybody to stop, and waits a little for what they have.
    fn stop(&self) {
        self.crew.stop.store(true, Ordering::Relaxed);
        self.crew.news.notify_all();
        let until = Instant::now() + LAST_WORDS;
        while Instant::now() < until && self.threads.iter().any(|hired| Arc::strong_count(&hired.slot) > 1) {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Gathers what everybody has found, and what nobody came to.
    fn finish(mut self, walk: &Walk) -> Walked {
        let stopped = self.crew.stop.load(Ordering::Relaxed);
        for hired in &self.threads {
            let mut progress = hired.slot.progress();
            let Progress { descent, walked, .. } = std::mem::replace(&mut *progress, Progress { abandoned: true, ..Progress::default() });
            drop(progress);
            self.walked.add(walked, walk.most);
            self.walked.names += hired.slot.seen.load(Ordering::Relaxed);
            if stopped {
                descent.lose_rest(&mut self.walked, &Reason::TimedOut, walk.most);
            }
        }
        for task in std::mem::take(&mut self.crew.queue().tasks) {
            match task {
                Task::Start(number) => {
                    let path = self.crew.ground.starts.get(number).map(|start| start.bytes.as_slice()).unwrap_or_default();
                    self.walked.lose(path, Reason::TimedOut, walk.most);
                }
                Task::Part(part) => part.lose_rest(&mut self.walked, &Reason::TimedOut, walk.most),
            }
        }
        debug_assert!(self.walked.found.len() == CLASSES);
        self.walked
    }
}
