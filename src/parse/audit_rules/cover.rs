//! Whether a set of rules watches a path.
//!
//! A path counts as watched when every change to it by anybody is recorded, by one rule or by several together: for
//! 64-bit and for 32-bit calls, for each kind of access that is asked for. So rules with comparisons that leave somebody
//! out, such as `auid>=1000` (which misses every daemon), do not count, nor do rules for named system calls.
//!
//! Rules are asked in order, so an earlier `never` wins. It takes the path out if it names the path or a directory
//! above it, or if it names no path and silences users at large. Exceptions for one program or one label (`exe=`,
//! `subj_type=`, `pid=`) and for something below the path do not.
//!
//! Whether auditing is switched on at all is not a question of rules, and is not looked at here.

use std::path::Path;

use super::fields::message_number;
use super::{Access, Action, Arch, Calls, Comparison, Filter, Machine, Operator, Rule, Scope, syscalls};

/// A rule, and the path it watches with the links above its last component resolved. The kernel does not follow a link
/// in the last component: a watch on a link watches the link.
#[derive(Clone, Copy, Debug)]
pub struct Located<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Where its watch points.
    pub path: Option<&'a Path>,
}

/// What should be watched.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The path, every link resolved.
    pub path: &'a Path,
    /// Whether it is a directory, whose content counts too.
    pub is_directory: bool,
}

/// What should be recorded of system calls, whatever file they are about.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// The machine the rules are for.
    pub machine: Machine,
    /// Names of the calls. Those that an architecture does not have need no rule there.
    pub calls: &'a [&'a str],
    /// The calling conventions that count.
    pub arches: &'a [Arch],
    /// What is true of every event that should be recorded. A rule may ask for as much, and for no more.
    pub assumed: &'a [Comparison],
}

/// The calls that the rules do not record, each with its calling convention; none where all are.
pub fn unrecorded<'a>(rules: impl IntoIterator<Item = &'a Rule>, demand: Demand<'_>) -> Vec<(Arch, String)> {
    let exists = |arch: &Arch, call: &str| syscalls::exists(demand.machine, *arch == Arch::B32, call);
    let mut open: Vec<(Arch, String)> = demand
        .arches
        .iter()
        .flat_map(|arch| demand.calls.iter().filter(|call| exists(arch, call)).map(|call| (arch.clone(), (*call).to_owned())))
        .collect();
    let all = open.clone();
    let mut lost = Vec::new();
    for rule in rules {
        if silences_everything(rule) {
            return all;
        }
        if rule.list != Filter::Exit {
            continue;
        }
        // Without an architecture a rule goes by the numbers of the machine's own calls.
        let takes = |(arch, call): &(Arch, String)| match (&rule.calls, &rule.arch) {
            (Calls::All, _) => is_for(rule, arch),
            (Calls::Some(calls), Some(_)) => is_for(rule, arch) && calls.contains(call),
            (Calls::Some(calls), None) => *arch == Arch::B64 && calls.contains(call),
        };
        let everywhere = rule.watch.is_none() && rule.access.is_none();
        match rule.action {
            Action::Always if everywhere && rule.comparisons.iter().all(|own| implied(own, demand.assumed)) => {
                open.retain(|call| !takes(call));
            }
            Action::Never if takes_users_out(rule, demand.assumed) && is_wide(rule) => {
                let (gone, left) = open.into_iter().partition(|call| takes(call));
                open = left;
                lost.extend::<Vec<_>>(gone);
            }
            _ => {}
        }
    }
    open.extend(lost);
    open
}

/// Whether a rule that takes events out is for more than one place of the file system.
fn is_wide(rule: &Rule) -> bool {
    rule.watch.as_ref().is_none_or(|watch| watch.path == "/" && watch.scope != Scope::Itself)
}

