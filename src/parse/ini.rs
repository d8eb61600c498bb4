//! Files of `key = value` lines in `[sections]`.

/// One assignment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assignment<'a> {
    /// Section it stands in; empty before the first.
    pub section: &'a str,
    /// Key, without blanks around it.
    pub key: &'a str,
    /// Value, without blanks or one pair of quotes around it; empty for a key without `=`.
    pub value: &'a str,
    /// Line, from 1.
    pub line: u32,
}

/// The assignments of a file, in order. Lines that begin with `#` or `;` are comments; nothing else is.
pub fn parse(text: &str) -> impl Iterator<Item = Assignment<'_>> {
    let mut section = "";
    text.strip_prefix('\u{feff}').unwrap_or(text).lines().zip(1..).filter_map(move |(line, number)| {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            return None;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.trim();
            return None;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        Some(Assignment { section, key: key.trim(), value: unquote(value.trim()), line: number })
    })
}

fn unquote(value: &str) -> &str {
    let between = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    between('"').or_else(|| between('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_comments_quotes_and_flags() {
        let text = "top=1\r\n[ A b ]\n# x = 1\n;x = 2\nx = \"q # not a comment\"\n  x=a=b\nflag\n[]\ny='\"'\nz=\"\n";
        let found: Vec<_> = parse(text).map(|a| (a.section, a.key, a.value, a.line)).collect();
        assert_eq!(
            found,
            [
                ("", "top", "1", 1),
                ("A b", "x", "q # not a comment", 5),
                ("A b", "x", "a=b", 6),
                ("A b", "flag", "", 7),
                ("", "y", "\"", 9),
                ("", "z", "\"", 10),
            ]
        );
    }
}
