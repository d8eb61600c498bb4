use super::*;
use crate::host::memory::Memory;

const DEBIAN: &str = "ID=debian\nVERSION_ID=\"12\"\n";

fn get(host: &Memory, name: &str) -> SystemdSetting {
    SystemdSettings::collect(&Context::new(host), &Selector::Keys(vec![name.into()])).unwrap().remove(0)
}

fn text(host: &Memory, name: &str) -> String {
    match get(host, name).value {
        Fact::Known(value, origin) => format!("{} ({origin})", value.0.raw()),
        Fact::Absent(_) => "absent".into(),
        Fact::Unknown(gap) => gap.to_string(),
    }
}

#[test]
fn drop_ins_beat_the_main_file_and_the_last_wins() {
    let host = Memory::new()
        .file("/etc/systemd/journald.conf", "[Journal]\nStorage=volatile\n#Storage=none\nCompress=no\n[Other]\nStorage=none\n")
        .file("/usr/lib/systemd/journald.conf", "[Journal]\nSeal=no\n")
        .file("/usr/lib/systemd/journald.conf.d/60-a.conf", "[Journal]\nStorage=auto\n")
        .file("/etc/systemd/journald.conf.d/60-a.conf", "[Journal]\nStorage = persistent\nCompress=\n")
        .file("/run/systemd/journald.conf.d/70-b.conf", "[Journal]\nSeal=off\nstorage=none\nStorage=nonsense\n")
        .file("/run/systemd/journald.conf.d/readme", "[Journal]\nStorage=none\n");
    assert_eq!(text(&host, "journald/Storage"), "persistent (/etc/systemd/journald.conf.d/60-a.conf:2)");
    assert_eq!(text(&host, "journald/Compress"), "yes (default of systemd-journald)");
    assert_eq!(get(&host, "journald/Compress").explicit.known(), Some(&false), "an empty value resets");
    assert_eq!(text(&host, "journald/Seal"), "no (/run/systemd/journald.conf.d/70-b.conf:2)");
    assert_eq!(get(&host, "journald/Storage").assignments.known().map(Vec::len), Some(3));
}

#[test]
fn files_of_one_name_mask_and_so_does_the_null_device() {
    let host = Memory::new()
        .file("/etc/systemd/journald.conf", "[Journal]\n")
        .file("/usr/lib/systemd/journald.conf.d/syslog.conf", "[Journal]\nForwardToSyslog=yes\n")
        .file("/usr/lib/os-release", "ID=fedora\nVERSION_ID=40\n");
    assert_eq!(text(&host, "journald/ForwardToSyslog"), "yes (/usr/lib/systemd/journald.conf.d/syslog.conf:2)");
    let host = host.symlink("/etc/systemd/journald.conf.d/syslog.conf", "/dev/null");
    assert_eq!(text(&host, "journald/ForwardToSyslog"), "no (default of systemd-journald)");
}

#[test]
fn the_default_of_forwarding_is_the_distributions() {
    let with = |release: &str| text(&Memory::new().file("/etc/os-release", release), "journald/ForwardToSyslog");
    assert!(with(DEBIAN).starts_with("yes (default"));
    assert!(with("ID=ubuntu\nVERSION_ID=24.04\n").starts_with("yes"));
    assert!(with("ID=rocky\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=9.4\n").starts_with("no"));
    for unknown in ["ID=debian\nVERSION_ID=13\n", "ID=debian\n", "ID=mint\nID_LIKE=ubuntu\n"] {
        assert!(with(unknown).contains("not known"), "{unknown}");
    }
    assert!(text(&Memory::new(), "journald/ForwardToSyslog").contains("not known"));
}

#[test]
fn lists_add_up_and_an_empty_one_clears() {
    let host = Memory::new()
        .file("/etc/systemd/timesyncd.conf", "[Time]\nNTP=a b\n")
        .file("/etc/systemd/timesyncd.conf.d/x.conf", "[Time]\nNTP=c\n");
    assert!(text(&host, "timesyncd/NTP").starts_with("a b c (/etc/systemd/timesyncd.conf.d/x.conf:2"));
    let host = host.file("/etc/systemd/timesyncd.conf.d/y.conf", "[Time]\nNTP=\n");
    assert_eq!(text(&host, "timesyncd/NTP"), "absent");
}

#[test]
fn switches_are_read_however_they_are_written() {
    for (written, read) in [("1", "yes"), ("True", "yes"), ("on", "yes"), ("n", "no"), ("FALSE", "no"), ("512", "512"), ("maybe", "yes")] {
        let host = Memory::new().file("/etc/systemd/journald.conf", format!("[Journal]\r\nCompress={written}\r\n"));
        assert_eq!(get(&host, "journald/Compress").value.known(), Some(&read.into()), "{written}");
    }
}

#[test]
fn what_cannot_be_read_may_set_anything() {
    let host = Memory::new().file("/etc/systemd/journald.conf", "[Journal]\nStorage=persistent\n");
    for hidden in ["/etc/systemd/journald.conf", "/run/systemd/journald.conf.d"] {
        let host = Memory::new().file("/etc/systemd/journald.conf", "[Journal]\nStorage=persistent\n").file("/run/systemd/journald.conf.d/x.conf", "");
        let host = host.gap(hidden, Reason::Denied);
        assert!(matches!(get(&host, "journald/Storage").value, Fact::Unknown(_)), "{hidden}");
    }
    assert!(SystemdSettings::collect(&Context::new(&host), &Selector::Keys(vec!["nobody/X".into()])).is_err());
    assert!(SystemdSettings::collect(&Context::new(&host), &Selector::All).unwrap().len() > 20);
}

#[test]
fn truncated_files_never_persist_what_they_do_not_say() {
    let whole = "[Journal]\r\nStorage=persistent\n\0\u{fffd}\n";
    for at in 0..whole.len() {
        let host = Memory::new().file("/etc/systemd/journald.conf", &whole.as_bytes()[..at]);
        let value = get(&host, "journald/Storage").value;
        assert!(value.known().is_some_and(|value| ["auto", "persistent"].contains(&value.0.raw())), "{at}");
        assert!(at >= "[Journal]\r\nStorage=persistent".len() || value.known() == Some(&"auto".into()), "{at}");
    }
}
