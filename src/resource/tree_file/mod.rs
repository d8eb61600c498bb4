//! Files and directories anywhere on the host that belong to a class, found by one walk of every local file system.

mod audited;
mod found;
mod ground;
mod owners;
mod skipped;

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Integer, Mode, Origin, Reason, Text, record};

use super::accounts::Accounts;
use super::{Context, Resource, Selector};
use audited::Audited;
use found::{Class, Found};

record! {
    /// One file or directory of a class, wherever on the host it lies. Local file systems are walked, each once: not those
    /// of a network, of a user-space daemon or made up by the kernel, no images of media, and none that keeps no permissions of
    /// its own (vfat). Left out is what belongs to containers: the data directories of engines, of containerd and of the
    /// kubelet, and `/run/user` and `/snap`. A place that could not be looked at is a record of which nothing is known but the
    /// class; so are, together, those beyond the first thousand of a class.
    pub struct TreeFile("tree_file") {
        /// The path.
        path: Text,
        /// What it was found as: `set-id` (a regular file with set-uid or set-gid), `world-writable` (a regular file anybody may write),
        /// `world-writable-directory` (the same of a directory) or `unowned` (its user or its group has no name; links are not looked at).
        /// What belongs to several is a record of each.
        class: Text,
        /// `file`, `directory`, `socket`, `fifo` or `device`.
        kind: Text,
        /// Name of the owner, from the host's own passwd; absent where the number has no name.
        owner: Text,
        /// Name of the group, from the host's own group file; absent where the number has no name.
        group: Text,
        /// Numeric owner.
        uid: Integer,
        /// Numeric group.
        gid: Integer,
        /// Permission bits, set-uid, set-gid and sticky included.
        mode: Mode,
        /// Whether it runs as its owner.
        setuid: Flag,
        /// Whether it runs as its group; of a directory, whether what is made in it gets its group.
        setgid: Flag,
        /// Whether of what lies in the directory everybody may remove his own only.
        sticky: Flag,
        /// Whether anybody may write it.
        world_writable: Flag,
        /// Whether its user or its group has no name; unknown where it may have one in a directory service. Ranges of
        /// `/etc/subuid` and `/etc/subgid` belong to the users they are given to, and below `private` in `/var/lib`, `/var/cache`,
        /// `/var/log` and `/run` systemd keeps what belongs to users that it makes up while their services run.
        unowned: Flag,
        /// Where its file system is mounted.
        mount: Text,
        /// Whether set-uid and set-gid count for nothing on its file system, wherever that is mounted.
        nosuid: Flag,
        /// Whether nothing can be executed from its file system, wherever that is mounted.
        noexec: Flag,
        /// Whether it lies where users keep or put their files: in the home of somebody who logs in, in `/home`, or in
        /// `/tmp`, `/var/tmp`, `/dev/shm` and the like.
        among_users_files: Flag,
        /// Whether loaded audit rules record that somebody who logged in executes it, by 64-bit and 32-bit calls: rules for the path or a
        /// directory above it with permission `x`, for everybody, or for every `auid` from `UID_MIN` on.
        execution_audited: Flag,
        /// Whether rules on disk, which the next start of auditd loads, do so.
        execution_audited_on_disk: Flag,
    }
}

/// Finds the records.
pub struct TreeFiles;

impl Resource for TreeFiles {
    type Row = TreeFile;
    const SELECTOR: &'static str = "a class: `set-id`, `world-writable`, `world-writable-directory`, `unowned`";
    const KEY: &'static str = "class";
    const OWN_PACE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        if let Selector::Keys(keys) = of
            && let Some(other) = keys.iter().find(|key| !Class::ALL.iter().any(|class| class.word() == key.as_str()))
        {
            return Err(Gap::new(Origin::Derived, Reason::malformed(format!("there is no class `{other}`"))));
        }
        let found = Found::of(context);
        let found = found.as_ref().as_ref().map_err(Gap::clone)?;
        let accounts = Accounts::of(context);
        let mut rows = Vec::new();
        for class in Class::ALL.into_iter().filter(|class| of.picks(class.word())) {
            let audited = (class == Class::SetId).then(|| Audited::of(context));
            for hit in found.of_class(class) {
                rows.push(row(class, &hit, found, &accounts, audited.as_ref()));
            }
            rows.extend(found.gaps(class).iter().map(|gap| TreeFile { class: Fact::derived(class.word()), ..TreeFile::unknown(gap) }));
        }
        Ok(rows)
    }
}

fn row(class: Class, hit: &found::Item<'_>, found: &Found, accounts: &Accounts, audited: Option<&Audited>) -> TreeFile {
    let origin = Origin::stat(hit.path);
    let met = &hit.met;
    let bits = met.mode.bits();
    let has = |bit: u16| Fact::Known(bits & bit != 0, origin.clone());
    let not_asked = || Fact::Unknown(Gap::new(Origin::Derived, Reason::unsupported("only what is found as set-id is looked up in the audit rules")));
    let (execution_audited, execution_audited_on_disk) = match audited {
        Some(audited) => audited.look(hit.path),
        None => (not_asked(), not_asked()),
    };
    TreeFile {
        path: Fact::Known(hit.path.into(), origin.clone()),
        class: Fact::derived(class.word()),
        kind: Fact::Known(met.kind.word().into(), origin.clone()),
        owner: named(accounts.user_name(met.uid), accounts.elsewhere("passwd")),
        group: named(accounts.group_name(met.gid), accounts.elsewhere("group")),
        uid: Fact::Known(met.uid.into(), origin.clone()),
        gid: Fact::Known(met.gid.into(), origin.clone()),
        mode: Fact::Known(met.mode, origin.clone()),
        setuid: has(0o4000),
        setgid: has(0o2000),
        sticky: has(0o1000),
        world_writable: has(0o0002),
        unowned: found.owners().unowned(met, &origin),
        mount: Fact::Known(hit.piece.path.as_path().into(), Origin::kernel(super::mount::TABLE)),
        nosuid: hit.piece.nosuid.clone(),
        noexec: hit.piece.noexec.clone(),
        among_users_files: found.among_users_files(hit.path),
        execution_audited,
        execution_audited_on_disk,
    }
}

/// A name, unless a directory service that is not asked may have another answer than that there is none.
fn named(name: Fact<Text>, elsewhere: Option<Gap>) -> Fact<Text> {
    match (name, elsewhere) {
        (Fact::Absent(_), Some(gap)) => Fact::Unknown(gap),
        (name, _) => name,
    }
}

/// Whether a path is a directory or lies in it.
fn is_in(path: &Path, directory: &Path) -> bool {
    path.starts_with(directory)
}

#[cfg(test)]
mod tests;
