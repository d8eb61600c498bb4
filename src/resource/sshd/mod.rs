//! What sshd is told, option by option: command line, files, `Match` blocks, and what it is compiled with.

mod configuration;
mod daemon;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, Integer, List, Origin, Reason, Setting, Text, record};
use crate::parse::sshd::algorithms::{self, Family};
use crate::parse::sshd::{self, OPTIONS, Shape, Spec, Unset};

use super::{Context, Resource, Selector, paths};
use configuration::{Configuration, Given, Source, combined};
use daemon::{Daemon, Daemons};

record! {
    /// One option of one SSH server, and once more for each `Match` block that sets it. No record where no SSH server is installed.
    /// It is what the configuration says, which a running sshd reads when it starts or is told to reload. `Match all` counts as no
    /// block: what it sets holds for whoever no block before it catches.
    pub struct SshdOption("sshd") {
        /// Name of the option; behind it the condition of the block and, of a second server, its configuration file.
        name: Text,
        /// Name as the manual writes it, such as `PermitRootLogin`, whatever the file says.
        option: Text,
        /// What sshd uses: words in the manual's spelling (`prohibit-password` for its synonym), times in seconds, lists of algorithms
        /// resolved against the compiled-in list, `none` where it is off. Absent where nothing is set and there is no default.
        value: Setting,
        /// The elements of an option that is a list, over all its lines where sshd adds them up; for others the one value. Empty where
        /// nothing is set.
        values: List,
        /// Condition of the `Match` block that sets it, such as `User alice`; absent for what holds outside of blocks.
        criteria: Text,
        /// Where it is set: `flag` (command line of the daemon), `file` or `default`.
        source: Text,
        /// Whether the file the value names is there. Absent where it names none by an absolute path.
        file_exists: Flag,
        /// Of `MaxStartups`, the number of connections without authentication from which on some are refused; absent otherwise.
        start: Integer,
        /// Of `MaxStartups`, how many in a hundred are refused from there on; absent otherwise.
        rate_percent: Integer,
        /// Of `MaxStartups`, the number from which on all are refused; absent otherwise.
        full: Integer,
        /// The configuration file of the server.
        configuration: Text,
    }
}

/// Finds the records.
pub struct Sshd;

impl Resource for Sshd {
    type Row = SshdOption;
    const SELECTOR: &'static str = "the name of an option as the manual of sshd_config writes it, or a glob";
    const KEY: &'static str = "option";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let daemons = Daemons::of(context);
        let daemons = daemons.as_ref().as_ref().map_err(Clone::clone)?;
        let specs = || OPTIONS.iter().filter(|spec| of.picks(spec.name));
        Ok(daemons.0.iter().flat_map(|daemon| specs().flat_map(|spec| rows(context, daemon, spec))).collect())
    }
}

/// The files that the SSH servers of the host read their configuration from, in order. Why some may be missing comes last.
pub(super) fn files(context: &Context<'_>) -> Result<(Vec<PathBuf>, Option<Gap>), Gap> {
    let daemons = Daemons::of(context);
    let daemons = daemons.as_ref().as_ref().map_err(Clone::clone)?;
    let (mut files, mut missing) = (Vec::new(), None);
    for daemon in &daemons.0 {
        match &daemon.configuration {
            Ok(configuration) => {
                files.extend(configuration.files.iter().cloned());
                missing = missing.or_else(|| configuration.unread.clone());
            }
            Err(gap) => {
                files.push(daemon.file.clone());
                missing = missing.or_else(|| Some(gap.clone()));
            }
        }
    }
    files.sort();
    files.dedup();
    Ok((files, missing))
}

/// The values of an option outside of blocks, of every server.
pub(super) fn values(context: &Context<'_>, option: &str) -> Result<Vec<Fact<List>>, Gap> {
    let rows = Sshd::collect(context, &Selector::Keys(vec![option.to_owned()]))?;
    Ok(rows.into_iter().map(|row| row.values).collect())
}

