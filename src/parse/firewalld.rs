//! Zones of firewalld: the few elements of their XML that speak of interfaces, services, ports and sources.

use crate::fact::Reason;

/// One zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// What becomes of what no rule is about: `ACCEPT`, `DROP`, `REJECT`; empty for the default.
    pub target: String,
    /// Interfaces in it.
    pub interfaces: Vec<String>,
    /// Services it lets in.
    pub services: Vec<String>,
    /// Ports it lets in, as `tcp/80`.
    pub ports: Vec<String>,
    rules: Vec<Rich>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rich {
    source: String,
    source_inverted: bool,
    destination: String,
    destination_inverted: bool,
    drops: bool,
    other: bool,
}

impl Zone {
    /// Whether a rich rule drops or rejects what says to come from the loopback address and is for another.
    #[must_use]
    pub fn drops_spoofed(&self, v6: bool) -> bool {
        let own = |address: &str| {
            if v6 { matches!(address, "::1" | "::1/128") } else { matches!(address, "127.0.0.1" | "127.0.0.1/32" | "127.0.0.0/8") }
        };
        self.rules.iter().any(|rule| {
            let spared = rule.destination.is_empty() || (own(&rule.destination) && rule.destination_inverted);
            rule.drops && !rule.other && !rule.source_inverted && own(&rule.source) && spared
        })
    }
}

/// Reads a zone.
///
/// # Errors
/// Where it is no whole zone: an element that is not closed may hold more.
pub fn zone(bytes: &[u8]) -> Result<Zone, Reason> {
    let malformed = || Reason::malformed("not a zone of firewalld");
    let text = String::from_utf8_lossy(bytes);
    let mut zone = Zone::default();
    let mut rule: Option<Rich> = None;
    let (mut begun, mut ended) = (false, false);
    let mut rest: &str = &text;
    while let Some((_, tail)) = rest.split_once('<') {
        if let Some(comment) = tail.strip_prefix("!--") {
            rest = comment.split_once("-->").ok_or_else(malformed)?.1;
            continue;
        }
        let (tag, tail) = tail.split_once('>').ok_or_else(malformed)?;
        rest = tail;
        let closed = tag.trim_end_matches('/');
        let (name, attributes) = closed.split_once(|c: char| c.is_whitespace()).unwrap_or((closed, ""));
        let attribute = |name: &str| attribute(attributes, name).unwrap_or_default();
        let inverted = || matches!(attribute("invert").to_ascii_lowercase().as_str(), "true" | "yes");
        match (name, &mut rule) {
            ("zone", _) => {
                begun = true;
                zone.target = attribute("target");
                ended |= tag.ends_with('/');
            }
            ("/zone", _) => ended = true,
            ("rule", _) => rule = Some(Rich::default()),
            ("/rule", _) => zone.rules.extend(rule.take()),
            ("source", Some(rule)) => (rule.source, rule.source_inverted) = (attribute("address"), inverted()),
            ("destination", Some(rule)) => (rule.destination, rule.destination_inverted) = (attribute("address"), inverted()),
            ("drop" | "reject", Some(rule)) => rule.drops = true,
            // Anything else narrows the rule; a log does not.
            (name, Some(rule)) if !name.starts_with('/') && !matches!(name, "log" | "audit") => rule.other = true,
            ("interface", None) => zone.interfaces.push(attribute("name")),
            ("service", None) => zone.services.push(attribute("name")),
            ("port", None) => zone.ports.push(format!("{}/{}", attribute("protocol"), attribute("port"))),
            _ => {}
        }
    }
    if begun && ended && rule.is_none() { Ok(zone) } else { Err(malformed()) }
}

fn attribute(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let (key, tail) = rest.split_once('=')?;
        let tail = tail.trim_start();
        let quote = tail.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, after) = tail.get(1..)?.split_once(quote)?;
        if key.trim() == name {
            return Some(value.to_owned());
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<zone target="DROP">
  <short>Public</short><!-- <interface name="no"/> -->
  <interface name="eth0"/>
  <service name="ssh"/>
  <port protocol="tcp" port="8080"/>
  <rule family="ipv4">
    <source address="127.0.0.1"/>
    <destination address="127.0.0.1" invert="True"/>
    <drop/>
  </rule>
  <rule family="ipv6"><source address="::1"/><port port="1" protocol="tcp"/><drop/></rule>
</zone>
"#;

    #[test]
    fn zones_are_read() {
        let zone = zone(FILE.as_bytes()).unwrap();
        assert_eq!(
            (zone.target.as_str(), zone.interfaces.as_slice(), zone.services.as_slice()),
            ("DROP", &["eth0".to_owned()][..], &["ssh".to_owned()][..])
        );
        assert_eq!(zone.ports, ["tcp/8080"]);
        assert!(zone.drops_spoofed(false) && !zone.drops_spoofed(true), "a port narrows the rule");
    }

    #[test]
    fn what_is_cut_is_none() {
        let end = FILE.trim_end().len();
        for cut in 0..end {
            assert!(zone(FILE.get(..cut).unwrap().as_bytes()).is_err(), "{cut}");
        }
        assert!(zone(b"").is_err() && zone(b"\xff\x00<zone/>").is_ok());
    }
}
