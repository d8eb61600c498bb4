//! A place in a line, and the words from there.

pub(super) struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self { rest: line }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    /// Passes over blanks. A comment is as good as the end.
    pub(super) fn blanks(&mut self) -> bool {
        let trimmed = self.rest.trim_start_matches([' ', '\t', '\r']);
        let passed = trimmed.len() < self.rest.len();
        self.rest = trimmed;
        if let Some(after) = self.rest.strip_prefix('#')
            && !after.starts_with(|c: char| c.is_ascii_digit())
        {
            self.rest = "";
        }
        passed
    }

    pub(super) fn at_end(&mut self) -> bool {
        self.blanks();
        self.rest.is_empty()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn take(&mut self, sign: &str) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// How many exclamation marks stand here, as whether they negate.
    pub(super) fn negation(&mut self) -> bool {
        let mut negated = false;
        loop {
            self.blanks();
            if !self.take("!") {
                return negated;
            }
            negated = !negated;
        }
    }

    /// A word up to an unescaped sign of `stop`; quoted parts are taken as they are. `None` for an open quote or no word.
    pub(super) fn word(&mut self, stop: &[char]) -> Option<String> {
        let mut word = String::new();
        let mut any = false;
        let mut signs = self.rest.char_indices();
        let mut end = self.rest.len();
        while let Some((at, sign)) = signs.next() {
            match sign {
                '"' => {
                    any = true;
                    loop {
                        match signs.next()? {
                            (_, '"') => break,
                            (_, '\\') => match signs.next()? {
                                (_, '"') => word.push('"'),
                                (_, other) => word.extend(['\\', other]),
                            },
                            (_, other) => word.push(other),
                        }
                    }
                }
                '\\' => {
                    any = true;
                    let Some((_, escaped)) = signs.next() else { break };
                    // `\xHH` stands for one byte; who needs it writes a name no attacker would.
                    if !matches!(escaped, ' ' | '\t' | ',' | ':' | '=' | '!' | '\\' | '"' | '(' | ')' | '@' | '#' | '%') {
                        word.push('\\');
                    }
                    word.push(escaped);
                }
                sign if stop.contains(&sign) => {
                    end = at;
                    break;
                }
                sign => {
                    any = true;
                    word.push(sign);
                }
            }
        }
        self.rest = self.rest.get(end..).unwrap_or_default();
        any.then_some(word)
    }
}
