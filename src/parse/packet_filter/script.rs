//! Files of nft: which base chains they make, which files they include, whether they begin by taking everything away.

use super::{Base, Family};

/// What a file does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Base chains it makes: family of the table, its name, the chain's, where it is hooked in, and the line.
    pub chains: Vec<(Family, String, String, Base, u32)>,
    /// Files it includes, in order.
    pub includes: Vec<Include>,
    /// Whether it takes away what was there before.
    pub flushes: bool,
}

/// An `include` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// What stands between the quotes; may be a glob.
    pub path: String,
    /// Its line.
    pub line: u32,
}

/// Reads a file, as far as that goes without knowing variables.
#[must_use]
pub fn script(bytes: &[u8]) -> Script {
    let mut found = Script::default();
    let words = tokens(&String::from_utf8_lossy(bytes));
    let word = |at: usize| words.get(at).map_or("", |(word, _)| word.as_str());
    let mut table: Option<(Family, String, usize)> = None;
    let mut chain: Option<(Family, String, String)> = None;
    let mut depth = 0usize;
    let mut at = 0;
    while at < words.len() {
        let line = words.get(at).map_or(0, |(_, line)| *line);
        match word(at) {
            "include" => found.includes.push(Include { path: word(at + 1).trim_matches(['"', '\'']).to_owned(), line }),
            "flush" if word(at + 1) == "ruleset" => found.flushes = true,
            "table" => {
                let family = Family::named(word(at + 1));
                let name = word(at + if family.is_some() { 2 } else { 1 });
                table = Some((family.unwrap_or(Family::Ip), name.to_owned(), depth));
            }
            "chain" => {
                // `add chain inet filter input { … }`, or inside of a table `chain input { … }`.
                let family = Family::named(word(at + 1));
                chain = match (&table, family) {
                    (Some((family, table, _)), None) if word(at + 2) == "{" => Some((*family, table.clone(), word(at + 1).to_owned())),
                    (_, Some(family)) => Some((family, word(at + 2).to_owned(), word(at + 3).to_owned())),
                    (_, None) => Some((Family::Ip, word(at + 1).to_owned(), word(at + 2).to_owned())),
                };
            }
            "type" if word(at + 2) == "hook" => {
                if let Some((family, table, name)) = chain.clone() {
                    let rest: Vec<&str> = (at..words.len()).map(word).take_while(|word| !matches!(*word, "}" | "{")).collect();
                    let after = |name: &str| rest.iter().position(|word| *word == name).and_then(|at| rest.get(at + 1)).copied();
                    let base = Base {
                        hook: word(at + 3).to_owned(),
                        kind: word(at + 1).to_owned(),
                        priority: after("priority").map_or(0, priority),
                        drops: after("policy") == Some("drop"),
                    };
                    found.chains.push((family, table, name, base, line));
                }
            }
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if table.as_ref().is_some_and(|(_, _, outside)| *outside >= depth) {
                    table = None;
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn priority(word: &str) -> i32 {
    match word {
        "raw" => -300,
        "mangle" => -150,
        "dstnat" => -100,
        "filter" => 0,
        "security" => 50,
        "srcnat" => 100,
        number => number.parse().unwrap_or(0),
    }
}

/// Words, quoted texts, and each of `{ } ;` by itself, with their lines; comments are left out.
fn tokens(text: &str) -> Vec<(String, u32)> {
    let mut found: Vec<(String, u32)> = Vec::new();
    for (line, number) in text.lines().zip(1u32..) {
        let mut word = String::new();
        let mut quote = None;
        for sign in line.chars() {
            match (quote, sign) {
                (Some(open), sign) => {
                    word.push(sign);
                    if open == sign {
                        quote = None;
                    }
                }
                (None, '#') => break,
                (None, '"' | '\'') => {
                    quote = Some(sign);
                    word.push(sign);
                }
                (None, '{' | '}' | ';') => {
                    if !word.is_empty() {
                        found.push((std::mem::take(&mut word), number));
                    }
                    found.push((sign.to_string(), number));
                }
                (None, sign) if sign.is_whitespace() => {
                    if !word.is_empty() {
                        found.push((std::mem::take(&mut word), number));
                    }
                }
                (None, sign) => word.push(sign),
            }
        }
        if !word.is_empty() {
            found.push((word, number));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "#!/usr/sbin/nft -f\nflush ruleset\ninclude \"/etc/nftables.d/*.nft\"\ntable inet filter {\n  set x { type ipv4_addr; elements = { 1.2.3.4 } }\n\
        \tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t\tiif lo accept\n\t}\n\tchain forward { type filter hook forward priority 0; }\n\
        \tchain plain { accept }\n}\nadd chain ip6 t out { type filter hook output priority -5; policy drop; }\n";

    #[test]
    fn base_chains_are_found() {
        let script = script(FILE.as_bytes());
        assert!(script.flushes);
        assert_eq!(script.includes, [Include { path: "/etc/nftables.d/*.nft".into(), line: 3 }]);
        let chains: Vec<_> = script
            .chains
            .iter()
            .map(|(family, table, name, base, line)| (family.word(), table.as_str(), name.as_str(), base.hook.as_str(), base.drops, *line))
            .collect();
        assert_eq!(
            chains,
            [
                ("inet", "filter", "input", "input", true, 7),
                ("inet", "filter", "forward", "forward", false, 10),
                ("ip6", "t", "out", "output", true, 13)
            ]
        );
    }

    #[test]
    fn comments_and_cut_files_are_nothing() {
        assert_eq!(script(b"# table inet filter { chain a { type filter hook input priority 0; } }\n"), Script::default());
        for cut in 0..FILE.len() {
            let _ = script(FILE.get(..cut).unwrap().as_bytes());
        }
    }
}
