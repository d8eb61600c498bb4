//! Rules of the kernel's audit system, loaded and on disk.

mod trail;

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, List, Origin, Text, record};
use crate::parse::audit_rules::{Access, Calls, Filter, Rule, Scope, cover};

use super::{Context, Resource, Selector};
pub(super) use trail::{Placed, Trail, located};

record! {
    /// One audit rule, normalised so that spellings compare by meaning. Whether auditing is switched on is another
    /// question: see `audit_system`; `-e 0` on disk is taken into account where a file counts as audited.
    /// Rules that could not be seen are a record of which nothing is known.
    pub struct AuditRule("audit_rule") {
        /// The rule in one canonical spelling.
        rule: Text,
        /// Whether it is loaded in the kernel.
        loaded: Flag,
        /// Whether a file on disk has it: one in `/etc/audit/rules.d`, merged as augenrules does, or `/etc/audit/audit.rules`.
        on_disk: Flag,
        /// `exit`, `task`, `user`, `exclude`, `filesystem`, `io_uring`.
        list: Text,
        /// `always` or `never`.
        action: Text,
        /// The path or directory watched, aliases resolved; absent for rules without one.
        path: Text,
        /// Whether everything below the path is watched, not the path alone.
        recursive: Flag,
        /// The kinds of access watched: some of `r`, `w`, `x`, `a`. Absent where the rule names system calls alone.
        permissions: List,
        /// System calls, by name; `all` where the rule names none.
        syscalls: List,
        /// `b64`, `b32`, or absent where the rule is for both.
        arch: Text,
        /// Its key; several are separated by commas.
        key: Text,
        /// The remaining comparisons, normalised, such as `auid>=1000`, `auid!=unset`.
        fields: List,
    }
}

/// Finds the records.
pub struct AuditRules;

impl Resource for AuditRules {
    type Row = AuditRule;
    const SELECTOR: &'static str = "`\"*\"`, or a path: every rule that watches it, be it by name, by a parent directory or by an alias";
    const KEY: &'static str = "path";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let trail = Trail::of(context);
        if let (Err(gap), true) = (&trail.loaded, trail.on_disk.is_empty() && !trail.disk_gaps.is_empty()) {
            return Err(gap.clone());
        }
        let asked = Asked::of(context, of);
        let mut rows: Vec<_> = trail.merged().filter(|merged| asked.wants(merged.placed())).map(|merged| row(&trail, &merged)).collect();
        let gaps = trail.loaded.as_ref().err().into_iter().chain(&trail.disk_gaps);
        rows.extend(gaps.map(AuditRule::unknown));
        Ok(rows)
    }
}

/// The paths that were asked for, links resolved; `None` for every rule.
struct Asked(Option<Vec<(std::path::PathBuf, bool)>>);

impl Asked {
    fn of(context: &Context<'_>, of: &Selector) -> Self {
        let Selector::Keys(keys) = of else { return Self(None) };
        let place = |key: &String| {
            let path = trail::located(context.host, key);
            let target = context.host.resolve(Path::new(key)).known().cloned().unwrap_or(path);
            let is_directory = context.host.stat(&target).known().is_some_and(|stat| stat.kind == crate::host::FileKind::Directory);
            (target, is_directory)
        };
        Self(Some(keys.iter().map(place).collect()))
    }

    fn wants(&self, placed: &Placed) -> bool {
        let watched = |(path, is_directory): &(std::path::PathBuf, bool)| {
            cover::watches(placed.located(), cover::Target { path, is_directory: *is_directory })
        };
        self.0.as_ref().is_none_or(|targets| targets.iter().any(watched))
    }
}

fn row(trail: &Trail, merged: &trail::Merged<'_>) -> AuditRule {
    let Placed { rule, path, .. } = merged.placed();
    let origin = merged.placed().origin.clone();
    let known = |text: String| Fact::Known(Text::from(text), origin.clone());
    let or_absent = |text: Option<String>| text.map_or_else(|| Fact::Absent(origin.clone()), known);
    let loaded = match (&trail.loaded, merged.loaded) {
        (Err(gap), _) => Fact::Unknown(gap.clone()),
        (Ok(_), found) => Fact::Known(found.is_some(), Origin::kernel(trail::LOADED)),
    };
    let on_disk = match (merged.on_disk, trail.disk_gaps.first()) {
        (Some(placed), _) => Fact::Known(true, placed.origin.clone()),
        (None, Some(gap)) => Fact::Unknown(gap.clone()),
        (None, None) => Fact::Known(false, Origin::file(trail::RULES_D)),
    };
    AuditRule {
        rule: known(rule.to_string()),
        loaded,
        on_disk,
        list: known(rule.list.word().to_owned()),
        action: known(rule.action.word().to_owned()),
        path: path.as_ref().map_or_else(|| Fact::Absent(origin.clone()), |path| Fact::Known(path.as_path().into(), origin.clone())),
        recursive: match &rule.watch {
            Some(watch) => Fact::Known(watch.scope != Scope::Itself, origin.clone()),
            None => Fact::Absent(origin.clone()),
        },
        permissions: permissions(rule).map_or_else(|| Fact::Absent(origin.clone()), |list| Fact::Known(list, origin.clone())),
        syscalls: Fact::Known(calls(rule), origin.clone()),
        arch: or_absent(rule.arch.as_ref().map(ToString::to_string)),
        key: or_absent((!rule.keys.is_empty()).then(|| rule.keys.join(","))),
        fields: Fact::Known(rule.comparisons.iter().map(|comparison| comparison.text().into()).collect(), origin.clone()),
    }
}

fn permissions(rule: &Rule) -> Option<List> {
    rule.accesses().or(rule.access).map(|access| access.each().map(|kind: Access| Text::from(kind.to_string())).collect())
}

fn calls(rule: &Rule) -> List {
    match &rule.calls {
        Calls::Some(names) => names.iter().map(|name| Text::from(name.as_str())).collect(),
        Calls::All if rule.list == Filter::Exit => vec!["all".into()],
        Calls::All => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
