//! Images: `/images/json`, `/images/ID/json`, and the configuration that engines keep on disk.

use std::collections::BTreeMap;

use super::{ContainerConfig, document};

document! {
    "PascalCase"
    /// One image in the list of them.
    pub struct ImageListEntry {
        /// Identifier.
        id: String,
        /// Tags; older engines write `<none>:<none>` for no tag.
        repo_tags: Vec<String>,
        /// Digests by which registries know it; older engines write `<none>@<none>` for none.
        repo_digests: Vec<String>,
        /// When it was built, seconds since the epoch.
        created: i64,
    }
}

document! {
    "PascalCase"
    /// All there is about one image.
    pub struct ImageInspect {
        /// When it was built, RFC 3339; missing or empty in reproducible builds.
        created: String,
        /// Processor architecture in Go's words.
        architecture: String,
        /// What its containers run.
        config: ContainerConfig,
        /// Its layers.
        #[serde(rename = "RootFS")]
        root_fs: InspectedRootFs,
    }
}

document! {
    "PascalCase"
    /// The layers of an image, as the engine lists them.
    pub struct InspectedRootFs {
        /// Digests of the uncompressed layers, lowest first.
        layers: Vec<String>,
    }
}

document! {
    "snake_case"
    /// The configuration of an image as it lies on disk, with the history that no list or inspect tells.
    pub struct ImageConfig {
        /// Build steps, oldest first.
        history: Vec<HistoryEntry>,
        /// Its layers.
        rootfs: RootFs,
    }
}

document! {
    "snake_case"
    /// The layers of an image.
    pub struct RootFs {
        /// Digests of the uncompressed layers, lowest first.
        diff_ids: Vec<String>,
    }
}

document! {
    "snake_case"
    /// One build step.
    pub struct HistoryEntry {
        /// What was run, as the builder words it.
        created_by: String,
        /// Whether it made no layer.
        empty_layer: bool,
        /// What the builder remarks; `Imported from -` for `docker import`.
        comment: String,
    }
}

document! {
    "camelCase"
    /// A manifest or an index of manifests, as a content store holds them.
    pub struct Manifest {
        /// The manifests of an index.
        manifests: Vec<Descriptor>,
        /// The configuration a manifest names.
        config: Option<Descriptor>,
    }
}

document! {
    "camelCase"
    /// A reference to another document of a content store.
    pub struct Descriptor {
        /// Digest.
        digest: String,
        /// What it is for.
        platform: Option<Platform>,
        /// Remarks; attestations say here that they are none of the image.
        annotations: BTreeMap<String, String>,
    }
}

document! {
    "camelCase"
    /// What a manifest of an index is for.
    pub struct Platform {
        /// Processor architecture in Go's words.
        architecture: String,
        /// Operating system.
        os: String,
    }
}

impl Manifest {
    /// The manifest of an index for a Linux of an architecture (in Go's words), attestations passed over.
    #[must_use]
    pub fn for_architecture(&self, architecture: &str) -> Option<&Descriptor> {
        self.manifests.iter().find(|descriptor| {
            descriptor.platform.as_ref().is_some_and(|platform| platform.os == "linux" && platform.architecture == architecture)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::engine_json::read;

    #[test]
    fn the_manifest_of_the_platform_is_found_and_attestations_are_not() {
        let index: Manifest = read(
            br#"{"schemaVersion":2,"manifests":[
            {"digest":"sha256:aa","platform":{"architecture":"unknown","os":"unknown"},"annotations":{"vnd.docker.reference.type":"attestation-manifest"}},
            {"digest":"sha256:bb","platform":{"architecture":"arm64","os":"linux","variant":"v8"}},
            {"digest":"sha256:cc","platform":{"architecture":"amd64","os":"linux"}}]}"#,
        )
        .unwrap();
        assert_eq!(index.for_architecture("amd64").map(|d| d.digest.as_str()), Some("sha256:cc"));
        assert!(index.for_architecture("s390x").is_none());
        assert!(index.config.is_none());
    }

    #[test]
    fn inspect_of_an_image_without_configuration_is_read() {
        let read: ImageInspect = read(br#"{"Id":"sha256:00","Created":"","Config":null,"RootFS":{"Type":"layers"}}"#).unwrap();
        assert_eq!(read.config.user, "");
        assert!(read.root_fs.layers.is_empty());
    }
}
