//! Search filters (`POST /v1/contacts/search`): groups of conditions that select contacts.
//!
//! A filter is compiled once and then applied to each contact. Its operators work as follows:
//!
//! - Texts compare without case. Two decimal numbers compare as numbers, exactly and at any length. Two RFC 3339
//!   instants compare as instants. For `created_at` and `updated_at` the value may also be a date (`2026-11-01`, its
//!   first instant in UTC) or milliseconds since 1970. Two spellings of one e-mail address are equal, as everywhere
//!   else.
//! - A text that is not a number is neither above nor below a number. The same applies to instants.
//! - An empty text is no value. As the value of `EQ`, `NEQ`, `IN` and `NOT_IN` it stands for the absence of the
//!   property.
//! - `NEQ`, `NOT_IN`, `NOT_HAS_PROPERTY` and `NOT_CONTAINS_TOKEN` match exactly the contacts that their positive
//!   counterparts do not match, including those without the property. All other operators require the property.
//! - `BETWEEN` includes both ends, `value` and `highValue`.
//! - `CONTAINS_TOKEN` finds a word: a run of letters and digits, or any text between two spaces. `*` in it matches
//!   any run of characters. A word with a dot and without an `@` also finds addresses of that domain and its
//!   subdomains.

mod access;
mod condition;
mod decimal;
mod field;
mod operand;
mod sort;
mod token;

use std::fmt;

pub use access::Access;
pub use condition::{Condition, ConditionParts, FilterError, Operator};
pub use field::{FieldName, FieldNameError};
pub use sort::{Direction, Sort, SortPosition, SortValue};

use crate::Timestamp;
use crate::ids::ContactId;
use crate::limits::{FILTER_CONDITIONS_MAX, FILTER_GROUPS_MAX};

/// The fields of a contact, to which a filter is applied.
pub trait Fields {
    /// Returns the value of one field, or `None` if the contact lacks it.
    fn field(&self, name: &FieldName) -> Option<Value<'_>>;
}

/// The value of a contact's field. `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text. Flags are `true` and `false`.
    Text(&'a str),
    /// An instant that the program set. Its text form is RFC 3339. It is not stored as a text here, so a search does
    /// not format and parse it for every contact.
    Instant(Timestamp),
    /// The contact's id. Its text form is the number. The same applies to it.
    Id(ContactId),
}

impl Value<'_> {
    /// Returns true for an empty text. It counts as no value.
    fn is_empty(self) -> bool {
        matches!(self, Self::Text(""))
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value")
    }
}

/// Groups of conditions. A filter matches a contact if all conditions of at least one group are true. The default
/// filter has no group and matches every contact.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Filter {
    groups: Vec<Vec<Condition>>,
    /// Lists of conditions, of each of which at least one must be true, besides a group.
    every_any: Vec<Vec<Condition>>,
}

impl Filter {
    /// Creates a filter from groups of conditions.
    ///
    /// # Errors
    /// [`FilterError`] if there are too many groups, or a group has too many conditions or none. An empty group would
    /// match every contact, so the other groups would have no effect.
    pub fn new(groups: Vec<Vec<Condition>>) -> Result<Self, Vec<FilterError>> {
        let too_many = (groups.len() > FILTER_GROUPS_MAX).then(|| {
            FilterError::new("filterGroups", format!("expected at most {FILTER_GROUPS_MAX} groups"))
        });
        let misfits = groups.iter().enumerate().filter_map(|(index, group)| misfit(index, group));
        let problems: Vec<_> = too_many.into_iter().chain(misfits).collect();
        if problems.is_empty() { Ok(Self { groups, every_any: Vec::new() }) } else { Err(problems) }
    }

    /// Returns the filter with lists of conditions. A contact matches only if besides it matches at least one condition of
    /// each list. A search for words in several fields consists of such lists.
    #[must_use]
    pub fn and_any_of_each(self, every_any: Vec<Vec<Condition>>) -> Self {
        Self { every_any, ..self }
    }

    /// Returns the groups of conditions.
    #[must_use]
    pub fn groups(&self) -> &[Vec<Condition>] {
        &self.groups
    }

    /// Returns true if the filter matches the contact.
    #[must_use]
    pub fn matches(&self, contact: &impl Fields) -> bool {
        let holds = |condition: &Condition| condition.holds(contact);
        let in_group = self.groups.is_empty() || self.groups.iter().any(|group| group.iter().all(holds));
        in_group && self.every_any.iter().all(|any| any.iter().any(holds))
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
