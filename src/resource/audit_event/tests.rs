use super::*;
use crate::host::{Identity, memory::Memory};
use crate::parse::audit_rules::kernel::tests::{listing, status_message};

const DISK: &str = "/etc/audit/rules.d/a.rules";

fn host() -> Memory {
    Memory::new()
        .named(Identity { architecture: "x86_64".into(), ..Identity::default() })
        .node("/etc/sudoers.d", FileKind::Directory, 0o750)
        .file("/etc/sudoers", "")
        .loaded_audit_rules(listing(""))
}

fn event(host: &Memory, name: &str) -> AuditEvent {
    AuditEvents::collect(&Context::new(host), &Selector::Keys(vec![name.into()])).unwrap().remove(0)
}

fn on_disk(host: Memory, name: &str, rules: &str) -> Vec<String> {
    let row = event(&host.file(DISK, rules), name);
    let missing = row.missing_on_disk.known().unwrap().iter().map(|text| text.raw().to_owned()).collect::<Vec<_>>();
    assert_eq!(row.on_disk.known(), Some(&missing.is_empty()));
    missing
}

fn both(line: &str) -> String {
    ["b64", "b32"].map(|arch| line.replace("ARCH", arch)).join("\n")
}

const PEOPLE: &str = "-F auid>=1000 -F auid!=unset";

#[test]
fn loaded_and_on_disk_are_judged_apart() {
    let rules = "-w /etc/sudoers -p wa -k scope\n-w /etc/sudoers.d/ -p wa -k scope\n";
    let loaded = |rules: &str| host().loaded_audit_rules(listing(rules));
    let row = event(&loaded("").file(DISK, rules), "sudo-rules");
    assert_eq!((row.loaded.known(), row.on_disk.known(), row.possible.known()), (Some(&false), Some(&true), Some(&true)));
    assert_eq!(row.missing_loaded.known(), Some(&vec!["/etc/sudoers".into(), "/etc/sudoers.d".into()]));
    let kernel = "-a always,exit -F path=/etc/sudoers -F perm=wa\n-a always,exit -F dir=/etc/sudoers.d -F perm=wa";
    assert_eq!(event(&loaded(kernel), "sudo-rules").loaded.known(), Some(&true), "however they are spelled");
    let off = host().loaded_audit_rules([status_message(0, 0), listing(kernel)].concat());
    assert_eq!(event(&off, "sudo-rules").missing_loaded.known(), Some(&vec!["auditing is switched off".into()]));
    let hidden = host().file(DISK, rules).gap("/etc/audit", crate::fact::Reason::Denied);
    assert!(event(&hidden, "sudo-rules").on_disk.known().is_none());
}

#[test]
fn a_line_that_is_refused_leaves_it_open() {
    let rules = "-w /etc/sudoers -p wa\n-w nonsense\n-w /etc/sudoers.d -p wa\n";
    assert!(event(&host().file(DISK, rules), "sudo-rules").on_disk.known().is_none());
    assert!(on_disk(host(), "sudo-rules", &format!("-c\n{}", rules.replace("nonsense", "/etc/x -p wa"))).is_empty());
    assert_eq!(on_disk(host(), "sudo-rules", &format!("{rules}-e 0").replace("-w nonsense\n", "")), ["auditing is switched off"]);
}

#[test]
fn calls_of_people_by_the_least_id_of_this_host() {
    let rules = both(&format!("-a always,exit -F arch=ARCH -S mount {PEOPLE} -k mounts"));
    assert!(on_disk(host(), "mounts", &rules).is_empty());
    assert_eq!(on_disk(host().file("/etc/login.defs", "UID_MIN 500\n"), "mounts", &rules), ["b64 mount", "b32 mount"]);
    assert!(on_disk(host().file("/etc/login.defs", "#UID_MIN 500\nUID_MIN\t\t 1000\n"), "mounts", &rules).is_empty());
    let hidden = host().file("/etc/login.defs", "").gap("/etc/login.defs", crate::fact::Reason::Denied);
    assert!(event(&hidden, "mounts").on_disk.known().is_none());
}