/// The least login user there is among the events, and whether somebody logged in for all of them.
fn logins(assumed: &[Comparison]) -> (u32, bool) {
    let of_login = || assumed.iter().filter(|own| own.field == "auid" && !own.between_fields);
    let least = of_login().filter(|own| own.operator == Operator::GreaterOrEqual).filter_map(|own| own.value.parse().ok()).max();
    (least.unwrap_or(0), of_login().any(|own| own.operator == Operator::NotEqual && own.value == "unset"))
}

/// Whether a comparison holds for every event of which the assumptions hold.
fn implied(own: &Comparison, assumed: &[Comparison]) -> bool {
    if assumed.contains(own) {
        return true;
    }
    let failed = || assumed.iter().any(|own| own.field == "exit" && own.operator == Operator::Equal && own.value.starts_with('-'));
    let (least, set) = logins(assumed);
    match (own.field.as_str(), own.operator, own.value.parse::<u32>()) {
        ("auid", Operator::NotEqual, Err(_)) => own.value == "unset" && set,
        ("auid", Operator::GreaterOrEqual, Ok(number)) => number <= least && set,
        ("auid", Operator::Greater | Operator::NotEqual, Ok(number)) => number < least && set,
        ("success", Operator::Equal, Ok(0)) | ("success", Operator::NotEqual, Ok(1)) => failed(),
        _ => false,
    }
}

/// Whether a comparison holds for no event of which the assumptions hold.
fn excluded(own: &Comparison, assumed: &[Comparison]) -> bool {
    let (least, set) = logins(assumed);
    let equal = own.operator == Operator::Equal;
    match (own.field.as_str(), own.operator, own.value.parse::<u32>()) {
        ("auid", Operator::Equal, Err(_)) => own.value == "unset" && set,
        ("auid", Operator::Equal | Operator::LessOrEqual, Ok(number)) => number < least,
        ("auid", Operator::Less, Ok(number)) => number <= least,
        ("exit" | "a0", ..) if equal => {
            assumed.iter().any(|other| other.field == own.field && other.operator == Operator::Equal && other.value != own.value)
        }
        ("success", Operator::Equal, Ok(1)) => {
            assumed.iter().any(|other| other.field == "exit" && other.operator == Operator::Equal && other.value.starts_with('-'))
        }
        _ => false,
    }
}

/// Whether a `never` rule takes out events of users at large of which the assumptions hold. One for a daemon (an account other
/// than root's in which nobody logged in) does not.
fn takes_users_out(rule: &Rule, assumed: &[Comparison]) -> bool {
    let has = |field: &str, value: &dyn Fn(&str) -> bool| {
        rule.comparisons.iter().any(|own| own.field == field && own.operator == Operator::Equal && value(&own.value))
    };
    let of_a_daemon = has("auid", &|value| value == "unset") && has("uid", &|value| value != "0");
    !of_a_daemon && silences_users(rule) && !rule.comparisons.iter().any(|own| excluded(own, assumed))
}

/// The number of the record that says what was done, without which the others tell nothing.
const SYSCALL_RECORD: u32 = 1300;

/// The first of the rules that together record every access of the given kinds to the target, or `None`.
pub fn covers<'a>(rules: impl IntoIterator<Item = Located<'a>>, target: Target<'_>, needs: Access) -> Option<&'a Rule> {
    covers_for(rules, target, needs, &[])
}

/// The same for those accesses alone of which some comparisons hold: a rule may ask for as much.
pub fn covers_for<'a>(
    rules: impl IntoIterator<Item = Located<'a>>,
    target: Target<'_>,
    needs: Access,
    assumed: &[Comparison],
) -> Option<&'a Rule> {
    let mut open: Vec<(Arch, Access)> =
        [Arch::B64, Arch::B32].into_iter().flat_map(|arch| needs.each().map(move |kind| (arch.clone(), kind))).collect();
    let mut silenced = false;
    let mut first = None;
    for Located { rule, path } in rules {
        if silences_everything(rule) {
            return None;
        }
        if rule.list != Filter::Exit || silenced {
            continue;
        }
        let reached = path.is_some_and(|path| reaches(rule, path, target));
        match rule.action {
            Action::Always if reached && rule.comparisons.iter().all(|own| implied(own, assumed)) => {
                let accesses = rule.accesses().filter(|_| rule.calls == Calls::All).unwrap_or_default();
                let before = open.len();
                open.retain(|(arch, kind)| !(accesses.contains(*kind) && is_for(rule, arch)));
                if open.len() < before && first.is_none() {
                    first = Some(rule);
                }
            }
            Action::Never
                if !rule.comparisons.iter().any(|own| excluded(own, assumed))
                    && (watches(Located { rule, path }, target) || (rule.watch.is_none() && silences_users(rule))) =>
            {
                silenced = open.iter().any(|(arch, kind)| is_for(rule, arch) && touches(rule, *kind));
            }
            _ => {}
        }
    }
    first.filter(|_| open.is_empty())
}

