//! The account: its name, the terms of its contract, and the settings for sources without one of their own.

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use chrono::NaiveDate;
use domain::calendar::Term;
use domain::period::Period;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{Line, PATH, TypedCap, fixed_switch, line, page, redirect, require_admin, subpage};
use crate::Console;
use crate::frame::{Page, update_date};
use crate::pages::statements::day;
use crate::parts::{Switch, key, number, refused, switch};
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, settings as words};
use crate::typed::Typed;

const RENAME: &str = "/console/settings/name";
const DEFAULTS: &str = "/console/settings/defaults";

/// The names of the default settings in the API. A change of another field is not passed on.
const SWITCHES: [&str; 3] = ["external_form", "chatflow", "forms_may_raise_tier"];

/// The most update dates among which the next renewal is: a year's first days, and the renewal itself.
const UPDATES_TO_RENEWAL: usize = 14;

pub(super) fn routes() -> Router<Console> {
    Router::new().route(RENAME, get(show_rename).post(rename)).route(DEFAULTS, post(change_defaults))
}

/// Returns the facts about the account.
pub(super) fn facts(signed: &Signed) -> Markup {
    let period = signed.period();
    let terms = if period.test_clock.is_some() { words::TERMS_OF_A_SANDBOX } else { words::TERMS };
    let fact = |name: &str, fact: &str| html! { div { dt { (name) } dd { (fact) } } };
    html! {
        section aria-labelledby="account" {
            h2 id="account" { (words::ACCOUNT) }
            p class="quiet" { (terms) }
            dl class="facts narrow" {
                div {
                    dt { (words::NAME) }
                    dd class="row" {
                        (signed.account.name) " "
                        @if signed.principal.is_admin() { a class="end" href=(RENAME) { (words::RENAME) } }
                    }
                }
                (fact(words::TERM, &term(signed)))
                (fact(words::TIME_ZONE, period.calendar.time_zone.as_str()))
                (fact(words::TIER, &tier(signed)))
                div {
                    dt { (words::period(&number(signed, period.number.number()))) }
                    dd { (day(signed, period.starts_at)) " " (words::TO) " " (update_date(signed)) }
                }
                (fact(words::MARKETING_CONTACTS, if period.marketing_contacts { text::ON } else { text::OFF }))
                (fact(words::PORTAL, &signed.account.portal.number().to_string()))
            }
        }
    }
}

fn term(signed: &Signed) -> String {
    let period = signed.period();
    let date = signed.language.date(next_renewal(period));
    match period.calendar.term {
        Term::Annual => words::annual(&date),
        Term::Monthly => words::monthly(&date),
    }
}

/// Returns the day of the first renewal after the period's start.
fn next_renewal(period: &Period) -> NaiveDate {
    let calendar = &period.calendar;
    let updates = std::iter::successors(Some(period.ends_at), |at| Some(calendar.next_update(*at)));
    let renewal = updates.take(UPDATES_TO_RENEWAL).find(|at| calendar.is_renewal(*at));
    // An annual contract does not renew before its date, which may be years away.
    renewal.map_or(calendar.renewal_date, |at| calendar.time_zone.date(at))
}

fn tier(signed: &Signed) -> String {
    let period = signed.period();
    let tier = &period.tier;
    let counts = [tier.limit_for(period.marketing), tier.included, tier.block];
    let [limit, included, block] = counts.map(|count| number(signed, count));
    let at_renewal = tier.limit_at_renewal.map(|limit| number(signed, limit));
    words::tier(&limit, &included, &block, at_renewal.as_deref())
}

/// Returns the settings for new contacts, by source.
pub(super) fn defaults(signed: &Signed) -> Markup {
    let defaults = &signed.account.defaults;
    let row = |source: &str, setting: &Markup, change: &str| {
        html! {
            tr {
                th scope="row" { (source) }
                td data-label=(words::SET_AS_MARKETING) { (setting) }
                td data-label=(words::CHANGE_IT) { (change) }
            }
        }
    };
    let quiet = |word: &str| html! { span class="quiet" { (word) } };
    let external = Switch {
        field: "external_form",
        name: words::EXTERNAL_FORMS_SET,
        hides_name: true,
        is_on: defaults.external_form,
        bills: true,
    };
    let chat =
        Switch { field: "chatflow", name: words::CHAT_FLOWS_SET, is_on: defaults.chatflow, ..external };
    let chat_change = words::here_and_per_chat_flow(defaults.chatflows.len());
    html! {
        section class="mid" aria-labelledby="defaults" {
            h2 id="defaults" { (words::DEFAULTS) }
            (reason(signed))
            table class="stack" {
                caption class="vh" { (words::DEFAULTS_CAPTION) }
                thead { tr {
                    th scope="col" { (words::SOURCE) }
                    th scope="col" { (words::SET_AS_MARKETING) }
                    th scope="col" { (words::CHANGE_IT) }
                } }
                tbody {
                    (row(words::OWN_FORMS, &quiet(text::ON), words::PER_FORM))
                    (row(words::EXTERNAL_FORMS, &control(signed, &external), words::HERE_AND_PER_FORM))
                    (row(words::CHAT_FLOWS, &control(signed, &chat), &chat_change))
                    (row(words::INTEGRATIONS, &quiet(text::OFF), words::PER_INTEGRATION))
                    (row(words::OTHERS, &quiet(text::OFF), words::NOT_POSSIBLE))
                }
            }
            (raise(signed))
        }
    }
}

