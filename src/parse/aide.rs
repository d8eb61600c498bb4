//! Lines of AIDE's configuration (`aide.conf(5)`): variables, groups of attributes, rules and includes.

use std::collections::{BTreeMap, BTreeSet};

/// What a line says. Variables are put in before it is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// `@@define NAME value`.
    Define(String, String),
    /// `@@undef NAME`.
    Undefine(String),
    /// `@@ifdef`, `@@ifndef`, `@@if …`: what is asked for, and whether it must not be so.
    If(String, bool),
    /// `@@else`.
    Else,
    /// `@@endif`.
    EndIf,
    /// `@@include`, `@@x_include`: a file, or a directory and a pattern for names in it. Whether programs are run for their output.
    Include(String, Option<String>, bool),
    /// `NAME = value`: an option or a group.
    Assign(String, String),
    /// A rule.
    Rule(Kind, String, Option<String>, Option<String>),
    /// Nothing.
    Empty,
    /// Something else that AIDE would refuse or that is not known here.
    Other,
}

/// What a rule does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It and what is below it.
    Select,
    /// It, and not what is below it.
    Equal,
    /// Left out; whether what is below a directory goes with it hangs on AIDE's version.
    Not,
    /// Left out, with what is below it: `-`, since AIDE 0.19.
    Never,
}

/// Reads one line: `kind, regular expression, restriction, attributes` for a rule.
#[must_use]
pub fn line(text: &str) -> Line {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Line::Empty;
    }
    if let Some(rest) = text.strip_prefix("@@").filter(|rest| !rest.starts_with('{')) {
        return directive(rest);
    }
    let (kind, rest) = match text.chars().next() {
        Some('!') => (Kind::Not, text.get(1..).unwrap_or_default()),
        Some('-') => (Kind::Never, text.get(1..).unwrap_or_default()),
        Some('=') => (Kind::Equal, text.get(1..).unwrap_or_default()),
        _ => (Kind::Select, text),
    };
    if rest.starts_with('/') {
        let words = words(rest);
        let mut words = words.into_iter();
        let regex = words.next().unwrap_or_default();
        let (second, third) = (words.next(), words.next());
        return match (kind, second, third) {
            (Kind::Not | Kind::Never, restriction, _) => Line::Rule(kind, regex, restriction, None),
            (_, Some(restriction), Some(attributes)) => Line::Rule(kind, regex, Some(restriction), Some(attributes)),
            (_, Some(attributes), None) => Line::Rule(kind, regex, None, Some(attributes)),
            (_, None, _) => Line::Other,
        };
    }
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !name.trim().contains(char::is_whitespace) => {
            Line::Assign(name.trim().to_owned(), value.trim().to_owned())
        }
        _ => Line::Other,
    }
}

fn directive(rest: &str) -> Line {
    let mut words = rest.split_whitespace();
    let name = words.next().unwrap_or_default();
    let mut next = || words.next().map(str::to_owned);
    let first = next();
    match (name, first) {
        ("define", Some(name)) => {
            let value = rest.split_once(name.as_str()).map(|(_, value)| value.trim().to_owned()).unwrap_or_default();
            Line::Define(name, value)
        }
        ("undef", Some(name)) => Line::Undefine(name),
        ("ifdef", Some(name)) => Line::If(name, false),
        ("ifndef", Some(name)) => Line::If(name, true),
        ("if", Some(word)) => match (word.as_str(), next(), next()) {
            ("defined", Some(name), _) => Line::If(name, false),
            ("not", Some(_), Some(name)) => Line::If(name, true),
            // Hosts, files and versions are not asked about.
            _ => Line::If(String::new(), false),
        },
        ("ifhost" | "ifnhost", _) => Line::If(String::new(), false),
        ("else", _) => Line::Else,
        ("endif", _) => Line::EndIf,
        ("include", Some(path)) => Line::Include(path, next(), false),
        ("x_include", Some(path)) => Line::Include(path, next(), true),
        ("x_include_setenv", _) => Line::Empty,
        _ => Line::Other,
    }
}

