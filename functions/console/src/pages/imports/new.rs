//! The page of a new import: the choice of its file, and the ways in which the file arrives.

use api::Problem;
use axum::response::{IntoResponse as _, Redirect, Response};
use contact_files::{Options, Survey};
use domain::ids::ImportId;
use domain::limits::{FILE_LINK_VALID, IMPORT_ATTACHED_BYTES_MAX, NAME_CHARS_MAX};
use file_jobs::upload_key;
use files::file_problem;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use maud::{Markup, html};
use serde_json::{Value, json};
use store::ImportState;

use super::options::{Choices, fields, lists};
use super::shown::path;
use crate::frame::{Page, Section};
use crate::pages::transfers::IMPORTS;
use crate::parts::{field_error, key, refused, size};
use crate::posted::{Posted, PostedFile};
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, imports as words};
use crate::typed::Typed;

/// The media type with which a file is stored. The import finds out by its bytes which kind of file it is.
const ANY_FILE: &str = "application/octet-stream";

/// Shows the form for a new import.
pub(super) async fn show(signed: Signed) -> Response {
    let shown = page(&signed, &Choices::default(), None).await;
    signed.finish(shown)
}

/// Creates an import with the file of the form, and shows how it is read. A file that can't be imported creates nothing.
pub(super) async fn create(signed: Signed, Posted { typed, file }: Posted) -> Response {
    let shown = match readable(&signed, file.as_ref()) {
        Ok(file) => match send(&signed, &typed, file).await {
            Ok(id) => return Redirect::to(&path(id)).into_response(),
            Err(Failure::Refusal(refusal)) if !refusal.is_fault() => {
                page(&signed, &Choices::of_form(&typed), Some(&refusal)).await
            }
            Err(failure) => Err(failure),
        },
        Err(refusal) => page(&signed, &Choices::of_form(&typed), Some(&refusal)).await,
    };
    signed.finish(shown)
}

/// Returns the file if it can be imported.
fn readable<'f>(signed: &Signed, file: Option<&'f PostedFile>) -> Result<&'f PostedFile, Refusal> {
    let refuse = |message: &str| Refusal::of_console("file", message);
    let file = file.ok_or_else(|| refuse(words::NO_FILE))?;
    if file.bytes.len() > IMPORT_ATTACHED_BYTES_MAX {
        return Err(refuse(&words::too_large(&attached_max(signed))));
    }
    let mut survey = Survey::new(Options::default());
    survey.feed(&file.bytes);
    let layout = survey.finish(true);
    layout.map_err(|problem| refuse(&words::file_problem(problem.slug(), &problem.to_string())))?;
    Ok(file)
}

/// Creates the import, then stores its file. It does not start, because a person looks at the preview first.
async fn send(signed: &Signed, typed: &Typed, file: &PostedFile) -> Result<ImportId, Failure> {
    let answer = signed.call(new_import(typed, &file.name)).await?;
    let id = id_of(&answer.body)?;
    // A form that was sent again must not replace the file of an import that has started since.
    let import = signed.store().import(signed.account.id, id).await?;
    if import.state == ImportState::Created {
        let key = upload_key(signed.account.id, id);
        let stored = signed.console.files.put(&key, ANY_FILE, file.bytes.to_vec()).await;
        stored.map_err(|error| Failure::Problem(file_problem(error)))?;
    }
    Ok(id)
}

/// Returns the call that creates an import of the file with this name.
fn new_import(typed: &Typed, file_name: &str) -> Call {
    let name: String = file_name.trim().chars().take(NAME_CHARS_MAX).collect();
    let body = json!({"name": name, "options": Choices::of_form(typed).json()});
    Call::post("/v1/imports", body).once(typed)
}

fn id_of(import: &Value) -> Result<ImportId, Failure> {
    let id = import.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    id.ok_or_else(|| Failure::Problem(Problem::internal("a created import has no id")))
}

