//! The text formats hosts are written in: pure functions of bytes and text to plain structs.

pub mod dockerd;
pub mod glob;
pub mod ini;
pub mod mountinfo;
pub mod os_release;
pub mod passwd;
pub mod process;
pub mod unit;
