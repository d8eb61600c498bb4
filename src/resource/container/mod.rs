//! Containers, as their engine describes them.

mod capabilities;
mod confinement;
mod declared;
#[cfg(test)]
pub(super) mod fixture;
mod inspected;
mod kind;
mod limits;
mod mounts;
mod namespaces;
mod places;
mod ports;
mod redact;
mod source;
mod surroundings;
#[cfg(test)]
mod tests;

use crate::fact::{Fact, Flag, Gap, Integer, List, Record, Row, Text, record};

use super::{Context, Resource, Selector};

pub(super) use confinement::label_confines;
pub(super) use declared::{is_root, secret_names};
pub(super) use inspected::{Promise, inspected};
pub(super) use redact::document as redacted;
pub(super) use source::Source;

record! {
    /// One container, running or not, as declared to its engine. What the kernel really does is in `container_process`.
    pub struct Container("container", document) {
        /// Name, without the leading slash.
        name: Text,
        /// Full identifier.
        id: Text,
        /// Name of the engine.
        engine: Text,
        /// `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`.
        state: Text,
        /// Whether it is an infrastructure container that only holds a pod's namespaces.
        pause: Flag,
        /// Whether this is the container the audit itself runs in.
        own: Flag,
        /// Name of the swarm service it is a task of; absent for others.
        swarm_service: Text,
        /// Name of the compose project it belongs to; absent for others.
        compose_project: Text,
        /// Image as it was named at creation.
        image: Text,
        /// Identifier of the image.
        image_id: Text,
        /// Whether the image was named by digest.
        image_by_digest: Flag,
        /// Tag of the image as named; `latest` where none was; absent where it was named by digest or id.
        image_tag: Text,
        /// User it is declared to run as, image default included; empty for root by default.
        user: Text,
        /// Whether that user is root: empty, `0`, `root`, with any group and any spelling of zero.
        root: Flag,
        /// `host` or `remapped`: whether root inside is root outside.
        user_namespace: Text,
        /// Whether it is declared privileged.
        privileged: Flag,
        /// Capabilities declared beyond the engine's default set, by name without `CAP_`; `ALL` where all are, or privileged.
        capabilities_added: List,
        /// Capabilities it may use at all by its declaration (default set, additions and drops considered); `ALL` where all are.
        capabilities: List,
        /// Security options as declared.
        security_options: List,
        /// AppArmor profile that applies; empty for none, `unconfined` where switched off.
        apparmor_profile: Text,
        /// SELinux process label; empty for none.
        selinux_label: Text,
        /// Whether SELinux separation was switched off for it.
        selinux_disabled: Flag,
        /// Whether AppArmor or SELinux (enforcing, not permissive) confines it, whichever the kernel runs; absent where it runs neither.
        confined: Flag,
        /// Seccomp by declaration: `default`, `unconfined` or `custom`; `unconfined` where privileged.
        seccomp: Text,
        /// Whether it is declared to gain no new privileges, the daemon's default considered where it can be.
        no_new_privileges: Flag,
        /// Whether the root file system is read-only.
        read_only_root: Flag,
        /// Mounts of what the host is made of (`/`, `/boot`, `/dev`, `/etc`, `/lib`, `/lib64`, `/proc`, `/sys`, `/usr` and below), links
        /// resolved and named volumes looked through, as `SOURCE (rw)` or `SOURCE (ro)`.
        sensitive_mounts: List,
        /// Mounts of other places that hold secrets, logs or controls of the host: `/root`, `/home`, `/run`, `/var`, `/var/log`, engines' data
        /// directories, D-Bus and the like; in the same form.
        risky_mounts: List,
        /// Engine sockets it can reach through a mount, by inode or by a directory that holds one, as paths on the host.
        engine_sockets: List,
        /// Mounts with shared propagation, as paths inside.
        shared_mounts: List,
        /// Every bind mount, as `SOURCE:TARGET (rw)` or `(ro)`.
        bind_mounts: List,
        /// Devices exposed: nodes, device rules, GPU requests; `all` where privileged.
        devices: List,
        /// Network mode, an indirection through another container followed.
        network_mode: Text,
        /// Whether it uses the host's network.
        host_network: Flag,
        /// Whether it uses the host's process ids, an indirection followed.
        host_pid: Flag,
        /// Whether it uses the host's IPC, an indirection followed.
        host_ipc: Flag,
        /// Whether it uses the host's UTS namespace.
        host_uts: Flag,
        /// Whether it opts out of user namespace remapping.
        host_userns: Flag,
        /// Whether it uses the host's cgroup namespace.
        host_cgroup: Flag,
        /// Names of the networks it is attached to.
        networks: List,
        /// Whether it is attached to the default bridge.
        default_bridge: Flag,
        /// Published ports, as `tcp/8080` by host port; for stopped containers those that will be.
        published_ports: List,
        /// Published host ports below 1024, as `tcp/80`.
        privileged_ports: List,
        /// Ports published on every address, as `tcp/8080`.
        ports_on_all_addresses: List,
        /// Whether all exposed ports are published at random.
        publish_all: Flag,
        /// Memory limit in bytes; absent where unlimited.
        memory_limit_bytes: Integer,
        /// Processes allowed; absent where unlimited (null, 0 and -1).
        pids_limit: Integer,
        /// CPU shares; absent where not set or the default.
        cpu_shares: Integer,
        /// Whether shares, a quota or a CPU count bound its use of the processor; being pinned to some processors does not.
        cpu_limited: Flag,
        /// Limits of its own, as `nofile=1000:2000`: not those the daemon gives by default. Unknown for Podman, which does not tell its defaults from them.
        ulimits: List,
        /// Whether the kernel may not kill it when memory runs out.
        oom_kill_disabled: Flag,
        /// Adjustment of its out-of-memory score.
        oom_score_adjustment: Integer,
        /// Cgroup parent it declares; empty for the engine's default.
        cgroup_parent: Text,
        /// Restart policy: `no`, `always`, `unless-stopped` or `on-failure`. Unknown for swarm tasks: their service holds it.
        restart_policy: Text,
        /// Restarts allowed by `on-failure`; 0 for no bound.
        restart_retries: Integer,
        /// Whether restarts end by themselves: none, or `on-failure` with a bound.
        restart_bounded: Flag,
        /// Times it has been restarted.
        restarts: Integer,
        /// Whether a health check is defined and not `NONE`, image default included.
        healthcheck: Flag,
        /// `healthy`, `unhealthy`, `starting`; absent without a check or when stopped.
        health: Text,
        /// Names of environment variables.
        environment_names: List,
        /// Names of environment variables that look like secrets and have a value. Never values.
        secret_environment: List,
        /// Logging driver.
        logging_driver: Text,
        /// Kernel parameters it sets, as `name=value`.
        sysctls: List,
        /// Whether the engine's masked kernel paths were taken off (`systempaths=unconfined`, privileged).
        unmasked_paths: Flag,
        /// Runtime.
        runtime: Text,
        /// Whether it is removed by itself when it ends.
        auto_remove: Flag,
        /// SSH servers that run in it, by process name; absent for containers that do not run.
        ssh_servers: List,
        /// Days since it was created.
        age_days: Integer,
    }
}

