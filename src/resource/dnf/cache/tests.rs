use super::*;
use crate::host::memory::Memory;

const DIRECTORY: &str = "/var/cache/dnf/baseos-0123456789abcdef/repodata";
const NOW: i64 = 1_750_000_000;

fn host(updates: &str) -> Memory {
    let index = "<repomd><data type=\"primary\"><location href=\"repodata/p.xml\"/><timestamp>1749900000</timestamp></data>\
        <data type=\"updateinfo\"><location href=\"repodata/u.xml\"/></data></repomd>";
    // Dnf and dpkg on one host is odd, and a way to have packages without a database in bytes.
    Memory::new()
        .file("/etc/yum.repos.d/a.repo", "[baseos]\nbaseurl=https://b\n")
        .file(&format!("{DIRECTORY}/repomd.xml"), index)
        .file(&format!("{DIRECTORY}/p.xml"), "<metadata></metadata>")
        .modified(&format!("{DIRECTORY}/p.xml"), NOW - 86_400)
        .file(&format!("{DIRECTORY}/u.xml"), updates)
        .file("/var/lib/dpkg/status", "")
        .at(NOW)
}

fn rows(host: &Memory) -> Vec<PackageUpdate> {
    updates(&Context::new(host)).unwrap().unwrap()
}

#[test]
fn a_cache_that_cannot_be_read_is_unknown() {
    assert!(rows(&host("<updates></updates>")).is_empty());
    for bad in ["<updates>", "", "<updates></updates"] {
        let rows = rows(&host(bad));
        assert!(rows.len() == 1 && rows[0].security.known().is_none(), "{bad}");
        assert_eq!(rows[0].repository.known().unwrap().raw(), "baseos");
    }
    let old = host("<updates></updates>").at(NOW + 40 * 86_400);
    assert!(rows(&old)[0].security.known().is_none());
    let never = host("<updates></updates>").file("/etc/yum.repos.d/b.repo", "[other]\nbaseurl=https://o\n[off]\nenabled=0\n");
    assert_eq!(rows(&never)[0].repository.known().unwrap().raw(), "other");
    assert!(updates(&Context::new(&Memory::new())).is_none());
}

#[test]
fn the_age_of_a_cache_is_when_it_was_last_seen_to_be_current() {
    let rows = indexes(&Context::new(&host(""))).unwrap().unwrap();
    assert_eq!((rows[0].age_days.known(), rows[0].made_days.known(), rows[0].exists.known()), (Some(&1), Some(&1), Some(&true)));
    let closed = indexes(&Context::new(&host("").gap("/var/cache/dnf", Reason::Denied))).unwrap().unwrap();
    assert!(closed[0].exists.known().is_none());
}
