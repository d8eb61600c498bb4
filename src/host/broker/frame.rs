//! How questions and answers travel between worker and supervisor.
//!
//! A question is always [`QUESTION`] bytes: tag (4), kind (1), socket path (108, zero-padded), identifier (32),
//! process id (4), numbers little-endian. What a kind does not use must be zero. An answer is a run of parts, each
//! tag (4), status (1), length (4) and at most [`MOST_PART`] bytes; a part that says [`Status::More`] is followed
//! by another of the same tag, any other status is the last.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::fact::{Reason, Text};
use crate::host::engine::{Id, Route};

/// Bytes of a question.
pub const QUESTION: usize = 4 + 1 + PATH + 32 + 4;

/// Bytes of the head of an answer's part.
pub const PART_HEAD: usize = 4 + 1 + 4;

/// The most bytes one part of an answer carries after its head.
pub const MOST_PART: usize = 64 * 1024;

/// The most questions the worker leaves unanswered at a time. More is a breach of the protocol.
pub const MOST_OPEN: usize = 32;

/// As in `sockaddr_un`: a path that does not fit cannot be connected to either.
const PATH: usize = 108;

const AUDIT_RULES: u8 = 11;
const PROCESS_LINKS: u8 = 12;
const PACKET_FILTER: u8 = 13;
const SOCKET_OWNERS: u8 = 14;
const DELETED_CODE: u8 = 17;

/// One question, as the worker may ask it. There are no others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// Put one of the ten fixed questions to the engine behind a socket.
    Engine {
        /// Absolute path of the socket.
        socket: PathBuf,
        /// The question.
        route: Route,
    },
    /// List the audit rules loaded in the kernel.
    AuditRules,
    /// Read the links of [`super::PROCESS_LINKS`] for a process.
    ProcessLinks(i32),
    /// List what nftables holds.
    PacketFilter,
    /// List which processes hold which sockets.
    SocketOwners,
    /// Find processes that run code whose file was removed or replaced.
    DeletedCode,
}

impl Question {
    /// The question as bytes under a tag; `None` where the socket's path is longer than a socket address holds,
    /// not absolute, or contains a zero byte.
    #[must_use]
    pub fn encode(&self, tag: u32) -> Option<[u8; QUESTION]> {
        let (kind, path, id, pid) = match self {
            Self::Engine { socket, route } => {
                let path = socket.as_os_str().as_bytes();
                if path.len() >= PATH || !path.starts_with(b"/") || path.contains(&0) {
                    return None;
                }
                let (kind, id) = route_number(route);
                (kind, path, id.0, 0)
            }
            Self::AuditRules => (AUDIT_RULES, &[][..], [0; 32], 0),
            Self::ProcessLinks(pid) => (PROCESS_LINKS, &[][..], [0; 32], *pid),
            Self::PacketFilter => (PACKET_FILTER, &[][..], [0; 32], 0),
            Self::SocketOwners => (SOCKET_OWNERS, &[][..], [0; 32], 0),
            Self::DeletedCode => (DELETED_CODE, &[][..], [0; 32], 0),
        };
        let padding = std::iter::repeat_n(0, PATH.saturating_sub(path.len()));
        let bytes: Vec<u8> = tag
            .to_le_bytes()
            .into_iter()
            .chain([kind])
            .chain(path.iter().copied())
            .chain(padding)
            .chain(id)
            .chain(pid.to_le_bytes())
            .collect();
        bytes.try_into().ok()
    }

    /// Reads a question and its tag. Anything that [`Question::encode`] would not write is `None`.
    #[must_use]
    pub fn decode(bytes: &[u8; QUESTION]) -> Option<(u32, Self)> {
        let (tag, rest) = bytes.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first()?;
        let (path, rest) = rest.split_first_chunk::<PATH>()?;
        let (id, rest) = rest.split_first_chunk::<32>()?;
        let pid = i32::from_le_bytes(*rest.first_chunk()?);
        let question = match *kind {
            AUDIT_RULES => Self::AuditRules,
            PROCESS_LINKS => Self::ProcessLinks(pid),
            PACKET_FILTER => Self::PacketFilter,
            SOCKET_OWNERS => Self::SocketOwners,
            DELETED_CODE => Self::DeletedCode,
            kind => {
                let path = path.split(|byte| *byte == 0).next()?;
                Self::Engine { socket: Path::new(OsStr::from_bytes(path)).to_path_buf(), route: numbered_route(kind, Id(*id))? }
            }
        };
        let tag = u32::from_le_bytes(*tag);
        // One spelling per question: whatever was not used must have been zero.
        (question.encode(tag)? == *bytes).then_some((tag, question))
    }
}

