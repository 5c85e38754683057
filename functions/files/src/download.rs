//! Downloads: redirects to links of the file store.

use api::describe::{Parameters, documented};
use api::fields::{Fields, FromFields, Reported};
use api::parse::{Parser as _, variant};
use api::path::PathId;
use api::{AccountCaller, Problem, ProblemType, Query};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use domain::ids::ImportId;
use domain::limits::FILE_LINK_VALID;
use domain::string_enum::string_enum;
use file_jobs::{ResultRows, results_key};
use file_store::Link;
use http::HeaderValue;
use http::header::LOCATION;

use crate::Parts;
use crate::imports::file_problem;

/// The media type of CSV files.
pub(crate) const CSV: &str = "text/csv; charset=utf-8";

string_enum! {
    /// The rows in a download.
    pub(crate) enum Only {
        /// The rows that need attention.
        Failed = "failed",
    }
}

/// The query of a download of results.
pub(crate) struct RowsQuery(Option<Only>);

impl FromFields for RowsQuery {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let only = variant::<Only>().about(
            "`failed` for the rows that were not applied or whose contact was refused as a marketing contact. The file can \
             be corrected and imported again.",
        );
        Ok(Self(fields.optional("only", only)?))
    }
}

documented! { RowsQuery as "ImportRowsQuery": "The rows in a download." }

/// Returns the redirect to a link.
///
/// # Errors
///
/// A fault if the link is not a header's value, which no link of the file store is.
pub(crate) fn redirect(link: &Link) -> Result<Response, Problem> {
    let url = HeaderValue::from_str(&link.url).map_err(Problem::internal)?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, url)]).into_response())
}

/// Returns the problem of a file that is not complete.
pub(crate) fn not_finished() -> Problem {
    Problem::new(ProblemType::NotFinished, "The file is not complete yet. Repeat the request later.")
}

/// Downloads the result of each row.
///
/// The response is a redirect to a link that is valid for an hour. The file has the columns of the import and before them
/// the row's number, line, outcome, field, reason and marketing outcome. It can be corrected and imported again: its first
/// columns are known and left out. It is complete once the import has ended, and is stored for 30 days.
#[utoipa::path(
    get, path = "/v1/imports/{id}/rows.csv", tag = "Imports and exports",
    params(("id" = String, Path, description = "The import's id."), Parameters<RowsQuery>),
    responses(
        (status = 303, description = "A redirect to the file.",
         headers(("Location" = String, description = "The link."))),
        (status = 409, description = "not-finished"),
    ),
)]
pub(crate) async fn download_import_rows(
    State(parts): State<Parts>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<ImportId>,
    Query(RowsQuery(only)): Query<RowsQuery>,
) -> Result<Response, Problem> {
    let import = parts.context.store.import(principal.account, id).await?;
    if !import.has_results {
        return Err(not_finished());
    }
    let (rows, kind) = match only {
        Some(Only::Failed) => (ResultRows::Failed, "failed"),
        None => (ResultRows::All, "rows"),
    };
    let name = import.name.strip_suffix(".csv").unwrap_or(&import.name);
    let key = results_key(principal.account, id, rows);
    let now = parts.context.clock.now();
    let link =
        parts.files.download_link(&key, &format!("{name}-{kind}.csv"), CSV, FILE_LINK_VALID, now).await;
    redirect(&link.map_err(file_problem)?)
}
