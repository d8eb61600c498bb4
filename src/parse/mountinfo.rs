//! `/proc/PID/mountinfo`: the mount table of a process.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

/// One mount.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mount {
    /// Number of this mount.
    pub id: u32,
    /// Number of the mount it stands on.
    pub parent: u32,
    /// Number of the device that holds the file system, as `MAJOR:MINOR`.
    pub number: String,
    /// What part of the file system is mounted.
    pub root: PathBuf,
    /// Where it is mounted.
    pub point: PathBuf,
    /// Options of this mount.
    pub options: Vec<String>,
    /// Propagation: `shared`, `slave`, `private` or `unbindable`. One that is both shared and slave is `shared`.
    pub propagation: &'static str,
    /// Type of file system.
    pub fs_type: String,
    /// The device or name mounted.
    pub device: String,
    /// Options of the file system itself.
    pub super_options: Vec<String>,
    /// Line of the table, from 1.
    pub line: u32,
}

impl Mount {
    /// Whether the file system comes over a network or from a user-space daemon, so that looking at it may wait for somebody.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        is_remote(&self.fs_type)
    }
}

/// File systems that are answered by another machine, by a program, or by mounting something on being looked at.
fn is_remote(fs_type: &str) -> bool {
    const REMOTE: &[&str] = &[
        "9p", "acfs", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse", "fuseblk", "gpfs", "lustre", "ncp", "ncpfs",
        "nfs", "nfs4", "orangefs", "panfs", "prl_fs", "pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
    ];
    REMOTE.contains(&fs_type) || fs_type.starts_with("fuse.")
}

/// Reads a mount table. Lines that cannot be understood are given by number, from 1.
#[must_use]
pub fn parse(table: &[u8]) -> (Vec<Mount>, Vec<u32>) {
    let (mut mounts, mut bad) = (Vec::new(), Vec::new());
    for (line, number) in table.split(|b| *b == b'\n').zip(1..).filter(|(line, _)| !line.is_empty()) {
        match mount(line, number) {
            Some(mount) => mounts.push(mount),
            None => bad.push(number),
        }
    }
    (mounts, bad)
}

/// The mounts that can be seen: where several stand on one point, the one that no other there stands on.
#[must_use]
pub fn topmost(mounts: Vec<Mount>) -> Vec<Mount> {
    let mut points: BTreeMap<PathBuf, Vec<Mount>> = BTreeMap::new();
    for mount in mounts {
        points.entry(mount.point.clone()).or_default().push(mount);
    }
    let top = |stack: Vec<Mount>| {
        let covered: BTreeSet<u32> = stack.iter().filter(|mount| mount.parent != mount.id).map(|mount| mount.parent).collect();
        let last = stack.last().cloned();
        stack.into_iter().rev().find(|mount| !covered.contains(&mount.id)).or(last)
    };
    points.into_values().filter_map(top).collect()
}

fn mount(line: &[u8], line_number: u32) -> Option<Mount> {
    let mut fields = line.split(|b| *b == b' ');
    let text = |field: &[u8]| String::from_utf8_lossy(&unescape(field)).into_owned();
    let list = |field: &[u8]| field.split(|b| *b == b',').filter(|option| !option.is_empty()).map(text).collect();
    let path = |field: &[u8]| PathBuf::from(OsString::from_vec(unescape(field)));
    let digits = |field: &[u8]| std::str::from_utf8(field).ok()?.parse().ok();

    let (id, parent) = (digits(fields.next()?)?, digits(fields.next()?)?);
    let number = text(fields.next()?);
    let (root, point) = (path(fields.next()?), path(fields.next()?));
    let options = list(fields.next()?);
    let tags: Vec<&[u8]> = fields.by_ref().take_while(|field| *field != b"-").collect();
    let tagged = |tag: &[u8]| tags.iter().any(|field| field.starts_with(tag));
    let propagation = match () {
        () if tagged(b"shared:") => "shared",
        () if tagged(b"master:") => "slave",
        () if tagged(b"unbindable") => "unbindable",
        () => "private",
    };
    let (fs_type, device) = (text(fields.next()?), text(fields.next()?));
    let super_options = list(fields.next().unwrap_or_default());
    point.is_absolute().then_some(Mount {
        id,
        parent,
        number,
        root,
        point,
        options,
        propagation,
        fs_type,
        device,
        super_options,
        line: line_number,
    })
}

/// Undoes the octal escapes (`\040` for a space) of the kernel's tables.
pub(super) fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((byte, after)) = rest.split_first() {
        let escaped = match after {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] if *byte == b'\\' => {
                Some((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'))
            }
            _ => None,
        };
        plain.push(escaped.unwrap_or(*byte));
        rest = after.get(if escaped.is_some() { 3 } else { 0 }..).unwrap_or_default();
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const TABLE: &str = "1 1 0:2 / / rw shared:1 - rootfs none rw\n\
        22 1 254:0 / / rw,relatime shared:1 master:7 - ext4 /dev/vda rw,discard\n\
        30 22 0:30 / /a\\040b\\012c rw,nosuid,nodev master:3 propagate_from:2 - tmpfs a\\134b rw,size=1k\n\
        41 22 0:40 / /mnt rw unbindable - nfs4 srv:/x rw,vers=4.2\n\
        40 41 0:41 / /mnt ro - tmpfs none ro\n\
        garbage\n\
        50 22 0:42 / /srv rw - fuse.sshfs me@there:/ rw\n";

    #[test]
    fn fields_escapes_and_bad_lines() {
        let (mounts, bad) = parse(TABLE.as_bytes());
        assert_eq!(bad, [6]);
        assert_eq!(mounts[2].point, Path::new("/a b\nc"));
        assert_eq!(mounts[2].device, "a\\b");
        assert_eq!(mounts[2].options, ["rw", "nosuid", "nodev"]);
        assert_eq!(mounts[2].super_options, ["rw", "size=1k"]);
        assert_eq!(
            mounts.iter().map(|m| m.propagation).collect::<Vec<_>>(),
            ["shared", "shared", "slave", "unbindable", "private", "private"]
        );
        assert_eq!(mounts.iter().map(Mount::is_remote).collect::<Vec<_>>(), [false, false, false, true, false, true]);
    }

    #[test]
    fn the_topmost_is_the_one_nothing_stands_on() {
        let seen = topmost(parse(TABLE.as_bytes()).0);
        let at = |point: &str| seen.iter().find(|m| m.point == Path::new(point)).map(|m| m.fs_type.as_str());
        assert_eq!(at("/"), Some("ext4"));
        assert_eq!(at("/mnt"), Some("tmpfs"), "the older number stands on top");
        assert_eq!(seen.len(), 4);
    }

    #[test]
    fn broken_lines_do_no_harm() {
        for cut in 0..TABLE.len() {
            let _ = parse(&TABLE.as_bytes()[..cut]);
        }
        assert_eq!(unescape(b"\\777\\04"), b"\\777\\04");
    }
}
