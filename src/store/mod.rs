//! What plimsoll itself keeps on disk.

pub mod file;
pub mod lock;
