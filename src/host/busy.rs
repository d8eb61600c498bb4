//! What is being looked at right now, so that whoever waits can tell what is stuck.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

use crate::fact::Text;

/// One look at the host that has not returned yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InFlight {
    /// Who is looking.
    pub thread: ThreadId,
    /// What at.
    pub path: Text,
    /// Since when.
    pub since: Instant,
}

/// The looks that have not returned, by the order in which they began.
#[derive(Default)]
pub(super) struct Busy(Mutex<(u64, BTreeMap<u64, InFlight>)>);

impl Busy {
    /// Notes that a look begins; it ends when the answer is dropped.
    pub(super) fn begin(&self, path: &Path) -> impl Drop + use<'_> {
        let look = InFlight { thread: thread::current().id(), path: path.into(), since: Instant::now() };
        let mut looks = self.lock();
        looks.0 += 1;
        let number = looks.0;
        looks.1.insert(number, look);
        Begun { busy: self, number }
    }

    /// The looks that have not returned, the oldest first.
    pub(super) fn now(&self) -> Vec<InFlight> {
        self.lock().1.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, InFlight>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Begun<'a> {
    busy: &'a Busy,
    number: u64,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.busy.lock().1.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_look_comes_first_and_leaves_when_done() {
        let busy = Busy::default();
        let first = busy.begin(Path::new("/a"));
        let second = busy.begin(Path::new("/b"));
        let paths = || busy.now().into_iter().map(|look| look.path.raw().to_owned()).collect::<Vec<_>>();
        assert_eq!(paths(), ["/a", "/b"]);
        drop(first);
        assert_eq!(paths(), ["/b"]);
        drop(second);
        assert!(paths().is_empty());
    }
}
