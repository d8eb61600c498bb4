//! What is walked: every local file system of the host, each part of it once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::walk::Start;
use crate::parse::mountinfo::{self, Mount};
use crate::resource::mount::{MountTable, TABLE};

/// File systems that keep files with owners and modes on this machine.
const LOCAL: &[&str] = &[
    "bcachefs", "btrfs", "erofs", "ext2", "ext3", "ext4", "f2fs", "gfs2", "jffs2", "jfs", "minix", "nilfs2", "ocfs2", "ramfs", "reiser4",
    "reiserfs", "rootfs", "tmpfs", "ubifs", "ufs", "xfs", "zfs",
];
/// Images of media, and layers over other file systems: walked only where the host itself lives on them.
const LAYERED: &[&str] = &["aufs", "cramfs", "iso9660", "overlay", "overlayfs", "romfs", "squashfs", "udf"];
/// What the kernel makes up, and what keeps no owners and modes of its own.
const OTHER: &[&str] = &[
    "adfs", "affs", "bdev", "binder", "binderfs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devfs", "devpts",
    "devtmpfs", "dlmfs", "drm", "ecryptfs", "efivarfs", "exfat", "functionfs", "fusectl", "hfs", "hpfs", "hugetlbfs", "ibmasmfs", "ipathfs",
    "mqueue", "msdos", "nfsd", "nsfs", "ntfs", "ntfs3", "oprofilefs", "pipefs", "proc", "pstore", "resctrl", "rpc_pipefs", "secretmem",
    "securityfs", "selinuxfs", "smackfs", "sockfs", "spufs", "sysfs", "tracefs", "umsdos", "usbfs", "vfat", "xenfs",
];

/// A part of a file system that is walked from one directory.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Piece {
    /// Where it is mounted.
    pub(super) path: PathBuf,
    /// Where the walk begins.
    pub(super) start: Start,
    /// Whether set-uid counts for nothing, wherever what lies in it can be reached.
    pub(super) nosuid: Fact<bool>,
    /// Whether nothing can be executed, wherever what lies in it can be reached.
    pub(super) noexec: Fact<bool>,
}

/// What is walked.
#[derive(Default)]
pub(super) struct Ground {
    pub(super) pieces: Vec<Piece>,
    pub(super) left_out: Vec<PathBuf>,
    /// What should be walked and is not.
    pub(super) gaps: Vec<Gap>,
}

impl Ground {
    /// All that the mount table of the host names, but for what is left out.
    pub(super) fn new(table: &MountTable, left_out: &[PathBuf]) -> Self {
        let mut ground = Self { left_out: left_out.to_vec(), ..Self::default() };
        let bad = |line: &u32| Gap::new(Origin::line(TABLE, *line), Reason::malformed("not a line of a mount table"));
        ground.gaps.extend(table.bad.iter().map(bad));
        let mut mounts = visible(&table.mounts);
        ground.left_out.extend(mounts.iter().map(|mount| mount.point.clone()));
        let all = mounts.clone();
        mounts.retain(|mount| !left_out.iter().any(|path| mount.point.starts_with(path)));
        for mount in &mounts {
            if !is_known(mount) {
                let why = Reason::unsupported(format!("file systems of the type {} are not known", mount.fs_type));
                ground.gaps.push(Gap::new(Origin::file(mount.point.as_path()), why));
            }
        }
        mounts.retain(is_walked);
        if !all.iter().any(|mount| mount.point == Path::new("/")) {
            ground.gaps.push(Gap::new(Origin::kernel(TABLE), Reason::unsupported("no root file system is mounted")));
        }
        // The host's root first, and then what shows most of a file system, so that paths are those that people know.
        mounts.sort_by_key(|mount| (mount.point != Path::new("/"), mount.root.components().count(), mount.line));
        let mut chosen: Vec<&Mount> = Vec::new();
        for mount in &mounts {
            ground.choose(mount, &chosen, &all);
            chosen.push(mount);
        }
        ground
    }

