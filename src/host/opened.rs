//! A file that is read in parts, because it may be larger than what is read at once.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::io::Errno;

/// An open regular file. It is held by its descriptor, so that all parts are of one file, whatever takes its name meanwhile.
#[derive(Debug)]
pub struct Opened {
    size: u64,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Descriptor(OwnedFd),
    Bytes(Arc<[u8]>),
}

impl Opened {
    /// What a descriptor leads to.
    pub(super) fn descriptor(fd: OwnedFd, size: u64) -> Self {
        Self { size, content: Content::Descriptor(fd) }
    }

    /// Content that is in memory already.
    pub(super) fn bytes(bytes: Arc<[u8]>) -> Self {
        Self { size: bytes.len() as u64, content: Content::Bytes(bytes) }
    }

    /// Its size in bytes when it was opened.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads at an offset as much as fits and is there; 0 at the end.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.content {
            Content::Descriptor(fd) => loop {
                match rustix::io::pread(fd, &mut *buffer, offset) {
                    Err(Errno::INTR) => {}
                    read => return Ok(read?),
                }
            },
            Content::Bytes(bytes) => {
                let from = usize::try_from(offset).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
                let length = from.len().min(buffer.len());
                for (to, byte) in buffer.iter_mut().zip(from) {
                    *to = *byte;
                }
                Ok(length)
            }
        }
    }

    /// Fills the whole buffer from an offset, or fails.
    pub fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.read_at(offset.saturating_add(done as u64), rest)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => done += read,
            }
        }
        Ok(())
    }

    /// Its content from the beginning, as a stream.
    #[must_use]
    pub fn stream(&self) -> Stream<'_> {
        Stream { file: self, at: 0 }
    }
}

/// The content of a file from the beginning to the end.
#[derive(Debug)]
pub struct Stream<'a> {
    file: &'a Opened,
    at: u64,
}

impl io::Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(self.at, buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn parts_and_streams_are_of_the_same_content() {
        let file = Opened::bytes(Arc::from(*b"0123456789"));
        let mut part = [0; 4];
        assert_eq!((file.read_at(8, &mut part).unwrap(), part), (2, *b"89\0\0"));
        assert_eq!(file.read_at(10, &mut part).unwrap(), 0);
        assert_eq!(file.read_at(u64::MAX, &mut part).unwrap(), 0);
        file.read_exact_at(6, &mut part).unwrap();
        assert_eq!(part, *b"6789");
        assert!(file.read_exact_at(7, &mut part).is_err());
        let mut all = String::new();
        file.stream().read_to_string(&mut all).unwrap();
        assert_eq!(all, "0123456789");
    }
}
