//! The audit itself: plan, collect, judge, waive, score, and the run that comes of it.
//!
//! [`collect`] is the only part that talks to a host. After it, everything is a function of the plan and the facts.

pub mod cases;
pub mod collect;
mod facts;
mod finding;
#[cfg(test)]
mod fixture;
pub mod gate;
pub mod judge;
mod perform;
pub mod plan;
mod run;
pub mod score;
pub mod waive;

pub use cases::{Failure, judge_case, run_case};
pub use collect::{Limits, Progress};
pub use facts::Facts;
pub use finding::{Attested, Finding, Observation, Outcome, Reference, Subjects, Waived};
pub use gate::{Exit, Gates, Judgement};
pub use judge::{Verdict, judge};
pub use perform::{Options, audit, digest, judged};
pub use plan::{NoSuch, Plan, Request};
pub use run::{ControlOutcome, ControlResult, EngineSummary, Note, NoteKind, Override, ProfileOutcome, Run, Scope, Source, Tool};
pub use score::{Band, Score, Sums, Tenths, weight};
