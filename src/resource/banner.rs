//! What the host tells whoever is about to log in: the files, and what in them gives the system away.

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, Integer, List, Mode, Origin, Text, record};
use crate::parse::os_release;

use super::file::look;
use super::{Context, Resource, Selector, paths};

record! {
    /// One text shown before or at login: `motd`, `issue` (consoles, with the drop-ins getty adds) or `issue.net` (network).
    /// The main file of each has a record whether or not it is there; drop-ins only where they are.
    pub struct Banner("banner") {
        /// Path of the file.
        path: Text,
        /// `motd`, `issue` or `issue.net`.
        kind: Text,
        /// Whether it is there, following links.
        exists: Flag,
        /// What it says, without blanks at its ends; absent where it is not there.
        text: Text,
        /// Escapes in it that getty replaces by names and versions of the system: `\m`, `\r`, `\s`, `\v`, and `\S`, which stands for what
        /// os-release says. Empty where there are none; absent where it is not there.
        escapes: List,
        /// Whether the distribution's `ID` of os-release stands anywhere in it, in capitals or not, be it part of another word. Absent
        /// where it is not there.
        names_system: Flag,
        /// Numeric owner; absent where it is not there.
        uid: Integer,
        /// Numeric group.
        gid: Integer,
        /// Permission bits.
        mode: Mode,
    }
}

/// Finds the records.
pub struct Banners;

/// The files of each kind, the main one first; globs give what is there.
const PLACES: [(&str, &[&str]); 3] = [
    ("motd", &["/etc/motd"]),
    ("issue", &["/etc/issue", "/etc/issue.d/*.issue", "/run/issue.d/*.issue", "/usr/lib/issue.d/*.issue"]),
    ("issue.net", &["/etc/issue.net"]),
];

impl Resource for Banners {
    type Row = Banner;
    const SELECTOR: &'static str = "`motd`, `issue` or `issue.net`";
    const KEY: &'static str = "kind";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let id = id(context);
        let mut rows = Vec::new();
        for (kind, places) in PLACES.iter().filter(|(kind, _)| of.picks(kind)) {
            for place in *places {
                let found = paths::expand(context.host, place)?;
                rows.extend(found.paths.iter().map(|path| row(context, kind, path, &id)));
                rows.extend(found.gaps.iter().map(|(path, gap)| unknown(kind, path, gap)));
            }
        }
        Ok(rows)
    }
}

fn unknown(kind: &str, path: &Path, gap: &Gap) -> Banner {
    Banner { path: Fact::Known(path.into(), Origin::stat(path)), kind: Fact::derived(kind), ..Banner::unknown(gap) }
}

/// `ID` of os-release, in small letters. Absent where there is none.
fn id(context: &Context<'_>) -> Fact<String> {
    let read = |path: &str| context.host.read(Path::new(path));
    let content = match read("/etc/os-release") {
        Fact::Absent(_) => read("/usr/lib/os-release"),
        content => content,
    };
    content.and_then(|content, origin| match os_release::parse(&String::from_utf8_lossy(&content)).remove("ID") {
        Some((id, _)) if !id.is_empty() => Fact::Known(id.to_lowercase(), origin),
        _ => Fact::Absent(origin),
    })
}

fn row(context: &Context<'_>, kind: &str, path: &Path, id: &Fact<String>) -> Banner {
    let file = look(context, path);
    let content = context.host.read(path).map(|content| String::from_utf8_lossy(&content).into_owned());
    let names_system = content.as_ref().and_then(|text, origin| match id {
        _ if text.trim().is_empty() => Fact::Known(false, origin),
        Fact::Known(id, _) => Fact::Known(text.to_lowercase().contains(id.as_str()), origin),
        Fact::Absent(_) => Fact::Known(false, origin),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    });
    Banner {
        path: file.path,
        kind: Fact::derived(kind),
        exists: file.exists,
        text: content.clone().map(|text| Text::from(text.trim())),
        escapes: content.map(|text| escapes(&text)),
        names_system,
        uid: file.uid,
        gid: file.gid,
        mode: file.mode,
    }
}

/// The telling escapes in a text, each once. A backslash before another stands for itself.
fn escapes(text: &str) -> List {
    let mut found: List = Vec::new();
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        if sign == '\\'
            && let Some(letter @ ('m' | 'r' | 's' | 'v' | 'S')) = signs.next()
        {
            let escape = Text::from(format!("\\{letter}"));
            if !found.contains(&escape) {
                found.push(escape);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;

    fn host() -> Memory {
        Memory::new().file("/etc/os-release", "ID=debian\n")
    }

    fn banners(host: &Memory, kind: &str) -> Vec<Banner> {
        Banners::collect(&Context::new(host), &Selector::Keys(vec![kind.to_owned()])).unwrap()
    }

    fn told(text: &str) -> (Vec<String>, bool) {
        let banner = banners(&host().file("/etc/issue", text), "issue").remove(0);
        (banner.escapes.known().unwrap().iter().map(|escape| escape.raw().to_owned()).collect(), *banner.names_system.known().unwrap())
    }

    #[test]
    fn escapes_and_the_name_of_the_system_are_found() {
        let some = |escapes: &[&str]| escapes.iter().map(|escape| (*escape).to_owned()).collect::<Vec<_>>();
        assert_eq!(told("Debian GNU/Linux 12 \\n \\l\n"), (some(&[]), true));
        assert_eq!(told("\\S \\r \\m \\r\n"), (some(&["\\S", "\\r", "\\m"]), false));
        assert_eq!(told("see https://mirror.example/DEBIANs"), (some(&[]), true), "inside another word it is a hit as well");
        assert_eq!(told("C:\\\\share, keep out \\"), (some(&[]), false));
        assert_eq!(told(""), (some(&[]), false));
    }

    #[test]
    fn drop_ins_of_getty_count() {
        let host = host().file("/etc/issue", "x\n").file("/run/issue.d/50.issue", "\\v").file("/etc/issue.d/readme", "\\v");
        let paths: Vec<_> = banners(&host, "issue").iter().map(|banner| banner.path.known().unwrap().raw().to_owned()).collect();
        assert_eq!(paths, ["/etc/issue", "/run/issue.d/50.issue"]);
    }

    #[test]
    fn not_there_and_not_seen_differ() {
        let motd = banners(&host(), "motd").remove(0);
        assert_eq!(motd.exists.known(), Some(&false));
        assert!(matches!((&motd.text, &motd.escapes, &motd.names_system), (Fact::Absent(_), Fact::Absent(_), Fact::Absent(_))));
        let denied = banners(&host().file("/etc/motd", "x").gap("/etc/motd", Reason::Denied), "motd").remove(0);
        assert!(matches!((&denied.exists, &denied.text), (Fact::Unknown(_), Fact::Unknown(_))));
        let nameless = Memory::new().file("/etc/motd", "x").gap("/etc/os-release", Reason::Denied);
        assert!(matches!(banners(&nameless, "motd").remove(0).names_system, Fact::Unknown(_)));
        assert_eq!(banners(&host().symlink("/etc/motd", "/run/motd").file("/run/motd", "hi\n"), "motd").remove(0).text.known().unwrap().raw(), "hi");
    }
}