fn route_number(route: &Route) -> (u8, Id) {
    let none = Id([0; 32]);
    match route {
        Route::Ping => (1, none),
        Route::Version => (2, none),
        Route::Info => (3, none),
        Route::Containers => (4, none),
        Route::Container(id) => (5, *id),
        Route::Images => (6, none),
        Route::Image(id) => (7, *id),
        Route::Networks => (8, none),
        Route::Network(id) => (9, *id),
        Route::Volumes => (10, none),
    }
}

fn numbered_route(number: u8, id: Id) -> Option<Route> {
    Some(match number {
        1 => Route::Ping,
        2 => Route::Version,
        3 => Route::Info,
        4 => Route::Containers,
        5 => Route::Container(id),
        6 => Route::Images,
        7 => Route::Image(id),
        8 => Route::Networks,
        9 => Route::Network(id),
        10 => Route::Volumes,
        _ => return None,
    })
}

/// What one part of an answer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Bytes, and more to come.
    More,
    /// The last bytes.
    Done,
    /// There is no such thing.
    Absent,
    /// Permission was refused.
    Denied,
    /// Nothing answers, or it stopped answering.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// The answer is larger than what is read.
    TooLarge,
    /// The answer cannot be read; the bytes say why.
    Malformed,
    /// This cannot be asked; the bytes say why.
    Unsupported,
}

const STATUSES: [Status; 9] = [
    Status::More,
    Status::Done,
    Status::Absent,
    Status::Denied,
    Status::Unreachable,
    Status::TimedOut,
    Status::TooLarge,
    Status::Malformed,
    Status::Unsupported,
];

impl Status {
    fn number(self) -> u8 {
        STATUSES.iter().zip(0..).find_map(|(status, number)| (*status == self).then_some(number)).unwrap_or(u8::MAX)
    }
}

/// How an answer ended that is not bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// There is no such thing.
    Absent,
    /// It could not be learnt.
    Gap(Reason),
}

impl Failure {
    /// The status and the bytes that carry it.
    #[must_use]
    pub fn encode(&self) -> (Status, &[u8]) {
        match self {
            Self::Absent => (Status::Absent, &[]),
            Self::Gap(Reason::Denied) => (Status::Denied, &[]),
            Self::Gap(Reason::Unreachable) => (Status::Unreachable, &[]),
            Self::Gap(Reason::TimedOut) => (Status::TimedOut, &[]),
            Self::Gap(Reason::TooLarge) => (Status::TooLarge, &[]),
            Self::Gap(Reason::Malformed(what)) => (Status::Malformed, what.raw().as_bytes()),
            Self::Gap(Reason::Unsupported(why)) => (Status::Unsupported, why.raw().as_bytes()),
            Self::Gap(Reason::NotCollected) => (Status::Unsupported, b"not collected"),
        }
    }

    /// What a last part says that is not [`Status::Done`]; `None` for the two that carry bytes.
    #[must_use]
    pub fn decode(status: Status, bytes: &[u8]) -> Option<Self> {
        Some(match status {
            Status::More | Status::Done => return None,
            Status::Absent => Self::Absent,
            Status::Denied => Self::Gap(Reason::Denied),
            Status::Unreachable => Self::Gap(Reason::Unreachable),
            Status::TimedOut => Self::Gap(Reason::TimedOut),
            Status::TooLarge => Self::Gap(Reason::TooLarge),
            Status::Malformed => Self::Gap(Reason::Malformed(Text::from_bytes(bytes))),
            Status::Unsupported => Self::Gap(Reason::Unsupported(Text::from_bytes(bytes))),
        })
    }
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::Gap(reason)
    }
}

/// The head of a part of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartHead {
    /// The tag of the question it belongs to.
    pub tag: u32,
    /// What the part is.
    pub status: Status,
    /// How many bytes follow, at most [`MOST_PART`].
    pub length: usize,
}

impl PartHead {
    /// Reads a head; `None` for an unknown status or a length beyond [`MOST_PART`].
    #[must_use]
    pub fn decode(bytes: &[u8; PART_HEAD]) -> Option<Self> {
        let (tag, rest) = bytes.split_first_chunk::<4>()?;
        let (status, rest) = rest.split_first()?;
        let length = usize::try_from(u32::from_le_bytes(*rest.first_chunk()?)).ok()?;
        let status = *STATUSES.get(usize::from(*status))?;
        (length <= MOST_PART).then_some(Self { tag: u32::from_le_bytes(*tag), status, length })
    }
}

