//! The audit itself: plan, collect, judge, waive, score, and the run that comes of it.
//!
//! [`collect`] is the only part that talks to a host. After it, everything is a function of the plan and the facts.

mod facts;
mod finding;
pub mod judge;
mod run;
mod score;

pub use facts::Facts;
pub use finding::{Attested, Finding, Observation, Outcome, Reference, Subjects, Waived};
pub use judge::{Verdict, judge};
pub use run::{ControlOutcome, ControlResult, EngineSummary, Note, NoteKind, Override, ProfileOutcome, Run, Sandbox, Scope, Source, Tool};
pub use score::{Band, Score, Sums, Tenths, weight};
