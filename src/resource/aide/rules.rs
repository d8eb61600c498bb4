//! The rules of AIDE, includes and conditions resolved, and what they make of a path.
//!
//! Programs among the included files are not run. One whose text names the directory of a path leaves open what becomes
//! of it; so does a variable that nobody here defines, in a rule that might match.
//!
//! AIDE keeps a rule under the directory that its plain text names, and asks it of what is below there alone. Whether a
//! rule that leaves a directory out also leaves out what is below it has changed: up to 0.16 nobody descended into it, unless
//! other rules wanted to; 0.17 and 0.18 ask rules without restriction of every directory above, rules for directories of
//! directories alone; since 0.19 `!` is asked of each path by itself, and `-` takes what is below along.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regex::Regex;

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::parse::aide::{Groups, Kind, Line, attributes, directory, expanded, line, predefined};
use crate::resource::Context;
use crate::resource::packages::Packages;

const DEEPEST: usize = 16;
const MOST_FILES: usize = 2_000;
const MOST_RULES: usize = 50_000;

/// One rule.
struct Rule {
    kind: Kind,
    regex: Regex,
    /// The directory it is kept under: AIDE asks the rules of the deepest one first.
    directory: PathBuf,
    /// Whether that may be another one, for a variable in it is not known.
    anywhere: bool,
    /// Whether it is for regular files, and whether for directories.
    files: bool,
    directories: bool,
    /// Whether it is for some kinds of files alone.
    restricted: bool,
    attributes: BTreeSet<String>,
    /// Whether it hangs on something that is not known.
    uncertain: bool,
    origin: Origin,
}

impl Rule {
    /// Whether it is asked of the path.
    fn hits(&self, path: &Path) -> bool {
        path.parent().is_some_and(|parent| parent.starts_with(&self.directory)) && self.regex.is_match(&path.to_string_lossy())
    }
}

/// The version of AIDE: its second number, for the first has always been 0.
fn minor(context: &Context<'_>) -> Option<u32> {
    let packages = Packages::of(context);
    let version = packages.as_ref().as_ref().ok()?.installed().find(|package| package.name == "aide")?.version.clone();
    let version = version.split_once(':').map_or(version.as_str(), |(_, version)| version);
    let minor = version.strip_prefix("0.")?;
    minor.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// The configuration.
pub(in crate::resource) struct Rules {
    pub(in crate::resource) path: PathBuf,
    rules: Vec<Rule>,
    /// See [`minor`].
    minor: Option<u32>,
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
                let rules = Self {
                    path: path.into(),
                    rules: Vec::new(),
                    minor: minor(context),
                    generated: Vec::new(),
                    options: BTreeMap::new(),
                };
                let mut reader = Reader {
                    context,
                    rules,
                    groups: predefined(),
                    variables: BTreeMap::new(),
                    conditions: Vec::new(),
                    files: 0,
                    missing: false,
                };
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
        let path = Path::new(path);
        for rule in self.rules.iter().filter(|rule| matches!(rule.kind, Kind::Not | Kind::Never)) {
            let itself = rule.files && rule.hits(path);
            let above = !itself && rule.directories && path.ancestors().skip(1).any(|part| rule.hits(part));
            let leaves_out = match (itself, above) {
                (true, _) => Some(true),
                (_, false) => Some(false),
                _ => self.goes_along(rule),
            };
            match leaves_out {
                Some(false) => {}
                Some(true) if !rule.uncertain => return Outcome::Unchecked(rule.origin.clone()),
                Some(true) => return unknown(rule.origin.clone(), "whether this rule takes the path out hangs on what is not known"),
                None => return unknown(rule.origin.clone(), "whether AIDE leaves out what is below hangs on its version"),
            }
        }
        match self.selecting(path) {
            Some(rule) if rule.uncertain => unknown(rule.origin.clone(), "whether this rule is for the path hangs on what is not known"),
            Some(rule) => Outcome::Checked(&rule.attributes, &rule.origin),
            None => Outcome::Unchecked(Origin::file(self.path.as_path())),
        }
    }

    /// Whether what is below a directory goes with it when this rule leaves that out; `None` where it cannot be told.
    fn goes_along(&self, rule: &Rule) -> Option<bool> {
        match (rule.kind, self.minor) {
            (Kind::Never, _) => Some(true),
            (_, Some(17 | 18)) => Some(!rule.restricted),
            (_, Some(19..)) => Some(false),
            _ => None,
        }
    }

    /// The rule that selects a file: one of `=` kept under its very directory, else the first of the deepest.
    fn selecting(&self, path: &Path) -> Option<&Rule> {
        let hitting = |kind| self.rules.iter().filter(move |rule| rule.kind == kind && rule.files && rule.hits(path));
        let beside = |rule: &&Rule| rule.anywhere || path.parent() == Some(rule.directory.as_path());
        if let Some(rule) = hitting(Kind::Equal).find(beside) {
            return Some(rule);
        }
        let depth = |rule: &Rule| if rule.anywhere { usize::MAX } else { rule.directory.components().count() };
        let mut best: Option<&Rule> = None;
        for rule in hitting(Kind::Select) {
            if best.is_none_or(|best| depth(rule) > depth(best)) {
                best = Some(rule);
            }
        }
        best
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
    /// Whether the line at hand has a variable that is not known.
    missing: bool,
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
        self.missing = missing;
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
        // AIDE 0.16 went on at a question mark, later ones stop there.
        let kept = directory(regex, &['(', '^', '$', '?', '*', '[']);
        let anywhere = self.missing || kept != directory(regex, &['(', '^', '$', '*', '[']);
        let restriction = restriction.as_deref().filter(|of| *of != "0");
        let (kinds, system) = restriction.unwrap_or_default().split_once('=').map_or((restriction.unwrap_or_default(), false), |(kinds, _)| (kinds, true));
        let is_for = |kind: char| kinds.is_empty() || kinds.contains(kind);
        // Whether a path is on a filesystem of the kind that a restriction names is not asked.
        let uncertain = uncertain || open || anywhere || system;
        self.rules.rules.push(Rule {
            kind,
            regex: compiled,
            directory: kept.into(),
            anywhere,
            files: is_for('f'),
            directories: is_for('d'),
            restricted: restriction.is_some(),
            attributes,
            uncertain,
            origin: origin.clone(),
        });
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
