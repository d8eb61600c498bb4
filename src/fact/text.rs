//! Text that came from the audited host, which may be hostile.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Text from the host. It has no `Display`: whoever shows it must say how it is made safe,
/// with [`Text::shown`] for terminals. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Text(Arc<str>);

impl Text {
    /// Text from bytes of unknown encoding; what is not UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(String::from_utf8_lossy(bytes).into())
    }

    /// The text as it is, for comparing. Not for showing.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The text with every control, bidirectional and invisible character escaped, on one line.
    #[must_use]
    pub fn shown(&self) -> Shown<'_> {
        Shown(&self.0)
    }
}

/// Debug output escapes like [`Text::shown`], so that a stray `{:?}` cannot reach a terminal raw.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.shown())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&std::path::Path> for Text {
    fn from(path: &std::path::Path) -> Self {
        use std::os::unix::ffi::OsStrExt as _;
        Self::from_bytes(path.as_os_str().as_bytes())
    }
}

/// Displays host text safely: see [`Text::shown`].
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(&'a str);

impl<'a> Shown<'a> {
    /// Shows any string the way host text is shown.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        Self(text)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for c in self.0.chars() {
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if is_unsafe(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Characters that move the cursor, hide, or reorder text: C0, DEL, C1, bidirectional and
/// zero-width controls, line separators, byte-order mark, tags.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_escaped_and_letters_are_not() {
        let hostile = Text::from("a\u{1b}[2Jb\n\u{202e}ü\u{9b}");
        assert_eq!(hostile.shown().to_string(), r"a\u{1b}[2Jb\n\u{202e}ü\u{9b}");
        assert_eq!(format!("{hostile:?}"), r#""a\u{1b}[2Jb\n\u{202e}ü\u{9b}""#);
    }

    #[test]
    fn invalid_utf8_is_replaced() {
        assert_eq!(Text::from_bytes(b"a\xffb").raw(), "a\u{fffd}b");
    }
}
