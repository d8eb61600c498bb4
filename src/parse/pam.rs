//! PAM configuration: lines, continuations, bracketed words and controls, read as libpam reads them.

/// One line, continuations joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its words, brackets taken off.
    pub words: Vec<String>,
    /// Where it begins, from 1.
    pub number: u32,
}

/// The lines of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    /// The lines that say something, in order.
    pub lines: Vec<Line>,
    /// The line from which on libpam gives up: the file ends within a continued line. It then refuses the whole file.
    pub broken: Option<u32>,
    /// The first line that is longer than older versions read in one piece, which take the rest for a line of its own.
    pub too_long: Option<u32>,
}

/// What libpam before 1.6 reads of a line.
const LONGEST: usize = 1022;

/// Reads a file.
#[must_use]
pub fn lines(bytes: &[u8]) -> Lines {
    let mut found = Lines::default();
    let mut text = String::new();
    let mut begun = None;
    let physical: Vec<&[u8]> = bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|b| *b == b'\n').collect();
    for (number, line) in (1..).zip(physical) {
        if line.len() > LONGEST {
            found.too_long.get_or_insert(number);
        }
        // libpam is written in C: what follows a NUL is not there.
        let line = line.split(|b| *b == 0).next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let line = line.trim_start_matches([' ', '\t']);
        // Comments and empty lines do not end a continued one.
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let first = *begun.get_or_insert(number);
        let (said, commented) = line.split_once('#').map_or((line, false), |(said, _)| (said, true));
        let trimmed = said.trim_end_matches([' ', '\t']);
        if let (false, Some(part)) = (commented, trimmed.strip_suffix('\\')) {
            text.push_str(part);
            text.push(' ');
            continue;
        }
        text.push_str(said);
        begun = None;
        let words = words(&std::mem::take(&mut text));
        if !words.is_empty() {
            found.lines.push(Line { words, number: first });
        }
    }
    found.broken = begun;
    found
}

/// The words of a line. One in brackets may hold blanks, and `\]` stands for a bracket in it.
fn words(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line.trim_start_matches([' ', '\t']);
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let mut word = String::new();
            let mut chars = inner.chars();
            loop {
                match chars.next() {
                    None | Some(']') => break,
                    Some('\\') if chars.as_str().starts_with(']') => {
                        word.push(']');
                        chars.next();
                    }
                    Some(c) => word.push(c),
                }
            }
            found.push(word);
            rest = chars.as_str();
        } else {
            let end = rest.find([' ', '\t']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            found.push(word.to_owned());
            rest = after;
        }
        rest = rest.trim_start_matches([' ', '\t']);
    }
    found
}

/// What libpam does after a module has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Go on as if the module were not there.
    Ignore,
    /// Count the result, unless something failed before.
    Ok,
    /// Like `Ok`, and end the stack unless something failed before.
    Done,
    /// Fail in the end.
    Bad,
    /// Fail now.
    Die,
    /// Forget all results of the stack so far.
    Reset,
    /// Skip so many lines.
    Jump(u32),
}

/// What a line does for each thing its module may return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// What is named.
    named: Vec<(&'static str, Action)>,
    /// What holds for all else.
    default: Action,
}

/// Everything a module may return, in the order in which libpam compares the beginnings of what is written.
pub const RETURNS: [&str; 32] = [
    "success",
    "open_err",
    "symbol_err",
    "service_err",
    "system_err",
    "buf_err",
    "perm_denied",
    "auth_err",
    "cred_insufficient",
    "authinfo_unavail",
    "user_unknown",
    "maxtries",
    "new_authtok_reqd",
    "acct_expired",
    "session_err",
    "cred_unavail",
    "cred_expired",
    "cred_err",
    "no_module_data",
    "conv_err",
    "authtok_err",
    "authtok_recover_err",
    "authtok_lock_busy",
    "authtok_disable_aging",
    "try_again",
    "ignore",
    "abort",
    "authtok_expired",
    "module_unknown",
    "bad_item",
    "conv_again",
    "incomplete",
];

impl Control {
    /// A control that fails whatever is returned: what libpam makes of one it does not understand.
    #[must_use]
    pub fn bad() -> Self {
        Self { named: Vec::new(), default: Action::Bad }
    }