fn rows(context: &Context<'_>, daemon: &Daemon, spec: &'static Spec) -> Vec<SshdOption> {
    let compiled = daemon.compiled.known().filter(|compiled| compiled.version.is_some());
    if spec.young && compiled.is_some_and(|compiled| !compiled.knows(&spec.name.to_ascii_lowercase())) {
        return Vec::new();
    }
    let configuration = match &daemon.configuration {
        Ok(configuration) => configuration,
        Err(gap) => return vec![unknown(daemon, spec, gap)],
    };
    let (everywhere, blocks) = scopes(configuration, daemon, spec);
    if let Some(gap) = &configuration.unread
        && !everywhere.as_ref().is_some_and(|(_, given)| given.source == Source::Flag && !spec.in_match)
    {
        return vec![unknown(daemon, spec, gap)];
    }
    let outside = match everywhere {
        Some((setting, given)) => row(context, daemon, spec, None, &setting, Some(given)),
        None => match spec.unset {
            Unset::Is(value) => row(context, daemon, spec, None, &sshd::Setting::one(value), None),
            Unset::Are(values) => {
                let values = values.iter().map(|value| (*value).to_owned()).collect();
                row(context, daemon, spec, None, &sshd::Setting::list(values, " "), None)
            }
            Unset::Nothing => row(context, daemon, spec, None, &sshd::Setting::default(), None),
            Unset::Compiled => by_compilation(context, daemon, spec),
        },
    };
    let inside = blocks.into_iter().map(|(criteria, setting, given)| row(context, daemon, spec, Some(&criteria), &setting, Some(given)));
    std::iter::once(outside).chain(inside).collect()
}

