//! The audit rules loaded in the kernel, asked over netlink as `auditctl -l` does, and its status, as `auditctl -s` does.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::netlink::{AUDIT, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

use crate::fact::Reason;
use crate::host::broker::frame::Failure;

/// How long the kernel may take for all rules.
const LIMIT: Duration = Duration::from_secs(5);

/// The most bytes of rules.
const MOST: usize = 8 * 1024 * 1024;

/// Bytes of a netlink message's head, and of the largest message the kernel sends here (`MAX_AUDIT_MESSAGE_LENGTH`).
const HEAD: u32 = 16;
const MOST_MESSAGE: usize = 8970;

const AUDIT_GET: u16 = 1000;
const AUDIT_LIST_RULES: u16 = 1013;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 1;

/// The message of type `AUDIT_GET` and those of type `AUDIT_LIST_RULES` up to and with `NLMSG_DONE`, one after the other, each
/// padded to four bytes.
pub(super) fn loaded_rules() -> Result<Vec<u8>, Failure> {
    let until = Instant::now() + LIMIT;
    let mut messages = Vec::new();
    for question in [AUDIT_GET, AUDIT_LIST_RULES] {
        listen(&ask(question).map_err(refused)?, question, until, &mut messages)?;
    }
    Ok(messages)
}

/// Takes the answer to one question: one message of its kind for the status, all up to the end mark for rules.
fn listen(socket: &OwnedFd, question: u16, until: Instant, rules: &mut Vec<u8>) -> Result<(), Failure> {
    let mut buffer = vec![0; MOST_MESSAGE];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Reason::TimedOut.into());
        }
        set_socket_timeout(socket, Timeout::Recv, Some(left)).map_err(refused)?;
        let (read, length) = match recv(socket, buffer.as_mut_slice(), RecvFlags::TRUNC) {
            Ok(received) => received,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(refused(error)),
        };
        let message = buffer.get(..read).filter(|_| length <= MOST_MESSAGE).ok_or(Reason::TooLarge)?;
        let kind = kind(message).ok_or_else(|| Reason::malformed("the kernel's answer is cut short"))?;
        match kind {
            AUDIT_GET | AUDIT_LIST_RULES | NLMSG_DONE if kind == question || (kind == NLMSG_DONE && question == AUDIT_LIST_RULES) => {
                rules.extend_from_slice(message);
                rules.resize(rules.len().next_multiple_of(4), 0);
                if rules.len() > MOST {
                    return Err(Reason::TooLarge.into());
                }
                if kind == NLMSG_DONE || question == AUDIT_GET {
                    return Ok(());
                }
            }
            NLMSG_ERROR => return Err(refused(error_number(message).unwrap_or(Errno::IO))),
            // What listeners of another kind are told is not meant for us.
            _ => {}
        }
    }
}

fn ask(question: u16) -> rustix::io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(AUDIT))?;
    let mut request = HEAD.to_ne_bytes().to_vec();
    request.extend(question.to_ne_bytes());
    request.extend(NLM_F_REQUEST.to_ne_bytes());
    // Sequence number, and the port the kernel chooses.
    request.extend(1u32.to_ne_bytes());
    request.extend(0u32.to_ne_bytes());
    sendto(&socket, &request, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    Ok(socket)
}

/// The type of a message that is as long as it says.
fn kind(message: &[u8]) -> Option<u16> {
    let (length, rest) = message.split_first_chunk::<4>()?;
    let length = u32::from_ne_bytes(*length);
    (length >= HEAD && length as usize <= message.len()).then_some(())?;
    Some(u16::from_ne_bytes(*rest.first_chunk()?))
}

fn error_number(message: &[u8]) -> Option<Errno> {
    let number = i32::from_ne_bytes(*message.get(HEAD as usize..)?.first_chunk()?);
    (number < 0).then(|| Errno::from_raw_os_error(number.saturating_neg()))
}

fn refused(error: Errno) -> Failure {
    match error {
        Errno::PERM | Errno::ACCESS => Reason::Denied,
        Errno::AGAIN => Reason::TimedOut,
        Errno::CONNREFUSED => Reason::unsupported("audit rules can only be listed from the host's own namespaces"),
        Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT => Reason::unsupported("this kernel has no audit system"),
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
        bytes.resize(16, 0);
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn heads_are_checked_and_errors_found() {
        assert_eq!(kind(&message(NLMSG_DONE, &[])), Some(NLMSG_DONE));
        assert_eq!(kind(&message(NLMSG_DONE, &[])[..15]), None);
        assert_eq!(kind(&[0; 16]), None);
        let denied = message(NLMSG_ERROR, &(-1i32).to_ne_bytes());
        assert_eq!(error_number(&denied), Some(Errno::PERM));
        assert_eq!(refused(Errno::PERM), Reason::Denied.into());
        assert_eq!(error_number(&message(NLMSG_ERROR, &[])), None);
    }
}
