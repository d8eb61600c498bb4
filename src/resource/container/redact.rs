//! Takes out of a container's or image's document what may hold a secret, before anything can point into it.

use serde_json::Value;

use crate::fact::{Document, Gap, Origin, Reason};
use crate::parse::secret;

/// What stands in the place of what was taken out.
const TAKEN: &str = "…";

/// Members whose values are words of people: only the names of what is in them are kept.
const VALUES: [&str; 5] = ["Labels", "Options", "DriverOpts", "Annotations", "StorageOpt"];

/// Members that are command lines: only the program is kept.
const ARGUMENTS: [&str; 4] = ["Cmd", "Entrypoint", "Args", "Test"];

/// The document without values of environment variables, labels, driver options and arguments, and without anything that has the shape of a secret.
pub(in crate::resource) fn document(json: &[u8], origin: &Origin) -> Result<Document, Gap> {
    let gap = |error: serde_json::Error| Gap::new(origin.clone(), Reason::malformed(error.to_string()));
    let mut value: Value = serde_json::from_slice(json).map_err(gap)?;
    redact("", "", &mut value);
    Document::new(&serde_json::to_vec(&value).map_err(gap)?, origin.clone())
}

fn redact(above: &str, name: &str, value: &mut Value) {
    match value {
        Value::String(text) if secret::is_secret(name, text) => TAKEN.clone_into(text),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::Array(items) if name == "Env" => {
            for text in items.iter_mut().filter_map(|item| match item {
                Value::String(text) => Some(text),
                _ => None,
            }) {
                text.truncate(text.find('=').unwrap_or(text.len()));
            }
        }
        Value::Array(items) if ARGUMENTS.contains(&name) => {
            // `Args` are those after the program, and the first word of a health check only says how it is run.
            let kept = if name == "Args" { 0 } else { 1 };
            items.iter_mut().skip(kept).for_each(|item| *item = Value::from(TAKEN));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(above, name, item)),
        Value::Object(members) if VALUES.contains(&name) || (above == "LogConfig" && name == "Config") => {
            members.values_mut().for_each(|member| *member = Value::from(TAKEN));
        }
        Value::Object(members) => members.iter_mut().for_each(|(member, value)| redact(name, member, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_that_may_be_secret_is_left() {
        let json = br#"{"Args":["--token","hunter2"],"Config":{"Env":["DB_PASSWORD=hunter2","A=hunter2"],"Cmd":["run","hunter2"],"Labels":{"x":"hunter2"},
            "Healthcheck":{"Test":["CMD","hunter2"]}},"HostConfig":{"Init":true,"LogConfig":{"Type":"splunk","Config":{"splunk-token":"hunter2"}},
            "Mounts":[{"VolumeOptions":{"DriverConfig":{"Options":{"o":"password=hunter2"}}}}],"Proxy":"http://u:hunter2@p"}}"#;
        let document = document(json, &Origin::Derived).unwrap();
        assert!(!document.json().contains("hunter2"), "{}", document.json());
        assert_eq!(document.pointer("/HostConfig/Init").known(), Some(&crate::fact::Value::Setting("true".into())));
        assert_eq!(document.pointer("/Config/Env").known(), Some(&crate::fact::Value::List(vec!["DB_PASSWORD".into(), "A".into()])));
    }
}
