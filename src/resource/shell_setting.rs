//! What the start-up files of shells set for everybody: `umask` and `TMOUT`; and root's own `umask`.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, Mode, Origin, Reason, Setting, Text, record};
use crate::parse::login_defs;
use crate::parse::shell_setting::{self, Command, When};

use super::accounts::Accounts;
use super::login_defs::Settings;
use super::{Context, Resource, Selector, pam, paths};

record! {
    /// One place that sets `TMOUT` or `umask`. Start-up files of shells are read and not run: a value that has to be worked out is unknown.
    pub struct ShellSetting("shell_setting") {
        /// Where, such as `/etc/profile.d/tmout.sh:2`.
        place: Text,
        /// What was asked for: `TMOUT`, `umask`, or `root:umask` for root's own files.
        setting: Text,
        /// Value as written; for `TMOUT` seconds.
        value: Setting,
        /// Of `umask`: what is left to new directories, `0750` for 027. With `usergroups`, `pam_umask` gives the group of its own what the owner has.
        allows: Mode,
        /// Whether it takes effect whenever the file is read; unknown where it stands under a condition. What login.defs says does
        /// where a session runs `pam_umask.so`.
        in_effect: Flag,
        /// Whether the same file makes the variable read-only; absent for `umask`.
        readonly: Flag,
        /// Whether the same file exports the variable; absent for `umask`.
        exported: Flag,
    }
}

/// Finds the records.
pub struct ShellSettings;

impl Resource for ShellSettings {
    type Row = ShellSetting;
    const SELECTOR: &'static str = "`TMOUT`, `umask`, or `root:umask` for root's own files; no record where nothing sets it";
    const KEY: &'static str = "setting";
    const ENUMERABLE: bool = false;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let Selector::Keys(keys) = of else {
            return Err(Gap::new(Origin::file("/etc/profile"), Reason::unsupported("settings are asked for by name")));
        };
        let mut rows = Vec::new();
        for key in keys {
            match key.as_str() {
                "TMOUT" => rows.extend(system(context)?.iter().flat_map(tmout)),
                "umask" => {
                    rows.extend(system(context)?.iter().flat_map(|script| umasks(script, key)));
                    rows.extend(of_sessions(context)?);
                }
                "root:umask" => rows.extend(of_root(context)?.iter().flat_map(|script| umasks(script, key))),
                _ => {}
            }
        }
        Ok(rows)
    }
}

/// A start-up file, or why it cannot be read.
pub(crate) type Script = (PathBuf, Result<Vec<Command>, Gap>);

/// The start-up files for everybody.
pub(crate) fn system(context: &Context<'_>) -> Result<Vec<Script>, Gap> {
    let mut found = vec!["/etc/profile".into()];
    let folder = paths::expand(context.host, "/etc/profile.d/*.sh")?;
    if let Some((_, gap)) = folder.gaps.into_iter().next() {
        return Err(gap);
    }
    found.extend(folder.paths);
    found.extend(["/etc/bash.bashrc", "/etc/bashrc"].map(PathBuf::from));
    Ok(read(context, found))
}

/// Root's own start-up files.
pub(crate) fn of_root(context: &Context<'_>) -> Result<Vec<Script>, Gap> {
    let accounts = Accounts::of(context);
    accounts.passwd()?;
    let home = accounts.user("root").map_or("/root", |root| root.home.raw());
    Ok(read(context, [".bash_profile", ".bash_login", ".profile", ".bashrc"].map(|name| Path::new(home).join(name)).to_vec()))
}

/// Reads start-up files, those that are there.
pub(crate) fn read(context: &Context<'_>, paths: Vec<PathBuf>) -> Vec<Script> {
    let script = |path: PathBuf| match context.host.read(&path) {
        Fact::Known(bytes, _) => Some((path, Ok(shell_setting::commands(&bytes)))),
        Fact::Absent(_) => None,
        Fact::Unknown(gap) => Some((path, Err(gap))),
    };
    paths.into_iter().filter_map(script).collect()
}

fn unknown(path: &Path, setting: &str, gap: &Gap) -> ShellSetting {
    ShellSetting {
        place: Fact::Known(path.into(), Origin::file(path)),
        setting: Fact::Known(setting.into(), Origin::file(path)),
        ..ShellSetting::unknown(gap)
    }
}

fn place(path: &Path, line: u32) -> (Fact<Text>, Origin) {
    let origin = Origin::line(path, line);
    (Fact::Known(origin.to_string().into(), origin.clone()), origin)
}

fn takes_effect(when: When, origin: &Origin) -> Fact<bool> {
    match when {
        When::Always => Fact::Known(true, origin.clone()),
        When::Root | When::Others | When::Maybe => Fact::Unknown(Gap::new(origin.clone(), Reason::unsupported("is set under a condition"))),
    }
}

