//! The kernels whose modules are installed, whichever of them runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Fact, Gap};
use crate::parse::modprobe::module_of_path;
use crate::resource::Context;

/// Where they are; on most systems one is a link to the other.
const PLACES: [&str; 2] = ["/lib/modules", "/usr/lib/modules"];

/// Every kernel whose modules are installed.
#[derive(Default)]
pub(super) struct Kernels {
    pub(super) installed: Vec<Kernel>,
    /// What could not be read. It may name any module.
    pub(super) gap: Option<Gap>,
}

/// The modules of one kernel.
pub(super) struct Kernel {
    pub(super) release: String,
    /// Its `modules.dep`.
    pub(super) dep: PathBuf,
    /// Names of those that can be loaded.
    pub(super) modules: BTreeSet<String>,
    /// Names of those among them that are file systems.
    pub(super) file_systems: BTreeSet<String>,
    /// Names of those that are built in.
    pub(super) built_in: BTreeSet<String>,
}

impl Kernels {
    pub(super) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| {
            let mut found = Self::default();
            for place in PLACES.map(Path::new) {
                match context.host.list(place) {
                    Fact::Known(entries, _) => {
                        for release in entries.iter().filter_map(|entry| entry.name.to_str()) {
                            if !found.installed.iter().any(|kernel| kernel.release == release) {
                                found.add(context, release, &place.join(release));
                            }
                        }
                    }
                    Fact::Absent(_) => {}
                    Fact::Unknown(gap) => found.gap = Some(gap),
                }
            }
            found
        })
    }

    /// What a package leaves behind when it goes has no index, and nothing is loaded from there.
    fn add(&mut self, context: &Context<'_>, release: &str, directory: &Path) {
        let dep = directory.join("modules.dep");
        let Some(content) = self.read(context, &dep) else { return };
        let (mut modules, mut file_systems) = (BTreeSet::new(), BTreeSet::new());
        let text = String::from_utf8_lossy(&content);
        for (name, file_system) in text.lines().filter_map(|line| module_of_path(line.split(':').next()?)) {
            if file_system {
                file_systems.insert(name.clone());
            }
            modules.insert(name);
        }
        let content = self.read(context, &directory.join("modules.builtin"));
        let text = content.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        let built_in = text.lines().filter_map(module_of_path).map(|(name, _)| name).collect();
        self.installed.push(Kernel { release: release.to_owned(), dep, modules, file_systems, built_in });
    }

    fn read(&mut self, context: &Context<'_>, path: &Path) -> Option<Arc<[u8]>> {
        match context.host.read(path) {
            Fact::Known(content, _) => Some(content),
            Fact::Absent(_) => None,
            Fact::Unknown(gap) => {
                self.gap.get_or_insert(gap);
                None
            }
        }
    }
}
