//! Addresses a node uses towards others: the engine keeps them in a file of its own.

use std::net::IpAddr;

use serde_json::Value;

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::parse::dockerd::host_of;
use crate::resource::Context;
use crate::resource::docker::{Document, member};

use super::kept;

/// What the node was told when it joined.
pub(super) struct Addresses {
    state: Fact<Value>,
    /// The address it found for itself.
    node: Fact<Text>,
}

impl Addresses {
    pub(super) fn of(context: &Context<'_>, info: &Document) -> Self {
        let state = kept(context, info, "docker-state.json");
        let state = state.and_then(|json, origin| match serde_json::from_slice(&json) {
            Ok(state) => Fact::Known(state, origin),
            Err(error) => Fact::Unknown(Gap::new(origin, Reason::malformed(error.to_string()))),
        });
        Self { state, node: some(info.text("/Swarm/NodeAddr")) }
    }

    fn told(&self, pointer: &str) -> Fact<Text> {
        some(self.state.as_ref().and_then(|state, origin| member(state, pointer, origin, |value| value.as_str().map(Text::from))))
    }

    /// The address other nodes are told to use, without its port.
    pub(super) fn advertised(&self) -> Fact<Text> {
        match self.told("/AdvertiseAddr") {
            Fact::Known(address, origin) => Fact::Known(host_of(address.raw()).into(), origin),
            Fact::Absent(_) | Fact::Unknown(_) => self.node.clone(),
        }
    }

    /// The address for container traffic. Absent where none was told.
    pub(super) fn data_path(&self) -> Fact<Text> {
        self.told("/DataPathAddr").map(|address| host_of(address.raw()).into())
    }

    /// Whether container traffic goes by another address than the rest.
    pub(super) fn separate(&self) -> Fact<bool> {
        let data = match self.data_path() {
            Fact::Absent(origin) => return Fact::Known(false, origin),
            Fact::Unknown(gap) => return Fact::Unknown(gap),
            Fact::Known(data, _) => data,
        };
        self.advertised().and_then(|advertised, _| {
            let is_address = |text: &Text| text.raw().parse::<IpAddr>().is_ok();
            if data == advertised || Some(&data) == self.node.known() {
                Fact::derived(false)
            } else if is_address(&data) == is_address(&advertised) {
                Fact::derived(true)
            } else {
                Fact::Unknown(Gap::new(Origin::Derived, Reason::unsupported("one of the addresses is the name of an interface")))
            }
        })
    }
}

/// Empty text is how the engine writes that none was told.
fn some(text: Fact<Text>) -> Fact<Text> {
    text.and_then(|text, origin| if text.raw().is_empty() { Fact::Absent(origin) } else { Fact::Known(text, origin) })
}
