//! What a build step of an image did, from the line its builder left in the history.
//!
//! The classic builder writes `/bin/sh -c #(nop) ADD …` and `|1 ARG=x /bin/sh -c …`, BuildKit `ADD … # buildkit` and
//! `RUN |1 ARG=x /bin/sh -c … # buildkit`. Findings name a step and a kind; text of a step that may hold a secret is not repeated.

mod packages;

use super::engine_json::HistoryEntry;
use super::secret;
use super::shell::{self, Command};
use packages::{family, installs, package_manager, refreshes, unverified_flag};

/// A build step.
#[derive(Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Place in the history, counted from 1, oldest first.
    pub number: usize,
    /// What it is.
    pub instruction: Instruction<'a>,
}

/// What a build step is.
#[derive(Debug, PartialEq, Eq)]
pub enum Instruction<'a> {
    /// A command, with the build arguments it was given.
    Run {
        /// `NAME=value` of each build argument.
        arguments: Vec<&'a str>,
        /// The command.
        command: &'a str,
    },
    /// `ADD`, and what was added where.
    Add(&'a str),
    /// Any other instruction: its name in capitals, and the rest.
    Other(&'a str, &'a str),
}

const INSTRUCTIONS: [&str; 17] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

impl<'a> Instruction<'a> {
    /// Reads the line a builder left.
    #[must_use]
    pub fn parse(line: &'a str) -> Self {
        let line = line.trim();
        let line = line.strip_suffix("# buildkit").map_or(line, str::trim_end);
        let (instruction, rest) = match line.split_once("#(nop)") {
            Some((_, rest)) => (true, rest.trim_start()),
            None => (false, line),
        };
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        if INSTRUCTIONS.contains(&word) {
            return if word == "ADD" { Self::Add(after.trim()) } else { Self::Other(word, after.trim()) };
        }
        if instruction {
            return Self::Other("", rest);
        }
        let command = if word == "RUN" { after.trim_start() } else { rest };
        Self::run(command)
    }

    fn run(mut command: &'a str) -> Self {
        let mut arguments = Vec::new();
        while let Some(("", flag)) = command.split_once("--") {
            command = flag.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim_start());
        }
        // `|2 A=x B=y /bin/sh -c …`: a value may hold spaces, so the shell is looked for.
        if let Some(counted) = command.strip_prefix('|')
            && let Some((count, rest)) = counted.split_once(char::is_whitespace)
            && count.parse::<usize>().is_ok()
        {
            let shell = ["/bin/sh ", "/bin/bash ", "/bin/ash "].iter().filter_map(|shell| rest.find(shell)).min().unwrap_or(rest.len());
            let (given, run) = rest.split_at_checked(shell).unwrap_or((rest, ""));
            arguments = given.split_whitespace().collect();
            command = run;
        }
        Self::Run { arguments, command: script(command) }
    }
}

/// What is left when the shell that runs it is taken off: `/bin/bash -euo pipefail -c …`. Builders write the script without quotes.
fn script(command: &str) -> &str {
    let Some((shell, mut rest)) = command.split_once(' ') else { return command };
    if !shell.starts_with('/') || !shell::is_interpreter(shell.rsplit('/').next().unwrap_or(shell)) {
        return command;
    }
    while let Some((word, after)) = rest.trim_start().split_once(char::is_whitespace) {
        match word {
            word if word.starts_with('-') && word.ends_with('c') => return after.trim_start(),
            word if word.starts_with('-') || word == "pipefail" => rest = after,
            _ => break,
        }
    }
    command
}

/// The steps of an image.
#[must_use]
pub fn steps(history: &[HistoryEntry]) -> Vec<Step<'_>> {
    history.iter().enumerate().map(|(at, entry)| Step { number: at + 1, instruction: Instruction::parse(&entry.created_by) }).collect()
}

