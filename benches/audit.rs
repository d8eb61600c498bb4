//! What an audit spends its own time on: loading definitions, reading what engines answer, and judging.
//!
//! Nothing of the machine is read: the host is in memory.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run should say so")]
#![allow(missing_docs, reason = "criterion declares its entry points")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use plimsoll::audit::{Facts, Plan, Request, judged, plan};
use plimsoll::definition::{Definitions, Site, Source};
use plimsoll::host::engine::{Id, Route};
use plimsoll::host::memory::Memory;
use plimsoll::host::{FileKind, Host};
use plimsoll::parse::engine_json::{self, ContainerInspect};
use plimsoll::resource::{self, Context, Query, Selector};

/// One container of a compose project, as an engine describes it.
const INSPECT: &str = include_str!("inspect.json");
const SOCKET: &str = "/run/docker.sock";
const CONTAINERS: u32 = 1000;

fn id(number: u32) -> String {
    format!("{number:064x}")
}

fn inspect(number: u32) -> String {
    INSPECT
        .replace("@ID@", &id(number))
        .replace("@SHORT@", "0123456789ab")
        .replace("@NUMBER@", &number.to_string())
        .replace("@PID@", "0")
        .replace("@PROJECT@", &format!("project-{}", number / 8))
        .replace("@SERVICE@", &(number % 8).to_string())
        .replace("@IMAGE@", &id(number % 40))
        .replace("@TEAM@", &(number % 40).to_string())
        .replace("@PORT@", &(10_000 + number).to_string())
}

/// A host whose engine has a thousand containers.
fn host() -> Memory {
    let listed: Vec<String> = (0..CONTAINERS)
        .map(|number| {
            format!(r#"{{"Id":"{}","Names":["/project-{}-service-{}-1"],"State":"running"}}"#, id(number), number / 8, number % 8)
        })
        .collect();
    let host = Memory::new()
        .node("/run", FileKind::Directory, 0o755)
        .node(SOCKET, FileKind::Socket, 0o660)
        .file("/proc/1/status", "Name:\tinit\nPPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n")
        .file("/proc/1/cgroup", "0::/init.scope\n")
        .answer(SOCKET, Route::Ping, "OK")
        .answer(SOCKET, Route::Version, r#"{"Version":"28.5.1","ApiVersion":"1.51"}"#)
        .answer(SOCKET, Route::Info, r#"{"DockerRootDir":"/var/lib/docker","SecurityOptions":["name=seccomp,profile=builtin"]}"#)
        .answer(SOCKET, Route::Containers, format!("[{}]", listed.join(",")));
    (0..CONTAINERS).fold(host, |host, number| host.answer(SOCKET, Route::Container(Id::parse(&id(number)).unwrap()), inspect(number)))
}

fn collect(host: &dyn Host, query: &Query) -> Result<Vec<plimsoll::fact::Record>, plimsoll::fact::Gap> {
    (resource::find(query.resource).unwrap().collect)(&Context::new(host), &query.of)
}

fn loading(criterion: &mut Criterion) {
    criterion.bench_function("load every definition", |bencher| {
        bencher.iter_batched(Source::embedded, |sources| Definitions::load(sources).unwrap(), BatchSize::SmallInput);
    });
}

fn reading(criterion: &mut Criterion) {
    let document = inspect(7);
    criterion.bench_function("read one inspect document", |bencher| {
        bencher.iter(|| engine_json::read::<ContainerInspect>(black_box(document.as_bytes())).unwrap());
    });
    let host = host();
    let all = Query { resource: "container", of: Selector::All };
    let mut group = criterion.benchmark_group("slow");
    group.sample_size(20);
    group.bench_function("make records of 1000 containers", |bencher| bencher.iter(|| collect(&host, &all).unwrap()));
}

fn judging(criterion: &mut Criterion) {
    let host = host();
    let definitions = Definitions::load(Source::embedded()).unwrap();
    let request = Request { only: vec!["container-*".to_owned()], ..Request::default() };
    let plan = Plan::new(&definitions, &request, plan::candidates(&definitions, &request).unwrap()).unwrap();
    let mut facts = Facts::default();
    for query in plan.queries() {
        let answer = collect(&host, &query);
        facts.insert(query, answer);
    }
    let mut group = criterion.benchmark_group("slow");
    group.sample_size(20);
    group.bench_function("judge 1000 containers by every check of containers", |bencher| {
        bencher.iter(|| judged(&definitions, &plan, black_box(&facts), &Site::default(), host.now()));
    });
}

criterion_group!(benches, loading, reading, judging);
criterion_main!(benches);
