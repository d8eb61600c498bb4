//! Stanzas of `Field: value` lines, as dpkg, apt and their archives write them.
//!
//! Files of this kind reach fifty megabytes, so they are scanned as a stream: only the wanted fields are kept, and of one
//! stanza at a time.

use std::io::{self, BufRead, Read as _};

/// The longest line that is read. Real ones stay far below, even the list of all binaries of a source.
const LONGEST: u64 = 1024 * 1024;

/// One stanza, as far as its fields are wanted.
#[derive(Clone, Debug, Default)]
pub struct Stanza {
    /// Line on which it begins, from 1.
    pub line: u32,
    values: Vec<Option<(String, u32)>>,
    /// Whether it had any field, wanted or not.
    any: bool,
}

impl Stanza {
    /// The value of the wanted field at a position in the list of them. Lines after the first are kept, each after a line break
    /// and without blanks around it.
    #[must_use]
    pub fn get(&self, field: usize) -> Option<&str> {
        self.values.get(field)?.as_ref().map(|(value, _)| value.as_str())
    }

    /// The line on which a field stands.
    #[must_use]
    pub fn line_of(&self, field: usize) -> u32 {
        self.values.get(field).and_then(|value| value.as_ref()).map_or(self.line, |(_, line)| *line)
    }

    fn clear(&mut self, fields: usize) {
        self.values.clear();
        self.values.resize(fields, None);
        self.any = false;
    }
}

/// Reads stanzas one after the other.
pub struct Scanner<'a, R> {
    reader: R,
    fields: &'a [&'a str],
    line: u32,
    buffer: Vec<u8>,
    comments: bool,
    /// Whether the last stanza was ended by an empty line, as all that programs write are, and not by the end of the file.
    pub complete: bool,
}

impl<'a, R: BufRead> Scanner<'a, R> {
    /// Scans for these fields, whose names are compared without regard to case.
    pub fn new(reader: R, fields: &'a [&'a str]) -> Self {
        Self { reader, fields, line: 0, buffer: Vec::new(), comments: false, complete: true }
    }

    /// Lines that begin with `#` are comments, as in files that people write.
    #[must_use]
    pub fn with_comments(self) -> Self {
        Self { comments: true, ..self }
    }

    /// Reads the next stanza into `stanza`; `false` at the end.
    pub fn next(&mut self, stanza: &mut Stanza) -> io::Result<bool> {
        stanza.clear(self.fields.len());
        let mut current = None;
        loop {
            self.buffer.clear();
            let read = (&mut self.reader).take(LONGEST).read_until(b'\n', &mut self.buffer)?;
            if read as u64 == LONGEST && self.buffer.last() != Some(&b'\n') {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is longer than any that is meant"));
            }
            if read == 0 {
                self.complete &= !stanza.any;
                return Ok(stanza.any);
            }
            self.line += 1;
            let line = self.buffer.trim_ascii_end();
            match line.first() {
                None if stanza.any => return Ok(true),
                None => {}
                Some(b'#') if self.comments => {}
                Some(b' ' | b'\t') => {
                    if let Some((value, _)) = current.and_then(|at: usize| stanza.values.get_mut(at)?.as_mut()) {
                        value.push('\n');
                        value.push_str(&String::from_utf8_lossy(line.trim_ascii_start()));
                    }
                }
                Some(_) => {
                    if !stanza.any {
                        (stanza.any, stanza.line) = (true, self.line);
                    }
                    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("line {} is no field", self.line)));
                    };
                    let (name, value) = line.split_at(colon);
                    current = self.fields.iter().position(|field| name.eq_ignore_ascii_case(field.as_bytes()));
                    if let Some(slot) = current.and_then(|at| stanza.values.get_mut(at)) {
                        let value = value.get(1..).unwrap_or_default().trim_ascii_start();
                        *slot = Some((String::from_utf8_lossy(value).into_owned(), self.line));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line, package and version of a stanza.
    type Found = (u32, Option<String>, Option<String>);

    fn all(text: &[u8]) -> io::Result<(Vec<Found>, bool)> {
        let mut scanner = Scanner::new(text, &["Package", "Version"]);
        let (mut stanza, mut found) = (Stanza::default(), Vec::new());
        while scanner.next(&mut stanza)? {
            found.push((stanza.line, stanza.get(0).map(str::to_owned), stanza.get(1).map(str::to_owned)));
        }
        Ok((found, scanner.complete))
    }

    #[test]
    fn wanted_fields_of_each_stanza() {
        let text = b"\npackage: a\r\nDescription: x\n y\n .\nVersion:  1:2-3\r\n\n\nPackage: b\n c\n\n";
        let (found, complete) = all(text).unwrap();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(found, [(2, some("a"), some("1:2-3")), (9, some("b\nc"), None)]);
        assert!(complete);
    }

    #[test]
    fn nothing_cut_off_looks_whole() {
        let text = b"Package: a\nVersion: 1\n\nPackage: b\nVersion: 2\n\n";
        for end in 1..text.len() {
            let whole = matches!(end, 23 | 22) || end == text.len();
            match all(&text[..end]) {
                Ok((found, complete)) => assert!(!complete || (end == 23 && found.len() == 1), "{end} {whole}"),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::InvalidData),
            }
        }
    }

    #[test]
    fn hostile_files_are_refused() {
        assert!(all(&vec![b'x'; 3_000_000]).is_err());
        assert!(all(b"\0\xff\n").is_err());
        assert_eq!(all(b"Package: \xff\0\n\n").unwrap().0[0].1.as_deref(), Some("\u{fffd}\0"));
        assert!(all(b" leading\n\n").unwrap().0.is_empty());
    }

    #[test]
    fn comments_are_for_people() {
        let mut scanner = Scanner::new(&b"# x\nPackage: a\n# y\nVersion: 1\n"[..], &["Version"]).with_comments();
        let mut stanza = Stanza::default();
        assert!(scanner.next(&mut stanza).unwrap());
        assert_eq!((stanza.get(0), stanza.line_of(0)), (Some("1"), 4));
        assert!(!scanner.complete);
    }
}
