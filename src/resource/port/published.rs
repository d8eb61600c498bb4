//! Ports that engines publish for containers.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use crate::fact::{Fact, Flag, Gap, Origin, Reason, Text};
use crate::host::engine::Route;
use crate::resource::docker::{self, Engine, Kind};
use crate::resource::docker_daemon::DockerDaemon;
use crate::resource::{Context, Resource as _, Selector};

use super::holders::Holder;
use super::{Port, Socket, endpoint, families, reachable};

/// Programs that hold the sockets of published ports.
const PROXIES: [&str; 8] = ["docker-proxy", "rootlessport", "rootlesskit", "conmon", "pasta", "pasta.avx2", "slirp4netns", "dockerd"];

/// One published port.
#[derive(Clone)]
pub(super) struct Published {
    protocol: String,
    number: u16,
    address: IpAddr,
    pub(super) container: Text,
    pub(super) origin: Origin,
    bypasses: Fact<Flag>,
}

/// Everything that is published.
pub(super) struct PublishedPorts {
    ports: Vec<Published>,
    names: HashMap<String, Text>,
    /// Why there may be more.
    unlisted: Vec<(Text, Gap)>,
}

impl PublishedPorts {
    pub(super) fn of(context: &Context<'_>) -> Self {
        let mut found = Self { ports: Vec::new(), names: HashMap::new(), unlisted: Vec::new() };
        match docker::engines(context) {
            Ok(engines) => engines.iter().for_each(|engine| found.add(context, engine)),
            Err(gap) => found.unlisted.push(("engines".into(), gap)),
        }
        found
    }

    fn add(&mut self, context: &Context<'_>, engine: &Engine) {
        let origin = engine.origin(Route::Containers);
        let list = match engine.containers(context) {
            Fact::Known(list, _) => list,
            Fact::Absent(_) => return self.unlisted.push((engine.name.clone(), Gap::new(origin, Reason::NotCollected))),
            Fact::Unknown(gap) => return self.unlisted.push((engine.name.clone(), gap)),
        };
        let bypasses = translates(context, engine);
        let mut seen = BTreeSet::new();
        for entry in list.iter() {
            self.names.insert(entry.id.clone(), entry.name().into());
            if !matches!(entry.state.as_str(), "running" | "paused" | "restarting") {
                continue;
            }
            for port in &entry.ports {
                let Some(number) = port.public_port.filter(|number| *number > 0) else { continue };
                let written = port.ip.trim_matches(['[', ']']);
                let address = if written.is_empty() { Ok(IpAddr::from([0, 0, 0, 0])) } else { written.parse::<IpAddr>() };
                let Ok(address) = address else {
                    self.unlisted.push((
                        engine.name.clone(),
                        Gap::new(origin.clone(), Reason::malformed("the address of a published port is none")),
                    ));
                    continue;
                };
                let protocol = if port.protocol.is_empty() { "tcp".to_owned() } else { port.protocol.clone() };
                if seen.insert((protocol.clone(), number, address)) {
                    self.ports.push(Published {
                        protocol,
                        number,
                        address: address.to_canonical(),
                        container: entry.name().into(),
                        origin: origin.clone(),
                        bypasses: bypasses.clone(),
                    });
                }
            }
        }
    }

    /// The published port a socket is held open for, by a proxy of the engine's or by nobody who could be told.
    pub(super) fn of_socket(&self, protocol: &str, number: u16, address: IpAddr, process: &Fact<Text>) -> Option<&Published> {
        let by_proxy = process.known().is_none_or(|name| PROXIES.contains(&name.raw()));
        self.ports.iter().find(|port| by_proxy && port.is(protocol, number, address))
    }

