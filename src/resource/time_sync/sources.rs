//! Where a time daemon gets its time from, by its files.

use std::path::Path;

use crate::fact::{Fact, Gap, List, Origin, Reason, Text};
use crate::parse::chrony::{Directive, parse};
use crate::resource::layered::Layered;
use crate::resource::{Context, paths, systemd_setting};

const DEEPEST: usize = 10;
const MOST_FILES: usize = 1_000;

/// What a daemon is told to go by.
pub(super) fn of(context: &Context<'_>, daemon: &str) -> Fact<List> {
    match daemon {
        "systemd-timesyncd" => timesyncd(context),
        // Debian and Red Hat keep it in different places; the first that is there counts.
        "chrony" => first(context, &["/etc/chrony/chrony.conf", "/etc/chrony.conf"], &[]),
        "ntpsec" => first(context, &["/etc/ntpsec/ntp.conf", "/etc/ntp.conf"], &["/etc/ntpsec/ntp.d"]),
        "ntp" => first(context, &["/etc/ntp.conf"], &[]),
        _ => first(context, &["/etc/openntpd/ntpd.conf", "/etc/ntpd.conf"], &[]),
    }
}

/// `NTP=`, or `FallbackNTP=` where that is not set but by the build.
fn timesyncd(context: &Context<'_>) -> Fact<List> {
    for key in ["NTP", "FallbackNTP"] {
        match systemd_setting::value(context, "timesyncd", key) {
            Fact::Known(value, origin) => return Fact::Known(value.0.raw().split_whitespace().map(Text::from).collect(), origin),
            // What was built in is nobody's choice.
            Fact::Unknown(Gap { origin: Origin::Default { .. }, .. }) | Fact::Absent(_) => {}
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        }
    }
    Fact::Known(List::new(), Origin::default_of("systemd-timesyncd"))
}

fn first(context: &Context<'_>, paths: &[&str], directories: &[&str]) -> Fact<List> {
    let mut reader = Reader { context, found: List::new(), origin: None, files: 0 };
    for path in paths.iter().map(Path::new) {
        match reader.file(path, 0) {
            Ok(false) => {}
            Ok(true) => {
                let more = directories.iter().try_for_each(|directory| reader.directories(&[(*directory).to_owned()], ".conf", 1));
                return match more {
                    Ok(()) => Fact::Known(reader.found, reader.origin.unwrap_or_else(|| Origin::file(path))),
                    Err(gap) => Fact::Unknown(gap),
                };
            }
            Err(gap) => return Fact::Unknown(gap),
        }
    }
    Fact::Known(List::new(), Origin::file(paths.first().copied().unwrap_or_default()))
}

struct Reader<'a> {
    context: &'a Context<'a>,
    found: List,
    origin: Option<Origin>,
    files: usize,
}

impl Reader<'_> {
    /// Whether there is such a file.
    fn file(&mut self, path: &Path, depth: usize) -> Result<bool, Gap> {
        self.files += 1;
        if depth > DEEPEST || self.files > MOST_FILES {
            return Err(Gap::new(Origin::file(path), Reason::malformed("files include each other without end")));
        }
        let Some(content) = self.context.host.read(path).into_result()? else { return Ok(false) };
        let text = String::from_utf8_lossy(&content).into_owned();
        for (line, directive) in parse(&text) {
            match directive {
                Directive::Source(name) => {
                    self.origin.get_or_insert_with(|| Origin::line(path, line));
                    self.found.push(name.into());
                }
                Directive::Include(pattern) => {
                    let pattern = if pattern.starts_with('/') { pattern } else { format!("/etc/{pattern}") };
                    let found = paths::expand(self.context.host, &pattern)?;
                    if let Some((_, gap)) = found.gaps.into_iter().next() {
                        return Err(gap);
                    }
                    for path in found.paths {
                        self.file(&path, depth + 1)?;
                    }
                }
                Directive::ConfDir(directories) => self.directories(&directories, ".conf", depth + 1)?,
                Directive::SourceDir(directories) => self.directories(&directories, ".sources", depth + 1)?,
                Directive::User(_) => {}
            }
        }
        Ok(true)
    }

    fn directories(&mut self, directories: &[String], suffix: &str, depth: usize) -> Result<(), Gap> {
        let found = Layered::of(self.context.host, directories, suffix);
        if let Some(gap) = found.gaps.into_iter().next() {
            return Err(gap);
        }
        for path in found.files.values() {
            self.file(path, depth)?;
        }
        Ok(())
    }
}
