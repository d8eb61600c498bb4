//! AppArmor: the kernel's list of profiles, the patterns that attach them to programs, and what the files of profiles say.

use regex::Regex;

/// Reads a line of `/sys/kernel/security/apparmor/profiles`: `NAME (MODE)`. A name may hold blanks and parentheses.
#[must_use]
pub fn loaded(line: &str) -> Option<(&str, &str)> {
    let (name, mode) = line.trim_end_matches(['\r', '\n']).rsplit_once(" (")?;
    let mode = mode.strip_suffix(')')?;
    (!name.is_empty() && !mode.is_empty()).then_some((name, mode))
}

/// The expression for a pattern of paths: `*` stops at slashes, `**` does not, `{a,b}` are alternatives. `None` where it
/// cannot be understood.
#[must_use]
pub fn pattern(pattern: &str) -> Option<Regex> {
    let (mut expression, mut open) = (String::from(r"\A"), 0_u32);
    let mut characters = pattern.trim_matches('"').chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.next_if_eq(&'*').is_some() => expression.push_str(".*"),
            '*' => expression.push_str("[^/]*"),
            '?' => expression.push_str("[^/]"),
            '{' => {
                open += 1;
                expression.push_str("(?:");
            }
            '}' if open > 0 => {
                open -= 1;
                expression.push(')');
            }
            ',' if open > 0 => expression.push('|'),
            '[' => {
                expression.push('[');
                for inner in characters.by_ref().take_while(|inner| *inner != ']') {
                    match inner {
                        '-' | '^' => expression.push(inner),
                        other => expression.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
                    }
                }
                expression.push(']');
            }
            '\\' => expression.push_str(&regex::escape(characters.next()?.encode_utf8(&mut [0; 4]))),
            other => expression.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    expression.push_str(r"\z");
    regex::RegexBuilder::new(&expression).dot_matches_new_line(true).size_limit(1 << 20).build().ok().filter(|_| open == 0)
}

/// The names of the profiles that a file makes to let programs have user namespaces and nothing else: they say
/// `flags=(unconfined)` and `userns`, as those that Ubuntu brings do.
#[must_use]
pub fn labels_for_user_namespaces(text: &str) -> Vec<String> {
    let (mut found, mut current) = (Vec::new(), None);
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(header) = line.strip_suffix('{') {
            let named = header.trim_start().strip_prefix("profile ").unwrap_or(header);
            let name = named.split_whitespace().next().unwrap_or_default().trim_matches('"');
            let flags = header.split_once("flags=").map(|(_, flags)| flags).unwrap_or_default();
            current = flags.contains("unconfined").then(|| name.to_owned());
        } else if line == "userns," || line.starts_with("userns ") {
            found.extend(current.take());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel() {
        assert_eq!(loaded("/usr/bin/man (enforce)"), Some(("/usr/bin/man", "enforce")));
        assert_eq!(loaded("a (b) c (complain)\n"), Some(("a (b) c", "complain")));
        assert_eq!((loaded("x"), loaded(" (enforce)"), loaded("x (enforce"), loaded("")), (None, None, None, None));
    }

    #[test]
    fn patterns_of_paths() {
        let matches = |glob: &str, path: &str| pattern(glob).is_some_and(|regex| regex.is_match(path));
        assert!(matches("/{,usr/}bin/ping", "/usr/bin/ping") && matches("/{,usr/}bin/ping", "/bin/ping"));
        assert!(matches("/opt/*/chrome", "/opt/a/chrome") && !matches("/opt/*/chrome", "/opt/a/b/chrome"));
        assert!(matches("/snap/**/x", "/snap/a/b/x") && matches("/a[0-9].b", "/a7.b") && !matches("/a[0-9].b", "/a7xb"));
        assert!(!matches("/usr/sbin/cups", "/usr/sbin/cupsd"));
        assert!(pattern("/{a").is_none() && pattern("/a\\").is_none() && pattern("/a[").is_none());
    }

    #[test]
    fn labels_of_ubuntu() {
        let text = "abi <abi/4.0>,\ninclude <tunables/global>\n\n# profile no flags=(unconfined) {\n\
            profile brave /opt/brave.com/brave/brave flags=(unconfined) {\n  userns,\n  include if exists <local/brave>\n}\n\
            profile open /opt/open flags=(unconfined) {\n}\nprofile tight /x {\n  userns,\n}\n";
        assert_eq!(labels_for_user_namespaces(text), ["brave"]);
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert!(labels_for_user_namespaces(&text[..end]).len() <= 1);
        }
    }
}
