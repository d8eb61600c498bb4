//! The site file: this machine's or organisation's tailoring.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use toml::de::DeValue;

use super::load::{is_name, values};
use super::profile::known_check;
use super::tree::{File, Item, Table};
use super::words::closest;
use super::{Attestation, ControlBasis, Definitions, Literal, Problem, Role, Site, Source, Values, Waiver};

const KEYS: &[&str] = &["format", "profiles", "level", "role", "param", "skip", "waiver", "attestation"];
const WAIVER_KEYS: &[&str] = &["check", "subject", "reason", "owner", "approved_by", "expires", "fingerprint"];
const ATTESTATION_KEYS: &[&str] = &["check", "answer", "note", "by", "expires"];

/// Reads a site file, which may name only what is loaded.
pub(super) fn load(source: &Source, known: &Definitions) -> Result<Site, Vec<Problem>> {
    let file = File::new(source);
    let read = file.parse().and_then(|tree| Some(read(&file.root(&tree, false)?, known)));
    file.finish(read)
}

fn read(root: &Table<'_, '_>, known: &Definitions) -> Site {
    root.only(KEYS, "a site file");
    let mut site = Site { params: params(root, known), ..Site::default() };
    site.level = root.get("level").and_then(|item| item.number_within(1, 2)).and_then(|level| u8::try_from(level).ok());
    site.role = root.get("role").and_then(|item| role(&item));
    for item in root.get("profiles").and_then(|item| item.list()).unwrap_or_default() {
        site.profiles.extend(profile(&item, known));
    }
    for table in root.get("skip").map(|item| item.tables()).unwrap_or_default() {
        table.only(&["check", "reason"], "a skip");
        let reason = table.need_text("reason", "the skip");
        if let Some(check) = check(&table, "the skip", known) {
            site.skips.insert(check, reason);
        }
    }
    for table in root.get("waiver").map(|item| item.tables()).unwrap_or_default() {
        site.waivers.extend(waiver(&table, known));
    }
    for table in root.get("attestation").map(|item| item.tables()).unwrap_or_default() {
        site.attestations.extend(attestation(&table, known));
    }
    site
}

fn role(item: &Item<'_, '_>) -> Option<Role> {
    match item.filled_text()?.as_str() {
        "server" => Some(Role::Server),
        "workstation" => Some(Role::Workstation),
        _ => item.file.error(item.span(), "`role` is \"server\" or \"workstation\""),
    }
}

fn profile(item: &Item<'_, '_>, known: &Definitions) -> Option<String> {
    let id = item.filled_text()?;
    if known.profile(&id).is_some() {
        return Some(id);
    }
    let suggestion = closest(&id, known.profiles.iter().map(|profile| profile.id.as_str()));
    item.file.hint(item.span(), format!("there is no profile `{id}`"), suggestion)
}

fn check(table: &Table<'_, '_>, what: &str, known: &Definitions) -> Option<String> {
    let item = table.need("check", what)?;
    let id = item.filled_text()?;
    known_check(&item, &id, known).map(|()| id)
}

fn waiver(table: &Table<'_, '_>, known: &Definitions) -> Option<Waiver> {
    table.only(WAIVER_KEYS, "a waiver");
    let check = check(table, "the waiver", known);
    let (reason, owner) = (table.need_text("reason", "the waiver"), table.need_text("owner", "the waiver"));
    let (subject, approved_by, fingerprint) = (table.text("subject"), table.text("approved_by"), table.text("fingerprint"));
    let expires = table.need("expires", "the waiver").and_then(|item| instant(&item));
    let place = table.get("check").map_or_else(|| table.file.place(table.at.start), |item| item.place());
    Some(Waiver { check: check?, subject, reason, owner, approved_by, expires: expires?, fingerprint, place })
}

fn attestation(table: &Table<'_, '_>, known: &Definitions) -> Option<Attestation> {
    table.only(ATTESTATION_KEYS, "an attestation");
    let check = table.need("check", "the attestation").and_then(|item| attested(&item, known));
    let (note, by) = (table.need_text("note", "the attestation"), table.need_text("by", "the attestation"));
    let expires = table.need("expires", "the attestation").and_then(|item| instant(&item));
    let pass = table.need("answer", "the attestation").and_then(|item| match item.text()?.as_str() {
        "pass" => Some(true),
        "fail" => Some(false),
        _ => item.file.error(item.span(), "`answer` is \"pass\" or \"fail\""),
    });
    let place = table.get("check").map_or_else(|| table.file.place(table.at.start), |item| item.place());
    Some(Attestation { check: check?, pass: pass?, note, by, expires: expires?, place })
}

