//! Lines and words: a keyword, then arguments that may be quoted, then perhaps a comment.

/// What ends a keyword, besides `=` and a quote.
const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

/// One line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The keyword, in small letters.
    pub keyword: String,
    /// Its arguments, quotes taken away. A comment at the end of the line is none of them.
    pub arguments: Vec<String>,
    /// Everything behind the keyword as it is written, for the few options that take the rest of their line.
    pub rest: String,
}

/// A line of a file, counted from 1: what it says, or why sshd refuses the whole file because of it.
pub type Line = (u32, Result<Directive, &'static str>);

/// The lines of a file that say something.
#[must_use]
pub fn lines(content: &[u8]) -> Vec<Line> {
    let text = String::from_utf8_lossy(content);
    let numbered = (1..).zip(text.split('\n'));
    numbered.filter_map(|(number, line)| Some((number, directive(line)?))).collect()
}

/// What one line says: nothing, where it is empty or a comment.
#[must_use]
pub fn directive(line: &str) -> Option<Result<Directive, &'static str>> {
    // sshd reads lines as C strings: what follows is lost, and the next line with it.
    if line.contains('\0') {
        return Some(Err("a NUL byte"));
    }
    let line = line.trim_start_matches([' ', '\t', '\r']).trim_end_matches(|c| BLANK.contains(&c) || c == '\u{c}');
    let (mut keyword, mut rest) = split_keyword(line)?;
    if keyword.is_empty() {
        (keyword, rest) = split_keyword(&rest)?;
    }
    if keyword.is_empty() || keyword.starts_with('#') {
        return None;
    }
    if rest.is_empty() {
        return Some(Err("a keyword without an argument"));
    }
    let Some(arguments) = words(&rest) else { return Some(Err("a quote that stays open")) };
    Some(Ok(Directive { keyword: keyword.to_ascii_lowercase(), arguments, rest: rest.trim_start_matches(BLANK).to_owned() }))
}

/// The first word, which a blank or one `=` ends, and what follows. `None` where a quote stays open: sshd passes over such a line.
fn split_keyword(line: &str) -> Option<(String, String)> {
    let Some((at, sign)) = line.char_indices().find(|(_, c)| BLANK.contains(c) || matches!(c, '"' | '=')) else {
        return (!line.is_empty()).then(|| (line.to_owned(), String::new()));
    };
    let (before, after) = line.split_at(at);
    let after = after.get(1..).unwrap_or_default();
    if sign == '"' {
        let (quoted, rest) = after.split_once('"')?;
        return Some((format!("{before}{quoted}"), rest.trim_start_matches(BLANK).to_owned()));
    }
    let mut rest = after.trim_start_matches(BLANK);
    if sign != '=' {
        rest = rest.strip_prefix('=').map_or(rest, |rest| rest.trim_start_matches(BLANK));
    }
    Some((before.to_owned(), rest.to_owned()))
}

/// Words between blanks; both quotes group, a backslash keeps quotes, itself and, outside of quotes, a blank.
/// `None` where a quote stays open.
fn words(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    loop {
        while rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        if matches!(rest.peek(), None | Some('#')) {
            return Some(found);
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(c) = rest.next_if(|c| quote.is_some() || !matches!(c, ' ' | '\t')) {
            match (c, quote) {
                ('\\', _) => {
                    let escaped = rest.next_if(|next| matches!(next, '\'' | '"' | '\\') || (quote.is_none() && *next == ' '));
                    word.push(escaped.unwrap_or('\\'));
                }
                ('"' | '\'', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                (c, _) => word.push(c),
            }
        }
        if quote.is_some() {
            return None;
        }
        found.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Option<(String, Vec<String>)> {
        directive(line).map(|said| said.map(|said| (said.keyword, said.arguments)).unwrap())
    }

    fn is(keyword: &str, arguments: &[&str]) -> Option<(String, Vec<String>)> {
        Some((keyword.to_owned(), arguments.iter().map(|word| (*word).to_owned()).collect()))
    }

    #[test]
    fn keywords_take_blanks_an_equals_sign_or_quotes() {
        for line in ["Port 22", "port=22", "PORT = 22", "\tPort\t22\r", "\"Port\" 22", "Port \"22\"", "Port '22' # why", "Port=\"22\"\u{c}"]
        {
            assert_eq!(said(line), is("port", &["22"]), "{line}");
        }
        assert_eq!(said("Port ==22"), is("port", &["=22"]), "one sign is taken, and no more");
        assert_eq!(said("Banner a#b #c"), is("banner", &["a#b"]));
        for nothing in ["", "   ", "# Port 22", "  #", "\"Port 22", "\r"] {
            assert_eq!(directive(nothing), None, "{nothing}");
        }
        for refused in ["Port", "Port   ", "Banner \"x", "Banner 'x", "Por\0t 22"] {
            assert!(matches!(directive(refused), Some(Err(_))), "{refused}");
        }
    }

    #[test]
    fn arguments_are_quoted_as_sshd_quotes() {
        assert_eq!(said(r#"AllowUsers "a b" c'd'e f\ g "\"h" '\i'"#), is("allowusers", &["a b", "cde", "f g", "\"h", "\\i"]));
        assert_eq!(said("AllowUsers a \"\" #b"), is("allowusers", &["a", ""]));
        assert_eq!(directive("ForceCommand  echo \"a b\" # c").unwrap().unwrap().rest, "echo \"a b\" # c");
    }

    #[test]
    fn any_bytes_make_lines() {
        let text = b"Port 22\r\n\xff\xfe x\nMatch User \"\xc3\x28\"\n\0\0\n\"";
        for end in 0..=text.len() {
            let _ = lines(&text[..end]);
        }
        assert_eq!(lines(b"#\n\nPort 1").first().map(|(line, _)| *line), Some(3));
        assert_eq!(lines(&vec![b'x'; 1 << 20]).len(), 1);
    }
}
