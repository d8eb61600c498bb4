//! The system-wide policy on cryptography, where a distribution has one: Fedora, Red Hat and their kin.

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, List, Origin, Setting, Text, record};
use crate::host::Host;
use crate::parse::crypto_policy::{self, Property};

use super::{Context, Resource, Selector};

const CONFIG: &str = "/etc/crypto-policies/config";
const CURRENT: &str = "/etc/crypto-policies/state/current";
const POLICY: &str = "/etc/crypto-policies/state/CURRENT.pol";
const PLACES: [&str; 2] = ["/usr/share/crypto-policies", "/etc/crypto-policies"];

record! {
    /// The policy on cryptography of the whole system. One record where the distribution has such a thing, else none.
    pub struct CryptoPolicy("crypto_policy") {
        /// `crypto_policy`.
        name: Text,
        /// What is chosen, with its modules, such as `DEFAULT:NO-SHA1`; absent where nothing is.
        configured: Setting,
        /// What was put into force last, in the same words.
        current: Setting,
        /// Whether both are the same.
        applied: Flag,
        /// Where SHA-1 is still allowed, as `property value`: in `hash`, `sign` or certificates, for whichever back end.
        sha1: List,
        /// MACs of 64 bits that are allowed, for whichever back end.
        short_macs: List,
        /// Ciphers that SSH may use.
        ssh_ciphers: List,
        /// How SSH may authenticate before it encrypts: values of `etm`; empty where the policy does not say, which allows both ways.
        ssh_etm: List,
    }
}

/// Which values of a policy are wanted, and the line of each.
type Pick<'a> = &'a dyn Fn(&[Property]) -> Vec<(String, u32)>;

/// Finds the record.
pub struct CryptoPolicies;

impl Resource for CryptoPolicies {
    type Row = CryptoPolicy;
    const SELECTOR: &'static str = "`\"*\"`; a distribution without such a policy gives no record";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let host = context.host;
        let mut there = false;
        for place in PLACES {
            there |= host.stat(Path::new(place)).into_result()?.is_some();
        }
        if !there || !of.picks("crypto_policy") {
            return Ok(Vec::new());
        }
        let (configured, current) = (choice(host, CONFIG), choice(host, CURRENT));
        let policy = text(host, POLICY).map(|text| crypto_policy::properties(&text));
        let list = |pick: Pick<'_>| {
            policy.as_ref().and_then(|properties, origin| {
                let found = pick(properties);
                let origin = found.first().map_or(origin, |(_, line)| Origin::line(POLICY, *line));
                Fact::Known(found.into_iter().map(|(value, _)| Text::from(value)).collect(), origin)
            })
        };
        let values = |properties: Vec<&Property>| {
            let each = |property: &Property| property.values.iter().map(|value| (value.clone(), property.line)).collect::<Vec<_>>();
            properties.into_iter().flat_map(each).collect::<Vec<_>>()
        };
        Ok(vec![CryptoPolicy {
            name: Fact::derived("crypto_policy"),
            applied: match (&configured, &current) {
                (Fact::Known(configured, origin), Fact::Known(current, _)) => Fact::Known(configured == current, origin.clone()),
                (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
                (Fact::Absent(origin), _) | (_, Fact::Absent(origin)) => Fact::Absent(origin.clone()),
            },
            configured,
            current,
            sha1: list(&sha1),
            short_macs: list(&|properties| {
                let macs = values(properties.iter().filter(|property| property.name == "mac").collect());
                macs.into_iter().filter(|(mac, _)| mac.contains("-64")).collect()
            }),
            ssh_ciphers: list(&|properties| values(crypto_policy::for_ssh(properties, "cipher"))),
            ssh_etm: list(&|properties| values(crypto_policy::for_ssh(properties, "etm"))),
        }])
    }
}

fn text(host: &dyn Host, path: &str) -> Fact<String> {
    host.read(Path::new(path)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn choice(host: &dyn Host, path: &str) -> Fact<Setting> {
    text(host, path).and_then(|text, origin| match crypto_policy::choice(&text) {
        Some((choice, line)) => Fact::Known(choice.into(), Origin::line(path, line)),
        None => Fact::Absent(origin),
    })
}

fn sha1(properties: &[Property]) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for property in properties {
        for value in &property.values {
            let allowed = match property.name.as_str() {
                "hash" | "sign" => value.split('-').any(|part| part == "SHA1"),
                "sha1_in_certs" => value != "0",
                _ => false,
            };
            if allowed {
                found.push((format!("{} {value}", property.name), property.line));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    fn policy(host: &Memory) -> Option<CryptoPolicy> {
        CryptoPolicies::collect(&Context::new(host), &Selector::All).unwrap().pop()
    }

    fn list(fact: &Fact<List>) -> Vec<&str> {
        fact.known().unwrap().iter().map(Text::raw).collect()
    }

    #[test]
    fn the_choice_and_what_it_comes_to() {
        let host = Memory::new().file(CONFIG, "# c\nDEFAULT:NO-SHA1\n").file(CURRENT, "DEFAULT\n").file(
            POLICY,
            "cipher = AES-256-GCM AES-128-CBC\nhash = SHA2-256 SHA1\nsign = ECDSA-SHA3-256 RSA-SHA1\nmac = AEAD UMAC-128 HMAC-SHA1\n\
             mac@krb5 = UMAC-64\nsha1_in_certs = 1\ncipher@openssh-server = AES-256-GCM\ncipher@openssh-client = AES-256-CTR\n\
             cipher@libssh = AES-256-GCM\netm@openssh-server = DISABLE_ETM\n",
        );
        let found = policy(&host).unwrap();
        assert_eq!((found.applied.known(), found.configured.origin()), (Some(&false), &Origin::line(CONFIG, 2)));
        assert_eq!(list(&found.sha1), ["hash SHA1", "sign RSA-SHA1", "sha1_in_certs 1"]);
        assert_eq!((list(&found.short_macs), list(&found.ssh_etm)), (vec!["UMAC-64"], vec!["DISABLE_ETM"]));
        assert_eq!(list(&found.ssh_ciphers), ["AES-256-GCM", "AES-256-CTR", "AES-256-GCM"]);
    }

    #[test]
    fn distributions_without_one_and_files_out_of_sight() {
        assert!(policy(&Memory::new()).is_none());
        let host = Memory::new().file(CONFIG, "LEGACY\n").file(POLICY, "").gap(POLICY, Reason::Denied);
        let found = policy(&host).unwrap();
        assert!(matches!((&found.sha1, &found.current, &found.applied), (Fact::Unknown(_), Fact::Absent(_), Fact::Absent(_))));
    }
}
