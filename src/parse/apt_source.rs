//! Where apt fetches packages from: one-line `sources.list` and deb822 `.sources`.

use super::control::{Scanner, Stanza};
use crate::fact::Reason;

/// One repository as it is configured: one suite at one place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Source {
    /// Whether it is used: not `Enabled: no`.
    pub enabled: bool,
    /// Place, with a slash at its end.
    pub uri: String,
    /// Suite, or a path that ends in a slash.
    pub suite: String,
    /// Components; none for a path.
    pub components: Vec<String>,
    /// Architectures, where they are limited.
    pub architectures: Option<Vec<String>>,
    /// What must have signed it: a path of keys, fingerprints, or `embedded` for a key written right there.
    pub signed_by: Option<String>,
    /// `trusted=`: yes means that signatures do not matter, no that none is good enough.
    pub trusted: Option<bool>,
    /// `allow-insecure=yes`: unsigned metadata is accepted.
    pub allow_insecure: bool,
    /// Line, from 1.
    pub line: u32,
}

/// The binary repositories of a one-line file. Lines that are no source are an error for apt, which then does nothing at all.
pub fn one_line(text: &str) -> Result<Vec<Source>, Reason> {
    let mut sources = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let bad = || Reason::malformed(format!("line {number} is no source"));
        let (kind, rest) = line.split_once(char::is_whitespace).ok_or_else(bad)?;
        let mut source = Source { enabled: true, line: number, ..Source::default() };
        let mut rest = rest.trim_start();
        if let Some(options) = rest.strip_prefix('[') {
            let (options, after) = options.split_once(']').ok_or_else(bad)?;
            for option in options.split_whitespace() {
                let (name, value) = option.split_once('=').ok_or_else(bad)?;
                source.option(name, value);
            }
            rest = after;
        }
        let mut words = rest.split_whitespace().map(str::to_owned);
        let (uri, suite) = (words.next().ok_or_else(bad)?, words.next().ok_or_else(bad)?);
        source.place(&uri, suite);
        source.components = words.collect();
        match kind {
            "deb" => sources.push(source),
            "deb-src" => {}
            _ => return Err(bad()),
        }
    }
    Ok(sources)
}

const FIELDS: &[&str] = &[
    "Types",
    "URIs",
    "Suites",
    "Components",
    "Enabled",
    "Architectures",
    "Signed-By",
    "Trusted",
    "Allow-Insecure",
    "Architectures-Add",
    "Architectures-Remove",
];

/// The binary repositories of a deb822 file.
pub fn deb822(bytes: &[u8]) -> Result<Vec<Source>, Reason> {
    let mut scanner = Scanner::new(bytes, FIELDS).with_comments();
    let mut stanza = Stanza::default();
    let mut sources = Vec::new();
    while scanner.next(&mut stanza).map_err(|error| Reason::malformed(error.to_string()))? {
        let words = |field| stanza.get(field).unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        if !words(0).iter().any(|kind| kind == "deb") {
            if words(0).iter().any(|kind| kind == "deb-src") {
                continue;
            }
            return Err(Reason::malformed(format!("line {}: a source without its type", stanza.line)));
        }
        let mut base = Source { enabled: true, components: words(3), line: stanza.line, ..Source::default() };
        for (field, name) in [(5, "arch"), (6, "signed-by"), (7, "trusted"), (8, "allow-insecure"), (9, "arch+"), (10, "arch-")] {
            if let Some(value) = stanza.get(field) {
                base.option(name, value);
            }
        }
        base.enabled = stanza.get(4).and_then(truth) != Some(false);
        let (uris, suites) = (words(1), words(2));
        if uris.is_empty() || suites.is_empty() {
            return Err(Reason::malformed(format!("line {}: a source without place or suite", stanza.line)));
        }
        for uri in &uris {
            for suite in &suites {
                let mut source = base.clone();
                source.place(uri, suite.clone());
                sources.push(source);
            }
        }
    }
    Ok(sources)
}

impl Source {
    fn place(&mut self, uri: &str, suite: String) {
        self.uri = if uri.ends_with('/') { uri.to_owned() } else { format!("{uri}/") };
        self.suite = suite;
    }

