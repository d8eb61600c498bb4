//! Files of `/etc/security` such as `pwquality.conf` and `faillock.conf`: `name = value` lines, blanks allowed for the sign.

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Name, as written.
    pub name: String,
    /// Value; empty for a name that stands alone.
    pub value: String,
    /// Line, from 1.
    pub line: u32,
}

/// Modules before 1.6 give up a file at a line that is longer.
const LONGEST: usize = 1022;

/// The assignments of a file up to a line that is too long, whose number is given if there is one.
#[must_use]
pub fn parse(bytes: &[u8]) -> (Vec<Assignment>, Option<u32>) {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        if line.len() > LONGEST {
            return (found, Some(number));
        }
        let line = line.split(|b| *b == b'#' || *b == 0).next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let line = line.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
        if line.is_empty() {
            continue;
        }
        let end = line.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        // One sign of equality at most belongs to neither.
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let value = rest.strip_prefix('=').unwrap_or(rest).trim_start_matches(|c: char| c.is_ascii_whitespace());
        found.push(Assignment { name: name.to_owned(), value: value.to_owned(), line: number });
    }
    (found, None)
}

/// A number as `sscanf` with `%u` reads one: what follows the digits does not matter. `None` where there are none.
#[must_use]
pub fn leading_number(value: &str) -> Option<u64> {
    let value = value.trim_start();
    let (negative, digits) = match value.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, value.strip_prefix('+').unwrap_or(value)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let digits = digits.get(..end).filter(|digits| !digits.is_empty())?;
    let number = digits.parse::<u64>().unwrap_or(u64::MAX);
    Some(if negative { number.wrapping_neg() } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_blanks() {
        let text = b"# deny = 1\n deny = 5 # five\r\nminlen=14\neven_deny_root\nx  =  = y\nunlock_time 900\n\0hidden = 1\nlast=\n";
        let found: Vec<_> = parse(text).0.into_iter().map(|a| (a.name, a.value, a.line)).collect();
        let is = |name: &str, value: &str, line| (name.to_owned(), value.to_owned(), line);
        assert_eq!(
            found,
            [
                is("deny", "5", 2),
                is("minlen", "14", 3),
                is("even_deny_root", "", 4),
                is("x", "= y", 5),
                is("unlock_time", "900", 6),
                is("last", "", 8)
            ]
        );
    }

    #[test]
    fn a_line_that_is_too_long_ends_the_file() {
        let text = format!("deny=3\n{}\ndeny=9\n", "x".repeat(2000));
        let (found, end) = parse(text.as_bytes());
        assert_eq!((found.len(), end), (1, Some(2)));
        assert_eq!(parse(&vec![b'='; 1 << 20]).1, Some(1));
    }

    #[test]
    fn numbers_end_where_digits_do() {
        assert_eq!(["5", " 5x", "x", "", "+7", "-1"].map(leading_number), [Some(5), Some(5), None, None, Some(7), Some(u64::MAX)]);
    }

    #[test]
    fn cut_anywhere_nothing_breaks() {
        let text = b"deny = 5 # \xff\r\n\0= =\n==\nunlock_time=900";
        for end in 0..=text.len() {
            let _ = parse(text.get(..end).unwrap());
        }
    }
}
