use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::*;
use crate::audit::{
    ControlOutcome, ControlResult, EngineSummary, Finding, Note, NoteKind, Observation, Outcome, Override, ProfileOutcome, Reference,
    Scope, Score, Source, Subjects, Tenths, Tool, Waived,
};
use crate::definition::{Place, Severity};
use crate::fact::{Fact, Gap, Mode, Origin, Reason, Text, Truth, Value, is_unsafe};
use crate::host::Identity;
use crate::host::sandbox::Sandbox;

fn place(line: u32) -> Place {
    Place { file: "benchmarks/docker/files.toml".into(), line, column: 1 }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_500_000, 0).unwrap()
}

fn finding(check: &str, title: &str, severity: Severity, result: Outcome, subjects: (u64, u64)) -> Finding {
    Finding {
        check: check.into(),
        benchmark: "docker/files".into(),
        title: title.into(),
        severity,
        result,
        subjects: Subjects { ok: subjects.0, of: subjects.1 },
        reason: None,
        why: format!("Why {check} matters, in a sentence that is long enough to be wrapped at the end of a line."),
        fix: "Change it back.".into(),
        disturbs: "Nothing.".into(),
        see: Vec::new(),
        place: place(18),
        references: vec![Reference { profile: "cis-docker-1.8".into(), control: "2.10".into(), level: 1 }],
        observations: Vec::new(),
        omitted: 0,
        fingerprint: None,
        waivers: Vec::new(),
        attestation: None,
    }
}

fn observation(resource: &str, subject: &str, field: &str, observed: Fact<Value>, expected: &str, truth: Truth) -> Observation {
    Observation {
        resource: resource.into(),
        subject: Some(subject.into()),
        field: Some(field.into()),
        observed,
        expected: expected.into(),
        truth,
        alternative: None,
        place: place(25),
    }
}

