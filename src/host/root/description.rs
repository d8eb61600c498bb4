//! `host.toml`: the format, and where it is wrong.

#![expect(clippy::disallowed_methods, reason = "what stands beside the directory of a host is given by who runs the audit")]

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, Error as _};

use crate::fact::{Mode, Reason, Text};
use crate::host::{FileKind, Identity, MOST_READ, ProcessLinks};

/// Why a directory cannot be audited as a host.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory cannot be opened.
    #[error("cannot open the directory {}: {source}", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file that describes the host cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file that describes the host could have been written by somebody else.
    #[error("{} may be written by others than root and you; give it to root or yourself and take their right to write", path.display())]
    Untrusted {
        /// The file.
        path: PathBuf,
    },
    /// A file that describes the host cannot be understood.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

/// The whole file.
#[derive(serde::Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    #[expect(dead_code, reason = "checked while it is read")]
    format: Format,
    pub(super) now: Option<When>,
    #[serde(default)]
    pub(super) running: bool,
    #[serde(default)]
    pub(super) owned_by_root: bool,
    pub(super) identity: Option<IdentityEntry>,
    #[serde(default)]
    pub(super) file: Vec<FileEntry>,
    #[serde(default)]
    pub(super) engine: Vec<EngineEntry>,
    #[serde(default)]
    pub(super) process: Vec<ProcessEntry>,
    pub(super) audit_rules: Option<AuditRulesEntry>,
    pub(super) packet_filter: Option<AuditRulesEntry>,
    pub(super) socket_owners: Option<String>,
    pub(super) deleted_code: Option<String>,
}

#[derive(serde::Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityEntry {
    name: Option<Text>,
    os: Option<Text>,
    kernel: Option<Text>,
    architecture: Option<Text>,
    machine_id: Option<Text>,
    booted: Option<When>,
}

impl IdentityEntry {
    /// What is said here, and for the rest what the files say.
    pub(super) fn over(self, files: Identity) -> Identity {
        Identity {
            name: self.name.unwrap_or(files.name),
            os: self.os.unwrap_or(files.os),
            kernel: self.kernel.unwrap_or(files.kernel),
            architecture: self.architecture.unwrap_or(files.architecture),
            machine_id: self.machine_id.unwrap_or(files.machine_id),
            booted: self.booted.map(|at| at.0.timestamp()).or(files.booted),
            ..files
        }
    }
}

#[derive(serde::Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct FileEntry {
    pub(super) path: HostPath,
    pub(super) kind: Option<KindWord>,
    pub(super) owner: Option<u32>,
    pub(super) group: Option<u32>,
    pub(super) mode: Option<Mode>,
    pub(super) modified: Option<When>,
    pub(super) size: Option<u64>,
    pub(super) content: Option<String>,
    pub(super) content_hex: Option<Hex>,
    pub(super) target: Option<PathBuf>,
    pub(super) gap: Option<GapWord>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EngineEntry {
    pub(super) socket: HostPath,
    pub(super) answers: Option<PathBuf>,
    #[serde(default)]
    pub(super) gap: BTreeMap<Question, GapWord>,
}

#[derive(serde::Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub(super) enum Question {
    Ping,
    Version,
    Info,
    Containers,
    Container,
    Images,
    Image,
    Networks,
    Network,
    Volumes,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProcessEntry {
    pid: i32,
    exe: Option<Text>,
    #[serde(default)]
    namespaces: BTreeMap<Text, u64>,
    gap: Option<GapWord>,
}

impl ProcessEntry {
    pub(super) fn into_links(self) -> (i32, Result<ProcessLinks, Reason>) {
        let links = ProcessLinks { exe: self.exe, namespaces: self.namespaces.into_iter().collect() };
        (self.pid, self.gap.map_or(Ok(links), |gap| Err(gap.reason())))
    }
}

/// Exactly one of them.
#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AuditRulesEntry {
    Hex(Hex),
    File(PathBuf),
    Gap(GapWord),
}

impl AuditRulesEntry {
    pub(super) fn load(self, beside: &Path) -> Result<Result<Arc<[u8]>, Reason>, Error> {
        match self {
            Self::Gap(gap) => Ok(Err(gap.reason())),
            Self::Hex(Hex(bytes)) => Ok(Ok(bytes.into())),
            Self::File(file) => {
                let path = beside.join(file);
                let text = String::from_utf8_lossy(&read(&path)?).into_owned();
                let malformed = |message| Error::Malformed { path: path.clone(), line: 1, column: 1, message };
                hex(&text).map(|bytes| Ok(bytes.into())).map_err(malformed)
            }
        }
    }
}

/// What stands beside a directory: its description, and the folder it stands in.
pub(super) fn beside(directory: &Path) -> Result<(Description, PathBuf), Error> {
    let Some(folder) = directory.parent() else { return Ok(Default::default()) };
    let path = folder.join("host.toml");
    let meta = match path.symlink_metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((Description::default(), folder.into())),
        Err(source) => return Err(Error::Read { path, source }),
    };
    let owners = [0, rustix::process::geteuid().as_raw()];
    if !meta.is_file() || !owners.contains(&meta.uid()) || meta.mode() & 0o002 != 0 {
        return Err(Error::Untrusted { path });
    }
    let text = String::from_utf8_lossy(&read(&path)?).into_owned();
    let description = parse(&text).map_err(|(offset, message)| {
        let before = text.get(..offset).unwrap_or(&text);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Error::Malformed { path, line: before.matches('\n').count() + 1, column, message }
    })?;
    Ok((description, folder.into()))
}

