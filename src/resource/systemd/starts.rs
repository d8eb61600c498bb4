//! Which units come up by themselves: at boot, or on demand of something that does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin};
use crate::parse::{ini, unit::words, unit_name::UnitName};
use crate::resource::{Context, layered::Layered};

use super::{Says, Units, load::origin, triggers::triggered};

/// Every unit that comes up by itself, and what makes it.
#[derive(Default)]
pub(crate) struct Starts {
    reached: BTreeMap<String, Origin>,
    /// A file that could not be read: it may want anything.
    gap: Option<Gap>,
}

impl Starts {
    /// Follows what is wanted from the default target, from whatever links enable, and from what those trigger.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| {
            let units = Units::of(context);
            let mut starts = Self { gap: units.gap().cloned(), ..Self::default() };
            // Units depend on the latter two without saying so.
            let targets = ["default.target", "basic.target", "sysinit.target"];
            let roots = targets.iter().map(|target| ((*target).to_owned(), Origin::file(format!("/etc/systemd/system/{target}"))));
            let enabled = units
                .links
                .iter()
                .filter(|link| link.wanted_by.is_some() && !link.path.starts_with("/usr") && !link.path.starts_with("/lib"));
            let enabled = enabled.map(|link| (link.name.clone(), Origin::file(link.path.as_path())));
            let scripts = script_links(context, &units, &mut starts.gap);
            starts.follow(context, &units, roots.chain(enabled).chain(scripts).collect());
            if ["dbus.socket", "dbus.service", "dbus-broker.service"].iter().any(|bus| starts.reached.contains_key(*bus)) {
                let names = bus_names(context, &mut starts.gap);
                starts.follow(context, &units, names);
            }
            starts
        })
    }

    /// Whether a unit comes up by itself. The name is its own, not an alias.
    pub(crate) fn fact(&self, name: &str) -> Fact<bool> {
        match (self.reached.get(name), &self.gap) {
            (Some(origin), _) => Fact::Known(true, origin.clone()),
            (None, Some(gap)) => Fact::Unknown(gap.clone()),
            (None, None) => Fact::derived(false),
        }
    }

    fn follow(&mut self, context: &Context<'_>, units: &Units, mut open: Vec<(String, Origin)>) {
        while let Some((name, because)) = open.pop() {
            let name = units.canonical(&name);
            let starts = units.file(&name).is_some_and(|file| !matches!(file.says, Says::Masked { .. }));
            if !starts || self.reached.contains_key(&name) {
                continue;
            }
            let Some(loaded) = units.load(context.host, &name) else { continue };
            self.reached.insert(name.clone(), because);
            let own = UnitName::parse(&name);
            for (section, key) in
                [("Unit", "Wants"), ("Unit", "Requires"), ("Unit", "BindsTo"), ("Unit", "Upholds"), ("Service", "Sockets")]
            {
                for assignment in loaded.unit.all(section, key) {
                    let wanted = words(&assignment.value).unwrap_or_default().into_iter().filter_map(|name| own?.expand(&name));
                    open.extend(wanted.map(|wanted| (wanted, origin(assignment))));
                }
            }
            let template = own.and_then(|name| name.template());
            let names: Vec<&str> = std::iter::once(name.as_str()).chain(units.aliases(&name)).chain(template.as_deref()).collect();
            let wants = units.links.iter().filter(|link| link.wanted_by.as_deref().is_some_and(|by| names.contains(&by)));
            open.extend(wants.map(|link| (link.name.clone(), Origin::file(link.path.as_path()))));
            if let (Some(unit), Some(file)) = (triggered(&loaded), units.file(&name)) {
                // An instance per connection comes from the template, which stands for them all.
                open.push((unit, Origin::file(file.path.as_path())));
            }
            self.gap = self.gap.take().or(loaded.gap);
        }
    }
}

/// Scripts linked into a run level that a multi-user system enters. systemd's generator turns these links into wants.
fn script_links(context: &Context<'_>, units: &Units, gap: &mut Option<Gap>) -> Vec<(String, Origin)> {
    let mut found = Vec::new();
    for directory in ["/etc/rc2.d", "/etc/rc3.d", "/etc/rc4.d", "/etc/rc5.d", "/etc/rcS.d"] {
        let entries = match context.host.list(Path::new(directory)) {
            Fact::Known(entries, _) => entries,
            Fact::Absent(_) => continue,
            Fact::Unknown(unread) => {
                gap.get_or_insert(unread);
                continue;
            }
        };
        for entry in entries.iter() {
            let Some(name) = entry.name.to_str().and_then(|name| name.strip_prefix('S')).and_then(|name| name.get(2..)) else { continue };
            let unit = format!("{}.service", name.strip_suffix(".sh").unwrap_or(name));
            // A unit of that name takes the place of the script, and its own links count.
            if units.file(&unit).is_some_and(|file| file.says == Says::Script) {
                found.push((unit, Origin::file(Path::new(directory).join(&entry.name).as_path())));
            }
        }
    }
    found
}

