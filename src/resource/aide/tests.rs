use super::rules::Outcome;
use super::*;
use crate::fact::Reason;
use crate::host::memory::Memory;

const CONF: &str = "/etc/aide/aide.conf";

fn judged(host: &Memory, path: &str) -> String {
    let context = Context::new(host);
    let rules = Rules::of(&context);
    match rules.as_ref() {
        Fact::Known(rules, _) => match rules.judge(path) {
            Outcome::Checked(attributes, origin) => format!("{} {origin}", attributes.iter().cloned().collect::<Vec<_>>().join("+")),
            Outcome::Unchecked(origin) => format!("unchecked {origin}"),
            Outcome::Unknown(gap) => format!("unknown {gap}"),
        },
        Fact::Absent(_) => "absent".into(),
        Fact::Unknown(gap) => format!("unknown {gap}"),
    }
}

fn of(text: &str, path: &str) -> String {
    judged(&Memory::new().file(CONF, text), path)
}

#[test]
fn the_deepest_rule_counts_and_then_the_first() {
    let text = "All = p+u\n/ All\n/usr/sbin p+sha512\n/usr/sbin/auditctl p\n/usr/sbin/auditctl$ g\n=/opt$ u\n";
    assert_eq!(of(text, "/usr/sbin/auditctl"), "p /etc/aide/aide.conf:4");
    assert_eq!(of(text, "/usr/sbin/ausearch"), "p+sha512 /etc/aide/aide.conf:3");
    assert_eq!(of(text, "/etc/passwd"), "p+u /etc/aide/aide.conf:2");
    assert_eq!(of("=/opt p\n", "/opt/x"), "unchecked /etc/aide/aide.conf");
    assert_eq!(of("/usr d p\n", "/usr/x"), "unchecked /etc/aide/aide.conf", "a rule for directories");
    assert_eq!(of("/usr f p\n", "/usr/x"), "p /etc/aide/aide.conf:1");
}

#[test]
fn what_is_left_out_is_left_out_with_all_below() {
    for not in ["!/usr/sbin", "!/usr/sbin/auditctl$", "-/usr$", "-/usr/sbin$ d", "!/usr/s.*/audit.*", "!/usr/sbin/a 0"] {
        let text = format!("/usr R\n{not}\n");
        assert!(of(&text, "/usr/sbin/auditctl").starts_with("unchecked /etc/aide/aide.conf:2"), "{not}");
    }
    assert!(of("/usr p\n!/usr$ f\n!/usr/sbin/audit.* d\n-/usr$ f\n", "/usr/sbin/auditctl").starts_with("p "), "of other kinds");
    assert!(of("/usr p\n!/usr/sbin/auditctl/\n!/usr/share\n", "/usr/sbin/auditctl").starts_with("p "));
}

#[test]
fn whether_what_is_below_goes_along_hangs_on_the_version() {
    let judged = |version: &str, not: &str| {
        let status = format!("Package: aide\nStatus: install ok installed\nVersion: {version}\nArchitecture: amd64\n");
        let host = Memory::new().file(CONF, format!("/usr p\n{not}\n")).file("/var/lib/dpkg/status", status);
        judged(&host, "/usr/sbin/auditctl").split(' ').next().unwrap_or_default().to_owned()
    };
    for (not, wanted) in [
        ("!/usr/sbin$", ["unknown", "unchecked", "unchecked", "p"]),
        ("!/usr/sbin$ d", ["unknown", "p", "p", "p"]),
        ("!/usr/sbin$ d,f", ["unknown", "p", "p", "p"]),
        ("!/usr/sbin d,f", ["unchecked"; 4]),
        ("-/usr/sbin$", ["unchecked"; 4]),
    ] {
        let found = ["0.16-103.el9", "0.17.4-1", "0.18.3-1+deb12u5", "0.19.1-2"].map(|version| judged(version, not));
        assert_eq!(found.each_ref().map(String::as_str), wanted, "{not}");
        assert_eq!(of(&format!("/usr p\n{not}\n"), "/usr/sbin/auditctl").split(' ').next(), Some(wanted[0]), "{not}: no package");
    }
}

#[test]
fn rules_are_asked_of_what_is_below_their_directory() {
    assert_eq!(of("/usr p\n!/usr/s.in/a\n", "/usr/sbin/auditctl"), "p /etc/aide/aide.conf:1", "kept under /usr/s.in");
    assert_eq!(of("/usr p\n/usr/lib\\.d/x u\n", "/usr/lib.d/x"), "u /etc/aide/aide.conf:2");
    assert_eq!(of("/opt/a p\n=/opt/a$ u\n", "/opt/a"), "u /etc/aide/aide.conf:2", "`=` comes first");
    assert_eq!(of("=/opt/.* u\n/ p\n", "/opt/a/b"), "p /etc/aide/aide.conf:2");
    assert_eq!(of("=/opt u\n", "/optional"), "u /etc/aide/aide.conf:1");
    assert!(of("/ p\n!/lib6?/x\n", "/lib/x").starts_with("unknown"), "0.16 keeps it under /lib6?");
    assert!(of("/usr f=ext4 p\n", "/usr/x").starts_with("unknown"), "the filesystem is not asked");
    assert!(of("/usr p\n!/usr d=ext4\n", "/usr/x").starts_with("unknown"));
}

