//! Imports of files. The rows are applied by the worker of Tidemark's imports.

mod errors;
mod request;
mod view;

use axum::extract::{Request, State};
use axum::response::Response;
use contact_files::{Layout, Options, Survey};
use domain::ids::{ImportId, NumberedId as _};
use domain::limits::CRM_PAGE_MAX;
use file_jobs::{options_text, upload_key};
use file_store::FileError;
use http::StatusCode;
use store::{
    FileJob, FileTask, Import, ImportFile, ImportTerms, NewImport, NewSegment, Refused, Responder,
    SegmentContent, StoreError,
};

use crate::Parts;
use crate::body::respond;
use crate::envelope::{Category, Failure};
use crate::kept::Kept;
use crate::lists;
use crate::number::decimal;
use crate::paging::{Page, PageView};
use crate::path::PathId;
use crate::query::Query;
use crate::session::Session;

use self::request::{Attached, ImportRequest};
use self::view::{ActionView, ImportView};

pub(crate) use errors::list as errors;

/// The number of imports on a page if the request names none.
const PAGE_DEFAULT: usize = 10;

/// The media type with which a file is stored. Its bytes show what it contains.
const ANY_FILE: &str = "application/octet-stream";

/// Converts a failure of the files.
fn file_failure(error: FileError) -> Failure {
    match error {
        FileError::Unavailable(..) => {
            StoreError::Unavailable("a file could not be used".to_owned(), Some(error.into())).into()
        }
        _ => api::Problem::internal(error).into(),
    }
}

/// Returns the refusal for an import that does not exist. `id` is the text in the request.
fn no_import(id: &str) -> Failure {
    Failure::new(Category::ObjectNotFound, format!("Import does not exist with ID {id}."))
}

async fn find(session: &Session, id: &str) -> Result<Import, Failure> {
    let after = decimal(id).and_then(ImportId::highest_of).ok_or_else(|| no_import(id))?;
    // The newest import is first, so the first one from this id on is that of the number.
    let found = session.context.store.imports(session.account(), Some(after), 1).await?;
    let import = found.items.into_iter().find(|import| import.id.number() == after.number());
    import.ok_or_else(|| no_import(id))
}

pub(crate) async fn create(
    session: Session,
    State(parts): State<Parts>,
    request: Request,
) -> Result<Response, Failure> {
    let Attached { request, file } = request::read(request).await?;
    let definitions = session.definitions().await?;
    let import = ImportRequest::read(&request, &definitions)?;
    if import.set_marketing && !session.principal.modify_marketing_contacts {
        return Err(Failure::missing_scopes(&["modify_marketing_contacts"]));
    }
    let reading = reading(&import, &file)?;
    let list = match import.creates_list {
        true => Some(create_list(&session, &import.name).await?),
        false => None,
    };
    let terms = ImportTerms {
        mode: import.mode,
        set_marketing: import.set_marketing,
        add_to_segment: list,
        automations: true,
        dry_run: false,
    };
    let created = start(&session, &parts, import.name, terms, &reading, file.to_vec()).await?;
    respond(StatusCode::OK, &ImportView::new(&created))
}

async fn create_list(session: &Session, name: &str) -> Result<domain::ids::SegmentId, Failure> {
    let new = NewSegment { name: name.to_owned(), content: SegmentContent::List(Vec::new()) };
    Ok(lists::created(session, new).await?.id)
}

/// Stores the file, and creates the import, which starts at once.
async fn start(
    session: &Session,
    parts: &Parts,
    name: String,
    terms: ImportTerms,
    reading: &Options,
    file: Vec<u8>,
) -> Result<Import, Failure> {
    let (store, account, now) = (&session.context.store, session.account(), session.now());
    let id = store.new_import_id(now);
    let key = upload_key(account, id);
    parts.files.put(&key, ANY_FILE, file).await.map_err(file_failure)?;
    let stored = parts.files.info(&key).await.map_err(file_failure)?;
    let stored = stored.ok_or_else(|| api::Problem::internal("a stored file is missing"))?;
    let new = NewImport {
        name,
        terms,
        reading: options_text(reading).map_err(api::Problem::internal)?,
        actor: session.principal.actor(),
        file: Some(ImportFile { bytes: stored.bytes, version: stored.version }),
    };
    let kept = Kept::new();
    let render = |import: &Import| kept.keep(import);
    store.create_import(account, &new, id, now, Responder::new(None, &render)).await?;
    parts.file_queue.enqueue(FileTask { account, job: FileJob::Import(id) }).await;
    kept.take()
}

/// Returns the options with which the file is read: each column has the target of the request, or none.
fn reading(import: &ImportRequest, file: &[u8]) -> Result<Options, Failure> {
    let (key, target) = import.address();
    let first = Options { mapping: [(key, target)].into(), ..Options::default() };
    // The mapping of the address alone shows the names of all columns.
    let layout = survey(file, first)?;
    if import.has_header != layout.header_line.is_some() {
        let message = "files[0].fileImportPage.hasHeader: differs from the file";
        return Err(Failure::invalid(message));
    }
    let names: Vec<&str> = layout.columns.iter().map(|column| column.name.as_str()).collect();
    let options = Options { mapping: import.mapping(&names)?, ..Options::default() };
    survey(file, options.clone())?;
    Ok(options)
}

fn survey(file: &[u8], options: Options) -> Result<Layout, Failure> {
    let mut survey = Survey::new(options);
    survey.feed(file);
    survey.finish(true).map_err(|problem| {
        let place =
            if problem.column().is_some() { "files[0].fileImportPage.columnMappings" } else { "files" };
        Failure::invalid(format!("{place}: {problem}"))
    })
}

pub(crate) async fn list(session: Session, query: Query, page: Page) -> Result<Response, Failure> {
    let limit = query.limit(PAGE_DEFAULT, CRM_PAGE_MAX)?;
    let after = page.after(|text| decimal(text).and_then(ImportId::lowest_of))?;
    // One more than the page shows if another page follows.
    let mut found = session.context.store.imports(session.account(), after, limit + 1).await?.items;
    let paging = page.cut(&mut found, limit, |import| import.id.number());
    let results = found.iter().map(ImportView::new).collect();
    respond(StatusCode::OK, &PageView::new(results, paging))
}

pub(crate) async fn read(session: Session, PathId(id): PathId) -> Result<Response, Failure> {
    respond(StatusCode::OK, &ImportView::new(&find(&session, &id).await?))
}

pub(crate) async fn cancel(
    session: Session,
    State(parts): State<Parts>,
    PathId(id): PathId,
) -> Result<Response, Failure> {
    let import = find(&session, &id).await?;
    let (store, account, now) = (&session.context.store, session.account(), session.now());
    let kept = Kept::new();
    let render = |import: &Import| kept.keep(import);
    let responder = Responder::new(None, &render);
    let cancelled = store.cancel_import(account, import.id, now, responder).await;
    cancelled.map_err(|error| match error {
        StoreError::Refused(Refused::NotFound(_)) => no_import(&id),
        error => error.into(),
    })?;
    // The worker may have stopped. Then another one writes the results.
    parts.file_queue.enqueue(FileTask { account, job: FileJob::Import(import.id) }).await;
    respond(StatusCode::OK, &ActionView::new(now))
}
