//! Whether the branch of a running engine still receives fixes.

use chrono::{DateTime, Utc};

use crate::fact::{Fact, Gap, Reason, Text};
use crate::resource::docker::Document;
use crate::resource::engine_component;

/// Whether the branch of the release that `/version` describes still receives fixes.
pub(super) fn supported(version: &Document, now: DateTime<Utc>) -> Fact<bool> {
    // Distributions leave the platform's name empty, and often put their own revision behind the number.
    let platform = version.text("/Platform/Name");
    let released = |name: &Text| ["Docker Engine", "Docker Desktop", "Mirantis"].iter().any(|maker| name.raw().starts_with(maker));
    let released = platform.known().is_some_and(released);
    version.text("/Version").and_then(|number, origin| {
        let unknown = |why: String| Fact::Unknown(Gap::new(origin.clone(), Reason::unsupported(why)));
        let parts: Option<Vec<u32>> = number.raw().split('.').map(|part| part.parse().ok()).collect();
        match parts.as_deref() {
            Some([_, _, _]) if released => engine_component::maintained("docker", number.raw(), now, &origin),
            _ => unknown("a build that its distributor maintains; compare the package instead".to_owned()),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fact::Origin;

    fn of(version: &str, platform: &str) -> Option<bool> {
        let document = serde_json::json!({"Version": version, "Platform": {"Name": platform}});
        supported(&Document(Fact::Known(Arc::new(document), Origin::Derived)), DateTime::UNIX_EPOCH).known().copied()
    }

    #[test]
    fn branches_are_judged_and_distributions_are_not() {
        let docker = "Docker Engine - Community";
        assert_eq!(of("29.1.3", docker), Some(true));
        assert_eq!(of("25.0.9", docker), Some(true));
        assert_eq!(of("20.10.24", docker), Some(false));
        assert_eq!(of("27.5.1", docker), Some(false));
        assert_eq!(of("31.0.0", docker), None, "newer than the table");
        assert_eq!(of("20.10.24+dfsg1", ""), None, "Debian carries fixes back");
        assert_eq!(of("24.0.7", ""), None, "so does Ubuntu, without a mark");
        assert_eq!(of("26.1.4+azure-1", docker), None);
        assert_eq!(of("x", docker), None);
    }
}
