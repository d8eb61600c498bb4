use super::*;
use crate::fact::Reason;
use crate::host::{FileKind, Identity, memory::Memory};
use crate::parse::audit_rules::kernel::tests::{listing, loaded};

fn host() -> Memory {
    Memory::new().named(Identity { architecture: "x86_64".into(), ..Identity::default() })
}

fn rows(host: &Memory, of: &Selector) -> Vec<AuditRule> {
    AuditRules::collect(&Context::new(host), of).unwrap()
}

fn texts(host: &Memory, of: &Selector) -> Vec<String> {
    rows(host, of).iter().map(|row| row.rule.known().map_or("?".to_owned(), |rule| rule.raw().to_owned())).collect()
}

fn key(path: &str) -> Selector {
    Selector::Keys(vec![path.to_owned()])
}

#[test]
fn loaded_and_on_disk_meet_in_one_record() {
    let host = host()
        .loaded_audit_rules(loaded())
        .node("/etc/docker", FileKind::Directory, 0o755)
        .file("/etc/docker/daemon.json", "{}")
        .file("/etc/audit/rules.d/10-docker.rules", "-D\n-w /etc/docker -p wa -k plimfix\n-w /usr/bin/runc -p wa -k x\n");
    let rows = rows(&host, &Selector::All);
    let find = |text: &str| rows.iter().find(|row| row.rule.known().is_some_and(|rule| rule.raw() == text)).unwrap();
    let both = find("-a always,exit -F dir=/etc/docker -F perm=wa -F key=plimfix");
    assert_eq!(both.loaded, Fact::Known(true, Origin::kernel("audit rules")));
    assert_eq!(both.on_disk, Fact::Known(true, Origin::line("/etc/audit/rules.d/10-docker.rules", 2)));
    assert_eq!(both.recursive.known(), Some(&true));
    assert_eq!(both.permissions.known(), Some(&vec!["w".into(), "a".into()]));
    assert_eq!(both.syscalls.known(), Some(&vec!["all".into()]));
    assert_eq!(both.key.known(), Some(&"plimfix".into()));
    assert!(matches!(both.arch, Fact::Absent(_)));
    let disk = find("-a always,exit -F path=/usr/bin/runc -F perm=wa -F key=x");
    assert_eq!((disk.loaded.known(), disk.on_disk.known(), disk.recursive.known()), (Some(&false), Some(&true), Some(&false)));
    let only_loaded = find("-a always,exit -F path=/usr/bin/dockerd -F perm=wa -F auid!=unset -F auid>=1000 -F key=plimfix");
    assert_eq!(only_loaded.on_disk.known(), Some(&false));
    assert_eq!(only_loaded.fields.known(), Some(&vec!["auid!=unset".into(), "auid>=1000".into()]));
    let calls = find("-a always,exit -F arch=b64 -S openat,rename,unlink -F dir=/run/containerd -F success=1 -F key=plimfix -F key=second");
    assert_eq!(calls.key.known(), Some(&"plimfix,second".into()));
    assert_eq!(calls.arch.known(), Some(&"b64".into()));
    assert!(matches!(calls.permissions, Fact::Absent(_)));
}

