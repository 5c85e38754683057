//! Automations: the list, a new one, and one with its switch, its limits and its runs.

mod new;
mod one;

use api::paging::{cursor, position};
use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use domain::automation::{AutomationState, Trigger};
use domain::decision::Command;
use domain::ids::AutomationId;
use maud::{Markup, html};
use serde_json::Value;
use store::{Automation, StoreError};

use crate::Console;
use crate::frame::{Page, Section};
use crate::pages::review::count::typed_number;
use crate::parts::{Tone, field_error, note, number, pager};
use crate::request::{Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, automations as words};
use crate::typed::Typed;

/// The number of automations on a page.
const PAGE: usize = 50;
const LIST: &str = "/console/automations";

/// The id of the text that says why a control is disabled.
const MAY_NOT: &str = "may-not";

const BUDGET: &str = "max_per_day";
const BRAKE: &str = "pause_above";

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/console/automations", get(show))
        .route("/console/automations/new", get(new::show).post(new::create))
        .route("/console/automations/{id}", get(one::show).post(one::save))
        .route("/console/automations/{id}/switch", post(one::turn).get(back))
        .route("/console/automations/{id}/test", post(one::test).get(back))
        .route("/console/automations/{id}/resume", post(one::resume).get(back))
        .route("/console/automations/{id}/delete", get(one::ask_delete).post(one::delete))
}

/// Leads from the path of an act to the automation, for a reader who opens it as a page.
async fn back(Path(id): Path<String>) -> Redirect {
    let path = id.parse::<AutomationId>().map(path);
    Redirect::to(path.as_deref().unwrap_or(LIST))
}

fn path(id: AutomationId) -> String {
    format!("{LIST}/{id}")
}

/// Shows the automations.
async fn show(signed: Signed, RawQuery(query): RawQuery) -> Response {
    let query = Typed::parse(query.unwrap_or_default().as_bytes());
    signed.finish(list(&signed, &query).await)
}

async fn list(signed: &Signed, query: &Typed) -> Result<Page, Failure> {
    let after = query.filled("after");
    let read = signed.store().automations(signed.account.id, after.and_then(position), PAGE + 1).await?;
    let (is_more, mut automations) = (read.items.len() > PAGE, read.items);
    automations.truncate(PAGE);
    let last = automations.last().filter(|_| is_more);
    let next = last.map(|last| format!("{LIST}?after={}", cursor(&last.id)));
    let mut rows = Vec::new();
    for automation in &automations {
        rows.push(row(signed, automation, &enrols(signed, &automation.trigger).await?));
    }
    let head = html! {
        h1 { (text::AUTOMATIONS) }
        @if signed.may_edit() { a class="button act" href="/console/automations/new" { (words::CREATE) } }
        @else { button type="button" disabled aria-describedby=(MAY_NOT) { (words::CREATE) } }
    };
    let content = html! {
        @if signed.done.as_deref() == Some("deleted") { (note(Tone::Plain, &html! { p { (words::DONE_DELETED) } })) }
        p class={ "lede" @if signed.done.is_some() { " gap" } } { (words::LEDE) }
        @if !signed.may_edit() { p class="quiet" id=(MAY_NOT) { (words::MAY_NOT) } }
        @if rows.is_empty() { p { (words::NONE) } } @else {
            table class="stack" {
                caption class="vh" { (words::CAPTION) }
                thead { tr {
                    @for column in [words::NAME, words::STATE, words::TRIGGER, words::ACTION, words::LIMITS] {
                        th scope="col" { (column) }
                    }
                } }
                tbody { @for row in &rows { (row) } }
            }
            (pager("", after.map(|_| LIST), next.as_deref()))
        }
    };
    Ok(Page::new(Section::Automations, text::AUTOMATIONS, content).with_head(head))
}

fn row(signed: &Signed, automation: &Automation, enrols: &str) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(path(automation.id)) { (automation.name) } }
            td data-label=(words::STATE) { (state(automation.state)) }
            td data-label=(words::TRIGGER) { (enrols) }
            td data-label=(words::ACTION) { (words::action(automation.action == Command::SetMarketing)) }
            td data-label=(words::LIMITS_SHORT) { (limits(signed, automation)) }
        }
    }
}

/// Returns an automation's state with its sign.
fn state(state: AutomationState) -> Markup {
    let class = match state {
        AutomationState::Enabled => "state yes",
        AutomationState::Disabled => "state no",
        AutomationState::Paused => "state halt",
    };
    html! { span class=(class) { (words::state(state)) } }
}

/// Returns the budget and the brake in words.
fn limits(signed: &Signed, automation: &Automation) -> String {
    let budget = automation.max_per_day.map(|max| words::in_a_day(&number(signed, max)));
    let brake = automation.pause_above.map(|most| words::pauses_above(&number(signed, most)));
    let budget = budget.unwrap_or_else(|| words::NO_LIMIT.to_owned());
    text::capitalized(&format!("{budget}, {}", brake.unwrap_or_else(|| words::NO_BRAKE.to_owned())))
}

/// Returns the trigger in words. Its segment or its forms are read for their names.
async fn enrols(signed: &Signed, trigger: &Trigger) -> Result<String, StoreError> {
    Ok(match trigger {
        Trigger::Filter(_) => words::BY_FILTER.to_owned(),
        Trigger::Segment(segment) => {
            words::by_segment(&signed.store().segment(signed.account.id, *segment).await?.name)
        }
        Trigger::Forms(forms) => {
            let mut names = Vec::new();
            for form in forms {
                names.push(signed.store().public_form(*form).await?.name);
            }
            words::by_forms(&names.join(", "))
        }
    })
}

/// Returns a number field's value for a request: a whole number, nothing, or the text itself, which the API refuses.
fn whole(typed: &str) -> Value {
    if typed.is_empty() { Value::Null } else { typed_number(typed) }
}

/// Returns the fields of the budget and the brake.
fn limit_fields(budget: &str, brake: &str, refusal: Option<&Refusal>) -> Markup {
    let field = |name: &str, label: &str, hint: &str, value: &str| {
        let is_wrong = refusal.is_some_and(|refusal| refusal.error_of(name).is_some());
        let described = if is_wrong { format!("{name}-e {name}-h") } else { format!("{name}-h") };
        html! {
            div class="field" {
                label for=(name) { (label) }
                (field_error(refusal, name, name))
                input id=(name) name=(name) class="w-s" inputmode="numeric" value=(value) autocomplete="off"
                    aria-invalid=[is_wrong.then_some("true")] aria-describedby=(described) autofocus[is_wrong];
                p class="hint quiet" id={ (name) "-h" } { (hint) }
            }
        }
    };
    html! {
        (field(BUDGET, words::BUDGET, words::BUDGET_HINT, budget))
        (field(BRAKE, words::BRAKE, words::BRAKE_HINT, brake))
    }
}
