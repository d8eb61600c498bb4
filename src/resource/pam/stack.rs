//! The lines of a service as libpam has them in memory: includes in place, substacks marked, four lists by type.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::parse::pam::{self, Control, Lines};
use crate::resource::Context;

/// What a line is for.
pub(crate) const TYPES: [&str; 4] = ["auth", "account", "password", "session"];

/// Where the configuration of a service is looked for; the first that is there counts.
const DIRECTORIES: [&str; 3] = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d"];

/// Where all services are configured when none of the directories is there.
const ONE_FILE: &str = "/etc/pam.conf";

/// Includes within includes; libpam has no limit of its own for them.
const DEEPEST: u8 = 16;

/// The most lines a stack may have to be looked at.
const MOST_LINES: usize = 256;

/// What there is at one place of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// A module that is called.
    Module,
    /// The mark that a substack follows, which counts as one line for whoever jumps over it.
    Substack,
    /// A line that libpam could not make sense of, or an include that is not there: it fails.
    MustFail,
}

/// One place of a list.
#[derive(Clone, Debug)]
pub(crate) struct Handler {
    /// What is there.
    pub(crate) step: Step,
    /// How many substacks it is in.
    pub(crate) level: u8,
    /// Which of [`TYPES`] it is for.
    pub(crate) kind: &'static str,
    /// What follows from what it returns.
    pub(crate) control: Control,
    /// The control as written.
    pub(crate) written: Text,
    /// The module as written; empty where there is none.
    pub(crate) module: Text,
    /// Its arguments.
    pub(crate) arguments: Vec<Text>,
    /// The line.
    pub(crate) origin: Origin,
}

impl Handler {
    /// Whether it calls a module of this name, wherever the module is said to be.
    pub(crate) fn calls(&self, module: &str) -> bool {
        self.step == Step::Module && self.module.raw().rsplit('/').next() == Some(module)
    }
}

/// The lists of one service.
#[derive(Debug, Clone, Default)]
pub(crate) struct Service {
    /// The lines of all types, in order.
    pub(crate) handlers: Vec<Handler>,
}

impl Service {
    /// The lines of a type. Where a service has none, those of `other` stand in, which the caller asks for.
    pub(crate) fn of(&self, kind: &str) -> Vec<Handler> {
        self.handlers.iter().filter(|handler| handler.kind == kind).cloned().collect()
    }
}

/// Reads a service. `None` where it has no configuration of its own.
pub(crate) fn load(context: &Context<'_>, service: &str) -> Result<Option<Service>, Gap> {
    let mut reading = Reading { context, found: Service::default() };
    match find(context, service)? {
        Some((path, lines)) => reading.file(&path, &lines, None, 0, 0)?,
        None if with_directories(context)? => return Ok(None),
        None => match context.host.read(Path::new(ONE_FILE)) {
            Fact::Known(bytes, _) => {
                let mut lines = pam::lines(&bytes);
                // The first word of each line is the service it is for.
                lines.lines.retain_mut(|line| !line.words.is_empty() && line.words.remove(0).eq_ignore_ascii_case(service));
                if lines.lines.is_empty() {
                    return Ok(None);
                }
                reading.file(Path::new(ONE_FILE), &lines, None, 0, 0)?;
            }
            Fact::Absent(_) => return Ok(None),
            Fact::Unknown(gap) => return Err(gap),
        },
    }
    Ok(Some(reading.found))
}

