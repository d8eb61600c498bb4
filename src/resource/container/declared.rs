//! One container's record, from its inspect document and what stands around it.

use chrono::DateTime;

use crate::fact::{Document, Fact, Gap, Origin, Reason, Text};
use crate::host::engine::{Id, Route};
use crate::parse::engine_json::{ContainerInspect, ContainerListEntry, HostConfig, Variable};
use crate::parse::image_reference::ImageReference;
use crate::resource::Context;
use crate::resource::docker::Engine;

use super::capabilities::Declared;
use super::confinement;
use super::limits;
use super::mounts::Mounts;
use super::namespaces::Modes;
use super::ports::{self, Published};
use super::source::Source;
use super::surroundings::Surroundings;
use super::{Container, kind};

/// What is known of a container after its document was read; namespaces need all the others' first.
pub(super) struct Read {
    pub(super) row: Container,
    pub(super) id: String,
    pub(super) modes: Option<Modes>,
    pub(super) declared: Option<Declared>,
    pub(super) pid: i32,
    pub(super) source: Source,
}

/// A container whose document could not be read: what the list said of it, and the gap.
pub(super) fn listed(entry: &ContainerListEntry, engine: &Engine, own: Option<&str>, gap: &Gap) -> Read {
    let source = Source(engine.origin(Route::Containers));
    let labels = kind::Labels(&entry.labels.0);
    let mut row = Container::unknown(gap);
    row.name = source.text(entry.name());
    row.id = source.text(entry.id.as_str());
    row.engine = Fact::derived(engine.name.clone());
    row.state = state(&entry.state, &source);
    row.pause = source.flag(kind::is_pause(&labels, &entry.image));
    row.own = source.flag(own == Some(entry.id.as_str()));
    row.swarm_service = source.text_or_absent(labels.swarm_service());
    row.compose_project = source.text_or_absent(labels.compose_project());
    image(&mut row, &entry.image, &entry.image_id, &source);
    Read { row, id: entry.id.clone(), modes: None, declared: None, pid: 0, source }
}

/// What an engine leaves out is not known: nothing may conclude that the container does not run.
fn state(word: &str, source: &Source) -> Fact<Text> {
    match word {
        "" => Fact::Unknown(Gap::new(source.0.clone(), Reason::malformed("the engine does not say in which state the container is"))),
        word => source.text(word),
    }
}

fn image(row: &mut Container, named: &str, id: &str, source: &Source) {
    let reference = ImageReference::parse(named, id);
    row.image = source.text(named);
    row.image_id = source.text(id);
    row.image_by_digest = source.flag(reference.digest.is_some());
    row.image_tag = reference.followed_tag().map_or_else(|| source.absent(), |tag| source.text(tag));
}

/// Whether a user is root: none, or an id of zero, or its name, with any group.
pub(in crate::resource) fn is_root(user: &str) -> bool {
    let name = user.split(':').next().unwrap_or_default().trim();
    name.is_empty() || name == "root" || name.bytes().all(|digit| digit == b'0')
}

fn names<'a>(variables: &'a [Variable], pick: impl Fn(&&'a Variable) -> bool) -> Vec<Text> {
    let mut names: Vec<Text> = variables.iter().filter(pick).map(|variable| Text::from(variable.name.as_str())).collect();
    names.sort();
    names.dedup();
    names
}

/// Names of environment variables that look like secrets and have a value.
pub(in crate::resource) fn secret_names(variables: &[Variable]) -> Vec<Text> {
    names(variables, |variable| variable.secret)
}

/// Nodes, device rules and requests to drivers.
fn devices(config: &HostConfig) -> Vec<String> {
    if config.privileged {
        return vec!["all".to_owned()];
    }
    let nodes = config.devices.iter().map(|device| match device.cgroup_permissions.as_str() {
        "" => device.path_on_host.clone(),
        rights => format!("{} ({rights})", device.path_on_host),
    });
    let rules = config.device_cgroup_rules.iter().cloned();
    let requests = config.device_requests.iter().map(|request| {
        let what = if request.driver.is_empty() { request.capabilities.concat().join("+") } else { request.driver.clone() };
        let which = if request.device_ids.is_empty() {
            if request.count < 0 { "all".to_owned() } else { request.count.to_string() }
        } else {
            request.device_ids.join(",")
        };
        format!("{} ({which})", if what.is_empty() { "device" } else { &what })
    });
    nodes.chain(rules).chain(requests).collect()
}

/// Whether the engine's masks over kernel paths were taken off. An engine that names no masks cannot take them off either, unless by option.
fn unmasked(config: &HostConfig) -> bool {
    let by_option =
        |option: &String| matches!(option.as_str(), "systempaths=unconfined" | "systempaths:unconfined") || option.starts_with("unmask=");
    config.privileged
        || config.security_opt.iter().any(by_option)
        || config.masked_paths.as_ref().is_some_and(Vec::is_empty)
        || config.readonly_paths.as_ref().is_some_and(Vec::is_empty)
}

