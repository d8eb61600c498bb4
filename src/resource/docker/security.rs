//! The security options an engine lists about itself.

use super::Document;
use crate::fact::{Fact, Gap, Origin, Reason, Text};

/// The list, such as `name=seccomp,profile=builtin`. Very old engines write `seccomp` alone.
pub(in crate::resource) struct Options(Fact<Vec<Text>>);

impl Options {
    pub(in crate::resource) fn of(info: &Document) -> Self {
        Self(info.texts("/SecurityOptions"))
    }

    /// Whether one is listed.
    pub(in crate::resource) fn has(&self, name: &str) -> Fact<bool> {
        self.0.as_ref().map(|options| options.iter().any(|option| named(option.raw()) == name))
    }

    /// The profile that confines containers which ask for none. Absent where seccomp is off.
    pub(in crate::resource) fn seccomp_profile(&self) -> Fact<Text> {
        self.0.as_ref().and_then(|options, origin| {
            let Some(option) = options.iter().map(Text::raw).find(|option| named(option) == "seccomp") else {
                return Fact::Absent(origin);
            };
            match option.split(',').find_map(|part| part.strip_prefix("profile=")) {
                // Its name until 20.10.
                Some("default") => Fact::Known("builtin".into(), origin),
                Some(profile) => Fact::Known(profile.into(), origin),
                None => Fact::Unknown(unnamed(origin)),
            }
        })
    }
}

fn unnamed(origin: Origin) -> Gap {
    Gap::new(origin, Reason::unsupported("the engine does not tell which seccomp profile it uses"))
}

fn named(option: &str) -> &str {
    let first = option.split(',').next().unwrap_or_default();
    first.strip_prefix("name=").unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(list: &[&str]) -> Options {
        Options(Fact::Known(list.iter().map(|option| Text::from(*option)).collect(), Origin::Derived))
    }

    fn profile(list: &[&str]) -> Option<String> {
        options(list).seccomp_profile().known().map(|profile| profile.raw().to_owned())
    }

    #[test]
    fn old_and_new_names_of_the_default_profile_are_one() {
        assert_eq!(profile(&["name=apparmor", "name=seccomp,profile=default"]).as_deref(), Some("builtin"));
        assert_eq!(profile(&["name=seccomp,profile=builtin"]).as_deref(), Some("builtin"));
        assert_eq!(profile(&["name=seccomp,profile=unconfined"]).as_deref(), Some("unconfined"));
        assert_eq!(profile(&["name=seccomp,profile=/etc/p.json"]).as_deref(), Some("/etc/p.json"));
        assert_eq!(options(&["name=apparmor"]).seccomp_profile(), Fact::Absent(Origin::Derived));
        assert!(matches!(options(&["seccomp"]).seccomp_profile(), Fact::Unknown(_)));
    }

    #[test]
    fn rootless_is_not_remapping() {
        assert_eq!(options(&["name=rootless"]).has("userns").known(), Some(&false));
        assert_eq!(options(&["name=userns"]).has("userns").known(), Some(&true));
        assert_eq!(options(&["name=cgroupns"]).has("cgroup").known(), Some(&false));
    }
}
