//! The proxy of a Kubernetes node: where it offers its metrics.

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Origin, Reason, Setting, Text, record};
use crate::parse::yaml_document as yaml;

use super::kubelet::Nodes;
use super::process_table::ProcessTable;
use super::{Context, Resource, Selector, paths};

/// Where a kubelet puts the configuration that a proxy in a pod is given.
const GIVEN: &str = "/var/lib/kubelet/pods/*/volumes/kubernetes.io~configmap/kube-proxy/config.conf";

record! {
    /// One kube-proxy: a process or unit of the host itself, or one in a pod, by the configuration the kubelet gives it.
    pub struct KubeProxy("kube_proxy") {
        /// Where it is told: a unit or process, or the path of the configuration.
        name: Text,
        /// `metricsBindAddress`, or the flag that beats it; absent where neither is set, which means loopback.
        metrics_address: Setting,
        /// Whether only the host itself can reach the metrics.
        metrics_local: Flag,
    }
}

/// Finds the records.
pub struct KubeProxies;

impl Resource for KubeProxies {
    type Row = KubeProxy;
    const SELECTOR: &'static str = "`\"*\"`";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, _: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let nodes = Nodes::of(context);
        let nodes = nodes.as_ref().as_ref().map_err(Clone::clone)?;
        let mut rows: Vec<KubeProxy> = nodes
            .proxies
            .iter()
            .map(|node| {
                let address = match (node.flag("metrics-bind-address"), &node.flags, &node.files) {
                    (Some((address, origin)), ..) => Fact::Known(address.to_owned(), origin.clone()),
                    (None, Err(gap), _) | (None, _, Err(gap)) => Fact::Unknown(gap.clone()),
                    (None, Ok(_), Ok(_)) => match node.field("metricsBindAddress").and_then(|(value, file)| Some((value.as_str()?, file))) {
                        Some((address, file)) => Fact::Known(address.to_owned(), Origin::file(file)),
                        None => Fact::Absent(Origin::default_of("kube-proxy")),
                    },
                };
                row("kube-proxy".into(), address)
            })
            .collect();
        let given = paths::expand(context.host, GIVEN)?;
        rows.extend(given.paths.iter().map(|path| row(Text::from(path.as_path()), address(context, path))));
        rows.extend(given.gaps.iter().map(|(_, gap)| KubeProxy::unknown(gap)));
        if rows.is_empty() && in_a_pod(context) {
            let why = "the proxy runs in a container, and its configuration was not found";
            rows.push(KubeProxy::unknown(&Gap::new(Origin::kernel("/proc"), Reason::unsupported(why))));
        }
        Ok(rows)
    }
}

fn in_a_pod(context: &Context<'_>) -> bool {
    let table = ProcessTable::of(context);
    let named = |table: &ProcessTable| {
        let mut names = table.processes.iter().filter_map(|process| process.status.known());
        names.any(|status| status.name == "kube-proxy")
    };
    table.as_ref().as_ref().is_ok_and(named)
}

/// What a configuration says.
fn address(context: &Context<'_>, path: &Path) -> Fact<String> {
    context.host.read(path).and_then(|content, origin| match yaml::document(&content) {
        Err(why) => Fact::Unknown(Gap::new(origin, Reason::malformed(why))),
        Ok(value) => match value.get("metricsBindAddress").and_then(|value| value.as_str()) {
            Some(address) => Fact::Known(address.to_owned(), origin),
            None => Fact::Absent(Origin::default_of("kube-proxy")),
        },
    })
}

fn row(name: Text, address: Fact<String>) -> KubeProxy {
    let address = match address {
        // An empty text is as good as none.
        Fact::Known(text, origin) if text.is_empty() => Fact::Absent(origin),
        address => address,
    };
    let local = match &address {
        Fact::Known(text, origin) => Fact::Known(is_local(text), origin.clone()),
        Fact::Absent(origin) => Fact::Known(true, origin.clone()),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    };
    KubeProxy { name: Fact::derived(name), metrics_address: address.map(Setting::from), metrics_local: local }
}

/// Whether an address, perhaps with a port, is a loopback address.
fn is_local(address: &str) -> bool {
    let host = match address.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if address.matches(':').count() > 1 => address,
        None => address.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn local(content: &str) -> Option<bool> {
        let host = Memory::new().file("/var/lib/kubelet/pods/x/volumes/kubernetes.io~configmap/kube-proxy/config.conf", content);
        KubeProxies::collect(&Context::new(&host), &Selector::All).unwrap()[0].metrics_local.known().copied()
    }

    #[test]
    fn addresses_are_judged_by_who_reaches_them() {
        for (content, expected) in [
            ("metricsBindAddress: \"\"\n", Some(true)),
            ("mode: iptables\n", Some(true)),
            ("metricsBindAddress: 127.0.0.1:10249\n", Some(true)),
            ("metricsBindAddress: '[::1]:10249'\n", Some(true)),
            ("metricsBindAddress: ::1\n", Some(true)),
            ("metricsBindAddress: 0.0.0.0:10249\n", Some(false)),
            ("metricsBindAddress: '[::]:10249'\n", Some(false)),
            ("metricsBindAddress: \":10249\"\n", Some(false)),
            ("a: *b", None),
        ] {
            assert_eq!(local(content), expected, "{content}");
        }
        assert!(KubeProxies::collect(&Context::new(&Memory::new()), &Selector::All).unwrap().is_empty());
    }

    #[test]
    fn flags_beat_the_file() {
        let unit = "[Service]\nExecStart=/usr/bin/kube-proxy --config=/p.yaml --metrics-bind-address=0.0.0.0\n";
        let host = Memory::new().file("/etc/systemd/system/kube-proxy.service", unit).file("/p.yaml", "metricsBindAddress: 127.0.0.1\n");
        let row = KubeProxies::collect(&Context::new(&host), &Selector::All).unwrap().remove(0);
        assert_eq!(row.metrics_local.known(), Some(&false));
    }
}
