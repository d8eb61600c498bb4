use super::*;
use crate::host::memory::Memory;

const UNIT: &str = "/etc/systemd/system/kubelet.service";

fn host(arguments: &str) -> Memory {
    Memory::new().file(UNIT, format!("[Service]\nExecStart=/usr/bin/kubelet {arguments}\n"))
}

fn option(host: &Memory, field: &str) -> KubeletOption {
    Kubelet::collect(&Context::new(host), &Selector::Keys(vec![field.to_owned()])).unwrap().remove(0)
}

fn said(host: &Memory, field: &str) -> (String, String) {
    let row = option(host, field);
    let value = match &row.value {
        Fact::Known(value, _) => value.0.raw().to_owned(),
        Fact::Absent(_) => "-".to_owned(),
        Fact::Unknown(_) => "unknown".to_owned(),
    };
    (value, row.source.known().map_or_else(String::new, |source| source.raw().to_owned()))
}

fn is(value: &str, source: &str) -> (String, String) {
    (value.to_owned(), source.to_owned())
}

#[test]
fn flags_beat_drop_ins_beat_the_file_beat_defaults() {
    let host = host("--config /c.yaml --config-dir=/d --read-only-port=1")
        .file("/c.yaml", "readOnlyPort: 2\npodPidsLimit: 3\nauthorization: {mode: Webhook}\nfeatureGates:\n  RotateKubeletServerCertificate: false\n")
        .file("/d/10.conf", "podPidsLimit: 4\nseccompDefault: true\n")
        .file("/d/20.conf", "{\"podPidsLimit\": 5}")
        .file("/d/30.yaml", "podPidsLimit: 6\n");
    assert_eq!(said(&host, "readOnlyPort"), is("1", "flag"));
    assert_eq!(said(&host, "podPidsLimit"), is("5", "file"));
    assert_eq!(said(&host, "seccompDefault"), is("true", "file"));
    assert_eq!(said(&host, "authorization.mode"), is("Webhook", "file"));
    assert_eq!(said(&host, "authentication.anonymous.enabled"), is("false", "default"));
    assert_eq!(said(&host, "featureGates.RotateKubeletServerCertificate"), is("false", "file"));
    assert_eq!(option(&host, "podPidsLimit").value.origin(), &Origin::file("/d/20.conf"));
}

#[test]
fn without_a_file_the_ways_of_old_hold() {
    let host = host("--feature-gates=A=true,RotateKubeletServerCertificate=false --tls-cipher-suites=A,B");
    assert_eq!(said(&host, "authentication.anonymous.enabled"), is("true", "default"));
    assert_eq!(said(&host, "authorization.mode"), is("AlwaysAllow", "default"));
    assert_eq!(said(&host, "readOnlyPort"), is("10255", "default"));
    assert_eq!(said(&host, "featureGates.RotateKubeletServerCertificate"), is("false", "flag"));
    assert_eq!(option(&host, "tlsCipherSuites").values.known().map(Vec::len), Some(2));
    assert_eq!(said(&host, "eventRecordQPS"), is("-", "default"));
}

#[test]
fn files_that_are_named_are_looked_for() {
    let host = host("--client-ca-file=/ca.crt").file("/ca.crt", "");
    assert_eq!(option(&host, "authentication.x509.clientCAFile").file_exists.known(), Some(&true));
    let gone = super::tests::host("--client-ca-file=/ca.crt");
    assert_eq!(option(&gone, "authentication.x509.clientCAFile").file_exists.known(), Some(&false));
    assert!(matches!(option(&gone, "tlsCertFile").file_exists, Fact::Absent(_)));
}

#[test]
fn what_is_not_seen_is_unknown() {
    for content in ["a: *b\n", "[1]", "x: [", "readOnlyPort: {a: 1}"] {
        let host = host("--config=/c").file("/c", content);
        assert_eq!(said(&host, "readOnlyPort").0, "unknown", "{content}");
    }
    assert_eq!(said(&host("--config=/none"), "readOnlyPort").0, "unknown");
    assert_eq!(said(&host("--config=relative"), "readOnlyPort").0, "unknown");
    let denied = host("--config=/c --read-only-port=0").file("/c", "").gap("/c", Reason::Denied);
    assert_eq!((said(&denied, "readOnlyPort"), said(&denied, "seccompDefault").0), (is("0", "flag"), "unknown".to_owned()));
    assert!(Kubelet::collect(&Context::new(&Memory::new()), &Selector::All).unwrap().is_empty());
}

#[test]
fn other_distributions_keep_it_elsewhere() {
    let microk8s = Memory::new()
        .file("/etc/systemd/system/snap.microk8s.daemon-kubelite.service", "[Service]\nExecStart=/snap/x\n")
        .file("/var/snap/microk8s/current/args/kubelet", "--client-ca-file=${SNAP_DATA}/certs/ca.crt\n# --read-only-port=1\n--anonymous-auth=false\n");
    assert_eq!(said(&microk8s, "authentication.anonymous.enabled"), is("false", "flag"));
    assert_eq!(said(&microk8s, "authentication.x509.clientCAFile").0, "/var/snap/microk8s/current/certs/ca.crt");
    let k3s = Memory::new().file("/etc/systemd/system/k3s.service", "[Service]\nExecStart=/usr/local/bin/k3s server\n");
    assert_eq!(said(&k3s, "readOnlyPort").0, "unknown");
    let newer = k3s.file("/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf", "authentication:\n  anonymous:\n    enabled: false\n");
    assert_eq!(said(&newer, "authentication.anonymous.enabled"), is("false", "file"));
    assert_eq!(said(&newer, "readOnlyPort"), is("0", "default"));
}
