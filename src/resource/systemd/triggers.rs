//! Which sockets, paths and timers start which units.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::fact::Gap;
use crate::host::Host;
use crate::parse::unit_name::UnitName;
use crate::resource::Context;

use super::{Loaded, Says, Units};

/// The units that start others on demand.
#[derive(Default)]
pub(crate) struct Triggers {
    by_unit: BTreeMap<String, BTreeSet<String>>,
    /// A file that could not be read: what it triggers is not known.
    pub(crate) gap: Option<Gap>,
}

impl Triggers {
    /// Those of the system's manager.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| {
            let units = Units::of(context);
            let mut triggers = Self::default();
            for name in units.names() {
                let Some(loaded) = loaded_trigger(&units, context.host, name) else { continue };
                if let Some(unit) = triggered(&loaded) {
                    triggers.by_unit.entry(units.canonical(&unit)).or_default().insert(name.to_owned());
                }
                triggers.gap = triggers.gap.take().or(loaded.gap);
            }
            triggers
        })
    }

    /// The full names of the units that start this one.
    pub(crate) fn of_unit(&self, name: &str) -> impl Iterator<Item = &str> {
        self.by_unit.get(name).into_iter().flatten().map(String::as_str)
    }
}

fn loaded_trigger(units: &Units, host: &dyn Host, name: &str) -> Option<Loaded> {
    let kind = UnitName::parse(name)?.kind;
    let masked = matches!(units.file(name)?.says, Says::Masked { .. });
    (matches!(kind, "socket" | "path" | "timer") && !masked).then(|| units.load(host, name)).flatten()
}

/// The unit a socket, path, timer or automount starts.
pub(super) fn triggered(loaded: &Loaded) -> Option<String> {
    let name = UnitName::parse(&loaded.name)?;
    let (section, key) = match name.kind {
        "socket" => ("Socket", "Service"),
        "path" => ("Path", "Unit"),
        "timer" => ("Timer", "Unit"),
        "automount" => return Some(name.with_kind("mount")),
        _ => return None,
    };
    if let Some(named) = loaded.unit.last(section, key) {
        return name.expand(&named.value);
    }
    // A socket that accepts by itself starts one instance per connection.
    let accepts = name.kind == "socket" && loaded.unit.last("Socket", "Accept").is_some_and(|accept| is_yes(&accept.value));
    Some(if accepts { format!("{}@.service", name.prefix) } else { name.with_kind("service") })
}

fn is_yes(value: &str) -> bool {
    ["1", "yes", "y", "true", "t", "on"].iter().any(|yes| value.eq_ignore_ascii_case(yes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    #[test]
    fn triggers_name_their_unit_or_share_its_name() {
        let host = Memory::new()
            .file("/usr/lib/systemd/system/docker.socket", "[Socket]\nListenStream=/run/docker.sock\n")
            .file("/usr/lib/systemd/system/api.socket", "[Socket]\nService=docker.service\n")
            .file("/usr/lib/systemd/system/ssh.socket", "[Socket]\nAccept=yes\n")
            .file("/usr/lib/systemd/system/docker.timer", "[Timer]\n")
            .symlink("/etc/systemd/system/docker.timer", "/dev/null")
            .file("/usr/lib/systemd/system/watch.path", "[Path]\nUnit=%p-run.service\n");
        let triggers = Triggers::of(&Context::new(&host));
        let of = |name: &str| triggers.of_unit(name).collect::<Vec<_>>();
        assert_eq!(of("docker.service"), ["api.socket", "docker.socket"]);
        assert_eq!(of("ssh@.service"), ["ssh.socket"]);
        assert_eq!(of("watch-run.service"), ["watch.path"]);
    }
}