#[test]
fn refused_access_needs_both_errors() {
    let calls = "creat,open,openat,truncate,ftruncate";
    let one = both(&format!("-a always,exit -F arch=ARCH -S {calls} -F exit=-EACCES {PEOPLE}"));
    let missing = on_disk(host(), "refused-access", &one);
    assert_eq!((missing.len(), missing[0].as_str()), (10, "b64 creat exit=-EPERM"));
    assert!(on_disk(host(), "refused-access", &format!("{one}\n{}", one.replace("-EACCES", "-EPERM"))).is_empty());
    let wider = both(&format!("-a always,exit -F arch=ARCH -S {calls} -F success=0"));
    assert!(on_disk(host(), "refused-access", &wider).is_empty());
}

#[test]
fn time_needs_calls_and_the_link_itself() {
    let host = || host().file("/usr/share/zoneinfo/UTC", "").symlink("/etc/localtime", "/usr/share/zoneinfo/UTC");
    let calls = both("-a always,exit -F arch=ARCH -S adjtimex,settimeofday -k t\n-a always,exit -F arch=ARCH -S clock_settime -F a0=0x0 -k t");
    assert_eq!(on_disk(host(), "time", &calls), ["/etc/localtime"]);
    assert!(on_disk(host(), "time", &format!("{calls}\n-w /etc/localtime -p wa -k t")).is_empty());
    let unset = both("-a always,exit -F arch=ARCH -S adjtimex,settimeofday,clock_settime -F a0=0x1");
    assert_eq!(on_disk(host(), "time", &format!("{unset}\n-w /etc/localtime -p wa")).len(), 6);
}

#[test]
fn acting_as_another_is_a_comparison_of_fields() {
    let rules = both("-a always,exit -F arch=ARCH -C euid!=uid -F auid!=unset -S execve -k user_emulation");
    assert!(on_disk(host(), "acting-as-another", &rules).is_empty());
    assert_eq!(on_disk(host(), "acting-as-another", &rules.replace("execve", "execveat")), ["b64 execve", "b32 execve"]);
}

#[test]
fn programs_count_where_they_are() {
    let rule = "-a always,exit -F path=/usr/bin/kmod -F perm=x -F auid>=1000 -F auid!=unset -k kernel_modules";
    let call = "-a always,exit -F arch=b64 -S init_module,finit_module,delete_module,create_module,query_module -F auid>=1000 -F auid!=unset";
    let with = || host().file("/usr/bin/kmod", "");
    assert!(on_disk(with(), "kernel-modules", &format!("{rule}\n{call}")).is_empty());
    assert_eq!(on_disk(with(), "kernel-modules", call), ["/usr/bin/kmod"]);
    assert!(on_disk(host(), "kernel-modules", call).is_empty());
    let merged = host().file("/usr/sbin/usermod", "").symlink("/sbin", "usr/sbin");
    assert!(on_disk(merged, "usermod", &rule.replace("/usr/bin/kmod", "/sbin/usermod")).is_empty());
    assert_eq!(event(&host(), "chacl").possible.known(), Some(&false));
}

#[test]
fn sudos_log_is_found_and_needed() {
    assert_eq!(on_disk(host(), "sudo-log", ""), ["sudo writes no log file"]);
    let with = |sudoers: &str| host().file("/etc/sudoers", sudoers).file("/etc/sudoers.d/10-log", "Defaults !syslog, logfile=\"/var/log/sudo.log\" # x\n");
    let rules = "-w /var/log/sudo.log -p wa -k sudo_log_file";
    assert!(on_disk(with("@includedir /etc/sudoers.d\n"), "sudo-log", rules).is_empty());
    assert_eq!(on_disk(with("@includedir sudoers.d\n"), "sudo-log", "-w /var/log/sudo -p wa"), ["/var/log/sudo.log"]);
    assert_eq!(on_disk(with("#includedir /etc/sudoers.d\nDefaults !logfile\n"), "sudo-log", rules), ["sudo writes no log file"]);
    assert_eq!(on_disk(with("# Defaults logfile=/x\nDefaults:bob logfile=/x\n"), "sudo-log", rules), ["sudo writes no log file"]);
    assert_eq!(on_disk(with("Defaults env_reset, \\\n logfile=/x\n"), "sudo-log", ""), ["/x"]);
    let looped = with("@include /etc/sudoers\nDefaults logfile=/x\n");
    assert_eq!(on_disk(looped, "sudo-log", ""), ["/x"]);
    let hidden = with("@includedir /etc/sudoers.d\n").gap("/etc/sudoers.d", crate::fact::Reason::Denied);
    assert!(event(&hidden, "sudo-log").on_disk.known().is_none());
}

