//! The profile from which authselect makes the shared PAM stacks of Red Hat, and what of it the chosen features leave.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, Origin, Reason, Text, record};
use crate::parse::pam;

use super::{Context, Resource, Selector};

record! {
    /// One PAM module in one of the two stacks of the chosen authselect profile.
    pub struct AuthselectModule("authselect") {
        /// The module, such as `pam_faillock.so`.
        module: Text,
        /// `system-auth` or `password-auth`.
        stack: Text,
        /// The chosen profile, such as `sssd` or `custom/ours`; absent where authselect has made no choice.
        profile: Text,
        /// Whether a line of the profile calls it, whatever features it hangs on.
        listed: Flag,
        /// Whether a line calls it that the chosen features keep.
        active: Flag,
    }
}

/// Finds the records.
pub struct Authselect;

impl Resource for Authselect {
    type Row = AuthselectModule;
    const SELECTOR: &'static str = "the name of a module, such as `pam_faillock.so`; two records for each, one for each stack";
    const ENUMERABLE: bool = false;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let Selector::Keys(keys) = of else {
            return Err(Gap::new(Origin::file(CONF), Reason::unsupported("modules are asked for by name")));
        };
        let chosen = context.host.read(Path::new(CONF)).map(|bytes| Choice::of(&String::from_utf8_lossy(&bytes)));
        let rows = |stack: &'static str| {
            let chosen = chosen.as_ref();
            let lines = chosen.clone().and_then(|choice, origin| match choice.directory(context) {
                Ok(Some(directory)) => lines(context, &directory.join(stack), choice),
                Ok(None) => Fact::Absent(origin),
                Err(gap) => Fact::Unknown(gap),
            });
            let row = move |key: &String| AuthselectModule {
                module: Fact::derived(key.as_str()),
                stack: Fact::derived(stack),
                profile: chosen.clone().map(|choice| Text::from(choice.profile.as_str())),
                listed: of_lines(&lines, |line| line.calls(key).then_some(Some(true))),
                active: of_lines(&lines, |line| line.calls(key).then_some(line.kept)),
            };
            keys.iter().map(row).collect::<Vec<_>>()
        };
        Ok(["system-auth", "password-auth"].into_iter().flat_map(rows).collect())
    }
}

const CONF: &str = "/etc/authselect/authselect.conf";

/// What was chosen: the first line is the profile, the others are features.
struct Choice {
    profile: String,
    features: Vec<String>,
}

impl Choice {
    fn of(text: &str) -> Self {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned);
        Self { profile: lines.next().unwrap_or_default(), features: lines.collect() }
    }

    fn directory(&self, context: &Context<'_>) -> Result<Option<PathBuf>, Gap> {
        // The name becomes a part of a path.
        if self.profile.is_empty() || self.profile.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Ok(None);
        }
        let candidates = match self.profile.strip_prefix("custom/") {
            Some(name) => vec![Path::new("/etc/authselect/custom").join(name)],
            None => ["vendor", "default"].map(|of| Path::new("/usr/share/authselect").join(of).join(&self.profile)).to_vec(),
        };
        for path in candidates {
            if context.host.stat(&path).into_result()?.is_some() {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }
}

/// A line of a profile.
struct Line {
    words: Vec<String>,
    /// Whether the features keep it; `None` where its condition is not understood.
    kept: Option<bool>,
    origin: Origin,
}

impl Line {
    fn calls(&self, module: &str) -> bool {
        self.words.get(2).is_some_and(|word| word.rsplit('/').next() == Some(module))
    }
}

fn lines(context: &Context<'_>, path: &Path, choice: &Choice) -> Fact<Vec<Line>> {
    context.host.read(path).map(|bytes| {
        // These decide about all lines that follow.
        let mut ended = false;
        let line = |line: pam::Line| {
            ended |= line.words.first().is_some_and(|word| word.starts_with("{continue") || word.starts_with("{stop"));
            // Operators stand in braces, mostly at the end of a line.
            let text = line.words.join(" ");
            let kept = text.split('{').skip(1).map(|operator| operator.split('}').next().unwrap_or_default()).try_fold(true, |kept, operator| {
                Some(kept && of_operator(operator, &choice.features)?)
            });
            let kept = kept.filter(|kept| !ended || !kept);
            Line { words: line.words, kept, origin: Origin::line(path, line.number) }
        };
        pam::lines(&bytes).lines.into_iter().map(line).collect()
    })
}

