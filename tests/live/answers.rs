//! Engines that answer badly, or say what should hurt. Every audit must end, in time, with a report that claims nothing
//! it has not seen.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fake::{Fake, How, World};
use crate::host::Host;
use crate::needs;
use crate::report::{PLIMSOLL, Report};
use crate::verdicts::MAC;

/// A host on whose usual socket a test answers.
struct Stage {
    host: Host,
}

impl Stage {
    fn new() -> Self {
        let host = Host::start();
        host.sh(&format!("ln -s {}/docker.sock /run/docker.sock", host.dir().display()));
        Self { host }
    }

    /// Has an engine answer while something is done.
    fn with<T>(&self, how: How, world: World, act: impl FnOnce(&Fake) -> T) -> T {
        let socket = self.host.dir().join("docker.sock");
        let _ = fs::remove_file(&socket);
        act(&Fake::at(&socket, how, world))
    }

    fn audit(&self, how: How, arguments: &[&str]) -> Report {
        self.with(how, World::of(3, 2), |_| Report::in_host(&self.host, &[&["--profile", "cis-docker-1.8"], arguments].concat()))
    }
}

/// Observations of a report that rest on what an engine answered to a question like this.
fn seen<'a>(report: &'a Report, endpoint: &'a str) -> impl Iterator<Item = String> + 'a {
    let findings = report.json["findings"].as_array().unwrap().iter();
    findings.flat_map(move |finding| {
        let of = finding["observations"].as_array().unwrap().iter().filter(move |observation| {
            let origin = &observation["observed"]["known"][1];
            origin["from"] == "engine" && origin["endpoint"].as_str().is_some_and(|asked| asked.contains(endpoint))
        });
        of.map(move |observation| format!("{}: {observation}", finding["check"]))
    })
}

/// What is wrong with a report made of nothing an engine said.
fn claims(what: &str, report: &Report) -> Vec<String> {
    let mut wrong: Vec<String> = seen(report, "").map(|claim| format!("{what}: seen, though nothing was: {claim}")).collect();
    let about_answers = |check: &str| ["container-", "image-"].iter().any(|group| check.starts_with(group));
    for (check, result) in report.results().into_iter().filter(|(check, _)| about_answers(check)) {
        // Without AppArmor or SELinux in the kernel there is nothing to confine with, whatever runs.
        let of_the_kernel = MAC.contains(&check.as_str()) && result == "not_applicable";
        if result != "unknown" && !of_the_kernel {
            wrong.push(format!("{what}: {check} is {result}: {}", report.finding(&check)));
        }
    }
    if ![0, 4].contains(&report.code) || report.json["partial"] == true {
        wrong.push(format!("{what}: ended with {}: {}", report.code, report.said));
    }
    wrong
}

