//! Which definitions a command works with.

use std::path::Path;

use super::args::{DefinitionArgs, TailoringArgs};
use super::error::Error;
use crate::definition::{Definitions, Problem, Site, Source, Trust, Values};

/// Where the machine's own tailoring stands.
const SITE_FILE: &str = "/etc/plimsoll/site.toml";

/// Wraps problems with definitions.
pub(crate) fn wrong(problems: Vec<Problem>) -> Error {
    Error::Definitions { problems }
}

/// Benchmarks and profiles: those inside the binary, the machine's, and those named.
pub(crate) fn definitions(args: &DefinitionArgs) -> Result<Definitions, Error> {
    let trust = Trust::of_process();
    let mut sources = Source::embedded();
    sources.extend(Source::machine(trust).map_err(wrong)?);
    for folder in &args.benchmarks {
        sources.extend(Source::below(folder, trust).map_err(wrong)?);
    }
    Definitions::load(sources).map_err(wrong)
}

/// The site file named, or the machine's own where it has one; and what the command line sets over it.
pub(crate) fn site(args: &TailoringArgs, definitions: &Definitions) -> Result<(Site, Values), Error> {
    let trust = Trust::of_process();
    let path = args.site.as_deref().or_else(|| Some(Path::new(SITE_FILE)).filter(|path| is_there(path)));
    let site = match path {
        Some(path) => {
            let source = Source::file(path, trust).map_err(|problem| wrong(vec![problem]))?;
            definitions.site(&source).map_err(wrong)?
        }
        None => Site::default(),
    };
    let mut values = Values::new();
    for assignment in &args.sets {
        values.extend(definitions.setting(assignment).map_err(|problem| wrong(vec![problem]))?);
    }
    Ok((site, values))
}

#[expect(clippy::disallowed_methods, reason = "plimsoll's own site file, not the host under audit")]
fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}
