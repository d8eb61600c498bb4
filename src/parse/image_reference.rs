//! How a container names its image.

/// The parts of an image reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReference<'a> {
    /// Registry and repository; the identifier where it is named by that.
    pub repository: &'a str,
    /// Tag, where one is written.
    pub tag: Option<&'a str>,
    /// Digest, where one is written.
    pub digest: Option<&'a str>,
    /// Whether it is an identifier and no name at all.
    pub is_id: bool,
}

impl<'a> ImageReference<'a> {
    /// Takes a reference apart. A short identifier looks like a name, so the image's identifier is needed to tell.
    #[must_use]
    pub fn parse(text: &'a str, image_id: &str) -> Self {
        let hex = |text: &str| text.len() >= 6 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let id = image_id.strip_prefix("sha256:").unwrap_or(image_id);
        let named = text.strip_prefix("sha256:").unwrap_or(text);
        if hex(named) && (text != named || named.len() == 64 || id.starts_with(named)) {
            return Self { repository: text, tag: None, digest: None, is_id: true };
        }
        let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
        // A colon before the last slash stands before a registry's port.
        let (repository, tag) = match rest.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (rest, None),
        };
        Self { repository, tag, digest, is_id: false }
    }

    /// The tag it follows: `latest` where none is written, none where a digest or an identifier pins it.
    #[must_use]
    pub fn followed_tag(&self) -> Option<&'a str> {
        if self.is_id || self.digest.is_some() { None } else { Some(self.tag.unwrap_or("latest")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "sha256:161a4bef10cfb0ae379e75c5a281a49341570162241d738d5f6eee2623427d83";

    #[test]
    fn tags_ports_and_digests() {
        let tag = |text| ImageReference::parse(text, ID).followed_tag().map(str::to_owned);
        assert_eq!(tag("nginx"), Some("latest".into()));
        assert_eq!(tag("nginx:1.27"), Some("1.27".into()));
        assert_eq!(tag("registry.example:5000/team/app"), Some("latest".into()));
        assert_eq!(tag("registry.example:5000/team/app:2"), Some("2".into()));
        let pinned = ImageReference::parse("registry.example:5000/app:2@sha256:0000", ID);
        assert_eq!(
            (pinned.repository, pinned.tag, pinned.digest, pinned.followed_tag()),
            ("registry.example:5000/app", Some("2"), Some("sha256:0000"), None)
        );
    }

    #[test]
    fn identifiers() {
        for id in [ID, "161a4bef10cf", &ID[7..]] {
            assert!(ImageReference::parse(id, ID).is_id, "{id}");
        }
        assert!(!ImageReference::parse("facade", ID).is_id, "a name of hexadecimal letters");
        assert!(!ImageReference::parse("cafe:1", ID).is_id);
    }
}
