//! Rules of the kernel's audit system, from its netlink messages and from the files of auditctl, in one form.
//!
//! Sources: `linux/audit.h`, `auditctl(8)`, `audit.rules(7)`, `augenrules(8)`; where they are silent, what a
//! running kernel and auditctl were seen to do.

pub mod cover;
pub mod fields;
pub mod kernel;
pub mod syscalls;
pub mod text;

use std::collections::BTreeSet;
use std::fmt;

pub use fields::{Comparison, Names, Operator};
pub use syscalls::Machine;

/// Where the kernel applies a rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Filter {
    /// Messages from user space.
    User,
    /// Creation of tasks.
    Task,
    /// Return from system calls.
    Exit,
    /// Records about to be written.
    Exclude,
    /// A whole file system.
    Filesystem,
    /// Completion of `io_uring` operations.
    Uring,
}

impl Filter {
    /// The word auditctl uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Task => "task",
            Self::Exit => "exit",
            Self::Exclude => "exclude",
            Self::Filesystem => "filesystem",
            Self::Uring => "io_uring",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        [Self::User, Self::Task, Self::Exit, Self::Exclude, Self::Filesystem, Self::Uring].into_iter().find(|list| list.word() == word)
    }
}

/// Whether a match is recorded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action {
    /// A match is recorded.
    Always,
    /// A match is not recorded, and later rules are not asked.
    Never,
}

impl Action {
    /// The word auditctl uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

/// How far a watch reaches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// The named file or directory itself (`-F path=`).
    Itself,
    /// It and everything below it (`-F dir=`).
    Tree,
    /// What `-w` becomes when it is loaded: the tree if the path is a directory then, itself if not.
    AsFound,
}

/// What a rule watches.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Watch {
    /// The path as given.
    pub path: String,
    /// How far it reaches.
    pub scope: Scope,
}

/// Kinds of access to a file: some of `r`, `w`, `x`, `a`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Access(u8);

impl Access {
    /// Execution.
    pub const EXECUTE: Self = Self(1);
    /// Writing.
    pub const WRITE: Self = Self(2);
    /// Reading.
    pub const READ: Self = Self(4);
    /// Changes of attributes: owner, mode, extended attributes.
    pub const ATTRIBUTES: Self = Self(8);
    /// All four.
    pub const ALL: Self = Self(15);
    /// Writing and changes of attributes: what an alteration needs.
    pub const CHANGES: Self = Self(10);

    /// The kernel's bits; unknown ones are dropped.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self((bits & 15) as u8)
    }

    /// Reads letters such as `wa`, in any case and order.
    #[must_use]
    pub fn parse(letters: &str) -> Option<Self> {
        let bit = |letter: char| match letter.to_ascii_lowercase() {
            'x' => Some(1),
            'w' => Some(2),
            'r' => Some(4),
            'a' => Some(8),
            _ => None,
        };
        letters.chars().try_fold(0, |bits, letter| Some(bits | bit(letter)?)).map(Self)
    }

    /// Whether every kind in `other` is in this.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// The kinds, one by one, in the order `rwxa`.
    pub fn each(self) -> impl Iterator<Item = Self> {
        [Self::READ, Self::WRITE, Self::EXECUTE, Self::ATTRIBUTES].into_iter().filter(move |kind| self.contains(*kind))
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.each().try_for_each(|kind| {
            f.write_str(match kind {
                Self::READ => "r",
                Self::WRITE => "w",
                Self::EXECUTE => "x",
                _ => "a",
            })
        })
    }
}

/// The system calls a rule is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Calls {
    /// Every one.
    All,
    /// These, by name, or by number where the name is not known.
    Some(BTreeSet<String>),
}

/// Which calling convention a rule is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Arch {
    /// The machine's 64-bit calls.
    B64,
    /// The machine's 32-bit calls.
    B32,
    /// Another architecture, by name or number.
    Other(String),
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::B64 => "b64",
            Self::B32 => "b32",
            Self::Other(name) => name,
        })
    }
}

/// One audit rule. Two rules that mean the same are equal, however they were spelled.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Rule {
    /// Where it applies.
    pub list: Filter,
    /// What a match does.
    pub action: Action,
    /// The calling convention, where it is for one alone.
    pub arch: Option<Arch>,
    /// System calls. Meaningful in the exit list only; `All` elsewhere.
    pub calls: Calls,
    /// What it watches.
    pub watch: Option<Watch>,
    /// Kinds of access, where it names them.
    pub access: Option<Access>,
    /// The other comparisons, all of which must hold, sorted.
    pub comparisons: Vec<Comparison>,
    /// Keys, in their order.
    pub keys: Vec<String>,
}

impl Rule {
    /// The kinds of access a rule with a watch records: those it names, or all of them where it is for every call.
    /// `None` where it names system calls and no kind, or watches nothing.
    #[must_use]
    pub fn accesses(&self) -> Option<Access> {
        match (&self.watch, self.access, &self.calls) {
            (None, ..) => None,
            (Some(_), Some(access), _) => Some(access),
            (Some(_), None, Calls::All) => Some(Access::ALL),
            (Some(_), None, Calls::Some(_)) => None,
        }
    }
}

/// The canonical spelling, in the syntax of auditctl: a watch as `-F path=` or `-F dir=`, accesses in the order
/// `rwxa`, system calls and comparisons sorted, keys last. A `-w` whose reach is not decided stays a `-w`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let undecided = match &self.watch {
            Some(Watch { path, scope: Scope::AsFound }) if self.comparisons.is_empty() && self.arch.is_none() => Some(path),
            _ => None,
        };
        if let Some(path) = undecided {
            write!(f, "-w {}", Escaped(path))?;
            if let Some(access) = self.access {
                write!(f, " -p {access}")?;
            }
            return self.keys.iter().try_for_each(|key| write!(f, " -k {}", Escaped(key)));
        }
        write!(f, "-a {},{}", self.action.word(), self.list.word())?;
        if let Some(arch) = &self.arch {
            write!(f, " -F arch={arch}")?;
        }
        match &self.calls {
            Calls::Some(names) => {
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                write!(f, " -S {}", names.join(","))?;
            }
            Calls::All if self.list == Filter::Exit && self.watch.is_none() => f.write_str(" -S all")?,
            Calls::All => {}
        }
        if let Some(watch) = &self.watch {
            let field = if watch.scope == Scope::Tree { "dir" } else { "path" };
            write!(f, " -F {field}={}", Escaped(&watch.path))?;
        }
        if let Some(access) = self.access {
            write!(f, " -F perm={access}")?;
        }
        self.comparisons.iter().try_for_each(|comparison| write!(f, " {comparison}"))?;
        self.keys.iter().try_for_each(|key| write!(f, " -F key={}", Escaped(key)))
    }
}

/// A word as auditctl reads it from a file: spaces behind a backslash.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.0.split(' ').enumerate() {
            if i > 0 {
                f.write_str("\\ ")?;
            }
            f.write_str(part)?;
        }
        Ok(())
    }
}
