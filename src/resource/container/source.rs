//! Facts that share one origin.

use chrono::{DateTime, Utc};

use crate::fact::{Fact, Gap, Origin, Reason, Text};

/// One place facts come from.
#[derive(Clone, Debug)]
pub(in crate::resource) struct Source(pub(in crate::resource) Origin);

impl Source {
    pub(in crate::resource) fn flag(&self, flag: bool) -> Fact<bool> {
        Fact::Known(flag, self.0.clone())
    }

    pub(in crate::resource) fn integer(&self, number: i64) -> Fact<i64> {
        Fact::Known(number, self.0.clone())
    }

    pub(in crate::resource) fn text(&self, text: impl Into<Text>) -> Fact<Text> {
        Fact::Known(text.into(), self.0.clone())
    }

    pub(in crate::resource) fn list<T: Into<Text>>(&self, items: impl IntoIterator<Item = T>) -> Fact<Vec<Text>> {
        Fact::Known(items.into_iter().map(Into::into).collect(), self.0.clone())
    }

    pub(in crate::resource) fn absent<T>(&self) -> Fact<T> {
        Fact::Absent(self.0.clone())
    }

    pub(in crate::resource) fn unknown<T>(&self, reason: Reason) -> Fact<T> {
        Fact::Unknown(Gap::new(self.0.clone(), reason))
    }

    /// The text, absent where it is empty.
    pub(in crate::resource) fn text_or_absent(&self, text: &str) -> Fact<Text> {
        if text.is_empty() { self.absent() } else { self.text(text) }
    }

    /// The number, absent where it is not above zero: no limit.
    pub(in crate::resource) fn limit(&self, number: i64) -> Fact<i64> {
        if number > 0 { self.integer(number) } else { self.absent() }
    }

    /// Whole days since a time as engines write it. Absent for the zero time and the epoch, which stand for "not recorded".
    pub(in crate::resource) fn age_days(&self, time: &str, now: DateTime<Utc>) -> Fact<i64> {
        if time.is_empty() {
            return self.absent();
        }
        match DateTime::parse_from_rfc3339(time) {
            Ok(time) if time.timestamp() <= 0 => self.absent(),
            Ok(time) => self.integer(now.signed_duration_since(time).num_days()),
            Err(_) => self.unknown(Reason::malformed(format!("not a time: {}", time.chars().take(40).collect::<String>()))),
        }
    }
}
