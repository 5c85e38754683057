//! Forms: the list, the creation of one, and the page of each.

mod acts;
mod address;
mod delete;
mod fields;
mod form;
mod map;
mod new;
mod rejected;
mod settings;
mod view;

use axum::Router;
use axum::extract::RawQuery;
use axum::response::Response;
use axum::routing::get;
use domain::ids::FormId;
use domain::limits::FORMS_SHOWN_MAX;
use maud::{Markup, html};
use store::FormReport;

use crate::frame::{Page, Section};
use crate::parts::{Switch, Tone, note, number, pager};
use crate::request::Failure;
use crate::signed::Signed;
use crate::text::forms as words;
use crate::typed::Typed;
use crate::{Console, parts, text};

/// The path of the list.
const LIST: &str = "/console/forms";

/// Returns the routes of this module.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route(LIST, get(show))
        .route("/console/forms/new", get(new::show).post(new::create))
        .route("/console/forms/{id}", get(form::show).post(acts::save))
        .route("/console/forms/{id}/switch", get(form::lead).post(acts::switch))
        .route("/console/forms/{id}/map", get(form::lead).post(acts::save_map))
        .route("/console/forms/{id}/secrets", get(form::lead).post(acts::change_secrets))
        .route("/console/forms/{id}/rejected", get(form::lead).post(rejected::act))
        .route("/console/forms/{id}/delete", get(delete::show).post(delete::delete))
}

/// Shows the list.
async fn show(signed: Signed, RawQuery(query): RawQuery) -> Response {
    let query = Typed::parse(query.unwrap_or_default().as_bytes());
    let shown = page(&signed, &query).await;
    signed.finish(shown)
}

/// A page of the list.
struct List {
    reports: Vec<FormReport>,
    /// The form after which the page begins.
    after: Option<FormId>,
    has_more: bool,
}

impl List {
    async fn read(signed: &Signed, after: Option<FormId>) -> Result<Self, Failure> {
        let (store, account) = (signed.store(), signed.account.id);
        let listed = store.forms(account, after, FORMS_SHOWN_MAX + 1).await?.items;
        let has_more = listed.len() > FORMS_SHOWN_MAX;
        let mut reports = Vec::new();
        for form in listed.iter().take(FORMS_SHOWN_MAX) {
            reports.push(store.form_report(account, form.id, signed.wall_clock).await?);
        }
        Ok(Self { reports, after, has_more })
    }
}

async fn page(signed: &Signed, query: &Typed) -> Result<Page, Failure> {
    let after = query.filled("after").map(view::form_id).transpose()?;
    let list = List::read(signed, after).await?;
    let is_empty = list.reports.is_empty();
    let head = html! {
        h1 { (text::FORMS) }
        a class="button act" href="/console/forms/new" { (words::CREATE) }
    };
    let content = html! {
        (done(signed, query, &list.reports))
        @if is_empty && after.is_none() { (empty()) } @else {
            p class={ "lede" @if signed.done.is_some() { " gap" } } {
                (words::LEDE)
                @if !signed.may_edit() { " " span id="may-not" { (text::MAY_NOT_EDIT) } }
            }
            @if is_empty { p { (words::NO_MORE) } } @else { (table(signed, &list)) }
            (pages(signed, &list))
            p class="quiet gap" { (used_up(signed, &list.reports)) (words::COUNTS_SINCE) }
        }
    };
    Ok(Page::new(Section::Forms, text::FORMS, content).with_head(head))
}

fn done(signed: &Signed, query: &Typed, reports: &[FormReport]) -> Markup {
    match signed.done.as_deref() {
        Some("deleted") => note(Tone::Plain, &html! { p { (words::DONE_DELETED) } }),
        Some("switched") => {
            let id = query.get("form");
            let Some(report) = reports.iter().find(|report| report.form.id.to_string() == id) else {
                return html! {};
            };
            let is_on = sets(signed, report);
            let tone = if is_on { Tone::Bills } else { Tone::Plain };
            note(tone, &html! { p { (words::switched_form(&report.form.name, is_on)) } })
        }
        _ => html! {},
    }
}

fn empty() -> Markup {
    html! {
        section aria-labelledby="empty" class="narrow" {
            h2 id="empty" { (words::EMPTY) }
            p { (words::EMPTY_OWN) " " (words::EMPTY_PROVIDER) }
            p class="quiet gap" { (words::LEDE) }
        }
    }
}

