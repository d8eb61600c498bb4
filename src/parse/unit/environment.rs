//! The variables a unit sets, in itself and in files it names.

use std::collections::BTreeMap;

use crate::fact::Secret;

use super::words;

/// The variables of an `Environment=` value. Words that set nothing are left out.
#[must_use]
pub fn environment(value: &str) -> Vec<(String, Secret<String>)> {
    let pair = |word: String| {
        let (name, value) = word.split_once('=')?;
        is_name(name).then(|| (name.to_owned(), Secret::new(value.to_owned())))
    };
    words(value).unwrap_or_default().into_iter().filter_map(pair).collect()
}

/// The variables of a file named by `EnvironmentFile=`, with the line each begins on; the last of a name counts.
/// It is no shell script: `export` makes a line mean nothing, and quotes only count where a value begins.
#[must_use]
pub fn environment_file(content: &[u8]) -> BTreeMap<String, (Secret<String>, u32)> {
    let text = String::from_utf8_lossy(content);
    let mut found = BTreeMap::new();
    let mut rest = text.chars().peekable();
    let mut line = 1;
    loop {
        while let Some(c) = rest.next_if(|c| c.is_ascii_whitespace()) {
            line += u32::from(c == '\n');
        }
        let begin = line;
        let Some(first) = rest.peek() else { break };
        if matches!(first, '#' | ';') {
            while rest.next_if(|c| !is_line_end(*c)).is_some() {}
            continue;
        }
        let mut name = String::new();
        while let Some(c) = rest.next_if(|c| *c != '=' && !is_line_end(*c)) {
            name.push(c);
        }
        if rest.next_if_eq(&'=').is_some() {
            let value = environment_value(&mut rest, &mut line);
            if is_name(name.trim_end()) {
                found.insert(name.trim_end().to_owned(), (Secret::new(value), begin));
            }
        }
    }
    found
}

/// Reads a value of an environment file to the end of its line, through quotes and continuations.
fn environment_value(rest: &mut impl Iterator<Item = char>, line: &mut u32) -> String {
    enum At {
        Begin,
        Bare,
        Quoted(char),
    }
    let mut at = At::Begin;
    let mut value = String::new();
    // Blanks at the end count only where they were quoted or escaped.
    let mut kept = 0;
    while let Some(c) = rest.next() {
        *line += u32::from(c == '\n');
        match (c, &at) {
            (c, At::Quoted(open)) if c == *open => at = At::Begin,
            ('\\', At::Quoted('"') | At::Bare | At::Begin) => {
                let quoted = matches!(at, At::Quoted(_));
                let Some(escaped) = rest.next() else { break };
                if is_line_end(escaped) {
                    *line += u32::from(escaped == '\n');
                } else {
                    if quoted && !matches!(escaped, '"' | '\\' | '`' | '$') {
                        value.push('\\');
                    }
                    value.push(escaped);
                    kept = value.len();
                }
                if !quoted {
                    at = At::Bare;
                }
            }
            (c, At::Quoted(_)) => {
                value.push(c);
                kept = value.len();
            }
            (c, _) if is_line_end(c) => break,
            ('"' | '\'', At::Begin) => at = At::Quoted(c),
            (c, At::Begin) if c.is_ascii_whitespace() => {}
            (c, _) => {
                at = At::Bare;
                value.push(c);
                if !c.is_ascii_whitespace() {
                    kept = value.len();
                }
            }
        }
    }
    value.truncate(kept);
    value
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

/// Whether this can be the name of an environment variable.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_give_names_and_hide_values() {
        let found = environment(r#"A=1 "B=two words" 2C=no D"#);
        let pairs: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.expose().as_str())).collect();
        assert_eq!(pairs, [("A", "1"), ("B", "two words")]);
        assert!(!format!("{found:?}").contains("two"));
    }

    #[test]
    fn environment_files_are_no_shell() {
        let text =
            "# c \\\nSEEN=x\nA = \"a b\" \nexport B=1\nC='x\ny' z\n D=one\\\n two  \nE=\"\\$x \\n\"\nbad\nA=last\nF=--x=\"y\"\r\nG=\n";
        let found = environment_file(text.as_bytes());
        let pairs: Vec<_> = found.iter().map(|(name, (value, line))| (name.as_str(), value.expose().as_str(), *line)).collect();
        let mut expected = vec![("A", "last", 11), ("C", "x\nyz", 5), ("D", "one two", 7), ("E", "$x \\n", 9)];
        expected.extend([("F", "--x=\"y\"", 12), ("G", "", 13), ("SEEN", "x", 2)]);
        assert_eq!(pairs, expected);
    }
}
