//! The binary from outside: what each command prints, where it prints it, what it exits with, and what it says when something is
//! wrong. Versions, digests, paths and how far the kernel seals are scrubbed.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests start the binary, read what it wrote, and fail by panicking"
)]

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use common::{Copied, folder};
use regex::Regex;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");

/// A command line of plimsoll, with nothing of this machine's environment.
fn plimsoll(arguments: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(BINARY);
    command.env_clear().env("HOME", "/nonexistent").args(arguments);
    command
}

/// What came of a command line.
struct Said {
    code: i32,
    out: String,
    err: String,
}

fn say(arguments: &[&str]) -> Said {
    let output = plimsoll(arguments).output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The same, which has to end with a code.
#[track_caller]
fn ends(code: i32, arguments: &[&str]) -> Said {
    let said = say(arguments);
    assert_eq!(said.code, code, "plimsoll {}\n--- stdout\n{}--- stderr\n{}", arguments.join(" "), said.out, said.err);
    said
}

/// Takes out what differs from build to build and from machine to machine.
fn scrubbed(text: &str) -> String {
    static CHANGES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (concat!("(plimsoll[-a-z]*) ", env!("CARGO_PKG_VERSION")), "${1} [VERSION]"),
            (r"content [0-9a-f]{12}", "content [DIGEST]"),
            (r"scorecard [0-9a-f]{12,64}", "scorecard [DIGEST]"),
            (r"run [0-9]{8}T[0-9]{6}Z-[0-9a-f]{16}", "run [RUN]"),
            (r"(?m)(^|, )sandbox (full|partial|none|off)", "${1}sandbox [SEAL]"),
        ]
        .into_iter()
        .map(|(from, to)| (Regex::new(from).unwrap(), to))
        .collect()
    });
    CHANGES.iter().fold(text.to_owned(), |text, (from, to)| from.replace_all(&text, *to).into_owned())
}

/// Command lines and all that came of them, in the form of a session at a terminal.
fn session(lines: &[&[&str]], places: &[(&Path, &str)]) -> String {
    let mut text = String::new();
    for line in lines {
        let said = say(line);
        let quoted: Vec<String> =
            line.iter().map(|word| if word.contains(' ') { format!("'{word}'") } else { (*word).to_owned() }).collect();
        text += &format!("$ plimsoll {}\n{}", quoted.join(" "), said.out);
        for line in said.err.lines() {
            text += &format!("2> {line}\n");
        }
        text += &format!("exit {}\n\n", said.code);
    }
    let mut text = scrubbed(&text);
    for (path, name) in places {
        text = text.replace(&path.display().to_string(), name);
    }
    text
}

/// A snapshot that does not repeat the code that made it.
macro_rules! frozen {
    ($text:expr) => {
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!($text); })
    };
}

fn root(name: &str) -> String {
    folder(name).join("root").display().to_string()
}

fn run_of(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}:\n{json}"))
}

/// The result of a check in a run.
#[track_caller]
fn result<'a>(run: &'a Value, check: &str) -> &'a str {
    let findings = run["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["check"] == check);
    finding.unwrap_or_else(|| panic!("no finding of {check}"))["result"].as_str().unwrap()
}

/// The run of an audit of a test host, and the code it ended with.
fn audited(host: &str, arguments: &[&str]) -> (Value, i32) {
    let root = root(host);
    let said = say(&[&["audit", "--root", &root, "--format", "json"], arguments].concat());
    (run_of(&said.out), said.code)
}

/// A directory for definitions, believed also where root runs the tests: only root can have written it, nor any above it.
fn definitions() -> tempfile::TempDir {
    let closed = |path: &Path| path.ancestors().all(|above| fs::metadata(above).is_ok_and(|at| at.uid() == 0 && at.mode() & 0o022 == 0));
    let built = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    if !is_root() {
        return tempfile::tempdir_in(built).unwrap();
    }
    let places = [built.as_path(), Path::new("/root"), Path::new("/run")];
    let place =
        places.into_iter().find(|place| closed(place)).unwrap_or_else(|| panic!("no directory of root's own to put definitions into"));
    tempfile::tempdir_in(place).unwrap()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Writes a file, readable by all and writable by its owner, whatever the umask.
fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
}