#[test]
fn what_an_engine_does_not_say_is_unknown() {
    needs!("what_an_engine_does_not_say_is_unknown", "nsenter", "unshare");
    let stage = Stage::new();
    let mut wrong = Vec::new();
    for how in [
        How::HalfOf,
        How::LessThanPromised,
        How::MoreThanPromised,
        How::HalfAChunk,
        How::Closing,
        How::Endlessly,
        How::EndlessHeaders,
        How::Status("101 UPGRADED"),
        How::Status("301 Moved Permanently"),
        How::Status("403 Forbidden"),
        How::Status("404 Not Found"),
        How::Status("500 Internal Server Error"),
        How::NotHttp,
        How::BrokenJson,
        How::OtherJson,
        How::DeepJson,
    ] {
        let report = stage.audit(how, &["--deadline", "60s"]);
        wrong.extend(claims(&format!("{how:?}"), &report));
        assert!(report.took < Duration::from_secs(30), "{how:?} took {:?}", report.took);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_engine_that_keeps_us_waiting_is_left_at_the_deadline() {
    needs!("an_engine_that_keeps_us_waiting_is_left_at_the_deadline", "nsenter", "unshare");
    let stage = Stage::new();
    for how in [How::Silent, How::Slowly] {
        let report = stage.audit(how, &["--deadline", "3s"]);
        assert!(report.took < Duration::from_secs(5), "{how:?} took {:?}", report.took);
        assert_eq!((report.code, &report.json["partial"]), (5, &Value::Bool(true)), "{how:?}: {}", report.said);
        assert_eq!(report.result("container-not-privileged"), "unknown", "{how:?}");
        assert_eq!(seen(&report, "").next(), None, "{how:?}");
    }
    // Silence is not waited out to the end of a long deadline.
    let report = stage.audit(How::Silent, &["--only", "container-not-privileged"]);
    assert!(report.took < Duration::from_secs(40), "{:?}", report.took);
    assert_eq!((report.code, report.result("container-not-privileged").as_str()), (0, "unknown"), "{}", report.said);
}

#[test]
fn chunks_change_nothing() {
    needs!("chunks_change_nothing", "nsenter", "unshare");
    let stage = Stage::new();
    let (plain, chunked) = (stage.audit(How::Well, &[]), stage.audit(How::InChunks, &[]));
    assert_eq!(plain.results(), chunked.results());
    assert_eq!(plain.failing(), chunked.failing());
    assert_eq!(plain.result("container-memory-limited"), "fail");
}

#[test]
fn what_is_listed_and_cannot_be_asked_for_is_unknown() {
    needs!("what_is_listed_and_cannot_be_asked_for_is_unknown", "nsenter", "unshare");
    let stage = Stage::new();
    let mut wrong = Vec::new();
    for how in [How::FailingWhenAsked, How::GoneWhenAsked, How::OddIds] {
        let mut world = World::of(3, 2);
        world.containers[0]["State"]["Status"] = "running".into();
        let report = stage.with(how, world, |_| Report::in_host(&stage.host, &[]));
        for check in [
            "container-processes-as-declared",
            "container-not-privileged",
            "container-memory-limited",
            "container-no-engine-socket",
            "image-user-not-root",
        ] {
            if report.results().get(check).is_none_or(|result| result != "unknown") {
                wrong.push(format!("{how:?}: {check} should be unknown: {:?}", report.results().get(check)));
            }
        }
        wrong.extend(seen(&report, "000000").map(|claim| format!("{how:?}: seen, though it was not: {claim}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_do_not_reach_the_terminal_as_commands() {
    needs!("names_do_not_reach_the_terminal_as_commands", "nsenter", "unshare");
    let stage = Stage::new();
    let long = "x".repeat(10_000);
    let names = [
        "\u{1b}[2J\u{1b}]0;title\u{7}",
        "\u{9b}31m\u{90}q\u{9c}",
        "a\r\nPASS everything\n\n",
        "\u{202e}abc\u{2066}",
        "zero\u{200b}width\u{feff}",
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "=cmd|' /C calc'!A0",
        "\u{8}\u{8}\u{7f}",
        &long,
    ];
    let mut world = World::of(names.len(), 1);
    names.iter().enumerate().for_each(|(number, name)| world.name(number, name));
    let seen = stage.with(How::Well, world.clone(), |_| Report::in_host(&stage.host, &["--profile", "cis-docker-1.8"]));
    assert_eq!(seen.failing()["container-memory-limited"].len(), names.len(), "they are all in the report");
    let state = tempfile::tempdir().unwrap();
    for arguments in [&["--colour", "never", "--verbose"][..], &["--colour", "always"], &["--format", "csv"], &["--format", "json"]] {
        let audit = |_: &Fake| stage.host.command(PLIMSOLL).arg("audit").arg("--state").arg(state.path()).args(arguments).output().unwrap();
        let output = stage.with(How::Well, world.clone(), audit);
        for stream in [&output.stdout, &output.stderr] {
            let text = std::str::from_utf8(stream).unwrap();
            let odd: BTreeSet<char> = without_colours(text).chars().filter(|character| !harmless(*character)).collect();
            // JSON says what it is, with escapes for what could be an act.
            let odd: Vec<char> = odd.into_iter().filter(|odd| !arguments.contains(&"json") || odd.is_control()).collect();
            assert!(odd.is_empty(), "{arguments:?}: {odd:?}");
            assert!(
                arguments.contains(&"csv") || text.lines().all(|line| line.len() < 9_000) || arguments.contains(&"json"),
                "{arguments:?}"
            );
        }
        assert!(arguments.contains(&"always") || !output.stdout.contains(&0x1b), "{arguments:?}");
    }
}

/// The text without what sets colours, which is no command to worry about.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.trim_start_matches(|character: char| character.is_ascii_digit() || character == ';');
        text + rest.strip_prefix('m').unwrap_or("\u{1b}")
    })
}

/// Whether a character neither acts on a terminal nor changes how others look.
fn harmless(character: char) -> bool {
    character == '\n'
        || !(character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'))
}

#[test]
fn an_engine_named_on_the_command_line_is_asked() {
    needs!("an_engine_named_on_the_command_line_is_asked", "nsenter", "unshare");
    let host = Host::start();
    let socket = host.dir().join("proxy.sock");
    let _fake = Fake::at(&socket, How::Well, World::of(3, 0));
    let report = Report::in_host(&host, &["--profile", "cis-docker-1.8", "--engine-socket", socket.to_str().unwrap()]);
    assert_eq!(report.failing()["container-memory-limited"].len(), 3);
    assert_eq!(report.result("docker-log-level-info"), "unknown", "what it was told is not known");
    // Without being named it is not asked.
    assert_eq!(Report::in_host(&host, &["--profile", "cis-docker-1.8"]).failing()["container-memory-limited"].len(), 0);
}

#[test]
fn each_thing_is_asked_for_once() {
    needs!("each_thing_is_asked_for_once", "nsenter", "unshare");
    let stage = Stage::new();
    let mut constants = BTreeSet::new();
    for (containers, images) in [(0, 0), (3, 2), (40, 5)] {
        let asked = stage.with(How::Well, World::of(containers, images), |fake| {
            let report = Report::in_host(&stage.host, &["--profile", "cis-docker-1.8"]);
            assert_eq!(report.json["scope"]["containers"], containers, "{}", report.said);
            fake.asked()
        });
        let different: BTreeSet<&String> = asked.iter().collect();
        assert_eq!(different.len(), asked.len(), "asked more than once: {asked:?}");
        constants.insert(asked.len() - containers - images);
    }
    assert_eq!(constants.len(), 1, "one question for each container and image, and a fixed number of others: {constants:?}");
}

#[test]
fn a_socket_that_refuses_us_leaves_all_behind_it_unknown() {
    needs!("a_socket_that_refuses_us_leaves_all_behind_it_unknown", "nsenter", "unshare", "setpriv");
    let stage = Stage::new();
    let program = stage.host.dir().join("plimsoll");
    fs::copy(PLIMSOLL, &program).unwrap();
    let report = stage.with(How::Well, World::of(3, 2), |_| {
        fs::set_permissions(stage.host.dir().join("docker.sock"), fs::Permissions::from_mode(0o600)).unwrap();
        let mut command: Command = stage.host.command("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]).arg(&program).arg("audit");
        let began = Instant::now();
        let output = command.args(["--format", "json"]).env_remove("HOME").output().unwrap();
        Report::read(&output, began.elapsed()).unwrap()
    });
    let wrong = claims("a refusal", &report);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
