use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{Mode as OpenMode, OFlags};

use super::*;
use crate::host::memory::Memory;

/// Every regular file is of class 0, every directory of class 1.
fn everything(start: &Path, threads: usize) -> Walk {
    Walk {
        starts: vec![Start { path: start.to_owned(), mounted: None }],
        left_out: Vec::new(),
        apart: Vec::new(),
        kinds: vec![FileKind::File, FileKind::Directory],
        judge: Arc::new(|met| match met.kind {
            FileKind::File => 1,
            FileKind::Directory => 2,
            _ => 4,
        }),
        most: 1_000_000,
        threads,
        patience: Duration::from_secs(5),
        until: None,
    }
}

fn paths<T>(kept: &Kept<T>) -> BTreeSet<PathBuf> {
    kept.iter().map(|(path, _)| path.to_owned()).collect()
}

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().canonicalize().unwrap();
    (scratch, path)
}

/// Makes a directory in another, however deep, and opens it.
fn below(parent: &OwnedFd, name: &str) -> OwnedFd {
    rustix::fs::mkdirat(parent, name, OpenMode::RWXU).unwrap();
    rustix::fs::openat(parent, name, OFlags::RDONLY | OFlags::DIRECTORY, OpenMode::empty()).unwrap()
}

fn touch(parent: &OwnedFd, name: &str) {
    rustix::fs::openat(parent, name, OFlags::CREATE | OFlags::WRONLY, OpenMode::RUSR).unwrap();
}

/// Removes a tree that is too deep for paths.
struct Deep(PathBuf);

impl Drop for Deep {
    fn drop(&mut self) {
        std::process::Command::new("rm").arg("-rf").arg(&self.0).status().unwrap();
    }
}

#[test]
fn everything_is_found_once_by_any_number_of_threads() {
    let (_scratch, dir) = scratch();
    let (mut files, mut directories) = (BTreeSet::new(), BTreeSet::from([dir.clone()]));
    for i in 0..40 {
        let mut at = dir.join(format!("d{i}"));
        for j in 0..i % 9 {
            fs::create_dir_all(&at).unwrap();
            fs::write(at.join("file"), "").unwrap();
            files.insert(at.join("file"));
            directories.insert(at.clone());
            at.push(format!("{j}"));
        }
    }
    for threads in [1, 2, 7] {
        for _ in 0..20 {
            let walked = in_threads(&everything(&dir, threads), Vec::new());
            assert_eq!(paths(&walked.found[0]), files);
            assert_eq!(paths(&walked.found[1]), directories);
            assert_eq!(walked.lost.total(), 0);
            assert_eq!(walked.directories, directories.len() as u64);
            assert_eq!(walked.names, (files.len() + directories.len() - 1) as u64);
        }
    }
    let live = crate::host::root::Root::open(&dir, chrono::DateTime::UNIX_EPOCH).unwrap();
    let of_root = super::by_looks(&live, &everything(Path::new("/"), 1));
    assert_eq!(of_root.found[0].total(), files.len() as u64);
    assert_eq!(of_root.found[1].total(), directories.len() as u64);
}

