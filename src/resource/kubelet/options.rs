//! The options of the kubelet that matter, by the name of their field, with the flag that sets each and what holds when nothing does.

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Flag,
    Text,
    /// One that names a file.
    Path,
    List,
}

pub(super) struct Spec {
    /// Path of the field in the configuration, with dots. Of an option without a field, its name in that style.
    pub(super) field: &'static str,
    pub(super) flag: &'static str,
    pub(super) shape: Shape,
    /// What holds when nothing sets it and there is a configuration file; `None` for nothing.
    pub(super) default: Option<&'static str>,
    /// The same without a configuration file: the insecure ways of old.
    pub(super) legacy: Option<&'static str>,
}

const fn spec(field: &'static str, flag: &'static str, shape: Shape, default: Option<&'static str>) -> Spec {
    Spec { field, flag, shape, default, legacy: default }
}

pub(super) static OPTIONS: &[Spec] = &[
    Spec { legacy: Some("true"), ..spec("authentication.anonymous.enabled", "anonymous-auth", Shape::Flag, Some("false")) },
    Spec { legacy: Some("false"), ..spec("authentication.webhook.enabled", "authentication-token-webhook", Shape::Flag, Some("true")) },
    spec("authentication.x509.clientCAFile", "client-ca-file", Shape::Path, None),
    Spec { legacy: Some("AlwaysAllow"), ..spec("authorization.mode", "authorization-mode", Shape::Text, Some("Webhook")) },
    spec("eventRecordQPS", "event-qps", Shape::Text, None),
    spec("featureGates.RotateKubeletServerCertificate", "feature-gates", Shape::Flag, Some("true")),
    spec("hostnameOverride", "hostname-override", Shape::Text, None),
    spec("makeIPTablesUtilChains", "make-iptables-util-chains", Shape::Flag, Some("true")),
    spec("podPidsLimit", "pod-max-pids", Shape::Text, Some("-1")),
    spec("protectKernelDefaults", "protect-kernel-defaults", Shape::Flag, Some("false")),
    Spec { legacy: Some("10255"), ..spec("readOnlyPort", "read-only-port", Shape::Text, Some("0")) },
    spec("rotateCertificates", "rotate-certificates", Shape::Flag, Some("false")),
    spec("seccompDefault", "seccomp-default", Shape::Flag, Some("false")),
    spec("serverTLSBootstrap", "rotate-server-certificates", Shape::Flag, Some("false")),
    spec("streamingConnectionIdleTimeout", "streaming-connection-idle-timeout", Shape::Text, Some("4h0m0s")),
    spec("tlsCertFile", "tls-cert-file", Shape::Path, None),
    spec("tlsCipherSuites", "tls-cipher-suites", Shape::List, None),
    spec("tlsPrivateKeyFile", "tls-private-key-file", Shape::Path, None),
];

/// Flags without a value of their own: `--seccomp-default` alone means true.
fn is_switch(flag: &str) -> bool {
    OPTIONS.iter().any(|spec| spec.flag == flag && spec.shape == Shape::Flag && spec.flag != "feature-gates")
}

/// The flags of a command line, in order; a flag given twice counts as the last one says. Underscores are as good as dashes.
pub(super) fn flags(arguments: &[String]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut arguments = arguments.iter().peekable();
    while let Some(argument) = arguments.next() {
        let Some(flag) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')).filter(|flag| !flag.is_empty()) else { continue };
        let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value.to_owned())));
        let name = name.replace('_', "-");
        let value = match value {
            Some(value) => value,
            None if is_switch(&name) => "true".to_owned(),
            None => arguments.next_if(|next| !next.starts_with("--")).cloned().unwrap_or_else(|| "true".to_owned()),
        };
        found.push((name, value));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_written_in_several_ways() {
        let line = ["--config=/a", "--kubeconfig", "/b", "--seccomp-default", "--read_only_port=0", "x", "--last"].map(str::to_owned);
        let found = flags(&line);
        let expected = [("config", "/a"), ("kubeconfig", "/b"), ("seccomp-default", "true"), ("read-only-port", "0"), ("last", "true")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
