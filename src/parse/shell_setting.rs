//! What shell start-up files set: `umask`, variables such as `TMOUT` and `PATH`, and under what conditions. Nothing is run.

/// One command that sets something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its words with quotes taken off; what a quote or an escape kept from being expanded is not told apart.
    pub words: Vec<String>,
    /// Line on which it begins, from 1.
    pub line: u32,
    /// When it runs.
    pub when: When,
}

/// When a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Each time the file is read.
    Always,
    /// Only for root: in the branch of a condition on the user's number.
    Root,
    /// Only for others than root.
    Others,
    /// Under another condition, in a loop or in a function.
    Maybe,
}

/// The commands of a file, in order.
#[must_use]
pub fn commands(bytes: &[u8]) -> Vec<Command> {
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::default();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\n' {
            reader.line += 1;
        }
        match (reader.quote, c) {
            (Some(open), c) if c == open => reader.quote = None,
            (Some('"') | None, '\\') => match chars.next() {
                Some('\n') => reader.line += 1,
                Some(escaped) => reader.push(escaped),
                None => {}
            },
            (Some(_), c) => reader.push(c),
            (None, '\'' | '"') => {
                reader.quote = Some(c);
                reader.word.get_or_insert_default();
            }
            (None, '#') if reader.word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            (None, '$') if chars.peek() == Some(&'(') => {
                // What a substitution prints is not known, so its text stands for it.
                reader.push('$');
                let mut depth = 0usize;
                for c in chars.by_ref() {
                    reader.line += u32::from(c == '\n');
                    depth = if c == '(' { depth + 1 } else { depth - usize::from(c == ')') };
                    reader.push(c);
                    if depth == 0 {
                        break;
                    }
                }
            }
            (None, '&' | '|') => {
                let double = chars.next_if_eq(&c).is_some();
                reader.end_command(double);
            }
            (None, ';') => {
                let case = chars.next_if_eq(&';').is_some();
                reader.end_command(false);
                if case {
                    reader.pattern = reader.in_case();
                }
            }
            (None, '\n') => {
                reader.end_command(false);
                if let Some(end) = reader.here.take() {
                    skip_here(&mut chars, &end, &mut reader.line);
                }
            }
            (None, ')') if reader.pattern => {
                // The pattern of a case.
                reader.word = None;
                reader.words.clear();
                reader.pattern = false;
            }
            (None, '(') if reader.word.as_deref().is_some_and(|word| word.ends_with('=')) => reader.push(c),
            (None, '(' | ')') => {
                // A subshell changes nothing outside, and a function runs when it is called.
                reader.end_word();
                if c == '(' && reader.words.len() == 1 && chars.next_if_eq(&')').is_some() {
                    reader.words.clear();
                } else {
                    reader.end_command(false);
                    if c == '(' { reader.blocks.push(Block::Other) } else { reader.close(Block::Other) }
                }
            }
            (None, '<') if chars.next_if_eq(&'<').is_some() => {
                let _ = chars.next_if_eq(&'-');
                reader.end_word();
                let mut end = String::new();
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !matches!(c, ';' | '|' | '&')) {
                    end.push(c);
                }
                let end: String = end.chars().filter(|c| !matches!(c, '\'' | '"' | '\\')).collect();
                reader.here = Some(end).filter(|end| !end.is_empty() && !end.starts_with('<'));
            }
            (None, c) if c.is_whitespace() => reader.end_word(),
            (None, c) => reader.push(c),
        }
    }
    reader.end_command(false);
    reader.found
}

