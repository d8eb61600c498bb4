//! The files of auditctl, and how augenrules makes one of many.

mod rule;

use std::collections::HashMap;

use super::{Names, Rule};
use crate::fact::{Text, Version};
use rule::{option, rule};

/// Rules kept of one host; files hold fewer by far.
const MOST_RULES: usize = 200_000;
/// Deletions by key that are carried out; each looks at every rule.
const MOST_PURGES: usize = 1_000;

/// Why a rule that is there already is refused.
const REPEATED: &str = "the rule was given before";

/// One line of a rules file.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The file.
    pub file: &'a Text,
    /// Its number, from 1.
    pub number: u32,
    /// What it says, without the line break.
    pub text: &'a str,
}

/// A rule and the line that gives it.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The rule.
    pub rule: Rule,
    /// The file.
    pub file: Text,
    /// The line, from 1.
    pub line: u32,
    /// Whether a line before it stops auditctl, so that it may never be loaded.
    pub after_stop: bool,
}

/// A line that auditctl refuses, or that is not understood here.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The file.
    pub file: Text,
    /// The line, from 1.
    pub line: u32,
    /// What is wrong with it.
    pub why: String,
    /// Whether it is a rule that is there already, which the kernel refuses and which adds nothing.
    pub repeats: bool,
}

/// Whether auditing is switched on, and the line that says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enabled {
    /// 0 turns auditing off, 1 on, 2 locks it.
    pub value: u8,
    /// The file.
    pub file: Text,
    /// The line, from 1.
    pub line: u32,
}

/// What a list of lines leaves behind when auditctl has read it.
#[derive(Clone, Debug, Default)]
pub struct Configured {
    /// The rules, in the order in which the kernel asks them.
    pub rules: Vec<Placed>,
    /// The last `-e`.
    pub enabled: Option<Enabled>,
    /// The first line that is refused. Without `-c` or `-i` before it, auditctl stops there.
    pub refusal: Option<Refusal>,
}

/// The lines of one file, in order.
pub fn lines<'a>(file: &'a Text, content: &'a str) -> impl Iterator<Item = Line<'a>> {
    (1..).zip(content.lines()).map(move |(number, text)| Line { file, number, text })
}

/// The lines of the files of `rules.d` in the order in which augenrules writes them: files by `ls -v`, the last `-D`
/// without a key first, then the last `-b` and `-f`, then everything else, the last `-e` at the end.
#[must_use]
pub fn merged<'a>(files: &[(&'a Text, &'a str)]) -> Vec<Line<'a>> {
    let mut files = files.to_vec();
    files.sort_by(|(a, _), (b, _)| Version::natural(stem(a.raw()), stem(b.raw())).then_with(|| a.cmp(b)));
    let (mut delete, mut backlog, mut failure, mut enabled, mut rest) = (None, None, None, None, Vec::new());
    for line in files.into_iter().flat_map(|(file, content)| lines(file, content)) {
        let text = line.text.trim_start();
        match text {
            "" => {}
            _ if text.starts_with('#') => {}
            _ if text.starts_with("-e") => enabled = Some(line),
            _ if text.trim_end() == "-D" => delete = Some(line),
            _ if text.starts_with("-f") => failure = Some(line),
            _ if text.starts_with("-b") => backlog = Some(line),
            _ => rest.push(line),
        }
    }
    [delete, backlog, failure].into_iter().flatten().chain(rest).chain(enabled).collect()
}

/// `ls -v` compares names without their suffix first.
fn stem(name: &str) -> &str {
    name.strip_suffix(".rules").unwrap_or(name)
}

