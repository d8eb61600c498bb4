//! Values: what the arguments of an option mean, in the one way they are kept.

use super::options::{Shape, Spec};

/// What one line sets an option to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setting {
    /// The value as one text, as `sshd -T` prints it.
    pub text: String,
    /// Its elements; of an option that is no list the one value.
    pub values: Vec<String>,
}

impl Setting {
    /// A value of one element.
    #[must_use]
    pub fn one(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { values: vec![text.clone()], text }
    }

    /// A list.
    #[must_use]
    pub fn list(values: Vec<String>, between: &str) -> Self {
        Self { text: values.join(between), values }
    }
}

/// What the words behind a keyword set the option to, or why sshd refuses them. Lists of algorithms stay as they are written.
///
/// # Errors
/// What is wrong with them.
pub fn normalise(spec: &Spec, words: &[String], rest: &str) -> Result<Setting, &'static str> {
    let every = || if words.is_empty() || words.iter().any(String::is_empty) { Err("an empty argument") } else { Ok(words.to_vec()) };
    let first = || words.first().filter(|word| !word.is_empty()).map(String::as_str).ok_or("an empty argument");
    let most = |most: usize| if words.len() > most { Err("too many arguments") } else { Ok(()) };
    let one = || first().and_then(|word| most(1).map(|()| word));
    match spec.shape {
        Shape::Words(accepted) | Shape::LastWord(accepted) => {
            let word = one()?;
            let found = accepted.iter().find(|(written, _)| word.eq_ignore_ascii_case(written));
            found.map(|(_, kept)| Setting::one(*kept)).ok_or("a word it does not take")
        }
        Shape::Integer => number(one()?).map(|number| Setting::one(number.to_string())),
        Shape::Time => seconds(one()?).map(|seconds| Setting::one(seconds.to_string())),
        Shape::TimeOrNone if first()?.eq_ignore_ascii_case("none") => one().map(|_| Setting::one("none")),
        Shape::TimeOrNone => {
            seconds(one()?).map(|seconds| Setting::one(if seconds == 0 { "none".to_owned() } else { seconds.to_string() }))
        }
        Shape::Text | Shape::Path => {
            let word = one()?;
            Ok(Setting::one(if word.eq_ignore_ascii_case("none") { "none" } else { word }))
        }
        Shape::Octal => {
            let bits = u32::from_str_radix(one()?, 8).ok().filter(|bits| *bits <= 0o777).ok_or("no permission bits")?;
            Ok(Setting::one(format!("{bits:04o}")))
        }
        Shape::Rest => Ok(Setting::one(if rest.eq_ignore_ascii_case("none") { "none" } else { rest })),
        Shape::Algorithms(_) => Ok(Setting::list(one()?.split(',').map(str::to_owned).collect(), ",")),
        Shape::List | Shape::Every => Ok(Setting::list(every()?, " ")),
        Shape::Listens => {
            let bare = |word: String| if word.bytes().all(|b| b.is_ascii_digit()) { format!("*:{word}") } else { word };
            Ok(Setting::list(every()?.into_iter().map(bare).collect(), " "))
        }
        Shape::EveryFirst => {
            let word = one()?;
            if spec.name == "Port" && !number(word).is_ok_and(|port| (1..=65535).contains(&port)) {
                return Err("no port");
            }
            Ok(Setting::one(word))
        }
        Shape::Subsystems => {
            let words = every()?;
            if words.len() < 2 { Err("a subsystem without a command") } else { Ok(Setting::one(words.join(" "))) }
        }
        Shape::Startups => startups(one()?).map(Setting::one),
        Shape::Blocks => blocks(one()?).map(Setting::one),
        Shape::NumberOrNone if one()? == "none" => Ok(Setting::one("none")),
        Shape::NumberOrNone => number(one()?).map(|number| Setting::one(number.to_string())),
        Shape::Rekey => {
            most(2)?;
            let data = if first()? == "default" { 0 } else { amount(first()?)? };
            let time = words.get(1).filter(|word| *word != "none").map_or(Ok(0), |word| seconds(word))?;
            Ok(Setting::one(format!("{data} {time}")))
        }
        Shape::UserEnvironment => one().map(Setting::one),
    }
}

fn number(word: &str) -> Result<i64, &'static str> {
    let digits = word.strip_prefix('+').unwrap_or(word);
    let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i64>().ok()).flatten();
    number.filter(|number| *number <= i64::from(i32::MAX)).ok_or("no whole number")
}

/// Seconds of a time: numbers, each with a unit or none for seconds, added up.
fn seconds(word: &str) -> Result<i64, &'static str> {
    const REFUSED: &str = "no time";
    let mut total: i64 = 0;
    let mut rest = word;
    if rest.is_empty() {
        return Err(REFUSED);
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(end);
        let number: i64 = digits.parse().map_err(|_| REFUSED)?;
        let mut after = after.chars();
        let unit = match after.next() {
            None => 1,
            Some('s' | 'S') => 1,
            Some('m' | 'M') => 60,
            Some('h' | 'H') => 3_600,
            Some('d' | 'D') => 86_400,
            Some('w' | 'W') => 604_800,
            Some(_) => return Err(REFUSED),
        };
        total = number.checked_mul(unit).and_then(|more| total.checked_add(more)).ok_or(REFUSED)?;
        if total > i64::from(i32::MAX) {
            return Err(REFUSED);
        }
        rest = after.as_str();
    }
    Ok(total)
}