    /// A host whose mount table cannot be seen: one directory, and the rest is not known.
    pub(super) fn unmounted(gap: &Gap, left_out: &[PathBuf]) -> Self {
        let start = Start { path: "/".into(), mounted: None };
        let piece = Piece { path: "/".into(), start, nosuid: Fact::Unknown(gap.clone()), noexec: Fact::Unknown(gap.clone()) };
        let made_up = ["/proc", "/sys"].map(PathBuf::from);
        Self { pieces: vec![piece], left_out: left_out.iter().cloned().chain(made_up).collect(), gaps: vec![gap.clone()] }
    }

    pub(super) fn starts(&self) -> Vec<Start> {
        self.pieces.iter().map(|piece| piece.start.clone()).collect()
    }

    /// Adds what of a mount none of those chosen before shows.
    fn choose(&mut self, mount: &Mount, chosen: &[&Mount], all: &[Mount]) {
        let same = || chosen.iter().filter(|other| other.number == mount.number);
        let covering = same().find_map(|other| {
            let below = mount.root.strip_prefix(&other.root).ok()?;
            let there = joined(&other.point, below);
            // Not where something else is mounted on the way.
            let hidden = all.iter().any(|on| on.point != other.point && on.point.starts_with(&other.point) && there.starts_with(&on.point));
            (!hidden && !self.is_left_out(&there, all)).then_some(there)
        });
        let Some(there) = covering else {
            for other in same() {
                if let Ok(below) = other.root.strip_prefix(&mount.root)
                    && !below.as_os_str().is_empty()
                {
                    self.left_out.push(mount.point.join(below));
                }
            }
            let mounted = Some((mount.number.clone(), mount.root.clone()));
            return self.add(mount, Start { path: mount.point.clone(), mounted }, all);
        };
        // What is mounted below hides there what can be seen here.
        for on in all.iter().filter(|on| on.point.starts_with(&there) && on.point != there) {
            let Ok(below) = on.point.strip_prefix(&there) else { continue };
            let here = mount.point.join(below);
            let hidden = all.iter().any(|on| on.point != mount.point && on.point.starts_with(&mount.point) && here.starts_with(&on.point));
            if !hidden && !self.is_left_out(&here, all) {
                self.add(mount, Start { path: here, mounted: None }, all);
            }
        }
    }

    /// Whether a path lies in what is left out, mount points excepted.
    fn is_left_out(&self, path: &Path, all: &[Mount]) -> bool {
        self.left_out.iter().any(|out| path.starts_with(out) && !all.iter().any(|mount| mount.point == *out))
    }

    fn add(&mut self, mount: &Mount, start: Start, all: &[Mount]) {
        // Flags are of mounts, and a file can be reached through each of them.
        let shows_same = |other: &&Mount| {
            other.number == mount.number && (other.root.starts_with(&mount.root) || mount.root.starts_with(&other.root))
        };
        let everywhere = |flag: &str| {
            let has = |mount: &Mount| mount.options.iter().chain(&mount.super_options).any(|option| option == flag);
            Fact::Known(has(mount) && all.iter().filter(shows_same).all(has), Origin::kernel(TABLE))
        };
        self.pieces.push(Piece { path: mount.point.clone(), start, nosuid: everywhere("nosuid"), noexec: everywhere("noexec") });
    }
}

/// A path below a directory; the directory itself where nothing is below.
fn joined(directory: &Path, below: &Path) -> PathBuf {
    if below.as_os_str().is_empty() { directory.to_path_buf() } else { directory.join(below) }
}

/// Whether a mount is of a type of which it is known whether to walk it.
fn is_known(mount: &Mount) -> bool {
    let is = |list: &[&str]| list.contains(&mount.fs_type.as_str());
    is(LOCAL) || is(LAYERED) || is(OTHER) || mount.is_remote()
}

