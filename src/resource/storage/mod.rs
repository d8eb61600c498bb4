//! What data lies on: for each place that holds any, the chain of block devices beneath it, and whether it is encrypted.

mod chain;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Text, record};

use super::docker::engines;
use super::mount::covering;
use super::{Context, Resource, Selector};
use chain::Chain;

const SWAPS: &str = "/proc/swaps";

record! {
    /// A place that holds data and what it lies on. Places are what engines keep, their volumes, /var/log, /home, / and swap.
    pub struct Storage("storage") {
        /// Path of the place, with links resolved.
        path: Text,
        /// What is kept there: `data_root`, `volumes`, `logs`, `homes`, `root`, `swap`.
        role: Text,
        /// Mount point of the file system it is in; absent for swap on a device of its own.
        point: Text,
        /// Type of that file system; `swap` for swap.
        fs_type: Text,
        /// Options of that mount; absent for swap.
        options: List,
        /// The devices beneath, the topmost first, with what each is: `dm-1 LVM`, `dm-0 CRYPT-LUKS2`, `sda3`.
        devices: List,
        /// Whether what lies there outlives a loss of power: not on tmpfs, and not in compressed memory.
        at_rest: Flag,
        /// Whether every way down to a disk leads through dm-crypt; absent where nothing is at rest, unknown for ZFS, network file systems and overlays.
        encrypted: Flag,
        /// How: `luks2`, `luks1`, `plain` and so on, of each way down; empty where it is not.
        encryption: List,
        /// Whether some disk beneath is made up by a hypervisor, which may encrypt it out of sight.
        virtual_disk: Flag,
        /// What is beneath in one word: `virtual`, `physical`, `memory`.
        medium: Text,
    }
}

/// Finds the records.
pub struct Storages;

impl Resource for Storages {
    type Row = Storage;
    const SELECTOR: &'static str = "a role (`data_root`, `volumes`, `logs`, `homes`, `root`, `swap`), a glob of roles, or `\"*\"`";
    const KEY: &'static str = "role";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let mut rows = Vec::new();
        for (role, path) in [("logs", "/var/log"), ("homes", "/home"), ("root", "/")] {
            if of.picks(role) {
                rows.extend(place(context, role, Path::new(path)));
            }
        }
        if of.picks("data_root") || of.picks("volumes") {
            engine_places(context, of, &mut rows)?;
        }
        if of.picks("swap") {
            swaps(context, &mut rows)?;
        }
        Ok(rows)
    }
}

/// A place that is there.
fn place(context: &Context<'_>, role: &str, path: &Path) -> Option<Storage> {
    let (real, origin) = match context.host.resolve(path) {
        Fact::Known(real, origin) => (real, origin),
        Fact::Absent(_) => return None,
        Fact::Unknown(gap) => {
            return Some(Storage { path: Fact::Known(path.into(), gap.origin.clone()), role: Fact::derived(role), ..Storage::unknown(&gap) });
        }
    };
    let chain = Chain::of_path(context, &real);
    Some(row(role, Fact::Known(real.as_path().into(), origin), covering(context, &real), &chain))
}

fn engine_places(context: &Context<'_>, of: &Selector, rows: &mut Vec<Storage>) -> Result<(), Gap> {
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    for engine in engines(context)?.iter() {
        match engine.used_root(context) {
            Fact::Known(path, _) if seen.insert(path.clone()) => {
                if of.picks("data_root") {
                    rows.extend(place(context, "data_root", &path));
                }
                if of.picks("volumes") {
                    rows.extend(place(context, "volumes", &path.join("volumes")));
                }
            }
            Fact::Known(..) | Fact::Absent(_) => {}
            Fact::Unknown(gap) if of.picks("data_root") => {
                rows.push(Storage { role: Fact::derived("data_root"), ..Storage::unknown(&gap) });
            }
            Fact::Unknown(_) => {}
        }
    }
    Ok(())
}

/// Swap that is in use now.
fn swaps(context: &Context<'_>, rows: &mut Vec<Storage>) -> Result<(), Gap> {
    let missing = || Gap::new(Origin::kernel(SWAPS), Reason::NotCollected);
    let content = context.host.read(Path::new(SWAPS)).into_result()?.ok_or_else(missing)?;
    for line in String::from_utf8_lossy(&content).lines().skip(1) {
        let mut words = line.split_whitespace();
        let (Some(name), Some(kind)) = (words.next(), words.next()) else { continue };
        let path = PathBuf::from(name.replace("\\040", " "));
        let origin = Origin::kernel(SWAPS);
        if kind == "file" {
            let chain = Chain::of_path(context, &path);
            rows.push(row("swap", Fact::Known(path.as_path().into(), origin), covering(context, &path), &chain));
        } else {
            let chain = Chain::of_device(context, &path);
            let mut swap = row("swap", Fact::Known(path.as_path().into(), origin.clone()), Fact::Absent(origin.clone()), &chain);
            swap.fs_type = Fact::Known("swap".into(), origin);
            rows.push(swap);
        }
    }
    Ok(())
}

fn row(role: &str, path: Fact<Text>, mount: Fact<crate::parse::mountinfo::Mount>, chain: &Result<Chain, Gap>) -> Storage {
    fn told<T>(chain: &Result<Chain, Gap>, tell: impl FnOnce(&Chain) -> Fact<T>) -> Fact<T> {
        match chain {
            Ok(chain) => tell(chain),
            Err(gap) => Fact::Unknown(gap.clone()),
        }
    }
    let texts = |list: &[String]| list.iter().map(|item| Text::from(item.as_str())).collect::<List>();
    Storage {
        path,
        role: Fact::derived(role),
        point: mount.clone().map(|mount| mount.point.as_path().into()),
        fs_type: mount.clone().map(|mount| mount.fs_type.as_str().into()),
        options: mount.map(|mount| texts(&mount.options)),
        devices: told(chain, |chain| Fact::Known(texts(&chain.devices), chain.origin.clone())),
        at_rest: told(chain, |chain| Fact::Known(!chain.in_memory, chain.origin.clone())),
        encrypted: told(chain, |chain| match chain.in_memory {
            true => Fact::Absent(chain.origin.clone()),
            false => Fact::Known(chain.encrypted, chain.origin.clone()),
        }),
        encryption: told(chain, |chain| Fact::Known(texts(&chain.encryption), chain.origin.clone())),
        virtual_disk: told(chain, |chain| Fact::Known(chain.virtual_disk, chain.origin.clone())),
        medium: told(chain, |chain| {
            let medium = match (chain.in_memory, chain.virtual_disk) {
                (true, _) => "memory",
                (false, true) => "virtual",
                (false, false) => "physical",
            };
            Fact::Known(medium.into(), chain.origin.clone())
        }),
    }
}
