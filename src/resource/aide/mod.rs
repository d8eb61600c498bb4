//! AIDE: whether its database is there and fresh, who runs it, and what it watches.

pub(super) mod rules;
mod schedule;

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Text, record};

use super::{Context, Resource, Selector};
use rules::Rules;

record! {
    /// AIDE on this host. Always exactly one record.
    pub struct Aide("aide") {
        /// `aide`.
        name: Text,
        /// Whether the program is there.
        installed: Flag,
        /// Path of the configuration; absent where there is none.
        config: Text,
        /// Path of the database it compares with.
        database: Text,
        /// Whether that is there.
        database_exists: Flag,
        /// Days since it was last changed; absent where it is not there.
        database_age_days: Integer,
        /// What runs it regularly: `dailyaidecheck.timer`, or a file of cron.
        scheduled_by: List,
    }
}

/// Finds the record.
pub struct Aides;

impl Resource for Aides {
    type Row = Aide;
    const SELECTOR: &'static str = "`\"*\"`";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, _: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Ok(vec![row(context)])
    }
}

/// What is known of AIDE, for other resources too.
pub(crate) fn row(context: &Context<'_>) -> Aide {
    let rules = Rules::of(context);
    let rules = rules.as_ref().as_ref();
    let database = rules.clone().and_then(|rules, _| {
        let option = rules.options.get("database_in").or_else(|| rules.options.get("database"));
        match option {
            Some((value, origin)) => match value.strip_prefix("file:") {
                Some(path) => Fact::Known(Text::from(path), origin.clone()),
                None => Fact::Absent(origin.clone()),
            },
            None => Fact::Absent(Origin::file(rules.path.as_path())),
        }
    });
    let stat = database.clone().and_then(|path, _| context.host.stat(Path::new(path.raw())));
    let age = stat.clone().map(|stat| (context.host.now().timestamp() - stat.modified).div_euclid(86_400));
    Aide {
        name: Fact::derived("aide"),
        installed: program(context),
        config: rules.map(|rules| rules.path.as_path().into()),
        database,
        database_exists: match stat {
            Fact::Known(_, origin) => Fact::Known(true, origin),
            Fact::Absent(origin) => Fact::Known(false, origin),
            Fact::Unknown(gap) => Fact::Unknown(gap),
        },
        database_age_days: age,
        scheduled_by: schedule::of(context),
    }
}

/// Whether something runs it regularly.
pub(crate) fn scheduled(context: &Context<'_>) -> Fact<bool> {
    schedule::of(context).map(|found| !found.is_empty())
}

/// Where the program is.
fn program(context: &Context<'_>) -> Fact<bool> {
    for path in ["/usr/bin/aide", "/usr/sbin/aide", "/usr/local/bin/aide"] {
        match context.host.stat(Path::new(path)) {
            Fact::Known(_, origin) => return Fact::Known(true, origin),
            Fact::Absent(_) => {}
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        }
    }
    Fact::Known(false, Origin::stat("/usr/bin/aide"))
}

#[cfg(test)]
mod tests;
