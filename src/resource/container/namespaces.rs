//! Namespaces by declaration, followed through containers that join another's.

use std::collections::{BTreeMap, HashMap};

use crate::fact::{Fact, Gap, Reason, Text};
use crate::parse::engine_json::ContainerInspect;

use super::source::Source;

/// What one container declares.
#[derive(Clone, Debug, Default)]
pub(super) struct Modes {
    name: String,
    network: String,
    pid: String,
    ipc: String,
    networks: Vec<String>,
}

impl Modes {
    pub(super) fn of(inspect: &ContainerInspect) -> Self {
        let config = &inspect.host_config;
        Self {
            name: inspect.name.trim_start_matches('/').to_owned(),
            network: if config.network_mode.is_empty() { "default".to_owned() } else { config.network_mode.clone() },
            pid: config.pid_mode.clone(),
            ipc: config.ipc_mode.clone(),
            networks: inspect.network_settings.networks.keys().cloned().collect(),
        }
    }
}

/// What all containers of one engine declare, by identifier. `None` for one whose declaration could not be read.
#[derive(Debug, Default)]
pub(super) struct AllModes {
    by_id: BTreeMap<String, Option<Modes>>,
    by_name: HashMap<String, String>,
}

impl FromIterator<(String, Option<Modes>)> for AllModes {
    fn from_iter<I: IntoIterator<Item = (String, Option<Modes>)>>(all: I) -> Self {
        let by_id: BTreeMap<_, _> = all.into_iter().collect();
        let by_name = by_id.iter().filter_map(|(id, modes)| Some((modes.as_ref()?.name.clone(), id.clone()))).collect();
        Self { by_id, by_name }
    }
}

/// The namespaces of one container, indirections followed.
pub(super) struct Namespaces {
    pub(super) network_mode: Fact<Text>,
    pub(super) host_network: Fact<bool>,
    pub(super) host_pid: Fact<bool>,
    pub(super) host_ipc: Fact<bool>,
    pub(super) networks: Fact<Vec<Text>>,
    pub(super) default_bridge: Fact<bool>,
}

impl AllModes {
    fn named(&self, target: &str) -> Option<&Option<Modes>> {
        let by_name = || self.by_name.get(target).and_then(|id| self.by_id.get(id));
        let by_prefix = || {
            let mut from = self.by_id.range(target.to_owned()..).take_while(|(id, _)| id.starts_with(target)).map(|(_, modes)| modes);
            let first = from.next().filter(|_| target.len() >= 12)?;
            from.next().is_none().then_some(first)
        };
        self.by_id.get(target).or_else(by_name).or_else(by_prefix)
    }

    /// The modes that count for a container: its own, or those of the container it joins, however far. The error says why they cannot be told.
    fn follow<'a>(&'a self, mut modes: &'a Modes, pick: impl Fn(&Modes) -> &str) -> Result<&'a Modes, &'static str> {
        // More steps than containers mean a circle.
        for _ in 0..=self.by_id.len() {
            let Some(target) = pick(modes).strip_prefix("container:") else { return Ok(modes) };
            modes = match self.named(target) {
                Some(Some(joined)) => joined,
                Some(None) => return Err("the container it joins cannot be read"),
                None => return Err("the container it joins is gone"),
            };
        }
        Err("containers join each other in a circle")
    }

    pub(super) fn namespaces(&self, own: &Modes, source: &Source) -> Namespaces {
        let gap = |why: &'static str| Gap::new(source.0.clone(), Reason::unsupported(why));
        let is_host = |pick: fn(&Modes) -> &str| match self.follow(own, pick) {
            Ok(modes) => source.flag(pick(modes) == "host"),
            Err(why) => Fact::Unknown(gap(why)),
        };
        let network = self.follow(own, |modes| &modes.network).map_err(gap);
        Namespaces {
            network_mode: match &network {
                Ok(modes) => source.text(modes.network.as_str()),
                Err(_) => source.text(own.network.as_str()),
            },
            host_network: is_host(|modes| &modes.network),
            host_pid: is_host(|modes| &modes.pid),
            host_ipc: is_host(|modes| &modes.ipc),
            default_bridge: match &network {
                Ok(modes) => source.flag(on_default_bridge(modes)),
                Err(gap) => Fact::Unknown(gap.clone()),
            },
            networks: match network {
                Ok(modes) => source.list(modes.networks.iter().map(String::as_str)),
                Err(gap) => Fact::Unknown(gap),
            },
        }
    }
}

/// Docker calls its default bridge `bridge` whatever the device is called, Podman `podman`. A container that never ran may list no networks.
fn on_default_bridge(modes: &Modes) -> bool {
    modes.networks.iter().any(|network| matches!(network.as_str(), "bridge" | "podman"))
        || (modes.networks.is_empty() && matches!(modes.network.as_str(), "default" | "bridge"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Origin;

    fn modes(name: &str, network: &str, pid: &str) -> Option<Modes> {
        Some(Modes { name: name.into(), network: network.into(), pid: pid.into(), ..Modes::default() })
    }

    fn all() -> AllModes {
        [
            ("aaaaaaaaaaaaaaaa", modes("host", "host", "host")),
            ("bbbbbbbbbbbbbbbb", modes("join", "container:aaaaaaaaaaaaaaaa", "container:host")),
            ("cccccccccccccccc", modes("far", "container:bbbbbbbbbbbb", "")),
            ("dddddddddddddddd", modes("circle", "container:eeeeeeeeeeeeeeee", "container:gone")),
            ("eeeeeeeeeeeeeeee", modes("back", "container:dddddddddddddddd", "")),
            ("ffffffffffffffff", modes("blind", "container:0000000000000000", "")),
            ("0000000000000000", None),
            ("1111111111111111", modes("plain", "default", "")),
        ]
        .into_iter()
        .map(|(id, modes)| (id.to_owned(), modes))
        .collect()
    }

    fn of(name: &str) -> Namespaces {
        let all = all();
        let own = all.named(name).unwrap().clone().unwrap();
        all.namespaces(&own, &Source(Origin::Derived))
    }

    #[test]
    fn joins_are_followed_by_id_name_and_prefix() {
        for name in ["host", "join", "far"] {
            assert_eq!(of(name).host_network.known(), Some(&true), "{name}");
        }
        assert_eq!(of("join").host_pid.known(), Some(&true));
        assert_eq!(of("far").network_mode.known().unwrap().raw(), "host");
        assert_eq!(of("plain").host_network.known(), Some(&false));
        assert_eq!(of("plain").default_bridge.known(), Some(&true));
    }

    #[test]
    fn circles_and_gone_containers_are_gaps() {
        for name in ["circle", "back", "blind"] {
            assert!(matches!(of(name).host_network, Fact::Unknown(_)), "{name}");
        }
        assert!(matches!(of("circle").host_pid, Fact::Unknown(_)));
    }
}
