//! Set-uid and set-gid files of images, found in the directories of their layers.
//!
//! Every layer is walked once, however many images have it. Whether a later layer hides a file is then asked for the few files
//! found. What a directory hides that replaces another as a whole is told by an extended attribute, which is not read: files
//! below such a one are still listed. It errs towards telling too much.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::host::{FileKind, Host};
use crate::parse::hex::hex;

use super::config::Store;

/// Entries that are looked at for all images together.
const MOST_ENTRIES: usize = 200_000;

/// Set-uid and set-gid.
const SET_ID: u16 = 0o6000;

/// A prefix that marks a name as removed, where a file system has no other way.
const REMOVED: &str = ".wh.";

/// A name that marks its directory as hiding all of the layers below.
const OPAQUE: &str = ".wh..wh..opq";

/// What was found in layers so far.
#[derive(Debug, Default)]
pub(super) struct Layers {
    found: Mutex<Walked>,
}

#[derive(Debug, Default)]
struct Walked {
    /// Set-uid and set-gid files of a layer, relative to it.
    layers: BTreeMap<PathBuf, Result<Arc<[PathBuf]>, Gap>>,
    entries: usize,
}

impl Layers {
    /// The set-uid and set-gid files of an image, later layers considered. `layers` are the digests of its uncompressed layers, lowest first.
    pub(super) fn setuid_files(&self, host: &dyn Host, store: &Store, layers: &[String]) -> Fact<Vec<Text>> {
        let gap = |reason| Gap::new(Origin::file(store.root.as_path()), reason);
        match self.look(host, store, layers, &gap) {
            Ok(files) => Fact::Known(files, Origin::file(store.root.as_path())),
            Err(gap) => Fact::Unknown(gap),
        }
    }

    fn look(&self, host: &dyn Host, store: &Store, layers: &[String], gap: &dyn Fn(Reason) -> Gap) -> Result<Vec<Text>, Gap> {
        let directories = directories(host, store, layers, gap)?;
        let mut files = Vec::new();
        for (at, directory) in directories.iter().enumerate() {
            let above = directories.get(at + 1..).unwrap_or_default();
            for file in self.walked(host, directory)?.iter() {
                if !is_hidden(host, file, above)? {
                    files.push(Text::from(Path::new("/").join(file).as_path()));
                }
            }
        }
        files.sort();
        files.dedup();
        Ok(files)
    }

    fn walked(&self, host: &dyn Host, layer: &Path) -> Result<Arc<[PathBuf]>, Gap> {
        let mut walked = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = walked.layers.get(layer) {
            return found.clone();
        }
        let found = walk(host, layer, &mut walked.entries);
        walked.layers.insert(layer.to_path_buf(), found.clone());
        found
    }
}

/// Directories of the layers, lowest first. A driver that copies has one directory with everything for the last layer.
fn directories(host: &dyn Host, store: &Store, layers: &[String], gap: &dyn Fn(Reason) -> Gap) -> Result<Vec<PathBuf>, Gap> {
    let inside: fn(&Path, &str) -> PathBuf = match store.driver.as_str() {
        "overlay2" | "fuse-overlayfs" => |driver, cache| driver.join(cache).join("diff"),
        "vfs" => |driver, cache| driver.join("dir").join(cache),
        other => return Err(gap(Reason::unsupported(format!("layers of the storage driver {other} cannot be read")))),
    };
    let mut directories = Vec::new();
    let mut chain = String::new();
    for layer in layers {
        let digest = layer.strip_prefix("sha256:").filter(|digest| digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(digest) = digest else { return Err(gap(Reason::malformed("the digest of a layer is not one"))) };
        chain = if chain.is_empty() { digest.to_owned() } else { hex(&Sha256::digest(format!("sha256:{chain} sha256:{digest}"))) };
        let path = store.root.join("image").join(&store.driver).join("layerdb/sha256").join(&chain).join("cache-id");
        let missing = || Gap::new(Origin::file(path.as_path()), Reason::unsupported("the layer is not where engines keep layers"));
        let cache = host.read(&path).into_result()?.ok_or_else(missing)?;
        let cache = String::from_utf8_lossy(&cache).trim().to_owned();
        if cache.is_empty() || !cache.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(Gap::new(Origin::file(path.as_path()), Reason::malformed("not the name of a directory")));
        }
        directories.push(inside(&store.root.join(&store.driver), &cache));
    }
    if store.driver == "vfs" {
        directories = directories.pop().into_iter().collect();
    }
    Ok(directories)
}