/// Reads a description; errors with the place, in bytes, and what is wrong there.
fn parse(text: &str) -> Result<Description, (usize, String)> {
    let wrong = |error: toml::de::Error| (error.span().map_or(0, |span| span.start), error.message().to_owned());
    let description: Description = toml::from_str(text).map_err(wrong)?;
    for entry in &description.file {
        entry.check().map_err(|message| {
            let path = entry.path.0.to_string_lossy();
            (text.find(&*path).unwrap_or(0), format!("{path}: {message}"))
        })?;
    }
    Ok(description)
}

impl FileEntry {
    /// Whether the path is a glob.
    pub(super) fn is_glob(&self) -> bool {
        crate::parse::glob::is_glob(&self.path.0.to_string_lossy())
    }

    fn check(&self) -> Result<(), &'static str> {
        let bodies = usize::from(self.content.is_some()) + usize::from(self.content_hex.is_some());
        let body = bodies > 0 || self.target.is_some() || self.size.is_some();
        let kind = self.kind.map(|kind| kind.0);
        match () {
            () if bodies > 1 => Err("`content` and `content_hex` exclude each other"),
            () if self.is_glob() && (body || kind.is_some() || self.gap.is_some()) => {
                Err("a glob can change only `owner`, `group`, `mode` and `modified`")
            }
            () if bodies > 0 && self.target.is_some() => Err("a link has no content"),
            () if bodies > 0 && !matches!(kind, None | Some(Some(FileKind::File))) => Err("only a file has content"),
            () if self.target.is_some() && !matches!(kind, None | Some(Some(FileKind::Link))) => Err("only a link has a target"),
            () if self.target.is_none() && kind == Some(Some(FileKind::Link)) => Err("a link needs a `target`"),
            () => Ok(()),
        }
    }
}

/// A file that describes the host.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let wrong = |source| Error::Read { path: path.into(), source };
    let length = path.metadata().map_err(wrong)?.len();
    if length > MOST_READ as u64 {
        return Err(wrong(std::io::Error::other("it is larger than what is read")));
    }
    std::fs::read(path).map_err(wrong)
}

/// `format = 1`.
#[derive(Default)]
struct Format;

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match i64::deserialize(from)? {
            1 => Ok(Self),
            other => Err(D::Error::custom(format_args!("format {other} is not known to this version, which reads format 1"))),
        }
    }
}

/// A path on the audited host.
#[derive(Default)]
pub(super) struct HostPath(pub(super) PathBuf);

impl<'de> Deserialize<'de> for HostPath {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let path = PathBuf::deserialize(from)?;
        if path.is_absolute() { Ok(Self(path)) } else { Err(D::Error::custom("paths on the host begin with `/`")) }
    }
}

/// A date with a time and an offset.
pub(super) struct When(pub(super) DateTime<Utc>);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let written = toml::value::Datetime::deserialize(from)?.to_string();
        let wrong = |_| D::Error::custom("needs a date, a time and an offset, such as 2026-01-31T12:00:00Z");
        Ok(Self(DateTime::parse_from_rfc3339(&written).map_err(wrong)?.to_utc()))
    }
}

/// A kind of file; none for `absent`.
#[derive(Clone, Copy)]
pub(super) struct KindWord(pub(super) Option<FileKind>);

impl<'de> Deserialize<'de> for KindWord {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use FileKind::{Device, Directory, Fifo, File, Link, Other, Socket};
        let word = String::deserialize(from)?;
        let kind = [File, Directory, Link, Socket, Fifo, Device, Other].into_iter().find(|kind| kind.word() == word);
        match kind {
            None if word != "absent" => {
                Err(D::Error::custom("a kind is `file`, `directory`, `link`, `socket`, `fifo`, `device`, `other` or `absent`"))
            }
            kind => Ok(Self(kind)),
        }
    }
}

/// Why a look fails.
#[derive(serde::Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum GapWord {
    Denied,
    Unreachable,
    TimedOut,
    TooLarge,
    Malformed,
    NotCollected,
}

impl GapWord {
    pub(super) fn reason(self) -> Reason {
        match self {
            Self::Denied => Reason::Denied,
            Self::Unreachable => Reason::Unreachable,
            Self::TimedOut => Reason::TimedOut,
            Self::TooLarge => Reason::TooLarge,
            Self::Malformed => Reason::malformed("described as malformed"),
            Self::NotCollected => Reason::NotCollected,
        }
    }
}

/// Bytes in hexadecimal, blanks ignored.
pub(super) struct Hex(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        hex(&String::deserialize(from)?).map(Self).map_err(D::Error::custom)
    }
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u32>> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16)).collect();
    let digits = digits.ok_or("only hexadecimal digits and blanks can stand here")?;
    if digits.len() % 2 != 0 {
        return Err("an odd number of hexadecimal digits".to_owned());
    }
    Ok(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | *digit as u8)).collect())
}
