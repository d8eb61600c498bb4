//! What can be known about a host: values, where they came from, and why some could not be learnt.
//!
//! This is the bottom layer. It does no I/O and knows no resource; every other layer speaks in its types.

mod document;
mod mode;
mod origin;
mod record;
mod schema;
mod secret;
mod text;
mod truth;
mod value;
mod version;

pub use document::Document;
pub use mode::Mode;
pub use origin::{Gap, Origin, Reason};
pub use record::{Fact, Record, Row};
pub use schema::{Field, Schema};
pub use secret::Secret;
pub use text::{Shown, Text};
pub use truth::Truth;
pub use value::{FieldType, Flag, Integer, Kind, List, Setting, Value};
pub use version::{Scheme, Version};

pub(crate) use schema::record;
pub(crate) use text::is_unsafe;
