//! Kernel modules: what is loaded, what an installed kernel could load, and what keeps it from doing so.

mod configuration;
mod installed;
mod running;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Text, record};
use crate::parse::modprobe::normal;

use super::mount::MountTable;
use super::{Context, Resource, Selector};
use configuration::Configuration;
use installed::Kernels;
use running::Running;

record! {
    /// One kernel module, by whatever name `modprobe` knows it; `-` and `_` are the same in it.
    pub struct KernelModule("kernel_module") {
        /// Name, as it was asked for.
        name: Text,
        /// Whether the running kernel has it loaded now.
        loaded: Flag,
        /// Whether a kernel that runs or is installed has it built in, where no configuration of modules reaches it.
        built_in: Flag,
        /// Releases of the installed kernels that bring it as a module; unknown where that would be the running kernel alone, whose
        /// modules are not installed here.
        installed_in: List,
        /// Whether `modprobe` would load it when asked for it by name: an installed kernel has it, and nothing denies it. `blacklist` alone does not.
        loadable: Flag,
        /// Whether modprobe.d or `modprobe.blacklist=` keeps its aliases from being followed.
        blacklisted: Flag,
        /// Whether modprobe.d runs `/bin/false` or `/bin/true` instead of loading it. The first of several commands counts.
        install_denied: Flag,
        /// Whether the kernel itself refuses it, for `module_blacklist=` on its command line.
        kernel_denied: Flag,
        /// Whether it is a file system.
        file_system: Flag,
        /// Whether a file system of its name is mounted.
        mounted: Flag,
        /// The lines about it, as `path:line words`.
        lines: List,
    }
}

/// Finds the records.
pub struct KernelModules;

impl Resource for KernelModules {
    type Row = KernelModule;
    const SELECTOR: &'static str =
        "a module name; one that no kernel knows gives a record that says so; `\"*\"` is every module that is loaded or a file system";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let look = Look {
            configuration: Configuration::of(context),
            kernels: Kernels::of(context),
            running: Running::of(context),
            mounted: mounted(context),
        };
        match of {
            Selector::Keys(names) => Ok(names.iter().map(|name| look.row(name)).collect()),
            Selector::All | Selector::Named(_) => {
                let loaded = look.running.modules.clone().into_result()?.unwrap_or_default();
                if let Some(gap) = &look.kernels.gap {
                    return Err(gap.clone());
                }
                let file_systems = look.kernels.installed.iter().flat_map(|kernel| kernel.file_systems.iter().cloned());
                let names: BTreeSet<String> = loaded.into_iter().chain(file_systems).collect();
                Ok(names.iter().map(|name| look.row(name)).collect())
            }
        }
    }
}

/// Everything that was looked at.
struct Look {
    configuration: std::sync::Arc<Configuration>,
    kernels: std::sync::Arc<Kernels>,
    running: std::sync::Arc<Running>,
    mounted: Fact<BTreeSet<String>>,
}

/// The types of the mounted file systems.
fn mounted(context: &Context<'_>) -> Fact<BTreeSet<String>> {
    match MountTable::of(context).as_ref() {
        Ok(table) => Fact::Known(table.mounts.iter().map(|mount| mount.fs_type.clone()).collect(), Origin::kernel(super::mount::TABLE)),
        Err(gap) => Fact::Unknown(gap.clone()),
    }
}

impl Look {
    fn row(&self, asked: &str) -> KernelModule {
        let name = normal(asked);
        let rules = self.configuration.about(&name);
        let loaded = self.running.loaded(&name);
        let installed_in = self.installed_in(&name);
        let kernel_denied = self.running.denied(&name);
        KernelModule {
            loadable: loadable(&installed_in, &rules.install_denied, &kernel_denied),
            built_in: self.built_in(&name, &loaded),
            file_system: match running::file_system(&name) {
                Some(_) => Fact::derived(true),
                None => Fact::derived(self.kernels.installed.iter().any(|kernel| kernel.file_systems.contains(&name))),
            },
            mounted: self.mounted.clone().map(|types| types.contains(running::file_system(&name).unwrap_or(&name))),
            blacklisted: match (&rules.blacklisted, self.running.blacklisted(&name)) {
                (Fact::Known(true, _), _) => rules.blacklisted.clone(),
                (_, Some(origin)) => Fact::Known(true, origin),
                _ => rules.blacklisted.clone(),
            },
            install_denied: rules.install_denied,
            lines: rules.lines,
            name: Fact::derived(asked),
            loaded,
            installed_in,
            kernel_denied,
        }
    }

    fn installed_in(&self, name: &str) -> Fact<List> {
        let having: Vec<_> = self.kernels.installed.iter().filter(|kernel| kernel.modules.contains(name)).collect();
        match (having.first(), &self.kernels.gap) {
            (None, Some(gap)) => Fact::Unknown(gap.clone()),
            (None, None) if self.running.modules.known().is_some() && self.running.has_modules && !self.has_running() => {
                let origin = Origin::file("/lib/modules");
                Fact::Unknown(Gap::new(origin, Reason::unsupported("the modules of the running kernel are not installed here")))
            }
            (None, None) => Fact::Known(Vec::new(), Origin::file("/lib/modules")),
            (Some(first), _) => {
                Fact::Known(having.iter().map(|kernel| kernel.release.as_str().into()).collect(), Origin::file(first.dep.as_path()))
            }
        }
    }

    /// Whether the modules of the running kernel are among those installed.
    fn has_running(&self) -> bool {
        self.kernels.installed.iter().any(|kernel| kernel.release == self.running.release)
    }

    fn built_in(&self, name: &str, loaded: &Fact<bool>) -> Fact<bool> {
        if let Some(kernel) = self.kernels.installed.iter().find(|kernel| kernel.built_in.contains(name)) {
            return Fact::Known(true, Origin::file(kernel.dep.with_file_name("modules.builtin").as_path()));
        }
        if let Some(gap) = &self.kernels.gap {
            return Fact::Unknown(gap.clone());
        }
        // Its list says what the running kernel has; without it, traces it leaves in the kernel do.
        if self.has_running() || self.running.release.is_empty() {
            return Fact::Known(false, Origin::file("/lib/modules"));
        }
        match loaded {
            Fact::Known(true, origin) => Fact::Known(false, origin.clone()),
            _ => self.running.registered(name),
        }
    }
}

/// An installed kernel has it and nothing denies it.
fn loadable(installed_in: &Fact<List>, install: &Fact<bool>, kernel: &Fact<bool>) -> Fact<bool> {
    for denied in [install, kernel] {
        if let Fact::Known(true, origin) = denied {
            return Fact::Known(false, origin.clone());
        }
    }
    match installed_in {
        Fact::Known(kernels, origin) if kernels.is_empty() => Fact::Known(false, origin.clone()),
        Fact::Known(_, origin) => match (install, kernel) {
            (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
            _ => Fact::Known(true, origin.clone()),
        },
        Fact::Absent(origin) => Fact::Known(false, origin.clone()),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    }
}
