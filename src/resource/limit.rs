//! Limits that `pam_limits` puts on sessions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason, Setting, Text, record};
use crate::parse::limits;

use super::layered::Layered;
use super::{Context, Resource, Selector};

const CONFIG: &str = "/etc/security/limits.conf";
const DIRECTORY: &str = "/etc/security/limits.d";

record! {
    /// What a session of somebody may use of something, as `limits.conf` and the files of `limits.d` say. Services of systemd do not read them.
    pub struct LimitRow("limit") {
        /// Whom it is for and what is limited, such as `* core`.
        name: Text,
        /// What is limited, such as `core` or `nofile`.
        item: Text,
        /// Whom it is for: `*` for everybody but root, a user, `@group`, a range of ids. The more particular one counts.
        domain: Text,
        /// The hard limit, `unlimited` for every word that means it; absent where none is set. The last line counts.
        hard: Setting,
        /// The soft limit, in the same way.
        soft: Setting,
    }
}

/// Finds the records.
pub struct Limits;

impl Resource for Limits {
    type Row = LimitRow;
    const SELECTOR: &'static str = "what is limited, such as `core`; there is always a record for everybody (`*`)";
    const KEY: &'static str = "item";
    const ENUMERABLE: bool = false;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let Selector::Keys(items) = of else {
            return Err(Gap::new(Origin::file(CONFIG), Reason::unsupported("limits are asked for by what they limit")));
        };
        let found = Layered::of(context.host, [DIRECTORY], ".conf");
        if let Some(gap) = found.gaps.into_iter().next() {
            return Err(gap);
        }
        let mut lines = Vec::new();
        for path in std::iter::once(PathBuf::from(CONFIG)).chain(found.files.into_values()) {
            let content = context.host.read(&path).into_result()?;
            lines.extend(content.iter().flat_map(|bytes| limits::parse(bytes)).map(|limit| (path.clone(), limit)));
        }
        Ok(items.iter().flat_map(|item| rows(item, &lines)).collect())
    }
}

fn rows(item: &str, lines: &[(PathBuf, limits::Limit)]) -> Vec<LimitRow> {
    let mut domains: BTreeMap<&str, LimitRow> = BTreeMap::from([("*", row(item, "*", Path::new(CONFIG)))]);
    for (path, limit) in lines.iter().filter(|(_, limit)| limit.item == item) {
        let row = domains.entry(limit.domain.as_str()).or_insert_with(|| row(item, &limit.domain, path));
        let value = Fact::Known(Setting(limit.value.as_str().into()), Origin::line(path.as_path(), limit.line));
        if limit.hard {
            row.hard = value.clone();
        }
        if limit.soft {
            row.soft = value;
        }
    }
    domains.into_values().collect()
}

fn row(item: &str, domain: &str, path: &Path) -> LimitRow {
    let nowhere = || Fact::Absent(Origin::file(path));
    LimitRow {
        name: Fact::derived(format!("{domain} {item}")),
        item: Fact::derived(item),
        domain: Fact::derived(domain),
        hard: nowhere(),
        soft: nowhere(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn core(host: &Memory) -> Result<Vec<(String, Option<String>)>, Gap> {
        let rows = Limits::collect(&Context::new(host), &Selector::Keys(vec!["core".into()]))?;
        Ok(rows
            .into_iter()
            .map(|row| (row.domain.known().unwrap().raw().to_owned(), row.hard.known().map(|hard| hard.0.raw().to_owned())))
            .collect())
    }

    #[test]
    fn later_files_win_and_domains_are_apart() {
        let host = Memory::new()
            .file("/etc/security/limits.conf", "* hard core 0\n* soft core 5\nroot - core unlimited\n")
            .file("/etc/security/limits.d/10-a.conf", "* hard core 7\n")
            .file("/etc/security/limits.d/20-b.conf", "* - core 1\n* hard nofile 9\n")
            .file("/etc/security/limits.d/30-c.disabled", "* hard core 9\n");
        assert_eq!(core(&host).unwrap(), [("*".into(), Some("1".into())), ("root".into(), Some("unlimited".into()))]);
        assert_eq!(core(&Memory::new()).unwrap(), [("*".into(), None)]);
    }

    #[test]
    fn an_unread_file_may_say_anything() {
        let host = Memory::new().file(CONFIG, "* hard core 0\n").gap("/etc/security/limits.d", Reason::Denied);
        assert!(core(&host).is_err());
    }
}
