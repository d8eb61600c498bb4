//! Settings of sudo: what `Defaults` lines come to.

use std::path::Path;

use crate::fact::{Fact, Gap, Integer, List, Origin, Reason, Scheme, Setting, Text, Version, record};
use crate::parse::sudoers::{Change, Kind, Member, Statement};

use super::sudoers::Sudoers;
use super::{Context, Resource, Selector};

record! {
    /// One setting of sudo: for everybody, and once more for each list of users, hosts, commands or target users it is set for. Of
    /// `use_pty`, `authenticate`, `logfile` and `timestamp_timeout` there is always a record for everybody. Where sudoers cannot be
    /// read or understood in full, one record of which nothing is known stands for the rest.
    pub struct SudoDefault("sudo_default") {
        /// Name of the setting; behind it for whom.
        name: Text,
        /// Name of the setting, such as `use_pty`.
        option: Text,
        /// What it is: `true` or `false` for what is on or off, else the text, quotes taken away. Absent where nothing sets it and
        /// the default is nothing or depends on how sudo was built.
        value: Setting,
        /// Of a setting that is a list, the words added to it, those taken out left out.
        values: List,
        /// For whom, such as `user al` or `command /bin/ls`; absent for everybody.
        scope: Text,
        /// Of a timeout in minutes, the seconds; 0 where it is switched off. Absent for other settings and where nothing is set.
        seconds: Integer,
        /// Where it is set: `file` or `default`.
        source: Text,
    }
}

/// Finds the records.
pub struct SudoDefaults;

/// Settings that always have a record.
const ALWAYS: [&str; 4] = ["use_pty", "authenticate", "logfile", "timestamp_timeout"];

impl Resource for SudoDefaults {
    type Row = SudoDefault;
    const SELECTOR: &'static str = "the name of a setting, or a glob";
    const KEY: &'static str = "option";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let sudoers = Sudoers::of(context);
        let Some(sudoers) = sudoers.as_ref().as_ref().map_err(Clone::clone)? else { return Ok(Vec::new()) };
        let mut settings: Vec<Set> = Vec::new();
        for (origin, statement) in &sudoers.statements {
            let Statement::Defaults(scope, changes) = statement else { continue };
            let scope = scope.as_ref().map(|(kind, members)| for_whom(*kind, &sudoers.expanded(*kind, members)));
            for change in changes.iter().filter(|change| of.picks(&change.name)) {
                let at = settings.iter().position(|set| set.option == change.name && set.scope == scope);
                match at.and_then(|at| settings.get_mut(at)) {
                    Some(set) => set.change(&change.change, origin),
                    None => {
                        let mut set = Set { option: change.name.clone(), scope: scope.clone(), ..Set::new(origin) };
                        set.change(&change.change, origin);
                        settings.push(set);
                    }
                }
            }
        }
        let mut rows: Vec<SudoDefault> = settings.iter().map(Set::row).collect();
        for option in ALWAYS.into_iter().filter(|option| of.picks(option)) {
            if !settings.iter().any(|set| set.option == option && set.scope.is_none()) {
                rows.push(unset(context, option));
            }
        }
        // What is not seen may set anything.
        if let Some(gap) = sudoers.gaps.first() {
            let named = |option: &str| Fact::derived(option);
            let asked = ALWAYS.into_iter().filter(|option| of.picks(option));
            rows.extend(asked.map(|option| SudoDefault { name: named(option), option: named(option), ..SudoDefault::unknown(gap) }));
            rows.push(SudoDefault::unknown(gap));
        }
        Ok(rows)
    }
}

fn for_whom(kind: Kind, members: &[Member]) -> String {
    let word = match kind {
        Kind::User => "user",
        Kind::Runas => "runas",
        Kind::Host => "host",
        Kind::Command => "command",
    };
    let members: Vec<String> =
        members.iter().map(|member| if member.negated { format!("!{}", member.text) } else { member.text.clone() }).collect();
    format!("{word} {}", members.join(","))
}

