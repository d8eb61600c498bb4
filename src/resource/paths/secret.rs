//! Files that hold secrets: definitions may ask whether they are there and who may read them, never what they say.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::Host;
use crate::parse::glob;

/// Globs over whole paths, links resolved.
const SECRET: &[&str] = &[
    // Passwords of the host.
    "**/shadow",
    "**/shadow-*",
    "**/gshadow",
    "**/gshadow-*",
    "**/shadow.*",
    "**/gshadow.*",
    "**/opasswd",
    "**/opasswd.*",
    "**/master.passwd",
    "**/tcb/**",
    // Keys and key stores.
    "**/*.key",
    "**/*_key",
    "**/*-key",
    "**/*-key.pem",
    "**/*_key.pem",
    "**/key.pem",
    "**/privkey*",
    "**/key.json",
    "**/id_*",
    "**/*.p12",
    "**/*.pfx",
    "**/*.jks",
    "**/*.keystore",
    "**/*.kdbx",
    "**/*.ppk",
    "**/*.keytab",
    "**/.gnupg/**",
    "**/ssl/private/**",
    "**/tls/private/**",
    "**/pki/private/**",
    "**/wireguard/**",
    "**/ipsec.secrets",
    "**/swanctl/private/**",
    // Logins to other systems.
    "**/.netrc",
    "**/.pgpass",
    "**/.my.cnf",
    "**/.git-credentials",
    "**/.aws/**",
    "**/.azure/**",
    "**/gcloud/**",
    "**/.npmrc",
    "**/.pypirc",
    "**/.vault-token",
    "**/*credentials*",
    "**/*htpasswd*",
    "**/*secret*",
    "**/secrets/**",
    "**/token",
    "**/token.*",
    "**/*_token",
    "**/*-token",
    "**/*.token",
    "**/.env",
    "**/.env.*",
    "**/*.env",
    "**/.*_history",
    "**/ppp/*-secrets",
    "**/wpa_supplicant*.conf",
    "**/NetworkManager/system-connections/**",
    "**/cloud/instances/**",
    // Engines and orchestrators.
    "**/.docker/config.json",
    "**/.dockercfg",
    "**/.config/containers/auth.json",
    "**/containers/auth.json",
    "/run/containers/*/auth.json",
    "/run/user/*/containers/auth.json",
    "**/swarm/**",
    "**/containers/*/config.v2.json",
    "**/containers/*/*-json.log*",
    "**/containers/*/local-logs/**",
    "**/.kube/config",
    "**/kubeconfig*",
    "**/*.kubeconfig",
    "/etc/kubernetes/*.conf",
    "/etc/rancher/**",
    "/var/lib/rancher/**",
    "/var/lib/kubelet/pki/**",
    "/var/lib/kubelet/pods/**",
    "/var/lib/etcd/**",
    // What processes and the kernel keep in memory.
    "/proc/*/environ",
    "/proc/*/task/*/environ",
    "/proc/*/cmdline",
    "/proc/*/task/*/cmdline",
    "/proc/*/mem",
    "/proc/keys",
    "/proc/kcore",
    "/sys/kernel/debug/**",
];

/// Public halves, which look like keys by their names.
const PUBLIC: &[&str] = &["**/*.pub", "**/*-cert.pub"];

/// Files that may have been given a second name by a hard link.
const ACCOUNTS: &[&str] = &["/etc/shadow", "/etc/gshadow", "/etc/shadow-", "/etc/gshadow-"];

/// The path, links resolved, of a file whose content definitions may see. Absent where nothing is; a gap where it holds
/// secrets, be it by its name, by what its links lead to, or by being the same file under another name.
pub(crate) fn open_to_definitions(host: &dyn Host, path: &Path) -> Fact<PathBuf> {
    if names_secret(path) {
        return refused(path);
    }
    host.resolve(path).and_then(|target, origin| {
        if names_secret(&target) {
            return refused(path);
        }
        let stat = match host.stat(&target) {
            Fact::Known(stat, _) => stat,
            Fact::Absent(_) => return Fact::Absent(origin),
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        };
        let same = |other: &&&str| {
            host.stat(Path::new(other)).known().is_some_and(|other| (other.device, other.inode) == (stat.device, stat.inode))
        };
        if ACCOUNTS.iter().find(same).is_some() { refused(path) } else { Fact::Known(target, origin) }
    })
}

fn names_secret(path: &Path) -> bool {
    let path = path.to_string_lossy();
    let named = |globs: &[&str]| globs.iter().any(|glob| glob::matches(glob, &path));
    named(SECRET) && !named(PUBLIC)
}

fn refused<T>(path: &Path) -> Fact<T> {
    Fact::Unknown(Gap::new(Origin::file(path), Reason::unsupported("the file holds secrets, which definitions may not see")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    #[test]
    fn secrets_are_known_by_name_and_by_where_links_lead() {
        let host = Memory::new().file("/etc/shadow", "canary").symlink("/tmp/plain", "/etc/shadow").file("/etc/docker/daemon.json", "{}");
        let secret = |path: &str| matches!(open_to_definitions(&host, Path::new(path)), Fact::Unknown(_));
        for path in [
            "/etc/shadow",
            "/etc/shadow-",
            "/mnt/backup/etc/gshadow",
            "/tmp/plain",
            "/etc/ssh/ssh_host_ed25519_key",
            "/root/.ssh/id_rsa",
            "/root/.docker/config.json",
            "/etc/docker/key.json",
            "/etc/docker/certs.d/reg/client.key",
            "/etc/kubernetes/admin.conf",
            "/var/lib/docker/swarm/certificates/swarm-node.crt",
            "/run/secrets/db",
            "/proc/1/environ",
            "/var/run/secrets/kubernetes.io/serviceaccount/token",
        ] {
            assert!(secret(path), "{path}");
        }
        for path in [
            "/etc/docker/daemon.json",
            "/etc/ssh/ssh_host_rsa_key.pub",
            "/root/.ssh/authorized_keys",
            "/etc/passwd",
            "/etc/ssh/sshd_config",
        ] {
            assert!(!secret(path), "{path}");
        }
        assert!(matches!(open_to_definitions(&host, Path::new("/nowhere")), Fact::Absent(_)));
    }
}