/// Creates an import for the script of the page, which then sends the file itself. The response has the request for it.
pub(super) async fn begin_upload(signed: Signed, typed: Typed) -> Response {
    let name = typed.filled("file_name").unwrap_or_default();
    let created = match signed.call(new_import(&typed, name)).await {
        Ok(answer) => upload(&signed, &answer.body).await,
        Err(refusal) => Err(refusal.into()),
    };
    match created {
        Ok(upload) => json_response(StatusCode::OK, &upload),
        Err(Failure::Refusal(refusal)) => {
            let messages: Vec<&str> = refusal.errors.iter().map(|error| error.message.as_str()).collect();
            let message = if messages.is_empty() { refusal.detail.clone() } else { messages.join(", ") };
            json_response(refusal.status(), &json!({"message": text::sentence(&message)}))
        }
        Err(failure) => signed.finish(Err(failure)),
    }
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Returns the request that stores the file of a created import, and the page that is shown then. The link is a new one,
/// because a form that is sent again gets the stored answer, whose link may have expired.
async fn upload(signed: &Signed, import: &Value) -> Result<Value, Failure> {
    let id = id_of(import)?;
    if signed.store().import(signed.account.id, id).await?.state != ImportState::Created {
        return Ok(json!({"page": path(id)}));
    }
    let key = upload_key(signed.account.id, id);
    let link = signed.console.files.upload_link(&key, FILE_LINK_VALID, signed.wall_clock).await;
    let link = link.map_err(|error| Failure::Problem(file_problem(error)))?;
    Ok(json!({"url": link.url, "headers": link.headers, "page": path(id)}))
}

fn attached_max(signed: &Signed) -> String {
    size(signed, IMPORT_ATTACHED_BYTES_MAX as u64)
}

async fn page(signed: &Signed, choices: &Choices, refusal: Option<&Refusal>) -> Result<Page, Failure> {
    let lists = lists(signed).await?;
    let origin = signed.console.files.origin().await;
    let origin = origin.map_err(|error| Failure::Problem(file_problem(error)))?;
    let content = html! {
        p class="lede" { (words::NEW_LEDE) }
        @if let Some(refusal) = refusal { (refused(refusal, &["file"])) }
        form class="narrow gap" method="post" action={ (IMPORTS) "/new" } enctype="multipart/form-data"
            data-upload={ (IMPORTS) "/upload" } data-upload-above=(IMPORT_ATTACHED_BYTES_MAX) {
            (key(signed))
            (file_field(signed, refusal))
            fieldset class="block" {
                legend { h2 { (words::RULES) } }
                (fields(signed, choices, &lists))
            }
            (progress())
            div class="row gap" {
                button class="act" { (words::PREVIEW) }
                a class="button" href=(IMPORTS) { (words::CANCEL) }
            }
        }
    };
    let head = html! {
        p class="trail" { a href=(IMPORTS) { (text::FILES) } " /" }
        h1 { (words::NEW) }
    };
    let page = Page::new(Section::Files, words::NEW, content).with_head(head);
    Ok(Page { uploads_to: Some(origin), ..page }.with_status_of(refusal))
}

fn file_field(signed: &Signed, refusal: Option<&Refusal>) -> Markup {
    let is_wrong = refusal.is_some_and(|refusal| refusal.error_of("file").is_some());
    let described = if is_wrong { "file-e file-h" } else { "file-h" };
    html! {
        div class="field" {
            label for="file" { (words::CHOOSE_FILE) }
            (field_error(refusal, "file", "file"))
            input id="file" name="file" type="file" class="w-full" required accept=".csv,.tsv,.txt,text/csv"
                aria-describedby=(described) aria-invalid=[is_wrong.then_some("true")] autofocus[is_wrong];
            p class="hint quiet" id="file-h" { (words::file_hint(&attached_max(signed))) }
        }
    }
}

/// Returns the progress of a file that the script sends, and the message if that fails. Both are hidden until then.
fn progress() -> Markup {
    html! {
        div class="gap" data-upload-progress hidden {
            p class="sentence" id="uploading" {
                b { (words::UPLOADING) } ": " span data-upload-part { "0" } " % " (words::UPLOADED_PART)
            }
            progress class="gap" max="1" value="0" aria-labelledby="uploading" {}
            p class="quiet gap" { (words::UPLOAD_STAY) }
        }
        div class="note fault gap" role="alert" data-upload-failed hidden {
            p data-upload-message { (words::UPLOAD_FAILED) }
        }
    }
}