#[test]
fn help_and_version() {
    frozen!(session(
        &[&["--version"], &["audit", "--version"], &["--help"], &["audit", "--help"], &["facts", "--help"], &["explain", "-h"]],
        &[]
    ));
}

/// What is misspelt or makes no sense is refused with the nearest thing that does.
#[test]
fn misuse_is_told_with_advice() {
    let hardened = root("hardened");
    let at = ["--root", hardened.as_str()];
    let audit = |more: &[&'static str]| [&["audit"], at.as_slice(), more].concat();
    let lines: Vec<Vec<&str>> = vec![
        vec![],
        vec!["frobnicate"],
        vec!["audit", "--rot", "x"],
        audit(&["--only", "docker-icc-disable"]),
        audit(&["--skip", "no-such-check"]),
        audit(&["--profile", "docker-hots"]),
        audit(&["--set", "docker_group_member=ops"]),
        audit(&["--set", "nonsense"]),
        audit(&["--set", "container_restarts_max=many"]),
        audit(&["--format", "yaml"]),
        audit(&["--format", "json="]),
        audit(&["--format", "json", "--format", "csv"]),
        audit(&["--format", "json", "--explain-score"]),
        audit(&["--format", "json=/nonexistent/run.json"]),
        audit(&["--fail-on", "severe"]),
        audit(&["--fail-under", "101"]),
        audit(&["--min-coverage", "lots"]),
        audit(&["--deadline", "0"]),
        audit(&["--level", "0"]),
        audit(&["--require-sandbox", "--sandbox", "off"]),
        vec!["audit", "--root", "/nonexistent"],
        vec!["audit", "--root", "/dev/null"],
        vec!["facts", "contaner"],
        vec!["explain", "docker-icc-disbled"],
        vec!["explain", "cis-docker-1.8", "2.99"],
        vec!["explain", "no-profile", "2.2"],
        vec!["list", "check"],
        vec!["schema", "everything"],
        vec!["completions", "tcsh"],
        vec!["lint", "/nonexistent"],
        vec!["test", "/nonexistent"],
    ];
    let lines: Vec<&[&str]> = lines.iter().map(Vec::as_slice).collect();
    frozen!(session(&lines, &[(&folder("hardened"), "[HOST]")]));
}

#[test]
fn one_run_is_written_in_every_format_at_once() {
    let to = tempfile::tempdir().unwrap();
    let (json, csv, text) = (to.path().join("run.json"), to.path().join("score.csv"), to.path().join("report.txt"));
    let [json_at, csv_at, text_at] =
        [("json", &json), ("csv", &csv), ("terminal", &text)].map(|(format, path)| format!("{format}={}", path.display()));
    let root = root("containers");
    let said = ends(0, &["audit", "--root", &root, "-f", &json_at, "-f", &csv_at, "-f", &text_at, "-f", "terminal"]);
    assert_eq!(said.err, "", "nothing to say besides");
    assert_eq!(fs::read_to_string(&text).unwrap(), said.out, "the same report, in a file and on standard output");
    let run = run_of(&fs::read_to_string(&json).unwrap());
    let id = run["id"].as_str().unwrap();
    assert!(said.out.contains(&format!("run {id}")), "the report names run {id}");
    let score = run["score"]["score"].to_string();
    assert!(said.out.contains(&format!("score {score} ")), "the report says score {score}");
    let findings = run["findings"].as_array().unwrap().len();
    assert_eq!(fs::read_to_string(&csv).unwrap().lines().count(), findings + 1);

    let alone = ends(0, &["audit", "--root", &root, "--format", "json"]);
    assert_eq!(
        (run_of(&alone.out)["host"]["name"].as_str(), alone.err.as_str()),
        (Some("containers"), ""),
        "one document and nothing else"
    );
    let alone = ends(0, &["audit", "--root", &root, "--format", "csv"]);
    assert!(alone.out.starts_with("check,severity,weight,result,k,n,") && alone.err.is_empty());
    let untouched = to.path().join("report");
    fs::create_dir(&untouched).unwrap();
    let into = format!("json={}", untouched.display());
    assert!(ends(2, &["audit", "--root", &root, "-f", &into]).err.contains("cannot write"), "a directory is no file");
    let kept = to.path().join("kept.csv");
    let both = ends(2, &["audit", "--root", &root, "-f", &into, "-f", &format!("csv={}", kept.display()), "-f", "terminal"]);
    assert!(both.err.contains("cannot write") && both.out.contains("score "), "the other documents are written");
    assert!(fs::read_to_string(&kept).unwrap().starts_with("check,severity"));
}

#[test]
fn the_same_audit_twice_is_the_same_but_for_its_time() {
    let timeless = || {
        let (mut run, _) = audited("containers", &["--profile", "docker-host,cis-docker-1.8"]);
        for member in ["id", "started", "finished"] {
            run[member] = Value::Null;
        }
        serde_json::to_string_pretty(&run).unwrap()
    };
    let (first, second) = (timeless(), timeless());
    let differs = first.lines().zip(second.lines()).find(|(a, b)| a != b);
    assert!(first == second, "two audits of one host differ at {differs:?}");
}

#[test]
fn a_plan_says_what_would_be_asked_and_asks_nothing() {
    let said = ends(0, &["audit", "--plan", "--root", "/nonexistent", "--profile", "cis-docker-1.8", "--only", "docker-icc-*"]);
    assert_eq!(said.err, "");
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines.contains(&"docker_daemon \"icc\", for docker-icc-disabled"), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("image")), "only what is asked for: {lines:?}");
}

