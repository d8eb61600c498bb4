use super::*;
use crate::host::memory::Memory;

const DEP: &str = "kernel/fs/cramfs/cramfs.ko.xz: kernel/drivers/mtd/mtd.ko.xz\nkernel/fs/hfsplus/hfsplus.ko:\n\
    kernel/drivers/usb/storage/usb-storage.ko.zst: kernel/drivers/usb/core/usbcore.ko.zst\n";

fn modular() -> Memory {
    Memory::new()
        .file("/proc/modules", "hfsplus 1 0 - Live 0x0\nusb_storage 2 1 uas, Live 0x0\n")
        .file("/proc/filesystems", "nodev\tproc\n\text4\n")
        .file("/proc/cmdline", "quiet\n")
        .file("/proc/sys/kernel/osrelease", "6.1.0-25-amd64\n")
}

fn debian() -> Memory {
    modular()
        .file("/lib/modules/6.1.0-25-amd64/modules.dep", DEP)
        .file("/lib/modules/6.1.0-25-amd64/modules.builtin", "kernel/fs/squashfs/squashfs.ko\n")
}

fn module(host: &Memory, name: &str) -> KernelModule {
    KernelModules::collect(&Context::new(host), &Selector::Keys(vec![name.to_owned()])).unwrap().remove(0)
}

fn known(fact: &Fact<bool>) -> Option<bool> {
    fact.known().copied()
}

#[test]
fn whole_names_count_and_dashes_are_underscores() {
    let host = debian();
    assert_eq!(known(&module(&host, "hfsplus").loaded), Some(true));
    let hfs = module(&host, "hfs");
    assert_eq!((known(&hfs.loaded), known(&hfs.loadable)), (Some(false), Some(false)));
    assert_eq!(hfs.installed_in.known().map(Vec::len), Some(0));
    let usb = module(&host, "usb-storage");
    assert_eq!((known(&usb.loaded), known(&usb.loadable)), (Some(true), Some(true)));
    assert_eq!(usb.name.known().map(Text::raw), Some("usb-storage"));
}

#[test]
fn every_installed_kernel_counts() {
    let host = debian().file("/usr/lib/modules/6.9-backport/modules.dep", "kernel/fs/udf/udf.ko.zst:\n").file(
        "/usr/lib/modules/5.10-removed/updates/dkms/x.ko",
        "",
    );
    let udf = module(&host, "udf");
    assert_eq!(udf.installed_in.known().unwrap(), &[Text::from("6.9-backport")]);
    assert_eq!(known(&udf.loadable), Some(true));
    assert_eq!(known(&module(&host, "squashfs").built_in), Some(true));
    assert_eq!(known(&udf.built_in), Some(false));
}

#[test]
fn a_blacklist_alone_still_permits_loading_by_name() {
    let host = debian().file("/etc/modprobe.d/a.conf", "blacklist cramfs\n");
    let cramfs = module(&host, "cramfs");
    assert_eq!((known(&cramfs.blacklisted), known(&cramfs.install_denied), known(&cramfs.loadable)), (Some(true), Some(false), Some(true)));
    assert_eq!(*cramfs.blacklisted.origin(), Origin::line("/etc/modprobe.d/a.conf", 1));
}

#[test]
fn the_first_command_of_the_files_in_order_counts() {
    let host = debian()
        .file("/etc/modprobe.d/b.conf", "install usb_storage /bin/false\n")
        .file("/usr/lib/modprobe.d/a.conf", "install usb-* /sbin/modprobe -i usb-storage\n");
    assert_eq!(known(&module(&host, "usb-storage").install_denied), Some(false));
    let masked = host.symlink("/etc/modprobe.d/a.conf", "/dev/null");
    let usb = module(&masked, "usb-storage");
    assert_eq!((known(&usb.install_denied), known(&usb.loadable)), (Some(true), Some(false)));
    assert_eq!(usb.lines.known().unwrap(), &[Text::from("/etc/modprobe.d/b.conf:1 install /bin/false")]);
}

#[test]
fn the_command_line_of_the_kernel_counts() {
    let host = debian().file("/proc/cmdline", "module_blacklist=cramfs modprobe.blacklist=usb-storage\n");
    let cramfs = module(&host, "cramfs");
    assert_eq!((known(&cramfs.kernel_denied), known(&cramfs.loadable), known(&cramfs.blacklisted)), (Some(true), Some(false), Some(false)));
    let usb = module(&host, "usb_storage");
    assert_eq!((known(&usb.kernel_denied), known(&usb.loadable), known(&usb.blacklisted)), (Some(false), Some(true), Some(true)));
}

#[test]
fn a_kernel_whose_modules_are_elsewhere_is_not_guessed_about() {
    let host = modular().file("/proc/net/protocols", "protocol  size\nSCTP 1 2\n");
    let cramfs = module(&host, "cramfs");
    assert!(matches!((&cramfs.installed_in, &cramfs.loadable), (Fact::Unknown(_), Fact::Unknown(_))));
    assert_eq!((known(&cramfs.loaded), known(&cramfs.built_in)), (Some(false), Some(false)), "it left no trace among the file systems");
    assert_eq!(known(&module(&host, "sctp").built_in), Some(true));
    assert!(matches!(module(&host, "firewire_core").built_in, Fact::Unknown(_)));
    let denied = host.file("/etc/modprobe.d/a.conf", "install cramfs /bin/true\n");
    assert_eq!(known(&module(&denied, "cramfs").loadable), Some(false), "whatever kernel it is");
}

#[test]
fn a_kernel_without_modules_and_a_directory() {
    let monolithic = Memory::new().file("/proc/filesystems", "\tsquashfs\n").file("/proc/sys/kernel/osrelease", "6.18-fc\n");
    let udf = module(&monolithic, "udf");
    assert_eq!((known(&udf.loaded), known(&udf.loadable), known(&udf.built_in)), (Some(false), Some(false), Some(false)));
    assert_eq!(known(&module(&monolithic, "squashfs").built_in), Some(true));
    let directory = Memory::new().file("/lib/modules/6.1/modules.dep", DEP);
    let cramfs = module(&directory, "cramfs");
    assert!(matches!(cramfs.loaded, Fact::Unknown(Gap { reason: Reason::NotCollected, .. })));
    assert_eq!((known(&cramfs.loadable), known(&cramfs.built_in)), (Some(true), Some(false)));
}

#[test]
fn what_could_not_be_read_may_say_anything() {
    let host = debian()
        .file("/etc/modprobe.d/b.conf", "install cramfs /bin/false\nblacklist cramfs\n")
        .file("/etc/modprobe.d/a.conf", "")
        .gap("/etc/modprobe.d/a.conf", Reason::Denied);
    let cramfs = module(&host, "cramfs");
    assert!(matches!((&cramfs.install_denied, &cramfs.loadable), (Fact::Unknown(_), Fact::Unknown(_))));
    assert_eq!(known(&cramfs.blacklisted), Some(true));
    let unread = debian().gap("/lib/modules/6.1.0-25-amd64/modules.dep", Reason::TooLarge);
    assert!(matches!(module(&unread, "udf").installed_in, Fact::Unknown(Gap { reason: Reason::TooLarge, .. })));
}

#[test]
fn all_are_the_loaded_and_the_file_systems() {
    let host = debian();
    let rows = KernelModules::collect(&Context::new(&host), &Selector::All).unwrap();
    let names: Vec<_> = rows.iter().map(|row| (row.name.known().unwrap().raw(), known(&row.file_system))).collect();
    assert_eq!(names, [("cramfs", Some(true)), ("hfsplus", Some(true)), ("usb_storage", Some(false))]);
}
