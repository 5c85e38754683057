//! `/v1/imports`: files whose rows become contacts.

use api::describe::Parameters;
use api::identity::require_modify_marketing_contacts;
use api::listing::{one_more, page};
use api::openapi::IdempotencyKey;
use api::paging::{Page, Paging};
use api::path::PathId;
use api::{AccountCaller, Context, MutationRequest, NoBody, Problem, ProblemType, Query, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use contact_files::{Layout, Options, Survey};
use domain::ids::{AccountId, ImportId};
use domain::limits::{FILE_LINK_VALID, IMPORT_FILE_BYTES_MAX, PREVIEW_BYTES};
use file_jobs::{SurveyError, options_text, read_options, survey, upload_key};
use file_store::{FileError, FileInfo};
use store::{
    FileJob, FileTask, Import, ImportFile, ImportState, NewImport, Responder, StoreError, UpdateImport,
};

use crate::Parts;
use crate::attached::{AttachedImport, ImportBody};
use crate::body::{NewImportBody, UpdateImportBody};
use crate::import_view::ImportView;

/// The media type with which an attached file is stored. What it contains is found out by its bytes.
const ANY_FILE: &str = "application/octet-stream";

impl Parts {
    async fn enqueue_import(&self, account: AccountId, import: ImportId) {
        self.queue.enqueue(FileTask { account, job: FileJob::Import(import) }).await;
    }
}

/// Converts a failure of the files to a problem.
#[must_use]
pub fn file_problem(error: FileError) -> Problem {
    match error {
        FileError::Unavailable(..) => {
            StoreError::Unavailable("a file could not be used".to_owned(), Some(error.into())).into()
        }
        _ => Problem::internal(error),
    }
}

/// Returns the problem of a file that can't be imported.
pub(crate) fn unusable(problem: &contact_files::FileProblem) -> Problem {
    let field = if problem.column().is_some() { "options.mapping" } else { "file" };
    Problem::invalid_field(field, problem.to_string())
}

/// Creates an import.
///
/// The response contains the request that uploads the file, of any size up to 5 GB. `POST /v1/imports/{id}/start` then
/// starts the import. A file of at most 4 MB can be sent with this request as `multipart/form-data`. Then the import
/// starts at once.
///
/// A file of another kind, such as a spreadsheet or an archive, is refused by its name. The encoding and the delimiter are
/// detected, and columns map themselves by their names.
#[utoipa::path(
    post, path = "/v1/imports", tag = "Imports and exports", params(IdempotencyKey),
    request_body(content((NewImportBody = "application/json"), (AttachedImport = "multipart/form-data"))),
    responses(
        (status = 201, description = "The import.", body = ImportView,
         headers(("Location" = String, description = "The import's path."))),
        (status = 403, description = "marketing-contacts-off"),
    ),
)]
pub(crate) async fn create_import(
    State(parts): State<Parts>,
    AccountCaller(principal): AccountCaller,
    request: MutationRequest<ImportBody>,
) -> Result<Response, Problem> {
    let Parts { context, files, .. } = &parts;
    let (account, body, now) = (principal.account, &request.body, context.clock.now());
    if body.import.terms.set_marketing {
        require_modify_marketing_contacts(&principal)?;
    }
    let id = context.store.new_import_id(now);
    let key = upload_key(account, id);
    let mut file = None;
    if let Some(bytes) = &body.file {
        let mut survey = Survey::new(body.import.reading.clone());
        survey.feed(bytes);
        survey.finish(true).map_err(|problem| unusable(&problem))?;
        files.put(&key, ANY_FILE, bytes.to_vec()).await.map_err(file_problem)?;
        let stored = files.info(&key).await.map_err(file_problem)?.ok_or_else(not_uploaded)?;
        file = Some(ImportFile { bytes: stored.bytes, version: stored.version });
    }
    let link = match file {
        Some(_) => None,
        None => Some(files.upload_link(&key, FILE_LINK_VALID, now).await.map_err(file_problem)?),
    };
    let is_started = file.is_some();
    let new = NewImport {
        name: body.import.name.clone(),
        terms: body.import.terms.clone(),
        reading: options_text(&body.import.reading).map_err(Problem::internal)?,
        actor: principal.actor(),
        file,
    };
    let render = |import: &Import| store::StoredResponse {
        location: Some(format!("/v1/imports/{}", import.id)),
        ..respond::json(StatusCode::CREATED, &ImportView::with_upload(import, link.as_ref()))
    };
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.create_import(account, &new, id, now, responder).await;
    if is_started && result.is_ok() {
        parts.enqueue_import(account, id).await;
    }
    request.conclude(context, result).await
}