fn skip_here(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, end: &str, line: &mut u32) {
    loop {
        let mut text = String::new();
        while let Some(c) = chars.next_if(|c| *c != '\n') {
            text.push(c);
        }
        let over = chars.next().is_none();
        *line += u32::from(!over);
        if over || text.trim_start_matches('\t') == end {
            return;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Block {
    If(When),
    Case,
    Other,
}

#[derive(Default)]
struct Reader {
    line: u32,
    quote: Option<char>,
    word: Option<String>,
    words: Vec<String>,
    begun: u32,
    blocks: Vec<Block>,
    /// Whether the next words are the pattern of a case.
    pattern: bool,
    /// The word that ends a here-document which begins with the next line.
    here: Option<String>,
    /// Whether the command stands after `&&` or `||`.
    chained: bool,
    found: Vec<Command>,
}

/// Deeper blocks are not told apart.
const DEEPEST: usize = 64;

impl Reader {
    fn push(&mut self, c: char) {
        if self.words.is_empty() && self.word.is_none() {
            self.begun = self.line;
        }
        self.word.get_or_insert_default().push(c);
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn in_case(&self) -> bool {
        self.blocks.last() == Some(&Block::Case)
    }

    fn close(&mut self, block: Block) {
        let same = |open: &Block| {
            matches!((open, block), (Block::If(_), Block::If(_)) | (Block::Case, Block::Case) | (Block::Other, Block::Other))
        };
        if self.blocks.last().is_some_and(same) {
            self.blocks.pop();
        }
    }

    fn open(&mut self, block: Block) {
        if self.blocks.len() < DEEPEST {
            self.blocks.push(block);
        }
    }

    fn end_command(&mut self, chains: bool) {
        self.end_word();
        let mut words = std::mem::take(&mut self.words);
        let mut lead = 0;
        while let Some(word) = words.get(lead).map(String::as_str) {
            match word {
                "then" | "do" | "!" | "time" => {}
                "{" => self.open(Block::Other),
                "}" | "done" => self.close(Block::Other),
                "fi" => self.close(Block::If(When::Maybe)),
                "esac" => self.close(Block::Case),
                "if" => self.open(Block::If(of_condition(words.get(lead + 1..).unwrap_or_default()))),
                "elif" => self.turn(When::Maybe),
                "else" => {
                    let other = match self.blocks.last() {
                        Some(Block::If(When::Root)) => When::Others,
                        Some(Block::If(When::Others)) => When::Root,
                        _ => When::Maybe,
                    };
                    self.turn(other);
                }
                "while" | "until" | "for" | "select" => self.open(Block::Other),
                "case" => {
                    self.open(Block::Case);
                    // What follows `in` on the same line is a pattern already; its commands are maybes in any case.
                    self.pattern = true;
                    words.clear();
                    break;
                }
                "function" => {
                    words.clear();
                    break;
                }
                _ => break,
            }
            lead += 1;
        }
        let words: Vec<String> = words.into_iter().skip(lead).collect();
        if !words.is_empty() {
            let inside = self.blocks.iter().map(|block| match block {
                Block::If(when) => *when,
                Block::Case | Block::Other => When::Maybe,
            });
            let when = inside.fold(When::Always, and);
            let when = if self.chained { and(when, When::Maybe) } else { when };
            self.found.push(Command { words, line: self.begun + 1, when });
        }
        self.chained = chains;
    }

    fn turn(&mut self, when: When) {
        if let Some(Block::If(now)) = self.blocks.last_mut() {
            *now = when;
        }
    }
}

fn and(outer: When, inner: When) -> When {
    match (outer, inner) {
        (When::Always, when) | (when, When::Always) => when,
        (a, b) if a == b => a,
        _ => When::Maybe,
    }
}

/// What a condition asks, where it asks for root's number and nothing else.
fn of_condition(words: &[String]) -> When {
    let [open, left, operator, right, close] = words else { return When::Maybe };
    let bracketed = matches!((open.as_str(), close.as_str()), ("[", "]") | ("[[", "]]"));
    let number = |word: &str| {
        matches!(word, "$(id -u)" | "`id -u`" | "$EUID" | "$UID" | "${EUID}" | "${UID}" | "$(/usr/bin/id -u)" | "$(/bin/id -u)")
    };
    if !bracketed || !number(left) || right != "0" {
        return When::Maybe;
    }
    match operator.as_str() {
        "-eq" | "=" | "==" => When::Root,
        "-ne" | "!=" | "-gt" => When::Others,
        _ => When::Maybe,
    }
}

impl Command {
    /// The variables it assigns, with the values as written; for `export X` and the like without a value too.
    #[must_use]
    pub fn assigns(&self) -> Vec<(&str, Option<&str>)> {
        let program = self.words.first().map(String::as_str).unwrap_or_default();
        let declares = matches!(program, "export" | "readonly" | "declare" | "typeset" | "local");
        let words = self.words.iter().skip(usize::from(declares)).map(String::as_str);
        if declares {
            return words.filter(|word| !word.starts_with('-')).map(split).collect();
        }
        // Assignments before a program are for that program alone.
        let all: Vec<_> = words.map(split).collect();
        if all.iter().all(|(name, value)| value.is_some() && is_name(name)) { all } else { Vec::new() }
    }

    /// Whether it makes the variables it names read-only, and whether it exports them.
    #[must_use]
    pub fn attributes(&self) -> (bool, bool) {
        let program = self.words.first().map(String::as_str).unwrap_or_default();
        let has = |letter: char| self.words.iter().skip(1).any(|word| word.starts_with('-') && word.contains(letter));
        match program {
            "readonly" => (true, false),
            "export" => (false, !has('n')),
            "declare" | "typeset" => (has('r'), has('x')),
            _ => (false, false),
        }
    }
}

fn split(word: &str) -> (&str, Option<&str>) {
    word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// What a umask leaves to new directories, in octal or symbols. `None` where it depends on the mask there was, or is no mask.
#[must_use]
pub fn umask_allows(text: &str) -> Option<u32> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let mask = u32::from_str_radix(text, 8).ok().filter(|mask| *mask <= 0o7777)?;
        return Some(0o777 & !mask);
    }
    let mut allows = 0;
    let mut named = 0;
    for clause in text.split(',') {
        let (who, what) = clause.split_once('=')?;
        let who = who.chars().try_fold(0, |who, c| match c {
            'u' => Some(who | 0o700),
            'g' => Some(who | 0o070),
            'o' => Some(who | 0o007),
            'a' => Some(who | 0o777),
            _ => None,
        })?;
        let who = if who == 0 { 0o777 } else { who };
        let what = what.chars().try_fold(0, |what, c| match c {
            'r' => Some(what | 0o444),
            'w' => Some(what | 0o222),
            'x' => Some(what | 0o111),
            _ => None,
        })?;
        allows = allows & !who | who & what;
        named |= who;
    }
    (named == 0o777).then_some(allows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(u32, When, String)> {
        commands(text.as_bytes()).into_iter().map(|c| (c.line, c.when, c.words.join(" "))).collect()
    }

    fn is(line: u32, when: When, words: &str) -> (u32, When, String) {
        (line, when, words.to_owned())
    }

    #[test]
    fn commands_know_when_they_run() {
        use When::{Always, Maybe, Others, Root};
        let text = "# TMOUT=1\nTMOUT=900 ; readonly TMOUT\nif [ \"$(id -u)\" -eq 0 ]; then\n  PATH=\"/a:/b\"\nelse\n  PATH=/c\nfi\nexport PATH\n\
            [ -z x ] && umask 027\nf() {\n umask 000\n}\ncase $- in\n *i*) TMOUT=5;;\nesac\numask 022 # x\ncat <<EOF\numask 777\nEOF\nX=1\n";
        let found: Vec<_> = told(text).into_iter().filter(|(.., words)| !words.starts_with('[') && !words.starts_with("cat")).collect();
        assert_eq!(
            found,
            [
                is(2, Always, "TMOUT=900"),
                is(2, Always, "readonly TMOUT"),
                is(4, Root, "PATH=/a:/b"),
                is(6, Others, "PATH=/c"),
                is(8, Always, "export PATH"),
                is(9, Maybe, "umask 027"),
                is(11, Maybe, "umask 000"),
                is(14, Maybe, "TMOUT=5"),
                is(16, Always, "umask 022"),
                is(20, Always, "X=1"),
            ]
            .into_iter()
            .filter(|(.., words)| !words.is_empty())
            .collect::<Vec<_>>()
        );
    }

    #[test]
    fn declarations_have_attributes() {
        let one = |text: &str| commands(text.as_bytes()).remove(0);
        assert_eq!(one("declare -xr TMOUT=900").attributes(), (true, true));
        assert_eq!(one("typeset -r -x TMOUT=900").assigns(), [("TMOUT", Some("900"))]);
        assert_eq!(one("export TMOUT").assigns(), [("TMOUT", None)]);
        assert_eq!(one("export -n TMOUT").attributes(), (false, false));
        assert_eq!(one("A=1 B=2").assigns(), [("A", Some("1")), ("B", Some("2"))]);
        assert!(one("TMOUT=900 bash").assigns().is_empty(), "for that program alone");
        assert_eq!(one("readonly TMOUT='900'").assigns(), [("TMOUT", Some("900"))]);
    }

    #[test]
    fn masks_have_two_forms() {
        for (text, allows) in [("027", 0o750), ("0027", 0o750), ("77", 0o700), ("u=rwx,g=rx,o=", 0o750), ("a=rx", 0o555), ("=rwx", 0o777)] {
            assert_eq!(umask_allows(text), Some(allows), "{text}");
        }
        for text in ["g-w", "u=rwx", "$X", "", "99", "-S", "77777", "u=q,g=,o="] {
            assert_eq!(umask_allows(text), None, "{text}");
        }
    }

    #[test]
    fn cut_anywhere_nothing_breaks() {
        let text = "if [ \"$EUID\" = \"0\" ]; then\r\n umask 027 && x=$(a (b) ) || { y; }\nelse (z)\nfi\ncase a in b) c;; esac <<-'E'\n E\n\0\u{fffd}".as_bytes();
        for end in 0..=text.len() {
            let _ = commands(text.get(..end).unwrap());
        }
        for hostile in ["(", ")", "$(", "if ", "<<", "{ ", "'", "case "] {
            let _ = commands(hostile.repeat(50_000).as_bytes());
        }
    }
}
