//! The audit rules of the host, read once per run and shared by every resource that asks whether a file is watched.
//!
//! Rules on disk are those of `/etc/audit/rules.d`, from which augenrules makes `/etc/audit/audit.rules` whenever auditd
//! starts. Where there is no file in the directory, `audit.rules` counts by itself. What stands in `audit.rules` alone
//! although there are files to make it from is on disk, but does not outlive the next start, so it watches nothing.
//!
//! Watches are compared with links resolved, except one in the last component of a path: the kernel watches the link
//! then, not what it leads to.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Fact, Gap, List, Origin, Reason, Text};
use crate::host::{FileKind, Host};
use crate::parse::audit_rules::text::{Configured, Line};
use crate::parse::audit_rules::{Access, Machine, Names, Rule, Scope, cover, kernel, text};

use super::Context;
use crate::resource::accounts::Accounts;

/// What the kernel is asked for.
pub(super) const LOADED: &str = "audit rules";
/// The files that augenrules merges.
pub(super) const RULES_D: &str = "/etc/audit/rules.d";
/// The file it makes of them.
const AUDIT_RULES: &str = "/etc/audit/audit.rules";

/// A rule, where it stands and what it watches here.
pub(in crate::resource) struct Placed {
    /// The rule, its watch decided.
    pub(in crate::resource) rule: Rule,
    /// The path it watches, links above the last component resolved.
    pub(in crate::resource) path: Option<PathBuf>,
    /// Where it stands.
    pub(in crate::resource) origin: Origin,
    /// Whether a line before it keeps it from being loaded.
    after_stop: bool,
}

impl Placed {
    pub(in crate::resource) fn located(&self) -> cover::Located<'_> {
        cover::Located { rule: &self.rule, path: self.path.as_deref() }
    }
}

/// The rules of the host.
pub(in crate::resource) struct Trail {
    /// The rules loaded in the kernel, or why they cannot be told.
    pub(in crate::resource) loaded: Result<Vec<Placed>, Gap>,
    /// Every rule on disk, in order.
    pub(super) on_disk: Vec<Placed>,
    /// The files that could not be read.
    pub(super) disk_gaps: Vec<Gap>,
    /// How many of the rules on disk, from the first, will be loaded by the next start.
    lasting: usize,
    /// Where those stand.
    source: &'static str,
    /// The line that turns auditing off.
    off: Option<Origin>,
    /// What the last `-e` says, and where it stands.
    pub(in crate::resource) switch: Option<(u8, Origin)>,
    /// Whether `audit.rules` is what augenrules would make of the directory now.
    pub(in crate::resource) merged: Fact<bool>,
    /// What the kernel says of itself.
    pub(in crate::resource) status: Fact<kernel::Status>,
    /// The line that auditctl stops at, or that is not understood, and whether that line may be a rule of its own.
    refusal: Option<(Gap, bool)>,
}

/// One rule, loaded or on disk or both.
pub(super) struct Merged<'a> {
    pub(super) loaded: Option<&'a Placed>,
    pub(super) on_disk: Option<&'a Placed>,
    first: &'a Placed,
}

impl<'a> Merged<'a> {
    /// Where it is loaded, else where it stands on disk.
    pub(super) fn placed(&self) -> &'a Placed {
        self.first
    }
}

