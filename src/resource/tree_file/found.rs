//! The walk, made once per run for every class that is asked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::FileKind;
use crate::host::walk::{Met, Walk, Walked};
use crate::resource::accounts::{Accounts, PASSWD};
use crate::resource::login_defs::Settings;
use crate::resource::mount::MountTable;
use crate::resource::{Context, Selector};

use super::ground::{Ground, Piece};
use super::owners::Owners;
use super::{is_in, skipped};

/// How many of each class are kept.
const MOST: usize = 1000;
/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    SetId,
    WorldWritable,
    WorldWritableDirectory,
    Unowned,
}

impl Class {
    pub(super) const ALL: [Self; 4] = [Self::SetId, Self::WorldWritable, Self::WorldWritableDirectory, Self::Unowned];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::SetId => "set-id",
            Self::WorldWritable => "world-writable",
            Self::WorldWritableDirectory => "world-writable-directory",
            Self::Unowned => "unowned",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The kinds whose metadata tells.
    fn kinds(self) -> &'static [FileKind] {
        match self {
            Self::SetId | Self::WorldWritable => &[FileKind::File],
            Self::WorldWritableDirectory => &[FileKind::Directory],
            // Whom a link belongs to gives nobody anything.
            Self::Unowned => &[FileKind::File, FileKind::Directory, FileKind::Socket, FileKind::Fifo, FileKind::Device, FileKind::Other],
        }
    }
}

/// What the walk has found.
pub(super) struct Found {
    ground: Ground,
    walked: Walked,
    owners: Arc<Owners>,
    homes: Fact<Vec<PathBuf>>,
}

/// One thing found.
pub(super) struct Item<'a> {
    pub(super) path: &'a Path,
    pub(super) met: Met,
    pub(super) piece: &'a Piece,
}

impl Found {
    /// What there is on the host under audit; an error where it cannot be told what to walk.
    pub(super) fn of(context: &Context<'_>) -> Arc<Result<Self, Gap>> {
        context.once(Self::walk)
    }

    fn walk(context: &Context<'_>) -> Result<Self, Gap> {
        let asked = |class: &Class| match context.asks("tree_file") {
            Some(mut selectors) => selectors.any(|selector: &Selector| selector.picks(class.word())),
            None => true,
        };
        let classes: Vec<Class> = Class::ALL.into_iter().filter(asked).collect();
        let (left_out, mut unsure) = skipped::paths(context);
        let mut ground = match MountTable::of(context).as_ref() {
            Ok(table) => Ground::new(table, &left_out),
            // A directory that holds a host, without what its kernel has mounted: what it holds is looked at, and the rest is not known.
            Err(gap) => Ground::unmounted(gap, &left_out),
        };
        ground.gaps.append(&mut unsure);
        let owners = Arc::new(Owners::of(context));
        let mut kinds: Vec<FileKind> = classes.iter().flat_map(|class| class.kinds()).copied().collect();
        kinds.dedup();
        let judging = (classes, owners.clone());
        let judge = move |met: &Met| judging.0.iter().filter(|class| is(**class, met, &judging.1)).map(|class| class.bit()).sum();
        let walked = context.host.walk(&Walk {
            starts: ground.starts(),
            left_out: ground.left_out.clone(),
            apart: skipped::PRIVATE.iter().map(PathBuf::from).collect(),
            kinds,
            judge: Arc::new(judge),
            most: MOST,
            threads: std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(1, 8)),
            patience: PATIENCE,
            until: context.until,
        });
        Ok(Self { ground, walked, owners, homes: homes(context) })
    }

    /// What belongs to a class.
    pub(super) fn of_class(&self, class: Class) -> impl Iterator<Item = Item<'_>> {
        let kept = self.walked.found.get(class as usize);
        kept.into_iter().flat_map(|kept| kept.iter()).filter_map(|(path, hit)| {
            let piece = self.ground.pieces.get(hit.start)?;
            Some(Item { path, met: hit.met, piece })
        })
    }

    /// Why there may be more of a class.
    pub(super) fn gaps(&self, class: Class) -> Vec<Gap> {
        let mut gaps = self.ground.gaps.clone();
        gaps.extend(self.walked.lost.iter().map(|(path, reason)| Gap::new(Origin::file(path), reason.clone())));
        let more = |number: u64, what: &str| (number > 0).then(|| Gap::new(Origin::Derived, Reason::unsupported(format!("{number} more {what}"))));
        gaps.extend(more(self.walked.lost.beyond(), "places could not be looked at"));
        let beyond = self.walked.found.get(class as usize).map_or(0, |kept| kept.beyond());
        gaps.extend(more(beyond, &format!("are {}, beyond the first {MOST}", class.word())));
        if class == Class::Unowned {
            gaps.extend(self.owners.gap().cloned());
        }
        gaps
    }

    pub(super) fn owners(&self) -> &Owners {
        &self.owners
    }

    /// Whether a path lies where users keep or put their files.
    pub(super) fn among_users_files(&self, path: &Path) -> Fact<bool> {
        match &self.homes {
            _ if skipped::USERS.iter().any(|directory| is_in(path, Path::new(directory))) => Fact::Known(true, Origin::Derived),
            Fact::Known(homes, origin) => Fact::Known(homes.iter().any(|home| is_in(path, home)), origin.clone()),
            Fact::Absent(origin) => Fact::Unknown(Gap::new(origin.clone(), Reason::NotCollected)),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        }
    }
}

/// Whether something belongs to a class.
fn is(class: Class, met: &Met, owners: &Owners) -> bool {
    let bits = met.mode.bits();
    match class {
        Class::SetId => met.kind == FileKind::File && bits & 0o6000 != 0,
        Class::WorldWritable => met.kind == FileKind::File && bits & 0o0002 != 0,
        Class::WorldWritableDirectory => met.kind == FileKind::Directory && bits & 0o0002 != 0,
        Class::Unowned => met.kind != FileKind::Link && !owners.know(met),
    }
}

/// The homes of those who log in: of users from `UID_MIN` on, links resolved. Not those that are system directories.
fn homes(context: &Context<'_>) -> Fact<Vec<PathBuf>> {
    let accounts = Accounts::of(context);
    let passwd = match accounts.passwd() {
        Ok(passwd) => passwd,
        Err(gap) => return Fact::Unknown(gap),
    };
    let first = match Settings::of(context).value("UID_MIN") {
        Fact::Known(number, _) => number.raw().parse().unwrap_or(1000),
        Fact::Absent(_) => 1000,
        Fact::Unknown(gap) => return Fact::Unknown(gap),
    };
    let people = passwd.entries.iter().filter(|user| user.uid >= first && user.uid != 65534);
    let homes = people.map(|user| Path::new(user.home.raw())).filter(|home| home.components().count() > 2);
    let homes = homes.map(|home| context.host.resolve(home).known().cloned().unwrap_or_else(|| home.to_path_buf()));
    Fact::Known(homes.collect(), Origin::file(PASSWD))
}
