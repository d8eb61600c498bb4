use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;
use crate::host::FileKind;

struct Made {
    _scratch: tempfile::TempDir,
    path: PathBuf,
}

impl Made {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().canonicalize().unwrap();
        fs::create_dir(path.join("root")).unwrap();
        Self { _scratch: scratch, path }
    }

    fn file(self, path: &str, content: &str) -> Self {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self
    }

    fn link(self, path: &str, target: &str) -> Self {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
        self
    }

    fn open(&self) -> Root {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> Result<Root, Error> {
        Root::open(&self.path.join("root"), DateTime::UNIX_EPOCH)
    }

    fn error(self, description: &str) -> String {
        let made = self.file("host.toml", description);
        let error = made.try_open().err().unwrap().to_string();
        error.replace(&*made.path.to_string_lossy(), "")
    }
}

fn text(fact: Fact<Arc<[u8]>>) -> String {
    match fact {
        Fact::Known(content, _) => String::from_utf8_lossy(&content).into_owned(),
        Fact::Absent(_) => "absent".into(),
        Fact::Unknown(gap) => gap.reason.to_string(),
    }
}

fn read(host: &Root, path: &str) -> String {
    text(host.read(Path::new(path)))
}

fn names(host: &Root, path: &str) -> Vec<String> {
    let list = host.list(Path::new(path)).into_result().unwrap().unwrap();
    list.iter().map(|entry| format!("{} {}", entry.name.to_string_lossy(), entry.kind.word())).collect()
}

#[test]
fn no_link_leads_out() {
    let made = Made::new()
        .file("outside/secret", "canary")
        .file("root/etc/passwd", "inside")
        .file("root/outside/secret", "inside too")
        .link("root/absolute", "/etc/passwd")
        .link("root/up", "../../../../outside/secret")
        .link("root/a/b/dir", "../../..")
        .link("root/proc/self/root", "/etc");
    let host = made.open();
    assert_eq!(read(&host, "/absolute"), "inside");
    assert_eq!(read(&host, "/up"), "inside too");
    assert_eq!(read(&host, "/a/b/dir/outside/secret"), "inside too");
    assert_eq!(read(&host, "/../../outside/secret"), "inside too");
    assert_eq!(read(&host, "/proc/self/root/passwd"), "inside");
    assert_eq!(host.resolve(Path::new("/a/b/dir/outside")).known(), Some(&PathBuf::from("/outside")));
    let outside = made.path.join("outside/secret");
    fs::remove_dir_all(made.path.join("root/outside")).unwrap();
    assert_eq!(text(host.read(&outside)), "absent");
    assert_eq!(read(&host, "/up"), "absent");
}

#[test]
fn what_only_a_running_host_knows_is_not_collected() {
    let made = Made::new().file("root/proc/mounts", "").file("root/etc/x", "").link("root/etc/mtab", "/proc/self/mounts");
    let host = made.open();
    for path in ["/proc/1/comm", "/sys/module/apparmor/parameters/enabled", "/etc/mtab"] {
        assert_eq!(read(&host, path), "not collected from this host", "{path}");
    }
    assert_eq!(read(&host, "/proc/mounts"), "");
    assert_eq!(read(&host, "/etc/none"), "absent");
    assert!(matches!(host.list(Path::new("/proc")), Fact::Unknown(_)), "no processes are no list of processes");
    assert_eq!(text(host.engine(Path::new("/run/docker.sock"), &Route::Info)), "not collected from this host");
    assert_eq!(text(host.audit_rules()), "not collected from this host");
    assert!(matches!(host.process_links(1), Fact::Unknown(_)));
    assert_eq!(host.now(), DateTime::UNIX_EPOCH);
    assert!(host.identity().source.raw().ends_with("/root"));
}

