//! An engine with containers, for tests. Documents are what Docker 20.10 answers, shortened.

use serde_json::{Value, json};

use crate::host::engine::{Id, Route};
use crate::host::memory::Memory;
use crate::resource::docker::fixture;

pub(in crate::resource) const SOCKET: &str = "/run/docker.sock";

/// An identifier of one hexadecimal digit.
pub(in crate::resource) fn id(digit: char) -> String {
    digit.to_string().repeat(64)
}

/// `/containers/ID/json` of a container that runs with default settings.
const INSPECT: &str = r#"{"Id":"","Created":"2026-11-20T11:30:45.15686721Z","Path":"/bin/sleep","Args":["1000000"],
"State":{"Status":"running","Running":true,"Paused":false,"Restarting":false,"OOMKilled":false,"Dead":false,"Pid":700,"ExitCode":0},
"Image":"sha256:161a4bef10cfb0ae379e75c5a281a49341570162241d738d5f6eee2623427d83","Name":"/web","RestartCount":0,"Driver":"overlay2","Platform":"linux",
"MountLabel":"","ProcessLabel":"","AppArmorProfile":"","ExecIDs":null,
"HostConfig":{"Binds":null,"ContainerIDFile":"","LogConfig":{"Type":"json-file","Config":{}},"NetworkMode":"default","PortBindings":{},
"RestartPolicy":{"Name":"no","MaximumRetryCount":0},"AutoRemove":false,"VolumeDriver":"","VolumesFrom":null,"CapAdd":null,"CapDrop":null,
"CgroupnsMode":"host","IpcMode":"private","Cgroup":"","OomScoreAdj":0,"PidMode":"","Privileged":false,"PublishAllPorts":false,
"ReadonlyRootfs":false,"SecurityOpt":null,"UTSMode":"","UsernsMode":"","ShmSize":67108864,"Runtime":"runc","CpuShares":0,"Memory":0,"NanoCpus":0,
"CgroupParent":"","CpuPeriod":0,"CpuQuota":0,"CpuRealtimePeriod":0,"CpuRealtimeRuntime":0,"CpusetCpus":"","Devices":[],"DeviceCgroupRules":null,
"DeviceRequests":null,"MemorySwappiness":null,"OomKillDisable":false,"PidsLimit":null,"Ulimits":null,
"MaskedPaths":["/proc/kcore","/proc/keys"],"ReadonlyPaths":["/proc/bus","/proc/sys"]},
"Mounts":[],"Config":{"Hostname":"7f12a89b6f47","User":"","ExposedPorts":{"80/tcp":{}},"Env":["PATH=/usr/bin"],"Cmd":["/bin/sleep","1000000"],
"Image":"plimsoll-test:1","Volumes":null,"WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":{}},
"NetworkSettings":{"Bridge":"","Ports":{},"Networks":{"bridge":{"NetworkID":"95894e6f304cafbf9562d1a6871a9abab1428b8b3ae523c2b7d9697ec63e7881"}}}}"#;

/// Lays one document over another: objects member by member, everything else whole.
fn lay_over(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                lay_over(under.entry(name).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

/// A container: its identifier's digit, and what differs from one with default settings.
pub(in crate::resource) fn inspect(digit: char, differs: Value) -> Value {
    let mut document: Value = serde_json::from_str(INSPECT).unwrap();
    document["Id"] = id(digit).into();
    lay_over(&mut document, differs);
    document
}

/// What the list says of a container.
pub(in crate::resource) fn listed(document: &Value) -> Value {
    json!({"Id": document["Id"], "Names": [document["Name"]], "Image": document["Config"]["Image"], "ImageID": document["Image"],
        "State": document["State"]["Status"], "Labels": document["Config"]["Labels"]})
}

/// A host whose engine has these containers and volumes.
pub(in crate::resource) fn host_with(documents: &[Value], volumes: Value) -> Memory {
    let list = Value::Array(documents.iter().map(listed).collect());
    let init = fixture::daemon(fixture::docker(), 1, 0, "/sbin/init").file("/proc/1/cgroup", "0::/init.scope\n").file("/sys/module/x/y", "");
    let init = init.file("/sys/kernel/security/lsm", "capability");
    let host = init.answer(SOCKET, Route::Containers, list.to_string());
    let host = host.answer(SOCKET, Route::Volumes, json!({ "Volumes": volumes }).to_string());
    documents.iter().fold(host, |host, document| {
        let id = Id::parse(document["Id"].as_str().unwrap()).unwrap();
        host.answer(SOCKET, Route::Container(id), document.to_string())
    })
}

/// A host whose engine has these containers.
pub(in crate::resource) fn host(documents: &[Value]) -> Memory {
    host_with(documents, Value::Null)
}

/// A process in a container.
pub(in crate::resource) fn process(host: Memory, pid: i32, parent: i32, digit: char, name: &str, lines: &str) -> Memory {
    let status = format!("Name:\t{name}\nPPid:\t{parent}\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nNSpid:\t{pid}\t1\n{lines}");
    host.file(&format!("/proc/{pid}/status"), status)
        .file(&format!("/proc/{pid}/cgroup"), format!("4:memory:/docker/{0}\n0::/docker/{0}\n", id(digit)))
        .file(&format!("/proc/{pid}/uid_map"), "         0          0 4294967295\n")
}

/// The lines of `status` for a process with Docker's default capabilities and filter.
pub(in crate::resource) const DEFAULTS: &str = "CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nNoNewPrivs:\t0\nSeccomp:\t2\n";