#[test]
fn a_score_is_explained() {
    let root = root("containers");
    let said = ends(0, &["audit", "--explain-score", "--root", &root]);
    let (run, _) = audited("containers", &[]);
    let sums = &run["score"]["sums"];
    for (letter, result) in [("P", "pass"), ("F", "fail"), ("U", "unknown"), ("M", "manual")] {
        let line = said.out.lines().find(|line| line.trim_start().starts_with(&format!("{letter} = "))).unwrap();
        assert_eq!(line.split_whitespace().nth(2), Some(sums[result].to_string().as_str()), "{line}");
    }
    assert!(said.out.contains(&format!("= {}\n", run["score"]["score"])), "{}", said.out);
    assert!(said.out.contains("container-not-privileged"), "with its worksheet");
}

#[test]
fn checks_are_chosen_by_globs() {
    let (run, code) = audited("hardened", &["--only", "docker-*,container-not-privileged", "--skip", "*-audited"]);
    assert_eq!(code, 0);
    for finding in run["findings"].as_array().unwrap() {
        let check = finding["check"].as_str().unwrap();
        let chosen = (check.starts_with("docker-") || check == "container-not-privileged") && !check.ends_with("-audited");
        assert_eq!(finding["result"] != "skipped", chosen, "{check} is {}", finding["result"]);
    }
    let only_first = audited("hardened", &["--level", "1", "--profile", "cis-docker-1.8"]).0;
    assert_eq!((result(&only_first, "docker-dockerd-audited"), result(&only_first, "docker-runc-audited")), ("pass", "skipped"));
    assert_eq!(only_first["level"], 1);
}

#[test]
fn a_parameter_that_is_set_is_recorded_with_both_values() {
    let (before, _) = audited("hardened", &[]);
    assert_eq!(result(&before, "container-restarts-bounded"), "pass");
    let (run, _) = audited("hardened", &["--set", "container_restarts_max=3", "--set", "docker_root_engines=docker"]);
    assert_eq!(result(&run, "container-restarts-bounded"), "fail", "it may restart five times");
    assert_eq!((result(&before, "docker-rootless"), result(&run, "docker-rootless")), ("manual", "pass"));
    let overrides = run["overrides"].to_string();
    assert!(overrides.contains("container_restarts_max") && overrides.contains('5') && overrides.contains('3'), "{overrides}");
    assert_ne!(before["score"]["scorecard"], run["score"]["scorecard"], "scores under other parameters are not compared");
}

const SITE: &str = r#"format = 1
profiles = ["docker-host", "cis-docker-1.8"]