/// What a person answers: a manual check, or a control as `PROFILE CONTROL`. What is measured is not for persons to answer.
fn attested(item: &Item<'_, '_>, known: &Definitions) -> Option<String> {
    let id = item.filled_text()?;
    if let Some((profile, control)) = id.split_once(' ') {
        let control = known.profile(profile).and_then(|profile| profile.controls.iter().find(|candidate| candidate.id == control.trim()));
        return match control.map(|control| &control.basis) {
            Some(ControlBasis::Manual(_)) => Some(id),
            Some(_) => item.file.error(item.span(), format!("`{id}` is not answered by a person")),
            None => item.file.error(item.span(), format!("there is no control `{id}`")),
        };
    }
    known_check(item, &id, known)?;
    match known.check(&id).map(|(_, check)| &check.basis) {
        Some(super::Basis::Automated { .. }) => {
            let message = format!("`{id}` is measured, not answered by a person");
            item.file.hint(item.span(), message, Some("to accept a failure, write a `[[waiver]]`".into()))
        }
        _ => Some(id),
    }
}

/// A date and time with its offset from UTC: without one it would mean another instant on every host.
fn instant(item: &Item<'_, '_>) -> Option<DateTime<Utc>> {
    let example = "write a date and time with an offset, such as 2027-03-31T00:00:00Z";
    let DeValue::Datetime(written) = item.value.get_ref() else {
        return item.file.hint(item.span(), format!("`{}` must be a date and time", item.key), Some(format!("{example}, without quotes")));
    };
    let (Some(date), Some(time), Some(offset)) = (written.date, written.time, written.offset) else {
        return item.file.hint(item.span(), format!("`{}` has no offset from UTC", item.key), Some(example.into()));
    };
    let minutes = match offset {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => i32::from(minutes),
    };
    let local = NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
        .and_then(|day| day.and_hms_opt(u32::from(time.hour), u32::from(time.minute), u32::from(time.second.unwrap_or_default())));
    let instant = local.zip(FixedOffset::east_opt(minutes * 60)).and_then(|(local, offset)| local.and_local_timezone(offset).single());
    match instant {
        Some(instant) => Some(instant.with_timezone(&Utc)),
        None => item.file.error(item.span(), format!("`{}` is not a date that exists", item.key)),
    }
}

/// Reads `[param]`: values for parameters that are declared somewhere, within their bounds.
pub(super) fn params(root: &Table<'_, '_>, known: &Definitions) -> Values {
    let mut set = Values::new();
    for item in root.get("param").and_then(|item| item.table()).map(|table| table.items()).unwrap_or_default() {
        if let Some(values) = param(&item, known) {
            set.insert(item.key.to_owned(), (values, item.place()));
        }
    }
    set
}

fn param(item: &Item<'_, '_>, known: &Definitions) -> Option<Vec<Literal>> {
    let name = item.key;
    let Some(param) = known.param(name) else {
        let names = known.benchmarks.iter().flat_map(|benchmark| benchmark.params.keys());
        return item.file.hint(item.at.clone(), format!("there is no parameter `{name}`"), closest(name, names.map(String::as_str)));
    };
    let (values, is_list) = values(item)?;
    match param.refuses(name, &values, is_list) {
        Some(why) => item.file.error(item.span(), format!("{why} (declared at {})", param.place)),
        None => Some(values),
    }
}

/// Reads `NAME=VALUE`. The value is TOML; what is not TOML is text, so that quotes can be left out.
pub(super) fn setting(assignment: &str, known: &Definitions) -> Result<Values, Problem> {
    let Some((name, value)) = assignment.split_once('=') else {
        return Err(Problem::of_file("--set", format!("`{assignment}` is not NAME=VALUE")));
    };
    let (name, value) = (name.trim(), value.trim());
    if !is_name(name) {
        return Err(Problem::of_file("--set", format!("`{name}` is not the name of a parameter")));
    }
    let as_toml = DeValue::parse(value).is_ok_and(|parsed| !parsed.get_ref().is_datetime());
    let value = if as_toml { value.to_owned() } else { quoted(value) };
    let source = Source::new("--set", format!("param.{name} = {value}"));
    let file = File::new(&source);
    let read = file.parse().and_then(|tree| Some(params(&file.root(&tree, false)?, known)));
    file.finish(read).map_err(|problems| {
        let first = problems.into_iter().next().map(|problem| (problem.message, problem.suggestion));
        let (message, suggestion) = first.unwrap_or_else(|| ("not understood".to_owned(), None));
        Problem { suggestion, ..Problem::of_file("--set", message) }
    })
}

/// Text as a TOML string.
fn quoted(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}
