//! Settings of the programs that make and change accounts: `login.defs` and the defaults of `useradd`.

use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason, Setting, Text, record};
use crate::parse::login_defs::{self, Assignment};

use super::{Context, Resource, Selector};

record! {
    /// One option of `/etc/login.defs`, as the shadow programs read it: where it is repeated, the last line counts. The option
    /// `useradd:INACTIVE` is the one of `/etc/default/useradd`, and so for its other options.
    pub struct LoginDef("login_defs") {
        /// Name of the option.
        option: Text,
        /// Value; numbers in decimal, whatever base they are written in. Absent where nothing sets it and the programs have no default.
        value: Setting,
        /// Where it comes from: `file` or `default`; absent without a value.
        source: Text,
    }
}

/// Finds the records.
pub struct LoginDefs;

impl Resource for LoginDefs {
    type Row = LoginDef;
    const SELECTOR: &'static str = "the name of an option, such as `PASS_MAX_DAYS` or `useradd:INACTIVE`";
    const ENUMERABLE: bool = false;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let Selector::Keys(keys) = of else {
            return Err(Gap::new(Origin::file(LOGIN_DEFS), Reason::unsupported("options are asked for by name")));
        };
        let settings = Settings::of(context);
        Ok(keys.iter().map(|key| settings.row(key)).collect())
    }
}

/// The path of the settings.
pub(crate) const LOGIN_DEFS: &str = "/etc/login.defs";
/// Where distributions keep theirs that leave `/etc` to the administrator.
const VENDOR: &str = "/usr/etc/login.defs";
const USERADD: &str = "/etc/default/useradd";

/// Numeric options of the programs, and the value that holds where nothing else is set. `-1` is no limit and no warning.
const NUMBERS: [(&str, i64); 14] = [
    ("PASS_MAX_DAYS", -1),
    ("PASS_MIN_DAYS", -1),
    ("PASS_WARN_AGE", -1),
    ("UID_MIN", 1000),
    ("UID_MAX", 60_000),
    ("GID_MIN", 1000),
    ("GID_MAX", 60_000),
    ("SYS_UID_MIN", 101),
    ("SYS_GID_MIN", 101),
    ("LOGIN_RETRIES", 3),
    ("LOGIN_TIMEOUT", 60),
    ("SHA_CRYPT_MIN_ROUNDS", -1),
    ("SHA_CRYPT_MAX_ROUNDS", -1),
    ("YESCRYPT_COST_FACTOR", 5),
];

/// The other options with a value where nothing is set.
const WORDS: [(&str, &str); 4] =
    [("UMASK", "022"), ("USERGROUPS_ENAB", "no"), ("ENV_SUPATH", "PATH=/sbin:/bin:/usr/sbin:/usr/bin"), ("ENV_PATH", "PATH=/bin:/usr/bin")];

/// What both files say, read once per run.
pub(crate) struct Settings {
    defs: Fact<Vec<Assignment>>,
    path: &'static str,
    useradd: Fact<Arc<[u8]>>,
}

