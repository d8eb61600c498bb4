//! A unit with everything that is laid over it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::fact::{Fact, Gap, Origin};
use crate::host::Host;
use crate::parse::unit::{Assignment, Unit};
use crate::parse::unit_name::UnitName;
use crate::resource::layered::is_null;

use super::{Says, UnitFile, Units};

/// A unit, its own file first and its drop-ins in the order they apply.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// Full name of the unit behind the name asked for.
    pub(crate) name: String,
    /// The file that wins, and what it says by being what it is.
    pub(crate) file: UnitFile,
    /// Drop-ins that apply, in order. A masked unit has none.
    pub(crate) dropins: Vec<PathBuf>,
    /// What they say together. Empty where masked, and for scripts.
    pub(crate) unit: Unit,
    /// The first of its files that could not be read: it may say anything.
    pub(crate) gap: Option<Gap>,
}

impl Loaded {
    /// Something the files say, or that one of them cannot be read.
    pub(crate) fn fact<T>(&self, fact: impl FnOnce(&Unit) -> Fact<T>) -> Fact<T> {
        match &self.gap {
            Some(gap) => Fact::Unknown(gap.clone()),
            None => fact(&self.unit),
        }
    }
}

/// Where an assignment stands.
pub(crate) fn origin(assignment: &Assignment) -> Origin {
    Origin::line(assignment.path.clone(), assignment.line)
}

impl Units {
    /// Loads a unit by any of its names. Without a file there is nothing to load.
    pub(crate) fn load(&self, host: &dyn Host, name: &str) -> Option<Loaded> {
        let name = self.canonical(name);
        let file = self.file(&name)?;
        let mut loaded =
            Loaded { name: name.clone(), file: file.clone(), dropins: Vec::new(), unit: Unit::default(), gap: self.gap.clone() };
        if matches!(file.says, Says::Masked { .. }) {
            return Some(loaded);
        }
        let own = (file.says != Says::Script).then(|| file.path.clone());
        loaded.dropins = self.dropins(host, &name, &mut loaded.gap);
        for path in own.iter().chain(&loaded.dropins) {
            match host.read(path) {
                Fact::Known(content, _) => loaded.unit.add(path.as_path(), &content),
                Fact::Absent(_) => {}
                Fact::Unknown(gap) => drop(loaded.gap.get_or_insert(gap)),
            }
        }
        Some(loaded)
    }

    /// The drop-ins of a unit: of one file name the first counts, by the rank of the directory and then by how
    /// particular it is; those for the whole type come last. They apply in the order of their file names.
    fn dropins(&self, host: &dyn Host, name: &str, gap: &mut Option<Gap>) -> Vec<PathBuf> {
        let names = std::iter::once(name).chain(self.aliases(name)).filter_map(UnitName::parse).flat_map(|name| name.dropin_names());
        let mut directories: Vec<(usize, &PathBuf)> = Vec::new();
        for name in names {
            directories.extend(self.dropins.get(&name).into_iter().flatten().map(|(rank, path)| (*rank, path)));
        }
        // A stable sort: within a rank the more particular stays first.
        directories.sort_by_key(|(rank, _)| *rank);
        let kind = UnitName::parse(name).map(|name| name.kind).unwrap_or_default();
        let of_type = self.dropins.get(kind).into_iter().flatten().map(|(_, path)| path);
        let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
        for directory in directories.into_iter().map(|(_, path)| path).chain(of_type) {
            let layer = crate::resource::layered::Layered::of(host, [directory], ".conf");
            for (file, path) in layer.files {
                found.entry(file).or_insert(path);
            }
            if let Some(unread) = layer.gaps.into_iter().next() {
                gap.get_or_insert(unread);
            }
        }
        found.into_values().filter(|path| !is_null(host, path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;
    use crate::resource::Context;

    fn load(host: &Memory, name: &str) -> Loaded {
        Units::of(&Context::new(host)).load(host, name).unwrap()
    }

    fn start(loaded: &Loaded) -> Vec<&str> {
        loaded.unit.all("Service", "ExecStart").iter().map(|a| a.value.as_str()).collect()
    }

    #[test]
    fn drop_ins_merge_by_name_across_directories_types_and_prefixes() {
        let host = Memory::new()
            .file("/usr/lib/systemd/system/foo-bar.service", "[Service]\nExecStart=a\n")
            .file("/usr/lib/systemd/system/foo-bar.service.d/10-x.conf", "[Service]\nExecStart=hidden\n")
            .file("/etc/systemd/system/foo-.service.d/10-x.conf", "[Service]\nExecStart=prefix\n")
            .file("/usr/lib/systemd/system/service.d/05-type.conf", "[Service]\nExecStart=type\n")
            .file("/usr/lib/systemd/system/service.d/20-y.conf", "[Service]\nExecStart=type-y\n")
            .file("/run/systemd/system/foo-bar.service.d/20-y.conf", "[Service]\nExecStart=run\n")
            .file("/usr/lib/systemd/system/foo-bar.service.d/30-z.conf", "[Service]\nExecStart=masked\n")
            .symlink("/etc/systemd/system/foo-bar.service.d/30-z.conf", "/dev/null")
            .file("/etc/systemd/system/foo-bar.service.d/not-a-dropin", "[Service]\nExecStart=\n");
        let loaded = load(&host, "foo-bar.service");
        assert_eq!(start(&loaded), ["a", "type", "prefix", "run"]);
        assert_eq!(loaded.dropins.len(), 3);
    }

    #[test]
    fn instances_take_their_templates_drop_ins_and_their_own() {
        let host = Memory::new()
            .file("/usr/lib/systemd/system/g@.service", "[Service]\nExecStart=%i\n")
            .file("/etc/systemd/system/g@.service.d/a.conf", "[Service]\nExecStart=template\n")
            .file("/etc/systemd/system/g@x.service.d/b.conf", "[Service]\nExecStart=instance\n");
        assert_eq!(start(&load(&host, "g@x.service")), ["%i", "template", "instance"]);
        assert_eq!(start(&load(&host, "g@y.service")), ["%i", "template"]);
    }

    #[test]
    fn drop_ins_of_an_alias_apply() {
        let host = Memory::new()
            .file("/usr/lib/systemd/system/ssh.service", "[Service]\nExecStart=a\n")
            .symlink("/etc/systemd/system/sshd.service", "/usr/lib/systemd/system/ssh.service")
            .file("/etc/systemd/system/sshd.service.d/x.conf", "[Service]\nExecStart=b\n");
        let loaded = load(&host, "sshd.service");
        assert_eq!((start(&loaded), loaded.name.as_str()), (vec!["a", "b"], "ssh.service"));
    }

    #[test]
    fn what_cannot_be_read_may_say_anything() {
        let host = Memory::new()
            .file("/usr/lib/systemd/system/a.service", "[Service]\nExecStart=a\n")
            .file("/etc/systemd/system/a.service.d/x.conf", "")
            .gap("/etc/systemd/system/a.service.d/x.conf", Reason::Denied);
        let loaded = load(&host, "a.service");
        assert!(matches!(loaded.fact(|_| Fact::<bool>::derived(true)), Fact::Unknown(Gap { reason: Reason::Denied, .. })));
        assert!(Units::of(&Context::new(&host)).load(&host, "none.service").is_none());
    }
}
