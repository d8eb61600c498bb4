//! The text formats hosts are written in: pure functions of bytes and text to plain structs.

pub mod audit_rules;
pub mod build_step;
pub mod certificate;
pub mod client_config;
pub mod dockerd;
pub mod engine_json;
pub mod glob;
pub mod hex;
pub mod image_reference;
pub mod ini;
pub mod login_defs;
pub mod mountinfo;
pub mod os_release;
pub mod passwd;
pub mod process;
pub mod rsyslog;
pub mod scrub;
pub mod secret;
pub mod shell;
pub mod sockets;
pub mod ssh_key;
pub mod sshd;
pub mod sudoers;
pub mod sysctl;
pub mod unit;
pub mod unit_name;
