//! Containers: `/containers/json` and `/containers/ID/json`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{HostConfig, Label, Variable, document};

document! {
    "PascalCase"
    /// One container in the list of them.
    pub struct ContainerListEntry {
        /// Identifier.
        id: String,
        /// Names with a leading slash, those through links of other containers included.
        names: Vec<String>,
        /// Image as it was named.
        image: String,
        /// Identifier of the image.
        #[serde(rename = "ImageID")]
        image_id: String,
        /// State in one word.
        state: String,
        /// Those of its labels that tell its kind.
        labels: KindLabels,
        /// Ports it exposes, those that are published with a port of the host.
        ports: Vec<ListedPort>,
    }
}

document! {
    "PascalCase"
    /// A port of a container in the list of them.
    pub struct ListedPort {
        /// Address on the host; empty for every one.
        #[serde(rename = "IP")]
        ip: String,
        /// Port on the host; none where it is not published.
        public_port: Option<u16>,
        /// `tcp`, `udp` or `sctp`.
        #[serde(rename = "Type")]
        protocol: String,
    }
}

/// Names of the labels that tell what kind of container one is.
pub const KIND_LABELS: [&str; 5] = [
    "com.docker.swarm.service.name",
    "com.docker.compose.project",
    "io.podman.compose.project",
    "io.kubernetes.docker.type",
    "io.cri-containerd.kind",
];

/// The labels named in [`KIND_LABELS`]: a list of a thousand containers has megabytes of others.
#[derive(Debug, Default)]
pub struct KindLabels(pub BTreeMap<String, Label>);

impl<'de> Deserialize<'de> for KindLabels {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Labels;
        impl<'de> Visitor<'de> for Labels {
            type Value = KindLabels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("labels")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut labels: A) -> Result<KindLabels, A::Error> {
                let mut kept = BTreeMap::new();
                while let Some(name) = labels.next_key::<Cow<'de, str>>()? {
                    if KIND_LABELS.contains(&&*name) {
                        kept.insert(name.into_owned(), labels.next_value()?);
                    } else {
                        labels.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(KindLabels(kept))
            }
        }
        from.deserialize_map(Labels)
    }
}

impl ContainerListEntry {
    /// Its own name: the one without a second slash, which are those given by links.
    #[must_use]
    pub fn name(&self) -> &str {
        let own = |name: &&String| !name.trim_start_matches('/').contains('/');
        self.names.iter().find(own).or(self.names.first()).map_or(&self.id, |name| name).trim_start_matches('/')
    }
}

document! {
    "PascalCase"
    /// All there is about one container.
    pub struct ContainerInspect {
        /// Identifier.
        id: String,
        /// Name with a leading slash.
        name: String,
        /// When it was created, RFC 3339.
        created: String,
        /// What it does now.
        state: ContainerState,
        /// Identifier of the image.
        image: String,
        /// Times it was restarted by its policy.
        restart_count: i64,
        /// AppArmor profile that applies.
        app_armor_profile: Option<String>,
        /// SELinux label of its processes.
        process_label: Option<String>,
        /// What it was asked to be on the host.
        host_config: HostConfig,
        /// Mounts as resolved; of containers that never ran those that are declared.
        mounts: Vec<Mount>,
        /// What it runs.
        config: ContainerConfig,
        /// Its networks.
        network_settings: NetworkSettings,
    }
}

document! {
    "PascalCase"
    /// What a container does now.
    pub struct ContainerState {
        /// `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`.
        status: String,
        /// Whether a process runs, paused or not.
        running: bool,
        /// First process on the host; 0 when none runs.
        pid: i32,
        /// Health; missing where no check is defined.
        health: Option<Health>,
    }
}

document! {
    "PascalCase"
    /// The health of a container.
    pub struct Health {
        /// `starting`, `healthy`, `unhealthy` or `none`.
        status: String,
    }
}

