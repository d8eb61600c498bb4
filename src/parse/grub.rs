//! Configuration of boot loaders: GRUB's script, its block of variables, and entries of the Boot Loader Specification.

use std::collections::BTreeMap;

/// What a GRUB script says that matters here. Conditions are not judged: what stands in any branch counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// Kernels it starts, those of recovery entries too.
    pub kernels: Vec<Kernel>,
    /// The users who may change entries and use the shell, and the line.
    pub superusers: Option<(Vec<String>, u32)>,
    /// Passwords of users.
    pub passwords: Vec<Password>,
    /// Whether it takes entries from `loader/entries`.
    pub takes_entries: bool,
    /// Variables, the last assignment of each.
    pub variables: BTreeMap<String, String>,
}

/// One start of a kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// Title of the entry it stands in.
    pub title: String,
    /// Its command line.
    pub options: Vec<String>,
    /// Line, from 1.
    pub line: u32,
}

/// A password. The value is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Password {
    /// Whose it is.
    pub user: String,
    /// Whether it is a hash, not the password itself.
    pub hashed: bool,
    /// Line, from 1.
    pub line: u32,
}

/// Reads a script. Variables set before are known to it.
#[must_use]
pub fn script(text: &str, known: &BTreeMap<String, String>) -> Script {
    let mut script = Script { variables: known.clone(), ..Script::default() };
    let mut title = String::new();
    for (line, words) in (1..).zip(text.lines()).flat_map(|(number, line)| commands(line).into_iter().map(move |words| (number, words))) {
        let expanded: Vec<String> = words.iter().map(|word| expand(word, &script.variables)).collect();
        let Some((command, arguments)) = expanded.split_first() else { continue };
        match command.as_str() {
            "menuentry" => title = arguments.first().cloned().unwrap_or_default(),
            "linux" | "linux16" | "linuxefi" => kernel(&mut script, &title, arguments, line),
            // Xen starts Linux as its first module.
            "module" | "module2"
                if arguments.iter().any(|image| image.rsplit('/').next().is_some_and(|name| name.starts_with("vmlinuz"))) =>
            {
                kernel(&mut script, &title, arguments, line);
            }
            "password_pbkdf2" | "password" => {
                if let Some(user) = arguments.first() {
                    let value = arguments.get(1).map(String::as_str).unwrap_or_default();
                    // A variable that is not set leaves nothing.
                    if !value.is_empty() {
                        let hashed = command == "password_pbkdf2" && value.starts_with("grub.pbkdf2.");
                        script.passwords.push(Password { user: user.clone(), hashed, line });
                    }
                }
            }
            "blscfg" => script.takes_entries = true,
            "set" | "export" => arguments.iter().for_each(|word| assign(&mut script, word, line)),
            word => assign(&mut script, word, line),
        }
    }
    script
}

fn kernel(script: &mut Script, title: &str, arguments: &[String], line: u32) {
    let options: Vec<String> = arguments.iter().skip(1).flat_map(|word| word.split_whitespace().map(str::to_owned)).collect();
    // Other programs are started the same way.
    if arguments.first().is_some_and(|image| !image.contains("memtest")) {
        script.kernels.push(Kernel { title: title.to_owned(), options, line });
    }
}

fn assign(script: &mut Script, word: &str, line: u32) {
    let Some((name, value)) = word.split_once('=') else { return };
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return;
    }
    if name == "superusers" {
        let users = value.split([' ', ',', ';', '&', '|']).filter(|user| !user.is_empty()).map(str::to_owned).collect();
        script.superusers = Some((users, line));
    }
    script.variables.insert(name.to_owned(), value.to_owned());
}

/// The commands of a line as words. Quotes are taken off; a variable in single quotes is none.
fn commands(line: &str) -> Vec<Vec<String>> {
    let (mut found, mut words, mut word, mut some) = (Vec::new(), Vec::new(), String::new(), false);
    let mut quote = None;
    let mut characters = line.trim().chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('\''), '$') => word.push(NO_VARIABLE),
            (Some('\''), other) => word.push(other),
            (None, '\'' | '"') => {
                quote = Some(character);
                some = true;
            }
            (_, '\\') => match characters.next() {
                Some('$') => word.push(NO_VARIABLE),
                Some(next) => word.push(next),
                None => {}
            },
            (Some(_), other) => word.push(other),
            (None, '#') if word.is_empty() && !some => break,
            (None, ' ' | '\t' | ';' | '\r') => {
                if some || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                    some = false;
                }
                if character == ';' && !words.is_empty() {
                    found.push(std::mem::take(&mut words));
                }
            }
            (None, other) => word.push(other),
        }
    }
    if some || !word.is_empty() {
        words.push(word);
    }
    if !words.is_empty() {
        found.push(words);
    }
    // What leads to a command is none.
    for words in &mut found {
        while words.len() > 1 && words.first().is_some_and(|word| matches!(word.as_str(), "then" | "else" | "if" | "{")) {
            words.remove(0);
        }
    }
    found
}

