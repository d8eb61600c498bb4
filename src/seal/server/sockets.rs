//! Which processes hold which sockets: the links of their descriptors, which only their peers may read.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::host::broker::frame::Failure;

/// A line for each descriptor that is a socket, `PID INODE`; and `PID -` for a process whose descriptors cannot be read.
pub(super) fn owners() -> Result<Vec<u8>, Failure> {
    super::processes::each(of_process)
}

/// Errors where the descriptors of a process cannot be read; one that was closed meanwhile is passed over.
fn of_process(pid: u32, process: &Path, answer: &mut Vec<u8>) -> std::io::Result<()> {
    for descriptor in fs::read_dir(process.join("fd"))? {
        let target = match fs::read_link(descriptor?.path()) {
            Ok(target) => target,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        // Names of files begin with a slash, so nobody can make one that looks like a socket's.
        let inode = target.as_os_str().as_bytes().strip_prefix(b"socket:[").and_then(|rest| rest.strip_suffix(b"]"));
        if let Some(inode) = inode.filter(|inode| inode.iter().all(u8::is_ascii_digit)) {
            answer.extend(format!("{pid} ").bytes());
            answer.extend_from_slice(inode);
            answer.push(b'\n');
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_sockets_are_found() {
        let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let inode = fs::metadata(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&socket)))
            .map(|meta| std::os::unix::fs::MetadataExt::ino(&meta))
            .unwrap();
        let answer = String::from_utf8(owners().unwrap()).unwrap();
        assert!(answer.contains(&format!("{} {inode}\n", std::process::id())), "{answer}");
    }
}
