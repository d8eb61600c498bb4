//! `login.defs`: a name, blanks and a value a line, read as the shadow programs and as `pam_modutil_search_key` read it.

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Name, as written.
    pub name: String,
    /// Value as the shadow programs take it: to the first quote or the end of the line; `None` for a name that stands alone, which they skip.
    pub value: Option<String>,
    /// Value as PAM modules take it: to the first `#` or the end of the line, with `=` allowed for blanks.
    pub pam_value: String,
    /// Name as PAM modules take it, which compare without regard to case.
    pub pam_name: String,
    /// Line, from 1.
    pub line: u32,
}

/// Reads a file. Comments are lines that begin with `#`, after blanks.
#[must_use]
pub fn parse(bytes: &[u8]) -> Vec<Assignment> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        // To the programs, which are written in C, a line ends at a NUL.
        let line = String::from_utf8_lossy(line.split(|b| *b == 0).next().unwrap_or_default());
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, rest) = line.split_once([' ', '\t']).map_or((line, None), |(name, rest)| (name, Some(rest)));
        let value = rest.map(|rest| {
            let rest = rest.trim_start_matches([' ', '\t', '"']);
            rest.split('"').next().unwrap_or_default().to_owned()
        });
        let told = line.split('#').next().unwrap_or_default();
        let (pam_name, pam_value) = told.split_once([' ', '\t', '=']).unwrap_or((told, ""));
        let pam_value = pam_value.trim_start_matches(|c: char| c.is_whitespace() || c == '=').to_owned();
        found.push(Assignment { name: name.to_owned(), value, pam_value, pam_name: pam_name.to_owned(), line: number });
    }
    found
}

/// A number as the shadow programs read one: decimal, octal after `0`, hexadecimal after `0x`, with a sign. `None` for what they refuse.
#[must_use]
pub fn number(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, radix) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    // `from_str_radix` would take a second sign.
    let value = Some(digits).filter(|digits| !digits.starts_with(['+', '-'])).and_then(|digits| i64::from_str_radix(digits, radix).ok())?;
    i32::try_from(if negative { -value } else { value }).ok().map(i64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_names_and_values() {
        let text = b"# PASS_MAX_DAYS 1\n  PASS_MAX_DAYS\t365 \r\nUMASK=027\nALONE\nENV_SUPATH \"PATH=/a:/b\" x\nX 1 # y\n\n A \"\"\n";
        let found: Vec<_> = parse(text).into_iter().map(|a| (a.name, a.value, a.pam_name, a.pam_value, a.line)).collect();
        let is = |name: &str, value: Option<&str>, pam: (&str, &str), line| {
            (name.to_owned(), value.map(str::to_owned), pam.0.to_owned(), pam.1.to_owned(), line)
        };
        assert_eq!(
            found,
            [
                is("PASS_MAX_DAYS", Some("365"), ("PASS_MAX_DAYS", "365"), 2),
                is("UMASK=027", None, ("UMASK", "027"), 3),
                is("ALONE", None, ("ALONE", ""), 4),
                is("ENV_SUPATH", Some("PATH=/a:/b"), ("ENV_SUPATH", "\"PATH=/a:/b\" x"), 5),
                is("X", Some("1 # y"), ("X", "1 "), 6),
                is("A", Some(""), ("A", "\"\""), 8),
            ]
        );
    }

    #[test]
    fn numbers_have_three_bases() {
        for (text, value) in [("365", Some(365)), ("027", Some(23)), ("0x10", Some(16)), ("-1", Some(-1)), (" 7", Some(7)), ("0", Some(0))]
        {
            assert_eq!(number(text), value, "{text}");
        }
        for text in ["", "x", "12 ", "1 # y", "--1", "-+1", "08", "99999999999", "\u{fffd}"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn cut_anywhere_and_filled_with_anything() {
        let text = b"PASS_MAX_DAYS\t99999\r\n\0\xff\xfe UMASK 022\nX \"";
        for end in 0..=text.len() {
            let _ = parse(text.get(..end).unwrap());
        }
        assert!(parse(&vec![b'x'; 1 << 20]).len() == 1);
    }
}
