//! The cap on the usage, with the consequence of another one.

use axum::Router;
use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use domain::limits::USAGE_MAX;
use domain::period::Period;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{PATH, TypedCap, page, redirect};
use crate::Console;
use crate::frame::{Dialog, Page};
use crate::pages::review::{typed_number, whole};
use crate::parts::{date_text, field_error, key, number};
use crate::request::{Call, Failure};
use crate::signed::Signed;
use crate::text::{self, settings as words};
use crate::typed::Typed;

const ACTION: &str = "/console/settings/cap";

pub(super) fn routes() -> Router<Console> {
    Router::new().route(ACTION, get(preview).post(change))
}

/// Shows the consequence of the cap in an address.
async fn preview(signed: Signed, RawQuery(query): RawQuery) -> Response {
    let typed = Typed::parse(query.unwrap_or_default().as_bytes());
    let text = typed.get("cap");
    match wanted(text).filter(|_| typed.has("cap") && signed.principal.is_admin()) {
        Some(cap) => signed.finish(previewed(&signed, text, cap).await),
        None => Redirect::to(PATH).into_response(),
    }
}

/// Leads to the consequence of a new cap, or sets it if it is confirmed.
async fn change(signed: Signed, typed: Typed) -> Response {
    let text = typed.get("cap");
    let wanted = wanted(text);
    if !typed.has("confirmed")
        && signed.principal.is_admin()
        && let Some(cap) = wanted
    {
        let cap = cap.map(|cap| cap.to_string()).unwrap_or_default();
        return Redirect::to(&format!("{ACTION}?cap={cap}")).into_response();
    }
    // The API refuses a text that is not a number, and says what it expects.
    let value = if text.is_empty() { Value::Null } else { typed_number(text) };
    match signed.call(Call::patch("/v1/account", json!({"cap": value})).once(&typed)).await {
        Ok(_) => redirect("cap"),
        Err(refusal) => {
            let cap = TypedCap { text: Some(text), refusal: Some(&refusal), has_dialog: false };
            let shown = page(&signed, &Typed::default(), Some(&refusal), cap).await;
            signed.finish(shown)
        }
    }
}

/// Returns the cap that a text means, where the inner `None` is no cap. `None` if the text means none.
fn wanted(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    whole(text).filter(|cap| *cap <= USAGE_MAX).map(Some)
}

async fn previewed(signed: &Signed, text: &str, cap: Option<u64>) -> Result<Page, Failure> {
    let typed = TypedCap { text: Some(text), refusal: None, has_dialog: true };
    let page = page(signed, &Typed::default(), None, typed).await?;
    Ok(page.with_dialog(dialog(signed, cap)))
}

/// Returns the section with the cap.
pub(super) fn section(signed: &Signed, typed: TypedCap<'_>) -> Markup {
    let present = signed.period().cap.map(|cap| number(signed, cap)).unwrap_or_default();
    let value = typed.text.unwrap_or(&present);
    let may = signed.principal.is_admin();
    let message = typed.refusal.and_then(|refusal| refusal.error_of("cap"));
    let described = if message.is_some() { "cap-n-e cap-h" } else { "cap-h" };
    html! {
        section aria-labelledby="cap" {
            h2 id="cap" { (words::CAP) }
            form class="narrow" method="post" action=(ACTION) {
                (key(signed))
                div class="field" {
                    label for="cap-n" { (words::CAP_LABEL) }
                    (field_error(typed.refusal, "cap", "cap-n"))
                    span class="row" {
                        input id="cap-n" name="cap" class="w-s n" inputmode="numeric" autocomplete="off" value=(value)
                            aria-describedby=(described) aria-invalid=[message.map(|_| "true")] readonly[!may]
                            autofocus[message.is_some()];
                        " " (words::CAP_UNIT)
                    }
                    p class="hint" id="cap-h" { (hint(signed)) }
                }
                div class="row" {
                    @if may {
                        button class=[(!typed.has_dialog).then_some("act")] { (words::PREVIEW) }
                    } @else {
                        button disabled aria-describedby="cap-why" { (words::PREVIEW) }
                        span class="quiet" id="cap-why" { (text::MAY_NOT_ADMINISTER) }
                    }
                }
            }
        }
    }
}

fn hint(signed: &Signed) -> String {
    let period = signed.period();
    let usage = number(signed, period.marketing);
    let left = period.cap.map(|_| number(signed, period.remaining_capacity()));
    let tier = tier_sentence(signed, period.cap);
    [words::places_left(&usage, left.as_deref()), tier, words::below(&usage), words::CAP_EMPTY.to_owned()]
        .join(" ")
}

