//! What `pam_pwquality` demands of a new password: its arguments, over `pwquality.conf`, over the files of `pwquality.conf.d`.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, Origin, Reason, Setting, Text, record};
use crate::parse::security_conf;

use super::layered::Layered;
use super::{Context, Resource, Selector, pam};

record! {
    /// One demand of `pam_pwquality` in one of the stacks that change passwords; one record without a service where no stack calls it.
    pub struct Demand("pwquality") {
        /// Name of the option, such as `minlen`. `shortest` is made up: the fewest characters that pass, `minlen` less all positive credits.
        option: Text,
        /// Value in force; flags are `true` or `false`. Absent where it is not set and the library has no default.
        value: Setting,
        /// Where it comes from: `argument`, `file` or `default`; absent without a value.
        source: Text,
        /// The service whose stack it is; absent where no stack calls the module.
        service: Text,
        /// Whether the module is called by a line that can run.
        in_effect: Flag,
    }
}

/// Finds the records.
pub struct Pwquality;

impl Resource for Pwquality {
    type Row = Demand;
    const SELECTOR: &'static str = "the name of an option, such as `minlen`; one record for each stack that calls the module";
    const ENUMERABLE: bool = false;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let Selector::Keys(keys) = of else {
            return Err(Gap::new(Origin::file(CONF), Reason::unsupported("options are asked for by name")));
        };
        let files = files(context);
        let mut rows = Vec::new();
        let mut called = false;
        for (service, stack) in pam::shared(context, "password-change")? {
            for (_, line) in stack.calls(MODULE) {
                called = true;
                let told = Told::of(&files, &line.arguments, &line.origin);
                let service = Fact::Known(Text::from(service.as_str()), line.origin.clone());
                rows.extend(keys.iter().map(|key| row(&told, key, service.clone(), Fact::Known(true, line.origin.clone()))));
            }
            if !called {
                let here = Origin::file(format!("/etc/pam.d/{service}"));
                let told = Told::of(&files, &[], &here);
                let service = Fact::Known(Text::from(service.as_str()), here.clone());
                rows.extend(keys.iter().map(|key| row(&told, key, service.clone(), Fact::Known(false, here.clone()))));
            }
            called = false;
        }
        Ok(rows)
    }
}

const MODULE: &str = "pam_pwquality.so";
const CONF: &str = "/etc/security/pwquality.conf";
const CONF_D: &str = "/etc/security/pwquality.conf.d";

/// Options that are numbers, and what holds without them.
const NUMBERS: [(&str, i64); 16] = [
    ("difok", 1),
    ("minlen", 8),
    ("dcredit", 0),
    ("ucredit", 0),
    ("lcredit", 0),
    ("ocredit", 0),
    ("minclass", 0),
    ("maxrepeat", 0),
    ("maxclassrepeat", 0),
    ("maxsequence", 0),
    ("gecoscheck", 0),
    ("dictcheck", 1),
    ("usercheck", 1),
    ("usersubstr", 0),
    ("enforcing", 1),
    ("retry", 1),
];
const FLAGS: [&str; 2] = ["enforce_for_root", "local_users_only"];
const WORDS: [&str; 2] = ["badwords", "dictpath"];
const CREDITS: [&str; 4] = ["dcredit", "ucredit", "lcredit", "ocredit"];

/// The library takes a shorter minimum for this one.
const LEAST: i64 = 6;

/// What is set, in the order in which it is set.
type Set = Vec<(String, String, Origin)>;

/// What the files set, or why that is not known. The library stops at the first line it does not understand, and then reads no
/// further file either: neither the rest of the directory nor, after it, `pwquality.conf`.
fn files(context: &Context<'_>) -> Result<Set, Gap> {
    let directory = Layered::of(context.host, [CONF_D], ".conf");
    if let Some(gap) = directory.gaps.into_iter().next() {
        return Err(gap);
    }
    let mut set = Set::new();
    for path in directory.files.into_values().chain([PathBuf::from(CONF)]) {
        let bytes = match context.host.read(&path) {
            Fact::Known(bytes, _) => bytes,
            Fact::Absent(_) => continue,
            Fact::Unknown(gap) => return Err(gap),
        };
        if !file(&path, &bytes, &mut set)? {
            break;
        }
    }
    Ok(set)
}

