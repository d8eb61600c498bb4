//! Definition files as their authors meet them: what loads, and what is said of what does not.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write as _;

use plimsoll::definition::{Basis, Definitions, Problem, Source, benchmark_schema, profile_schema, weaken};
use proptest::prelude::*;

const SAMPLES: &[(&str, &str)] = &[
    ("benchmarks/host/kernel.toml", include_str!("definitions/kernel.toml")),
    ("benchmarks/docker/daemon.toml", include_str!("definitions/docker.toml")),
    ("benchmarks/docker/container.toml", include_str!("definitions/container.toml")),
    ("profiles/sample.toml", include_str!("definitions/profile.toml")),
];
const CASES: &str = include_str!("definitions/docker.test.toml");
const SITE: &str = include_str!("definitions/site.toml");

fn samples() -> Vec<Source> {
    SAMPLES.iter().map(|(path, text)| Source::new(path, *text)).collect()
}

fn told(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

fn loaded(sources: Vec<Source>) -> Definitions {
    Definitions::load(sources).map_err(|problems| told(&problems)).unwrap()
}

#[test]
fn samples_load() {
    let definitions = loaded(samples());
    assert_eq!(definitions.benchmarks.len(), 3);
    let (benchmark, check) = definitions.check("docker-icc-disabled").unwrap();
    assert_eq!(benchmark.id, "docker/daemon");
    assert_eq!(check.applies_when.len(), 1, "the file's condition is the check's too");
    assert_eq!((check.place.line, check.place.column), (27, 1));
    let manual = definitions.check("container-owners-known").unwrap().1;
    assert!(matches!(&manual.basis, Basis::Manual { ask } if ask.starts_with("Ask")));

    let profile = definitions.profile("sample").unwrap();
    assert_eq!(profile.controls[0].title, "Containers on the default bridge cannot talk to each other", "borrowed from the check");
    assert_eq!(profile.controls[1].id, "2.10");

    let site = definitions.site(&Source::new("site.toml", SITE)).unwrap_or_else(|problems| panic!("{}", told(&problems)));
    assert_eq!(site.waivers[0].expires.to_rfc3339(), "2027-03-31T00:00:00+00:00");
    assert_eq!(site.params.len(), 1);
}

#[test]
fn bundled_definitions_load() {
    loaded(Source::embedded());
}

/// The language's own description: its files load without a lint but for their missing cases, and its cases fit them.
#[test]
fn the_readme_tells_the_truth() {
    let readme = include_str!("../benchmarks/README.md");
    let blocks: Vec<&str> = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let (files, cases): (Vec<_>, Vec<_>) = blocks.into_iter().partition(|block| block.starts_with("format = 1"));
    assert_eq!((files.len(), cases.len()), (2, 1));
    let paths = ["benchmarks/host/kernel.toml", "benchmarks/docker/examples.toml"];
    let definitions = loaded(paths.iter().zip(files).map(|(path, text)| Source::new(path, text)).collect());
    assert_eq!(told(&definitions.lints(None)), "");
    let cases = definitions.cases(&Source::new("benchmarks/docker/examples.test.toml", cases[0]));
    assert_eq!(cases.map(|cases| cases.len()).map_err(|problems| told(&problems)), Ok(6));
}

#[test]
fn cases_are_typed_records() {
    let definitions = loaded(samples());
    let source = Source::new("benchmarks/docker/daemon.test.toml", CASES);
    let cases = definitions.cases(&source).unwrap_or_else(|problems| panic!("{}", told(&problems)));
    assert_eq!(cases.len(), 9);
    let check = definitions.check("docker-icc-disabled").unwrap().1;
    let of = |result| cases.iter().filter(move |case| case.check == check.id && case.result == result).collect::<Vec<_>>();
    assert!(of("pass")[0].tested(check).applies_when.is_empty(), "what a case does not mention is taken to hold");
    assert_eq!(of("not_applicable")[0].tested(check).applies_when.len(), 1);
    assert!(of("unknown")[1].facts["docker_daemon"].is_err());
    let records = of("pass")[0].facts["docker_daemon"].as_ref().unwrap();
    assert_eq!(records[0].get("value").unwrap().known().unwrap().to_string(), "false");
    assert!(records[0].get("persistent").unwrap().known().is_none());
}

#[test]
fn checks_are_weakened_claim_by_claim() {
    let definitions = loaded(samples());
    let dropped =
        |id: &str| weaken(definitions.check(id).unwrap().1).into_iter().map(|(dropped, _)| dropped).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(dropped("kernel-aslr-full"));
    insta::assert_snapshot!(dropped("container-root-remapped"));
    insta::assert_snapshot!(dropped("docker-socket-restricted"));
    assert_eq!(dropped("container-owners-known"), "");
}

#[test]
fn samples_satisfy_the_editor_schemas() {
    for (path, text) in SAMPLES {
        let schema = if path.starts_with("profiles") { profile_schema() } else { benchmark_schema() };
        let json = serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<_> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{path}: {errors:?}");
    }
    let wrong = serde_json::json!({"format": 1, "benchmark": "x", "title": "t",
        "check": [{"id": "a-b", "title": "t", "severity": "low", "expect": [{"container": "*", "each": {"priviledged": false}}]}]});
    assert!(!jsonschema::validator_for(&benchmark_schema()).unwrap().is_valid(&wrong));
}

/// What a bad example is a part of.
enum Of {
    File,
    Check,
    Expectation,
    Profile,
    Site,
    Cases,
    Set,
}
use Of::{Cases, Check, Expectation, File, Profile, Set, Site};

const HEAD: &str = "format = 1\nbenchmark = \"host/kernel\"\ntitle = \"T\"\n";

const BAD: &[(Of, &str)] = &[
    (File, "title = 3"),
    (File, "format = 1\nbenchmark = \"x\n"),
    (File, "benchmark = \"x\"\ntitle = \"T\"\n[[check]]"),
    (File, "format = 2\nbenchmark = \"x\"\ntitle = \"T\""),
    (File, "format = 1\nbenchmark = \"a b\"\ntitle = \" \"\ncheck = []"),
    (File, "format = 1\nbenchmark = \"x\"\ntitel = \"T\"\ncheck = 3"),
    (
        File,
        "format = 1\nbenchmark = \"x\"\ntitle = \"a\\u202Eb\"\n[[check]]\nid = \"a-b\"\ntitle = \"T\"\nseverity = \"low\"\nmanual = \"Ask.\"",
    ),
    (Check, ""),
    (Check, "id = \"a b\"\ntitle = \"T\"\nseverity = \"hihg\"\nmanual = \"Ask.\""),
    (Check, "id = \"a-b\"\ntitle = \"T\"\nseverity = \"low\"\nmanual = \"Ask.\"\nexpect = []"),
    (Check, "id = \"a-b\"\ntitle = \"T\"\nseverity = \"low\"\nholds = \"any\"\nmanual = \"Ask.\""),
    (Check, "id = \"a-b\"\ntitle = \"T\"\nseverity = \"low\"\nholds = \"some\"\nexpect = []"),
    (
        Check,
        "id = \"a-b\"\ntitle = \"T\"\nseverity = \"low\"\nmanual = \"Ask.\"\n[[check]]\nid = \"a-b\"\ntitle = \"T\"\nseverity = \"low\"\nmanual = \"Ask.\"",
    ),
    (Check, "id = \"a-b\"\ntitle = \"T\"\nseverity = \"low\"\nmanual = \"Ask.\"\n[check.applies_when]\nfile = \"/x\"\neach.exists = true"),
    (Expectation, ""),
    (Expectation, "sysctll = \"a.b\"\neach.running = 2"),
    (Expectation, "each.running = 2"),
    (Expectation, "sysctl = \"a.b\"\nfile = \"/x\"\neach.running = 2"),
    (Expectation, "sysctl = \"a.b\"\neach.runing = 2"),
    (Expectation, "sysctl = \"a.b\"\nwheer.running = 1\neach.running = 2"),
    (Expectation, "sysctl = \"a.b\""),
    (Expectation, "sysctl = \"a.b\"\neach.running = 2\nnone.running = 1"),
    (Expectation, "sysctl = \"*\"\neach.running = 2"),
    (Expectation, "sysctl = []\neach.running = 2"),
    (Expectation, "sysctl = [\"a.b\", \"a.b\"]\neach.running = 2"),
    (Expectation, "container = [\"a\", \"*\"]\neach.privileged = false"),
    (Expectation, "sysctl = 3\neach.running = 2"),
    (Expectation, "sysctl = \"$name\"\neach.running = 2"),
    (Expectation, "sysctl = { file = \"/x\" }\neach.running = 2"),
    (Expectation, "json = \"/x\"\neach.value = 2"),
    (Expectation, "json = { file = \"/x\" }\neach.value = 2"),
    (Expectation, "json = { file = \"/x\", pointer = \"a~2\", poiner = \"/a\" }\neach.value = 2"),
    (Expectation, "line = { file = \"/x\", matches = \"(\" }\ncount = 0"),
    (Expectation, "sysctl = \"a.b\"\neach = {}"),
    (Expectation, "sysctl = \"a.b\"\neach = []"),
    (Expectation, "sysctl = \"a.b\"\neach = [{ running = 1 }, {}]"),
    (Expectation, "sysctl = \"a.b\"\neach = 2"),
    (Expectation, "sysctl = \"a.b\"\neach.running = []"),
    (Expectation, "sysctl = \"a.b\"\neach.running = {}"),
    (Expectation, "sysctl = \"a.b\"\neach.running = [1, [2, 3]]"),
    (Expectation, "sysctl = \"a.b\"\neach.running = 1.5"),
    (Expectation, "sysctl = \"a.b\"\neach.running = 99999999999999999999"),
    (Expectation, "sysctl = \"a.b\"\neach.running.mn = 1"),
    (Expectation, "sysctl = \"a.b\"\neach.running.min = \"1\""),
    (Expectation, "sysctl = \"a.b\"\neach.running.max = [1, 2]"),
    (Expectation, "sysctl = \"a.b\"\neach.running.max = \"$most\""),
    (Expectation, "sysctl = \"a.b\"\neach.running.not.not.not.not.not.not.not.not.not = 1"),
    (Expectation, "sysctl = \"a.b\"\ncount.min = \"2\""),
    (Expectation, "sysctl = \"a.b\"\neach.\"/x\" = 2"),
    (Expectation, "container = \"*\"\neach.\"/a~\" = 2"),
    (Expectation, "container = \"*\"\neach.privileged = \"false\""),
    (Expectation, "container = \"*\"\neach.privileged.min = false"),
    (Expectation, "container = \"*\"\neach.capabilities = \"SYS_ADMIN\""),
    (Expectation, "container = \"*\"\neach.capabilities.contains = 3"),
    (Expectation, "container = \"*\"\neach.user = 0"),
    (Expectation, "container = \"*\"\neach.user.only = \"a\""),
    (Expectation, "container = \"*\"\neach.user.present = \"yes\""),
    (Expectation, "container = \"*\"\neach.pids_limit.max = \"100\""),
    (Expectation, "file = \"/x\"\neach.mode.max = \"0648\""),
    (Expectation, "file = \"/x\"\neach.mode.max = 640"),
    (Expectation, "file = \"/x\"\neach.owner.max = \"root\""),
    (Expectation, "file = \"/x\"\neach.owner.matches = \"a)(b\""),
    (Expectation, "file = \"/x\"\neach.owner.matches = \"(a{1000}){1000}\""),
    (Expectation, "engine = \"*\"\neach.version.min = \"latest\""),
    (
        File,
        "format = 1\nbenchmark = \"x\"\ntitle = \"T\"\n[param.Most]\ndefault = 1\ndoc = \"D\"\n[param.b]\ndefault = [1, \"a\"]\n[param.c]\nwithin.min = 1\ndoc = \"D\"\n[[check]]\nid = \"a-b\"\ntitle = \"T\"\nseverity = \"low\"\nmanual = \"Ask.\"",
    ),
    (
        File,
        "format = 1\nbenchmark = \"x\"\ntitle = \"T\"\n[param.most]\ndefault = 11\nwithin = { min = 1, max = 10 }\ndoc = \"D\"\n[[check]]\nid = \"a-b\"\ntitle = \"T\"\nseverity = \"low\"\n[[check.expect]]\nsysctl = \"a.b\"\neach.running.max = \"$most\"",
    ),
    (
        File,
        "format = 1\nbenchmark = \"x\"\ntitle = \"T\"\n[param.most]\ndefault = [1, 2]\ndoc = \"D\"\n[param.word]\ndefault = \"a\"\ndoc = \"D\"\n[[check]]\nid = \"a-b\"\ntitle = \"T\"\nseverity = \"low\"\n[[check.expect]]\nsysctl = \"a.b\"\neach.running.max = \"$most\"\n[[check.expect]]\ncontainer = \"*\"\neach.privileged = \"$word\"\neach.user = \"$wrod\"",
    ),
    (Check, "id = \"docker-icc-disabled\"\ntitle = \"T\"\nseverity = \"low\"\nmanual = \"Ask.\""),
    (
        File,
        "format = 1\nbenchmark = \"x\"\ntitle = \"T\"\n[param.socket_groups]\ndefault = 1\ndoc = \"D\"\n[[check]]\nid = \"a-b\"\ntitle = \"T\"\nseverity = \"low\"\nmanual = \"Ask.\"",
    ),
    (Profile, ""),
    (Profile, "[[control]]\nid = 2.10\nmanual = \"Ask.\""),
    (Profile, "[[control]]\nid = \"2.1\"\nlevel = 3\nchecks = [\"docker-icc-disbled\"]"),
    (
        Profile,
        "[[control]]\nid = \"2.1\"\nchecks = []\n[[control]]\nid = \"2.2\"\n[[control]]\nid = \"2.3\"\nmanual = \"Ask.\"\nuncovered = \"No.\"",
    ),
    (Profile, "[[control]]\nid = \"2.1\"\nmanual = \"Ask.\"\n[[control]]\nid = \"2.1\"\nmanual = \"Ask.\"\nsection = \"2\""),
    (Profile, "[param]\nsocket_group = [\"root\"]\n[[control]]\nid = \"2.1\"\nmanual = \"Ask.\""),
    (Profile, "[param]\nsocket_groups = [1]\n[[control]]\nid = \"2.1\"\nmanual = \"Ask.\""),
    (Site, "profiles = [\"smaple\"]\nlevel = 3\nparams = 1"),
    (Site, "role = \"laptop\""),
    (Profile, "[[control]]\nid = \"2.1\"\nlevel = {}\nchecks = [\"docker-icc-disabled\"]"),
    (Profile, "[[control]]\nid = \"2.1\"\nlevel = { server = 3, desktop = 1 }\nchecks = [\"docker-icc-disabled\"]"),
    (Site, "[[skip]]\ncheck = \"docker-icc\"\n[[skip]]\ncheck = \"container-init\"\nreason = \"\""),
    (Site, "[[waiver]]\ncheck = \"container-init\"\nreason = \"R\"\nowner = \"O\"\nexpires = 2027-03-31T00:00:00"),
    (Site, "[[waiver]]\ncheck = \"container-init\"\nreason = \"R\"\nowner = \"O\"\nexpires = \"2027-03-31\""),
    (Site, "[[waiver]]\ncheck = \"container-init\"\nsubjects = \"web\"\nexpires = 2027-02-28T00:00:00Z"),
    (Site, "[[attestation]]\ncheck = \"container-init\"\nanswer = \"yes\"\nnote = \"N\"\nby = \"B\"\nexpires = 2027-03-31T00:00:00Z"),
    (Site, "[[attestation]]\ncheck = \"sample 9.9\"\nanswer = \"pass\"\nnote = \"N\"\nby = \"B\"\nexpires = 2027-03-31T00:00:00Z"),
    (Cases, "[docker-icc-enabled]\npass = []"),
    (Cases, "[docker-icc-disabled]\npas = []\npass = 3"),
    (Cases, "[docker-icc-disabled]\npass = [{ file = [] }, { dockerdaemon = [] }]"),
    (Cases, "[docker-icc-disabled]\npass = [{ docker_daemon = [{ value = \"false\" }] }]"),
    (Cases, "[docker-icc-disabled]\npass = [{ docker_daemon = [{ option = \"icc\", vale = false, persistent = \"yes\" }] }]"),
    (Cases, "[docker-icc-disabled]\npass = [{ docker_daemon = [{ option = \"icc\", values = \"a\" }] }]"),
    (Cases, "[docker-icc-disabled]\nunknown = [{ docker_daemon = { gap = \"denyed\" } }]"),
    (Cases, "[docker-icc-disabled]\nunknown = [{ docker_daemon = [{ option = \"icc\", value = { absent = false } }] }]"),
    (Cases, "[docker-socket-restricted]\npass = [{ file = [{ path = \"/run/docker.sock\", mode = \"660x\" }] }]"),
    (Set, "socket_groups"),
    (Set, "socket group=x"),
    (Set, "socket_grups=x"),
    (Set, "socket_groups=[1]"),
];

fn problems(of: &Of, text: &str) -> Vec<Problem> {
    let with = |path: &str, text: String| {
        let mut sources = samples();
        sources.push(Source::new(path, text));
        Definitions::load(sources).map(|_| ())
    };
    let definitions = loaded(samples());
    let minimal = "[[check]]\nid = \"a-b\"\ntitle = \"T\"\nseverity = \"low\"\n[[check.expect]]\n";
    let head = HEAD.replace("host/kernel", "host/bad");
    let refused = match of {
        Of::File => with("bad.toml", text.to_owned()),
        Check => with("bad.toml", format!("{head}[[check]]\n{text}")),
        Expectation => with("bad.toml", format!("{head}{minimal}{text}")),
        Profile => with("bad.toml", format!("format = 1\nprofile = \"bad\"\ntitle = \"T\"\n{text}")),
        Site => definitions.site(&Source::new("site.toml", text.to_owned())).map(|_| ()),
        Cases => definitions.cases(&Source::new("benchmarks/docker/daemon.test.toml", text.to_owned())).map(|_| ()),
        Set => definitions.setting(text).map(|_| ()).map_err(|problem| vec![problem]),
    };
    refused.err().unwrap_or_default()
}

#[test]
fn bad_definitions_are_told_where_and_why() {
    let mut all = String::new();
    for (of, text) in BAD {
        let problems = problems(of, text);
        assert!(!problems.is_empty(), "loads, and should not:\n{text}");
        writeln!(all, "{}----", told(&problems)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn lints() {
    let linted = Source::new("benchmarks/docker/lint.toml", include_str!("definitions/lint.toml"));
    let mut sources = samples();
    sources.push(linted);
    let definitions = loaded(sources);
    let cases = definitions.cases(&Source::new("benchmarks/docker/daemon.test.toml", CASES)).unwrap();
    insta::assert_snapshot!(told(&definitions.lints(Some(&cases))));
}

proptest! {
    /// Whatever is done to a file, loading it ends, with or without problems, all of which can be shown.
    #[test]
    fn mutilated_files_never_panic(which in 0..SAMPLES.len(), edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, "[\\PC\n]{0,6}"), 1..6)) {
        let mut text: Vec<char> = SAMPLES[which].1.chars().collect();
        for (at, removed, inserted) in edits {
            let at = at.index(text.len().max(1)).min(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, inserted.chars());
        }
        let text: String = text.into_iter().collect();
        let mut sources: Vec<Source> = samples();
        sources[which] = Source::new(SAMPLES[which].0, text.clone());
        if let Err(problems) = Definitions::load(sources) {
            prop_assert!(!told(&problems).is_empty());
        }
        let definitions = loaded(samples());
        let _ = definitions.site(&Source::new("site.toml", text.clone()));
        let _ = definitions.cases(&Source::new("benchmarks/docker/daemon.test.toml", text.clone()));
        let _ = definitions.setting(&text);
    }

    /// Keys and values shuffled about: valid TOML that means something else.
    #[test]
    fn swapped_lines_never_panic(which in 0..SAMPLES.len(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let mut lines: Vec<&str> = SAMPLES[which].1.lines().collect();
        let (a, b) = (a.index(lines.len()), b.index(lines.len()));
        lines.swap(a, b);
        let mut sources: Vec<Source> = samples();
        sources[which] = Source::new(SAMPLES[which].0, lines.join("\n"));
        let _ = Definitions::load(sources).map_err(|problems| told(&problems));
    }
}

#[test]
fn deep_and_long_files_are_refused_without_harm() {
    for text in [
        "[".repeat(100_000),
        format!("x = {}", "[".repeat(100_000)),
        format!("x = {}", "{a=".repeat(100_000)),
        format!("{} = 1", vec!["a"; 100_000].join(".")),
        format!("x = {}1{}", format!("{{{} = ", vec!["a"; 70].join(".")).repeat(70), "}".repeat(70)),
        format!("x = \"{}", "\\".repeat(100_000)),
        "\u{feff}".to_owned(),
        "\0".to_owned(),
    ] {
        assert!(Definitions::load(vec![Source::new("bad.toml", text)]).is_err());
    }
}
