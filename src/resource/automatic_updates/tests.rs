use super::*;
use crate::host::memory::Memory;

const STATUS: &str = "Package: unattended-upgrades\nStatus: install ok installed\nArchitecture: all\nVersion: 2.9\n\n";
const FIFTY: &str =
    "Unattended-Upgrade::Origins-Pattern {\n  \"origin=Debian,codename=${distro_codename}-security,label=Debian-Security\";\n};\n";

fn debian() -> Memory {
    Memory::new()
        .file("/etc/os-release", "ID=debian\nVERSION_CODENAME=bookworm\n")
        .file("/var/lib/dpkg/status", STATUS)
        .file(
            "/etc/apt/sources.list",
            "deb http://s/security bookworm-security main\ndeb https://download.docker.com/linux/debian bookworm stable\n",
        )
        .file(
            "/var/lib/apt/lists/s_security_dists_bookworm-security_InRelease",
            "Origin: Debian\nLabel: Debian-Security\nSuite: oldstable-security\nCodename: bookworm-security\n",
        )
        .file(
            "/var/lib/apt/lists/download.docker.com_linux_debian_dists_bookworm_InRelease",
            "Origin: Docker\nLabel: Docker CE\nSuite: bookworm\nCodename: bookworm\n",
        )
        .file(
            "/etc/apt/apt.conf.d/20auto-upgrades",
            "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"1\";\n",
        )
        .file("/etc/apt/apt.conf.d/50unattended-upgrades", FIFTY)
        .at(10 * 86_400)
}

fn row(host: &Memory) -> AutomaticUpdatesRow {
    AutomaticUpdates::collect(&Context::new(host), &Selector::All).unwrap().remove(0)
}

#[test]
fn the_default_configuration_leaves_docker_out() {
    let host = debian().file(APT_STAMP, "").modified(APT_STAMP, 8 * 86_400);
    let found = row(&host);
    assert_eq!((found.installed.known(), found.enabled.known(), found.fetches.known()), (Some(&true), Some(&true), Some(&true)));
    assert_eq!((found.covers_security.known(), found.covers_docker.known()), (Some(&true), Some(&false)));
    assert_eq!((found.last_run_days.known(), found.reboots.known()), (Some(&2), Some(&false)));
    assert_eq!(found.covers_security.origin(), &Origin::line("/etc/apt/apt.conf.d/50unattended-upgrades", 2));
    let with_docker = debian().file("/etc/apt/apt.conf.d/51docker", "Unattended-Upgrade::Origins-Pattern:: \"origin=Docker\";\n");
    assert_eq!(row(&with_docker).covers_docker.known(), Some(&true));
    assert!(matches!(row(&with_docker).last_run_days, Fact::Absent(_)));
}

#[test]
fn later_files_turn_it_off() {
    for off in ["APT::Periodic::Enable \"0\";", "APT::Periodic::Unattended-Upgrade \"0\";", "#clear APT::Periodic::Unattended-Upgrade;"] {
        assert_eq!(row(&debian().file("/etc/apt/apt.conf.d/99off", format!("{off}\n"))).enabled.known(), Some(&false), "{off}");
    }
    assert_eq!(
        row(&debian().file("/var/lib/dpkg/status", STATUS.replace("install ok installed", "deinstall ok config-files"))).enabled.known(),
        Some(&false)
    );
    let none = debian().file("/etc/apt/apt.conf.d/99none", "#clear Unattended-Upgrade::Origins-Pattern;\n");
    assert_eq!(row(&none).covers_security.known(), Some(&false));
    assert!(matches!(row(&debian().file("/etc/apt/apt.conf.d/99bad", "A {\n")).enabled, Fact::Unknown(_)));
}

#[test]
fn ubuntus_way_of_naming_repositories() {
    let host = debian()
        .file("/etc/os-release", "ID=ubuntu\nVERSION_CODENAME=noble\n")
        .file("/etc/apt/sources.list", "deb http://s/ubuntu noble-security main\n")
        .file(
            "/var/lib/apt/lists/s_ubuntu_dists_noble-security_InRelease",
            "Origin: Ubuntu\nLabel: Ubuntu\nSuite: noble-security\nCodename: noble\n",
        )
        .file(
            "/etc/apt/apt.conf.d/50unattended-upgrades",
            "Unattended-Upgrade::Allowed-Origins {\n\"${distro_id}:${distro_codename}-security\"; };\n",
        );
    let found = row(&host);
    assert_eq!(found.covers_security.known(), Some(&true));
    assert!(matches!(found.covers_docker, Fact::Absent(_)));
}

#[test]
fn dnf_automatic() {
    let host = |configuration: &str| {
        Memory::new()
            .file("/etc/dnf/dnf.conf", "[main]\ngpgcheck=1\n")
            .file(
                "/etc/yum.repos.d/docker-ce.repo",
                "[docker-ce-stable]\nbaseurl=https://download.docker.com/linux/rhel/9/x86_64/stable\nenabled=1\n",
            )
            .file("/etc/dnf/automatic.conf", configuration)
            .file("/var/lib/systemd/timers/stamp-dnf-automatic.timer", "")
            .at(5 * 86_400)
    };
    let found = row(&host("[commands]\nupgrade_type = security\napply_updates = yes\n"));
    assert!(found.installed.known().is_none(), "no package database");
    assert_eq!((found.covers_docker.known(), found.last_run_days.known()), (Some(&false), Some(&5)));
    assert_eq!(row(&host("[commands]\napply_updates = yes\n")).covers_docker.known(), Some(&true));
    assert_eq!(row(&host("")).fetches.known(), None);
}
