//! This machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::broker::Broker;
use super::busy::{Busy, InFlight};
use super::engine::{self, Route};
use super::tree::{Tree, fact};
use super::walk::{self, Start, Walk, Walked};
use super::{Entry, Host, Identity, Opened, ProcessLinks, Stat, identity, origin, tree};
use crate::fact::{Fact, Gap, Origin, Reason};

/// How many threads may ask. More than small machines have processors: they mostly wait for an engine.
const ASKING: usize = 4;

/// The machine plimsoll runs on. Reads files itself; asks the supervisor what files do not tell.
pub struct Live {
    tree: Tree,
    broker: Box<dyn Broker>,
    now: DateTime<Utc>,
    named_engines: Vec<PathBuf>,
    busy: Busy,
}

impl Live {
    /// This machine at a time, asking a supervisor through `broker`. Errors where not even `/` can be opened.
    pub fn new(broker: Box<dyn Broker>, now: DateTime<Utc>) -> std::io::Result<Self> {
        Ok(Self { tree: Tree::open(Path::new("/"), true)?, broker, now, named_engines: Vec::new(), busy: Busy::default() })
    }

    /// With engines on these sockets too.
    #[must_use]
    pub fn naming(self, named_engines: Vec<PathBuf>) -> Self {
        Self { named_engines, ..self }
    }
}

impl Host for Live {
    fn read(&self, path: &Path) -> Fact<Arc<[u8]>> {
        let _look = self.busy.begin(path);
        fact(self.tree.read(path), origin(path))
    }

    fn open(&self, path: &Path) -> Fact<Arc<Opened>> {
        let _look = self.busy.begin(path);
        fact(self.tree.open_file(path).map(Arc::new), origin(path))
    }

    fn stat(&self, path: &Path) -> Fact<Stat> {
        let _look = self.busy.begin(path);
        fact(self.tree.stat(path, true), Origin::stat(path))
    }

    fn lstat(&self, path: &Path) -> Fact<Stat> {
        let _look = self.busy.begin(path);
        fact(self.tree.stat(path, false), Origin::stat(path))
    }

    fn link(&self, path: &Path) -> Fact<PathBuf> {
        let _look = self.busy.begin(path);
        fact(self.tree.link(path), origin(path))
    }

    fn resolve(&self, path: &Path) -> Fact<PathBuf> {
        let _look = self.busy.begin(path);
        fact(self.tree.resolve(path), origin(path))
    }

    fn list(&self, path: &Path) -> Fact<Arc<[Entry]>> {
        let _look = self.busy.begin(path);
        fact(self.tree.list(path), origin(path))
    }

    fn walk(&self, walk: &Walk) -> Walked {
        let own = tree::mounted();
        // A process may see other mounts than the host has: what is not the same file system is not looked at in its place.
        let unseen = |start: &Start| {
            let (number, root) = start.mounted.as_ref()?;
            let same = own.iter().any(|mount| mount.point == start.path && mount.number == *number && mount.root == *root);
            let reason = || Reason::unsupported("this process does not see what the host has mounted there");
            (!same).then(|| (start.path.clone(), reason()))
        };
        let lost = walk.starts.iter().filter_map(unseen).collect();
        let mut walk = walk.clone();
        walk.left_out.extend(own.into_iter().map(|mount| mount.point));
        walk::in_threads(&walk, lost)
    }

    fn engine(&self, socket: &Path, question: &Route) -> Fact<Arc<[u8]>> {
        let _look = self.busy.begin(socket);
        match self.broker.engine(socket, question) {
            Fact::Known(raw, origin) => match engine::body(&raw) {
                Ok(Some(body)) => Fact::Known(body.into(), origin),
                Ok(None) => Fact::Absent(origin),
                Err(reason) => Fact::Unknown(Gap::new(origin, reason)),
            },
            // Without a socket nobody was asked; what an engine says is not there is another thing.
            Fact::Absent(origin) => Fact::Unknown(Gap::new(origin, Reason::Unreachable)),
            Fact::Unknown(gap) => Fact::Unknown(gap),
        }
    }

    fn audit_rules(&self) -> Fact<Arc<[u8]>> {
        self.broker.audit_rules()
    }

    fn packet_filter(&self) -> Fact<Arc<[u8]>> {
        self.broker.packet_filter()
    }

    fn socket_owners(&self) -> Fact<Arc<[u8]>> {
        self.broker.socket_owners()
    }

    fn deleted_code(&self) -> Fact<Arc<[u8]>> {
        self.broker.deleted_code()
    }

    fn process_links(&self, pid: i32) -> Fact<ProcessLinks> {
        self.broker.process_links(pid)
    }

    fn now(&self) -> DateTime<Utc> {
        self.now
    }

    fn identity(&self) -> Identity {
        identity::of_this_machine(self)
    }

    fn named_engines(&self) -> &[PathBuf] {
        &self.named_engines
    }

