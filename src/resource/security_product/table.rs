//! Products that watch a host: how each is recognised, and what its data is. Names and paths change with releases: this table is
//! as old as the release.

/// How a product does its work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Works {
    /// A daemon does, all the time.
    Daemon,
    /// Something runs it now and then.
    Regularly,
}

/// One product.
pub(super) struct Product {
    pub(super) name: &'static str,
    /// What it is for: `audit`, `integrity`, `bans`, `runtime`, `network`, `agent`, `malware`, `rootkits`.
    pub(super) kind: &'static str,
    pub(super) works: Works,
    /// Files of which any shows that it is installed.
    pub(super) marks: &'static [&'static str],
    /// Units, by any of which it goes.
    pub(super) units: &'static [&'static str],
    /// Short names of its processes, on the host or in a container.
    pub(super) processes: &'static [&'static str],
    /// Files of cron that run it.
    pub(super) cron: &'static [&'static str],
    /// Files, as globs, of which the youngest says how old its data is: signatures, rules, reports.
    pub(super) data: &'static [&'static str],
}

const fn daemon(
    name: &'static str,
    kind: &'static str,
    marks: &'static [&'static str],
    units: &'static [&'static str],
    processes: &'static [&'static str],
    data: &'static [&'static str],
) -> Product {
    Product { name, kind, works: Works::Daemon, marks, units, processes, cron: &[], data }
}

const fn regularly(
    name: &'static str,
    kind: &'static str,
    marks: &'static [&'static str],
    units: &'static [&'static str],
    cron: &'static [&'static str],
    data: &'static [&'static str],
) -> Product {
    Product { name, kind, works: Works::Regularly, marks, units, processes: &[], cron, data }
}

pub(super) const PRODUCTS: &[Product] = &[
    daemon("auditd", "audit", &["/sbin/auditd", "/usr/sbin/auditd"], &["auditd"], &["auditd"], &["/var/log/audit/audit.log"]),
    regularly(
        "aide",
        "integrity",
        &["/usr/bin/aide", "/usr/sbin/aide"],
        &["dailyaidecheck.timer", "aidecheck.timer", "aide.timer"],
        &[],
        &[],
    ),
    regularly(
        "tripwire",
        "integrity",
        &["/usr/sbin/tripwire"],
        &["tripwire.timer", "tripwire-check.timer"],
        &["/etc/cron.daily/tripwire", "/etc/cron.daily/tripwire-check"],
        &["/var/lib/tripwire/report/*.twr"],
    ),
    daemon("samhain", "integrity", &["/usr/sbin/samhain", "/usr/local/sbin/samhain"], &["samhain"], &["samhain"], &[]),
    daemon("fail2ban", "bans", &["/usr/bin/fail2ban-server"], &["fail2ban"], &["fail2ban-server"], &[]),
    daemon(
        "crowdsec",
        "bans",
        &["/usr/bin/crowdsec", "/usr/local/bin/crowdsec"],
        &["crowdsec"],
        &["crowdsec"],
        &["/etc/crowdsec/hub/.index.json", "/var/lib/crowdsec/hub/.index.json"],
    ),
    daemon(
        "falco",
        "runtime",
        &["/usr/bin/falco"],
        &["falco", "falco-modern-bpf", "falco-bpf", "falco-kmod", "falco-custom"],
        &["falco"],
        &["/etc/falco/*rules*.yaml"],
    ),
    daemon("sysdig", "runtime", &["/opt/draios/etc/dragent.yaml"], &["dragent", "sysdig-agent"], &["dragent"], &[]),
    daemon(
        "wazuh",
        "agent",
        &["/var/ossec/bin/wazuh-agentd", "/var/ossec/bin/wazuh-control"],
        &["wazuh-agent", "wazuh-manager"],
        &["wazuh-agentd", "wazuh-analysisd"],
        &[],
    ),
    daemon("ossec", "agent", &["/var/ossec/bin/ossec-control"], &["ossec", "ossec-hids"], &["ossec-agentd", "ossec-analysisd"], &[]),
    daemon(
        "suricata",
        "network",
        &["/usr/bin/suricata", "/usr/sbin/suricata"],
        &["suricata"],
        &["Suricata-Main", "suricata"],
        &["/var/lib/suricata/rules/*.rules", "/etc/suricata/rules/*.rules"],
    ),
    daemon("snort", "network", &["/usr/sbin/snort", "/usr/local/bin/snort"], &["snort", "snort3"], &["snort"], &["/etc/snort/rules/*.rules"]),
    daemon("zeek", "network", &["/opt/zeek/bin/zeek", "/usr/local/zeek/bin/zeek", "/usr/bin/zeek"], &["zeek"], &["zeek"], &[]),
    daemon(
        "clamav",
        "malware",
        &["/usr/bin/clamscan", "/usr/sbin/clamd"],
        &["clamav-daemon", "clamd", "clamd@scan"],
        &["clamd"],
        &["/var/lib/clamav/daily.cld", "/var/lib/clamav/daily.cvd"],
    ),
    daemon("osquery", "agent", &["/usr/bin/osqueryd", "/opt/osquery/bin/osqueryd"], &["osqueryd"], &["osqueryd"], &[]),
    daemon("falcon-sensor", "agent", &["/opt/CrowdStrike/falcond"], &["falcon-sensor"], &["falcon-sensor"], &[]),
    daemon("mdatp", "agent", &["/opt/microsoft/mdatp/sbin/wdavdaemon"], &["mdatp"], &["wdavdaemon"], &[]),
    regularly(
        "rkhunter",
        "rootkits",
        &["/usr/bin/rkhunter"],
        &["rkhunter.timer"],
        &["/etc/cron.daily/rkhunter"],
        &["/var/log/rkhunter.log", "/var/log/rkhunter/rkhunter.log"],
    ),
    regularly(
        "chkrootkit",
        "rootkits",
        &["/usr/sbin/chkrootkit", "/usr/bin/chkrootkit"],
        &["chkrootkit.timer"],
        &["/etc/cron.daily/chkrootkit"],
        &["/var/log/chkrootkit/log.today", "/var/cache/chkrootkit/log.today"],
    ),
];
