//! What networks with the bridge driver say of themselves.

use serde_json::Value;

use super::Engine;
use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::host::engine::Route;
use crate::resource::Context;

/// Whether containers on the default bridge may talk to each other, as the bridge itself says. Absent where there is none.
pub(in crate::resource) fn default_bridge_icc(context: &Context<'_>, engine: &Engine) -> Fact<bool> {
    of_default_bridge(context, engine, bridge_icc)
}

/// The network device of the default bridge. Absent where there is none.
pub(in crate::resource) fn default_bridge_device(context: &Context<'_>, engine: &Engine) -> Fact<Text> {
    of_default_bridge(context, engine, |bridge, origin| match option(bridge, "com.docker.network.bridge.name") {
        Some(name) => Fact::Known(name.into(), origin),
        None => Fact::Unknown(Gap::new(origin, Reason::unsupported("the bridge does not name its device"))),
    })
}

fn of_default_bridge<T>(context: &Context<'_>, engine: &Engine, tell: impl Fn(&Value, Origin) -> Fact<T>) -> Fact<T> {
    engine.json(context, Route::Networks).and_then(|networks, origin| {
        let Some(networks) = networks.as_array() else {
            return Fact::Unknown(Gap::new(origin, Reason::malformed("the networks are no list")));
        };
        match networks.iter().find(|network| is_default_bridge(network)) {
            Some(bridge) => tell(bridge, origin),
            // An engine has networks even without that one, and they have names. A list that is not whole shows nothing by what it lacks.
            None if networks.is_empty() || networks.iter().any(|network| network.get("Name").and_then(Value::as_str).is_none()) => {
                Fact::Unknown(Gap::new(origin, Reason::malformed("the list of networks is not whole")))
            }
            None => Fact::Absent(origin),
        }
    })
}

/// Whether a network is the one containers get that ask for none.
pub(in crate::resource) fn is_default_bridge(network: &Value) -> bool {
    let marked = option(network, "com.docker.network.bridge.default_bridge") == Some("true");
    let text = |member: &str| network.get(member).and_then(Value::as_str);
    marked || (text("Name") == Some("bridge") && text("Driver") == Some("bridge"))
}

/// Whether containers on a bridge may talk to each other: they may unless it says otherwise.
pub(in crate::resource) fn bridge_icc(network: &Value, origin: Origin) -> Fact<bool> {
    match (network.get("Options"), option(network, "com.docker.network.bridge.enable_icc")) {
        (_, Some("true")) | (Some(Value::Object(_) | Value::Null), None) => Fact::Known(true, origin),
        (_, Some("false")) => Fact::Known(false, origin),
        _ => Fact::Unknown(Gap::new(origin, Reason::malformed("the options of the bridge are odd"))),
    }
}

fn option<'a>(network: &'a Value, name: &str) -> Option<&'a str> {
    network.get("Options")?.get(name)?.as_str()
}
