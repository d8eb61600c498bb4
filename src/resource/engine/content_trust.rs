//! Whether Docker Content Trust is switched on for logins or for the daemon.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Origin};
use crate::resource::Context;
use crate::resource::docker::Engine;

const VARIABLE: &str = "DOCKER_CONTENT_TRUST";
/// Files that set variables for whoever logs in, or for the daemon.
const FILES: &[&str] = &["/etc/environment", "/etc/profile", "/etc/bash.bashrc", "/etc/bashrc", "/etc/default/docker", "/etc/sysconfig/docker"];
const PROFILES: &str = "/etc/profile.d";

/// The place that switches it on, or false where all were read and none does.
pub(super) fn content_trust(context: &Context<'_>, engine: &Engine) -> Fact<bool> {
    let mut gap = None;
    let mut files: Vec<PathBuf> = FILES.iter().map(PathBuf::from).collect();
    match context.host.list(Path::new(PROFILES)) {
        Fact::Known(entries, _) => {
            let scripts = entries.iter().filter(|entry| entry.name.extension().is_some_and(|extension| extension == "sh"));
            files.extend(scripts.map(|entry| Path::new(PROFILES).join(&entry.name)));
        }
        Fact::Absent(_) => {}
        Fact::Unknown(denied) => gap = Some(denied),
    }
    for path in files {
        match context.host.read(&path) {
            Fact::Known(content, _) => {
                if let Some((true, line)) = assigned(&String::from_utf8_lossy(&content)) {
                    return Fact::Known(true, Origin::line(path.as_path(), line));
                }
            }
            Fact::Absent(_) => {}
            Fact::Unknown(denied) => gap = gap.or(Some(denied)),
        }
    }
    match engine.told.service_unit.as_ref().and_then(|unit, _| unit.variables(context.host)) {
        Fact::Known(mut variables, _) => match variables.remove(VARIABLE) {
            Some((value, origin)) if is_on(value.expose()) => return Fact::Known(true, origin),
            _ => {}
        },
        Fact::Absent(_) => {}
        Fact::Unknown(denied) => gap = gap.or(Some(denied)),
    }
    gap.map_or(Fact::Known(false, Origin::Derived), Fact::Unknown)
}

/// The last assignment in a file of `NAME=value` lines or shell commands, with its line.
fn assigned(text: &str) -> Option<(bool, u32)> {
    let assignment = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let value = line.strip_prefix(VARIABLE)?.strip_prefix('=')?;
        Some(is_on(value.split([' ', '\t', ';', '#']).next().unwrap_or_default().trim_matches(['"', '\''])))
    };
    text.lines().zip(1..).filter_map(|(line, number)| Some((assignment(line)?, number))).last()
}

/// As the client reads it: whatever is not clearly false.
fn is_on(value: &str) -> bool {
    !matches!(value, "" | "0" | "f" | "F" | "false" | "FALSE" | "False")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_assignment_counts() {
        assert_eq!(assigned("A=1\nexport DOCKER_CONTENT_TRUST=1 # on\n"), Some((true, 2)));
        assert_eq!(assigned("DOCKER_CONTENT_TRUST=\"1\"\nDOCKER_CONTENT_TRUST=0"), Some((false, 2)));
        assert_eq!(assigned("#DOCKER_CONTENT_TRUST=1\nDOCKER_CONTENT_TRUST_SERVER=https://x\n"), None);
        assert_eq!(assigned("DOCKER_CONTENT_TRUST=yes"), Some((true, 1)), "the client takes it for true");
    }
}
