//! Networks of an engine.

use serde_json::Value;

use crate::fact::{Document, Fact, Flag, Gap, Origin, Reason, Text, record};
use crate::host::engine::Route;

use super::docker::{Engine, bridge_icc, engines, is_default_bridge, member};
use super::{Context, Resource, Selector};

record! {
    /// One network.
    pub struct Network("network", document) {
        /// Name.
        name: Text,
        /// Name of the engine.
        engine: Text,
        /// Driver: `bridge`, `overlay`, `macvlan` and so on.
        driver: Text,
        /// `local` or `swarm`.
        scope: Text,
        /// Whether it has no way out.
        internal: Flag,
        /// Whether it is the predefined routing mesh of a swarm.
        ingress: Flag,
        /// Whether traffic between hosts is encrypted: the option is present, whatever its value. Meaningful for overlays.
        encrypted: Flag,
        /// Whether containers on it may talk to each other; absent where the driver has no such setting.
        icc: Flag,
        /// Whether it is the default bridge.
        default_bridge: Flag,
    }
}

/// Finds the records.
pub struct Networks;

impl Resource for Networks {
    type Row = Network;
    const SELECTOR: &'static str = "a network name, or a glob";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let engines = engines(context)?;
        let (mut rows, mut gaps) = (Vec::new(), Vec::new());
        for engine in engines.iter() {
            match networks(context, engine) {
                Ok(found) => rows.extend(found.into_iter().filter(|row| row.name.known().is_none_or(|name| of.picks(name.raw())))),
                Err(gap) => gaps.push((engine, gap)),
            }
        }
        if gaps.len() == engines.len()
            && let Some((_, gap)) = gaps.first()
        {
            return Err(gap.clone());
        }
        // An engine that does not tell may have any network.
        rows.extend(gaps.iter().map(|(engine, gap)| Network { engine: Fact::derived(engine.name.clone()), ..Network::unknown(gap) }));
        Ok(rows)
    }
}

fn networks(context: &Context<'_>, engine: &Engine) -> Result<Vec<Network>, Gap> {
    let odd = |origin| Gap::new(origin, Reason::malformed("the networks are no list"));
    match engine.json(context, Route::Networks) {
        Fact::Known(list, origin) => {
            let list = list.as_array().ok_or_else(|| odd(origin.clone()))?;
            Ok(list.iter().map(|network| row(context, engine, network, &origin)).collect())
        }
        Fact::Absent(origin) => Err(odd(origin)),
        Fact::Unknown(gap) => Err(gap),
    }
}

fn row(context: &Context<'_>, engine: &Engine, network: &Value, origin: &Origin) -> Network {
    let text = |pointer: &str| member(network, pointer, origin.clone(), |value| value.as_str().map(Text::from));
    let flag = |pointer: &str| member(network, pointer, origin.clone(), Value::as_bool);
    let encrypted = member(network, "/Options", origin.clone(), |options| Some(options.as_object()?.contains_key("encrypted")));
    let driver = text("/Driver");
    Network {
        name: text("/Name"),
        engine: Fact::derived(engine.name.clone()),
        scope: text("/Scope"),
        internal: flag("/Internal"),
        ingress: flag("/Ingress"),
        // `null` is how no options are written.
        encrypted: match encrypted {
            Fact::Absent(origin) => Fact::Known(false, origin),
            encrypted => encrypted,
        },
        icc: driver.as_ref().and_then(|driver, origin| {
            if driver.raw() == "bridge" { bridge_icc(network, origin) } else { Fact::Absent(origin) }
        }),
        default_bridge: Fact::Known(is_default_bridge(network), origin.clone()),
        driver,
        document: document(context, network, origin),
    }
}

fn document(context: &Context<'_>, network: &Value, origin: &Origin) -> Option<Document> {
    context.wants_document("network").then(|| Document::new(network.to_string().as_bytes(), origin.clone()).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;
    use crate::resource::docker::fixture::{NETWORKS, daemon, docker, socket};

    fn all(host: &Memory) -> Result<Vec<Network>, Gap> {
        Networks::collect(&Context::new(host), &Selector::All)
    }

    #[test]
    fn an_option_without_a_value_encrypts() {
        let networks = r#"[{"Name":"ingress","Driver":"overlay","Scope":"swarm","Ingress":true,"Options":{"com.docker.network.driver.overlay.vxlanid_list":"4096"}},
            {"Name":"enc","Driver":"overlay","Scope":"swarm","Internal":false,"Ingress":false,"Options":{"encrypted":""}},
            {"Name":"odd","Driver":"overlay"},{"Name":"none","Driver":"null","Options":null}]"#;
        let rows = all(&docker().answer("/run/docker.sock", Route::Networks, networks)).unwrap();
        let encrypted: Vec<_> = rows.iter().map(|row| row.encrypted.known().copied()).collect();
        assert_eq!(encrypted, [Some(false), Some(true), None, Some(false)]);
        assert_eq!(rows[0].ingress.known(), Some(&true));
        assert_eq!(rows[1].icc, Fact::Absent(rows[1].icc.origin().clone()));
    }

    #[test]
    fn the_default_bridge_is_told_from_others() {
        let bridge = Networks::collect(&Context::new(&docker()), &Selector::Keys(vec!["bri*".into()])).unwrap();
        assert_eq!(bridge.len(), 1);
        assert_eq!((bridge[0].default_bridge.known(), bridge[0].icc.known()), (Some(&true), Some(&true)));
        assert_eq!(all(&docker()).unwrap()[0].default_bridge.known(), Some(&false));
        assert!(bridge[0].document.is_some());
    }

    #[test]
    fn an_engine_that_does_not_tell_is_not_one_without_networks() {
        let refused = || docker().no_answer("/run/docker.sock", Route::Networks, Reason::Denied);
        assert!(all(&refused()).is_err());
        assert!(all(&docker().answer("/run/docker.sock", Route::Networks, "{}")).is_err());
        let two = socket(daemon(refused(), 200, 0, "dockerd -H unix:///p.sock"), "/p.sock", 0).answer("/p.sock", Route::Networks, NETWORKS);
        let rows = all(&two).unwrap();
        assert_eq!(rows.len(), 3);
        assert!(matches!(rows[2].driver, Fact::Unknown(_)) && rows[2].engine.known().is_some_and(|name| name.raw() == "docker"));
        assert!(all(&Memory::new()).unwrap().is_empty());
    }
}
