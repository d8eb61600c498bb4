//! What a service is told to run, and as whom.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, List, Origin, Reason, Setting, Text};
use crate::parse::glob::{is_glob, matches};
use crate::parse::unit::{commands, environment, environment_file};
use crate::parse::unit_name::UnitName;
use crate::resource::Context;
use crate::resource::systemd::{Loaded, origin};

/// The commands of `ExecStart=`. Absent for units that run none.
pub(super) fn exec_start(loaded: &Loaded, file: &Origin) -> Fact<List> {
    of_service(loaded, file, || {
        let starts = loaded.unit.all("Service", "ExecStart");
        let origin = starts.last().map_or_else(|| file.clone(), |start| origin(start));
        let commands = starts.iter().flat_map(|start| commands(&start.value).unwrap_or_default());
        Fact::Known(commands.map(|command| Text::from(command.to_string())).collect(), origin)
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
    of_service(loaded, file, || {
        let mut names = BTreeSet::new();
        for assignment in loaded.unit.all("Service", "Environment") {
            names.extend(environment(&assignment.value).into_iter().map(|(name, _)| name));
        }
        for assignment in loaded.unit.all("Service", "EnvironmentFile") {
            let written = assignment.value.strip_prefix('-').unwrap_or(&assignment.value);
            let Some(path) = UnitName::parse(&loaded.name).and_then(|name| name.expand(written)) else {
                return Fact::Unknown(Gap::new(origin(assignment), Reason::unsupported("the path depends on the running manager")));
            };
            match files(context, &path) {
                Ok(found) => names.extend(found),
                Err(gap) => return Fact::Unknown(gap),
            }
        }
        Fact::Known(names.into_iter().map(Text::from).collect(), file.clone())
    })
}

/// The names in a file, or in every file a glob in its last part finds. A file that is not there has none.
fn files(context: &Context<'_>, path: &str) -> Result<Vec<String>, Gap> {
    let mut paths = vec![PathBuf::from(path)];
    if let (true, Some((directory, glob))) = (is_glob(path), path.rsplit_once('/')) {
        let entries = context.host.list(Path::new(directory)).into_result()?;
        let names = entries.iter().flat_map(|entries| entries.iter()).filter_map(|entry| entry.name.to_str());
        paths = names.filter(|name| matches(glob, name)).map(|name| Path::new(directory).join(name)).collect();
    }
    let mut names = Vec::new();
    for path in paths {
        let content = context.host.read(&path).into_result()?;
        names.extend(content.iter().flat_map(|content| environment_file(content).into_keys()));
    }
    Ok(names)
}

/// A fact that only services that are not masked have.
fn of_service<T>(loaded: &Loaded, file: &Origin, fact: impl FnOnce() -> Fact<T>) -> Fact<T> {
    loaded.fact(|unit| if unit.has_section("Service") { fact() } else { Fact::Absent(file.clone()) })
}
