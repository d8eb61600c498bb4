//! The options dockerd knows, with both of their spellings and the defaults of current engines.

/// What an option holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Yes or no; on the command line its value may be left out.
    Flag,
    /// One text or number.
    Scalar,
    /// Several; a flag is repeated.
    List,
    /// An object; a flag is repeated as `key=value`.
    Map,
}

/// One option.
#[derive(Debug)]
pub struct Spec {
    /// Name in daemon.json, which is the name of the option everywhere here.
    pub key: &'static str,
    /// Name of the long flag; empty where there is none.
    pub flag: &'static str,
    /// Letter of the short flag.
    pub short: Option<char>,
    /// What it holds.
    pub shape: Shape,
    /// What dockerd uses where nothing sets it.
    pub default: Option<&'static str>,
    /// Whether daemon.json may hold it.
    pub in_file: bool,
}

const fn same(key: &'static str, shape: Shape, default: Option<&'static str>) -> Spec {
    Spec { key, flag: key, short: None, shape, default, in_file: true }
}

const fn on_off(key: &'static str, default: bool) -> Spec {
    same(key, Shape::Flag, Some(if default { "true" } else { "false" }))
}

const fn text(key: &'static str) -> Spec {
    same(key, Shape::Scalar, None)
}

const fn text_or(key: &'static str, default: &'static str) -> Spec {
    same(key, Shape::Scalar, Some(default))
}

const fn many(key: &'static str, flag: &'static str, shape: Shape) -> Spec {
    Spec { key, flag, short: None, shape, default: None, in_file: true }
}

impl Spec {
    const fn short(self, letter: char) -> Self {
        Self { short: Some(letter), ..self }
    }

    const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    const fn flag_only(self) -> Self {
        Self { in_file: false, ..self }
    }
}

/// Every option, by name. Defaults are those of a root daemon of the current release; options that only old
/// releases know are here too, so that setting them does not look like a mistake.
pub static OPTIONS: &[Spec] = &[
    on_off("allow-direct-routing", false),
    many("allow-nondistributable-artifacts", "allow-nondistributable-artifacts", Shape::List),
    text("api-cors-header"),
    many("authorization-plugins", "authorization-plugin", Shape::List),
    text("bip"),
    text("bip6"),
    text("bridge").short('b'),
    text("bridge-accept-fwmark"),
    many("builder", "", Shape::Map),
    many("cdi-spec-dirs", "cdi-spec-dir", Shape::List),
    text("cgroup-parent"),
    text("cluster-advertise"),
    text("cluster-store"),
    many("cluster-store-opts", "cluster-store-opt", Shape::Map),
    text_or("config-file", "/etc/docker/daemon.json").flag_only(),
    text("containerd"),
    text_or("containerd-namespace", "moby"),
    text_or("containerd-plugin-namespace", "plugins.moby"),
    text_or("cpu-rt-period", "0"),
    text_or("cpu-rt-runtime", "0"),
    on_off("cri-containerd", false).flag_only(),
    text_or("data-root", "/var/lib/docker").short('g'),
    on_off("debug", false).short('D'),
    many("default-address-pools", "default-address-pool", Shape::List),
    text("default-cgroupns-mode"),
    text("default-gateway"),
    text("default-gateway-v6"),
    text_or("default-ipc-mode", "private"),
    many("default-network-opts", "default-network-opt", Shape::Map),
    text_or("default-runtime", "runc"),
    text_or("default-shm-size", "64M"),
    many("default-ulimits", "default-ulimit", Shape::Map),
    text("deprecated-key-path"),
    on_off("disable-legacy-registry", false),
    many("dns", "dns", Shape::List),
    many("dns-opts", "dns-opt", Shape::List),
    many("dns-search", "dns-search", Shape::List),
    many("exec-opts", "exec-opt", Shape::List),
    text_or("exec-root", "/var/run/docker"),
    on_off("experimental", false),
    many("features", "feature", Shape::Map),
    text("firewall-backend"),
    text("fixed-cidr"),
    text("fixed-cidr-v6"),
    text_or("group", "docker").short('G'),
    many("host-gateway-ips", "host-gateway-ip", Shape::List),
    many("hosts", "host", Shape::List).short('H').or("unix:///var/run/docker.sock"),
    text("http-proxy"),
    text("https-proxy"),
    on_off("icc", true),
    on_off("init", false),
    text("init-path"),
    many("insecure-registries", "insecure-registry", Shape::List),
    text_or("ip", "0.0.0.0"),
    on_off("ip-forward", true),
    on_off("ip-forward-no-drop", false),
    on_off("ip-masq", true),
    on_off("ip6tables", true),
    on_off("iptables", true),
    on_off("ipv6", false),
    many("labels", "label", Shape::List),
    on_off("live-restore", false),
    text_or("log-driver", "json-file"),
    text_or("log-format", "text"),
    text_or("log-level", "info").short('l'),
    many("log-opts", "log-opt", Shape::Map),
    text_or("max-concurrent-downloads", "3"),
    text_or("max-concurrent-uploads", "5"),
    text_or("max-download-attempts", "5"),
    text("metrics-addr"),
    text("min-api-version"),
    text_or("mtu", "1500"),
    text_or("network-control-plane-mtu", "1500"),
    text_or("network-diagnostic-port", "0"),
    on_off("no-new-privileges", false),
    text("no-proxy"),
    many("node-generic-resources", "node-generic-resource", Shape::List),
    text_or("oom-score-adjust", "0"),
    text_or("pidfile", "/var/run/docker.pid").short('p'),
    on_off("raw-logs", false),
    many("registry-mirrors", "registry-mirror", Shape::List),
    on_off("rootless", false),
    many("runtimes", "add-runtime", Shape::Map),
    text_or("seccomp-profile", "builtin"),
    on_off("selinux-enabled", false),
    text_or("shutdown-timeout", "15"),
    text("storage-driver").short('s'),
    many("storage-opts", "storage-opt", Shape::List),
    text("swarm-default-advertise-addr"),
    on_off("tls", false),
    text("tlscacert"),
    text("tlscert"),
    text("tlskey"),
    on_off("tlsverify", false),
    on_off("userland-proxy", true),
    text("userland-proxy-path"),
    text("userns-remap"),
    on_off("validate", false).flag_only(),
];

