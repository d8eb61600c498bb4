//! The configuration of one sshd: its command line, its file, what that includes, and the blocks in it.
//!
//! A line belongs to the `Match` line before it in its own file; before the first one, to where the file is included. So a block in
//! an included file holds only where the block that includes it does, and ends with its file.

use std::path::{Path, PathBuf};

use crate::fact::{Gap, Origin, Reason};
use crate::host::Host;
use crate::parse::sshd::{self, Directive, Setting, Shape, Spec, algorithms::Compiled, by_keyword, ignored, normalise};
use crate::resource::paths;

use super::daemon::Flags;

/// How deep files may include each other: sshd gives up beyond.
const DEEPEST: usize = 16;
/// The most files that are read.
const MOST_FILES: usize = 2_000;

/// Where something is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Flag,
    File,
}

/// One line that sets an option.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) spec: &'static Spec,
    pub(super) setting: Setting,
    pub(super) scope: usize,
    pub(super) source: Source,
    pub(super) origin: Origin,
}

/// What an sshd reads.
#[derive(Debug, Default)]
pub(super) struct Configuration {
    /// Every line that sets an option, in the order in which sshd reads them.
    pub(super) given: Vec<Given>,
    /// The condition of each scope; `None` for what holds for every connection. The first is that outside of all blocks.
    pub(super) scopes: Vec<Option<String>>,
    /// The files that were read, in order.
    pub(super) files: Vec<PathBuf>,
    /// Why something may be missing: a file that cannot be read, or a pattern that cannot be followed.
    pub(super) unread: Option<Gap>,
}

impl Configuration {
    /// Reads everything. `Err` where sshd would refuse it, or it cannot be read at all.
    pub(super) fn read(host: &dyn Host, flags: &Flags, file: &Path, compiled: Option<&Compiled>) -> Result<Self, Gap> {
        let mut reading = Reading { host, compiled, found: Self { scopes: vec![None], ..Self::default() }, refused: None };
        let refuse = |why: &str| Gap::new(flags.origin.clone(), Reason::malformed(format!("sshd refuses it: {why}")));
        for line in &flags.line.lines {
            match sshd::directive(line) {
                Some(Ok(said)) if !matches!(said.keyword.as_str(), "include" | "match") => {
                    reading.set(&said, 0, Source::Flag, flags.origin.clone())?;
                }
                Some(Ok(_)) => return Err(refuse("a keyword that only files may have")),
                Some(Err(why)) => return Err(refuse(why)),
                None => {}
            }
        }
        let content = host.read(file).into_result()?;
        let content =
            content.ok_or_else(|| Gap::new(Origin::file(file), Reason::malformed("sshd does not start without a configuration")))?;
        reading.file(file, &content, 0, 0)?;
        reading.pairs();
        match reading.refused {
            Some(gap) => Err(gap),
            None => Ok(reading.found),
        }
    }
}

struct Reading<'a> {
    host: &'a dyn Host,
    compiled: Option<&'a Compiled>,
    found: Configuration,
    /// What sshd stops for at the end of a file.
    refused: Option<Gap>,
}

