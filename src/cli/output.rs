//! Writing what a command has to say: standard output, standard error, and files.

use std::io::{self, Write as _};
use std::path::Path;

use super::error::Error;

/// Writes to standard output. A reader that has gone away is no error: `plimsoll list checks | head`.
pub(crate) fn say(bytes: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Write { path: "standard output".into(), source: error }),
        _ => Ok(()),
    }
}

/// Writes a line to standard error; there is nobody to tell if that fails.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Writes a file as a whole or not at all.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    crate::store::file::write(path, bytes).map_err(|source| Error::Write { path: path.to_path_buf(), source })
}