#[test]
fn a_description_says_what_a_directory_cannot() {
    let made = Made::new()
        .file("root/etc/docker/daemon.json", "{}")
        .file("root/etc/shadow", "")
        .file("root/usr/bin/tool", "")
        .file("root/etc/hostname", "in-file\n")
        .link("root/var/run", "/run")
        .file(
            "host.toml",
            r#"
            format = 1
            now = 2026-01-31T12:00:00Z
            running = true
            owned_by_root = true
            identity = { os = "Debian GNU/Linux 12", booted = 2026-01-31T11:00:00Z }
            audit_rules = { hex = "01 02\nff" }
            [[file]]
            path = "/etc/**"
            group = 4
            [[file]]
            path = "/etc/shadow"
            mode = "0640"
            group = 42
            [[file]]
            path = "/var/run/docker.sock"
            group = 998
            [[file]]
            path = "/proc/1/comm"
            content = "systemd\n"
            [[file]]
            path = "/etc/localtime"
            target = "../usr/bin/tool"
            [[file]]
            path = "/root"
            gap = "denied"
            [[file]]
            path = "/etc/hidden/deep"
            kind = "absent"
            [[file]]
            path = "/big"
            size = 99999999
            [[engine]]
            socket = "/run/docker.sock"
            [[process]]
            pid = 1
            exe = "/usr/lib/systemd/systemd"
            namespaces = { net = 7 }
            [[process]]
            pid = 2
            gap = "denied"
            "#,
        );
    fs::set_permissions(made.path.join("root/usr/bin/tool"), fs::Permissions::from_mode(0o775)).unwrap();
    let host = made.open();
    let stat = |path: &str| host.stat(Path::new(path)).into_result().unwrap().unwrap();
    let owners = |path: &str| (stat(path).uid, stat(path).gid, stat(path).mode.to_string());
    assert_eq!(owners("/etc/docker/daemon.json"), (0, 4, "0644".into()));
    assert_eq!(owners("/etc/shadow"), (0, 42, "0640".into()));
    assert_eq!(owners("/usr/bin/tool"), (0, 0, "0755".into()));
    assert_eq!(owners("/etc/localtime"), (0, 0, "0755".into()));
    assert_eq!(owners("/run/docker.sock"), (0, 998, "0660".into()));
    assert_eq!(stat("/run/docker.sock").kind, FileKind::Socket);
    assert_eq!(stat("/etc/shadow").modified, host.now().timestamp());
    assert_eq!(read(&host, "/proc/1/comm"), "systemd\n");
    assert_eq!(read(&host, "/proc/2/comm"), "absent", "the host runs");
    assert_eq!(read(&host, "/root/.docker/config.json"), "permission denied");
    assert_eq!(read(&host, "/etc/hidden/deep"), "absent");
    assert_eq!(read(&host, "/big"), "larger than what is read");
    assert_eq!(names(&host, "/proc"), ["1 directory"]);
    assert_eq!(names(&host, "/run"), ["docker.sock socket"]);
    assert_eq!(
        names(&host, "/"),
        ["big file", "etc directory", "proc directory", "root other", "run directory", "usr directory", "var directory"]
    );
    assert_eq!(host.link(Path::new("/etc/localtime")).known(), Some(&PathBuf::from("../usr/bin/tool")));
    assert_eq!(host.audit_rules().known().map(|rules| rules.to_vec()), Some(vec![1, 2, 255]));
    assert_eq!(host.process_links(1).known().map(|links| links.namespaces.clone()), Some(vec![("net".into(), 7)]));
    assert!(matches!(host.process_links(2), Fact::Unknown(Gap { reason: Reason::Denied, .. })));
    let identity = host.identity();
    assert_eq!((identity.name.raw(), identity.os.raw()), ("in-file", "Debian GNU/Linux 12"));
    assert_eq!(identity.booted, Some(host.now().timestamp() - 3600));
}

#[test]
fn engines_answer_from_their_folder() {
    let id = "ab".repeat(32);
    let made = Made::new()
        .link("root/var/run", "/run")
        .file("engine/info.json", r#"{"Name":"h"}"#)
        .file("engine/containers/web.json", &format!(r#"{{"Id":"{id}","Name":"/web","State":{{"Status":"running"}}}}"#))
        .file("host.toml", "format = 1\n[[engine]]\nsocket = \"/run/docker.sock\"\ngap = { version = \"timed_out\" }\n");
    let host = made.open();
    let ask = |route| text(host.engine(Path::new("/var/run/docker.sock"), &route));
    assert_eq!(ask(Route::Ping), "OK");
    assert_eq!(ask(Route::Info), r#"{"Name":"h"}"#);
    assert_eq!(ask(Route::Version), "timed out");
    assert_eq!(ask(Route::Images), "not collected from this host");
    let listed: serde_json::Value = serde_json::from_str(&ask(Route::Containers)).unwrap();
    assert_eq!(listed.pointer("/0/Names/0").unwrap(), "/web");
    assert_eq!(listed.pointer("/0/State").unwrap(), "running");
    let web = crate::host::engine::Id::parse(&id).unwrap();
    assert!(ask(Route::Container(web)).contains("/web"));
    assert_eq!(ask(Route::Image(web)), "absent");
}

#[test]
fn links_may_loop() {
    let made = Made::new().link("root/a", "b").link("root/b", "a").file("host.toml", "format = 1\n");
    let host = made.open();
    assert_eq!(read(&host, "/a"), "not understood: too many symbolic links");
    assert_eq!(host.lstat(Path::new("/a")).known().map(|stat| stat.kind), Some(FileKind::Link));
}

#[test]
fn errors_say_where() {
    assert_eq!(Made::new().error("format = 2\n"), "/host.toml:1:10: format 2 is not known to this version, which reads format 1");
    assert_eq!(Made::new().error("format = 1\nrunnin = true\n").split(": ").next(), Some("/host.toml:2:1"));
    assert_eq!(Made::new().error("format = 1\n[[file]]\npath = \"etc\"\n"), "/host.toml:3:8: paths on the host begin with `/`");
    assert_eq!(
        Made::new().error("format = 1\n[[file]]\npath = \"/x\"\nmode = \"rw\"\n"),
        "/host.toml:4:8: a mode is three or four octal digits"
    );
    assert_eq!(
        Made::new().error("format = 1\n[[file]]\npath = \"/etc/*\"\ncontent = \"\"\n"),
        "/host.toml:3:9: /etc/*: a glob can change only `owner`, `group`, `mode` and `modified`"
    );
    assert_eq!(
        Made::new().error("format = 1\nnow = 2026-01-01\n"),
        "/host.toml:2:7: needs a date, a time and an offset, such as 2026-01-31T12:00:00Z"
    );
    assert_eq!(
        Made::new().file("engine/images/x.json", "{}").error("format = 1\n[[engine]]\nsocket = \"/run/docker.sock\"\n"),
        "/engine/images/x.json:1:1: needs a member `Id` of 64 hexadecimal digits"
    );
    assert!(Root::open(Path::new("/nowhere/at/all"), DateTime::UNIX_EPOCH).err().unwrap().to_string().starts_with("cannot open"));
}

#[test]
fn a_description_anybody_may_write_is_refused() {
    let made = Made::new().file("host.toml", "format = 1\n");
    fs::set_permissions(made.path.join("host.toml"), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(made.try_open(), Err(Error::Untrusted { .. })));
}
