//! What modprobe.d makes of modules.

use std::path::PathBuf;
use std::sync::Arc;

use crate::fact::{Fact, Gap, List, Origin, Text};
use crate::parse::glob;
use crate::parse::modprobe::{self, Rule, Says};
use crate::resource::{
    Context,
    layered::{Layered, is_null},
};

const DIRECTORIES: [&str; 5] = ["/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"];

/// Every line about loading a module, in the order in which kmod reads them.
pub(super) struct Configuration {
    steps: Vec<Step>,
    /// A directory that could not be listed: what it holds may come first, or take a name away.
    unlisted: Option<Gap>,
}

enum Step {
    Rule(PathBuf, Rule),
    Unread(Gap),
}

/// What the files say about one module.
pub(super) struct About {
    pub(super) blacklisted: Fact<bool>,
    pub(super) install_denied: Fact<bool>,
    pub(super) lines: Fact<List>,
}

impl Configuration {
    pub(super) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| {
            let host = context.host;
            let found = Layered::of(host, DIRECTORIES, ".conf");
            let mut steps = Vec::new();
            for path in found.files.into_values().filter(|path| !is_null(host, path)) {
                match host.read(&path) {
                    Fact::Known(bytes, _) => steps.extend(modprobe::parse(&bytes).into_iter().map(|rule| Step::Rule(path.clone(), rule))),
                    Fact::Absent(_) => {}
                    Fact::Unknown(gap) => steps.push(Step::Unread(gap)),
                }
            }
            Self { steps, unlisted: found.gaps.into_iter().next() }
        })
    }

    pub(super) fn about(&self, name: &str) -> About {
        let origin = |path: &PathBuf, rule: &Rule| Origin::line(path.as_path(), rule.line);
        let nowhere = Origin::file("/etc/modprobe.d");
        let mut unread = self.unlisted.clone();
        let (mut blacklisted, mut command, mut lines) = (None, None, Vec::new());
        for step in &self.steps {
            let (path, rule) = match step {
                Step::Rule(path, rule) => (path, rule),
                Step::Unread(gap) => {
                    unread.get_or_insert_with(|| gap.clone());
                    continue;
                }
            };
            match &rule.says {
                Says::Blacklist if rule.module == name => {
                    blacklisted.get_or_insert_with(|| Fact::Known(true, origin(path, rule)));
                    lines.push(shown(path, rule, "blacklist"));
                }
                Says::Install(said) if glob::matches(&rule.module, name) => {
                    // What could not be read before it may have said otherwise.
                    command.get_or_insert_with(|| match &unread {
                        Some(gap) => Fact::Unknown(gap.clone()),
                        None => Fact::Known(rule.says.denies(), origin(path, rule)),
                    });
                    lines.push(shown(path, rule, &format!("install {}", said.trim())));
                }
                Says::Blacklist | Says::Install(_) => {}
            }
        }
        let otherwise = || match &unread {
            Some(gap) => Fact::Unknown(gap.clone()),
            None => Fact::Known(false, nowhere.clone()),
        };
        About {
            blacklisted: blacklisted.unwrap_or_else(otherwise),
            install_denied: command.unwrap_or_else(otherwise),
            lines: match &unread {
                Some(gap) => Fact::Unknown(gap.clone()),
                None => Fact::derived(lines),
            },
        }
    }
}

fn shown(path: &std::path::Path, rule: &Rule, words: &str) -> Text {
    Text::from(format!("{}:{} {words}", path.to_string_lossy(), rule.line))
}
