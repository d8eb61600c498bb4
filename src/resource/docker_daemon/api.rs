//! What an engine itself says of the options it runs with.

use crate::fact::{Fact, Text};
use crate::host::engine::Route;
use crate::parse::dockerd::{Setting, Spec};
use crate::resource::Context;
use crate::resource::docker::{self, Engine, Place, registries, security};

use super::Value;

/// The device of the default bridge where nothing else is set.
const USUAL_BRIDGE: &str = "docker0";

/// Whether one of the places sets the option to this.
fn sets(places: &[Place], text: &str) -> bool {
    places.iter().any(|place| place.setting.known().is_some_and(|setting| setting.text == text))
}

/// What the engine says of an option; `None` for options it says nothing of. `places` are those that set it.
pub(super) fn said(context: &Context<'_>, engine: &Engine, spec: &'static Spec, places: &[Place]) -> Option<Value> {
    let info = || engine.document(context, Route::Info);
    let options = || security::Options::of(&info());
    let flag = |fact: Fact<bool>| Some(fact.map(|flag| Setting::of_texts(spec, &[if flag { "true" } else { "false" }])));
    let text = |fact: Fact<Text>| Some(fact.map(|text| Setting::of_texts(spec, &[text.raw()])));
    let list = |fact: Fact<Vec<Text>>| {
        Some(fact.map(|list| Setting::of_texts(spec, &list.iter().map(Text::raw).collect::<Vec<_>>())))
    };
    match spec.key {
        "authorization-plugins" => list(info().texts("/Plugins/Authorization")),
        "bridge" => Some(match docker::default_bridge_device(context, engine) {
            Fact::Absent(origin) => Fact::Known(Setting::of_texts(spec, &["none"]), origin),
            // What it is called when nobody says.
            Fact::Known(device, origin) if device.raw() == USUAL_BRIDGE && !sets(places, USUAL_BRIDGE) => Fact::Absent(origin),
            fact => fact.map(|device| Setting::of_texts(spec, &[device.raw()])),
        }),
        "data-root" => text(info().text("/DockerRootDir").and_then(|_, origin| match engine.data_root(context) {
            Fact::Known(path, _) => Fact::Known(Text::from(path.as_path()), origin),
            other => other.map(|path| Text::from(path.as_path())),
        })),
        "debug" => flag(info().flag("/Debug")),
        "default-runtime" => text(info().text("/DefaultRuntime")),
        "experimental" => flag(info().flag("/ExperimentalBuild")),
        "icc" => match docker::default_bridge_icc(context, engine) {
            // Without a default bridge it means nothing.
            Fact::Absent(_) => None,
            fact => flag(fact),
        },
        "insecure-registries" => list(registries::insecure(&info())),
        "labels" => list(info().texts("/Labels")),
        "live-restore" => flag(info().flag("/LiveRestoreEnabled")),
        "log-driver" => text(info().text("/LoggingDriver")),
        // Old engines do not list it, so that only its presence says anything.
        "no-new-privileges" => flag(options().has("no-new-privileges")).filter(|fact| fact.known().is_some_and(|set| set.text == "true")),
        "registry-mirrors" => list(info().texts("/RegistryConfig/Mirrors")),
        "seccomp-profile" => match options().seccomp_profile() {
            Fact::Absent(_) => None,
            fact => text(fact),
        },
        "selinux-enabled" => flag(options().has("selinux")),
        // The engine also names the one it chose by itself.
        "storage-driver" if !places.is_empty() => text(info().text("/Driver")),
        // Whose range is used it does not say.
        "userns-remap" => match options().has("userns") {
            Fact::Known(true, _) => None,
            fact => Some(fact.and_then(|_, origin| Fact::Absent(origin))),
        },
        _ => None,
    }
}
