//! A host of its own for a test: namespaces with their own processes, network, `/etc`, `/run` and `/var/lib`.
//!
//! Nothing else on the machine is seen from in there, and nothing in there is seen outside. It ends, with every process
//! and mount in it, when the pipe to its keeper closes: by `Drop`, and also when the test is killed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Such a host.
pub(crate) struct Host {
    keeper: Child,
    /// Process id of its first process, outside.
    init: String,
    dir: PathBuf,
    cgroup: String,
}

impl Host {
    pub(crate) fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let cgroup = format!("plimsoll-live-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().canonicalize().unwrap().join(&cgroup);
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("keeper.sh"), include_str!("keeper.sh")).unwrap();
        fs::write(dir.join("init.sh"), include_str!("init.sh")).unwrap();
        let said = fs::File::create(dir.join("keeper.log")).unwrap();
        let keeper = Command::new("sh")
            .arg(dir.join("keeper.sh"))
            .arg(&dir)
            .arg(&cgroup)
            .stdin(Stdio::piped())
            .stdout(said.try_clone().unwrap())
            .stderr(said)
            // Ctrl-C is for the test; the keeper still has to clear up.
            .process_group(0)
            .spawn()
            .unwrap();
        let mut host = Self { keeper, init: String::new(), dir, cgroup };
        host.wait_until("the host is up", |host| host.dir.join("started").exists());
        host.init = fs::read_to_string(host.dir.join("started")).unwrap().trim().to_owned();
        host
    }

    /// A directory of the machine that belongs to this host, seen inside by the same name.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Name of the cgroup, below the root of each hierarchy, that is cleared up.
    pub(crate) fn cgroup(&self) -> &str {
        &self.cgroup
    }

    /// A command in the host.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.init, "--mount", "--net", "--pid", "--ipc", "--uts", "--wd=/", "--"]).arg(program);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a shell script in the host, which must succeed; what it prints.
    pub(crate) fn sh(&self, script: &str) -> String {
        done(self.command("sh").args(["-ec", script]))
    }

    /// Waits for something to become true, as long as the host lives.
    pub(crate) fn wait_until(&mut self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        let until = Instant::now() + Duration::from_secs(60);
        while !so(self) {
            let ended = self.keeper.try_wait().unwrap();
            if ended.is_some() || Instant::now() > until {
                let log = fs::read_to_string(self.dir.join("keeper.log")).unwrap_or_default();
                panic!("not so: {what} ({ended:?}) {log}");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Why no such host can be made here, as in a container that may not mount; `None` where one can.
pub(crate) fn hindrance() -> Option<String> {
    let scratch = tempfile::tempdir().unwrap();
    let script = "cd \"$1\"; mkdir upper work merged; mount -t proc proc /proc
        mount -t overlay overlay -o lowerdir=/etc,upperdir=upper,workdir=work merged";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "sh", "-ec", script, "sh"]).arg(scratch.path());
    let output = command.output().unwrap();
    (!output.status.success()).then(|| format!("no host of its own can be made: {}", words(&output).replace('\n', " ")))
}

/// Runs a command that must succeed; what it prints.
pub(crate) fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", words(&output));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// How a command ended and what it said.
pub(crate) fn words(output: &Output) -> String {
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    format!("{}\n{}\n{}", output.status, said(&output.stdout), said(&output.stderr))
}

/// Where a program is.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).map(|directory| directory.join(name)).find(|path| path.is_file())
}