/// The `ADD` that lays the root file system of the base: the first step that makes a layer, where it adds to `/`.
#[must_use]
pub fn base_step(history: &[HistoryEntry]) -> Option<usize> {
    let (at, first) = history.iter().enumerate().find(|(_, entry)| !entry.empty_layer)?;
    let Instruction::Add(what) = Instruction::parse(&first.created_by) else { return None };
    (what.split_whitespace().last() == Some("/")).then_some(at + 1)
}

impl Step<'_> {
    fn commands(&self) -> Vec<Command> {
        match self.instruction {
            Instruction::Run { command, .. } => shell::commands(command),
            _ => Vec::new(),
        }
    }

    /// `step N: ADD …`, where it is an `ADD`.
    #[must_use]
    pub fn added(&self) -> Option<String> {
        let Instruction::Add(what) = self.instruction else { return None };
        let shown: String = if secret::shape(what).is_some() { "…".to_owned() } else { what.chars().take(120).collect() };
        Some(format!("step {}: ADD {shown}", self.number))
    }

    /// `step N: apt-get update`, where it refreshes a package index and installs nothing from it.
    #[must_use]
    pub fn index_update(&self) -> Option<String> {
        let commands = self.commands();
        let uses: Vec<(&str, &str)> = commands.iter().filter_map(package_manager).collect();
        let updates = uses.iter().find(|(manager, verb)| refreshes(manager, verb))?;
        let installs = uses.iter().any(|(manager, verb)| family(manager) == family(updates.0) && installs(manager, verb));
        (!installs).then(|| format!("step {}: {} {}", self.number, updates.0, updates.1))
    }

    /// `step N: …` for each way in which it takes packages or programs unverified.
    #[must_use]
    pub fn unverified(&self) -> Vec<String> {
        let commands = self.commands();
        let mut found = Vec::new();
        for (at, command) in commands.iter().enumerate() {
            let Some((program, arguments)) = command.program() else { continue };
            if let Some(flag) = arguments.iter().find_map(|word| unverified_flag(program, word)) {
                found.push(format!("step {}: {program} {flag}", self.number));
            }
            let substituted = arguments.iter().find_map(|word| {
                ["curl", "wget"]
                    .into_iter()
                    .find(|program| word.contains(&format!("$({program} ")) || word.contains(&format!("`{program} ")))
            });
            let next = commands.get(at + 1).filter(|_| arguments.last().is_some_and(|word| word.ends_with("<") || word.ends_with('$')));
            let runs = shell::is_interpreter(program) || program == "eval" || program == "source";
            if runs && let Some(source) = piped_download(&commands, at).or(substituted).or_else(|| next.and_then(downloader)) {
                found.push(format!("step {}: {source} into {program}", self.number));
            }
        }
        found.dedup();
        found
    }

    /// `step N: KIND` for each secret that stands in a line of the history.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let mut kinds: Vec<String> = Vec::new();
        match &self.instruction {
            Instruction::Run { arguments, command } => {
                for argument in arguments {
                    kinds.extend(named("build argument", argument));
                }
                kinds.extend(secret::shape(command).map(str::to_owned));
                for command in shell::commands(command) {
                    kinds.extend(
                        command
                            .assignments()
                            .filter(|(_, value)| is_literal(value))
                            .filter_map(|(name, value)| secret_pair("variable", name, value)),
                    );
                    kinds.extend(options(&command).filter_map(|(name, value)| secret_pair("option", name, value)));
                }
            }
            Instruction::Add(rest) => kinds.extend(secret::shape(rest).map(str::to_owned)),
            // Labels are a fact of their own.
            Instruction::Other("LABEL", _) => {}
            Instruction::Other(name, rest) => {
                let what = if *name == "ARG" { "build argument" } else { "variable" };
                if matches!(*name, "ENV" | "ARG") {
                    kinds.extend(shell::commands(rest).iter().flat_map(|command| &command.words).filter_map(|word| named(what, word)));
                }
                if kinds.is_empty() {
                    kinds.extend(secret::shape(rest).map(str::to_owned));
                }
            }
        }
        kinds.dedup();
        kinds.into_iter().map(|kind| format!("step {}: {kind}", self.number)).collect()
    }
}