/// Earlier names of options, the same in daemon.json and as flags.
const EARLIER: &[(&str, &str)] = &[("graph", "data-root"), ("host-gateway-ip", "host-gateway-ips")];

/// The option with a name in daemon.json, or with an earlier one.
#[must_use]
pub fn by_key(key: &str) -> Option<&'static Spec> {
    let key = EARLIER.iter().find(|(earlier, _)| *earlier == key).map_or(key, |(_, now)| *now);
    OPTIONS.iter().find(|spec| spec.key == key)
}

/// The option of a long flag, given without dashes.
#[must_use]
pub(super) fn by_flag(flag: &str) -> Option<&'static Spec> {
    let earlier = || EARLIER.iter().find(|(earlier, _)| *earlier == flag).and_then(|(_, now)| by_key(now));
    OPTIONS.iter().find(|spec| spec.flag == flag && !flag.is_empty()).or_else(earlier)
}

/// The option of a short flag.
#[must_use]
pub(super) fn by_short(letter: char) -> Option<&'static Spec> {
    OPTIONS.iter().find(|spec| spec.short == Some(letter))
}

/// A yes or no as Go reads one: `1`, `t`, `true`, `0`, `f`, `false` in the usual cases.
#[must_use]
pub fn flag_value(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_its_spellings_are_unique() {
        assert!(OPTIONS.is_sorted_by(|a, b| a.key < b.key));
        let mut flags: Vec<_> = OPTIONS.iter().filter(|spec| !spec.flag.is_empty()).map(|spec| spec.flag).collect();
        flags.sort_unstable();
        assert!(flags.is_sorted_by(|a, b| a < b));
        for spec in OPTIONS {
            assert!(spec.shape != Shape::Flag || spec.default.is_some(), "{}", spec.key);
        }
        assert_eq!(by_flag("graph").map(|spec| spec.key), Some("data-root"));
    }
}
