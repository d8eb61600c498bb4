//! Configuration of apt: `A::B "value";` and `A { B "value"; };`, flattened to one assignment per value.

/// The most assignments that are taken of one file, and the deepest nesting: real files have a few dozen and four.
const MOST: usize = 10_000;
const DEEPEST: usize = 32;

/// One assignment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assignment {
    /// Full name, such as `APT::Periodic::Unattended-Upgrade`. One that ends in `::` adds to a list.
    pub name: String,
    /// Value; `None` where `#clear` takes the name and everything below it away.
    pub value: Option<String>,
    /// Line, from 1.
    pub line: u32,
}

/// Reads a file. `Err` names the line of what could not be understood: apt itself refuses such a file.
pub fn parse(text: &str) -> Result<Vec<Assignment>, u32> {
    let mut tokens = Tokens { rest: text, line: 1 };
    let mut found = Vec::new();
    let mut scopes: Vec<String> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut line = 1;
    let full = |scopes: &[String], name: &str| {
        let mut parts: Vec<&str> = scopes.iter().map(String::as_str).collect();
        parts.push(name);
        parts.join("::")
    };
    while let Some(token) = tokens.next()? {
        if words.is_empty() {
            line = tokens.line;
        }
        if found.len() >= MOST {
            return Err(tokens.line);
        }
        match token {
            Token::Word(word) => words.push(word),
            Token::Open => {
                let name = words.first().cloned().unwrap_or_default();
                if let Some(value) = words.get(1) {
                    found.push(Assignment { name: full(&scopes, &name), value: Some(value.clone()), line });
                }
                words.clear();
                scopes.push(name);
                if scopes.len() > DEEPEST {
                    return Err(tokens.line);
                }
            }
            Token::Close | Token::End => {
                match words.as_slice() {
                    [] => {}
                    [command, names @ ..] if command == "#clear" => {
                        found.extend(names.iter().map(|name| Assignment { name: full(&scopes, name), value: None, line }));
                    }
                    // A file that includes others says less than it does.
                    [command, ..] if command.starts_with('#') => return Err(line),
                    // A lone value within braces is an element of the list.
                    [value] if !scopes.is_empty() => found.push(Assignment { name: full(&scopes, ""), value: Some(value.clone()), line }),
                    [name] => found.push(Assignment { name: name.clone(), value: Some(String::new()), line }),
                    [name, value, ..] => found.push(Assignment { name: full(&scopes, name), value: Some(value.clone()), line }),
                }
                words.clear();
                if token == Token::Close && scopes.pop().is_none() {
                    return Err(tokens.line);
                }
            }
        }
    }
    if scopes.is_empty() && words.is_empty() { Ok(found) } else { Err(tokens.line) }
}

#[derive(PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close,
    End,
}

struct Tokens<'a> {
    rest: &'a str,
    line: u32,
}

impl Tokens<'_> {
    fn next(&mut self) -> Result<Option<Token>, u32> {
        loop {
            self.skip(self.rest.len() - self.rest.trim_start().len());
            if self.rest.starts_with("//")
                || (self.rest.starts_with('#') && !["#clear ", "#include "].iter().any(|word| self.rest.starts_with(word)))
            {
                self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("/*") {
                self.skip(self.rest.find("*/").ok_or(self.line)? + 2);
            } else {
                break;
            }
        }
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        let token = match first {
            '{' => Token::Open,
            '}' => Token::Close,
            ';' => Token::End,
            '"' => {
                let text = self.rest.get(1..).unwrap_or_default();
                let end = text.find('"').ok_or(self.line)?;
                let word = text.get(..end).unwrap_or_default().to_owned();
                self.skip(end + 2);
                return Ok(Some(Token::Word(word)));
            }
            _ => {
                let end = self.rest.find(|c: char| c.is_whitespace() || matches!(c, '{' | '}' | ';' | '"')).unwrap_or(self.rest.len());
                let word = self.rest.get(..end).unwrap_or_default().to_owned();
                self.skip(end);
                return Ok(Some(Token::Word(word)));
            }
        };
        self.skip(1);
        Ok(Some(token))
    }

    fn skip(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line += u32::try_from(skipped.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(0);
        self.rest = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(text: &str) -> Vec<(String, Option<String>, u32)> {
        parse(text).unwrap().into_iter().map(|found| (found.name, found.value, found.line)).collect()
    }

    #[test]
    fn both_ways_of_writing_are_one() {
        let text = "// comment; \"x\nAPT::Periodic::Unattended-Upgrade \"1\";\n# other\nUnattended-Upgrade {\n  Origins-Pattern {\n    \"origin=Debian\";\n\
                    /* \"no\";\n */ \"origin=Docker\"; };\n  Mail \"a;b\"; };\nAcquire::x yes;\n#clear Unattended-Upgrade::Mail;\nA:: \"more\";\n";
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            flat(text),
            [
                ("APT::Periodic::Unattended-Upgrade".into(), some("1"), 2),
                ("Unattended-Upgrade::Origins-Pattern::".into(), some("origin=Debian"), 6),
                ("Unattended-Upgrade::Origins-Pattern::".into(), some("origin=Docker"), 8),
                ("Unattended-Upgrade::Mail".into(), some("a;b"), 9),
                ("Acquire::x".into(), some("yes"), 10),
                ("Unattended-Upgrade::Mail".into(), None, 11),
                ("A::".into(), some("more"), 12),
            ]
        );
    }

    #[test]
    fn cut_off_files_are_refused_or_lack_only_the_end() {
        let text = "A { B \"1\"; C { \"x\"; }; };\nD::E \"2\";\n";
        let whole = flat(text);
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            if let Ok(found) = parse(&text[..end]) {
                assert!(found.len() <= whole.len());
            }
        }
        for bad in ["A {", "}", "A \"x", "/* ", "#include \"/etc/x\";", &"{".repeat(100)] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let _ = parse("\0\u{fffd}; \"\";");
    }
}
