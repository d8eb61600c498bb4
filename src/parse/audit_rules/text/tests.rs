use super::*;
use crate::parse::audit_rules::Machine;

fn configured(text: &str) -> Configured {
    let file = Text::from("/etc/audit/audit.rules");
    read(lines(&file, text), &Names::of(Machine::X86_64))
}

fn rules(text: &str) -> Vec<String> {
    configured(text).rules.iter().map(|placed| placed.rule.to_string()).collect()
}

fn refused(text: &str) -> Option<(u32, String)> {
    configured(text).refusal.map(|refusal| (refusal.line, refusal.why))
}

#[test]
fn spellings_meet_in_one() {
    let one = "-a always,exit -F arch=b64 -S openat,unlink -F path=/etc/hosts -F perm=wa -F auid!=unset -F key=a";
    for spelling in [
        "-a exit,always -S unlink,openat -F path=/etc/hosts -F arch=b64 -F perm=aw -F auid!=-1 -k a",
        "-a always,exit -F arch=x86_64 -S openat -S 87 -F path=/etc/hosts -F perm=WA -F loginuid!=4294967295 -F key=a",
        "  -aalways,exit   -F arch=b64 -Sunlink -Sopenat -F path=/etc/hosts -pwa -F auid!=unset -ka",
    ] {
        assert_eq!(rules(spelling), [one], "{spelling}");
    }
    assert_eq!(rules("-w /etc/docker/ -k docker"), ["-w /etc/docker -p rwxa -k docker"]);
    assert_eq!(rules("-a always,exit -S open,59,all -F path=/etc/hosts"), ["-a always,exit -F path=/etc/hosts"]);
    assert_eq!(rules("-w /srv/a\\ b -p w -k x\\ y"), ["-w /srv/a\\ b -p w -k x\\ y"]);
    assert_eq!(rules("-w /etc/hosts -p wa -F auid>=1000"), ["-a always,exit -F path=/etc/hosts -F perm=wa -F auid>=1000"]);
    assert_eq!(rules("-a always,exit -F arch=b32 -S 124 -k t"), ["-a always,exit -F arch=b32 -S adjtimex -F key=t"]);
    assert_eq!(rules("-a always,exit -C euid!=uid -F euid=root -S execve"), ["-a always,exit -S execve -F euid=0 -C uid!=euid"]);
}

#[test]
fn quotes_are_letters_and_comments_stand_alone() {
    assert_eq!(rules("# -w /etc/a\n   # -w /etc/b\n\n-w /etc/c -p w -k \"q\""), ["-w /etc/c -p w -k \"q\""]);
    assert_eq!(refused("-w \"/etc/a\" -p w").map(|r| r.0), Some(1), "auditctl does not take quotes off");
    assert!(refused("-w /etc/a -k x # why").is_some(), "a comment cannot follow a rule");
    assert!(refused("-w\t/etc/a\t-k\tx").is_some(), "tabs separate nothing");
}

#[test]
fn auditctl_stops_at_what_it_refuses() {
    let read = configured("-w /etc/a\n-bogus x\n-a always,exit -F nothing=1\n-w /etc/b\n");
    assert_eq!(read.refusal.as_ref().map(|refusal| refusal.line), Some(3), "-b with any value is a backlog");
    assert_eq!(read.rules.iter().map(|placed| (placed.line, placed.after_stop)).collect::<Vec<_>>(), [(1, false), (4, true)]);
    for goes_on in ["-c", "-i"] {
        assert!(!configured(&format!("{goes_on}\n-z\n-w /etc/b")).rules[0].after_stop);
    }
    for wrong in [
        "-a entry,always -S open",
        "-a possible,exit",
        "-a always,exit -S nosuchcall",
        "-a always,exit -F path=relative",
        "-a always,exit -F path=/a -F dir=/b",
        "-a always,exit -F success=yes",
        "-a always,exit -F arch=vax",
        "-a always,exit -F perm=q",
        "-p wa -w /etc/a",
        "-w /etc/a -w /etc/b",
        "-w /etc/a -p",
        "-W /etc/a",
        "-e 3",
        "-D -k",
        "wat",
    ] {
        assert!(refused(wrong).is_some(), "{wrong}");
    }
    assert_eq!(refused("-w /etc/a\n-w /etc/a\n").map(|r| r.0), Some(2), "the kernel refuses a rule that it has");
}

#[test]
fn control_lines_are_known() {
    let all = "-D\n-b 8192\n--backlog_wait_time 60000\n-f 1\n-r 100\n-i\n-c\n--loginuid-immutable\n-e 2\n";
    let read = configured(all);
    assert!(read.refusal.is_none(), "{:?}", read.refusal);
    assert_eq!(read.enabled.map(|enabled| (enabled.value, enabled.line)), Some((2, 9)));
    assert_eq!(configured("-e 1\n-e0\n").enabled.map(|enabled| enabled.value), Some(0));
}

#[test]
fn rules_can_be_deleted_again() {
    assert_eq!(rules("-w /a -k x\n-D\n-w /b"), ["-w /b -p rwxa"]);
    assert_eq!(rules("-w /a -k x\n-w /b -k y\n-D -k x"), ["-w /b -p rwxa -k y"]);
    assert_eq!(rules("-w /a -p wa -k x\n-w /b\n-W /a -p aw -k x"), ["-w /b -p rwxa"]);
    assert_eq!(rules("-a always,exit -S open -k x\n-d exit,always -S open -k x"), [""; 0]);
    assert_eq!(rules("-w /a -k x\n-D -k x\n-w /a -k x"), ["-w /a -p rwxa -k x"], "and given again");
}

#[test]
fn prepended_rules_come_first() {
    let rules = rules("-w /a\n-A never,exit -F path=/a\n-A never,exit -F path=/b");
    assert_eq!(rules, ["-a never,exit -F path=/b", "-a never,exit -F path=/a", "-w /a -p rwxa"]);
}

#[test]
fn files_merge_as_augenrules_does() {
    let names: Vec<Text> = ["10-b.rules", "9-a.rules", "99-final.rules"].map(Text::from).into();
    let files = [
        (&names[0], "-b 8192\n-w /b\n-D -k b\n-e 2\n-f 2\n"),
        (&names[1], "# first\n-D\n\n-w /a\n-b 1\n-e 1\n"),
        (&names[2], "-w /c\n-f 1\n"),
    ];
    let merged: Vec<_> = merged(&files).into_iter().map(|line| (line.file.raw(), line.number, line.text)).collect();
    assert_eq!(
        merged,
        [
            ("9-a.rules", 2, "-D"),
            ("10-b.rules", 1, "-b 8192"),
            ("99-final.rules", 2, "-f 1"),
            ("9-a.rules", 4, "-w /a"),
            ("10-b.rules", 2, "-w /b"),
            ("10-b.rules", 3, "-D -k b"),
            ("99-final.rules", 1, "-w /c"),
            ("10-b.rules", 4, "-e 2"),
        ]
    );
}

#[test]
fn many_rules_and_long_ones_are_bounded() {
    let many: String = (0..100_000).map(|i| format!("-w /srv/{i} -p wa -k k{}\n", i % 10)).collect();
    assert_eq!(configured(&many).rules.len(), 100_000);
    let long = format!("-a always,exit {}", "-F pid=1 ".repeat(1000));
    assert!(refused(&long).is_some());
    let purges = "-D -k x\n".repeat(2_000);
    assert!(refused(&purges).is_some());
}