/// Reads lines as `auditctl -R` does.
pub fn read<'a>(lines: impl IntoIterator<Item = Line<'a>>, names: &Names<'_>) -> Configured {
    let mut reader = Reader::default();
    for line in lines {
        // A carriage return is part of the last word for auditctl; a file full of them is still meant.
        let words = words(line.text.trim_end_matches('\r'));
        if words.first().is_none_or(|first| first.starts_with('#')) {
            continue;
        }
        if let Err(why) = reader.take(&words, line, names) {
            // What adds nothing and stops nothing is not worth a word; the first that may matter is.
            let repeats = why == REPEATED;
            let known = reader.configured.refusal.as_ref().is_some_and(|refusal| !refusal.repeats || repeats);
            if !(known || repeats && reader.goes_on) {
                reader.configured.refusal = Some(Refusal { file: line.file.clone(), line: line.number, why, repeats });
            }
            reader.stopped |= !reader.goes_on;
        }
    }
    reader.finish()
}

/// Words are separated by spaces alone, a space behind a backslash belongs to its word, and quotes are letters like any other.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.next_if_eq(&' ').is_some() => word.push(' '),
            ' ' if word.is_empty() => {}
            ' ' => words.push(std::mem::take(&mut word)),
            letter => word.push(letter),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[derive(Default)]
struct Reader {
    configured: Configured,
    /// Rules by where they stand in their list; `None` where one was deleted.
    rules: Vec<Option<(i64, Placed)>>,
    known: HashMap<Rule, usize>,
    goes_on: bool,
    stopped: bool,
    purges: usize,
}

impl Reader {
    fn finish(mut self) -> Configured {
        let mut rules: Vec<_> = self.rules.into_iter().flatten().collect();
        rules.sort_by_key(|(position, _)| *position);
        self.configured.rules = rules.into_iter().map(|(_, placed)| placed).collect();
        self.configured
    }

    fn take(&mut self, words: &[String], line: Line<'_>, names: &Names<'_>) -> Result<(), String> {
        let (option, value) = option(words)?;
        match (option, value) {
            ("-D", None) => {
                self.rules.clear();
                self.known.clear();
            }
            ("-D", Some("-k")) => self.purge(words.get(2).ok_or("`-k` without a key")?)?,
            ("-c" | "-i", _) => self.goes_on = true,
            ("-e", Some(value)) => {
                let value = value.parse().ok().filter(|value| *value <= 2).ok_or("`-e` takes 0, 1 or 2")?;
                if !self.stopped {
                    self.configured.enabled = Some(Enabled { value, file: line.file.clone(), line: line.number });
                }
            }
            ("-b" | "-f" | "-r" | "-q" | "-m" | "--backlog_wait_time", Some(_)) => {}
            ("-t" | "-s" | "-l" | "-v" | "--loginuid-immutable" | "--reset-lost" | "--reset_backlog_wait_time_actual", _) => {}
            ("-a" | "-A" | "-w", Some(_)) => self.add(rule(words, names)?, option == "-A", line)?,
            ("-d" | "-W", Some(_)) => {
                let rule = rule(words, names)?;
                let at = self.known.remove(&rule).ok_or("there is no such rule to delete")?;
                if let Some(rule) = self.rules.get_mut(at) {
                    *rule = None;
                }
            }
            _ => return Err(format!("`{option}` is not an option of auditctl, or lacks its value")),
        }
        Ok(())
    }

    fn add(&mut self, rule: Rule, prepend: bool, line: Line<'_>) -> Result<(), String> {
        if self.known.contains_key(&rule) {
            return Err(REPEATED.to_owned());
        }
        if self.rules.len() >= MOST_RULES {
            return Err(format!("there are more than {MOST_RULES} rules"));
        }
        let position = i64::try_from(self.rules.len()).unwrap_or(i64::MAX);
        self.known.insert(rule.clone(), self.rules.len());
        let placed = Placed { rule, file: line.file.clone(), line: line.number, after_stop: self.stopped };
        self.rules.push(Some((if prepend { -position } else { position }, placed)));
        Ok(())
    }

    fn purge(&mut self, key: &str) -> Result<(), String> {
        self.purges += 1;
        if self.purges > MOST_PURGES {
            return Err(format!("there are more than {MOST_PURGES} deletions by key"));
        }
        for slot in &mut self.rules {
            if let Some((_, placed)) = slot.take_if(|(_, placed)| placed.rule.keys.iter().any(|known| known == key)) {
                self.known.remove(&placed.rule);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
