//! The files of auditctl, and how augenrules makes one of many.

use std::collections::{BTreeSet, HashMap};

use super::fields::{self, Comparison, Kind, Names, Operator};
use super::{Access, Action, Arch, Calls, Filter, Machine, Rule, Scope, Watch, kernel, syscalls};
use crate::fact::{Text, Version};

/// Rules kept of one host; files hold fewer by far.
const MOST_RULES: usize = 200_000;
/// Deletions by key that are carried out; each looks at every rule.
const MOST_PURGES: usize = 1_000;
/// Fields the kernel takes in one rule.
const MOST_FIELDS: usize = 64;

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
            if !known && !(repeats && reader.goes_on) {
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

/// The option a line begins with, and its value: the next word, or what follows a letter in the same word.
fn option(words: &[String]) -> Result<(&str, Option<&str>), String> {
    let first = words.first().map(String::as_str).unwrap_or_default();
    let second = words.get(1).map(String::as_str);
    match first.char_indices().nth(2) {
        Some((at, _)) if first.starts_with('-') && !first.starts_with("--") => {
            let (option, value) = first.split_at(at);
            Ok((option, Some(value)))
        }
        _ if first.starts_with('-') => Ok((first, second)),
        _ => Err(format!("`{first}` is not an option of auditctl")),
    }
}

/// One rule from the words of its line.
fn rule(words: &[String], names: &Names<'_>) -> Result<Rule, String> {
    let mut rule = Rule {
        list: Filter::Exit,
        action: Action::Always,
        arch: None,
        calls: Calls::All,
        watch: None,
        access: None,
        comparisons: Vec::new(),
        keys: Vec::new(),
    };
    let (mut calls, mut every_call, mut begun, mut fields) = (BTreeSet::new(), false, false, 0_usize);
    let mut rest = words;
    while let [first, after @ ..] = rest {
        let (letter, value) = option(rest)?;
        let value = value.ok_or_else(|| format!("`{letter}` without its value"))?;
        rest = if first == letter { after.get(1..).unwrap_or_default() } else { after };
        fields += 1;
        if fields > 2 * MOST_FIELDS {
            return Err(format!("a rule has at most {MOST_FIELDS} fields"));
        }
        match letter {
            "-a" | "-A" | "-d" if !begun => (rule.list, rule.action) = list_and_action(value)?,
            "-w" | "-W" if !begun => {
                // auditctl takes a slash off the end, and with it a link is no longer followed.
                let path = value.trim_end_matches('/');
                let path = if path.is_empty() { "/" } else { path };
                rule.watch = Some(Watch { path: absolute(path)?, scope: Scope::AsFound });
                rule.access = Some(Access::ALL);
            }
            _ if !begun => return Err(format!("`{letter}` before the rule it belongs to")),
            "-p" => rule.access = Some(access(value)?),
            "-k" => rule.keys.push(key(value)?),
            "-S" => {
                for call in value.split(',').filter(|call| !call.is_empty()) {
                    if call == "all" {
                        every_call = true;
                    } else {
                        calls.insert(call.to_owned());
                    }
                }
            }
            "-F" => field(&mut rule, value, names)?,
            "-C" => {
                let (left, operator, right) = Operator::split(value).ok_or_else(|| format!("`{value}` compares nothing"))?;
                let (field, value) =
                    fields::pair_by_names(left, right).ok_or_else(|| format!("`{left}` and `{right}` cannot be compared"))?;
                if !matches!(operator, Operator::Equal | Operator::NotEqual) {
                    return Err("fields are compared with `=` or `!=`".to_owned());
                }
                rule.comparisons.push(Comparison { field: field.to_owned(), operator, value: value.to_owned(), between_fields: true });
            }
            _ => return Err(format!("`{letter}` is not an option of a rule")),
        }
        begun = true;
    }
    if !every_call && !calls.is_empty() && rule.list == Filter::Exit {
        rule.calls = Calls::Some(calls.into_iter().map(|call| call_name(&call, &rule, names.machine)).collect::<Result<_, _>>()?);
    }
    rule.comparisons.sort();
    rule.comparisons.dedup();
    Ok(rule)
}

fn list_and_action(value: &str) -> Result<(Filter, Action), String> {
    let bad = || format!("`{value}` is not a list and an action");
    let (left, right) = value.split_once(',').ok_or_else(bad)?;
    let action = |word| match word {
        "always" => Some(Action::Always),
        "never" => Some(Action::Never),
        _ => None,
    };
    match (Filter::of_word(left), action(right), action(left), Filter::of_word(right)) {
        (Some(list), Some(action), ..) | (_, _, Some(action), Some(list)) => Ok((list, action)),
        _ => Err(bad()),
    }
}

fn absolute(path: &str) -> Result<String, String> {
    if path.starts_with('/') { Ok(path.to_owned()) } else { Err(format!("`{path}` is not an absolute path")) }
}

fn access(value: &str) -> Result<Access, String> {
    Access::parse(value).filter(|access| *access != Access::default()).ok_or_else(|| format!("`{value}` is not some of r, w, x, a"))
}

fn key(value: &str) -> Result<String, String> {
    if value.is_empty() { Err("an empty key".to_owned()) } else { Ok(value.to_owned()) }
}

fn field(rule: &mut Rule, text: &str, names: &Names<'_>) -> Result<(), String> {
    let (name, operator, value) = Operator::split(text).ok_or_else(|| format!("`{text}` compares nothing"))?;
    let (name, kind) = fields::by_name(name).ok_or_else(|| format!("`{name}` is not a field"))?;
    let equal = operator == Operator::Equal;
    match kind {
        Kind::Path | Kind::Dir if !equal => return Err(format!("`{name}` can only be equal")),
        Kind::Path | Kind::Dir if rule.watch.is_some() => return Err("a rule watches one path".to_owned()),
        Kind::Path => rule.watch = Some(Watch { path: absolute(value)?, scope: Scope::Itself }),
        Kind::Dir => rule.watch = Some(Watch { path: absolute(value)?, scope: Scope::Tree }),
        Kind::Access if !equal => return Err("`perm` can only be equal".to_owned()),
        Kind::Access => rule.access = Some(access(value)?),
        Kind::Key => rule.keys.push(key(value)?),
        Kind::Arch if equal && rule.arch.is_none() => rule.arch = Some(arch(value, names.machine)?),
        Kind::Arch => {
            let value = arch(value, names.machine)?.to_string();
            rule.comparisons.push(Comparison { field: name.to_owned(), operator, value, between_fields: false });
        }
        kind => {
            let value = fields::value_of_text(kind, value, names)?;
            rule.comparisons.push(Comparison { field: name.to_owned(), operator, value, between_fields: false });
        }
    }
    Ok(())
}

fn arch(value: &str, machine: Machine) -> Result<Arch, String> {
    let number = match value {
        "b64" => return Ok(Arch::B64),
        "b32" => return Ok(Arch::B32),
        "x86_64" => 0xc000_003e,
        "i386" | "i486" | "i586" | "i686" => 0x4000_0003,
        "aarch64" => 0xc000_00b7,
        "arm" | "armeb" | "armv5tejl" | "armv5tel" | "armv6l" | "armv7l" => 0x4000_0028,
        "ppc" | "ppc64" | "ppc64le" | "s390" | "s390x" | "riscv32" | "riscv64" => return Ok(Arch::Other(value.to_owned())),
        _ => value
            .strip_prefix("0x")
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .ok_or_else(|| format!("`{value}` is not an architecture"))?,
    };
    Ok(kernel::arch(number, machine))
}

/// A call by its name on the architecture of the rule.
fn call_name(call: &str, rule: &Rule, machine: Machine) -> Result<String, String> {
    let machine = if matches!(rule.arch, Some(Arch::Other(_))) { Machine::Other } else { machine };
    match call.parse::<u16>() {
        Ok(number) if number < 2048 => Ok(syscalls::name(machine, rule.arch == Some(Arch::B32), number)),
        Err(_) if machine == Machine::Other || syscalls::is_known(call) => Ok(call.to_owned()),
        _ => Err(format!("`{call}` is not a system call")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(text: &str) -> Configured {
        let file = Text::from("/etc/audit/audit.rules");
        read(lines(&file, text), &Names::of(Machine::X86_64))
    }

    fn rules(text: &str) -> Vec<String> {
        configured(text).rules.iter().map(|placed| placed.rule.to_string()).collect()
    }

    fn refused(text: &str) -> Option<(u32, String)> {
        configured(text).refusal.map(|refusal| (refusal.line, refusal.why))
    }

    #[test]
    fn spellings_meet_in_one() {
        let one = "-a always,exit -F arch=b64 -S openat,unlink -F path=/etc/hosts -F perm=wa -F auid!=unset -F key=a";
        for spelling in [
            "-a exit,always -S unlink,openat -F path=/etc/hosts -F arch=b64 -F perm=aw -F auid!=-1 -k a",
            "-a always,exit -F arch=x86_64 -S openat -S 87 -F path=/etc/hosts -F perm=WA -F loginuid!=4294967295 -F key=a",
            "  -aalways,exit   -F arch=b64 -Sunlink -Sopenat -F path=/etc/hosts -pwa -F auid!=unset -ka",
        ] {
            assert_eq!(rules(spelling), [one], "{spelling}");
        }
        assert_eq!(rules("-w /etc/docker/ -k docker"), ["-w /etc/docker -p rwxa -k docker"]);
        assert_eq!(rules("-a always,exit -S open,59,all -F path=/etc/hosts"), ["-a always,exit -F path=/etc/hosts"]);
        assert_eq!(rules("-w /srv/a\\ b -p w -k x\\ y"), ["-w /srv/a\\ b -p w -k x\\ y"]);
        assert_eq!(rules("-w /etc/hosts -p wa -F auid>=1000"), ["-a always,exit -F path=/etc/hosts -F perm=wa -F auid>=1000"]);
        assert_eq!(rules("-a always,exit -F arch=b32 -S 124 -k t"), ["-a always,exit -F arch=b32 -S adjtimex -F key=t"]);
        assert_eq!(rules("-a always,exit -C euid!=uid -F euid=root -S execve"), ["-a always,exit -S execve -F euid=0 -C uid!=euid"]);
    }

    #[test]
    fn quotes_are_letters_and_comments_stand_alone() {
        assert_eq!(rules("# -w /etc/a\n   # -w /etc/b\n\n-w /etc/c -p w -k \"q\""), ["-w /etc/c -p w -k \"q\""]);
        assert_eq!(refused("-w \"/etc/a\" -p w").map(|r| r.0), Some(1), "auditctl does not take quotes off");
        assert!(refused("-w /etc/a -k x # why").is_some(), "a comment cannot follow a rule");
        assert!(refused("-w\t/etc/a\t-k\tx").is_some(), "tabs separate nothing");
    }

    #[test]
    fn auditctl_stops_at_what_it_refuses() {
        let read = configured("-w /etc/a\n-bogus x\n-a always,exit -F nothing=1\n-w /etc/b\n");
        assert_eq!(read.refusal.as_ref().map(|refusal| refusal.line), Some(3), "-b with any value is a backlog");
        assert_eq!(read.rules.iter().map(|placed| (placed.line, placed.after_stop)).collect::<Vec<_>>(), [(1, false), (4, true)]);
        for goes_on in ["-c", "-i"] {
            assert!(!configured(&format!("{goes_on}\n-z\n-w /etc/b")).rules[0].after_stop);
        }
        for wrong in [
            "-a entry,always -S open",
            "-a possible,exit",
            "-a always,exit -S nosuchcall",
            "-a always,exit -F path=relative",
            "-a always,exit -F path=/a -F dir=/b",
            "-a always,exit -F success=yes",
            "-a always,exit -F arch=vax",
            "-a always,exit -F perm=q",
            "-p wa -w /etc/a",
            "-w /etc/a -w /etc/b",
            "-w /etc/a -p",
            "-W /etc/a",
            "-e 3",
            "-D -k",
            "wat",
        ] {
            assert!(refused(wrong).is_some(), "{wrong}");
        }
        assert_eq!(refused("-w /etc/a\n-w /etc/a\n").map(|r| r.0), Some(2), "the kernel refuses a rule that it has");
    }

    #[test]
    fn control_lines_are_known() {
        let all = "-D\n-b 8192\n--backlog_wait_time 60000\n-f 1\n-r 100\n-i\n-c\n--loginuid-immutable\n-e 2\n";
        let read = configured(all);
        assert!(read.refusal.is_none(), "{:?}", read.refusal);
        assert_eq!(read.enabled.map(|enabled| (enabled.value, enabled.line)), Some((2, 9)));
        assert_eq!(configured("-e 1\n-e0\n").enabled.map(|enabled| enabled.value), Some(0));
    }

    #[test]
    fn rules_can_be_deleted_again() {
        assert_eq!(rules("-w /a -k x\n-D\n-w /b"), ["-w /b -p rwxa"]);
        assert_eq!(rules("-w /a -k x\n-w /b -k y\n-D -k x"), ["-w /b -p rwxa -k y"]);
        assert_eq!(rules("-w /a -p wa -k x\n-w /b\n-W /a -p aw -k x"), ["-w /b -p rwxa"]);
        assert_eq!(rules("-a always,exit -S open -k x\n-d exit,always -S open -k x"), [""; 0]);
        assert_eq!(rules("-w /a -k x\n-D -k x\n-w /a -k x"), ["-w /a -p rwxa -k x"], "and given again");
    }

    #[test]
    fn prepended_rules_come_first() {
        let rules = rules("-w /a\n-A never,exit -F path=/a\n-A never,exit -F path=/b");
        assert_eq!(rules, ["-a never,exit -F path=/b", "-a never,exit -F path=/a", "-w /a -p rwxa"]);
    }

    #[test]
    fn files_merge_as_augenrules_does() {
        let names: Vec<Text> = ["10-b.rules", "9-a.rules", "99-final.rules"].map(Text::from).into();
        let files = [
            (&names[0], "-b 8192\n-w /b\n-D -k b\n-e 2\n-f 2\n"),
            (&names[1], "# first\n-D\n\n-w /a\n-b 1\n-e 1\n"),
            (&names[2], "-w /c\n-f 1\n"),
        ];
        let merged: Vec<_> = merged(&files).into_iter().map(|line| (line.file.raw(), line.number, line.text)).collect();
        assert_eq!(
            merged,
            [
                ("9-a.rules", 2, "-D"),
                ("10-b.rules", 1, "-b 8192"),
                ("99-final.rules", 2, "-f 1"),
                ("9-a.rules", 4, "-w /a"),
                ("10-b.rules", 2, "-w /b"),
                ("10-b.rules", 3, "-D -k b"),
                ("99-final.rules", 1, "-w /c"),
                ("10-b.rules", 4, "-e 2"),
            ]
        );
    }

    #[test]
    fn many_rules_and_long_ones_are_bounded() {
        let many: String = (0..100_000).map(|i| format!("-w /srv/{i} -p wa -k k{}\n", i % 10)).collect();
        assert_eq!(configured(&many).rules.len(), 100_000);
        let long = format!("-a always,exit {}", "-F pid=1 ".repeat(1000));
        assert!(refused(&long).is_some());
        let purges = "-D -k x\n".repeat(2_000);
        assert!(refused(&purges).is_some());
    }
}