/// Finds the records.
pub struct Containers;

impl Resource for Containers {
    type Row = Container;
    const SELECTOR: &'static str = "a container name, or a glob; no such container gives no record";

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        made(context, of, |row| row)
    }

    fn records(context: &Context<'_>, of: &Selector) -> Result<Vec<Record>, Gap> {
        made(context, of, Row::into_record)
    }
}

/// Something made of each container picked, one after the other: a second copy of a thousand rows would be megabytes.
fn made<T>(context: &Context<'_>, of: &Selector, make: impl Fn(Container) -> T) -> Result<Vec<T>, Gap> {
    let found = inspected(context)?;
    let picked = |row: &&Container| row.name.known().is_none_or(|name| of.picks(name.raw()));
    let mut all: Vec<T> = found.rows.iter().filter(picked).cloned().map(&make).collect();
    unlisted(&found.unlisted, found.rows.is_empty(), |engine, gap| {
        let mut row = Container::unknown(gap);
        row.name = Fact::derived(format!("containers of {}", engine.raw()));
        row.engine = Fact::derived(engine.clone());
        all.push(make(row));
    })?;
    Ok(all)
}

/// Engines that could not be asked: an error where nothing else was found either, else one record each of which nothing is known.
pub(super) fn unlisted(engines: &[(Text, Gap)], nothing_else: bool, mut add: impl FnMut(&Text, &Gap)) -> Result<(), Gap> {
    match engines.first() {
        Some((_, gap)) if nothing_else => Err(gap.clone()),
        _ => {
            engines.iter().for_each(|(engine, gap)| add(engine, gap));
            Ok(())
        }
    }
}
