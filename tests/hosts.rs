//! What every bundled profile says of every host in `tests/hosts`, frozen: a check that starts to fire on somebody's host, or
//! stops, shows in the diff of a snapshot. And what must hold of any host: one that shows less is never better off.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests read the test hosts, and fail by panicking"
)]
#![expect(clippy::print_stderr, reason = "a person who looks at a failure is told about it")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use common::{Copied, HOSTS, folder};
use plimsoll::audit::{self, Finding, Outcome, Request, Run, Tenths};
use plimsoll::definition::{Definitions, Source};
use plimsoll::fact::{Fact, Shown, Text};
use plimsoll::host::engine::Route;
use plimsoll::host::root::Root;
use plimsoll::host::{Entry, Host, Identity, InFlight, ProcessLinks, Stat};
use plimsoll::report::{Format, Style};

static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| match Definitions::load(Source::embedded()) {
    Ok(definitions) => definitions,
    Err(problems) => panic!("{}", problems.iter().map(|problem| format!("{problem}\n")).collect::<String>()),
});

fn open(root: &Path) -> Root {
    Root::open(root, DateTime::UNIX_EPOCH).unwrap_or_else(|error| panic!("{error}"))
}

/// The profiles for distributions, and which one each means.
const DISTRIBUTIONS: [(&str, &str); 4] =
    [("cis-debian-12", "ID=debian\n"), ("cis-rhel-9", "ID=\"rhel\"\n"), ("cis-ubuntu-24.04", "ID=ubuntu\n"), ("linux-baseline", "")];

/// Every bundled profile, whether or not it applies; of those for distributions the one of the host's own. A host that knows no
/// accounts stands for an engine and its surroundings alone, and is asked about no distribution.
fn profiles(host: &impl Host) -> Vec<String> {
    let text = |path: &str| host.read(Path::new(path)).known().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let release = text("/etc/os-release").unwrap_or_default();
    let own = DISTRIBUTIONS.iter().find(|(_, id)| release.contains(id)).filter(|_| text("/etc/login.defs").is_some());
    let fits = |id: &str| DISTRIBUTIONS.iter().all(|(profile, _)| *profile != id) || own.is_some_and(|(own, _)| *own == id);
    DEFINITIONS.profiles.iter().map(|profile| profile.id.clone()).filter(|id| fits(id)).collect()
}

/// Audits a host by every profile that is meant for it.
fn audited(host: impl Host + Send + 'static) -> Run {
    by(host, None)
}

/// Audits a host by profiles of one's choice.
fn by(host: impl Host + Send + 'static, profiles_wanted: Option<&[&str]>) -> Run {
    let profiles = profiles_wanted.map_or_else(|| profiles(&host), |wanted| wanted.iter().map(|id| (*id).to_owned()).collect());
    let options = audit::Options { request: Request { profiles, ..Request::default() }, ..audit::Options::default() };
    audit::audit(Arc::new(host), &DEFINITIONS, &options, &mut |_| ()).unwrap()
}

fn run(name: &str) -> Run {
    audited(open(&folder(name).join("root")))
}

