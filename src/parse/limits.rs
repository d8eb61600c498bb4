//! `limits.conf(5)`, as `pam_limits` reads it.

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Whom it is for: a user, `@group`, `%group`, `*`, a range of ids.
    pub domain: String,
    /// Whether the hard limit is set.
    pub hard: bool,
    /// Whether the soft limit is set.
    pub soft: bool,
    /// What is limited, such as `core`.
    pub item: String,
    /// The limit.
    pub value: String,
    /// Line, from 1.
    pub line: u32,
}

/// Reads a file. Lines the module ignores are ignored.
#[must_use]
pub fn parse(bytes: &[u8]) -> Vec<Limit> {
    let text = String::from_utf8_lossy(bytes);
    (1..).zip(text.lines()).filter_map(|(line, text)| limit(text, line)).collect()
}

fn limit(text: &str, line: u32) -> Option<Limit> {
    let mut words = text.split('#').next()?.split_ascii_whitespace();
    let (domain, kind) = (words.next()?, words.next()?);
    let (hard, soft) = match kind.to_ascii_lowercase().as_str() {
        "hard" => (true, false),
        "soft" => (false, true),
        "-" => (true, true),
        _ => return None,
    };
    let (item, value) = (words.next()?.to_ascii_lowercase(), words.next()?);
    let value = match value.to_ascii_lowercase().as_str() {
        "-1" | "unlimited" | "infinity" => "unlimited".to_owned(),
        other => other.to_owned(),
    };
    Some(Limit { domain: domain.to_owned(), hard, soft, item, value, line })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_what_is_none() {
        let text =
            "# * hard core 0\n*\thard\tcore 0 # why\r\n@dev - CORE Infinity\nroot soft core\n* -\n* often core 1\nalice soft nofile -1\n";
        let found: Vec<_> = parse(text.as_bytes())
            .into_iter()
            .map(|limit| format!("{} {}{} {} {} {}", limit.domain, limit.hard, limit.soft, limit.item, limit.value, limit.line))
            .collect();
        assert_eq!(found, ["* truefalse core 0 2", "@dev truetrue core unlimited 3", "alice falsetrue nofile unlimited 7"]);
    }

    #[test]
    fn cut_anywhere_it_is_read_or_ignored() {
        let text = b"* hard core 0\n\xff - \0 x\n";
        for end in 0..=text.len() {
            assert!(parse(text.get(..end).unwrap()).len() <= 2);
        }
    }
}
