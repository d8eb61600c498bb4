//! What the kernel's refusals mean.

use rustix::io::Errno;

use crate::fact::{Fact, Gap, Origin, Reason};

/// Why a look gave nothing.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::host) enum Trouble {
    /// It is not there.
    Absent,
    /// It could not be told.
    Gap(Reason),
}

impl From<Errno> for Trouble {
    fn from(error: Errno) -> Self {
        Self::Gap(match error {
            // A process that ends while its files are read answers ESRCH.
            Errno::NOENT | Errno::NOTDIR | Errno::SRCH => return Self::Absent,
            Errno::ACCESS | Errno::PERM => Reason::Denied,
            Errno::TIMEDOUT => Reason::TimedOut,
            Errno::NOTCONN | Errno::CONNABORTED | Errno::CONNREFUSED | Errno::HOSTDOWN | Errno::HOSTUNREACH | Errno::STALE => {
                Reason::Unreachable
            }
            Errno::LOOP => Reason::malformed("too many symbolic links"),
            Errno::NAMETOOLONG => Reason::malformed("the path is too long"),
            Errno::AGAIN => Reason::unsupported("there is nothing to read without waiting"),
            Errno::MFILE | Errno::NFILE => Reason::unsupported("too many files are open"),
            Errno::NOMEM => Reason::unsupported("the kernel is out of memory"),
            Errno::IO => Reason::unsupported("the device reports an input/output error"),
            other => Reason::unsupported(format!("the kernel answers error {}", other.raw_os_error())),
        })
    }
}

impl From<Reason> for Trouble {
    fn from(reason: Reason) -> Self {
        Self::Gap(reason)
    }
}

/// A look as a fact.
pub(in crate::host) fn fact<T>(look: Result<T, Trouble>, origin: Origin) -> Fact<T> {
    match look {
        Ok(value) => Fact::Known(value, origin),
        Err(Trouble::Absent) => Fact::Absent(origin),
        Err(Trouble::Gap(reason)) => Fact::Unknown(Gap::new(origin, reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_there_is_absent() {
        assert_eq!(Trouble::from(Errno::NOENT), Trouble::Absent);
        assert_eq!(Trouble::from(Errno::NOTDIR), Trouble::Absent);
        assert_eq!(Trouble::from(Errno::ACCESS), Trouble::Gap(Reason::Denied));
        for error in [Errno::IO, Errno::MFILE, Errno::NOMEM, Errno::STALE, Errno::LOOP, Errno::NXIO, Errno::AGAIN, Errno::INTR] {
            assert!(matches!(Trouble::from(error), Trouble::Gap(_)), "{error}");
        }
    }
}