/// What the lines about one setting, for the same, come to so far.
struct Set {
    option: String,
    scope: Option<String>,
    value: String,
    values: Vec<Text>,
    origin: Origin,
}

impl Set {
    fn new(origin: &Origin) -> Self {
        Self { option: String::new(), scope: None, value: String::new(), values: Vec::new(), origin: origin.clone() }
    }

    fn change(&mut self, change: &Change, origin: &Origin) {
        let words = |text: &str| text.split_whitespace().map(Text::from).collect::<Vec<_>>();
        self.origin = origin.clone();
        match change {
            Change::On => self.value = "true".to_owned(),
            Change::Off => {
                self.value = "false".to_owned();
                self.values.clear();
            }
            Change::Set(text) => {
                self.value.clone_from(text);
                self.values = words(text);
            }
            Change::Add(text) => {
                self.values.extend(words(text));
                self.value = joined(&self.values);
            }
            Change::Remove(text) => {
                let gone = words(text);
                self.values.retain(|value| !gone.contains(value));
                self.value = joined(&self.values);
            }
        }
    }

    fn row(&self) -> SudoDefault {
        let known = |text: &str| Fact::Known(Text::from(text), self.origin.clone());
        let name = self.scope.as_ref().map_or_else(|| self.option.clone(), |scope| format!("{} ({scope})", self.option));
        SudoDefault {
            name: Fact::derived(name.as_str()),
            option: Fact::derived(self.option.as_str()),
            value: Fact::Known(self.value.as_str().into(), self.origin.clone()),
            values: Fact::Known(self.values.clone(), self.origin.clone()),
            scope: self.scope.as_deref().map_or_else(|| Fact::Absent(self.origin.clone()), known),
            seconds: self.seconds(),
            source: known("file"),
        }
    }

    fn seconds(&self) -> Fact<Integer> {
        if !matches!(self.option.as_str(), "timestamp_timeout" | "passwd_timeout") {
            return Fact::Absent(self.origin.clone());
        }
        let minutes = match self.value.as_str() {
            "false" => Some(0.0),
            text => text.parse::<f64>().ok().filter(|minutes| minutes.is_finite()),
        };
        match minutes {
            #[expect(clippy::cast_possible_truncation, reason = "it saturates, which is as good as any time that long")]
            Some(minutes) => Fact::Known((minutes * 60.0).round() as i64, self.origin.clone()),
            None => Fact::Unknown(Gap::new(self.origin.clone(), Reason::malformed("no number of minutes"))),
        }
    }
}

fn joined(values: &[Text]) -> String {
    values.iter().map(Text::raw).collect::<Vec<_>>().join(" ")
}

/// What a setting is that nothing sets for everybody.
fn unset(context: &Context<'_>, option: &'static str) -> SudoDefault {
    let origin = Origin::default_of("sudo");
    let value = match option {
        "authenticate" => Fact::Known("true".into(), origin.clone()),
        "use_pty" => version(context).map(|version| if version.compare("1.9.14").is_lt() { "false" } else { "true" }.into()),
        _ => Fact::Absent(origin.clone()),
    };
    SudoDefault {
        name: Fact::derived(option),
        option: Fact::derived(option),
        value,
        values: Fact::Known(Vec::new(), origin.clone()),
        scope: Fact::Absent(origin.clone()),
        seconds: Fact::Absent(origin.clone()),
        source: Fact::Known("default".into(), origin),
    }
}

