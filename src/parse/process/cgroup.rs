//! `/proc/PID/cgroup`: which unit and which container a process runs in.

use crate::fact::Reason;

/// One line of `/proc/PID/cgroup`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cgroup {
    /// Number of the hierarchy; 0 for version 2.
    pub hierarchy: u32,
    /// Controllers bound to it, or a name such as `name=systemd`; empty for version 2.
    pub controllers: Vec<String>,
    /// Path below the hierarchy's mount, as the reader's cgroup namespace shows it.
    pub path: String,
}

/// `/proc/PID/cgroup`: one line on a version 2 host, one per hierarchy on version 1, both on a hybrid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cgroups(pub Vec<Cgroup>);

impl Cgroups {
    /// Reads `/proc/PID/cgroup`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        let text = String::from_utf8_lossy(bytes);
        let line = |line: &str| {
            let mut parts = line.splitn(3, ':');
            let (hierarchy, controllers, path) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
            let controllers = controllers.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
            Some(Cgroup { hierarchy, controllers, path: path.to_owned() })
        };
        text.lines().map(line).collect::<Option<_>>().map(Self).ok_or_else(|| Reason::malformed("a line of cgroup is odd"))
    }

    /// The path in the version 2 hierarchy, where there is one.
    #[must_use]
    pub fn unified(&self) -> Option<&str> {
        self.0.iter().find(|cgroup| cgroup.hierarchy == 0).map(|cgroup| cgroup.path.as_str())
    }

    /// The path in the version 1 hierarchy of a controller, such as `memory` or `name=systemd`.
    #[must_use]
    pub fn controller(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|cgroup| cgroup.controllers.iter().any(|controller| controller == name)).map(|cgroup| cgroup.path.as_str())
    }

    /// The path in the hierarchy systemd keeps its units in: `name=systemd` where it is used, else version 2. A host that is
    /// booted inside another with version 2 alone is at the root of all those the outer one has besides.
    #[must_use]
    pub fn systemd(&self) -> Option<&str> {
        let unified = self.unified();
        let unused = |path: &&str| *path == "/" && unified.is_some();
        self.controller("name=systemd").filter(|path| !unused(path)).or(unified)
    }

    /// Where the host's own units begin, judged from the cgroups of process 1: `""` on a machine, `/payload` or the
    /// like where the host is itself booted inside another.
    #[must_use]
    pub fn root_of_units(&self) -> &str {
        self.systemd().and_then(|path| path.strip_suffix("/init.scope")).unwrap_or_default()
    }

    /// The unit of the system manager it runs in, such as `docker.service` or `session-2.scope`: the first component
    /// below the slices. What a user's own manager started is in `user@1000.service`. Units inside containers are not
    /// the host's. `root` is [`Self::root_of_units`] of process 1.
    #[must_use]
    pub fn unit(&self, root: &str) -> Option<&str> {
        unit_in(self.systemd()?.strip_prefix(root)?).map(|(unit, _)| unit)
    }

    /// The unit of a user's own manager, such as the `docker.service` of a rootless engine, with that user's id.
    #[must_use]
    pub fn user_unit(&self, root: &str) -> Option<(u32, &str)> {
        let (manager, below) = unit_in(self.systemd()?.strip_prefix(root)?)?;
        let uid = manager.strip_prefix("user@")?.strip_suffix(".service")?.parse().ok()?;
        unit_in(below).map(|(unit, _)| (uid, unit))
    }

    /// The id of the container it runs in: 64 hexadecimal digits, alone or behind an engine's prefix, in any cgroup
    /// parent. Of containers in containers the outermost. The monitors of Podman and CRI-O are processes of the host.
    #[must_use]
    pub fn container(&self) -> Option<&str> {
        let mut paths: Vec<&str> = self.systemd().into_iter().chain(self.unified()).collect();
        paths.extend(self.0.iter().map(|cgroup| cgroup.path.as_str()));
        paths.into_iter().find_map(|path| path.split('/').find_map(container_in))
    }
}

