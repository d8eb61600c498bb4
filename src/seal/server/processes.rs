//! Answers that need a look into every process.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::fact::Reason;
use crate::host::broker::frame::Failure;

/// The most bytes of an answer.
const MOST: usize = 16 * 1024 * 1024;

/// What is said of each process in turn, and `PID -` for one that cannot be looked into and is still there.
pub(super) fn each(of_process: fn(u32, &Path, &mut Vec<u8>) -> io::Result<()>) -> Result<Vec<u8>, Failure> {
    let processes = fs::read_dir("/proc").map_err(|error| Reason::malformed(error.to_string()))?;
    let mut answer = Vec::new();
    for process in processes.flatten() {
        let name = process.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if of_process(pid, &process.path(), &mut answer).is_err() && process.path().exists() {
            let _ = writeln!(answer, "{pid} -");
        }
        if answer.len() > MOST {
            return Err(Reason::TooLarge.into());
        }
    }
    Ok(answer)
}
