use super::*;
use crate::host::{FileKind, memory::Memory};
use crate::resource::Query;

const ROOT: &str = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:2 / /proc rw - proc proc rw\n3 1 8:3 / /srv rw,nosuid,noexec - xfs /dev/sda3 rw\n";

fn host() -> Memory {
    Memory::new()
        .file("/proc/1/mountinfo", ROOT)
        .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nal:x:1000:1000::/data/al:/bin/bash\nnobody:x:65534:65534::/nonexistent:/bin/false\n")
        .file("/etc/group", "root:x:0:\nal:x:1000:\nmail:x:8:\n")
        .file("/etc/subuid", "al:100000:65536\n")
        .file("/etc/subgid", "al:100000:65536\n")
        .loaded_audit_rules(nothing_loaded())
}

/// The answer of a kernel without rules: the end mark alone.
fn nothing_loaded() -> Vec<u8> {
    let mut end = vec![0; 20];
    (end[0], end[4]) = (20, 3);
    end
}

fn with(host: Memory, path: &str, uid: u32, gid: u32, mode: u32) -> Memory {
    host.file(path, "").owned(path, uid, gid, mode)
}

fn find(host: &Memory, class: &str) -> Vec<TreeFile> {
    TreeFiles::collect(&Context::new(host), &Selector::Keys(vec![class.into()])).unwrap()
}

fn paths(rows: &[TreeFile]) -> Vec<&str> {
    rows.iter().map(|row| row.path.known().map_or("?", Text::raw)).collect()
}

#[test]
fn set_id_files_are_found_with_what_matters_of_them() {
    let host = with(with(with(host(), "/usr/bin/su", 0, 0, 0o4755), "/srv/x", 0, 8, 0o2755), "/data/al/s", 1000, 1000, 0o6777);
    let host = host.node("/var/mail", FileKind::Directory, 0o2775).owned("/var/mail", 0, 8, 0o2775);
    let rows = find(&host, "set-id");
    assert_eq!(paths(&rows), ["/data/al/s", "/srv/x", "/usr/bin/su"], "directories have another meaning of it");
    let su = &rows[2];
    assert_eq!((su.setuid.known(), su.setgid.known(), su.nosuid.known(), su.noexec.known()), (Some(&true), Some(&false), Some(&false), Some(&false)));
    assert_eq!((su.owner.known().unwrap().raw(), su.mount.known().unwrap().raw()), ("root", "/"));
    assert_eq!((su.among_users_files.known(), su.world_writable.known(), su.unowned.known()), (Some(&false), Some(&false), Some(&false)));
    assert_eq!((rows[1].nosuid.known(), rows[1].noexec.known()), (Some(&true), Some(&true)));
    assert_eq!(rows[1].group.known().unwrap().raw(), "mail");
    assert_eq!((rows[0].among_users_files.known(), rows[0].world_writable.known()), (Some(&true), Some(&true)));
}

#[test]
fn execution_counts_as_audited_loaded_and_on_disk_by_itself() {
    let rule = "-a always,exit -F path=/usr/bin/su -F perm=x -F auid>=1000 -F auid!=unset -k privileged\n";
    let host = with(host(), "/usr/bin/su", 0, 0, 0o4755).file("/etc/audit/rules.d/50-privileged.rules", rule);
    let look = |host: &Memory| {
        let su = find(host, "set-id").remove(0);
        (su.execution_audited.known().copied(), su.execution_audited_on_disk.known().copied())
    };
    assert_eq!(look(&host), (Some(false), Some(true)));
    let strict = host.file("/etc/login.defs", "UID_MIN 500\n");
    assert_eq!(look(&strict), (Some(false), Some(false)), "users from 500 on are left out");
    let denied = strict.gap("/etc/audit/rules.d", Reason::Denied);
    assert_eq!(look(&denied).1, None);
}

#[test]
fn world_writable_files_and_directories() {
    let host = with(with(host(), "/etc/open", 0, 0, 0o666), "/etc/closed", 0, 0, 0o664)
        .node("/tmp", FileKind::Directory, 0o1777)
        .node("/var/open", FileKind::Directory, 0o777)
        .symlink("/var/link", "/etc/closed")
        .node("/run/socket", FileKind::Socket, 0o777);
    assert_eq!(paths(&find(&host, "world-writable")), ["/etc/open"], "links and sockets are no files");
    let rows = find(&host, "world-writable-directory");
    assert_eq!(paths(&rows), ["/tmp", "/var/open"]);
    assert_eq!(rows.iter().map(|row| row.sticky.known().copied()).collect::<Vec<_>>(), [Some(true), Some(false)]);
}

#[test]
fn unowned_is_what_no_user_or_no_group_has() {
    let host = with(with(with(host(), "/opt/gone", 1234, 0, 0o644), "/opt/group", 0, 4321, 0o644), "/opt/mapped", 100_999, 165_535, 0o644);
    let host = with(with(host, "/var/lib/private/svc/state", 61_200, 61_200, 0o600), "/var/lib/svc/state", 61_200, 61_200, 0o600);
    let host = host.symlink("/opt/link", "/nowhere").owned("/opt/link", 1234, 1234, 0o777);
    let rows = find(&host, "unowned");
    assert_eq!(paths(&rows), ["/opt/gone", "/opt/group", "/var/lib/svc/state"]);
    assert!(rows.iter().all(|row| row.unowned.known() == Some(&true)));
    assert!(matches!((&rows[0].owner, &rows[0].group), (Fact::Absent(_), Fact::Known(..))));
}

