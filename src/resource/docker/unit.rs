//! The units that start engines and listen for them, and what they will tell a daemon at its next start.

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::Host;
use crate::parse::dockerd::CommandLine;
use crate::parse::unit::{Unit, commands};
use crate::resource::systemd::{Loaded, Says, Units, origin};

use super::told::Flags;

/// The name of the socket unit that belongs to a service.
pub(super) fn socket_of(service: &str) -> Option<String> {
    service.strip_suffix(".service").map(|name| format!("{name}.socket"))
}

/// A unit with its drop-ins. Absent where there is no file of it, or it is masked.
pub(super) fn load(host: &dyn Host, units: &Units, name: &str) -> Fact<Loaded> {
    if let Some(gap) = units.gap() {
        return Fact::Unknown(gap.clone());
    }
    match units.load(host, name) {
        Some(loaded) => {
            let origin = Origin::file(loaded.file.path.as_path());
            if loaded.file.says == Says::Unit { Fact::Known(loaded, origin) } else { Fact::Absent(origin) }
        }
        None => Fact::Absent(Origin::file(units.own().join(name).as_path())),
    }
}

/// What a unit says, where every file of it could be read.
pub(in crate::resource) fn content(loaded: &Fact<Loaded>) -> Fact<&Unit> {
    loaded.as_ref().and_then(|loaded, origin| match &loaded.gap {
        Some(gap) => Fact::Unknown(gap.clone()),
        None => Fact::Known(&loaded.unit, origin),
    })
}

/// The flags dockerd will get from a unit. Variables are put in; nothing of them is kept that is no flag of dockerd.
pub(super) fn flags(host: &dyn Host, service: &Fact<Loaded>) -> Fact<Flags> {
    service.as_ref().and_then(|loaded, file| {
        loaded.fact(|unit| {
            let Some(start) = unit.last("Service", "ExecStart") else { return Fact::Absent(file) };
            let origin = origin(start);
            let command = commands(&start.value).and_then(|commands| commands.into_iter().next_back());
            let Some(command) =
                command.filter(|command| command.program.rsplit('/').next().is_some_and(|name| name.starts_with("dockerd")))
            else {
                return Fact::Unknown(Gap::new(origin, Reason::unsupported("the unit starts dockerd by way of another program")));
            };
            loaded.variables(host).and_then(|variables, _| {
                let arguments = command.expanded(|name| variables.get(name).map(|(value, _)| value.expose().as_str()));
                Fact::Known(Flags { line: CommandLine::parse(arguments), origin: origin.clone() }, origin)
            })
        })
    })
}
