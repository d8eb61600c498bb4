//! What nftables holds of this host, asked over netlink as `nft list ruleset` does.
//!
//! Nothing of the answer is understood here but what asking needs: where a message ends, and, of each set, the two
//! attributes that name it, which are copied as they are into the question for its elements.

use std::fs;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::netlink::{NETFILTER, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

use crate::fact::Reason;
use crate::host::broker::frame::Failure;

/// How long the kernel may take for all of it.
const LIMIT: Duration = Duration::from_secs(20);

/// The most bytes of rules and elements. Blocklists hold hundreds of thousands of addresses.
const MOST: usize = 32 * 1024 * 1024;

/// How often it is begun again because somebody changed the rules meanwhile.
const TRIES: usize = 5;

/// The most sets whose elements are asked for.
const MOST_SETS: usize = 10_000;

/// More than the kernel puts into one datagram of a dump.
const BUFFER: usize = 256 * 1024;

/// Bytes of a netlink message's head, and of the head of a netfilter message behind it.
const HEAD: usize = 16;
const FAMILY_HEAD: usize = 4;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_DUMP_INTR: u16 = 0x10;

/// `NFNL_SUBSYS_NFTABLES`, the upper byte of every type.
const SUBSYSTEM: u16 = 10 << 8;
const GET_TABLES: u16 = SUBSYSTEM | 1;
const GET_CHAINS: u16 = SUBSYSTEM | 4;
const GET_RULES: u16 = SUBSYSTEM | 7;
const NEW_SET: u16 = SUBSYSTEM | 9;
const GET_SETS: u16 = SUBSYSTEM | 10;
const GET_ELEMENTS: u16 = SUBSYSTEM | 13;

/// Attributes of a set, and of the question for its elements: they are numbered alike.
const TABLE: u16 = 1;
const SET: u16 = 2;

/// Tables, chains, rules and sets, then the elements of each set: netlink messages one after the other, each list with the
/// `NLMSG_DONE` it ended with. Absent where the kernel has no nftables.
pub(super) fn loaded() -> Result<Vec<u8>, Failure> {
    if !of_the_host() {
        return Err(Reason::unsupported("the packet filter can only be listed from the host's own network namespace").into());
    }
    match in_kernel() {
        Some(true) => {}
        Some(false) => return Err(Failure::Absent),
        None => return Err(Reason::unsupported("nftables is not loaded, and asking might load it").into()),
    }
    let until = Instant::now() + LIMIT;
    for _ in 0..TRIES {
        match list(until) {
            Err(Trouble::Changed) => {}
            Err(Trouble::Failed(failure)) => return Err(failure),
            Ok(messages) => return Ok(messages),
        }
    }
    Err(Reason::TimedOut.into())
}

/// Whether this process is in the network namespace of process 1: files of `/proc/net` have numbers of their own in each.
fn of_the_host() -> bool {
    let number = |path: &str| fs::metadata(path).map(|meta| (meta.dev(), meta.ino())).ok();
    number("/proc/self/net/dev").is_some_and(|own| number("/proc/1/net/dev") == Some(own))
}

/// Whether the kernel has nftables, looked up where that loads nothing. `None` where it cannot be told.
fn in_kernel() -> Option<bool> {
    let Ok(modules) = fs::read_to_string("/proc/modules") else { return Some(true) };
    if modules.lines().any(|line| line.starts_with("nf_tables ")) {
        return Some(true);
    }
    let release = rustix::system::uname().release().to_str().ok()?.to_owned();
    let built_in = fs::read_to_string(Path::new("/lib/modules").join(release).join("modules.builtin")).ok()?;
    Some(built_in.lines().any(|line| line.ends_with("/nf_tables.ko")))
}

enum Trouble {
    /// Somebody changed the rules while they were listed.
    Changed,
    Failed(Failure),
}

impl<T: Into<Failure>> From<T> for Trouble {
    fn from(failure: T) -> Self {
        Self::Failed(failure.into())
    }
}

fn list(until: Instant) -> Result<Vec<u8>, Trouble> {
    let socket: OwnedFd = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(NETFILTER)).map_err(refused)?;
    let mut asking = Asking { socket: socket.as_fd(), until, number: 0, answer: Vec::new(), buffer: vec![0; BUFFER] };
    for kind in [GET_TABLES, GET_CHAINS, GET_RULES, GET_SETS] {
        asking.ask(kind, 0, &[])?;
    }
    let sets: Vec<(u8, Vec<u8>)> = messages(&asking.answer).filter_map(set_named).collect();
    if sets.len() > MOST_SETS {
        return Err(Reason::TooLarge.into());
    }
    for (family, names) in sets {
        asking.ask(GET_ELEMENTS, family, &names)?;
    }
    Ok(asking.answer)
}

struct Asking<'a> {
    socket: BorrowedFd<'a>,
    until: Instant,
    number: u32,
    answer: Vec<u8>,
    buffer: Vec<u8>,
}

