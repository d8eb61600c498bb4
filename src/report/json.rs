//! Canonical JSON: equal runs give equal bytes, and no byte can upset a terminal, a log or a reader.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::fact::is_unsafe;

/// Anything with text keys as JSON, written the way runs are: indented, with a line end, and safe to show.
#[must_use]
pub fn to_json(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    #[expect(clippy::expect_used, reason = "keys are text, and a vector takes every byte")]
    write(value, &mut bytes).expect("what has text keys can always be written");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The same, written as it comes about.
pub(super) fn write(value: &impl Serialize, mut to: impl io::Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut to, Escaping(PrettyFormatter::with_indent(b" "))))?;
    to.write_all(b"\n")
}

/// Writes what moves the cursor, hides or reorders text as `\u` escapes, which every JSON reader turns back.
struct Escaping<'a>(PrettyFormatter<'a>);

impl Formatter for Escaping<'_> {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        for piece in fragment.split_inclusive(is_unsafe) {
            match piece.chars().next_back() {
                Some(last) if is_unsafe(last) => {
                    to.write_all(piece.trim_end_matches(last).as_bytes())?;
                    let mut units = [0; 2];
                    for unit in last.encode_utf16(&mut units) {
                        write!(to, "\\u{unit:04x}")?;
                    }
                }
                _ => to.write_all(piece.as_bytes())?,
            }
        }
        Ok(())
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_array(to)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_array(to)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(to, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_array_value(to)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_object(to)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_object(to)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(to, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_object_value(to)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_object_value(to)
    }
}
