use super::*;
use crate::fact::Fact;
use crate::host::memory::Memory;

fn rows(host: &Memory) -> Vec<RepositoryRow> {
    Repositories::collect(&Context::new(host), &Selector::All).unwrap()
}

fn word(fact: &Fact<Text>) -> Option<&str> {
    fact.known().map(Text::raw)
}

#[test]
fn both_ways_of_writing_sources() {
    let host = Memory::new()
        .file("/etc/apt/sources.list", "# nothing\ndeb [trusted=yes] http://mirror/x sid main\n")
        .file("/etc/apt/sources.list.d/debian.sources", "Types: deb\nURIs: https://deb.debian.org/debian-security\nSuites: bookworm-security\nComponents: main\nSigned-By: /k.gpg\n")
        .file("/etc/apt/sources.list.d/old.sources", "Enabled: no\nTypes: deb\nURIs: https://x\nSuites: y\nComponents: z\n")
        .file("/etc/apt/sources.list.d/ignored.list.save", "nonsense");
    let rows = rows(&host);
    assert_eq!(rows.len(), 3);
    assert_eq!((word(&rows[0].scheme), rows[0].trusted.known(), rows[0].gpgcheck.known()), (Some("http"), Some(&true), Some(&false)));
    assert_eq!((word(&rows[1].name), word(&rows[1].signed_by)), (Some("https://deb.debian.org/debian-security/ bookworm-security"), Some("/k.gpg")));
    assert_eq!((rows[1].security.known(), rows[1].gpgcheck.known()), (Some(&true), Some(&true)));
    assert_eq!(rows[2].enabled.known(), Some(&false));
    assert_eq!(rows[2].name.origin(), &Origin::line("/etc/apt/sources.list.d/old.sources", 1));
}

#[test]
fn apt_may_be_told_to_take_anything() {
    let host = Memory::new().file("/etc/apt/sources.list", "deb http://m/x s main\n");
    assert_eq!(rows(&host)[0].gpgcheck.known(), Some(&true));
    let loose = host.file("/etc/apt/apt.conf.d/99x", "Acquire { AllowInsecureRepositories \"true\"; };\n");
    assert_eq!(rows(&loose)[0].gpgcheck.known(), Some(&false));
    let closed = Memory::new().file("/etc/apt/sources.list", "deb http://m/x s main\n").file("/etc/apt/apt.conf.d/99x", "A {");
    assert!(matches!(rows(&closed)[0].gpgcheck, Fact::Unknown(_)));
}

#[test]
fn what_cannot_be_read_stands_for_what_it_may_hold() {
    let host = Memory::new().file("/etc/apt/sources.list", "deb http://m/x s main\nnonsense\n");
    assert!(matches!(rows(&host)[0].enabled, Fact::Unknown(_)));
    assert!(Repositories::collect(&Context::new(&Memory::new()), &Selector::All).is_err());
}

#[test]
fn sections_of_dnf() {
    let host = Memory::new().file("/etc/dnf/dnf.conf", "[main]\ngpgcheck=1\n").file(
        "/etc/yum.repos.d/a.repo",
        "[baseos]\nname=B\nmetalink=https://m/\ngpgkey=file:///k\n[test]\nbaseurl=https://a http://b\nenabled = No\ngpgcheck=False\nrepo_gpgcheck=yes\n",
    );
    let rows = rows(&host);
    assert_eq!((word(&rows[0].name), rows[0].enabled.known(), rows[0].gpgcheck.known()), (Some("baseos"), Some(&true), Some(&true)));
    assert_eq!(rows[0].gpgcheck.origin(), &Origin::line("/etc/dnf/dnf.conf", 2));
    assert_eq!((rows[0].repo_gpgcheck.known(), word(&rows[0].signed_by)), (Some(&false), Some("file:///k")));
    assert_eq!((rows[1].enabled.known(), rows[1].gpgcheck.known(), rows[1].repo_gpgcheck.known()), (Some(&false), Some(&false), Some(&true)));
    assert_eq!(word(&rows[1].scheme), Some("http"));
    assert!(matches!(rows[1].security, Fact::Absent(_)));
}