/// Adds what a file sets. `false` where the library stops in it.
fn file(path: &Path, bytes: &[u8], set: &mut Set) -> Result<bool, Gap> {
    let (lines, too_long) = security_conf::parse(bytes);
    for line in lines {
        if !is_sound(&line.name, &line.value) {
            return Ok(false);
        }
        set.push((line.name.to_ascii_lowercase(), line.value, Origin::line(path, line.line)));
    }
    match too_long {
        Some(line) => {
            Err(Gap::new(Origin::line(path, line), Reason::unsupported("a line is longer than some versions of the library read")))
        }
        None => Ok(true),
    }
}

/// Whether the library takes an assignment.
fn is_sound(name: &str, value: &str) -> bool {
    let known = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    if NUMBERS.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return number(value).is_some();
    }
    known(&FLAGS) || known(&WORDS)
}

/// A number that fills the whole value, blanks before it allowed.
fn number(value: &str) -> Option<i64> {
    value.trim_start().parse::<i32>().ok().filter(|number| *number < i32::MAX && *number > i32::MIN).map(i64::from)
}

/// What a call of the module is told by everything there is.
struct Told {
    set: Result<Set, Gap>,
    arguments: usize,
}

impl Told {
    fn of(files: &Result<Set, Gap>, arguments: &[Text], origin: &Origin) -> Self {
        // A wrong argument is passed over, unlike a wrong line.
        let told = arguments.iter().filter_map(|argument| {
            let (name, value) = argument.raw().split_once('=').unwrap_or((argument.raw(), ""));
            is_sound(name, value).then(|| (name.to_ascii_lowercase(), value.to_owned(), origin.clone()))
        });
        let told: Set = told.collect();
        let arguments = told.len();
        let set = match files {
            Ok(set) => Ok(set.iter().cloned().chain(told).collect()),
            Err(gap) => Err(gap.clone()),
        };
        Self { set, arguments }
    }

    /// The value that counts, and where it comes from.
    fn value(&self, option: &str) -> Fact<(Text, &'static str)> {
        let set = match &self.set {
            Ok(set) => set,
            Err(gap) => return Fact::Unknown(gap.clone()),
        };
        let default = || Origin::default_of("libpwquality");
        let number_of_option = NUMBERS.iter().find(|(name, _)| *name == option);
        let is_flag = FLAGS.contains(&option);
        let Some((place, (_, value, origin))) = set.iter().enumerate().rev().find(|(_, (name, ..))| name == option) else {
            return match number_of_option {
                Some((_, number)) => Fact::Known((number.to_string().into(), "default"), default()),
                None if is_flag => Fact::Known(("false".into(), "default"), default()),
                None => Fact::Absent(Origin::file(CONF)),
            };
        };
        let source = if place >= set.len() - self.arguments { "argument" } else { "file" };
        let value = match number(value) {
            // A flag is on once it is named, whatever is written after it.
            _ if is_flag => "true".to_owned(),
            Some(number) if option == "minlen" => number.max(LEAST).to_string(),
            Some(number) if number_of_option.is_some() => number.to_string(),
            _ => value.clone(),
        };
        Fact::Known((value.into(), source), origin.clone())
    }

    /// The fewest characters that pass: each class may be worth up to its positive credit, for that many characters.
    fn shortest(&self) -> Fact<(Text, &'static str)> {
        let number = |option: &str| self.value(option).known().and_then(|(value, _)| value.raw().parse::<i64>().ok()).unwrap_or_default();
        let credit: i64 = CREDITS.iter().map(|option| number(option).max(0)).sum();
        self.value("minlen").map(|(_, source)| ((number("minlen") - credit).max(LEAST).to_string().into(), source))
    }
}