fn tmout((path, commands): &Script) -> Vec<ShellSetting> {
    let commands = match commands {
        Ok(commands) => commands,
        Err(gap) => return vec![unknown(path, "TMOUT", gap)],
    };
    let named = |command: &&Command| command.assigns().iter().any(|(name, _)| *name == "TMOUT");
    let attribute = |pick: fn((bool, bool)) -> bool| {
        let line = commands.iter().filter(named).find(|command| pick(command.attributes()));
        match line {
            Some(command) => Fact::Known(true, Origin::line(path.as_path(), command.line)),
            None => Fact::Known(false, Origin::file(path.as_path())),
        }
    };
    let mut rows = Vec::new();
    for command in commands {
        let unset = command.words.first().is_some_and(|program| program == "unset") && command.words.iter().any(|word| word == "TMOUT");
        let set = command.assigns().into_iter().filter_map(|(name, value)| value.filter(|_| name == "TMOUT"));
        let (place, origin) = place(path, command.line);
        for value in set.chain(unset.then_some("0")) {
            rows.push(ShellSetting {
                place: place.clone(),
                setting: Fact::Known("TMOUT".into(), origin.clone()),
                value: match value.parse::<u64>() {
                    Ok(seconds) => Fact::Known(seconds.to_string().into(), origin.clone()),
                    // An empty value is none, and what has to be worked out is not.
                    Err(_) if value.contains(['$', '`']) => {
                        Fact::Unknown(Gap::new(origin.clone(), Reason::unsupported("the value is worked out by the shell")))
                    }
                    Err(_) => Fact::Known(value.into(), origin.clone()),
                },
                allows: Fact::Absent(origin.clone()),
                in_effect: takes_effect(command.when, &origin),
                readonly: attribute(|(readonly, _)| readonly),
                exported: attribute(|(_, exported)| exported),
            });
        }
    }
    rows
}

fn umasks((path, commands): &Script, setting: &str) -> Vec<ShellSetting> {
    let commands = match commands {
        Ok(commands) => commands,
        Err(gap) => return vec![unknown(path, setting, gap)],
    };
    let mut rows = Vec::new();
    for command in commands.iter().filter(|command| command.words.first().is_some_and(|program| program == "umask")) {
        // Without a mask it prints the one there is; `-S` and `-p` only change how.
        let Some(mask) = command.words.iter().skip(1).find(|word| !matches!(word.as_str(), "-S" | "-p" | "--")) else { continue };
        let (place, origin) = place(path, command.line);
        rows.push(row(place, setting, mask, shell_setting::umask_allows(mask), takes_effect(command.when, &origin), &origin));
    }
    rows
}

fn row(place: Fact<Text>, setting: &str, mask: &str, allows: Option<u32>, in_effect: Fact<bool>, origin: &Origin) -> ShellSetting {
    ShellSetting {
        place,
        setting: Fact::Known(setting.into(), origin.clone()),
        value: Fact::Known(mask.into(), origin.clone()),
        allows: match allows {
            Some(bits) => Fact::Known(Mode::from_bits(bits), origin.clone()),
            None => Fact::Unknown(Gap::new(origin.clone(), Reason::unsupported("the mask depends on the one before, or is none"))),
        },
        in_effect,
        readonly: Fact::Absent(origin.clone()),
        exported: Fact::Absent(origin.clone()),
    }
}

/// The masks that `pam_umask.so` gives sessions: its argument, else `UMASK` of login.defs, else that of `/etc/default/login`.
/// What the two files say is given even where no session runs the module: homes are made by it.
fn of_sessions(context: &Context<'_>) -> Result<Vec<ShellSetting>, Gap> {
    let mut rows = Vec::new();
    let file = match Settings::of(context).for_pam("UMASK") {
        Fact::Absent(_) => default_login(context),
        found => found,
    };
    let mut called = false;
    for (_, stack) in pam::shared(context, "session")? {
        for (_, line) in stack.calls("pam_umask.so") {
            let lower = |argument: &Text| argument.raw().to_ascii_lowercase();
            let groups = line.arguments.iter().map(lower).rfind(|argument| argument.ends_with("usergroups"));
            let loosened = groups.is_some_and(|word| word == "usergroups");
            let argument = line.arguments.iter().map(lower).rev().find_map(|argument| argument.strip_prefix("umask=").map(str::to_owned));
            let mask = match argument {
                Some(mask) => Fact::Known(mask.into(), line.origin.clone()),
                None => {
                    called = true;
                    file.clone()
                }
            };
            rows.extend(of_session(mask, loosened));
        }
    }
    if !called && let Some(mut unused) = of_session(file, false) {
        unused.in_effect = unused.in_effect.map(|_| false);
        rows.push(unused);
    }
    Ok(rows)
}

