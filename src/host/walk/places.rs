//! The paths that a walk treats otherwise than the rest, found again name by name on the way down.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};

/// A tree of names; the first is the root directory.
pub(super) struct Places(Vec<Place>);

#[derive(Default)]
struct Place {
    below: BTreeMap<Box<[u8]>, usize>,
    left_out: bool,
    apart: bool,
}

/// Where a directory is among the places.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Spot {
    /// The place; `None` where no place is below.
    place: Option<usize>,
    /// Whether it lies in or below a directory that is told apart.
    pub(super) apart: bool,
}

impl Spot {
    /// Whether names in it have to be looked up at all.
    pub(super) fn is_plain(self) -> bool {
        self.place.is_none()
    }
}

impl Places {
    pub(super) fn new<'a>(left_out: impl IntoIterator<Item = &'a Path>, apart: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut places = Self(vec![Place::default()]);
        left_out.into_iter().for_each(|path| places.add(path, |place| place.left_out = true));
        apart.into_iter().for_each(|path| places.add(path, |place| place.apart = true));
        places
    }

    fn add(&mut self, path: &Path, mark: impl FnOnce(&mut Place)) {
        let mut at = 0;
        for name in names(path) {
            let next = self.0.len();
            let Some(place) = self.0.get_mut(at) else { return };
            at = *place.below.entry(name.into()).or_insert(next);
            if at == next {
                self.0.push(Place::default());
            }
        }
        self.0.get_mut(at).map(mark);
    }

    /// Where a directory is in which a walk begins, be it left out or not.
    pub(super) fn start(&self, path: &Path) -> Spot {
        let mut spot = Spot { place: Some(0), apart: self.0.first().is_some_and(|root| root.apart) };
        for name in names(path) {
            spot = self.step(spot, name).0;
        }
        spot
    }

    /// Where a name in a directory is; `None` where it is left out.
    pub(super) fn below(&self, spot: Spot, name: &[u8]) -> Option<Spot> {
        let (spot, left_out) = self.step(spot, name);
        (!left_out).then_some(spot)
    }

    fn step(&self, spot: Spot, name: &[u8]) -> (Spot, bool) {
        let next = spot.place.and_then(|place| self.0.get(place)).and_then(|place| place.below.get(name)).copied();
        let place = next.and_then(|next| self.0.get(next));
        let place_below = next.filter(|_| place.is_some_and(|place| !place.below.is_empty()));
        let apart = spot.apart || place.is_some_and(|place| place.apart);
        (Spot { place: place_below, apart }, place.is_some_and(|place| place.left_out))
    }
}

fn names(path: &Path) -> impl Iterator<Item = &[u8]> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.as_bytes()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_whole_names() {
        let [proc, docker, private] = ["/proc", "/var/lib/docker", "/var/lib/private"].map(Path::new);
        let places = Places::new([proc, docker], [private]);
        let root = places.start(Path::new("/"));
        assert_eq!(places.below(root, b"proc"), None);
        assert!(places.below(root, b"process").unwrap().is_plain());
        let lib = places.below(places.below(root, b"var").unwrap(), b"lib").unwrap();
        assert_eq!(places.below(lib, b"docker"), None);
        let private = places.below(lib, b"private").unwrap();
        assert!(private.apart && private.is_plain());
        assert!(places.below(private, b"x").unwrap().apart);
        assert!(!places.below(lib, b"dpkg").unwrap().apart);
        assert!(places.start(Path::new("/var/lib/docker")).is_plain(), "a start is entered");
    }
}
