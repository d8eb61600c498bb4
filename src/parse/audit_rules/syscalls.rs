//! Numbers and names of system calls, which differ between architectures.

use std::collections::HashMap;
use std::sync::OnceLock;

/// One line per few calls: a name and its number everywhere, or `x86_64/i386/aarch64/arm` with gaps where there is none.
const TABLE: &str = include_str!("syscalls.txt");

/// Whose numbers count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Machine {
    /// 64-bit x86; its 32-bit calls are those of i386.
    X86_64,
    /// 64-bit ARM; its 32-bit calls are those of ARM EABI.
    Aarch64,
    /// One without a table here: its calls keep their numbers.
    Other,
}

impl Machine {
    /// The machine with a name as `uname -m` prints it.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "x86_64" | "amd64" => Self::X86_64,
            "aarch64" | "arm64" => Self::Aarch64,
            _ => Self::Other,
        }
    }

    fn column(self, narrow: bool) -> Option<usize> {
        match (self, narrow) {
            (Self::X86_64, false) => Some(0),
            (Self::X86_64, true) => Some(1),
            (Self::Aarch64, false) => Some(2),
            (Self::Aarch64, true) => Some(3),
            (Self::Other, _) => None,
        }
    }
}

type Names = [HashMap<u16, &'static str>; 4];

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names = Names::default();
        for (name, numbers) in TABLE.split([',', '\n']).filter_map(|entry| entry.trim().split_once(' ')) {
            let everywhere = !numbers.contains('/');
            let mut parts = numbers.split('/');
            for column in &mut names {
                let number = if everywhere { Some(numbers) } else { parts.next() };
                if let Some(number) = number.and_then(|number| number.parse().ok()) {
                    column.entry(number).or_insert(name);
                }
            }
        }
        names
    })
}

/// The name of a call, or its number where no table has it. `narrow` asks for the machine's 32-bit calls.
#[must_use]
pub fn name(machine: Machine, narrow: bool, number: u16) -> String {
    machine
        .column(narrow)
        .and_then(|column| names().get(column))
        .and_then(|names| names.get(&number))
        .map_or_else(|| number.to_string(), |name| (*name).to_owned())
}

/// Whether some architecture has a call with a name.
#[must_use]
pub fn is_known(name: &str) -> bool {
    names().iter().any(|names| names.values().any(|known| *known == name))
}

/// Whether a machine has a call with a name; no machine without a table is known to have one.
#[must_use]
pub fn exists(machine: Machine, narrow: bool, name: &str) -> bool {
    let column = machine.column(narrow).and_then(|column| names().get(column));
    column.is_some_and(|names| names.values().any(|known| *known == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_belong_to_an_architecture() {
        assert_eq!(name(Machine::X86_64, false, 257), "openat");
        assert_eq!(name(Machine::X86_64, true, 295), "openat");
        assert_eq!(name(Machine::Aarch64, false, 56), "openat");
        assert_eq!(name(Machine::Aarch64, true, 322), "openat");
        assert_eq!(name(Machine::Aarch64, false, 437), "openat2");
        assert_eq!(name(Machine::X86_64, false, 2000), "2000");
        assert_eq!(name(Machine::Other, false, 257), "257");
        assert!(is_known("adjtimex") && !is_known("adjtimey"));
        assert!(
            exists(Machine::X86_64, false, "open") && !exists(Machine::Aarch64, false, "open") && !exists(Machine::Other, false, "open")
        );
    }
}
