//! Configuration of rsyslog: the old directives and selectors, and the objects of `RainerScript`, in the order they stand.
//!
//! What decides here is where logs come from and go to. Conditions are not weighed: an action inside of one counts.
//! Quotes, comments of both kinds and continued lines are taken as rsyslog takes them; names are in small letters.

use std::collections::BTreeMap;

/// One thing a configuration says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// `$Name value`.
    Directive(String, String),
    /// `name(parameter="value" …)`.
    Object(String, BTreeMap<String, String>),
    /// What an old selector, a condition or `&` leads to: `-/var/log/x`, `@@host:port`, `:omusrmsg:*`.
    Action(String),
}

/// One thing and its line, from 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// Line it begins on.
    pub line: u32,
    /// What it says.
    pub item: Item,
}

const OBJECTS: [&str; 15] = [
    "module",
    "input",
    "action",
    "include",
    "global",
    "main_queue",
    "ruleset",
    "template",
    "property",
    "constant",
    "lookup_table",
    "parser",
    "timezone",
    "dyn_stats",
    "ratelimit",
];

/// Reads a file. `Err` with the line and what is wrong where a quote, a comment or a bracket is never closed: what comes after it
/// may mean anything.
///
/// # Errors
///
/// The line and a word about it.
pub fn parse(text: &str) -> Result<Vec<Statement>, (u32, &'static str)> {
    let mut reader = Reader { letters: text.chars().collect(), at: 0, line: 1, found: Vec::new(), rest: String::new(), rest_line: 1 };
    reader.read()?;
    Ok(reader.found)
}

struct Reader {
    letters: Vec<char>,
    at: usize,
    line: u32,
    found: Vec<Statement>,
    /// What stands on the current line outside of objects.
    rest: String,
    rest_line: u32,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek(0)?;
        self.at += 1;
        self.line += u32::from(letter == '\n');
        Some(letter)
    }

    fn read(&mut self) -> Result<(), (u32, &'static str)> {
        while let Some(letter) = self.peek(0) {
            let fresh = self.rest.trim().is_empty();
            match letter {
                '#' if fresh || self.rest.ends_with([' ', '\t', '}', ')']) => self.skip_line(),
                '/' if self.peek(1) == Some('*') && (fresh || self.rest.ends_with([' ', '\t', '}', ')', '{'])) => self.skip_comment()?,
                '\\' if matches!((self.peek(1), self.peek(2)), (Some('\n'), _) | (Some('\r'), Some('\n'))) => {
                    while self.next().is_some_and(|letter| letter != '\n') {}
                    self.rest.push(' ');
                }
                '\n' => {
                    self.next();
                    self.end_of_line();
                }
                '{' | '}' if !self.is_directive() => {
                    self.next();
                    self.end_of_line();
                }
                '"' | '\'' if !self.is_directive() => {
                    let start = self.line;
                    self.keep();
                    while let Some(inner) = self.peek(0) {
                        self.keep();
                        match inner {
                            '\\' if self.peek(0).is_some() => self.keep(),
                            _ if inner == letter => break,
                            // An apostrophe in an old-style line is one.
                            '\n' if letter == '\'' || start != self.line => break,
                            _ => {}
                        }
                    }
                    if self.rest.ends_with('\n') {
                        self.end_of_line();
                    }
                }
                '(' if !self.is_directive() => match self.object_name() {
                    Some(name) => self.object(&name)?,
                    None => self.keep(),
                },
                _ => self.keep(),
            }
        }
        self.end_of_line();
        Ok(())
    }

    fn keep(&mut self) {
        if let Some(letter) = self.next() {
            if self.rest.trim().is_empty() && !letter.is_whitespace() {
                self.rest_line = self.line;
            }
            self.rest.push(letter);
        }
    }

    fn skip_line(&mut self) {
        while self.peek(0).is_some_and(|letter| letter != '\n') {
            self.next();
        }
    }

    fn skip_comment(&mut self) -> Result<(), (u32, &'static str)> {
        let start = self.line;
        self.at += 2;
        loop {
            match self.next() {
                Some('*') if self.peek(0) == Some('/') => {
                    self.next();
                    return Ok(());
                }
                Some(_) => {}
                None => return Err((start, "a comment without an end")),
            }
        }
    }

    /// Whether the current line is an old directive, which quotes and brackets mean nothing to.
    fn is_directive(&self) -> bool {
        let line = self.rest.trim_start();
        line.starts_with('$') && line.chars().nth(1).is_some_and(char::is_alphabetic)
    }

    /// The name of the object whose bracket comes now, taken off the line.
    fn object_name(&mut self) -> Option<String> {
        let trimmed = self.rest.trim_end();
        let start = trimmed.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map_or(0, |at| at + 1);
        let name = trimmed.get(start..)?.to_ascii_lowercase();
        if !OBJECTS.contains(&name.as_str()) {
            return None;
        }
        self.rest.truncate(start);
        Some(name)
    }

    fn object(&mut self, name: &str) -> Result<(), (u32, &'static str)> {
        let start = self.line;
        let open = Err((start, "a bracket that is never closed"));
        self.next();
        let mut parameters = BTreeMap::new();
        let mut key = String::new();
        loop {
            let Some(letter) = self.peek(0) else { return open };
            match letter {
                ')' => {
                    self.next();
                    break;
                }
                '#' => self.skip_line(),
                '/' if self.peek(1) == Some('*') => self.skip_comment()?,
                '"' | '\'' => {
                    self.next();
                    let mut value = String::new();
                    loop {
                        match self.next() {
                            None => return open,
                            Some(end) if end == letter => break,
                            Some('\\') => value.extend(self.next()),
                            Some(inner) => value.push(inner),
                        }
                    }
                    let name = key.trim().trim_end_matches('=').trim().to_ascii_lowercase();
                    parameters.insert(name, value);
                    key.clear();
                }
                '[' => {
                    while self.next().is_some_and(|letter| letter != ']') {}
                    key.clear();
                }
                _ => key.extend(self.next()),
            }
        }
        let item = Item::Object(name.to_owned(), parameters);
        self.found.push(Statement { line: start, item });
        Ok(())
    }

    fn end_of_line(&mut self) {
        let line = std::mem::take(&mut self.rest);
        let line = line.trim();
        if let Some(item) = directive(line).or_else(|| action(line).map(|action| Item::Action(action.to_owned()))) {
            self.found.push(Statement { line: self.rest_line, item });
        }
    }
}