/// The published fifteen checks.
fn sample() -> Run {
    use Outcome::{Fail, Manual, NotApplicable, Pass, Unknown, Waived as Accepted};
    use Severity::{Critical, High, Low, Medium};
    let socket = Origin::engine("/run/docker.sock", "/containers/json?all=1");
    let flag = |value| Fact::Known(Value::Flag(value), socket.clone());
    let mut findings = vec![
        finding("audit-rule-daemon", "Use of the daemon is audited", Medium, Unknown, (0, 1)),
        finding("container-memory-limited", "Every running container has a memory limit", Medium, Fail, (7, 12)),
        finding("container-not-privileged", "No running container is privileged", Critical, Fail, (11, 12)),
        finding("container-pids-limited", "Every running container has a process limit", Medium, Pass, (12, 12)),
        finding("container-root-read-only", "Root file systems are read-only", Low, Fail, (3, 12)),
        finding("docker-group-approved", "Only approved people are in the docker group", High, Pass, (1, 1)),
        finding("docker-icc-disabled", "Containers cannot talk on the default bridge", Medium, Fail, (0, 1)),
        finding("docker-live-restore", "Containers survive a restart of the daemon", Low, Pass, (1, 1)),
        finding("docker-log-size-limited", "Logs cannot fill the disk", Medium, Pass, (1, 1)),
        finding("docker-supported", "The engine's branch is maintained", High, Pass, (1, 1)),
        finding("docker-tcp-authenticated", "The API asks for client certificates", Critical, Pass, (1, 1)),
        finding("docker-userns-or-rootless", "Root inside is not root outside", High, Accepted, (0, 1)),
        finding("image-scanning-process", "Images are scanned", Medium, Manual, (0, 0)),
        finding("swarm-autolocked", "Swarm keys are locked", High, NotApplicable, (0, 0)),
        finding("swarm-managers-few", "There are few managers", Medium, NotApplicable, (0, 0)),
    ];
    let mut edit = |check: &str, change: &dyn Fn(&mut Finding)| change(findings.iter_mut().find(|one| one.check == check).unwrap());
    edit("audit-rule-daemon", &|one| {
        let gap = Gap::new(Origin::kernel("audit rules"), Reason::Denied);
        one.reason = Some(gap.to_string());
        one.observations = vec![Observation {
            subject: None,
            field: None,
            ..observation("audit_rule", "", "", Fact::Unknown(gap), "at least one audit_rule with path /usr/bin/dockerd", Truth::Unknown)
        }];
    });
    edit("container-memory-limited", &|one| {
        let absent = || Fact::Absent(socket.clone());
        let names = ["api", "batch", "cache", "db", "worker\u{1b}[2J", "x", "y"];
        one.observations = names
            .iter()
            .take(6)
            .map(|name| observation("container", name, "memory_limit_bytes", absent(), "present", Truth::False))
            .chain([observation(
                "container",
                "good",
                "memory_limit_bytes",
                Fact::Known(Value::Integer(1), socket.clone()),
                "present",
                Truth::True,
            )])
            .collect();
    });
    edit("container-not-privileged", &|one| {
        one.observations = vec![observation("container", "node-exporter", "privileged", flag(true), "false", Truth::False)];
    });
    edit("container-root-read-only", &|one| {
        one.observations = vec![
            Observation { alternative: Some(1), ..observation("container", "api", "read_only_root", flag(false), "true", Truth::False) },
            Observation { alternative: Some(2), ..observation("container", "api", "pause", flag(false), "true", Truth::False) },
        ];
    });
    edit("docker-icc-disabled", &|one| {
        let observed = Fact::Known(Value::Setting("true".into()), Origin::line("/etc/docker/daemon.json", 3));
        one.observations = vec![observation("docker_daemon", "icc", "value", observed, "false", Truth::False)];
    });
    edit("docker-userns-or-rootless", &|one| {
        let observed = Fact::Known(Value::Mode(Mode::from_bits(0o666)), Origin::stat("/run/docker.sock"));
        one.observations = vec![observation("file", "/run/docker.sock", "mode", observed, "no more than 0660", Truth::False)];
        one.waivers = vec![Waived {
            subject: None,
            reason: "legacy volumes, SEC-142".into(),
            owner: "platform".into(),
            approved_by: Some("security office".into()),
            expires: now() + TimeDelta::days(90),
            fingerprint: "0123456789abcdef".into(),
            pinned: false,
            place: place(3),
        }];
    });
    edit("image-scanning-process", &|one| one.reason = Some("Is every image scanned before it runs?".into()));
    edit("swarm-autolocked", &|one| one.reason = Some("there is no swarm".into()));
    let control = |id: &str, result, check: &str| ControlOutcome {
        id: id.into(),
        title: "A control".into(),
        level: 1,
        result,
        checks: vec![check.into()],
        says: None,
        note: None,
        attestation: None,
    };
    Run {
        format: 1,
        id: "20261124T060000Z-0123456789abcdef".into(),
        tool: Tool { name: "plimsoll".into(), version: "0.1.0".into() },
        content_digest: "ab".repeat(32),
        sandbox: Some(Sandbox::off()),
        host: Identity {
            name: "web-1".into(),
            os: "Debian GNU/Linux 12 (bookworm)".into(),
            kernel: "6.1.0-25-amd64".into(),
            source: "live".into(),
            ..Identity::default()
        },
        engines: vec![EngineSummary { name: "docker".into(), kind: "docker".into(), version: Some("28.0.4".into()) }],
        started: now(),
        finished: now() + TimeDelta::milliseconds(2300),
        deadline_seconds: Some(600),
        partial: false,
        level: Some(1),
        role: crate::definition::Role::Server,
        profiles: vec![ProfileOutcome {
            id: "cis-docker-1.8".into(),
            title: "CIS Docker Benchmark 1.8.0".into(),
            version: Some("1.8.0".into()),
            line: Some(80),
            met: 1,
            assessed: 2,
            covered: 2,
            controls: vec![
                control("2.1", ControlResult::Pass, "docker-live-restore"),
                control("2.10", ControlResult::Fail, "docker-icc-disabled"),
            ],
        }],
        overrides: vec![Override {
            param: "ssh_max_auth_tries".into(),
            benchmark: "ssh/sshd".into(),
            default: Some(vec!["4".into()]),
            value: vec!["3".into()],
            source: Source::Site,
            place: Some(Place { file: "/etc/plimsoll/site.toml".into(), line: 6, column: 1 }),
        }],
        score: Score::of(&findings, "cd".repeat(32)),
        scope: Scope { assessed: 12, manual: 1, not_applicable: 2, skipped: 0, containers: Some(12), images: Some(31), engines: Some(1) },
        findings,
        notes: vec![Note { kind: NoteKind::Idle, text: "the waiver of x is not needed: pass".into(), place: Some(place(9)) }],
        manifest: Default::default(),
    }
}

