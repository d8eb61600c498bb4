//! The directories of a host that no container should see, and the sockets through which an engine can be told anything.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::fact::{Fact, Gap};
use crate::host::{FileKind, Host};
use crate::resource::Context;
use crate::resource::docker::Engine;

/// Sensitive themselves and with everything below: what the host is made of, as the CIS benchmark lists it.
const SENSITIVE: [&str; 8] = ["/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/sys", "/usr"];

/// Risky themselves and with everything below: secrets, logs and controls of the host that the benchmark does not list.
const RISKY: [&str; 5] = ["/root", "/var/lib/kubelet", "/var/log", "/run/systemd/private", "/run/dbus"];

/// Risky as a whole, while single directories below are the usual thing to mount.
const TOPS: [&str; 2] = ["/home", "/run"];

/// Sockets engines and runtimes listen on when told nothing else.
const SOCKETS: [&str; 12] = [
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/containerd/containerd.sock",
    "/run/containerd/containerd.sock.ttrpc",
    "/run/docker/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/buildkit/buildkitd.sock",
    "/run/dockershim.sock",
    "/run/snap.docker/docker.sock",
];

/// A socket through which an engine can be told anything.
#[derive(Debug)]
struct EngineSocket {
    path: PathBuf,
    /// Device and inode: two names of one socket are the same.
    identity: (u64, u64),
}

/// The sensitive places of one host.
#[derive(Debug)]
pub(super) struct Places {
    sensitive: BTreeSet<PathBuf>,
    risky: BTreeSet<PathBuf>,
    tops: BTreeSet<PathBuf>,
    data_roots: BTreeSet<PathBuf>,
    sockets: Vec<EngineSocket>,
    /// Where there may be others, that could not be looked at.
    unseen: Vec<(PathBuf, Gap)>,
}

/// A mounted directory or file of the host, as it really is.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

/// Takes `.` and `..` out of a path, without looking at the host.
fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    clean
}

impl Place {
    /// What a path of the host leads to. A source that is gone keeps its name; one that cannot be looked at is a gap.
    pub(super) fn of(host: &dyn Host, source: &str) -> Result<Self, Gap> {
        let clean = cleaned(Path::new(source));
        match host.resolve(&clean) {
            Fact::Known(path, _) => {
                let identity = host.stat(&path).into_result()?.map(|stat| (stat.device, stat.inode));
                Ok(Self { path, identity })
            }
            Fact::Absent(_) => Ok(Self { path: clean, identity: None }),
            Fact::Unknown(gap) => Err(gap),
        }
    }

    /// A path as it is written.
    pub(super) fn as_written(source: &str) -> Self {
        Self { path: cleaned(Path::new(source)), identity: None }
    }
}

impl Places {
    pub(super) fn of(context: &Context<'_>, engines: &[Engine]) -> Self {
        let host = context.host;
        let both = |path: &Path| {
            let resolved = host.resolve(path).known().cloned();
            resolved.into_iter().chain([path.to_path_buf()]).collect::<Vec<_>>()
        };
        let all = |paths: &[&str]| paths.iter().flat_map(|path| both(Path::new(path))).collect::<BTreeSet<_>>();
        let data_roots = engines.iter().filter_map(|engine| engine.data_root(context).known().cloned());
        let data_roots = data_roots.chain([PathBuf::from("/var/lib/docker"), PathBuf::from("/var/lib/containerd")]);
        let told = engines.iter().filter_map(|engine| engine.socket.clone());
        // The containerd that a daemon starts for itself, and one it is told to use.
        let below = |key: &str, file: &str| {
            engines
                .iter()
                .filter_map(|engine| engine.told.text(key).known().map(|path| Path::new(path.raw()).join(file)))
                // Without the slash that joining nothing leaves at the end, and which only a directory may have.
                .map(|path| path.components().collect::<PathBuf>())
                .filter(|path| path.is_absolute())
                .collect::<Vec<_>>()
        };
        let containerd = below("exec-root", "containerd/containerd.sock").into_iter().chain(below("containerd", ""));
        let (mut sockets, mut unseen) = (Vec::<EngineSocket>::new(), Vec::new());
        for path in told.chain(containerd).chain(SOCKETS.iter().map(PathBuf::from)) {
            let identity = match host.stat(&path) {
                Fact::Known(stat, _) if stat.kind == FileKind::Socket => (stat.device, stat.inode),
                Fact::Known(..) | Fact::Absent(_) => continue,
                Fact::Unknown(gap) => {
                    unseen.push((path, gap));
                    continue;
                }
            };
            if sockets.iter().all(|socket| socket.identity != identity) {
                sockets.push(EngineSocket { path: host.resolve(&path).known().cloned().unwrap_or(path), identity });
            }
        }
        let data_roots = data_roots.flat_map(|root| both(&root)).collect();
        Self { sensitive: all(&SENSITIVE), risky: all(&RISKY), tops: all(&TOPS), data_roots, sockets, unseen }
    }

