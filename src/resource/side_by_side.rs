//! Questions put to an engine or a file system several at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What `ask` makes of each item, in the order of the items, however many threads there are. Where no thread can be started this one does it all.
pub(super) fn ask_all<T: Sync, U: Send>(threads: usize, items: &[T], ask: impl Fn(&T) -> U + Sync) -> Vec<U> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::new();
        while let Some((at, item)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?))) {
            made.push((at, ask(item)));
        }
        made
    };
    let mut made = thread::scope(|scope| {
        let helpers = threads.clamp(1, 32).min(items.len()).saturating_sub(1);
        let started: Vec<_> = (0..helpers).map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut made = work();
        for helper in started {
            match helper.join() {
                Ok(more) => made.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        made
    });
    made.sort_by_key(|(at, _)| *at);
    made.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::ask_all;

    #[test]
    fn order_does_not_depend_on_threads() {
        let items: Vec<u32> = (0..500).collect();
        for threads in [0, 1, 4, 1000] {
            assert_eq!(ask_all(threads, &items, |n| n * 2), items.iter().map(|n| n * 2).collect::<Vec<_>>());
        }
        assert!(ask_all(4, &[] as &[u32], |n| *n).is_empty());
    }
}
