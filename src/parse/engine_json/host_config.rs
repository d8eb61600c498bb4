//! What a container was asked to be on the host: `HostConfig` of `/containers/ID/json`.

use std::collections::BTreeMap;

use super::{PortBinding, document, volume};

document! {
    "PascalCase"
    /// What a container was asked to be on the host.
    pub struct HostConfig {
        /// Bind mounts and named volumes as `SOURCE:TARGET[:OPTIONS]`.
        binds: Vec<String>,
        /// Mounts in the long form.
        mounts: Vec<MountRequest>,
        /// Logging.
        log_config: LogConfig,
        /// `default`, `bridge`, `host`, `none`, a network's name or `container:ID`.
        network_mode: String,
        /// Ports to publish, by container port such as `80/tcp`.
        port_bindings: BTreeMap<String, Option<Vec<PortBinding>>>,
        /// Whether every exposed port is published at random.
        publish_all_ports: bool,
        /// Restart policy.
        restart_policy: RestartPolicy,
        /// Whether it is removed when it ends.
        auto_remove: bool,
        /// Capabilities added.
        cap_add: Vec<String>,
        /// Capabilities dropped.
        cap_drop: Vec<String>,
        /// `host`, `private` or empty for the engine's default.
        cgroupns_mode: String,
        /// `host`, `private`, `shareable`, `none`, `container:ID` or empty.
        ipc_mode: String,
        /// `host`, `container:ID` or empty.
        pid_mode: String,
        /// `host` or empty.
        #[serde(rename = "UTSMode")]
        uts_mode: String,
        /// `host` or empty.
        userns_mode: String,
        /// Whether it is privileged.
        privileged: bool,
        /// Whether the root file system is read-only.
        readonly_rootfs: bool,
        /// Security options.
        security_opt: Vec<String>,
        /// Kernel parameters.
        sysctls: BTreeMap<String, String>,
        /// Runtime.
        runtime: String,
        /// Relative weight of processor time.
        cpu_shares: i64,
        /// Processors times 10⁹.
        nano_cpus: i64,
        /// Microseconds per period.
        cpu_quota: i64,
        /// Cgroup parent.
        cgroup_parent: String,
        /// Devices.
        devices: Vec<Device>,
        /// Device rules such as `c 10:200 rwm`.
        device_cgroup_rules: Vec<String>,
        /// Requests to device drivers, such as for GPUs.
        device_requests: Vec<DeviceRequest>,
        /// Memory limit in bytes; 0 for none.
        memory: i64,
        /// Whether the kernel may not kill it when memory runs out.
        oom_kill_disable: bool,
        /// Adjustment of its out-of-memory score.
        oom_score_adj: i64,
        /// Processes allowed; 0 and -1 for no limit.
        pids_limit: i64,
        /// Limits.
        ulimits: Vec<Ulimit>,
        /// Kernel paths hidden from it; missing where the engine does not say.
        masked_paths: Option<Vec<String>>,
        /// Kernel paths it may not write; missing where the engine does not say.
        readonly_paths: Option<Vec<String>>,
    }
}

document! {
    "PascalCase"
    /// Logging of a container. The driver's options may hold tokens and are not read.
    pub struct LogConfig {
        /// Driver.
        #[serde(rename = "Type")]
        driver: String,
    }
}

document! {
    "PascalCase"
    /// Restart policy.
    pub struct RestartPolicy {
        /// `no`, `always`, `unless-stopped`, `on-failure` or empty.
        name: String,
        /// Restarts allowed by `on-failure`; 0 for no bound.
        maximum_retry_count: i64,
    }
}

document! {
    "PascalCase"
    /// A device.
    pub struct Device {
        /// Path on the host.
        path_on_host: String,
        /// Rights, some of `rwm`.
        cgroup_permissions: String,
    }
}

document! {
    "PascalCase"
    /// A request to a device driver.
    pub struct DeviceRequest {
        /// Driver such as `nvidia` or `cdi`.
        driver: String,
        /// Devices asked for; -1 for all.
        count: i64,
        /// Devices asked for by name.
        #[serde(rename = "DeviceIDs")]
        device_ids: Vec<String>,
        /// Capabilities of the devices, an *or* of *ands*.
        capabilities: Vec<Vec<String>>,
    }
}

document! {
    "PascalCase"
    /// A limit.
    pub struct Ulimit {
        /// Name, such as `nofile`.
        name: String,
        /// Soft limit; -1 for none.
        soft: i64,
        /// Hard limit; -1 for none.
        hard: i64,
    }
}

document! {
    "PascalCase"
    /// A mount as it was asked for, in the long form.
    pub struct MountRequest {
        /// `bind`, `volume`, `tmpfs`.
        #[serde(rename = "Type")]
        kind: String,
        /// Path on the host, or name of the volume.
        source: String,
        /// Path inside.
        target: String,
        /// Whether it may only be read.
        read_only: bool,
        /// How it propagates.
        bind_options: BindOptions,
        /// How the volume is made.
        volume_options: VolumeOptions,
    }
}

document! {
    "PascalCase"
    /// Options of a bind mount.
    pub struct BindOptions {
        /// Propagation.
        propagation: String,
    }
}

document! {
    "PascalCase"
    /// Options of a volume that is made with its container.
    pub struct VolumeOptions {
        /// Driver and its options.
        driver_config: DriverConfig,
    }
}

document! {
    "PascalCase"
    /// Driver of a volume.
    pub struct DriverConfig {
        /// Name; empty for `local`.
        name: String,
        /// Options.
        options: BTreeMap<String, String>,
    }
}

impl MountRequest {
    /// The host directory it leads to: the source of a bind, or what the options of a volume bind.
    #[must_use]
    pub fn host_directory(&self) -> Option<&str> {
        let driver = &self.volume_options.driver_config;
        if self.kind == "bind" { Some(&self.source) } else { volume::bound_directory(&driver.name, &driver.options) }
    }
}
