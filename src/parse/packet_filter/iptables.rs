//! Rules as `iptables-save` writes them, and files of ufw and iptables-persistent hold them.

use std::net::IpAddr;

use super::{Addresses, Base, Chain, Condition, Family, Interface, Numbers, Rule, Ruleset, Step, Verdict};

/// The tables of a file. A line that is not understood is a rule of which nothing is known, so that it decides nothing.
#[must_use]
pub fn saved(bytes: &[u8], v6: bool) -> Ruleset {
    let family = if v6 { Family::Ip6 } else { Family::Ip };
    let mut found = Ruleset::default();
    let mut table = "filter".to_owned();
    for line in String::from_utf8_lossy(bytes).lines() {
        let line = line.trim();
        match line.chars().next() {
            Some('*') => {
                table = line.trim_start_matches('*').to_owned();
                found.tables.push((family, table.clone()));
            }
            Some(':') => {
                let mut words = line.trim_start_matches(':').split_ascii_whitespace();
                if let (Some(name), Some(policy)) = (words.next(), words.next()) {
                    let base = hook(name).filter(|_| policy != "-").map(|hook| Base {
                        hook: hook.to_owned(),
                        kind: if table == "nat" { "nat" } else { "filter" }.to_owned(),
                        priority: 0,
                        drops: policy == "DROP",
                    });
                    chain(&mut found, family, &table, name).base = base;
                }
            }
            Some('-') => {
                let words = words(line);
                if let [add, name, rest @ ..] = words.as_slice()
                    && matches!(add.as_str(), "-A" | "--append" | "-I" | "--insert")
                {
                    let step = step(rest, v6);
                    let rules = &mut chain(&mut found, family, &table, name).rules;
                    let rule = Rule { steps: vec![step] };
                    if add.starts_with("-I") || add == "--insert" { rules.insert(0, rule) } else { rules.push(rule) }
                }
            }
            _ => {}
        }
    }
    found
}

/// Words; what stands in double quotes is one.
fn words(line: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut quoted = false;
    for sign in line.chars() {
        match (sign, found.last_mut()) {
            ('"', _) => quoted = !quoted,
            (sign, Some(last)) if quoted || !sign.is_whitespace() => last.push(sign),
            _ => found.push(String::new()),
        }
    }
    found.retain(|word| !word.is_empty());
    found
}

fn hook(chain: &str) -> Option<&'static str> {
    Some(match chain {
        "INPUT" => "input",
        "FORWARD" => "forward",
        "OUTPUT" => "output",
        "PREROUTING" => "prerouting",
        "POSTROUTING" => "postrouting",
        _ => return None,
    })
}

#[expect(clippy::indexing_slicing, reason = "the place was just found or made")]
fn chain<'a>(found: &'a mut Ruleset, family: Family, table: &str, name: &str) -> &'a mut Chain {
    let at = found.chains.iter().position(|chain| chain.table == table && chain.name == name).unwrap_or_else(|| {
        found.chains.push(Chain { family, table: table.to_owned(), name: name.to_owned(), base: None, rules: Vec::new() });
        found.chains.len() - 1
    });
    &mut found.chains[at]
}