/// Returns the sentence about the tier under a cap.
fn tier_sentence(signed: &Signed, cap: Option<u64>) -> String {
    let tier = &signed.period().tier;
    let limit = tier.limit_for(signed.period().marketing);
    let [limit_text, block] = [limit, tier.block].map(|count| number(signed, count));
    let Some(cap) = cap else { return words::tier_without(&limit_text, &block) };
    let highest = highest_limit(signed.period(), cap);
    let steps = highest.saturating_sub(limit).div_ceil(tier.block.max(1));
    let highest = number(signed, highest);
    words::tier_with(&number(signed, cap), &limit_text, (steps > 0).then_some((steps, &highest)))
}

/// Returns the highest limit to which the usage can raise the tier under a cap.
fn highest_limit(period: &Period, cap: u64) -> u64 {
    period.tier.limit_for(cap.max(period.marketing))
}

/// Returns the dialog with the consequence of another cap.
fn dialog(signed: &Signed, cap: Option<u64>) -> Dialog {
    let cap_text = cap.map(|cap| number(signed, cap));
    let title = cap_text.as_deref().map_or_else(|| words::REMOVE_THE_CAP.to_owned(), words::set_the_cap);
    let is_same = cap == signed.period().cap;
    let content = html! {
        @if is_same { p class="sentence" { (words::cap_is_same(cap_text.as_deref())) } }
        @else {
            p class="sentence" { (consequence(signed, cap)) }
            div { (numbers(signed, cap)) }
        }
        div class="foot" {
            (key(signed))
            input type="hidden" name="cap" value=(cap.map(|cap| cap.to_string()).unwrap_or_default());
            input type="hidden" name="confirmed" value="true";
            a class="button" href=(PATH) data-close { (words::CANCEL) }
            @if !is_same { button class="act" { (title) } }
        }
    };
    Dialog { title: format!("{title}?"), action: ACTION.to_owned(), is_focused: true, content }
}

/// Returns the sentences about what another cap does now, and at the next update date.
fn consequence(signed: &Signed, cap: Option<u64>) -> String {
    let period = signed.period();
    let Some(cap) = cap else {
        let tier = &period.tier;
        let counts = [tier.limit_for(period.marketing), tier.block];
        let [limit, block] = counts.map(|count| number(signed, count));
        return words::cap_removed_means(&limit, &block);
    };
    let now = if cap < period.marketing {
        words::cap_below_usage(&number(signed, period.marketing))
    } else {
        words::cap_leaves(&number(signed, cap - period.marketing))
    };
    let rest = period.after_next_update();
    let later = (cap < period.marketing && rest <= cap).then(|| {
        let [rest, left] = [rest, cap - rest].map(|count| number(signed, count));
        words::cap_after_update(&date_text(signed, period.ends_at), &rest, &left)
    });
    let sentences = [Some(now), later, Some(tier_sentence(signed, Some(cap)))];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Returns the numbers under the present cap and under another one.
fn numbers(signed: &Signed, cap: Option<u64>) -> Markup {
    let period = signed.period();
    let row = |name: &str, without: &str, number_of: &dyn Fn(u64) -> u64| {
        html! {
            tr {
                th scope="row" { (name) }
                @for cap in [period.cap, cap] {
                    td class="n" {
                        @if let Some(cap) = cap { (number(signed, number_of(cap))) } @else { (without) }
                    }
                }
            }
        }
    };
    html! {
        table {
            caption class="vh" { (words::CAP_TABLE) }
            thead { tr {
                td {}
                th scope="col" class="n" { (words::NOW) }
                th scope="col" class="n" { (words::NEW) }
            } }
            tbody {
                tr class="key" {
                    th scope="row" { (words::USAGE) }
                    @for _ in [words::NOW, words::NEW] { td class="n" { (number(signed, period.marketing)) } }
                }
                (row(words::CAP, words::NO_CAP, &|cap| cap))
                (row(words::PLACES_LEFT, words::NO_LIMIT, &|cap| cap.saturating_sub(period.marketing)))
                (row(words::TIER_CAN_RISE, words::NO_LIMIT, &|cap| highest_limit(period, cap)))
            }
        }
    }
}

/// Returns the note after the cap was changed.
pub(super) fn now(signed: &Signed) -> String {
    let period = signed.period();
    match period.cap {
        Some(cap) => {
            let [cap, left] = [cap, period.remaining_capacity()].map(|count| number(signed, count));
            words::cap_set(&cap, &left)
        }
        None => words::CAP_REMOVED.to_owned(),
    }
}
