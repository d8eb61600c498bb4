//! What networks with the bridge driver say of themselves.

use serde_json::Value;

use crate::fact::{Fact, Gap, Origin, Reason};

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