fn step(words: &[String], v6: bool) -> Step {
    let mut conditions = Vec::new();
    let mut verdict = Verdict::Continue;
    let mut words = words.iter().map(String::as_str).peekable();
    let mut not = false;
    while let Some(word) = words.next() {
        let (option, attached) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value)),
            _ => (word, None),
        };
        let mut value = || {
            if words.peek() == Some(&"!") {
                not = true;
                words.next();
            }
            attached.or_else(|| words.next()).unwrap_or_default()
        };
        let condition = match option {
            "!" => {
                not = true;
                continue;
            }
            "-m" | "--match" | "--comment" | "--limit-burst" | "--reject-with" | "--log-prefix" | "--log-level" | "--to-destination" => {
                let _ = value();
                None
            }
            "-j" | "--jump" => {
                verdict = of_target(value());
                None
            }
            "-g" | "--goto" => {
                verdict = Verdict::Goto(value().to_owned());
                None
            }
            "-s" | "--source" | "--src" => {
                let written = value();
                Some(addresses(written, v6, not).map_or(Condition::Opaque, Condition::Source))
            }
            "-d" | "--destination" | "--dst" => {
                let written = value();
                Some(addresses(written, v6, not).map_or(Condition::Opaque, Condition::Destination))
            }
            "-i" | "--in-interface" => {
                let name = value();
                Some(Condition::In(interface(name, not)))
            }
            "-o" | "--out-interface" => {
                let name = value();
                Some(Condition::Out(interface(name, not)))
            }
            "-p" | "--protocol" | "--proto" => {
                let name = value();
                match protocol(name) {
                    Some(0) => None,
                    Some(number) => Some(Condition::Protocol(Numbers { not, ..Numbers::one(number) })),
                    None => Some(Condition::Restricts),
                }
            }
            "--dport" | "--dports" | "--destination-port" | "--destination-ports" => {
                let written = value();
                Some(ports(written, not).map_or(Condition::Restricts, Condition::Port))
            }
            "--ctstate" | "--state" => {
                let written = value();
                let bits = written.split(',').map(state).fold(0, |sum, bit| sum | bit);
                Some(Condition::State(if not { !bits } else { bits }))
            }
            "--dst-type" => {
                let kind = value();
                Some(if kind == "LOCAL" && !not { Condition::ToHost } else { Condition::Opaque })
            }
            "--limit" | "--icmp-type" | "--icmpv6-type" | "--sport" | "--sports" | "--source-port" | "--tcp-flags" => {
                let _ = value();
                Some(if not { Condition::Opaque } else { Condition::Restricts })
            }
            "--syn" => Some(Condition::Restricts),
            option if option.starts_with('-') => Some(Condition::Opaque),
            // The value of an option that is not understood.
            _ => None,
        };
        not = false;
        conditions.extend(condition);
    }
    Step { conditions, verdict }
}

fn of_target(name: &str) -> Verdict {
    match name {
        "ACCEPT" => Verdict::Accept,
        "DROP" => Verdict::Drop,
        "RETURN" => Verdict::Return,
        name => super::xt::target(name).unwrap_or_else(|| Verdict::Jump(name.to_owned())),
    }
}

fn interface(name: &str, not: bool) -> Interface {
    match name.strip_suffix('+') {
        Some(beginning) => Interface { names: vec![beginning.to_owned()], prefix: true, not },
        None => Interface { names: vec![name.to_owned()], prefix: false, not },
    }
}

/// The number of a protocol; 0 for all.
fn protocol(name: &str) -> Option<u16> {
    Some(match name {
        "all" => 0,
        "icmp" => 1,
        "tcp" => 6,
        "udp" => 17,
        "ipv6-icmp" | "icmpv6" => 58,
        "sctp" => 132,
        "udplite" => 136,
        number => number.parse().ok()?,
    })
}

fn ports(written: &str, not: bool) -> Option<Numbers> {
    let number = |text: &str, other: u16| if text.is_empty() { Some(other) } else { text.parse().ok() };
    let range = |text: &str| match text.split_once(':') {
        Some((from, to)) => Some((number(from, 0)?, number(to, u16::MAX)?)),
        None => text.parse().ok().map(|port| (port, port)),
    };
    Some(Numbers { ranges: written.split(',').map(range).collect::<Option<_>>()?, not })
}

fn state(name: &str) -> u32 {
    match name {
        "INVALID" => 1,
        "ESTABLISHED" => 2,
        "RELATED" => 4,
        "NEW" => 8,
        "UNTRACKED" => 64,
        _ => 0,
    }
}

