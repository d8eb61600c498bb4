//! Every image of every engine, listed once and inspected once.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::host::engine::{Id, Route};
use crate::parse::build_step;
use crate::parse::engine_json::{self, ImageConfig, ImageInspect, ImageListEntry};
use crate::parse::secret;
use crate::resource::Context;
use crate::resource::container::{Source, is_root, redacted, secret_names};
use crate::resource::docker::{self, Engine, Kind};
use crate::resource::side_by_side::ask_all;

use super::Image;
use super::config::Store;
use super::layers::Layers;

/// Every image there is.
pub(super) struct Looked {
    /// Records by engine and name.
    pub(super) rows: Vec<Image>,
    /// Engines whose images could not be listed.
    pub(super) unlisted: Vec<(Text, Gap)>,
}

/// Every image, looked at once per run. An error means that engines could not be looked for.
pub(super) fn looked(context: &Context<'_>) -> Result<Arc<Looked>, Gap> {
    struct Once(Result<Arc<Looked>, Gap>);
    context.once(|context| Once(all(context).map(Arc::new))).0.clone()
}

fn all(context: &Context<'_>) -> Result<Looked, Gap> {
    let mut found = Looked { rows: Vec::new(), unlisted: Vec::new() };
    let layers = Layers::default();
    for engine in docker::engines(context)?.iter() {
        match list(context, engine) {
            Ok(entries) => {
                let look = Look { context, engine, used: used(context, engine), store: store(context, engine), layers: &layers };
                let asked = ask_all(context.host.parallelism(), &entries, |entry| look.inspect(entry));
                let gone = asked.iter().any(|read| matches!(read, Ok(None)));
                let still_listed = gone.then(|| engine.still_listed(context, Route::Images));
                for (read, entry) in asked.into_iter().zip(&entries) {
                    let read = match read {
                        Ok(Some(read)) => Ok(read),
                        // Gone since the list was made, or kept from us.
                        Ok(None) => match still_listed.as_ref().and_then(|still_listed| still_listed(&entry.id)) {
                            Some(gap) => Err(gap),
                            None => continue,
                        },
                        Err(gap) => Err(gap),
                    };
                    found.rows.push(look.image(entry, read));
                }
            }
            Err(gap) => found.unlisted.push((engine.name.clone(), gap)),
        }
    }
    Ok(found)
}

fn list(context: &Context<'_>, engine: &Engine) -> Result<Vec<ImageListEntry>, Gap> {
    let origin = || engine.origin(Route::Images);
    let unknown = || Gap::new(origin(), Reason::malformed("the engine does not know this question"));
    let body = engine.get(context, Route::Images).into_result()?.ok_or_else(unknown)?;
    let mut entries: Vec<ImageListEntry> = engine_json::read(&body).map_err(|what| Gap::new(origin(), Reason::malformed(what)))?;
    entries.iter_mut().for_each(|entry| {
        entry.repo_tags.retain(|tag| !tag.contains("<none>"));
        entry.repo_digests.retain(|digest| !digest.starts_with("<none>"));
    });
    entries.sort_by(|a, b| (name(a), &a.id).cmp(&(name(b), &b.id)));
    entries.dedup_by(|a, b| a.id == b.id);
    Ok(entries)
}

/// First tag, or the short identifier.
fn name(entry: &ImageListEntry) -> &str {
    let short = entry.id.strip_prefix("sha256:").unwrap_or(&entry.id);
    entry.repo_tags.first().map_or(short.get(..12).unwrap_or(short), String::as_str)
}

/// Identifiers of the images that containers were made from.
fn used(context: &Context<'_>, engine: &Engine) -> Fact<BTreeSet<String>> {
    engine.containers(context).map(|list| list.iter().map(|container| container.image_id.clone()).collect())
}

fn store(context: &Context<'_>, engine: &Engine) -> Fact<Store> {
    if engine.kind == Kind::Podman {
        return Fact::Unknown(Gap::new(Origin::Derived, Reason::unsupported("the image store of Podman is not read")));
    }
    let driver = engine.json(context, Route::Info).and_then(|info, origin| match info.get("Driver").and_then(|driver| driver.as_str()) {
        Some(driver) if !driver.is_empty() && !driver.contains('/') => Fact::Known(driver.to_owned(), origin),
        _ => Fact::Unknown(Gap::new(origin, Reason::malformed("no storage driver is named"))),
    });
    driver.and_then(|driver, _| engine.used_root(context).map(|root| Store { root, driver }))
}