/// The frozen form of a run: nothing that another time, release or wording of a report would change.
fn frozen(run: &Run) -> String {
    let mut text = String::new();
    let engines: Vec<String> = run
        .engines
        .iter()
        .map(|engine| {
            let version = engine.version.as_ref().map_or_else(|| "?".to_owned(), |version| version.shown().to_string());
            format!("{} ({}) {version}", engine.name.shown(), engine.kind.shown())
        })
        .collect();
    let _ = writeln!(text, "engines: {}", if engines.is_empty() { "none".to_owned() } else { engines.join(", ") });
    let number = |tenths: Option<Tenths>| tenths.map_or_else(|| "none".to_owned(), |tenths| tenths.to_string());
    let score = &run.score;
    let sums = &score.sums;
    let _ = writeln!(
        text,
        "score: {}, coverage {}, range {} to {}, band {}",
        number(score.score),
        number(score.coverage),
        number(score.lowest),
        number(score.highest),
        score.band.map_or_else(|| "none".to_owned(), |band| format!("{band:?}")),
    );
    let _ = writeln!(
        text,
        "weights: pass {}, fail {}, waived {}, unknown {}, manual {}",
        sums.pass, sums.fail, sums.waived, sums.unknown, sums.manual
    );
    for note in &run.notes {
        let _ = writeln!(text, "note: {}", Shown::of(&note.text));
    }
    for profile in &run.profiles {
        let _ = writeln!(
            text,
            "\n{}: {} of {} assessed controls met, {} of {} have a check",
            profile.id,
            profile.met,
            profile.assessed,
            profile.covered,
            profile.controls.len()
        );
        // The house profile has a control for each check, of the same name.
        if profile.id == "docker-host" {
            continue;
        }
        let mut by_result: BTreeMap<String, BTreeMap<usize, Vec<&str>>> = BTreeMap::new();
        for (at, control) in profile.controls.iter().enumerate() {
            let chapter = control.id.split('.').next().and_then(|chapter| chapter.parse().ok()).unwrap_or(at);
            by_result.entry(format!("{:?}", control.result)).or_default().entry(chapter).or_default().push(&control.id);
        }
        for (result, chapters) in by_result {
            for ids in chapters.values() {
                let _ = writeln!(text, "  {result}: {}", ids.join(" "));
            }
        }
    }
    let _ = writeln!(text);
    for finding in &run.findings {
        let told = told(finding);
        let _ = writeln!(
            text,
            "{:14} {}/{} {}{}{}",
            finding.result.word(),
            finding.subjects.ok,
            finding.subjects.of,
            finding.check,
            if told.is_empty() { "" } else { ": " },
            told
        );
    }
    text
}

