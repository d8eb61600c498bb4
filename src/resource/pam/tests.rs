use super::*;
use crate::host::memory::Memory;

fn rows(host: &Memory, key: &str) -> Vec<PamLine> {
    Pam::collect(&Context::new(host), &Selector::Keys(vec![key.into()])).unwrap()
}

/// Module, and whether it can run, comes before `pam_unix.so`, and can be bypassed.
fn told(host: &Memory, key: &str) -> Vec<(String, bool, bool, bool)> {
    let told = |row: PamLine| {
        let module = row.module.known().unwrap().raw().to_owned();
        let flag = |fact: &Fact<bool>| *fact.known().unwrap();
        (module, flag(&row.reachable), flag(&row.before_unix), flag(&row.bypassable))
    };
    rows(host, key).into_iter().map(told).collect()
}

fn reachable(lines: &str) -> Vec<bool> {
    told(&Memory::new().file("/etc/pam.d/x", lines), "x").into_iter().map(|row| row.1).collect()
}

const DEBIAN: &str = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n\
    auth optional pam_cap.so\n";

#[test]
fn debian_s_stack() {
    let host = Memory::new().file("/etc/pam.d/common-auth", DEBIAN);
    let told = told(&host, "authentication");
    let names: Vec<_> = told.iter().map(|(module, reachable, ..)| (module.as_str(), *reachable)).collect();
    assert_eq!(names, [("pam_unix.so", true), ("pam_deny.so", true), ("pam_permit.so", true), ("pam_cap.so", true)]);
    let unix = rows(&host, "authentication").remove(0);
    assert_eq!(unix.arguments.known().unwrap(), &[Text::from("nullok")]);
    assert_eq!((unix.service.known().unwrap().raw(), unix.control.known().unwrap().raw()), ("common-auth", "success=1 default=ignore"));
    assert_eq!(unix.module.origin(), &Origin::line("/etc/pam.d/common-auth", 1));
}

#[test]
fn lines_that_cannot_run_are_told() {
    assert_eq!(reachable("session [default=1] pam_permit.so\nsession requisite pam_deny.so\nsession required pam_unix.so\n"), [true, false, true]);
    assert_eq!(reachable("auth sufficient pam_permit.so\nauth required pam_faillock.so\n"), [true, false]);
    assert_eq!(reachable("auth required pam_deny.so\nauth sufficient pam_permit.so\nauth required pam_unix.so\n"), [true, true, true]);
    assert_eq!(reachable("auth requisite pam_deny.so\nauth required pam_unix.so\n"), [true, false]);
    assert_eq!(reachable("auth [default=2] pam_permit.so\nauth required pam_unix.so\n"), [true, false], "a jump too far");
    assert_eq!(reachable("auth [default=die] pam_unix.so\nauth required pam_x.so\n"), [true, false]);
    assert_eq!(reachable("auth required /lib/security/pam_unix.so\nauth required pam_x.so # sufficient\n"), [true, true]);
}

#[test]
fn jumps_count_a_substack_as_one_line_and_includes_as_theirs() {
    let inner = "auth required pam_a.so\nauth required pam_b.so\naccount required pam_c.so\n";
    let host = |how: &str| {
        let lines = format!("auth [default=1] pam_permit.so\nauth {how} inner\nauth required pam_unix.so\n");
        Memory::new().file("/etc/pam.d/inner", inner).file("/etc/pam.d/x", lines)
    };
    let runs = |how: &str| told(&host(how), "x").into_iter().filter(|row| row.1).map(|row| row.0).collect::<Vec<_>>();
    assert_eq!(runs("substack"), ["pam_permit.so", "pam_unix.so"]);
    assert_eq!(runs("include"), ["pam_permit.so", "pam_b.so", "pam_unix.so"]);
}

#[test]
fn done_and_die_end_a_substack_alone() {
    let host = Memory::new()
        .file("/etc/pam.d/inner", "auth sufficient pam_permit.so\nauth required pam_a.so\n")
        .file("/etc/pam.d/x", "auth substack inner\nauth required pam_unix.so\n");
    let runs: Vec<_> = told(&host, "x").into_iter().map(|row| (row.0, row.1)).collect();
    assert_eq!(runs, [("pam_permit.so".into(), true), ("pam_a.so".into(), false), ("pam_unix.so".into(), true)]);
    let host = host.file("/etc/pam.d/x", "auth include inner\nauth required pam_unix.so\n");
    assert_eq!(told(&host, "x").last().map(|row| row.1), Some(false));
}

