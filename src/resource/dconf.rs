//! Settings of GNOME as dconf resolves them for a profile: keyfiles, databases made from them, and locks.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, Origin, Reason, Setting, Text, record};
use crate::host::{FileKind, Host};
use crate::parse::dconf::{self, Source};

use super::{Context, Resource, Selector};

const PROFILES: [&str; 3] = ["/etc/dconf/profile", "/usr/local/share/dconf/profile", "/usr/share/dconf/profile"];
const DATABASES: &str = "/etc/dconf/db";
/// What Debian makes the defaults of its login screen from.
const DEBIAN: (&str, &str) = ("/var/lib/gdm3/greeter-dconf-defaults", "/etc/gdm3/greeter.dconf-defaults");

record! {
    /// One key of dconf under one profile, as the system sets it; what users set for themselves is not looked at.
    pub struct Dconf("dconf") {
        /// Path of the key, such as `/org/gnome/login-screen/banner-message-enable`.
        key: Text,
        /// Name of the profile: `gdm` for the login screen, `user` for sessions.
        profile: Text,
        /// The value, without its type and quotes; absent where the system sets none.
        value: Setting,
        /// Whether users are kept from setting it themselves.
        locked: Flag,
        /// Whether the databases were made anew (`dconf update`) after the last change of their keyfiles: programs read only those.
        compiled: Flag,
    }
}

/// Finds the records.
pub struct Dconfs;

impl Resource for Dconfs {
    type Row = Dconf;
    const SELECTOR: &'static str = "`{ profile = …, key = … }`: `gdm` or `user`, and paths of keys; one that nobody sets makes a record that says so";
    const ENUMERABLE: bool = false;
    const ARGUMENTS: &'static [&'static str] = &["profile", "key"];

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let keys = of.required("key")?;
        let mut rows = Vec::new();
        for name in of.required("profile")? {
            let databases = databases(context.host, name);
            rows.extend(keys.iter().map(|key| row(context.host, name, key, &databases)));
        }
        Ok(rows)
    }
}

/// A database and what it is made from.
struct Database {
    /// The compiled file.
    compiled: PathBuf,
    /// Keyfiles, in the order in which later ones win.
    keyfiles: Vec<PathBuf>,
    /// Files of locks.
    locks: Vec<PathBuf>,
    /// The directory of the keyfiles; `None` for one whose keyfiles are not known.
    directory: Option<PathBuf>,
}

/// The databases of a profile, without the user's own, and where the profile is.
fn databases(host: &dyn Host, name: &str) -> Fact<Vec<Database>> {
    for directory in PROFILES {
        let path = Path::new(directory).join(name);
        match host.read(&path) {
            Fact::Known(content, origin) => {
                let mut found = Vec::new();
                for source in dconf::profile(&String::from_utf8_lossy(&content)) {
                    match database(host, source) {
                        Ok(database) => found.extend(database),
                        Err(gap) => return Fact::Unknown(gap),
                    }
                }
                return Fact::Known(found, origin);
            }
            Fact::Absent(_) => {}
            Fact::Unknown(gap) => return Fact::Unknown(gap),
        }
    }
    // Without a profile there is the user's own database and no other.
    Fact::Absent(Origin::file(format!("{}/{name}", PROFILES[0])))
}

fn database(host: &dyn Host, source: Source) -> Result<Option<Database>, Gap> {
    let files = |directory: &Path| -> Result<Vec<PathBuf>, Gap> {
        let names = host.list(directory).into_result()?;
        let names = names.iter().flat_map(|names| names.iter());
        Ok(names.filter(|entry| entry.kind != FileKind::Directory).map(|entry| directory.join(&entry.name)).collect())
    };
    Ok(match source {
        Source::User => None,
        Source::System(name) => {
            let directory = Path::new(DATABASES).join(format!("{name}.d"));
            let locks = files(&directory.join("locks"))?;
            Some(Database { compiled: Path::new(DATABASES).join(name), keyfiles: files(&directory)?, locks, directory: Some(directory) })
        }
        Source::File(path) => {
            let keyfiles = if path == DEBIAN.0 { vec![PathBuf::from(DEBIAN.1)] } else { Vec::new() };
            Some(Database { compiled: path.into(), keyfiles, locks: Vec::new(), directory: None })
        }
    })
}

