//! Settings of the audit daemon, from `/etc/audit/auditd.conf`.
//!
//! Keys are taken in any case, of a key that stands there twice the last one counts, and where the file is missing the
//! daemon runs with its defaults.

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Origin, Reason, Setting, Text, record};
use crate::parse::ini;

use super::{Context, Resource, Selector};

record! {
    /// One setting of the audit daemon. One that the file does not set has the daemon's default, or none.
    pub struct AuditdSetting("auditd_setting") {
        /// Key, in small letters, such as `max_log_file_action`.
        key: Text,
        /// Value in effect. Of a key that ends in `_action`, and of `flush`, `log_format` and their like, the first word, in small letters.
        value: Setting,
        /// Whether the file sets it.
        explicit: Flag,
    }
}

/// Finds the records.
pub struct AuditdSettings;

/// Where the settings are.
pub(crate) const PATH: &str = "/etc/audit/auditd.conf";

/// Keys with the daemon's own defaults; empty for none.
const DEFAULTS: [(&str, &str); 16] = [
    ("local_events", "yes"),
    ("write_logs", "yes"),
    ("log_file", "/var/log/audit/audit.log"),
    ("log_group", "root"),
    ("log_format", ""),
    ("flush", ""),
    ("max_log_file", ""),
    ("num_logs", "0"),
    ("max_log_file_action", "ignore"),
    ("space_left", ""),
    ("space_left_action", "ignore"),
    ("action_mail_acct", "root"),
    ("admin_space_left", ""),
    ("admin_space_left_action", "ignore"),
    ("disk_full_action", "ignore"),
    ("disk_error_action", "syslog"),
];

impl Resource for AuditdSettings {
    type Row = AuditdSetting;
    const SELECTOR: &'static str = "a key of auditd.conf, such as `max_log_file_action`, in small letters";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let keys: Vec<&str> = match of {
            Selector::Keys(keys) => keys.iter().map(String::as_str).collect(),
            Selector::All | Selector::Named(_) => DEFAULTS.iter().map(|(key, _)| *key).collect(),
        };
        Ok(keys.into_iter().map(|key| row(context, key)).collect())
    }
}

fn row(context: &Context<'_>, key: &str) -> AuditdSetting {
    let found = read(context, key);
    let explicit = match &found {
        Fact::Known(_, origin) => Fact::Known(true, origin.clone()),
        Fact::Absent(origin) => Fact::Known(false, origin.clone()),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    };
    let value = match found {
        Fact::Absent(_) => default(key),
        found => found.map(Setting::from),
    };
    AuditdSetting { key: Fact::derived(key), value, explicit }
}

fn default(key: &str) -> Fact<Setting> {
    let origin = Origin::default_of("auditd");
    match DEFAULTS.iter().find(|(known, _)| *known == key) {
        Some((_, "")) => Fact::Absent(origin),
        Some((_, value)) => Fact::Known((*value).into(), origin),
        None => Fact::Unknown(Gap::new(origin, Reason::unsupported("the default of this key is not known"))),
    }
}

/// What the file sets; absent where it does not.
fn read(context: &Context<'_>, key: &str) -> Fact<String> {
    let path = Path::new(PATH);
    context.host.read(path).and_then(|content, origin| {
        let text = String::from_utf8_lossy(&content);
        match ini::parse(&text).filter(|line| line.key.eq_ignore_ascii_case(key)).last() {
            Some(line) => Fact::Known(spelled(key, line.value), Origin::line(path, line.line)),
            None => Fact::Absent(origin),
        }
    })
}

fn spelled(key: &str, value: &str) -> String {
    let words = ["flush", "log_format", "name_format", "local_events", "write_logs", "verify_email", "log_group"];
    if key.ends_with("_action") || (words.contains(&key) && key != "log_group") {
        return value.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    }
    value.to_owned()
}

/// The value in effect, for other resources.
pub(crate) fn value(context: &Context<'_>, key: &str) -> Fact<String> {
    match read(context, key) {
        Fact::Absent(_) => default(key).map(|value| value.0.raw().to_owned()),
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn get(host: &Memory, key: &str) -> (Option<String>, Option<bool>) {
        let row = AuditdSettings::collect(&Context::new(host), &Selector::Keys(vec![key.into()])).unwrap().remove(0);
        (row.value.known().map(|value| value.0.raw().to_owned()), row.explicit.known().copied())
    }

    #[test]
    fn keys_in_any_case_the_last_one_and_blanks() {
        let host = Memory::new().file(
            PATH,
            "# max_log_file = 1\r\nMax_Log_File=8\r\nmax_log_file  =  32\r\nmax_log_file_action = KEEP_LOGS\r\nspace_left_action = exec /usr/bin/Warn me\r\nlog_group = Adm\r\n",
        );
        assert_eq!(get(&host, "max_log_file"), (Some("32".into()), Some(true)));
        assert_eq!(get(&host, "max_log_file_action"), (Some("keep_logs".into()), Some(true)));
        assert_eq!(get(&host, "space_left_action"), (Some("exec".into()), Some(true)));
        assert_eq!(get(&host, "log_group"), (Some("Adm".into()), Some(true)));
        assert_eq!(get(&host, "disk_error_action"), (Some("syslog".into()), Some(false)));
        assert_eq!(get(&host, "space_left"), (None, Some(false)));
    }

    #[test]
    fn without_a_file_there_are_defaults_and_what_is_hidden_is_unknown() {
        assert_eq!(get(&Memory::new(), "max_log_file_action"), (Some("ignore".into()), Some(false)));
        let hidden = Memory::new().file(PATH, "").gap(PATH, Reason::Denied);
        assert_eq!(get(&hidden, "max_log_file_action"), (None, None));
        assert_eq!(get(&Memory::new(), "some_new_key"), (None, Some(false)));
    }

    #[test]
    fn cut_anywhere_it_never_keeps_logs_by_half() {
        let whole = "max_log_file_action = keep_logs\n";
        for at in 0..whole.len() - 2 {
            let (value, _) = get(&Memory::new().file(PATH, &whole[..at]), "max_log_file_action");
            assert_ne!(value.as_deref(), Some("keep_logs"), "{at}");
        }
    }
}
