//! Results on disk.

pub mod lock;
