//! What `pam_pwhistory` keeps of old passwords: its arguments, over `pwhistory.conf` where the module reads it.

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Origin, Reason, Setting, Text, record};
use crate::parse::login_defs;
use crate::parse::security_conf::leading_number;

use super::{Context, Resource, Selector, pam};

record! {
    /// One option of `pam_pwhistory` in one of the stacks that change passwords.
    pub struct History("pwhistory") {
        /// Name of the option: `remember`, `retry`, `enforce_for_root` or `use_authtok`.
        option: Text,
        /// Value in force; flags are `true` or `false`. Unknown where a file sets it that this version of the module may not read.
        value: Setting,
        /// Where it comes from: `argument`, `file` or `default`.
        source: Text,
        /// The service whose stack it is.
        service: Text,
        /// Whether the module is called by a line that can run.
        in_effect: Flag,
        /// Whether the line that calls it is the first of its stack, so that there is no password yet that it could take over.
        first: Flag,
    }
}

/// Finds the records.
pub struct Pwhistory;

impl Resource for Pwhistory {
    type Row = History;
    const SELECTOR: &'static str = "the name of an option, such as `remember`; one record for each stack";
    const ENUMERABLE: bool = false;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let Selector::Keys(keys) = of else {
            return Err(Gap::new(Origin::file(CONF), Reason::unsupported("options are asked for by name")));
        };
        let mut rows = Vec::new();
        for (service, stack) in pam::shared(context, "password-change")? {
            let mut calls: Vec<_> = stack
                .calls(MODULE)
                .map(|(place, line)| (line.arguments.as_slice(), line.origin.clone(), true, place == 0))
                .collect();
            if calls.is_empty() {
                calls.push((&[], Origin::file(format!("/etc/pam.d/{service}")), false, false));
            }
            for (arguments, origin, called, first) in calls {
                for key in keys {
                    let value = value(context, key, arguments, &origin);
                    rows.push(History {
                        option: Fact::Known(key.as_str().into(), origin.clone()),
                        source: value.clone().map(|(_, source)| source.into()),
                        value: value.map(|(value, _)| Setting(value)),
                        service: Fact::Known(service.as_str().into(), origin.clone()),
                        in_effect: Fact::Known(called, origin.clone()),
                        first: Fact::Known(first, origin.clone()),
                    });
                }
            }
        }
        Ok(rows)
    }
}

const MODULE: &str = "pam_pwhistory.so";
const CONF: &str = "/etc/security/pwhistory.conf";

/// The most passwords that are kept.
const MOST: u64 = 400;

fn value(context: &Context<'_>, option: &str, arguments: &[Text], origin: &Origin) -> Fact<(Text, &'static str)> {
    let is_flag = !matches!(option, "remember" | "retry");
    let told = arguments.iter().rev().find_map(|argument| {
        let (name, value) = argument.raw().split_once('=').map_or((argument.raw(), None), |(name, value)| (name, Some(value)));
        (name.eq_ignore_ascii_case(option) && is_flag == value.is_none()).then(|| value.unwrap_or_default())
    });
    if let Some(value) = told {
        let value = if is_flag { "true".to_owned() } else { remembered(value) };
        return Fact::Known((value.into(), "argument"), origin.clone());
    }
    let default = match option {
        "remember" => "10",
        "retry" => "1",
        "enforce_for_root" | "use_authtok" => "false",
        _ => return Fact::Absent(origin.clone()),
    };
    let default = Fact::Known((default.into(), "default"), Origin::default_of("pam_pwhistory"));
    // This one is for libpam, which reads no file.
    if option == "use_authtok" {
        return default;
    }
    let path = arguments.iter().rev().find_map(|argument| argument.raw().strip_prefix("conf=")).unwrap_or(CONF);
    let set = match context.host.read(Path::new(path)) {
        Fact::Known(bytes, _) => login_defs::parse(&bytes).into_iter().find(|line| line.pam_name.eq_ignore_ascii_case(option)),
        Fact::Absent(_) => None,
        Fact::Unknown(gap) => return Fact::Unknown(gap),
    };
    let Some(line) = set else { return default };
    let here = Origin::line(path, line.line);
    let value = match is_flag {
        true => "true".to_owned(),
        false => match leading_number(&line.pam_value) {
            Some(number) => number.min(u64::from(u32::MAX)).to_string(),
            None => return default,
        },
    };
    // Versions before 1.5.3 have no such file, distributions have brought it to older ones: the module itself says whether it knows it.
    match pam::module_names(context, MODULE, "pwhistory.conf") {
        Fact::Known(true, _) => Fact::Known((value.into(), "file"), here),
        Fact::Known(false, _) => default,
        Fact::Absent(_) => Fact::Unknown(Gap::new(here, Reason::unsupported("the module is not found, so whether it reads this file is not known"))),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

/// A number as `strtol` reads it, held within the bounds of the module.
fn remembered(value: &str) -> String {
    let negative = value.trim_start().starts_with('-');
    leading_number(value).filter(|_| !negative).unwrap_or_default().min(MOST).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn host(arguments: &str) -> Memory {
        Memory::new().file("/etc/pam.d/common-password", format!("password required pam_pwhistory.so {arguments}\npassword required pam_unix.so\n"))
    }

    fn row(host: &Memory, option: &str) -> History {
        Pwhistory::collect(&Context::new(host), &Selector::Keys(vec![option.into()])).unwrap().remove(0)
    }

    fn value(host: &Memory, option: &str) -> Option<(String, String)> {
        let row = row(host, option);
        Some((row.value.known()?.0.raw().to_owned(), row.source.known()?.raw().to_owned()))
    }

    fn is(value: &str, source: &str) -> Option<(String, String)> {
        Some((value.to_owned(), source.to_owned()))
    }

    #[test]
    fn arguments_and_defaults() {
        assert_eq!(value(&host("remember=24 REMEMBER=5 use_authtok"), "remember"), is("5", "argument"));
        assert_eq!(value(&host("remember=9999"), "remember"), is("400", "argument"));
        assert_eq!(value(&host("remember=x"), "remember"), is("0", "argument"));
        assert_eq!(value(&host(""), "remember"), is("10", "default"));
        assert_eq!(value(&host("use_authtok"), "use_authtok"), is("true", "argument"));
        assert_eq!(row(&host(""), "use_authtok").first.known(), Some(&true));
        let none = Memory::new().file("/etc/pam.d/common-password", "password required pam_unix.so\n");
        assert_eq!(row(&none, "remember").in_effect.known(), Some(&false));
    }

    #[test]
    fn the_file_counts_where_the_module_knows_it() {
        let set = |host: Memory| host.file(CONF, "# remember = 1\nremember = 24\nremember = 3\nenforce_for_root\n");
        let module = "/usr/lib/x86_64-linux-gnu/security/pam_pwhistory.so";
        assert_eq!(value(&set(host("")), "remember"), None, "no module to look into");
        assert_eq!(value(&set(host("")).file(module, "ELF"), "remember"), is("10", "default"));
        let reads = set(host("")).file(module, "ELF\0/etc/security/pwhistory.conf\0");
        assert_eq!((value(&reads, "remember"), value(&reads, "enforce_for_root")), (is("24", "file"), is("true", "file")));
        assert_eq!(value(&set(host("remember=5")), "remember"), is("5", "argument"));
    }
}
