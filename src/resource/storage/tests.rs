use super::*;
use crate::host::FileKind;
use crate::host::memory::Memory;

const MOUNTS: &str = "22 1 253:1 / / rw - ext4 /dev/mapper/vg-root rw\n23 22 8:2 / /var/log rw - ext4 /dev/sda2 rw\n\
    24 22 0:30 / /home rw - btrfs /dev/mapper/home rw\n25 22 0:31 / /mem rw - tmpfs tmpfs rw\n26 22 0:40 / /net rw - nfs4 s:/ rw\n";

/// LVM over LUKS over a partition; a bare partition; btrfs over plain dm-crypt over a virtual disk.
fn host() -> Memory {
    Memory::new()
        .file("/proc/1/mountinfo", MOUNTS)
        .file("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/zram0 partition 1 0 100\n/swapfile file 1 0 -2\n")
        .node("/home", FileKind::Directory, 0o755)
        .node("/var/log", FileKind::Directory, 0o755)
        .symlink("/sys/dev/block/253:1", "../../devices/virtual/block/dm-1")
        .file("/sys/devices/virtual/block/dm-1/dm/uuid", "LVM-abc\n")
        .symlink("/sys/devices/virtual/block/dm-1/slaves/dm-0", "../../dm-0")
        .file("/sys/devices/virtual/block/dm-0/dm/uuid", "CRYPT-LUKS2-0123-sda3_crypt\n")
        .symlink("/sys/devices/virtual/block/dm-0/slaves/sda3", "../../../../pci/block/sda/sda3")
        .file("/sys/devices/pci/block/sda/sda3/partition", "3\n")
        .file("/sys/devices/pci/block/sda/sda2/partition", "2\n")
        .file("/sys/devices/pci/block/sda/device/vendor", "ATA\n")
        .symlink("/sys/dev/block/8:2", "../../devices/pci/block/sda/sda2")
        .symlink("/dev/mapper/home", "../dm-2")
        .node("/dev/dm-2", FileKind::Device, 0o660)
        .symlink("/sys/class/block/dm-2", "../../devices/virtual/block/dm-2")
        .file("/sys/devices/virtual/block/dm-2/dm/uuid", "CRYPT-PLAIN-home\n")
        .symlink("/sys/devices/virtual/block/dm-2/slaves/vda", "../../../../virtio/block/vda")
        .node("/sys/devices/virtio/block/vda", FileKind::Directory, 0o755)
        .node("/dev/zram0", FileKind::Device, 0o660)
        .symlink("/sys/class/block/zram0", "../../devices/virtual/block/zram0")
        .node("/sys/devices/virtual/block/zram0", FileKind::Directory, 0o755)
}

fn rows(host: &Memory, role: &str) -> Vec<Storage> {
    Storages::collect(&Context::new(host), &Selector::Keys(vec![role.to_owned()])).unwrap()
}

fn list(fact: &Fact<List>) -> Vec<&str> {
    fact.known().map(|list| list.iter().map(Text::raw).collect()).unwrap_or_default()
}

#[test]
fn a_layer_of_luks_anywhere_on_the_way_encrypts() {
    let root = rows(&host(), "root").remove(0);
    assert_eq!((root.encrypted.known(), root.at_rest.known(), root.virtual_disk.known()), (Some(&true), Some(&true), Some(&false)));
    assert_eq!(list(&root.devices), ["dm-1 LVM", "dm-0 CRYPT-LUKS2", "sda3", "sda"]);
    assert_eq!(list(&root.encryption), ["luks2"]);
    let logs = rows(&host(), "logs").remove(0);
    assert_eq!((logs.encrypted.known(), logs.medium.known().map(Text::raw)), (Some(&false), Some("physical")));
}

#[test]
fn file_systems_with_numbers_of_their_own_are_found_by_their_device() {
    let homes = rows(&host(), "homes").remove(0);
    assert_eq!((homes.encrypted.known(), homes.virtual_disk.known()), (Some(&true), Some(&true)));
    assert_eq!(list(&homes.encryption), ["plain"]);
    let several = host().file("/sys/fs/btrfs/uuid/devices/dm-2", "").file("/sys/fs/btrfs/uuid/devices/sdb", "");
    assert!(matches!(rows(&several, "homes")[0].encrypted, Fact::Unknown(_)), "the other one may lie bare");
}

#[test]
fn every_part_of_a_raid_counts() {
    let raid = |second: &str| {
        Memory::new()
            .file("/proc/1/mountinfo", "22 1 9:0 / / rw - ext4 /dev/md0 rw\n")
            .symlink("/sys/dev/block/9:0", "/sys/devices/virtual/block/md0")
            .symlink("/sys/devices/virtual/block/md0/slaves/dm-0", "/sys/devices/virtual/block/dm-0")
            .symlink("/sys/devices/virtual/block/md0/slaves/dm-1", "/sys/devices/virtual/block/dm-1")
            .file("/sys/devices/virtual/block/dm-0/dm/uuid", "CRYPT-LUKS2-a-b\n")
            .file("/sys/devices/virtual/block/dm-1/dm/uuid", second)
    };
    assert_eq!(rows(&raid("CRYPT-LUKS1-a-b\n"), "root")[0].encrypted.known(), Some(&true));
    assert_eq!(rows(&raid("LVM-a\n"), "root")[0].encrypted.known(), Some(&false));
    assert_eq!(rows(&raid("CRYPT-VERITY-a-b\n"), "root")[0].encrypted.known(), Some(&false), "verity checks, it hides nothing");
}

#[test]
fn swap_in_memory_in_a_file_and_none() {
    let swaps = rows(&host(), "swap");
    assert_eq!(swaps.iter().map(|swap| swap.at_rest.known().copied()).collect::<Vec<_>>(), [Some(false), Some(true)]);
    assert!(matches!(swaps[0].encrypted, Fact::Absent(_)));
    assert_eq!((swaps[1].encrypted.known(), swaps[1].point.known().map(Text::raw)), (Some(&true), Some("/")));
    let none = Memory::new().file("/proc/swaps", "Filename\tType\n");
    assert!(rows(&none, "swap").is_empty());
    assert!(Storages::collect(&Context::new(&Memory::new()), &Selector::Keys(vec!["swap".into()])).is_err());
}

#[test]
fn what_cannot_be_followed_is_not_guessed() {
    for table in ["22 1 0:40 / / rw - zfs pool/root rw\n", "22 1 0:40 / / rw - overlay overlay rw\n", "22 1 0:40 / / rw - nfs4 s:/ rw\n", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"] {
        let host = Memory::new().file("/proc/1/mountinfo", table);
        assert!(matches!(rows(&host, "root")[0].encrypted, Fact::Unknown(_)), "{table}");
    }
    let circle = Memory::new()
        .file("/proc/1/mountinfo", "22 1 9:0 / / rw - ext4 /dev/md0 rw\n")
        .symlink("/sys/dev/block/9:0", "/sys/devices/virtual/block/md0")
        .symlink("/sys/devices/virtual/block/md0/slaves/md0", "/sys/devices/virtual/block/md0");
    assert!(matches!(rows(&circle, "root")[0].encrypted, Fact::Unknown(_)));
    let loops = Memory::new()
        .file("/proc/1/mountinfo", "22 1 7:0 / / rw - ext4 /dev/loop0 rw\n")
        .symlink("/sys/dev/block/7:0", "/sys/devices/virtual/block/loop0")
        .file("/sys/devices/virtual/block/loop0/loop/backing_file", "/a.img\n");
    assert!(matches!(rows(&loops, "root")[0].encrypted, Fact::Unknown(_)));
}
