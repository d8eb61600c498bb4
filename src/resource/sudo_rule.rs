//! Rules of sudo: who may run what as whom, and with a password or without.

use crate::fact::{Fact, Flag, Gap, List, Origin, Text, record};
use crate::parse::sudoers::{CommandSpec, Kind, Member, Statement};

use super::sudoers::Sudoers;
use super::{Context, Resource, Selector};

record! {
    /// One command that sudoers lets somebody run, aliases replaced by what they stand for. Where sudoers cannot be read or understood
    /// in full, or a directory service may have more, one record of which nothing is known stands for the rest.
    pub struct SudoRule("sudo_rule") {
        /// Who, and the command.
        name: Text,
        /// Who may: names, `%group`, `#uid`, `+netgroup`, `ALL`; what is taken out begins with `!`.
        users: List,
        /// On which hosts; `ALL` for every one.
        hosts: List,
        /// As which users; `root` where nothing is said, empty where only as other groups.
        runas_users: List,
        /// As which groups.
        runas_groups: List,
        /// Path and arguments, `ALL`, or `sudoedit FILE`.
        command: Text,
        /// Whether the command is taken out of what was allowed before.
        negated: Flag,
        /// Tags in force, such as `NOPASSWD`, those of commands before it in its list included.
        tags: List,
        /// Whether no password is asked for.
        nopasswd: Flag,
        /// Whether it allows every command as root.
        everything: Flag,
        /// Whether it allows the client of a container engine as root, by itself or as any program of its directory: `docker`, `podman`,
        /// `nerdctl`, `ctr`, `crictl`, `buildah`, `runc`, `crun`. That is as good as every command.
        engine: Flag,
        /// Whether it is for `root` itself and nobody else.
        for_root: Flag,
    }
}

/// Finds the records.
pub struct SudoRules;

/// Programs that start what they are told to with root's rights.
const ENGINES: [&str; 10] = ["docker", "podman", "nerdctl", "ctr", "crictl", "buildah", "runc", "crun", "docker-compose", "lxc"];

impl Resource for SudoRules {
    type Row = SudoRule;
    const SELECTOR: &'static str = "the path of a command without arguments, `ALL`, or a glob";
    const KEY: &'static str = "command";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let sudoers = Sudoers::of(context);
        let Some(sudoers) = sudoers.as_ref().as_ref().map_err(Clone::clone)? else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        for (origin, statement) in &sudoers.statements {
            let Statement::Rule(users, granted) = statement else { continue };
            let users = sudoers.expanded(Kind::User, users);
            for (hosts, specs) in granted {
                let hosts = sudoers.expanded(Kind::Host, hosts);
                for spec in specs {
                    let member = Member { negated: spec.negated, text: spec.command.clone() };
                    for command in sudoers.expanded(Kind::Command, &[member]) {
                        if of.picks(program(&command.text)) || of.picks(&command.text) {
                            rows.push(row(sudoers, &users, &hosts, spec, &command, origin));
                        }
                    }
                }
            }
        }
        rows.extend(sudoers.gaps.first().map(SudoRule::unknown));
        Ok(rows)
    }
}

fn program(command: &str) -> &str {
    command.split(' ').next().unwrap_or_default()
}

fn words(members: &[Member]) -> List {
    members.iter().map(|member| if member.negated { format!("!{}", member.text) } else { member.text.clone() }.into()).collect()
}

