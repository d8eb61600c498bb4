//! What `pam_faillock` is told: the arguments of each line that calls it, over `faillock.conf`.

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Origin, Reason, Setting, Text, record};
use crate::parse::security_conf::{self, Assignment, leading_number};

use super::{Context, Resource, Selector, pam};

record! {
    /// One option of one line that has `pam_faillock` check or count failed logins; one record not in effect for a stack without such a line.
    pub struct Faillock("faillock") {
        /// Name of the option, such as `deny`.
        option: Text,
        /// Value in force; flags are `true` or `false`, `never` is 0. `root_unlock_time` is `unlock_time` unless it is set.
        value: Setting,
        /// Where it comes from: `argument`, `file` or `default`.
        source: Text,
        /// The service whose stack it is.
        service: Text,
        /// What the line is for: `preauth`, `authfail` or `authsucc`; absent without a line.
        phase: Text,
        /// Whether the line can run.
        in_effect: Flag,
    }
}

/// Finds the records.
pub struct Faillocks;

impl Resource for Faillocks {
    type Row = Faillock;
    const SELECTOR: &'static str = "the name of an option, such as `deny`; one record for each line of each stack";
    const ENUMERABLE: bool = false;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let Selector::Keys(keys) = of else {
            return Err(Gap::new(Origin::file(CONF), Reason::unsupported("options are asked for by name")));
        };
        let mut rows = Vec::new();
        for (service, stack) in pam::shared(context, "authentication")? {
            let mut calls: Vec<_> = stack.calls(MODULE).map(|(_, line)| (line.arguments.as_slice(), line.origin.clone(), true)).collect();
            if calls.is_empty() {
                calls.push((&[], Origin::file(format!("/etc/pam.d/{service}")), false));
            }
            for (arguments, origin, called) in calls {
                let told = Told::of(context, arguments, &origin);
                for key in keys {
                    let value = told.value(key);
                    rows.push(Faillock {
                        option: Fact::Known(key.as_str().into(), origin.clone()),
                        source: value.clone().map(|(_, source)| source.into()),
                        value: value.map(|(value, _)| Setting(value.into())),
                        service: Fact::Known(service.as_str().into(), origin.clone()),
                        phase: match called {
                            true => Fact::Known(phase(arguments).into(), origin.clone()),
                            false => Fact::Absent(origin.clone()),
                        },
                        in_effect: Fact::Known(called, origin.clone()),
                    });
                }
            }
        }
        Ok(rows)
    }
}

/// The module.
pub(crate) const MODULE: &str = "pam_faillock.so";
const CONF: &str = "/etc/security/faillock.conf";

/// The most seconds that a time may be.
const LONGEST: u64 = 604_800;

/// What a line is for; the last word counts.
pub(crate) fn phase(arguments: &[Text]) -> &'static str {
    let named = |argument: &Text| ["preauth", "authfail", "authsucc"].into_iter().find(|phase| *phase == argument.raw());
    arguments.iter().rev().find_map(named).unwrap_or("preauth")
}

