//! sudoers, read as sudo reads it: statements, each with its line. What a file includes is left to the caller.

mod cursor;
mod statement;

pub use statement::{Alias, Change, CommandSpec, Kind, Member, Scope, Setting, Statement, statement};

/// One statement and the line it begins on, from 1; `Err` says what sudo would not understand in it.
pub type Line = (u32, Result<Statement, &'static str>);

/// The statements of a file.
#[must_use]
pub fn parse(content: &[u8]) -> Vec<Line> {
    let text = String::from_utf8_lossy(content);
    joined(&text).into_iter().filter_map(|(number, line)| Some((number, statement(&line).transpose()?))).collect()
}

/// Lines without their comments, those that end in a backslash joined with the next, each with the number of its first.
fn joined(text: &str) -> Vec<(u32, String)> {
    let mut lines: Vec<(u32, String)> = Vec::new();
    let mut open = false;
    let mut quoted = false;
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !open {
            quoted = false;
        }
        // A comment is not continued: what follows it counts.
        let (content, commented) = without_comment(line, &mut quoted);
        let trimmed = content.trim_end_matches([' ', '\t']);
        let backslashes = trimmed.chars().rev().take_while(|c| *c == '\\').count();
        let goes_on = backslashes % 2 == 1 && !commented;
        let content = if goes_on { trimmed.strip_suffix('\\').unwrap_or(trimmed) } else { content };
        match lines.last_mut().filter(|_| open) {
            Some((_, last)) => last.push_str(content),
            None => lines.push((number, content.to_owned())),
        }
        open = goes_on;
    }
    lines
}

/// The part of a line before its comment, and whether it has one. What `#include` and numbers of users begin with is none.
fn without_comment<'a>(line: &'a str, quoted: &mut bool) -> (&'a str, bool) {
    let start = line.trim_start();
    if ["#include ", "#include\t", "#includedir ", "#includedir\t"].iter().any(|word| start.starts_with(word)) {
        return (line, false);
    }
    let mut signs = line.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\\' => drop(signs.next()),
            '"' => *quoted = !*quoted,
            '#' if !*quoted && !signs.peek().is_some_and(|(_, next)| next.is_ascii_digit()) => {
                return (line.get(..at).unwrap_or(line), true);
            }
            _ => {}
        }
    }
    (line, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_on_behind_a_backslash_and_comments_do_not() {
        let lines = joined("a \\\n b\\\\\nc # x \\\n# y \\\nd");
        assert_eq!(lines, [(1, "a  b\\\\".to_owned()), (3, "c ".to_owned()), (4, String::new()), (5, "d".to_owned())]);
        assert_eq!(joined("x=\"a#\\\nb#c\" #0 # d"), [(1, "x=\"a#b#c\" #0 ".to_owned())]);
    }

    #[test]
    fn truncated_anywhere_nothing_panics() {
        let text = b"Defaults:al,\"b c\" !x, y = \"z\\\"\" \\\n, env_keep += A\nUser_Alias A = x, !y : B = #0\n%w\\ x ALL=(root:adm) ROLE=x NOPASSWD: sha224:ab /bin/ls a\\,b, !ALL : H = \xff\n@includedir \"/etc/x y\"\n";
        for end in 0..=text.len() {
            let _ = parse(&text[..end]);
        }
        assert!(parse(text).iter().all(|(_, line)| line.is_ok()), "{:?}", parse(text));
    }
}
