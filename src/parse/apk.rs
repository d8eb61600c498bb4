//! The list of installed packages of Alpine's apk.

/// One installed package.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Architecture.
    pub architecture: Option<String>,
    /// Package of the source it was built from.
    pub source: Option<String>,
    /// Line on which it begins, from 1.
    pub line: u32,
}

/// The packages, and whether the file ends where a package does.
#[must_use]
pub fn parse(bytes: &[u8]) -> (Vec<Package>, bool) {
    let mut packages = Vec::new();
    let mut current = Package::default();
    for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1..) {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            let done = std::mem::take(&mut current);
            if !done.name.is_empty() {
                packages.push(done);
            }
            continue;
        }
        let text = || String::from_utf8_lossy(line.get(2..).unwrap_or_default()).into_owned();
        match line.first_chunk::<2>() {
            Some(b"P:") => (current.name, current.line) = (text(), number),
            Some(b"V:") => current.version = text(),
            Some(b"A:") => current.architecture = Some(text()),
            Some(b"o:") => current.source = Some(text()),
            _ => {}
        }
    }
    (packages, bytes.is_empty() || bytes.ends_with(b"\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_end_at_empty_lines() {
        let text = b"C:Q1x\nP:musl\nV:1.2.5-r0\nA:x86_64\no:musl\nF:lib\nR:x\n\nP:busybox\nV:1.36.1-r29\n\n";
        let (packages, whole) = parse(text);
        assert!(whole);
        assert_eq!(packages.len(), 2);
        assert_eq!((packages[0].name.as_str(), packages[0].version.as_str(), packages[0].line), ("musl", "1.2.5-r0", 2));
        assert_eq!(packages[0].architecture.as_deref(), Some("x86_64"));
        for end in 1..text.len() {
            let (packages, whole) = parse(&text[..end]);
            assert!(!whole || packages.len() == 1, "{end}");
        }
    }
}
