//! Search filters (`POST /v1/contacts/search`): which contacts a list of conditions picks out.
//!
//! A filter is compiled once and then asked of each contact. What its operators mean:
//!
//! - Texts compare without case. Where both sides are decimal numbers they compare as numbers, of any length
//!   and exactly; where both are RFC 3339 instants, as instants. `created_at` and `updated_at` also take a
//!   date (`2026-11-01`, its first instant in UTC) and milliseconds since 1970. Two spellings of one e-mail
//!   address are equal, as they are everywhere else.
//! - `NEQ`, `NOT_IN`, `NOT_HAS_PROPERTY` and `NOT_CONTAINS_TOKEN` pick out exactly the contacts that their
//!   positive counterparts do not, so also those that lack the property. All others never pick out a contact
//!   that lacks it.
//! - `BETWEEN` takes in both ends, `value` and `highValue`.
//! - `CONTAINS_TOKEN` finds a word: a run of letters and digits, or anything between two spaces. `*` in it
//!   stands for any run of characters.

mod condition;
mod decimal;
mod field;
mod operand;
mod token;

use std::fmt;

pub use condition::{Condition, FilterError, Operator};
pub use field::{FieldName, FieldNameError};

use crate::Timestamp;
use crate::limits::{FILTER_CONDITIONS_MAX, FILTER_GROUPS_MAX};

/// What a filter is asked of: a contact as it is now.
pub trait Fields {
    /// The value of one field, or none where the contact lacks it.
    fn field(&self, name: &FieldName) -> Option<Value<'_>>;
}

/// What a contact has in a field. `Debug` shows nothing of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text. Truths are `true` and `false`.
    Text(&'a str),
    /// An instant of the program's own, which as a text is RFC 3339. It is kept as what it is, so that a search does not
    /// write and read it again for every contact.
    Instant(Timestamp),
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value")
    }
}

/// Groups of conditions: all conditions of at least one group must hold. Without any group it holds for every
/// contact, and that is its default.
#[derive(Clone, Default, Debug)]
pub struct Filter {
    groups: Vec<Vec<Condition>>,
}

impl Filter {
    /// A filter of these groups.
    ///
    /// # Errors
    /// There are too many groups, or a group has too many conditions or none. An empty group would hold for
    /// every contact and so make all others pointless; nobody means that.
    pub fn new(groups: Vec<Vec<Condition>>) -> Result<Self, Vec<FilterError>> {
        let too_many = (groups.len() > FILTER_GROUPS_MAX).then(|| {
            FilterError::new("filterGroups", format!("expected at most {FILTER_GROUPS_MAX} groups"))
        });
        let misfits = groups.iter().enumerate().filter_map(|(index, group)| misfit(index, group));
        let problems: Vec<_> = too_many.into_iter().chain(misfits).collect();
        if problems.is_empty() { Ok(Self { groups }) } else { Err(problems) }
    }

    /// Whether it holds for this contact.
    #[must_use]
    pub fn matches(&self, contact: &impl Fields) -> bool {
        self.groups.is_empty()
            || self.groups.iter().any(|group| group.iter().all(|condition| condition.holds(contact)))
    }
}

fn misfit(index: usize, group: &[Condition]) -> Option<FilterError> {
    let fits = (1..=FILTER_CONDITIONS_MAX).contains(&group.len());
    (!fits).then(|| {
        let message = format!("expected 1 to {FILTER_CONDITIONS_MAX} filters in group {}", index + 1);
        FilterError::new("filterGroups", message)
    })
}

#[cfg(test)]
mod tests;
