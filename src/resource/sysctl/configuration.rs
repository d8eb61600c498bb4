//! What the files on disk make of kernel parameters when the host starts.

use std::path::Path;
use std::sync::Arc;

use crate::fact::{Fact, Gap, List, Origin, Setting, Text};
use crate::parse::{
    ini,
    sysctl::{self, Assignment},
};
use crate::resource::{
    Context,
    init::Init,
    layered::{Layered, is_null},
};

const DIRECTORIES: [&str; 5] = ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];

/// Everything the host sets at its start, by the programs that do it, in their order. What a later one sets stands.
pub(super) struct Configuration {
    programs: Vec<Vec<Step>>,
}

/// What a program meets as it goes through its files.
enum Step {
    Line {
        path: Text,
        assignment: Assignment,
    },
    /// A file or directory nobody could look into.
    Unread(Gap),
}

/// What one program makes of one parameter.
enum Outcome {
    Untouched,
    Excluded(Origin),
    Set(Text, Origin),
    Unknown(Gap),
}

impl Configuration {
    pub(super) fn of(context: &Context<'_>) -> Arc<Self> {
        context.once(|context| Self { programs: vec![system(context), ufw(context)] })
    }

    /// What is set in the end, and every line that sets it on the way.
    pub(super) fn resolve(&self, key: &str) -> (Fact<Setting>, Fact<List>) {
        let mut configured = Fact::Absent(Origin::file("/etc/sysctl.d"));
        let mut lines = Vec::new();
        let mut unread = None;
        for steps in &self.programs {
            match outcome(steps, key) {
                Outcome::Untouched => {}
                Outcome::Excluded(origin) => configured = Fact::Absent(origin),
                Outcome::Set(value, origin) => configured = Fact::Known(Setting(value), origin),
                Outcome::Unknown(gap) => configured = Fact::Unknown(gap),
            }
            unread = unread.or(steps.iter().find_map(|step| match step {
                Step::Unread(gap) => Some(gap.clone()),
                Step::Line { .. } => None,
            }));
            let applied =
                applied(steps, key).into_iter().filter_map(|(path, assignment)| Some((path, assignment, assignment.value.as_ref()?)));
            lines.extend(applied.map(|(path, assignment, value)| Text::from(format!("{}:{} {value}", path.raw(), assignment.line))));
        }
        (configured, unread.map_or_else(|| Fact::derived(lines), Fact::Unknown))
    }
}

fn lines(steps: &[Step]) -> impl Iterator<Item = (usize, &Text, &Assignment)> {
    steps.iter().enumerate().filter_map(|(at, step)| match step {
        Step::Line { path, assignment } => Some((at, path, assignment)),
        Step::Unread(_) => None,
    })
}

/// The lines that bear on a parameter, the deciding one last. A glob sets only what no line names, be it to set it or
/// to exclude it, wherever that line stands.
fn applied<'a>(steps: &'a [Step], key: &str) -> Vec<(&'a Text, &'a Assignment)> {
    let named: Vec<_> = lines(steps).filter(|(_, _, line)| line.key == key).map(|(_, path, line)| (path, line)).collect();
    if !named.is_empty() {
        return named;
    }
    let mut globs: Vec<(&Text, &Assignment)> = Vec::new();
    for (_, path, line) in lines(steps).filter(|(_, _, line)| sysctl::is_glob(&line.key) && sysctl::glob_matches(&line.key, key)) {
        // A glob keeps its place when it is repeated, and moves to the end when its value changes.
        match globs.iter().position(|(_, earlier)| earlier.key == line.key) {
            Some(at) if globs.get(at).is_some_and(|(_, earlier)| earlier.value == line.value) => continue,
            Some(at) => drop(globs.remove(at)),
            None => {}
        }
        globs.push((path, line));
    }
    // A glob without a value takes back the same glob and keeps nothing else away.
    globs.retain(|(_, line)| line.value.is_some());
    globs
}

fn outcome(steps: &[Step], key: &str) -> Outcome {
    let named = lines(steps).filter(|(_, _, line)| line.key == key).map(|(at, _, _)| at).last();
    let unread = steps.iter().enumerate().rev().find_map(|(at, step)| match step {
        Step::Unread(gap) => Some((at, gap)),
        Step::Line { .. } => None,
    });
    if let Some((at, gap)) = unread
        && named.is_none_or(|named| named < at)
    {
        return Outcome::Unknown(gap.clone());
    }
    let applied = applied(steps, key);
    let Some((path, line)) = applied.last() else { return Outcome::Untouched };
    let origin = Origin::line(Text::clone(path), line.line);
    match &line.value {
        Some(value) => Outcome::Set(value.as_str().into(), origin),
        None => Outcome::Excluded(origin),
    }
}

