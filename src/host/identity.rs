//! Who the audited host is: the head of a report.

use serde::{Deserialize, Serialize};

use crate::fact::Text;

/// Name, system and kernel of the audited host.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Identity {
    /// Host name.
    pub name: Text,
    /// `PRETTY_NAME` of os-release.
    pub os: Text,
    /// Kernel release, such as `6.1.0-25-amd64`; empty where it cannot be known.
    pub kernel: Text,
    /// Machine architecture, such as `x86_64`.
    pub architecture: Text,
    /// Machine id, or empty.
    pub machine_id: Text,
    /// Seconds since the epoch at which the kernel started, where known.
    pub booted: Option<i64>,
    /// `live` for this machine, else the directory audited.
    pub source: Text,
    /// User id the audit ran as.
    pub uid: u32,
}