    fn parallelism(&self) -> usize {
        ASKING
    }

    fn in_flight(&self) -> Vec<InFlight> {
        self.busy.now()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, OpenOptions};
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::host::FileKind;

    struct Supervisor;

    impl Broker for Supervisor {
        fn engine(&self, socket: &Path, question: &Route) -> Fact<Arc<[u8]>> {
            let origin = Origin::engine(socket, question.to_string());
            match question {
                Route::Ping => Fact::Known(Arc::from(*b"HTTP/1.0 200 OK\r\n\r\nOK"), origin),
                Route::Volumes => Fact::Known(Arc::from(*b"HTTP/1.0 404 Not Found\r\n\r\n{}"), origin),
                _ => Fact::Unknown(Gap::new(origin, Reason::Unreachable)),
            }
        }

        fn audit_rules(&self) -> Fact<Arc<[u8]>> {
            Fact::Unknown(Gap::new(Origin::kernel("audit rules"), Reason::Denied))
        }

        fn process_links(&self, pid: i32) -> Fact<ProcessLinks> {
            Fact::Absent(Origin::kernel(format!("/proc/{pid}")))
        }
    }

    fn live() -> Live {
        Live::new(Box::new(Supervisor), DateTime::UNIX_EPOCH).unwrap()
    }

    /// A directory without links in its own path.
    fn scratch() -> (tempfile::TempDir, PathBuf) {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().canonicalize().unwrap();
        (scratch, path)
    }

    fn reason<T>(fact: Fact<T>) -> String {
        match fact {
            Fact::Known(..) => "known".into(),
            Fact::Absent(_) => "absent".into(),
            Fact::Unknown(gap) => gap.reason.to_string(),
        }
    }

    #[test]
    fn files_are_read_and_described() {
        let (_scratch, dir) = scratch();
        fs::write(dir.join("b"), "text").unwrap();
        fs::write(dir.join("a"), "").unwrap();
        fs::set_permissions(dir.join("b"), fs::Permissions::from_mode(0o4640)).unwrap();
        symlink("b", dir.join("c")).unwrap();
        let host = live();
        assert_eq!(host.read(&dir.join("c")).known().map(|content| content.to_vec()), Some(b"text".to_vec()));
        assert_eq!(host.read(&dir.join("a")).known().map(|content| content.len()), Some(0));
        let stat = host.stat(&dir.join("c")).known().cloned().unwrap();
        assert_eq!((stat.kind, stat.mode.bits(), stat.size), (FileKind::File, 0o4640, 4));
        assert_eq!(host.lstat(&dir.join("c")).known().map(|stat| stat.kind), Some(FileKind::Link));
        assert_eq!(host.link(&dir.join("c")).known(), Some(&PathBuf::from("b")));
        assert_eq!(reason(host.link(&dir.join("b"))), "absent");
        assert_eq!(host.resolve(&dir.join("c")).known(), Some(&dir.join("b")));
        assert_eq!(host.resolve(&dir.join("./x/../c")).known(), None, "x is not there");
        let names: Vec<_> = host.list(&dir).known().unwrap().iter().map(|e| (e.name.clone(), e.kind)).collect();
        assert_eq!(names, [("a".into(), FileKind::File), ("b".into(), FileKind::File), ("c".into(), FileKind::Link)]);
        for missing in ["nothing", "b/below", "nothing/below"] {
            assert_eq!(reason(host.read(&dir.join(missing))), "absent");
            assert_eq!(reason(host.stat(&dir.join(missing))), "absent");
        }
        assert_eq!(reason(host.list(&dir.join("b"))), "absent");
        assert_eq!(reason(host.read(&dir)), "is a directory, not a regular file");
        assert_eq!(reason(host.read(Path::new("relative"))), "not understood: not an absolute path");
    }