impl Settings {
    /// The settings of the host under audit.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| {
            let (bytes, path) = match context.host.read(Path::new(LOGIN_DEFS)) {
                Fact::Absent(origin) => match context.host.read(Path::new(VENDOR)) {
                    Fact::Absent(_) => (Fact::Absent(origin), LOGIN_DEFS),
                    found => (found, VENDOR),
                },
                found => (found, LOGIN_DEFS),
            };
            Self { defs: bytes.map(|bytes| login_defs::parse(&bytes)), path, useradd: context.host.read(Path::new(USERADD)) }
        })
    }

    fn row(&self, key: &str) -> LoginDef {
        let value = match key.strip_prefix("useradd:") {
            Some(option) => self.useradd(option),
            None => self.value(key),
        };
        let source = value.clone().and_then(|_, origin| {
            let word = if matches!(origin, Origin::Default { .. }) { "default" } else { "file" };
            Fact::Known(word.into(), origin)
        });
        LoginDef { option: Fact::Known(key.into(), Origin::file(self.path)), value: value.map(Setting), source }
    }

    /// The value the shadow programs use.
    pub(crate) fn value(&self, option: &str) -> Fact<Text> {
        let default = || {
            let number = NUMBERS.iter().find(|(name, _)| *name == option).map(|(_, value)| value.to_string());
            number.or_else(|| WORDS.iter().find(|(name, _)| *name == option).map(|(_, value)| (*value).to_owned()))
        };
        let or_default = |origin: Origin| match default() {
            Some(value) => Fact::Known(value.into(), Origin::default_of("the shadow programs")),
            None => Fact::Absent(origin),
        };
        match &self.defs {
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
            Fact::Absent(origin) => or_default(origin.clone()),
            Fact::Known(lines, origin) => {
                let Some((value, line)) = lines.iter().rev().find_map(|line| (line.name == option).then_some((line.value.as_ref()?, line.line)))
                else {
                    return or_default(origin.clone());
                };
                let here = Origin::line(self.path, line);
                if !NUMBERS.iter().any(|(name, _)| *name == option) {
                    return Fact::Known(value.as_str().into(), here);
                }
                match login_defs::number(value) {
                    Some(number) => Fact::Known(number.to_string().into(), here),
                    // The programs complain, and go on with what holds without the line.
                    None => or_default(here),
                }
            }
        }
    }

    /// The value PAM modules use: the first line that names it, without regard to case.
    pub(crate) fn for_pam(&self, option: &str) -> Fact<Text> {
        self.defs.as_ref().and_then(|lines, origin| match lines.iter().find(|line| line.pam_name.eq_ignore_ascii_case(option)) {
            Some(line) => Fact::Known(line.pam_value.as_str().into(), Origin::line(self.path, line.line)),
            None => Fact::Absent(origin),
        })
    }

    /// A number the shadow programs use.
    pub(crate) fn number(&self, option: &str) -> Fact<i64> {
        self.value(option).and_then(|value, origin| match value.raw().parse() {
            Ok(number) => Fact::Known(number, origin),
            Err(_) => Fact::Absent(origin),
        })
    }

    fn useradd(&self, option: &str) -> Fact<Text> {
        let or_default = |origin: Origin| match option {
            "INACTIVE" => Fact::Known("-1".into(), Origin::default_of("useradd")),
            _ => Fact::Absent(origin),
        };
        match &self.useradd {
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
            Fact::Absent(origin) => or_default(origin.clone()),
            Fact::Known(bytes, origin) => {
                let text = String::from_utf8_lossy(bytes);
                let set = (1..).zip(text.split('\n')).filter_map(|(number, line)| {
                    let (name, value) = line.split_once('=')?;
                    (name == option).then_some((value, number))
                });
                match set.last() {
                    None => or_default(origin.clone()),
                    Some((value, line)) if option == "INACTIVE" => match login_defs::number(value).filter(|number| *number >= -1) {
                        Some(number) => Fact::Known(number.to_string().into(), Origin::line(USERADD, line)),
                        None => or_default(origin.clone()),
                    },
                    Some((value, line)) => Fact::Known(value.trim_end().into(), Origin::line(USERADD, line)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn row(host: &Memory, option: &str) -> (Option<String>, Option<String>, Origin) {
        let row = LoginDefs::collect(&Context::new(host), &Selector::Keys(vec![option.into()])).unwrap().remove(0);
        let source = row.source.known().map(|source| source.raw().to_owned());
        (row.value.known().map(|value| value.0.raw().to_owned()), source, row.value.origin().clone())
    }

    fn is(value: &str, source: &str, origin: Origin) -> (Option<String>, Option<String>, Origin) {
        (Some(value.to_owned()), Some(source.to_owned()), origin)
    }

    #[test]
    fn the_last_line_counts_and_defaults_say_so() {
        let host = Memory::new().file(LOGIN_DEFS, "#PASS_MAX_DAYS 5\nPASS_MAX_DAYS 365\nPASS_MAX_DAYS 99999\nPASS_WARN_AGE x\nUMASK 027\n");
        assert_eq!(row(&host, "PASS_MAX_DAYS"), is("99999", "file", Origin::line(LOGIN_DEFS, 3)));
        assert_eq!(row(&host, "PASS_WARN_AGE"), is("-1", "default", Origin::default_of("the shadow programs")));
        assert_eq!(row(&host, "UMASK"), is("027", "file", Origin::line(LOGIN_DEFS, 5)));
        assert_eq!(row(&host, "PASS_MIN_DAYS").1.as_deref(), Some("default"));
        assert_eq!(row(&host, "ENCRYPT_METHOD"), (None, None, Origin::file(LOGIN_DEFS)));
        assert_eq!(row(&Memory::new(), "UID_MIN"), is("1000", "default", Origin::default_of("the shadow programs")));
    }

    #[test]
    fn pam_takes_the_first_line() {
        let host = Memory::new().file(LOGIN_DEFS, "umask=027\nUMASK 022\n");
        let settings = Settings::of(&Context::new(&host));
        assert_eq!(settings.for_pam("UMASK"), Fact::Known("027".into(), Origin::line(LOGIN_DEFS, 1)));
        assert_eq!(settings.value("UMASK"), Fact::Known("022".into(), Origin::line(LOGIN_DEFS, 2)));
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        let host = Memory::new().file(LOGIN_DEFS, "").gap(LOGIN_DEFS, Reason::Denied).file("/usr/etc/login.defs", "UID_MIN 5\n");
        assert!(matches!(Settings::of(&Context::new(&host)).number("UID_MIN"), Fact::Unknown(Gap { reason: Reason::Denied, .. })));
        let vendor = Memory::new().file("/usr/etc/login.defs", "UID_MIN 5\n");
        assert_eq!(row(&vendor, "UID_MIN"), is("5", "file", Origin::line("/usr/etc/login.defs", 1)));
    }

    #[test]
    fn useradd_has_settings_of_its_own() {
        let host = Memory::new().file(USERADD, "# INACTIVE=5\nINACTIVE=30\nSHELL=/bin/sh\n INACTIVE=2\nINACTIVE=45\n");
        assert_eq!(row(&host, "useradd:INACTIVE"), is("45", "file", Origin::line(USERADD, 5)));
        assert_eq!(row(&host, "useradd:SHELL").0.as_deref(), Some("/bin/sh"));
        assert_eq!(row(&Memory::new(), "useradd:INACTIVE"), is("-1", "default", Origin::default_of("useradd")));
        assert_eq!(row(&Memory::new().file(USERADD, "INACTIVE=soon\n"), "useradd:INACTIVE").0.as_deref(), Some("-1"));
    }
}
