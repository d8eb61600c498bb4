use super::*;
use crate::host::{FileKind, Identity, memory::Memory};

fn host(running: &str, installed: &[&str]) -> Memory {
    let host = Memory::new()
        .file("/proc/sys/kernel/osrelease", format!("{running}\n"))
        .node("/sys/kernel/livepatch", FileKind::Directory, 0o755)
        .named(Identity { booted: Some(1000), ..Identity::default() })
        .at(1000 + 3 * 86_400);
    installed.iter().fold(host, |host, name| host.file(&format!("/lib/modules/{name}/modules.builtin"), ""))
}

fn row(host: &Memory) -> RebootRow {
    Reboots::collect(&Context::new(host), &Selector::All).unwrap().remove(0)
}

#[test]
fn a_newer_kernel_of_the_same_flavour_waits() {
    for (running, installed, outdated) in [
        ("6.1.0-25-amd64", &["6.1.0-25-amd64", "6.1.0-9-amd64"][..], false),
        ("6.1.0-9-amd64", &["6.1.0-25-amd64", "6.1.0-9-amd64"][..], true),
        ("6.1.0-25-cloud-amd64", &["6.1.0-25-cloud-amd64", "6.1.0-30-amd64"][..], false),
        ("5.14.0-427.el9.x86_64", &["5.14.0-427.el9.x86_64", "5.14.0-503.11.1.el9_5.x86_64"][..], true),
        ("5.14.0-427.el9.x86_64", &["5.14.0-427.el9.x86_64", "5.14.0-503.el9.x86_64+debug"][..], false),
        ("6.8.0-60-generic", &["6.8.0-60-generic", "6.8.0-60-lowlatency"][..], false),
        // Removed meanwhile, and a newer one is there.
        ("6.8.0-59-generic", &["6.8.0-60-generic"][..], true),
        // The machine's kernel is not one of this system's.
        ("6.18.5", &["6.1.0-25-amd64"][..], false),
        ("6.18.5", &[][..], false),
    ] {
        let host = host(running, installed);
        assert_eq!(row(&host).kernel_outdated.known(), Some(&outdated), "{running} {installed:?}");
        assert_eq!(row(&host).required.known(), Some(&outdated));
    }
    let left_behind = host("6.1.0-9-amd64", &["6.1.0-9-amd64"]).file("/lib/modules/6.1.0-25-amd64/modules.dep", "");
    assert_eq!(row(&left_behind).kernel_outdated.known(), Some(&false), "only what was made for it is left of that one");
}

#[test]
fn markers_ask_for_a_restart() {
    let marked = host("6.1.0-25-amd64", &["6.1.0-25-amd64"]).file("/run/reboot-required", "*** System restart required ***\n").file("/run/reboot-required.pkgs", "libc6\nlibc6\n");
    let found = row(&marked);
    assert_eq!((found.required.known(), found.packages.known().map(Vec::len), found.uptime_days.known()), (Some(&true), Some(1), Some(&3)));
    let image = Memory::new();
    assert!(matches!(row(&image).required, Fact::Unknown(_)), "a directory does not tell what runs on it");
    let closed = host("6.1.0-25-amd64", &["6.1.0-25-amd64"]).gap("/run", Reason::Denied);
    assert!(matches!(row(&closed).required, Fact::Unknown(_)));
}

#[test]
fn live_patches_that_are_on() {
    let patched = host("5.15.0-1-generic", &[]).file("/sys/kernel/livepatch/lkp_x/enabled", "1\n").file("/sys/kernel/livepatch/old/enabled", "0\n");
    assert_eq!(row(&patched).livepatches.known(), Some(&vec!["lkp_x".into()]));
}

#[test]
fn processes_on_code_that_is_gone() {
    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let status = |name: &str| format!("Name:\t{name}\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n");
    let processes = || {
        host("6.1.0-25-amd64", &[])
            .file("/proc/1/status", status("systemd"))
            .file("/proc/1/cgroup", "0::/init.scope\n")
            .file("/proc/7/status", status("sshd"))
            .file("/proc/7/cgroup", "0::/system.slice/ssh.service\n")
            .file("/proc/9/status", status("web"))
            .file("/proc/9/cgroup", format!("0::/system.slice/docker-{ID}.scope\n"))
    };
    let found = |lines: &str| row(&processes().running_deleted(lines)).outdated_processes.known().cloned();
    let lines = "7 /usr/lib/x86_64-linux-gnu/libcrypto.so.3\n7 /usr/lib/x86_64-linux-gnu/libcrypto.so.3\n9 /usr/lib/libc.so\n1 /memfd:x\n7 /tmp/jit\n8 /usr/lib/x\n";
    assert_eq!(found(lines), Some(vec!["sshd: /usr/lib/x86_64-linux-gnu/libcrypto.so.3".into()]));
    assert_eq!(found(""), Some(Vec::new()));
    assert_eq!(found("1 -\n"), None, "what process 1 runs is not known");
    assert_eq!(found("1 -\n7 /usr/sbin/sshd\n").map(|list| list.len()), Some(1));
    assert_eq!(found("9 -\n"), Some(Vec::new()), "containers are not meant");
    assert!(matches!(row(&processes()).outdated_processes, Fact::Unknown(_)));
}
