//! The first of many paths, and how many there are in all.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// How many bytes of paths are kept at most.
const MOST_BYTES: usize = 1024 * 1024;

/// The first so many of the paths that were added, by the order of their bytes, and the number of all of them.
/// What is kept depends on what was added, never on the order in which it was.
#[derive(Clone, Debug)]
pub struct Kept<T> {
    kept: BTreeMap<Vec<u8>, T>,
    bytes: usize,
    /// The first path that there was no room for. Nothing from there on is kept.
    barrier: Option<Vec<u8>>,
    total: u64,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { kept: BTreeMap::new(), bytes: 0, barrier: None, total: 0 }
    }
}

impl<T> Kept<T> {
    /// What is kept, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &T)> {
        self.kept.iter().map(|(path, kept)| {
            let path = if path.is_empty() { b"/" } else { path.as_slice() };
            (Path::new(OsStr::from_bytes(path)), kept)
        })
    }

    /// How many were added that are not kept.
    #[must_use]
    pub fn beyond(&self) -> u64 {
        self.total.saturating_sub(self.kept.len() as u64)
    }

    /// How many were added.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Adds a path, given in two parts that are joined as they are.
    pub(super) fn add(&mut self, parts: [&[u8]; 2], make: impl FnOnce() -> T, most: usize) {
        self.total += 1;
        if self.barrier.as_ref().is_none_or(|barrier| before(parts, barrier)) {
            self.insert(parts.concat(), make(), most);
        }
    }

    /// Adds all that another has.
    pub(super) fn merge(&mut self, other: Self, most: usize) {
        self.total += other.total;
        if let Some(barrier) = other.barrier {
            self.limit(barrier);
        }
        for (path, kept) in other.kept {
            if self.barrier.as_ref().is_none_or(|barrier| path < *barrier) {
                self.insert(path, kept, most);
            }
        }
    }

    fn insert(&mut self, path: Vec<u8>, kept: T, most: usize) {
        self.bytes += path.len();
        self.kept.insert(path, kept);
        while self.kept.len() > most || self.bytes > MOST_BYTES {
            let Some((last, _)) = self.kept.pop_last() else { return };
            self.bytes -= last.len();
            self.barrier = Some(last);
        }
    }

    /// Lets go of everything from a path on.
    fn limit(&mut self, barrier: Vec<u8>) {
        if self.barrier.as_ref().is_some_and(|own| *own <= barrier) {
            return;
        }
        let gone = self.kept.split_off(&barrier);
        self.bytes -= gone.keys().map(Vec::len).sum::<usize>();
        self.barrier = Some(barrier);
    }
}

/// Whether the parts, joined, come before a path.
fn before([first, second]: [&[u8]; 2], path: &[u8]) -> bool {
    let (head, tail) = path.split_at(first.len().min(path.len()));
    match first.cmp(head) {
        Ordering::Equal => second < tail,
        other => other == Ordering::Less,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(paths: &[Vec<u8>], most: usize) -> Kept<()> {
        let mut kept = Kept::default();
        paths.iter().for_each(|path| kept.add([path, b""], || (), most));
        kept
    }

    #[test]
    fn what_is_kept_does_not_depend_on_the_order() {
        let long = |letter: u8, length: usize| [vec![letter], vec![b'x'; length]].concat();
        let mut paths = vec![long(b'a', 10), long(b'b', MOST_BYTES), long(b'c', 10)];
        for _ in 0..3 {
            let found = kept(&paths, 10);
            assert_eq!(found.iter().map(|(path, ())| path.as_os_str().len()).collect::<Vec<_>>(), [11]);
            assert_eq!((found.beyond(), found.total()), (2, 3));
            paths.rotate_left(1);
        }
    }

    proptest! {
        #[test]
        fn parts_added_in_any_way_are_the_first(mut paths in prop::collection::btree_set(prop::collection::vec(any::<u8>(), 1..6), 0..60)
            .prop_map(|set| set.into_iter().collect::<Vec<_>>()).prop_shuffle(), cut in 0usize..60, most in 1usize..30) {
            let (left, right) = paths.split_at(cut.min(paths.len()));
            let mut both = kept(left, most);
            both.merge(kept(right, most), most);
            paths.sort();
            let found: Vec<Vec<u8>> = both.iter().map(|(path, ())| path.as_os_str().as_bytes().to_vec()).collect();
            prop_assert_eq!(&found[..], &paths[..most.min(paths.len())]);
            prop_assert_eq!(both.total(), paths.len() as u64);
        }

        #[test]
        fn two_parts_compare_as_one(first: Vec<u8>, second: Vec<u8>, path: Vec<u8>) {
            prop_assert_eq!(before([&first, &second], &path), [first, second].concat() < path);
        }
    }
}
