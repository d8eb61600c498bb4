//! The configuration of an image, which no list or inspect shows whole, read from where the engine keeps it on disk.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::Host;
use crate::host::engine::Id;
use crate::parse::engine_json::{self, ImageConfig, Manifest};

/// Where containerd keeps content when told nothing else.
const CONTAINERD: &str = "/var/lib/containerd";

/// Below a directory of containerd's: blobs by digest.
const BLOBS: &str = "io.containerd.content.v1.content/blobs/sha256";

/// Where one engine keeps its images.
#[derive(Debug, Clone)]
pub(super) struct Store {
    /// The directory the engine keeps its images in.
    pub(super) root: PathBuf,
    /// Its storage driver.
    pub(super) driver: String,
}

impl Store {
    /// The configuration of an image: of the engine's own store by its identifier, or of containerd's, where the identifier may be
    /// that of an index or a manifest.
    pub(super) fn config(&self, host: &dyn Host, id: Id, architecture: &str) -> Fact<ImageConfig> {
        let own = self.root.join("image").join(&self.driver).join("imagedb/content/sha256").join(id.to_string());
        let found = read::<ImageConfig>(host, &own);
        let Fact::Absent(origin) = found else { return found };
        // The daemon's own containerd keeps its content below the data directory.
        for containerd in [PathBuf::from(CONTAINERD), self.root.join("containerd/daemon")] {
            let found = blob(host, &containerd.join(BLOBS), id, architecture);
            if !matches!(found, Fact::Absent(_)) {
                return found;
            }
        }
        Fact::Unknown(Gap::new(origin, Reason::unsupported("the image is not where engines keep images")))
    }
}

fn read<T: serde::de::DeserializeOwned>(host: &dyn Host, path: &Path) -> Fact<T> {
    host.read(path).and_then(|bytes, origin| match engine_json::read(&bytes) {
        Ok(document) => Fact::Known(document, origin),
        Err(what) => Fact::Unknown(Gap::new(origin, Reason::malformed(what))),
    })
}

/// Follows an index to its manifest and that to its configuration.
fn blob(host: &dyn Host, blobs: &Path, id: Id, architecture: &str) -> Fact<ImageConfig> {
    let mut id = id;
    // An index, a manifest, the configuration: more steps are a circle.
    for _ in 0..4 {
        let path = blobs.join(id.to_string());
        let manifest = match read::<Manifest>(host, &path) {
            Fact::Known(manifest, _) => manifest,
            Fact::Absent(origin) => return Fact::Absent(origin),
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        };
        let gap = |why: &str| Fact::Unknown(Gap::new(Origin::file(path.as_path()), Reason::unsupported(why)));
        let next = if manifest.manifests.is_empty() {
            manifest.config.as_ref().filter(|config| !config.digest.is_empty())
        } else {
            let found = manifest.for_architecture(architecture);
            if found.is_none() {
                return gap("the index holds no image for this machine");
            }
            found
        };
        let Some(next) = next else { return read(host, &path) };
        match Id::parse(&next.digest) {
            Some(next) => id = next,
            None => return gap("a digest is not of a kind that is read"),
        }
    }
    Fact::Unknown(Gap::new(Origin::file(blobs), Reason::malformed("manifests name each other in a circle")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn id(digit: &str) -> Id {
        Id::parse(&digit.repeat(64)).unwrap()
    }

    fn store() -> Store {
        Store { root: "/d".into(), driver: "overlay2".into() }
    }

    const CONFIG: &str =
        r#"{"architecture":"amd64","config":{"Cmd":["sh"]},"history":[{"created_by":"x"}],"rootfs":{"type":"layers","diff_ids":[]}}"#;

    #[test]
    fn the_engines_own_store() {
        let host = Memory::new().file(&format!("/d/image/overlay2/imagedb/content/sha256/{}", "a".repeat(64)), CONFIG);
        assert_eq!(store().config(&host, id("a"), "amd64").known().map(|config| config.history.len()), Some(1));
        assert!(matches!(store().config(&host, id("b"), "amd64"), Fact::Unknown(Gap { reason: Reason::Unsupported(_), .. })));
    }

    #[test]
    fn containerds_store_is_followed_from_index_to_configuration() {
        let blob = |digit: &str| format!("/var/lib/containerd/{BLOBS}/{}", digit.repeat(64));
        let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
        let index = format!(r#"{{"manifests":[{{"digest":"{}","platform":{{"architecture":"amd64","os":"linux"}}}}]}}"#, digest("b"));
        let manifest = format!(r#"{{"config":{{"digest":"{}"}},"layers":[]}}"#, digest("c"));
        let circle = format!(r#"{{"config":{{"digest":"{}"}}}}"#, digest("e"));
        let host = Memory::new().file(&blob("a"), index).file(&blob("b"), manifest).file(&blob("c"), CONFIG).file(&blob("e"), circle);
        for digit in ["a", "b", "c"] {
            assert_eq!(store().config(&host, id(digit), "amd64").known().map(|config| config.history.len()), Some(1), "{digit}");
        }
        assert!(matches!(store().config(&host, id("a"), "s390x"), Fact::Unknown(_)));
        assert!(matches!(store().config(&host, id("e"), "amd64"), Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
    }
}
