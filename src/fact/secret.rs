//! Values that must never leave memory.

use std::fmt;

/// A secret. It has no `Display`, no `Serialize` and a `Debug` that tells nothing, so that a new
/// field cannot leak by omission. Look inside with [`Secret::expose`], in code that derives a fact
/// from it (its presence, its algorithm) and drops it.
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a secret.
    pub fn new(secret: T) -> Self {
        Self(secret)
    }

    /// The secret itself.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}