/// Lists the imports.
///
/// The newest import is first. Finished imports are kept for 400 days, and their files for 30 days.
#[utoipa::path(
    get, path = "/v1/imports", tag = "Imports and exports", params(Parameters<Paging<ImportId>>),
    responses((status = 200, description = "A page of imports.", body = Page<ImportView>)),
)]
pub(crate) async fn list_imports(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(paging): Query<Paging<ImportId>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let listing = context.store.imports(principal.account, after, one_more(limit)).await?;
    respond::ok(&page(&listing, limit, |import| import.id, ImportView::new))
}

/// Returns an import with its progress.
///
/// The request costs one read, so a client can repeat it every second.
#[utoipa::path(
    get, path = "/v1/imports/{id}", tag = "Imports and exports",
    params(("id" = String, Path, description = "The import's id.")),
    responses((status = 200, description = "The import.", body = ImportView)),
)]
pub(crate) async fn get_import(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<ImportId>,
    Query(_): Query,
) -> Result<Response, Problem> {
    respond::ok(&ImportView::new(&context.store.import(principal.account, id).await?))
}

/// Changes an import that has not started.
///
/// `options` replaces all options: those that are left out have their defaults again. If the file is uploaded, it must be
/// readable with the new options. So a file can be looked at in several ways before it is imported.
#[utoipa::path(
    patch, path = "/v1/imports/{id}", tag = "Imports and exports",
    params(IdempotencyKey, ("id" = String, Path, description = "The import's id.")),
    request_body = UpdateImportBody,
    responses(
        (status = 200, description = "The changed import.", body = ImportView),
        (status = 403, description = "marketing-contacts-off"),
        (status = 409, description = "import-started"),
    ),
)]
pub(crate) async fn update_import(
    State(parts): State<Parts>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<ImportId>,
    request: MutationRequest<UpdateImportBody>,
) -> Result<Response, Problem> {
    let (context, account) = (&parts.context, principal.account);
    let UpdateImportBody { name, options } = &request.body;
    if let Some(options) = options {
        if options.terms.set_marketing {
            require_modify_marketing_contacts(&principal)?;
        }
        let import = context.store.import(account, id).await?;
        parts.require_readable(account, &import, &options.reading).await?;
    }
    let rules = options.as_ref().map(|options| {
        let reading = options_text(&options.reading).map_err(Problem::internal)?;
        Ok::<_, Problem>((options.terms.clone(), reading))
    });
    let change = UpdateImport { name: name.clone(), rules: rules.transpose()? };
    let render = |import: &Import| respond::json(StatusCode::OK, &ImportView::new(import));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.update_import(account, id, &change, context.clock.now(), responder).await;
    request.conclude(context, result).await
}

/// Starts an import whose file is uploaded.
///
/// The response is 409 `upload-missing` if the file is not there or was not uploaded to its end. A file of another kind is
/// refused by its name. An uploaded file can't be replaced, so another file needs another import. An import that has started
/// already is returned unchanged.
#[utoipa::path(
    post, path = "/v1/imports/{id}/start", tag = "Imports and exports",
    params(IdempotencyKey, ("id" = String, Path, description = "The import's id.")),
    responses(
        (status = 202, description = "The import.", body = ImportView),
        (status = 409, description = "upload-missing"),
    ),
)]
pub(crate) async fn start_import(
    State(parts): State<Parts>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<ImportId>,
    request: MutationRequest<NoBody>,
) -> Result<Response, Problem> {
    let (context, account) = (&parts.context, principal.account);
    let import = context.store.import(account, id).await?;
    if import.terms.set_marketing {
        require_modify_marketing_contacts(&principal)?;
    }
    let file = match import.file.clone() {
        Some(file) => file,
        None => parts.uploaded(account, &import).await?,
    };
    let render = |import: &Import| respond::json(StatusCode::ACCEPTED, &ImportView::new(import));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let (now, starter) = (context.clock.now(), principal.actor());
    let result = context.store.start_import(account, &import, &file, starter, now, responder).await;
    if result.is_ok() && import.file.is_none() {
        parts.enqueue_import(account, id).await;
    }
    request.conclude(context, result).await
}