fn directive(line: &str) -> Option<Item> {
    let rest = line.strip_prefix('$')?;
    let (name, value) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    name.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| Item::Directive(name.to_ascii_lowercase(), value.trim().to_owned()))
}

/// The action of a line, if it has one: the part behind the selector.
fn action(line: &str) -> Option<&str> {
    let is_action = |text: &str| {
        let rest = text.strip_prefix('-').unwrap_or(text);
        rest.starts_with(['/', '@', '|', '?', '^', '~', '>']) || rest.starts_with(":om")
    };
    if let Some(rest) = line.strip_prefix('&') {
        return Some(rest.trim());
    }
    if let Some((_, rest)) = line.rsplit_once(" then ") {
        return action(rest.trim()).or_else(|| Some(rest.trim()).filter(|rest| is_action(rest)));
    }
    // `:property, operation, "value" action`
    if line.starts_with(':') && !line.starts_with(":om") {
        let rest = line.rsplit_once('"').map(|(_, rest)| rest.trim())?;
        return Some(rest).filter(|rest| is_action(rest));
    }
    if is_action(line) {
        return Some(line);
    }
    let (selector, rest) = line.split_once([' ', '\t'])?;
    let looks_right = selector.contains('.') && !selector.contains(['=', '(', '"']) || selector.contains(".=");
    let rest = rest.trim();
    looks_right.then_some(rest).filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> Vec<String> {
        parse(text)
            .unwrap()
            .into_iter()
            .map(|statement| match statement.item {
                Item::Directive(name, value) => format!("{} ${name} {value}", statement.line),
                Item::Object(name, parameters) => {
                    let inner: Vec<_> = parameters.iter().map(|(key, value)| format!("{key}={value}")).collect();
                    format!("{} {name}({})", statement.line, inner.join(" "))
                }
                Item::Action(action) => format!("{} {action}", statement.line),
            })
            .collect()
    }

    #[test]
    fn old_syntax() {
        let text = "# $FileCreateMode 0666\r\n$FileCreateMode\t0640\r\n$ModLoad imudp # x\nauth,authpriv.*\t\t\t/var/log/auth.log\n*.*;auth,authpriv.none -/var/log/syslog\n*.* @@loghost:514;fmt\n& @other\n:msg, contains, \"a b\" ~\n*.emerg :omusrmsg:*\n#*.* @commented\nmail.=info \\\n  -/var/log/mail\n";
        assert_eq!(
            show(text),
            [
                "2 $filecreatemode 0640",
                "3 $modload imudp",
                "4 /var/log/auth.log",
                "5 -/var/log/syslog",
                "6 @@loghost:514;fmt",
                "7 @other",
                "8 ~",
                "9 :omusrmsg:*",
                "11 -/var/log/mail",
            ]
        );
    }

    #[test]
    fn objects() {
        let text = "MODULE(load=\"imtcp\") # on\n/* input(type=\"imudp\")\n*/\ninput ( Type = \"imtcp\"\n  port=\"514\" # c )\n)\nif $msg contains \"module(\" then {\n  action(type=\"omfwd\" target=\"a\\\"b\")\n  stop\n}\nruleset(name=\"r\"){ *.* @@h\n}\nif $programname == 'x' then /var/log/x\n";
        assert_eq!(
            show(text),
            [
                "1 module(load=imtcp)",
                "4 input(port=514 type=imtcp)",
                "8 action(target=a\"b type=omfwd)",
                "11 ruleset(name=r)",
                "11 @@h",
                "13 /var/log/x",
            ]
        );
    }

    #[test]
    fn what_is_never_closed_is_refused_and_nothing_panics() {
        assert_eq!(parse("a\nmodule(load=\"imtcp\"\n"), Err((2, "a bracket that is never closed")));
        assert_eq!(parse("/* x"), Err((1, "a comment without an end")));
        let whole = "module(load=\"imtcp\")\n$FileCreateMode 0640\n*.* @@h\nif $x == 'y' then { action(type=\"omfwd\" target=\"h\") }\n/* c */ \u{fffd}\0:msg, contains, \"x\" /y\n";
        for at in (0..whole.len()).filter(|at| whole.is_char_boundary(*at)) {
            let _ = parse(&whole[..at]);
        }
        for at in [1, 8, 17] {
            assert!(parse(&whole[..at]).is_ok_and(|found| found.is_empty()) || at >= 7, "{at}");
        }
        assert!(parse(&"(".repeat(100_000)).is_ok());
        assert!(parse(&"\"".repeat(99_999)).is_ok());
    }
}
