//! Options of the kernel's command line, now and at the next start.

use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Reason, Setting, Text, record};
use crate::parse::modprobe::command_line_words;

use super::boot::{Boot, Entry};
use super::{Context, Resource, Selector};

const COMMAND_LINE: &str = "/proc/cmdline";

record! {
    /// One option of the kernel's command line. Of several of the same name the last counts.
    pub struct BootOption("boot_option") {
        /// Name, such as `audit`: what stands before `=`.
        name: Text,
        /// What the running kernel was started with: what stands after `=`, empty for a word alone; absent where it was not given.
        now: Setting,
        /// What boot entries give it, each value once; empty where none does.
        next: List,
        /// Whether every boot entry gives it, those for recovery too; absent where no boot loader with entries was found.
        every_entry: Flag,
        /// Entries that do not give it, by title and place.
        missing_in: List,
        /// Number of boot entries.
        entries: Integer,
    }
}

/// Finds the records.
pub struct BootOptions;

impl Resource for BootOptions {
    type Row = BootOption;
    const SELECTOR: &'static str = "an option, such as `audit`; one that nobody gives makes a record that says so";
    const ENUMERABLE: bool = false;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let Selector::Keys(names) = of else {
            return Err(Gap::new(Origin::kernel(COMMAND_LINE), Reason::unsupported("options are asked for by name")));
        };
        let boot = Boot::of(context);
        let line = match context.host.read(Path::new(COMMAND_LINE)) {
            Fact::Absent(origin) => Fact::Unknown(Gap::new(origin, Reason::NotCollected)),
            line => line.map(|bytes| command_line_words(&String::from_utf8_lossy(&bytes))),
        };
        Ok(names.iter().map(|name| row(name, &line, &boot)).collect())
    }
}

fn row(name: &str, line: &Fact<Vec<String>>, boot: &Arc<Boot>) -> BootOption {
    let now = line.clone().and_then(|words, origin| match last(&words, name) {
        Some(value) => Fact::Known(Setting(value.into()), origin),
        None => Fact::Absent(origin),
    });
    let having: Vec<(&Entry, &str)> = boot.entries.iter().filter_map(|entry| Some((entry, last(&entry.options, name)?))).collect();
    let lacking: Vec<&Entry> = boot.entries.iter().filter(|entry| last(&entry.options, name).is_none()).collect();
    let mut next: Vec<Text> = Vec::new();
    for (_, value) in &having {
        if !next.iter().any(|earlier| earlier.raw() == *value) {
            next.push((*value).into());
        }
    }
    let first = |entries: Option<&Entry>| entries.map_or(Origin::Derived, |entry| entry.origin.clone());
    let seen = |known: Fact<List>| match &boot.gap {
        Some(gap) => Fact::Unknown(gap.clone()),
        None => known,
    };
    let missing: List = lacking.iter().map(|entry| Text::from(format!("{} ({})", entry.title, entry.origin))).collect();
    BootOption {
        name: Fact::derived(name),
        now,
        next: seen(Fact::Known(next, first(having.first().map(|(entry, _)| *entry)))),
        every_entry: match (lacking.first(), &boot.gap, boot.entries.first()) {
            (Some(entry), _, _) => Fact::Known(false, entry.origin.clone()),
            (None, Some(gap), _) => Fact::Unknown(gap.clone()),
            (None, None, Some(entry)) => Fact::Known(true, entry.origin.clone()),
            (None, None, None) => Fact::Absent(Origin::file("/boot")),
        },
        missing_in: seen(Fact::derived(missing)),
        entries: match &boot.gap {
            Some(gap) => Fact::Unknown(gap.clone()),
            None => Fact::derived(i64::try_from(boot.entries.len()).unwrap_or(i64::MAX)),
        },
    }
}