/// The first line of why a finding is what it is.
fn told(finding: &Finding) -> String {
    let reason = finding.reason.as_deref().map(|reason| Shown::of(reason.lines().next().unwrap_or_default()).to_string());
    let text = reason.unwrap_or_else(|| match finding.observations.first() {
        Some(one) if finding.result == Outcome::Fail => {
            let subject = one.subject.as_ref().map(|subject| subject.shown().to_string());
            let field = one.field.as_deref().unwrap_or("the number");
            format!("{} {field}, expected {}", subject.unwrap_or_default(), Shown::of(&one.expected)).trim_start().to_owned()
        }
        _ => String::new(),
    });
    let mut short: String = text.chars().take(180).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// One snapshot for each host, and no host without one.
#[test]
fn what_every_profile_says_of_every_host() {
    let there: Vec<String> =
        std::fs::read_dir(folder("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for name in &there {
        assert!(HOSTS.contains(&name.as_str()), "tests/hosts/{name} is not among HOSTS in tests/common/mod.rs");
    }
    for name in HOSTS {
        insta::with_settings!({ snapshot_suffix => name, omit_expression => true, prepend_module_to_snapshot => true }, {
            insta::assert_snapshot!("host", frozen(&run(name)));
        });
    }
}

/// A host without an engine is not assessed, rather than perfect.
#[test]
fn a_host_without_engines_has_no_score() {
    let run = by(open(&folder("no-docker").join("root")), Some(&["cis-docker-1.8"]));
    assert_eq!(run.score.score, None);
    for finding in &run.findings {
        assert_eq!(finding.result, Outcome::NotApplicable, "{} is judged on a host without engines", finding.check);
    }
}

/// A hardened engine passes whatever nobody has to answer for.
#[test]
fn a_hardened_engine_fails_nothing() {
    for finding in by(open(&folder("hardened").join("root")), Some(&["cis-docker-1.8", "cis-docker-1.6"])).findings {
        assert!(
            matches!(finding.result, Outcome::Pass | Outcome::NotApplicable | Outcome::Manual),
            "{} is {}: {}",
            finding.check,
            finding.result.word(),
            told(&finding)
        );
    }
}

/// A host that is looked at by a given number of threads.
struct Threads(Root, usize);

impl Host for Threads {
    fn parallelism(&self) -> usize {
        self.1
    }
    fn read(&self, path: &Path) -> Fact<Arc<[u8]>> {
        self.0.read(path)
    }
    fn open(&self, path: &Path) -> Fact<Arc<plimsoll::host::Opened>> {
        self.0.open(path)
    }
    fn stat(&self, path: &Path) -> Fact<Stat> {
        self.0.stat(path)
    }
    fn lstat(&self, path: &Path) -> Fact<Stat> {
        self.0.lstat(path)
    }
    fn link(&self, path: &Path) -> Fact<std::path::PathBuf> {
        self.0.link(path)
    }
    fn resolve(&self, path: &Path) -> Fact<std::path::PathBuf> {
        self.0.resolve(path)
    }
    fn list(&self, path: &Path) -> Fact<Arc<[Entry]>> {
        self.0.list(path)
    }
    fn engine(&self, socket: &Path, question: &Route) -> Fact<Arc<[u8]>> {
        self.0.engine(socket, question)
    }
    fn audit_rules(&self) -> Fact<Arc<[u8]>> {
        self.0.audit_rules()
    }
    fn process_links(&self, pid: i32) -> Fact<ProcessLinks> {
        self.0.process_links(pid)
    }
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }
    fn identity(&self) -> Identity {
        self.0.identity()
    }
    fn in_flight(&self) -> Vec<InFlight> {
        self.0.in_flight()
    }
}

/// What is left of a run when times, and the id that is made of them, are taken out.
fn timeless(mut run: Run) -> String {
    run.id.clear();
    run.finished = run.started;
    String::from_utf8(Format::Json.render(&run, Style::default())).unwrap()
}

#[test]
fn the_number_of_threads_does_not_matter() {
    for name in HOSTS {
        let with = |threads| timeless(audited(Threads(open(&folder(name).join("root")), threads)));
        let one = with(1);
        for threads in [2, 7] {
            let many = with(threads);
            let (of_one, of_many): (BTreeSet<&str>, BTreeSet<&str>) = (one.lines().collect(), many.lines().collect());
            let (lost, new): (Vec<_>, Vec<_>) = (of_one.difference(&of_many).collect(), of_many.difference(&of_one).collect());
            assert!(one == many, "{name}: {threads} threads do not say {lost:#?} but {new:#?}");
        }
    }
}

#[test]
fn the_json_of_every_host_fits_its_schema() {
    let schema = jsonschema::validator_for(&plimsoll::report::schema()).unwrap();
    for name in HOSTS {
        let json: serde_json::Value = serde_json::from_slice(&Format::Json.render(&run(name), Style::default())).unwrap();
        let wrong: Vec<String> = schema.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
        let back: Run = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(back).unwrap(), json, "{name}: a run that is read again is another one");
    }
}

/// The sum an auditor does by hand, over the first columns of the worksheet, cut at commas as `awk -F,` does.
fn by_hand(csv: &str) -> Option<u64> {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        *sums.entry(cells[3]).or_default() += cells[2].parse::<u64>().unwrap();
    }
    let of = |result: &str| sums.get(result).copied().unwrap_or_default();
    let whole = of("pass") + of("fail") + of("waived") + of("unknown");
    (whole > 0).then(|| 1000 * of("pass") / whole)
}

#[test]
fn the_worksheet_of_every_host_comes_to_its_score() {
    for name in HOSTS {
        let run = run(name);
        let csv = String::from_utf8(Format::Csv.render(&run, Style::default())).unwrap();
        assert_eq!(by_hand(&csv), run.score.score.map(|score| u64::from(score.tenths())), "{name}");
        assert_eq!(csv.lines().count(), run.findings.len() + 1, "{name}: one line for each check");
    }
}

