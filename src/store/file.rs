//! Files that are written as a whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Writes a file so that a reader, a crash or a full disk sees the old content or the new one, never a part.
///
/// The new content goes to a temporary file beside it, is synced, and takes its name; then the directory is synced.
/// A device or pipe that is there already, such as `/dev/null`, is written to as it is. New files are private to their owner.
///
/// # Errors
///
/// Whatever the system says; the temporary file is then gone again. A failed sync is final and never tried again.
#[expect(clippy::disallowed_methods, reason = "the files an operator asked for, not the host under audit")]
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "is not the name of a file"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = folder.join(format!(".{}.tmp.{}", name.to_string_lossy(), std::process::id()));
    let written = whole(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    File::open(folder)?.sync_all()
}

#[expect(clippy::disallowed_methods, reason = "the files an operator asked for, not the host under audit")]
fn whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write(&folder.path().join("none/run.json"), b"x").is_err());
        assert!(write(Path::new("/"), b"x").is_err());
    }

    #[test]
    fn a_device_is_written_to_as_it_is() {
        write(Path::new("/dev/null"), b"x").unwrap();
    }
}
