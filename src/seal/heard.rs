//! What the worker said: bounded, and not understood.

use std::collections::BTreeMap;

use super::wire::{Frames, Kind};
use super::{Event, Outcome, Status};
use crate::fact::Text;

/// The most bytes of output that are kept.
const MOST_OUTPUT: usize = 256 * 1024 * 1024;

/// The most bytes of standard error that are passed on.
const MOST_DIAGNOSTICS: usize = 64 * 1024;

/// The most lines to be shown with the result.
const MOST_NOTES: usize = 1000;

/// The most bytes of a line.
const MOST_LINE: usize = 4096;

/// Everything the worker said, as it comes in.
pub(super) struct Heard<'a> {
    frames: Frames,
    outputs: BTreeMap<u16, Vec<u8>>,
    kept: usize,
    notes: Vec<Text>,
    last_at: Option<Text>,
    code: Option<u8>,
    line: Vec<u8>,
    diagnostics: usize,
    hear: &'a mut dyn FnMut(Event),
}

impl<'a> Heard<'a> {
    pub(super) fn new(hear: &'a mut dyn FnMut(Event)) -> Self {
        Self {
            frames: Frames::default(),
            outputs: BTreeMap::new(),
            kept: 0,
            notes: Vec::new(),
            last_at: None,
            code: None,
            line: Vec::new(),
            diagnostics: 0,
            hear,
        }
    }

    /// Takes bytes of the result; `false` at its end, an error where they are not a result.
    pub(super) fn result(&mut self, bytes: &[u8]) -> Result<bool, &'static str> {
        self.frames.arrived(bytes);
        while let Some((kind, number, bytes)) = self.frames.next().map_err(|_| "the worker's result is garbled")? {
            match kind {
                Kind::Progress => (self.hear)(Event::Progress(line(&bytes))),
                Kind::Note if self.notes.len() < MOST_NOTES => self.notes.push(line(&bytes)),
                Kind::Note => {}
                Kind::At => self.last_at = Some(line(&bytes)),
                Kind::Output => {
                    self.kept += bytes.len();
                    if self.kept > MOST_OUTPUT {
                        return Err("the worker's result is larger than 256 MiB");
                    }
                    self.outputs.entry(number).or_default().extend(bytes);
                }
                Kind::Finish => {
                    self.code = Some(u8::try_from(number).map_err(|_| "the worker's result is garbled")?);
                    return Ok(false);
                }
            }
        }
        Ok(!bytes.is_empty())
    }

    /// Takes bytes of standard error and passes on whole lines; `false` at its end.
    pub(super) fn diagnostic(&mut self, bytes: &[u8]) -> bool {
        let left = MOST_DIAGNOSTICS.saturating_sub(self.diagnostics);
        self.diagnostics = self.diagnostics.saturating_add(bytes.len());
        for byte in bytes.iter().take(left) {
            if *byte == b'\n' {
                self.pass_line();
            } else {
                self.line.push(*byte);
            }
        }
        !bytes.is_empty()
    }

    fn pass_line(&mut self) {
        if !self.line.is_empty() {
            (self.hear)(Event::Diagnostic(line(&self.line)));
            self.line.clear();
        }
    }

    /// Whether anything was said at all.
    pub(super) fn spoke(&self) -> bool {
        self.diagnostics > 0 || self.code.is_some() || !self.outputs.is_empty()
    }

    /// The result, once the worker has said that it is complete.
    pub(super) fn finished(&mut self) -> Option<Status> {
        let code = self.code?;
        Some(Status::Finished { code, outputs: std::mem::take(&mut self.outputs).into_iter().collect() })
    }

    /// What became of the worker.
    pub(super) fn outcome(mut self, status: Status) -> Outcome {
        self.pass_line();
        Outcome { status, notes: self.notes, last_at: self.last_at, abandoned: false }
    }
}

fn line(bytes: &[u8]) -> Text {
    Text::from_bytes(bytes.get(..MOST_LINE).unwrap_or(bytes))
}

#[cfg(test)]
mod tests {
    use super::super::wire::write_frame;
    use super::*;

    #[test]
    fn outputs_are_joined_by_number_and_complete_only_at_the_end() {
        let mut events = Vec::new();
        let mut hear = |event: Event| events.push(event);
        let mut heard = Heard::new(&mut hear);
        let mut bytes = Vec::new();
        for (kind, number, payload) in [
            (Kind::Output, 1, "one "),
            (Kind::Progress, 0, "at work"),
            (Kind::Output, 0, "zero"),
            (Kind::Output, 1, "more"),
            (Kind::At, 0, "/mnt"),
        ] {
            write_frame(&mut bytes, kind, number, payload.as_bytes()).unwrap();
        }
        assert_eq!(heard.result(&bytes), Ok(true));
        assert!(heard.finished().is_none());
        let mut end = Vec::new();
        write_frame(&mut end, Kind::Finish, 4, b"").unwrap();
        assert_eq!(heard.result(&end), Ok(false));
        let status = heard.finished().unwrap();
        let outcome = heard.outcome(status);
        let Status::Finished { code: 4, outputs } = outcome.status else { panic!("not finished") };
        assert_eq!(outputs, [(0, b"zero".to_vec()), (1, b"one more".to_vec())]);
        assert_eq!(outcome.last_at, Some("/mnt".into()));
        assert!(matches!(&events[..], [Event::Progress(line)] if line.raw() == "at work"));
    }

    #[test]
    fn garbage_and_impossible_codes_are_refused() {
        let mut hear = |_: Event| {};
        assert!(Heard::new(&mut hear).result(&[0xff; 32]).is_err());
        let mut bytes = Vec::new();
        write_frame(&mut bytes, Kind::Finish, 256, b"").unwrap();
        assert!(Heard::new(&mut hear).result(&bytes).is_err());
    }

    #[test]
    fn standard_error_is_passed_on_by_line_and_capped() {
        let mut lines = Vec::new();
        let mut hear = |event: Event| lines.push(event);
        let mut heard = Heard::new(&mut hear);
        heard.diagnostic(b"first\nsec");
        heard.diagnostic(b"ond\n\n");
        for _ in 0..100 {
            heard.diagnostic(&[b"x".repeat(4095), b"\n".to_vec()].concat());
        }
        let outcome = heard.outcome(Status::TimedOut);
        assert!(outcome.notes.is_empty());
        let text: usize = lines.iter().map(|event| if let Event::Diagnostic(line) = event { line.raw().len() } else { 0 }).sum();
        assert!(text <= MOST_DIAGNOSTICS, "{text}");
        assert!(
            matches!(&lines[..2], [Event::Diagnostic(first), Event::Diagnostic(second)] if first.raw() == "first" && second.raw() == "second")
        );
    }
}
