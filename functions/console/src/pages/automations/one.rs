//! One automation: its switch, a try of it, its limits and what it did.

mod switch;
mod trial;

use std::time::{Duration, Instant};

use api::ProblemType;
use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::automation::AutomationState;
use domain::decision::Command;
use domain::ids::AutomationId;
use maud::{Markup, html};
use serde_json::{Value, json};
use store::{Automation, AutomationRun, ContactRef, Refused, StoreError, Trial};

use super::{BRAKE, BUDGET, LIST, MAY_NOT, enrols, limit_fields, limits, path, state, whole};
use crate::frame::{Page, Section};
use crate::pages::review::count::typed_number;
use crate::parts::{Detail, Tone, key, note, number, refused, time};
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, automations as words};
use crate::typed::Typed;

/// The number of days that are shown.
const DAYS: usize = 28;

/// The maximum time for which the page counts the contacts that match.
const COUNT_TIME: Duration = Duration::from_secs(2);

/// The fields of the page, whose errors are shown at them.
const SHOWN: [&str; 4] = [BUDGET, BRAKE, switch::CONFIRM, trial::CONTACT];

/// The part of a request that the page repeats: what was typed, its refusal, and the contact to try.
#[derive(Clone, Copy, Default)]
struct Asked<'a> {
    typed: Option<&'a Typed>,
    refusal: Option<&'a Refusal>,
    tried: Option<&'a ContactRef>,
}

fn parse(id: &str) -> Result<AutomationId, Failure> {
    id.parse().map_err(|_| StoreError::from(Refused::NotFound("automation")).into())
}

/// Shows an automation.
pub(super) async fn show(signed: Signed, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    let query = Typed::parse(query.unwrap_or_default().as_bytes());
    let shown = match parse(&id) {
        Ok(id) => page(&signed, id, &query, Asked::default()).await,
        Err(failure) => Err(failure),
    };
    signed.finish(shown)
}

/// Saves the budget and the brake.
pub(super) async fn save(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let body = json!({BUDGET: whole(typed.get(BUDGET)), BRAKE: whole(typed.get(BRAKE))});
    act(&signed, &id, &typed, "", Some(body), "saved").await
}

/// Switches an automation on or off. With a typed number, it also enrols the contacts that match now.
pub(super) async fn turn(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let body = match typed.get("to") {
        "off" => json!({"enabled": false}),
        "existing" => json!({
            "enabled": true, "enrol_existing": true, switch::CONFIRM: typed_number(typed.get(switch::CONFIRM)),
        }),
        _ => json!({"enabled": true}),
    };
    let done = if typed.get("to") == "off" { "off" } else { "on" };
    act(&signed, &id, &typed, "", Some(body), done).await
}

/// Lets a paused automation go on.
pub(super) async fn resume(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let body = json!({"waiting": typed.get("waiting")});
    act(&signed, &id, &typed, "/resume", Some(body), "resumed").await
}

/// Shows what the automation would do with one contact. The address is in no URL, so the answer itself shows it.
pub(super) async fn test(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let id = match parse(&id) {
        Ok(id) => id,
        Err(failure) => return signed.finish(Err(failure)),
    };
    let named = trial::contact(&typed);
    let asked = Asked { typed: Some(&typed), refusal: named.as_ref().err(), tried: named.as_ref().ok() };
    signed.finish(page(&signed, id, &Typed::default(), asked).await)
}

/// Carries out an act, and shows the automation or the job that enrols.
async fn act(
    signed: &Signed,
    id: &str,
    typed: &Typed,
    part: &str,
    body: Option<Value>,
    done: &str,
) -> Response {
    let id = match parse(id) {
        Ok(id) => id,
        Err(failure) => return signed.finish(Err(failure)),
    };
    let (at, body) = (format!("/v1/automations/{id}{part}"), body.unwrap_or_default());
    let call = if part.is_empty() { Call::patch(at, body) } else { Call::post(at, body) };
    match signed.call(call.once(typed)).await {
        Ok(answer) => {
            if let Some(job) = answer.body.get("job_id").and_then(Value::as_str) {
                return Redirect::to(&format!("/console/jobs/{job}")).into_response();
            }
            let dropped = answer.body.get("dropped").and_then(Value::as_u64).unwrap_or_default();
            Redirect::to(&format!("{}?done={done}&n={dropped}", path(id))).into_response()
        }
        Err(refusal) => {
            let asked = Asked { typed: Some(typed), refusal: Some(&refusal), tried: None };
            signed.finish(page(signed, id, &Typed::default(), asked).await)
        }
    }
}

