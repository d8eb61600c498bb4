//! The rules of AIDE, includes and conditions resolved, and what they make of a path.
//!
//! Programs among the included files are not run. One whose text names the directory of a path leaves open what becomes
//! of it; so does a variable that nobody here defines, in a rule that might match.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regex::Regex;

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::parse::aide::{Groups, Kind, Line, attributes, expanded, line, predefined};
use crate::resource::Context;

const DEEPEST: usize = 16;
const MOST_FILES: usize = 2_000;
const MOST_RULES: usize = 50_000;

/// One rule.
struct Rule {
    kind: Kind,
    regex: Regex,
    /// How much of it is plain text: AIDE asks the rule of the deepest directory first.
    depth: usize,
    /// Whether it is for regular files, and whether for directories.
    files: bool,
    directories: bool,
    attributes: BTreeSet<String>,
    /// Whether it hangs on something that is not known.
    uncertain: bool,
    origin: Origin,
}

/// The configuration.
pub(in crate::resource) struct Rules {
    pub(in crate::resource) path: PathBuf,
    rules: Vec<Rule>,
    /// Text of programs whose output would be configuration, and their paths.
    generated: Vec<(PathBuf, String)>,
    /// Options, by name in small letters.
    pub(in crate::resource) options: BTreeMap<String, (String, Origin)>,
}

/// What becomes of a path.
pub(in crate::resource) enum Outcome<'a> {
    Checked(&'a BTreeSet<String>, &'a Origin),
    Unchecked(Origin),
    Unknown(Gap),
}

impl Rules {
    /// The configuration of the host; absent where there is none.
    pub(in crate::resource) fn of(context: &Context<'_>) -> Arc<Fact<Self>> {
        context.once(|context| {
            for path in ["/etc/aide/aide.conf", "/etc/aide.conf"] {
                let rules = Self { path: path.into(), rules: Vec::new(), generated: Vec::new(), options: BTreeMap::new() };
                let mut reader =
                    Reader { context, rules, groups: predefined(), variables: BTreeMap::new(), conditions: Vec::new(), files: 0 };
                match reader.file(Path::new(path), 0) {
                    Ok(true) => return Fact::Known(reader.rules, Origin::file(path)),
                    Ok(false) => {}
                    Err(gap) => return Fact::Unknown(gap),
                }
            }
            Fact::Absent(Origin::file("/etc/aide/aide.conf"))
        })
    }

    /// What the rules make of a regular file.
    pub(in crate::resource) fn judge(&self, path: &str) -> Outcome<'_> {
        let unknown = |origin: Origin, why: &str| Outcome::Unknown(Gap::new(origin, Reason::unsupported(why)));
        let directory = Path::new(path).parent().map(|parent| parent.to_string_lossy().into_owned()).unwrap_or_default();
        let named = |text: &str| text.contains(&directory) || text.contains(path);
        if let Some((program, _)) = self.generated.iter().find(|(_, text)| directory.len() > 1 && named(text)) {
            return unknown(Origin::file(program.as_path()), "a program makes rules about this directory, and is not run");
        }
        let above: Vec<String> = Path::new(path).ancestors().map(|part| part.to_string_lossy().into_owned()).collect();
        for rule in self.rules.iter().filter(|rule| rule.kind == Kind::Not) {
            let hit = above
                .iter()
                .enumerate()
                .any(|(at, part)| part != "/" && (if at > 0 { rule.directories } else { rule.files }) && rule.regex.is_match(part));
            match (hit, rule.uncertain) {
                (true, true) => return unknown(rule.origin.clone(), "whether this rule takes the path out hangs on what is not known"),
                (true, false) => return Outcome::Unchecked(rule.origin.clone()),
                (false, _) => {}
            }
        }
        let mut best: Option<&Rule> = None;
        let matching = self.rules.iter().filter(|rule| rule.kind != Kind::Not && rule.files && rule.regex.is_match(path));
        for rule in
            matching.filter(|rule| rule.kind == Kind::Select || rule.regex.find(path).is_some_and(|found| found.end() == path.len()))
        {
            if best.is_none_or(|best| rule.depth > best.depth) {
                best = Some(rule);
            }
        }
        match best {
            Some(rule) if rule.uncertain => unknown(rule.origin.clone(), "whether this rule is for the path hangs on what is not known"),
            Some(rule) => Outcome::Checked(&rule.attributes, &rule.origin),
            None => Outcome::Unchecked(Origin::file(self.path.as_path())),
        }
    }
}

