//! Collecting: every query asked once, side by side, within limits; what does not answer is a gap.
//!
//! A thread that is stuck in the kernel cannot be ended, only left behind. So collectors run on detached threads
//! and share a context that lives as long as the process: the process that audits ends with its audit.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::Facts;
use super::judge::selector;
use super::run::{Note, NoteKind};
use crate::fact::{Gap, Origin, Reason, Record};
use crate::host::manifest::{Manifest, Recorded};
use crate::host::{Host, InFlight};
use crate::resource::{self, Context, Query};

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The whole collection.
    pub deadline: Duration,
    /// One query.
    pub collector: Duration,
    /// One look at one object.
    pub object: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(600), collector: Duration::from_secs(60), object: Duration::from_secs(5) }
    }
}

/// How far a collection is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Queries that are done.
    pub done: usize,
    /// Queries in all.
    pub of: usize,
    /// The query that has just been answered.
    pub query: &'a Query,
}

/// What a collection came to.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// An answer to every query.
    pub facts: Facts,
    /// What went wrong on the way.
    pub notes: Vec<Note>,
    /// Whether the deadline passed before everything was asked.
    pub partial: bool,
}

/// Asks a host, within limits that count from when the collector was made.
pub struct Collector {
    context: &'static Context<'static>,
    host: &'static Recorded<'static>,
    limits: Limits,
    began: Instant,
}

/// How long before the deadline those who keep to their own pace have to be done.
const LAST: Duration = Duration::from_secs(5);

type Answer = Result<Vec<Record>, Gap>;

enum Event {
    Began(usize, Query, ThreadId),
    Ended(usize, Query, Result<Answer, String>),
}

/// A query being collected.
struct Running {
    query: Query,
    thread: ThreadId,
    since: Instant,
    /// When it was last seen looking at the host.
    active: Instant,
}

impl Collector {
    /// A collector for a host, of which only the wanted fields matter. Keeps the host for the rest of the process's life.
    #[must_use]
    pub fn new(host: Arc<dyn Host + Send + Sync>, wanted: BTreeMap<&'static str, BTreeSet<String>>, limits: Limits) -> Self {
        Self::with(host, limits, |context| context.wanting(wanted))
    }

    /// The same, where it is known what will be asked at most.
    #[must_use]
    pub fn asking(
        host: Arc<dyn Host + Send + Sync>,
        wanted: BTreeMap<&'static str, BTreeSet<String>>,
        asked: BTreeSet<Query>,
        limits: Limits,
    ) -> Self {
        Self::with(host, limits, |context| context.wanting(wanted).asking(asked))
    }

