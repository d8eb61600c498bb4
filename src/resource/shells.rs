//! The shells that may be logged in with: `/etc/shells`.

use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Flag, Gap, Origin, Text, record};

use super::{Context, Resource, Selector};

record! {
    /// One shell that `/etc/shells` lists, or that the C library lists where there is no such file.
    pub struct Shell("shell") {
        /// Path as listed.
        path: Text,
        /// Whether it is one that turns people away: its name is `nologin` or `false`.
        refuses: Flag,
        /// Whether the program is there.
        exists: Flag,
    }
}

/// Finds the records.
pub struct Shells;

impl Resource for Shells {
    type Row = Shell;
    const SELECTOR: &'static str = "the path of a shell, or a glob; one that is not listed gives no record";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let listed = Listed::of(context);
        let shells = match &listed.0 {
            Fact::Known(shells, _) => shells.as_slice(),
            Fact::Absent(_) => &[],
            Fact::Unknown(gap) => return Err(gap.clone()),
        };
        let row = |(path, origin): &(Text, Origin)| Shell {
            path: Fact::Known(path.clone(), origin.clone()),
            refuses: Fact::Known(refuses(path.raw()), origin.clone()),
            exists: match context.host.stat(Path::new(path.raw())) {
                Fact::Known(_, origin) => Fact::Known(true, origin),
                Fact::Absent(origin) => Fact::Known(false, origin),
                Fact::Unknown(gap) => Fact::Unknown(gap),
            },
        };
        Ok(shells.iter().filter(|(path, _)| of.picks(path.raw())).map(row).collect())
    }
}

/// The path of the list.
const SHELLS: &str = "/etc/shells";

/// The shells that are listed, read once per run.
pub(crate) struct Listed(Fact<Vec<(Text, Origin)>>);

impl Listed {
    /// The shells of the host under audit.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| {
            Self(match context.host.read(Path::new(SHELLS)) {
                Fact::Known(bytes, origin) => Fact::Known(parse(&bytes), origin),
                Fact::Absent(_) => {
                    let origin = Origin::default_of("the C library");
                    Fact::Known(["/bin/sh", "/bin/csh"].map(|path| (path.into(), origin.clone())).to_vec(), origin)
                }
                Fact::Unknown(gap) => Fact::Unknown(gap),
            })
        })
    }

    /// Whether an account with this shell can be logged in to as the benchmarks see it: the shell is listed and lets people in.
    pub(crate) fn admits(&self, shell: &str) -> Fact<bool> {
        let shell = if shell.is_empty() { "/bin/sh" } else { shell };
        self.0.as_ref().and_then(|shells, origin| match shells.iter().find(|(path, _)| path.raw() == shell) {
            Some((path, origin)) => Fact::Known(!refuses(path.raw()), origin.clone()),
            None => Fact::Known(false, origin),
        })
    }
}

/// The paths of the list: what of a line is between its first slash and the next blank or `#`, as `getusershell` has it.
fn parse(bytes: &[u8]) -> Vec<(Text, Origin)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        let line = line.split(|b| *b == b'#' || *b == 0).next().unwrap_or_default();
        let Some(start) = line.iter().position(|b| *b == b'/') else { continue };
        let path = line.get(start..).unwrap_or_default().split(u8::is_ascii_whitespace).next().unwrap_or_default();
        if path.len() > 1 {
            found.push((Text::from_bytes(path), Origin::line(SHELLS, number)));
        }
    }
    found
}

fn refuses(shell: &str) -> bool {
    matches!(shell.rsplit('/').next(), Some("nologin" | "false"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    #[test]
    fn comments_are_no_shells() {
        let host = Memory::new().file(SHELLS, "# /etc/shells\n/bin/sh\r\n  /bin/bash # best\n#/bin/zsh\n/usr/sbin/nologin\nx\n\0/bin/y\n").file("/bin/sh", "");
        let rows = Shells::collect(&Context::new(&host), &Selector::All).unwrap();
        let paths: Vec<_> = rows.iter().map(|row| (row.path.known().unwrap().raw(), row.refuses.known().copied().unwrap())).collect();
        assert_eq!(paths, [("/bin/sh", false), ("/bin/bash", false), ("/usr/sbin/nologin", true)]);
        assert_eq!(rows[0].exists.known(), Some(&true));
        assert_eq!(rows[2].path.origin(), &Origin::line(SHELLS, 5));
        let listed = Listed::of(&Context::new(&host));
        let admits = |shell: &str| listed.admits(shell).known().copied();
        assert_eq!(["", "/bin/bash", "/bin/zsh", "/usr/sbin/nologin"].map(admits), [Some(true), Some(true), Some(false), Some(false)]);
    }

    #[test]
    fn without_a_list_the_c_library_has_one() {
        let listed = Listed::of(&Context::new(&Memory::new()));
        assert_eq!(listed.admits("/bin/sh"), Fact::Known(true, Origin::default_of("the C library")));
        assert_eq!(listed.admits("/bin/bash").known(), Some(&false));
    }

    #[test]
    fn cut_anywhere_nothing_breaks() {
        let text = b"# x\n/bin/sh \xff\r\n\0/bin/bash#\n/";
        for end in 0..=text.len() {
            parse(text.get(..end).unwrap());
        }
    }
}