/// The value that counts; empty for a word alone.
fn last<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    // What follows two dashes is for init.
    let words = words.iter().take_while(|word| *word != "--");
    words.filter_map(|word| if word == name { Some("") } else { word.strip_prefix(name)?.strip_prefix('=') }).last()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn option(host: &Memory, name: &str) -> BootOption {
        BootOptions::collect(&Context::new(host), &Selector::Keys(vec![name.to_owned()])).unwrap().remove(0)
    }

    fn list(fact: &Fact<List>) -> Option<Vec<&str>> {
        fact.known().map(|list| list.iter().map(Text::raw).collect())
    }

    const GRUB: &str = "menuentry 'Debian' {\nlinux /vmlinuz ro audit=1\n}\nmenuentry 'Debian (recovery)' {\nlinux /vmlinuz ro single\n}\n";

    #[test]
    fn now_is_not_next_and_every_entry_counts() {
        let host = Memory::new().file("/proc/cmdline", "ro audit=0 audit=1 quiet -- selinux=0\n").file("/boot/grub/grub.cfg", GRUB);
        let audit = option(&host, "audit");
        assert_eq!((audit.now.known(), list(&audit.next)), (Some(&"1".into()), Some(vec!["1"])));
        assert_eq!(audit.every_entry, Fact::Known(false, Origin::line("/boot/grub/grub.cfg", 5)));
        assert_eq!(list(&audit.missing_in), Some(vec!["Debian (recovery) (/boot/grub/grub.cfg:5)"]));
        let read_only = option(&host, "ro");
        assert_eq!((read_only.now.known(), read_only.every_entry.known()), (Some(&"".into()), Some(&true)));
        assert!(matches!(option(&host, "aud").now, Fact::Absent(_)));
        assert!(matches!(option(&host, "selinux").now, Fact::Absent(_)), "that is for init");
    }

    #[test]
    fn entries_beside_the_script_with_the_variables_of_grub() {
        let host = Memory::new()
            .file("/proc/cmdline", "ro\n")
            .file("/boot/grub2/grub.cfg", "if [ -z \"${kernelopts}\" ]; then\n set kernelopts=\"root=x ro \"\nfi\nblscfg\n")
            .file("/boot/grub2/grubenv", "# GRUB Environment Block\nsaved_entry=a\n")
            .file("/boot/loader/entries/a-5.14.conf", "title A\noptions $kernelopts audit=1\n")
            .file("/boot/loader/entries/a-0-rescue.conf", "title R\noptions root=y audit=0\n");
        let audit = option(&host, "audit");
        assert_eq!((list(&audit.next), audit.every_entry.known(), audit.entries.known()), (Some(vec!["0", "1"]), Some(&true), Some(&2)));
        assert_eq!(option(&host, "root").missing_in.known().map(Vec::len), Some(0));
    }

    #[test]
    fn other_loaders_and_none() {
        let none = Memory::new().file("/proc/cmdline", "console=ttyS0\n");
        let audit = option(&none, "audit");
        assert!(matches!((&audit.every_entry, list(&audit.next).as_deref()), (Fact::Absent(_), Some([]))));
        let image = Memory::new().file("/boot/efi/EFI/Linux/x.efi", "MZ");
        assert!(matches!(option(&image, "audit").next, Fact::Unknown(_)));
        let told = image.file("/etc/kernel/cmdline", "ro audit=1\n");
        assert_eq!(option(&told, "audit").every_entry.known(), Some(&true));
        assert!(matches!(option(&told, "audit").now, Fact::Unknown(Gap { reason: Reason::NotCollected, .. })));
        let other = Memory::new()
            .file("/boot/loader/loader.conf", "timeout 3\n")
            .file("/boot/loader/entries/x.conf", "options ro audit=1\n")
            .file("/boot/extlinux/extlinux.conf", "LABEL l\n  APPEND ro audit=1\n")
            .file("/boot/firmware/cmdline.txt", "audit=1\n");
        assert_eq!((option(&other, "audit").entries.known(), option(&other, "audit").every_entry.known()), (Some(&3), Some(&true)));
    }

    #[test]
    fn what_could_not_be_read_may_lack_it() {
        let host = Memory::new().file("/boot/grub/grub.cfg", "").gap("/boot/grub/grub.cfg", Reason::Denied);
        let audit = option(&host, "audit");
        assert!(matches!((&audit.next, &audit.every_entry), (Fact::Unknown(_), Fact::Unknown(_))));
    }
}