fn named(what: &str, pair: &str) -> Option<String> {
    let (name, value) = pair.split_once('=')?;
    secret_pair(what, name, value.trim_matches(['"', '\'']))
}

fn secret_pair(what: &str, name: &str, value: &str) -> Option<String> {
    secret::is_secret(name, value).then(|| format!("{what} {}", name.trim_start_matches('-')))
}

/// Whether a shell word is a value and not an expansion of one.
fn is_literal(value: &str) -> bool {
    !value.is_empty() && !value.contains(['$', '`'])
}

/// Long options with a literal value: `--password=x`, `--token x`.
fn options(command: &Command) -> impl Iterator<Item = (&str, &str)> {
    let words = command.words.iter().map(String::as_str);
    let next = words.clone().skip(1).map(Some).chain([None]);
    words.zip(next).filter_map(|(word, next)| {
        let (name, value) = match word.strip_prefix("--")?.split_once('=') {
            Some(pair) => pair,
            None => (word, next.filter(|next| !next.starts_with('-'))?),
        };
        is_literal(value).then_some((name, value))
    })
}

fn downloader(command: &Command) -> Option<&'static str> {
    let (program, arguments) = command.program()?;
    ["curl", "wget"]
        .into_iter()
        .find(|downloader| program == *downloader || (program == "$" && arguments.first().is_some_and(|word| word == downloader)))
}