struct Reader<'a> {
    context: &'a Context<'a>,
    rules: Rules,
    groups: Groups,
    variables: BTreeMap<String, String>,
    /// For each open condition: whether it holds; `None` where that is not known.
    conditions: Vec<Option<bool>>,
    files: usize,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, depth: usize) -> Result<bool, Gap> {
        self.files += 1;
        if depth > DEEPEST || self.files > MOST_FILES {
            return Err(Gap::new(Origin::file(path), Reason::malformed("files include each other without end")));
        }
        let Some(content) = self.context.host.read(path).into_result()? else { return Ok(false) };
        let text = String::from_utf8_lossy(&content);
        for (number, text) in (1..).zip(text.lines()) {
            self.line(text, &Origin::line(path, number), depth)?;
        }
        Ok(true)
    }

    fn line(&mut self, text: &str, origin: &Origin, depth: usize) -> Result<(), Gap> {
        let (text, missing) = expanded(text, &self.variables, ".*");
        let said = line(&text);
        match &said {
            Line::If(name, negated) => {
                let known = (!name.is_empty()).then(|| self.variables.contains_key(name));
                // What is not defined here may be by a program.
                let holds = known.filter(|defined| *defined || self.rules.generated.is_empty()).map(|defined| defined != *negated);
                self.conditions.push(holds);
                return Ok(());
            }
            Line::Else => {
                if let Some(last) = self.conditions.last_mut() {
                    *last = last.map(|holds| !holds);
                }
                return Ok(());
            }
            Line::EndIf => {
                self.conditions.pop();
                return Ok(());
            }
            _ => {}
        }
        if self.conditions.contains(&Some(false)) {
            return Ok(());
        }
        let uncertain = missing || self.conditions.contains(&None);
        match said {
            Line::Define(name, value) => drop(self.variables.insert(name, value)),
            Line::Undefine(name) => drop(self.variables.remove(&name)),
            Line::Include(path, pattern, runs) => self.include(Path::new(&path), pattern.as_deref(), runs, origin, depth)?,
            Line::Assign(name, value) => match attributes(&value, &self.groups) {
                Some(group) => drop(self.groups.insert(name, group)),
                None => drop(self.rules.options.insert(name.to_ascii_lowercase(), (value, origin.clone()))),
            },
            Line::Rule(kind, regex, restriction, expression) => self.rule(kind, &regex, restriction, expression, uncertain, origin)?,
            Line::Empty | Line::Other | Line::If(..) | Line::Else | Line::EndIf => {}
        }
        Ok(())
    }

    fn rule(
        &mut self,
        kind: Kind,
        regex: &str,
        restriction: Option<String>,
        expression: Option<String>,
        uncertain: bool,
        origin: &Origin,
    ) -> Result<(), Gap> {
        let refuse = |why: &str| Err(Gap::new(origin.clone(), Reason::malformed(why)));
        if self.rules.rules.len() >= MOST_RULES {
            return Err(Gap::new(origin.clone(), Reason::TooLarge));
        }
        let Ok(compiled) = Regex::new(&format!("^(?:{regex})")) else { return refuse("not a regular expression") };
        let (attributes, open) = match &expression {
            None => (BTreeSet::new(), false),
            Some(expression) => match attributes(expression, &self.groups) {
                Some(found) => (found, false),
                None if uncertain || !self.rules.generated.is_empty() => (BTreeSet::new(), true),
                None => return refuse("a rule names attributes that are not known"),
            },
        };
        let plain = regex.find(['\\', '[', '(', '.', '*', '+', '?', '{', '|', '$', '^']).unwrap_or(regex.len());
        let depth = regex.get(..plain).unwrap_or_default().matches('/').count();
        let is_for = |kind: char| restriction.as_deref().is_none_or(|of| of == "0" || of.starts_with('=') || of.contains(kind));
        let (files, directories) = (is_for('f'), is_for('d'));
        let uncertain = uncertain || open;
        self.rules.rules.push(Rule { kind, regex: compiled, depth, files, directories, attributes, uncertain, origin: origin.clone() });
        Ok(())
    }

    fn include(&mut self, path: &Path, pattern: Option<&str>, runs: bool, origin: &Origin, depth: usize) -> Result<(), Gap> {
        let mut paths = vec![path.to_path_buf()];
        if let Some(pattern) = pattern {
            let Ok(wanted) = Regex::new(pattern) else {
                return Err(Gap::new(origin.clone(), Reason::malformed("not a regular expression")));
            };
            let entries = self.context.host.list(path).into_result()?;
            let names = entries.iter().flat_map(|entries| entries.iter()).filter(|entry| wanted.is_match(&entry.name.to_string_lossy()));
            paths = names.map(|entry| path.join(&entry.name)).collect();
        }
        for path in paths {
            let stat = self.context.host.stat(&path).into_result()?;
            if runs && stat.is_some_and(|stat| stat.mode.bits() & 0o111 != 0) {
                let text = self.context.host.read(&path).into_result()?.unwrap_or_default();
                self.rules.generated.push((path, String::from_utf8_lossy(&text).into_owned()));
            } else {
                self.file(&path, depth + 1)?;
            }
        }
        Ok(())
    }
}
