//! Being asked to stop, as something to wait for.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Signals that ask a program to stop, caught until this is dropped.
pub(super) struct Signals {
    descriptor: SignalFd,
    before: SigSet,
}

impl Signals {
    /// Catches them in this thread and those it starts.
    pub(super) fn catch() -> io::Result<Self> {
        let mut stop = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
            stop.add(signal);
        }
        let before = SigSet::thread_get_mask()?;
        let descriptor = SignalFd::with_flags(&stop, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        stop.thread_block()?;
        Ok(Self { descriptor, before })
    }

    /// The number of one that came in, if any.
    pub(super) fn caught(&self) -> Option<u8> {
        self.descriptor.read_signal().ok().flatten().and_then(|signal| u8::try_from(signal.ssi_signo).ok())
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let _ = self.before.thread_set_mask();
    }
}
