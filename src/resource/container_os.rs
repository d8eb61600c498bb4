//! Systems that are made to run containers and little else: which one this is, and what keeps it as it was shipped.

use std::path::Path;

use crate::fact::{Fact, Gap, Origin, Reason, Text};

use super::Context;
use super::kernel::line;
use super::mount::covering;

/// What is known of such a system. Dates are not needed: those that ended did so for good.
struct System {
    name: &'static str,
    /// Whether its makers ended it.
    ended: bool,
}

/// By `ID` and `VARIANT_ID` of os-release; an empty variant is any.
const SYSTEMS: [(&str, &str, System); 17] = [
    ("bottlerocket", "", System { name: "bottlerocket", ended: false }),
    ("flatcar", "", System { name: "flatcar", ended: false }),
    ("talos", "", System { name: "talos", ended: false }),
    ("fedora", "coreos", System { name: "fedora-coreos", ended: false }),
    ("fedora", "iot", System { name: "fedora-iot", ended: false }),
    ("rhcos", "", System { name: "rhcos", ended: false }),
    ("ubuntu-core", "", System { name: "ubuntu-core", ended: false }),
    ("opensuse-microos", "", System { name: "microos", ended: false }),
    ("opensuse-leap-micro", "", System { name: "leap-micro", ended: false }),
    ("sle-micro", "", System { name: "sle-micro", ended: false }),
    ("sl-micro", "", System { name: "sle-micro", ended: false }),
    ("cos", "", System { name: "container-optimized-os", ended: false }),
    ("coreos", "", System { name: "coreos-container-linux", ended: true }),
    ("fedora", "atomic.host", System { name: "atomic-host", ended: true }),
    ("rhel", "atomic.host", System { name: "atomic-host", ended: true }),
    ("centos", "atomic.host", System { name: "atomic-host", ended: true }),
    ("rancheros", "", System { name: "rancheros", ended: true }),
];

/// The system, by its identity: its name and whether it has ended. Absent for a general one.
pub(super) fn system(id: &Fact<Text>, variant: &Fact<Text>) -> (Fact<Text>, Fact<bool>) {
    let found = id.as_ref().and_then(|id, origin| {
        let variant = match variant {
            Fact::Unknown(gap) => return Fact::Unknown(gap.clone()),
            variant => variant.known().map(Text::raw).unwrap_or_default(),
        };
        let named = |(system_id, system_variant, _): &&(&str, &str, System)| {
            *system_id == id.raw() && (system_variant.is_empty() || *system_variant == variant)
        };
        match SYSTEMS.iter().find(named) {
            Some((_, _, system)) => Fact::Known(system, origin),
            None => Fact::Absent(origin),
        }
    });
    (found.clone().map(|system| system.name.into()), found.map(|system| system.ended))
}

/// Whether `/usr`, which holds the programs, is mounted read-only now.
pub(super) fn read_only(context: &Context<'_>) -> Fact<bool> {
    let usr = context.host.resolve(Path::new("/usr"));
    let mount = usr.and_then(|usr, _| covering(context, &usr));
    let has = |options: &[String]| options.iter().any(|option| option == "ro");
    match mount {
        Fact::Absent(origin) => Fact::Unknown(Gap::new(origin, Reason::NotCollected)),
        mount => mount.map(|mount| has(&mount.options) || has(&mount.super_options)),
    }
}

/// Whether the kernel checks every block or file of `/usr` as it is read: dm-verity, or a composefs that demands fs-verity.
pub(super) fn verified(context: &Context<'_>) -> Fact<bool> {
    let mount = context.host.resolve(Path::new("/usr")).and_then(|usr, _| covering(context, &usr));
    let (mount, origin) = match mount {
        Fact::Known(mount, origin) => (mount, origin),
        Fact::Absent(origin) => return Fact::Unknown(Gap::new(origin, Reason::NotCollected)),
        Fact::Unknown(gap) => return Fact::Unknown(gap),
    };
    if mount.fs_type == "overlay" {
        return Fact::Known(mount.super_options.iter().any(|option| option == "verity=require"), origin);
    }
    let device = format!("/sys/dev/block/{}/dm", mount.number);
    match line(context.host, &format!("{device}/uuid")) {
        Fact::Known(uuid, origin) if uuid.starts_with("CRYPT-VERITY-") => Fact::Known(true, origin),
        // One that the kernel's command line makes has no such id.
        Fact::Known(uuid, origin) if uuid.is_empty() => match line(context.host, "/proc/cmdline") {
            Fact::Known(command_line, origin) => Fact::Known(command_line.contains("verity"), origin),
            _ => Fact::Known(false, origin),
        },
        Fact::Known(_, origin) => Fact::Known(false, origin),
        Fact::Absent(_) if context.host.list(Path::new("/sys/dev/block")).known().is_none() => {
            Fact::Unknown(Gap::new(Origin::kernel("/sys/dev/block"), Reason::NotCollected))
        }
        Fact::Absent(origin) => Fact::Known(false, origin),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{FileKind, memory::Memory};

    fn named(id: &str, variant: Option<&str>) -> (Option<String>, Option<bool>) {
        let origin = Origin::file("/etc/os-release");
        let fact = |text: &str| Fact::Known(Text::from(text), origin.clone());
        let (name, ended) = system(&fact(id), &variant.map_or(Fact::Absent(origin.clone()), fact));
        (name.known().map(|name| name.raw().to_owned()), ended.known().copied())
    }

    #[test]
    fn systems_are_known_by_their_identity() {
        assert_eq!(named("flatcar", None), (Some("flatcar".into()), Some(false)));
        assert_eq!(named("bottlerocket", Some("aws-ecs-2")), (Some("bottlerocket".into()), Some(false)));
        assert_eq!(named("fedora", Some("coreos")), (Some("fedora-coreos".into()), Some(false)));
        assert_eq!(named("coreos", None), (Some("coreos-container-linux".into()), Some(true)));
        assert_eq!((named("fedora", Some("server")), named("debian", None)), ((None, None), (None, None)));
    }

    #[test]
    fn read_only_and_verified() {
        let host = |table: &str| Memory::new().node("/usr", FileKind::Directory, 0o755).file("/proc/1/mountinfo", table);
        let flatcar = host("22 1 8:9 / / rw - ext4 /dev/sda9 rw\n23 22 253:0 / /usr ro - btrfs /dev/mapper/usr ro\n")
            .file("/sys/dev/block/253:0/dm/uuid", "CRYPT-VERITY-0-usr\n");
        let context = Context::new(&flatcar);
        assert_eq!((read_only(&context).known(), verified(&context).known()), (Some(&true), Some(&true)));
        let debian = host("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n").node("/sys/dev/block/8:1", FileKind::Directory, 0o755);
        let context = Context::new(&debian);
        assert_eq!((read_only(&context).known(), verified(&context).known()), (Some(&false), Some(&false)));
        let composefs = host("22 1 0:30 / / ro - overlay composefs ro,verity=require\n");
        assert_eq!(verified(&Context::new(&composefs)).known(), Some(&true));
        let bottlerocket = host("22 1 254:0 / / ro - ext4 /dev/dm-0 ro\n")
            .file("/sys/dev/block/254:0/dm/uuid", "\n")
            .file("/proc/cmdline", "dm-mod.create=root,,,ro,0 1 verity 1 x\n");
        assert_eq!(verified(&Context::new(&bottlerocket)).known(), Some(&true));
        let directory = Memory::new();
        assert!(matches!(
            (read_only(&Context::new(&directory)), verified(&Context::new(&directory))),
            (Fact::Unknown(_), Fact::Unknown(_))
        ));
    }
}
