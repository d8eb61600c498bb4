//! dockerd's configuration file, with the line of every key.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::options::by_key;

/// One key of the file.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Name of the option; an earlier name is replaced by today's, an unknown one kept.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// Line of the key, counted from 1.
    pub line: u32,
}

/// The keys of a configuration file, in order. A key may come twice; the last counts.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DaemonFile {
    entries: Vec<Entry>,
}

impl DaemonFile {
    /// Reads a file. An empty one sets nothing, as dockerd has it. Errors with what is wrong and where.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let Members(members) = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut entries = Vec::new();
        for ((key, value), line) in members.into_iter().zip(lines_of_keys(bytes)) {
            match value {
                // The one group dockerd nests.
                Value::Object(inner) if key == "proxies" => {
                    entries.extend(inner.into_iter().map(|(key, value)| Entry { key, value, line }));
                }
                value => entries.push(Entry { key: by_key(&key).map_or(key, |spec| spec.key.to_owned()), value, line }),
            }
        }
        Ok(Self { entries })
    }

    /// What counts for an option.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().rfind(|entry| entry.key == key)
    }

    /// Every key.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// The members of an object in the order they are written, repeated ones included.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Collect)
    }
}

/// The lines of the outermost object's keys, in order, in text known to be JSON.
fn lines_of_keys(bytes: &[u8]) -> Vec<u32> {
    let mut lines = Vec::new();
    let (mut line, mut depth, mut key_next) = (1_u32, 0_u32, false);
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\n' => line += 1,
            b'{' | b'[' => {
                depth += 1;
                key_next = depth == 1;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 1 => key_next = true,
            b'"' => {
                if depth == 1 && std::mem::take(&mut key_next) {
                    lines.push(line);
                }
                while let Some(inside) = bytes.next() {
                    match inside {
                        b'\\' => {
                            bytes.next();
                        }
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_carry_their_lines() {
        let file = DaemonFile::parse(
            b"{\n  \"icc\": false,\n  \"log-opts\": {\n    \"max-size\": \"10m\",\n    \"a,\\\"}\": \"b\"\n  },\n  \"hosts\": [\"fd://\",\n \"tcp://0.0.0.0\"], \"debug\": true\n}\n",
        )
        .unwrap();
        let line = |key| file.get(key).map(|entry| entry.line);
        assert_eq!(
            [line("icc"), line("log-opts"), line("hosts"), line("debug"), line("max-size")],
            [Some(2), Some(3), Some(7), Some(8), None]
        );
    }

    #[test]
    fn the_last_of_two_counts_and_proxies_are_opened() {
        let file = DaemonFile::parse(b"\xef\xbb\xbf{\"icc\":true,\n\"icc\":false,\"proxies\":{\"http-proxy\":\"http://p\"}}").unwrap();
        assert_eq!(file.get("icc").map(|entry| (entry.line, entry.value.clone())), Some((2, Value::Bool(false))));
        assert_eq!(file.get("http-proxy").unwrap().value, "http://p");
        assert!(file.get("proxies").is_none());
    }

    #[test]
    fn empty_is_nothing_and_broken_is_an_error() {
        assert_eq!(DaemonFile::parse(b" \n"), Ok(DaemonFile::default()));
        for bad in [&b"{\"icc\": fals"[..], b"[]", b"{} {}", b"// no\n{}", b"{\"a\":1,}"] {
            assert!(DaemonFile::parse(bad).is_err());
        }
        let deep = [vec![b'['; 300], vec![b']'; 300]].concat();
        assert!(DaemonFile::parse(&[b"{\"a\":".to_vec(), deep, b"}".to_vec()].concat()).is_err(), "depth is bounded");
    }
}
