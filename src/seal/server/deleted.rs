//! Which processes run code whose file has been removed or replaced: their maps, which only their peers may read.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use crate::host::broker::frame::Failure;

/// A line for each file, `PID PATH`, as the kernel writes the path; and `PID -` for a process whose maps cannot be read.
pub(super) fn code() -> Result<Vec<u8>, Failure> {
    super::processes::each(of_process)
}

/// Errors where the maps of a process cannot be read.
fn of_process(pid: u32, process: &Path, answer: &mut Vec<u8>) -> std::io::Result<()> {
    let mut before: Vec<u8> = Vec::new();
    // The kernel escapes line breaks in names, so a line is a mapping.
    for line in BufReader::new(File::open(process.join("maps"))?).split(b'\n') {
        let line = line?;
        let Some(path) = deleted(&line) else { continue };
        // Libraries are mapped in several pieces, one after the other.
        if path != before {
            answer.extend(format!("{pid} ").bytes());
            answer.extend_from_slice(path);
            answer.push(b'\n');
            before = path.to_vec();
        }
    }
    Ok(())
}

/// The path in a line of maps, where it is executable and its file is gone.
fn deleted(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b" (deleted)")?;
    let rights = line.split(|byte| *byte == b' ').nth(1)?;
    let path = line.get(line.iter().position(|byte| *byte == b'/')?..)?;
    rights.contains(&b'x').then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_whose_file_is_gone() {
        let line = b"7f0000000000-7f0000001000 r-xp 00000000 fd:01 1234                       /usr/lib/a b.so (deleted)";
        assert_eq!(deleted(line), Some(&b"/usr/lib/a b.so"[..]));
        for other in [
            &b"7f0000000000-7f0000001000 r--p 00000000 fd:01 1234 /usr/lib/a.so (deleted)"[..],
            b"7f-80 r-xp 0 fd:01 1 /usr/lib/a.so",
            b"",
            b" (deleted)",
            b"x x (deleted)",
        ] {
            assert_eq!(deleted(other), None);
        }
        let answer = String::from_utf8_lossy(&code().unwrap()).into_owned();
        assert!(answer.lines().all(|line| line.split_once(' ').is_some_and(|(pid, _)| pid.parse::<u32>().is_ok())), "{answer}");
    }
}
