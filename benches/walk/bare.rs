//! The least a walk can do: `bare DIRECTORY THREADS` reads directories and asks for the mode of every regular file, and that is all. No
//! path is known, no mount is noticed, memory grows with the tree, and nothing stuck is ever given up.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods, missing_docs, reason = "a program to measure with")]

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, StatxFlags, openat, statx};

type Waiting = (Arc<OwnedFd>, CString);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (Some(path), Some(threads)) = (arguments.first(), arguments.get(1)) else { return };
    let threads: usize = threads.parse().unwrap();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let root = Arc::new(openat(rustix::fs::CWD, path.as_str(), flags, Mode::empty()).unwrap());
    // Directories that any thread may take, and how many threads are not waiting for one.
    let queue: Mutex<(Vec<Waiting>, usize)> = Mutex::new((vec![(root, c".".into())], 0));
    let (news, set_id, names) = (Condvar::new(), AtomicU64::new(0), AtomicU64::new(0));
    let work = || {
        let (mut buffer, mut local): (Vec<u8>, Vec<Waiting>) = (Vec::with_capacity(64 * 1024), Vec::new());
        let (mut found, mut seen) = (0, 0);
        loop {
            let next = local.pop().or_else(|| {
                let mut shared = queue.lock().unwrap();
                loop {
                    if let Some(next) = shared.0.pop() {
                        shared.1 += 1;
                        return Some(next);
                    }
                    if shared.1 == 0 {
                        news.notify_all();
                        return None;
                    }
                    shared = news.wait(shared).unwrap();
                }
            });
            let Some((parent, name)) = next else { break };
            if let Ok(fd) = openat(&*parent, name.as_c_str(), flags, Mode::empty()).map(Arc::new) {
                let mut entries = RawDir::new(&*fd, buffer.spare_capacity_mut());
                while let Some(Ok(entry)) = entries.next() {
                    let name = entry.file_name();
                    match entry.file_type() {
                        _ if name == c"." || name == c".." => continue,
                        FileType::Directory => local.push((fd.clone(), name.to_owned())),
                        FileType::RegularFile => {
                            let meta = statx(&*fd, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_DONT_SYNC, StatxFlags::MODE);
                            found += u64::from(meta.is_ok_and(|meta| meta.stx_mode & 0o6000 != 0));
                        }
                        _ => {}
                    }
                    seen += 1;
                }
            }
            let mut shared = queue.lock().unwrap();
            if threads > 1 && local.len() > 4 && shared.0.len() < 16 {
                let half = local.len() / 2;
                shared.0.extend(local.drain(..half));
                news.notify_all();
            }
            if local.is_empty() {
                shared.1 -= 1;
                news.notify_all();
            }
        }
        set_id.fetch_add(found, Ordering::Relaxed);
        names.fetch_add(seen, Ordering::Relaxed);
    };
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    println!("{} set-id of {} names", set_id.into_inner(), names.into_inner());
}
