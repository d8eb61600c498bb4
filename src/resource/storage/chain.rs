//! The block devices beneath a path, as `/sys` shows them: mappings of the device mapper, RAID, loops, partitions, disks.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::Host;
use crate::resource::Context;
use crate::resource::kernel::line;
use crate::resource::mount::covering;

/// How deep devices may be stacked. More is a circle, or meant to be one.
const DEEPEST: u8 = 16;

/// What is beneath.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// Every device on the way, the topmost first.
    pub(super) devices: Vec<String>,
    /// Whether every way down leads through dm-crypt.
    pub(super) encrypted: bool,
    /// The types of what encrypts.
    pub(super) encryption: Vec<String>,
    /// Whether all of it is memory.
    pub(super) in_memory: bool,
    /// Whether some disk is made up by a hypervisor.
    pub(super) virtual_disk: bool,
    pub(super) origin: Origin,
}

impl Chain {
    fn new(origin: Origin) -> Self {
        Self { devices: Vec::new(), encrypted: false, encryption: Vec::new(), in_memory: false, virtual_disk: false, origin }
    }

    /// What is beneath the file system a path is in.
    pub(super) fn of_path(context: &Context<'_>, path: &Path) -> Result<Self, Gap> {
        Self::of_path_within(context, path, 0)
    }

    fn of_path_within(context: &Context<'_>, path: &Path, depth: u8) -> Result<Self, Gap> {
        let missing = || Gap::new(Origin::kernel("/proc/1/mountinfo"), Reason::unsupported("no mount is above it"));
        let mount = covering(context, path).into_result()?.ok_or_else(missing)?;
        let origin = Origin::kernel(format!("/sys/dev/block/{}", mount.number));
        let refuse = |why: &str| Err(Gap::new(origin.clone(), Reason::unsupported(why)));
        match mount.fs_type.as_str() {
            "tmpfs" | "ramfs" => Ok(Self { in_memory: true, ..Self::new(origin) }),
            "zfs" => refuse("ZFS encrypts by properties that no file shows"),
            "overlay" | "aufs" => refuse("it is laid over other file systems"),
            _ if mount.is_remote() => refuse("another machine or a program keeps it"),
            // Several devices may be beneath, and the file system has a number of its own. One of them is named.
            _ if mount.number.starts_with("0:") => Self::device(context, Path::new(&mount.device), depth),
            _ => {
                let directory = resolved(context.host, &PathBuf::from(format!("/sys/dev/block/{}", mount.number)))?;
                Self::walked(context, &directory, depth)
            }
        }
    }

    /// What is beneath a device, by its path below `/dev`.
    pub(super) fn of_device(context: &Context<'_>, path: &Path) -> Result<Self, Gap> {
        Self::device(context, path, 0)
    }

    fn device(context: &Context<'_>, path: &Path, depth: u8) -> Result<Self, Gap> {
        let gap = || Gap::new(Origin::file(path), Reason::unsupported("its device cannot be told"));
        if !path.starts_with("/dev") {
            return Err(gap());
        }
        let real = context.host.resolve(path).into_result()?.ok_or_else(gap)?;
        let name = real.file_name().ok_or_else(gap)?;
        let directory = resolved(context.host, &Path::new("/sys/class/block").join(name))?;
        let chain = Self::walked(context, &directory, depth)?;
        match chain.encrypted {
            // Of a file system over several devices the others may lie bare.
            true if depth == 0 && several(context, path) => Err(gap()),
            _ => Ok(chain),
        }
    }