fn walk(host: &dyn Host, layer: &Path, entries: &mut usize) -> Result<Arc<[PathBuf]>, Gap> {
    let mut found = Vec::new();
    let mut left = vec![PathBuf::new()];
    while let Some(directory) = left.pop() {
        let path = layer.join(&directory);
        let gone = || Gap::new(Origin::file(path.as_path()), Reason::unsupported("the layer is not where engines keep layers"));
        let inside = match host.list(&path).into_result()? {
            Some(inside) => inside,
            None if directory.as_os_str().is_empty() => return Err(gone()),
            None => continue,
        };
        for entry in inside.iter() {
            *entries += 1;
            if *entries > MOST_ENTRIES {
                return Err(Gap::new(Origin::file(path.as_path()), Reason::TooLarge));
            }
            let name = directory.join(&entry.name);
            match entry.kind {
                FileKind::Directory => left.push(name),
                FileKind::File => {
                    let stat = host.lstat(&layer.join(&name)).into_result()?;
                    if stat.is_some_and(|stat| stat.mode.bits() & SET_ID != 0) {
                        found.push(name);
                    }
                }
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found.into())
}

/// Whether a later layer has something else at a path, or something that is no directory above it.
fn is_hidden(host: &dyn Host, file: &Path, above: &[PathBuf]) -> Result<bool, Gap> {
    for layer in above {
        for part in file.ancestors().filter(|part| !part.as_os_str().is_empty()) {
            let here = host.lstat(&layer.join(part)).into_result()?;
            if here.is_some_and(|stat| part == file || stat.kind != FileKind::Directory) {
                return Ok(true);
            }
            let parent = layer.join(part.parent().unwrap_or(Path::new("")));
            let removed = part.file_name().map(|name| parent.join(format!("{REMOVED}{}", name.to_string_lossy())));
            for mark in removed.into_iter().chain([parent.join(OPAQUE)]) {
                if host.lstat(&mark).into_result()?.is_some() {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn layer(digit: &str) -> String {
        format!("sha256:{}", digit.repeat(64))
    }

    /// Two layers: the lower one with set-uid files, the upper one hiding some of them.
    fn host(driver: &str) -> Memory {
        let second = hex(&Sha256::digest(format!("{} {}", layer("a"), layer("b"))));
        let db = format!("/d/image/{driver}/layerdb/sha256");
        Memory::new().file(&format!("{db}/{}/cache-id", "a".repeat(64)), "low").file(&format!("{db}/{second}/cache-id"), "high")
    }

    fn set_id(host: Memory, path: &str) -> Memory {
        host.file(path, "").owned(path, 0, 0, 0o4755)
    }

    fn files(host: &Memory, driver: &str) -> Fact<Vec<Text>> {
        let store = Store { root: "/d".into(), driver: driver.into() };
        Layers::default().setuid_files(host, &store, &[layer("a"), layer("b")])
    }

    #[test]
    fn later_layers_hide_what_they_replace_or_remove() {
        let low = "/d/overlay2/low/diff";
        let mut host = host("overlay2");
        for name in ["bin/su", "bin/mount", "usr/bin/passwd", "opt/tool/run", "srv/x", "etc/y"] {
            host = set_id(host, &format!("{low}/{name}"));
        }
        let high = "/d/overlay2/high/diff";
        let host = host
            .file(&format!("{high}/bin/su"), "")
            .node(&format!("{high}/opt/tool"), FileKind::Device, 0)
            .file(&format!("{high}/srv/.wh.x"), "")
            .file(&format!("{high}/etc/.wh..wh..opq"), "");
        let host = set_id(host, &format!("{high}/usr/local/bin/new"));
        let found = files(&host, "overlay2");
        let found: Vec<_> = found.known().unwrap().iter().map(Text::raw).collect();
        assert_eq!(found, ["/bin/mount", "/usr/bin/passwd", "/usr/local/bin/new"]);
    }

    #[test]
    fn a_driver_that_copies_has_everything_in_the_last_layer() {
        let host = set_id(set_id(host("vfs"), "/d/vfs/dir/low/bin/su"), "/d/vfs/dir/high/bin/ping");
        assert_eq!(files(&host, "vfs").known().unwrap().len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_a_gap() {
        assert!(matches!(files(&host("btrfs"), "btrfs"), Fact::Unknown(Gap { reason: Reason::Unsupported(_), .. })));
        assert!(matches!(files(&host("overlay2"), "overlay2"), Fact::Unknown(_)), "the directories are not there");
        let odd = Memory::new().file(&format!("/d/image/overlay2/layerdb/sha256/{}/cache-id", "a".repeat(64)), "../../etc");
        assert!(matches!(files(&odd, "overlay2"), Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
    }
}
