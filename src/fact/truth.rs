//! Three-valued truth: what follows from facts some of which are unknown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a claim holds, as far as the facts tell.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// It does.
    True,
    /// It does not.
    False,
    /// The facts do not tell.
    Unknown,
}

impl Truth {
    /// Both: any false is false, else any unknown is unknown.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::True, Self::True) => Self::True,
        }
    }

    /// Either: any true is true, else any unknown is unknown.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        !(!self).and(!other)
    }

    /// All of them; true for none.
    pub fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        truths.into_iter().fold(Self::True, Self::and)
    }

    /// One of them; false for none.
    pub fn any(truths: impl IntoIterator<Item = Self>) -> Self {
        truths.into_iter().fold(Self::False, Self::or)
    }
}

impl From<bool> for Truth {
    fn from(known: bool) -> Self {
        if known { Self::True } else { Self::False }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, False, True, Unknown};

    const ALL: [Truth; 3] = [True, False, Unknown];

    #[test]
    fn tables() {
        assert_eq!(False.and(Unknown), False);
        assert_eq!(True.and(Unknown), Unknown);
        assert_eq!(True.or(Unknown), True);
        assert_eq!(False.or(Unknown), Unknown);
        assert_eq!(!Unknown, Unknown);
        assert_eq!((Truth::all([]), Truth::any([])), (True, False));
    }

    #[test]
    fn laws() {
        for a in ALL {
            assert_eq!(!!a, a);
            for b in ALL {
                assert_eq!(!a.and(b), (!a).or(!b), "de Morgan");
                assert_eq!(!a.or(b), (!a).and(!b), "de Morgan");
                assert_eq!(a.and(b), b.and(a));
                assert_eq!(a.or(b), b.or(a));
                for c in ALL {
                    assert_eq!(a.and(b).and(c), a.and(b.and(c)));
                    assert_eq!(a.and(b.or(c)), a.and(b).or(a.and(c)));
                }
            }
        }
    }

    /// Replacing what is unknown by either answer never contradicts what was already decided.
    #[test]
    fn knowing_more_never_changes_an_answer() {
        for a in ALL {
            for b in ALL {
                for known in [True, False] {
                    let learn = |t: Truth| if t == Unknown { known } else { t };
                    for (before, after) in [(a.and(b), learn(a).and(learn(b))), (a.or(b), learn(a).or(learn(b)))] {
                        assert!(before == Unknown || before == after);
                    }
                }
            }
        }
    }
}
