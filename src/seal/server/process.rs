//! Where a process's links point: executable and namespaces.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::fact::Reason;
use crate::host::broker::{PROCESS_LINKS, frame::Failure, links};

/// The links as they travel. A link that is not there is left out: kernel threads have no executable, and older
/// kernels fewer namespaces.
pub(super) fn links(pid: i32) -> Result<Vec<u8>, Failure> {
    let process = Path::new("/proc").join(pid.to_string());
    let mut answer = Vec::new();
    for name in PROCESS_LINKS {
        match fs::read_link(process.join(name)) {
            Ok(target) => answer.extend(links::encode(name, target.as_os_str().as_bytes())),
            Err(error) if gone(&error) => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(Reason::Denied.into()),
            Err(error) => return Err(Reason::malformed(error.to_string()).into()),
        }
    }
    if answer.is_empty() && !process.exists() { Err(Failure::Absent) } else { Ok(answer) }
}

/// Neither the link nor, perhaps, the process is there any more.
fn gone(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_links_are_read_and_no_process_is_absent() {
        let answer = links(i32::try_from(std::process::id()).unwrap()).unwrap();
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with("exe\0/") && text.contains("ns/mnt\0mnt:["), "{text:?}");
        for nobody in [-1, 0, i32::MAX] {
            assert_eq!(links(nobody), Err(Failure::Absent));
        }
    }
}