    /// Reads a control word, of either form. `None` for `include` and `substack`, which are no controls.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        use Action::{Bad, Die, Done, Ignore, Ok};
        let keyword = |named: &[(&'static str, Action)], default| Self { named: named.to_vec(), default };
        let ok = ("success", Ok);
        let new = ("new_authtok_reqd", Ok);
        Some(match word.to_ascii_lowercase().as_str() {
            "include" | "substack" => return None,
            "required" => keyword(&[ok, new, ("ignore", Ignore)], Bad),
            "requisite" => keyword(&[ok, new, ("ignore", Ignore)], Die),
            "optional" => keyword(&[ok, new], Ignore),
            "sufficient" => keyword(&[("success", Done), ("new_authtok_reqd", Done)], Ignore),
            _ => Self::of_pairs(word).unwrap_or_else(Self::bad),
        })
    }

    /// `value=action` pairs.
    fn of_pairs(text: &str) -> Option<Self> {
        let mut control = Self { named: Vec::new(), default: Action::Bad };
        let blank = |c: char| c.is_ascii_whitespace();
        let mut rest = text.trim_start_matches(blank);
        // `default` settles what was not named before it and what is never named, but not what is named after it.
        let mut default = None;
        while !rest.is_empty() {
            let name = RETURNS.iter().copied().chain(["default"]).find(|name| rest.starts_with(name))?;
            rest = rest.strip_prefix(name)?.trim_start_matches(blank).strip_prefix('=')?.trim_start_matches(blank);
            let words = [
                ("ignore", Action::Ignore),
                ("ok", Action::Ok),
                ("done", Action::Done),
                ("bad", Action::Bad),
                ("die", Action::Die),
                ("reset", Action::Reset),
            ];
            let action = match words.iter().find(|(word, _)| rest.starts_with(word)) {
                Some((word, action)) => {
                    rest = rest.strip_prefix(word)?;
                    *action
                }
                None => {
                    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                    let (digits, after) = rest.split_at(end);
                    rest = after;
                    match digits.parse().ok()? {
                        0 => return None,
                        count => Action::Jump(count),
                    }
                }
            };
            if name == "default" {
                default.get_or_insert(action);
            } else {
                control.named.push((name, action));
            }
            rest = rest.trim_start_matches(blank);
        }
        control.default = default.unwrap_or(Action::Bad);
        Some(control)
    }

    /// What is done for a return value.
    #[must_use]
    pub fn action(&self, returned: &str) -> Action {
        self.named.iter().rev().find(|(name, _)| *name == returned).map_or(self.default, |(_, action)| *action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u32, Vec<String>)> {
        lines(text.as_bytes()).lines.into_iter().map(|line| (line.number, line.words)).collect()
    }

    fn is(number: u32, words: &[&str]) -> (u32, Vec<String>) {
        (number, words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn lines_are_joined_and_comments_cut() {
        let text = "# auth required pam_unix.so\n\nauth\t[success=1 default=ignore]  pam_unix.so nullok # end\n\
            account required \\\n  # within\n\n  pam_x.so a=b\\\nc\nsession optional pam_y.so [a b\\] c] d \\ # not continued\n";
        assert_eq!(
            read(text),
            [
                is(3, &["auth", "success=1 default=ignore", "pam_unix.so", "nullok"]),
                is(4, &["account", "required", "pam_x.so", "a=b", "c"]),
                is(9, &["session", "optional", "pam_y.so", "a b] c", "d", "\\"]),
            ]
        );
    }

    #[test]
    fn a_file_must_not_end_within_a_line() {
        assert_eq!(lines(b"auth required pam_unix.so \\\n").broken, Some(1));
        assert_eq!(lines(b"auth required pam_unix.so \\\n# x").broken, Some(1));
        assert_eq!(lines(b"auth required pam_unix.so").broken, None);
        let long = format!("# {}\nauth required pam_unix.so\n", "x".repeat(LONGEST));
        assert_eq!(lines(long.as_bytes()).too_long, Some(1));
    }

    #[test]
    fn carriage_returns_and_nuls_stay_what_they_are_to_libpam() {
        assert_eq!(read("auth required pam_unix.so\r\n"), [is(1, &["auth", "required", "pam_unix.so\r"])]);
        assert_eq!(read("auth required pam_deny.so\0pam_x\n"), [is(1, &["auth", "required", "pam_deny.so"])]);
    }

    #[test]
    fn controls_mean_what_the_manual_says() {
        use Action::{Bad, Die, Done, Ignore, Jump, Ok};
        let of = |word: &str| {
            let control = Control::parse(word).unwrap();
            ["success", "new_authtok_reqd", "ignore", "auth_err"].map(|returned| control.action(returned))
        };
        assert_eq!(of("REQUIRED"), [Ok, Ok, Ignore, Bad]);
        assert_eq!(of("requisite"), [Ok, Ok, Ignore, Die]);
        assert_eq!(of("sufficient"), [Done, Done, Ignore, Ignore]);
        assert_eq!(of("optional"), [Ok, Ok, Ignore, Ignore]);
        assert_eq!(of("success=1 default=ignore"), [Jump(1), Ignore, Ignore, Ignore]);
        assert_eq!(of("success = ok  ignore=ignore"), [Ok, Bad, Ignore, Bad], "what is not named fails");
        assert_eq!(of("default=die success=2"), [Jump(2), Die, Die, Die]);
        for broken in ["nonsense", "success", "success=", "success=0", "success=-1", "success=x", "=ok", "success=99999999999"] {
            assert_eq!(of(broken), [Bad; 4], "{broken}");
        }
        assert!(Control::parse("include").is_none() && Control::parse("Substack").is_none());
    }

    #[test]
    fn cut_anywhere_nothing_breaks() {
        let text =
            "auth [success=1 default=ignore] pam_unix.so [a \\] b] \\\n x\r\n\0\u{fffd}@include common-auth\n-session optional".as_bytes();
        for end in 0..=text.len() {
            for line in lines(text.get(..end).unwrap()).lines {
                for word in &line.words {
                    let _ = Control::parse(word);
                }
            }
        }
        assert_eq!(lines(&vec![b'['; 1 << 20]).too_long, Some(1));
    }
}
