//! How many of an engine's images its containers use.

use std::collections::BTreeSet;

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::engine::Route;
use crate::parse::engine_json::{self, ImageListEntry};
use crate::resource::Context;
use crate::resource::docker::Engine;

/// Percentage of images that a container, running or not, was made from. Absent without images.
pub(super) fn used_percent(context: &Context<'_>, engine: &Engine) -> Fact<i64> {
    if !context.wants("engine", "images_used_percent") {
        return Fact::Unknown(Gap::new(engine.origin(Route::Images), Reason::NotCollected));
    }
    let listed = engine.get(context, Route::Images).and_then(|body, origin| match engine_json::read::<Vec<ImageListEntry>>(&body) {
        Ok(images) => ids(images.iter().map(|image| image.id.as_str()), origin),
        Err(what) => Fact::Unknown(Gap::new(origin, Reason::malformed(what))),
    });
    listed.and_then(|images, origin| {
        if images.is_empty() {
            return Fact::Absent(origin);
        }
        let used = engine.containers(context).and_then(|list, origin| ids(list.iter().map(|container| container.image_id.as_str()), origin));
        used.and_then(|used, _| {
            let (used, all) = (images.intersection(&used).count(), images.len());
            Fact::Known(i64::try_from(used * 100 / all).unwrap_or_default(), Origin::Derived)
        })
    })
}

/// Identifiers of images, unknown where one is missing.
fn ids<'a>(listed: impl Iterator<Item = &'a str>, origin: Origin) -> Fact<BTreeSet<String>> {
    let ids: BTreeSet<String> = listed.map(|id| id.trim_start_matches("sha256:").to_owned()).collect();
    if ids.contains("") {
        return Fact::Unknown(Gap::new(origin, Reason::malformed("an image without its identifier")));
    }
    Fact::Known(ids, origin)
}
