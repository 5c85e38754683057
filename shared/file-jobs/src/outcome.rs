//! The result of a row in words: for the file with the results, and for a preview.

use contact_files::{Content, Row};
use domain::import::{RowOutcome, RowResult};

/// The field and the reason of a result, for a person.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Explained {
    /// The part of a contact, or the name of a column, that the reason is about. Empty for the row as a whole.
    pub field: String,
    /// The reasons and remarks, as one text. Empty if there are none.
    pub reason: String,
}

/// Explains the result of a row. The row was read again from the file.
#[must_use]
pub fn explain(row: &Row, result: &RowResult, columns: &[String]) -> Explained {
    let (field, problem) = problem_of(row, result);
    let mut reasons: Vec<String> = problem.into_iter().collect();
    if result.outcome == RowOutcome::DuplicateOf {
        reasons.extend(result.duplicate_of.map(|first| format!("row {first} has the same contact")));
    }
    if result.kept_value {
        reasons.push("a number that a spreadsheet has rounded did not replace a known value".to_owned());
    }
    reasons.extend(row.notes.iter().map(|note| match note.column().and_then(|at| columns.get(at)) {
        Some(column) => format!("{column}: {}", note.slug()),
        None => note.slug().to_owned(),
    }));
    Explained { field, reason: reasons.join("; ") }
}

fn problem_of(row: &Row, result: &RowResult) -> (String, Option<String>) {
    if result.outcome != RowOutcome::Invalid {
        return (String::new(), None);
    }
    if let Content::Invalid(problem) = &row.content {
        return (problem.field.clone(), Some(problem.reason.to_string()));
    }
    let (field, reason) = match result.problem.as_deref() {
        Some("contact-exists") => ("email", "a contact with this address exists already"),
        Some("no-such-contact") => ("email", "no contact has this address"),
        Some("too-much") => ("properties", "the contact would have too many properties, or too long ones"),
        _ => ("row", "the row was not applied"),
    };
    (field.to_owned(), Some(reason.to_owned()))
}

/// Returns the cells of [`contact_files::OUTCOME_COLUMNS`] for a row.
#[must_use]
pub fn outcome_cells(row: &Row, result: &RowResult, columns: &[String]) -> [String; 6] {
    let Explained { field, reason } = explain(row, result, columns);
    let marketing = match result.marketing {
        None => String::new(),
        Some(Ok(outcome)) => outcome.to_string(),
        Some(Err(refusal)) => format!("refused: {refusal}"),
    };
    [row.number.to_string(), row.line.to_string(), result.outcome.to_string(), field, reason, marketing]
}