#[test]
fn what_can_be_bypassed() {
    let order = |lines: &str, module: &str| {
        let found = told(&Memory::new().file("/etc/pam.d/common-password", lines), "password-change");
        found.into_iter().find(|row| row.0 == module).map(|row| (row.2, row.3))
    };
    let pwquality = |lines: &str| order(lines, "pam_pwquality.so");
    let unix = "password [success=1 default=ignore] pam_unix.so use_authtok\npassword requisite pam_deny.so\npassword required pam_permit.so\n";
    assert_eq!(pwquality(&format!("password requisite pam_pwquality.so\n{unix}")), Some((true, false)));
    assert_eq!(pwquality(&format!("-password required pam_pwquality.so\n{unix}")), Some((true, false)));
    assert_eq!(pwquality(&format!("password optional pam_pwquality.so\n{unix}")), Some((true, true)), "optional is not enforced");
    assert_eq!(pwquality(&format!("password sufficient pam_x.so\npassword requisite pam_pwquality.so\n{unix}")), Some((true, false)));
    assert_eq!(pwquality(&format!("password [success=1 default=ignore] pam_x.so\npassword requisite pam_pwquality.so\n{unix}")), Some((true, true)));
    assert_eq!(pwquality(&format!("{unix}password required pam_pwquality.so\n")), Some((false, false)), "too late");
    let red_hat = "password requisite pam_pwquality.so local_users_only\npassword sufficient pam_unix.so use_authtok\npassword sufficient pam_sss.so\n\
        password required pam_deny.so\n";
    assert_eq!(pwquality(red_hat), Some((true, false)));
}

#[test]
fn includes_of_debian_and_those_that_are_not_there() {
    let host = Memory::new()
        .file("/etc/pam.d/common-auth", DEBIAN)
        .file("/etc/pam.d/su", "auth sufficient pam_rootok.so\n@include common-auth\n@include common-nothing\n")
        .file("/etc/pam.d/other", "session required pam_deny.so\n");
    let found = rows(&host, "su");
    let kinds: Vec<_> = found.iter().map(|row| (row.kind.known().unwrap().raw(), row.module.known().unwrap().raw())).collect();
    assert_eq!(kinds[..2], [("auth", "pam_rootok.so"), ("auth", "pam_unix.so")]);
    assert_eq!(kinds.iter().filter(|(_, module)| module.is_empty()).count(), 4, "an include that is not there fails for every type");
    assert!(rows(&host, "sshd").is_empty(), "no such service");
    let host = host.file("/etc/pam.d/cron", "auth required pam_permit.so\n");
    assert_eq!(told(&host, "cron").last().map(|row| row.0.clone()), Some("pam_deny.so".into()), "what it does not say is said by other");
}

#[test]
fn loops_and_broken_files_are_gaps() {
    let get = |host: &Memory| Pam::collect(&Context::new(host), &Selector::Keys(vec!["x".into()]));
    let host = Memory::new().file("/etc/pam.d/x", "auth include x\n");
    assert!(matches!(get(&host).unwrap_err().reason, Reason::Malformed(_)));
    assert!(matches!(get(&Memory::new().file("/etc/pam.d/x", "@include y\n").file("/etc/pam.d/y", "@include x\n")).unwrap_err().reason, Reason::Malformed(_)));
    let substacks = get(&Memory::new().file("/etc/pam.d/x", "auth substack x\n"));
    assert!(substacks.is_err() || substacks.unwrap().last().unwrap().module.known().unwrap().raw().is_empty());
    let broken = Memory::new().file("/etc/pam.d/x", "auth required pam_unix.so \\\n");
    assert_eq!(get(&broken).unwrap_err().origin, Origin::line("/etc/pam.d/x", 1));
    let denied = Memory::new().file("/etc/pam.d/x", "@include y\n").file("/etc/pam.d/y", "").gap("/etc/pam.d/y", Reason::Denied);
    assert_eq!(get(&denied).unwrap_err().reason, Reason::Denied);
    let wide = (0..200).map(|_| "auth [success=1 ignore=2 auth_err=3 default=reset] pam_x.so\n").collect::<String>();
    assert_eq!(get(&Memory::new().file("/etc/pam.d/x", wide)).unwrap().len(), 200);
}

#[test]
fn one_file_for_all_where_there_is_no_directory() {
    let host = Memory::new().file("/etc/pam.conf", "# x\nsu auth required pam_unix.so\nlogin auth required pam_deny.so\nSU account required pam_unix.so\n");
    let names: Vec<_> = told(&host, "su").into_iter().map(|row| row.0).collect();
    assert_eq!(names, ["pam_unix.so", "pam_unix.so"]);
    let both = host.file("/etc/pam.d/login", "auth required pam_unix.so\n");
    assert!(rows(&both, "su").is_empty(), "the directory is there, so the file does not count");
}

#[test]
fn a_type_nobody_knows_fails() {
    let host = Memory::new().file("/etc/pam.d/x", "auht required pam_unix.so\nauth\nauth required\n");
    let modules: Vec<_> = told(&host, "x").into_iter().map(|row| row.0).collect();
    assert_eq!(modules, ["", "", ""]);
}
