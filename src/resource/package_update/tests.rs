use super::*;
use crate::host::memory::Memory;

const NOW: i64 = 1_750_000_000;
const STATUS: &str = "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21.22\n\n\
    Package: openssl\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 3.0.15-1~deb12u1\n\n\
    Package: curl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 7.88.1-10\n\n\
    Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n";

fn release(label: &str, suite: &str, more: &str) -> String {
    format!("Origin: Debian\nLabel: {label}\nSuite: {suite}\nCodename: x\nDate: Sat, 14 Jun 2025 09:00:00 UTC\n{more}")
}

fn package(name: &str, version: &str, more: &str) -> String {
    format!("Package: {name}\nArchitecture: amd64\nVersion: {version}\n{more}\n")
}

/// A host with Debian's own repository and that of its security team.
fn host(main: &str, security: &str) -> Memory {
    Memory::new()
        .file("/var/lib/dpkg/status", STATUS)
        .file("/etc/apt/sources.list", "deb http://d/debian x main\ndeb http://s/security x-security main\n")
        .file("/var/lib/apt/lists/d_debian_dists_x_InRelease", release("Debian", "stable", "SHA256:\n 0 1 main/binary-amd64/Packages.gz\n"))
        .file("/var/lib/apt/lists/s_security_dists_x-security_Release", release("Debian-Security", "stable-security", ""))
        .file("/var/lib/apt/lists/d_debian_dists_x_main_binary-amd64_Packages", main)
        .file("/var/lib/apt/lists/s_security_dists_x-security_main_binary-amd64_Packages", security)
        .at(NOW)
}

fn rows(host: &Memory) -> Vec<PackageUpdate> {
    PackageUpdates::collect(&Context::new(host), &Selector::All).unwrap()
}

fn text(fact: &Fact<Version>) -> Option<&str> {
    fact.known().map(|version| version.text().raw())
}

#[test]
fn only_what_is_installed_and_older_is_an_update() {
    let main = [package("curl", "7.88.1-10", ""), package("openssl", "3.0.14-1", ""), package("gone", "2", ""), package("vim", "9", "")].concat();
    assert!(rows(&host(&main, "")).is_empty());
    let security = package("openssl", "3.0.16-1~deb12u1", "");
    let found = rows(&host(&main, &security));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].name.known().unwrap().raw(), text(&found[0].installed), text(&found[0].candidate)), ("openssl", Some("3.0.15-1~deb12u1"), Some("3.0.16-1~deb12u1")));
    assert_eq!((found[0].security.known(), found[0].held.known(), found[0].pinned.known()), (Some(&true), Some(&true), Some(&false)));
    assert_eq!(found[0].repository.known().unwrap().raw(), "http://s/security/ x-security");
    assert_eq!(found[0].maker.known().unwrap().raw(), "Debian");
}

#[test]
fn an_update_that_overtakes_a_fix_still_fixes() {
    let main = package("curl", "7.88.1-12", "");
    let found = rows(&host(&main, &package("curl", "7.88.1-11", "")));
    assert_eq!((text(&found[0].candidate), text(&found[0].security_version), found[0].security.known()), (Some("7.88.1-12"), Some("7.88.1-11"), Some(&true)));
    let plain = rows(&host(&main, ""));
    assert_eq!((plain[0].security.known(), text(&plain[0].security_version)), (Some(&false), None));
}

#[test]
fn preferences_do_not_hide_a_fix() {
    let security = package("curl", "7.88.1-11", "");
    let pinned = host("", &security).file("/etc/apt/preferences.d/curl", "Package: curl\nPin: version 7.88.1-11\nPin-Priority: -1\n");
    let found = rows(&pinned);
    assert_eq!((text(&found[0].candidate), found[0].pinned.known(), found[0].security.known()), (None, Some(&true), Some(&true)));
    let other = host("", &security).file("/etc/apt/preferences", "Package: *\nPin: release o=Debian,l=Other\nPin-Priority: -1\n");
    assert_eq!(text(&rows(&other)[0].candidate), Some("7.88.1-11"));
    let by_expression = host("", "").file("/etc/apt/preferences", "Package: /x/\nPin: version *\nPin-Priority: -1\n");
    assert!(rows(&by_expression).iter().all(|row| row.name.known().is_none()) && !rows(&by_expression).is_empty());
}

#[test]
fn backports_are_left_where_they_are() {
    let backports = |status: &str| {
        host(&package("curl", "7.88.1-10", ""), "")
            .file("/var/lib/dpkg/status", status)
            .file("/etc/apt/sources.list.d/b.list", "deb http://d/debian x-backports main\n")
            .file("/var/lib/apt/lists/d_debian_dists_x-backports_InRelease", release("Debian Backports", "stable-backports", "NotAutomatic: yes\nButAutomaticUpgrades: yes\nSHA256:\n 0 1 main/binary-amd64/Packages.gz\n"))
            .file("/var/lib/apt/lists/d_debian_dists_x-backports_main_binary-amd64_Packages", package("curl", "8.0-1~bpo12+1", ""))
    };
    assert!(rows(&backports(STATUS)).is_empty());
    let from_there = rows(&backports(&STATUS.replace("7.88.1-10", "7.90-1~bpo12+1")));
    assert_eq!(text(&from_there[0].candidate), Some("8.0-1~bpo12+1"));
}

