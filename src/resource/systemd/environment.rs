//! The variables a unit gives to what it starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason, Secret};
use crate::host::Host;
use crate::parse::glob::{is_glob, matches};
use crate::parse::unit::{environment, environment_file};
use crate::parse::unit_name::UnitName;

use super::{Loaded, load::origin};

/// One variable: its value, which may be a secret, and where it stands.
type Variable = (Secret<String>, Origin);

impl Loaded {
    /// The variables of `Environment=`, and those of the files the unit names, which win. What the manager itself has and
    /// hands on is not among them.
    pub(crate) fn variables(&self, host: &dyn Host) -> Fact<BTreeMap<String, Variable>> {
        self.fact(|unit| {
            let mut variables = BTreeMap::new();
            for assignment in unit.all("Service", "Environment") {
                let set = environment(&assignment.value).into_iter();
                variables.extend(set.map(|(name, value)| (name, (value, origin(assignment)))));
            }
            for assignment in unit.all("Service", "EnvironmentFile") {
                let written = assignment.value.strip_prefix('-').unwrap_or(&assignment.value);
                let Some(path) = UnitName::parse(&self.name).and_then(|name| name.expand(written)) else {
                    return Fact::Unknown(Gap::new(origin(assignment), Reason::unsupported("the path depends on the running manager")));
                };
                match files(host, &path) {
                    Ok(found) => variables.extend(found),
                    Err(gap) => return Fact::Unknown(gap),
                }
            }
            Fact::Known(variables, Origin::file(self.file.path.as_path()))
        })
    }
}

/// The variables of a file, or of every file a glob in its last part finds. A file that is not there has none.
fn files(host: &dyn Host, path: &str) -> Result<Vec<(String, Variable)>, Gap> {
    let mut paths = vec![PathBuf::from(path)];
    if let (true, Some((directory, glob))) = (is_glob(path), path.rsplit_once('/')) {
        let entries = host.list(Path::new(directory)).into_result()?;
        let names = entries.iter().flat_map(|entries| entries.iter()).filter_map(|entry| entry.name.to_str());
        paths = names.filter(|name| matches(glob, name)).map(|name| Path::new(directory).join(name)).collect();
    }
    let mut found = Vec::new();
    for path in paths {
        let Some(content) = host.read(&path).into_result()? else { continue };
        let set = environment_file(&content).into_iter();
        found.extend(set.map(|(name, (value, line))| (name, (value, Origin::line(path.as_path(), line)))));
    }
    Ok(found)
}