/// Whether a rule watches a target, whatever it leaves out: by name, or by a directory above it.
#[must_use]
pub fn watches(rule: Located<'_>, target: Target<'_>) -> bool {
    rule.path.is_some_and(|path| path == target.path || reaches(rule.rule, path, target))
}

/// Whether a rule reaches a target: by its path, or by a directory above it, component by component.
fn reaches(rule: &Rule, path: &Path, target: Target<'_>) -> bool {
    match rule.watch.as_ref().map(|watch| watch.scope) {
        None => false,
        Some(Scope::Itself) => !target.is_directory && path == target.path,
        Some(Scope::Tree | Scope::AsFound) => target.path.starts_with(path),
    }
}

fn is_for(rule: &Rule, arch: &Arch) -> bool {
    rule.arch.as_ref().is_none_or(|own| own == arch)
}

/// Whether some of the rule's calls access files in this way.
fn touches(rule: &Rule, kind: Access) -> bool {
    if rule.access.is_some_and(|access| !access.contains(kind)) {
        return false;
    }
    let Calls::Some(calls) = &rule.calls else { return true };
    let changes_attributes = |call: &str| call.contains("chmod") || call.contains("chown") || call.contains("xattr");
    let is_file_call = |call: &str| {
        const WORDS: [&str; 13] =
            ["open", "creat", "truncate", "rename", "link", "mkdir", "rmdir", "mknod", "write", "bind", "mount", "fallocate", "pivot_root"];
        WORDS.iter().any(|word| call.contains(word))
    };
    calls.iter().any(|call| match kind {
        Access::ATTRIBUTES => changes_attributes(call),
        Access::WRITE => is_file_call(call),
        Access::EXECUTE => call.starts_with("exec"),
        _ => call.starts_with("open") || call.contains("readlink") || call.contains("getxattr") || call.contains("listxattr"),
    })
}

/// Whether a `never` rule without a path leaves out users at large, and not one program, label or object alone.
fn silences_users(rule: &Rule) -> bool {
    const NARROW: [&str; 8] = ["exe", "pid", "ppid", "inode", "devmajor", "devminor", "saddr_fam", "fstype"];
    !rule.comparisons.iter().any(|comparison| {
        let field = comparison.field.as_str();
        comparison.operator == Operator::Equal && (NARROW.contains(&field) || field.starts_with("subj_") || field.starts_with("obj_"))
    })
}

