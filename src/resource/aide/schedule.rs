//! What runs AIDE regularly: a timer, or cron.

use std::path::Path;

use crate::fact::{Fact, List, Origin, Text};
use crate::host::FileKind;
use crate::resource::Context;
use crate::resource::unit_state::UnitState;

/// Timers of distributions and of the benchmarks' advice.
const TIMERS: [&str; 3] = ["dailyaidecheck.timer", "aidecheck.timer", "aide.timer"];
const DIRECTORIES: [&str; 5] =
    ["/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/var/spool/cron/crontabs"];
const TABLES: [&str; 2] = ["/etc/crontab", "/var/spool/cron/root"];

/// The names of what runs it. What could not be looked at may run it too.
pub(super) fn of(context: &Context<'_>) -> Fact<List> {
    let (mut found, mut gap): (Vec<Text>, _) = (Vec::new(), None);
    for timer in TIMERS {
        match UnitState::of(context, &[timer]).starts {
            Fact::Known(true, _) => found.push(timer.into()),
            Fact::Known(false, _) | Fact::Absent(_) => {}
            Fact::Unknown(unknown) => gap = Some(unknown),
        }
    }
    let timed = !found.is_empty();
    let mut files: Vec<_> = TABLES.iter().map(|path| Path::new(path).to_path_buf()).collect();
    for directory in DIRECTORIES.map(Path::new) {
        match context.host.list(directory) {
            Fact::Known(entries, _) => {
                let named = entries.iter().filter(|entry| entry.kind != FileKind::Directory).map(|entry| directory.join(&entry.name));
                // run-parts passes over names with a dot.
                files.extend(named.filter(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().contains('.'))));
            }
            Fact::Absent(_) => {}
            Fact::Unknown(unknown) => gap = Some(unknown),
        }
    }
    for path in files {
        match context.host.read(&path) {
            Fact::Known(content, _) => {
                let script = path.starts_with("/etc/cron.daily") || path.starts_with("/etc/cron.weekly") || path.starts_with("/etc/cron.hourly");
                // Debian's script of cron steps back where systemd runs the timer.
                if runs(&String::from_utf8_lossy(&content)) && !(script && !timed && defers(&content)) {
                    found.push(path.as_path().into());
                }
            }
            Fact::Absent(_) => {}
            Fact::Unknown(unknown) => gap = Some(unknown),
        }
    }
    match gap {
        Some(gap) if found.is_empty() => Fact::Unknown(gap),
        _ => Fact::Known(found, Origin::Derived),
    }
}

/// Whether a line that is no comment calls AIDE.
fn runs(text: &str) -> bool {
    text.lines().map(str::trim).filter(|line| !line.starts_with('#')).any(|line| {
        line.split(|c: char| c.is_whitespace() || ";&|()\"'`".contains(c)).any(|word| {
            let name = word.rsplit('/').next().unwrap_or_default();
            ["aide", "aide.wrapper", "dailyaidecheck", "aidecheck"].contains(&name)
        })
    })
}

/// Whether a script ends at once on a host that systemd runs.
fn defers(content: &[u8]) -> bool {
    let text = String::from_utf8_lossy(content);
    text.contains("/run/systemd/system") && text.contains("exit 0")
}
