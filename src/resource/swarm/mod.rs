//! Swarm membership of an engine.

mod addresses;
mod listeners;

use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Reason, Text, record};
use crate::host::engine::Route;
use crate::parse::certificate;

use super::docker::{Document, Engine, Kind, engines};
use super::{Context, Resource, Selector};

record! {
    /// One engine's part in a swarm. An engine that is in none gives no record.
    pub struct Swarm("swarm") {
        /// Name of the engine.
        engine: Text,
        /// `pending`, `active`, `error` or `locked`.
        state: Text,
        /// `manager` or `worker`; unknown while joining or failing.
        role: Text,
        /// Number of managers; unknown on workers.
        managers: Integer,
        /// Whether that number is odd.
        managers_odd: Flag,
        /// Number of nodes; unknown on workers.
        nodes: Integer,
        /// Whether managers must be unlocked after a restart; unknown on workers.
        autolock: Flag,
        /// Days for which a node certificate is valid; unknown on workers.
        certificate_days: Integer,
        /// Days since the root certificate was made.
        root_ca_age_days: Integer,
        /// Whether every control listener (2377, 7946) is bound to a specific address.
        bound: Flag,
        /// Control listeners on every address, as `tcp/2377`.
        unbound_listeners: List,
        /// Address advertised to other nodes.
        advertise_address: Text,
        /// Address for container traffic; absent where none was given, so that it is the advertised one.
        data_path_address: Text,
        /// Whether container traffic has an address of its own.
        data_path_separate: Flag,
    }
}

/// Finds the records.
pub struct Swarms;

impl Resource for Swarms {
    type Row = Swarm;
    const SELECTOR: &'static str = "an engine name, or a glob";
    const KEY: &'static str = "engine";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let engines = engines(context)?;
        // Podman has no swarms.
        let asked: Vec<&Engine> = engines.iter().filter(|engine| engine.kind == Kind::Docker && of.picks(engine.name.raw())).collect();
        let (mut rows, mut gaps) = (Vec::new(), Vec::new());
        for engine in &asked {
            let info = engine.document(context, Route::Info);
            match info.text("/Swarm/LocalNodeState") {
                Fact::Known(state, _) if matches!(state.raw(), "" | "inactive") => {}
                Fact::Known(state, origin) => rows.push(row(context, engine, &info, state, &origin)),
                Fact::Absent(origin) => gaps.push((engine, Gap::new(origin, Reason::malformed("no state of the swarm")))),
                Fact::Unknown(gap) => gaps.push((engine, gap)),
            }
        }
        if rows.is_empty()
            && gaps.len() == asked.len()
            && let Some((_, gap)) = gaps.first()
        {
            return Err(gap.clone());
        }
        rows.extend(gaps.iter().map(|(engine, gap)| Swarm { engine: Fact::derived(engine.name.clone()), ..Swarm::unknown(gap) }));
        Ok(rows)
    }
}

/// What this node knows of the swarm: only managers that are unlocked know it as a whole.
fn row(context: &Context<'_>, engine: &Engine, info: &Document, state: Text, origin: &Origin) -> Swarm {
    let locked = state.raw() == "locked";
    let role = match state.raw() {
        "active" => info.flag("/Swarm/ControlAvailable").map(|manager| Text::from(if manager { "manager" } else { "worker" })),
        // Only managers keep a key that can be locked away.
        "locked" => Fact::Known("manager".into(), origin.clone()),
        _ => Fact::Unknown(Gap::new(origin.clone(), Reason::unsupported("the node has not joined yet"))),
    };
    let manager = role.known().is_some_and(|role| role.raw() == "manager");
    let known = |pointer: &str| match (manager, locked) {
        (true, false) => info.integer(pointer),
        (true, true) => Fact::Unknown(Gap::new(origin.clone(), Reason::unsupported("the manager is locked"))),
        (false, _) => Fact::Unknown(Gap::new(origin.clone(), Reason::unsupported("only managers know"))),
    };
    let managers = known("/Swarm/Managers");
    let nodes = known("/Swarm/Nodes");
    let expiry = known("/Swarm/Cluster/Spec/CAConfig/NodeCertExpiry");
    let listeners = listeners::unbound(context, engine);
    let addresses = addresses::Addresses::of(context, info);
    Swarm {
        engine: Fact::derived(engine.name.clone()),
        state: Fact::Known(state, origin.clone()),
        managers_odd: managers.as_ref().map(|managers| managers % 2 == 1),
        autolock: match (known("/Swarm/Managers"), locked) {
            (_, true) => Fact::Known(true, origin.clone()),
            (Fact::Unknown(gap), _) if !manager => Fact::Unknown(gap),
            _ => info.flag("/Swarm/Cluster/Spec/EncryptionConfig/AutoLockManagers"),
        },
        // A day begun is a day: a limit must not be passed by rounding.
        certificate_days: expiry.map(|nanoseconds| nanoseconds.div_euclid(DAY_NS) + i64::from(nanoseconds.rem_euclid(DAY_NS) > 0)),
        root_ca_age_days: root_ca_age(context, info, manager && !locked),
        bound: listeners.as_ref().map(Vec::is_empty),
        unbound_listeners: listeners,
        advertise_address: addresses.advertised(),
        data_path_address: addresses.data_path(),
        data_path_separate: addresses.separate(),
        role,
        managers,
        nodes,
    }
}

const DAY: i64 = 86_400;
const DAY_NS: i64 = DAY * 1_000_000_000;

/// Age of the oldest root certificate: managers tell it, every node keeps it in its data directory.
fn root_ca_age(context: &Context<'_>, info: &Document, tells: bool) -> Fact<i64> {
    let pem = if tells {
        info.at("/Swarm/Cluster/TLSInfo/TrustRoot", |root| root.as_str().map(|root| root.as_bytes().to_vec()))
    } else {
        kept(context, info, "certificates/swarm-root-ca.crt").map(|pem| pem.to_vec())
    };
    pem.and_then(|pem, origin| match certificate::not_before(&pem) {
        Ok(begun) => match begun.into_iter().min() {
            Some(oldest) => Fact::Known((context.host.now().timestamp() - oldest).div_euclid(DAY), origin),
            None => Fact::Unknown(Gap::new(origin, Reason::malformed("no certificate"))),
        },
        Err(what) => Fact::Unknown(Gap::new(origin, Reason::malformed(what))),
    })
}

/// A file that every node of a swarm keeps below its data directory. Not finding it is not knowing.
fn kept(context: &Context<'_>, info: &Document, name: &str) -> Fact<Arc<[u8]>> {
    info.text("/DockerRootDir").and_then(|root, _| match context.host.read(&Path::new(root.raw()).join("swarm").join(name)) {
        Fact::Absent(origin) => Fact::Unknown(Gap::new(origin, Reason::unsupported("the node does not keep it where the engine says"))),
        read => read,
    })
}

#[cfg(test)]
mod tests;
