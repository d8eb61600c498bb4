//! systemd's unit files, drop-ins and environment files, read as systemd reads them (`systemd.syntax(7)`, `systemd.exec(5)`).
//!
//! ```text
//! let mut unit = Unit::default();
//! unit.add(path_of_fragment, &content);
//! unit.add(path_of_dropin, &content);                       // in the order they apply
//! let user = unit.last("Service", "User");                  // the last assignment wins, an empty one resets
//! for start in unit.all("Service", "ExecStart") {           // all since the last empty assignment
//!     for command in commands(&start.value).unwrap_or_default() { … start.path, start.line … }
//! }
//! ```
//!
//! Specifiers such as `%i` are left as they are. Nothing here fails: what systemd ignores is ignored.

use std::collections::BTreeMap;

use crate::fact::{Secret, Text};

/// The assignments of a unit file and its drop-ins, in the order they apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// Every assignment, the empty ones too.
    pub assignments: Vec<Assignment>,
}

/// One assignment, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Section, such as `Service`.
    pub section: String,
    /// Key, such as `ExecStart`.
    pub key: String,
    /// Value as written: continuation lines joined, quotes and escapes kept. Empty for a reset.
    pub value: String,
    /// File it stands in.
    pub path: Text,
    /// Line of the key, from 1.
    pub line: u32,
}

impl Unit {
    /// Adds the content of the unit file, then of each drop-in in the order they apply.
    pub fn add(&mut self, path: impl Into<Text>, content: &[u8]) {
        let path = path.into();
        let mut section = String::new();
        for (line, text) in logical_lines(content) {
            let text = text.trim();
            if let Some(header) = text.strip_prefix('[') {
                header.strip_suffix(']').unwrap_or_default().clone_into(&mut section);
            } else if let Some((key, value)) = text.split_once('=').filter(|_| !section.is_empty()) {
                let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
                self.assignments.push(Assignment { section: section.clone(), key, value, path: path.clone(), line });
            }
        }
    }

    /// The assignments of a key that count: those since the last empty one.
    #[must_use]
    pub fn all(&self, section: &str, key: &str) -> Vec<&Assignment> {
        let mut found = Vec::new();
        for assignment in self.assignments.iter().filter(|a| a.section == section && a.key == key) {
            if assignment.value.is_empty() {
                found.clear();
            } else {
                found.push(assignment);
            }
        }
        found
    }

    /// The assignment of a key that takes one value: the last one, unless it is empty.
    #[must_use]
    pub fn last(&self, section: &str, key: &str) -> Option<&Assignment> {
        self.all(section, key).pop()
    }

    /// The names of units in a key that lists them, such as `Install` `WantedBy`, split at blanks.
    #[must_use]
    pub fn names(&self, section: &str, key: &str) -> Vec<String> {
        self.all(section, key).into_iter().flat_map(|a| words(&a.value).unwrap_or_default()).collect()
    }

    /// Whether a section is there with anything in it.
    #[must_use]
    pub fn has_section(&self, section: &str) -> bool {
        self.assignments.iter().any(|a| a.section == section)
    }
}

/// Lines with continuations joined, each with the number of its first line. Comments are skipped, inside continuations too.
fn logical_lines(content: &[u8]) -> Vec<(u32, String)> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let text = String::from_utf8_lossy(content);
    let mut lines = Vec::new();
    let mut pending: Option<(u32, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        if line.starts_with(['#', ';']) {
            continue;
        }
        let (first, mut joined) = pending.take().unwrap_or((number, String::new()));
        joined.push_str(line);
        // An escaped backslash at the end continues nothing.
        if joined.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1 {
            joined.pop();
            joined.push(' ');
            pending = Some((first, joined));
        } else {
            lines.push((first, joined));
        }
    }
    lines.extend(pending);
    lines
}

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
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(texts: &[&str]) -> Unit {
        let mut unit = Unit::default();
        for (number, text) in texts.iter().enumerate() {
            unit.add(format!("/{number}"), text.as_bytes());
        }
        unit
    }

    fn values<'a>(unit: &'a Unit, key: &str) -> Vec<&'a str> {
        unit.all("Service", key).iter().map(|a| a.value.as_str()).collect()
    }

    #[test]
    fn lines_continue_and_comments_do_not_end_them() {
        let unit = unit(&[
            "\u{feff}[Unit]\nnonsense\n[Service]\n# c\nExecStart = a \\\n  # inside\n  ; too\n  b \\\n\n User=x\nPath=c:\\\\\nLast=\\",
        ]);
        let start = unit.last("Service", "ExecStart").unwrap();
        assert_eq!((start.value.as_str(), start.line, start.path.raw()), ("a  b", 5, "/0"));
        assert_eq!(values(&unit, "User"), ["x"]);
        assert_eq!(values(&unit, "Path"), ["c:\\\\"], "an escaped backslash continues nothing");
        assert_eq!(unit.assignments.len(), 4);
        assert!(unit.has_section("Service") && !unit.has_section("Unit"));
    }

    #[test]
    fn empty_assignments_reset() {
        let unit = unit(&["[Service]\nExecStart=a\nUser=u\n", "[Service]\nExecStart=\nExecStart=b\nUser=\n[Unit]\nUser=no", "x=outside"]);
        assert_eq!(values(&unit, "ExecStart"), ["b"]);
        assert_eq!(unit.last("Service", "User"), None);
        assert_eq!(unit.last("Service", "ExecStart").map(|a| (a.path.raw(), a.line)), Some(("/1", 3)));
    }

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
