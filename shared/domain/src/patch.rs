//! Changes of a single value.

/// A change of a value that can be absent: kept, removed or replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Patch<T> {
    /// The value stays as it is. A request leaves the field out.
    #[default]
    Keep,
    /// The value is removed. A request sends `null`.
    Remove,
    /// The value is replaced.
    Set(T),
}

impl<T> From<Option<T>> for Patch<T> {
    /// Returns the change to this value, or the removal.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Remove, Self::Set)
    }
}

impl<T> Patch<T> {
    /// Returns the new value, or `None` to keep the stored one.
    pub fn change(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Remove => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }

    /// Returns the new value for an object that has none yet.
    pub fn initial(self) -> Option<T> {
        self.change().flatten()
    }

    /// Applies the change to a value.
    pub fn apply(self, value: &mut Option<T>) {
        if let Some(changed) = self.change() {
            *value = changed;
        }
    }

    /// Returns true unless the value stays as it is.
    #[must_use]
    pub fn is_change(&self) -> bool {
        !matches!(self, Self::Keep)
    }

    /// Returns the change with the value by reference.
    #[must_use]
    pub fn as_ref(&self) -> Patch<&T> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Remove => Patch::Remove,
            Self::Set(value) => Patch::Set(value),
        }
    }
}
