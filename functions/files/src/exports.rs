//! `/v1/exports`: files with contacts of the account.

use api::describe::Parameters;
use api::listing::{one_more, page};
use api::openapi::IdempotencyKey;
use api::paging::{Page, Paging};
use api::path::PathId;
use api::{AccountCaller, Context, MutationRequest, NoBody, Problem, Query, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{AccountId, ExportId};
use domain::limits::FILE_LINK_VALID;
use file_jobs::export_key;
use file_store::Link;
use store::{Export, ExportState, FileFormat, FileJob, FileTask, NewExport, Responder, StoredResponse};

use crate::Parts;
use crate::body::NewExportBody;
use crate::download::CSV;
use crate::export_view::ExportView;
use crate::imports::file_problem;

/// The media type of lines of JSON.
const NDJSON: &str = "application/x-ndjson";

impl Parts {
    /// Sends an export to the queue.
    pub(crate) async fn enqueue_export(&self, account: AccountId, export: ExportId) {
        self.queue.enqueue(FileTask { account, job: FileJob::Export(export) }).await;
    }

    /// Returns the link to an export's file. `None` if the file is not complete or not stored any more.
    pub(crate) async fn link(&self, account: AccountId, export: &Export) -> Result<Option<Link>, Problem> {
        let now = self.context.clock.now();
        if export.state != ExportState::Done || export.kept_until <= now {
            return Ok(None);
        }
        let (extension, media_type) = match export.format {
            FileFormat::Csv => ("csv", CSV),
            FileFormat::Ndjson => ("ndjson", NDJSON),
        };
        let name = format!("{}.{extension}", export.name);
        let key = export_key(account, export.id, export.format);
        let link = self.files.download_link(&key, &name, media_type, FILE_LINK_VALID, now).await;
        link.map(Some).map_err(file_problem)
    }
}

/// Returns the response for an export that was accepted.
pub(crate) fn accepted(export: &Export) -> StoredResponse {
    let location = Some(format!("/v1/exports/{}", export.id));
    StoredResponse { location, ..respond::json(StatusCode::ACCEPTED, &ExportView::new(export, None)) }
}

/// Creates an export.
///
/// The file contains the selected contacts with their marketing state, its source, since when, and if they are billable, all
/// as of the instant of the request. Properties, addresses and flags are as they are when the contact is read. Contacts that
/// are created later are not in the file.
///
/// CSV begins with a UTF-8 mark and is made for spreadsheets: a cell that one would run as a formula has an apostrophe before
/// it. Imported again, the file changes nothing.
#[utoipa::path(
    post, path = "/v1/exports", tag = "Imports and exports", params(IdempotencyKey), request_body = NewExportBody,
    responses(
        (status = 202, description = "The export.", body = ExportView,
         headers(("Location" = String, description = "The export's path."))),
        (status = 404, description = "not-found"),
    ),
)]
pub(crate) async fn create_export(
    State(parts): State<Parts>,
    AccountCaller(principal): AccountCaller,
    request: MutationRequest<NewExportBody>,
) -> Result<Response, Problem> {
    let (context, account) = (&parts.context, principal.account);
    let NewExportBody { selection, format, columns } = &request.body;
    let new = NewExport {
        selection: selection.clone(),
        format: *format,
        columns: columns.clone(),
        actor: principal.actor(),
    };
    let created = std::sync::Mutex::new(None);
    let render = |export: &Export| {
        *created.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(export.id);
        accepted(export)
    };
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.create_export(account, &new, context.clock.now(), responder).await;
    let id = created.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let (true, Some(id)) = (result.is_ok(), id) {
        parts.enqueue_export(account, id).await;
    }
    request.conclude(context, result).await
}

/// Lists the exports.
///
/// The newest export is first. Exports are kept for 400 days, and their files for 30 days.
#[utoipa::path(
    get, path = "/v1/exports", tag = "Imports and exports", params(Parameters<Paging<ExportId>>),
    responses((status = 200, description = "A page of exports.", body = Page<ExportView>)),
)]
pub(crate) async fn list_exports(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(paging): Query<Paging<ExportId>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let listing = context.store.exports(principal.account, after, one_more(limit)).await?;
    respond::ok(&page(&listing, limit, |export| export.id, |export| ExportView::new(export, None)))
}

/// Returns an export with its progress, and with the link to its file once it is complete.
///
/// The request costs one read, so a client can repeat it every second.
#[utoipa::path(
    get, path = "/v1/exports/{id}", tag = "Imports and exports",
    params(("id" = String, Path, description = "The export's id.")),
    responses((status = 200, description = "The export.", body = ExportView)),
)]
pub(crate) async fn get_export(
    State(parts): State<Parts>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<ExportId>,
    Query(_): Query,
) -> Result<Response, Problem> {
    let export = parts.context.store.export(principal.account, id).await?;
    let link = parts.link(principal.account, &export).await?;
    respond::ok(&ExportView::new(&export, link.as_ref()))
}

/// Cancels an export.
///
/// A finished export is returned unchanged.
#[utoipa::path(
    post, path = "/v1/exports/{id}/cancel", tag = "Imports and exports",
    params(IdempotencyKey, ("id" = String, Path, description = "The export's id.")),
    responses((status = 200, description = "The export.", body = ExportView)),
)]
pub(crate) async fn cancel_export(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<ExportId>,
    request: MutationRequest<NoBody>,
) -> Result<Response, Problem> {
    let render = |export: &Export| respond::json(StatusCode::OK, &ExportView::new(export, None));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.cancel_export(principal.account, id, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}
