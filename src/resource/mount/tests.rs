use super::*;
use crate::host::FileKind;
use crate::host::memory::Memory;

const TABLE_TEXT: &str = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro\n\
    30 22 0:30 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw\n\
    31 30 0:31 / /tmp rw,noexec - tmpfs tmpfs rw\n\
    32 22 0:32 / /srv/a\\040b rw - nfs4 s:/ rw\n";

fn rows(host: &Memory, keys: &[&str]) -> Vec<Mount> {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    Mounts::collect(&Context::new(host), &Selector::Keys(keys)).unwrap()
}

fn points(host: &Memory, keys: &[&str]) -> Vec<String> {
    rows(host, keys).iter().map(|row| row.point.known().map_or("?", Text::raw).to_owned()).collect()
}

fn one(host: &Memory, point: &str) -> Mount {
    rows(host, &[point]).remove(0)
}

fn options(fact: &Fact<List>) -> Option<String> {
    fact.known().map(|list| list.iter().map(Text::raw).collect::<Vec<_>>().join(","))
}

fn booted() -> Memory {
    Memory::new().file(TABLE, TABLE_TEXT).node("/run/systemd/system", FileKind::Directory, 0o755)
}

#[test]
fn the_topmost_mount_of_each_point() {
    let host = Memory::new().file(TABLE, TABLE_TEXT);
    let rows = Mounts::collect(&Context::new(&host), &Selector::All).unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(options(&one(&host, "/tmp").options).as_deref(), Some("rw,noexec"));
    assert_eq!(points(&host, &["/srv/a b", "/var", "/t*", "/x*"]), ["/srv/a b", "/tmp", "/var"]);
    assert_eq!(rows.iter().map(|row| row.remote.known().copied().unwrap()).collect::<Vec<_>>(), [false, true, false]);
    let var = one(&host, "/var");
    assert_eq!((var.mounted.known(), var.persistent.known()), (Some(&false), Some(&false)));
    assert!(matches!((&var.options, &var.persistent_options), (Fact::Absent(_), Fact::Absent(_))));
}

#[test]
fn only_the_table_of_the_host_will_do() {
    let own = Memory::new().file("/proc/self/mountinfo", TABLE_TEXT).file("/proc/mounts", "");
    assert!(Mounts::collect(&Context::new(&own), &Selector::All).is_err());
    assert!(matches!(one(&own, "/tmp").mounted, Fact::Unknown(_)));
    let denied = Memory::new().file(TABLE, "").gap(TABLE, Reason::Denied);
    assert_eq!(Mounts::collect(&Context::new(&denied), &Selector::All).unwrap_err().reason, Reason::Denied);
}

#[test]
fn a_broken_line_may_have_been_any_mount() {
    let host = Memory::new().file(TABLE, format!("{TABLE_TEXT}33 broken\n"));
    assert_eq!(points(&host, &["/tmp"]), ["/tmp", "?"]);
}

#[test]
fn fstab_says_what_persists() {
    let host = booted().file("/etc/fstab", "/dev/b /home ext4 nosuid,noauto 0 2\ntmpfs /tmp tmpfs noexec,nodev,exec\ntmpfs /tmp tmpfs nosuid\n");
    let tmp = one(&host, "/tmp");
    assert_eq!((tmp.persistent.known(), options(&tmp.persistent_options).as_deref()), (Some(&true), Some("nodev,exec")));
    assert_eq!(*tmp.persistent_options.origin(), Origin::line("/etc/fstab", 2));
    let home = one(&host, "/home");
    assert_eq!((home.mounted.known(), home.persistent.known()), (Some(&false), Some(&false)));
    assert_eq!(points(&host, &["/h*"]), ["/home"], "what is configured is found too");
    let automounted = booted().file("/etc/fstab", "/dev/b /home ext4 noauto,x-systemd.automount\n");
    assert_eq!(one(&automounted, "/home").persistent.known(), Some(&true));
    let unread = booted().file("/etc/fstab", "").gap("/etc/fstab", Reason::Denied);
    assert!(matches!(one(&unread, "/tmp").persistent_options, Fact::Unknown(_)));
}

#[test]
fn units_come_before_or_after_fstab_by_their_place() {
    let fstab = "tmpfs /tmp tmpfs nodev\n";
    let generated = booted()
        .file("/etc/fstab", fstab)
        .file("/run/systemd/generator/tmp.mount", "[Unit]\nSourcePath=/etc/fstab\n[Mount]\nOptions=stale\n")
        .file("/usr/lib/systemd/system/tmp.mount", "[Mount]\nOptions=noexec\n");
    assert_eq!(options(&one(&generated, "/tmp").persistent_options).as_deref(), Some("nodev"));
    let dropped = generated.file("/etc/systemd/system/tmp.mount.d/x.conf", "[Mount]\nOptions=nosuid\n");
    assert_eq!(options(&one(&dropped, "/tmp").persistent_options).as_deref(), Some("nosuid"));
    let own = booted().file("/etc/fstab", fstab).file("/etc/systemd/system/tmp.mount", "[Mount]\nOptions=noexec\n");
    let tmp = one(&own, "/tmp");
    assert_eq!((tmp.persistent.known(), options(&tmp.persistent_options).as_deref()), (Some(&false), Some("noexec")), "nothing wants it");
}

#[test]
fn a_unit_counts_when_it_starts_and_not_when_it_is_masked() {
    let unit = booted()
        .file("/usr/lib/systemd/system/tmp.mount", "[Mount]\nOptions=mode=1777,nosuid\n[Install]\nWantedBy=local-fs.target\n")
        .file("/usr/lib/systemd/system/local-fs.target", "[Unit]\n");
    assert_eq!(one(&unit, "/tmp").persistent.known(), Some(&false), "installed, not enabled");
    let enabled = unit.symlink("/etc/systemd/system/local-fs.target.wants/tmp.mount", "/usr/lib/systemd/system/tmp.mount");
    let tmp = one(&enabled, "/tmp");
    assert_eq!((tmp.persistent.known(), options(&tmp.persistent_options).as_deref()), (Some(&true), Some("mode=1777,nosuid")));
    let masked = enabled.file("/etc/fstab", "t /tmp tmpfs nodev\n").symlink("/etc/systemd/system/tmp.mount", "/dev/null");
    let tmp = one(&masked, "/tmp");
    assert_eq!((tmp.masked.known(), tmp.persistent.known()), (Some(&true), Some(&false)));
}

#[test]
fn what_systemd_mounts_by_itself() {
    let shm = one(&booted(), "/dev/shm");
    assert_eq!((shm.persistent.known(), options(&shm.persistent_options).as_deref()), (Some(&true), Some("nosuid,nodev")));
    assert_eq!(*shm.persistent_options.origin(), Origin::default_of("systemd"));
    let other = Memory::new().file(TABLE, TABLE_TEXT).file("/proc/1/comm", "runit\n");
    assert_eq!(one(&other, "/dev/shm").persistent.known(), Some(&false));
    assert_eq!(one(&other, "/").persistent.known(), Some(&true));
    let zfs = Memory::new().file(TABLE, "22 1 0:9 / /home rw - zfs pool/home rw\n");
    assert!(matches!(one(&zfs, "/home").persistent, Fact::Unknown(_)));
}