/// Cancels an import.
///
/// Rows that were applied stay applied. The file with the results then has the outcome `not-run` for the others. A finished
/// import is returned unchanged.
#[utoipa::path(
    post, path = "/v1/imports/{id}/cancel", tag = "Imports and exports",
    params(IdempotencyKey, ("id" = String, Path, description = "The import's id.")),
    responses((status = 200, description = "The import.", body = ImportView)),
)]
pub(crate) async fn cancel_import(
    State(parts): State<Parts>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<ImportId>,
    request: MutationRequest<NoBody>,
) -> Result<Response, Problem> {
    let (context, account) = (&parts.context, principal.account);
    let render = |import: &Import| respond::json(StatusCode::OK, &ImportView::new(import));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.cancel_import(account, id, context.clock.now(), responder).await;
    if result.is_ok() {
        // The worker may have stopped. Then another one writes the results.
        parts.enqueue_import(account, id).await;
    }
    request.conclude(context, result).await
}

/// Returns the problem of a file that is not uploaded.
pub(crate) fn not_uploaded() -> Problem {
    Problem::new(ProblemType::UploadMissing, "Upload the file to its end, and repeat the request.")
}

impl Parts {
    /// Returns the size and the version of an import's uploaded file.
    ///
    /// # Errors
    ///
    /// `upload-missing` if there is none.
    pub(crate) async fn upload(&self, account: AccountId, import: &Import) -> Result<FileInfo, Problem> {
        let info = self.files.info(&upload_key(account, import.id)).await.map_err(file_problem)?;
        info.ok_or_else(not_uploaded)
    }

    /// Returns the uploaded file of an import that starts, after a look at its beginning.
    async fn uploaded(&self, account: AccountId, import: &Import) -> Result<ImportFile, Problem> {
        let FileInfo { bytes, version } = self.upload(account, import).await?;
        if bytes > IMPORT_FILE_BYTES_MAX {
            let message = format!("expected a file of at most {IMPORT_FILE_BYTES_MAX} bytes");
            return Err(Problem::invalid_field("file", message));
        }
        let options = read_options(&import.reading).map_err(Problem::internal)?;
        self.look_at(account, import, &version, options).await?;
        Ok(ImportFile { bytes, version })
    }

    /// Refuses options with which the uploaded file of an import can't be read. A file that is not uploaded, or an import
    /// that has started, is no reason.
    async fn require_readable(
        &self,
        account: AccountId,
        import: &Import,
        options: &Options,
    ) -> Result<(), Problem> {
        if import.state != ImportState::Created {
            return Ok(());
        }
        let info = self.files.info(&upload_key(account, import.id)).await.map_err(file_problem)?;
        match info {
            Some(FileInfo { version, .. }) => {
                self.look_at(account, import, &version, options.clone()).await.map(|_| ())
            }
            None => Ok(()),
        }
    }

    /// Returns the way in which the beginning of an import's file is read with these options.
    pub(crate) async fn look_at(
        &self,
        account: AccountId,
        import: &Import,
        version: &str,
        options: Options,
    ) -> Result<Layout, Problem> {
        let key = upload_key(account, import.id);
        match survey(&self.files, &key, version, options, Some(PREVIEW_BYTES), || true).await {
            Ok(Some(layout)) => Ok(layout),
            Ok(None) => Err(Problem::internal("a survey without an end has ended")),
            Err(SurveyError::File(problem)) => Err(unusable(&problem)),
            Err(SurveyError::Files(error)) => Err(file_problem(error)),
        }
    }
}