fn row(sudoers: &Sudoers, users: &[Member], hosts: &[Member], spec: &CommandSpec, command: &Member, origin: &Origin) -> SudoRule {
    let root = [Member { negated: false, text: "root".to_owned() }];
    let runas = sudoers.expanded(Kind::Runas, spec.runas_users.as_deref().unwrap_or(&root));
    let groups = sudoers.expanded(Kind::Runas, &spec.runas_groups);
    let is_root = |member: &&Member| matches!(member.text.as_str(), "root" | "ALL" | "#0" | "%root" | "%#0");
    // Of several that match the last counts.
    let as_root = runas.iter().rev().find(is_root).is_some_and(|member| !member.negated);
    let path = program(&command.text);
    let engine = ENGINES.iter().any(|name| {
        let last = path.rsplit('/').next().unwrap_or_default();
        let in_directory = matches!(path, "/usr/bin/" | "/bin/" | "/usr/sbin/" | "/sbin/" | "/usr/local/bin/");
        in_directory || (path.contains('/') && crate::parse::glob::matches(last, name))
    });
    let nopasswd = spec.tags.iter().any(|tag| tag == "NOPASSWD");
    let who = words(users).iter().map(Text::raw).collect::<Vec<_>>().join(",");
    let flag = |value: bool| Fact::Known(value, origin.clone());
    let list = |members: &[Member]| Fact::Known(words(members), origin.clone());
    let only_root = !users.is_empty() && users.iter().all(|member| !member.negated && matches!(member.text.as_str(), "root" | "#0"));
    SudoRule {
        name: Fact::derived(format!("{who}: {}{}", if command.negated { "!" } else { "" }, command.text)),
        users: list(users),
        hosts: list(hosts),
        runas_users: list(&runas),
        runas_groups: list(&groups),
        command: Fact::Known(command.text.as_str().into(), origin.clone()),
        negated: flag(command.negated),
        tags: Fact::Known(spec.tags.iter().map(|tag| tag.as_str().into()).collect(), origin.clone()),
        nopasswd: flag(nopasswd),
        everything: flag(!command.negated && as_root && command.text == "ALL"),
        engine: flag(!command.negated && as_root && engine),
        for_root: flag(only_root),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn rules(sudoers: &str) -> Vec<SudoRule> {
        SudoRules::collect(&Context::new(&Memory::new().file("/etc/sudoers", sudoers)), &Selector::All).unwrap()
    }

    fn flags(rule: &SudoRule) -> (&str, bool, bool, bool) {
        let flag = |fact: &Fact<bool>| *fact.known().unwrap();
        (rule.name.known().unwrap().raw(), flag(&rule.nopasswd), flag(&rule.everything), flag(&rule.engine))
    }

    #[test]
    fn aliases_are_replaced_and_tags_go_on() {
        let found = rules(
            "User_Alias OPS = al, %ops\nCmnd_Alias DOCKER = /usr/bin/docker, /usr/bin/docker ps\nRunas_Alias R = root\n\
            OPS ALL = (R) NOPASSWD: DOCKER, /bin/ls, PASSWD: !/bin/cat\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL) ALL\nbob ALL=(www) NOPASSWD: ALL\n",
        );
        assert_eq!(found.iter().map(flags).collect::<Vec<_>>(), [
            ("al,%ops: /usr/bin/docker", true, false, true),
            ("al,%ops: /usr/bin/docker ps", true, false, true),
            ("al,%ops: /bin/ls", true, false, false),
            ("al,%ops: !/bin/cat", false, false, false),
            ("root: ALL", false, true, false),
            ("%sudo: ALL", false, true, false),
            ("bob: ALL", true, false, false),
        ]);
        assert_eq!(found.iter().filter(|rule| rule.for_root.known() == Some(&true)).count(), 1);
    }

    #[test]
    fn engines_hide_behind_globs_and_directories() {
        for (command, engine) in [("/usr/bin/dock*", true), ("/usr/bin/", true), ("/usr/local/bin/podman run x", true), ("/usr/bin/dockerish", false)] {
            assert_eq!(flags(&rules(&format!("al ALL = {command}\n"))[0]).3, engine, "{command}");
        }
        assert!(!flags(&rules("al ALL = (www) /usr/bin/docker\n")[0]).3);
        assert!(!flags(&rules("al ALL = (ALL, !root) ALL\n")[0]).2);
    }

    #[test]
    fn what_is_not_understood_may_allow_anything() {
        let found = rules("al ALL = /bin/ls\nal ALL\n");
        assert!(matches!(found[1].nopasswd, Fact::Unknown(_)));
        assert_eq!(found[0].command.origin(), &Origin::line("/etc/sudoers", 1));
    }
}