/// Asks before an automation is deleted.
pub(super) async fn ask_delete(signed: Signed, Path(id): Path<String>) -> Response {
    let shown = match parse(&id) {
        Ok(id) => deletion(&signed, id, None).await,
        Err(failure) => Err(failure),
    };
    signed.finish(shown)
}

/// Deletes an automation, and shows the list.
pub(super) async fn delete(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let id = match parse(&id) {
        Ok(id) => id,
        Err(failure) => return signed.finish(Err(failure)),
    };
    match signed.call(Call::delete(format!("/v1/automations/{id}")).once(&typed)).await {
        Ok(_) => Redirect::to("/console/automations?done=deleted").into_response(),
        Err(refusal) => signed.finish(deletion(&signed, id, Some(&refusal)).await),
    }
}

async fn deletion(signed: &Signed, id: AutomationId, refusal: Option<&Refusal>) -> Result<Page, Failure> {
    let automation = signed.store().automation(signed.account.id, id).await?;
    let (title, may) = (words::delete_title(&automation.name), signed.may_edit());
    let head = html! {
        p class="trail" {
            a href=(LIST) { (text::AUTOMATIONS) } " / " a href=(path(id)) { (automation.name) } " /"
        }
        h1 { (title) }
    };
    let content = html! {
        @if let Some(refusal) = refusal { (refused(refusal, &[])) }
        @if !may { p class="quiet gap" id=(MAY_NOT) { (words::MAY_NOT) } }
        p class="sentence gap" { (words::DELETE_HINT) }
        form class="row gap" method="post" action={ (path(id)) "/delete" } {
            (key(signed))
            button class="lose" disabled[!may] aria-describedby=[(!may).then_some(MAY_NOT)] { (words::DELETE) }
            a class="button" href=(path(id)) { (words::CANCEL) }
        }
    };
    Ok(Page::new(Section::Automations, title, content).with_head(head).with_status_of(refusal))
}

async fn page(signed: &Signed, id: AutomationId, query: &Typed, asked: Asked<'_>) -> Result<Page, Failure> {
    let (store, account) = (signed.store(), signed.account.id);
    let automation = store.automation(account, id).await?;
    let waiting = store.waiting_of(account, id).await?;
    let runs = store.automation_runs(account, id, None, DAYS).await?.items;
    let trial = trial(signed, &automation, asked.tried).await?;
    let head = html! {
        p class="trail" { a href=(LIST) { (text::AUTOMATIONS) } " /" }
        h1 { (automation.name) }
    };
    let content = html! {
        @if let Some(refusal) = asked.refusal { (not_done(refusal)) } @else { (done(signed, query)) }
        (paused(signed, &automation, asked.refusal.is_some() || signed.done.is_some()))
        @if !signed.may_edit() { p class="quiet gap" id=(MAY_NOT) { (words::MAY_NOT) } }
        (about(signed, &automation, &enrols(signed, &automation.trigger).await?, waiting))
        (switch::section(signed, &automation, trial.forecast.as_deref(), waiting, asked))
        (trial::section(&automation, &trial, asked))
        (history(signed, &runs))
        @if signed.may_edit() { (settings(signed, &automation, asked)) }
        (danger(signed, &automation))
    };
    let page = Page::new(Section::Automations, automation.name.clone(), content).with_head(head);
    Ok(page.with_status_of(asked.refusal))
}

/// Tries the contact that was asked for, and counts the contacts that match if the page shows their number.
async fn trial(
    signed: &Signed,
    automation: &Automation,
    tried: Option<&ContactRef>,
) -> Result<Trial, StoreError> {
    let is_counted = automation.state == AutomationState::Disabled && signed.may_edit();
    if !is_counted && tried.is_none() {
        return Ok(Trial { results: Vec::new(), forecast: None });
    }
    let (store, begun) = (signed.store(), Instant::now());
    let should_continue = || is_counted && begun.elapsed() < COUNT_TIME;
    let contacts: Vec<ContactRef> = tried.into_iter().cloned().collect();
    store
        .try_automation(signed.account.id, automation.id, &contacts, signed.wall_clock, should_continue)
        .await
}

/// Returns the note about a refusal. The field shows that another number of contacts matches.
fn not_done(refusal: &Refusal) -> Markup {
    if refusal.kind == ProblemType::CountChanged {
        return note(Tone::Fault, &html! { p { b { (text::nothing_was_changed(false)) } } });
    }
    refused(refusal, &SHOWN)
}