/// The directory under which AIDE keeps a rule, and asks it of what is below there alone: the plain text in front of the
/// first of `stops`, up to its last slash.
#[must_use]
pub fn directory(regex: &str, stops: &[char]) -> String {
    let (mut plain, mut end) = (String::from("/"), 1);
    let mut letters = regex.chars().skip(1);
    while let Some(letter) = letters.next() {
        match letter {
            letter if stops.contains(&letter) => break,
            '\\' => plain.extend(letters.next()),
            '/' => {
                end = plain.len();
                plain.push('/');
            }
            letter => plain.push(letter),
        }
    }
    plain.truncate(end);
    plain
}

/// Words of a rule. A backslash in front of a blank, an `@` or another backslash is taken off; what is left is the regular expression.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(escaped @ (' ' | '@' | '\\')) => word.push(escaped),
                other => {
                    word.push(letter);
                    word.extend(other);
                }
            },
            letter if letter.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            letter => word.push(letter),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Sums of attributes by name.
pub type Groups = BTreeMap<String, BTreeSet<String>>;

const ATTRIBUTES: [&str; 41] = [
    "p",
    "ftype",
    "i",
    "l",
    "n",
    "u",
    "g",
    "s",
    "b",
    "m",
    "a",
    "c",
    "S",
    "I",
    "ANF",
    "ARF",
    "acl",
    "selinux",
    "xattrs",
    "e2fsattrs",
    "caps",
    "growing",
    "compressed",
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "rmd160",
    "tiger",
    "haval",
    "crc32",
    "crc32b",
    "gost",
    "whirlpool",
    "stribog256",
    "stribog512",
    "sha512_256",
    "sha3_256",
    "sha3_512",
    "fstype",
    "linkname",
];

/// The groups that AIDE knows from the start.
#[must_use]
pub fn predefined() -> Groups {
    let hashes = "md5 sha1 sha256 sha512 rmd160 tiger haval crc32 crc32b gost whirlpool stribog256 stribog512 sha512_256 sha3_256 sha3_512";
    let extended = "acl selinux xattrs e2fsattrs caps";
    let own = "p ftype i l n u g";
    let groups = [
        ("E", String::new()),
        ("X", extended.to_owned()),
        ("H", hashes.to_owned()),
        ("L", format!("{own} {extended}")),
        ("R", format!("{own} s m c md5 {extended}")),
        (">", format!("{own} s growing {extended}")),
    ];
    let set = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    groups.into_iter().map(|(name, text)| (name.to_owned(), set(&text))).collect()
}

/// The attributes that an expression such as `p+u+Checksums-i` stands for; `None` where it names what is not known.
#[must_use]
pub fn attributes(expression: &str, groups: &Groups) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut rest = expression.trim();
    let mut adds = true;
    loop {
        let end = rest.find(['+', '-']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let name = name.trim();
        let of_name = match groups.get(name) {
            Some(group) => group.clone(),
            None if ATTRIBUTES.contains(&name) => BTreeSet::from([name.to_owned()]),
            None => return None,
        };
        if adds {
            found.extend(of_name);
        } else {
            found.retain(|attribute| !of_name.contains(attribute));
        }
        let Some(sign) = after.chars().next() else { return Some(found) };
        adds = sign == '+';
        rest = after.get(1..).unwrap_or_default();
    }
}