fn addresses(written: &str, v6: bool, not: bool) -> Option<Addresses> {
    let (address, prefix) = written.split_once('/').map_or((written, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    (address.is_ipv6() == v6).then_some(())?;
    let prefix = match prefix {
        None => {
            if v6 {
                128
            } else {
                32
            }
        }
        Some(prefix) => match prefix.parse::<std::net::Ipv4Addr>() {
            Ok(mask) => {
                let ones = u32::from(mask).leading_ones();
                (u32::from(mask).count_ones() == ones).then_some(ones)?
            }
            Err(_) => prefix.parse().ok().filter(|prefix| *prefix <= if v6 { 128 } else { 32 })?,
        },
    };
    Some(Addresses::network(address, prefix, not))
}

#[cfg(test)]
mod tests {
    use super::super::evaluate::{Mode, Packet, ends, named_ports};
    use super::*;

    const FILE: &str = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:extra - [0:0]\n\
        -A INPUT -i lo -j ACCEPT\n-A INPUT -s 127.0.0.0/8 -j DROP\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
        -A INPUT -p tcp -m multiport --dports 80,8000:8080 -m comment --comment \"a b\" -j ACCEPT\n-A INPUT -p tcp -j extra\n\
        -A extra -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n";

    const ANY: Packet = Packet { v6: false, on_loopback: false, from_loopback: false, to: None };

    fn input(text: &str) -> (Ruleset, Chain) {
        let rules = saved(text.as_bytes(), false);
        let chain = rules.chains.iter().find(|chain| chain.name == "INPUT").unwrap().clone();
        (rules, chain)
    }

    #[test]
    fn a_file_is_judged_in_order() {
        let (rules, chain) = input(FILE);
        assert_eq!(ends(&rules, &chain, ANY, Mode::Others).dropped(), Some(true));
        let own = Packet { on_loopback: true, from_loopback: true, ..ANY };
        assert_eq!(ends(&rules, &chain, own, Mode::Others).accepted(), Some(true));
        let spoofed = Packet { from_loopback: true, ..ANY };
        assert_eq!(ends(&rules, &chain, spoofed, Mode::Others).dropped_by_source(), Some(true));
        assert_eq!(named_ports(&rules, &chain, false), [(6, 22, 22), (6, 80, 80), (6, 8000, 8080)]);
        let reordered = FILE.replace("-A INPUT -i lo -j ACCEPT\n", "").replace("-j DROP\n-A", "-j DROP\n-A INPUT -i lo -j ACCEPT\n-A");
        let (rules, chain) = input(&reordered);
        assert_eq!(ends(&rules, &chain, own, Mode::Others).accepted(), Some(false), "dropped before it is accepted");
    }

    #[test]
    fn what_is_not_understood_leaves_it_open() {
        let (rules, chain) = input(&FILE.replace("-i lo -j ACCEPT", "-m brandnew --thing 5 -j ACCEPT"));
        assert_eq!(ends(&rules, &chain, ANY, Mode::Others).dropped(), None);
        let (rules, chain) = input(&FILE.replace("-i lo -j ACCEPT", "-m brandnew --thing 5 -j DROP"));
        assert_eq!(ends(&rules, &chain, ANY, Mode::Others).dropped(), Some(true), "dropped either way");
        let (rules, chain) = input(&FILE.replace("-i lo -j ACCEPT", "! -i docker0 -j ACCEPT"));
        let own = Packet { on_loopback: true, from_loopback: true, ..ANY };
        assert_eq!(ends(&rules, &chain, own, Mode::Others).accepted(), Some(true));
    }

    #[test]
    fn files_cut_anywhere_do_not_panic() {
        for cut in 0..FILE.len() {
            let _ = saved(FILE.get(..cut).unwrap().as_bytes(), cut % 2 == 0);
        }
        let _ = saved(b"*\xff\n:\n-A\n-A \"\n- -\n:INPUT\n-A INPUT -s x -d 1/99 -p\n", false);
    }
}