/// Returns the note about the act that led to the page.
fn done(signed: &Signed, query: &Typed) -> Markup {
    let dropped: u64 = query.get("n").parse().unwrap_or_default();
    let contacts = text::counted(dropped, &number(signed, dropped), "contact");
    let said = match signed.done.as_deref() {
        Some("created") => words::DONE_CREATED.to_owned(),
        Some("saved") => words::DONE_SAVED.to_owned(),
        Some("on") => words::DONE_ON.to_owned(),
        Some("off") => words::switched_off(&contacts),
        Some("resumed") => words::DONE_RESUMED.to_owned(),
        _ => return html! {},
    };
    note(Tone::Plain, &html! { p { (said) } })
}

/// Returns the note about a pause. It is below another note if `is_second`.
fn paused(signed: &Signed, automation: &Automation, is_second: bool) -> Markup {
    let Some(pause) = automation.paused else { return html! {} };
    let reason = words::paused(&number(signed, pause.enrolled));
    html! {
        div class={ "note fault" @if is_second { " gap" } } role="status" {
            p { (words::PAUSED_AT) (time(signed, pause.at, Detail::Time)) (reason) }
        }
    }
}

fn about(signed: &Signed, automation: &Automation, enrols: &str, waiting: u64) -> Markup {
    html! {
        section aria-labelledby="about" {
            h2 id="about" { (words::ABOUT) }
            dl class="facts narrow" {
                div { dt { (words::STATE) } dd { (state(automation.state)) } }
                div { dt { (words::TRIGGER) } dd { (enrols) } }
                div { dt { (words::ACTION) } dd { (words::action(automation.action == Command::SetMarketing)) } }
                div { dt { (words::LIMITS) } dd { (limits(signed, automation)) } }
                div { dt { (words::WAITING) } dd { (text::counted(waiting, &number(signed, waiting), "contact")) } }
            }
        }
    }
}

fn history(signed: &Signed, runs: &[AutomationRun]) -> Markup {
    let columns = [words::CHANGED, words::UNCHANGED, words::REFUSED, words::PASSED];
    html! {
        section aria-labelledby="runs" {
            h2 id="runs" { (words::RUNS) }
            @if runs.is_empty() { p { (words::NO_RUNS) } } @else {
                table class="stack" {
                    caption class="vh" { (words::RUNS_CAPTION) }
                    thead { tr {
                        th scope="col" { (words::DAY) }
                        @for column in columns { th scope="col" class="n" { (column) } }
                    } }
                    tbody {
                        @for AutomationRun { day, counts, ended_by } in runs {
                            tr {
                                th scope="row" {
                                    (signed.language.date(*day))
                                    @if !ended_by.is_empty() { " " span class="quiet" { (words::ENDED) } }
                                }
                                @for (label, count) in columns.iter().zip([
                                    counts.drawn(),
                                    counts.unchanged,
                                    counts.refused(),
                                    counts.gone + counts.no_longer_matches,
                                ]) {
                                    td class="n" data-label=(label) { (number(signed, count)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn settings(signed: &Signed, automation: &Automation, asked: Asked<'_>) -> Markup {
    let stored = |limit: Option<u64>| limit.map(|limit| limit.to_string()).unwrap_or_default();
    let value = |name: &str, limit: Option<u64>| match asked.typed.filter(|typed| typed.has(name)) {
        Some(typed) => typed.get(name).to_owned(),
        None => stored(limit),
    };
    let (budget, brake) = (value(BUDGET, automation.max_per_day), value(BRAKE, automation.pause_above));
    html! {
        section aria-labelledby="limits" {
            h2 id="limits" { (words::LIMITS) }
            form class="narrow" method="post" action=(path(automation.id)) {
                (key(signed))
                (limit_fields(&budget, &brake, asked.refusal))
                button { (words::SAVE) }
            }
        }
    }
}

fn danger(signed: &Signed, automation: &Automation) -> Markup {
    html! {
        section aria-labelledby="danger" {
            h2 id="danger" { (words::DANGER) }
            div class="zone" {
                div {
                    p { b { (words::DELETE) } " " (words::DELETE_HINT) }
                    @if signed.may_edit() {
                        a class="button lose" href={ (path(automation.id)) "/delete" } { (words::DELETE) }
                    } @else {
                        button type="button" class="lose" disabled aria-describedby=(MAY_NOT) { (words::DELETE) }
                    }
                }
            }
        }
    }
}
