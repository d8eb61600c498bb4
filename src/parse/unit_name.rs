//! Names of systemd units: `PREFIX[@[INSTANCE]].TYPE`.

/// The types of unit there are files for.
const TYPES: [&str; 11] = ["service", "socket", "path", "timer", "target", "mount", "automount", "swap", "slice", "scope", "device"];

/// A unit's name, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitName<'a> {
    /// What stands before `@`, or before the type.
    pub prefix: &'a str,
    /// What stands behind `@`: empty for a template, `None` for a plain unit.
    pub instance: Option<&'a str>,
    /// Type, such as `service`.
    pub kind: &'a str,
}

impl<'a> UnitName<'a> {
    /// Takes a full name apart. `None` where it is the name of no unit.
    #[must_use]
    pub fn parse(name: &'a str) -> Option<Self> {
        let (stem, kind) = name.rsplit_once('.')?;
        let (prefix, instance) = stem.split_once('@').map_or((stem, None), |(prefix, instance)| (prefix, Some(instance)));
        (TYPES.contains(&kind) && !prefix.is_empty() && !name.contains('/')).then_some(Self { prefix, instance, kind })
    }

    /// Whether it is a template, which starts only as an instance.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.instance == Some("")
    }

    /// The template of an instance.
    #[must_use]
    pub fn template(&self) -> Option<String> {
        self.instance.filter(|instance| !instance.is_empty()).map(|_| format!("{}@.{}", self.prefix, self.kind))
    }

    /// The unit of another type with the same name, such as the service a socket starts.
    #[must_use]
    pub fn with_kind(&self, kind: &str) -> String {
        match self.instance {
            Some(instance) => format!("{}@{instance}.{kind}", self.prefix),
            None => format!("{}.{kind}", self.prefix),
        }
    }

    /// The names whose drop-in directories apply, the most particular first: the unit, its template, then both for each
    /// prefix that ends in a dash (`a-b-c.service`: `a-b-.service`, `a-.service`). The type's own comes after all of them.
    #[must_use]
    pub fn dropin_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut prefix = self.prefix;
        loop {
            let here = UnitName { prefix, ..*self };
            names.push(here.with_kind(self.kind));
            names.extend(here.template());
            let shorter = prefix.trim_end_matches('-').rfind('-').and_then(|at| prefix.get(..=at));
            match shorter.filter(|shorter| !shorter.trim_matches('-').is_empty()) {
                Some(shorter) => prefix = shorter,
                None => return names,
            }
        }
    }

    /// Puts in the specifiers that come from the name alone: `%i`, `%I`, `%p`, `%P`, `%j`, `%n`, `%N`, and `%t` as the
    /// system manager has it. `None` where another one is left.
    #[must_use]
    pub fn expand(&self, text: &str) -> Option<String> {
        let mut made = String::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            if c != '%' {
                made.push(c);
                continue;
            }
            match rest.next()? {
                '%' => made.push('%'),
                'i' => made.push_str(self.instance.unwrap_or_default()),
                'I' => made.push_str(&unescape(self.instance.unwrap_or_default())),
                'p' => made.push_str(self.prefix),
                'P' => made.push_str(&unescape(self.prefix)),
                'j' => made.push_str(self.prefix.rsplit('-').next().unwrap_or_default()),
                'n' => made.push_str(&self.with_kind(self.kind)),
                'N' => made.push_str(self.with_kind(self.kind).strip_suffix(self.kind)?.strip_suffix('.')?),
                't' => made.push_str("/run"),
                _ => return None,
            }
        }
        Some(made)
    }
}

/// The full name of what a person calls a unit: `.service` may be left out.
#[must_use]
pub fn full(name: &str) -> String {
    if UnitName::parse(name).is_some() { name.to_owned() } else { format!("{name}.service") }
}

/// The name a person calls a unit by: without `.service`.
#[must_use]
pub fn short(name: &str) -> &str {
    name.strip_suffix(".service").unwrap_or(name)
}

/// Takes back how a path is written in a name: `-` for `/`, `\xHH` for any byte.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let code = rest.strip_prefix("\\x").and_then(|hex| hex.get(..2)).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let taken = match code {
            Some(byte) => {
                bytes.push(byte);
                4
            }
            None => {
                bytes.extend(if c == '-' { "/" } else { rest.get(..c.len_utf8()).unwrap_or_default() }.bytes());
                c.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let name = UnitName::parse("getty@tty1.service").unwrap();
        assert_eq!((name.prefix, name.instance, name.kind), ("getty", Some("tty1"), "service"));
        assert_eq!(name.template().as_deref(), Some("getty@.service"));
        assert!(UnitName::parse("getty@.service").unwrap().is_template());
        assert_eq!(UnitName::parse("docker.socket").unwrap().with_kind("service"), "docker.service");
        assert_eq!(UnitName::parse("a@b.socket").unwrap().with_kind("service"), "a@b.service");
        assert!(UnitName::parse("docker").is_none() && UnitName::parse("x.conf").is_none() && UnitName::parse(".service").is_none());
        assert_eq!(
            (full("docker"), full("docker.socket"), full("org.x")),
            ("docker.service".into(), "docker.socket".into(), "org.x.service".into())
        );
        assert_eq!((short("docker.service"), short("docker.socket")), ("docker", "docker.socket"));
    }

    #[test]
    fn drop_ins_go_by_dashes_and_templates() {
        let names = |name: &str| UnitName::parse(name).unwrap().dropin_names();
        assert_eq!(names("a-b-c.service"), ["a-b-c.service", "a-b-.service", "a-.service"]);
        assert_eq!(names("a-b@x-y.service"), ["a-b@x-y.service", "a-b@.service", "a-@x-y.service", "a-@.service"]);
        assert_eq!(names("-.mount"), ["-.mount"]);
    }

    #[test]
    fn specifiers_of_the_name_are_put_in() {
        let name = UnitName::parse("a-b@dev-sd\\x2da.service").unwrap();
        assert_eq!(name.expand("%p|%i|%I|%j|%%|%t/x|%n").unwrap(), "a-b|dev-sd\\x2da|dev/sd-a|b|%|/run/x|a-b@dev-sd\\x2da.service");
        assert_eq!(name.expand("%H"), None);
        assert_eq!(name.expand("%"), None);
    }
}