[param]
docker_group_members = ["ops"]

[[waiver]]
check = "container-no-secret-environment"
subject = "web.*"
reason = "Moves to a secret with the next release."
owner = "web team"
approved_by = "security office"
expires = 2027-03-31T00:00:00Z

[[waiver]]
check = "docker-swarm-off"
reason = "This one ran out."
owner = "web team"
approved_by = "security office"
expires = 2026-01-31T00:00:00Z

[[attestation]]
check = "cis-docker-1.8 1.2.1"
answer = "pass"
note = "Audited in spring."
by = "security office"
expires = 2027-06-30T00:00:00Z
"#;

#[test]
fn a_site_file_tailors() {
    let folder = definitions();
    let site = folder.path().join("site.toml");
    write(&site, SITE);
    let (before, _) = audited("swarm-manager", &["--profile", "docker-host,cis-docker-1.8"]);
    let (run, code) = audited("swarm-manager", &["--site", &site.display().to_string()]);
    assert_eq!(code, 0);
    assert_eq!(result(&before, "container-no-secret-environment"), "fail");
    assert_eq!(result(&run, "container-no-secret-environment"), "waived");
    assert_eq!(result(&run, "docker-swarm-off"), "fail", "its waiver has expired");
    assert_eq!((result(&before, "docker-group-approved"), result(&run, "docker-group-approved")), ("manual", "pass"));
    let tail = run["notes"].to_string();
    assert!(tail.contains("docker-swarm-off") && tail.contains("expired"), "{tail}");
    let control = |run: &Value| {
        let profiles = run["profiles"].as_array().unwrap();
        let cis = profiles.iter().find(|profile| profile["id"] == "cis-docker-1.8").unwrap();
        cis["controls"].as_array().unwrap().iter().find(|control| control["id"] == "1.2.1").unwrap()["result"].clone()
    };
    assert_eq!((control(&before), control(&run)), ("manual".into(), "pass".into()));

    // A waiver hides nothing: only what it is about is not counted against a gate.
    let at = root("swarm-manager");
    let site = site.display().to_string();
    let gated = ends(1, &["audit", "--root", &at, "--profile", "docker-host", "--fail-on", "high", "-f", "json"]);
    let waived = ends(1, &["audit", "--root", &at, "--profile", "docker-host", "--site", &site, "--fail-on", "high", "-f", "json"]);
    let high = |said: &Said| run_of(&said.out)["score"]["open"]["high"].as_u64().unwrap();
    assert_eq!(high(&waived) + 1, high(&gated));
}

/// Every gate, and every exit code an audit can have.
#[test]
fn gates_decide_the_exit_code() {
    let folder = definitions();
    let broken = folder.path().join("broken.toml");
    write(&broken, "format = 1\nprofiles = \"docker-host\"\n");
    let broken = broken.display().to_string();
    let cases: &[(i32, &str, &[&str], &str)] = &[
        (0, "containers", &[], ""),
        (0, "hardened", &["--fail-on", "info", "--fail-under", "100", "--fail-on-unknown"], ""),
        (0, "containers", &["--fail-under", "10", "--min-coverage", "10"], ""),
        (1, "containers", &["--fail-on", "critical"], "failures of severity critical or above"),
        (1, "containers", &["--fail-under", "99.5"], "the score is "),
        (1, "debian-12", &["--fail-on-unknown"], "could not be decided"),
        (1, "garbage", &["--fail-on-unknown", "--min-coverage", "90"], "could not be decided"),
        (2, "containers", &["--format", "nonsense"], "one of terminal, json, csv"),
        (3, "containers", &["--site", &broken], "broken.toml:2"),
        (4, "garbage", &["--min-coverage", "90"], "coverage"),
        (4, "no-docker", &[], "no score: nothing could be assessed"),
        (5, "containers", &["--deadline", "1ms"], "the deadline passed"),
    ];
    // These hosts hold an engine and what it needs, and little of the system beneath.
    for (code, host, arguments, told) in cases {
        let root = root(host);
        let said = ends(*code, &[&["audit", "--root", &root, "--profile", "cis-docker-1.8"], *arguments].concat());
        assert!(said.err.contains(told), "{host} {arguments:?} says on standard error: {}", said.err);
        assert_eq!(said.err.is_empty(), told.is_empty(), "{host} {arguments:?} says on standard error: {}", said.err);
        assert_eq!(said.out.is_empty(), matches!(code, 2 | 3), "{host} {arguments:?}: a report, whatever the gate");
    }
}

