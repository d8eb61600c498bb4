//! `/etc/fstab`, and what the options written there mean in the end.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use super::mountinfo::unescape;

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What is mounted.
    pub device: String,
    /// Where; `None` for swap.
    pub point: Option<PathBuf>,
    /// Type of file system; `swap` for swap.
    pub fs_type: String,
    /// Options as written.
    pub options: Vec<String>,
    /// Line, from 1.
    pub line: u32,
}

/// Reads the table. What is no entry is ignored, as it is by `mount`.
#[must_use]
pub fn parse(bytes: &[u8]) -> Vec<Entry> {
    bytes.split(|b| *b == b'\n').zip(1..).filter_map(|(line, number)| entry(line, number)).collect()
}

fn entry(line: &[u8], line_number: u32) -> Option<Entry> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut fields = line.split(|b| matches!(b, b' ' | b'\t')).filter(|field| !field.is_empty());
    let text = |field: &[u8]| String::from_utf8_lossy(&unescape(field)).into_owned();
    let device = fields.next().filter(|field| !field.starts_with(b"#"))?;
    let point = unescape(fields.next()?);
    let fs_type = text(fields.next()?);
    let options = fields.next().map_or_else(Vec::new, |field| split_options(&text(field)));
    let point = match fs_type.as_str() {
        "swap" => None,
        _ => Some(plain(Path::new(&OsString::from_vec(point)))?),
    };
    Some(Entry { device: text(device), point, fs_type, options, line: line_number })
}

/// The path without doubled slashes and without one at its end.
fn plain(path: &Path) -> Option<PathBuf> {
    path.is_absolute().then(|| path.components().collect())
}

/// Options parted at commas; those between double quotes part nothing.
#[must_use]
pub fn split_options(options: &str) -> Vec<String> {
    let (mut found, mut current, mut quoted) = (Vec::new(), String::new(), false);
    for character in options.chars() {
        match character {
            '"' => {
                quoted = !quoted;
                current.push('"');
            }
            ',' if !quoted => found.push(std::mem::take(&mut current)),
            other => current.push(other),
        }
    }
    found.push(current);
    found.retain(|option| !option.is_empty());
    found
}

/// Options that take another one back.
const OPPOSITES: [(&str, &str); 7] = [
    ("nosuid", "suid"),
    ("nodev", "dev"),
    ("noexec", "exec"),
    ("ro", "rw"),
    ("noauto", "auto"),
    ("noatime", "atime"),
    ("nodiratime", "diratime"),
];

/// What options come to when they are applied in their order: of opposites the later one stands, and those that let
/// users mount bring others with them.
#[must_use]
pub fn effective(options: &[String]) -> Vec<String> {
    let mut stand: Vec<String> = Vec::new();
    let mut apply = |option: &str| {
        let opposite = OPPOSITES.iter().find_map(|(no, yes)| match option {
            option if option == *no => Some(*yes),
            option if option == *yes => Some(*no),
            _ => None,
        });
        stand.retain(|earlier| Some(earlier.as_str()) != opposite && earlier != option);
        stand.push(option.to_owned());
    };
    for option in options {
        apply(option);
        let brings: &[&str] = match option.as_str() {
            "user" | "users" => &["nosuid", "nodev", "noexec"],
            "owner" | "group" => &["nosuid", "nodev"],
            _ => &[],
        };
        brings.iter().for_each(|option| apply(option));
    }
    stand
}

/// The name of the mount unit for a path, as `systemd-escape --path --suffix=mount` gives it.
#[must_use]
pub fn unit_name(point: &Path) -> String {
    let mut name = String::new();
    let bytes = point.as_os_str().as_bytes();
    let inner = bytes.strip_prefix(b"/").unwrap_or(bytes);
    for (at, byte) in inner.iter().enumerate() {
        match byte {
            b'/' => name.push('-'),
            b'.' if at == 0 => name.push_str(r"\x2e"),
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'.') => name.push(char::from(*byte)),
            byte => name.push_str(&format!(r"\x{byte:02x}")),
        }
    }
    if name.is_empty() {
        name.push('-');
    }
    name.push_str(".mount");
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] =
        b"# comment\n  # another\nUUID=1-2  /   ext4\terrors=remount-ro 0 1\r\n/dev/vdb1 /srv/a\\040b/ xfs defaults,nodev\n\
        /dev/vdb2 none swap sw 0 0\ntmpfs //tmp tmpfs\nbroken\n/dev/x relative ext4 defaults\n\
        t /c tmpfs context=\"a:s0:c1,c2\",noexec\n";

    #[test]
    fn entries_escapes_and_what_is_none() {
        let found = parse(TABLE);
        let seen: Vec<_> = found.iter().map(|entry| (entry.point.as_deref().and_then(Path::to_str), entry.line)).collect();
        assert_eq!(seen, [(Some("/"), 3), (Some("/srv/a b"), 4), (None, 5), (Some("/tmp"), 6), (Some("/c"), 9)]);
        assert_eq!(found[0].options, ["errors=remount-ro"]);
        assert!(found[3].options.is_empty());
        assert_eq!(found[4].options, ["context=\"a:s0:c1,c2\"", "noexec"]);
    }

    /// What `mount -t tmpfs -o …` of util-linux 2.38 makes of them.
    #[test]
    fn later_options_take_earlier_ones_back() {
        let of = |options: &str| effective(&split_options(options)).join(",");
        assert_eq!(of("nosuid,defaults"), "nosuid,defaults");
        assert_eq!((of("noexec,exec"), of("exec,noexec")), ("exec".into(), "noexec".into()));
        assert_eq!(of("user"), "user,nosuid,nodev,noexec");
        assert_eq!(of("user,exec"), "user,nosuid,nodev,exec");
        assert_eq!((of("owner"), of("nodev,suid,nosuid")), ("owner,nosuid,nodev".into(), "nodev,nosuid".into()));
    }

    #[test]
    fn names_of_units() {
        let name = |path: &str| unit_name(Path::new(path));
        assert_eq!((name("/"), name("/var/log/audit")), ("-.mount".into(), "var-log-audit.mount".into()));
        assert_eq!((name("/var-x/.y"), name("/.a b")), (r"var\x2dx-.y.mount".into(), r"\x2ea\x20b.mount".into()));
    }

    #[test]
    fn cut_anywhere_it_is_read_or_ignored() {
        for end in 0..=TABLE.len() {
            assert!(parse(TABLE.get(..end).unwrap()).len() <= 5);
        }
        assert!(parse(b"\0 \xff/ \\04\n\\777 /\\08 x").len() <= 2);
    }
}