    /// What is published and has no socket.
    pub(super) fn unheard<'a>(&'a self, sockets: &'a [Socket]) -> impl Iterator<Item = Result<&'a Published, &'a (Text, Gap)>> {
        let heard = |port: &&Published| {
            sockets.iter().any(|socket| {
                let bound = socket.bound.as_ref().ok();
                bound
                    .and_then(|bound| Some((bound.number, bound.address?.to_canonical())))
                    .is_some_and(|(number, address)| port.is(socket.protocol, number, address))
            })
        };
        let missing = self.ports.iter().filter(move |port| !heard(port)).map(Ok);
        missing.chain(self.unlisted.iter().map(Err))
    }

    /// The record of a port without a socket, or of those nobody could list.
    pub(super) fn row(&self, port: Result<&Published, &(Text, Gap)>) -> Port {
        let port = match port {
            Ok(port) => port,
            Err((_, gap)) => return Port::unknown(gap),
        };
        let origin = &port.origin;
        let holder = Holder::none(origin);
        Port {
            endpoint: Fact::Known(endpoint(&port.protocol, port.number), origin.clone()),
            protocol: Fact::Known(port.protocol.as_str().into(), origin.clone()),
            number: Fact::Known(port.number.into(), origin.clone()),
            address: Fact::Known(port.address.to_string().into(), origin.clone()),
            // Engines list each family by itself.
            families: Fact::Known(if port.address.is_ipv6() { vec!["ipv6".into()] } else { families(Some(port.address)) }, origin.clone()),
            reachable: Fact::Known(reachable(port.address), origin.clone()),
            listener: Fact::Known(false, origin.clone()),
            process: holder.process,
            pids: holder.pids,
            uid: Fact::Absent(origin.clone()),
            unit: holder.unit,
            container: Fact::Known(port.container.clone(), origin.clone()),
            published: Fact::Known(true, origin.clone()),
            bypasses_firewall: port.bypasses.clone(),
            firewalled_ipv4: Fact::Absent(origin.clone()),
            firewalled_ipv6: Fact::Absent(origin.clone()),
        }
    }

    /// The name of a container, where an engine knows it.
    pub(super) fn name_of(&self, id: Fact<String>) -> Fact<Text> {
        id.map(|id| self.names.get(&id).cloned().unwrap_or_else(|| id.into()))
    }

    /// Whether a socket is there for a published port.
    pub(super) fn is(&self, port: Option<&Published>) -> Fact<Flag> {
        match (port, self.unlisted.first()) {
            (Some(port), _) => Fact::Known(true, port.origin.clone()),
            (None, Some((_, gap))) => Fact::Unknown(gap.clone()),
            (None, None) => Fact::derived(false),
        }
    }

    pub(super) fn bypasses(&self, port: Option<&Published>) -> Fact<Flag> {
        port.map_or_else(|| self.is(None), |port| port.bypasses.clone())
    }
}

impl Published {
    fn is(&self, protocol: &str, number: u16, address: IpAddr) -> bool {
        // A proxy that listens on `::` may take IPv4 too.
        let everywhere = address.is_unspecified() && address.is_ipv6() && self.address.is_unspecified();
        self.protocol == protocol && self.number == number && (self.address == address || everywhere)
    }
}

/// Whether an engine leads packets to its containers by address translation: the rootless do not, nor does Docker without `iptables`.
fn translates(context: &Context<'_>, engine: &Engine) -> Fact<Flag> {
    if engine.rootless {
        return Fact::derived(false);
    }
    if engine.kind == Kind::Podman {
        return Fact::derived(true);
    }
    let unread = || Gap::new(engine.origin(Route::Info), Reason::NotCollected);
    let rows: Vec<_> = match DockerDaemon::collect(context, &Selector::Keys(vec!["iptables".into()])) {
        Ok(rows) => rows,
        Err(gap) => return Fact::Unknown(gap),
    };
    let own = rows.into_iter().find(|row| row.engine.known() == Some(&engine.name)).map(|row| row.value);
    match own {
        Some(Fact::Known(value, origin)) => Fact::Known(!matches!(value.0.raw(), "false" | "0" | "f" | "F" | "FALSE" | "False"), origin),
        Some(Fact::Absent(origin)) => Fact::Known(true, origin),
        Some(Fact::Unknown(gap)) => Fact::Unknown(gap),
        None => Fact::Unknown(unread()),
    }
}
