//! Globs: `*` for any run without `/`, `**` for any run, `?` for one character.

/// Whether a glob matches a whole name. Takes time proportional to both lengths multiplied, whatever they hold.
#[must_use]
pub fn matches(glob: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    // For each prefix of the name, whether what was read of the glob matches it.
    let mut reached = vec![false; name.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    let mut glob = glob.chars().peekable();
    while let Some(sign) = glob.next() {
        let many = sign == '*' && glob.next_if_eq(&'*').is_some();
        let mut next = Vec::with_capacity(reached.len());
        let mut before = false;
        for (at, here) in reached.iter().enumerate() {
            let eaten = at.checked_sub(1).and_then(|at| name.get(at));
            let matched = match (sign, eaten) {
                ('*', eaten) => *here || (next.last() == Some(&true) && eaten.is_some_and(|c| many || *c != '/')),
                ('?', Some(c)) => before && *c != '/',
                (sign, Some(c)) => before && *c == sign,
                (_, None) => false,
            };
            next.push(matched);
            before = *here;
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

/// Whether a name has any sign of a glob in it.
#[must_use]
pub fn is_glob(text: &str) -> bool {
    text.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs() {
        assert!(matches("/etc/docker/certs.d/*/*", "/etc/docker/certs.d/reg:5000/ca.crt"));
        assert!(!matches("/etc/*", "/etc/docker/daemon.json"));
        assert!(matches("/etc/**", "/etc/docker/daemon.json"));
        assert!(matches("**/shadow", "/etc/shadow"));
        assert!(matches("/etc/*/", "/etc//"));
        assert!(matches("web-?", "web-1"));
        assert!(matches("web-?", "web-ü"));
        assert!(!matches("web-?", "web-/"));
        assert!(!matches("web", "web-1"));
        assert!(matches("*", ""));
        assert!(matches("", ""));
        assert!(!matches("?", ""));
    }

    #[test]
    fn many_stars_take_no_time() {
        let glob = "*a".repeat(200);
        assert!(!matches(&glob, &"a".repeat(199)));
        assert!(!matches(&format!("{glob}b"), &"a".repeat(5_000)));
    }
}