fn row(host: &dyn Host, profile: &str, key: &str, databases: &Fact<Vec<Database>>) -> Dconf {
    let locked = databases.as_ref().and_then(|databases, origin| locked(host, key, databases, origin));
    let value = match (databases, &locked) {
        (Fact::Known(databases, origin), locked) => {
            // A lock below takes away what is set above it.
            let from = locked.known().copied().flatten().map_or(0, |(at, _)| at);
            set(host, key, databases.get(from..).unwrap_or_default(), origin)
        }
        (Fact::Absent(origin), _) => Fact::Absent(origin.clone()),
        (Fact::Unknown(gap), _) => Fact::Unknown(gap.clone()),
    };
    Dconf {
        key: Fact::derived(key),
        profile: Fact::derived(profile),
        value,
        locked: match locked {
            Fact::Absent(origin) => Fact::Known(false, origin),
            locked => locked.map(|lock| lock.is_some()),
        },
        compiled: match databases {
            Fact::Known(databases, origin) => compiled(host, databases, origin),
            Fact::Absent(origin) => Fact::Known(false, origin.clone()),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        },
    }
}

/// The database, by its place, whose lock covers a key. The last in order has the last word.
fn locked(host: &dyn Host, key: &str, databases: &[Database], origin: Origin) -> Fact<Option<(usize, u32)>> {
    for (at, database) in databases.iter().enumerate().rev() {
        for path in &database.locks {
            match host.read(path) {
                Fact::Known(content, _) => {
                    if let Some(line) = dconf::lock(&String::from_utf8_lossy(&content), key) {
                        return Fact::Known(Some((at, line)), Origin::line(path.as_path(), line));
                    }
                }
                Fact::Absent(_) => {}
                Fact::Unknown(gap) => return Fact::Unknown(gap),
            }
        }
    }
    Fact::Known(None, origin)
}

/// What the first database that knows a key sets; within one the last keyfile wins.
fn set(host: &dyn Host, key: &str, databases: &[Database], origin: &Origin) -> Fact<Setting> {
    for database in databases {
        for path in database.keyfiles.iter().rev() {
            match host.read(path) {
                Fact::Known(content, _) => {
                    if let Some((value, line)) = dconf::value(&String::from_utf8_lossy(&content), key) {
                        return Fact::Known(value.into(), Origin::line(path.as_path(), line));
                    }
                }
                Fact::Absent(_) => {}
                Fact::Unknown(gap) => return Fact::Unknown(gap),
            }
        }
        if database.directory.is_none() && database.keyfiles.is_empty() {
            match may_hold(host, &database.compiled, key) {
                Ok(false) => {}
                Ok(true) => {
                    let why = Reason::unsupported("a compiled database whose keyfiles are not known may set it");
                    return Fact::Unknown(Gap::new(Origin::file(database.compiled.as_path()), why));
                }
                Err(gap) => return Fact::Unknown(gap),
            }
        }
    }
    Fact::Absent(origin.clone())
}

/// A compiled database holds the names of its keys as they are: one whose name is nowhere in it is not set by it.
fn may_hold(host: &dyn Host, path: &Path, key: &str) -> Result<bool, Gap> {
    let Some(content) = host.read(path).into_result()? else { return Ok(false) };
    let name = key.rsplit('/').next().unwrap_or(key).as_bytes();
    Ok(content.windows(name.len().max(1)).any(|window| window == name))
}