#[test]
fn paths_that_are_not_there_count_where_making_them_matters() {
    let rules = "-w /etc/group -p wa\n-w /etc/passwd -p wa\n-w /etc/gshadow -p wa\n-w /etc/shadow -p wa\n-w /etc/security/opasswd -p wa\n-w /etc/nsswitch.conf -p wa\n";
    assert!(on_disk(host(), "accounts", rules).is_empty());
    let pam = host().node("/etc/pam.d", FileKind::Directory, 0o755);
    assert_eq!(on_disk(pam, "accounts", rules), ["/etc/pam.d"]);
    assert_eq!(on_disk(host(), "accounts", &rules.replace("-w /etc/security/opasswd -p wa\n", "")), ["/etc/security/opasswd"]);
    assert!(on_disk(host(), "accounts", "-w /etc -p wa").is_empty(), "a directory above");
    let linked = host().file("/etc/authselect/nsswitch.conf", "").symlink("/etc/nsswitch.conf", "/etc/authselect/nsswitch.conf");
    assert_eq!(on_disk(linked, "accounts", rules), ["/etc/authselect/nsswitch.conf"], "a watch on a link watches the link");
}

#[test]
fn the_directory_of_selinux_counts_where_it_is_used() {
    let directory = |host: Memory, path| host.node(path, FileKind::Directory, 0o755);
    let debian = || directory(directory(host(), "/etc/apparmor.d"), "/etc/selinux");
    assert!(on_disk(debian(), "mandatory-access-control", "-w /etc/apparmor.d/ -p wa\n").is_empty());
    let used = debian().file("/sys/kernel/security/lsm", "selinux").file("/sys/fs/selinux/enforce", "1");
    let red_hat = directory(host(), "/etc/selinux");
    assert_eq!(on_disk(red_hat, "mandatory-access-control", ""), ["/etc/selinux"]);
    assert_eq!(on_disk(used, "mandatory-access-control", "-w /etc/apparmor.d -p wa\n"), ["/etc/selinux"]);
}

#[test]
fn the_place_of_faillock_and_of_old_names() {
    let there = || host().symlink("/var/run", "/run").file("/run/utmp", "").file("/var/log/wtmp", "").file("/var/log/btmp", "");
    let rules = "-w /var/run/utmp -p wa\n-w /var/log/wtmp -p wa\n-w /var/log/btmp -p wa\n-w /var/log/lastlog -p wa\n-w /var/run/faillock -p wa\n";
    assert!(on_disk(there(), "sessions", rules).is_empty());
    assert!(on_disk(there().file("/var/log/lastlog", ""), "logins", rules).is_empty());
    assert_eq!(event(&host(), "sessions").possible.known(), Some(&false));
    assert_eq!(on_disk(there().file("/etc/security/faillock.conf", "dir = /var/lib/faillock\n"), "logins", rules), ["/var/lib/faillock"]);
}

#[test]
fn a_machine_without_a_table_is_not_judged_by_calls() {
    let host = host().named(Identity { architecture: "riscv64".into(), ..Identity::default() });
    assert!(event(&host, "mounts").loaded.known().is_none());
    assert_eq!(event(&host, "sudo-rules").loaded.known(), Some(&false));
    assert_eq!(AuditEvents::collect(&Context::new(&host), &Selector::All).unwrap().len(), 18);
}
