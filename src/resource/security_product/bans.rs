//! Whether what fail2ban and CrowdSec ban is kept from forwarded traffic too: ports that an engine publishes are forwarded, and
//! never pass INPUT.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin};
use crate::host::FileKind;
use crate::parse::ini;
use crate::parse::yaml::scalars;
use crate::resource::Context;

/// Chains that forwarded traffic passes.
const FORWARDED: [&str; 2] = ["DOCKER-USER", "FORWARD"];

/// For a product that bans.
pub(super) fn reach_forwarded(context: &Context<'_>, product: &str) -> Fact<bool> {
    let found = match product {
        "fail2ban" => Jails::of(context).map(|jails| jails.reach_forwarded()),
        "crowdsec" => bouncer(context),
        _ => return Fact::Absent(Origin::Derived),
    };
    found.unwrap_or_else(Fact::Unknown)
}

/// The jails of fail2ban, each file laid over those before it.
pub(super) struct Jails {
    /// Settings by section, then name.
    sections: BTreeMap<String, BTreeMap<String, (String, Origin)>>,
}

impl Jails {
    pub(super) fn of(context: &Context<'_>) -> Result<Self, Gap> {
        let mut jails = Self { sections: BTreeMap::new() };
        for end in ["conf", "local"] {
            jails.file(context, &Path::new("/etc/fail2ban").join(format!("jail.{end}")))?;
            let directory = Path::new("/etc/fail2ban/jail.d");
            let entries = context.host.list(directory).into_result()?;
            let named: Vec<PathBuf> = entries
                .iter()
                .flat_map(|entries| entries.iter())
                .filter(|entry| entry.kind != FileKind::Directory && entry.name.extension().is_some_and(|own| own == end))
                .map(|entry| directory.join(&entry.name))
                .collect();
            for path in named {
                jails.file(context, &path)?;
            }
        }
        Ok(jails)
    }

    fn file(&mut self, context: &Context<'_>, path: &Path) -> Result<(), Gap> {
        let Some(content) = context.host.read(path).into_result()? else { return Ok(()) };
        let text = String::from_utf8_lossy(&content).into_owned();
        for line in ini::parse(&text) {
            let section = self.sections.entry(line.section.to_owned()).or_default();
            section.insert(line.key.to_ascii_lowercase(), (line.value.to_owned(), Origin::line(path, line.line)));
        }
        Ok(())
    }

    fn value(&self, jail: &str, key: &str) -> Option<&(String, Origin)> {
        let own = |section: &str| self.sections.get(section).and_then(|section| section.get(key));
        own(jail).or_else(|| own("DEFAULT"))
    }

    /// Names of the jails that are switched on.
    pub(super) fn enabled(&self) -> Vec<&str> {
        let on = |jail: &&String| {
            let value = self.value(jail, "enabled").map(|(value, _)| value.to_ascii_lowercase());
            value.is_some_and(|value| ["true", "yes", "on", "1"].contains(&value.as_str()))
        };
        let jails = self.sections.keys().filter(|name| !["DEFAULT", "INCLUDES", ""].contains(&name.as_str()));
        jails.filter(on).map(String::as_str).collect()
    }

    /// Whether every jail that is on bans in a chain that forwarded traffic passes.
    fn reach_forwarded(&self) -> Fact<bool> {
        let enabled = self.enabled();
        let mut decided = Origin::file("/etc/fail2ban/jail.conf");
        for jail in &enabled {
            let chain = self.value(jail, "chain");
            let action = ["banaction", "action"].iter().filter_map(|key| self.value(jail, key)).map(|(text, _)| text.as_str());
            let named = action.flat_map(|text| text.split([',', '[', ']', '='])).any(|word| {
                FORWARDED.contains(&word.trim().trim_matches(['"', '\'']))
            });
            let reaches = named || chain.is_some_and(|(chain, _)| FORWARDED.contains(&chain.as_str()));
            if let Some((_, origin)) = chain {
                decided = origin.clone();
            }
            if !reaches {
                return Fact::Known(false, decided);
            }
        }
        if enabled.is_empty() { Fact::Absent(decided) } else { Fact::Known(true, decided) }
    }
}

/// CrowdSec's bouncer for firewalls: the chains it works in, or the hooks of its own table.
fn bouncer(context: &Context<'_>) -> Result<Fact<bool>, Gap> {
    let directory = Path::new("/etc/crowdsec/bouncers");
    let (mut settings, mut origin) = (Vec::new(), Origin::file(directory));
    for end in ["yaml", "yaml.local"] {
        let path = directory.join(format!("crowdsec-firewall-bouncer.{end}"));
        if let Some(content) = context.host.read(&path).into_result()? {
            settings.extend(scalars(&String::from_utf8_lossy(&content)));
            origin = Origin::file(path.as_path());
        }
    }
    if settings.is_empty() {
        return Ok(Fact::Absent(origin));
    }
    let last = |path: &str| settings.iter().rev().find(|scalar| scalar.path == path).map(|scalar| scalar.value.to_ascii_lowercase());
    let nftables = last("mode").as_deref() == Some("nftables");
    let list = if nftables { "nftables_hooks" } else { "iptables_chains" };
    let reaches = settings.iter().filter(|scalar| scalar.path == list).any(|scalar| FORWARDED.contains(&scalar.value.to_ascii_uppercase().as_str()));
    Ok(Fact::Known(reaches, origin))
}
