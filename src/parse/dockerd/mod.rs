//! What dockerd can be told: its options, its command line and its configuration file.

mod command_line;
mod daemon_json;
mod options;
mod setting;
mod url;

pub use command_line::CommandLine;
pub use daemon_json::{DaemonFile, Entry};
pub use options::{OPTIONS, Shape, Spec, by_key, flag_value};
pub use setting::Setting;
pub use url::{host_of, without_user};
