//! `/etc/crypttab`: encrypted devices that are opened at the start, and the files of their keys.

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Integer, List, Mode, Origin, Text, record};
use crate::parse::fstab::split_options;

use super::paths::replaceable;
use super::{Context, Resource, Selector};

const CRYPTTAB: &str = "/etc/crypttab";

record! {
    /// One encrypted device that is opened at the start.
    pub struct Crypttab("crypttab") {
        /// Name of the mapping.
        name: Text,
        /// The encrypted device.
        device: Text,
        /// Where its key comes from: `asked` of a person or of whatever the options name, `random` anew at each start, `file`.
        key_source: Text,
        /// Path of the file with its key; absent for other sources.
        key_file: Text,
        /// Numeric owner of that file; this and the next ones are absent where it is not there.
        key_uid: Integer,
        /// Permission bits of that file.
        key_mode: Mode,
        /// Whether somebody else than root could put another file in its place.
        key_replaceable: Flag,
        /// Options.
        options: List,
    }
}

/// Finds the records.
pub struct Crypttabs;

impl Resource for Crypttabs {
    type Row = Crypttab;
    const SELECTOR: &'static str = "`\"*\"`, or the name of a mapping; globs work; no such mapping gives no record";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let content = context.host.read(Path::new(CRYPTTAB)).into_result()?;
        let text = content.map(|content| String::from_utf8_lossy(&content).into_owned()).unwrap_or_default();
        let rows = (1..).zip(text.lines()).filter_map(|(number, line)| row(context, line, number));
        Ok(rows.filter(|row| row.name.known().is_some_and(|name| of.picks(name.raw()))).collect())
    }
}

fn row(context: &Context<'_>, line: &str, number: u32) -> Option<Crypttab> {
    let mut words = line.split_whitespace();
    let name = words.next().filter(|name| !name.starts_with('#'))?;
    let device = words.next()?;
    let key = words.next().unwrap_or("none");
    let options = words.next().map(split_options).unwrap_or_default();
    let origin = Origin::line(CRYPTTAB, number);
    let text = |text: &str| Fact::Known(Text::from(text), origin.clone());
    let source = match key {
        "none" | "-" => "asked",
        "/dev/urandom" | "/dev/random" | "/dev/hw_random" => "random",
        _ => "file",
    };
    // A file on another device is written as `FILE:DEVICE`, and cannot be looked at.
    let path = Path::new(key);
    let stat = match source {
        "file" => context.host.stat(path),
        _ => Fact::Absent(origin.clone()),
    };
    Some(Crypttab {
        name: text(name),
        device: text(device),
        key_source: text(source),
        key_file: if source == "file" { text(key) } else { Fact::Absent(origin.clone()) },
        key_uid: stat.as_ref().map(|stat| stat.uid.into()),
        key_mode: stat.as_ref().map(|stat| stat.mode),
        key_replaceable: stat.and_then(|_, _| replaceable(context.host, path, &[])),
        options: Fact::Known(options.iter().map(|option| option.as_str().into()).collect(), origin),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    #[test]
    fn keys_asked_for_random_and_in_files() {
        let host = Memory::new()
            .file(CRYPTTAB, "# c\nroot UUID=1 none luks,discard\nswap /dev/sdb1 /dev/urandom swap\ndata /dev/sdc1 /etc/keys/data.key luks\nx\n")
            .file("/etc/keys/data.key", "canary")
            .owned("/etc/keys/data.key", 0, 0, 0o440);
        let found = Crypttabs::collect(&Context::new(&host), &Selector::All).unwrap();
        let seen: Vec<_> = found.iter().map(|row| (row.name.known().unwrap().raw(), row.key_source.known().unwrap().raw())).collect();
        assert_eq!(seen, [("root", "asked"), ("swap", "random"), ("data", "file")]);
        assert_eq!((found[2].key_uid.known(), found[2].key_mode.known()), (Some(&0), Mode::parse("0440").as_ref()));
        assert!(matches!(found[0].key_mode, Fact::Absent(_)));
        assert!(!format!("{found:?}").contains("canary"));
        assert!(Crypttabs::collect(&Context::new(&Memory::new()), &Selector::All).unwrap().is_empty());
    }
}
