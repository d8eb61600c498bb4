//! Gates: whether a run is good enough, and the exit code that says so. Computed once, before any report.

use super::finding::Outcome;
use super::run::Run;
use super::score::Tenths;
use crate::definition::{Severity, counted};

/// What a run has to satisfy. Without any, every finished audit does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Gates {
    /// No unwaived failure of this severity or above.
    pub fail_on: Option<Severity>,
    /// A score of at least this.
    pub fail_under: Option<Tenths>,
    /// Nothing that could not be decided.
    pub fail_on_unknown: bool,
    /// A coverage of at least this.
    pub min_coverage: Option<Tenths>,
}

/// How a finished audit ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Every gate holds.
    Good,
    /// A gate tripped.
    Tripped,
    /// Too little could be determined.
    Blind,
    /// The deadline passed and the report is partial.
    Partial,
}

impl Exit {
    /// The exit code: 0, 1, 4 or 5. The codes 2 and 3 are for audits that could not begin.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Tripped => 1,
            Self::Blind => 4,
            Self::Partial => 5,
        }
    }
}

/// What the gates say of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// How the audit ends.
    pub exit: Exit,
    /// Every gate that does not hold, in words.
    pub reasons: Vec<String>,
}

impl Gates {
    /// Judges a run. A tripped gate outranks a passed deadline, which outranks too little coverage: what is certain
    /// comes before why the rest is not, and the cause before its effect.
    #[must_use]
    pub fn judge(&self, run: &Run) -> Judgement {
        let mut tripped = Vec::new();
        if let Some(severity) = self.fail_on {
            let open: u64 = run.score.open.range(severity..).map(|(_, count)| count).sum();
            if open > 0 {
                tripped.push(format!("{} of severity {} or above", counted(open, "failure"), severity.word()));
            }
        }
        if let (Some(least), Some(score)) = (self.fail_under, run.score.score)
            && score < least
        {
            tripped.push(format!("the score is {score}, below {least}"));
        }
        let unknown = run.findings.iter().filter(|finding| finding.result == Outcome::Unknown).count() as u64;
        if self.fail_on_unknown && unknown > 0 {
            tripped.push(format!("{} could not be decided", counted(unknown, "check")));
        }
        let partial = run.partial.then(|| "the deadline passed before everything was read".to_owned());
        let blind = match (run.score.score, self.min_coverage, run.score.coverage) {
            (None, ..) => Some("no score: nothing could be assessed".to_owned()),
            (_, Some(least), coverage) if coverage.is_none_or(|coverage| coverage < least) => {
                Some(format!("the coverage is {}, below {least}", coverage.map_or("nothing".to_owned(), |coverage| coverage.to_string())))
            }
            _ => None,
        };
        let exit = match () {
            () if !tripped.is_empty() => Exit::Tripped,
            () if partial.is_some() => Exit::Partial,
            () if blind.is_some() => Exit::Blind,
            () => Exit::Good,
        };
        Judgement { exit, reasons: tripped.into_iter().chain(partial).chain(blind).collect() }
    }
}

#[cfg(test)]
mod tests;
