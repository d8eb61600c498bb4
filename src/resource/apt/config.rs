//! Apt's settings: all files, merged as apt merges them.

use std::path::PathBuf;
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::parse::{apt_conf, apt_source};
use crate::resource::Context;

const PARTS: &str = "/etc/apt/apt.conf.d";
const MAIN: &str = "/etc/apt/apt.conf";

/// Apt's settings.
pub(crate) struct Configuration {
    settings: Vec<(String, String, Origin)>,
    gap: Option<Gap>,
}

impl Configuration {
    /// The settings of the host under audit.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(Self::read)
    }

    fn read(context: &Context<'_>) -> Self {
        let mut gaps = Vec::new();
        let mut files = super::parts(context, PARTS, &["conf"], &mut gaps);
        files.push(PathBuf::from(MAIN));
        let mut settings: Vec<(String, String, Origin)> = Vec::new();
        for path in files {
            let bytes = match context.host.read(&path).into_result() {
                Ok(Some(bytes)) => bytes,
                Ok(None) => continue,
                Err(gap) => {
                    gaps.push(gap);
                    continue;
                }
            };
            match apt_conf::parse(&String::from_utf8_lossy(&bytes)) {
                Ok(assignments) => {
                    for assignment in assignments {
                        let name = assignment.name.to_ascii_lowercase();
                        match assignment.value {
                            Some(value) => settings.push((name, value, Origin::line(path.as_path(), assignment.line))),
                            None => settings.retain(|(set, ..)| *set != name && !set.starts_with(&format!("{name}::"))),
                        }
                    }
                }
                Err(line) => gaps.push(Gap::new(Origin::line(path.as_path(), line), Reason::malformed("a setting of apt"))),
            }
        }
        Self { settings, gap: gaps.into_iter().next() }
    }

    /// The value of a setting, by its full name; absent where it is not set. Where a file could not be read, nothing is certain.
    pub(crate) fn get(&self, name: &str) -> Fact<String> {
        let name = name.to_ascii_lowercase();
        if let Some(gap) = &self.gap {
            return Fact::Unknown(gap.clone());
        }
        match self.settings.iter().rfind(|(set, ..)| *set == name) {
            Some((_, value, origin)) => Fact::Known(value.clone(), origin.clone()),
            None => Fact::Absent(Origin::file(PARTS)),
        }
    }

    /// A yes or no, with what apt does where it is not set.
    pub(crate) fn flag(&self, name: &str, default: bool) -> Fact<bool> {
        match self.get(name) {
            Fact::Known(value, origin) => match apt_source::truth(&value) {
                Some(flag) => Fact::Known(flag, origin),
                // As apt does: a number other than 0 is yes, anything else the default.
                None => Fact::Known(value.trim().parse::<i64>().map_or(default, |number| number != 0), origin),
            },
            Fact::Absent(_) => Fact::Known(default, Origin::default_of("apt")),
            Fact::Unknown(gap) => Fact::Unknown(gap),
        }
    }

    /// The elements of a list.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<(&str, &Origin)>, Gap> {
        if let Some(gap) = &self.gap {
            return Err(gap.clone());
        }
        let start = format!("{}::", name.to_ascii_lowercase());
        Ok(self.settings.iter().filter(|(set, ..)| set.starts_with(&start)).map(|(_, value, origin)| (value.as_str(), origin)).collect())
    }
}
