//! How many of an engine's images its containers use.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::engine::Route;
use crate::resource::Context;
use crate::resource::docker::Engine;

/// Percentage of images that a container, running or not, was made from. Absent without images.
pub(super) fn used_percent(context: &Context<'_>, engine: &Engine) -> Fact<i64> {
    if !context.wants("engine", "images_used_percent") {
        return Fact::Unknown(Gap::new(engine.origin(Route::Images), Reason::NotCollected));
    }
    let ids = |question, member: &str| {
        engine.json(context, question).and_then(|list, origin| match ids(&list, member) {
            Some(ids) => Fact::Known(ids, origin),
            None => Fact::Unknown(Gap::new(origin, Reason::malformed(format!("not a list whose members have an {member}")))),
        })
    };
    ids(Route::Images, "Id").and_then(|images, origin| {
        if images.is_empty() {
            return Fact::Absent(origin);
        }
        ids(Route::Containers, "ImageID").map(|used| {
            let (used, all) = (images.intersection(&used).count(), images.len());
            i64::try_from(used * 100 / all).unwrap_or_default()
        }).and_then(|percent, _| Fact::Known(percent, Origin::Derived))
    })
}

fn ids(list: &Value, member: &str) -> Option<BTreeSet<String>> {
    let id = |item: &Value| item.get(member)?.as_str().map(|id| id.trim_start_matches("sha256:").to_owned());
    list.as_array()?.iter().map(id).collect()
}
