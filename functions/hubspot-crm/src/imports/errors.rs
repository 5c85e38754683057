//! The errors of an import: the rows that were not applied, and those whose contact could not become marketing.

use axum::response::Response;
use domain::decision::Refusal;
use domain::ids::NumberedId as _;
use domain::import::{RowOutcome, RowResult};
use domain::limits::{CRM_PAGE_MAX, IMPORT_ROWS_PER_TRANSACTION_MAX};
use http::StatusCode;
use serde::Serialize;
use store::Import;

use super::find;
use crate::body::respond;
use crate::contacts::reason;
use crate::envelope::Failure;
use crate::lists::CONTACTS;
use crate::number::decimal;
use crate::paging::{Page, PageView};
use crate::path::PathId;
use crate::query::Query;
use crate::session::Session;

/// The number of errors on a page if the request names none.
const PAGE_DEFAULT: usize = 10;

/// The row of an error. Its cells are not repeated, because they are personal.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RowView {
    file_id: u64,
    line_number: u64,
    row_data: [String; 0],
    contains_encrypted_properties: bool,
}

/// An error in a response.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorView {
    id: String,
    created_at: i64,
    error_type: &'static str,
    error_message: String,
    object_type: &'static str,
    object_type_id: &'static str,
    source_data: RowView,
}

impl ErrorView {
    fn new(import: &Import, row: u64, (error_type, error_message): (&'static str, String)) -> Self {
        Self {
            id: row.to_string(),
            created_at: import.finished_at.unwrap_or(import.created_at).millis(),
            error_type,
            error_message,
            object_type: "CONTACT",
            object_type_id: CONTACTS,
            source_data: RowView {
                file_id: import.id.number(),
                // The header is a line, too.
                line_number: row.saturating_add(1),
                row_data: [],
                contains_encrypted_properties: false,
            },
        }
    }
}

/// Returns the error of a row, in `HubSpot`'s words.
fn error_of(result: &RowResult) -> Option<(&'static str, String)> {
    if result.outcome == RowOutcome::Invalid {
        let problem = result.problem.as_deref().unwrap_or_default();
        let slug = problem.rsplit(':').next().unwrap_or_default();
        let (error_type, message) = invalid(slug);
        return Some((error_type, message.to_owned()));
    }
    match result.marketing {
        Some(Err(refusal)) => Some((refusal_type(refusal), reason(refusal).to_owned())),
        _ => None,
    }
}

fn refusal_type(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::CapReached | Refusal::TierLimit | Refusal::FormBudget => "LIMIT_EXCEEDED",
        Refusal::MarketingContactsOff => "FAILED_VALIDATION",
    }
}

fn invalid(slug: &str) -> (&'static str, &'static str) {
    match slug {
        "contact-exists" => ("CREATE_ONLY_IMPORT", "A contact with this address exists already."),
        "no-such-contact" => ("UPDATE_ONLY_IMPORT", "No contact has this address."),
        "no-address" => ("MISSING_REQUIRED_PROPERTY", "The row has no address."),
        "invalid-address" => ("INVALID_EMAIL", "The address is not valid."),
        "several-addresses" => ("INVALID_EMAIL", "The cell has several addresses."),
        "too-many-cells" => ("INCORRECT_NUMBER_OF_COLUMNS", "The row has more cells than the header."),
        "value-too-long" => ("COLUMN_TOO_LARGE", "A value is too long."),
        "row-too-long" | "too-many-properties" | "properties-too-long" | "too-much" => {
            ("ROW_DATA_TOO_LARGE", "The row has too much data for a contact.")
        }
        "quote-never-closed" | "ends-inside-quote" | "stray-quote" => {
            ("COULD_NOT_PARSE_ROW", "The quotes of the row are not regular.")
        }
        _ => ("FAILED_VALIDATION", "The row was not applied."),
    }
}

pub(crate) async fn list(
    session: Session,
    PathId(id): PathId,
    query: Query,
    page: Page,
) -> Result<Response, Failure> {
    let limit = query.limit(PAGE_DEFAULT, CRM_PAGE_MAX)?;
    let after = page.after(decimal)?;
    let import = find(&session, &id).await?;
    let mut results = found(&session, &import, after.unwrap_or(0), limit + 1).await?;
    if let Some((slug, message)) = &import.problem
        && after.is_none()
    {
        // The file as a whole could not be imported.
        results.insert(0, ErrorView::new(&import, 0, (file_error(slug), message.clone())));
    }
    let paging = page.cut(&mut results, limit, |error| error.id.clone());
    respond(StatusCode::OK, &PageView::new(results, paging))
}

fn file_error(slug: &str) -> &'static str {
    match slug {
        "spreadsheet" => "INVALID_SPREADSHEET",
        "upload-missing" => "FILE_NOT_FOUND",
        _ => "INVALID_FILE_TYPE",
    }
}

/// Returns the errors of up to `most` rows after a row.
async fn found(
    session: &Session,
    import: &Import,
    after: u64,
    most: usize,
) -> Result<Vec<ErrorView>, Failure> {
    let summary = &import.summary;
    let mut errors = Vec::new();
    // Most imports have no error, and their results need not be read.
    let is_possible = summary.rows(RowOutcome::Invalid) > 0 || summary.refused.values().any(|rows| *rows > 0);
    // A part of the results has at most this many rows, so the part with the next row begins here or later.
    let rows_of_part = u64::try_from(IMPORT_ROWS_PER_TRANSACTION_MAX).unwrap_or(u64::MAX);
    let mut from = after.saturating_sub(rows_of_part).max(1);
    while is_possible && errors.len() < most {
        let parts = session.context.store.imported_rows(session.account(), import.id, from).await?;
        let Some(last) = parts.last() else { break };
        from = last.first.saturating_add(last.results.len() as u64);
        let rows = parts.iter().flat_map(|part| (part.first..).zip(&part.results));
        let failed = rows
            .filter(|(row, _)| *row > after)
            .filter_map(|(row, result)| Some(ErrorView::new(import, row, error_of(result)?)));
        errors.extend(failed.take(most - errors.len()));
    }
    Ok(errors)
}