#[test]
fn reports_for_terminals_fit_and_hold_no_control_characters() {
    for name in HOSTS {
        let run = run(name);
        for (width, verbose) in [(64, false), (80, false), (100, true), (200, true)] {
            let text = String::from_utf8(Format::Terminal.render(&run, Style { colour: false, width, verbose })).unwrap();
            let control = text.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(control, None, "{name}: a control character, at width {width}");
            for line in text.lines() {
                // A word that is wider than the page, such as a path, stays whole so that it can be copied.
                let fits = line.chars().count() <= width || line.trim_start().split(' ').count() == 1;
                assert!(fits, "{name}: a line wider than {width}: {line}");
            }
        }
    }
}

/// Ways in which a host may show less of itself.
#[derive(Clone, Copy)]
enum Hidden {
    /// A path and what is below it.
    Path(&'static str),
    /// Questions to its engines.
    Questions(&'static str),
    /// The audit rules in the kernel.
    AuditRules,
    /// The links of processes.
    Links,
}

const HIDDEN: &[(&str, &[Hidden])] = &[
    ("/etc", &[Hidden::Path("/etc")]),
    ("/etc/docker", &[Hidden::Path("/etc/docker")]),
    ("/etc/group and /etc/passwd", &[Hidden::Path("/etc/group"), Hidden::Path("/etc/passwd")]),
    ("/etc/systemd and /usr/lib/systemd", &[Hidden::Path("/etc/systemd"), Hidden::Path("/usr/lib/systemd")]),
    ("/proc", &[Hidden::Path("/proc")]),
    ("/proc/1", &[Hidden::Path("/proc/1")]),
    ("/proc/600", &[Hidden::Path("/proc/600")]),
    ("/sys", &[Hidden::Path("/sys")]),
    ("/usr", &[Hidden::Path("/usr")]),
    ("/var/lib", &[Hidden::Path("/var/lib")]),
    ("/home", &[Hidden::Path("/home")]),
    ("/root", &[Hidden::Path("/root")]),
    ("/run", &[Hidden::Path("/run")]),
    ("the engine", &[Hidden::Questions("ping version info containers container images image networks network volumes")]),
    ("what the engine is", &[Hidden::Questions("info version")]),
    ("the list of containers", &[Hidden::Questions("containers")]),
    ("single containers", &[Hidden::Questions("container")]),
    ("the list of images", &[Hidden::Questions("images")]),
    ("single images", &[Hidden::Questions("image")]),
    ("networks and volumes", &[Hidden::Questions("networks network volumes")]),
    ("audit rules", &[Hidden::AuditRules]),
    ("links of processes", &[Hidden::Links]),
    (
        "all an ordinary user may not see",
        &[
            Hidden::Path("/var/lib/docker"),
            Hidden::Path("/root"),
            Hidden::Path("/etc/audit"),
            Hidden::AuditRules,
            Hidden::Links,
            Hidden::Questions("ping version info containers container images image networks network volumes"),
        ],
    ),
];

/// The same host, less readable.
fn less_readable(name: &str, hidden: &[Hidden], profiles: &[&str]) -> Run {
    let host = Copied::of(name);
    let mut text = host.text("host.toml");
    for one in hidden {
        match one {
            Hidden::Path(path) => text += &format!("\n[[file]]\npath = \"{path}\"\ngap = \"denied\"\n"),
            Hidden::Questions(questions) => {
                let gaps: Vec<String> = questions.split(' ').map(|question| format!("{question} = \"denied\"")).collect();
                text = text.replace("[[engine]]\n", &format!("[[engine]]\ngap = {{ {} }}\n", gaps.join(", ")));
            }
            Hidden::AuditRules => {
                let (before, after) = text.split_once("[audit_rules]\n").unwrap();
                let after = after.split_once('\n').map_or("", |(_, after)| after);
                text = format!("{before}[audit_rules]\ngap = \"denied\"\n{after}");
            }
            Hidden::Links => {
                let keep = |line: &&str| !line.starts_with("exe = ") && !line.starts_with("namespaces = ");
                let lines: Vec<String> = text
                    .lines()
                    .filter(keep)
                    .map(|line| if line.starts_with("pid = ") { format!("{line}\ngap = \"denied\"") } else { line.to_owned() })
                    .collect();
                text = lines.join("\n") + "\n";
            }
        }
    }
    host.write("host.toml", &text);
    by(open(&host.root()), Some(profiles))
}

/// Losing sight of something makes a verdict unknown, or leaves it. It never makes one better, nor up.
fn loses_nothing_but_certainty(name: &str) {
    let seen = run(name);
    let profiles: Vec<&str> = seen.profiles.iter().map(|profile| profile.id.as_str()).collect();
    let mut wrong = Vec::new();
    // What a host does not have cannot be hidden: a door in front of nothing would tell that something is there.
    let has = |path: &str| {
        let root = folder(name).join("root");
        root.join(path.trim_start_matches('/')).exists() || Copied::of(name).text("host.toml").contains(&format!("\"{path}"))
    };
    let there = |hidden: &&[Hidden]| hidden.iter().any(|one| !matches!(one, Hidden::Path(path) if !has(path)));
    for (what, hidden) in HIDDEN.iter().filter(|(_, hidden)| there(hidden)) {
        let less = less_readable(name, hidden, &profiles);
        for (before, after) in seen.findings.iter().zip(&less.findings) {
            assert_eq!(before.check, after.check);
            if after.result != before.result && after.result != Outcome::Unknown {
                wrong.push(format!(
                    "without {what}, {} goes from {} to {}: {}",
                    before.check,
                    before.result.word(),
                    after.result.word(),
                    told(after)
                ));
            }
        }
        let (before, after) = (&seen.score, &less.score);
        if after.score > before.score && before.score.is_some() {
            wrong.push(format!("without {what}, the score rises from {:?} to {:?}", before.score, after.score));
        }
        if after.lowest > before.lowest && before.lowest.is_some() {
            wrong.push(format!("without {what}, the bottom of the range rises from {:?} to {:?}", before.lowest, after.lowest));
        }
        if after.highest < before.highest {
            wrong.push(format!("without {what}, the top of the range falls from {:?} to {:?}", before.highest, after.highest));
        }
    }
    for line in &wrong {
        eprintln!("{name}: {line}");
    }
    assert!(wrong.is_empty(), "{name}: {} verdicts got better, or up, by seeing less; they stand above", wrong.len());
}

macro_rules! seeing_less {
    ($($test:ident: $host:literal;)+) => {
        /// One test for each host, side by side: each audits its host two dozen times.
        mod seeing_less_is_never_better {
            $(#[test] fn $test() { super::loses_nothing_but_certainty($host); })+

            #[test]
            fn no_host_is_left_out() {
                assert_eq!([$($host),+], super::HOSTS);
            }
        }
    };
}

seeing_less! {
    container_image: "container-image";
    containers: "containers";
    debian_12: "debian-12";
    debian_12_hardened: "debian-12-hardened";
    debian_12_server: "debian-12-server";
    garbage: "garbage";
    hardened: "hardened";
    no_docker: "no-docker";
    rhel_9: "rhel-9";
    rootless: "rootless";
    swarm_manager: "swarm-manager";
    ubuntu_24_04: "ubuntu-24.04";
}

/// Names of hosts and engines are written by whoever is audited: they are shown, never obeyed.
#[test]
fn the_garbage_host_is_still_reported() {
    let run = run("garbage");
    assert!(run.findings.iter().any(|finding| finding.result == Outcome::Unknown));
    let hostile = Text::from("\u{1b}[2J");
    let json = timeless(run);
    assert!(!json.contains(hostile.raw()), "a raw escape sequence in JSON");
}
