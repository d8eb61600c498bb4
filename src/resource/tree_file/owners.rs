//! Which numbers of users and groups belong to somebody.

use std::path::Path;

use crate::fact::{Fact, Gap, Origin};
use crate::host::walk::Met;
use crate::resource::Context;
use crate::resource::accounts::Accounts;

const SUBUID: &str = "/etc/subuid";
const SUBGID: &str = "/etc/subgid";
/// The numbers systemd takes for users that exist only while their service runs.
const DYNAMIC: std::ops::RangeInclusive<u32> = 61184..=65519;

/// Who there is.
pub(super) struct Owners {
    users: Numbers,
    groups: Numbers,
    /// Why it cannot be told who there is at all.
    gap: Option<Gap>,
    /// Why somebody who is not in the files may exist all the same.
    user_elsewhere: Option<Gap>,
    group_elsewhere: Option<Gap>,
}

/// Numbers that belong to somebody.
#[derive(Default)]
struct Numbers {
    each: Vec<u32>,
    ranges: Vec<(u32, u32)>,
}

impl Numbers {
    fn has(&self, number: u32) -> bool {
        self.each.binary_search(&number).is_ok() || self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&number))
    }
}

impl Owners {
    pub(super) fn of(context: &Context<'_>) -> Self {
        let accounts = Accounts::of(context);
        let mut owners = Self {
            users: Numbers::default(),
            groups: Numbers::default(),
            gap: None,
            user_elsewhere: accounts.elsewhere("passwd"),
            group_elsewhere: accounts.elsewhere("group"),
        };
        let (passwd, group) = match (accounts.passwd(), accounts.group_file()) {
            (Ok(passwd), Ok(group)) => (passwd, group),
            (Err(gap), _) | (_, Err(gap)) => return Self { gap: Some(gap), ..owners },
        };
        let delegated = |path: &str| match context.host.read(Path::new(path)) {
            Fact::Known(bytes, _) => ranges(&bytes, &|owner| passwd.entries.iter().any(|user| user.name.raw() == owner || user.uid.to_string() == owner)),
            Fact::Absent(_) | Fact::Unknown(_) => Vec::new(),
        };
        owners.users = Numbers { each: sorted(passwd.entries.iter().map(|user| user.uid)), ranges: delegated(SUBUID) };
        owners.groups = Numbers { each: sorted(group.entries.iter().map(|group| group.gid)), ranges: delegated(SUBGID) };
        // A range that cannot be read may be anybody's.
        for (path, elsewhere) in [(SUBUID, &mut owners.user_elsewhere), (SUBGID, &mut owners.group_elsewhere)] {
            if let Fact::Unknown(gap) = context.host.read(Path::new(path)) {
                elsewhere.get_or_insert(gap);
            }
        }
        owners
    }

    /// Whether both the user and the group of something belong to somebody. Everything does where it cannot be told: then
    /// [`Self::gap`] says so.
    pub(super) fn know(&self, met: &Met) -> bool {
        self.gap.is_some() || (self.knows_user(met) && self.knows_group(met))
    }

    fn knows_user(&self, met: &Met) -> bool {
        self.users.has(met.uid) || (met.apart && DYNAMIC.contains(&met.uid))
    }

    fn knows_group(&self, met: &Met) -> bool {
        self.groups.has(met.gid) || (met.apart && DYNAMIC.contains(&met.gid))
    }

    /// Why nothing can be said of anybody.
    pub(super) fn gap(&self) -> Option<&Gap> {
        self.gap.as_ref()
    }

    /// Whether something is unowned.
    pub(super) fn unowned(&self, met: &Met, origin: &Origin) -> Fact<bool> {
        let unsure_user = self.user_elsewhere.as_ref().filter(|_| !self.knows_user(met));
        let unsure_group = self.group_elsewhere.as_ref().filter(|_| !self.knows_group(met));
        let certain = (!self.knows_user(met) && unsure_user.is_none()) || (!self.knows_group(met) && unsure_group.is_none());
        match self.gap.as_ref().or_else(|| unsure_user.or(unsure_group).filter(|_| !certain)) {
            Some(gap) => Fact::Unknown(gap.clone()),
            None => Fact::Known(!self.know(met), origin.clone()),
        }
    }
}

fn sorted(numbers: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut numbers: Vec<u32> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The ranges of a file such as `/etc/subuid`, whose lines are `OWNER:FIRST:COUNT`, of owners that exist.
fn ranges(bytes: &[u8], exists: &dyn Fn(&str) -> bool) -> Vec<(u32, u32)> {
    let text = String::from_utf8_lossy(bytes);
    let range = |line: &str| {
        let mut fields = line.trim_end().split(':');
        let (owner, first, count) = (fields.next()?, fields.next()?.parse::<u32>().ok()?, fields.next()?.parse::<u32>().ok()?);
        let last = first.checked_add(count.checked_sub(1)?)?;
        (fields.next().is_none() && exists(owner)).then_some((first, last))
    };
    text.lines().filter_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_belong_to_owners_that_exist() {
        let text = b"al:100000:65536\n1000:200000:2\nghost:300000:65536\nal:x:1\nal:5:0\nal:4294967295:2\nal:7:1:9\n# al:1:1\r\nal:9:1\r\n";
        let exists = |owner: &str| owner == "al" || owner == "1000";
        assert_eq!(ranges(text, &exists), [(100_000, 165_535), (200_000, 200_001), (9, 9)]);
        for cut in 0..text.len() {
            let _ = ranges(&text[..cut], &exists);
        }
        assert!(ranges(b"al:1:\xff", &exists).is_empty());
    }
}
