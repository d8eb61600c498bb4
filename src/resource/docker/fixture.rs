//! Made-up hosts with engines, for the tests of every resource about them.

use crate::host::engine::Route;
use crate::host::memory::Memory;
use crate::host::{FileKind, Identity};

/// A process as `/proc` shows it.
pub(in crate::resource) fn daemon(host: Memory, pid: i32, uid: u32, line: &str) -> Memory {
    let comm = line.split(' ').next().unwrap().rsplit('/').next().unwrap().to_owned();
    host.file(&format!("/proc/{pid}/comm"), format!("{comm}\n"))
        .file(&format!("/proc/{pid}/cmdline"), line.replace(' ', "\0") + "\0")
        .file(&format!("/proc/{pid}/status"), status(uid, &pid.to_string()))
        .file(&format!("/proc/{pid}/cgroup"), "0::/system.slice/docker.service\n")
        .file(&format!("/proc/{pid}/stat"), format!("{pid} (a) b) S 1{} 5000 0", " 0".repeat(17)))
        .named(Identity { booted: Some(1000), ..Identity::default() })
}

pub(in crate::resource) fn status(uid: u32, pids: &str) -> String {
    let ids = format!("{uid}\t{uid}\t{uid}\t{uid}");
    format!("Name:\tx\nPPid:\t1\nUid:\t{ids}\nGid:\t{ids}\nNSpid:\t{pids}\nCapEff:\t0\nCapBnd:\t0\n")
}

/// A socket of a user.
pub(in crate::resource) fn socket(host: Memory, path: &str, uid: u32) -> Memory {
    host.node(path, FileKind::Socket, 0o660).owned(path, uid, 0, 0o660)
}

/// What Docker 20.10 answers to `/info`, as far as facts are made of it.
pub(in crate::resource) const INFO: &str = r#"{"Containers":3,"ContainersRunning":1,"ContainersPaused":0,"ContainersStopped":2,"Images":2,"Driver":"overlay2",
"DriverStatus":null,"Plugins":{"Volume":["local"],"Network":["bridge"],"Authorization":null,"Log":["json-file"]},"Debug":false,
"LoggingDriver":"json-file","CgroupDriver":"cgroupfs","CgroupVersion":"1","RegistryConfig":{"InsecureRegistryCIDRs":["127.0.0.0/8"],
"IndexConfigs":{"docker.io":{"Name":"docker.io","Mirrors":[],"Secure":true,"Official":true}},"Mirrors":[]},"DockerRootDir":"/var/lib/docker",
"HttpProxy":"","HttpsProxy":"","NoProxy":"","Labels":[],"ExperimentalBuild":false,"ServerVersion":"20.10.24+dfsg1",
"Runtimes":{"io.containerd.runc.v2":{"path":"runc"},"runc":{"path":"runc"}},"DefaultRuntime":"runc",
"Swarm":{"NodeID":"","NodeAddr":"","LocalNodeState":"inactive","ControlAvailable":false,"Error":"","RemoteManagers":null},
"LiveRestoreEnabled":false,"SecurityOptions":["name=seccomp,profile=default"],"Warnings":null}"#;

/// What it answers to `/version`.
pub(in crate::resource) const VERSION: &str = r#"{"Platform":{"Name":""},"Components":[{"Name":"Engine","Version":"20.10.24+dfsg1",
"Details":{"ApiVersion":"1.41","Experimental":"false"}}],"Version":"20.10.24+dfsg1","ApiVersion":"1.41","MinAPIVersion":"1.12"}"#;

/// What it answers to `/networks`.
pub(in crate::resource) const NETWORKS: &str = r#"[{"Name":"none","Scope":"local","Driver":"null","Internal":false,"Ingress":false,"Options":{}},
{"Name":"bridge","Scope":"local","Driver":"bridge","Internal":false,"Ingress":false,"Options":{"com.docker.network.bridge.default_bridge":"true",
"com.docker.network.bridge.enable_icc":"true","com.docker.network.bridge.name":"docker0"}}]"#;

/// A host whose only engine is root's Docker, running without flags.
pub(in crate::resource) fn docker() -> Memory {
    answering(socket(daemon(Memory::new(), 100, 0, "/usr/bin/dockerd"), "/run/docker.sock", 0), INFO)
}

/// The same engine, with another `/info`.
pub(in crate::resource) fn answering(host: Memory, info: &str) -> Memory {
    host.answer("/run/docker.sock", Route::Info, info).answer("/run/docker.sock", Route::Version, VERSION).answer(
        "/run/docker.sock",
        Route::Networks,
        NETWORKS,
    )
}