impl Reading<'_> {
    fn file(&mut self, path: &Path, content: &[u8], base: usize, depth: usize) -> Result<(), Gap> {
        self.found.files.push(path.into());
        let mut scope = base;
        for (number, line) in sshd::lines(content) {
            let origin = Origin::line(path, number);
            let said = line.map_err(|why| refusal(&origin, why))?;
            match said.keyword.as_str() {
                "match" => scope = self.block(&said, base, &origin)?,
                "include" => self.include(&said, scope, depth, &origin)?,
                _ => self.set(&said, scope, Source::File, origin)?,
            }
        }
        Ok(())
    }

    /// A command that finds keys needs a user to run as: without one sshd does not start.
    fn pairs(&mut self) {
        for (command, user) in
            [("AuthorizedKeysCommand", "AuthorizedKeysCommandUser"), ("AuthorizedPrincipalsCommand", "AuthorizedPrincipalsCommandUser")]
        {
            let first = |name: &str| self.found.given.iter().find(|given| given.scope == 0 && given.spec.name == name);
            let on = first(command).filter(|given| given.setting.text != "none");
            if let Some(given) = on
                && first(user).is_none()
            {
                let gap = refusal(&given.origin, &format!("{command} without {user}"));
                self.refused.get_or_insert(gap);
            }
        }
    }

    /// A `Match` line: the scope that begins there.
    fn block(&mut self, said: &Directive, base: usize, origin: &Origin) -> Result<usize, Gap> {
        let (first, others) = said.arguments.split_first().ok_or_else(|| refusal(origin, "a Match block without a condition"))?;
        let outer = self.found.scopes.get(base).cloned().flatten();
        let own = if first.eq_ignore_ascii_case("all") {
            if !others.is_empty() {
                return Err(refusal(origin, "`Match all` with another condition"));
            }
            None
        } else {
            Some(condition(&said.arguments).ok_or_else(|| refusal(origin, "a condition it does not know"))?)
        };
        let condition = match (outer, own) {
            (Some(outer), Some(own)) => Some(format!("{outer} {own}")),
            (outer, own) => outer.or(own),
        };
        self.found.scopes.push(condition);
        Ok(self.found.scopes.len() - 1)
    }

    fn include(&mut self, said: &Directive, scope: usize, depth: usize, origin: &Origin) -> Result<(), Gap> {
        if said.arguments.is_empty() || said.arguments.iter().any(String::is_empty) {
            return Err(refusal(origin, "an Include without a file"));
        }
        for pattern in &said.arguments {
            for path in self.included(pattern, origin) {
                if depth >= DEEPEST {
                    return Err(refusal(origin, "files that include each other too deep"));
                }
                if self.found.files.len() >= MOST_FILES {
                    return Err(Gap::new(origin.clone(), Reason::TooLarge));
                }
                match self.host.read(&path).into_result() {
                    Ok(Some(content)) => self.file(&path, &content, scope, depth + 1)?,
                    Ok(None) => {}
                    Err(gap) => drop(self.found.unread.get_or_insert(gap)),
                }
            }
        }
        Ok(())
    }

    /// The files a pattern stands for, as `glob(3)` finds them: names that begin with a dot only where the pattern does.
    fn included(&mut self, pattern: &str, origin: &Origin) -> Vec<PathBuf> {
        let absolute = if pattern.starts_with('/') { pattern.to_owned() } else { format!("/etc/ssh/{pattern}") };
        // Without a user's home, `~` is a name like any other; there is hardly a directory of that name.
        if absolute.contains('[') {
            self.found.unread.get_or_insert_with(|| Gap::new(origin.clone(), Reason::unsupported("a pattern with brackets is not followed")));
            return Vec::new();
        }
        let mut pattern = absolute;
        while pattern.contains("**") {
            pattern = pattern.replace("**", "*");
        }
        let visible = |path: &PathBuf| {
            let names = path.components().skip(1).map(|part| part.as_os_str().to_string_lossy().starts_with('.'));
            pattern.split('/').filter(|part| !part.is_empty()).zip(names).all(|(part, hidden)| !hidden || part.starts_with('.'))
        };
        match paths::expand(self.host, &pattern) {
            Ok(found) => {
                if let Some((_, gap)) = found.gaps.into_iter().next() {
                    self.found.unread.get_or_insert(gap);
                }
                found.paths.into_iter().filter(visible).collect()
            }
            Err(gap) => {
                self.found.unread.get_or_insert(gap);
                Vec::new()
            }
        }
    }

    fn set(&mut self, said: &Directive, scope: usize, source: Source, origin: Origin) -> Result<(), Gap> {
        let Some(spec) = by_keyword(&said.keyword) else {
            if !ignored(&said.keyword) {
                self.refused.get_or_insert_with(|| refusal(&origin, &format!("no option is called `{}`", said.keyword)));
            }
            return Ok(());
        };
        if let Some(compiled) = self.compiled.filter(|compiled| compiled.version.is_some())
            && !compiled.knows(&said.keyword)
        {
            self.refused.get_or_insert_with(|| refusal(&origin, &format!("this build has no option called `{}`", said.keyword)));
            return Ok(());
        }
        if scope != 0 && !spec.in_match {
            return Err(refusal(&origin, &format!("{} is not allowed in a Match block", spec.name)));
        }
        let setting = normalise(spec, &said.arguments, &said.rest).map_err(|why| refusal(&origin, &format!("{}: {why}", spec.name)))?;
        self.found.given.push(Given { spec, setting, scope, source, origin });
        Ok(())
    }
}

fn refusal(origin: &Origin, why: &str) -> Gap {
    Gap::new(origin.clone(), Reason::malformed(format!("sshd refuses it: {why}")))
}

/// The condition of a block, criteria with a capital as in the manual. `None` for what is none.
fn condition(words: &[String]) -> Option<String> {
    const CRITERIA: [&str; 8] = ["User", "Group", "Host", "Address", "LocalAddress", "LocalPort", "RDomain", "Version"];
    let mut written = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case("invalid-user") {
            written.push("Invalid-User".to_owned());
            continue;
        }
        let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value.to_owned())));
        let criterion = CRITERIA.iter().find(|criterion| criterion.eq_ignore_ascii_case(name))?;
        let value = value.or_else(|| words.next().cloned()).filter(|value| !value.is_empty())?;
        written.push(format!("{criterion} {value}"));
    }
    Some(written.join(" "))
}

/// What several lines of one scope come to, and the one that decides.
pub(super) fn combined<'a>(spec: &Spec, given: &[&'a Given]) -> Option<(Setting, &'a Given)> {
    let (first, last) = (*given.first()?, *given.last()?);
    let values = || given.iter().flat_map(|given| given.setting.values.iter().cloned());
    match spec.shape {
        Shape::Every | Shape::EveryFirst => Some((Setting::list(values().collect(), " "), first)),
        Shape::Subsystems => {
            let mut kept: Vec<String> = Vec::new();
            for value in values() {
                let name = |value: &str| value.split(' ').next().unwrap_or_default().to_owned();
                if !kept.iter().any(|other| name(other) == name(&value)) {
                    kept.push(value);
                }
            }
            Some((Setting::list(kept, ", "), first))
        }
        Shape::Octal | Shape::LastWord(_) => Some((last.setting.clone(), last)),
        Shape::TimeOrNone => {
            let none = given.iter().find(|given| given.setting.text == "none").unwrap_or(&first);
            Some((none.setting.clone(), none))
        }
        _ => Some((first.setting.clone(), first)),
    }
}