/// `never,task` keeps the kernel from following tasks at all, and excluding the record of the system call keeps every
/// watch from being written, wherever in the list they stand.
fn silences_everything(rule: &Rule) -> bool {
    match rule.list {
        Filter::Task => rule.action == Action::Never && silences_users(rule),
        Filter::Exclude => {
            !rule.comparisons.is_empty()
                && rule.comparisons.iter().all(|comparison| {
                    comparison.field == "msgtype"
                        && message_number(&comparison.value).is_some_and(|number| comparison.operator.holds(SYSCALL_RECORD, number))
                })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Names, text};
    use super::*;
    use crate::fact::Text;

    fn check(rules: &str, path: &str, is_directory: bool) -> Option<String> {
        let file = Text::from("rules");
        let read = text::read(text::lines(&file, rules), &Names::of(Machine::X86_64));
        assert!(read.refusal.is_none(), "{:?}", read.refusal);
        let located = read
            .rules
            .iter()
            .map(|placed| Located { rule: &placed.rule, path: placed.rule.watch.as_ref().map(|watch| Path::new(&watch.path)) });
        covers(located, Target { path: Path::new(path), is_directory }, Access::CHANGES).map(ToString::to_string)
    }

    fn file(rules: &str, path: &str) -> bool {
        check(rules, path, false).is_some()
    }

    fn directory(rules: &str, path: &str) -> bool {
        check(rules, path, true).is_some()
    }

    #[test]
    fn a_path_is_covered_by_name_or_by_a_parent() {
        assert!(file("-w /usr/bin/dockerd -p wa -k docker", "/usr/bin/dockerd"));
        assert!(file("-w /usr/bin/dockerd", "/usr/bin/dockerd"), "without -p every access is watched");
        assert!(file("-a always,exit -F path=/usr/bin/dockerd -F perm=wa", "/usr/bin/dockerd"));
        assert!(file("-a exit,always -F path=/usr/bin/dockerd", "/usr/bin/dockerd"));
        assert!(file("-w /etc/docker -p wa", "/etc/docker/daemon.json"), "a directory watch covers its files");
        assert!(file("-a always,exit -F dir=/etc -F perm=wa", "/etc/docker/daemon.json"));
        assert!(directory("-w /var/lib -p wa", "/var/lib/docker"));
        assert!(file("-a always,exit -F dir=/etc/docker/daemon.json -F perm=wa", "/etc/docker/daemon.json"));
    }

    #[test]
    fn a_prefix_is_not_a_parent() {
        assert!(!file("-w /usr/bin/containerd-shim -p wa", "/usr/bin/containerd"));
        assert!(!file("-w /usr/bin/containerd -p wa", "/usr/bin/containerd-shim"));
        assert!(!directory("-w /etc/docker/daemon.json -p wa", "/etc/docker"));
        assert!(!directory("-w /run/containerd/containerd.sock -p wa", "/run/containerd"));
        assert!(!file("-w /etc/default/docker -p wa", "/etc/default/docker.bak"));
    }

    #[test]
    fn a_path_field_on_a_directory_is_not_a_tree() {
        assert!(!directory("-a always,exit -F path=/run/containerd -F perm=wa", "/run/containerd"));
        assert!(!file("-a always,exit -F path=/etc/docker -F perm=wa", "/etc/docker/daemon.json"));
        assert!(directory("-a always,exit -F dir=/run/containerd -F perm=wa", "/run/containerd"));
    }

    #[test]
    fn writes_and_attributes_are_both_needed() {
        assert!(!file("-w /usr/bin/runc -p x", "/usr/bin/runc"));
        assert!(!file("-w /usr/bin/runc -p w", "/usr/bin/runc"));
        assert!(!file("-w /usr/bin/runc -p rxa", "/usr/bin/runc"));
        assert!(file("-w /usr/bin/runc -p w -k a\n-w /usr/bin/runc -p a -k b", "/usr/bin/runc"), "two rules do together");
    }

    #[test]
    fn rules_that_leave_somebody_out_do_not_cover() {
        assert!(!file("-a always,exit -F path=/usr/bin/runc -F perm=wa -F auid>=1000 -F auid!=unset", "/usr/bin/runc"));
        assert!(!file("-a always,exit -F path=/usr/bin/runc -F success=1", "/usr/bin/runc"));
        assert!(!file("-a always,exit -F path=/usr/bin/runc -C uid!=euid", "/usr/bin/runc"));
        assert!(!file("-a always,exit -F arch=b64 -S openat -F path=/usr/bin/runc", "/usr/bin/runc"));
        let wide = "-a always,exit -F arch=b64 -F path=/usr/bin/runc -F perm=wa";
        assert!(!file(wide, "/usr/bin/runc"), "32-bit calls reach the file too");
        assert!(file(&format!("{wide}\n{}", wide.replace("b64", "b32")), "/usr/bin/runc"));
    }

    #[test]
    fn an_earlier_never_wins() {
        let watch = "-w /etc/docker -p wa";
        for never in [
            "-a never,exit -F path=/etc/docker/daemon.json",
            "-a exit,never -F dir=/etc",
            "-a never,exit -F dir=/etc/docker -F auid=1000",
            "-a never,exit -F uid=0 -S all",
            "-a never,exit -F arch=b64 -S openat -F auid=unset",
            "-a never,task",
            "-a task,never",
            "-a always,exclude -F msgtype=SYSCALL",
            "-a never,exclude -F msgtype>=1300",
        ] {
            assert!(!file(&format!("{never}\n{watch}"), "/etc/docker/daemon.json"), "{never}");
        }
        assert!(file(&format!("{watch}\n-a never,exit -F dir=/etc"), "/etc/docker/daemon.json"), "a later one does not");
        assert!(!file(&format!("{watch}\n-A never,exit -F dir=/etc"), "/etc/docker/daemon.json"), "-A puts it first");
        assert!(!file(&format!("{watch}\n-a never,task"), "/etc/docker/daemon.json"), "tasks are asked before");
    }

    #[test]
    fn exceptions_for_others_do_not_matter() {
        let watch = "-w /etc/docker -p wa";
        for never in [
            "-a always,exclude -F msgtype=CWD",
            "-a never,user -F subj_type=crond_t",
            "-a never,exit -F subj_type=crond_t",
            "-a never,exit -F arch=b64 -S adjtimex -F auid=unset -F uid=chrony",
            "-a never,exit -F exe=/usr/bin/vmtoolsd",
            "-a never,filesystem -F fstype=tracefs",
            "-a never,exit -F path=/etc/docker/daemon.json -F perm=r",
            "-a never,exit -F dir=/etc/docker/certs.d",
        ] {
            assert!(file(&format!("{never}\n{watch}"), "/etc/docker/daemon.json"), "{never}");
            assert!(directory(&format!("{never}\n{watch}"), "/etc/docker"), "{never}");
        }
    }

    /// Comparisons as a rule would spell them.
    fn assumed(fields: &str) -> Vec<Comparison> {
        rules(&format!("-a always,exit -S all {fields}")).remove(0).comparisons
    }

    fn rules(text: &str) -> Vec<Rule> {
        let file = Text::from("rules");
        text::read(text::lines(&file, text), &Names::of(Machine::X86_64)).rules.into_iter().map(|placed| placed.rule).collect()
    }

    fn open(text: &str, calls: &[&str], fields: &str) -> Vec<String> {
        let assumed = assumed(fields);
        let demand = Demand { machine: Machine::X86_64, calls, arches: &[Arch::B64, Arch::B32], assumed: &assumed };
        unrecorded(&rules(text), demand).into_iter().map(|(arch, call)| format!("{arch} {call}")).collect()
    }

    const USERS: &str = "-F auid>=1000 -F auid!=unset";

    #[test]
    fn calls_are_recorded_by_one_rule_or_several() {
        let both = "-a always,exit -F arch=b64 -S mount -F auid>=1000 -F auid!=-1 -k m\n-a always,exit -F arch=b32 -S mount -F auid>=1000 -F auid!=4294967295";
        assert!(open(both, &["mount"], USERS).is_empty());
        assert_eq!(open(both, &["mount", "umount2"], USERS), ["b64 umount2", "b32 umount2"]);
        assert_eq!(open(both.lines().next().unwrap(), &["mount"], USERS), ["b32 mount"]);
        assert!(open("-a exit,always -S all", &["mount", "openat"], USERS).is_empty());
        assert_eq!(open("-a always,exit -S mount", &["mount"], ""), ["b32 mount"], "numbers of 32-bit calls differ");
        assert!(open("", &["init_module"], "").len() == 2 && open("", &["no_such_call"], "").is_empty());
    }

    #[test]
    fn a_rule_may_ask_for_what_is_assumed_and_no_more() {
        let with = |fields: &str, demand: &str| {
            let line = |arch: &str| format!("-a always,exit -F arch={arch} -S openat {fields}\n");
            open(&format!("{}{}", line("b64"), line("b32")), &["openat"], demand).is_empty()
        };
        for wider in ["", "-F auid>=500 -F auid!=unset", "-F auid!=unset", "-F auid>999", "-F auid>=1000", "-F auid!=0"] {
            assert!(with(wider, USERS), "{wider}");
        }
        for narrower in
            ["-F auid>=1001", "-F auid=1000", "-F uid=0", "-F success=0", "-F dir=/etc", "-F perm=w", "-C uid!=euid", "-F auid>=5000"]
        {
            assert!(!with(narrower, USERS), "{narrower}");
        }
        assert!(!with("-F auid>=1000", ""), "daemons count too where nothing is assumed");
        let denied = "-F exit=-EACCES -F auid>=1000 -F auid!=unset";
        assert!(with("-F exit=-13", denied) && with("-F success=0", denied) && !with("-F exit=-EPERM", denied));
        assert!(with("-F a0=0", "-F a0=0x0") && !with("-F a0=0x1", "-F a0=0"));
        assert!(with("-C euid!=uid -F auid!=unset", "-C uid!=euid -F auid!=-1"));
    }

    #[test]
    fn an_earlier_exception_for_users_at_large_wins() {
        let rule = "-a always,exit -S all";
        for never in [
            "-a never,exit -S all",
            "-a never,exit -F arch=b64 -S mount",
            "-a never,task",
            "-a never,exit -F dir=/ -S all",
            "-a never,exit -F uid=0 -S all",
        ] {
            assert!(!open(&format!("{never}\n{rule}"), &["mount"], USERS).is_empty(), "{never}");
            assert!(never.contains("task") || open(&format!("{rule}\n{never}"), &["mount"], USERS).is_empty(), "{never} comes too late");
        }
        for narrow in [
            "-a never,exit -F auid=unset -S all",
            "-a never,exit -F auid<1000 -S all",
            "-a never,exit -F dir=/var/lib/docker",
            "-a never,exit -F exe=/usr/bin/vmtoolsd -S all",
            "-a never,exit -F arch=b64 -S adjtimex",
        ] {
            assert!(open(&format!("{narrow}\n{rule}"), &["mount"], USERS).is_empty(), "{narrow}");
        }
        let chrony = "-a never,exit -F arch=b64 -S adjtimex -F auid=unset -F uid=992";
        assert!(open(&format!("{chrony}\n{rule}"), &["adjtimex"], "").is_empty(), "a daemon that is meant to");
        assert!(!open(&format!("{}\n{rule}", chrony.replace("992", "0")), &["adjtimex"], "").is_empty());
    }

    #[test]
    fn runs_of_a_program_by_users() {
        let runs = |text: &str| {
            let rules = rules(text);
            let located = rules.iter().map(|rule| Located { rule, path: rule.watch.as_ref().map(|watch| Path::new(&watch.path)) });
            let target = Target { path: Path::new("/usr/bin/chcon"), is_directory: false };
            covers_for(located, target, Access::EXECUTE, &assumed(USERS)).is_some()
        };
        assert!(runs("-a always,exit -F path=/usr/bin/chcon -F perm=x -F auid>=1000 -F auid!=unset -k perm_chng"));
        assert!(runs("-a always,exit -S all -F path=/usr/bin/chcon -F auid>=1000 -F auid!=-1"));
        assert!(runs("-w /usr/bin/chcon -p x"));
        assert!(runs("-a never,exit -F auid=unset -S all\n-w /usr/bin -p x"));
        assert!(!runs("-w /usr/bin/chcon -p wa"));
        assert!(!runs("-a always,exit -F path=/usr/bin/chcon -F perm=x -F auid>=2000 -F auid!=unset"));
        assert!(!runs("-a always,exit -F arch=b64 -F path=/usr/bin/chcon -F perm=x -F auid>=1000 -F auid!=unset"));
    }
}