    #[test]
    fn a_writer_waiting_at_a_fifo_goes_on_waiting() {
        let (_scratch, dir) = scratch();
        let fifo = dir.join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let writer = {
            let fifo = fifo.clone();
            std::thread::spawn(move || OpenOptions::new().write(true).open(fifo).unwrap())
        };
        std::thread::sleep(std::time::Duration::from_millis(50));
        let host = live();
        assert_eq!(reason(host.read(&fifo)), "is a fifo, not a regular file");
        assert_eq!(host.stat(&fifo).known().map(|stat| stat.kind), Some(FileKind::Fifo));
        assert_eq!(reason(host.list(&fifo)), "absent");
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(!writer.is_finished(), "the writer was let through");
        let reader = OpenOptions::new().read(true).custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits()).open(&fifo).unwrap();
        writer.join().unwrap();
        drop(reader);
    }

    #[test]
    fn sockets_and_devices_are_not_opened() {
        let (_scratch, dir) = scratch();
        let _listener = UnixListener::bind(dir.join("socket")).unwrap();
        assert_eq!(reason(live().read(&dir.join("socket"))), "is a socket, not a regular file");
        assert_eq!(reason(live().read(Path::new("/dev/null"))), "is a device, not a regular file");
    }

    #[test]
    fn what_is_too_large_is_not_read() {
        let (_scratch, dir) = scratch();
        let sparse = dir.join("sparse");
        File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(reason(live().read(&sparse)), "larger than what is read");
        assert_eq!(live().stat(&sparse).known().map(|stat| stat.size), Some(1 << 40));
    }

    #[test]
    fn links_are_followed_as_often_as_the_kernel_does() {
        let (_scratch, dir) = scratch();
        fs::write(dir.join("0"), "end").unwrap();
        for n in 1..=41 {
            symlink((n - 1).to_string(), dir.join(n.to_string())).unwrap();
        }
        symlink("loop", dir.join("loop")).unwrap();
        symlink(dir.join("nowhere"), dir.join("dangling")).unwrap();
        let host = live();
        assert_eq!(reason(host.read(&dir.join("40"))), "known");
        assert_eq!(reason(host.read(&dir.join("41"))), "not understood: too many symbolic links");
        assert_eq!(reason(host.read(&dir.join("loop"))), "not understood: too many symbolic links");
        assert_eq!(reason(host.lstat(&dir.join("loop"))), "known");
        assert_eq!(reason(host.stat(&dir.join("dangling"))), "absent");
        assert!(fs::read(dir.join("41")).is_err(), "neither does the kernel");
    }

    #[test]
    fn parents_of_links_are_those_of_their_targets() {
        let (_scratch, dir) = scratch();
        fs::create_dir_all(dir.join("real/deep")).unwrap();
        fs::write(dir.join("real/x"), "").unwrap();
        symlink("real/deep", dir.join("short")).unwrap();
        assert_eq!(live().resolve(&dir.join("short/../x")).known(), Some(&dir.join("real/x")));
        assert_eq!(live().resolve(Path::new("/../..")).known(), Some(&PathBuf::from("/")));
    }

    #[test]
    fn what_may_not_be_read_is_denied_not_absent() {
        let (_scratch, dir) = scratch();
        fs::write(dir.join("closed"), "").unwrap();
        fs::set_permissions(dir.join("closed"), fs::Permissions::from_mode(0o000)).unwrap();
        if rustix::process::geteuid().is_root() {
            return; // Root reads everything.
        }
        assert_eq!(reason(live().read(&dir.join("closed"))), "permission denied");
    }

    #[test]
    fn the_kernels_files_are_read_but_no_process_is_entered() {
        let host = live();
        assert!(host.read(Path::new("/proc/self/status")).known().is_some_and(|content| !content.is_empty()));
        assert_eq!(*host.read(Path::new("/proc/self/status")).origin(), Origin::kernel("/proc/self/status"));
        assert_eq!(reason(host.read(Path::new("/proc/self/root/etc/passwd"))), "leads through a link of a process");
        assert_eq!(reason(host.stat(Path::new("/proc/self/fd/0"))), "leads through a link of a process");
        assert_eq!(reason(host.read(Path::new("/proc/self/pagemap"))), "reading it would disturb the host");
    }

    #[test]
    fn file_systems_that_may_not_answer_are_left_alone() {
        let (_scratch, dir) = scratch();
        fs::create_dir(dir.join("nfs")).unwrap();
        fs::write(dir.join("nfs/x"), "").unwrap();
        symlink("nfs/x", dir.join("link")).unwrap();
        let remote = [(dir.join("nfs"), "nfs4".into()), ("/".into(), "9p".into())];
        let tree = Tree::open(Path::new("/"), true).unwrap().without(remote);
        let host = Live { tree, broker: Box::new(Supervisor), now: DateTime::UNIX_EPOCH, named_engines: Vec::new(), busy: Busy::default() };
        for path in ["nfs/x", "link", "nfs/../nfs/x"] {
            assert_eq!(reason(host.read(&dir.join(path))), "is on a file system that may not answer: nfs4");
        }
        assert_eq!(reason(host.list(&dir.join("nfs"))), "is on a file system that may not answer: nfs4");
        assert_eq!(reason(host.stat(&dir.join("nfs"))), "known");
    }

    #[test]
    fn engines_are_asked_through_the_supervisor() {
        let host = live();
        let socket = Path::new("/run/docker.sock");
        assert_eq!(host.engine(socket, &Route::Ping).known().map(|body| body.to_vec()), Some(b"OK".to_vec()));
        assert_eq!(reason(host.engine(socket, &Route::Volumes)), "absent");
        assert_eq!(reason(host.engine(socket, &Route::Info)), "nothing answers");
    }

    #[test]
    fn nothing_is_left_in_flight() {
        let host = live();
        let _ = host.read(Path::new("/nowhere"));
        assert!(host.in_flight().is_empty());
        assert_eq!(host.parallelism(), ASKING);
    }
}