#[test]
fn macros_includes_and_conditions() {
    let host = Memory::new()
        .file(CONF, "@@define DIR /usr\n@@ifdef DIR\n@@{DIR}/bin p\n@@else\n!@@{DIR}\n@@endif\n@@ifndef DIR\n!/\n@@endif\n@@include /etc/aide/more\n@@include /etc/aide/d ^[a-z]+$\n")
        .file("/etc/aide/more", "/more u\n")
        .file("/etc/aide/d/rules", "/rules g\n")
        .file("/etc/aide/d/rules.bak", "!/more\n");
    assert_eq!(judged(&host, "/usr/bin/x"), "p /etc/aide/aide.conf:3");
    assert_eq!(judged(&host, "/more/x"), "u /etc/aide/more:1");
    assert_eq!(judged(&host, "/rules/x"), "g /etc/aide/d/rules:1");
    assert_eq!(
        of("@@if hostname x\n!/usr\n@@endif\n/usr p\n", "/usr/x").split(' ').next(),
        Some("unknown"),
        "a condition that is not asked"
    );
    assert_eq!(of("!/usr/@@{NOBODY}\n/usr p\n", "/usr/x").split(' ').next(), Some("unknown"));
    assert_eq!(of("!/usr/@@{NOBODY}\n/usr p\n", "/etc/x"), "unchecked /etc/aide/aide.conf");
}

#[test]
fn programs_that_make_rules_are_not_run() {
    let host = |script: &str| {
        Memory::new()
            .file(CONF, "@@x_include /etc/aide/d ^[a-z0-9_]+$\n")
            .file("/etc/aide/d/10_made", script)
            .owned("/etc/aide/d/10_made", 0, 0, 0o755)
            .file("/etc/aide/d/99_root", "/ 0 p+sha512\n")
    };
    assert!(judged(&host("#!/bin/sh\necho '@@define FQDN x'\n"), "/usr/sbin/auditctl").starts_with("p+sha512"));
    assert!(judged(&host("#!/bin/sh\necho '!/usr/sbin'\n"), "/usr/sbin/auditctl").starts_with("unknown"));
}

#[test]
fn loops_nonsense_and_what_is_hidden() {
    assert!(of("@@include /etc/aide/aide.conf\n", "/x").starts_with("unknown"));
    assert!(of("/x[ p\n", "/x").starts_with("unknown"));
    assert!(of("/x nonsense\n", "/x").starts_with("unknown"));
    let hidden = Memory::new().file(CONF, "/x p\n").gap(CONF, Reason::Denied);
    assert!(judged(&hidden, "/x").starts_with("unknown"));
    assert_eq!(judged(&Memory::new(), "/x"), "absent");
    assert_eq!(judged(&Memory::new().file("/etc/aide.conf", "/x p\n"), "/x"), "p /etc/aide.conf:1");
    let whole = "All = p+sha512\n@@define D /usr\n@@{D}/sbin All\n!/usr/sbin/x\n";
    for at in 0..whole.len() {
        let cut = of(&whole[..at], "/usr/sbin/auditctl");
        assert!(!cut.starts_with("p+sha512") || at >= whole.find("All\n!").unwrap() + 3, "{at}: {cut}");
    }
}

#[test]
fn database_and_schedule() {
    let day = 86_400;
    let host = || {
        Memory::new()
            .at(10 * day)
            .file(CONF, "@@define DB /var/lib/aide\ndatabase_in=file:@@{DB}/aide.db\n")
            .file("/usr/bin/aide", "")
            .file("/var/lib/aide/aide.db", "")
            .modified("/var/lib/aide/aide.db", 3 * day)
    };
    let row = row(&Context::new(&host()));
    assert_eq!((row.installed.known(), row.database_exists.known(), row.database_age_days.known()), (Some(&true), Some(&true), Some(&7)));
    let scheduled = |host: Memory| {
        super::row(&Context::new(&host)).scheduled_by.known().map(|list| list.iter().map(|text| text.raw().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(scheduled(host()), Some(vec![]));
    assert_eq!(scheduled(host().file("/etc/crontab", "0 5 * * * root /usr/sbin/aide --check\n")), Some(vec!["/etc/crontab".into()]));
    assert_eq!(scheduled(host().file("/etc/crontab", "# 0 5 * * * root aide --check\n0 * * * * root tripaide\n")), Some(vec![]));
    let script = "#!/bin/sh\nif [ -d /run/systemd/system ]; then\n  exit 0\nfi\n/usr/share/aide/bin/dailyaidecheck\n";
    let booted = || host().node("/run/systemd/system", crate::host::FileKind::Directory, 0o755);
    assert_eq!(scheduled(booted().file("/etc/cron.daily/aide", script)), Some(vec![]), "it steps back");
    assert_eq!(scheduled(booted().file("/etc/cron.daily/aide", "aide --check\n")), Some(vec!["/etc/cron.daily/aide".into()]));
    assert_eq!(scheduled(host().file("/etc/cron.d/aide.disabled", "* * * * * root aide\n")), Some(vec![]));
}