fn shown(style: Style) -> String {
    String::from_utf8(Format::Terminal.render(&sample(), style)).unwrap()
}

#[test]
fn terminal() {
    insta::assert_snapshot!("terminal", shown(Style::default()));
}

#[test]
fn terminal_narrow_and_verbose() {
    insta::assert_snapshot!("terminal_narrow_verbose", shown(Style { width: 60, verbose: true, colour: false }));
}

#[test]
fn score_explained() {
    insta::assert_snapshot!("explain_score", explain_score(&sample()));
}

#[test]
fn worksheet() {
    insta::assert_snapshot!("csv", String::from_utf8(Format::Csv.render(&sample(), Style::default())).unwrap());
}

#[test]
fn colour_is_only_paint() {
    let painted = shown(Style { colour: true, ..Style::default() });
    let mut plain = String::new();
    let mut rest = painted.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(plain, shown(Style::default()));
}

#[test]
fn lines_fit_the_width() {
    for width in [60, 80, 100, 200] {
        for line in shown(Style { width, ..Style::default() }).lines() {
            let longest = line.split(' ').map(|word| word.chars().count()).max().unwrap_or_default();
            assert!(line.chars().count() <= width || longest + width / 2 > width, "{width}: {line}");
        }
    }
}

#[test]
fn a_run_satisfies_its_schema() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let validator = jsonschema::validator_for(&schema).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&Format::Json.render(&sample(), Style::default())).unwrap();
    let errors: Vec<_> = validator.iter_errors(&json).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let mut wrong = json;
    wrong["score"]["score"] = 101.into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn json_comes_back_as_it_was() {
    let run = sample();
    let json = Format::Json.render(&run, Style::default());
    let back: Run = serde_json::from_slice(&json).unwrap();
    assert_eq!(back, run);
    assert_eq!(Format::Json.render(&back, Style::default()), json);
}

/// What the published one-liner computes: `awk -F,` over the first columns.
fn by_hand(csv: &str) -> Option<Tenths> {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        *sums.entry(cells[3]).or_default() += cells[2].parse::<u64>().unwrap();
    }
    let of = |result: &str| sums.get(result).copied().unwrap_or_default();
    Tenths::of(of("pass"), of("pass") + of("fail") + of("waived") + of("unknown"))
}

#[test]
fn the_score_is_the_same_everywhere() {
    let run = sample();
    let csv = String::from_utf8(Format::Csv.render(&run, Style::default())).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&Format::Json.render(&run, Style::default())).unwrap();
    assert!(csv.starts_with("check,severity,weight,result,k,n,"));
    assert_eq!(by_hand(&csv).unwrap().to_string(), "51.9");
    assert_eq!(json["score"]["score"].to_string(), "51.9");
    let text = shown(Style::default());
    assert!(text.contains("score 51.9   coverage 89.0, range 49.0 to 60.0, with accepted risk 57.4, band D, 1 critical open"), "{text}");
    assert!(text.contains("scope: 12 checks assessed, 2 not applicable, 1 manual, 0 skipped; 12 containers, 31 images, 1 engine"));
}

