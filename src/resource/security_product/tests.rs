use super::*;
use crate::fact::Reason;
use crate::host::memory::Memory;

fn get(host: &Memory, name: &str) -> SecurityProduct {
    SecurityProducts::collect(&Context::new(host), &Selector::Keys(vec![name.into()])).unwrap().remove(0)
}

fn problems(host: &Memory, name: &str) -> Vec<String> {
    get(host, name).problems.known().unwrap().iter().map(|text| text.raw().to_owned()).collect()
}

fn process(host: Memory, pid: i32, name: &str, cgroup: &str) -> Memory {
    let status = format!("Name:\t{name}\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n");
    host.file(&format!("/proc/{pid}/status"), status).file(&format!("/proc/{pid}/cgroup"), format!("0::/{cgroup}\n"))
}

fn booted() -> Memory {
    process(Memory::new(), 1, "systemd", "init.scope")
}

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn installed_at_work_and_in_a_container() {
    let absent = get(&booted(), "falco");
    assert_eq!((absent.installed.known(), absent.working.known(), absent.starts.known()), (Some(&false), Some(&false), Some(&false)));
    let idle = get(&booted().file("/usr/bin/falco", ""), "falco");
    assert_eq!((idle.installed.known(), idle.working.known()), (Some(&true), Some(&false)));
    let contained = get(&process(booted(), 9, "falco", &format!("system.slice/docker-{ID}.scope")), "falco");
    assert_eq!((contained.installed.known(), contained.working.known(), contained.in_container.known()), (Some(&true), Some(&true), Some(&true)));
    assert!(contained.starts.known().is_none());
    assert_eq!(SecurityProducts::collect(&Context::new(&booted()), &Selector::All).unwrap().len(), 19);
    assert!(get(&Memory::new(), "falco").working.known().is_none(), "a host that does not run");
}

#[test]
fn the_youngest_of_the_data_says_its_age() {
    let host = booted().at(10 * 86_400).file("/var/lib/clamav/daily.cvd", "").file("/var/lib/clamav/daily.cld", "");
    let host = host.modified("/var/lib/clamav/daily.cld", 8 * 86_400);
    assert_eq!(get(&host, "clamav").data_age_days.known(), Some(&2));
    assert!(matches!(get(&booted(), "clamav").data_age_days, Fact::Absent(_)));
    let hidden = host.file("/var/lib/suricata/rules/x.rules", "").gap("/var/lib/suricata", Reason::Denied);
    assert!(get(&hidden, "suricata").data_age_days.known().is_none());
}

#[test]
fn bans_reach_containers_only_through_the_right_chain() {
    let host = || booted().file("/usr/bin/fail2ban-server", "").file("/etc/fail2ban/jail.conf", "[DEFAULT]\nchain = INPUT\nbanaction = iptables-multiport\nenabled = false\n[sshd]\nport = ssh\n");
    assert_eq!(problems(&host(), "fail2ban"), ["no jail for SSH is enabled"]);
    let on = || host().file("/etc/fail2ban/jail.d/defaults-debian.conf", "[sshd]\nenabled = true\n");
    assert!(problems(&on(), "fail2ban").is_empty());
    assert_eq!(get(&on(), "fail2ban").bans_forwarded.known(), Some(&false));
    let local = on().file("/etc/fail2ban/jail.local", "[DEFAULT]\nchain = DOCKER-USER\n");
    assert_eq!(get(&local, "fail2ban").bans_forwarded.known(), Some(&true));
    let named = on().file("/etc/fail2ban/jail.local", "[sshd]\nbanaction = iptables-multiport[chain=\"DOCKER-USER\"]\n");
    assert_eq!(get(&named, "fail2ban").bans_forwarded.known(), Some(&true));
    let off = on().file("/etc/fail2ban/jail.d/z.local", "[sshd]\nenabled = no\n");
    assert_eq!(problems(&off, "fail2ban").len(), 1, "a local file comes after all others");
    let crowdsec = |chains: &str| booted().file("/usr/bin/crowdsec", "").file("/etc/crowdsec/bouncers/crowdsec-firewall-bouncer.yaml", format!("mode: iptables\niptables_chains:\n{chains}"));
    assert_eq!(get(&crowdsec("  - INPUT\n"), "crowdsec").bans_forwarded.known(), Some(&false));
    assert_eq!(get(&crowdsec("  - INPUT\n#  - FORWARD\n  - DOCKER-USER\n"), "crowdsec").bans_forwarded.known(), Some(&true));
}

#[test]
fn crowdsec_needs_a_bouncer_and_closed_credentials() {
    let host = booted().file("/usr/bin/crowdsec", "").file("/etc/crowdsec/local_api_credentials.yaml", "");
    assert_eq!(problems(&host, "crowdsec").len(), 2);
    let host = host.owned("/etc/crowdsec/local_api_credentials.yaml", 0, 0, 0o600).file("/etc/crowdsec/bouncers/x.yaml", "");
    assert!(problems(&host, "crowdsec").is_empty());
}

#[test]
fn falco_needs_rules_and_an_output() {
    let host = |text: &str| booted().file("/usr/bin/falco", "").file("/etc/falco/falco.yaml", text).file("/etc/falco/falco_rules.yaml", "");
    let bad = "priority: error\nstdout_output:\n  enabled: true\nsyslog_output:\n  enabled: false\nsyscall_event_drops:\n  actions:\n    - ignore\n";
    assert_eq!(problems(&host(bad), "falco").len(), 4);
    let good = "rules_files:\n  - /etc/falco/falco_rules.yaml\npriority: debug\nsyslog_output:\n  enabled: true\n";
    assert!(problems(&host(good), "falco").is_empty());
    let over = host(good).file("/etc/falco/config.d/x.yaml", "syslog_output:\n  enabled: false\n");
    assert_eq!(problems(&over, "falco"), ["alerts go to standard output alone"]);
    assert!(get(&host(good).gap("/etc/falco/falco.yaml", Reason::Denied), "falco").problems.known().is_none());
}

#[test]
fn suricata_and_wazuh_see_something() {
    let host = |text: &str| booted().file("/usr/bin/suricata", "").file("/etc/suricata/suricata.yaml", text).symlink("/sys/class/net/eth0", "../x");
    assert!(problems(&host("af-packet:\n  - interface: eth0\n  - interface: default\n"), "suricata").is_empty());
    assert_eq!(problems(&host("af-packet:\n  - interface: eth9\n"), "suricata"), ["there is no interface eth9"]);
    assert_eq!(problems(&host("x: y\n"), "suricata"), ["no interface is configured"]);
    let state = |text: &str| booted().at(1_700_000_000).file("/var/ossec/bin/wazuh-agentd", "").file("/var/ossec/var/run/wazuh-agentd.state", text);
    assert!(problems(&state("status='connected'\nlast_ack='2023-11-14 22:00:00'\n"), "wazuh").is_empty());
    assert_eq!(problems(&state("status='pending'\nlast_ack='2023-11-01 22:00:00'\n"), "wazuh").len(), 2);
}
