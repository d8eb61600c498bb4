//! The effective PAM stacks: which lines of a service can run, and what a module in them enforces.

mod flow;
mod stack;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Reason, Text, record};
use crate::host::FileKind;

use super::{Context, Resource, Selector};
pub(crate) use flow::{Ran, Returned, ends};
pub(crate) use stack::{Handler, Step};

record! {
    /// One line of an effective PAM stack, includes in place. Where a service says nothing for a type, `other` stands in, as in libpam.
    pub struct PamLine("pam") {
        /// Service, type and module: `common-auth auth pam_unix.so`.
        name: Text,
        /// The stack as asked for: a service, or `authentication`, `account`, `password-change`, `session` for those that this
        /// distribution's services share (`common-auth` and so on; both `system-auth` and `password-auth`).
        stack: Text,
        /// The service whose configuration it is.
        service: Text,
        /// Place among the lines of its type, from 1.
        position: Integer,
        /// `auth`, `account`, `password` or `session`.
        kind: Text,
        /// The control as written.
        control: Text,
        /// The module, without its directory; empty for a line that libpam makes fail.
        module: Text,
        /// Its arguments.
        arguments: List,
        /// Whether it can run on any way through the stack: jumps, `sufficient`, `requisite` and `die` may leave it out.
        reachable: Flag,
        /// Whether it can run before `pam_unix.so` does, and never after it.
        before_unix: Flag,
        /// Whether `pam_unix.so` and the stack can succeed without this line having run, or in spite of its failure.
        bypassable: Flag,
    }
}

/// Finds the records.
pub struct Pam;

impl Resource for Pam {
    type Row = PamLine;
    const SELECTOR: &'static str = "a service, or `authentication`, `account`, `password-change`, `session` for what all services share; one without configuration gives no record";
    const KEY: &'static str = "stack";
    const ENUMERABLE: bool = false;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let Selector::Keys(keys) = of else {
            return Err(Gap::new(Origin::file(PAM_D), Reason::unsupported("stacks are asked for by name")));
        };
        let mut rows = Vec::new();
        for key in keys {
            for (service, kinds) in services(context, key)? {
                for kind in kinds {
                    let stack = Stack::of(context, &service, kind)?;
                    let steps = stack.lines.iter().enumerate().filter(|(_, handler)| handler.step != Step::Substack);
                    rows.extend(steps.zip(1..).map(|((place, _), position)| stack.row(key, &service, place, position)));
                }
            }
        }
        Ok(rows)
    }
}

const PAM_D: &str = "/etc/pam.d";

/// The shared stacks of a distribution: the neutral name, the type, and the services that hold it.
const SHARED: [(&str, &str, &str, &[&str]); 5] = [
    ("authentication", "auth", "common-auth", &["system-auth", "password-auth"]),
    ("account", "account", "common-account", &["system-auth", "password-auth"]),
    ("password-change", "password", "common-password", &["system-auth", "password-auth"]),
    ("session", "session", "common-session", &["system-auth", "password-auth"]),
    // Red Hat makes no difference here.
    ("session-noninteractive", "session", "common-session-noninteractive", &["system-auth", "password-auth"]),
];

/// The services a name stands for, and the types that are meant.
fn services(context: &Context<'_>, key: &str) -> Result<Vec<(String, Vec<&'static str>)>, Gap> {
    let Some((_, kind, debian, others)) = SHARED.iter().find(|(name, ..)| *name == key) else {
        return Ok(match stack::load(context, key)? {
            Some(_) => vec![(key.to_owned(), stack::TYPES.to_vec())],
            None => Vec::new(),
        });
    };
    let there = |name: &str| context.host.stat(&Path::new(PAM_D).join(name)).into_result().map(|found| found.is_some());
    if there(debian)? {
        return Ok(vec![((*debian).to_owned(), vec![kind])]);
    }
    let mut found = Vec::new();
    for name in *others {
        if there(name)? {
            found.push(((*name).to_owned(), vec![*kind]));
        }
    }
    match found.is_empty() {
        true => Err(Gap::new(Origin::file(PAM_D), Reason::unsupported("no stack is known here that the services share"))),
        false => Ok(found),
    }
}

/// One list of lines, and what can run of it.
pub(crate) struct Stack {
    /// The lines, in order.
    pub(crate) lines: Vec<Handler>,
    /// Which can run, by place.
    pub(crate) reachable: Vec<bool>,
}