impl Asking<'_> {
    /// Asks for one list, and takes messages until it has ended.
    fn ask(&mut self, kind: u16, family: u8, attributes: &[u8]) -> Result<(), Trouble> {
        self.number += 1;
        let length = u32::try_from(HEAD + FAMILY_HEAD + attributes.len()).map_err(|_| Reason::TooLarge)?;
        let mut request = length.to_ne_bytes().to_vec();
        request.extend(kind.to_ne_bytes());
        request.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
        request.extend(self.number.to_ne_bytes());
        // The port the kernel chooses; then family, version 0, resource 0.
        request.extend(0u32.to_ne_bytes());
        request.extend([family, 0, 0, 0]);
        request.extend_from_slice(attributes);
        sendto(self.socket, &request, SendFlags::empty(), &SocketAddrNetlink::new(0, 0)).map_err(refused)?;
        while !self.receive()? {}
        Ok(())
    }

    /// One datagram; true once the list has ended.
    fn receive(&mut self) -> Result<bool, Trouble> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Reason::TimedOut.into());
        }
        set_socket_timeout(self.socket, Timeout::Recv, Some(left)).map_err(refused)?;
        let (read, length) = match recv(self.socket, self.buffer.as_mut_slice(), RecvFlags::TRUNC) {
            Ok(received) => received,
            Err(Errno::INTR) => return Ok(false),
            Err(error) => return Err(refused(error).into()),
        };
        let datagram = self.buffer.get(..read).filter(|_| length == read).ok_or(Reason::TooLarge)?;
        let mut ended = false;
        let mut taken = 0;
        for message in messages(datagram) {
            taken += message.len();
            let (kind, flags) = head(message).ok_or_else(|| Reason::malformed("the kernel's answer is cut short"))?;
            if flags & NLM_F_DUMP_INTR != 0 {
                return Err(Trouble::Changed);
            }
            match kind {
                NLMSG_ERROR => return Err(error(message)),
                NLMSG_DONE => ended = true,
                _ => {}
            }
        }
        if taken < datagram.len() {
            return Err(Reason::malformed("the kernel's answer is cut short").into());
        }
        self.answer.extend_from_slice(datagram);
        self.answer.resize(self.answer.len().next_multiple_of(4), 0);
        if self.answer.len() > MOST {
            return Err(Reason::TooLarge.into());
        }
        Ok(ended)
    }
}

/// The messages of a run of them, as long as they say, padding included where it is there.
fn messages(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = usize::try_from(u32::from_ne_bytes(*bytes.first_chunk()?)).ok()?;
        let (message, rest) = bytes.split_at_checked(length.next_multiple_of(4).min(bytes.len()))?;
        (length >= HEAD && length <= message.len()).then_some(())?;
        bytes = rest;
        Some(message)
    })
}

/// Type and flags of a message.
fn head(message: &[u8]) -> Option<(u16, u16)> {
    let rest = message.get(4..)?;
    let (kind, rest) = rest.split_first_chunk()?;
    Some((u16::from_ne_bytes(*kind), u16::from_ne_bytes(*rest.first_chunk()?)))
}

/// Of a message about a set: its family, and the attributes that name it.
fn set_named(message: &[u8]) -> Option<(u8, Vec<u8>)> {
    let (NEW_SET, _) = head(message)? else { return None };
    let rest = message.get(HEAD..)?;
    let family = *rest.first()?;
    let mut rest = rest.get(FAMILY_HEAD..)?;
    let mut names = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_ne_bytes(*length));
        let kind = u16::from_ne_bytes(*tail.first_chunk()?);
        let padded = length.next_multiple_of(4).min(rest.len());
        (length >= 4 && padded >= length).then_some(())?;
        let (attribute, more) = rest.split_at_checked(padded)?;
        if matches!(kind, TABLE | SET) {
            names.extend_from_slice(attribute);
        }
        rest = more;
    }
    Some((family, names))
}

fn error(message: &[u8]) -> Trouble {
    let number = message.get(HEAD..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| i32::from_ne_bytes(*bytes));
    match Errno::from_raw_os_error(number.saturating_neg()) {
        // A table or set went while its elements were asked for.
        Errno::NOENT | Errno::INTR | Errno::AGAIN => Trouble::Changed,
        error => refused(error).into(),
    }
}

fn refused(error: Errno) -> Failure {
    match error {
        Errno::PERM | Errno::ACCESS => Reason::Denied,
        Errno::AGAIN => Reason::TimedOut,
        Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT => Reason::unsupported("this kernel does not tell its packet filter"),
        error => Reason::malformed(error.to_string()),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = (16 + u32::try_from(payload.len()).unwrap()).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.resize(HEAD, 0);
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn messages_are_told_apart_and_cut_ones_end_the_run() {
        let run = [message(NLMSG_DONE, b"abc"), message(NEW_SET, &[2, 0, 0, 0])].concat();
        assert_eq!(messages(&run).map(|message| head(message).unwrap().0).collect::<Vec<_>>(), [NLMSG_DONE, NEW_SET]);
        for cut in 0..run.len() {
            assert!(messages(&run[..cut]).count() < 2);
        }
    }

    #[test]
    fn a_set_is_named_by_two_attributes() {
        let attribute = |kind: u16, text: &[u8]| {
            let mut bytes = (4 + u16::try_from(text.len()).unwrap()).to_ne_bytes().to_vec();
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(text);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes
        };
        let payload = [vec![2, 0, 0, 0], attribute(TABLE, b"t\0"), attribute(SET, b"name\0"), attribute(3, &[0; 4])].concat();
        let (family, names) = set_named(&message(NEW_SET, &payload)).unwrap();
        assert_eq!((family, names), (2, [attribute(TABLE, b"t\0"), attribute(SET, b"name\0")].concat()));
        assert_eq!(set_named(&message(GET_SETS, &payload)), None);
    }

    #[test]
    fn refusals_are_gaps() {
        assert_eq!(refused(Errno::PERM), Reason::Denied.into());
        assert!(matches!(error(&message(NLMSG_ERROR, &(-2i32).to_ne_bytes())), Trouble::Changed));
        assert!(matches!(error(&message(NLMSG_ERROR, &(-1i32).to_ne_bytes())), Trouble::Failed(Failure::Gap(Reason::Denied))));
    }
}
