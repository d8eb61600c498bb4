//! What is kept of what was seen: enough to believe a result, never so much that a report swells.

use std::cmp::Ordering;

use sha2::{Digest as _, Sha256};

use crate::audit::finding::Observation;
use crate::fact::{Fact, Gap, Origin, Reason, Shown, Text, Truth, Value};
use crate::parse::hex::hex;
use crate::resource::{Query, Selector};

/// Observations kept per check that speak for it.
const KEPT_GOOD: usize = 50;
/// Observations kept per check that speak against it or say nothing.
pub(in crate::audit) const KEPT_BAD: usize = 1000;
/// Bytes kept of a value.
const KEPT_BYTES: usize = 256;
/// Bytes kept of a name or path, which people need whole to find the thing.
const KEPT_NAME: usize = 1024;
/// Bytes for saying what was left out.
const REMARK: usize = 64;

/// Observations in canonical order, worst first, and the number left out.
pub(super) fn kept(mut observations: Vec<Observation>) -> (Vec<Observation>, u64) {
    observations.sort_by(order);
    let all = observations.len();
    let (mut good, mut bad) = (0, 0);
    observations.retain(|one| {
        let (count, most) = if one.truth == Truth::True { (&mut good, KEPT_GOOD) } else { (&mut bad, KEPT_BAD) };
        *count += 1;
        *count <= most
    });
    // Most of what is good is not kept.
    observations.shrink_to_fit();
    let omitted = (all - observations.len()) as u64;
    (observations, omitted)
}

/// Worst first, then by what they are about. What was seen decides last, and is written down only where all else is equal.
fn order(a: &Observation, b: &Observation) -> Ordering {
    fn about(one: &Observation) -> impl Ord {
        let rank = match one.truth {
            Truth::False => 0,
            Truth::Unknown => 1,
            Truth::True => 2,
        };
        (rank, &one.resource, &one.subject, &one.place, one.alternative, &one.field, &one.expected)
    }
    about(a).cmp(&about(b)).then_with(|| format!("{:?}", a.observed).cmp(&format!("{:?}", b.observed)))
}

/// A fact with long values cut, a digest of the whole in their place, so that a change beyond the cut still shows.
pub(super) fn shortened(fact: &Fact<Value>) -> Fact<Value> {
    match fact {
        Fact::Known(value, origin) => Fact::Known(short_value(value), short_origin(origin)),
        Fact::Absent(origin) => Fact::Absent(short_origin(origin)),
        Fact::Unknown(gap) => Fact::Unknown(short_gap(gap)),
    }
}

/// The name of a record, cut where it is absurdly long.
pub(super) fn subject(name: &Text) -> Text {
    cut(name, KEPT_NAME)
}

fn short_value(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(cut(text, KEPT_BYTES)),
        Value::Setting(text) => Value::Setting(cut(text, KEPT_BYTES)),
        Value::List(list) => Value::List(short_list(list)),
        Value::Flag(_) | Value::Integer(_) | Value::Mode(_) | Value::Version(_) => value.clone(),
    }
}

fn short_list(list: &[Text]) -> Vec<Text> {
    let size: usize = list.iter().map(|item| item.raw().len()).sum();
    if size <= KEPT_BYTES {
        return list.to_vec();
    }
    let mut left = KEPT_BYTES - REMARK;
    let mut short: Vec<Text> = list
        .iter()
        .map_while(|item| {
            left = left.checked_sub(item.raw().len())?;
            Some(item.clone())
        })
        .collect();
    let mut digest = Sha256::new();
    for item in list {
        digest.update((item.raw().len() as u64).to_be_bytes());
        digest.update(item.raw());
    }
    short.push(Text::from(format!("… ({} in all, sha256 {})", list.len(), short_digest(&digest.finalize()))));
    short
}

fn short_origin(origin: &Origin) -> Origin {
    let path = |path: &Text| cut(path, KEPT_NAME);
    match origin {
        Origin::File { path: file, line } => Origin::File { path: path(file), line: *line },
        Origin::Stat { path: file } => Origin::Stat { path: path(file) },
        Origin::Kernel { path: file } => Origin::Kernel { path: path(file) },
        Origin::Engine { engine, endpoint } => Origin::Engine { engine: path(engine), endpoint: path(endpoint) },
        Origin::Default { .. } | Origin::Derived => origin.clone(),
    }
}

fn short_gap(gap: &Gap) -> Gap {
    let reason = match &gap.reason {
        Reason::Malformed(what) => Reason::Malformed(cut(what, KEPT_BYTES)),
        Reason::Unsupported(why) => Reason::Unsupported(cut(why, KEPT_BYTES)),
        reason => reason.clone(),
    };
    Gap::new(short_origin(&gap.origin), reason)
}

fn cut(text: &Text, most: usize) -> Text {
    let raw = text.raw();
    if raw.len() <= most {
        return text.clone();
    }
    let end = raw.floor_char_boundary(most - REMARK);
    let (start, _) = raw.split_at(end);
    Text::from(format!("{start}… ({} bytes, sha256 {})", raw.len(), short_digest(&Sha256::digest(raw))))
}

/// The beginning of a digest, enough to tell two values apart.
fn short_digest(digest: &[u8]) -> String {
    hex(digest.get(..8).unwrap_or(digest))
}

/// A query in words: `container`, `file "/etc/passwd" or "/etc/group"`, `line pattern "x"`.
pub(in crate::audit) fn selector(query: &Query) -> String {
    let quoted = |keys: &[String]| keys.iter().map(|key| format!("\"{}\"", Shown::of(key))).collect::<Vec<_>>().join(" or ");
    match &query.of {
        Selector::All => query.resource.to_owned(),
        Selector::Keys(keys) => format!("{} {}", query.resource, quoted(keys)),
        Selector::Named(arguments) => {
            let arguments = arguments.iter().map(|(name, values)| format!(" {name} {}", quoted(values)));
            format!("{}{}", query.resource, arguments.collect::<String>())
        }
    }
}
