//! The page that creates an automation.

use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde_json::{Map, Value, json};
use store::{Form, Segment};

use super::{BRAKE, BUDGET, LIST, MAY_NOT, limit_fields, whole};
use crate::frame::{Page, Section};
use crate::parts::{field_error, key, refused};
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, automations as words};
use crate::typed::Typed;

/// The number of segments and forms that can be chosen on the page.
const CHOICES: usize = 200;

/// The fields of the page, whose errors are shown at them.
const SHOWN: [&str; 4] = ["name", "enrol", BUDGET, BRAKE];

/// Shows the empty page.
pub(super) async fn show(signed: Signed) -> Response {
    let page = page(&signed, &Typed::default(), None).await;
    signed.finish(page)
}

/// Creates the automation, switched off, and shows it.
pub(super) async fn create(signed: Signed, typed: Typed) -> Response {
    match signed.call(Call::post("/v1/automations", body(&typed)).once(&typed)).await {
        Ok(answer) => {
            let id = answer.body.get("id").and_then(Value::as_str).unwrap_or_default();
            Redirect::to(&format!("{LIST}/{id}?done=created")).into_response()
        }
        Err(refusal) => signed.finish(page(&signed, &typed, Some(&refusal)).await),
    }
}

/// Returns the chosen trigger. `None` if no segment or form is chosen.
fn enrol(typed: &Typed) -> Option<Value> {
    match typed.get("by") {
        "form" => typed.filled("form").map(|form| json!({"form_ids": [form]})),
        _ => typed.filled("segment").map(|segment| json!({"segment_id": segment})),
    }
}

fn body(typed: &Typed) -> Value {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set("name", json!(typed.get("name")));
    if let Some(enrol) = enrol(typed) {
        set("enrol", enrol);
    }
    set("action", json!(typed.get("action")));
    set("re_enrol", json!(typed.has("re_enrol")));
    set(BUDGET, whole(typed.get(BUDGET)));
    set(BRAKE, whole(typed.get(BRAKE)));
    Value::Object(body)
}

async fn page(signed: &Signed, typed: &Typed, refusal: Option<&Refusal>) -> Result<Page, Failure> {
    let segments = signed.store().segments(signed.account.id, None, CHOICES).await?.items;
    let forms = signed.store().forms(signed.account.id, None, CHOICES).await?.items;
    let forms: Vec<Form> = forms.into_iter().collect();
    let may = signed.may_edit();
    let head = html! {
        p class="trail" { a href=(LIST) { (text::AUTOMATIONS) } " /" }
        h1 { (words::CREATE) }
    };
    let content = html! {
        @if let Some(refusal) = refusal { (refused(refusal, &SHOWN)) }
        @if !signed.may_edit() { p class="quiet" id=(MAY_NOT) { (words::MAY_NOT) } }
        form method="post" action="/console/automations/new" class={ "narrow" @if refusal.is_some() { " gap" } } {
            (key(signed))
            (name(typed, refusal))
            (trigger(typed, &segments, &forms, refusal))
            (action(typed))
            fieldset class="block" {
                legend { h2 { (words::LIMITS) } }
                (limit_fields(typed.get(BUDGET), typed.get(BRAKE), refusal))
            }
            p class="quiet gap" { (words::CREATE_HINT) }
            div class="row gap" {
                button class="act" disabled[!may] aria-describedby=[(!may).then_some(MAY_NOT)] {
                    (words::CREATE_BUTTON)
                }
            }
        }
    };
    let page = Page::new(Section::Automations, words::CREATE, content).with_head(head);
    Ok(page.with_status_of(refusal))
}

fn name(typed: &Typed, refusal: Option<&Refusal>) -> Markup {
    let is_wrong = refusal.is_some_and(|refusal| refusal.error_of("name").is_some());
    html! {
        div class="field" {
            label for="name" { (words::NAME) }
            (field_error(refusal, "name", "name"))
            input id="name" name="name" class="w-l" value=(typed.get("name")) autocomplete="off"
                aria-invalid=[is_wrong.then_some("true")]
                aria-describedby=(if is_wrong { "name-e name-h" } else { "name-h" }) autofocus[is_wrong];
            p class="hint quiet" id="name-h" { (words::NAME_HINT) }
        }
    }
}

fn trigger(typed: &Typed, segments: &[Segment], forms: &[Form], refusal: Option<&Refusal>) -> Markup {
    let is_form = typed.get("by") == "form";
    let is_wrong = refusal.is_some_and(|refusal| refusal.error_of("enrol").is_some());
    html! {
        fieldset class="block" aria-describedby=[is_wrong.then_some("enrol-e")] {
            legend { h2 { (words::TRIGGER_LEGEND) } }
            @if is_wrong && enrol(typed).is_none() { p class="error" id="enrol-e" { (words::CHOOSE_TRIGGER) } }
            @else { (field_error(refusal, "enrol", "enrol")) }
            p class="gap" { label class="check" { input type="radio" name="by" value="segment" checked[!is_form]; " " (words::BY_SEGMENT) } }
            div class="field gap" {
                label for="segment" { (words::SEGMENT) }
                select id="segment" name="segment" aria-describedby="segment-h" {
                    option value="" { (words::CHOOSE) }
                    @for segment in segments {
                        option value=(segment.id) selected[typed.get("segment") == segment.id.to_string()] { (segment.name) }
                    }
                }
                p class="hint quiet" id="segment-h" { (words::SEGMENT_HINT) }
            }
            p class="gap" { label class="check" { input type="radio" name="by" value="form" checked[is_form]; " " (words::BY_FORM) } }
            div class="field gap" {
                label for="form" { (words::FORM) }
                select id="form" name="form" {
                    option value="" { (words::CHOOSE) }
                    @for form in forms {
                        option value=(form.id) selected[typed.get("form") == form.id.to_string()] { (form.name) }
                    }
                }
            }
        }
    }
}

fn action(typed: &Typed) -> Markup {
    let queues = typed.get("action") == "set-non-marketing-pending";
    html! {
        fieldset class="block" {
            legend { h2 { (words::ACTION_LEGEND) } }
            p class="gap" { label class="check" {
                input type="radio" name="action" value="set-marketing" checked[!queues]; " " (words::SET)
            } }
            p { label class="check" {
                input type="radio" name="action" value="set-non-marketing-pending" checked[queues]; " " (words::QUEUE)
            } }
            p class="gap" { label class="check" {
                input type="checkbox" name="re_enrol" value="true" checked[typed.has("re_enrol")]; " " (words::RE_ENROL)
            } }
        }
    }
}