fn row(told: &Told, option: &str, service: Fact<Text>, in_effect: Fact<bool>) -> Demand {
    let value = if option == "shortest" { told.shortest() } else { told.value(option) };
    Demand {
        option: Fact::Known(option.into(), Origin::file(CONF)),
        source: value.clone().map(|(_, source)| source.into()),
        value: value.map(|(value, _)| Setting(value)),
        service,
        in_effect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn host(arguments: &str) -> Memory {
        Memory::new().file("/etc/pam.d/common-password", format!("password requisite pam_pwquality.so {arguments}\npassword required pam_unix.so\n"))
    }

    fn row(host: &Memory, option: &str) -> Demand {
        Pwquality::collect(&Context::new(host), &Selector::Keys(vec![option.into()])).unwrap().remove(0)
    }

    fn value(host: &Memory, option: &str) -> (String, String) {
        let row = row(host, option);
        (row.value.known().unwrap().0.raw().to_owned(), row.source.known().unwrap().raw().to_owned())
    }

    fn is(value: &str, source: &str) -> (String, String) {
        (value.to_owned(), source.to_owned())
    }

    #[test]
    fn arguments_over_the_file_over_the_directory() {
        let files = |host: Memory| {
            host.file(CONF, "# minlen = 99\nminlen = 12\nminlen = 15 \n")
                .file("/etc/security/pwquality.conf.d/50-a.conf", "minlen=20\ndifok = 3\n")
                .file("/etc/security/pwquality.conf.d/60-b.conf", "difok = 4\n")
                .file("/etc/security/pwquality.conf.d/70-c.conf.bak", "difok = 9\n")
        };
        assert_eq!(value(&files(host("")), "minlen"), is("15", "file"));
        assert_eq!(row(&files(host("")), "minlen").value.origin(), &Origin::line(CONF, 3));
        assert_eq!(value(&files(host("")), "difok"), is("4", "file"));
        assert_eq!(value(&files(host("retry=3 minlen=10")), "minlen"), is("10", "argument"));
        assert_eq!(value(&host(""), "minlen"), is("8", "default"));
        assert_eq!(row(&host(""), "minlen").value.origin(), &Origin::default_of("libpwquality"));
    }

    #[test]
    fn a_wrong_line_hides_what_follows_and_a_wrong_argument_does_not() {
        let wrong = host("").file(CONF, "minlen = 14\nmaxrepeat = many\ndifok = 5\n");
        assert_eq!((value(&wrong, "minlen"), value(&wrong, "difok")), (is("14", "file"), is("1", "default")));
        let wrong = host("").file(CONF, "minlen = 14\n").file("/etc/security/pwquality.conf.d/a.conf", "nonsense\n");
        assert_eq!(value(&wrong, "minlen"), is("8", "default"), "the file after it is not read either");
        assert_eq!(value(&host("minlen=x difok=7"), "difok"), is("7", "argument"));
        assert_eq!(value(&host("minlen=x"), "minlen"), is("8", "default"));
    }

    #[test]
    fn flags_are_on_once_named() {
        assert_eq!(value(&host(""), "enforce_for_root"), is("false", "default"));
        assert_eq!(value(&host("enforce_for_root"), "enforce_for_root"), is("true", "argument"));
        assert_eq!(value(&host("").file(CONF, "enforce_for_root = 0\n"), "enforce_for_root"), is("true", "file"));
    }

    #[test]
    fn credits_shorten_the_shortest() {
        assert_eq!(value(&host("minlen=14"), "shortest"), is("14", "argument"));
        assert_eq!(value(&host("minlen=14 dcredit=1 ucredit=2 ocredit=-1"), "shortest"), is("11", "argument"));
        assert_eq!(value(&host("minlen=7 lcredit=9"), "shortest"), is("6", "argument"));
        assert_eq!(value(&host("minlen=2"), "minlen"), is("6", "argument"), "the library knows no shorter one");
    }

    #[test]
    fn without_a_call_nothing_is_in_effect() {
        let host = Memory::new().file("/etc/pam.d/common-password", "password required pam_unix.so\n").file(CONF, "minlen=14\n");
        assert_eq!((value(&host, "minlen"), row(&host, "minlen").in_effect.known()), (is("14", "file"), Some(&false)));
        let closed = host.gap(CONF, Reason::Denied);
        assert!(matches!(row(&closed, "minlen").value, Fact::Unknown(_)));
    }
}
