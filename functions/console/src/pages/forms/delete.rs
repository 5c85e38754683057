//! The deletion of a form, after its consequences are shown.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::html;

use super::fields::refused;
use super::view::{View, form_id, page_of};
use super::{LIST, words};
use crate::frame::{Page, Section};
use crate::parts::key;
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text;
use crate::typed::Typed;

/// Shows the consequences.
pub(super) async fn show(signed: Signed, Path(id): Path<String>) -> Response {
    let shown = page(&signed, &id, None).await;
    signed.finish(shown)
}

/// Deletes the form.
pub(super) async fn delete(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let form = match form_id(&id) {
        Ok(form) => form,
        Err(problem) => return signed.finish(Err(problem.into())),
    };
    match signed.call(Call::delete(format!("/v1/forms/{form}")).once(&typed)).await {
        Ok(_) => Redirect::to(&format!("{LIST}?done=deleted")).into_response(),
        Err(refusal) => {
            let shown = page(&signed, &id, Some(&refusal)).await;
            signed.finish(shown)
        }
    }
}

async fn page(signed: &Signed, id: &str, refusal: Option<&Refusal>) -> Result<Page, Failure> {
    let view = View::read(signed, form_id(id)?).await?;
    let (name, page) = (view.text("name"), page_of(view.id));
    let title = words::delete_title(name);
    let head = html! {
        p class="trail" { a href=(LIST) { (text::FORMS) } " / " a href=(page) { (name) } " /" }
        h1 { (title) }
    };
    let content = html! {
        @if let Some(refusal) = refusal { (refused(refusal, &[])) }
        dl class={ "facts narrow" @if refusal.is_some() { " gap" } } {
            div { dt { (words::DELETE_ADDRESS) } dd {
                (words::delete_address_effect(view.provider().is_native()))
            } }
            div { dt { (words::DELETE_REJECTED) } dd {
                (words::DELETE_REJECTED_EFFECT) " "
                a href={ (page) "#rejected" } { (words::SEE_REJECTED) }
            } }
            div { dt { (words::DELETE_CONTACTS) } dd { (words::DELETE_CONTACTS_EFFECT) } }
        }
        form method="post" action={ (page) "/delete" } class="gap" {
            (key(signed))
            p { (words::DELETE_FINAL) }
            div class="row gap" {
                button class="lose" { (words::delete_button(name)) }
                a class="button" href=(page) { (words::CANCEL) }
            }
        }
    };
    Ok(Page::new(Section::Forms, title, content).with_head(head).with_status_of(refusal))
}
