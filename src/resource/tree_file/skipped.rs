//! Where the walk does not go, and which directories have a meaning of their own.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap};
use crate::resource::accounts::Accounts;
use crate::resource::{Context, docker};

/// What belongs to containers and not to the host, and what the kernel and systemd keep for sessions and snaps. The files of
/// images are set-uid, world-writable and of unknown users by design.
const LEFT_OUT: &[&str] = &[
    "/run/user",
    "/snap",
    "/var/lib/docker",
    "/var/lib/containerd",
    "/run/containerd",
    "/run/docker",
    "/var/lib/containers/storage",
    "/run/containers/storage",
    "/var/lib/buildkit",
    "/var/lib/kubelet/pods",
    "/var/lib/kubelet/plugins",
    "/var/lib/rancher/k3s/agent/containerd",
    "/var/lib/rancher/rke2/agent/containerd",
    "/run/k3s/containerd",
    "/var/snap/docker/common/var-lib-docker",
];

/// Where rootless engines keep theirs, in the home of their user.
const LEFT_OUT_AT_HOME: &[&str] = &[".local/share/docker", ".local/share/containers/storage", ".local/share/containerd", ".local/share/buildkit"];

/// Where systemd keeps the files of users it makes up.
pub(super) const PRIVATE: &[&str] = &["/var/lib/private", "/var/cache/private", "/var/log/private", "/run/private"];

/// Where users keep or put their files.
pub(super) const USERS: &[&str] = &["/home", "/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock", "/var/crash", "/var/spool/cron/crontabs"];

/// What is left out, links resolved, and where it cannot be told what is.
pub(super) fn paths(context: &Context<'_>) -> (Vec<PathBuf>, Vec<Gap>) {
    let real = |path: &Path| match context.host.resolve(path) {
        Fact::Known(real, _) => Some(real),
        Fact::Absent(_) => None,
        Fact::Unknown(_) => Some(path.to_path_buf()),
    };
    let mut found: Vec<PathBuf> = LEFT_OUT.iter().filter_map(|path| real(Path::new(path))).collect();
    let accounts = Accounts::of(context);
    for user in accounts.users().iter().filter(|user| user.home.raw().starts_with('/')) {
        let home = Path::new(user.home.raw());
        if matches!(context.host.stat(home), Fact::Known(..)) {
            found.extend(LEFT_OUT_AT_HOME.iter().filter_map(|path| real(&home.join(path))));
        }
    }
    // Engines that are not found keep their data where they usually do.
    if let Ok(engines) = docker::engines(context) {
        let roots = engines.iter().filter_map(|engine| engine.data_root(context).known().cloned());
        found.extend(roots.filter_map(|root| real(&root)));
    }
    // Never everything: whoever says that an engine keeps its data in `/` or in `/usr` must not blind the walk.
    found.retain(|path| path.components().count() > 2 || LEFT_OUT.iter().any(|known| Path::new(known) == path));
    found.sort();
    found.dedup();
    (found, Vec::new())
}
