use super::super::fixture::{definitions, host, plan, request, run};
use super::*;
use crate::host::memory::Memory;

#[test]
fn an_audit_says_what_it_found_and_where() {
    let run = run(host(), Request::default());
    let results: Vec<_> = run.findings.iter().map(|finding| (finding.check.as_str(), finding.result)).collect();
    assert_eq!(results, [("files-restricted", Outcome::Fail), ("plan-exists", Outcome::Manual), ("shadow-there", Outcome::Fail)]);
    let finding = run.finding("files-restricted").unwrap();
    assert_eq!(finding.subjects, Subjects { ok: 1, of: 2 });
    assert_eq!(finding.references, [Reference { profile: "base".into(), control: "1.1".into(), level: 1 }]);
    assert_eq!(run.score.score.map(|score| score.tenths()), Some(0));
    assert_eq!(run.scope.assessed, 2);
    assert!(run.manifest.looked_at.iter().any(|path| path.raw() == "/etc/a") || !run.manifest.looked_at.is_empty());
    assert!(run.id.starts_with("20261124T000000Z-"));
}

#[test]
fn controls_follow_from_their_checks() {
    let run = run(host().file("/etc/shadow", "").owned("/etc/a", 0, 0, 0o600), Request { level: Some(1), ..Request::default() });
    let controls: Vec<_> = run.profiles[0].controls.iter().map(|control| (control.id.as_str(), control.result)).collect();
    assert_eq!(
        controls,
        [
            ("1.1", ControlResult::Pass),
            ("1.2", ControlResult::Skipped),
            ("1.3", ControlResult::Manual),
            ("1.10", ControlResult::Manual),
            ("1.11", ControlResult::Uncovered),
        ]
    );
    let profile = &run.profiles[0];
    assert_eq!((profile.met, profile.assessed, profile.covered), (1, 1, 3));
    assert_eq!(run.score.score.map(|score| score.tenths()), Some(1000));
}

#[test]
fn equal_facts_give_equal_runs() {
    let definitions = definitions();
    let once = || {
        let request = request("");
        let plan = plan(&definitions, &request);
        let host: Arc<dyn Host + Send + Sync> = Arc::new(host());
        let collected = Collector::new(host.clone(), plan.wanted(), Limits::default()).collect(&plan.queries(), &mut |_| {});
        judged(&definitions, &plan, &collected.facts, &request.site, host.now())
    };
    assert_eq!(serde_json::to_string(&once()).unwrap(), serde_json::to_string(&once()).unwrap());
}

#[test]
fn runs_come_back_from_json_as_they_were() {
    let run = run(host().gap("/etc/b", crate::fact::Reason::Denied), Request::default());
    let json = serde_json::to_string(&run).unwrap();
    assert_eq!(serde_json::from_str::<Run>(&json).unwrap(), run);
}

#[test]
fn the_scorecard_names_what_was_scored() {
    let card = |request: Request| run(host(), request).score.scorecard;
    let plain = card(Request::default());
    assert_eq!(plain, card(Request::default()));
    assert_ne!(plain, card(Request { level: Some(1), ..Request::default() }));
    assert_ne!(plain, card(Request { skip: vec!["plan-exists".into()], ..Request::default() }));
    assert_ne!(plain, card(request("[param]\nmost = \"0640\"")));
    assert_eq!(plain, run(Memory::new().file("/etc/a", ""), Request::default()).score.scorecard, "facts are not part of it");
}

/// The mark of a container is on machines too that were made from an image: namespaces and the root file system tell.
#[test]
fn a_container_is_told_from_a_machine_that_was_made_from_an_image() {
    use crate::host::INITIAL_NAMESPACES;
    let own = i32::try_from(std::process::id()).unwrap();
    let live = Identity { source: "live".into(), ..Identity::default() };
    let namespaces =
        |own: u64| INITIAL_NAMESPACES.map(|(name, inode)| (Text::from(name), if name == "uts" { own } else { inode })).to_vec();
    let on = |fs: &str| Memory::new().file("/.dockerenv", "").file("/proc/self/mountinfo", format!("22 1 8:1 / / rw - {fs} x rw\n"));
    let machine = |fs: &str, uts: u64| on(fs).process(own, ProcessLinks { exe: None, namespaces: namespaces(uts) });
    assert!(inside(&machine("ext4", 0xEFFF_FFFE), &live).is_none());
    assert!(inside(&machine("ext4", 4_026_532_999), &live).is_some(), "a namespace of its own");
    assert!(inside(&machine("overlay", 0xEFFF_FFFE), &live).is_some(), "the host's namespaces, but not its files");
    assert!(inside(&on("ext4"), &live).is_some(), "what cannot be told is said");
    assert!(inside(&Memory::new(), &live).is_none());
    assert!(inside(&on("overlay"), &Identity::default()).is_none(), "a directory is no running system");
}
