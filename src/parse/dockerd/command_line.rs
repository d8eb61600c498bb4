//! The command line of dockerd.

use super::options::{Shape, Spec, by_flag, by_short, flag_value};

/// The flags of one command line that dockerd knows, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommandLine {
    flags: Vec<(&'static str, String)>,
    unknown: Vec<String>,
}

impl CommandLine {
    /// Reads arguments, the program's own name left out.
    #[must_use]
    pub fn parse<T: AsRef<str>>(arguments: impl IntoIterator<Item = T>) -> Self {
        let mut line = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let argument = argument.as_ref();
            if argument == "--" {
                break;
            }
            let mut next = || arguments.next().map(|value| value.as_ref().to_owned());
            if let Some(long) = argument.strip_prefix("--") {
                line.long(long, &mut next);
            } else if let Some(letters) = argument.strip_prefix('-') {
                line.short(letters, &mut next);
            }
        }
        line
    }

    fn long(&mut self, argument: &str, next: &mut dyn FnMut() -> Option<String>) {
        let (name, value) = argument.split_once('=').map_or((argument, None), |(name, value)| (name, Some(value)));
        let Some(spec) = by_flag(name) else {
            self.unknown.push(format!("--{name}"));
            return;
        };
        match value {
            Some(value) => self.add(spec, value.to_owned()),
            None if spec.shape == Shape::Flag => self.add(spec, "true".to_owned()),
            None => {
                if let Some(value) = next() {
                    self.add(spec, value);
                }
            }
        }
    }

    /// Letters may be run together; the first that takes a value takes the rest.
    fn short(&mut self, letters: &str, next: &mut dyn FnMut() -> Option<String>) {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            let Some(spec) = by_short(letter) else {
                self.unknown.push(format!("-{letter}"));
                return;
            };
            let attached = rest.as_str();
            if let Some(value) = attached.strip_prefix('=') {
                return self.add(spec, value.to_owned());
            }
            if spec.shape == Shape::Flag {
                self.add(spec, "true".to_owned());
                continue;
            }
            if !attached.is_empty() {
                return self.add(spec, attached.to_owned());
            }
            if let Some(value) = next() {
                self.add(spec, value);
            }
            return;
        }
    }

    fn add(&mut self, spec: &'static Spec, value: String) {
        let value = match spec.shape {
            Shape::Flag => flag_value(&value).map_or(value, |flag| flag.to_string()),
            Shape::Scalar | Shape::List | Shape::Map => value,
        };
        self.flags.push((spec.key, value));
    }

    /// The values given for an option, by its name in daemon.json, in order; flags are `true` or `false`.
    pub fn values<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.flags.iter().filter(move |(name, _)| *name == key).map(|(_, value)| value.as_str())
    }

    /// The value of an option that holds one: the last given.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.flags.iter().rfind(|(name, _)| *name == key).map(|(_, value)| value.as_str())
    }

    /// Flags that are not in the table, by name.
    #[must_use]
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> CommandLine {
        CommandLine::parse(text.split(' '))
    }

    #[test]
    fn booleans_in_every_spelling() {
        for (given, is) in [("--icc", "true"), ("--icc=false", "false"), ("--icc=0", "false"), ("--icc=f", "false"), ("--icc=T", "true")] {
            assert_eq!(line(given).value("icc"), Some(is), "{given}");
        }
        assert_eq!(line("--icc false").value("icc"), Some("true"), "a boolean takes no separate value");
        assert_eq!(line("--icc=maybe").value("icc"), Some("maybe"));
        assert_eq!(line("--debug").value("icc"), None);
    }

    #[test]
    fn short_flags_alone_attached_and_run_together() {
        let line = line("-D -H tcp://1.2.3.4:1 -Hfd:// -H=unix:///x -l=warn -Dg /data");
        assert_eq!(line.values("hosts").collect::<Vec<_>>(), ["tcp://1.2.3.4:1", "fd://", "unix:///x"]);
        assert_eq!(line.value("log-level"), Some("warn"));
        assert_eq!(line.value("debug"), Some("true"));
        assert_eq!(line.value("data-root"), Some("/data"));
    }

    #[test]
    fn singular_flags_give_plural_options_and_the_last_scalar_wins() {
        let line = line("--insecure-registry a:5000 --insecure-registry=b --default-ulimit nofile=1:2 --log-level debug --log-level info");
        assert_eq!(line.values("insecure-registries").collect::<Vec<_>>(), ["a:5000", "b"]);
        assert_eq!(line.value("default-ulimits"), Some("nofile=1:2"));
        assert_eq!(line.value("log-level"), Some("info"));
    }

    #[test]
    fn unknown_flags_are_named_and_nothing_is_lost_after_them() {
        let line = line("--frobnicate 3 --icc=false -Z --host");
        assert_eq!(line.unknown(), ["--frobnicate", "-Z"]);
        assert_eq!(line.value("icc"), Some("false"));
        assert_eq!(line.value("hosts"), None, "a flag without its value sets nothing");
    }
}