/// The release of sudo, which the program holds as a text: `1.9.13p3`.
fn version(context: &Context<'_>) -> Fact<Version> {
    let gap = |why: &str| Fact::Unknown(Gap::new(Origin::default_of("sudo"), Reason::unsupported(why)));
    let content = match context.host.read(Path::new("/usr/bin/sudo")) {
        Fact::Known(content, _) => content,
        Fact::Absent(_) => return gap("the release of sudo is not known"),
        Fact::Unknown(gap) => return Fact::Unknown(gap),
    };
    let is_version = |text: &str| {
        let mut parts = text.split('.');
        parts.next() == Some("1") && parts.next().is_some_and(|part| part.parse::<u8>().is_ok()) && {
            let last = parts.next().unwrap_or_default();
            !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit() || b == b'p') && parts.next().is_none()
        }
    };
    let strings = content.split(|b| *b == 0).filter(|string| string.len() < 16).filter_map(|string| std::str::from_utf8(string).ok());
    let mut found: Vec<&str> = strings.filter(|text| is_version(text)).collect();
    found.dedup();
    match found.as_slice() {
        [one] => Fact::Known(Version::new(one.split('p').next().unwrap_or_default(), Scheme::Upstream), Origin::default_of("sudo")),
        _ => gap("the release of sudo is not known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn host(sudoers: &str) -> Memory {
        Memory::new().file("/etc/sudoers", sudoers).file("/usr/bin/sudo", b"\x7fELF\x001.9.13p3\x00x\x00")
    }

    fn said(host: &Memory, option: &str) -> Vec<String> {
        let rows = SudoDefaults::collect(&Context::new(host), &Selector::Keys(vec![option.to_owned()])).unwrap();
        rows.iter()
            .map(|row| {
                let name = row.name.known().map_or("?", Text::raw).to_owned();
                let value = match &row.value {
                    Fact::Known(value, _) => value.0.raw().to_owned(),
                    Fact::Absent(_) => "-".to_owned(),
                    Fact::Unknown(_) => "unknown".to_owned(),
                };
                format!("{name}={value}")
            })
            .collect()
    }

    #[test]
    fn the_last_line_for_the_same_counts() {
        let host = host("Defaults use_pty\nDefaults logfile=\"/var/log/sudo.log\"\nDefaults !use_pty\nDefaults:al use_pty\nUser_Alias A = al\nDefaults:A !use_pty\n");
        assert_eq!(said(&host, "use_pty"), ["use_pty=false", "use_pty (user al)=false"]);
        assert_eq!(said(&host, "logfile"), ["logfile=/var/log/sudo.log"]);
    }

    #[test]
    fn what_nothing_sets_is_the_default_of_the_release() {
        assert_eq!(said(&host(""), "use_pty"), ["use_pty=false"]);
        let newer = host("").file("/usr/bin/sudo", b"\x001.9.16p2\x00");
        assert_eq!(said(&newer, "use_pty"), ["use_pty=true"]);
        assert_eq!(said(&host("").file("/usr/bin/sudo", b"1.9.1\x001.9.2\x00"), "use_pty"), ["use_pty=unknown"]);
        assert_eq!(said(&host(""), "logfile"), ["logfile=-"]);
        assert_eq!(said(&host(""), "authenticate"), ["authenticate=true"]);
        assert_eq!(said(&host("nonsense"), "authenticate"), ["authenticate=true", "authenticate=unknown", "?=unknown"]);
        assert!(said(&Memory::new(), "authenticate").is_empty());
    }

    #[test]
    fn timeouts_are_seconds_and_lists_add_up() {
        let seconds = |line: &str| {
            let host = host(line);
            let rows = SudoDefaults::collect(&Context::new(&host), &Selector::Keys(vec!["timestamp_timeout".to_owned()])).unwrap();
            rows[0].seconds.known().copied()
        };
        assert_eq!(seconds("Defaults timestamp_timeout=2.5"), Some(150));
        assert_eq!(seconds("Defaults timestamp_timeout=-1"), Some(-60));
        assert_eq!(seconds("Defaults !timestamp_timeout"), Some(0));
        assert_eq!(seconds("Defaults timestamp_timeout=soon"), None);
        assert_eq!(said(&host("Defaults env_keep=\"A B\"\nDefaults env_keep += C, env_keep -= \"A\""), "env_keep"), ["env_keep=B C"]);
    }
}
