//! What dpkg has installed.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason, Scheme};
use crate::host::Opened;
use crate::parse::control::{Scanner, Stanza};
use crate::resource::Context;

use super::{Package, Packages, State};

const STATUS: &str = "/var/lib/dpkg/status";
/// Images without dpkg itself keep one file for each package here.
const PARTS: &str = "/var/lib/dpkg/status.d";

const FIELDS: &[&str] = &["Package", "Status", "Version", "Architecture", "Source"];

pub(super) fn read(context: &Context<'_>, packages: &mut Packages) -> Result<(), Gap> {
    let mut result = Ok(());
    let status = Path::new(STATUS);
    if let Some(file) = packages.open(status, context.host.open(status))? {
        result = scan(status, &file, packages, true);
    }
    let parts = Path::new(PARTS);
    if let Some(names) = packages.open(parts, context.host.list(parts))? {
        for name in names.iter().map(|entry| &entry.name).filter(|name| name.extension().is_none_or(|end| end != "md5sums")) {
            let path: PathBuf = parts.join(name);
            match context.host.open(&path).into_result() {
                Ok(Some(file)) => result = scan(&path, &file, packages, false).and(result),
                Ok(None) => {}
                Err(gap) => result = Err(gap),
            }
        }
    }
    result
}

/// Takes the packages of one file. `whole` says that what dpkg wrote ends in an empty line, so that one that does not was cut off.
fn scan(path: &Path, file: &Opened, packages: &mut Packages, whole: bool) -> Result<(), Gap> {
    let malformed = |what: String| Gap::new(Origin::file(path), Reason::malformed(what));
    let mut scanner = Scanner::new(BufReader::with_capacity(64 * 1024, file.stream()), FIELDS);
    let mut stanza = Stanza::default();
    let mut odd = None;
    while scanner.next(&mut stanza).map_err(|error| malformed(error.to_string()))? {
        // The parts have no status: what is there is installed.
        match package(path, &stanza, whole) {
            Some(Some(package)) => packages.all.push(package),
            Some(None) => {}
            None => odd = Some(malformed(format!("line {}: a package without name, status or version", stanza.line))),
        }
    }
    if whole && !scanner.complete {
        return Err(malformed("it ends in the middle of a package".into()));
    }
    odd.map_or(Ok(()), Err)
}

/// `None` for what is no package, `Some(None)` for one that is not there at all.
fn package(path: &Path, stanza: &Stanza, with_status: bool) -> Option<Option<Package>> {
    let name = stanza.get(0)?.to_owned();
    let origin = Origin::line(path, stanza.line);
    let (mut held, mut state) = (Fact::Known(false, origin.clone()), State::Installed);
    if with_status {
        let mut words = stanza.get(1)?.split_whitespace();
        let (want, flag, status) = (words.next()?, words.next()?, words.next()?);
        held = Fact::Known(want == "hold", Origin::line(path, stanza.line_of(1)));
        state = match (flag, status) {
            (_, "not-installed") => return Some(None),
            (_, "config-files") => State::ConfigurationLeft,
            // Whoever waits for a trigger is configured and works.
            ("ok", "installed" | "triggers-awaited" | "triggers-pending") => State::Installed,
            (_, "installed" | "triggers-awaited" | "triggers-pending" | "unpacked" | "half-configured" | "half-installed") => {
                State::Partial
            }
            _ => return None,
        };
    }
    let version = match stanza.get(2) {
        Some(version) if !version.is_empty() => version.to_owned(),
        // A first installation that failed early has none yet.
        _ if state != State::Installed => String::new(),
        _ => return None,
    };
    let source = match stanza.get(4) {
        Some(source) => match source.split_once('(') {
            Some((name, number)) => (name.trim().to_owned(), number.trim_end_matches(')').trim().to_owned()),
            None => (source.trim().to_owned(), version.clone()),
        },
        None => (name.clone(), version.clone()),
    };
    Some(Some(Package {
        name,
        version,
        scheme: Scheme::Debian,
        architecture: stanza.get(3).map(str::to_owned),
        state,
        held,
        source: Fact::Known(source, origin.clone()),
        origin,
    }))
}
