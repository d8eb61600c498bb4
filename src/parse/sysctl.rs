//! Files of kernel parameters: `sysctl.d(5)`, as systemd-sysctl and procps read them.

/// One line that assigns, or excludes from what globs assign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Path below `/proc/sys`, such as `net/ipv4/ip_forward`; may hold the signs of a glob.
    pub key: String,
    /// Value, runs of blanks as one space; `None` for `-key`, which only keeps globs away.
    pub value: Option<String>,
    /// Line, from 1.
    pub line: u32,
}

/// Reads a file. Lines that are neither an assignment nor an exclusion are ignored, as they are by the programs.
#[must_use]
pub fn parse(bytes: &[u8]) -> Vec<Assignment> {
    let read = |(line, text): (u32, &str)| {
        let text = text.trim();
        if text.starts_with(['#', ';']) {
            return None;
        }
        let excludes = text.strip_prefix('-');
        let (key, value) = match text.split_once('=') {
            // A dash before an assignment only says that a failure does not matter.
            Some((key, value)) => (key.strip_prefix('-').unwrap_or(key), Some(one_space(value))),
            None => (excludes?, None),
        };
        Some(Assignment { key: path_of(key.trim()), value, line }).filter(|assignment| !assignment.key.is_empty())
    };
    (1..).zip(String::from_utf8_lossy(bytes).lines()).filter_map(read).collect()
}

/// The path below `/proc/sys` of a parameter. The first separator decides: after a slash the name is a path already,
/// after a dot the dots are slashes and the slashes dots (`net.ipv4.conf.eth0/1.rp_filter`).
#[must_use]
pub fn path_of(name: &str) -> String {
    let path: String = match name.find(['.', '/']).and_then(|at| name.get(at..)) {
        Some(rest) if rest.starts_with('.') => name
            .chars()
            .map(|c| match c {
                '.' => '/',
                '/' => '.',
                c => c,
            })
            .collect(),
        _ => name.to_owned(),
    };
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

/// A value with every run of blanks as one space: files use spaces where the kernel prints tabs.
#[must_use]
pub fn one_space(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a key is a glob as `glob(3)` has it.
#[must_use]
pub fn is_glob(key: &str) -> bool {
    key.contains(['*', '?', '['])
}

/// Whether a glob of `glob(3)` matches a path: `*` and `?` stop at slashes, `[…]` is a set of characters.
#[must_use]
pub fn glob_matches(glob: &str, path: &str) -> bool {
    let mut pattern = String::from("^");
    let mut rest = glob;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '*' => pattern.push_str("[^/]*"),
            '?' => pattern.push_str("[^/]"),
            // A `]` that comes first is one of the set.
            '[' => match rest.char_indices().skip(1).find(|(at, c)| *c == ']' && rest.get(..*at) != Some("!")) {
                Some((end, _)) => {
                    let set = rest.get(..end).unwrap_or_default();
                    let (not, set) = set.strip_prefix(['!', '^']).map_or(("", set), |set| ("^/", set));
                    pattern.push('[');
                    pattern.push_str(not);
                    set.chars().for_each(|c| match c {
                        '-' => pattern.push('-'),
                        c => pattern.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
                    });
                    pattern.push(']');
                    rest = rest.get(end + 1..).unwrap_or_default();
                }
                None => pattern.push_str(r"\["),
            },
            c => pattern.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    pattern.push('$');
    regex::RegexBuilder::new(&pattern).dot_matches_new_line(true).build().is_ok_and(|pattern| pattern.is_match(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_paths() {
        for (name, path) in [
            ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
            ("net/ipv4/ip_forward", "net/ipv4/ip_forward"),
            ("/net/ipv4/conf/eth0.1/rp_filter", "net/ipv4/conf/eth0.1/rp_filter"),
            ("net.ipv4.conf.eth0/1.rp_filter", "net/ipv4/conf/eth0.1/rp_filter"),
            ("net/ipv4/conf/eth0.1/rp_filter", "net/ipv4/conf/eth0.1/rp_filter"),
            ("vm", "vm"),
        ] {
            assert_eq!(path_of(name), path, "{name}");
        }
    }

    #[test]
    fn lines_assign_or_exclude() {
        let text = "# c\n; c\n kernel.a = 1 \n-kernel.b=2\n-kernel.c\nnonsense\nnet/ipv4/ip_local_port_range=1\t\t2\nkernel.d=\n=x\n";
        let found: Vec<_> = parse(text.as_bytes()).into_iter().map(|a| (a.key, a.value, a.line)).collect();
        let is = |key: &str, value: Option<&str>, line| (key.to_owned(), value.map(str::to_owned), line);
        assert_eq!(
            found,
            [
                is("kernel/a", Some("1"), 3),
                is("kernel/b", Some("2"), 4),
                is("kernel/c", None, 5),
                is("net/ipv4/ip_local_port_range", Some("1 2"), 7),
                is("kernel/d", Some(""), 8),
            ]
        );
    }

    #[test]
    fn globs_stop_at_slashes() {
        assert!(glob_matches("net/ipv4/conf/*/rp_filter", "net/ipv4/conf/eth0.1/rp_filter"));
        assert!(!glob_matches("net/*/rp_filter", "net/ipv4/conf/all/rp_filter"));
        assert!(glob_matches("net/ipv4/conf/eth[0-9]/x", "net/ipv4/conf/eth7/x"));
        assert!(!glob_matches("net/ipv4/conf/eth[!0-9]/x", "net/ipv4/conf/eth7/x"));
        assert!(glob_matches("a[]b]?", "a]c"));
        assert!(glob_matches("a[b", "a[b") && !glob_matches("a[b", "ab"));
        assert!(!glob_matches("a.b", "acb"));
    }
}
