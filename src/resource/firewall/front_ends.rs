//! Which front ends are there, start with the host, and have their rules loaded.

use crate::fact::{Fact, Gap, List, Origin, Text};
use crate::parse::packet_filter::{Chain, Verdict};
use crate::resource::packet_filter::{KERNEL, Loaded, owner};
use crate::resource::service::{Service, Services};
use crate::resource::{Context, Resource as _, Selector};

use super::files::Ufw;

/// The four, with the units that stand for them.
const UNITS: [(&str, &[&str]); 4] = [
    ("ufw", &["ufw"]),
    ("firewalld", &["firewalld"]),
    ("nftables", &["nftables"]),
    ("iptables", &["netfilter-persistent", "iptables", "ip6tables"]),
];

/// What is known of one.
struct FrontEnd {
    name: &'static str,
    installed: Fact<bool>,
    enabled: Fact<bool>,
    running: Fact<bool>,
}

/// All four.
pub(super) struct FrontEnds(Vec<FrontEnd>);

impl FrontEnds {
    pub(super) fn of(context: &Context<'_>) -> Result<Self, Gap> {
        let loaded = Loaded::of(context);
        let switch = Ufw::of(context).switched_on;
        let one = |(name, units): &(&'static str, &[&str])| {
            let keys = units.iter().map(|unit| (*unit).to_owned()).collect();
            let services = Services::collect(context, &Selector::Keys(keys))?;
            let enabled = any(services.iter().map(|service| service.enablement.clone().map(|word| starts(&word))));
            let enabled = match *name {
                "ufw" => both(enabled, switch.clone()),
                _ => enabled,
            };
            Ok(FrontEnd {
                name,
                installed: any(services.iter().map(|service| service.installed.clone())),
                enabled,
                running: match *name {
                    "ufw" => by_rules(&loaded, true, is_ufw),
                    "firewalld" => any(services.iter().map(running)),
                    "nftables" => by_rules(&loaded, false, is_nftables),
                    _ => by_rules(&loaded, true, is_iptables),
                },
            })
        };
        Ok(Self(UNITS.iter().map(one).collect::<Result<_, Gap>>()?))
    }

    pub(super) fn installed(&self) -> Fact<List> {
        self.list(|front_end| front_end.installed.clone())
    }

    pub(super) fn enabled(&self) -> Fact<List> {
        self.list(|front_end| front_end.enabled.clone())
    }

    pub(super) fn running(&self) -> Fact<List> {
        self.list(|front_end| front_end.running.clone())
    }

    pub(super) fn active(&self) -> Fact<List> {
        self.list(|front_end| both(front_end.enabled.clone(), front_end.running.clone()))
    }

    fn list(&self, is: impl Fn(&FrontEnd) -> Fact<bool>) -> Fact<List> {
        let mut found = Vec::new();
        for front_end in &self.0 {
            match is(front_end) {
                Fact::Known(true, _) => found.push(Text::from(front_end.name)),
                Fact::Known(false, _) | Fact::Absent(_) => {}
                Fact::Unknown(gap) => return Fact::Unknown(gap),
            }
        }
        Fact::derived(found)
    }

    /// The one whose part of a benchmark applies.
    pub(super) fn chosen(&self) -> Fact<Text> {
        let is = |fact: &Fact<bool>| fact.known() == Some(&true);
        let named = |front_end: &FrontEnd| Fact::derived(Text::from(front_end.name));
        let running = self.0.iter().filter(|front_end| is(&front_end.running));
        if let Some(front_end) = running.clone().find(|front_end| is(&front_end.enabled)).or(running.clone().next()) {
            return named(front_end);
        }
        if let Some(front_end) = self.0.iter().find(|front_end| is(&front_end.enabled)) {
            return named(front_end);
        }
        let unsure =
            self.0.iter().flat_map(|front_end| [&front_end.running, &front_end.enabled, &front_end.installed]).find_map(
                |fact| match fact {
                    Fact::Unknown(gap) => Some(gap.clone()),
                    _ => None,
                },
            );
        let installed: Vec<_> = self.0.iter().filter(|front_end| is(&front_end.installed)).collect();
        match (installed.as_slice(), unsure) {
            // One that is installed and not known to run is what a reader means, whatever else may be loaded.
            ([one], _) => named(one),
            (_, Some(gap)) => Fact::Unknown(gap),
            (_, None) => Fact::Absent(Origin::Derived),
        }
    }
}

fn starts(enablement: &Text) -> bool {
    matches!(enablement.raw(), "enabled" | "enabled-runtime" | "alias" | "generated" | "linked" | "linked-runtime")
}

fn running(service: &Service) -> Fact<bool> {
    both(service.installed.clone(), service.running.clone())
}

fn any(facts: impl Iterator<Item = Fact<bool>>) -> Fact<bool> {
    let mut unknown = None;
    for fact in facts {
        match fact {
            Fact::Known(true, origin) => return Fact::Known(true, origin),
            Fact::Known(false, _) | Fact::Absent(_) => {}
            Fact::Unknown(gap) => unknown = Some(gap),
        }
    }
    unknown.map_or_else(|| Fact::derived(false), Fact::Unknown)
}

fn both(a: Fact<bool>, b: Fact<bool>) -> Fact<bool> {
    any([a, b].into_iter().map(|fact| match fact {
        Fact::Known(value, origin) => Fact::Known(!value, origin),
        Fact::Absent(origin) => Fact::Known(true, origin),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }))
    .map(|neither| !neither)
}

/// Whether a chain that filters what comes in is one's. Where tables cannot be read they may be anybody's but nftables'.
fn by_rules(loaded: &Loaded, maybe_legacy: bool, is: fn(&Loaded, &Chain) -> bool) -> Fact<bool> {
    if let Err(gap) = &loaded.ruleset {
        return Fact::Unknown(gap.clone());
    }
    let origin = Origin::kernel(KERNEL);
    let found = [false, true].into_iter().any(|v6| loaded.at("input", v6).any(|(_, chain)| is(loaded, chain)));
    if found {
        return Fact::Known(true, origin);
    }
    let doubt = [false, true].into_iter().find_map(|v6| loaded.doubt(v6)).filter(|_| maybe_legacy);
    doubt.map_or(Fact::Known(false, origin), |gap| Fact::Unknown(gap.clone()))
}

fn jumps(chain: &Chain) -> impl Iterator<Item = Option<&str>> {
    chain.rules.iter().flat_map(|rule| &rule.steps).map(|step| match &step.verdict {
        Verdict::Jump(name) | Verdict::Goto(name) => Some(name.as_str()),
        _ => None,
    })
}

fn is_ufw(_: &Loaded, chain: &Chain) -> bool {
    jumps(chain).flatten().any(|name| name.starts_with("ufw-") || name.starts_with("ufw6-"))
}

fn is_nftables(_: &Loaded, chain: &Chain) -> bool {
    owner::of(chain) == "host" && !owner::of_iptables(chain)
}

/// Rules of iptables that no other program made.
fn is_iptables(loaded: &Loaded, chain: &Chain) -> bool {
    if !owner::of_iptables(chain) || chain.table != "filter" {
        return false;
    }
    let of_host = |name: Option<&str>| {
        let to = loaded
            .ruleset
            .iter()
            .flat_map(|ruleset| &ruleset.chains)
            .find(|other| name == Some(other.name.as_str()) && other.family == chain.family && other.table == chain.table);
        to.is_none_or(|to| owner::of(to) == "host")
    };
    let policy = chain.base.as_ref().is_some_and(|base| base.drops);
    jumps(chain).any(of_host) || (policy && !is_ufw(loaded, chain))
}
