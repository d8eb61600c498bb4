//! What rpm has installed.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin, Reason, Scheme};
use crate::host::{Host, Opened};
use crate::parse::glob;
use crate::parse::rpm_header;
use crate::parse::sqlite::{Database, Payload, columns};
use crate::resource::Context;

use super::{Package, Packages, State};

/// Where the database may be; one is often a link to another.
const PLACES: [&str; 3] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm"];
const NAME: &str = "rpmdb.sqlite";
/// What older releases and other distributions keep instead.
const OTHERS: [(&str, &str); 2] = [("Packages.db", "ndb"), ("Packages", "Berkeley DB")];
const LOCKS: &str = "/etc/dnf/plugins/versionlock.list";

/// The most of one header that is read.
const MOST_HEADER: usize = 64 * 1024 * 1024;
/// How often a database that changes while it is read is read again.
const TRIES: usize = 3;

pub(super) fn read(context: &Context<'_>, packages: &mut Packages) -> Result<(), Gap> {
    let host = context.host;
    for place in PLACES {
        let path = Path::new(place).join(NAME);
        if let Some(file) = packages.open(&path, host.open(&path))? {
            let locks = Locks::read(host);
            let with_source = context.wants("package", "source");
            packages.all.extend(sqlite(host, &path, &file, &locks, with_source)?);
            return Ok(());
        }
        for (name, kind) in OTHERS {
            let path = Path::new(place).join(name);
            if packages.open(&path, host.stat(&path))?.is_some() {
                let why = format!("an rpm database of the kind {kind}, which plimsoll does not read");
                return Err(Gap::new(Origin::file(path.as_path()), Reason::unsupported(why)));
            }
        }
    }
    Ok(())
}

/// The packages in the database, as it was at one moment.
fn sqlite(host: &dyn Host, path: &Path, file: &Opened, locks: &Fact<Locks>, with_source: bool) -> Result<Vec<Package>, Gap> {
    let gap = |reason| Gap::new(Origin::file(path), reason);
    let beside = |end: &str| PathBuf::from(format!("{}{end}", path.display()));
    // A journal that is left is an interrupted change, which only a writer can take back.
    if host.stat(&beside("-journal")).into_result()?.is_some_and(|stat| stat.size > 0) {
        return Err(gap(Reason::unsupported("the database is being changed, or a change of it was cut off")));
    }
    let mark = || (host.stat(path), host.stat(&beside("-wal")));
    for _ in 0..TRIES {
        let before = mark();
        let log = host.open(&beside("-wal")).into_result()?;
        let found = rows(path, file, log.as_deref(), locks, with_source);
        if before == mark() {
            return found.map_err(|error| gap(Reason::malformed(error.to_string())));
        }
    }
    Err(gap(Reason::unsupported("it kept changing while it was read")))
}

fn rows(path: &Path, file: &Opened, log: Option<&Opened>, locks: &Fact<Locks>, with_source: bool) -> std::io::Result<Vec<Package>> {
    let main = |at: u64, buffer: &mut [u8]| file.read_exact_at(at, buffer);
    let wal = |at: u64, buffer: &mut [u8]| log.map_or(Ok(()), |log| log.read_exact_at(at, buffer));
    let database = Database::open(&main, file.size(), log.map(|log| (&wal as _, log.size())))?;
    let Some(table) = database.table("Packages")? else { return Err(std::io::Error::other("it has no table of packages")) };
    let mut packages = Vec::new();
    database.rows(table, &mut |_, row| {
        let header = header(&row, with_source)?;
        let origin = Origin::file(path);
        let source = match &header.source {
            Some(file) => Fact::Known(named(file), origin.clone()),
            None if with_source => Fact::Absent(origin.clone()),
            None => Fact::Unknown(Gap::new(origin.clone(), Reason::NotCollected)),
        };
        packages.push(Package {
            held: locks.clone().map(|locks| locks.hold(&header.name, &header.version)),
            name: header.name,
            version: header.version,
            scheme: Scheme::Rpm,
            architecture: header.architecture,
            state: State::Installed,
            source,
            origin,
        });
        Ok(())
    })?;
    Ok(packages)
}

/// The header in a row, read as far as is needed.
fn header(row: &Payload<'_, '_>, with_source: bool) -> std::io::Result<rpm_header::Header> {
    let bad = |reason: Reason| std::io::Error::other(reason.to_string());
    let cut = || std::io::Error::other("a row without a header");
    // The row's own head is a few bytes.
    let start = row.first(64)?;
    let at = columns(&start)?.get(1).map(|(_, range)| range.start).ok_or_else(cut)?;
    let index = rpm_header::index_length(start.get(at..).ok_or_else(cut)?).map_err(bad)?;
    let bytes = row.first(at + index)?;
    let needed = rpm_header::needed(bytes.get(at..).ok_or_else(cut)?, with_source).map_err(bad)?;
    let bytes = row.first((at + needed).min(MOST_HEADER))?;
    rpm_header::parse(bytes.get(at..).ok_or_else(cut)?).map_err(bad)
}

/// Name and version of a source package, by its file name: `bash-5.1.8-9.el9.src.rpm`.
fn named(file: &str) -> (String, String) {
    let stem = file.strip_suffix(".src.rpm").or_else(|| file.strip_suffix(".nosrc.rpm")).unwrap_or(file);
    let mut parts = stem.rsplitn(3, '-');
    let (release, version, name) = (parts.next(), parts.next(), parts.next());
    match (name, version, release) {
        (Some(name), Some(version), Some(release)) => (name.to_owned(), format!("{version}-{release}")),
        _ => (stem.to_owned(), String::new()),
    }
}

/// What dnf's versionlock keeps at its version.
#[derive(Clone, Default)]
struct Locks(Vec<String>);

impl Locks {
    fn read(host: &dyn Host) -> Fact<Self> {
        match host.read(Path::new(LOCKS)) {
            Fact::Known(bytes, origin) => {
                let text = String::from_utf8_lossy(&bytes);
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', '!']));
                Fact::Known(Self(lines.map(str::to_owned).collect()), origin)
            }
            Fact::Absent(origin) => Fact::Known(Self::default(), origin),
            Fact::Unknown(gap) => Fact::Unknown(gap),
        }
    }

    /// Whether a line names this version: `name-epoch:version-release.*`, or with the epoch in front.
    fn hold(&self, name: &str, version: &str) -> bool {
        let with_epoch = if version.contains(':') { version.to_owned() } else { format!("0:{version}") };
        let (epoch, bare) = with_epoch.split_once(':').unwrap_or(("0", version));
        let spellings =
            [format!("{name}-{epoch}:{bare}.x"), format!("{epoch}:{name}-{bare}.x"), format!("{name}-{bare}.x"), name.to_owned()];
        self.0.iter().any(|lock| {
            let lock = lock.strip_suffix(".*").map_or_else(|| lock.clone(), |lock| format!("{lock}.*"));
            spellings.iter().any(|spelling| *lock == *spelling || glob::matches(&lock, spelling))
        })
    }
}
