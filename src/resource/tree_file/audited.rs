//! Whether audit rules record that a file is executed by somebody who logged in.

use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Gap, List, Text};
use crate::parse::audit_rules::cover::{self, Located, Target};
use crate::parse::audit_rules::{Access, Comparison, Operator};
use crate::resource::Context;
use crate::resource::audit_rule::Trail;
use crate::resource::login_defs::Settings;

/// The audit rules, and who counts as having logged in.
pub(super) struct Audited {
    trail: Arc<Trail>,
    people: Result<Vec<Comparison>, Gap>,
}

impl Audited {
    pub(super) fn of(context: &Context<'_>) -> Self {
        let compared = |operator, value: &str| Comparison { field: "auid".to_owned(), operator, value: value.to_owned(), between_fields: false };
        let from = |first: &str| vec![compared(Operator::GreaterOrEqual, first), compared(Operator::NotEqual, "unset")];
        let people = match Settings::of(context).value("UID_MIN") {
            Fact::Known(first, _) => Ok(from(first.raw())),
            Fact::Absent(_) => Ok(from("1000")),
            Fact::Unknown(gap) => Err(gap),
        };
        Self { trail: Trail::of(context), people }
    }

    /// Whether it is recorded now, and whether it will be after the next start of auditd.
    pub(super) fn look(&self, path: &Path) -> (Fact<bool>, Fact<bool>) {
        let people = match &self.people {
            Ok(people) => people,
            Err(gap) => return (Fact::Unknown(gap.clone()), Fact::Unknown(gap.clone())),
        };
        let target = Target { path, is_directory: false };
        let missing = |rules: &[Located<'_>]| -> List {
            let covered = cover::covers_for(rules.iter().copied(), target, Access::EXECUTE, people).is_some();
            if covered { Vec::new() } else { vec![Text::from(path)] }
        };
        let (loaded, on_disk) = self.trail.missing(&missing);
        (loaded.map(|missing| missing.is_empty()), on_disk.map(|missing| missing.is_empty()))
    }
}