#[test]
fn formulas_are_defused() {
    let mut run = sample();
    run.findings[0].title = "=HYPERLINK(\"http://x\")".into();
    run.findings[1].reason = Some(" @SUM(1)\n".into());
    let csv = Format::Csv.render(&run, Style::default());
    let mut reader = ::csv::Reader::from_reader(csv.as_slice());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows[0].get(6), Some("'=HYPERLINK(\"http://x\")"));
    assert_eq!(rows[1].get(9), Some(r"' @SUM(1)\n"));
}

#[test]
fn nothing_assessable_is_said_so() {
    let mut run = sample();
    run.findings.clear();
    run.score = Score::of(&[], String::new());
    let text = String::from_utf8(Format::Terminal.render(&run, Style::default())).unwrap();
    assert!(text.contains("no score (nothing assessable)"), "{text}");
}

/// The sample with text of somebody's choosing wherever text of the host or of a file can stand.
fn hostile(text: &str) -> Run {
    let mut run = sample();
    let host = || Text::from(text);
    run.host = Identity { name: host(), os: host(), kernel: host(), source: host(), ..Identity::default() };
    run.engines[0] = EngineSummary { name: host(), kind: host(), version: Some(host()) };
    for note in &mut run.notes {
        note.text = text.into();
    }
    for (at, finding) in run.findings.iter_mut().enumerate() {
        (finding.title, finding.why, finding.fix) = (text.into(), text.into(), text.into());
        finding.reason = Some(text.into());
        let origin = Origin::file(host());
        let observed = match at % 3 {
            0 => Fact::Known(Value::List(vec![host(), host()]), origin),
            1 => Fact::Absent(origin),
            _ => Fact::Unknown(Gap::new(origin, Reason::malformed(host()))),
        };
        let truth = if at % 2 == 0 { Truth::False } else { Truth::Unknown };
        finding.observations = vec![observation(text, text, text, observed, text, truth)];
        for waiver in &mut finding.waivers {
            (waiver.reason, waiver.owner, waiver.fingerprint) = (text.into(), text.into(), text.into());
        }
    }
    run.sandbox.as_mut().unwrap().shortfalls = vec![text.into()];
    run
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_report_ever_holds_a_raw_control_character(text in "(\\PC|[\u{0}-\u{1f}\u{7f}-\u{9f}\u{202a}-\u{202e}\u{2066}-\u{2069}\u{e0001}]){0,12}", verbose: bool) {
        let run = hostile(&text);
        for (_, format) in Format::ALL {
            let out = String::from_utf8(format.render(&run, Style { verbose, ..Style::default() })).unwrap();
            let raw = out.chars().find(|c| is_unsafe(*c) && *c != '\n');
            prop_assert_eq!(raw, None, "{:?}", format);
        }
        let json = Format::Json.render(&run, Style::default());
        prop_assert_eq!(serde_json::from_slice::<Run>(&json).unwrap(), run.clone());
        let csv = String::from_utf8(Format::Csv.render(&run, Style::default())).unwrap();
        prop_assert_eq!(by_hand(&csv), run.score.score);
    }
}

#[test]
fn many_unknowns_of_one_cause_are_told_together_and_each_is_named() {
    let mut run = sample();
    let unknown = Finding {
        result: Outcome::Unknown,
        reason: Some("permission denied (/run/docker.sock GET /info)".into()),
        ..run.findings[0].clone()
    };
    run.findings = (0..5).map(|number| Finding { check: format!("check-{number}"), ..unknown.clone() }).collect();
    run.findings[4].reason = Some("permission denied (/run/docker.sock GET /info), and for 2 more reasons".into());
    let text = String::from_utf8(Format::Terminal.render(&run, Style::default())).unwrap();
    assert_eq!(text.matches("UNKNOWN").count(), 1, "{text}");
    assert!(text.contains("5 checks   could not be decided"), "{text}");
    assert!((0..5).all(|number| text.contains(&format!("check-{number}"))), "{text}");
    let verbose = String::from_utf8(Format::Terminal.render(&run, Style { verbose: true, ..Style::default() })).unwrap();
    assert_eq!(verbose.matches("UNKNOWN").count(), 5, "{verbose}");
}
