//! How deeply a TOML file is nested, found out before it is parsed: the tree is taken apart recursively,
//! and dotted keys within nested tables would make it deep enough to exhaust the stack.

/// Deepest nesting of brackets that is read. With the parser's own limit of 80 parts to a key it bounds the tree.
const DEEPEST: usize = 16;

/// Where brackets are nested too deeply, if anywhere. Brackets in strings and comments do not count.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        at += match byte {
            b'#' => rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()),
            b'"' | b'\'' => string(rest, *byte),
            b'[' | b'{' => {
                depth += 1;
                if depth > DEEPEST {
                    return Some(at);
                }
                1
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                1
            }
            _ => 1,
        };
    }
    None
}

/// Length of the string that begins here, quotes included; up to the end of the line where it does not end.
fn string(text: &[u8], quote: u8) -> usize {
    let multiline = text.starts_with(&[quote; 3]);
    let mut at = if multiline { 3 } else { 1 };
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 2,
            b'\n' if !multiline => return at,
            b if *b == quote && !multiline => return at + 1,
            b if *b == quote && text.get(at..).is_some_and(|rest| rest.starts_with(&[quote; 3])) => return at + 3,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_count_outside_of_strings_and_comments() {
        let many = "[".repeat(DEEPEST + 1);
        assert_eq!(too_deep(&format!("a = {many}")), Some(4 + DEEPEST));
        assert_eq!(too_deep(&format!("a = {}{}", "[".repeat(DEEPEST), "]".repeat(DEEPEST))), None);
        for hidden in
            [format!("# {many}\na = 1"), format!(r#"a = "\"{many}""#), format!("a = '{many}'"), format!("a = \"\"\"\n\"{many}\n\"\"\"")]
        {
            assert_eq!(too_deep(&hidden), None, "{hidden}");
        }
        assert!(too_deep(&format!("a = \"unended\nb = {many}")).is_some());
        assert!(too_deep(&format!("a = '''x'''\nb = {many}")).is_some());
    }
}
