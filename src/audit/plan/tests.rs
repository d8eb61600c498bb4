use super::super::fixture::{definitions, host, plan, request, run};
use super::*;

#[test]
fn every_question_is_asked_once_and_only_what_is_claimed_is_wanted() {
    let definitions = definitions();
    let plan = plan(&definitions, &Request::default());
    let queries: Vec<String> = plan.queries().iter().map(selector).collect();
    assert_eq!(queries, ["engine", r#"file "/etc/a""#, r#"file "/etc/a" or "/etc/b" or "/etc/c""#, r#"file "/etc/shadow""#]);
    let wanted = plan.wanted();
    assert_eq!(wanted["file"], ["exists", "mode", "path"].map(str::to_owned).into());
    assert_eq!(wanted["engine"], ["kind", "name", "version"].map(str::to_owned).into());
    let words = plan.in_words();
    assert!(words.contains(&r#"file "/etc/shadow", for shadow-there"#.to_owned()), "{words:?}");
}

#[test]
fn names_that_do_not_exist_are_told_with_what_was_perhaps_meant() {
    let definitions = definitions();
    let with = |request: Request| match candidates(&definitions, &request).and_then(|found| Plan::new(&definitions, &request, found)) {
        Ok(_) => panic!("should not plan"),
        Err(error) => error.to_string(),
    };
    let profile = Request { profiles: vec!["bose".into()], ..Request::default() };
    assert_eq!(with(profile), "there is no profile `bose`; did you mean `base`?");
    let only = Request { only: vec!["plan-exist".into()], ..Request::default() };
    assert_eq!(with(only), "there is no check `plan-exist`; did you mean `plan-exists`?");
    let skip = Request { skip: vec!["nothing-like-*".into()], ..Request::default() };
    assert_eq!(with(skip), "there is no check `nothing-like-*`");
}

#[test]
fn what_is_left_out_is_listed_with_the_reason() {
    let definitions = definitions();
    let skipped = |request: Request| -> Vec<String> {
        let plan = plan(&definitions, &request);
        plan.skipped.iter().map(|(id, (_, reason))| format!("{id}: {reason}")).collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(skipped(Request::default()), none);
    assert_eq!(skipped(Request { skip: vec!["plan-*".into()], ..Request::default() }), ["plan-exists: left out by --skip"]);
    assert_eq!(
        skipped(Request { only: vec!["files-restricted".into()], ..Request::default() }),
        ["plan-exists: left out by --only", "shadow-there: left out by --only"]
    );
    assert_eq!(skipped(request("[[skip]]\ncheck = \"plan-exists\"\nreason = \"no people here\"")), ["plan-exists: no people here"]);
}

#[test]
fn levels_leave_out_what_only_higher_ones_name() {
    let profile = r#"
        format = 1
        profile = "deep"
        title = "For tests"
        [[control]]
        id = "1"
        title = "Shadow"
        level = 2
        checks = ["shadow-there"]
        [[control]]
        id = "2"
        title = "Plan"
        level = 1
        checks = ["plan-exists"]
    "#;
    let sources = vec![
        crate::definition::Source::new("benchmarks/host/test.toml", super::super::fixture::BENCHMARK),
        crate::definition::Source::new("profiles/deep.toml", profile),
    ];
    let definitions = Definitions::load(sources).unwrap();
    let with = |level| plan(&definitions, &Request { profiles: vec!["deep".into()], level, ..Request::default() });
    assert_eq!(with(Some(1)).skipped["shadow-there"].1, "belongs to level 2");
    assert!(with(None).skipped.is_empty());
    assert!(!with(None).checks.contains_key("files-restricted"), "no profile names it");
    let only = Request { profiles: vec!["deep".into()], only: vec!["files-restricted".into()], ..Request::default() };
    assert!(plan(&definitions, &only).checks.contains_key("files-restricted"), "asked for by name");
}

#[test]
fn a_role_has_levels_of_its_own() {
    let profile = r#"
        format = 1
        profile = "roles"
        title = "For tests"
        [[control]]
        id = "1"
        title = "Shadow"
        level = { server = 1, workstation = 2 }
        checks = ["shadow-there"]
        [[control]]
        id = "2"
        title = "Plan"
        level.server = 2
        checks = ["plan-exists"]
    "#;
    let sources = vec![
        crate::definition::Source::new("benchmarks/host/test.toml", super::super::fixture::BENCHMARK),
        crate::definition::Source::new("profiles/roles.toml", profile),
    ];
    let definitions = Definitions::load(sources).unwrap();
    let with = |role, level| plan(&definitions, &Request { profiles: vec!["roles".into()], role, level, ..Request::default() });
    let judged = |plan: &Plan<'_>| plan.checks.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(judged(&with(None, None)), ["plan-exists", "shadow-there"], "a server where nobody says otherwise");
    assert_eq!(judged(&with(Some(Role::Server), Some(1))), ["shadow-there"]);
    assert_eq!(judged(&with(Some(Role::Workstation), None)), ["shadow-there"], "the other is not meant for workstations");
    assert!(judged(&with(Some(Role::Workstation), Some(1))).is_empty());
    let site = definitions.site(&crate::definition::Source::new("site.toml", "role = \"workstation\"")).unwrap();
    let from_site = plan(&definitions, &Request { profiles: vec!["roles".into()], site, ..Request::default() });
    assert_eq!((from_site.role, judged(&from_site)), (Role::Workstation, vec!["shadow-there".to_owned()]));
}

#[test]
fn the_last_layer_wins_and_is_recorded() {
    let definitions = definitions();
    let mut request = request("[param]\nmost = \"0640\"");
    let set = |request: &Request| plan(&definitions, request).overrides;
    let site = set(&request);
    assert_eq!((site[0].value.clone(), site[0].default.clone()), (vec!["0640".to_owned()], Some(vec!["0644".to_owned()])));
    assert_eq!(site[0].source, Source::Site);
    assert_eq!(site[0].place.as_ref().map(|place| &*place.file), Some("site.toml"));
    request.set = definitions.setting("most=0600").unwrap();
    let both = set(&request);
    assert_eq!(
        (both[0].value.clone(), both[0].source.clone(), both[0].place.clone()),
        (vec!["0600".to_owned()], Source::CommandLine, None)
    );
    assert!(definitions.setting("most=0777").is_err(), "out of bounds");
    request.set = definitions.setting("most=0644").unwrap();
    assert!(set(&request).is_empty(), "back at the default");
}

#[test]
fn default_profiles_are_used_where_they_apply() {
    assert_eq!(run(host(), Request::default()).profiles.len(), 1);
    let elsewhere = run(crate::host::memory::Memory::new(), Request::default());
    assert!(elsewhere.profiles.is_empty() && elsewhere.findings.is_empty());
    assert!(elsewhere.notes.iter().any(|note| note.text == "no profile applies to this host"));
    assert_eq!(elsewhere.score.score, None);
    let hidden = run(host().gap("/etc/a", crate::fact::Reason::Denied), Request::default());
    assert_eq!(hidden.profiles.len(), 1, "where it cannot be told, it is used");
    assert!(hidden.notes.iter().any(|note| note.kind == NoteKind::Profile));
    let named = Request { profiles: vec!["base".into()], ..Request::default() };
    assert_eq!(run(crate::host::memory::Memory::new(), named).profiles.len(), 1, "named ones are always used");
}
