//! `sshd_config`, read as OpenSSH reads it: lines, words, values and the lists of algorithms.
//!
//! Nothing here knows about files that include each other or about `Match` blocks: see `resource::sshd`.

pub mod algorithms;
mod command_line;
mod options;
mod value;
mod words;

pub use command_line::{CommandLine, listener};
pub use options::{OPTIONS, Shape, Spec, Unset, by_keyword, ignored};
pub use value::{Setting, normalise};
pub use words::{Directive, Line, directive, lines};