/// Returns the setting about the tier.
fn raise(signed: &Signed) -> Markup {
    let raise = Switch {
        field: "forms_may_raise_tier",
        name: words::RAISE,
        hides_name: false,
        is_on: signed.period().forms_may_raise_tier,
        bills: true,
    };
    html! {
        div class="gap" { (control(signed, &raise)) }
        p class="hint quiet" { (words::RAISE_HINT) }
    }
}

/// Returns the reason for which switches are disabled, if some are.
fn reason(signed: &Signed) -> Markup {
    let reason = if !signed.principal.is_admin() {
        text::MAY_NOT_ADMINISTER
    } else if !signed.may_edit() {
        words::NEEDS_PERMISSION
    } else {
        return html! {};
    };
    html! { p class="quiet" id="defaults-why" { (reason) } }
}

/// Returns a switch, disabled if the person may not use it. Switching off needs no permission besides being an admin.
fn control(signed: &Signed, setting: &Switch<'_>) -> Markup {
    let needs_permission = !setting.is_on && setting.field != "chatflow";
    if !signed.principal.is_admin() || (needs_permission && !signed.may_edit()) {
        return fixed_switch(setting.is_on, setting.name, !setting.hides_name, "defaults-why");
    }
    switch(signed, DEFAULTS, setting)
}

/// Returns the note after a default was changed.
pub(super) fn defaults_now(signed: &Signed) -> String {
    let defaults = &signed.account.defaults;
    words::defaults_now(defaults.external_form, defaults.chatflow, signed.period().forms_may_raise_tier)
}

async fn change_defaults(signed: Signed, typed: Typed) -> Response {
    let given = SWITCHES.into_iter().filter_map(|name| Some((name.to_owned(), flag(typed.filled(name)?))));
    let defaults: serde_json::Map<String, Value> = given.collect();
    match signed.call(Call::patch("/v1/account", json!({"defaults": defaults})).once(&typed)).await {
        Ok(_) => redirect("defaults"),
        Err(refusal) => {
            let shown = page(&signed, &Typed::default(), Some(&refusal), TypedCap::default()).await;
            signed.finish(shown)
        }
    }
}

/// Returns the value of a switch for the API. Another text stays a text, so that the API refuses it.
pub(super) fn flag(text: &str) -> Value {
    text.parse::<bool>().map_or_else(|_| json!(text), |flag| json!(flag))
}

async fn show_rename(signed: Signed) -> Response {
    let shown = require_admin(&signed).map(|()| rename_page(&signed, &signed.account.name, None));
    signed.finish(shown)
}

async fn rename(signed: Signed, typed: Typed) -> Response {
    let name = typed.get("name");
    match signed.call(Call::patch("/v1/account", json!({"name": name})).once(&typed)).await {
        Ok(_) => redirect("renamed"),
        Err(refusal) if !signed.principal.is_admin() => signed.finish(Err(Failure::Refusal(refusal))),
        Err(refusal) => signed.finish(Ok(rename_page(&signed, name, Some(&refusal)))),
    }
}

fn rename_page(signed: &Signed, name: &str, refusal: Option<&Refusal>) -> Page {
    let field = Line { name: "name", error: "name", label: words::NAME, value: name, kind: "text" };
    let content = html! {
        @if let Some(refusal) = refusal { (refused(refusal, &["name"])) }
        form class=(super::form_class(refusal)) method="post" action=(RENAME) {
            (key(signed))
            (line(field, refusal))
            div class="row" {
                button class="act" { (words::SAVE) }
                a class="button" href=(PATH) { (words::CANCEL) }
            }
        }
    };
    subpage(words::RENAME_TITLE, content).with_status_of(refusal)
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::calendar::{Calendar, TimeZone};
    use domain::period::Terms;
    use domain::tier::Tier;

    use super::*;

    #[test]
    fn next_renewal_is_the_first_one_after_the_start() {
        for (term, renewal_date, expected) in [
            (Term::Annual, (2026, 3, 15), (2027, 3, 15)),
            (Term::Annual, (2026, 11, 1), (2027, 11, 1)),
            (Term::Annual, (2031, 3, 15), (2031, 3, 15)),
            (Term::Monthly, (2026, 1, 31), (2026, 11, 30)),
        ] {
            let date = |(year, month, day)| NaiveDate::from_ymd_opt(year, month, day).unwrap();
            let calendar =
                Calendar { term, renewal_date: date(renewal_date), time_zone: TimeZone::default() };
            let tier = Tier::new(100, 50).unwrap();
            let terms = Terms { calendar, tier, cap: None, marketing_contacts: true, test_clock: None };
            let now: Timestamp = "2026-11-24T12:00:00.000Z".parse().unwrap();
            assert_eq!(next_renewal(&Period::first(terms, now)), date(expected));
        }
    }
}
