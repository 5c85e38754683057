//! The view of an export.

use file_store::Link;
use serde::Serialize;
use store::Export;
use utoipa::ToSchema;

use crate::import_view::ProblemView;

/// An export with its progress.
#[derive(Serialize, ToSchema)]
#[schema(as = Export)]
pub(crate) struct ExportView {
    /// The id.
    id: String,
    /// The state. `reading`: the contacts are being read, to find the columns. `running`: the file is being written.
    /// `done`, `cancelled` and `failed` are final.
    state: &'static str,
    /// The format of the file.
    format: &'static str,
    /// The description of the contacts.
    name: String,
    /// The instant as of which marketing states are in the file.
    #[schema(format = DateTime)]
    as_of: String,
    /// The number of the closed period, for the contacts that its statement counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    statement: Option<u64>,
    /// The number of selected contacts, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    matched: Option<u64>,
    /// The number of contacts in the file so far.
    rows: u64,
    /// The number of contacts that the statement counts and that are not in the file, because they were deleted since.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    without_row: Option<u64>,
    /// The part that is done, from 0 to 1. `null` while the number of contacts is not known.
    progress: Option<f64>,
    /// The size of the complete file in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    bytes: Option<u64>,
    /// The link to the complete file. It is valid for an hour, and each request returns a new one while the file is stored.
    /// It is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    download_url: Option<String>,
    /// The end of the link's validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    download_until: Option<String>,
    /// The reason for the state `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<ProblemView>,
    /// The instant of the request.
    #[schema(format = DateTime)]
    created_at: String,
    /// The instant at which the export ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    finished_at: Option<String>,
}

impl ExportView {
    pub(crate) fn new(export: &Export, link: Option<&Link>) -> Self {
        Self {
            id: export.id.to_string(),
            state: export.state.as_str(),
            format: export.format.as_str(),
            name: export.name.clone(),
            as_of: export.as_of.to_string(),
            statement: export.selection.is_none().then(|| export.period.number()),
            matched: export.matched.or(export.counted),
            rows: export.rows,
            without_row: export.without_row(),
            progress: export.progress(),
            bytes: export.bytes,
            download_url: link.map(|link| link.url.clone()),
            download_until: link.map(|link| link.expires_at.to_string()),
            problem: export.problem.as_ref().map(ProblemView::new),
            created_at: export.created_at.to_string(),
            finished_at: export.finished_at.map(|at| at.to_string()),
        }
    }
}
