//! os-release: which distribution this is.

use std::collections::BTreeMap;

/// The assignments of an os-release file, each with its line counted from 1; the last one of a name wins.
///
/// Values are shell words as os-release(5) allows them: quotes of both kinds and backslashes are undone.
#[must_use]
pub fn parse(text: &str) -> BTreeMap<String, (String, u32)> {
    let assignment = |line: &str| {
        let (name, value) = line.trim().split_once('=')?;
        let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        named.then(|| (name.to_owned(), unquote(value)))
    };
    text.lines().zip(1..).filter_map(|(line, number)| assignment(line).map(|(name, value)| (name, (value, number)))).collect()
}

fn unquote(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut quote = None;
    let mut signs = value.chars();
    while let Some(sign) = signs.next() {
        match (sign, quote) {
            ('\\', None | Some('"')) => plain.extend(signs.next()),
            ('"' | '\'', None) => quote = Some(sign),
            (sign, Some(open)) if sign == open => quote = None,
            (sign, None) if sign.is_whitespace() => break,
            (sign, _) => plain.push(sign),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_comments_and_repeats() {
        let text = "# NAME=no\nNAME=\"A \\\"b\\\" \\$c\"\nID=debian\nID=ubuntu\n  VERSION_ID='24.04' # x\nBAD NAME=1\nEMPTY=\nNOEND=\"x";
        let found = parse(text);
        assert_eq!(found.get("NAME"), Some(&("A \"b\" $c".to_owned(), 2)));
        assert_eq!(found.get("ID"), Some(&("ubuntu".to_owned(), 4)));
        assert_eq!(found.get("VERSION_ID"), Some(&("24.04".to_owned(), 5)));
        assert_eq!(found.get("EMPTY"), Some(&(String::new(), 7)));
        assert_eq!(found.get("NOEND"), Some(&("x".to_owned(), 8)));
        assert_eq!(found.len(), 5);
    }
}
