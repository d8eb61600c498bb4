//! What kind of container one is: a pod's pause container, a swarm task, a part of a compose project.

use std::collections::BTreeMap;

use crate::parse::engine_json::{KIND_LABELS, Label};
use crate::parse::image_reference::ImageReference;

/// The labels of a container.
pub(super) struct Labels<'a>(pub(super) &'a BTreeMap<String, Label>);

impl Labels<'_> {
    fn get(&self, name: &str) -> &str {
        debug_assert!(KIND_LABELS.contains(&name), "{name} would not be read of a list");
        self.0.get(name).map(|label| label.value.as_str()).unwrap_or_default()
    }

    /// Name of the swarm service it is a task of, or empty.
    pub(super) fn swarm_service(&self) -> &str {
        self.get("com.docker.swarm.service.name")
    }

    /// Name of the compose project it belongs to, or empty.
    pub(super) fn compose_project(&self) -> &str {
        match self.get("com.docker.compose.project") {
            "" => self.get("io.podman.compose.project"),
            project => project,
        }
    }
}

/// Whether it only holds a pod's namespaces: orchestrators say so by label, and by the name of the image where they do not.
pub(super) fn is_pause(labels: &Labels<'_>, image: &str) -> bool {
    let repository = ImageReference::parse(image, "").repository;
    let (above, name) = repository.rsplit_once('/').unwrap_or(("", repository));
    labels.get("io.kubernetes.docker.type") == "podsandbox"
        || labels.get("io.cri-containerd.kind") == "sandbox"
        || (!above.is_empty() && (matches!(name, "pause" | "podman-pause") || name.starts_with("pause-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_containers() {
        let none = BTreeMap::new();
        let by_image = |image| is_pause(&Labels(&none), image);
        for image in [
            "registry.k8s.io/pause:3.9",
            "k8s.gcr.io/pause-amd64:3.1",
            "localhost/podman-pause:4.3.1-0",
            "mcr.microsoft.com/oss/kubernetes/pause@sha256:00",
        ] {
            assert!(by_image(image), "{image}");
        }
        for image in ["pausebutton", "team/app", "team/app:pause", "pause"] {
            assert!(!by_image(image), "{image}");
        }
        let label = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), Label { value: value.to_owned(), ..Label::default() })]);
        assert!(is_pause(&Labels(&label("io.kubernetes.docker.type", "podsandbox")), "x"));
        assert!(!is_pause(&Labels(&label("io.kubernetes.docker.type", "container")), "x"));
        assert_eq!(Labels(&label("com.docker.swarm.service.name", "web")).swarm_service(), "web");
    }
}
