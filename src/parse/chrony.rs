//! Configuration of chrony and of ntpd: the servers they ask, the files they include, the user they become.

/// One directive that matters here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Directive {
    /// `server`, `pool`, `peer` and their name, or `refclock` and its driver.
    Source(String),
    /// `include`, `includefile`: a path or glob.
    Include(String),
    /// `confdir`: directories of `*.conf`; of one name the first counts.
    ConfDir(Vec<String>),
    /// `sourcedir`: directories of `*.sources`.
    SourceDir(Vec<String>),
    /// `user`.
    User(String),
}

/// The directives of a file, with their lines from 1. Words are taken in any case; `#`, `%`, `;` and `!` begin comments.
pub fn parse(text: &str) -> impl Iterator<Item = (u32, Directive)> {
    (1..).zip(text.lines()).filter_map(|(number, line)| Some((number, directive(line)?)))
}

fn directive(line: &str) -> Option<Directive> {
    let line = line.trim();
    if line.starts_with(['#', '%', ';', '!']) {
        return None;
    }
    let mut words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
    let name = words.next()?.to_ascii_lowercase();
    let rest: Vec<String> = words.map(|word| word.trim_matches('"').to_owned()).collect();
    let first = || rest.first().cloned();
    Some(match name.as_str() {
        "server" | "pool" | "peer" | "servers" => Directive::Source(first()?),
        "refclock" => Directive::Source(format!("refclock {}", first()?)),
        "include" | "includefile" => Directive::Include(first()?),
        "confdir" => Directive::ConfDir(rest),
        "sourcedir" => Directive::SourceDir(rest),
        "user" => Directive::User(first()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_in_any_case_and_no_comments() {
        let text = "# server a\n! server b\n; server c\n%server d\r\nSERVER e iburst\r\n  pool f\nserver\nrefclock PHC /dev/ptp0\nconfdir /a /b\nsourcedir /c\nuser _chrony # x\nincludefile \"/etc/x\"\nserverstats g\n";
        let found: Vec<_> = parse(text).collect();
        assert_eq!(
            found,
            [
                (5, Directive::Source("e".into())),
                (6, Directive::Source("f".into())),
                (8, Directive::Source("refclock PHC".into())),
                (9, Directive::ConfDir(vec!["/a".into(), "/b".into()])),
                (10, Directive::SourceDir(vec!["/c".into()])),
                (11, Directive::User("_chrony".into())),
                (12, Directive::Include("/etc/x".into())),
            ]
        );
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            assert!(parse(&text[..at]).count() <= 7);
        }
    }
}
