//! TCP addresses an engine's API listens on, and whether it demands a certificate of whoever connects.

use std::collections::BTreeSet;
use std::path::Path;

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::resource::Context;
use crate::resource::docker::unit::content;
use crate::resource::docker::{Document, Engine, Kind};

/// The addresses, as `tcp://HOST:PORT`.
pub(super) struct Listeners {
    pub(super) all: Fact<Vec<Text>>,
    /// Those the running engine itself warns of.
    warned: Fact<Vec<Text>>,
}

impl Listeners {
    /// Asks flags, file and socket unit what the daemon was told, and the daemon what it warns of.
    pub(super) fn of(engine: &Engine, info: &Document) -> Self {
        let warned = info.texts("/Warnings").map(|warnings| warnings.iter().filter_map(|warning| warned_of(warning.raw())).collect());
        let all = match engine.kind {
            Kind::Docker => told(engine),
            Kind::Podman => podman(engine),
        };
        let all = all.and_then(|told, origin| {
            let warned = warned.known().into_iter().flatten().cloned();
            Fact::Known(told.into_iter().chain(warned).collect::<BTreeSet<Text>>().into_iter().collect(), origin)
        });
        Self { all, warned }
    }

    /// Those that anybody can use who reaches them.
    pub(super) fn unauthenticated(&self, context: &Context<'_>, engine: &Engine) -> Fact<Vec<Text>> {
        // What the file says now may not be what the daemon was started with; its own warnings are.
        if engine.told.stale.known() == Some(&true) {
            return self.warned.clone();
        }
        self.all.clone().and_then(|all, origin| {
            if all.is_empty() {
                return Fact::Known(all, origin);
            }
            match demands_certificates(context, engine) {
                Fact::Known(true, origin) => self.warned.clone().and_then(|warned, _| Fact::Known(warned, origin)),
                Fact::Known(false, origin) | Fact::Absent(origin) => Fact::Known(all, origin),
                Fact::Unknown(gap) => Fact::Unknown(gap),
            }
        })
    }
}

/// The address in a warning such as `API is accessible on http://0.0.0.0:2375 without encryption`.
fn warned_of(warning: &str) -> Option<Text> {
    let (_, rest) = warning.split_once("API is accessible on http")?;
    let address = rest.strip_prefix('s').unwrap_or(rest).strip_prefix("://")?.split_whitespace().next()?;
    Some(format!("tcp://{}", address.trim_end_matches('.')).into())
}

fn told(engine: &Engine) -> Fact<Vec<Text>> {
    engine.told.values_at_start("hosts").and_then(|hosts, origin| {
        let mut addresses: Vec<Text> = hosts.iter().filter_map(|host| tcp(host.raw())).collect();
        if hosts.iter().any(|host| host.raw().starts_with("fd://")) {
            match inherited(engine) {
                Ok(streams) => addresses.extend(streams),
                Err(gap) => return Fact::Unknown(gap),
            }
        }
        Fact::Known(addresses, origin)
    })
}

/// The TCP addresses that systemd hands over.
fn inherited(engine: &Engine) -> Result<Vec<Text>, Gap> {
    let unit = content(&engine.told.socket_unit).into_result()?;
    let streams = unit.into_iter().flat_map(|unit| unit.all("Socket", "ListenStream"));
    Ok(streams.filter_map(|stream| tcp_stream(&stream.value)).collect())
}

/// Podman's service is given one address as an argument, and the rest by its socket unit.
fn podman(engine: &Engine) -> Fact<Vec<Text>> {
    let arguments = engine.process.iter().flat_map(|process| &process.arguments);
    let addresses = arguments.filter(|argument| argument.starts_with("tcp:")).map(|argument| Text::from(argument.as_str()));
    match inherited(engine) {
        Ok(streams) => Fact::derived(addresses.chain(streams).collect::<Vec<_>>()),
        Err(gap) => Fact::Unknown(gap),
    }
}

/// An address of dockerd's that is one of TCP: what names no other scheme is.
fn tcp(host: &str) -> Option<Text> {
    match host.split_once("://") {
        Some(("tcp", _)) => Some(host.into()),
        Some(_) => None,
        None if host.is_empty() => None,
        None => Some(format!("tcp://{host}").into()),
    }
}

/// An address of systemd's that is one of TCP: a port, or an address with one.
fn tcp_stream(stream: &str) -> Option<Text> {
    let port = !stream.is_empty() && stream.bytes().all(|digit| digit.is_ascii_digit());
    match stream {
        port_alone if port => Some(format!("tcp://[::]:{port_alone}").into()),
        path if path.starts_with(['/', '@', '%']) || path.starts_with("vsock:") => None,
        address => Some(format!("tcp://{address}").into()),
    }
}

/// Whether every TCP listener verifies clients: told to, and all three files are there.
fn demands_certificates(context: &Context<'_>, engine: &Engine) -> Fact<bool> {
    if engine.kind == Kind::Podman {
        return Fact::Known(false, Origin::default_of("podman"));
    }
    engine.told.flag("tlsverify").and_then(|verify, origin| {
        if !verify {
            return Fact::Known(false, origin);
        }
        for option in ["tlscacert", "tlscert", "tlskey"] {
            match engine.told.text(option) {
                Fact::Known(path, _) => match context.host.stat(Path::new(path.raw())) {
                    Fact::Known(..) => {}
                    Fact::Absent(origin) => return Fact::Known(false, origin),
                    Fact::Unknown(gap) => return Fact::Unknown(gap),
                },
                Fact::Absent(origin) => return Fact::Unknown(Gap::new(origin, Reason::unsupported(format!("{option} is not set")))),
                Fact::Unknown(gap) => return Fact::Unknown(gap),
            }
        }
        Fact::Known(true, origin)
    })
}