    /// Whether a place is sensitive: the root directory, one of the directories, or below one.
    pub(super) fn is_sensitive(&self, place: &Place) -> bool {
        place.path == Path::new("/") || self.sensitive.iter().any(|directory| place.path.starts_with(directory))
    }

    /// Whether a place that is not sensitive is risky: one of the directories, below one, or above one.
    pub(super) fn is_risky(&self, place: &Place) -> bool {
        let path = place.path.as_path();
        let below = |directories: &BTreeSet<PathBuf>| directories.iter().any(|directory| path.starts_with(directory));
        let above = |directories: &BTreeSet<PathBuf>| directories.iter().any(|directory| directory.starts_with(path));
        below(&self.risky)
            || above(&self.risky)
            || above(&self.tops)
            || above(&self.data_roots)
            || self.data_roots.iter().filter_map(|root| path.strip_prefix(root).ok()).any(|inside| !is_a_volume(inside))
    }

    /// Why there may be engine sockets below a place of which nothing can be told.
    pub(super) fn unseen_in(&self, place: &Place) -> Option<&Gap> {
        self.unseen.iter().find_map(|(path, gap)| path.starts_with(&place.path).then_some(gap))
    }

    /// The engine sockets that are a place, or stand below it.
    pub(super) fn sockets_in(&self, place: &Place) -> impl Iterator<Item = &Path> {
        let (path, identity) = (place.path.clone(), place.identity);
        self.sockets
            .iter()
            .filter(move |socket| identity == Some(socket.identity) || socket.path.starts_with(&path))
            .map(|socket| socket.path.as_path())
    }
}

/// Whether a path below a data directory is in the data of one volume, which is there to be mounted.
fn is_a_volume(inside: &Path) -> bool {
    let mut parts = inside.components().map(Component::as_os_str);
    parts.next().is_some_and(|first| first == "volumes") && parts.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn host() -> Memory {
        Memory::new()
            .node("/run/docker.sock", FileKind::Socket, 0o660)
            .node("/run/containerd/containerd.sock", FileKind::Socket, 0o660)
            .symlink("/var/run", "/run")
            .symlink("/lib", "usr/lib")
            .file("/usr/lib/x", "")
            .file("/etc/shadow", "")
            .file("/srv/data", "")
            .symlink("/srv/link", "/etc")
            .file("/srv/docker.sock", "")
            .file("/home/alice/project/x", "")
            .file("/var/lib/docker/volumes/v/_data/x", "")
    }

    /// Whether a source is sensitive, and whether it is risky.
    fn judged(source: &str) -> (bool, bool) {
        let host = host();
        let places = Places::of(&Context::new(&host), &[]);
        let place = Place::of(&host, source).unwrap();
        let sensitive = places.is_sensitive(&place);
        (sensitive, !sensitive && places.is_risky(&place))
    }

    fn sockets(source: &str) -> Vec<String> {
        let host = host();
        let places = Places::of(&Context::new(&host), &[]);
        places.sockets_in(&Place::of(&host, source).unwrap()).map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn sources_are_judged_by_what_they_lead_to() {
        for source in ["/", "/etc", "/etc/", "/etc/shadow", "/srv/../etc", "/srv/link", "/srv/link/shadow", "/lib", "/lib/x", "/usr/lib"] {
            assert_eq!(judged(source), (true, false), "{source}");
        }
        let inside = ["/var/lib/docker", "/var/lib/docker/containers", "/var/lib/docker/volumes", "/var/log/gone"];
        for source in ["/var", "/run", "/var/run", "/home", "/root"].iter().chain(&inside) {
            assert_eq!(judged(source), (false, true), "{source}");
        }
        for source in ["/srv/data", "/srv", "/home/alice/project", "/etcetera", "/run/app", "/var/lib/docker/volumes/v/_data", "/opt"] {
            assert_eq!(judged(source), (false, false), "{source}");
        }
    }

    #[test]
    fn sockets_are_found_by_what_they_are() {
        assert_eq!(sockets("/var/run/docker.sock"), ["/run/docker.sock"]);
        for above in ["/", "/run", "/var/run"] {
            assert_eq!(sockets(above), ["/run/docker.sock", "/run/containerd/containerd.sock"], "{above}");
        }
        assert_eq!(sockets("/run/containerd"), ["/run/containerd/containerd.sock"]);
        assert!(sockets("/srv/docker.sock").is_empty(), "a file of that name is none");
        assert!(sockets("/run/dock").is_empty());
    }
}