/// Units that a message to a name on the system bus starts.
fn bus_names(context: &Context<'_>, gap: &mut Option<Gap>) -> Vec<(String, Origin)> {
    let directories = ["/etc/dbus-1/system-services", "/usr/local/share/dbus-1/system-services", "/usr/share/dbus-1/system-services"];
    let layered = Layered::of(context.host, directories, ".service");
    let mut found = Vec::new();
    for path in layered.files.values() {
        match context.host.read(path) {
            Fact::Known(bytes, _) => {
                let text = String::from_utf8_lossy(&bytes);
                let units = ini::parse(&text).filter(|line| line.section == "D-BUS Service" && line.key == "SystemdService");
                found.extend(units.map(|line| (line.value.to_owned(), Origin::line(path.as_path(), line.line))));
            }
            Fact::Absent(_) => {}
            Fact::Unknown(unread) => drop(gap.get_or_insert(unread)),
        }
    }
    *gap = gap.take().or(layered.gaps.into_iter().next());
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    const SERVICE: &str = "[Service]\nExecStart=/x\n";

    fn host() -> Memory {
        Memory::new()
            .symlink("/usr/lib/systemd/system/default.target", "graphical.target")
            .file("/usr/lib/systemd/system/graphical.target", "[Unit]\nRequires=multi-user.target\nWants=display-manager.service\n")
            .file("/usr/lib/systemd/system/multi-user.target", "[Unit]\nRequires=basic.target\n")
            .file("/usr/lib/systemd/system/basic.target", "[Unit]\nWants=sockets.target\n")
            .file("/usr/lib/systemd/system/sockets.target", "[Unit]\n")
    }

    fn starts(host: &Memory, name: &str) -> Option<bool> {
        Starts::of(&Context::new(host)).fact(name).known().copied()
    }

    #[test]
    fn wants_are_followed_from_the_default_target() {
        let host = host()
            .file("/usr/lib/systemd/system/a.service", "[Unit]\nWants=b.service\n[Service]\n")
            .symlink("/usr/lib/systemd/system/multi-user.target.wants/a.service", "../a.service")
            .file("/usr/lib/systemd/system/b.service", SERVICE)
            .file("/usr/lib/systemd/system/c.service", SERVICE)
            .file("/usr/lib/systemd/system/gdm.service", SERVICE)
            .symlink("/etc/systemd/system/display-manager.service", "/usr/lib/systemd/system/gdm.service");
        assert_eq!(starts(&host, "a.service"), Some(true));
        assert_eq!(starts(&host, "b.service"), Some(true), "wanted by something that starts");
        assert_eq!(starts(&host, "gdm.service"), Some(true), "wanted under its other name");
        assert_eq!(starts(&host, "c.service"), Some(false));
        let of_b = Starts::of(&Context::new(&host)).fact("b.service").origin().clone();
        assert_eq!(of_b, Origin::line("/usr/lib/systemd/system/a.service", 2));
    }

    #[test]
    fn a_disabled_service_starts_on_its_enabled_socket() {
        let host =
            host().file("/usr/lib/systemd/system/docker.service", SERVICE).file("/usr/lib/systemd/system/docker.socket", "[Socket]\n");
        assert_eq!(starts(&host, "docker.service"), Some(false));
        let host = host.symlink("/etc/systemd/system/sockets.target.wants/docker.socket", "/usr/lib/systemd/system/docker.socket");
        assert_eq!(starts(&host, "docker.service"), Some(true));
        let masked = host.symlink("/etc/systemd/system/docker.service", "/dev/null");
        assert_eq!(starts(&masked, "docker.service"), Some(false));
    }

    #[test]
    fn bus_names_start_units_where_the_bus_does() {
        let host = host()
            .file("/usr/lib/systemd/system/avahi-daemon.service", SERVICE)
            .file("/usr/share/dbus-1/system-services/org.x.service", "[D-BUS Service]\nName=org.x\nSystemdService=dbus-org.x.service\n")
            .file("/usr/lib/systemd/system/dbus.socket", "[Socket]\n")
            .symlink("/usr/lib/systemd/system/sockets.target.wants/dbus.socket", "../dbus.socket");
        assert_eq!(starts(&host, "avahi-daemon.service"), Some(false), "the name the bus asks for is not there while it is disabled");
        let host = host.symlink("/etc/systemd/system/dbus-org.x.service", "/usr/lib/systemd/system/avahi-daemon.service");
        assert_eq!(starts(&host, "avahi-daemon.service"), Some(true));
    }

    #[test]
    fn scripts_start_by_their_run_level() {
        let host = host().file("/etc/init.d/old", "#!").owned("/etc/init.d/old", 0, 0, 0o755);
        assert_eq!(starts(&host, "old.service"), Some(false));
        assert_eq!(starts(&host.symlink("/etc/rc2.d/S01old", "../init.d/old"), "old.service"), Some(true));
    }

    #[test]
    fn an_unreadable_unit_may_want_anything() {
        let host = host()
            .file("/etc/systemd/system/secret.service", SERVICE)
            .gap("/etc/systemd/system/secret.service", Reason::Denied)
            .symlink("/usr/lib/systemd/system/multi-user.target.wants/secret.service", "../secret.service");
        assert_eq!(starts(&host, "c.service"), None);
    }
}
