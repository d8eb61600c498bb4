//! Package managers as build steps use them: what refreshes an index, what installs, what switches off verification.

use crate::parse::shell::Command;

/// The package manager a command runs and its verb.
pub(super) fn package_manager(command: &Command) -> Option<(&str, &str)> {
    let (program, arguments) = command.program()?;
    family(program)?;
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            // These take a value.
            "-o" | "-c" | "-t" | "--option" | "--target-release" | "--enablerepo" | "--disablerepo" | "--repository" | "-X" | "-p"
            | "--root" | "-R" | "--setopt" | "--releasever" => {
                words.next();
            }
            word if word.starts_with('-') => {}
            verb => return Some((program, verb)),
        }
    }
    None
}

pub(super) fn family(program: &str) -> Option<&'static str> {
    match program {
        "apt" | "apt-get" | "aptitude" => Some("apt"),
        "apk" => Some("apk"),
        "yum" | "dnf" | "dnf5" | "microdnf" | "tdnf" => Some("dnf"),
        "zypper" => Some("zypper"),
        _ => None,
    }
}

pub(super) fn refreshes(manager: &str, verb: &str) -> bool {
    match family(manager) {
        Some("apt" | "apk") => verb == "update",
        // `dnf update` installs updates.
        Some("dnf") => matches!(verb, "makecache" | "check-update"),
        _ => matches!(verb, "refresh" | "ref"),
    }
}

pub(super) fn installs(manager: &str, verb: &str) -> bool {
    match family(manager) {
        Some("apt") => matches!(
            verb,
            "install"
                | "reinstall"
                | "upgrade"
                | "dist-upgrade"
                | "full-upgrade"
                | "safe-upgrade"
                | "build-dep"
                | "satisfy"
                | "source"
                | "download"
        ),
        Some("apk") => matches!(verb, "add" | "upgrade" | "fix" | "fetch"),
        Some("dnf") => !matches!(verb, "makecache" | "check-update" | "clean" | "list" | "info" | "search" | "repolist" | "config-manager"),
        _ => matches!(verb, "install" | "in" | "update" | "up" | "patch" | "dist-upgrade" | "dup"),
    }
}

/// The part of a word that switches off verification, in our own spelling.
pub(super) fn unverified_flag(program: &str, word: &str) -> Option<&'static str> {
    let flag = word.split('=').next().unwrap_or(word);
    match (program, flag) {
        ("apt" | "apt-get" | "aptitude", "--allow-unauthenticated") => Some("--allow-unauthenticated"),
        ("apt" | "apt-get" | "aptitude", "--allow-insecure-repositories") => Some("--allow-insecure-repositories"),
        ("apt" | "apt-get" | "aptitude", "--force-yes") => Some("--force-yes"),
        ("yum" | "dnf" | "dnf5" | "microdnf" | "tdnf", "--nogpgcheck" | "--no-gpgchecks") => Some("--nogpgcheck"),
        ("zypper", "--no-gpg-checks") => Some("--no-gpg-checks"),
        ("apk", "--allow-untrusted") => Some("--allow-untrusted"),
        ("rpm", "--nosignature") => Some("--nosignature"),
        ("pip" | "pip3", "--trusted-host") => Some("--trusted-host"),
        _ => {
            let lower = word.to_ascii_lowercase().replace(' ', "");
            let switches = [
                ("allowunauthenticated=true", "AllowUnauthenticated"),
                ("allowunauthenticated=1", "AllowUnauthenticated"),
                ("allowinsecurerepositories=true", "AllowInsecureRepositories"),
                ("allowinsecurerepositories=1", "AllowInsecureRepositories"),
                ("trusted=yes", "trusted=yes"),
                ("gpgcheck=0", "gpgcheck=0"),
                ("gpgcheck=false", "gpgcheck=0"),
            ];
            switches.into_iter().find(|(switch, _)| lower.contains(switch)).map(|(_, shown)| shown)
        }
    }
}