fn is_walked(mount: &Mount) -> bool {
    // `/` and what is mounted directly in it, such as `/usr` and `/etc`; but not `/snap` and `/media`.
    let of_host = mount.point.components().count() <= 2;
    LOCAL.contains(&mount.fs_type.as_str()) || (of_host && LAYERED.contains(&mount.fs_type.as_str()))
}

/// The mounts that can be seen: the topmost of each point, unless something is mounted above it that it does not stand on.
fn visible(table: &[Mount]) -> Vec<Mount> {
    let top = mountinfo::topmost(table.to_vec());
    let by_id: BTreeMap<u32, &Mount> = table.iter().map(|mount| (mount.id, mount)).collect();
    let by_point: BTreeMap<&Path, &Mount> = top.iter().map(|mount| (mount.point.as_path(), mount)).collect();
    let is_visible = |mount: &&Mount| {
        // The mount that its lowest at this point stands on must be the one that is seen there.
        let mut at = *mount;
        let stands_on = loop {
            match by_id.get(&at.parent) {
                Some(parent) if parent.id != at.id && parent.point == at.point => at = parent,
                Some(parent) if parent.id != at.id => break Some(*parent),
                _ => break None,
            }
        };
        let above = mount.point.ancestors().skip(1).find_map(|above| by_point.get(above));
        match (stands_on, above) {
            (Some(stands_on), Some(above)) => stands_on.id == above.id,
            // The root, or a table that tells no parents.
            _ => true,
        }
    };
    top.iter().filter(is_visible).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ground(text: &str, left_out: &[&str]) -> Ground {
        let (mounts, bad) = mountinfo::parse(text.as_bytes());
        let left_out: Vec<PathBuf> = left_out.iter().map(PathBuf::from).collect();
        Ground::new(&MountTable { mounts, bad }, &left_out)
    }

    fn starts(ground: &Ground) -> Vec<&str> {
        let mut starts: Vec<&str> = ground.pieces.iter().map(|piece| piece.start.path.to_str().unwrap()).collect();
        starts.sort_unstable();
        starts
    }

    const ROOT: &str = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n";

    #[test]
    fn local_file_systems_are_walked_and_no_others() {
        let ground = ground(
            &format!(
                "{ROOT}2 1 0:2 / /proc rw - proc proc rw\n3 1 0:3 / /sys rw - sysfs sysfs rw\n4 1 0:4 / /dev rw - devtmpfs udev rw\n\
                 5 4 0:5 / /dev/shm rw,nosuid - tmpfs tmpfs rw\n6 1 0:6 / /net rw - nfs4 s:/x rw\n7 1 8:2 / /boot/efi rw - vfat /dev/sda2 rw\n\
                 8 1 0:8 / /home/me/mnt rw - fuse.sshfs me@x: rw\n9 1 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro\n\
                 10 1 0:10 / /srv/x/merged rw - overlay overlay rw\n11 1 8:3 / /var rw,nosuid,noexec - xfs /dev/sda3 rw\n\
                 12 1 0:12 / /mnt/x rw - 9p x rw\n13 1 0:13 / /mnt/cd ro - iso9660 /dev/sr0 ro\n"
            ),
            &["/snap"],
        );
        assert_eq!(starts(&ground), ["/", "/dev/shm", "/var"]);
        assert!(ground.gaps.is_empty());
        let flags: Vec<_> = ground.pieces.iter().map(|piece| (piece.nosuid.known().copied(), piece.noexec.known().copied())).collect();
        assert_eq!(flags, [(Some(false), Some(false)), (Some(true), Some(false)), (Some(true), Some(true))]);
        assert!(ground.left_out.contains(&"/net".into()));
    }

    #[test]
    fn the_host_may_live_on_layers() {
        let text = "1 0 0:1 / / rw - overlay overlay rw\n2 1 0:2 / /etc rw - overlay overlay rw\n3 1 7:1 / /usr ro - squashfs /dev/loop0 ro\n";
        assert_eq!(starts(&ground(text, &[])), ["/", "/etc", "/usr"]);
    }

    #[test]
    fn a_part_that_is_mounted_twice_is_walked_once() {
        let bind = "2 1 8:1 /data /srv/data rw - ext4 /dev/sda1 rw\n3 1 8:2 / /opt rw - ext4 /dev/sdb1 rw\n4 1 8:2 / /mnt/opt rw - ext4 /dev/sdb1 rw\n";
        assert_eq!(starts(&ground(&format!("{ROOT}{bind}"), &[])), ["/", "/opt"]);
        // The upper directory hides what lies below it in the lower, and the bind mount shows it.
        let hidden = "2 1 0:2 / /data rw - tmpfs tmpfs rw\n3 1 8:1 /data /srv/data rw - ext4 /dev/sda1 rw\n";
        assert_eq!(starts(&ground(&format!("{ROOT}{hidden}"), &[])), ["/", "/data", "/srv/data"]);
        let partly = "2 1 0:2 / /data/a/b rw - tmpfs tmpfs rw\n3 1 8:1 /data /srv/data rw - ext4 /dev/sda1 rw\n";
        assert_eq!(starts(&ground(&format!("{ROOT}{partly}"), &[])), ["/", "/data/a/b", "/srv/data/a/b"]);
        let itself = "2 1 8:1 /data /data rw - ext4 /dev/sda1 rw\n";
        assert_eq!(starts(&ground(&format!("{ROOT}{itself}"), &[])), ["/", "/data"]);
        assert_eq!(starts(&ground(&format!("{ROOT}{itself}"), &["/data"])), ["/"]);
        let of_left_out = "2 1 8:1 /var/lib/docker/volumes/x /srv/x rw - ext4 /dev/sda1 rw\n";
        assert_eq!(starts(&ground(&format!("{ROOT}{of_left_out}"), &["/var/lib/docker"])), ["/", "/srv/x"], "the host uses it there");
    }

    #[test]
    fn subvolumes_are_parts_and_the_whole_shows_the_rest() {
        let text = "1 0 0:9 /@ / rw - btrfs /dev/sda1 rw\n2 1 0:9 /@home /home rw,nosuid - btrfs /dev/sda1 rw\n3 1 0:9 / /mnt/all rw - btrfs /dev/sda1 rw\n";
        let ground = ground(text, &[]);
        assert_eq!(starts(&ground), ["/", "/mnt/all"]);
        assert!(ground.left_out.contains(&"/mnt/all/@".into()));
        let all = ground.pieces.iter().find(|piece| piece.path == Path::new("/mnt/all")).unwrap();
        assert_eq!(all.nosuid.known(), Some(&false), "what /home forbids can be had by another way");
    }

    #[test]
    fn what_is_covered_cannot_be_seen() {
        let text = format!("{ROOT}2 1 8:2 / /a/b rw - ext4 /dev/sdb1 rw\n3 1 8:3 / /a rw - ext4 /dev/sdc1 rw\n4 3 8:4 / /a rw - ext4 /dev/sdd1 rw\n");
        let ground = ground(&text, &[]);
        assert_eq!(starts(&ground), ["/", "/a"]);
        assert_eq!(ground.pieces[1].start.mounted, Some(("8:4".to_owned(), "/".into())));
    }

    #[test]
    fn what_is_not_understood_is_a_gap() {
        let text = format!("{ROOT}2 1 0:7 / /new rw - brandnewfs x rw\ngarbage\n");
        let ground = ground(&text, &[]);
        assert_eq!(starts(&ground), ["/"]);
        assert_eq!(ground.gaps.len(), 2);
        assert_eq!(super::Ground::new(&MountTable { mounts: Vec::new(), bad: Vec::new() }, &[]).gaps.len(), 1);
    }
}