/// Stands for a dollar that does not begin a variable while words are made.
const NO_VARIABLE: char = '\u{1}';

/// Puts values in place of `$name` and `${name}`; one that is not set is nothing.
#[must_use]
pub fn expand(word: &str, variables: &BTreeMap<String, String>) -> String {
    let (mut out, mut rest) = (String::new(), word);
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, next) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some(found) => found,
            None => after.split_at(after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len())),
        };
        out.push_str(variables.get(name).map(String::as_str).unwrap_or_default());
        rest = next;
    }
    out.push_str(rest);
    out.replace(NO_VARIABLE, "$")
}

/// The variables of `grubenv` and of `user.cfg`: `name=value` lines.
#[must_use]
pub fn variables(text: &str) -> BTreeMap<String, String> {
    let assignments = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.trim_end_matches('\r').split_once('='));
    assignments.map(|(name, value)| (name.trim().to_owned(), value.trim_matches(['"', '\'']).to_owned())).collect()
}

/// The command line of an entry of the Boot Loader Specification, and the line it stands on. Several lines add up.
#[must_use]
pub fn entry_options(text: &str, variables: &BTreeMap<String, String>) -> (Vec<String>, u32) {
    let (mut options, mut at) = (Vec::new(), 1);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("options").filter(|rest| rest.starts_with([' ', '\t'])) {
            at = number;
            options.extend(expand(rest, variables).split_whitespace().map(str::to_owned));
        }
    }
    (options, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "set superusers=\"root, admin\"\npassword_pbkdf2 root grub.pbkdf2.sha512.10000.AA.BB\n# password x y\n\
        if [ \"${x}\" = y ]; then set extra=\"quiet splash\"; fi\n\
        menuentry 'Debian GNU/Linux' --class debian {\n\tlinux\t/vmlinuz-6.1 root=UUID=1 ro ${extra} audit=1\n\tinitrd /initrd\n}\n\
        submenu 'Advanced' {\n\tmenuentry 'Debian (recovery mode)' {\n\t\tlinux /vmlinuz-6.1 root=UUID=1 ro single 'a$b'\n\t}\n}\n\
        menuentry \"Memory test\" {\n\tlinux /boot/memtest86+x64.bin\n}\n";

    #[test]
    fn kernels_of_every_entry() {
        let script = script(DEBIAN, &BTreeMap::new());
        let kernels: Vec<_> = script.kernels.iter().map(|kernel| (kernel.title.as_str(), kernel.options.join(" "), kernel.line)).collect();
        assert_eq!(
            kernels,
            [
                ("Debian GNU/Linux", "root=UUID=1 ro quiet splash audit=1".to_owned(), 6),
                ("Debian (recovery mode)", "root=UUID=1 ro single a$b".to_owned(), 11),
            ]
        );
        assert_eq!(script.superusers, Some((vec!["root".to_owned(), "admin".to_owned()], 1)));
        assert_eq!(script.passwords, [Password { user: "root".into(), hashed: true, line: 2 }]);
        assert!(!script.takes_entries);
    }

    #[test]
    fn passwords_in_variables_and_in_the_clear() {
        let red_hat = "if [ -n \"${GRUB2_PASSWORD}\" ]; then\n set superusers=\"root\"\n export superusers\n\
            password_pbkdf2 root ${GRUB2_PASSWORD}\nfi\nblscfg\n";
        assert!(script(red_hat, &BTreeMap::new()).passwords.is_empty());
        let known = variables("GRUB2_PASSWORD=grub.pbkdf2.sha512.1.A.B\n");
        let with = script(red_hat, &known);
        assert_eq!((with.passwords.len(), with.takes_entries), (1, true));
        let plain = script("password root secret\npassword_pbkdf2 x y\n", &BTreeMap::new());
        assert!(plain.passwords.iter().all(|password| !password.hashed) && plain.passwords.len() == 2);
    }

    #[test]
    fn entries_and_their_variables() {
        let environment = variables("# GRUB Environment Block\nkernelopts=root=/dev/x ro audit=1\n####");
        let (options, line) = entry_options("title x\noptions $kernelopts $tuned_params quiet\noptionsx y\n", &environment);
        assert_eq!((options.join(" "), line), ("root=/dev/x ro audit=1 quiet".into(), 2));
        let xen = script("multiboot2 /xen.gz\nmodule2 /vmlinuz-6.1 placeholder root=x\nmodule2 /initrd\n", &BTreeMap::new());
        assert_eq!(xen.kernels.len(), 1);
    }

    #[test]
    fn cut_anywhere_it_is_read_or_ignored() {
        for end in (0..=DEBIAN.len()).filter(|end| DEBIAN.is_char_boundary(*end)) {
            assert!(script(&DEBIAN[..end], &BTreeMap::new()).kernels.len() <= 3);
        }
        assert_eq!(expand("${", &BTreeMap::new()), "{");
        assert_eq!(expand("a$", &BTreeMap::new()), "a");
    }
}