    /// A device by its directory in `/sys`.
    fn walked(context: &Context<'_>, directory: &Path, depth: u8) -> Result<Self, Gap> {
        let host = context.host;
        let origin = Origin::kernel(directory);
        if depth > DEEPEST {
            return Err(Gap::new(origin, Reason::malformed("devices are stacked too deep")));
        }
        let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let uuid = said(host, &directory.join("dm/uuid"))?.unwrap_or_default();
        let kind = uuid.strip_prefix("CRYPT-").and_then(|rest| rest.split('-').next()).unwrap_or_default().to_owned();
        let mut chain = Self::new(origin);
        chain.devices.push(match (kind.as_str(), uuid.split('-').next()) {
            ("", None | Some("")) => name.clone(),
            ("", Some(what)) => format!("{name} {what}"),
            (kind, _) => format!("{name} CRYPT-{kind}"),
        });
        // The device mapper calls checked devices so as well, which are not encrypted.
        let encrypts = !kind.is_empty() && !matches!(kind.as_str(), "VERITY" | "INTEGRITY");
        if encrypts {
            chain.encryption.push(kind.to_ascii_lowercase());
        }
        if name.starts_with("zram") {
            return Ok(Self { in_memory: true, ..chain });
        }
        let below = Self::below(context, directory, depth)?;
        chain.encrypted = encrypts || (!below.is_empty() && below.iter().all(|below| below.encrypted));
        chain.in_memory = !below.is_empty() && below.iter().all(|below| below.in_memory);
        chain.virtual_disk = if below.is_empty() { is_virtual(host, directory, &name)? } else { below.iter().any(|below| below.virtual_disk) };
        for below in below {
            chain.devices.extend(below.devices);
            chain.encryption.extend(below.encryption);
        }
        Ok(chain)
    }

    /// What a device is made of: its slaves, the file of a loop, the disk of a partition. Nothing for a disk.
    fn below(context: &Context<'_>, directory: &Path, depth: u8) -> Result<Vec<Self>, Gap> {
        let host = context.host;
        let slaves = host.list(&directory.join("slaves")).into_result()?;
        let mut found = Vec::new();
        for slave in slaves.iter().flat_map(|slaves| slaves.iter()) {
            let slave = resolved(host, &directory.join("slaves").join(&slave.name))?;
            found.push(Self::walked(context, &slave, depth + 1)?);
        }
        if !found.is_empty() {
            return Ok(found);
        }
        if let Some(file) = said(host, &directory.join("loop/backing_file"))? {
            return Ok(vec![Self::of_path_within(context, Path::new(&file), depth + 1)?]);
        }
        match (said(host, &directory.join("partition"))?, directory.parent()) {
            (Some(_), Some(disk)) => Ok(vec![Self::walked(context, disk, depth + 1)?]),
            _ => Ok(Vec::new()),
        }
    }
}

/// Whether a device is one of several of a file system: btrfs lists them.
fn several(context: &Context<'_>, path: &Path) -> bool {
    let name = context.host.resolve(path).known().and_then(|real| real.file_name().map(ToOwned::to_owned));
    let systems = context.host.list(Path::new("/sys/fs/btrfs"));
    let devices = systems.known().into_iter().flat_map(|systems| systems.iter()).filter_map(|system| {
        let devices = context.host.list(&Path::new("/sys/fs/btrfs").join(&system.name).join("devices"));
        devices.known().cloned()
    });
    devices.into_iter().any(|devices| devices.len() > 1 && devices.iter().any(|device| Some(device.name.as_os_str()) == name.as_deref()))
}

fn resolved(host: &dyn Host, path: &Path) -> Result<PathBuf, Gap> {
    let missing = || Gap::new(Origin::kernel(path), Reason::NotCollected);
    host.resolve(path).into_result()?.ok_or_else(missing)
}

fn said(host: &dyn Host, path: &Path) -> Result<Option<String>, Gap> {
    line(host, &path.to_string_lossy()).into_result()
}

/// Whether a disk is one of a hypervisor's, by its driver's names or its maker's.
fn is_virtual(host: &dyn Host, directory: &Path, name: &str) -> Result<bool, Gap> {
    const MAKERS: [&str; 9] = ["qemu", "vmware", "msft", "virtual", "google", "amazon", "microsoft", "nutanix", "digitalocean"];
    if name.starts_with("vd") || name.starts_with("xvd") {
        return Ok(true);
    }
    for file in ["device/vendor", "device/model", "device/device/vendor"] {
        if let Fact::Known(said, _) = line(host, &directory.join(file).to_string_lossy()) {
            let said = said.to_ascii_lowercase();
            if MAKERS.iter().any(|maker| said.contains(maker)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