/// Published ports: of a container that runs those the engine opened, of others those it will.
fn published(inspect: &ContainerInspect) -> Published {
    let config = &inspect.host_config;
    if matches!(inspect.state.status.as_str(), "running" | "paused") {
        ports::published(&inspect.network_settings.ports)
    } else if matches!(config.network_mode.as_str(), "host" | "none") || config.network_mode.starts_with("container:") {
        Published::default()
    } else {
        ports::published(&config.port_bindings)
    }
}

/// Whether root inside is root outside, and whether it opts out of remapping.
fn user_namespace(config: &HostConfig, around: &Surroundings<'_>, rootless: bool, source: &Source) -> Fact<Text> {
    match config.userns_mode.as_str() {
        "host" if !rootless => source.text("host"),
        // Podman's own modes make one for the container.
        mode if mode == "auto"
            || mode == "keep-id"
            || mode == "nomap"
            || mode == "private"
            || mode.starts_with("auto:")
            || mode.starts_with("keep-id:") =>
        {
            source.text("remapped")
        }
        _ => around.security.remapped.clone().map(|remapped| Text::from(if remapped { "remapped" } else { "host" })),
    }
}

impl Read {
    /// Reads a container's document.
    pub(super) fn of(
        context: &Context<'_>,
        engine: &Engine,
        around: &Surroundings<'_>,
        own: Option<&str>,
        inspect: &ContainerInspect,
        id: Id,
        document: Option<Document>,
    ) -> Self {
        let source = Source(engine.origin(Route::Container(id)));
        let config = &inspect.host_config;
        let labels = kind::Labels(&inspect.config.labels);
        let swarm_service = labels.swarm_service();
        let declared = Declared::of(engine.kind, config);
        let apparmor_profile = confinement::apparmor_profile(inspect, around, &source);
        let mounts = Mounts::of(context.host, inspect, around, &source);
        let published = published(inspect);
        let (ports, privileged_ports) = (source.list(published.ports.clone()), source.list(published.privileged.clone()));
        let everywhere = published.everywhere(&around.default_address(&config.network_mode));
        // Namespaces need every container of the engine, and servers a look at processes: both are filled in later.
        let pending = Gap::new(Origin::Derived, Reason::NotCollected);
        let healthcheck = inspect.config.healthcheck.as_ref().is_some_and(|check| check.is_active());
        let mut row = Container {
            confined: confinement::confined(inspect, &apparmor_profile, around, &source),
            seccomp: confinement::seccomp(inspect, around, &source),
            no_new_privileges: no_new_privileges(context, inspect, around, &source),
            user_namespace: user_namespace(config, around, engine.rootless, &source),
            host_cgroup: match config.cgroupns_mode.as_str() {
                "" => around.security.host_cgroup.clone(),
                mode => source.flag(mode == "host"),
            },
            ports_on_all_addresses: everywhere.map_or_else(Fact::Unknown, |ports| source.list(ports)),
            restart_policy: limits::restart_policy(config, swarm_service, &source),
            restart_retries: limits::restart_retries(config, swarm_service, &source),
            restart_bounded: limits::restart_bounded(config, swarm_service, &source),
            health: match &inspect.state.health {
                Some(health) if healthcheck && inspect.state.running && !matches!(health.status.as_str(), "" | "none") => {
                    source.text(health.status.as_str())
                }
                _ => source.absent(),
            },
            memory_limit_bytes: source.limit(config.memory),
            pids_limit: source.limit(config.pids_limit),
            cpu_shares: limits::cpu_shares(config, &source),
            age_days: source.age_days(&inspect.created, context.host.now()),
            name: source.text(inspect.name.trim_start_matches('/')),
            id: source.text(inspect.id.as_str()),
            engine: Fact::derived(engine.name.clone()),
            state: state(&inspect.state.status, &source),
            pause: source.flag(kind::is_pause(&labels, &inspect.config.image)),
            own: source.flag(own == Some(inspect.id.as_str())),
            swarm_service: source.text_or_absent(swarm_service),
            compose_project: source.text_or_absent(labels.compose_project()),
            user: source.text(inspect.config.user.as_str()),
            root: source.flag(is_root(&inspect.config.user)),
            privileged: source.flag(config.privileged),
            capabilities_added: source.list(declared.added_names()),
            capabilities: source.list(declared.names()),
            security_options: source.list(confinement::options(inspect)),
            apparmor_profile,
            selinux_label: source.text(inspect.process_label.as_deref().unwrap_or_default()),
            selinux_disabled: source.flag(confinement::selinux_disabled(inspect)),
            read_only_root: source.flag(config.readonly_rootfs),
            sensitive_mounts: mounts.sensitive,
            risky_mounts: mounts.risky,
            engine_sockets: mounts.engine_sockets,
            shared_mounts: mounts.shared,
            bind_mounts: mounts.bind,
            devices: source.list(devices(config)),
            host_uts: source.flag(config.uts_mode == "host"),
            host_userns: source.flag(config.userns_mode == "host"),
            published_ports: ports,
            privileged_ports,
            publish_all: source.flag(config.publish_all_ports),
            cpu_limited: source.flag(limits::cpu_limited(config)),
            ulimits: limits::ulimits(engine.kind, config, &around.default_ulimits, &source),
            oom_kill_disabled: source.flag(config.oom_kill_disable),
            oom_score_adjustment: source.integer(config.oom_score_adj),
            cgroup_parent: source.text(config.cgroup_parent.as_str()),
            restarts: source.integer(inspect.restart_count),
            healthcheck: source.flag(healthcheck),
            environment_names: source.list(names(&inspect.config.env, |_| true)),
            secret_environment: source.list(secret_names(&inspect.config.env)),
            logging_driver: source.text(config.log_config.driver.as_str()),
            sysctls: source.list(config.sysctls.iter().map(|(name, value)| format!("{name}={value}"))),
            unmasked_paths: source.flag(unmasked(config)),
            runtime: source.text(config.runtime.as_str()),
            auto_remove: source.flag(config.auto_remove),
            document,
            ..Container::unknown(&pending)
        };
        image(&mut row, &inspect.config.image, &inspect.image, &source);
        let pid = if inspect.state.running { inspect.state.pid } else { 0 };
        Self { row, id: inspect.id.clone(), modes: Some(Modes::of(inspect)), declared: Some(declared), pid, source }
    }
}

