//! The rejected submissions of a form: the list, and what can be done with them.

use api::Problem;
use api::problem::FieldError;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::Timestamp;
use domain::ids::{FormId, RejectionId};
use http::StatusCode;
use maud::{Markup, html};
use serde_json::Value;

use super::form::{self, Back, Part};
use super::view::{form_id, page_of};
use crate::parts::{self, Detail, Tone, key, note, number, time};
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::forms as words;
use crate::typed::Typed;

/// The number of rejected submissions on a page. Each may have many answers.
const SHOWN: usize = 10;

/// The number of characters of an answer that the page shows.
const ANSWER_CHARS: usize = 120;

/// The answer in one field.
pub(super) struct Answer {
    pub(super) names: Vec<String>,
    pub(super) values: Vec<String>,
}

/// A rejected submission.
struct Rejected {
    id: String,
    received_at: Timestamp,
    errors: Vec<FieldError>,
    answers: Vec<Answer>,
}

/// A page of rejected submissions, in the order of their arrival.
pub(super) struct RejectedPage {
    rejected: Vec<Rejected>,
    /// The cursor before the page.
    after: Option<String>,
    /// The cursor of the next page.
    next: Option<String>,
}

/// Returns a query with the parameters that have a value.
fn query(parameters: &[(&str, Option<&str>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

/// Returns the texts of a list.
fn texts(value: &Value, name: &str) -> Vec<String> {
    let list = value.get(name).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns the objects of a list.
fn objects<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

impl Answer {
    fn parse(answer: &Value) -> Self {
        Self { names: texts(answer, "names"), values: texts(answer, "values") }
    }

    fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Returns the values, cut after a number of characters.
    pub(super) fn value(&self, chars: usize) -> String {
        let all = self.values.join(", ");
        match all.char_indices().nth(chars) {
            Some((end, _)) => format!("{}{}", all.get(..end).unwrap_or_default(), words::CUT),
            None => all,
        }
    }
}

impl Rejected {
    fn parse(rejected: &Value) -> Option<Self> {
        let text = |value: &Value, name: &str| Some(value.get(name)?.as_str()?.to_owned());
        let error = |error: &Value| {
            Some(FieldError { field: text(error, "field")?, message: text(error, "message")? })
        };
        Some(Self {
            id: text(rejected, "id")?,
            received_at: text(rejected, "received_at")?.parse().ok()?,
            errors: objects(rejected, "errors").filter_map(error).collect(),
            answers: objects(rejected, "answers").map(Answer::parse).collect(),
        })
    }

    /// Returns the values of the fields with errors.
    fn wrong_values(&self) -> Vec<String> {
        let is_wrong = |answer: &&Answer| {
            self.errors.iter().any(|error| error.field.strip_prefix("fields.") == Some(answer.name()))
        };
        self.answers.iter().filter(is_wrong).map(|answer| answer.value(ANSWER_CHARS)).collect()
    }
}

impl RejectedPage {
    /// Reads a page through the API.
    ///
    /// # Errors
    ///
    /// See [`Signed::call`].
    pub(super) async fn read(signed: &Signed, form: FormId, after: Option<&str>) -> Result<Self, Failure> {
        let query = query(&[("limit", Some(&SHOWN.to_string())), ("after", after)]);
        let path = format!("/v1/forms/{form}/rejected?{query}");
        let body = signed.call(Call::get(path)).await?.body;
        let next = body.pointer("/paging/next/after").and_then(Value::as_str);
        Ok(Self {
            rejected: objects(&body, "results").filter_map(Rejected::parse).collect(),
            after: after.map(str::to_owned),
            next: next.map(str::to_owned),
        })
    }

    /// Returns all answers on the page, the latest submission last.
    pub(super) fn answers(&self) -> Vec<&Answer> {
        self.rejected.iter().flat_map(|rejected| &rejected.answers).collect()
    }

    /// Returns the section with the list.
    pub(super) fn section(&self, signed: &Signed, form: FormId) -> Markup {
        let count = u64::try_from(self.rejected.len()).unwrap_or_default();
        html! {
            section aria-labelledby="rejected" {
                h2 id="rejected" { (words::REJECTED_TITLE) }
                @if self.rejected.is_empty() { p class="quiet" { (words::NONE_REJECTED) } } @else {
                    p class="quiet" { (words::REJECTED_INTRO) }
                    form method="post" action={ (page_of(form)) "/rejected" } {
                        (key(signed))
                        @if let Some(after) = &self.after { input type="hidden" name="after" value=(after); }
                        (self.table(signed))
                        div class="row gap" {
                            button name="retry" value="all" { (words::retry_shown(count, &number(signed, count))) }
                        }
                    }
                }
                (self.pager(signed, form, count))
            }
        }
    }

    fn table(&self, signed: &Signed) -> Markup {
        html! {
            table class="stack" {
                caption class="vh" { (words::REJECTED_CAPTION) }
                thead { tr {
                    @for name in [words::WHEN, words::WHY, words::VALUE_SENT, words::ACTIONS] {
                        th scope="col" { (name) }
                    }
                } }
                tbody { @for rejected in &self.rejected { (row(signed, rejected)) } }
            }
        }
    }

    fn pager(&self, signed: &Signed, form: FormId, count: u64) -> Markup {
        if self.after.is_none() && self.next.is_none() {
            return html! {};
        }
        // A cursor has letters, digits, `-` and `_` alone.
        let next = self.next.as_ref().map(|next| format!("{}?after={next}#rejected", page_of(form)));
        let first = self.after.as_ref().map(|_| format!("{}#rejected", page_of(form)));
        let shown = words::shown(&number(signed, count), self.next.is_some());
        parts::pager(&shown, first.as_deref(), next.as_deref())
    }
}

fn row(signed: &Signed, rejected: &Rejected) -> Markup {
    let at = time(signed, rejected.received_at, Detail::Short);
    let local = signed.period().calendar.time_zone.local(rejected.received_at);
    let name = words::the_submission_of(&signed.language.date(local.date()), &signed.language.time(local));
    let wrong = rejected.wrong_values();
    let count = u64::try_from(rejected.answers.len()).unwrap_or_default();
    html! {
        tr {
            th scope="row" { (at) input type="hidden" name="shown" value=(rejected.id); }
            td data-label=(words::WHY) {
                @for FieldError { field, message } in &rejected.errors { p { (words::reason(field, message)) } }
            }
            td data-label=(words::VALUE_SENT) {
                @if wrong.is_empty() { (words::NO_VALUE) } @else { (wrong.join(", ")) }
                @if count > 0 {
                    details class="alt" {
                        summary { (words::answers(count, &number(signed, count))) }
                        @for answer in &rejected.answers {
                            p { b { (answer.name()) } ": " (answer.value(ANSWER_CHARS)) }
                        }
                    }
                }
            }
            td data-label=(words::ACTIONS) {
                span class="row" {
                    button class="link" name="retry" value=(rejected.id) {
                        (words::RETRY) span class="vh" { (name) }
                    }
                    button class="link lose" name="remove" value=(rejected.id) {
                        (words::REMOVE) span class="vh" { (name) }
                    }
                }
            }
        }
    }
}

/// The results of retries.
#[derive(Default)]
struct Retried {
    applied: u64,
    /// True if a contact was set as marketing, or kept from leaving.
    sets: bool,
    /// The submissions that were refused, each with its refusal.
    refused: Vec<(String, Refusal)>,
}

/// Retries or removes rejected submissions.
pub(super) async fn act(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let done = carry_out(&signed, &id, &typed).await;
    match done {
        Ok(response) => response,
        Err(failure) => signed.finish(Err(failure)),
    }
}

async fn carry_out(signed: &Signed, id: &str, typed: &Typed) -> Result<Response, Failure> {
    let form = form_id(id)?;
    if let Some(rejection) = typed.filled("remove") {
        let path = path(form, rejection)?;
        return match signed.call(Call::delete(path).once(typed)).await {
            Ok(_) => Ok(back_to(form, typed, "removed")),
            Err(refusal) => refused(signed, form, typed, Retried::of(rejection, refusal)).await,
        };
    }
    let one = typed.filled("retry").filter(|retry| *retry != "all");
    let shown: Vec<&str> = match one {
        Some(one) => vec![one],
        None => typed.all("shown").take(SHOWN).collect(),
    };
    let retried = retry(signed, form, &shown, typed).await?;
    if retried.refused.is_empty() {
        let code = if retried.sets { "retried-set" } else { "retried" };
        return Ok(back_to(form, typed, code));
    }
    refused(signed, form, typed, retried).await
}

impl Retried {
    fn of(rejection: &str, refusal: Refusal) -> Self {
        Self { refused: vec![(rejection.to_owned(), refusal)], ..Self::default() }
    }
}

/// Returns the API's path of a rejected submission.
fn path(form: FormId, rejection: &str) -> Result<String, Problem> {
    let id: RejectionId = rejection.parse().map_err(|_| Problem::not_found("rejected submission"))?;
    Ok(format!("/v1/forms/{form}/rejected/{id}"))
}

/// Returns the redirect to the form's page, with the same page of rejected submissions.
fn back_to(form: FormId, typed: &Typed, code: &str) -> Response {
    let query = query(&[("after", typed.filled("after")), ("done", Some(code))]);
    Redirect::to(&format!("{}?{query}", page_of(form))).into_response()
}

/// Retries submissions one after the other, each under a key of its own. A fault ends the retries.
async fn retry(signed: &Signed, form: FormId, shown: &[&str], typed: &Typed) -> Result<Retried, Failure> {
    let mut retried = Retried::default();
    for rejection in shown {
        let key = format!("{}-{rejection}", typed.get("key"));
        let key = Typed::parse(query(&[("key", Some(&key))]).as_bytes());
        let path = format!("{}/retry", path(form, rejection)?);
        match signed.call(Call::act(path).once(&key)).await {
            Ok(answer) => {
                retried.applied += 1;
                let effect = answer.body.get("marketing").and_then(Value::as_str);
                retried.sets |= matches!(effect, Some("set" | "kept"));
            }
            Err(refusal) => {
                let is_fault = refusal.is_fault();
                retried.refused.push(((*rejection).to_owned(), refusal));
                if is_fault {
                    break;
                }
            }
        }
    }
    Ok(retried)
}

/// Returns the form's page with the reasons of the refusals.
async fn refused(
    signed: &Signed,
    form: FormId,
    typed: &Typed,
    retried: Retried,
) -> Result<Response, Failure> {
    let after = typed.filled("after");
    let shown = RejectedPage::read(signed, form, after).await?;
    let count = u64::try_from(retried.refused.len()).unwrap_or_default();
    let of = number(signed, retried.applied + count);
    let content = html! {
        p {
            @if retried.applied > 0 { (words::retried(&number(signed, retried.applied), &of)) }
            b { (words::still_invalid(count)) }
        }
        @for (id, refusal) in &retried.refused { (reasons(signed, &shown, id, refusal)) }
    };
    let back = Back { note: Some(note(Tone::Fault, &content)), ..Back::new(Part::Rejected, typed) };
    let first = retried.refused.into_iter().next().map(|(_, refusal)| refusal);
    let page = form::page_with(signed, form, shown, Some(&back)).await?;
    // A submission that is gone is no page that is not found.
    let first = first.filter(|refusal| refusal.status() != StatusCode::NOT_FOUND);
    let page = page.with_status(StatusCode::CONFLICT);
    Ok(signed.finish(Ok(if first.is_some() { page.with_status_of(first.as_ref()) } else { page })))
}

fn reasons(signed: &Signed, shown: &RejectedPage, id: &str, refusal: &Refusal) -> Markup {
    let known = shown.rejected.iter().find(|rejected| rejected.id == id);
    let is_gone = refusal.status() == StatusCode::NOT_FOUND;
    html! {
        p {
            @if let Some(known) = known { (time(signed, known.received_at, Detail::Short)) ": " }
            @if is_gone { (words::GONE) "." }
            @else if refusal.errors.is_empty() { (refusal.detail) }
            @for (place, FieldError { field, message }) in refusal.errors.iter().enumerate() {
                @if place > 0 { "; " }
                (words::reason(field, message))
            }
        }
    }
}
