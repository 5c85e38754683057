//! The page that adds one contact.

use api::ProblemType;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::state::if_set;
use crate::frame::{Page, Section};
use crate::parts::{Tone, field_error, key, note, refused};
use crate::request::{Call, Refusal};
use crate::signed::Signed;
use crate::text::{self, contact as words};
use crate::typed::Typed;

/// The properties of the form, by their fields.
const NAMES: [(&str, &str, &str); 2] = [
    ("firstname", "properties.firstname", words::FIRST_NAME),
    ("lastname", "properties.lastname", words::LAST_NAME),
];

/// Shows the form for a new contact.
pub(super) async fn show(signed: Signed) -> Response {
    let page = page(&signed, &Typed::default(), None);
    signed.finish(Ok(page))
}

/// Adds a contact, and shows it.
pub(super) async fn create(signed: Signed, typed: Typed) -> Response {
    let is_empty =
        typed.get("email").is_empty() && NAMES.iter().all(|(_, field, _)| typed.get(field).is_empty());
    if is_empty {
        let refusal = Refusal::of_console("email", words::NOTHING_TYPED);
        return signed.finish(Ok(page(&signed, &typed, Some(&refusal))));
    }
    match signed.call(Call::post("/v1/contacts", body(&typed)).once(&typed)).await {
        Ok(answer) => {
            let id = answer.body.get("id").and_then(Value::as_str).unwrap_or_default();
            let is_refused = answer.body.pointer("/marketing/refused").is_some();
            let done = if is_refused { "added-free" } else { "added" };
            Redirect::to(&format!("/console/contacts/{id}?done={done}")).into_response()
        }
        Err(refusal) => signed.finish(Ok(page(&signed, &typed, Some(&refusal)))),
    }
}

fn body(typed: &Typed) -> Value {
    let filled =
        |(name, field, _): &(&str, &str, &str)| Some(((*name).to_owned(), json!(typed.filled(field)?)));
    let properties: Map<String, Value> = NAMES.iter().filter_map(filled).collect();
    let email = typed.filled("email").map(|email| ("email".to_owned(), json!(email)));
    let marketing = typed.has("marketing").then(|| ("marketing".to_owned(), json!(true)));
    let properties = ("properties".to_owned(), properties.into());
    Value::Object([properties].into_iter().chain(email).chain(marketing).collect())
}

fn page(signed: &Signed, typed: &Typed, refusal: Option<&Refusal>) -> Page {
    let shown = ["email", "properties.firstname", "properties.lastname"];
    let content = html! {
        p class="lede" { (words::NEW_LEDE) }
        @if let Some(refusal) = refusal {
            @if refusal.kind == ProblemType::ContactExists { (exists(refusal)) } @else { (refused(refusal, &shown)) }
        }
        form class="narrow gap" method="post" action="/console/contacts/new" {
            (key(signed))
            (field(typed, refusal, "email", words::EMAIL))
            @for (_, name, label) in NAMES { (field(typed, refusal, name, label)) }
            (as_marketing(signed, typed))
            div class="row gap" {
                button class="act" { (words::ADD) }
                a class="button" href="/console/contacts" { (words::CANCEL) }
            }
        }
    };
    let head = html! {
        p class="trail" { a href="/console/contacts" { (text::CONTACTS) } " /" }
        h1 { (words::NEW) }
    };
    Page::new(Section::Contacts, words::NEW, content).with_head(head).with_status_of(refusal)
}

/// Returns the note about another contact that has the address.
pub(super) fn exists(refusal: &Refusal) -> Markup {
    let id = refusal.document.get("contact_id").and_then(Value::as_str);
    note(
        Tone::Fault,
        &html! {
            p { b { (text::nothing_was_changed(false)) } " " (words::EXISTS) " "
                @if let Some(id) = id { a href={ "/console/contacts/" (id) } { (words::OPEN_IT) } } }
        },
    )
}

fn field(typed: &Typed, refusal: Option<&Refusal>, name: &str, label: &str) -> Markup {
    let is_wrong = refusal.is_some_and(|refusal| refusal.error_of(name).is_some());
    let mode = (name == "email").then_some("email");
    html! {
        div class="field" {
            label for=(name) { (label) }
            (field_error(refusal, name, name))
            input id=(name) name=(name) class="w-l" value=(typed.get(name)) inputmode=[mode] autocomplete="off"
                aria-invalid=[is_wrong.then_some("true")]
                aria-describedby=[is_wrong.then(|| format!("{name}-e"))] autofocus[is_wrong];
        }
    }
}

/// Returns the choice to set the contact as marketing, with its effect on the bill.
fn as_marketing(signed: &Signed, typed: &Typed) -> Markup {
    let is_on = signed.period().marketing_contacts;
    let may = signed.may_edit() && is_on;
    html! {
        div class="field" {
            label class="check" {
                input type="checkbox" name="marketing" value="true" checked[may && typed.has("marketing")]
                    disabled[!may] aria-describedby="marketing-h";
                (words::AS_MARKETING)
            }
            p class="hint quiet" id="marketing-h" {
                @if may { (if_set(signed)) }
                @else if is_on { (text::MAY_NOT_EDIT) }
                @else { (words::MARKETING_OFF) }
            }
        }
    }
}
