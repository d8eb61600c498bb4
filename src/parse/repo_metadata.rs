//! Metadata of rpm repositories: `repomd.xml`, `updateinfo.xml` and `primary.xml`, read as streams of tags.
//!
//! They are made by programs and hold no comments that matter. Only start tags, their attributes and the text before a tag are
//! looked at; nothing is expanded, so no document can grow while it is read.

use std::io::{self, BufRead, Read as _};

/// The longest text and tag that are read in one piece.
const LONGEST: u64 = 4 * 1024 * 1024;

/// One tag, with the text before it.
struct Tag<'a> {
    text: &'a [u8],
    name: &'a [u8],
    attributes: &'a [u8],
}

impl Tag<'_> {
    fn attribute(&self, wanted: &str) -> Option<String> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_ascii_start();
            let equals = rest.iter().position(|byte| *byte == b'=')?;
            let (name, value) = rest.split_at(equals);
            let (quote, value) = value.get(1..)?.trim_ascii_start().split_first()?;
            let end = value.iter().position(|byte| byte == quote)?;
            if name.trim_ascii() == wanted.as_bytes() {
                return Some(unescaped(value.get(..end)?));
            }
            rest = value.get(end + 1..)?;
        }
    }
}

fn unescaped(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}

/// Visits every tag. The document must end with `end`, or it was cut off.
fn tags(reader: &mut dyn BufRead, end: &str, each: &mut dyn FnMut(&Tag<'_>)) -> io::Result<()> {
    let mut buffer = Vec::new();
    let mut last = false;
    loop {
        buffer.clear();
        let read = reader.take(LONGEST).read_until(b'>', &mut buffer)?;
        let Some(piece) = buffer.strip_suffix(b">") else {
            let bad = if read as u64 == LONGEST { "a tag is longer than any that is meant" } else { "it is cut off" };
            return if last { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidData, bad)) };
        };
        let Some(start) = piece.iter().rposition(|byte| *byte == b'<') else { continue };
        let (text, tag) = piece.split_at(start);
        let tag = tag.get(1..).unwrap_or_default();
        let length = tag.iter().position(u8::is_ascii_whitespace).unwrap_or(tag.len());
        let (name, attributes) = tag.split_at(length);
        last = name == end.as_bytes();
        each(&Tag { text: text.trim_ascii(), name: name.strip_suffix(b"/").unwrap_or(name), attributes });
    }
}

/// What `repomd.xml` says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Index {
    /// When the repository was made, in seconds since the epoch: the newest time in it.
    pub made: Option<i64>,
    /// Kinds of metadata and the file that holds each.
    pub files: Vec<(String, String)>,
}

/// Reads `repomd.xml`.
pub fn index(mut bytes: &[u8]) -> io::Result<Index> {
    let (mut index, mut kind) = (Index::default(), String::new());
    tags(&mut bytes, "/repomd", &mut |tag| match tag.name {
        b"data" => kind = tag.attribute("type").unwrap_or_default(),
        b"location" => index.files.extend(tag.attribute("href").map(|place| (kind.clone(), place))),
        b"/timestamp" => {
            let time = std::str::from_utf8(tag.text).ok().and_then(|time| time.split('.').next()?.parse().ok());
            index.made = index.made.max(time);
        }
        _ => {}
    })?;
    Ok(index)
}

/// A package that a repository offers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Offer {
    /// Name.
    pub name: String,
    /// `EPOCH:VERSION-RELEASE`.
    pub version: String,
    /// Architecture.
    pub architecture: String,
    /// Whether it is said to be a security fix; `None` where nothing is said.
    pub security: Option<bool>,
    /// Module and stream it belongs to.
    pub module: Option<(String, String)>,
}

fn offer(tag: &Tag<'_>) -> Option<Offer> {
    let part = |name| tag.attribute(name).filter(|part| !part.is_empty());
    let epoch = part("epoch").unwrap_or_else(|| "0".to_owned());
    Some(Offer {
        name: part("name")?,
        version: format!("{epoch}:{}-{}", part("version")?, part("release")?),
        architecture: part("arch")?,
        ..Offer::default()
    })
}