#[test]
fn old_or_missing_metadata_makes_an_unknown() {
    let all = |host: &Memory| rows(host).iter().map(|row| row.security.known().copied()).collect::<Vec<_>>();
    assert_eq!(all(&host("", "")), []);
    assert_eq!(all(&host("", "").at(NOW + 40 * 86_400)), [Some(false), None]);
    assert_eq!(all(&host("", "").at(NOW + 40 * 86_400).file("/var/lib/apt/periodic/update-success-stamp", "").modified("/var/lib/apt/periodic/update-success-stamp", NOW + 39 * 86_400)), []);
    let vouched = release("Debian-Security", "stable-security", "Valid-Until: Sat, 14 Jun 2025 12:00:00 UTC\n");
    assert_eq!(all(&host("", "").file("/var/lib/apt/lists/s_security_dists_x-security_Release", vouched)), [None]);
    let more = host("", "").file("/etc/apt/sources.list.d/c.list", "deb http://c x main\n");
    assert_eq!(all(&more), [None, None], "no Release file and no list");
    let apart = host("", "").file("/var/lib/apt/lists/s_security_dists_x-security_Release", release("x", "x-security", "Architectures: all amd64\n"));
    assert_eq!(all(&apart), [None], "packages for all architectures have a list of their own");
    let malformed = host("", "").file("/etc/apt/sources.list.d/c.list", "nonsense\n");
    assert_eq!(all(&malformed), [None]);
    let none = Memory::new().file("/var/lib/dpkg/status", STATUS).file("/etc/apt/sources.list", "# deb x y z\n");
    assert!(PackageUpdates::collect(&Context::new(&none), &Selector::All).is_err());
}

#[test]
fn lists_cut_off_or_packed_oddly_are_unknown() {
    let list = package("curl", "7.88.1-11", "");
    let sized = |content: &str| {
        let said = release("Debian", "stable", &format!("SHA256:\n 0 {} main/binary-amd64/Packages\n", list.len()));
        host(content, "").file("/var/lib/apt/lists/d_debian_dists_x_InRelease", said)
    };
    assert_eq!(rows(&sized(&list)).len(), 1);
    for end in 0..list.len() {
        assert!(rows(&sized(&list[..end])).iter().any(|row| row.name.known().is_none()), "{end}");
    }
    for (name, known) in [("Packages.zst", false), ("Packages.lz4", false), ("Packages.gz", false), ("Packages", true)] {
        let host = packed(name);
        assert_eq!(rows(&host).is_empty(), known, "{name}");
    }
}

fn packed(name: &str) -> Memory {
    Memory::new()
        .file("/var/lib/dpkg/status", STATUS)
        .file("/etc/apt/sources.list", "deb http://d/debian x main\n")
        .file("/var/lib/apt/lists/d_debian_dists_x_InRelease", release("Debian", "stable", "SHA256:\n 0 1 main/binary-amd64/Packages.gz\n"))
        .file(&format!("/var/lib/apt/lists/d_debian_dists_x_main_binary-amd64_{name}"), if name == "Packages" { "" } else { "nonsense" })
        .at(NOW)
}

#[test]
fn packed_lists_are_unpacked() {
    use std::io::Write as _;
    let list = package("curl", "7.88.1-11", "");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(list.as_bytes()).unwrap();
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(list.as_bytes()).unwrap();
    for (name, bytes) in [("Packages.gz", gz.finish().unwrap()), ("Packages.lz4", lz4.finish().unwrap())] {
        let host = packed(name).file(&format!("/var/lib/apt/lists/d_debian_dists_x_main_binary-amd64_{name}"), bytes);
        assert_eq!(text(&rows(&host)[0].candidate), Some("7.88.1-11"), "{name}");
    }
}

#[test]
fn phased_updates_reach_some_machines_first() {
    let main = package("curl", "7.88.1-11", "Phased-Update-Percentage: 0\n");
    let with_id = |host: Memory| host.file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    assert_eq!(rows(&with_id(host(&main, "")))[0].phased.known(), Some(&true));
    assert_eq!(rows(&with_id(host(&main, &package("curl", "7.88.1-11", ""))))[0].phased.known(), Some(&false), "fixes are never phased");
    assert_eq!(rows(&host(&main, ""))[0].phased.known(), Some(&false), "without an id apt takes all");
    let always = with_id(host(&main, "")).file("/etc/apt/apt.conf.d/p", "Update-Manager::Always-Include-Phased-Updates \"1\";\n");
    assert_eq!(rows(&always)[0].phased.known(), Some(&false));
    assert_eq!(rows(&with_id(host(&main.replace(": 0", ": 100"), "")))[0].phased.known(), Some(&false));
}
