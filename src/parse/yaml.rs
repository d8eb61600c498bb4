//! A flat view of simple YAML: scalars by the path of their keys. Enough for the settings of daemons, not for YAML at large.

/// One scalar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scalar {
    /// Keys on the way, joined by dots; items of a list have the path of the list.
    pub path: String,
    /// Value without quotes or comment.
    pub value: String,
    /// Line, from 1.
    pub line: u32,
}

/// The deepest nesting that is followed.
const DEEPEST: usize = 64;

/// The scalars of a document, in order. `key: [a, b]` gives two of one path. What is no such line is passed over.
#[must_use]
pub fn scalars(text: &str) -> Vec<Scalar> {
    let mut found = Vec::new();
    let mut open: Vec<(usize, String)> = Vec::new();
    for (line, raw) in (1..).zip(text.lines()) {
        let bare = without_comment(raw);
        let trimmed = bare.trim();
        if trimmed.is_empty() || trimmed == "---" {
            continue;
        }
        let mut indent = bare.len() - bare.trim_start().len();
        let mut rest = trimmed;
        let mut item = false;
        while let Some(after) = rest.strip_prefix("- ").or_else(|| (rest == "-").then_some("")) {
            // What an item holds belongs to the list, however far to the left the dash stands.
            open.retain(|(at, _)| *at < indent || (*at == indent && !item));
            item = true;
            indent += 2 + (after.len() - after.trim_start().len());
            rest = after.trim_start();
        }
        open.retain(|(at, _)| *at < indent);
        let path = |own: &str| {
            let mut keys: Vec<&str> = open.iter().map(|(_, key)| key.as_str()).collect();
            if !own.is_empty() {
                keys.push(own);
            }
            keys.join(".")
        };
        match key_and_value(rest) {
            Some((key, "")) if open.len() < DEEPEST => open.push((indent, key.to_owned())),
            Some((key, value)) => found.extend(values(value).into_iter().map(|value| Scalar { path: path(key), value, line })),
            None if item => found.extend(values(rest).into_iter().map(|value| Scalar { path: path(""), value, line })),
            None => {}
        }
    }
    found
}

fn key_and_value(text: &str) -> Option<(&str, &str)> {
    if text.starts_with(['"', '\'', '[', '{']) {
        return None;
    }
    if let Some(key) = text.strip_suffix(':') {
        return Some((key.trim(), ""));
    }
    let (key, value) = text.split_once(": ")?;
    Some((key.trim(), value.trim()))
}

fn values(text: &str) -> Vec<String> {
    let bare = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(list) => list.split(',').map(bare).filter(|value| !value.is_empty()).collect(),
        None => vec![bare(text)],
    }
}

fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        match (quote, letter) {
            (None, '#') if before.is_whitespace() => return line.get(..at).unwrap_or_default(),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            _ => {}
        }
        before = letter;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lists_and_comments() {
        let text = "priority: notice # x\nfile_output:\n  enabled: true\n  filename: \"/var/a # b\"\n# http_output:\n#   enabled: true\naf-packet:\n  - interface: eth0\n    threads: 2\n  - interface: 'eth1'\nchains:\n- INPUT\n- FORWARD\nflow: [a, \"b\"]\nlast:";
        let found: Vec<_> = scalars(text).into_iter().map(|scalar| format!("{}={}", scalar.path, scalar.value)).collect();
        assert_eq!(
            found,
            [
                "priority=notice",
                "file_output.enabled=true",
                "file_output.filename=/var/a # b",
                "af-packet.interface=eth0",
                "af-packet.threads=2",
                "af-packet.interface=eth1",
                "chains=INPUT",
                "chains=FORWARD",
                "flow=a",
                "flow=b",
            ]
        );
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let _ = scalars(&text[..at]);
        }
        assert!(scalars(&" - ".repeat(10_000)).len() < 2);
    }
}
