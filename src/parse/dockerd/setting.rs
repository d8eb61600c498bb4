//! Values of dockerd's options, the same whether a flag or the file gave them.

use serde_json::Value;

use super::options::{Shape, Spec, flag_value};
use super::url::without_user;
use crate::parse::secret;

/// What an option is set to, without passwords.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Setting {
    /// `true` and `false`, numbers and text as they are, lists and objects as compact JSON.
    pub text: String,
    /// The elements of a list, `key=value` for each of a map, else the one value.
    pub values: Vec<String>,
}

impl Setting {
    /// The value of an option given by flags, in order. Errors where dockerd would not understand it.
    pub fn of_flags(spec: &Spec, given: &[&str]) -> Result<Self, String> {
        let last = given.last().copied().unwrap_or_default();
        match spec.shape {
            Shape::Flag => flag_value(last).map(Self::flag).ok_or_else(|| format!("--{} is neither true nor false", spec.flag)),
            Shape::Scalar => Ok(Self::scalar(last)),
            Shape::List => Ok(Self::list(given.iter().map(|value| clean(value)).collect())),
            Shape::Map => Ok(Self::map(given.iter().map(|pair| clean(pair)).collect())),
        }
    }

    /// The value of an option in the file. Errors where dockerd would not understand it.
    pub fn of_json(spec: &Spec, value: &Value) -> Result<Self, String> {
        let odd = || format!("{} is of another type", spec.key);
        match (spec.shape, value) {
            (Shape::Flag, Value::Bool(flag)) => Ok(Self::flag(*flag)),
            (Shape::Scalar, Value::String(text)) => Ok(Self::scalar(text)),
            (Shape::Scalar, Value::Number(number)) => Ok(Self::scalar(&number.to_string())),
            (Shape::List, Value::Array(items)) => Ok(Self::list(items.iter().map(|item| clean(&plain(item))).collect())),
            (Shape::Map, Value::Object(members)) => {
                Ok(Self::map(members.iter().map(|(key, value)| clean(&format!("{key}={}", member(spec.key, value)))).collect()))
            }
            // How JSON says that nothing is set.
            (Shape::List, Value::Null) => Ok(Self::list(Vec::new())),
            (Shape::Map, Value::Null) => Ok(Self::map(Vec::new())),
            (Shape::Scalar, Value::Null) => Ok(Self::scalar("")),
            _ => Err(odd()),
        }
    }

    /// The value of an option that nothing sets, or that the engine itself tells.
    #[must_use]
    pub fn of_texts(spec: &Spec, texts: &[&str]) -> Self {
        match spec.shape {
            Shape::Flag | Shape::Scalar => Self::scalar(texts.last().copied().unwrap_or_default()),
            Shape::List => Self::list(texts.iter().map(|text| clean(text)).collect()),
            Shape::Map => Self::map(texts.iter().map(|text| clean(text)).collect()),
        }
    }

    fn flag(flag: bool) -> Self {
        Self { text: flag.to_string(), values: vec![flag.to_string()] }
    }

    fn scalar(text: &str) -> Self {
        let text = without_user(text);
        Self { values: vec![text.clone()], text }
    }

    fn list(values: Vec<String>) -> Self {
        Self { text: Value::from(values.clone()).to_string(), values }
    }

    /// Pairs in the order of their keys, as daemon.json has no other.
    fn map(mut values: Vec<String>) -> Self {
        values.sort();
        let pairs = values.iter().map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let members: serde_json::Map<String, Value> = pairs.map(|(key, value)| (key.to_owned(), Value::from(value))).collect();
        Self { text: Value::from(members).to_string(), values }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The value of one member of a map. Limits are written as the flag writes them: `SOFT:HARD`.
fn member(option: &str, value: &Value) -> String {
    let limit = || {
        let (soft, hard) = (value.get("Soft")?.as_i64()?, value.get("Hard")?.as_i64()?);
        (option == "default-ulimits").then(|| format!("{soft}:{hard}"))
    };
    limit().unwrap_or_else(|| plain(value))
}

/// A value or a pair without what looks like a secret: log drivers take tokens, labels take anything.
fn clean(text: &str) -> String {
    match text.split_once('=') {
        Some((name, value)) if !name.contains("://") => {
            let value = without_user(value);
            let shown = if secret::is_secret(name, &value) { "(not shown)" } else { &value };
            format!("{name}={shown}")
        }
        _ => without_user(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::options::by_key;
    use super::*;

    fn file(key: &str, value: Value) -> Result<Setting, String> {
        Setting::of_json(by_key(key).unwrap(), &value)
    }

    fn flags(key: &str, given: &[&str]) -> Result<Setting, String> {
        Setting::of_flags(by_key(key).unwrap(), given)
    }

    #[test]
    fn file_and_flags_say_the_same() {
        assert_eq!(file("icc", json!(false)), flags("icc", &["true", "f"]));
        assert_eq!(file("mtu", json!(1400)), flags("mtu", &["1400"]));
        assert_eq!(file("hosts", json!(["fd://", "tcp://h"])), flags("hosts", &["fd://", "tcp://h"]));
        assert_eq!(file("log-opts", json!({"max-size": "10m", "max-file": "3"})), flags("log-opts", &["max-size=10m", "max-file=3"]));
        let limits = file("default-ulimits", json!({"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 2048}}));
        assert_eq!(limits, flags("default-ulimits", &["nofile=1024:2048"]));
        assert_eq!(limits.unwrap().text, r#"{"nofile":"1024:2048"}"#);
    }

    #[test]
    fn what_dockerd_would_not_understand_is_no_value() {
        assert!(file("icc", json!("false")).is_err());
        assert!(file("hosts", json!("fd://")).is_err());
        assert!(file("log-opts", json!([])).is_err());
        assert!(file("icc", Value::Null).is_err());
        assert!(flags("icc", &["maybe"]).is_err());
        assert_eq!(file("default-ulimits", json!({})).unwrap().values, [""; 0], "set to nothing");
        assert_eq!(file("authorization-plugins", json!([])).unwrap().values, [""; 0]);
    }

    #[test]
    fn passwords_stay_behind() {
        assert_eq!(file("https-proxy", json!("http://bob:pw@proxy:3128")).unwrap().text, "http://proxy:3128");
        let splunk = file("log-opts", json!({"splunk-token": "1f0c-22", "splunk-url": "https://u:p@splunk"})).unwrap();
        assert_eq!(splunk.values, ["splunk-token=(not shown)", "splunk-url=https://splunk"]);
    }
}