#[test]
fn a_directory_service_may_know_what_the_files_do_not() {
    let host = with(with(host(), "/opt/a", 1234, 0, 0o644), "/opt/b", 0, 4321, 0o644).file("/etc/nsswitch.conf", "passwd: files sss\n");
    let rows = find(&host, "unowned");
    assert_eq!(paths(&rows), ["/opt/a", "/opt/b"]);
    assert!(matches!((&rows[0].unowned, &rows[0].owner), (Fact::Unknown(_), Fact::Unknown(_))));
    assert_eq!(rows[1].unowned.known(), Some(&true), "groups come from the files alone");
    let blind = with(self::host(), "/opt/a", 1234, 0, 0o644).gap("/etc/subuid", Reason::Denied);
    assert!(matches!(find(&blind, "unowned")[0].unowned, Fact::Unknown(_)), "a range may be somebody's");
}

#[test]
fn without_accounts_nothing_can_be_said_of_owners() {
    let host = with(host(), "/opt/a", 1234, 0, 0o644).gap("/etc/group", Reason::Denied);
    let rows = find(&host, "unowned");
    // The file itself could not be looked at in this made-up host, and neither can owners be judged.
    assert!(rows.iter().all(|row| matches!(row.unowned, Fact::Unknown(_))) && !rows.is_empty());
}

#[test]
fn places_that_could_not_be_looked_at_are_records_of_nothing() {
    let host = with(host(), "/usr/bin/su", 0, 0, 0o4755).file("/secret/x", "").gap("/secret", Reason::Denied);
    let rows = find(&host, "set-id");
    assert_eq!(paths(&rows), ["/usr/bin/su", "?"]);
    let Fact::Unknown(gap) = &rows[1].path else { panic!() };
    assert_eq!(gap, &Gap::new(Origin::file("/secret"), Reason::Denied));
    assert_eq!(rows[1].class.known().unwrap().raw(), "set-id");
}

#[test]
fn beyond_the_first_thousand_they_are_counted() {
    let host = (0..1003).fold(host(), |host, n| with(host, &format!("/opt/{n:04}"), 0, 0, 0o666));
    let rows = find(&host, "world-writable");
    assert_eq!(rows.len(), 1001);
    assert!(matches!(&rows[1000].path, Fact::Unknown(gap) if gap.reason.to_string() == "3 more are world-writable, beyond the first 1000"));
}

#[test]
fn what_belongs_to_containers_is_left_out() {
    let host = with(with(with(host(), "/var/lib/docker/overlay2/x/diff/su", 0, 0, 0o4755), "/var/lib/docker2/su", 0, 0, 0o4755), "/mnt/disk/docker/su", 0, 0, 0o4755)
        .file("/usr/bin/dockerd", "")
        .file("/usr/lib/systemd/system/docker.service", "[Service]\nExecStart=/usr/bin/dockerd -H fd://\n[Install]\nWantedBy=multi-user.target\n")
        .symlink("/etc/systemd/system/multi-user.target.wants/docker.service", "/usr/lib/systemd/system/docker.service")
        .file("/etc/docker/daemon.json", r#"{"data-root": "/mnt/disk/docker"}"#);
    let host = with(with(host, "/data/al/.local/share/containers/storage/su", 1000, 1000, 0o4755), "/run/user/1000/su", 0, 0, 0o4755);
    assert_eq!(paths(&find(&host, "set-id")), ["/var/lib/docker2/su"]);
    let blind = with(self::host(), "/usr/su", 0, 0, 0o4755).file("/usr/bin/dockerd", "").file("/etc/docker/daemon.json", r#"{"data-root": "/usr"}"#);
    assert_eq!(paths(&find(&blind, "set-id")), ["/usr/su"], "no engine can hide the system");
}

#[test]
fn without_a_mount_table_what_is_there_is_found_and_the_rest_unknown() {
    let host = with(Memory::new().file("/etc/passwd", "").file("/etc/group", ""), "/usr/bin/su", 0, 0, 0o4755);
    let rows = find(&host, "set-id");
    assert_eq!(paths(&rows), ["/usr/bin/su", "?"]);
    assert!(matches!(rows[0].nosuid, Fact::Unknown(_)));
}

#[test]
fn one_walk_looks_for_what_is_asked_and_no_more() {
    let host = with(with(host(), "/a", 1234, 0, 0o4755), "/b", 0, 0, 0o666);
    let ask = |class: &str| Query { resource: "tree_file", of: Selector::Keys(vec![class.into()]) };
    let context = Context::new(&host).asking([ask("set-id")].into());
    let of = |class: &str| TreeFiles::collect(&context, &ask(class).of).unwrap().len();
    assert_eq!((of("set-id"), of("world-writable")), (1, 0), "nobody said that this would be asked");
    assert_eq!(TreeFiles::collect(&Context::new(&host), &Selector::All).unwrap().len(), 3);
    assert!(TreeFiles::collect(&context, &Selector::Keys(vec!["setuid".into()])).is_err());
}
