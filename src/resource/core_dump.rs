//! What becomes of the memory of programs that crash: the kernel's pattern and `systemd-coredump`.

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Origin, Reason, Setting, Text, record};
use crate::parse::unit::Unit;

use super::kernel::line;
use super::layered::{Layered, is_null};
use super::{Context, Resource, Selector};

const PATTERN: &str = "/proc/sys/kernel/core_pattern";
const PROGRAMS: [&str; 2] = ["/usr/lib/systemd/systemd-coredump", "/lib/systemd/systemd-coredump"];
const DIRECTORIES: [&str; 5] = ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd", "/lib/systemd"];

record! {
    /// What becomes of core dumps. Always exactly one record.
    pub struct CoreDump("core_dump") {
        /// `core_dump`.
        name: Text,
        /// The kernel's pattern: a file name, or `|` and the program that is given the dump.
        pattern: Text,
        /// Whether `systemd-coredump` is installed.
        collector: Flag,
        /// Where it puts them: `Storage=` of coredump.conf and its drop-ins, `external` where nothing says.
        storage: Setting,
        /// The largest dump it looks into for a trace: `ProcessSizeMax=`, with its unit as written; `32G` where nothing says.
        process_size_max: Setting,
    }
}

/// Finds the record.
pub struct CoreDumps;

impl Resource for CoreDumps {
    type Row = CoreDump;
    const SELECTOR: &'static str = "`\"*\"`";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let configuration = configuration(context);
        let setting = |key: &str, default: &str| {
            configuration.clone().and_then(|unit, _| match unit.last("Coredump", key) {
                Some(said) => Fact::Known(said.value.as_str().into(), Origin::line(said.path.clone(), said.line)),
                None => Fact::Known(default.into(), Origin::default_of("systemd-coredump")),
            })
        };
        let row = CoreDump {
            name: Fact::derived("core_dump"),
            pattern: match line(context.host, PATTERN) {
                Fact::Absent(origin) => Fact::Unknown(Gap::new(origin, Reason::NotCollected)),
                pattern => pattern.map(Text::from),
            },
            collector: collector(context),
            storage: setting("Storage", "external"),
            process_size_max: setting("ProcessSizeMax", "32G"),
        };
        Ok(if of.picks("core_dump") { vec![row] } else { Vec::new() })
    }
}

fn collector(context: &Context<'_>) -> Fact<bool> {
    let mut gap = None;
    for path in PROGRAMS.map(Path::new) {
        match context.host.stat(path) {
            Fact::Known(_, origin) => return Fact::Known(true, origin),
            Fact::Absent(_) => {}
            Fact::Unknown(unread) => gap = Some(unread),
        }
    }
    gap.map_or_else(|| Fact::Known(false, Origin::file(PROGRAMS[0])), Fact::Unknown)
}

/// The main file, the first one there is, and over it every drop-in in the order of their names.
fn configuration(context: &Context<'_>) -> Fact<Unit> {
    let host = context.host;
    let mut unit = Unit::default();
    let dropins = Layered::of(host, DIRECTORIES.map(|directory| format!("{directory}/coredump.conf.d")), ".conf");
    if let Some(gap) = dropins.gaps.into_iter().next() {
        return Fact::Unknown(gap);
    }
    for main in DIRECTORIES.map(|directory| format!("{directory}/coredump.conf")) {
        match host.read(Path::new(&main)) {
            Fact::Known(content, _) => {
                unit.add(main.as_str(), &content);
                break;
            }
            Fact::Absent(_) => {}
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        }
    }
    for path in dropins.files.into_values().filter(|path| !is_null(host, path)) {
        match host.read(&path) {
            Fact::Known(content, _) => unit.add(path.as_path(), &content),
            Fact::Absent(_) => {}
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        }
    }
    Fact::derived(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn record(host: &Memory) -> CoreDump {
        CoreDumps::collect(&Context::new(host), &Selector::All).unwrap().remove(0)
    }

    fn said(fact: &Fact<Setting>) -> Option<(&str, &Origin)> {
        fact.known().map(|setting| (setting.0.raw(), fact.origin()))
    }

    #[test]
    fn drop_ins_override_and_an_empty_assignment_resets() {
        let host = Memory::new()
            .file("/usr/lib/systemd/systemd-coredump", "")
            .file("/proc/sys/kernel/core_pattern", "|/lib/systemd/systemd-coredump %P\n")
            .file("/etc/systemd/coredump.conf", "[Coredump]\n#Storage=none\nStorage=journal\nProcessSizeMax=0\n")
            .file("/usr/lib/systemd/coredump.conf.d/90-x.conf", "[Coredump]\nStorage=none\n")
            .file("/etc/systemd/coredump.conf.d/10-y.conf", "[Coredump]\nProcessSizeMax=\n");
        let row = record(&host);
        assert_eq!(row.collector.known(), Some(&true));
        assert_eq!(said(&row.storage), Some(("none", &Origin::line("/usr/lib/systemd/coredump.conf.d/90-x.conf", 2))));
        assert_eq!(said(&row.process_size_max), Some(("32G", &Origin::default_of("systemd-coredump"))));
        let masked = host.symlink("/etc/systemd/coredump.conf.d/90-x.conf", "/dev/null");
        assert_eq!(said(&record(&masked).storage).map(|(value, _)| value.to_owned()).as_deref(), Some("journal"));
    }

    #[test]
    fn nothing_there_and_nothing_readable() {
        let row = record(&Memory::new());
        assert_eq!((row.collector.known(), said(&row.storage).map(|(value, _)| value)), (Some(&false), Some("external")));
        assert!(matches!(row.pattern, Fact::Unknown(Gap { reason: Reason::NotCollected, .. })));
        let denied = record(&Memory::new().file("/etc/systemd/coredump.conf", "").gap("/etc/systemd/coredump.conf", Reason::Denied));
        assert!(matches!(denied.storage, Fact::Unknown(_)));
    }
}