/// Whether it gains no new privileges: by its option, else by the daemon's default at the time it was made, which later changes
/// of the daemon leave alone. Where that cannot be told, the kernel can for a container that runs.
fn no_new_privileges(context: &Context<'_>, inspect: &ContainerInspect, around: &Surroundings<'_>, source: &Source) -> Fact<bool> {
    if let Some(own) = confinement::no_new_privileges(inspect) {
        return source.flag(own);
    }
    let default = &around.no_new_privileges;
    if let Fact::Known(false, _) = default {
        return default.clone();
    }
    let running = inspect.state.pid > 0 && inspect.state.running;
    let kernel = running.then(|| crate::resource::container_process::no_new_privileges(context, inspect.state.pid, &inspect.id)).flatten();
    match (default, kernel) {
        (_, Some(kernel)) => kernel,
        (Fact::Known(_, origin), None) => {
            let created = DateTime::parse_from_rfc3339(&inspect.created).map(|created| created.timestamp()).ok();
            match (created, around.started) {
                (Some(created), Some(started)) if created >= started => default.clone(),
                _ => Fact::Unknown(Gap::new(
                    origin.clone(),
                    Reason::unsupported("the container is older than the daemon that has this default"),
                )),
            }
        }
        (default, None) => default.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_root() {
        for user in ["", "0", "root", "0:0", "root:root", "00", "root:1000", ":1000"] {
            assert!(is_root(user), "{user}");
        }
        for user in ["1000", "app", "1000:0", "rooty", "10", "nobody:root"] {
            assert!(!is_root(user), "{user}");
        }
    }

    #[test]
    fn devices_of_every_kind() {
        let config: HostConfig = serde_json::from_str(
            r#"{"Devices":[{"PathOnHost":"/dev/fuse","PathInContainer":"/dev/fuse","CgroupPermissions":"rwm"}],"DeviceCgroupRules":["c 10:200 rwm"],
            "DeviceRequests":[{"Driver":"","Count":-1,"DeviceIDs":null,"Capabilities":[["gpu"]],"Options":{}}]}"#,
        )
        .unwrap();
        assert_eq!(devices(&config), ["/dev/fuse (rwm)", "c 10:200 rwm", "gpu (all)"]);
        assert_eq!(devices(&HostConfig { privileged: true, ..HostConfig::default() }), ["all"]);
        assert!(devices(&HostConfig::default()).is_empty());
    }

    #[test]
    fn masks_are_off_only_when_taken_off() {
        let read = |json: &str| unmasked(&serde_json::from_str(json).unwrap());
        assert!(read(r#"{"MaskedPaths":[],"ReadonlyPaths":[]}"#) && read(r#"{"Privileged":true,"MaskedPaths":null}"#));
        assert!(read(r#"{"SecurityOpt":["systempaths=unconfined"]}"#));
        assert!(!read(r#"{"MaskedPaths":["/proc/kcore"],"ReadonlyPaths":["/proc/bus"]}"#) && !read("{}"));
    }
}