/// Whether an operator keeps its line. Those that only add a word to it do.
fn of_operator(operator: &str, features: &[String]) -> Option<bool> {
    let (word, rest) = operator.split_once(' ')?;
    let rest = rest.trim();
    let condition = match word {
        "if" => return Some(true),
        "imply" => return Some(true),
        _ => rest.strip_prefix("if")?.trim(),
    };
    let (not, name) = match condition.strip_prefix("not ") {
        Some(name) => (true, name.trim()),
        None => (false, condition),
    };
    let name = name.strip_prefix('"')?.strip_suffix('"').filter(|name| !name.contains('"'))?;
    let holds = features.iter().any(|feature| feature == name) != not;
    match word {
        "include" => Some(holds),
        "exclude" => Some(!holds),
        _ => None,
    }
}

fn of_lines(lines: &Fact<Vec<Line>>, pick: impl Fn(&Line) -> Option<Option<bool>>) -> Fact<bool> {
    match lines.as_ref() {
        Fact::Known(lines, origin) => {
            let mut doubt = None;
            for line in lines {
                match pick(line) {
                    Some(Some(true)) => return Fact::Known(true, line.origin.clone()),
                    Some(None) => doubt = Some(Gap::new(line.origin.clone(), Reason::unsupported("the condition of the line is not understood"))),
                    Some(Some(false)) | None => {}
                }
            }
            doubt.map_or(Fact::Known(false, origin), Fact::Unknown)
        }
        Fact::Absent(origin) => Fact::Known(false, origin),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn told(host: &Memory, module: &str) -> Vec<(bool, Option<bool>)> {
        let rows = Authselect::collect(&Context::new(host), &Selector::Keys(vec![module.into()])).unwrap();
        rows.iter().map(|row| (*row.listed.known().unwrap(), row.active.known().copied())).collect()
    }

    #[test]
    fn features_keep_lines_or_take_them_out() {
        let profile = "auth required pam_faillock.so preauth {include if \"with-faillock\"}\nauth sufficient pam_unix.so {if not \"without-nullok\":nullok}\n\
            password requisite pam_pwhistory.so {exclude if \"no-history\"}\npassword required pam_x.so {include if \"a\" or \"b\"}\n";
        let host = Memory::new()
            .file(CONF, "sssd\nwith-sudo\n")
            .file("/usr/share/authselect/default/sssd/system-auth", profile)
            .file("/usr/share/authselect/default/sssd/password-auth", "auth sufficient pam_unix.so\n");
        assert_eq!(told(&host, "pam_faillock.so"), [(true, Some(false)), (false, Some(false))]);
        assert_eq!(told(&host, "pam_unix.so"), [(true, Some(true)), (true, Some(true))]);
        assert_eq!(told(&host, "pam_pwhistory.so")[0], (true, Some(true)));
        assert_eq!(told(&host, "pam_x.so")[0], (true, None));
        let with = host.file(CONF, "sssd\nwith-faillock\nno-history\n");
        assert_eq!((told(&with, "pam_faillock.so")[0].1, told(&with, "pam_pwhistory.so")[0].1), (Some(true), Some(false)));
    }

    #[test]
    fn custom_profiles_and_none() {
        let host = Memory::new().file(CONF, "custom/ours\n").file("/etc/authselect/custom/ours/system-auth", "auth required pam_unix.so\n");
        assert_eq!(told(&host, "pam_unix.so"), [(true, Some(true)), (false, Some(false))]);
        for none in ["", "../../x\n", "gone\n"] {
            assert_eq!(told(&Memory::new().file(CONF, none), "pam_unix.so"), [(false, Some(false)); 2], "{none}");
        }
        assert_eq!(told(&Memory::new(), "pam_unix.so"), [(false, Some(false)); 2]);
    }
}
