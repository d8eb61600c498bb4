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

/// Lines, those that end in a backslash joined with the next, each with the number of its first.
fn joined(text: &str) -> Vec<(u32, String)> {
    let mut lines: Vec<(u32, String)> = Vec::new();
    let mut open = false;
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let trimmed = line.trim_end_matches([' ', '\t']);
        let backslashes = trimmed.chars().rev().take_while(|c| *c == '\\').count();
        // A comment is not continued.
        let comment = !open && is_comment(line);
        let goes_on = backslashes % 2 == 1 && !comment;
        let content = if goes_on { trimmed.strip_suffix('\\').unwrap_or(trimmed) } else { line };
        match lines.last_mut().filter(|_| open) {
            Some((_, last)) => last.push_str(content),
            None => lines.push((number, content.to_owned())),
        }
        open = goes_on;
    }
    lines
}

fn is_comment(line: &str) -> bool {
    line.trim_start().strip_prefix('#').is_some_and(|rest| !rest.starts_with("include") && !rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_on_behind_a_backslash_and_comments_do_not() {
        let lines = joined("a \\\n b\\\\\nc # x \\\n# y \\\nd");
        assert_eq!(lines, [(1, "a  b\\\\".to_owned()), (3, "c # x # y \\".to_owned()), (5, "d".to_owned())]);
        assert_eq!(joined("# only a comment \\\nd").len(), 2);
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