#[test]
fn a_host_without_what_is_asked_about_has_no_score() {
    let root = root("no-docker");
    frozen!(session(&[&["audit", "--root", &root, "--profile", "cis-docker-1.8"]], &[(&folder("no-docker"), "[HOST]")]));
    let (run, code) = audited("no-docker", &["--profile", "cis-docker-1.8"]);
    assert_eq!((code, &run["score"]["score"]), (4, &Value::Null));
}

const HOUSE: &str = r#"format = 1
benchmark = "house/names"
title = "House rules"

[[check]]
id = "names-host-named"
title = "The host has a name"
severity = "low"
why = "Nobody finds it otherwise."
fix = "Write a name to /etc/hostname."
disturbs = "Nothing."

[[check.expect]]
file = "/etc/hostname"
each.exists = true
"#;

const HOUSE_CASES: &str = r#"[names-host-named]
pass = [{ file = [{ path = "/etc/hostname", exists = true }] }]
fail = [{ file = [{ path = "/etc/hostname", exists = false }] }]
"#;

const HOUSE_PROFILE: &str = r#"format = 1
profile = "house"
title = "The house's own"

[[control]]
id = "1"
level = 1
checks = ["names-host-named"]
"#;

#[test]
fn definitions_of_ones_own() {
    let folder = definitions();
    let at = |name: &str| folder.path().join(name);
    write(&at("good/benchmarks/house/names.toml"), HOUSE);
    write(&at("good/benchmarks/house/names.test.toml"), HOUSE_CASES);
    write(&at("good/profiles/house.toml"), HOUSE_PROFILE);
    write(&at("wrong/benchmarks/house/names.toml"), &HOUSE.replace("each.exists = true", "each.exist = \"yes\""));
    write(&at("false/benchmarks/house/names.toml"), HOUSE);
    write(&at("false/benchmarks/house/names.test.toml"), &HOUSE_CASES.replace("exists = false", "exists = true"));
    write(&at("torn/benchmarks/house/names.toml"), "format = 1\n[[check]\n");
    let paths = ["good", "wrong", "false", "torn"].map(|name| at(name).display().to_string());
    let [good, wrong, untrue, torn] = paths.each_ref().map(String::as_str);
    let hardened = root("hardened");
    let by = |benchmarks| ["audit", "--root", &hardened, "--profile", "docker-host", "--benchmarks", benchmarks, "--plan"];
    let house = ["audit", "--root", &hardened, "--benchmarks", good, "--profile", "house"];
    frozen!(session(
        &[
            &house,
            &["lint", good],
            &["test", good],
            &["explain", "names-host-named", "--benchmarks", good],
            &["lint", wrong],
            &by(wrong),
            &by(torn),
            &["test", untrue],
        ],
        &[(folder.path(), "[HOUSE]"), (&common::folder("hardened"), "[HOST]")]
    ));
    assert!(ends(0, &["list", "checks", "--benchmarks", good]).out.contains("names-host-named"));
}

#[test]
fn root_believes_definitions_of_root_alone() {
    if !is_root() {
        eprintln!("left out: root_believes_definitions_of_root_alone, which root alone can try");
        return;
    }
    let folder = definitions();
    let file = folder.path().join("house/benchmarks/house/names.toml");
    write(&file, HOUSE);
    let site = folder.path().join("site.toml");
    write(&site, "format = 1\n");
    let hardened = root("hardened");
    let by = [folder.path().join("house").display().to_string(), site.display().to_string()];
    let line = ["audit", "--root", &hardened, "--benchmarks", &by[0], "--site", &by[1], "--plan"];
    ends(0, &line);
    let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for (path, usual) in [(&file, 0o644), (&file.parent().unwrap().to_path_buf(), 0o755), (&site, 0o644)] {
        for writable in [0o020, 0o002] {
            open(path, usual | writable);
            let said = ends(3, &line);
            assert!(
                said.err.contains("can be written by others than root"),
                "{} with mode {:o}: {}",
                path.display(),
                usual | writable,
                said.err
            );
        }
        open(path, usual);
    }
    std::os::unix::fs::chown(&site, Some(65534), Some(65534)).unwrap();
    assert!(ends(3, &line).err.contains("root"), "of nobody's");
}