/// What an option is set to outside of blocks and inside of each.
type Scopes<'a> = (Option<(sshd::Setting, &'a Given)>, Vec<(String, sshd::Setting, &'a Given)>);

fn scopes<'a>(configuration: &'a Configuration, daemon: &Daemon, spec: &'static Spec) -> Scopes<'a> {
    let of = |scopes: &[usize]| {
        let lines: Vec<&Given> =
            configuration.given.iter().filter(|given| given.spec == spec && scopes.contains(&given.scope)).collect();
        combined(spec, &lines)
    };
    let ports = daemon.flags.as_ref().map(|flags| !flags.line.ports.is_empty()).unwrap_or_default();
    let mut everywhere = of(&[0]);
    if spec.name == "Port" && ports {
        everywhere = None;
    }
    let mut blocks: Vec<(String, Vec<usize>)> = Vec::new();
    for (scope, criteria) in configuration.scopes.iter().enumerate().skip(1) {
        match criteria {
            // It catches whoever comes to it, so nothing behind it or outside of blocks has a say.
            None => {
                if let Some(all) = of(&[scope]) {
                    everywhere = Some(all);
                    break;
                }
            }
            // Of two blocks with the same condition the first has its way, as if they were one.
            Some(criteria) => match blocks.iter_mut().find(|(other, _)| other == criteria) {
                Some((_, scopes)) => scopes.push(scope),
                None => blocks.push((criteria.clone(), vec![scope])),
            },
        }
    }
    let blocks = blocks.into_iter().filter_map(|(criteria, scopes)| of(&scopes).map(|(setting, given)| (criteria, setting, given)));
    (everywhere, blocks.collect())
}

fn named(daemon: &Daemon, spec: &Spec, criteria: Option<&str>) -> Text {
    let mut name = spec.name.to_owned();
    if let Some(criteria) = criteria {
        name = format!("{name} (Match {criteria})");
    }
    if daemon.other {
        name = format!("{name} of {}", daemon.file.display());
    }
    name.into()
}

fn unknown(daemon: &Daemon, spec: &Spec, gap: &Gap) -> SshdOption {
    SshdOption {
        name: Fact::derived(named(daemon, spec, None)),
        option: Fact::derived(spec.name),
        configuration: Fact::derived(daemon.file.as_path()),
        ..SshdOption::unknown(gap)
    }
}

/// An option that nothing sets and whose default is another in another build.
fn by_compilation(context: &Context<'_>, daemon: &Daemon, spec: &'static Spec) -> SshdOption {
    let gap = |why: &str| unknown(daemon, spec, &Gap::new(Origin::default_of("sshd"), Reason::unsupported(why)));
    let compiled = match &daemon.compiled {
        Fact::Known(compiled, _) => compiled,
        Fact::Absent(_) => return gap("there is no program to look at"),
        Fact::Unknown(gap) => return unknown(daemon, spec, gap),
    };
    let list = match (spec.shape, spec.name) {
        (Shape::Algorithms(family), _) => compiled.list(family),
        (_, "HostKey") if !compiled.host_keys.is_empty() => {
            let mut keys: Vec<String> = ["rsa", "ecdsa", "ed25519"].map(|kind| format!("/etc/ssh/ssh_host_{kind}_key")).to_vec();
            let newer = |key: &&String| !keys.contains(key) && !key.contains("_dsa_");
            let newer: Vec<String> = compiled.host_keys.iter().filter(newer).cloned().collect();
            keys.extend(newer);
            keys.dedup();
            Some(keys)
        }
        _ => None,
    };
    let between = if matches!(spec.shape, Shape::Algorithms(_)) { "," } else { " " };
    match list {
        Some(list) => row(context, daemon, spec, None, &sshd::Setting::list(list, between), None),
        None => gap("the default of this build is not known"),
    }
}

/// The list that a change to the compiled-in one gives.
fn changed(daemon: &Daemon, family: Family, written: &str) -> Result<sshd::Setting, Gap> {
    let origin = || Origin::default_of("sshd");
    let compiled = match &daemon.compiled {
        Fact::Known(compiled, _) => compiled.list(family),
        Fact::Absent(_) => None,
        Fact::Unknown(gap) if algorithms::is_change(written) => return Err(gap.clone()),
        Fact::Unknown(_) => None,
    };
    if compiled.is_none() && algorithms::is_change(written) {
        return Err(Gap::new(origin(), Reason::unsupported("the compiled-in list that it changes is not known")));
    }
    let list = algorithms::resolve(written, &compiled.unwrap_or_default());
    let list = list.ok_or_else(|| Gap::new(origin(), Reason::unsupported("which algorithms a pattern stands for is not known")))?;
    Ok(sshd::Setting::list(list, ","))
}

fn row(
    context: &Context<'_>,
    daemon: &Daemon,
    spec: &'static Spec,
    criteria: Option<&str>,
    setting: &sshd::Setting,
    given: Option<&Given>,
) -> SshdOption {
    let mut setting = setting.clone();
    let mut origin = given.map_or_else(|| Origin::default_of("sshd"), |given| given.origin.clone());
    let mut source = match given.map(|given| given.source) {
        None => "default",
        Some(Source::Flag) => "flag",
        Some(Source::File) => "file",
    };
    if let Ok(flags) = &daemon.flags
        && spec.name == "Port"
        && !flags.line.ports.is_empty()
    {
        setting = sshd::Setting::list(flags.line.ports.clone(), " ");
        (origin, source) = (flags.origin.clone(), "flag");
    }
    if let (Shape::Algorithms(family), Some(_)) = (spec.shape, given) {
        match changed(daemon, family, &setting.text) {
            Ok(list) => setting = list,
            Err(gap) => {
                let criteria_fact = in_block(criteria, &origin);
                let name = Fact::derived(named(daemon, spec, criteria));
                return SshdOption { name, criteria: criteria_fact, source: Fact::derived(source), ..unknown(daemon, spec, &gap) };
            }
        }
    }
    let known = |text: &str| Fact::Known(text.into(), origin.clone());
    let [start, rate_percent, full] = startups(spec, &setting.text, &origin);
    SshdOption {
        name: Fact::derived(named(daemon, spec, criteria)),
        option: Fact::derived(spec.name),
        value: if setting.values.is_empty() { Fact::Absent(origin.clone()) } else { Fact::Known(setting.text.as_str().into(), origin.clone()) },
        values: Fact::Known(setting.values.iter().map(|value| value.as_str().into()).collect(), origin.clone()),
        criteria: in_block(criteria, &origin),
        source: known(source),
        file_exists: match Path::new(&setting.text) {
            path if spec.shape == Shape::Path && path.is_absolute() => paths::exists(context.host.stat(path)),
            _ => Fact::Absent(origin.clone()),
        },
        start,
        rate_percent,
        full,
        configuration: Fact::derived(daemon.file.as_path()),
    }
}

fn in_block(criteria: Option<&str>, origin: &Origin) -> Fact<Text> {
    criteria.map_or_else(|| Fact::Absent(origin.clone()), |criteria| Fact::Known(criteria.into(), origin.clone()))
}

fn startups(spec: &Spec, text: &str, origin: &Origin) -> [Fact<Integer>; 3] {
    let mut numbers = text.split(':').map(|number| number.parse::<i64>().ok());
    let mut next = || match numbers.next().flatten().filter(|_| spec.shape == Shape::Startups) {
        Some(number) => Fact::Known(number, origin.clone()),
        None => Fact::Absent(origin.clone()),
    };
    [next(), next(), next()]
}
