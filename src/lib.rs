//! plimsoll audits the host a Docker engine runs on.
//!
//! The modules stand in layer order: each may use only those above it in this list.
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests make the worlds they need"))]

pub mod fact;
pub mod parse;
pub mod host;
pub mod resource;
pub mod definition;
pub mod audit;
pub mod report;
pub mod store;
pub mod seal;
pub mod cli;

pub use cli::main;
