//! Boot loaders: who may change what they start.

use crate::fact::{Fact, Flag, Gap, Integer, List, Mode, Origin, Text, record};

use super::boot::{Boot, Loader};
use super::mount::covering;
use super::{Context, Resource, Selector};

record! {
    /// One configuration file of a boot loader.
    pub struct BootLoader("boot_loader") {
        /// Path of the file.
        config: Text,
        /// Which loader it is for: `grub`, `systemd-boot`, `extlinux` or `raspberry-pi`.
        kind: Text,
        /// Whether it is the main file, not one that this includes. The facts on superusers are the main file's.
        main: Flag,
        /// Users who may change entries and use its shell; absent where nobody is named, so that everybody may, and for other loaders than GRUB.
        superusers: List,
        /// Whether a superuser has a password that is kept as a hash; absent for other loaders than GRUB.
        password: Flag,
        /// Whether a password stands in the file as it is; absent for other loaders than GRUB.
        plain_password: Flag,
        /// Numeric owner.
        uid: Integer,
        /// Numeric group.
        gid: Integer,
        /// Permission bits.
        mode: Mode,
        /// Whether its file system keeps owners and modes of files: FAT does not, all its files look the same.
        keeps_modes: Flag,
    }
}

/// Finds the records.
pub struct BootLoaders;

impl Resource for BootLoaders {
    type Row = BootLoader;
    const SELECTOR: &'static str = "`\"*\"`, or the path of a configuration file; globs work; no boot loader gives no record";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let boot = Boot::of(context);
        // Where a file cannot be read there may be a loader nobody knows of.
        if let Some(gap) = boot.gap.as_ref().filter(|_| boot.loaders.is_empty()) {
            return Err(gap.clone());
        }
        Ok(boot.loaders.iter().filter(|loader| of.picks(&loader.config.to_string_lossy())).map(|loader| row(context, loader)).collect())
    }
}

fn row(context: &Context<'_>, loader: &Loader) -> BootLoader {
    let here = Origin::file(loader.config.as_path());
    let stat = context.host.stat(&loader.config);
    let at = |line: u32| Origin::line(loader.config.as_path(), line);
    let script = loader.script.as_ref();
    let superusers = script.and_then(|script| script.superusers.as_ref());
    let passwords = script.map(|script| script.passwords.as_slice()).unwrap_or_default();
    let flag = |found: Option<u32>| match (script, found) {
        (None, _) => Fact::Absent(here.clone()),
        (Some(_), Some(line)) => Fact::Known(true, at(line)),
        (Some(_), None) => Fact::Known(false, here.clone()),
    };
    let is_super = |user: &str| superusers.is_some_and(|(users, _)| users.iter().any(|superuser| superuser == user));
    BootLoader {
        config: Fact::Known(loader.config.as_path().into(), here.clone()),
        kind: Fact::derived(loader.kind),
        main: Fact::derived(loader.main),
        superusers: match superusers {
            Some((users, line)) => Fact::Known(users.iter().map(|user| user.as_str().into()).collect(), at(*line)),
            None => Fact::Absent(here.clone()),
        },
        password: flag(passwords.iter().find(|password| password.hashed && is_super(&password.user)).map(|password| password.line)),
        plain_password: flag(passwords.iter().find(|password| !password.hashed).map(|password| password.line)),
        uid: stat.as_ref().map(|stat| stat.uid.into()),
        gid: stat.as_ref().map(|stat| stat.gid.into()),
        mode: stat.map(|stat| stat.mode),
        keeps_modes: covering(context, &loader.config).map(|mount| !matches!(mount.fs_type.as_str(), "vfat" | "msdos" | "exfat")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn loaders(host: &Memory) -> Vec<BootLoader> {
        BootLoaders::collect(&Context::new(host), &Selector::All).unwrap()
    }

    const LOCKED: &str = "set superusers=\"root\"\npassword_pbkdf2 root grub.pbkdf2.sha512.10000.CANARY.X\n";

    #[test]
    fn a_superuser_with_a_hash_and_a_file_nobody_else_reads() {
        let host = Memory::new()
            .file("/proc/1/mountinfo", "22 1 254:0 / / rw - ext4 /dev/vda rw\n")
            .file("/boot/grub/grub.cfg", LOCKED)
            .owned("/boot/grub/grub.cfg", 0, 0, 0o600);
        let grub = loaders(&host).remove(0);
        assert_eq!((grub.password.known(), grub.plain_password.known(), grub.keeps_modes.known()), (Some(&true), Some(&false), Some(&true)));
        assert_eq!(grub.superusers.known().unwrap(), &[Text::from("root")]);
        assert_eq!(grub.mode.known().map(ToString::to_string).as_deref(), Some("0600"));
        assert!(!format!("{grub:?}").contains("CANARY"));
    }

    #[test]
    fn a_password_of_somebody_else_does_not_count() {
        let password = |text: &str| loaders(&Memory::new().file("/boot/grub2/grub.cfg", text)).remove(0).password.known().copied();
        assert_eq!(password("set superusers=\"root\"\npassword_pbkdf2 guest grub.pbkdf2.sha512.1.A.B\n"), Some(false));
        assert_eq!(password("password_pbkdf2 root grub.pbkdf2.sha512.1.A.B\n"), Some(false));
        assert_eq!(password("set superusers=root\npassword root hunter2\n"), Some(false));
    }

    #[test]
    fn included_files_and_file_systems_without_modes() {
        let host = Memory::new()
            .file("/proc/1/mountinfo", "22 1 254:0 / / rw - ext4 /dev/vda rw\n23 22 254:1 / /boot rw - vfat /dev/vdb rw\n")
            .file("/boot/grub2/grub.cfg", "if x; then\nset superusers=\"root\"\npassword_pbkdf2 root ${GRUB2_PASSWORD}\nfi\n")
            .file("/boot/grub2/user.cfg", "GRUB2_PASSWORD=grub.pbkdf2.sha512.1.A.B\n");
        let found = loaders(&host);
        assert_eq!(found.iter().map(|row| row.main.known().copied()).collect::<Vec<_>>(), [Some(false), Some(true)]);
        assert_eq!((found[1].password.known(), found[1].keeps_modes.known()), (Some(&true), Some(&false)));
        assert!(matches!(found[0].password, Fact::Absent(_)));
        assert!(loaders(&Memory::new()).is_empty());
    }
}