    /// The server it is fetched from; empty for files.
    #[must_use]
    pub fn server(&self) -> &str {
        self.uri.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default())
    }

    fn option(&mut self, name: &str, value: &str) {
        let list = || value.split([',', ' ', '\n', '\t']).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        match name.to_ascii_lowercase().as_str() {
            "arch" => self.architectures = Some(list()),
            // What is added to a list that is not known here makes that list unknown, and all are looked for.
            "arch+" | "arch-" => self.architectures = None,
            "signed-by" if value.contains("BEGIN PGP") => self.signed_by = Some("embedded".to_owned()),
            "signed-by" => self.signed_by = Some(value.replace('\n', " ").trim().to_owned()),
            "trusted" => self.trusted = truth(value),
            "allow-insecure" => self.allow_insecure = truth(value) == Some(true),
            _ => {}
        }
    }
}

/// A yes or no as apt reads it.
#[must_use]
pub fn truth(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "yes" | "true" | "with" | "on" | "enable" | "1" => Some(true),
        "no" | "false" | "without" | "off" | "disable" | "0" => Some(false),
        _ => None,
    }
}

/// The name a place has among the lists apt keeps: as its own function makes it of a URI.
#[must_use]
pub fn list_name(uri: &str) -> String {
    let bare = uri.split_once(':').map_or(uri, |(_, rest)| rest.strip_prefix("//").unwrap_or(rest));
    // User and password are left out.
    let (host, path) = bare.split_at(bare.find('/').unwrap_or(bare.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    host.bytes()
        .chain(path.bytes())
        .map(|byte| match byte {
            b'/' => "_".to_owned(),
            b'\\' | b'|' | b'{' | b'}' | b'[' | b']' | b'<' | b'>' | b'"' | b'^' | b'~' | b'_' | b'=' | b'!' | b'@' | b'#' | b'$'
            | b'%' | b'&' | b'*' => {
                format!("%{byte:02x}")
            }
            byte if !byte.is_ascii_graphic() => format!("%{byte:02x}"),
            byte => char::from(byte).to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_sources() {
        let text = "# deb http://x y main\ndeb [arch=amd64,i386 signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/debian bookworm stable # x\r\n\
                    deb-src http://d/debian bookworm main\ndeb [ trusted=yes ] file:/srv/repo ./\n";
        let sources = one_line(text).unwrap();
        assert_eq!(sources.len(), 2);
        assert_eq!(
            (sources[0].uri.as_str(), sources[0].suite.as_str(), sources[0].line),
            ("https://download.docker.com/linux/debian/", "bookworm", 2)
        );
        assert_eq!(sources[0].architectures.as_deref(), Some(&["amd64".to_owned(), "i386".to_owned()][..]));
        assert_eq!(sources[0].signed_by.as_deref(), Some("/etc/apt/keyrings/docker.asc"));
        assert_eq!((sources[1].suite.as_str(), sources[1].trusted), ("./", Some(true)));
        for bad in ["deb", "deb http://x", "deb [arch=amd64 http://x y", "foo http://x y", "deb [x] http://x y"] {
            assert!(one_line(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn deb822_sources() {
        let text = b"# d\nTypes: deb deb-src\nURIs: http://deb.debian.org/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n x\n\n\
                     Enabled: no\nTypes: deb\nURIs: https://x/\nSuites: y\nTrusted: yes\n\nTypes: deb-src\nURIs: a\nSuites: b\n";
        let sources = deb822(text).unwrap();
        let read: Vec<_> = sources.iter().map(|source| (source.uri.as_str(), source.suite.as_str(), source.enabled, source.line)).collect();
        assert_eq!(
            read,
            [
                ("http://deb.debian.org/debian/", "bookworm", true, 2),
                ("http://deb.debian.org/debian/", "bookworm-updates", true, 2),
                ("https://x/", "y", false, 11)
            ]
        );
        assert_eq!((sources[0].signed_by.as_deref(), sources[2].trusted), (Some("embedded"), Some(true)));
        for end in 0..text.len() {
            let _ = deb822(&text[..end]);
        }
        assert!(deb822(b"Types: deb\nURIs: x\n").is_err());
        assert!(deb822(b"URIs: x\n").is_err());
    }

    #[test]
    fn names_of_lists() {
        assert_eq!(list_name("http://deb.debian.org/debian/dists/bookworm/"), "deb.debian.org_debian_dists_bookworm_");
        assert_eq!(list_name("file:/srv/repo/dists/x/"), "_srv_repo_dists_x_");
        assert_eq!(list_name("https://user:pw@host:8080/a_b~c/"), "host:8080_a%5fb%7ec_");
        assert_eq!(list_name("tor+http://a.onion/x"), "a.onion_x");
    }
}
