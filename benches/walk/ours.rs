//! The walk of plimsoll by itself: `ours DIRECTORY THREADS [all]` looks for set-id files below a directory; with `all` it asks for the
//! metadata of directories and of everything else as well, as the audit of a whole host does.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a program to measure with")]

use std::sync::Arc;
use std::time::Duration;

use plimsoll::host::FileKind;
use plimsoll::host::walk::{Start, Walk, in_threads};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (Some(path), Some(threads)) = (arguments.first(), arguments.get(1)) else { return };
    let mut kinds = vec![FileKind::File];
    if arguments.get(2).is_some() {
        kinds.extend([FileKind::Directory, FileKind::Socket, FileKind::Fifo, FileKind::Device]);
    }
    let walk = Walk {
        starts: vec![Start { path: path.into(), mounted: None }],
        left_out: Vec::new(),
        apart: Vec::new(),
        kinds,
        judge: Arc::new(|met| u8::from(met.kind == FileKind::File && met.mode.bits() & 0o6000 != 0)),
        most: 1000,
        threads: threads.parse().unwrap(),
        patience: Duration::from_secs(5),
        until: None,
    };
    let walked = in_threads(&walk, Vec::new());
    println!("{} set-id of {} names in {} directories", walked.found[0].total(), walked.names, walked.directories);
}
