//! The walk of a host that is not this machine: one look after the other.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::places::Places;
use super::{DEEPEST, Hit, Met, Walk, Walked, bytes, too_deep};
use crate::fact::{Fact, Reason};
use crate::host::{FileKind, Host};

/// Walks by listing directories and looking at what is in them.
pub(in crate::host) fn walk<H: Host + ?Sized>(host: &H, walk: &Walk) -> Walked {
    let places = Places::new(walk.left_out.iter().map(PathBuf::as_path), walk.apart.iter().map(PathBuf::as_path));
    let mut walked = Walked::default();
    for (number, start) in walk.starts.iter().enumerate() {
        let mut waiting = vec![(start.path.clone(), places.start(&start.path))];
        while let Some((path, spot)) = waiting.pop() {
            if walk.until.is_some_and(|until| Instant::now() >= until) {
                walked.lose(&bytes(&path), Reason::TimedOut, walk.most);
                continue;
            }
            if path.components().count() > DEEPEST {
                walked.lose(&bytes(&path), too_deep(), walk.most);
                continue;
            }
            let kind = look(host, walk, number, &path, spot.apart, &mut walked);
            if kind != Some(FileKind::Directory) {
                continue;
            }
            match host.list(&path) {
                Fact::Known(entries, _) => {
                    walked.directories += 1;
                    walked.names += entries.len() as u64;
                    for entry in entries.iter().rev() {
                        let name = std::os::unix::ffi::OsStrExt::as_bytes(entry.name.as_os_str());
                        let Some(spot) = places.below(spot, name) else { continue };
                        if matches!(entry.kind, FileKind::Directory | FileKind::Other) {
                            waiting.push((path.join(&entry.name), spot));
                        } else if walk.kinds.contains(&entry.kind) {
                            look(host, walk, number, &path.join(&entry.name), spot.apart, &mut walked);
                        }
                    }
                }
                Fact::Absent(_) => {}
                Fact::Unknown(gap) => walked.lose(&bytes(&path), gap.reason, walk.most),
            }
        }
    }
    walked
}

/// Looks at one path, and says what it is.
fn look<H: Host + ?Sized>(host: &H, walk: &Walk, start: usize, path: &Path, apart: bool, walked: &mut Walked) -> Option<FileKind> {
    match host.lstat(path) {
        Fact::Known(stat, _) => {
            let met = Met { kind: stat.kind, mode: stat.mode, uid: stat.uid, gid: stat.gid, apart };
            if walk.kinds.contains(&stat.kind) {
                walked.hit((walk.judge)(&met), &bytes(path), b"", &Hit { met, start }, walk.most);
            }
            Some(stat.kind)
        }
        Fact::Absent(_) => None,
        Fact::Unknown(gap) => {
            walked.lose(&bytes(path), gap.reason, walk.most);
            None
        }
    }
}