/// What feeds a command through a pipe, however many filters stand between.
fn piped_download(commands: &[Command], reader: usize) -> Option<&'static str> {
    let mut at = reader;
    while commands.get(at)?.piped {
        at = at.checked_sub(1)?;
        if let Some(source) = downloader(commands.get(at)?) {
            return Some(source);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: &str) -> HistoryEntry {
        HistoryEntry { created_by: line.into(), ..HistoryEntry::default() }
    }

    fn step(line: &str) -> Step<'_> {
        Step { number: 3, instruction: Instruction::parse(line) }
    }

    #[test]
    fn index_updates_alone_and_not() {
        for line in [
            "/bin/sh -c apt-get update",
            "RUN /bin/sh -c apt-get -qq -o Acquire::Retries=3 update # buildkit",
            "RUN |1 DEBIAN_FRONTEND=noninteractive /bin/sh -c apt-get update && rm -rf /tmp/x # buildkit",
            "/bin/sh -c apk update",
            "/bin/sh -c yum -y makecache; echo install",
            "RUN /bin/bash -o pipefail -c apt update # buildkit",
            "/bin/sh -c zypper --non-interactive refresh",
        ] {
            assert!(step(line).index_update().is_some(), "{line}");
        }
        for line in [
            "/bin/sh -c apt-get update && apt-get install -y curl",
            "/bin/sh -c apk update && apk upgrade",
            "/bin/sh -c apk add --no-cache curl",
            "/bin/sh -c npm update",
            "/bin/sh -c yum -y update",
            "/bin/sh -c #(nop)  ENV UPDATE=apt-get update",
            "ENV X=apt-get update",
            "/bin/sh -c echo 'run apt-get update first'",
            "RUN /bin/sh -c set -eux;  apt-get update;  apt-get install -y --no-install-recommends   ca-certificates  ; # buildkit",
            "COPY update /apt-get # buildkit",
        ] {
            assert_eq!(step(line).index_update(), None, "{line}");
        }
        assert_eq!(step("/bin/sh -c apt-get -y update").index_update().unwrap(), "step 3: apt-get update");
    }

    #[test]
    fn the_base_layer_is_not_an_addition() {
        let classic = [
            HistoryEntry { empty_layer: true, ..entry("/bin/sh -c #(nop)  ARG RELEASE") },
            entry("/bin/sh -c #(nop) ADD file:1141b81e5149cc37c in / "),
            entry("/bin/sh -c #(nop) ADD file:77aa in /app "),
            entry("/bin/sh -c echo ADDRESS=1"),
            entry("ADD https://example.org/x.tar.gz /opt/ # buildkit"),
            entry("COPY ADD /x # buildkit"),
        ];
        let base = base_step(&classic);
        assert_eq!(base, Some(2));
        let added: Vec<_> = steps(&classic).iter().filter(|step| Some(step.number) != base).filter_map(Step::added).collect();
        assert_eq!(added, ["step 3: ADD file:77aa in /app", "step 5: ADD https://example.org/x.tar.gz /opt/"]);
        assert_eq!(base_step(&[entry("ADD alpine-minirootfs-3.20.3-x86_64.tar.gz / # buildkit")]), Some(1));
        assert_eq!(base_step(&[entry("ADD app /bin/app # buildkit")]), None, "an image from nothing");
        assert_eq!(base_step(&[entry("# debian.sh --arch 'amd64' out/ 'bookworm' '@1739750400'"), entry("ADD x / # buildkit")]), None);
    }

    #[test]
    fn unverified_installs() {
        let found = |line| step(line).unverified();
        assert_eq!(found("/bin/sh -c curl -fsSL https://get.example.org | sh"), ["step 3: curl into sh"]);
        assert_eq!(found("/bin/sh -c wget -qO- https://x | sed s/a/b/ | bash -s -- -y"), ["step 3: wget into bash"]);
        assert_eq!(found("RUN /bin/bash -c bash <(curl -s https://x) # buildkit"), ["step 3: curl into bash"]);
        assert_eq!(found("/bin/sh -c sh -c \"$(curl -fsSL https://x)\""), ["step 3: curl into sh"]);
        assert_eq!(found("/bin/sh -c apt-get install -y --allow-unauthenticated x"), ["step 3: apt-get --allow-unauthenticated"]);
        assert_eq!(found("/bin/sh -c dnf install --nogpgcheck -y x"), ["step 3: dnf --nogpgcheck"]);
        assert_eq!(found("/bin/sh -c echo 'deb [trusted=yes] http://x ./' > /etc/apt/sources.list.d/x"), ["step 3: echo trusted=yes"]);
        assert!(found("/bin/sh -c curl -fsSL https://x | gpg --dearmor -o /k && sh ./install.sh").is_empty());
        assert!(found("/bin/sh -c curl -fsSLO https://x/y.tgz").is_empty());
    }

    #[test]
    fn secrets_are_told_by_kind_only() {
        let found = |line| step(line).secrets();
        assert_eq!(found("RUN |2 NPM_TOKEN=abcd1234 V=1 /bin/sh -c npm ci # buildkit"), ["step 3: build argument NPM_TOKEN"]);
        assert_eq!(found("|1 V=1 /bin/sh -c npm ci"), Vec::<String>::new());
        assert_eq!(found("ENV DB_PASSWORD=hunter2 A=b"), ["step 3: variable DB_PASSWORD"]);
        assert_eq!(found("ENV DB_PASSWORD_FILE=/run/secrets/x"), Vec::<String>::new());
        assert_eq!(found("/bin/sh -c mysql --password=hunter2 -e x"), ["step 3: option password"]);
        assert_eq!(found("/bin/sh -c mysql --password=\"$PW\" -e x"), Vec::<String>::new());
        assert_eq!(found("/bin/sh -c git clone https://bot:hunter2@example.org/x"), ["step 3: password in a URL"]);
        assert_eq!(found("ARG GITHUB_TOKEN"), Vec::<String>::new());
        assert_eq!(found("LABEL token=abc"), Vec::<String>::new(), "labels are a fact of their own");
        for line in ["ENV DB_PASSWORD=hunter2", "/bin/sh -c x --token hunter2", "ADD https://bot:hunter2@x/y /z # buildkit"] {
            assert!(!format!("{:?}{:?}", step(line).secrets(), step(line).added()).contains("hunter2"));
        }
    }
}