/// One part of an answer, head and bytes; what exceeds [`MOST_PART`] is left out.
#[must_use]
pub fn part(tag: u32, status: Status, bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.get(..MOST_PART).unwrap_or(bytes);
    let length = u32::try_from(bytes.len()).unwrap_or_default();
    let mut part = Vec::with_capacity(PART_HEAD + bytes.len());
    part.extend(tag.to_le_bytes());
    part.push(status.number());
    part.extend(length.to_le_bytes());
    part.extend_from_slice(bytes);
    part
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn routes(id: [u8; 32]) -> [Route; 10] {
        let id = Id(id);
        [
            Route::Ping,
            Route::Version,
            Route::Info,
            Route::Containers,
            Route::Container(id),
            Route::Images,
            Route::Image(id),
            Route::Networks,
            Route::Network(id),
            Route::Volumes,
        ]
    }

    #[test]
    fn every_route_renders_to_exactly_one_of_ten_shapes() {
        let shapes = [
            "^/_ping$",
            "^/version$",
            "^/info$",
            r"^/containers/json\?all=1$",
            "^/containers/[0-9a-f]{64}/json$",
            "^/images/json$",
            "^/images/sha256:[0-9a-f]{64}/json$",
            "^/networks$",
            "^/networks/[0-9a-f]{64}$",
            "^/volumes$",
        ];
        for (at, route) in routes([0x2f; 32]).iter().enumerate() {
            let matching: Vec<usize> =
                (0..10).filter(|shape| regex::Regex::new(shapes[*shape]).unwrap().is_match(&route.to_string())).collect();
            assert_eq!(matching, [at], "{route}");
        }
    }

    #[test]
    fn a_question_is_refused_unless_it_is_spelt_exactly() {
        let good = Question::AuditRules.encode(7).unwrap();
        assert_eq!(Question::decode(&good), Some((7, Question::AuditRules)));
        for at in 4..QUESTION {
            let mut bad = good;
            bad[at] ^= 0x40;
            assert_eq!(Question::decode(&bad), None, "byte {at}");
        }
        let socket = |path: &str| Question::Engine { socket: path.into(), route: Route::Info }.encode(1);
        assert!(socket("run/docker.sock").is_none(), "relative");
        assert!(socket("/run/\0docker.sock").is_none(), "zero byte");
        assert!(socket(&format!("/{}", "x".repeat(107))).is_none(), "too long");
        assert!(socket(&format!("/{}", "x".repeat(106))).is_some());
    }

    proptest! {
        #[test]
        fn questions_round_trip(tag: u32, id: [u8; 32], at in 0..15usize, pid: i32, path in "/[a-z/.]{0,100}") {
            let question = match at {
                10 => Question::AuditRules,
                11 => Question::ProcessLinks(pid),
                12 => Question::PacketFilter,
                13 => Question::SocketOwners,
                14 => Question::DeletedCode,
                at => Question::Engine { socket: path.into(), route: routes(id)[at] },
            };
            let bytes = question.encode(tag).unwrap();
            prop_assert_eq!(Question::decode(&bytes), Some((tag, question)));
        }

        #[test]
        fn any_bytes_are_refused_or_mean_one_question(bytes in proptest::collection::vec(any::<u8>(), QUESTION)) {
            let bytes: [u8; QUESTION] = bytes.try_into().unwrap();
            if let Some((tag, question)) = Question::decode(&bytes) {
                prop_assert_eq!(question.encode(tag), Some(bytes));
            }
        }

        #[test]
        fn parts_round_trip(tag: u32, at in 0..9usize, bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let bytes = part(tag, STATUSES[at], &bytes);
            let (head, rest) = bytes.split_first_chunk::<PART_HEAD>().unwrap();
            prop_assert_eq!(PartHead::decode(head), Some(PartHead { tag, status: STATUSES[at], length: rest.len() }));
        }

        #[test]
        fn heads_never_announce_more_than_the_limit(bytes: [u8; PART_HEAD]) {
            prop_assert!(PartHead::decode(&bytes).is_none_or(|head| head.length <= MOST_PART));
        }
    }

    #[test]
    fn failures_round_trip() {
        for failure in [
            Failure::Absent,
            Reason::Denied.into(),
            Reason::Unreachable.into(),
            Reason::TimedOut.into(),
            Reason::TooLarge.into(),
            Reason::malformed("x").into(),
            Reason::unsupported("y").into(),
        ] {
            let (status, bytes) = failure.encode();
            assert_eq!(Failure::decode(status, bytes), Some(failure.clone()));
        }
    }
}