type Loaded = Mutex<BTreeMap<(String, &'static str), Result<Arc<Stack>, Gap>>>;

impl Stack {
    /// The lines of a type of a service.
    pub(crate) fn of(context: &Context<'_>, service: &str, kind: &'static str) -> Result<Arc<Self>, Gap> {
        let loaded = context.once(|_| Loaded::default());
        let mut loaded = loaded.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        loaded.entry((service.to_owned(), kind)).or_insert_with(|| Self::load(context, service, kind).map(Arc::new)).clone()
    }

    fn load(context: &Context<'_>, service: &str, kind: &str) -> Result<Self, Gap> {
        let mut lines = stack::load(context, service)?.unwrap_or_default().of(kind);
        if lines.is_empty() {
            lines = stack::load(context, "other")?.unwrap_or_default().of(kind);
        }
        let reachable = flow::reachable(&lines).ok_or_else(|| too_many(service))?;
        Ok(Self { lines, reachable })
    }

    /// The lines that can run and call a module, with their places.
    pub(crate) fn calls<'a>(&'a self, module: &'a str) -> impl Iterator<Item = (usize, &'a Handler)> + 'a {
        self.lines.iter().enumerate().filter(move |(place, line)| line.calls(module) && self.runs(*place))
    }

    fn runs(&self, place: usize) -> bool {
        self.reachable.get(place).copied().unwrap_or_default()
    }

    fn is_unix(&self, place: usize) -> bool {
        self.lines.get(place).is_some_and(|line| line.calls("pam_unix.so"))
    }

    /// Whether these lines run before `pam_unix.so` on some way and after it on none. `None` where there are too many ways.
    fn before_unix(&self, of: impl Fn(usize) -> bool) -> Option<bool> {
        const UNIX: u8 = 1;
        const LINE: u8 = 2;
        const BEFORE: u8 = 4;
        const AFTER: u8 = 8;
        let ends = ends(&self.lines, |Ran { place, .. }, marks| match () {
            () if self.is_unix(place) && marks & LINE != 0 => marks | UNIX | BEFORE,
            () if self.is_unix(place) => marks | UNIX,
            () if of(place) && marks & UNIX != 0 => marks | LINE | AFTER,
            () if of(place) => marks | LINE,
            () => marks,
        })?;
        Some(ends.iter().any(|end| end.marks & BEFORE != 0) && ends.iter().all(|end| end.marks & AFTER == 0))
    }

    /// Whether `pam_unix.so` and the whole can succeed though none of these lines let it pass. `None` where there are too many ways.
    fn bypassable(&self, of: impl Fn(usize) -> bool) -> Option<bool> {
        const UNIX: u8 = 1;
        const PASSED: u8 = 2;
        const FAILED: u8 = 4;
        let ends = ends(&self.lines, |Ran { place, returned, .. }, marks| {
            let unix = if self.is_unix(place) && returned == Returned::Success { marks | UNIX } else { marks };
            match (of(place), returned) {
                (false, _) => unix,
                (true, Returned::Failure) => unix | FAILED,
                (true, _) => unix | PASSED,
            }
        })?;
        Some(ends.iter().any(|end| end.success && end.marks & UNIX != 0 && (end.marks & PASSED == 0 || end.marks & FAILED != 0)))
    }

    /// Whether these lines run before `pam_unix.so`, and never after it.
    pub(crate) fn is_before_unix(&self, of: impl Fn(usize) -> bool, origin: &Origin) -> Fact<bool> {
        flag(self.before_unix(of), origin)
    }

    /// Whether `pam_unix.so` and the stack can succeed without these lines having let them pass.
    pub(crate) fn can_be_bypassed(&self, of: impl Fn(usize) -> bool, origin: &Origin) -> Fact<bool> {
        flag(self.bypassable(of), origin)
    }

    fn row(&self, key: &str, service: &str, place: usize, position: i64) -> PamLine {
        let Some(line) = self.lines.get(place) else { return PamLine::unknown(&too_many(service)) };
        let module = match line.step {
            Step::Module => line.module.raw().rsplit('/').next().unwrap_or_default(),
            Step::Substack | Step::MustFail => "",
        };
        let known = |text: &str| Fact::Known(Text::from(text), line.origin.clone());
        PamLine {
            name: known(&format!("{service} {} {module}", line.kind)),
            stack: known(key),
            service: known(service),
            position: Fact::Known(position, line.origin.clone()),
            kind: known(line.kind),
            control: Fact::Known(line.written.clone(), line.origin.clone()),
            module: known(module),
            arguments: Fact::Known(line.arguments.clone(), line.origin.clone()),
            reachable: Fact::Known(self.runs(place), line.origin.clone()),
            before_unix: flag(self.before_unix(|other| other == place), &line.origin),
            bypassable: flag(self.bypassable(|other| other == place), &line.origin),
        }
    }
}

fn flag(flag: Option<bool>, origin: &Origin) -> Fact<bool> {
    match flag {
        Some(flag) => Fact::Known(flag, origin.clone()),
        None => Fact::Unknown(Gap::new(origin.clone(), Reason::TooLarge)),
    }
}

fn too_many(service: &str) -> Gap {
    Gap::new(Origin::file(format!("{PAM_D}/{service}")), Reason::TooLarge)
}

/// The stacks a neutral name stands for, each with the service it is of.
pub(crate) fn shared(context: &Context<'_>, name: &str) -> Result<Vec<(String, Arc<Stack>)>, Gap> {
    let mut found = Vec::new();
    for (service, kinds) in services(context, name)? {
        for kind in kinds {
            found.push((service.clone(), Stack::of(context, &service, kind)?));
        }
    }
    Ok(found)
}

/// Whether a module file names something, as one that reads a configuration file names it. Absent where the module is not found.
pub(crate) fn module_names(context: &Context<'_>, module: &str, name: &str) -> Fact<bool> {
    let host = context.host;
    let mut directories: Vec<_> = ["/lib/security", "/lib64/security", "/usr/lib/security", "/usr/lib64/security"].map(Into::into).to_vec();
    match host.list(Path::new("/usr/lib")) {
        Fact::Known(entries, _) => {
            let triplets = entries.iter().filter(|entry| entry.kind == FileKind::Directory && entry.name.to_string_lossy().contains("-linux-"));
            directories.extend(triplets.map(|entry| Path::new("/usr/lib").join(&entry.name).join("security")));
        }
        Fact::Absent(_) => {}
        Fact::Unknown(gap) => return Fact::Unknown(gap),
    }
    for directory in directories {
        match host.read(&directory.join(module)) {
            Fact::Known(bytes, origin) => return Fact::Known(bytes.windows(name.len()).any(|window| window == name.as_bytes()), origin),
            Fact::Absent(_) => {}
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        }
    }
    Fact::Absent(Origin::file("/usr/lib"))
}

#[cfg(test)]
mod tests;