#[test]
fn a_broken_site_file_is_told_where() {
    let folder = definitions();
    let sites = [
        ("key", "format = 1\nprofile = [\"docker-host\"]\n".to_owned()),
        ("profile", "format = 1\nprofiles = [\"docker-hots\"]\n".to_owned()),
        ("param", "format = 1\n[param]\ndocker_group_member = [\"ops\"]\n".to_owned()),
        ("value", "format = 1\n[param]\ncontainer_restarts_max = \"many\"\n".to_owned()),
        ("waiver", SITE.replace("container-no-secret-environment", "container-no-secrets-environment")),
        ("expiry", SITE.replace("expires = 2027-03-31T00:00:00Z\n", "")),
        ("newer", "format = 9\n".to_owned()),
        ("torn", "format = 1\nprofiles = [\n".to_owned()),
    ];
    let root = root("swarm-manager");
    let paths: Vec<String> = sites
        .iter()
        .map(|(name, text)| {
            let path = folder.path().join(format!("{name}.toml"));
            write(&path, text);
            path.display().to_string()
        })
        .collect();
    let missing = folder.path().join("missing.toml").display().to_string();
    let lines: Vec<Vec<&str>> =
        paths.iter().chain([&missing]).map(|site| vec!["audit", "--plan", "--root", &root, "--site", site]).collect();
    let lines: Vec<&[&str]> = lines.iter().map(Vec::as_slice).collect();
    frozen!(session(&lines, &[(folder.path(), "[SITE]"), (&common::folder("swarm-manager"), "[HOST]")]));
}

#[test]
fn lists_and_explanations() {
    let checks = ends(0, &["list", "checks"]).out;
    let profiles = ends(0, &["list", "profiles"]).out;
    let resources = ends(0, &["list", "resources"]).out;
    let parameters = ends(0, &["list", "parameters"]).out;
    assert_eq!(ends(0, &["list", "params"]).out, parameters);
    assert!(checks.lines().count() > 100 && checks.contains("docker-icc-disabled"));
    for profile in ["cis-docker-1.6", "cis-docker-1.7", "cis-docker-1.8", "docker-host"] {
        assert!(profiles.lines().any(|line| line.starts_with(profile)), "{profiles}");
        assert!(ends(0, &["explain", profile]).out.contains(profile));
    }
    // Whatever is listed can be explained.
    for line in resources.lines() {
        let resource = line.split(' ').next().unwrap();
        let said = ends(0, &["explain", resource]);
        assert!(said.out.starts_with(resource) && said.out.contains("fields"), "{}", said.out);
    }
    for line in parameters.lines().filter(|line| !line.starts_with(' ')) {
        ends(0, &["explain", line.split(' ').next().unwrap()]);
    }
    let check = ends(0, &["explain", "docker-icc-disabled"]).out;
    for part in
        ["Containers on the default bridge cannot talk to each other", "medium", "cis-docker-1.8 2.2", "\"icc\": false", "docker_daemon"]
    {
        assert!(check.contains(part), "the explanation lacks {part}:\n{check}");
    }
    assert!(ends(0, &["explain", "cis-docker-1.8", "2.2"]).out.contains("docker-icc-disabled"));
    assert!(ends(0, &["explain", "cis-docker-1.8", "1.2.1"]).out.contains("operating system"), "one that waits for a person");
}

