//! Runs the program, and reads what it reports.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::host::{Host, words};

/// The program under test.
pub(crate) const PLIMSOLL: &str = env!("CARGO_BIN_EXE_plimsoll");

/// Stands for what is said of all records together.
const ALL: &str = "all of them";

/// What an audit reported.
pub(crate) struct Report {
    pub(crate) json: Value,
    pub(crate) code: i32,
    /// What it said to people.
    pub(crate) said: String,
    pub(crate) took: Duration,
}

impl Report {
    /// Of a command that ends in arguments of `plimsoll audit`: a state directory and the format are added.
    pub(crate) fn of(command: &mut Command) -> Self {
        let state = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let output = command.arg("--state").arg(state.path().canonicalize().unwrap()).args(["--format", "json"]).output().unwrap();
        Self::read(&output, began.elapsed()).unwrap_or_else(|why| panic!("{command:?}: {why}: {}", words(&output)))
    }

    /// Of the whole audit in a host.
    pub(crate) fn in_host(host: &Host, arguments: &[&str]) -> Self {
        Self::of(host.command(PLIMSOLL).arg("audit").args(arguments))
    }

    pub(crate) fn read(output: &Output, took: Duration) -> Result<Self, String> {
        let json = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
        let code = output.status.code().ok_or("it was ended by a signal")?;
        Ok(Self { json, code, said: String::from_utf8_lossy(&output.stderr).into_owned(), took })
    }

    fn findings(&self) -> impl Iterator<Item = &Value> {
        self.json["findings"].as_array().expect("a report has findings").iter()
    }

    /// Results by check.
    pub(crate) fn results(&self) -> BTreeMap<String, String> {
        let word = |value: &Value| value.as_str().expect("text").to_owned();
        self.findings().map(|finding| (word(&finding["check"]), word(&finding["result"]))).collect()
    }

    /// The result of one check.
    pub(crate) fn result(&self, check: &str) -> String {
        self.results().remove(check).unwrap_or_else(|| panic!("no finding of {check}"))
    }

    /// The finding of one check, to show.
    pub(crate) fn finding(&self, check: &str) -> &Value {
        self.findings().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("no finding of {check}"))
    }

    /// The subjects that do not comply, of each check.
    pub(crate) fn failing(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.findings()
            .map(|finding| {
                let failing = failing(finding);
                let (ok, of) = (&finding["subjects"]["ok"], &finding["subjects"]["of"]);
                if finding["result"] == "fail" {
                    assert!(!failing.is_empty(), "{finding:#}");
                    assert!(of.as_u64().unwrap() - ok.as_u64().unwrap() >= failing.len() as u64, "{finding:#}");
                }
                (finding["check"].as_str().unwrap().to_owned(), failing)
            })
            .collect()
    }
}

/// The subjects of a finding that do not comply: where alternatives are allowed, those that none of them suits.
fn failing(finding: &Value) -> BTreeSet<String> {
    let mut alternatives = BTreeMap::<&str, u64>::new();
    let mut wrong = BTreeMap::<(&str, &str), BTreeSet<u64>>::new();
    if finding["result"] != "fail" {
        return BTreeSet::new();
    }
    for observation in finding["observations"].as_array().unwrap() {
        let resource = observation["resource"].as_str().unwrap();
        let alternative = observation["alternative"].as_u64().unwrap_or(1);
        let most = alternatives.entry(resource).or_default();
        *most = (*most).max(alternative);
        if observation["truth"] == "false" {
            wrong.entry((resource, observation["subject"].as_str().unwrap_or(ALL))).or_default().insert(alternative);
        }
    }
    let none_suits = |((resource, _), wrong): &(&(&str, &str), &BTreeSet<u64>)| wrong.len() as u64 == alternatives[resource];
    let mut failing: BTreeSet<String> = wrong.iter().filter(none_suits).map(|((_, subject), _)| (*subject).to_owned()).collect();
    // That there is nothing of one kind to judge is no failure where another kind fails.
    if failing.len() > 1 {
        failing.remove(ALL);
    }
    failing
}