document! {
    "PascalCase"
    /// What a container runs.
    pub struct ContainerConfig {
        /// User, image default included.
        user: String,
        /// Environment, names only.
        env: Vec<Variable>,
        /// Image as it was named.
        image: String,
        /// Ports it exposes, such as `22/tcp`, image default included.
        exposed_ports: BTreeMap<String, IgnoredAny>,
        /// Labels, image labels included.
        labels: BTreeMap<String, Label>,
        /// Health check, image default included.
        healthcheck: Option<Healthcheck>,
    }
}

document! {
    "PascalCase"
    /// A health check.
    pub struct Healthcheck {
        /// `["NONE"]`, or a word and a command. Empty inherits, which means there is none by the time it is read.
        test: Vec<String>,
    }
}

impl Healthcheck {
    /// Whether it checks anything.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.test.first().is_some_and(|word| word != "NONE")
    }
}

document! {
    "PascalCase"
    /// A mount as the engine made it.
    pub struct Mount {
        /// `bind`, `volume`, `tmpfs`, `npipe`, `cluster`, `image`.
        #[serde(rename = "Type")]
        kind: String,
        /// Name of the volume.
        name: String,
        /// Path on the host.
        source: String,
        /// Path inside.
        destination: String,
        /// Whether it may be written.
        #[serde(rename = "RW")]
        rw: bool,
        /// Propagation; empty for volumes and tmpfs.
        propagation: String,
    }
}

document! {
    "PascalCase"
    /// The networks of a container.
    pub struct NetworkSettings {
        /// Published ports by container port; `null` for exposed ones that are not published.
        ports: BTreeMap<String, Option<Vec<PortBinding>>>,
        /// Networks by name.
        networks: BTreeMap<String, Option<Endpoint>>,
    }
}

document! {
    "PascalCase"
    /// The end of a container in a network.
    pub struct Endpoint {
        /// Identifier of the network; empty for containers that never ran.
        #[serde(rename = "NetworkID")]
        network_id: String,
    }
}

document! {
    "PascalCase"
    /// Where a port is published.
    pub struct PortBinding {
        /// Address; empty for the engine's default.
        host_ip: String,
        /// Port or range; empty for one at random.
        host_port: String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::engine_json::read;

    #[test]
    fn null_and_missing_members_read_as_defaults() {
        let read: ContainerInspect = read(
            br#"{"Name":"/x","State":{"Status":"running","Running":true,"Pid":7},"HostConfig":{"PidsLimit":null,"CapAdd":null,
            "MaskedPaths":null,"OomKillDisable":null,"SomethingNew":{"a":1}},"Mounts":null,"Config":{"Env":null,"Labels":null,"Healthcheck":null},
            "NetworkSettings":{"Ports":{"80/tcp":null}}}"#,
        )
        .unwrap();
        assert_eq!(read.host_config.pids_limit, 0);
        assert!(read.host_config.masked_paths.is_none());
        assert!(read.state.health.is_none());
        assert!(read.network_settings.ports["80/tcp"].is_none());
    }

    #[test]
    fn links_give_further_names() {
        let entry: ContainerListEntry = read(br#"{"Id":"ab","Names":["/web/db","/db"]}"#).unwrap();
        assert_eq!(entry.name(), "db");
        assert_eq!(read::<ContainerListEntry>(br#"{"Id":"ab","Names":null}"#).unwrap().name(), "ab");
    }

    #[test]
    fn of_a_list_only_labels_that_tell_a_kind_are_kept() {
        let json = br#"{"Labels":{"a":"b","com.docker.compose.project":"web","x":null,"traefik.rule":"Host(`x`)"}}"#;
        let entry: ContainerListEntry = read(json).unwrap();
        assert_eq!(entry.labels.0.keys().collect::<Vec<_>>(), ["com.docker.compose.project"]);
        assert_eq!(entry.labels.0["com.docker.compose.project"].value, "web");
        assert!(read::<ContainerListEntry>(br#"{"Labels":["a"]}"#).is_err());
    }

    #[test]
    fn a_wrong_type_is_an_error_with_its_place() {
        assert!(read::<ContainerInspect>(br#"{"HostConfig":{"Memory":"much"}}"#).unwrap_err().contains("line 1 column"));
    }
}