/// A line with its variables put in. One that is not known becomes what `unknown` gives; the second value says whether there was one.
#[must_use]
pub fn expanded(text: &str, variables: &BTreeMap<String, String>, unknown: &str) -> (String, bool) {
    let (mut made, mut missing, mut rest) = (String::new(), false, text);
    while let Some((before, after)) = rest.split_once("@@{") {
        made.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            made.push_str("@@{");
            rest = after;
            continue;
        };
        match variables.get(name) {
            Some(value) => made.push_str(value),
            None => {
                missing = true;
                made.push_str(unknown);
            }
        }
        rest = after;
    }
    made.push_str(rest);
    (made, missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        let rule = |kind, regex: &str, restriction: Option<&str>, attributes: Option<&str>| {
            Line::Rule(kind, regex.into(), restriction.map(str::to_owned), attributes.map(str::to_owned))
        };
        assert_eq!(line("  # x"), Line::Empty);
        assert_eq!(line("/etc p+u"), rule(Kind::Select, "/etc", None, Some("p+u")));
        assert_eq!(line("/ 0 Full"), rule(Kind::Select, "/", Some("0"), Some("Full")));
        assert_eq!(line("=/var/log$ d Log"), rule(Kind::Equal, "/var/log$", Some("d"), Some("Log")));
        assert_eq!(line("!/var/lib/docker"), rule(Kind::Not, "/var/lib/docker", None, None));
        assert_eq!(line("/a\\ b R"), rule(Kind::Select, "/a b", None, Some("R")));
        assert_eq!(line("/a\\\\.log$ R"), rule(Kind::Select, "/a\\.log$", None, Some("R")));
        assert_eq!(line("/a\\.log$ R"), rule(Kind::Select, "/a\\.log$", None, Some("R")));
        assert_eq!(line("Full = p+u"), Line::Assign("Full".into(), "p+u".into()));
        assert_eq!(line("database_in=file:@@{D}/x"), Line::Assign("database_in".into(), "file:@@{D}/x".into()));
        assert_eq!(line("@@define D /var/lib"), Line::Define("D".into(), "/var/lib".into()));
        assert_eq!(
            line("@@x_include /etc/aide/aide.conf.d ^[a-z]+$"),
            Line::Include("/etc/aide/aide.conf.d".into(), Some("^[a-z]+$".into()), true)
        );
        assert_eq!(line("@@if not defined X"), Line::If("X".into(), true));
        assert_eq!(line("/etc"), Line::Other);
    }

    #[test]
    fn rules_are_kept_under_directories() {
        let of = |regex: &str| directory(regex, &['(', '^', '$', '?', '*', '[']);
        let cases =
            [("/", "/"), ("/usr", "/"), ("/usr/", "/usr"), ("/a.b/c", "/a.b"), ("/usr/lib\\.d/x", "/usr/lib.d"), ("/a/b.*/c", "/a")];
        for (regex, wanted) in cases.into_iter().chain([("/a/(b|c)/d", "/a"), ("/a|/b/c", "/a|/b"), ("/a\\/b/c", "/a/b"), ("", "/")]) {
            assert_eq!(of(regex), wanted, "{regex}");
        }
    }

    #[test]
    fn sums_of_attributes() {
        let mut groups = predefined();
        groups.insert("Full".into(), attributes("p+u+g+H-md5", &groups).unwrap());
        let full = attributes("Full + X - selinux", &groups).unwrap();
        assert!(full.contains("sha512") && full.contains("acl") && !full.contains("md5") && !full.contains("selinux"));
        assert_eq!(attributes("p+nonsense", &groups), None);
        assert_eq!(attributes("", &groups), None);
        assert_eq!(attributes("E", &groups).map(|found| found.len()), Some(0));
    }

    #[test]
    fn variables_are_put_in_and_cut_lines_do_not_panic() {
        let variables = BTreeMap::from([("A".to_owned(), "x".to_owned())]);
        assert_eq!(expanded("/@@{A}/@@{B}/@@{", &variables, ".*"), ("/x/.*/@@{".to_owned(), true));
        let whole = "@@if not defined X é\n!/a\\ b\u{0}=/x p+u\n@@{A}=@@include a b\n";
        for at in (0..whole.len()).filter(|at| whole.is_char_boundary(*at)) {
            for text in whole[..at].lines() {
                let _ = line(text);
                let _ = attributes(text, &predefined());
            }
        }
    }
}
