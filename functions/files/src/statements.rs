//! Statements as CSV: the list of closed periods, and the contacts that a statement counts.

use api::path::PathText;
use api::{AccountCaller, Context, Problem, Query, respond};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contact_files::CsvWriter;
use domain::limits::{PAGE_LIMIT_MAX, RETRY_AFTER_SECONDS};
use domain::period::{PeriodNumber, Statement};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, RETRY_AFTER};
use store::{Export, ExportSelection, FileFormat, NewExport, Responder};

use crate::Parts;
use crate::download::{CSV, redirect};
use crate::export_view::ExportView;
use crate::exports::accepted;

/// The columns of the list of statements.
const COLUMNS: [&str; 6] = ["number", "starts_at", "ends_at", "marketing", "left", "tier_limit"];

/// Downloads the account's statements as CSV.
///
/// Each closed period is a row, the newest first.
#[utoipa::path(
    get, path = "/v1/usage/statements.csv", tag = "Account",
    responses((status = 200, description = "The statements.", content_type = "text/csv; charset=utf-8", body = String)),
)]
pub(crate) async fn download_statements(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(_): Query,
) -> Result<Response, Problem> {
    let mut csv = CsvWriter::new();
    csv.record(COLUMNS);
    let (limit, mut after) = (usize::try_from(PAGE_LIMIT_MAX).unwrap_or(usize::MAX), None);
    loop {
        let now = context.clock.now();
        let page = context.store.statements(principal.account, now, after, limit).await?;
        for statement in &page.items {
            csv.record(cells(statement).iter().map(String::as_str));
        }
        after = page.items.last().map(|statement| statement.number).filter(|_| page.more);
        if after.is_none() {
            break;
        }
    }
    let name = "attachment; filename=\"statements.csv\"";
    Ok(([(CONTENT_TYPE, CSV), (CONTENT_DISPOSITION, name)], csv.take()).into_response())
}

fn cells(statement: &Statement) -> [String; 6] {
    [
        statement.number.to_string(),
        statement.starts_at.to_string(),
        statement.ends_at.to_string(),
        statement.marketing.to_string(),
        statement.left.to_string(),
        statement.tier_limit.to_string(),
    ]
}

/// Downloads the contacts that a statement counts.
///
/// Each contact that was billable at the end of the closed period is a row, with since when and why. The first request
/// starts an export and responds 202 with it. Once the export is complete, the response is a redirect to its file, for as
/// long as that is stored.
#[utoipa::path(
    get, path = "/v1/usage/statements/{number}/contacts.csv", tag = "Account",
    params(("number" = u64, Path, description = "The number of the closed period.", minimum = 1, maximum = 9999999999u64)),
    responses(
        (status = 202, description = "The export that writes the file.", body = ExportView,
         headers(("Location" = String, description = "The export's path."),
                 ("Retry-After" = String, description = "The seconds after which the request can be repeated."))),
        (status = 303, description = "A redirect to the file.",
         headers(("Location" = String, description = "The link."))),
    ),
)]
pub(crate) async fn download_statement_contacts(
    State(parts): State<Parts>,
    AccountCaller(principal): AccountCaller,
    PathText(number): PathText,
    Query(_): Query,
) -> Result<Response, Problem> {
    let (context, account) = (&parts.context, principal.account);
    let number = number.parse().ok().and_then(PeriodNumber::from_number);
    let number = number.ok_or_else(|| Problem::not_found("statement"))?;
    let now = context.clock.now();
    // Closes a period that has ended, so that its statement exists.
    context.store.usage(account, now).await?;
    if let Some(export) = context.store.statement_export(account, number, now).await? {
        return match parts.link(account, &export).await? {
            Some(link) => redirect(&link),
            None => later(&export),
        };
    }
    let new = NewExport {
        selection: ExportSelection::Statement(number),
        format: FileFormat::Csv,
        columns: None,
        actor: principal.actor(),
    };
    let responder = Responder::new(None, &accepted);
    context.store.create_export(account, &new, now, responder).await?;
    match context.store.statement_export(account, number, now).await? {
        Some(export) => {
            parts.enqueue_export(account, export.id).await;
            later(&export)
        }
        None => Err(Problem::internal("an export that was created is not there")),
    }
}

/// Returns the response of an export that is not complete.
fn later(export: &Export) -> Result<Response, Problem> {
    let response = respond::send(accepted(export))?;
    Ok(([(RETRY_AFTER, RETRY_AFTER_SECONDS.to_string())], response).into_response())
}
