//! The lists of packages apt has fetched, as streams.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::fact::{Gap, Origin, Reason};
use crate::host::Opened;
use crate::resource::Context;

use super::{Apt, LISTS, Repository};

/// The most that is unpacked of one list: ten times the largest there is.
const MOST_UNPACKED: u64 = 1024 * 1024 * 1024;

/// The list of one component for one architecture.
pub(crate) struct Index {
    /// Name in the directory of lists.
    pub(crate) name: String,
    /// Size when unpacked, as the Release file says.
    pub(crate) size: Option<u64>,
}

impl Apt {
    /// The lists a repository should have here, each with the reason where it is not.
    pub(crate) fn indexes(&self, context: &Context<'_>, repository: &Repository) -> Vec<Result<Index, Gap>> {
        let Some(names) = self.lists.known() else { return Vec::new() };
        let release = repository.release.known();
        let prefix = repository.prefix();
        let expected: Vec<(String, String)> = if repository.source.suite.ends_with('/') {
            vec![(format!("{prefix}Packages"), "Packages".to_owned())]
        } else {
            let mut architectures = repository.source.architectures.clone().unwrap_or_else(|| architectures(context));
            if release.is_some_and(|release| release.apart) {
                architectures.push("all".to_owned());
            }
            let of = |component: &String, architecture: &String| {
                let name = format!("{component}/binary-{architecture}/Packages");
                (format!("{prefix}{}", name.replace('/', "_")), name)
            };
            repository
                .source
                .components
                .iter()
                .flat_map(|component| architectures.iter().map(move |architecture| of(component, architecture)))
                .collect()
        };
        expected
            .into_iter()
            .filter_map(|(name, listed)| {
                let size = release.and_then(|release| release.files.get(&listed).copied());
                if let Some(name) =
                    ["", ".lz4", ".gz", ".zst", ".xz", ".bz2"].iter().map(|end| format!("{name}{end}")).find(|name| names.contains(name))
                {
                    return Some(Ok(Index { name, size }));
                }
                // What the repository does not have, or has and is empty, apt does not keep either.
                let packed = |end: &str| release.is_some_and(|release| release.files.contains_key(&format!("{listed}{end}")));
                let offered = size.is_none_or(|size| size > 0) && ["", ".gz", ".xz", ".bz2"].iter().any(|end| packed(end));
                let why = "this list of the repository was not fetched";
                (offered || release.is_none_or(|release| release.files.is_empty()))
                    .then(|| Err(Gap::new(Origin::file(format!("{LISTS}/{name}")), Reason::unsupported(why))))
            })
            .collect()
    }
}

/// The architectures packages are fetched for.
fn architectures(context: &Context<'_>) -> Vec<String> {
    let mut architectures: Vec<String> = super::native(context).into_iter().collect();
    if let Some(bytes) = context.host.read(Path::new("/var/lib/dpkg/arch")).known() {
        architectures.extend(String::from_utf8_lossy(bytes).split_whitespace().map(str::to_owned));
    }
    architectures.sort();
    architectures.dedup();
    architectures
}

/// A list, unpacked while it is read, by the end of its name.
pub(crate) fn reader<'a>(name: &str, file: &'a Opened) -> Result<Box<dyn BufRead + 'a>, Reason> {
    let raw = || BufReader::with_capacity(128 * 1024, file.stream());
    let unpacked: Box<dyn Read + 'a> = match name.rsplit_once('.').map(|(_, end)| end) {
        Some("lz4") => Box::new(lz4_flex::frame::FrameDecoder::new(raw())),
        Some("gz") => Box::new(flate2::bufread::MultiGzDecoder::new(raw())),
        Some(end @ ("zst" | "xz" | "bz2")) => {
            return Err(Reason::unsupported(format!("it is packed as .{end}, which plimsoll does not unpack")));
        }
        _ => return Ok(Box::new(raw())),
    };
    Ok(Box::new(BufReader::with_capacity(128 * 1024, unpacked.take(MOST_UNPACKED))))
}
