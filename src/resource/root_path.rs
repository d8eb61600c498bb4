//! The directories in which a login shell of root looks for programs, and who else could put one there.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, Integer, Mode, Origin, Reason, Text, record};
use crate::host::FileKind;
use crate::parse::shell_setting::When;

use super::accounts::Accounts;
use super::login_defs::Settings;
use super::{Context, Resource, Selector, shell_setting};

record! {
    /// One entry of what may become `PATH` of a login shell of root: `ENV_SUPATH` of login.defs, `/etc/environment`, and whatever the
    /// start-up files for everybody and for root put into it. They are read and not run: branches for others than root are left out,
    /// and an entry that has to be worked out is unknown.
    pub struct RootPath("root_path") {
        /// The entry as written, `$HOME` resolved; empty for the current directory.
        directory: Text,
        /// Whether it is an absolute path. Others depend on where the shell stands, the empty one and `.` above all.
        absolute: Flag,
        /// Whether a directory is there, following links.
        exists: Flag,
        /// Numeric owner.
        uid: Integer,
        /// Permission bits.
        mode: Mode,
    }
}

/// Finds the records.
pub struct RootPaths;

impl Resource for RootPaths {
    type Row = RootPath;
    const SELECTOR: &'static str = "`\"*\"`, or a directory";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let mut rows: Vec<RootPath> = Vec::new();
        for entry in entries(context)? {
            let row = match entry {
                Ok((directory, origin)) if of.picks(&directory) => row(context, &directory, origin),
                Ok(_) => continue,
                Err(gap) => RootPath { directory: Fact::Unknown(gap.clone()), ..RootPath::unknown(&gap) },
            };
            // A directory that several files name is one.
            let same = |other: &RootPath| matches!((other.directory.known(), row.directory.known()), (Some(a), Some(b)) if a == b);
            if !rows.iter().any(same) {
                rows.push(row);
            }
        }
        Ok(rows)
    }
}

/// An entry and the line it stands in, or why it is not known.
type Entry = Result<(String, Origin), Gap>;

fn entries(context: &Context<'_>) -> Result<Vec<Entry>, Gap> {
    let home = Accounts::of(context).user("root").map_or_else(|| "/root".to_owned(), |root| root.home.raw().to_owned());
    let mut found = Vec::new();
    match Settings::of(context).value("ENV_SUPATH") {
        Fact::Known(value, origin) => split(value.raw().trim_start_matches("PATH="), &home, &origin, &mut found),
        Fact::Absent(_) => {}
        Fact::Unknown(gap) => found.push(Err(gap)),
    }
    environment(context, &home, &mut found);
    let system = shell_setting::system(context)?.into_iter().map(|script| (script, false));
    let own = shell_setting::of_root(context)?.into_iter().map(|script| (script, true));
    let mut waiting: VecDeque<_> = system.chain(own).collect();
    let mut seen: BTreeSet<PathBuf> = waiting.iter().map(|((path, _), _)| path.clone()).collect();
    while let Some(((path, commands), own)) = waiting.pop_front() {
        found.extend(commands.as_ref().err().cloned().map(Err));
        for command in commands.iter().flatten().filter(|command| command.when != When::Others) {
            let origin = Origin::line(path.as_path(), command.line);
            let set = command.assigns().into_iter().filter_map(|(name, value)| value.filter(|_| name == "PATH"));
            set.for_each(|value| split(value, &home, &origin, &mut found));
            let mut hidden = |why: &str| found.push(Err(Gap::new(origin.clone(), Reason::unsupported(why))));
            match command.words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                // Red Hat's function puts its first word before or behind what is there.
                ["pathmunge", directory, ..] => split(directory, &home, &origin, &mut found),
                ["." | "source", file, ..] => match literal(file, &home) {
                    Some(file) if seen.len() < MOST_FILES => {
                        if seen.insert(file.clone()) {
                            waiting.extend(shell_setting::read(context, vec![file]).into_iter().map(|script| (script, own)));
                        }
                    }
                    // The files for everybody take in what lies in their directories, which is read as well.
                    None if !own => {}
                    _ => hidden("another file is taken in, and which one is worked out by the shell"),
                },
                // What these print is for colours and for less.
                ["eval", what, ..] if own && !["dircolors", "lesspipe"].iter().any(|known| what.contains(known)) => {
                    hidden("what a program prints is taken for commands");
                }
                _ => {}
            }
        }
    }
    Ok(found)
}

/// Files that take in each other are followed up to so many.
const MOST_FILES: usize = 200;

/// A file that is named without anything to work out.
fn literal(file: &str, home: &str) -> Option<PathBuf> {
    let file = file.replace("${HOME}", home).replace("$HOME", home);
    let file = file.strip_prefix("~/").map_or(file.clone(), |rest| format!("{home}/{rest}"));
    (file.starts_with('/') && !file.contains(['$', '`', '*', '?'])).then(|| PathBuf::from(file))
}