fn compiled(host: &dyn Host, databases: &[Database], origin: &Origin) -> Fact<bool> {
    let mut seen = origin.clone();
    for database in databases {
        let Some(directory) = &database.directory else { continue };
        let changed = std::iter::once(directory).chain(&database.keyfiles).chain(&database.locks);
        let mut newest = None;
        for path in changed {
            match host.stat(path) {
                Fact::Known(stat, _) => newest = newest.max(Some(stat.modified)),
                Fact::Absent(_) => {}
                Fact::Unknown(gap) => return Fact::Unknown(gap),
            }
        }
        match (host.stat(&database.compiled), newest) {
            (Fact::Unknown(gap), _) => return Fact::Unknown(gap),
            (Fact::Known(stat, origin), Some(newest)) if stat.modified >= newest => seen = origin,
            (Fact::Known(_, origin), None) => seen = origin,
            (Fact::Known(_, origin), _) => return Fact::Known(false, origin),
            (Fact::Absent(_), None) => {}
            (Fact::Absent(origin), Some(_)) => return Fact::Known(false, origin),
        }
    }
    Fact::Known(true, seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    const BANNER: &str = "/org/gnome/login-screen/banner-message-enable";

    fn one(host: &Memory, profile: &str, key: &str) -> Dconf {
        let arguments = [("profile".to_owned(), vec![profile.to_owned()]), ("key".to_owned(), vec![key.to_owned()])];
        Dconfs::collect(&Context::new(host), &Selector::Named(arguments.into())).unwrap().remove(0)
    }

    fn hardened() -> Memory {
        Memory::new()
            .file("/etc/dconf/profile/gdm", "user-db:user\nsystem-db:gdm\nfile-db:/usr/share/gdm/greeter-dconf-defaults\n")
            .file("/etc/dconf/db/gdm.d/01-banner", "[org/gnome/login-screen]\nbanner-message-enable=false\n")
            .file("/etc/dconf/db/gdm.d/02-banner", "[org/gnome/login-screen]\nbanner-message-enable=true\n")
            .file("/etc/dconf/db/gdm.d/locks/banner", "/org/gnome/login-screen/banner-message-enable\n")
            .file("/etc/dconf/db/gdm", "GVariant")
            .file("/usr/share/gdm/greeter-dconf-defaults", "GVariant logo disable-user-list")
    }

    #[test]
    fn the_last_keyfile_wins_and_locks_count() {
        let host = hardened();
        let banner = one(&host, "gdm", BANNER);
        assert_eq!(banner.value, Fact::Known("true".into(), Origin::line("/etc/dconf/db/gdm.d/02-banner", 2)));
        assert_eq!((banner.locked.known(), banner.compiled.known()), (Some(&true), Some(&true)));
        let stale = host.modified("/etc/dconf/db/gdm.d/02-banner", 7);
        assert_eq!(one(&stale, "gdm", BANNER).compiled.known(), Some(&false));
    }

    #[test]
    fn a_compiled_database_may_set_only_what_it_names() {
        let host = hardened();
        assert!(matches!(one(&host, "gdm", "/org/gnome/login-screen/allowed-failures").value, Fact::Absent(_)));
        assert!(matches!(one(&host, "gdm", "/org/gnome/login-screen/disable-user-list").value, Fact::Unknown(_)));
    }

    #[test]
    fn without_a_profile_nothing_is_set_for_anybody() {
        let host = Memory::new().file("/etc/dconf/db/local.d/00-x", "[org/gnome/login-screen]\nbanner-message-enable=true\n");
        let banner = one(&host, "user", BANNER);
        assert!(matches!(banner.value, Fact::Absent(_)));
        assert_eq!((banner.locked.known(), banner.compiled.known()), (Some(&false), Some(&false)));
    }

    #[test]
    fn a_lock_below_takes_away_what_is_set_above() {
        let host = Memory::new()
            .file("/usr/share/dconf/profile/user", "user-db:user\nsystem-db:local\nsystem-db:site\n")
            .file("/etc/dconf/db/local.d/x", "[a]\nb=1\n")
            .file("/etc/dconf/db/site.d/x", "[a]\nb=2\n")
            .file("/etc/dconf/db/local", "")
            .file("/etc/dconf/db/site", "");
        assert_eq!(one(&host, "user", "/a/b").value.known(), Some(&"1".into()));
        let locked = host.file("/etc/dconf/db/site.d/locks/l", "/a/\n");
        assert_eq!(one(&locked, "user", "/a/b").value.known(), Some(&"2".into()));
    }

    #[test]
    fn debian_makes_its_login_screen_from_a_file_of_its_own() {
        let host = Memory::new()
            .file("/usr/share/dconf/profile/gdm", "user-db:user\nfile-db:/var/lib/gdm3/greeter-dconf-defaults\n")
            .file("/etc/gdm3/greeter.dconf-defaults", "[org/gnome/login-screen]\n# banner-message-enable=true\nbanner-message-enable=true\n");
        assert_eq!(one(&host, "gdm", BANNER).value.known(), Some(&"true".into()));
        let denied = host.gap("/etc/gdm3/greeter.dconf-defaults", Reason::Denied);
        assert!(matches!(one(&denied, "gdm", BANNER).value, Fact::Unknown(_)));
    }
}
