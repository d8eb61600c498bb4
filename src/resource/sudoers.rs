//! sudoers with everything it includes, read once per run and shared by the resources about sudo.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason};
use crate::host::FileKind;
use crate::parse::sudoers::{self, Alias, Kind, Member, Statement};

use super::Context;

/// The file it begins with.
pub(crate) const SUDOERS: &str = "/etc/sudoers";
/// Where distributions put the program.
const PROGRAMS: [&str; 3] = ["/usr/bin/sudo", "/usr/local/bin/sudo", "/bin/sudo"];
/// How deep files may include each other: sudo gives up beyond.
const DEEPEST: usize = 128;
/// The most statements that are kept, and the most elements an alias may stand for.
const MOST: usize = 100_000;

/// Everything sudoers says.
#[derive(Default)]
pub(crate) struct Sudoers {
    /// Statements in the order in which they count, each with its first line.
    pub(crate) statements: Vec<(Origin, Statement)>,
    /// What could not be read or understood, and may say anything.
    pub(crate) gaps: Vec<Gap>,
    aliases: BTreeMap<(Kind, String), Vec<Member>>,
}

impl Sudoers {
    /// What the host's sudoers say. `None` where sudo is not installed.
    pub(crate) fn of(context: &Context<'_>) -> Arc<Result<Option<Self>, Gap>> {
        context.once(Self::find)
    }

    fn find(context: &Context<'_>) -> Result<Option<Self>, Gap> {
        let path = Path::new(SUDOERS);
        let content = match context.host.read(path) {
            Fact::Known(content, _) => content,
            Fact::Unknown(gap) => return Err(gap),
            Fact::Absent(origin) => {
                for program in PROGRAMS {
                    if context.host.stat(program.as_ref()).into_result()?.is_some() {
                        return Err(Gap::new(origin, Reason::malformed("sudo is installed, and its sudoers are not there")));
                    }
                }
                return Ok(None);
            }
        };
        let mut found = Self::default();
        found.file(context, path, &content, 0);
        found.gaps.extend(elsewhere(context));
        Ok(Some(found))
    }

    fn file(&mut self, context: &Context<'_>, path: &Path, content: &[u8], depth: usize) {
        for (number, line) in sudoers::parse(content) {
            let origin = Origin::line(path, number);
            if self.statements.len() >= MOST {
                self.gaps.push(Gap::new(origin, Reason::TooLarge));
                return;
            }
            match line {
                Err(why) => self.gaps.push(Gap::new(origin, Reason::malformed(format!("sudo does not understand it: {why}")))),
                Ok(Statement::Include(written)) => {
                    let included = beside(context, path, &written);
                    self.include(context, &included, &origin, depth, true);
                }
                Ok(Statement::IncludeDirectory(written)) => {
                    let directory = beside(context, path, &written);
                    match context.host.list(&directory) {
                        Fact::Known(entries, _) => {
                            let counts = |name: &str| !name.contains('.') && !name.ends_with('~');
                            let files = entries.iter().filter(|entry| entry.kind != FileKind::Directory);
                            let names: Vec<PathBuf> = files
                                .filter(|entry| counts(&entry.name.to_string_lossy()))
                                .map(|entry| directory.join(&entry.name))
                                .collect();
                            for included in names {
                                self.include(context, &included, &origin, depth, false);
                            }
                        }
                        Fact::Absent(_) => {}
                        Fact::Unknown(gap) => self.gaps.push(gap),
                    }
                }
                Ok(Statement::Aliases(aliases)) => {
                    for Alias { kind, name, members } in aliases {
                        // One that is there already stays: sudo complains of the second.
                        self.aliases.entry((kind, name)).or_insert(members);
                    }
                }
                Ok(statement) => self.statements.push((origin, statement)),
            }
        }
    }

    fn include(&mut self, context: &Context<'_>, path: &Path, origin: &Origin, depth: usize, needed: bool) {
        if depth >= DEEPEST {
            self.gaps.push(Gap::new(origin.clone(), Reason::malformed("files that include each other too deep")));
            return;
        }
        match context.host.read(path) {
            Fact::Known(content, _) => self.file(context, path, &content, depth + 1),
            Fact::Absent(origin) if needed => self.gaps.push(Gap::new(origin, Reason::malformed("a file that is included is not there"))),
            Fact::Absent(_) => {}
            Fact::Unknown(gap) => self.gaps.push(gap),
        }
    }

