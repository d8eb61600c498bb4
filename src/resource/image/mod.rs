//! Images an engine holds.

mod config;
mod layers;
mod looked;
#[cfg(test)]
mod tests;

use crate::fact::{Fact, Flag, Gap, Integer, List, Text, record};

use super::container::unlisted;
use super::{Context, Resource, Selector};
use looked::looked;

record! {
    /// One image.
    pub struct Image("image", document) {
        /// First tag, or the short identifier of an image without one.
        name: Text,
        /// Full identifier.
        id: Text,
        /// Name of the engine.
        engine: Text,
        /// All tags.
        tags: List,
        /// Digests by which registries know it.
        digests: List,
        /// Whether it has neither tag nor use.
        dangling: Flag,
        /// Whether any container was made from it.
        used: Flag,
        /// User its processes run as; empty for root by default.
        user: Text,
        /// Whether that user is root.
        root: Flag,
        /// Whether it defines a health check other than `NONE`.
        healthcheck: Flag,
        /// Ports it exposes, as `tcp/22`.
        exposed_ports: List,
        /// Days since it was built.
        age_days: Integer,
        /// Build steps that refresh a package index without installing in the same step.
        index_updates: List,
        /// Build steps above the base layer that use ADD.
        add_instructions: List,
        /// Build steps that switch off the verification of packages, or pipe a download into a shell.
        unverified_installs: List,
        /// Build steps that hold what looks like a secret: only where and of what kind. Never the value.
        secret_history: List,
        /// Names of environment variables that look like secrets and have a value. Never values.
        secret_environment: List,
        /// Names of labels whose value looks like a secret.
        secret_labels: List,
        /// Regular files with set-uid or set-gid bits in its file system, later layers considered. Costly: read only where a check asks.
        setuid_files: List,
    }
}

/// Finds the records.
pub struct Images;

impl Resource for Images {
    type Row = Image;
    const SELECTOR: &'static str = "a tag, an identifier, or a glob";

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let found = looked(context)?;
        let picked = |row: &&Image| {
            let names = row.name.known().into_iter().chain(row.id.known()).chain(row.tags.known().into_iter().flatten());
            names.into_iter().any(|name| of.picks(name.raw()))
        };
        let mut rows: Vec<Image> = found.rows.iter().filter(picked).cloned().collect();
        unlisted(&found.unlisted, found.rows.is_empty(), |engine, gap| {
            let mut row = Image::unknown(gap);
            row.name = Fact::derived(format!("images of {}", engine.raw()));
            row.engine = Fact::derived(engine.clone());
            rows.push(row);
        })?;
        Ok(rows)
    }
}