#[test]
fn facts_are_shown_with_their_origins() {
    let root = root("containers");
    let facts = |arguments: &[&str]| ends(0, &[&["facts", "--root", &root], arguments].concat());
    let text = facts(&["docker_daemon", "icc"]).out;
    assert!(text.contains("value") && text.contains("true  from"), "{text}");
    let json = run_of(&facts(&["container", "hostp*", "--json"]).out);
    let names: Vec<&Value> = json.as_array().unwrap().iter().map(|record| &record["facts"]["name"]["known"][0]["text"]).collect();
    assert_eq!(names, ["hostpid"]);
    assert_eq!(facts(&["container", "nobody"]).out, "no container\n");
    for line in ends(0, &["list", "resources"]).out.lines() {
        let resource = line.split(' ').next().unwrap();
        let said = say(&["facts", "--root", &root, resource, "--json"]);
        // Those that cannot be listed as a whole say how they are selected.
        // and those that only a running kernel tells that they cannot be looked at.
        let answers = ["is selected by", "cannot look at"];
        assert!(said.code == 0 || answers.iter().any(|answer| said.err.contains(answer)), "facts {resource}: {}{}", said.out, said.err);
    }
}

#[test]
fn bundled_definitions_are_in_order() {
    let lint = ends(0, &["lint"]).out;
    assert!(lint.ends_with("nothing to mend\n"), "{lint}");
    let test = ends(0, &["test"]).out;
    let counts: Vec<u64> = test.lines().last().unwrap().split(' ').filter_map(|word| word.parse().ok()).collect();
    assert!(counts[0] > 500 && counts[0] == counts[1], "{test}");
}

#[test]
fn schemas_completions_and_the_manual_page() {
    for of in ["benchmark", "profile", "run"] {
        let schema = run_of(&ends(0, &["schema", of]).out);
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("schema {of}: {error}"));
    }
    let schema = run_of(&ends(0, &["schema", "run"]).out);
    let (run, _) = audited("rootless", &[]);
    let wrong: Vec<String> = jsonschema::validator_for(&schema).unwrap().iter_errors(&run).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (shell, sign) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef plimsoll"),
        ("fish", "complete -c plimsoll"),
        ("elvish", "plimsoll"),
        ("powershell", "plimsoll"),
    ] {
        assert!(ends(0, &["completions", shell]).out.contains(sign), "{shell}");
    }
    let page = ends(0, &["man"]).out;
    assert!(page.contains(".TH plimsoll 1") && page.contains("audit"), "{page}");
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let root = root("containers");
    let line = ["audit", "--root", &root];
    let has_colour = |more: &[&str], no_color: Option<&str>| {
        let mut command = plimsoll(&[&line, more].concat());
        no_color.map(|value| command.env("NO_COLOR", value));
        String::from_utf8(command.output().unwrap().stdout).unwrap().contains('\u{1b}')
    };
    assert!(!has_colour(&[], None), "a pipe is no terminal");
    assert!(!has_colour(&[], Some("1")));
    assert!(has_colour(&["--colour", "always"], None));
    assert!(has_colour(&["--colour", "always"], Some("1")), "what is asked for on the command line wins");
    assert!(!has_colour(&["--colour", "never"], None));
    assert!(!has_colour(&["--colour", "always", "--format", "json"], None), "JSON has no colours");
}

/// `plimsoll … | head -1`, with the reader gone before anything is written: no panic, no complaint, and the exit code stands.
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let root = root("containers");
    let lines: [&[&str]; 5] = [
        &["list", "checks"],
        &["schema", "run"],
        &["audit", "--root", &root, "--verbose"],
        &["audit", "--root", &root, "--format", "json"],
        &["facts", "container", "--root", &root],
    ];
    for line in lines {
        let mut command = Command::new(BINARY);
        command.args(line).env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), told.as_str()), (Some(0), ""), "plimsoll {}", line.join(" "));
    }
}

/// What a directory cannot hold stands beside it; a description that is wrong is told where, not passed over.
#[test]
fn a_wrong_description_of_a_host_is_told_where() {
    let host = Copied::of("hardened");
    host.change("host.toml", "kind = \"socket\"", "kind = \"sokcet\"");
    let root = host.root().display().to_string();
    let said = ends(2, &["audit", "--root", &root]);
    assert!(said.err.contains("host.toml:") && said.err.contains("a kind is"), "{}", said.err);
    assert_eq!(said.out, "");
}
