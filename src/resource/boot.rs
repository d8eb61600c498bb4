//! What boot loaders are set up to start, found once per run: GRUB, entries of the Boot Loader Specification,
//! unified kernel images, extlinux, the firmware of the Raspberry Pi.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::Host;
use crate::parse::grub::{self, Script};

use super::{Context, paths};

/// Where GRUB's script is, by distribution and firmware.
const GRUB: [&str; 2] = ["/boot/grub", "/boot/grub2"];
/// Where the firmware's partition may be mounted.
const FIRMWARE: [&str; 3] = ["/boot", "/efi", "/boot/efi"];

/// Every boot loader that was found.
#[derive(Default)]
pub(super) struct Boot {
    pub(super) loaders: Vec<Loader>,
    pub(super) entries: Vec<Entry>,
    /// Something that could not be read: there may be other entries.
    pub(super) gap: Option<Gap>,
}

/// One boot loader.
pub(super) struct Loader {
    pub(super) kind: &'static str,
    pub(super) config: PathBuf,
    /// Whether it is the main configuration, not one that this includes.
    pub(super) main: bool,
    /// What GRUB's script says; only for the main one.
    pub(super) script: Option<Script>,
}

/// One way to start the host.
pub(super) struct Entry {
    pub(super) title: String,
    pub(super) options: Vec<String>,
    pub(super) origin: Origin,
}

impl Boot {
    pub(super) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| {
            let mut boot = Self::default();
            for directory in GRUB.map(Path::new) {
                boot.add_grub(context.host, directory);
            }
            if boot.loaders.is_empty() {
                // Older systems with UEFI keep the script itself there; newer ones one that only leads on.
                for pattern in ["/boot/efi/EFI/*/grub.cfg", "/efi/EFI/*/grub.cfg"] {
                    for path in boot.expand(context.host, pattern) {
                        boot.add_grub(context.host, path.parent().unwrap_or(&path));
                    }
                }
            }
            boot.add_systemd_boot(context.host);
            boot.add_images(context.host);
            boot.add_others(context.host);
            boot
        })
    }

    fn read(&mut self, host: &dyn Host, path: &Path) -> Option<String> {
        match host.read(path) {
            Fact::Known(bytes, _) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Fact::Absent(_) => None,
            Fact::Unknown(gap) => {
                self.gap.get_or_insert(gap);
                None
            }
        }
    }

    fn expand(&mut self, host: &dyn Host, pattern: &str) -> Vec<PathBuf> {
        match paths::expand(host, pattern) {
            Ok(found) => {
                // A directory that is not there is no gap, and none is made of it.
                if let Some((_, gap)) = found.gaps.into_iter().next() {
                    self.gap.get_or_insert(gap);
                }
                found.paths
            }
            Err(gap) => {
                self.gap.get_or_insert(gap);
                Vec::new()
            }
        }
    }

    fn add_grub(&mut self, host: &dyn Host, directory: &Path) {
        let config = directory.join("grub.cfg");
        let Some(text) = self.read(host, &config) else { return };
        let mut variables = BTreeMap::new();
        for name in ["grubenv", "user.cfg"] {
            let path = directory.join(name);
            if let Some(text) = self.read(host, &path) {
                variables.extend(grub::variables(&text));
                if name == "user.cfg" {
                    self.loaders.push(Loader { kind: "grub", config: path, main: false, script: None });
                }
            }
        }
        let mut script = grub::script(&text, &variables);
        let custom = directory.join("custom.cfg");
        self.add_kernels(&config, &script);
        if let Some(text) = self.read(host, &custom) {
            let more = grub::script(&text, &script.variables);
            self.add_kernels(&custom, &more);
            script.superusers = more.superusers.or(script.superusers);
            script.passwords.extend(more.passwords);
            script.takes_entries |= more.takes_entries;
            self.loaders.push(Loader { kind: "grub", config: custom, main: false, script: None });
        }
        if script.takes_entries {
            self.add_entries(host, Path::new("/boot/loader/entries"), &script.variables);
        }
        self.loaders.push(Loader { kind: "grub", config, main: true, script: Some(script) });
    }

    fn add_kernels(&mut self, path: &Path, script: &Script) {
        self.entries.extend(script.kernels.iter().map(|kernel| Entry {
            title: kernel.title.clone(),
            options: kernel.options.clone(),
            origin: Origin::line(path, kernel.line),
        }));
    }

    fn add_entries(&mut self, host: &dyn Host, directory: &Path, variables: &BTreeMap<String, String>) {
        for path in self.expand(host, &format!("{}/*.conf", directory.to_string_lossy())) {
            if let Some(text) = self.read(host, &path) {
                let (options, line) = grub::entry_options(&text, variables);
                let title = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                self.entries.push(Entry { title, options, origin: Origin::line(path.as_path(), line) });
            }
        }
    }

    fn add_systemd_boot(&mut self, host: &dyn Host) {
        for firmware in FIRMWARE.map(Path::new) {
            let config = firmware.join("loader/loader.conf");
            if self.read(host, &config).is_some() {
                self.loaders.push(Loader { kind: "systemd-boot", config, main: true, script: None });
                self.add_entries(host, &firmware.join("loader/entries"), &BTreeMap::new());
            }
        }
    }

    /// Unified kernel images hold their command line inside; `kernel-install` takes it from this file when it makes one.
    fn add_images(&mut self, host: &dyn Host) {
        for firmware in FIRMWARE {
            for path in self.expand(host, &format!("{firmware}/EFI/Linux/*.efi")) {
                let lines = ["/etc/kernel/cmdline", "/usr/lib/kernel/cmdline"].map(Path::new);
                match lines.iter().find_map(|line| Some((line, self.read(host, line)?))) {
                    Some((line, text)) => self.entries.push(Entry {
                        title: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                        options: text.split_whitespace().map(str::to_owned).collect(),
                        origin: Origin::file(*line),
                    }),
                    None => {
                        let why = "an image holds its command line inside, and no file says what was put there";
                        self.gap.get_or_insert(Gap::new(Origin::file(path.as_path()), Reason::unsupported(why)));
                    }
                }
            }
        }
    }

    fn add_others(&mut self, host: &dyn Host) {
        let extlinux = Path::new("/boot/extlinux/extlinux.conf");
        if let Some(text) = self.read(host, extlinux) {
            for (number, line) in (1..).zip(text.lines()) {
                let mut words = line.split_whitespace();
                if words.next().is_some_and(|word| word.eq_ignore_ascii_case("append")) {
                    let options = words.map(str::to_owned).collect();
                    self.entries.push(Entry { title: "extlinux".into(), options, origin: Origin::line(extlinux, number) });
                }
            }
            self.loaders.push(Loader { kind: "extlinux", config: extlinux.into(), main: true, script: None });
        }
        for path in ["/boot/firmware/cmdline.txt", "/boot/cmdline.txt"].map(Path::new) {
            if let Some(text) = self.read(host, path) {
                let options = text.split_whitespace().map(str::to_owned).collect();
                self.entries.push(Entry { title: "Raspberry Pi".into(), options, origin: Origin::file(path) });
                self.loaders.push(Loader { kind: "raspberry-pi", config: path.into(), main: true, script: None });
            }
        }
    }
}
