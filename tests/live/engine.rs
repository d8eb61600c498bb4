//! A Docker engine in a host of its own, on the usual paths, with an image made of nothing but busybox.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use crate::host::{Host, done, program};

/// How an engine is set up.
#[derive(Default)]
pub(crate) struct Setup<'a> {
    /// Content of `/etc/docker/daemon.json`; none without.
    pub(crate) file: Option<&'a str>,
    /// Flags the process gets and its unit does not name.
    pub(crate) flags: &'a [&'a str],
    /// Flags both get.
    pub(crate) unit_flags: &'a [&'a str],
    /// Whether containers are going to run, which need cgroups that are cleared up.
    pub(crate) containers: bool,
    /// A script that is run in the host before the engine starts.
    pub(crate) before: &'a str,
}

/// Makes the user that the root of containers can be remapped to.
pub(crate) const REMAPPED: &str = "
    echo remapped:x:987:987::/:/bin/false >> /etc/passwd; echo remapped:x:987: >> /etc/group
    echo remapped:300000:65536 >> /etc/subuid; echo remapped:300000:65536 >> /etc/subgid";

/// A running engine.
pub(crate) struct Engine {
    pub(crate) host: Host,
}

/// The image all containers are made of.
pub(crate) const IMAGE: &str = "plimsoll-live:1";

impl Engine {
    pub(crate) fn start(setup: &Setup<'_>) -> Self {
        let host = Host::start();
        let bin = host.dir().join("bin");
        fs::create_dir(&bin).unwrap();
        if lacks_sys_resource() {
            let real = program("runc").expect("dockerd comes with runc");
            let runc = bin.join("runc");
            fs::write(&runc, include_str!("runc.sh").replace("RUNC", real.to_str().unwrap())).unwrap();
            fs::set_permissions(&runc, fs::Permissions::from_mode(0o755)).unwrap();
        }
        host.sh(setup.before);
        if let Some(file) = setup.file {
            host.sh(&format!("echo '{file}' > /etc/docker/daemon.json"));
        }
        let dockerd = program("dockerd").unwrap();
        let unit = format!("[Service]\nExecStart={} {}\n", dockerd.display(), setup.unit_flags.join(" "));
        host.sh(&format!("echo '{unit}' > /etc/systemd/system/docker.service"));
        let mut engine = Self { host };
        engine.dockerd(setup);
        engine
    }

    fn dockerd(&mut self, setup: &Setup<'_>) {
        let log = fs::File::create(self.host.dir().join("dockerd.log")).unwrap();
        let path = format!("{}:{}:/usr/sbin:/sbin", self.host.dir().join("bin").display(), std::env::var("PATH").unwrap_or_default());
        let mut command = self.host.command(program("dockerd").unwrap());
        command.env("PATH", path).args(setup.unit_flags).args(setup.flags);
        if setup.containers {
            command.arg(format!("--cgroup-parent=/{}", self.host.cgroup()));
        }
        let mut daemon = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.host.wait_until("dockerd answers", |host| {
            let answers = || host.command("docker").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success();
            if let Some(ended) = daemon.try_wait().unwrap() {
                panic!("dockerd ended: {ended} {}", fs::read_to_string(host.dir().join("dockerd.log")).unwrap());
            }
            answers()
        });
    }

    /// The docker client.
    pub(crate) fn docker(&self, arguments: &[&str]) -> String {
        done(self.client().args(arguments))
    }

    /// The docker client, to be given arguments.
    pub(crate) fn client(&self) -> Command {
        let mut client = self.host.command("docker");
        client.env("DOCKER_CONFIG", self.host.dir().join("client")).env_remove("DOCKER_HOST").env_remove("DOCKER_CONTEXT");
        client
    }

    /// Makes the image, with a shell, two users, and programs called like SSH servers.
    pub(crate) fn make_image(&self) {
        let busybox = program("busybox").unwrap();
        let root = self.host.dir().join("image");
        self.host.sh(&format!(
            r#"
            mkdir -p '{root}'/bin '{root}'/etc '{root}'/tmp '{root}'/proc '{root}'/sys '{root}'/dev '{root}'/usr/sbin
            cp '{busybox}' '{root}/bin/busybox'
            for name in sh sleep cat true false; do ln -s busybox '{root}'/bin/$name; done
            for name in sshd check_sshd; do printf '#!/bin/sh\nwhile :; do sleep 1000; done\n' > '{root}'/usr/sbin/$name; done
            chmod 755 '{root}'/usr/sbin/*
            printf 'root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n' > '{root}'/etc/passwd
            printf 'root:x:0:\napp:x:1000:\n' > '{root}'/etc/group
            "#,
            root = root.display(),
            busybox = busybox.display(),
        ));
        let import = |image: &str| format!("docker import -c 'CMD [\"/bin/sleep\",\"1000000\"]' - {image}");
        let tar = format!("tar -C '{}' --owner=0 --group=0 -c .", root.display());
        self.host.sh(&format!("export DOCKER_CONFIG='{}'; {tar} | {}", self.host.dir().join("client").display(), import(IMAGE)));
        self.docker(&["tag", IMAGE, "plimsoll-live:latest"]);
    }
}

/// Whether root here is less than root elsewhere, so that runc cannot hand it on.
fn lacks_sys_resource() -> bool {
    const SYS_RESOURCE: u64 = 1 << 24;
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let bounding = status.lines().find_map(|line| line.strip_prefix("CapBnd:")).unwrap();
    u64::from_str_radix(bounding.trim(), 16).unwrap() & SYS_RESOURCE == 0
}
