//! A small set of definitions and a small host, for the tests of this layer.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Options, Plan, Request, Run, audit};
use crate::definition::{Definitions, Site, Source};
use crate::host::memory::Memory;

pub(super) const BENCHMARK: &str = r#"
format = 1
benchmark = "host/test"
title = "For tests"

[param.most]
default = "0644"
within.max = "0666"
doc = "Most open mode."

[[check]]
id = "files-restricted"
title = "Nobody else can write to the files"
severity = "critical"
why = "Who can write to them is root."
fix = "chmod go-w FILE"
disturbs = "Nothing."

[[check.expect]]
file = ["/etc/a", "/etc/b", "/etc/c"]
where.exists = true
each.mode.max = "$most"

[[check]]
id = "plan-exists"
title = "There is a plan for incidents"
severity = "medium"
why = "Nobody thinks well at night."
fix = "Write one."
disturbs = "Nothing."
manual = "Is there a plan, and was it exercised?"

[[check]]
id = "shadow-there"
title = "There is a shadow file"
severity = "low"
why = "Passwords belong there."
fix = "pwconv"
disturbs = "Nothing."

[[check.expect]]
file = "/etc/shadow"
each.exists = true
"#;

pub(super) const PROFILE: &str = r#"
format = 1
profile = "base"
title = "For tests"
default = true
line = 80

[[applies_when]]
file = "/etc/a"
each.exists = true

[[control]]
id = "1.1"
title = "Files"
level = 1
checks = ["files-restricted", "shadow-there"]

[[control]]
id = "1.2"
title = "Shadow again"
level = 2
checks = ["shadow-there"]

[[control]]
id = "1.3"
title = "A plan"
level = 1
checks = ["plan-exists"]

[[control]]
id = "1.10"
title = "Training"
level = 1
manual = "Are people trained?"

[[control]]
id = "1.11"
title = "Scanning"
level = 1
uncovered = "Belongs to a scanner."
"#;

pub(super) fn definitions() -> Definitions {
    let sources = vec![Source::new("benchmarks/host/test.toml", BENCHMARK), Source::new("profiles/base.toml", PROFILE)];
    Definitions::load(sources).unwrap_or_else(|problems| panic!("{}", problems.iter().map(ToString::to_string).collect::<String>()))
}

pub(super) fn site(text: &str) -> Site {
    let text = format!("format = 1\n{text}");
    let site = definitions().site(&Source::new("site.toml", text));
    site.unwrap_or_else(|problems| panic!("{}", problems.iter().map(ToString::to_string).collect::<String>()))
}

/// 2026-11-24.
pub(super) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_478_400, 0).unwrap()
}

/// `/etc/a` is too open, `/etc/b` is not.
pub(super) fn host() -> Memory {
    Memory::new()
        .at(now().timestamp())
        .file("/etc/a", "")
        .owned("/etc/a", 0, 0, 0o666)
        .file("/etc/b", "")
        .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
        .file("/etc/group", "root:x:0:\n")
}

pub(super) fn request(site_text: &str) -> Request {
    Request { site: site(site_text), ..Request::default() }
}

pub(super) fn run(host: Memory, request: Request) -> Run {
    let options = Options { request, ..Options::default() };
    audit(Arc::new(host), &definitions(), &options, &mut |_| {}).unwrap()
}

pub(super) fn plan<'a>(definitions: &'a Definitions, request: &Request) -> Plan<'a> {
    let profiles = super::plan::candidates(definitions, request).unwrap();
    Plan::new(definitions, request, profiles).unwrap()
}
