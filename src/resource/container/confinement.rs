//! What confines a container by its declaration: seccomp, AppArmor, SELinux, no new privileges.

use crate::fact::{Fact, Text};
use crate::parse::engine_json::ContainerInspect;
use crate::resource::docker::Kind;

use super::source::Source;
use super::surroundings::Surroundings;

/// The value of a security option: `NAME=value` or, as older clients wrote, `NAME:value`; empty for the bare name. The last one counts.
fn option<'a>(inspect: &'a ContainerInspect, name: &str) -> Option<&'a str> {
    let value = |option: &'a String| match option.strip_prefix(name)? {
        "" => Some(""),
        rest => rest.strip_prefix(['=', ':']),
    };
    inspect.host_config.security_opt.iter().rev().find_map(value)
}

/// Options as declared. A seccomp profile stands in them as a whole document, which is left out.
pub(super) fn options(inspect: &ContainerInspect) -> impl Iterator<Item = Text> {
    inspect.host_config.security_opt.iter().map(|option| match option.split_once(['=', ':']) {
        Some(("seccomp", profile)) if profile.trim_start().starts_with('{') => Text::from("seccomp={…}"),
        _ => Text::from(option.as_str()),
    })
}

/// `default`, `unconfined` or `custom`.
pub(super) fn seccomp(inspect: &ContainerInspect, around: &Surroundings<'_>, source: &Source) -> Fact<Text> {
    if inspect.host_config.privileged {
        return source.text("unconfined");
    }
    match option(inspect, "seccomp") {
        Some("unconfined") => source.text("unconfined"),
        Some("builtin" | "default") => source.text("default"),
        Some(profile) if !profile.is_empty() => source.text("custom"),
        _ => around.security.seccomp.clone().map(Text::from),
    }
}

/// Whether it gains no new privileges by its own option; `None` where it declares none and the daemon's default counts.
pub(super) fn no_new_privileges(inspect: &ContainerInspect) -> Option<bool> {
    match option(inspect, "no-new-privileges")? {
        "" => Some(true),
        value => crate::parse::dockerd::flag_value(value),
    }
}

/// The AppArmor profile that applies; empty for none.
pub(super) fn apparmor_profile(inspect: &ContainerInspect, around: &Surroundings<'_>, source: &Source) -> Fact<Text> {
    match option(inspect, "apparmor") {
        Some(profile) if !profile.is_empty() => return source.text(profile),
        _ => {}
    }
    let said = inspect.app_armor_profile.as_deref().unwrap_or_default();
    if !said.is_empty() {
        return source.text(said);
    }
    // Engines fill it in when a container first starts.
    around.security.apparmor.clone().and_then(|apparmor, _| match (apparmor, inspect.host_config.privileged) {
        (false, _) => source.text(""),
        (true, true) => source.text("unconfined"),
        (true, false) if around.kind == Kind::Docker => source.text("docker-default"),
        (true, false) => source.text(""),
    })
}

/// Whether SELinux separation was switched off for it: by option, by a type that is not confined, or by sharing what engines then leave unlabelled.
pub(super) fn selinux_disabled(inspect: &ContainerInspect) -> bool {
    let off = |option: &String| {
        let label = option.strip_prefix("label").and_then(|rest| rest.strip_prefix(['=', ':']));
        label.is_some_and(|label| label == "disable" || label.strip_prefix("type:").is_some_and(is_unconfined_type))
    };
    inspect.host_config.privileged || inspect.host_config.security_opt.iter().any(off)
}

/// SELinux types that may do everything.
pub(in crate::resource) fn is_unconfined_type(kind: &str) -> bool {
    matches!(kind, "spc_t" | "unconfined_t" | "unconfined_service_t" | "container_runtime_t" | "kernel_t" | "init_t")
}

/// Whether an SELinux label, `user:role:type:level`, confines.
pub(in crate::resource) fn label_confines(label: &str) -> bool {
    label.split(':').nth(2).is_some_and(|kind| !kind.is_empty() && !is_unconfined_type(kind))
}

/// Whether AppArmor or SELinux confines it, whichever the kernel runs; absent where it runs neither.
pub(super) fn confined(inspect: &ContainerInspect, profile: &Fact<Text>, around: &Surroundings<'_>, source: &Source) -> Fact<bool> {
    let label = inspect.process_label.as_deref().unwrap_or_default();
    let by_profile = profile.known().is_some_and(|profile| !matches!(profile.raw(), "" | "unconfined"));
    let by_label = label_confines(label) && !selinux_disabled(inspect);
    match (&around.modules.apparmor, &around.modules.selinux) {
        (Fact::Known(false, _), Fact::Known(false, origin)) => Fact::Absent(origin.clone()),
        (Fact::Known(true, _), _) if by_profile => source.flag(true),
        // In permissive mode SELinux only takes notes.
        (_, Fact::Known(true, _)) if by_label => around.modules.selinux_enforcing.clone().and_then(|enforces, _| source.flag(enforces)),
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
        _ => match profile {
            Fact::Unknown(gap) if matches!(around.modules.apparmor, Fact::Known(true, _)) => Fact::Unknown(gap.clone()),
            // Labels of a container that never ran are not made yet.
            _ if label.is_empty() && !inspect.state.running && matches!(around.modules.selinux, Fact::Known(true, _)) => {
                around.security.selinux.clone().map(|selinux| selinux && !selinux_disabled(inspect))
            }
            _ => source.flag(false),
        },
    }
}
