//! The creation of a form.

use axum::response::{IntoResponse as _, Redirect, Response};
use domain::provider::Provider;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::address::SECRETS;
use super::fields::{Control, Field, error, message, refused};
use super::settings::{self, BUDGET, NAME, ORIGINS, REDIRECT, lines, whole};
use super::{LIST, view};
use crate::frame::{Page, Section};
use crate::parts::key;
use crate::request::{Call, Refusal};
use crate::signed::Signed;
use crate::text::{self, forms as words};
use crate::typed::Typed;

const PROVIDER: &str = "provider";
const SET_MARKETING: &str = "set_marketing";

/// The fields of the page.
const SHOWN: [&str; 7] = [NAME, PROVIDER, SECRETS, SET_MARKETING, BUDGET, ORIGINS, REDIRECT];

/// Shows the empty page.
pub(super) async fn show(signed: Signed) -> Response {
    let page = page(&signed, &Typed::default(), None);
    signed.finish(Ok(page))
}

/// Creates the form, and shows it.
pub(super) async fn create(signed: Signed, typed: Typed) -> Response {
    let created = signed.call(Call::post("/v1/forms", body(&typed)).once(&typed)).await;
    match created {
        Ok(answer) => {
            let id = answer.body.get("id").and_then(Value::as_str).unwrap_or_default();
            let page = view::form_id(id).map(view::page_of).unwrap_or_else(|_| LIST.to_owned());
            Redirect::to(&format!("{page}?done=created")).into_response()
        }
        Err(refusal) => {
            let page = page(&signed, &typed, Some(&refusal)).with_status_of(Some(&refusal));
            signed.finish(Ok(page))
        }
    }
}

fn body(typed: &Typed) -> Value {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set(NAME, json!(typed.get(NAME)));
    set(PROVIDER, json!(typed.get(PROVIDER)));
    if let Some(secret) = typed.filled(SECRETS) {
        set(SECRETS, json!([secret]));
    }
    set(SET_MARKETING, json!(typed.get(SET_MARKETING) == "true"));
    set(BUDGET, whole(typed.get(BUDGET)));
    set(ORIGINS, lines(typed.get(ORIGINS)));
    if let Some(url) = typed.filled(REDIRECT) {
        set(REDIRECT, json!(url));
    }
    Value::Object(body)
}

fn page(signed: &Signed, typed: &Typed, refusal: Option<&Refusal>) -> Page {
    let head = html! {
        p class="trail" { a href=(LIST) { (text::FORMS) } " /" }
        h1 { (words::CREATE) }
    };
    let content = html! {
        @if let Some(refusal) = refusal { (refused(refusal, &SHOWN)) }
        form method="post" action="/console/forms/new" class={ "narrow" @if refusal.is_some() { " gap" } } {
            (key(signed))
            (settings::name(typed.get(NAME), refusal))
            (provider(typed, refusal))
            (set_marketing(signed, typed, refusal))
            (settings::budget(typed.get(BUDGET), refusal))
            (secret(typed, refusal))
            fieldset class="block" {
                legend { h2 { (words::OWN_FORMS_ONLY) } }
                div class="gap" {
                    (settings::origins(typed.get(ORIGINS), refusal))
                    (settings::redirect(typed.get(REDIRECT), refusal))
                }
            }
            div class="row gap" {
                button class="act" { (words::CREATE) }
                a class="button" href=(LIST) { (words::CANCEL) }
            }
        }
    };
    Page::new(Section::Forms, words::CREATE, content).with_head(head)
}

fn provider(typed: &Typed, refusal: Option<&Refusal>) -> Markup {
    let choices = Provider::ALL.iter();
    let choices = choices.map(|provider| (provider.as_str(), words::provider(*provider).to_owned()));
    let field = Field::new(PROVIDER, words::PROVIDER, refusal).hint(words::PROVIDER_HINT);
    field.show(&Control::Choice(choices.collect(), typed.get(PROVIDER)))
}

/// Returns the choice of the switch. It is on, as for forms that the API creates, unless the person may not set
/// contacts as marketing.
fn set_marketing(signed: &Signed, typed: &Typed, refusal: Option<&Refusal>) -> Markup {
    let may = signed.may_edit();
    let is_on = may && typed.filled(SET_MARKETING).is_none_or(|value| value == "true");
    let id = "f-set_marketing";
    // The refusal of a new form names no field, because it has one cause alone.
    let denied = refusal.filter(|refusal| refusal.kind == api::problem::ProblemType::PermissionDenied);
    let denied = denied.map(|_| words::WIDENS.to_owned());
    let error_text = refusal.and_then(|refusal| message(refusal, SET_MARKETING)).or(denied);
    let described = [error_text.as_ref().map(|_| "f-set_marketing-e"), (!may).then_some("may-not")];
    let described = described.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let described = Some(described).filter(|ids| !ids.is_empty());
    html! {
        fieldset class="field" aria-describedby=[described] {
            legend { b { (words::SET_MARKETING) } }
            (error(id, error_text.as_deref()))
            label class="check" {
                input type="radio" name=(SET_MARKETING) value="true" checked[is_on] disabled[!may];
                span { (words::TURN_ON) }
            }
            label class="check" {
                input type="radio" name=(SET_MARKETING) value="false" checked[!is_on] autofocus[error_text.is_some()];
                span { (words::TURN_OFF) }
            }
            @if !may { p class="hint" id="may-not" { (text::MAY_NOT_EDIT) } }
        }
    }
}

fn secret(typed: &Typed, refusal: Option<&Refusal>) -> Markup {
    let field = Field::new(SECRETS, words::SECRET, refusal).hint(words::SECRET_NEW_HINT);
    let again = (field.error.is_none() && typed.has(SECRETS) && typed.filled(SECRETS).is_some())
        .then(|| words::SECRET_AGAIN.to_owned());
    Field { error: field.error.clone().or(again), ..field }.show(&Control::Secret)
}
