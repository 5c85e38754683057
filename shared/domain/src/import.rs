//! Imports: the rules for the rows of a file, and their outcomes (the crate's `README.md`, Imports).

use std::collections::BTreeMap;

use crate::decision::{Outcome, Refusal};
use crate::string_enum::string_enum;

string_enum! {
    /// The contacts that an import may write.
    pub enum ImportMode {
        /// Contacts are created and updated.
        Both = "both",
        /// Contacts are created. A row for an existing contact is invalid.
        Create = "create",
        /// Contacts are updated. A row for an unknown address is invalid.
        Update = "update",
    }
}

string_enum! {
    /// The outcome of one row.
    pub enum RowOutcome {
        /// The row created a contact.
        Created = "created",
        /// The row changed a contact.
        Updated = "updated",
        /// The contact has all values of the row already.
        Unchanged = "unchanged",
        /// An earlier row of the file wrote the same contact. The values of this row were written as well.
        DuplicateOf = "duplicate-of",
        /// The row has no filled cell.
        Empty = "empty",
        /// The row was not applied.
        Invalid = "invalid",
        /// The import ended before the row.
        NotRun = "not-run",
    }
}

/// The result of one row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowResult {
    /// The outcome.
    pub outcome: RowOutcome,
    /// The number of the earlier row, for [`RowOutcome::DuplicateOf`].
    pub duplicate_of: Option<u64>,
    /// The result of setting the contact marketing, if the import does that.
    pub marketing: Option<Result<Outcome, Refusal>>,
    /// The problem of an invalid row, as a text without spaces.
    pub problem: Option<String>,
    /// True if a value was left out, because the contact has a better one.
    pub kept_value: bool,
}

impl RowResult {
    /// Creates the result of a row that has only an outcome.
    #[must_use]
    pub fn new(outcome: RowOutcome) -> Self {
        Self { outcome, duplicate_of: None, marketing: None, problem: None, kept_value: false }
    }

    /// Creates the result of an invalid row.
    #[must_use]
    pub fn invalid(problem: impl Into<String>) -> Self {
        Self { problem: Some(problem.into()), ..Self::new(RowOutcome::Invalid) }
    }

    /// Returns true if the row needs attention: it was not applied, or its contact was refused as a marketing contact.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.outcome, RowOutcome::Invalid | RowOutcome::NotRun)
            || matches!(self.marketing, Some(Err(_)))
    }
}

/// The numbers of rows by their results.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ImportSummary {
    outcomes: BTreeMap<RowOutcome, u64>,
    /// The number of contacts that were set marketing.
    pub set: u64,
    /// The number of leaving contacts that were kept.
    pub kept: u64,
    /// The numbers of refused contacts by the reason.
    pub refused: BTreeMap<Refusal, u64>,
}

impl ImportSummary {
    /// Creates a summary of these numbers of rows.
    #[must_use]
    pub fn of(
        outcomes: BTreeMap<RowOutcome, u64>,
        set: u64,
        kept: u64,
        refused: BTreeMap<Refusal, u64>,
    ) -> Self {
        Self { outcomes, set, kept, refused }
    }

    /// Returns the number of rows with this outcome.
    #[must_use]
    pub fn rows(&self, outcome: RowOutcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or_default()
    }

    /// Returns the number of rows with an outcome.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// Counts one row.
    pub fn add(&mut self, result: &RowResult) {
        self.add_rows(result.outcome, 1);
        match result.marketing {
            Some(Ok(Outcome::Set)) => self.set += 1,
            Some(Ok(Outcome::Kept)) => self.kept += 1,
            Some(Err(refusal)) => *self.refused.entry(refusal).or_default() += 1,
            Some(Ok(Outcome::Queued | Outcome::Unchanged)) | None => {}
        }
    }

    /// Counts rows that have this outcome and no other result.
    pub fn add_rows(&mut self, outcome: RowOutcome, rows: u64) {
        *self.outcomes.entry(outcome).or_default() += rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_counts_each_row_once() {
        let mut summary = ImportSummary::default();
        let refused = Some(Err(Refusal::CapReached));
        for result in [
            RowResult { marketing: Some(Ok(Outcome::Set)), ..RowResult::new(RowOutcome::Created) },
            RowResult { marketing: Some(Ok(Outcome::Unchanged)), ..RowResult::new(RowOutcome::DuplicateOf) },
            RowResult { marketing: Some(Ok(Outcome::Kept)), ..RowResult::new(RowOutcome::Updated) },
            RowResult { marketing: refused, ..RowResult::new(RowOutcome::Unchanged) },
            RowResult::invalid("0:address"),
        ] {
            summary.add(&result);
        }
        summary.add_rows(RowOutcome::NotRun, 3);
        assert_eq!((summary.total(), summary.set, summary.kept), (8, 1, 1));
        assert_eq!(summary.refused, BTreeMap::from([(Refusal::CapReached, 1)]));
        assert_eq!((summary.rows(RowOutcome::NotRun), summary.rows(RowOutcome::Empty)), (3, 0));
    }

    #[test]
    fn refused_contact_needs_attention_though_its_row_was_applied() {
        let refused = Some(Err(Refusal::CapReached));
        for (result, expected) in [
            (RowResult { marketing: refused, ..RowResult::new(RowOutcome::Created) }, true),
            (RowResult { marketing: Some(Ok(Outcome::Set)), ..RowResult::new(RowOutcome::Created) }, false),
            (RowResult::new(RowOutcome::NotRun), true),
            (RowResult::invalid("x"), true),
            (RowResult::new(RowOutcome::Empty), false),
        ] {
            assert_eq!(result.has_failed(), expected, "{result:?}");
        }
    }
}