fn read(context: &Context<'_>, path: &Path, steps: &mut Vec<Step>) {
    if is_null(context.host, path) {
        return;
    }
    match context.host.read(path) {
        Fact::Known(bytes, _) => {
            steps.extend(sysctl::parse(&bytes).into_iter().map(|assignment| Step::Line { path: path.into(), assignment }));
        }
        Fact::Absent(_) => {}
        Fact::Unknown(gap) => steps.push(Step::Unread(gap)),
    }
}

/// systemd-sysctl, or `sysctl --system` of procps, which reads `/etc/sysctl.conf` too. systemd knows that file only where
/// a distribution links it into a directory.
fn system(context: &Context<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    let found = Layered::of(context.host, DIRECTORIES, ".conf");
    for path in found.files.values() {
        read(context, path, &mut steps);
    }
    if Init::of(context).is_other() {
        read(context, Path::new("/etc/sysctl.conf"), &mut steps);
    }
    // What a directory holds may come last.
    steps.extend(found.gaps.into_iter().map(Step::Unread));
    steps
}

/// ufw sets a file of its own when it starts, after everybody else.
fn ufw(context: &Context<'_>) -> Vec<Step> {
    let setting = |path: &str, key: &str| {
        context.host.read(Path::new(path)).map(|bytes| {
            let text = String::from_utf8_lossy(&bytes);
            ini::parse(&text).filter(|line| line.key == key).last().map(|line| line.value.to_owned())
        })
    };
    let mut steps = Vec::new();
    match setting("/etc/ufw/ufw.conf", "ENABLED") {
        Fact::Known(Some(enabled), _) if enabled.eq_ignore_ascii_case("yes") => match setting("/etc/default/ufw", "IPT_SYSCTL") {
            Fact::Known(Some(path), _) if path.starts_with('/') => read(context, Path::new(&path), &mut steps),
            Fact::Known(..) | Fact::Absent(_) => {}
            Fact::Unknown(gap) => steps.push(Step::Unread(gap)),
        },
        Fact::Known(..) | Fact::Absent(_) => {}
        Fact::Unknown(gap) => steps.push(Step::Unread(gap)),
    }
    // To procps a dash without an assignment means nothing.
    steps.retain(|step| !matches!(step, Step::Line { assignment: Assignment { value: None, .. }, .. }));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::{FileKind, memory::Memory};

    fn resolve(host: &Memory, key: &str) -> (Fact<Setting>, Fact<List>) {
        Configuration::of(&Context::new(host)).resolve(key)
    }

    fn winner(host: &Memory, key: &str) -> Option<(String, Origin)> {
        match resolve(host, key).0 {
            Fact::Known(value, origin) => Some((value.0.raw().to_owned(), origin)),
            _ => None,
        }
    }

    fn at(value: &str, path: &str, line: u32) -> Option<(String, Origin)> {
        Some((value.to_owned(), Origin::line(path, line)))
    }

    fn booted() -> Memory {
        Memory::new().node("/run/systemd/system", FileKind::Directory, 0o755)
    }

    #[test]
    fn names_order_files_and_directories_mask_names() {
        let host = booted()
            .file("/etc/sysctl.d/10-a.conf", "kernel.x = 1\n")
            .file("/usr/lib/sysctl.d/50-b.conf", "# c\nkernel.x = 2\n")
            .file("/usr/lib/sysctl.d/99-masked.conf", "kernel.x = 3\n")
            .symlink("/etc/sysctl.d/99-masked.conf", "/dev/null")
            .file("/usr/lib/sysctl.d/60-emptied.conf", "kernel.x = 4\n")
            .file("/run/sysctl.d/60-emptied.conf", "");
        assert_eq!(winner(&host, "kernel/x"), at("2", "/usr/lib/sysctl.d/50-b.conf", 2), "the later name wins, not the better directory");
        let lines = resolve(&host, "kernel/x").1;
        let lines: Vec<_> = lines.known().unwrap().iter().map(Text::raw).collect();
        assert_eq!(lines, ["/etc/sysctl.d/10-a.conf:1 1", "/usr/lib/sysctl.d/50-b.conf:2 2"]);
    }

    #[test]
    fn sysctl_conf_counts_only_where_linked() {
        let host = booted().file("/etc/sysctl.conf", "kernel.x = 1\n");
        assert_eq!(winner(&host, "kernel/x"), None);
        let linked = host.symlink("/etc/sysctl.d/99-sysctl.conf", "../sysctl.conf");
        assert_eq!(winner(&linked, "kernel/x"), at("1", "/etc/sysctl.d/99-sysctl.conf", 1));
        let procps = Memory::new()
            .file("/proc/1/comm", "init\n")
            .file("/etc/sysctl.conf", "kernel.x = 1\n")
            .file("/etc/sysctl.d/zz.conf", "kernel.x=2");
        assert_eq!(winner(&procps, "kernel/x"), at("1", "/etc/sysctl.conf", 1));
    }

    #[test]
    fn globs_yield_to_whoever_is_named() {
        let host = booted()
            .file("/usr/lib/sysctl.d/50-default.conf", "net.ipv4.conf.*.rp_filter = 2\n-net.ipv4.conf.all.rp_filter\n")
            .file("/etc/sysctl.d/10-first.conf", "net/ipv4/conf/eth0.1/rp_filter = 1\n");
        assert_eq!(winner(&host, "net/ipv4/conf/default/rp_filter"), at("2", "/usr/lib/sysctl.d/50-default.conf", 1));
        assert_eq!(
            winner(&host, "net/ipv4/conf/eth0.1/rp_filter"),
            at("1", "/etc/sysctl.d/10-first.conf", 1),
            "though the glob comes later"
        );
        let (all, lines) = resolve(&host, "net/ipv4/conf/all/rp_filter");
        assert_eq!(all, Fact::Absent(Origin::line("/usr/lib/sysctl.d/50-default.conf", 2)));
        assert_eq!(lines.known().map(Vec::len), Some(0));
    }

    #[test]
    fn a_repeated_glob_keeps_its_place() {
        let host = booted().file("/etc/sysctl.d/a.conf", "a.* = 1\na.b* = 2\na.* = 1\n");
        assert_eq!(winner(&host, "a/bc"), at("2", "/etc/sysctl.d/a.conf", 2));
        let host = booted().file("/etc/sysctl.d/a.conf", "a.* = 1\na.b* = 2\na.* = 3\n");
        assert_eq!(winner(&host, "a/bc"), at("3", "/etc/sysctl.d/a.conf", 3));
        let host = booted().file("/etc/sysctl.d/a.conf", "a.* = 1\na.b* = 2\n-a.b*\n");
        assert_eq!(winner(&host, "a/bc"), at("1", "/etc/sysctl.d/a.conf", 1));
    }

    #[test]
    fn ufw_comes_after_everybody() {
        let host = booted()
            .file("/etc/sysctl.d/99-z.conf", "net.ipv4.ip_forward = 1\n")
            .file("/etc/ufw/sysctl.conf", "#\nnet/ipv4/ip_forward=0\n")
            .file("/etc/default/ufw", "IPT_SYSCTL=/etc/ufw/sysctl.conf\n");
        assert_eq!(winner(&host, "net/ipv4/ip_forward"), at("1", "/etc/sysctl.d/99-z.conf", 1));
        let enabled = host.file("/etc/ufw/ufw.conf", "ENABLED=yes\n");
        assert_eq!(winner(&enabled, "net/ipv4/ip_forward"), at("0", "/etc/ufw/sysctl.conf", 2));
    }

    #[test]
    fn what_could_not_be_read_may_have_won() {
        let host = booted()
            .file("/etc/sysctl.d/50-a.conf", "kernel.x = 1\n")
            .file("/etc/sysctl.d/60-secret.conf", "")
            .file("/etc/sysctl.d/70-b.conf", "kernel.y = 1\n")
            .gap("/etc/sysctl.d/60-secret.conf", Reason::Denied);
        assert!(matches!(resolve(&host, "kernel/x").0, Fact::Unknown(Gap { reason: Reason::Denied, .. })));
        assert_eq!(winner(&host, "kernel/y"), at("1", "/etc/sysctl.d/70-b.conf", 1));
        assert!(matches!(resolve(&host, "kernel/y").1, Fact::Unknown(_)));
        assert!(matches!(resolve(&host.gap("/etc/sysctl.d", Reason::Denied), "kernel/y").0, Fact::Unknown(_)));
    }
}
