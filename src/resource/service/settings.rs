//! What a service is told to run, and as whom.

use crate::fact::{Fact, Gap, List, Origin, Reason, Setting, Text};
use crate::parse::unit::commands;
use crate::resource::Context;
use crate::resource::systemd::{Loaded, origin};

/// The commands of `ExecStart=`. Absent for units that run none.
pub(super) fn exec_start(loaded: &Loaded, file: &Origin) -> Fact<List> {
    of_service(loaded, file, || {
        let starts = loaded.unit.all("Service", "ExecStart");
        let origin = starts.last().map_or_else(|| file.clone(), |start| origin(start));
        let mut list = List::new();
        for start in starts {
            // systemd refuses to load a unit with such a line.
            let Some(commands) = commands(&start.value) else {
                return Fact::Unknown(Gap::new(crate::resource::systemd::origin(start), Reason::malformed("not a command line")));
            };
            list.extend(commands.iter().map(|command| Text::from(command.to_string())));
        }
        Fact::Known(list, origin)
    })
}

/// The value of `User=`.
pub(super) fn user(loaded: &Loaded, file: &Origin) -> Fact<Setting> {
    of_service(loaded, file, || match loaded.unit.last("Service", "User") {
        Some(user) => Fact::Known(Setting::from(user.value.as_str()), origin(user)),
        None => Fact::Absent(file.clone()),
    })
}

/// The names of the variables a service gets from its unit and the files it names. Values are dropped at once.
pub(super) fn environment_names(context: &Context<'_>, loaded: &Loaded, file: &Origin) -> Fact<List> {
    of_service(loaded, file, || loaded.variables(context.host).map(|variables| variables.into_keys().map(Text::from).collect()))
}

/// A fact that only services that are not masked have.
fn of_service<T>(loaded: &Loaded, file: &Origin, fact: impl FnOnce() -> Fact<T>) -> Fact<T> {
    loaded.fact(|unit| if unit.has_section("Service") { fact() } else { Fact::Absent(file.clone()) })
}