/// Returns true if the form's submissions set contacts as marketing.
fn sets(signed: &Signed, report: &FormReport) -> bool {
    signed.account.defaults.for_form(report.form.provider, report.form.set_marketing)
}

fn table(signed: &Signed, list: &List) -> Markup {
    html! {
        table class="stack" {
            caption class="vh" { (words::CAPTION) }
            thead { tr {
                th scope="col" { (words::FORM) }
                th scope="col" { (words::PROVIDER) }
                th scope="col" { (words::SET_MARKETING) }
                @for name in [words::RECEIVED, words::SET, words::KEPT, words::REPEATS, words::REJECTED] {
                    th scope="col" class="n" { (name) }
                }
                th scope="col" class="n" { (words::BUDGET_TODAY) }
            } }
            tbody { @for report in &list.reports { (row(signed, report, list.after)) } }
        }
    }
}

fn row(signed: &Signed, report: &FormReport, after: Option<FormId>) -> Markup {
    let FormReport { form, counts, .. } = report;
    let page = view::page_of(form.id);
    let back = after.map(|after| format!("&after={after}")).unwrap_or_default();
    let action = format!("{page}/switch?to=list{back}");
    let name = words::set_who_submits(&form.name);
    let plain = [
        (words::RECEIVED, counts.received()),
        (words::SET, counts.set),
        (words::KEPT, counts.kept),
        (words::REPEATS, counts.duplicates),
    ];
    html! {
        tr {
            th scope="row" { a href=(page) { (form.name) } }
            td data-label=(words::PROVIDER) { (words::provider(form.provider)) }
            td data-label=(words::SET_MARKETING) {
                (switch(signed, &action, &name, true, sets(signed, report)))
                @if form.set_marketing.is_none() { span class="sub" { (words::BY_DEFAULT) } }
            }
            @for (label, count) in plain { td data-label=(label) class="n" { (number(signed, count)) } }
            td data-label=(words::REJECTED) class="n" {
                @if counts.rejected == 0 { "0" } @else {
                    a href={ (page) "#rejected" } {
                        (number(signed, counts.rejected)) span class="vh" { (words::REJECTED_SUBMISSIONS) }
                    }
                }
            }
            td data-label=(words::BUDGET_TODAY) class="n" {
                @if let Some(budget) = report.budget {
                    @let most = budget.max_new_marketing_per_day;
                    (words::budget_used(&number(signed, budget.used_today), &number(signed, most)))
                    @if budget.used_today >= most { " " span class="flag" { (words::USED_UP) } }
                }
            }
        }
    }
}

/// Returns the switch of a form. Everybody may switch it off. A person who may not switch it on sees the reason, which
/// the page has under the id `may-not`.
fn switch(signed: &Signed, action: &str, name: &str, hides_name: bool, is_on: bool) -> Markup {
    if is_on || signed.may_edit() {
        let switch = Switch { field: "set_marketing", name, hides_name, is_on, bills: true };
        return parts::switch(signed, action, &switch);
    }
    html! {
        button type="button" class="switch bill" role="switch" aria-checked="false" aria-describedby="may-not"
            disabled {
            span class=[hides_name.then_some("vh")] { (name) ": " } (text::OFF)
        }
    }
}

fn pages(signed: &Signed, list: &List) -> Markup {
    if list.after.is_none() && !list.has_more {
        return html! {};
    }
    let count = u64::try_from(list.reports.len()).unwrap_or_default();
    let last = list.reports.last().filter(|_| list.has_more);
    let next = last.map(|report| format!("{LIST}?after={}", report.form.id));
    let shown = words::shown(&number(signed, count), list.has_more);
    pager(&shown, list.after.map(|_| LIST), next.as_deref())
}

fn used_up(signed: &Signed, reports: &[FormReport]) -> Markup {
    let zone = signed.period().calendar.time_zone;
    let is_used_up = |report: &&FormReport| {
        report.budget.is_some_and(|budget| budget.used_today >= budget.max_new_marketing_per_day)
    };
    html! {
        @for report in reports.iter().filter(is_used_up) {
            b { (report.form.name) } (words::used_up(zone.as_str()))
        }
    }
}