/// Visits every package that an `updateinfo.xml` names.
pub fn updates(reader: &mut dyn BufRead, each: &mut dyn FnMut(Offer)) -> io::Result<()> {
    let (mut security, mut module) = (false, None);
    tags(reader, "/updates", &mut |tag| match tag.name {
        b"update" => {
            security = tag.attribute("type").as_deref() == Some("security");
            module = None;
        }
        b"collection" => module = None,
        b"module" => module = tag.attribute("name").zip(tag.attribute("stream")),
        b"package" => {
            if let Some(offer) = offer(tag) {
                each(Offer { security: Some(security), module: module.clone(), ..offer });
            }
        }
        _ => {}
    })
}

/// Visits every package of a `primary.xml`.
pub fn packages(reader: &mut dyn BufRead, each: &mut dyn FnMut(Offer)) -> io::Result<()> {
    let mut current = Offer::default();
    tags(reader, "/metadata", &mut |tag| match tag.name {
        b"package" => current = Offer::default(),
        b"/name" => current.name = unescaped(tag.text),
        b"/arch" => current.architecture = unescaped(tag.text),
        b"version" => {
            let part = |name| tag.attribute(name).unwrap_or_default();
            current.version = format!("{}:{}-{}", part("epoch"), part("ver"), part("rel"));
        }
        b"/package" => each(std::mem::take(&mut current)),
        _ => {}
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPDATES: &str = "<?xml version=\"1.0\"?>\n<updates>\n<update type=\"security\"><id>A</id><description>a &gt; b</description><pkglist>\n\
        <collection short='x'><name>X</name><package name=\"openssl\" epoch=\"1\" version=\"3.0.7\" release=\"28.el9_4\" arch=\"x86_64\" src=\"s\"><filename>f</filename></package></collection>\n\
        <collection><module name=\"nodejs\" stream=\"20\" arch=\"x\"/><package name=\"nodejs\" version=\"20\" release=\"1.module\" arch=\"x86_64\"/></collection></pkglist></update>\n\
        <update type=\"bugfix\"><package name=\"a\" version=\"1\" release=\"2\" arch=\"noarch\"/></update>\n</updates>\n";

    fn read(text: &str) -> io::Result<Vec<Offer>> {
        let mut found = Vec::new();
        updates(&mut text.as_bytes(), &mut |offer| found.push(offer))?;
        Ok(found)
    }

    #[test]
    fn advisories_name_packages() {
        let found = read(UPDATES).unwrap();
        assert_eq!((found[0].name.as_str(), found[0].version.as_str(), found[0].security), ("openssl", "1:3.0.7-28.el9_4", Some(true)));
        assert_eq!(found[1].module, Some(("nodejs".into(), "20".into())));
        assert_eq!((found[2].version.as_str(), found[2].security, &found[2].module), ("0:1-2", Some(false), &None));
        for end in 0..UPDATES.len() - 1 {
            assert!(read(&UPDATES[..end]).is_err(), "{end}");
        }
        let _ = read("<a =><updates x= y='><package name=\"\0\" /updates>");
    }

    #[test]
    fn indexes_and_lists() {
        let text = b"<repomd><revision>1</revision><data type=\"primary\"><location href=\"repodata/p.xml.gz\"/><timestamp>1700000000</timestamp></data>\
                     <data type=\"updateinfo\"><timestamp>1700000100.5</timestamp><location href=\"repodata/u.xml.gz\"/></data></repomd>";
        let found = index(text).unwrap();
        assert_eq!(found.made, Some(1_700_000_100));
        assert_eq!(found.files[1], ("updateinfo".into(), "repodata/u.xml.gz".into()));
        assert!(index(&text[..text.len() - 4]).is_err());
        let mut offers = Vec::new();
        let primary = "<metadata><package type=\"rpm\"><name>docker-ce</name><arch>x86_64</arch><version epoch=\"3\" ver=\"28.0.4\" rel=\"1.el9\"/></package></metadata>";
        packages(&mut primary.as_bytes(), &mut |offer| offers.push(offer)).unwrap();
        assert_eq!((offers[0].name.as_str(), offers[0].version.as_str()), ("docker-ce", "3:28.0.4-1.el9"));
    }
}