    fn with(host: Arc<dyn Host + Send + Sync>, limits: Limits, make: impl FnOnce(Context<'static>) -> Context<'static>) -> Self {
        let host: &'static dyn Host = &**Box::leak(Box::new(host));
        let host: &'static Recorded<'static> = Box::leak(Box::new(Recorded::new(host)));
        let began = Instant::now();
        // Early enough that what is known by then is still an answer.
        let until = began + limits.deadline.saturating_sub((limits.deadline / 10).min(LAST));
        let context = Box::leak(Box::new(make(Context::new(host).until(until))));
        Self { context, host, limits, began }
    }

    /// How long ago the collector was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Everything the host was asked so far.
    #[must_use]
    pub fn manifest(&self) -> Manifest {
        self.host.manifest()
    }

    /// Says that nothing more is asked: what was kept only to be shared by queries goes.
    pub fn done(&self) {
        self.context.forget();
    }

    /// Asks every query. Returns at the deadline at the latest.
    pub fn collect(&self, queries: &BTreeSet<Query>, progress: &mut dyn FnMut(Progress<'_>)) -> Collected {
        let (sender, receiver) = channel();
        // Those that take their time are begun first, each by a worker of its own: the rest need not wait for them.
        let (slow, others): (Vec<&Query>, Vec<&Query>) = queries.iter().partition(|query| own_pace(query));
        let mut round = Round {
            collector: self,
            queue: Arc::new(Mutex::new(slow.iter().chain(&others).map(|query| Query::clone(query)).collect())),
            sender,
            running: BTreeMap::new(),
            workers: Vec::new(),
            left_behind: 0,
            collected: Collected::default(),
        };
        for _ in 0..(self.host.parallelism() + slow.len()).clamp(1, queries.len().max(1)) {
            round.add_worker();
        }
        round.wait(queries, &receiver, progress);
        round.collected
    }
}

/// One collection under way.
struct Round<'c> {
    collector: &'c Collector,
    queue: Arc<Mutex<VecDeque<Query>>>,
    sender: Sender<Event>,
    running: BTreeMap<usize, Running>,
    /// Told to stop when left behind.
    workers: Vec<Arc<AtomicBool>>,
    left_behind: usize,
    collected: Collected,
}

/// How often limits are looked at.
const TICK: Duration = Duration::from_millis(50);

impl Round<'_> {
    fn wait(&mut self, queries: &BTreeSet<Query>, events: &Receiver<Event>, progress: &mut dyn FnMut(Progress<'_>)) {
        let deadline = self.collector.began + self.collector.limits.deadline;
        let mut done = 0;
        let mut next_look = Instant::now() + TICK;
        while done < queries.len() {
            let now = Instant::now();
            if now >= deadline || self.workers.len() == self.left_behind {
                self.give_up_rest(queries, now >= deadline);
                return;
            }
            if now >= next_look {
                for query in self.give_up_stuck(now) {
                    done += 1;
                    progress(Progress { done, of: queries.len(), query: &query });
                }
                next_look = now + TICK;
            }
            match events.recv_timeout(next_look.min(deadline).saturating_duration_since(now)) {
                Ok(Event::Began(worker, query, thread)) => {
                    let now = Instant::now();
                    self.running.insert(worker, Running { query, thread, since: now, active: now });
                }
                // One that was left behind may still answer: too late.
                Ok(Event::Ended(worker, query, answer)) if self.running.remove(&worker).is_some() => {
                    done += 1;
                    progress(Progress { done, of: queries.len(), query: &query });
                    self.keep(query, answer);
                }
                Ok(Event::Ended(..)) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
    }

    fn keep(&mut self, query: Query, answer: Result<Answer, String>) {
        let answer = answer.unwrap_or_else(|panic| {
            self.note(NoteKind::InternalError, format!("collecting {} failed inside plimsoll: {panic}", selector(&query)));
            Err(Gap::new(Origin::Derived, Reason::unsupported("internal error")))
        });
        self.collected.facts.insert(query, answer);
    }

    fn note(&mut self, kind: NoteKind, text: String) {
        self.collected.notes.push(Note { kind, text, place: None });
    }

    /// Gives up queries that are over a limit, and lets others be collected in their place.
    fn give_up_stuck(&mut self, now: Instant) -> Vec<Query> {
        let limits = self.collector.limits;
        let looks = self.collector.host.in_flight();
        let mut stuck = Vec::new();
        for (worker, running) in &mut self.running {
            let look = looks.iter().find(|look| look.thread == running.thread);
            if look.is_some() {
                running.active = now;
            }
            let over = |since: Instant, limit| now.saturating_duration_since(since) > limit;
            if let Some(InFlight { path, .. }) = look.filter(|look| over(look.since, limits.object)) {
                let text = format!("{} did not answer within {} and was given up", path.shown(), seconds(limits.object));
                stuck.push((*worker, Origin::file(path.clone()), text));
            } else if own_pace(&running.query) {
                // It gives up what is stuck itself, and keeps to the deadline.
            } else if over(running.since, limits.collector) {
                let text = format!("{} took longer than {} and was given up", selector(&running.query), seconds(limits.collector));
                stuck.push((*worker, Origin::Derived, text));
            } else if self.left_behind > 0 && over(running.active, limits.object) {
                // It looks at nothing itself: it waits for something that another, stuck, query has begun.
                let text = format!("{} waits for what was given up", selector(&running.query));
                stuck.push((*worker, Origin::Derived, text));
            }
        }
        let mut given_up = Vec::new();
        for (worker, origin, text) in stuck {
            if let Some(running) = self.running.remove(&worker) {
                self.note(NoteKind::TimedOut, text);
                self.collected.facts.insert(running.query.clone(), Err(Gap::new(origin, Reason::TimedOut)));
                given_up.push(running.query);
                self.leave_behind(worker);
            }
        }
        given_up
    }

    fn leave_behind(&mut self, worker: usize) {
        if let Some(stop) = self.workers.get(worker) {
            stop.store(true, Ordering::Relaxed);
        }
        self.left_behind += 1;
        self.add_worker();
    }

    fn give_up_rest(&mut self, queries: &BTreeSet<Query>, late: bool) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.workers.iter().for_each(|stop| stop.store(true, Ordering::Relaxed));
        let missing: Vec<&Query> = queries.iter().filter(|query| !self.collected.facts.contains(query)).collect();
        let (reason, text) = if late {
            (Reason::TimedOut, format!("the deadline passed with {} of {} questions not answered", missing.len(), queries.len()))
        } else {
            (Reason::unsupported("no thread could be started"), "no thread could be started".to_owned())
        };
        for query in missing {
            self.collected.facts.insert(query.clone(), Err(Gap::new(Origin::Derived, reason.clone())));
        }
        self.collected.partial = true;
        self.note(if late { NoteKind::TimedOut } else { NoteKind::InternalError }, text);
    }

    fn add_worker(&mut self) {
        let stop = Arc::new(AtomicBool::new(false));
        let worker = self.workers.len();
        let (queue, sender, context, stopped) = (self.queue.clone(), self.sender.clone(), self.collector.context, stop.clone());
        let spawned = thread::Builder::new().name("collect".to_owned()).spawn(move || work(worker, context, &queue, &sender, &stopped));
        if spawned.is_ok() {
            self.workers.push(stop);
        }
    }
}

/// Collects one query after the other until none is left.
fn work(worker: usize, context: &Context<'_>, queue: &Mutex<VecDeque<Query>>, events: &Sender<Event>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(query) = next else { return };
        let thread = thread::current().id();
        if events.send(Event::Began(worker, query.clone(), thread)).is_err() {
            return;
        }
        let answer = catch_unwind(AssertUnwindSafe(|| ask(context, &query))).map_err(|panic| message(&*panic));
        if events.send(Event::Ended(worker, query, answer)).is_err() {
            return;
        }
    }
}

/// Whether a query keeps to the deadline by itself.
fn own_pace(query: &Query) -> bool {
    resource::find(query.resource).is_some_and(|entry| entry.own_pace)
}

fn ask(context: &Context<'_>, query: &Query) -> Answer {
    match resource::find(query.resource) {
        Some(entry) => (entry.collect)(context, &query.of),
        None => Err(Gap::new(Origin::Derived, Reason::unsupported("there is no such resource"))),
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    crate::fact::Shown::of(text.unwrap_or("no reason given")).to_string()
}

fn seconds(limit: Duration) -> String {
    if limit.subsec_millis() == 0 { format!("{} s", limit.as_secs()) } else { format!("{} ms", limit.as_millis()) }
}

#[cfg(test)]
mod tests;