#[test]
fn names_of_any_bytes_and_things_of_any_kind() {
    let (_scratch, dir) = scratch();
    let hostile: Vec<OsString> = [b"a\nb".as_slice(), b"\xff\xfe", b"\x1b[2J", b" ", b"...", b"-rf", "\u{202e}".as_bytes(), &[b'x'; 255]]
        .iter()
        .map(|name| OsStr::from_bytes(name).to_owned())
        .collect();
    for name in &hostile {
        fs::create_dir(dir.join(name)).unwrap();
        fs::write(dir.join(name).join(name), "").unwrap();
    }
    symlink(".", dir.join("loop")).unwrap();
    symlink("..", dir.join("up")).unwrap();
    symlink("/", dir.join("root")).unwrap();
    symlink("itself", dir.join("itself")).unwrap();
    nix::unistd::mkfifo(&dir.join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let _listener = UnixListener::bind(dir.join("socket")).unwrap();
    let walked = in_threads(&everything(&dir, 2), Vec::new());
    assert_eq!(paths(&walked.found[0]), hostile.iter().map(|name| dir.join(name).join(name)).collect());
    assert_eq!(walked.found[1].total(), hostile.len() as u64 + 1);
    assert_eq!((walked.found[2].total(), walked.lost.total()), (0, 0), "links, sockets and FIFOs are not even looked at");

    let kinds = vec![FileKind::Link, FileKind::Socket, FileKind::Fifo];
    let walked = in_threads(&Walk { kinds, ..everything(&dir, 2) }, Vec::new());
    assert_eq!(walked.found[2].total(), 6);
}

#[test]
fn depth_needs_no_descriptors_and_ends() {
    let (_scratch, dir) = scratch();
    let _deep = Deep(dir.join("deep"));
    // Each level has a directory that sorts either way, so that some wait at every level.
    let mut at = below(&rustix::fs::open(&dir, OFlags::DIRECTORY | OFlags::RDONLY, OpenMode::empty()).unwrap(), "deep");
    let levels = DEEPEST + 50;
    for level in 0..levels {
        drop(below(&at, "a"));
        drop(below(&at, "z"));
        if level % 100 == 0 {
            touch(&at, "file");
        }
        at = below(&at, "m");
    }
    let start = dir.join("deep");
    let reachable = DEEPEST + 1 - start.components().count();
    for threads in [1, 2] {
        let walked = in_threads(&Walk { most: 100, ..everything(&start, threads) }, Vec::new());
        // Every level that is reached has three directories; what is in the last is lost, and that is said.
        assert_eq!(walked.directories, 1 + 3 * reachable as u64);
        assert_eq!(walked.found[0].total(), reachable.div_ceil(100) as u64);
        assert_eq!(walked.lost.total(), 3);
    }
    let open = fs::read_dir("/proc/self/fd").unwrap().count();
    assert!(open < 200, "{open} descriptors are left open");
}

#[test]
fn many_names_in_one_directory_wait_in_little_memory() {
    let (_scratch, dir) = scratch();
    let name = |n: usize| format!("{n:05}{}", "x".repeat(200));
    for n in 0..6000 {
        fs::create_dir(dir.join(name(n))).unwrap();
    }
    for n in (0..6000).step_by(100) {
        fs::create_dir(dir.join(name(n)).join("in")).unwrap();
        File::create(dir.join(name(n)).join("in/file")).unwrap();
    }
    for threads in [1, 3] {
        let walked = in_threads(&everything(&dir, threads), Vec::new());
        assert_eq!((walked.found[0].total(), walked.found[1].total(), walked.lost.total()), (60, 6061, 0));
    }
}

#[test]
fn what_is_left_out_is_not_entered_and_what_is_apart_is_told() {
    let (_scratch, dir) = scratch();
    for path in ["out/in", "outer", "private/x", "a/out"] {
        fs::create_dir_all(dir.join(path)).unwrap();
        fs::write(dir.join(path).join("file"), "").unwrap();
    }
    fs::write(dir.join("a/file"), "").unwrap();
    let walk = Walk {
        left_out: vec![dir.join("out"), dir.join("a/file")],
        apart: vec![dir.join("private")],
        judge: Arc::new(|met| if met.kind == FileKind::File { 1 + u8::from(met.apart) } else { 0 }),
        ..everything(&dir, 2)
    };
    let found = |walked: &Walked, class: usize| {
        paths(&walked.found[class]).iter().map(|path| path.strip_prefix(&dir).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let walked = in_threads(&walk, Vec::new());
    assert_eq!(found(&walked, 0), [Path::new("a/out/file"), Path::new("outer/file")]);
    assert_eq!(found(&walked, 1), [Path::new("private/x/file")]);
    let single = Walk { starts: vec![Start { path: dir.join("a/file"), mounted: None }], ..walk };
    assert_eq!(found(&in_threads(&single, Vec::new()), 0), [Path::new("a/file")], "a file can be mounted on");
}

#[test]
fn what_cannot_be_entered_is_lost_and_the_rest_is_found() {
    let (_scratch, dir) = scratch();
    fs::create_dir_all(dir.join("closed/in")).unwrap();
    fs::create_dir_all(dir.join("open")).unwrap();
    fs::write(dir.join("open/file"), "").unwrap();
    fs::set_permissions(dir.join("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    let missing = Start { path: dir.join("missing"), mounted: None };
    let mut walk = everything(&dir, 2);
    walk.starts.push(missing);
    let walked = in_threads(&walk, Vec::new());
    fs::set_permissions(dir.join("closed"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(paths(&walked.found[0]), BTreeSet::from([dir.join("open/file")]));
    let lost: Vec<_> = walked.lost.iter().map(|(path, reason)| (path.to_owned(), reason.clone())).collect();
    if !rustix::process::geteuid().is_root() {
        assert_eq!(lost[0], (dir.join("closed"), Reason::Denied));
    }
    assert_eq!(lost.last().unwrap().0, dir.join("missing"));
}

#[test]
fn the_first_are_kept_and_the_others_counted() {
    let (_scratch, dir) = scratch();
    (0..50).for_each(|n| fs::write(dir.join(format!("{n:02}")), "").unwrap());
    let walked = in_threads(&Walk { most: 3, ..everything(&dir, 2) }, Vec::new());
    assert_eq!(paths(&walked.found[0]), [dir.join("00"), dir.join("01"), dir.join("02")].into());
    assert_eq!(walked.found[0].beyond(), 47);
}

#[test]
fn a_tree_that_changes_does_no_harm() {
    let (_scratch, dir) = scratch();
    for n in 0..30 {
        fs::create_dir_all(dir.join(format!("still/{n}/a/b"))).unwrap();
        fs::write(dir.join(format!("still/{n}/a/b/file")), "").unwrap();
        fs::create_dir_all(dir.join(format!("moving/{n}/a/b/c"))).unwrap();
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in (0..30).cycle().take_while(|_| !done.load(Ordering::Relaxed)) {
                let (here, there) = (dir.join(format!("moving/{n}")), dir.join(format!("moving/{}/a/b", (n + 1) % 30)));
                let _ = fs::rename(&here, there.join("moved"));
                let _ = fs::rename(there.join("moved"), &here);
                let _ = fs::remove_dir(here.join("a/b/c"));
                let _ = symlink("/", here.join("a/b/c"));
                let _ = fs::remove_file(here.join("a/b/c"));
                let _ = fs::create_dir(here.join("a/b/c"));
            }
        });
        for _ in 0..200 {
            let walked = in_threads(&everything(&dir, 2), Vec::new());
            assert_eq!(walked.found[0].total(), 30, "what stands still is found whatever moves");
            assert!(paths(&walked.found[1]).iter().all(|path| path.starts_with(&dir)), "no link is followed");
            assert_eq!(walked.lost.total(), 0, "a race is not a gap: {:?}", walked.lost);
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn when_time_is_up_what_was_found_is_given_and_the_rest_is_lost() {
    let (_scratch, dir) = scratch();
    (0..200).for_each(|n| fs::create_dir_all(dir.join(format!("{n}/a"))).unwrap());
    let slow = Walk {
        judge: Arc::new(|_| {
            std::thread::sleep(Duration::from_millis(2));
            1
        }),
        until: Some(Instant::now() + Duration::from_millis(60)),
        ..everything(&dir, 2)
    };
    let walked = in_threads(&slow, Vec::new());
    assert!(walked.found[0].total() > 1 && walked.found[0].total() < 401);
    assert!(walked.lost.total() > 0);
    assert!(walked.lost.iter().all(|(path, reason)| path.starts_with(&dir) && *reason == Reason::TimedOut));
}

#[test]
fn a_thread_that_is_stuck_is_left_behind_and_its_directory_named() {
    let (_scratch, dir) = scratch();
    for n in 0..20 {
        fs::create_dir_all(dir.join(format!("{n:02}/a"))).unwrap();
        fs::write(dir.join(format!("{n:02}/a/file")), "").unwrap();
    }
    fs::set_permissions(dir.join("07/a/file"), fs::Permissions::from_mode(0o4755)).unwrap();
    let walk = Walk {
        judge: Arc::new(|met| {
            // What a look at a dying disk is like.
            if met.mode.bits() & 0o4000 != 0 {
                std::thread::sleep(Duration::from_secs(2));
            }
            u8::from(met.kind == FileKind::File)
        }),
        patience: Duration::from_millis(300),
        ..everything(&dir, 2)
    };
    let began = Instant::now();
    let walked = in_threads(&walk, Vec::new());
    assert!(began.elapsed() < Duration::from_millis(1500));
    assert_eq!(walked.found[0].total(), 19);
    assert_eq!(
        walked.lost.iter().map(|(path, reason)| (path.to_owned(), reason.clone())).collect::<Vec<_>>(),
        [(dir.join("07/a"), Reason::TimedOut)]
    );
}

#[test]
fn a_mount_is_not_crossed_into() {
    // `/proc` and `/dev` are mounts wherever tests run; neither is given as left out.
    let judge: Judge = Arc::new(|met| u8::from(met.kind == FileKind::Directory));
    let shallow = Walk { judge, until: Some(Instant::now() + Duration::from_millis(300)), ..everything(Path::new("/"), 2) };
    let walked = in_threads(&shallow, Vec::new());
    assert!(!walked.found[0].iter().any(|(path, _)| path.starts_with("/proc/") || path == Path::new("/proc")));
}

#[test]
fn a_host_in_memory_is_walked_by_looking() {
    let host = Memory::new()
        .file("/a/file", "")
        .owned("/a/file", 7, 8, 0o4755)
        .file("/a/closed/file", "")
        .file("/out/file", "")
        .symlink("/link", "/a")
        .gap("/a/closed", Reason::Denied);
    let walk = Walk { left_out: vec!["/out".into()], ..everything(Path::new("/"), 1) };
    let walked = crate::host::Host::walk(&host, &walk);
    let (path, hit) = walked.found[0].iter().next().unwrap();
    assert_eq!((path, hit.met.uid, hit.met.mode.bits()), (Path::new("/a/file"), 7, 0o4755));
    assert_eq!(walked.found[0].total(), 1);
    assert_eq!(paths(&walked.found[1]), [PathBuf::from("/"), "/a".into()].into());
    assert_eq!(paths(&walked.lost), [PathBuf::from("/a/closed")].into());
}