fn of_session(mask: Fact<Text>, loosened: bool) -> Option<ShellSetting> {
    match mask {
        Fact::Known(mask, origin) => {
            let allows = u32::from_str_radix(mask.raw().trim_end(), 8).ok().map(|mask| 0o777 & !mask);
            let allows = allows.map(|bits| if loosened { bits & !0o070 | (bits >> 3) & 0o070 } else { bits });
            let place = Fact::Known(origin.to_string().into(), origin.clone());
            Some(row(place, "umask", mask.raw(), allows, Fact::Known(true, origin.clone()), &origin))
        }
        Fact::Absent(_) => None,
        Fact::Unknown(gap) => Some(unknown(Path::new(super::login_defs::LOGIN_DEFS), "umask", &gap)),
    }
}

fn default_login(context: &Context<'_>) -> Fact<Text> {
    const PATH: &str = "/etc/default/login";
    context.host.read(Path::new(PATH)).and_then(|bytes, origin| {
        let line = login_defs::parse(&bytes).into_iter().find(|line| line.pam_name.eq_ignore_ascii_case("UMASK"));
        match line {
            Some(line) => Fact::Known(line.pam_value.into(), Origin::line(PATH, line.line)),
            None => Fact::Absent(origin),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn rows(host: &Memory, key: &str) -> Vec<ShellSetting> {
        ShellSettings::collect(&Context::new(host), &Selector::Keys(vec![key.into()])).unwrap()
    }

    fn told(host: &Memory, key: &str) -> Vec<(String, String, Option<bool>)> {
        let told = |row: ShellSetting| {
            let value = row.allows.known().map(|mode| mode.to_string()).or_else(|| Some(row.value.known()?.0.raw().to_owned()));
            (row.place.known().unwrap().raw().to_owned(), value.unwrap_or_else(|| "?".into()), row.in_effect.known().copied())
        };
        rows(host, key).into_iter().map(told).collect()
    }

    fn is(place: &str, value: &str, in_effect: Option<bool>) -> (String, String, Option<bool>) {
        (place.to_owned(), value.to_owned(), in_effect)
    }

    #[test]
    fn tmout_in_all_its_spellings() {
        for text in ["TMOUT=900\nreadonly TMOUT\nexport TMOUT\n", "declare -xr TMOUT=900\n", "typeset -r -x TMOUT=900\n", "readonly TMOUT=900 ; export TMOUT\n"] {
            let row = rows(&Memory::new().file("/etc/profile.d/t.sh", text), "TMOUT").remove(0);
            let flags = [&row.readonly, &row.exported, &row.in_effect].map(|flag| flag.known().copied());
            assert_eq!((row.value.known().unwrap().0.raw(), flags), ("900", [Some(true); 3]), "{text}");
        }
        let host = Memory::new().file("/etc/bash.bashrc", "export TMOUT=1800\n# TMOUT=5\nunset TMOUT\n").file("/etc/profile", "TMOUT=$X\n[ a ] && TMOUT=7\n");
        assert_eq!(
            told(&host, "TMOUT"),
            [
                is("/etc/profile:1", "?", Some(true)),
                is("/etc/profile:2", "7", None),
                is("/etc/bash.bashrc:1", "1800", Some(true)),
                is("/etc/bash.bashrc:3", "0", Some(true))
            ]
        );
        assert_eq!(rows(&host, "TMOUT")[2].readonly.known(), Some(&false));
    }

    #[test]
    fn masks_of_files_and_sessions() {
        let session = |line: &str| {
            Memory::new()
                .file("/etc/profile", "umask 027\numask\numask -S\n")
                .file("/etc/profile.d/x.csh", "umask 0\n")
                .file("/etc/bash.bashrc", "umask u=rwx,g=rx,o=\numask g-w\n")
                .file("/etc/login.defs", "UMASK 022\n")
                .file("/etc/pam.d/common-session", line)
        };
        assert_eq!(
            told(&session("session optional pam_unix.so\n"), "umask"),
            [
                is("/etc/profile:1", "0750", Some(true)),
                is("/etc/bash.bashrc:1", "0750", Some(true)),
                is("/etc/bash.bashrc:2", "g-w", Some(true)),
                is("/etc/login.defs:1", "0755", Some(false)),
            ]
        );
        let last = |line: &str| told(&session(line), "umask").split_off(3);
        assert_eq!(last("session optional pam_umask.so\n"), [is("/etc/login.defs:1", "0755", Some(true))]);
        assert_eq!(last("session optional pam_umask.so usergroups\n"), [is("/etc/login.defs:1", "0775", Some(true))]);
        assert_eq!(
            last("session optional pam_umask.so umask=0077\n"),
            [is("/etc/pam.d/common-session:1", "0700", Some(true)), is("/etc/login.defs:1", "0755", Some(false))]
        );
    }

    #[test]
    fn root_has_files_of_its_own() {
        let host = Memory::new().file("/etc/passwd", "root:x:0:0::/var/root:/bin/sh\n").file("/var/root/.bashrc", "umask 022\n");
        assert_eq!(told(&host, "root:umask"), [is("/var/root/.bashrc:1", "0755", Some(true))]);
        assert!(rows(&host.gap("/var/root/.profile", Reason::Denied), "root:umask").iter().any(|row| matches!(row.allows, Fact::Unknown(_))));
    }
}
