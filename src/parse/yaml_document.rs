//! YAML, of which JSON is a part, to the values it stands for: one document of limited size and depth, and no aliases, with which
//! a few lines could stand for more than fits into memory.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// The most that is read, in bytes.
const MOST_BYTES: usize = 1024 * 1024;
/// The most values in one document.
const MOST_VALUES: usize = 50_000;
/// How deep values may nest.
const DEEPEST: usize = 64;

/// The first document of a text; null where there is none. Errors with what is wrong.
pub fn document(content: &[u8]) -> Result<Value, String> {
    if content.len() > MOST_BYTES {
        return Err("larger than any configuration".to_owned());
    }
    let text = std::str::from_utf8(content).map_err(|_| "not UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut open: Vec<Open> = Vec::new();
    let mut values = 0_usize;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| error.to_string())?;
        let finished = match event {
            Event::Alias(_) => return Err("it has aliases, which are not followed".to_owned()),
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= DEEPEST => return Err("it nests too deep".to_owned()),
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Map(Map::new(), None));
                continue;
            }
            Event::Scalar(text, style, _, tag) => {
                let plain = matches!(style, ScalarStyle::Plain) && tag.is_none();
                if plain { resolved(&text) } else { Value::String(text.into_owned()) }
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(list)) => Value::Array(list),
                Some(Open::Map(map, _)) => Value::Object(map),
                None => continue,
            },
            Event::DocumentEnd | Event::StreamEnd => return Ok(Value::Null),
            _ => continue,
        };
        values += 1;
        if values > MOST_VALUES {
            return Err("it has too many values".to_owned());
        }
        match open.last_mut() {
            None => return Ok(finished),
            Some(Open::List(list)) => list.push(finished),
            Some(Open::Map(map, key)) => match key.take() {
                None => *key = Some(text_of(&finished)),
                // Of two with the same name the last counts, as for most readers.
                Some(key) => drop(map.insert(key, finished)),
            },
        }
    }
    Ok(Value::Null)
}

/// A list or map that has not ended.
enum Open {
    List(Vec<Value>),
    Map(Map<String, Value>, Option<String>),
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What a word without quotes means. `yes` and its like are flags, as Kubernetes reads them.
fn resolved(word: &str) -> Value {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "N" => Value::Bool(false),
        word => word.parse::<i64>().map_or_else(|_| Value::String(word.to_owned()), Value::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TEXT: &str = "# kubelet\nkind: KubeletConfiguration\nauthentication:\n  anonymous: {enabled: no}\n  x509:\n    clientCAFile: \"/etc/ca.crt\"\n\
        list:\n- a\n- 'true'\n- 10\nempty:\n---\nsecond: 1\n";

    #[test]
    fn the_first_document_counts() {
        let expected = json!({
            "kind": "KubeletConfiguration",
            "authentication": { "anonymous": { "enabled": false }, "x509": { "clientCAFile": "/etc/ca.crt" } },
            "list": ["a", "true", 10],
            "empty": null,
        });
        assert_eq!(document(TEXT.as_bytes()), Ok(expected));
        assert_eq!(document(b"{\"a\": [1, false, \"x\"]}"), Ok(json!({ "a": [1, false, "x"] })));
        assert_eq!(document(b"\n# nothing\n"), Ok(Value::Null));
        assert_eq!(document(b"a: 1\na: 2\n"), Ok(json!({ "a": 2 })));
    }

    #[test]
    fn bombs_and_nonsense_are_refused() {
        assert!(document(b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n").unwrap_err().contains("aliases"));
        assert!(document("[".repeat(100_000).as_bytes()).is_err());
        assert!(document(format!("[{}]", "1,".repeat(MOST_VALUES + 1)).as_bytes()).is_err());
        assert!(document(&vec![b'a'; MOST_BYTES + 1]).is_err());
        for bad in [&b"a: [1\n"[..], b"a: b: c\n", b"\"x", b"\xff\xfe"] {
            assert!(document(bad).is_err(), "{bad:?}");
        }
        for end in 0..=TEXT.len() {
            let _ = document(&TEXT.as_bytes()[..end]);
        }
    }
}
