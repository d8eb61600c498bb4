//! What the two processes say to each other besides questions: the job in, the result out.
//!
//! The job is the first thing on the broker's socket: length (4, little-endian), then JSON. The result is a run of
//! frames on the worker's standard output: kind (1), number (2), length (4), then at most [`MOST_FRAME`] bytes.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most bytes of a job.
const MOST_JOB: usize = 4 * 1024 * 1024;

/// The most bytes one frame carries after its head.
pub(super) const MOST_FRAME: usize = 256 * 1024;

/// Bytes of a frame's head.
const FRAME_HEAD: usize = 1 + 2 + 4;

/// What the worker is started for.
#[derive(Serialize, Deserialize, Debug)]
pub(super) struct Order {
    /// Whether it seals itself.
    pub(super) seal: bool,
    /// Whether anything less than a full seal ends it.
    pub(super) require: bool,
    /// What it does then.
    pub(super) task: Task,
}

/// What a worker does once it is sealed.
#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum Task {
    /// A command of the program, in the command's own terms.
    Run(Value),
    /// One act of the self-test, by name, with a directory to try it in.
    Attempt {
        /// Name of the act.
        act: String,
        /// A directory of the self-test's own.
        scratch: String,
    },
}

impl Order {
    /// Sends the order.
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let json = serde_json::to_vec(self)?;
        let length = u32::try_from(json.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        if json.len() > MOST_JOB {
            return Err(io::Error::other("the arguments are too long"));
        }
        to.write_all(&length.to_le_bytes())?;
        to.write_all(&json)
    }

    /// Receives the order.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > MOST_JOB {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut json = vec![0; length];
        from.read_exact(&mut json)?;
        Ok(serde_json::from_slice(&json)?)
    }
}

/// What a frame of the result is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A line about what is going on.
    Progress,
    /// A line to be shown with the result.
    Note,
    /// What is being looked at, to be named should the worker get stuck on it.
    At,
    /// Bytes of the output with that number.
    Output,
    /// The end; the number is the exit code.
    Finish,
}

const KINDS: [Kind; 5] = [Kind::Progress, Kind::Note, Kind::At, Kind::Output, Kind::Finish];

/// Writes one frame; what exceeds [`MOST_FRAME`] is left out.
pub(super) fn write_frame(to: &mut impl Write, kind: Kind, number: u16, bytes: &[u8]) -> io::Result<()> {
    let bytes = bytes.get(..MOST_FRAME).unwrap_or(bytes);
    let mut frame = Vec::with_capacity(FRAME_HEAD + bytes.len());
    frame.extend(KINDS.iter().zip(0u8..).find_map(|(known, number)| (*known == kind).then_some(number)));
    frame.extend(number.to_le_bytes());
    frame.extend(u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes());
    frame.extend_from_slice(bytes);
    to.write_all(&frame)
}

/// Takes frames out of what has arrived so far.
#[derive(Default)]
pub(super) struct Frames {
    arrived: Vec<u8>,
}

/// What is on the wire is not a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Garbage;

impl Frames {
    /// Adds bytes that arrived.
    pub(super) fn arrived(&mut self, bytes: &[u8]) {
        self.arrived.extend_from_slice(bytes);
    }

    /// The next frame, once it is complete. At most one frame and one read's worth of bytes are ever held.
    pub(super) fn next(&mut self) -> Result<Option<(Kind, u16, Vec<u8>)>, Garbage> {
        let Some((head, rest)) = self.arrived.split_first_chunk::<FRAME_HEAD>() else { return Ok(None) };
        let [kind, low, high, length @ ..] = head;
        let kind = *KINDS.get(usize::from(*kind)).ok_or(Garbage)?;
        let length = u32::from_le_bytes(*length) as usize;
        if length > MOST_FRAME {
            return Err(Garbage);
        }
        let Some(bytes) = rest.get(..length) else { return Ok(None) };
        let frame = (kind, u16::from_le_bytes([*low, *high]), bytes.to_vec());
        self.arrived.drain(..FRAME_HEAD + length);
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_order_round_trips_and_a_long_one_is_refused() {
        let order = Order { seal: true, require: false, task: Task::Run(serde_json::json!({"a": [1, 2]})) };
        let mut bytes = Vec::new();
        order.write(&mut bytes).unwrap();
        let Order { seal: true, require: false, task: Task::Run(value) } = Order::read(&mut &bytes[..]).unwrap() else { panic!("changed") };
        assert_eq!(value["a"][1], 2);
        assert!(Order::read(&mut &bytes[..bytes.len() - 1]).is_err());
        assert!(Order::read(&mut &[0xff; 64][..]).is_err());
        let long = Order { seal: true, require: false, task: Task::Run("x".repeat(MOST_JOB).into()) };
        assert!(long.write(&mut Vec::new()).is_err());
    }

    proptest! {
        #[test]
        fn frames_round_trip_however_they_are_cut(
            sent in proptest::collection::vec((0..5usize, any::<u16>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..6),
            cut in 1..9usize,
        ) {
            let mut bytes = Vec::new();
            for (kind, number, payload) in &sent {
                write_frame(&mut bytes, KINDS[*kind], *number, payload).unwrap();
            }
            let mut frames = Frames::default();
            let mut received = Vec::new();
            for piece in bytes.chunks(cut) {
                frames.arrived(piece);
                while let Some(frame) = frames.next().unwrap() {
                    received.push(frame);
                }
            }
            let sent: Vec<_> = sent.into_iter().map(|(kind, number, payload)| (KINDS[kind], number, payload)).collect();
            prop_assert_eq!(received, sent);
        }

        #[test]
        fn garbage_is_refused_or_waits_for_a_bounded_rest(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut frames = Frames::default();
            frames.arrived(&bytes);
            while let Ok(Some((_, _, payload))) = frames.next() {
                prop_assert!(payload.len() <= MOST_FRAME);
            }
        }
    }
}
