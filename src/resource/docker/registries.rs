//! Registries that an engine reaches without protection.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

use super::{Document, member, texts};
use crate::fact::{Fact, Origin, Text};
use crate::parse::dockerd::{host_of, without_user};

/// Networks and registries that need no verified TLS. What stays on the host is left out: the engine itself always
/// lists the loopback networks.
pub(in crate::resource) fn insecure(info: &Document) -> Fact<Vec<Text>> {
    let networks = info.texts("/RegistryConfig/InsecureRegistryCIDRs");
    let named = info.at("/RegistryConfig/IndexConfigs", |indexes| {
        let secure = |index: &Value| index.get("Secure")?.as_bool();
        let indexes = indexes.as_object()?.iter();
        let named: Option<Vec<(&String, bool)>> = indexes.map(|(name, index)| Some((name, secure(index)?))).collect();
        Some(named?.into_iter().filter(|(_, secure)| !secure).map(|(name, _)| Text::from(name.as_str())).collect::<Vec<_>>())
    });
    networks.and_then(|networks, origin| {
        let named = match named {
            Fact::Absent(origin) => Fact::Known(Vec::new(), origin),
            named => named,
        };
        named.and_then(|named, _| {
            let networks = networks.into_iter().filter(|network| !is_loopback_network(network.raw()));
            let named = named.into_iter().filter(|name| !is_loopback(name.raw()));
            Fact::Known(networks.chain(named).collect::<BTreeSet<_>>().into_iter().collect(), origin)
        })
    })
}

/// Mirrors whose address is no `https://` one, without user and password.
pub(in crate::resource) fn plain_mirrors(info: &Document) -> Fact<Vec<Text>> {
    let plain = |document: &Value, origin: Origin| {
        let mut mirrors = BTreeSet::new();
        let indexes = document.pointer("/RegistryConfig/IndexConfigs").and_then(Value::as_object);
        let of_indexes = indexes.into_iter().flatten().filter_map(|(_, index)| index.get("Mirrors"));
        for list in document.pointer("/RegistryConfig/Mirrors").into_iter().chain(of_indexes).filter(|list| !list.is_null()) {
            let read = member(list, "", origin.clone(), texts);
            let Fact::Known(list, _) = read else { return read };
            mirrors.extend(list.iter().map(|mirror| Text::from(without_user(mirror.raw()))));
        }
        let plain = |mirror: &Text| !mirror.raw().get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
        Fact::Known(mirrors.into_iter().filter(plain).collect(), origin)
    };
    info.at("/RegistryConfig", |registries| registries.is_object().then_some(()))
        .and_then(|(), _| info.0.clone().and_then(|document, origin| plain(&document, origin)))
}

fn is_loopback_network(network: &str) -> bool {
    let Some((address, length)) = network.split_once('/') else { return is_loopback(network) };
    let whole = |address: &IpAddr| if address.is_ipv4() { 8 } else { 128 };
    let address = address.parse::<IpAddr>().ok().filter(IpAddr::is_loopback);
    address.zip(length.parse::<u8>().ok()).is_some_and(|(address, length)| length >= whole(&address))
}

/// Whether a registry `HOST[:PORT]` is on this very host.
fn is_loopback(registry: &str) -> bool {
    let host = host_of(registry);
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn info(registries: Value) -> Document {
        Document(Fact::Known(Arc::new(serde_json::json!({"RegistryConfig": registries})), Origin::Derived))
    }

    fn raw(list: Fact<Vec<Text>>) -> Option<Vec<String>> {
        list.known().map(|list| list.iter().map(|text| text.raw().to_owned()).collect())
    }

    #[test]
    fn the_engines_own_loopback_networks_do_not_count() {
        let of = |networks: Value, indexes: Value| {
            raw(insecure(&info(serde_json::json!({"InsecureRegistryCIDRs": networks, "IndexConfigs": indexes}))))
        };
        let docker = serde_json::json!({"docker.io": {"Secure": true}});
        assert_eq!(of(serde_json::json!(["127.0.0.0/8", "::1/128"]), docker.clone()).unwrap(), [""; 0]);
        assert_eq!(of(serde_json::json!(["127.0.0.0/8", "10.0.0.0/8", "126.0.0.0/7"]), docker).unwrap(), ["10.0.0.0/8", "126.0.0.0/7"]);
        let indexes =
            serde_json::json!({"reg:5000": {"Secure": false}, "localhost:5000": {"Secure": false}, "[::1]:5000": {"Secure": false}});
        assert_eq!(of(Value::Null, indexes).unwrap(), ["reg:5000"]);
        assert_eq!(of(Value::Null, serde_json::json!({"reg": {}})), None, "what is not told is not secure");
        assert_eq!(of(serde_json::json!("10.0.0.0/8"), Value::Null), None);
    }

    #[test]
    fn mirrors_over_plain_http_are_named_without_their_passwords() {
        let mirrors = serde_json::json!({"Mirrors": ["http://bob:pw@m:5000/", "HTTPS://ok/"], "IndexConfigs": {"docker.io": {"Mirrors": ["http://n/"]}}});
        assert_eq!(raw(plain_mirrors(&info(mirrors))).unwrap(), ["http://m:5000/", "http://n/"]);
        assert_eq!(raw(plain_mirrors(&info(serde_json::json!({"Mirrors": null})))).unwrap(), [""; 0]);
        assert_eq!(raw(plain_mirrors(&info(Value::Null))), None);
    }
}