fn with_directories(context: &Context<'_>) -> Result<bool, Gap> {
    for directory in DIRECTORIES {
        if context.host.stat(Path::new(directory)).into_result()?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The file of a service or of an include.
fn find(context: &Context<'_>, name: &str) -> Result<Option<(PathBuf, Arc<Lines>)>, Gap> {
    let candidates = match name.starts_with('/') {
        true => vec![PathBuf::from(name)],
        false => DIRECTORIES.iter().map(|directory| Path::new(directory).join(name)).collect(),
    };
    for path in candidates {
        if let Some(bytes) = context.host.read(&path).into_result()? {
            return Ok(Some((path, Arc::new(pam::lines(&bytes)))));
        }
    }
    Ok(None)
}

struct Reading<'a> {
    context: &'a Context<'a>,
    found: Service,
}

impl Reading<'_> {
    /// Adds the lines of a file. `only` is the type an include asked for.
    fn file(&mut self, path: &Path, lines: &Lines, only: Option<&'static str>, level: u8, depth: u8) -> Result<(), Gap> {
        if let Some(number) = lines.too_long {
            let why = "a line is longer than some versions of libpam read in one piece";
            return Err(Gap::new(Origin::line(path, number), Reason::unsupported(why)));
        }
        for line in &lines.lines {
            let origin = Origin::line(path, line.number);
            if self.found.handlers.len() >= MOST_LINES || depth > DEEPEST {
                return Err(Gap::new(origin, Reason::malformed("files that include each other, or too many lines")));
            }
            self.line(&line.words, only, level, depth, origin)?;
        }
        match lines.broken {
            // Of the service itself libpam then takes nothing; an include is a line that fails.
            Some(number) => Err(Gap::new(Origin::line(path, number), Reason::malformed("the file ends within a continued line"))),
            None => Ok(()),
        }
    }

    fn line(&mut self, words: &[String], only: Option<&'static str>, level: u8, depth: u8, origin: Origin) -> Result<(), Gap> {
        let mut words = words.iter().map(String::as_str);
        let first = words.next().unwrap_or_default();
        if first.eq_ignore_ascii_case("@include") {
            return self.include(words.next().unwrap_or_default(), only, level, depth, origin);
        }
        let kind = first.strip_prefix('-').unwrap_or(first);
        let known = TYPES.into_iter().find(|known| kind.eq_ignore_ascii_case(known));
        // What is of no type is made to fail, among the most sensitive.
        let kind = known.or(only).unwrap_or("auth");
        if only.is_some_and(|only| only != kind) {
            return Ok(());
        }
        let control = words.next();
        let written = control.unwrap_or_default();
        let target = words.next();
        let mut handler = Handler {
            step: if known.is_none() || control.is_none() || target.is_none() { Step::MustFail } else { Step::Module },
            level,
            kind,
            control: Control::bad(),
            written: written.into(),
            module: target.unwrap_or_default().into(),
            arguments: words.map(Text::from).collect(),
            origin: origin.clone(),
        };
        match control.map(Control::parse) {
            Some(Some(control)) => handler.control = control,
            Some(None) => {
                let substack = written.eq_ignore_ascii_case("substack");
                if substack {
                    self.found.handlers.push(Handler { step: Step::Substack, ..handler });
                }
                return self.include(target.unwrap_or_default(), Some(kind), level + u8::from(substack), depth, origin);
            }
            None => {}
        }
        self.found.handlers.push(handler);
        Ok(())
    }

    fn include(&mut self, name: &str, only: Option<&'static str>, level: u8, depth: u8, origin: Origin) -> Result<(), Gap> {
        let found = if name.is_empty() || level >= DEEPEST { None } else { find(self.context, name)? };
        if let Some((path, lines)) = &found
            && lines.broken.is_none()
        {
            return self.file(path, lines, only, level, depth + 1);
        }
        if let Some((path, lines)) = &found {
            let whole = Lines { broken: None, ..lines.as_ref().clone() };
            self.file(path, &whole, only, level, depth + 1)?;
        }
        let kinds = only.map_or(TYPES.to_vec(), |kind| vec![kind]);
        self.found.handlers.extend(kinds.into_iter().map(|kind| Handler {
            step: Step::MustFail,
            level,
            kind,
            control: Control::bad(),
            written: "include".into(),
            module: name.into(),
            arguments: Vec::new(),
            origin: origin.clone(),
        }));
        Ok(())
    }
}
