//! Files of `modprobe.d(5)`, as kmod reads them, and what the kernel's command line says about modules.

/// One line that keeps a module out, or lets it in another way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it is about: a module, `-` written as `_`. That of an install command may be a glob.
    pub module: String,
    /// What it says.
    pub says: Says,
    /// Line, from 1; the first of those joined.
    pub line: u32,
}

/// What a line says about a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// The aliases of the module are not followed. Asking for it by its name still loads it.
    Blacklist,
    /// This command is run instead of loading it.
    Install(String),
}

impl Says {
    /// Whether it is a command that does nothing, so that the module is never loaded by name.
    #[must_use]
    pub fn denies(&self) -> bool {
        const NOTHING: [&str; 6] = ["/bin/false", "/bin/true", "/usr/bin/false", "/usr/bin/true", "false", "true"];
        match self {
            Self::Blacklist => false,
            // A shell runs it: what follows a `#` is a comment.
            Self::Install(command) => {
                NOTHING.contains(&command.split(" #").next().unwrap_or_default().trim()) || NOTHING.contains(&command.trim())
            }
        }
    }
}

/// A name of a module as the kernel writes it: `-` and `_` are the same.
#[must_use]
pub fn normal(name: &str) -> String {
    name.replace('-', "_")
}

/// Reads a file. Lines kmod ignores are ignored.
#[must_use]
pub fn parse(bytes: &[u8]) -> Vec<Rule> {
    logical_lines(bytes).into_iter().filter_map(|(line, text)| rule(&text, line)).collect()
}

fn rule(text: &str, line: u32) -> Option<Rule> {
    if text.starts_with('#') {
        return None;
    }
    let (word, rest) = next_word(text)?;
    let (module, rest) = next_word(rest)?;
    let says = match word {
        "blacklist" => Says::Blacklist,
        "install" if !rest.is_empty() => Says::Install(rest.to_owned()),
        _ => return None,
    };
    Some(Rule { module: normal(module), says, line })
}

/// The first word and what follows the blank after it. Only spaces and tabs part words: a carriage return is a part of one.
fn next_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let end = text.find([' ', '\t']).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (!word.is_empty()).then(|| (word, rest.get(1..).unwrap_or_default()))
}

/// Lines with those joined that end in a backslash. kmod drops every other backslash.
fn logical_lines(bytes: &[u8]) -> Vec<(u32, String)> {
    let text = String::from_utf8_lossy(bytes);
    let (mut lines, mut current) = (Vec::new(), String::new());
    let (mut first, mut number) = (1, 1);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\n' => {
                number += 1;
                lines.push((first, std::mem::take(&mut current)));
                first = number;
            }
            '\\' => match characters.next() {
                Some('\n') => number += 1,
                Some(other) => current.push(other),
                None => {}
            },
            // To kmod, written in C, a line ends there.
            '\0' => while characters.clone().next().is_some_and(|next| next != '\n') && characters.next().is_some() {},
            other => current.push(other),
        }
    }
    lines.push((first, current));
    lines
}

/// The words of a kernel command line; double quotes keep blanks together and are dropped.
#[must_use]
pub fn command_line_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            blank if blank.is_ascii_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            other => word.push(other),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The modules that a parameter of the kernel command line lists, such as `module_blacklist`.
#[must_use]
pub fn listed(command_line: &str, parameter: &str) -> Vec<String> {
    let words = command_line_words(command_line);
    let values = words.iter().filter_map(|word| word.split_once('=')).filter(|(name, _)| normal(name) == normal(parameter));
    values.flat_map(|(_, value)| value.split(',')).filter(|name| !name.is_empty()).map(normal).collect()
}

/// The name of a module and whether it belongs to a file system, from a path of `modules.dep` or `modules.builtin`.
#[must_use]
pub fn module_of_path(path: &str) -> Option<(String, bool)> {
    let file = path.trim().rsplit('/').next()?;
    let name = [".ko", ".ko.xz", ".ko.zst", ".ko.gz", ".ko.bz2"].iter().find_map(|suffix| file.strip_suffix(suffix))?;
    let file_system = path.trim().strip_prefix("kernel/").is_some_and(|path| path.starts_with("fs/"));
    (!name.is_empty()).then(|| (normal(name), file_system))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<(String, Option<String>, u32)> {
        let plain = |rule: Rule| match rule.says {
            Says::Blacklist => (rule.module, None, rule.line),
            Says::Install(command) => (rule.module, Some(command), rule.line),
        };
        parse(text.as_bytes()).into_iter().map(plain).collect()
    }

    /// What `modprobe --showconfig` of kmod 30 shows of the same file.
    #[test]
    fn lines_are_read_as_kmod_reads_them() {
        let text = "install a \\\n/bin/false\ninstall\tb\t /bin/true\n  blacklist c-d\n # blacklist e\nblacklist \\\nf\n\
            install g* /bin/false\ninstall h\ninstall i /bin/false # x\nblacklist j k\nbla\\cklist l\nBlacklist m\n\
            blacklist n\r\noptions o x=1\nsoftdep o pre: p\nblacklist p";
        let is = |name: &str, command: Option<&str>, line| (name.to_owned(), command.map(str::to_owned), line);
        assert_eq!(
            said(text),
            [
                is("a", Some("/bin/false"), 1),
                is("b", Some(" /bin/true"), 3),
                is("c_d", None, 4),
                is("f", None, 6),
                is("g*", Some("/bin/false"), 8),
                is("i", Some("/bin/false # x"), 10),
                is("j", None, 11),
                is("l", None, 12),
                is("n\r", None, 14),
                is("p", None, 17),
            ]
        );
    }

    #[test]
    fn only_a_command_that_does_nothing_denies() {
        let denies = |command: &str| Says::Install(command.to_owned()).denies();
        for command in ["/bin/false", "/bin/true", " /usr/bin/false", "/bin/false\r", "/bin/false # why"] {
            assert!(denies(command), "{command}");
        }
        for command in ["/sbin/modprobe -i x", "/bin/false; modprobe -i x", "/bin/falsely", "echo", "#/bin/false"] {
            assert!(!denies(command), "{command}");
        }
        assert!(!Says::Blacklist.denies());
    }

    #[test]
    fn parameters_of_the_kernel() {
        let line = "quiet modprobe.blacklist=usb-storage,udf \"module_blacklist=a,,b c\" module-blacklist=d\n";
        assert_eq!(listed(line, "modprobe.blacklist"), ["usb_storage", "udf"]);
        assert_eq!(listed(line, "module_blacklist"), ["a", "b c", "d"]);
    }

    #[test]
    fn paths_of_modules() {
        let name = |path| module_of_path(path);
        assert_eq!(name("kernel/fs/hfsplus/hfsplus.ko.zst"), Some(("hfsplus".into(), true)));
        assert_eq!(name("kernel/drivers/usb/storage/usb-storage.ko"), Some(("usb_storage".into(), false)));
        assert_eq!(name("updates/dkms/fs/x.ko.xz"), Some(("x".into(), false)));
        assert_eq!((name("kernel/fs/x.o"), name(".ko"), name("")), (None, None, None));
    }

    #[test]
    fn cut_anywhere_it_is_read_or_ignored() {
        let text = b"install a \\\n/bin/false\n\xff\0blacklist b\nblacklist c\\";
        for end in 0..=text.len() {
            let found = parse(text.get(..end).unwrap());
            assert!(found.iter().all(|rule| rule.line > 0));
        }
    }
}
