//! From a selection to its export.

use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::{Value, json};

use super::dialog;
use super::selected::{Selected, nothing_ticked, with_refusal};
use crate::frame::Page;
use crate::request::{Call, Failure};
use crate::signed::Signed;
use crate::typed::Typed;

/// Returns the page with the dialog that asks for the format.
pub(super) async fn ask(signed: &Signed, typed: &Typed) -> Result<Page, Failure> {
    let Some(selected) = Selected::of(signed, typed).await? else {
        return nothing_ticked(signed, typed).await;
    };
    let page = selected.page(signed).await?;
    Ok(page.with_dialog(dialog::export(signed, &selected.hidden(typed), &selected.back())))
}

/// Creates the export of the selected contacts, and shows it.
pub(super) async fn create(signed: Signed, typed: Typed) -> Response {
    match started(&signed, &typed).await {
        Ok(Ok(path)) => Redirect::to(&path).into_response(),
        Ok(Err(page)) => signed.finish(Ok(*page)),
        Err(failure) => signed.finish(Err(failure)),
    }
}

/// Returns the path of the export, or the page about its refusal.
async fn started(signed: &Signed, typed: &Typed) -> Result<Result<String, Box<Page>>, Failure> {
    let Some(selected) = Selected::of(signed, typed).await? else {
        return Ok(Err(Box::new(nothing_ticked(signed, typed).await?)));
    };
    let body = json!({"selection": selected.json, "format": typed.filled("format").unwrap_or("csv")});
    match signed.call(Call::post("/v1/exports", body).once(typed)).await {
        Ok(answer) => {
            let id = answer.body.get("id").and_then(Value::as_str).unwrap_or_default();
            Ok(Ok(format!("/console/exports/{id}")))
        }
        Err(refusal) => Ok(Err(Box::new(with_refusal(selected.page(signed).await?, &refusal)?))),
    }
}