struct Look<'a, 'host> {
    context: &'a Context<'host>,
    engine: &'a Engine,
    used: Fact<BTreeSet<String>>,
    store: Fact<Store>,
    layers: &'a Layers,
}

impl Look<'_, '_> {
    /// The record of an image, from what the list and the engine tell of it.
    fn image(&self, entry: &ImageListEntry, read: Result<Image, Gap>) -> Image {
        let listed = Source(self.engine.origin(Route::Images));
        let used = self.used.as_ref().map(|used| used.contains(&entry.id));
        let tagged = !entry.repo_tags.is_empty();
        let mut row = read.unwrap_or_else(|gap| {
            let not_wanted = Fact::Unknown(Gap::new(Origin::Derived, Reason::NotCollected));
            Image { setuid_files: not_wanted, ..Image::unknown(&gap) }
        });
        row.name = listed.text(name(entry));
        row.id = listed.text(entry.id.as_str());
        row.engine = Fact::derived(self.engine.name.clone());
        row.tags = listed.list(entry.repo_tags.iter().map(String::as_str));
        row.digests = listed.list(entry.repo_digests.iter().map(String::as_str));
        row.dangling = if tagged { listed.flag(false) } else { used.clone().map(|used| !used) };
        row.used = used;
        row
    }

    /// What the engine tells of one image; `None` where it does not know it.
    fn inspect(&self, entry: &ImageListEntry) -> Result<Option<Image>, Gap> {
        let malformed = |what: &str| Gap::new(self.engine.origin(Route::Images), Reason::malformed(what));
        let (Some(id), Some(socket)) = (Id::parse(&entry.id), &self.engine.socket) else {
            return Err(malformed("the identifier of an image is not one"));
        };
        let host = self.context.host;
        let (body, origin) = match host.engine(socket, &Route::Image(id)) {
            Fact::Known(body, origin) => (body, origin),
            Fact::Absent(_) => return Ok(None),
            Fact::Unknown(gap) => return Err(gap),
        };
        let inspect: ImageInspect = engine_json::read_whole(&body, &["RootFS"]).map_err(|what| Gap::new(origin.clone(), Reason::malformed(what)))?;
        let document = self.context.wants_document("image").then(|| redacted(&body, &origin).ok()).flatten();
        let source = Source(origin);
        let config = &inspect.config;
        let not_wanted = Gap::new(Origin::Derived, Reason::NotCollected);
        let mut row = Image { document, ..Image::unknown(&not_wanted) };
        row.user = source.text(config.user.as_str());
        row.root = source.flag(is_root(&config.user));
        row.healthcheck = source.flag(config.healthcheck.as_ref().is_some_and(|check| check.is_active()));
        row.exposed_ports = source.list(config.exposed_ports.keys().map(|port| match port.split_once('/') {
            Some((port, protocol)) => format!("{protocol}/{port}"),
            None => format!("tcp/{port}"),
        }));
        row.age_days = source.age_days(&inspect.created, host.now());
        row.secret_environment = source.list(secret_names(&config.env));
        let secret_label = |(name, label): &(&String, &engine_json::Label)| label.secret || secret::is_secret(name, &label.value);
        row.secret_labels = source.list(config.labels.iter().filter(secret_label).map(|(name, _)| name.as_str()));
        if ["index_updates", "add_instructions", "unverified_installs", "secret_history"].iter().any(|field| self.wants(field)) {
            history(&mut row, self.store.as_ref().and_then(|store, _| store.config(host, id, &inspect.architecture)));
        }
        if self.wants("setuid_files") {
            row.setuid_files = self.store.as_ref().and_then(|store, _| self.layers.setuid_files(host, store, &inspect.root_fs.layers));
        }
        Ok(Some(row))
    }

    fn wants(&self, field: &str) -> bool {
        self.context.wants("image", field)
    }
}

/// Facts from the build steps.
fn history(row: &mut Image, config: Fact<ImageConfig>) {
    let told =
        |tell: &dyn Fn(&ImageConfig) -> Vec<String>| config.as_ref().map(|config| tell(config).into_iter().map(Text::from).collect());
    row.index_updates = told(&|config| build_step::steps(&config.history).iter().filter_map(|step| step.index_update()).collect());
    row.add_instructions = told(&|config| {
        let base = build_step::base_step(&config.history);
        build_step::steps(&config.history).iter().filter(|step| Some(step.number) != base).filter_map(|step| step.added()).collect()
    });
    row.unverified_installs = told(&|config| build_step::steps(&config.history).iter().flat_map(|step| step.unverified()).collect());
    row.secret_history = told(&|config| build_step::steps(&config.history).iter().flat_map(|step| step.secrets()).collect());
}
