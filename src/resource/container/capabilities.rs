//! Capabilities by declaration: the engine's default set, what is added and what is dropped.

use crate::fact::Text;
use crate::parse::engine_json::HostConfig;
use crate::parse::process::{CAPABILITIES, capability_names};
use crate::resource::docker::Kind;

/// What Docker gives a container that asks for nothing.
const DOCKER: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// What Podman gives, since version 4.
const PODMAN: [&str; 11] =
    ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"];

/// The capabilities of a container by its declaration, as masks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::resource) struct Declared {
    /// What it may use at all; every bit where all are, those no kernel has named yet included.
    pub(in crate::resource) all: u64,
    /// What of it is beyond the engine's default set.
    pub(super) added: u64,
}

impl Declared {
    /// Considers adds and drops in the engine's order: adding `ALL` first, then dropping `ALL`, then single ones.
    /// Unknown names are left out: the engine refuses them.
    pub(super) fn of(kind: Kind, config: &HostConfig) -> Self {
        let default = match kind {
            Kind::Docker => mask(DOCKER),
            Kind::Podman => mask(PODMAN),
        };
        let (added, dropped) = (config.cap_add.iter().map(String::as_str), config.cap_drop.iter().map(String::as_str));
        let all = if config.privileged {
            u64::MAX
        } else if added.clone().any(is_all) {
            !mask(dropped)
        } else if dropped.clone().any(is_all) {
            mask(added)
        } else {
            (default & !mask(dropped)) | mask(added)
        };
        Self { all, added: all & !default }
    }

    /// Names of the capabilities it may use; `ALL` where all are.
    pub(super) fn names(self) -> Vec<Text> {
        names(self.all, self.all == u64::MAX)
    }

    /// Names of those beyond the default set; `ALL` where all are.
    pub(super) fn added_names(self) -> Vec<Text> {
        names(self.added, self.all == u64::MAX)
    }
}

fn names(mask: u64, all: bool) -> Vec<Text> {
    if all { vec!["ALL".into()] } else { capability_names(mask).into_iter().map(Text::from).collect() }
}

fn is_all(name: &str) -> bool {
    bare(name).eq_ignore_ascii_case("ALL")
}

fn bare(name: &str) -> &str {
    match name.split_at_checked(4) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("CAP_") => rest,
        _ => name,
    }
}

fn mask<'a>(names: impl IntoIterator<Item = &'a str>) -> u64 {
    let bit = |name: &str| CAPABILITIES.iter().position(|known| known.eq_ignore_ascii_case(bare(name)));
    names.into_iter().filter_map(bit).fold(0, |mask, bit| mask | 1 << bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(json: &str) -> Declared {
        Declared::of(Kind::Docker, &serde_json::from_str(json).unwrap())
    }

    fn raw(names: Vec<Text>) -> Vec<String> {
        names.iter().map(|name| name.raw().to_owned()).collect()
    }

    #[test]
    fn prefix_and_case_do_not_matter() {
        for name in ["SYS_ADMIN", "CAP_SYS_ADMIN", "sys_admin", "cap_sys_admin"] {
            assert_eq!(raw(declared(&format!(r#"{{"CapAdd":["{name}"]}}"#)).added_names()), ["SYS_ADMIN"], "{name}");
        }
    }

    #[test]
    fn a_default_capability_added_after_all_are_dropped_is_not_beyond_the_default() {
        let read = declared(r#"{"CapDrop":["all"],"CapAdd":["NET_BIND_SERVICE"]}"#);
        assert_eq!((raw(read.names()), raw(read.added_names())), (vec!["NET_BIND_SERVICE".into()], vec![]));
    }

    #[test]
    fn privileged_and_all_say_all() {
        assert_eq!(raw(declared(r#"{"Privileged":true,"CapAdd":null}"#).added_names()), ["ALL"]);
        assert_eq!(raw(declared(r#"{"CapAdd":["CAP_ALL"]}"#).names()), ["ALL"]);
        let most = declared(r#"{"CapAdd":["ALL"],"CapDrop":["SYS_ADMIN"]}"#);
        assert!(!raw(most.names()).contains(&"SYS_ADMIN".to_owned()) && raw(most.added_names()).contains(&"BPF".to_owned()));
    }

    #[test]
    fn the_default_set_without_what_is_dropped() {
        assert_eq!(declared("{}").names().len(), 14);
        assert!(declared("{}").added_names().is_empty());
        assert_eq!(declared(r#"{"CapDrop":["NET_RAW"]}"#).names().len(), 13);
        assert_eq!(Declared::of(Kind::Podman, &HostConfig::default()).names().len(), 11);
    }
}
