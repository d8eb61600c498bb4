//! What a host answered: the records of each query, or why there are none.

use std::collections::BTreeMap;

use crate::fact::{Gap, Origin, Reason, Record};
use crate::resource::Query;

/// The answers to the queries of a plan. Judging is a function of these and nothing else.
#[derive(Clone, Debug, Default)]
pub struct Facts(BTreeMap<Query, Result<Vec<Record>, Gap>>);

impl Facts {
    /// Keeps an answer.
    pub fn insert(&mut self, query: Query, answer: Result<Vec<Record>, Gap>) {
        self.0.insert(query, answer);
    }

    /// The answer to a query; a gap where it was never asked.
    pub fn get(&self, query: &Query) -> Result<&[Record], Gap> {
        match self.0.get(query) {
            Some(Ok(records)) => Ok(records),
            Some(Err(gap)) => Err(gap.clone()),
            None => Err(Gap::new(Origin::Derived, Reason::NotCollected)),
        }
    }

    /// Whether a query was answered, be it with a gap.
    #[must_use]
    pub fn contains(&self, query: &Query) -> bool {
        self.0.contains_key(query)
    }

    /// The queries and their answers, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Query, &Result<Vec<Record>, Gap>)> {
        self.0.iter()
    }

    /// Adds the answers of another collection.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}