impl Trail {
    /// The rules of the host under audit.
    pub(in crate::resource) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(Self::read)
    }

    fn read(context: &Context<'_>) -> Self {
        let host = context.host;
        let machine = Machine::named(host.identity().architecture.raw());
        let mut locator = Locator { host, directories: HashMap::new() };
        let told = host.audit_rules();
        let status = told.as_ref().and_then(|messages, origin| match kernel::status(messages) {
            Some(status) => Fact::Known(status, Origin::kernel("audit status")),
            None => Fact::Unknown(Gap::new(origin, Reason::NotCollected)),
        });
        let loaded = match told {
            Fact::Known(messages, origin) => match kernel::read(&messages, machine) {
                Ok(rules) => Ok(rules.into_iter().map(|rule| locator.place(rule, Origin::kernel(LOADED), false)).collect()),
                Err(reason) => Err(Gap::new(origin, reason)),
            },
            Fact::Absent(origin) => Err(Gap::new(origin, Reason::unsupported("the kernel has no audit system"))),
            Fact::Unknown(gap) => Err(gap),
        };
        let mut trail = Self {
            loaded,
            on_disk: Vec::new(),
            disk_gaps: Vec::new(),
            lasting: 0,
            source: AUDIT_RULES,
            off: None,
            switch: None,
            merged: Fact::Absent(Origin::file(RULES_D)),
            status,
            refusal: None,
        };
        trail.read_disk(context, machine, &mut locator);
        trail
    }

    fn read_disk(&mut self, context: &Context<'_>, machine: Machine, locator: &mut Locator<'_>) {
        let accounts = Accounts::of(context);
        let user = |name: &str| accounts.user(name).map(|user| user.uid).or_else(|| (name == "root").then_some(0));
        let group = |name: &str| accounts.group(name).map(|group| group.gid).or_else(|| (name == "root").then_some(0));
        let names = Names { machine, user: &user, group: &group };
        let (sources, unread) = files(context.host);
        let made = file(context.host, Path::new(AUDIT_RULES));
        let merged: Vec<(&Text, &str)> = sources.iter().map(|(path, content)| (path, content.as_str())).collect();
        let sourced = !sources.is_empty() || !unread.is_empty();
        self.disk_gaps = unread;
        if sourced {
            self.merged = match (self.disk_gaps.first(), &made) {
                (Some(gap), _) | (None, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
                (None, Fact::Absent(origin)) => Fact::Known(false, origin.clone()),
                (None, Fact::Known(content, origin)) => Fact::Known(meant(content.lines()).eq(meant(text::merged(&merged).into_iter().map(|line| line.text))), origin.clone()),
            };
        }
        let mut known = HashSet::new();
        if sourced {
            self.source = RULES_D;
            let configured = text::read(text::merged(&merged), &names);
            self.lasting(configured, locator, &mut known);
        }
        match made {
            Fact::Known(content, _) => {
                let path = Text::from(AUDIT_RULES);
                let lines: Vec<Line<'_>> = text::lines(&path, &content).collect();
                let configured = text::read(lines, &names);
                if sourced {
                    let rules =
                        configured.rules.into_iter().map(|placed| locator.place(placed.rule, Origin::line(placed.file, placed.line), true));
                    self.on_disk.extend(rules.filter(|placed| known.insert(placed.rule.clone())));
                } else {
                    self.lasting(configured, locator, &mut known);
                }
            }
            Fact::Absent(_) => {}
            Fact::Unknown(gap) => self.disk_gaps.push(gap),
        }
    }

    /// Takes the rules that the next start of auditd will load.
    fn lasting(&mut self, configured: Configured, locator: &mut Locator<'_>, known: &mut HashSet<Rule>) {
        for placed in configured.rules {
            let placed = locator.place(placed.rule, Origin::line(placed.file, placed.line), placed.after_stop);
            if known.insert(placed.rule.clone()) {
                self.on_disk.push(placed);
            }
        }
        self.lasting = self.on_disk.len();
        self.switch = configured.enabled.map(|enabled| (enabled.value, Origin::line(enabled.file, enabled.line)));
        self.off = self.switch.as_ref().filter(|(value, _)| *value == 0).map(|(_, origin)| origin.clone());
        self.refusal = configured.refusal.map(|refusal| {
            let why = Reason::malformed(format!("auditctl refuses this line: {}", refusal.why));
            (Gap::new(Origin::line(refusal.file, refusal.line), why), !refusal.repeats)
        });
    }

    /// Every rule once, loaded ones first, in their order.
    pub(super) fn merged(&self) -> impl Iterator<Item = Merged<'_>> {
        let loaded = self.loaded.as_deref().unwrap_or_default();
        let on_disk: HashMap<&Rule, &Placed> = self.on_disk.iter().rev().map(|placed| (&placed.rule, placed)).collect();
        let seen: HashSet<&Rule> = loaded.iter().map(|placed| &placed.rule).collect();
        let both = loaded.iter().map(move |first| Merged { loaded: Some(first), on_disk: on_disk.get(&first.rule).copied(), first });
        let rest = self.on_disk.iter().filter(move |placed| !seen.contains(&placed.rule));
        both.chain(rest.map(|first| Merged { loaded: None, on_disk: Some(first), first }))
    }

    /// The rules that the next start of auditd will load.
    pub(in crate::resource) fn lasting_rules(&self) -> impl Iterator<Item = &Placed> + Clone {
        self.on_disk.iter().take(self.lasting)
    }

    /// The first thing that keeps the rules on disk from being known.
    pub(in crate::resource) fn disk_gap(&self) -> Option<&Gap> {
        self.disk_gaps.first().or(self.refusal.as_ref().map(|(gap, _)| gap))
    }

    /// What `judge` finds missing from the rules that are loaded, and from those that the next start loads.
    pub(in crate::resource) fn missing(&self, judge: &dyn Fn(&[cover::Located<'_>]) -> List) -> (Fact<List>, Fact<List>) {
        let located = |rules: &mut dyn Iterator<Item = &'_ Placed>| judge(&rules.map(Placed::located).collect::<Vec<_>>());
        let off = |origin: &Origin| Fact::Known(vec![Text::from("auditing is switched off")], origin.clone());
        let loaded = match (&self.loaded, &self.status) {
            (Err(gap), _) => Fact::Unknown(gap.clone()),
            (Ok(_), Fact::Known(status, origin)) if status.enabled == 0 => off(origin),
            (Ok(rules), _) => Fact::Known(located(&mut rules.iter()), Origin::kernel(LOADED)),
        };
        let on_disk = match (self.disk_gaps.first(), &self.off) {
            (Some(gap), _) => Fact::Unknown(gap.clone()),
            (None, Some(origin)) => off(origin),
            (None, None) => {
                let missing = located(&mut self.lasting_rules().filter(|placed| !placed.after_stop));
                let helped = || located(&mut self.lasting_rules()).len() < missing.len();
                match &self.refusal {
                    // The line, or one that comes after it, may be the rule that is looked for.
                    Some((gap, may_be_a_rule)) if !missing.is_empty() && (*may_be_a_rule || helped()) => Fact::Unknown(gap.clone()),
                    _ => Fact::Known(missing, Origin::file(self.source)),
                }
            }
        };
        (loaded, on_disk)
    }

    /// The loaded rule that records every change to a target. Absent where none does.
    pub(in crate::resource) fn watching(&self, target: cover::Target<'_>) -> Fact<&Placed> {
        match &self.loaded {
            Err(gap) => Fact::Unknown(gap.clone()),
            Ok(rules) => match covering(rules.iter(), target) {
                Some(placed) => Fact::Known(placed, placed.origin.clone()),
                None => Fact::Absent(Origin::kernel(LOADED)),
            },
        }
    }

    /// Whether a rule that the next start of auditd loads will record every change to a target.
    pub(in crate::resource) fn will_watch(&self, target: cover::Target<'_>) -> Fact<bool> {
        if let Some(gap) = self.disk_gaps.first() {
            return Fact::Unknown(gap.clone());
        }
        if let Some(off) = &self.off {
            return Fact::Known(false, off.clone());
        }
        let rules = || self.lasting_rules();
        if let Some(placed) = covering(rules().filter(|placed| !placed.after_stop), target) {
            return Fact::Known(true, placed.origin.clone());
        }
        match &self.refusal {
            // The line, or one that comes after it, may be the rule that is looked for.
            Some((gap, may_be_a_rule)) if *may_be_a_rule || covering(rules(), target).is_some() => Fact::Unknown(gap.clone()),
            _ => Fact::Known(false, Origin::file(self.source)),
        }
    }
}

/// The lines that are neither empty nor comments.
fn meant<'a>(lines: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    lines.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn covering<'a>(rules: impl Iterator<Item = &'a Placed> + Clone, target: cover::Target<'_>) -> Option<&'a Placed> {
    let rule = cover::covers(rules.clone().map(Placed::located), target, Access::CHANGES)?;
    rules.into_iter().find(|placed| std::ptr::eq(&placed.rule, rule))
}

