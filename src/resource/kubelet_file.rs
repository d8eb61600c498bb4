//! The files a Kubernetes node depends on, found where its kubelet and its proxy are told they are.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Integer, Mode, Origin, Text, record};

use super::file::look;
use super::kubelet::{Node, Nodes, path_of};
use super::{Context, Resource, Selector};

record! {
    /// One file in a role. A role whose file nothing names, or that is not there, has no record.
    pub struct KubeletFile("kubelet_file") {
        /// Path of the file.
        path: Text,
        /// What it is for: `service` (the unit of the kubelet, or its first drop-in), `kubeconfig`, `config`, `client_ca`, or
        /// `proxy_kubeconfig` (of a kube-proxy that runs on the host itself).
        role: Text,
        /// Numeric owner.
        uid: Integer,
        /// Numeric group.
        gid: Integer,
        /// Permission bits.
        mode: Mode,
    }
}

/// Finds the records.
pub struct KubeletFiles;

type Named = Result<Option<PathBuf>, Gap>;

impl Resource for KubeletFiles {
    type Row = KubeletFile;
    const SELECTOR: &'static str = "a role, such as `kubeconfig`";
    const KEY: &'static str = "role";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let nodes = Nodes::of(context);
        let nodes = nodes.as_ref().as_ref().map_err(Clone::clone)?;
        let mut rows = Vec::new();
        for node in &nodes.kubelets {
            let kubeconfig = || flag(node, "kubeconfig");
            let client_ca = || path_of(node, "authentication.x509.clientCAFile").map(|path| path.map(PathBuf::from));
            let roles: [(&str, Named); 4] =
                [("service", Ok(service(node))), ("kubeconfig", kubeconfig()), ("config", flag(node, "config")), ("client_ca", client_ca())];
            rows.extend(roles.into_iter().filter(|(role, _)| of.picks(role)).filter_map(|(role, path)| row(context, role, path)));
        }
        for node in nodes.proxies.iter().filter(|_| of.picks("proxy_kubeconfig")) {
            let named = flag(node, "kubeconfig").and_then(|path| match (path, &node.files) {
                (Some(path), _) => Ok(Some(path)),
                (None, Err(gap)) => Err(gap.clone()),
                (None, Ok(_)) => Ok(node.field("clientConnection.kubeconfig").and_then(|(path, _)| path.as_str()).map(PathBuf::from)),
            });
            rows.extend(row(context, "proxy_kubeconfig", named));
        }
        Ok(rows)
    }
}

fn service(node: &Node) -> Option<PathBuf> {
    let unit = node.unit.as_ref()?;
    let kubeadm = unit.dropins.iter().find(|path| path.ends_with("10-kubeadm.conf"));
    Some(kubeadm.unwrap_or(&unit.file.path).clone())
}

fn flag(node: &Node, name: &str) -> Named {
    node.flags.as_ref().map_err(Clone::clone)?;
    Ok(node.flag(name).map(|(path, _)| PathBuf::from(path)))
}

fn row(context: &Context<'_>, role: &'static str, path: Named) -> Option<KubeletFile> {
    let path = match path {
        Err(gap) => return Some(KubeletFile { role: Fact::derived(role), ..KubeletFile::unknown(&gap) }),
        Ok(path) => path.filter(|path| path.is_absolute())?,
    };
    let named = Fact::Known(Text::from(path.as_path()), Origin::stat(path.as_path()));
    match context.host.stat(Path::new(&path)) {
        Fact::Absent(_) => None,
        Fact::Unknown(gap) => Some(KubeletFile { path: named, role: Fact::derived(role), ..KubeletFile::unknown(&gap) }),
        Fact::Known(..) => {
            let file = look(context, &path);
            Some(KubeletFile { path: named, role: Fact::derived(role), uid: file.uid, gid: file.gid, mode: file.mode })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    fn host() -> Memory {
        Memory::new()
            .file("/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet\n")
            .file(
                "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
                "[Service]\nEnvironment=\"K=--kubeconfig=/etc/kubernetes/kubelet.conf\"\nExecStart=\nExecStart=/usr/bin/kubelet $K --config=/var/lib/kubelet/config.yaml\n",
            )
            .file("/etc/kubernetes/kubelet.conf", "")
            .file("/var/lib/kubelet/config.yaml", "authentication:\n  x509:\n    clientCAFile: /etc/kubernetes/pki/ca.crt\n")
            .file("/etc/kubernetes/pki/ca.crt", "")
    }

    fn files(host: &Memory) -> Vec<(String, Option<String>)> {
        let rows = KubeletFiles::collect(&Context::new(host), &Selector::All).unwrap();
        rows.iter().map(|row| (row.role.known().unwrap().raw().to_owned(), row.path.known().map(|path| path.raw().to_owned()))).collect()
    }

    #[test]
    fn files_are_found_where_the_kubelet_is_told() {
        let is = |role: &str, path: &str| (role.to_owned(), Some(path.to_owned()));
        assert_eq!(files(&host()), [
            is("service", "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf"),
            is("kubeconfig", "/etc/kubernetes/kubelet.conf"),
            is("config", "/var/lib/kubelet/config.yaml"),
            is("client_ca", "/etc/kubernetes/pki/ca.crt"),
        ]);
        assert!(files(&Memory::new()).is_empty());
        let denied = host().gap("/var/lib/kubelet", Reason::Denied);
        assert!(files(&denied).iter().any(|(role, path)| role == "client_ca" && path.is_none()));
    }

    #[test]
    fn a_proxy_on_the_host_has_a_kubeconfig() {
        let unit = "[Service]\nExecStart=/usr/bin/kube-proxy --config /etc/proxy.yaml\n";
        let host = Memory::new()
            .file("/etc/systemd/system/kube-proxy.service", unit)
            .file("/etc/proxy.yaml", "clientConnection:\n  kubeconfig: /etc/proxy.conf\n")
            .file("/etc/proxy.conf", "");
        assert_eq!(files(&host), [("proxy_kubeconfig".to_owned(), Some("/etc/proxy.conf".to_owned()))]);
    }
}
