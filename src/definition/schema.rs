//! JSON Schemas of definition files, for editors, made from the resources and the matchers there are.

use serde_json::{Map, Value, json};

use crate::fact::{Field, Kind};
use crate::resource::{Entry, RESOURCES};

use super::Severity;
use super::matcher::WORDS;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
/// The name a parameter has, with its dollar.
const PARAM: &str = "^\\$[a-z][a-z0-9_]*$";

/// The schema of benchmark files.
#[must_use]
pub fn benchmark_schema() -> Value {
    let names = Severity::ALL.map(Severity::word);
    let check = object(
        "One statement that is true of a hardened host.",
        &["id", "title", "severity"],
        json!({
            "id": described("Id in kebab-case, subject first, stating the good condition.", json!({ "type": "string" })),
            "title": described("A sentence that is true when the check passes.", json!({ "type": "string" })),
            "severity": described("How bad a failure is.", json!({ "enum": names })),
            "why": described("Why it matters.", json!({ "type": "string" })),
            "fix": described("The smallest fix.", json!({ "type": "string" })),
            "disturbs": described("What the fix disturbs.", json!({ "type": "string" })),
            "see": described("Where to read more.", json!({ "type": "array", "items": { "type": "string" } })),
            "applies_when": expectations("When the check applies; all must hold."),
            "holds": described("Whether all expectations must hold or one of them.", json!({ "enum": ["all", "any"] })),
            "expect": expectations("What is claimed; all must hold, unless `holds` says otherwise."),
            "manual": described("What a person has to ask, where nothing can be measured.", json!({ "type": "string" })),
        }),
    );
    let param = object(
        "A named value that profiles and sites may change.",
        &["default", "doc"],
        json!({
            "default": described("Value where nobody changes it. A list means any of them.", reference("values")),
            "within": described("What a profile or site may set.", json!({ "anyOf": [matcher(Kind::Setting), matcher(Kind::Mode), matcher(Kind::Version)] })),
            "doc": described("What it means.", json!({ "type": "string" })),
        }),
    );
    let mut root = object(
        "A file of checks about one subject.",
        &["format", "benchmark", "title", "check"],
        json!({
            "format": { "const": 1 },
            "benchmark": described("Its path below the folder of benchmarks, without the suffix.", json!({ "type": "string" })),
            "title": described("Title for people.", json!({ "type": "string" })),
            "param": { "type": "object", "propertyNames": { "pattern": "^[a-z][a-z0-9_]*$" }, "additionalProperties": param },
            "applies_when": expectations("When the checks of this file apply at all; all must hold."),
            "check": { "type": "array", "minItems": 1, "items": check },
        }),
    );
    add_definitions(&mut root);
    root
}

/// The schema of profiles.
#[must_use]
pub fn profile_schema() -> Value {
    let one = json!({ "enum": [1, 2] });
    let by_role =
        json!({ "type": "object", "minProperties": 1, "properties": { "server": one, "workstation": one }, "additionalProperties": false });
    let levels = json!({ "anyOf": [one, by_role] });
    let mut control = object(
        "One numbered recommendation, answered by checks, by a person, or not at all.",
        &["id"],
        json!({
            "id": described("Number, in quotes.", json!({ "type": "string" })),
            "title": described("Title in our own words.", json!({ "type": "string" })),
            "level": described("Level, or one for each role of host; 1 where left out.", levels),
            "checks": described("Checks, all of which must pass.", json!({ "type": "array", "minItems": 1, "items": { "type": "string" } })),
            "manual": described("What a person has to ask.", json!({ "type": "string" })),
            "uncovered": described("Why nothing answers it.", json!({ "type": "string" })),
            "note": described("A remark for readers.", json!({ "type": "string" })),
        }),
    );
    insert(&mut control, "oneOf", json!([{ "required": ["checks"] }, { "required": ["manual"] }, { "required": ["uncovered"] }]));
    let mut root = object(
        "A framework's controls, mapped to checks.",
        &["format", "profile", "title", "control"],
        json!({
            "format": { "const": 1 },
            "profile": described("Id: the file's name without the suffix.", json!({ "type": "string" })),
            "title": described("Title for people.", json!({ "type": "string" })),
            "version": described("Version of the framework.", json!({ "type": "string" })),
            "default": described("Whether it is used when no profile is named and it applies.", json!({ "type": "boolean" })),
            "line": described("The score a host must float above.", json!({ "type": "integer", "minimum": 0, "maximum": 100 })),
            "applies_when": expectations("When it applies; all must hold."),
            "param": described("Parameters it sets.", json!({ "type": "object", "additionalProperties": reference("values") })),
            "control": { "type": "array", "minItems": 1, "items": control },
        }),
    );
    add_definitions(&mut root);
    root
}

fn add_definitions(root: &mut Value) {
    let mut definitions = Map::new();
    let all = RESOURCES.iter().map(|entry| reference(&format!("expectation.{}", entry.schema.resource))).collect::<Vec<_>>();
    definitions.insert("expectation".into(), json!({ "oneOf": all }));
    let scalar = json!({ "type": ["string", "integer", "boolean"] });
    definitions.insert("values".into(), json!({ "anyOf": [scalar, { "type": "array", "items": scalar }] }));
    for kind in [Kind::Flag, Kind::Integer, Kind::Text, Kind::Setting, Kind::Mode, Kind::Version, Kind::List] {
        definitions.insert(format!("matcher.{kind}"), kind_matcher(kind, kind == Kind::List));
    }
    definitions.insert("matcher.pointer".into(), kind_matcher(Kind::Setting, true));
    for entry in RESOURCES {
        let name = entry.schema.resource;
        definitions.insert(format!("expectation.{name}"), expectation(entry));
        definitions.insert(format!("fields.{name}"), fields(entry));
    }
    insert(root, "$schema", json!(DRAFT));
    insert(root, "$defs", Value::Object(definitions));
}