/// What `pam_env` sets for every session.
fn environment(context: &Context<'_>, home: &str, found: &mut Vec<Entry>) {
    const ENVIRONMENT: &str = "/etc/environment";
    match context.host.read(Path::new(ENVIRONMENT)) {
        Fact::Known(bytes, _) => {
            let text = String::from_utf8_lossy(&bytes);
            for (number, line) in (1..).zip(text.lines()) {
                let line = line.trim();
                let line = line.strip_prefix("export ").unwrap_or(line);
                if let Some(value) = line.strip_prefix("PATH=") {
                    split(value.trim_matches(['"', '\'']), home, &Origin::line(ENVIRONMENT, number), found);
                }
            }
        }
        Fact::Absent(_) => {}
        Fact::Unknown(gap) => found.push(Err(gap)),
    }
}

/// The entries of a value. What was in `PATH` before is among the others already.
fn split(value: &str, home: &str, origin: &Origin, found: &mut Vec<Entry>) {
    for part in value.split(':') {
        if matches!(part, "$PATH" | "${PATH}") {
            continue;
        }
        let part = part.replace("${HOME}", home).replace("$HOME", home);
        let part = match part.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
            _ => part,
        };
        found.push(match part.contains(['$', '`']) {
            true => Err(Gap::new(origin.clone(), Reason::unsupported("the entry is worked out by the shell"))),
            false => Ok((part, origin.clone())),
        });
    }
}

fn row(context: &Context<'_>, directory: &str, origin: Origin) -> RootPath {
    let path = Path::new(directory);
    let absolute = path.is_absolute();
    let known = Fact::Known(Text::from(directory), origin.clone());
    let none = |exists: Fact<bool>, origin: Origin| RootPath {
        directory: known.clone(),
        absolute: Fact::Known(absolute, origin.clone()),
        exists,
        uid: Fact::Absent(origin.clone()),
        mode: Fact::Absent(origin),
    };
    if !absolute {
        return none(Fact::Known(false, origin.clone()), origin);
    }
    match context.host.stat(path) {
        Fact::Known(stat, from) if stat.kind == FileKind::Directory => RootPath {
            directory: known,
            absolute: Fact::Known(true, origin),
            exists: Fact::Known(true, from.clone()),
            uid: Fact::Known(stat.uid.into(), from.clone()),
            mode: Fact::Known(stat.mode, from),
        },
        Fact::Known(_, from) | Fact::Absent(from) => none(Fact::Known(false, from), origin),
        Fact::Unknown(gap) => RootPath { directory: known, absolute: Fact::Known(true, origin), ..RootPath::unknown(&gap) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn told(host: &Memory) -> Vec<String> {
        let rows = RootPaths::collect(&Context::new(host), &Selector::All).unwrap();
        rows.into_iter().map(|row| row.directory.known().map_or("?", Text::raw).to_owned()).collect()
    }

    fn host() -> Memory {
        Memory::new().file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n").file("/etc/login.defs", "ENV_SUPATH PATH=/usr/sbin:/usr/bin\n")
    }

    #[test]
    fn every_place_that_adds_to_it() {
        let host = host()
            .file("/etc/environment", "PATH=\"/usr/bin:/snap/bin\"\n")
            .file("/etc/profile", "if [ \"$(id -u)\" -eq 0 ]; then\nPATH=\"/usr/local/sbin\"\nelse\nPATH=/usr/games\nfi\nexport PATH\n")
            .file("/etc/profile.d/x.sh", "pathmunge /opt/x/bin after\nPATH=$PATH:$JAVA/bin\n")
            .file("/root/.profile", "export PATH=\"$HOME/bin:$PATH:\"\nPATH=~/b:.:$PATH\n");
        assert_eq!(
            told(&host),
            ["/usr/sbin", "/usr/bin", "/snap/bin", "/usr/local/sbin", "/opt/x/bin", "?", "/root/bin", "", "/root/b", "."]
        );
    }

    #[test]
    fn directories_are_looked_at() {
        let host = host().node("/usr/bin", FileKind::Directory, 0o777).owned("/usr/bin", 7, 0, 0o777);
        let rows = RootPaths::collect(&Context::new(&host), &Selector::All).unwrap();
        assert_eq!((rows[0].exists.known(), rows[1].uid.known(), rows[1].mode.known().map(|mode| mode.bits())), (Some(&false), Some(&7), Some(0o777)));
        let more = host
            .file("/root/.bashrc", ". \"$HOME/.env\"\n. ~/.bashrc\n")
            .file("/root/.env", "PATH=/opt/env:$PATH\n")
            .file("/etc/profile", "for i in /etc/profile.d/*.sh; do . $i; done\n");
        assert_eq!(told(&more), ["/usr/sbin", "/usr/bin", "/opt/env"]);
        let evals = more.file("/root/.profile", "eval \"$(dircolors)\"\neval \"$(pyenv init -)\"\n");
        assert_eq!(told(&evals).iter().filter(|entry| *entry == "?").count(), 1);
        let host = evals.file("/root/.profile", ". $X\n").file("/root/.bashrc", "");
        assert!(told(&host).contains(&"?".to_owned()));
        let hidden = host.file("/root/.profile", "").gap("/root/.bashrc", Reason::Denied);
        assert!(told(&hidden).contains(&"?".to_owned()));
    }
}
