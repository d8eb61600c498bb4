//! Words, quotes and escapes of unit files, and the commands made of them.

use super::environment::is_name;

/// Splits a value into words at blanks; quotes group, `\` escapes as in C. `None` where a quote stays open or an escape
/// is none: systemd ignores such an assignment.
#[must_use]
pub fn words(value: &str) -> Option<Vec<String>> {
    split(value).map(|words| words.into_iter().map(|word| word.text).collect())
}

/// A word, and whether it stands there bare: a lone `;` ends a command only unquoted and unescaped.
struct Word {
    text: String,
    bare: bool,
}

fn split(value: &str) -> Option<Vec<Word>> {
    let mut found = Vec::new();
    let mut word: Option<Word> = None;
    let mut quote = None;
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        if quote.is_none() && c.is_ascii_whitespace() {
            found.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_with(|| Word { text: String::new(), bare: true });
        match (c, quote) {
            ('\\', _) => {
                word.bare = false;
                word.text.push(unescape(&mut rest)?);
            }
            ('"' | '\'', None) => {
                word.bare = false;
                quote = Some(c);
            }
            (c, Some(open)) if c == open => quote = None,
            (c, _) => word.text.push(c),
        }
    }
    found.extend(word);
    quote.is_none().then_some(found)
}

/// The character behind a backslash, as C writes it, plus `\s` for a blank and `\;`, which only commands need.
fn unescape(rest: &mut std::str::Chars<'_>) -> Option<char> {
    let number = |rest: &mut std::str::Chars<'_>, digits: usize, radix: u32, first: u32| {
        let value = (0..digits).try_fold(first, |value, _| value.checked_mul(radix)?.checked_add(rest.next()?.to_digit(radix)?))?;
        char::from_u32(value).filter(|c| *c != '\0')
    };
    match rest.next()? {
        'a' => Some('\u{7}'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\u{b}'),
        's' => Some(' '),
        c @ ('\\' | '"' | '\'' | ';') => Some(c),
        'x' => number(rest, 2, 16, 0),
        'u' => number(rest, 4, 16, 0),
        'U' => number(rest, 8, 16, 0),
        c => number(rest, 2, 8, c.to_digit(8)?),
    }
}

/// One command of an `Exec…=` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The characters before the path: `-` ignores failure, `@` sets the name it sees itself by, `:` leaves variables
    /// alone, `+`, `!` and `!!` lift restrictions.
    pub prefix: String,
    /// Path of the program.
    pub program: String,
    /// Arguments, without the program's own name. Variables and specifiers are left: see [`Command::expanded`].
    pub arguments: Vec<String>,
}

impl Command {
    /// The arguments with variables put in as systemd does: `$NAME` as a word of its own becomes as many words as the
    /// value has, `${NAME}` anywhere becomes the value, `$$` a dollar. A variable that is not set becomes nothing.
    #[must_use]
    pub fn expanded<'a>(&self, variable: impl Fn(&str) -> Option<&'a str>) -> Vec<String> {
        if self.prefix.contains(':') {
            return self.arguments.clone();
        }
        let mut expanded = Vec::new();
        for argument in &self.arguments {
            match argument.strip_prefix('$').filter(|name| is_name(name)) {
                Some(name) => expanded.extend(variable(name).and_then(words).unwrap_or_default()),
                None => expanded.push(substitute(argument, &variable)),
            }
        }
        expanded
    }
}

/// The command as one line, for showing: words with blanks or nothing in them are quoted.
impl std::fmt::Display for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.prefix, self.program)?;
        self.arguments.iter().try_for_each(|argument| {
            if argument.is_empty() || argument.contains(char::is_whitespace) {
                write!(f, " {argument:?}")
            } else {
                write!(f, " {argument}")
            }
        })
    }
}

fn substitute<'a>(argument: &str, variable: &impl Fn(&str) -> Option<&'a str>) -> String {
    let mut made = String::new();
    let mut rest = argument;
    while let Some((before, after)) = rest.split_once('$') {
        made.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}')).filter(|(name, _)| is_name(name));
        rest = match braced {
            Some((name, behind)) => {
                made.push_str(variable(name).unwrap_or_default());
                behind
            }
            None => {
                made.push('$');
                after.strip_prefix('$').unwrap_or(after)
            }
        };
    }
    made.push_str(rest);
    made
}

/// The commands of an `Exec…=` value: a lone `;` separates several. `None` where systemd would ignore the line.
#[must_use]
pub fn commands(value: &str) -> Option<Vec<Command>> {
    let mut found = Vec::new();
    let mut words = split(value)?.into_iter().peekable();
    while words.peek().is_some() {
        let mut command = words.by_ref().take_while(|word| !(word.bare && word.text == ";")).map(|word| word.text);
        let Some(first) = command.next() else { continue };
        let program = first.trim_start_matches(['-', '@', ':', '+', '!', '|']);
        let prefix = first.strip_suffix(program).unwrap_or_default().to_owned();
        // With `@` the word behind the path is the name the program sees itself by.
        let arguments: Vec<String> = command.skip(usize::from(prefix.contains('@'))).collect();
        found.push(Command { program: program.to_owned(), prefix, arguments });
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_systemd_splits_them() {
        let split = |text: &str| words(text).unwrap();
        assert_eq!(split(r#"a "b c" 'd "e' f"g h"i "" \x41\101\u00fc\s"#), ["a", "b c", "d \"e", "fg hi", "", "AAü "]);
        assert!(words("a \"b").is_none() && words(r"\q").is_none() && words(r"\x0").is_none() && words("\\").is_none());
        assert!(words(r"\x00").is_none());
    }

    #[test]
    fn commands_have_prefixes_and_separators() {
        let found = commands(r#"-@/usr/bin/dockerd dockerd -H fd:// \; ";" ; !!/bin/echo %i ;"#).unwrap();
        assert_eq!((found[0].prefix.as_str(), found[0].program.as_str()), ("-@", "/usr/bin/dockerd"));
        assert_eq!(found[0].arguments, ["-H", "fd://", ";", ";"]);
        assert_eq!(found[1].to_string(), "!!/bin/echo %i");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn variables_are_put_in_by_word_or_by_brace() {
        let variable = |name: &str| match name {
            "OPTS" => Some("--icc=false --label 'a b'"),
            "HOST" => Some("x y"),
            _ => None,
        };
        let start = commands("dockerd $OPTS -H=${HOST} $NONE a$HOST $$HOME ${NONE}").unwrap().remove(0);
        assert_eq!(start.expanded(variable), ["--icc=false", "--label", "a b", "-H=x y", "a$HOST", "$HOME", ""]);
        let raw = commands(":dockerd $OPTS").unwrap().remove(0);
        assert_eq!(raw.expanded(variable), ["$OPTS"]);
    }
}
