//! The last step: the number is typed, and a job queues the contacts.

use api::problem::ProblemType;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde_json::json;

use super::choice::Choice;
use super::numbers::{job_id, sentence, unexpected};
use super::{Shown, Step, Stepped, buttons, numbers, segments, step_page, typed_number, update_text};
use crate::frame::Page;
use crate::parts::{field_error, key, number, refused};
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::review as words;
use crate::typed::Typed;

/// The field with the number that was typed.
const CONFIRM: &str = "confirm_count";

/// Returns the step's page. Without a number that was counted, it is the page that counts.
pub(super) async fn page(signed: &Signed, choice: &Choice, typed: &Typed) -> Stepped {
    match typed.get("matched").parse() {
        Ok(matched) => Ok(update_page(signed, choice, typed, matched, None)),
        Err(_) => numbers::page(signed, choice, typed).await,
    }
}

/// Creates the job, and leads to its page.
pub(super) async fn queue(signed: Signed, choice: &Choice, typed: &Typed) -> Response {
    let queued = try_queue(&signed, choice, typed).await;
    match queued {
        Ok(Ok(path)) => Redirect::to(&path).into_response(),
        Ok(Err(page)) => signed.finish(Ok(page)),
        Err(failure) => signed.finish(Err(failure)),
    }
}

/// Returns the path of the job's page, or the page that shows why there is no job.
async fn try_queue(signed: &Signed, choice: &Choice, typed: &Typed) -> Result<Result<String, Page>, Failure> {
    let segments = match choice.read(signed).await? {
        Ok(segments) => segments,
        Err(misfit) => return segments::page(signed, choice, "", Some(misfit)).await.map(Err),
    };
    let review = match choice.review(&segments) {
        Ok(review) => review,
        Err(misfit) => return segments::page(signed, choice, "", Some(misfit)).await.map(Err),
    };
    let mut body = json!({"action": "set-non-marketing-pending", "review": review});
    if let (Some(count), Some(body)) = (typed.filled(CONFIRM), body.as_object_mut()) {
        body.insert(CONFIRM.to_owned(), typed_number(count));
    }
    match signed.call(Call::post("/v1/bulk/jobs", body).once(typed)).await {
        Ok(answer) => {
            let job = job_id(&answer).ok_or_else(unexpected)?;
            Ok(Ok(format!("/console/jobs/{job}")))
        }
        Err(refusal) => {
            let counted = typed.get("matched").parse().unwrap_or_default();
            Ok(Err(update_page(signed, choice, typed, counted, Some(&refusal))))
        }
    }
}

/// Returns the page with the field for the number. `counted` is the number that the person was shown.
fn update_page(
    signed: &Signed,
    choice: &Choice,
    typed: &Typed,
    counted: u64,
    refusal: Option<&Refusal>,
) -> Page {
    let changed = refusal.filter(|refusal| refusal.kind == ProblemType::CountChanged);
    let matched = changed.and_then(|refusal| refusal.number("matched")).unwrap_or(counted);
    let text = number(signed, matched);
    let period = signed.period();
    let rest = period.after_next_update().saturating_sub(matched);
    let [usage, rest] = [period.marketing, rest].map(|count| number(signed, count));
    let content = html! {
        @if let Some(refusal) = refusal.filter(|_| changed.is_none()) { (refused(refusal, &[CONFIRM])) }
        (sentence(signed, matched))
        p class="quiet gap" { (words::stays_at(&usage, &update_text(signed), &rest)) }
        (field(signed, typed, [matched, counted], refusal))
        input type="hidden" name="matched" value=(matched);
        // A count that has changed is not that of the job any more.
        @if let Some(job) = typed.filled("job").filter(|_| changed.is_none()) {
            input type="hidden" name="job" value=(job);
        }
        (key(signed))
        (buttons(Some(Step::Numbers), None, &html! {
            button class="queue" name="step" value="queue" { (words::queue(matched, &text)) }
        }))
    };
    let shown = Shown { step: Step::Update, choice, counted: None, next: "queue", content };
    step_page(signed, &shown).with_status_of(refusal)
}

/// Returns the field for the number, with the message about another one.
fn field(signed: &Signed, typed: &Typed, [matched, counted]: [u64; 2], refusal: Option<&Refusal>) -> Markup {
    let text = number(signed, matched);
    let message = refusal.and_then(|refusal| {
        if refusal.kind != ProblemType::CountChanged {
            return refusal.error_of(CONFIRM).map(|_| field_error(Some(refusal), CONFIRM, "confirm"));
        }
        let said = if matched == counted {
            words::another_number(&text)
        } else {
            words::count_changed(&text, &number(signed, counted))
        };
        Some(html! { p class="error" id="confirm-e" { (said) } })
    });
    html! {
        div class="field gap" {
            label for="confirm" { (words::type_to_confirm(&text)) }
            @if let Some(message) = &message { (message) }
            input id="confirm" name=(CONFIRM) class="count" inputmode="numeric" autocomplete="off"
                value=(typed.get(CONFIRM)) aria-invalid=[message.as_ref().map(|_| "true")]
                aria-describedby=[message.as_ref().map(|_| "confirm-e")] autofocus;
        }
    }
}
