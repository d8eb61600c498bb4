//! Commands in shell text, well enough to know which programs a build step runs. Nothing is expanded or run.

/// One simple command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Command {
    /// Its words with quotes taken off: assignments before the program, the program, its arguments.
    pub words: Vec<String>,
    /// Whether it reads what the command before it writes.
    pub piped: bool,
}

/// Words that may stand before a program.
const LEADERS: [&str; 22] = [
    "if",
    "then",
    "else",
    "elif",
    "do",
    "while",
    "until",
    "!",
    "{",
    "sudo",
    "exec",
    "time",
    "command",
    "nice",
    "env",
    "eatmydata",
    "nohup",
    "builtin",
    "-E",
    "-n",
    "export",
    "local",
];

impl Command {
    /// Name of the program without its directory, and its arguments. Assignments and words that lead to a program are passed over.
    #[must_use]
    pub fn program(&self) -> Option<(&str, &[String])> {
        let leads = |word: &&String| LEADERS.contains(&word.as_str()) || is_assignment(word);
        let skip = self.words.iter().take_while(leads).count();
        let (program, arguments) = self.words.get(skip..)?.split_first()?;
        Some((program.rsplit('/').next().unwrap_or(program), arguments))
    }

    /// The assignments before the program, as name and value.
    pub fn assignments(&self) -> impl Iterator<Item = (&str, &str)> {
        let leads = |word: &&String| LEADERS.contains(&word.as_str()) || is_assignment(word);
        self.words.iter().take_while(leads).filter_map(|word| word.split_once('='))
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    })
}

/// Whether a program is a shell or another interpreter that runs what it is given.
#[must_use]
pub fn is_interpreter(program: &str) -> bool {
    matches!(program, "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "perl" | "ruby" | "node" | "php") || program.starts_with("python")
}

/// The simple commands of a text, in order; those in `sh -c '…'` follow the command that holds them.
#[must_use]
pub fn commands(text: &str) -> Vec<Command> {
    let mut found = Vec::new();
    split(text, 0, &mut found);
    found
}

/// How deep commands in quotes are looked into.
const DEEPEST: u8 = 4;

fn split(text: &str, depth: u8, found: &mut Vec<Command>) {
    let mut reader = Reader { depth, found, command: Command::default(), word: None };
    let mut chars = text.chars().peekable();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"'), '\\') | (None, '\\') => match chars.next() {
                Some('\n') | None => {}
                Some(escaped) => reader.push(escaped),
            },
            (Some(_), c) => reader.push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                reader.word.get_or_insert_default();
            }
            (None, '#') if reader.word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            (None, '|') => {
                let pipe = chars.next_if_eq(&'|').is_none();
                reader.end_command(pipe);
            }
            (None, '&') => {
                // `&>` and `>&` are redirections.
                if chars.peek() == Some(&'>') || reader.word.as_deref().is_some_and(|word| word.ends_with('>')) {
                    reader.push(c);
                } else {
                    let _ = chars.next_if_eq(&'&');
                    reader.end_command(false);
                }
            }
            (None, ';' | '\n' | '(' | ')') => {
                // What stands in `$(…)` and `<(…)` is a command of its own; the word before says so.
                reader.end_command(false);
            }
            (None, c) if c.is_whitespace() => reader.end_word(),
            (None, c) => reader.push(c),
        }
    }
    reader.end_command(false);
}

struct Reader<'a> {
    depth: u8,
    found: &'a mut Vec<Command>,
    command: Command,
    word: Option<String>,
}

impl Reader<'_> {
    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn end_word(&mut self) {
        self.command.words.extend(self.word.take());
    }

    fn end_command(&mut self, pipe: bool) {
        self.end_word();
        let command = std::mem::take(&mut self.command);
        self.command.piped = pipe;
        if command.words.is_empty() {
            self.command.piped |= command.piped;
            return;
        }
        let script = command.program().and_then(|(program, arguments)| {
            let at = arguments.iter().position(|word| word.starts_with('-') && word.ends_with('c'))?;
            (is_interpreter(program)).then(|| arguments.get(at + 1).cloned()).flatten()
        });
        self.found.push(command);
        if let Some(script) = script
            && self.depth < DEEPEST
        {
            split(&script, self.depth + 1, self.found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(text: &str) -> Vec<String> {
        commands(text).iter().filter_map(|command| command.program().map(|(program, _)| program.to_owned())).collect()
    }

    #[test]
    fn commands_are_split_and_quotes_are_not() {
        assert_eq!(
            programs("set -eux; apt-get update && apt-get install -y \\\n  a 'b; c' | tee log"),
            ["set", "apt-get", "apt-get", "tee"]
        );
        assert_eq!(programs("DEBIAN_FRONTEND=noninteractive /usr/bin/apt-get update 2>&1 || true"), ["apt-get", "true"]);
        assert_eq!(programs("if ! which x; then sudo apt update; fi # apt-get update"), ["which", "apt", "fi"]);
        assert_eq!(programs("echo 'apt-get update && x'"), ["echo"]);
    }

    #[test]
    fn scripts_in_quotes_are_looked_into() {
        assert_eq!(programs("bash -lc 'apk update; apk add x'"), ["bash", "apk", "apk"]);
        assert!(commands("curl -sSL https://example.org | bash -s -- -y").last().unwrap().piped);
        assert!(!commands("a || b").last().unwrap().piped);
    }

    #[test]
    fn hostile_text_ends() {
        assert!(commands(&"sh -c '".repeat(1000)).len() < 10);
        assert!(commands("").is_empty() && commands("'\\").len() == 1);
        assert!(commands(&"(".repeat(100_000)).is_empty());
    }
}