#[test]
fn what_cannot_be_seen_is_a_record_of_its_own() {
    let rules = "-w /etc/shadow -p wa\n";
    let unprivileged = host().file("/etc/audit/rules.d/a.rules", rules);
    let found = rows(&unprivileged, &Selector::All);
    assert_eq!(found.len(), 2);
    assert!(matches!(&found[0].loaded, Fact::Unknown(Gap { reason: Reason::NotCollected, .. })));
    assert_eq!(found[0].on_disk.known(), Some(&true));
    assert!(matches!(&found[1].rule, Fact::Unknown(_)), "others may be loaded");
    let denied = host().loaded_audit_rules(listing(rules)).file("/etc/audit/rules.d/a.rules", "").gap("/etc/audit", Reason::Denied);
    let found = rows(&denied, &Selector::All);
    assert!(matches!(&found[0].on_disk, Fact::Unknown(Gap { reason: Reason::Denied, .. })));
    assert_eq!(found[0].loaded.known(), Some(&true));
    let nothing = host().file("/etc/audit/rules.d/a.rules", "").gap("/etc/audit", Reason::Denied);
    assert!(AuditRules::collect(&Context::new(&nothing), &Selector::All).is_err());
    let cut = host().loaded_audit_rules(&loaded()[..3000]);
    assert!(matches!(&rows(&cut, &Selector::All)[0].rule, Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
}

#[test]
fn rules_are_found_by_name_alias_and_parent() {
    let host = host()
        .symlink("/var/run", "/run")
        .symlink("/lib", "usr/lib")
        .node("/run/docker.sock", FileKind::Socket, 0o660)
        .file("/usr/lib/systemd/system/docker.service", "")
        .file("/usr/bin/containerd", "")
        .loaded_audit_rules(listing(
            "-w /var/run/docker.sock -p wa\n-w /lib/systemd/system/docker.service -p wa\n-w /usr/bin/containerd-shim -p wa\n\
             -a always,exit -F dir=/run -F perm=wa\n-w /usr/bin/containerd -p x",
        ));
    assert_eq!(
        texts(&host, &key("/run/docker.sock")),
        ["-a always,exit -F path=/var/run/docker.sock -F perm=wa", "-a always,exit -F dir=/run -F perm=wa"]
    );
    assert_eq!(texts(&host, &key("/var/run/docker.sock")).len(), 2);
    assert_eq!(rows(&host, &key("/run/docker.sock"))[0].path.known(), Some(&"/run/docker.sock".into()));
    assert_eq!(
        texts(&host, &key("/usr/lib/systemd/system/docker.service")),
        ["-a always,exit -F path=/lib/systemd/system/docker.service -F perm=wa"]
    );
    assert_eq!(texts(&host, &key("/usr/bin/containerd")), ["-a always,exit -F path=/usr/bin/containerd -F perm=x"]);
    assert!(texts(&host, &key("/etc/docker")).is_empty());
}

#[test]
fn files_are_made_of_files() {
    let host = host()
        .loaded_audit_rules(listing(""))
        .file("/etc/audit/rules.d/9-a.rules", "-A never,exit -F path=/x\n")
        .file("/etc/audit/rules.d/10-b.rules", "-w /b\n-w /c\n-W /c\n")
        .file("/etc/audit/rules.d/notes.txt", "-w /not\n")
        .symlink("/etc/audit/rules.d/gone.rules", "/nowhere")
        .file("/etc/audit/audit.rules", "-w /b\n-w /stale\n");
    assert_eq!(
        texts(&host, &Selector::All),
        ["-a never,exit -F path=/x", "-a always,exit -F path=/b -F perm=rwxa", "-a always,exit -F path=/stale -F perm=rwxa"]
    );
    assert_eq!(*rows(&host, &Selector::All)[1].on_disk.origin(), Origin::line("/etc/audit/rules.d/10-b.rules", 1));
}

fn will_watch(host: &Memory, path: &str) -> Fact<bool> {
    Trail::of(&Context::new(host)).will_watch(cover::Target { path: Path::new(path), is_directory: false })
}

#[test]
fn only_what_the_next_start_loads_lasts() {
    let stale = host().file("/etc/audit/rules.d/a.rules", "-D\n").file("/etc/audit/audit.rules", "-w /bin/x\n");
    assert_eq!(will_watch(&stale, "/bin/x").known(), Some(&false), "augenrules will overwrite it");
    let alone = host().file("/etc/audit/audit.rules", "-w /bin/x\n");
    assert_eq!(will_watch(&alone, "/bin/x"), Fact::Known(true, Origin::line("/etc/audit/audit.rules", 1)));
    let off = host().file("/etc/audit/rules.d/a.rules", "-e 0\n-w /bin/x\n");
    assert_eq!(will_watch(&off, "/bin/x"), Fact::Known(false, Origin::line("/etc/audit/rules.d/a.rules", 1)));
    assert_eq!(will_watch(&host(), "/bin/x").known(), Some(&false));
    let denied = host().file("/etc/audit/rules.d/a.rules", "").gap("/etc/audit/rules.d/a.rules", Reason::Denied);
    assert!(matches!(will_watch(&denied, "/bin/x"), Fact::Unknown(Gap { reason: Reason::Denied, .. })));
}

#[test]
fn auditctl_stops_at_a_line_it_refuses() {
    let with = |rules: &str| will_watch(&host().file("/etc/audit/rules.d/a.rules", rules), "/bin/x");
    assert_eq!(with("-w /bin/x\n-z\n").known(), Some(&true), "what came before is loaded");
    let after = with("-w /etc\n-z\n-w /bin/x\n");
    assert_eq!(*after.origin(), Origin::line("/etc/audit/rules.d/a.rules", 2));
    assert!(matches!(after, Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
    assert_eq!(with("-i\n-z\n-w /bin/x\n").known(), Some(&true));
    assert!(with("-w /etc/a\n-z\n").known().is_none(), "the line may be a rule that is not understood here");
    assert_eq!(with("-w /etc/a\n-w /etc/a\n").known(), Some(&false), "a repeated rule is not");
    assert!(with("-w /etc/a\n-w /etc/a\n-w /bin/x\n").known().is_none(), "but it stops auditctl");
}

#[test]
fn a_watch_on_a_link_watches_the_link() {
    let host = host()
        .file("/opt/runc-1.1/runc", "")
        .symlink("/usr/bin/runc", "/opt/runc-1.1/runc")
        .symlink("/opt/current", "runc-1.1")
        .loaded_audit_rules(listing(
            "-w /usr/bin/runc -p wa\n-a always,exit -F dir=/opt/current -F perm=wa\n-a always,exit -F dir=/opt/current/ -F perm=w -k slash\n",
        ));
    assert_eq!(texts(&host, &key("/usr/bin/runc")), ["-a always,exit -F dir=/opt/current/ -F perm=w -F key=slash"]);
}

#[test]
fn a_great_many_rules_are_read_in_time() {
    let many: String = (0..100_000).map(|i| format!("-w /srv/d{}/f{i} -p wa\n", i % 100)).collect();
    let host = host().file("/etc/audit/rules.d/a.rules", &many).loaded_audit_rules(listing("-w /bin/x -p wa"));
    assert_eq!(rows(&host, &key("/bin/x")).len(), 1);
    assert_eq!(will_watch(&host, "/srv/d1/f1").known(), Some(&true));
}