/// All that a line is told, in the order in which it is told.
struct Told(Result<Vec<(Assignment, Origin, &'static str)>, Gap>);

impl Told {
    fn of(context: &Context<'_>, arguments: &[Text], origin: &Origin) -> Self {
        let path = arguments.iter().rev().find_map(|argument| argument.raw().strip_prefix("conf=")).unwrap_or(CONF);
        let file = match context.host.read(Path::new(path)) {
            Fact::Known(bytes, _) => match security_conf::parse(&bytes) {
                (lines, None) => lines,
                (_, Some(line)) => {
                    let why = "a line is longer than the module reads, which then refuses to work";
                    return Self(Err(Gap::new(Origin::line(path, line), Reason::malformed(why))));
                }
            },
            Fact::Absent(_) if path == CONF => Vec::new(),
            Fact::Absent(origin) => return Self(Err(Gap::new(origin, Reason::malformed("the file it is told to read is not there")))),
            Fact::Unknown(gap) => return Self(Err(gap)),
        };
        let of_file = file.into_iter().map(|line| {
            let here = Origin::line(path, line.line);
            (line, here, "file")
        });
        let of_arguments = arguments.iter().map(|argument| {
            let (name, value) = argument.raw().split_once('=').unwrap_or((argument.raw(), ""));
            (Assignment { name: name.to_owned(), value: value.to_owned(), line: 0 }, origin.clone(), "argument")
        });
        Self(Ok(of_file.chain(of_arguments).collect()))
    }

    fn value(&self, option: &str) -> Fact<(String, &'static str)> {
        let told = match &self.0 {
            Ok(told) => told,
            Err(gap) => return Fact::Unknown(gap.clone()),
        };
        // What the module does not understand leaves the value as it was.
        let set = told.iter().rev().filter(|(line, ..)| line.name == option);
        let mut taken = set.filter_map(|(line, origin, source)| Some((taken(option, &line.value)?, origin, *source)));
        if let Some((value, origin, source)) = taken.next() {
            return Fact::Known((value, source), origin.clone());
        }
        let default = match option {
            "deny" => "3",
            "fail_interval" => "900",
            "unlock_time" => "600",
            "root_unlock_time" => return self.value("unlock_time"),
            "even_deny_root" | "audit" | "silent" | "no_log_info" | "local_users_only" | "nodelay" => "false",
            "dir" => "/var/run/faillock",
            _ => return Fact::Absent(Origin::file(CONF)),
        };
        Fact::Known((default.to_owned(), "default"), Origin::default_of("pam_faillock"))
    }
}

/// What the module makes of a value; `None` where it keeps the one it had.
fn taken(option: &str, value: &str) -> Option<String> {
    match option {
        // It is kept in 16 bits.
        "deny" => leading_number(value).map(|number| (number & 0xffff).to_string()),
        "unlock_time" | "root_unlock_time" if value == "never" => Some("0".to_owned()),
        "fail_interval" | "unlock_time" | "root_unlock_time" => {
            leading_number(value).filter(|number| *number <= LONGEST).map(|number| number.to_string())
        }
        "dir" => value.starts_with('/').then(|| value.to_owned()),
        "admin_group" => Some(value.to_owned()),
        _ => Some("true".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn host(preauth: &str, authfail: &str) -> Memory {
        let lines = format!(
            "auth requisite pam_faillock.so preauth {preauth}\nauth [success=2 default=ignore] pam_unix.so\n\
             auth [default=die] pam_faillock.so authfail {authfail}\nauth requisite pam_deny.so\nauth required pam_permit.so\n"
        );
        Memory::new().file("/etc/pam.d/common-auth", lines)
    }

    fn values(host: &Memory, option: &str) -> Vec<(String, String, String)> {
        let rows = Faillocks::collect(&Context::new(host), &Selector::Keys(vec![option.into()])).unwrap();
        let text = |row: &Faillock| {
            (
                row.phase.known().map_or("", Text::raw).to_owned(),
                row.value.known().map_or("?", |value| value.0.raw()).to_owned(),
                row.source.known().map_or("", Text::raw).to_owned(),
            )
        };
        rows.iter().map(text).collect()
    }

    fn is(phase: &str, value: &str, source: &str) -> (String, String, String) {
        (phase.to_owned(), value.to_owned(), source.to_owned())
    }

    #[test]
    fn arguments_over_the_file_for_each_line() {
        let file = |host: Memory| host.file(CONF, "# deny = 1\ndeny = 4\ndeny=5\nunlock_time = never\n");
        assert_eq!(values(&host("", ""), "deny"), [is("preauth", "3", "default"), is("authfail", "3", "default")]);
        assert_eq!(values(&file(host("deny=9", "")), "deny"), [is("preauth", "9", "argument"), is("authfail", "5", "file")]);
        assert_eq!(values(&file(host("", "")), "unlock_time")[0], is("preauth", "0", "file"));
        assert_eq!(values(&file(host("", "")), "root_unlock_time")[0], is("preauth", "0", "file"), "root's time is everybody's");
        assert_eq!(values(&host("even_deny_root", ""), "even_deny_root")[0], is("preauth", "true", "argument"));
    }

    #[test]
    fn what_is_not_understood_changes_nothing() {
        let file = host("deny=x", "").file(CONF, "deny = 5\nunlock_time = 700000\nfail_interval=9x\n");
        assert_eq!(values(&file, "deny")[0], is("preauth", "5", "file"));
        assert_eq!(values(&file, "unlock_time")[0], is("preauth", "600", "default"));
        assert_eq!(values(&file, "fail_interval")[0], is("preauth", "9", "file"));
        assert_eq!(values(&host("deny=65536", ""), "deny")[0], is("preauth", "0", "argument"), "sixteen bits");
    }

    #[test]
    fn without_a_line_there_is_one_record_not_in_effect() {
        let host = Memory::new().file("/etc/pam.d/common-auth", "auth required pam_unix.so\n").file(CONF, "deny=5\n");
        let rows = Faillocks::collect(&Context::new(&host), &Selector::Keys(vec!["deny".into()])).unwrap();
        assert_eq!((rows.len(), rows[0].in_effect.known()), (1, Some(&false)));
        assert_eq!(values(&host.gap(CONF, Reason::Denied), "deny"), [is("", "?", "")]);
        let elsewhere = Memory::new().file("/etc/pam.d/common-auth", "auth required pam_faillock.so preauth conf=/etc/x\n");
        assert_eq!(values(&elsewhere, "deny")[0].1, "?");
    }
}