    /// A list with every alias in it replaced by what it stands for.
    pub(crate) fn expanded(&self, kind: Kind, members: &[Member]) -> Vec<Member> {
        let mut found = Vec::new();
        self.expand(kind, members, false, 0, &mut found);
        found
    }

    fn expand(&self, kind: Kind, members: &[Member], negated: bool, depth: usize, found: &mut Vec<Member>) {
        for member in members {
            if found.len() >= MOST {
                return;
            }
            let negated = member.negated != negated;
            // Lists of users may name what was made for those as whom commands run, and the other way round.
            let other = match kind {
                Kind::User => Kind::Runas,
                Kind::Runas => Kind::User,
                kind => kind,
            };
            let alias = [kind, other].into_iter().find_map(|kind| self.aliases.get(&(kind, member.text.clone())));
            match alias {
                Some(inner) if depth < 64 => self.expand(kind, inner, negated, depth + 1, found),
                _ => found.push(Member { negated, text: member.text.clone() }),
            }
        }
    }
}

/// The path of what a file includes: `%h` is the short name of the host; what is relative stands beside the file.
fn beside(context: &Context<'_>, file: &Path, written: &str) -> PathBuf {
    let name = context.host.identity().name;
    let short = name.raw().split('.').next().unwrap_or_default().to_owned();
    let written = written.replace("%h", &short).replace("%%", "%");
    file.parent().unwrap_or(Path::new("/")).join(written)
}

/// Why rules may come from somewhere else: the name service switch names a directory service for sudoers.
fn elsewhere(context: &Context<'_>) -> Option<Gap> {
    let path = Path::new("/etc/nsswitch.conf");
    let content = context.host.read(path).known().cloned()?;
    let text = String::from_utf8_lossy(&content).into_owned();
    (1..).zip(text.lines()).find_map(|(number, line)| {
        let sources = line.split('#').next()?.trim().strip_prefix("sudoers:")?.to_owned();
        let remote = sources.split_whitespace().find(|source| !source.starts_with('[') && !matches!(*source, "files" | "]"))?;
        Some(Gap::new(Origin::line(path, number), Reason::unsupported(format!("rules that {remote} gives are not seen"))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn read(host: &Memory) -> (usize, Vec<String>) {
        let context = Context::new(host);
        let sudoers = Sudoers::of(&context);
        let sudoers = sudoers.as_ref().as_ref().unwrap().as_ref().unwrap();
        (sudoers.statements.len(), sudoers.gaps.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn includes_stand_where_they_are_and_some_names_do_not_count() {
        let host = Memory::new()
            .file("/etc/sudoers", "Defaults a\n#includedir /etc/sudoers.d\n@include more\n")
            .file("/etc/sudoers.d/a", "Defaults b\n")
            .file("/etc/sudoers.d/b.conf", "Defaults c\n")
            .file("/etc/sudoers.d/c~", "Defaults c\n")
            .file("/etc/more", "Defaults d\nal ALL=ALL\n");
        assert_eq!(read(&host), (4, Vec::new()));
    }

    #[test]
    fn what_is_not_understood_may_say_anything() {
        let host = Memory::new()
            .file("/etc/sudoers", "@include x\n@include /etc/sudoers\nnonsense\n")
            .file("/etc/nsswitch.conf", "passwd: files\nsudoers: files sss\n");
        let (_, gaps) = read(&host);
        assert!(gaps.iter().any(|gap| gap.contains("not there")) && gaps.iter().any(|gap| gap.contains("too deep")));
        assert!(gaps.iter().any(|gap| gap.contains("sss")) && gaps.iter().any(|gap| gap.contains("does not understand")));
        let denied = Memory::new().file("/etc/sudoers", "").gap("/etc/sudoers", Reason::Denied);
        assert!(Sudoers::of(&Context::new(&denied)).is_err());
        assert!(matches!(&*Sudoers::of(&Context::new(&Memory::new())), Ok(None)));
        assert!(Sudoers::of(&Context::new(&Memory::new().file("/usr/bin/sudo", ""))).is_err());
    }

    #[test]
    fn aliases_may_loop() {
        let host = Memory::new().file("/etc/sudoers", "User_Alias A = A, B, !x : B = A, y\nA ALL=ALL\n");
        let context = Context::new(&host);
        let sudoers = Sudoers::of(&context);
        let sudoers = sudoers.as_ref().as_ref().unwrap().as_ref().unwrap();
        let member = Member { negated: false, text: "B".to_owned() };
        assert!(sudoers.expanded(Kind::User, &[member]).len() <= MOST);
    }
}
