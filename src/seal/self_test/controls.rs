//! What a sealed worker must be able to do.

use std::fs;
use std::io;
use std::panic;
use std::path::Path;
use std::thread;

use super::{Act, Ground, allowed};
use crate::fact::{Fact, Gap, Reason};
use crate::host::broker::Broker as _;
use crate::host::engine::Route;

/// What is tried.
pub(super) const ACTS: &[Act] = &[
    allowed("read a file", |on| match fs::read(on.at("file"))?.as_slice() {
        b"untouched" => Ok(()),
        _ => Err(io::Error::other("the file was changed")),
    }),
    allowed("read /etc/passwd", |_| fs::read("/etc/passwd").map(drop)),
    allowed("list a directory", |_| fs::read_dir("/etc")?.try_for_each(|entry| entry.map(drop))),
    allowed("look at a file's metadata", |on| fs::symlink_metadata(on.at("file")).map(drop)),
    allowed("resolve a path", |_| fs::canonicalize("/proc/self/root/etc").map(drop)),
    allowed("read what process 1 tells everybody", |_| fs::read("/proc/1/stat").map(drop)),
    allowed("read a kernel parameter", |_| fs::read("/proc/sys/kernel/ostype").map(drop)),
    allowed("start threads", |_| {
        let threads: Vec<_> =
            (0..4).map(|number| thread::Builder::new().spawn(move || vec![number; 4096].len())).collect::<Result<_, _>>()?;
        threads.into_iter().try_for_each(|thread| thread.join().map(drop).map_err(|_| io::Error::other("a thread ended badly")))
    }),
    allowed("survive a panic", |_| match panic::catch_unwind(panics) {
        Err(_) => Ok(()),
        Ok(()) => Err(io::Error::other("nothing happened")),
    }),
    allowed("use a lot of memory", |_| {
        let mut bytes = Vec::new();
        (0..64).for_each(|megabyte: u8| bytes.resize(bytes.len() + 1024 * 1024, megabyte));
        bytes.iter().all(|byte| *byte < 64).then_some(()).ok_or_else(|| io::Error::other("memory does not hold"))
    }),
    allowed("ask for the links of a process", |on| match on.broker.process_links(own_parent()?) {
        Fact::Known(links, _) if links.exe.is_some() && links.namespaces.len() >= 6 => Ok(()),
        other => Err(io::Error::other(format!("{other:?}"))),
    }),
    allowed("ask for the audit rules", |on| match on.broker.audit_rules() {
        // Not everybody may know, and not every kernel has any.
        Fact::Unknown(gap) if !matches!(gap.reason, Reason::Denied | Reason::Unsupported(_)) => Err(io::Error::other(gap.to_string())),
        _ => Ok(()),
    }),
    allowed("ask for the packet filter", |on| match on.broker.packet_filter() {
        Fact::Unknown(gap) if !matches!(gap.reason, Reason::Denied | Reason::Unsupported(_)) => Err(io::Error::other(gap.to_string())),
        _ => Ok(()),
    }),
    allowed("ask who holds which sockets", |on| match on.broker.socket_owners() {
        Fact::Known(..) => Ok(()),
        other => Err(io::Error::other(format!("{other:?}"))),
    }),
    allowed("ask who runs code whose file is gone", |on| match on.broker.deleted_code() {
        Fact::Known(..) => Ok(()),
        other => Err(io::Error::other(format!("{other:?}"))),
    }),
    allowed("ask an engine that is not there", |on| match on.broker.engine(Path::new("/nowhere/docker.sock"), &Route::Ping) {
        Fact::Absent(_) | Fact::Unknown(Gap { reason: Reason::Unreachable, .. }) => Ok(()),
        other => Err(io::Error::other(format!("{other:?}"))),
    }),
    allowed("ask from many threads", many),
];

#[expect(clippy::panic, reason = "surviving it is what is tried")]
fn panics() {
    panic!("on purpose");
}

fn own_parent() -> io::Result<i32> {
    rustix::process::getppid().map(rustix::process::Pid::as_raw_pid).ok_or_else(|| io::Error::other("no parent"))
}

/// More questions at a time than may be open.
fn many(on: &Ground<'_>) -> io::Result<()> {
    let parent = own_parent()?;
    thread::scope(|scope| {
        let asking: Vec<_> = (0..50).map(|_| scope.spawn(|| on.broker.process_links(parent).known().is_some())).collect();
        asking.into_iter().try_for_each(|asked| match asked.join() {
            Ok(true) => Ok(()),
            _ => Err(io::Error::other("a question was not answered")),
        })
    })
}