/// The id in one component of a cgroup path: `ID`, `docker-ID.scope`, `libpod-ID.scope`, `cri-containerd-ID.scope`,
/// `SLICE:cri-containerd:ID`.
fn container_in(component: &str) -> Option<&str> {
    let name = component.strip_suffix(".scope").unwrap_or(component);
    let (prefix, id) = name.rsplit_once(['-', ':']).unwrap_or(("", name));
    let monitor = prefix == "conmon" || prefix.ends_with("-conmon");
    (!monitor && id.len() == 64 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))).then_some(id)
}

/// The unit below the slices, and the path below the unit. systemd puts `_` before a name that would be taken for an
/// attribute of the cgroup.
fn unit_in(path: &str) -> Option<(&str, &str)> {
    let mut rest = path.trim_start_matches('/');
    loop {
        let (component, below) = rest.split_once('/').unwrap_or((rest, ""));
        let name = component.strip_prefix('_').unwrap_or(component);
        match name.rsplit_once('.') {
            Some((stem, "slice")) if !stem.is_empty() => rest = below,
            Some((stem, "service" | "scope" | "socket" | "mount" | "swap")) if !stem.is_empty() => return Some((name, below)),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn cgroups(text: &str) -> Cgroups {
        Cgroups::parse(text.replace("ID", ID).as_bytes()).unwrap()
    }

    #[test]
    fn units_are_found_below_slices() {
        let unit = |text: &str, root: &str| cgroups(text).unit(root).map(str::to_owned);
        assert_eq!(unit("0::/system.slice/docker.service\n", "").as_deref(), Some("docker.service"));
        assert_eq!(unit("0::/system.slice/system-getty.slice/getty@tty1.service/x", "").as_deref(), Some("getty@tty1.service"));
        assert_eq!(unit("5:pids:/\n1:name=systemd:/system.slice/cron.service\n0::/", "").as_deref(), Some("cron.service"));
        assert_eq!(unit("0::/init.scope", "").as_deref(), Some("init.scope"));
        assert_eq!(unit("0::/docker/ID/system.slice/ssh.service", ""), None, "a unit inside a container is not the host's");
        assert_eq!(unit("0::/payload/system.slice/ssh.service", "/payload").as_deref(), Some("ssh.service"));
        assert_eq!(unit("0::/", ""), None);
        assert_eq!(unit("9:name=systemd:/\n4:memory:/\n0::/system.slice/ssh.service", "").as_deref(), Some("ssh.service"));
        assert_eq!(cgroups("1:name=systemd:/payload/init.scope\n0::/x").root_of_units(), "/payload");
        let rootless = cgroups("0::/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service");
        assert_eq!(rootless.unit(""), Some("user@1000.service"), "not the system's docker.service");
        assert_eq!(rootless.user_unit(""), Some((1000, "docker.service")));
    }

    #[test]
    fn containers_are_found_in_any_parent() {
        for path in [
            "0::/system.slice/docker-ID.scope",
            "0::/docker/ID",
            "0::/my/parent/ID/nested",
            "0::/my.slice/docker-ID.scope",
            "0::/machine.slice/libpod-ID.scope/container",
            "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope",
            "0::/kubepods.slice/kubepods-podx.slice/cri-containerd-ID.scope",
            "0::/kubepods/besteffort/pod53d4/ID",
            "0::/system.slice/containerd.service/kubepods-podx.slice:cri-containerd:ID",
            "4:memory:/docker/ID\n1:name=systemd:/docker/ID\n0::/",
            "4:memory:/docker/ID\n0::/system.slice/containerd.service",
        ] {
            assert_eq!(cgroups(path).container(), Some(ID), "{path}");
        }
        for path in ["0::/machine.slice/libpod-conmon-ID.scope", "0::/system.slice/docker.service", "0::/docker/buildkit/x"] {
            assert_eq!(cgroups(path).container(), None, "{path}");
        }
        assert!(Cgroups::parse(b"nonsense\n").is_err());
    }
}