/// The files that augenrules merges, with their content, and what could not be read.
fn files(host: &dyn Host) -> (Vec<(Text, String)>, Vec<Gap>) {
    let entries = match host.list(Path::new(RULES_D)) {
        Fact::Known(entries, _) => entries,
        Fact::Absent(_) => return (Vec::new(), Vec::new()),
        Fact::Unknown(gap) => return (Vec::new(), vec![gap]),
    };
    let (mut found, mut gaps) = (Vec::new(), Vec::new());
    for entry in entries.iter().filter(|entry| entry.name.extension() == Some(OsStr::new("rules"))) {
        let path = Path::new(RULES_D).join(&entry.name);
        match file(host, &path) {
            Fact::Known(content, _) => found.push((path.as_path().into(), content)),
            // A link that leads nowhere: `cat` goes on with the next.
            Fact::Absent(_) => {}
            Fact::Unknown(gap) => gaps.push(gap),
        }
    }
    (found, gaps)
}

fn file(host: &dyn Host, path: &Path) -> Fact<String> {
    host.read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Where a watch on a path points: links above its last component resolved, as far as there is anything to resolve.
pub(in crate::resource) fn located(host: &dyn Host, path: &str) -> PathBuf {
    Locator { host, directories: HashMap::new() }.located(path)
}

/// Finds where watches point, asking the host once for each directory.
struct Locator<'a> {
    host: &'a dyn Host,
    directories: HashMap<PathBuf, PathBuf>,
}

impl Locator<'_> {
    fn place(&mut self, mut rule: Rule, origin: Origin, after_stop: bool) -> Placed {
        let path = rule.watch.as_ref().map(|watch| self.located(&watch.path));
        if let Some(watch) = rule.watch.as_mut().filter(|watch| watch.scope == Scope::AsFound) {
            match self.host.stat(Path::new(&watch.path)) {
                Fact::Known(stat, _) if stat.kind == FileKind::Directory => watch.scope = Scope::Tree,
                Fact::Known(..) | Fact::Absent(_) => watch.scope = Scope::Itself,
                Fact::Unknown(_) => {}
            }
        }
        Placed { rule, path, origin, after_stop }
    }

    fn located(&mut self, path: &str) -> PathBuf {
        let whole = Path::new(path);
        // A slash at the end makes the kernel follow a link.
        match (whole.parent(), whole.components().next_back()) {
            (Some(parent), Some(Component::Normal(name))) if !path.ends_with('/') => self.directory(parent).join(name),
            _ => self.directory(whole),
        }
    }

    fn directory(&mut self, path: &Path) -> PathBuf {
        if let Some(known) = self.directories.get(path) {
            return known.clone();
        }
        let resolved = path.ancestors().find_map(|above| {
            let real = self.host.resolve(above).known().cloned()?;
            path.strip_prefix(above).ok().map(|below| real.join(below))
        });
        let resolved = resolved.unwrap_or_else(|| path.to_path_buf());
        self.directories.insert(path.to_path_buf(), resolved.clone());
        resolved
    }
}
