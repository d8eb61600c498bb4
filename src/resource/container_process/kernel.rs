//! What the kernel says of one process in a container: its ids inside, and what confines it.

use std::path::Path;

use crate::fact::{Fact, Gap, Text};
use crate::host::Host;
use crate::parse::process::IdMap;
use crate::resource::container::label_confines;
use crate::resource::kernel::SecurityModules;
use crate::resource::process_table::file;

/// How the user ids of a process's user namespace map to those of the host.
pub(super) fn uid_map(host: &dyn Host, pid: i32) -> Fact<IdMap> {
    host.read(&file(pid, "uid_map")).and_then(|bytes, origin| match IdMap::parse(&bytes) {
        Ok(map) => Fact::Known(map, origin),
        Err(reason) => Fact::Unknown(Gap::new(origin, reason)),
    })
}

/// The profile or label a process runs under, and whether it confines; absent where the kernel runs neither security module.
pub(super) fn confinement(host: &dyn Host, modules: &SecurityModules, pid: i32) -> (Fact<Text>, Fact<bool>) {
    let text = |path: &Path| host.read(path).map(|bytes| String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\0']).to_owned());
    let both = |label: Fact<String>, confines: fn(&str) -> bool| {
        let confined = label.as_ref().map(|label| confines(label));
        (label.map(Text::from), confined)
    };
    match (&modules.apparmor, &modules.selinux) {
        (Fact::Known(true, _), _) => {
            let own = text(&file(pid, "attr/apparmor/current"));
            both(if let Fact::Absent(_) = own { text(&file(pid, "attr/current")) } else { own }, profile_confines)
        }
        (_, Fact::Known(true, _)) => {
            let (label, confined) = both(text(&file(pid, "attr/current")), label_confines);
            // In permissive mode SELinux only takes notes.
            let enforced = confined.and_then(|confines, _| modules.selinux_enforcing.clone().map(|enforces| confines && enforces));
            (label, enforced)
        }
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => (Fact::Unknown(gap.clone()), Fact::Unknown(gap.clone())),
        (apparmor, _) => (Fact::Absent(apparmor.origin().clone()), Fact::Absent(apparmor.origin().clone())),
    }
}

/// Whether an AppArmor profile, `NAME (MODE)`, confines: one that only complains does not.
fn profile_confines(profile: &str) -> bool {
    !profile.is_empty() && profile != "unconfined" && !profile.ends_with("(complain)") && !profile.ends_with("(unconfined)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;
    use crate::resource::Context;

    #[test]
    fn a_profile_that_only_complains_does_not_confine() {
        assert!(profile_confines("docker-default (enforce)"));
        for profile in ["", "unconfined", "docker-default (complain)"] {
            assert!(!profile_confines(profile), "{profile}");
        }
    }

    #[test]
    fn each_kernel_is_asked_in_its_own_way() {
        let of = |host: &Memory| confinement(host, &SecurityModules::of(&Context::new(host)), 7);
        let kernel = || Memory::new().file("/sys/module/x/y", "").file("/sys/kernel/security/lsm", "capability");
        let apparmor = kernel().file("/sys/module/apparmor/parameters/enabled", "Y\n");
        let apparmor = apparmor.file("/proc/7/attr/apparmor/current", "docker-default (enforce)\n");
        assert_eq!(of(&apparmor).1.known(), Some(&true));
        let selinux = kernel().file("/sys/fs/selinux/enforce", "1");
        let selinux = selinux.file("/proc/7/attr/current", "system_u:system_r:spc_t:s0\0");
        assert_eq!(of(&selinux).0.known().map(Text::raw), Some("system_u:system_r:spc_t:s0"));
        assert_eq!(of(&selinux).1.known(), Some(&false));
        let label = "system_u:system_r:container_t:s0:c1,c2";
        let confined = |enforce: &str| of(&kernel().file("/sys/fs/selinux/enforce", enforce).file("/proc/7/attr/current", label)).1;
        assert_eq!((confined("1").known(), confined("0").known()), (Some(&true), Some(&false)));
        assert!(matches!(of(&kernel()), (Fact::Absent(_), Fact::Absent(_))));
        assert!(matches!(of(&Memory::new()), (Fact::Unknown(_), Fact::Unknown(_))), "a directory that holds a host");
        let part = Memory::new().file("/sys/kernel/x", "");
        assert!(matches!(of(&part), (Fact::Unknown(_), Fact::Unknown(_))), "a host inside another has but a part of it");
    }
}