fn expectation(entry: &Entry) -> Value {
    let name = entry.schema.resource;
    let pattern = || {
        let fields = reference(&format!("fields.{name}"));
        json!({ "anyOf": [fields, { "type": "array", "minItems": 1, "items": fields }] })
    };
    let selector = if entry.arguments.is_empty() {
        let text = json!({ "type": "string", "minLength": 1 });
        json!({ "anyOf": [text, { "type": "array", "minItems": 1, "uniqueItems": true, "items": text }] })
    } else {
        let argument = json!({ "type": ["string", "array"], "items": { "type": "string" } });
        let arguments: Map<_, _> = entry.arguments.iter().map(|name| ((*name).to_owned(), argument.clone())).collect();
        json!({ "type": "object", "properties": arguments, "required": entry.arguments, "additionalProperties": false })
    };
    let mut properties = Map::new();
    properties.insert(name.into(), described(&format!("{} Selected by {}.", entry.schema.doc.trim(), entry.selector), selector));
    properties.insert("where".into(), described("Only records that look like this.", pattern()));
    properties.insert("each".into(), described("Every selected record looks like this; not applicable where there is none.", pattern()));
    properties.insert("any".into(), described("At least one does; fails where there is none.", pattern()));
    properties.insert("none".into(), described("None does; passes where there is none.", pattern()));
    properties.insert("count".into(), described("The number of selected records.", matcher(Kind::Integer)));
    properties.insert(
        "because".into(),
        described("For a condition: what to tell people where it does not hold.", json!({ "type": "string", "minLength": 1 })),
    );
    let mut expectation = object("One claim about the records of one resource.", &[name], Value::Object(properties));
    let claims = ["each", "any", "none", "count"].map(|claim| json!({ "required": [claim] }));
    insert(&mut expectation, "oneOf", json!(claims));
    expectation
}

fn fields(entry: &Entry) -> Value {
    let property = |field: &Field| (field.name.to_owned(), described(field.doc.trim(), matcher(field.kind)));
    let properties: Map<_, _> = entry.schema.fields.iter().map(property).collect();
    let mut fields = object(entry.schema.doc.trim(), &[], Value::Object(properties));
    insert(&mut fields, "minProperties", json!(1));
    if entry.schema.has_document {
        insert(&mut fields, "patternProperties", json!({ "^/": reference("matcher.pointer") }));
    }
    fields
}

/// A bare value, a table of matchers, or a list of either.
fn kind_matcher(kind: Kind, lists: bool) -> Value {
    let name = if kind == Kind::Setting && lists { "matcher.pointer".to_owned() } else { format!("matcher.{kind}") };
    let words = WORDS.iter().filter(|(_, kinds, _)| kinds.contains(&kind) || (lists && kinds.contains(&Kind::List)));
    let properties: Map<_, _> = words.map(|(word, ..)| ((*word).to_owned(), operand(word, kind, &name, lists))).collect();
    let table = json!({ "type": "object", "minProperties": 1, "properties": properties, "additionalProperties": false });
    let mut one = vec![table];
    if kind != Kind::List {
        one.push(bare(kind));
        one.push(json!({ "type": "string", "pattern": PARAM }));
    }
    let several = json!({ "type": "array", "minItems": 1, "items": { "anyOf": one } });
    one.push(several);
    json!({ "anyOf": one })
}

fn operand(word: &str, kind: Kind, name: &str, lists: bool) -> Value {
    let texts = || json!({ "anyOf": [{ "type": "string" }, { "type": "array", "minItems": 1, "items": { "type": "string" } }] });
    match word {
        "min" | "max" if kind == Kind::Setting => json!({ "anyOf": [bare(Kind::Integer), { "type": "string", "pattern": PARAM }] }),
        "min" | "max" => json!({ "anyOf": [bare(kind), { "type": "string", "pattern": PARAM }] }),
        "not" => reference(name),
        "contains" | "only" if lists => matcher(Kind::Text),
        "empty" | "present" => json!({ "type": "boolean" }),
        "count" => matcher(Kind::Integer),
        _ => texts(),
    }
}

/// A value as written for a kind.
fn bare(kind: Kind) -> Value {
    match kind {
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Integer => json!({ "type": "integer" }),
        Kind::Setting => json!({ "type": ["string", "integer", "boolean"] }),
        Kind::Mode => json!({ "type": "string", "pattern": "^[0-7]{3,4}$" }),
        Kind::Text | Kind::Version | Kind::List => json!({ "type": "string" }),
    }
}

fn matcher(kind: Kind) -> Value {
    reference(&format!("matcher.{kind}"))
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn expectations(doc: &str) -> Value {
    described(doc, json!({ "type": "array", "minItems": 1, "items": reference("expectation") }))
}

fn described(doc: &str, mut schema: Value) -> Value {
    insert(&mut schema, "description", json!(doc));
    schema
}

fn object(doc: &str, required: &[&str], properties: Value) -> Value {
    json!({ "description": doc, "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

fn insert(schema: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = schema {
        members.insert(key.to_owned(), value);
    }
}