/// Bytes of an amount such as `1G`.
fn amount(word: &str) -> Result<i64, &'static str> {
    const REFUSED: &str = "no amount of data";
    let (digits, shift) = match word.char_indices().next_back().ok_or(REFUSED)? {
        (_, last) if last.is_ascii_digit() => (word, 0),
        (at, last) => {
            let shift = match last.to_ascii_uppercase() {
                'B' => 0,
                'K' => 10,
                'M' => 20,
                'G' => 30,
                'T' => 40,
                'P' => 50,
                'E' => 60,
                _ => return Err(REFUSED),
            };
            (word.split_at(at).0, shift)
        }
    };
    let number: i64 = digits.parse().map_err(|_| REFUSED)?;
    let bytes = number.checked_mul(1 << shift).filter(|bytes| *bytes >= 0).ok_or(REFUSED)?;
    if bytes != 0 && bytes < 16 { Err("too small an amount of data") } else { Ok(bytes) }
}

fn startups(word: &str) -> Result<String, &'static str> {
    const REFUSED: &str = "neither a number nor start:rate:full";
    let parts = word.split(':').map(number).collect::<Result<Vec<i64>, _>>().map_err(|_| REFUSED)?;
    match *parts.as_slice() {
        // The rate stays what it is by default.
        [all] if all > 0 => Ok(format!("{all}:30:{all}")),
        [start, rate, full] if start > 0 && start <= full && (1..=100).contains(&rate) => Ok(format!("{start}:{rate}:{full}")),
        _ => Err(REFUSED),
    }
}

fn blocks(word: &str) -> Result<String, &'static str> {
    const REFUSED: &str = "no sizes of networks";
    let parts = word.split(':').map(number).collect::<Result<Vec<i64>, _>>().map_err(|_| REFUSED)?;
    match *parts.as_slice() {
        [four] if four <= 32 => Ok(format!("{four}:128")),
        [four, six] if four <= 32 && six <= 128 => Ok(format!("{four}:{six}")),
        _ => Err(REFUSED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::sshd::by_keyword;

    fn set(line: &str) -> Result<String, &'static str> {
        let said = crate::parse::sshd::directive(line).unwrap()?;
        normalise(by_keyword(&said.keyword).unwrap(), &said.arguments, &said.rest).map(|setting| setting.text)
    }

    #[test]
    fn values_are_kept_in_one_way() {
        for (line, kept) in [
            ("LoginGraceTime 1m30s", "90"),
            ("LoginGraceTime 1h", "3600"),
            ("LoginGraceTime 0", "0"),
            ("PermitRootLogin WITHOUT-password", "prohibit-password"),
            ("AllowTcpForwarding All", "yes"),
            ("LogLevel verbose", "VERBOSE"),
            ("MaxStartups 5", "5:30:5"),
            ("MaxStartups 10:30:60", "10:30:60"),
            ("StreamLocalBindMask 177", "0177"),
            ("RekeyLimit 1G 1h", "1073741824 3600"),
            ("RekeyLimit default none", "0 0"),
            ("PermitListen 8080 localhost:1", "*:8080 localhost:1"),
            ("PerSourceNetBlockSize 24", "24:128"),
            ("PermitUserEnvironment No", "No"),
            ("Banner NONE", "none"),
            ("ForceCommand internal-sftp -l INFO", "internal-sftp -l INFO"),
            ("Subsystem sftp \"/usr/lib/sftp\" -x", "sftp /usr/lib/sftp -x"),
            ("UnusedConnectionTimeout 0", "none"),
        ] {
            assert_eq!(set(line).as_deref(), Ok(kept), "{line}");
        }
    }

    #[test]
    fn what_sshd_refuses_has_no_value() {
        for line in [
            "LoginGraceTime 1x",
            "LoginGraceTime -1",
            "LoginGraceTime 99999999w",
            "MaxAuthTries four",
            "MaxAuthTries -1",
            "MaxAuthTries 4 5",
            "MaxAuthTries 99999999999",
            "MaxStartups 10:0:20",
            "MaxStartups 30:30:20",
            "MaxStartups 0",
            "MaxStartups 1:2",
            "UsePAM maybe",
            "PermitRootLogin yes no",
            "Port 0",
            "Port 70000",
            "AllowUsers \"\"",
            "StreamLocalBindMask 888",
            "RekeyLimit 3",
            "RekeyLimit x",
            "Subsystem sftp",
        ] {
            assert!(set(line).is_err(), "{line}");
        }
    }
}
