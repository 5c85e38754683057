//! The statements: the closed periods with the numbers with which they ended, and the running period.

use api::Problem;
use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use domain::Timestamp;
use domain::ids::ExportId;
use domain::period::{PeriodNumber, Statement};
use maud::{Markup, html};

use crate::frame::{Page, Section};
use crate::parts::{date_text, number, pager};
use crate::request::{Call, Failure};
use crate::signed::Signed;
use crate::text::statements as words;
use crate::typed::Typed;
use crate::{Console, chart, text};

const PATH: &str = "/console/statements";

/// The number of closed periods on a page.
const PERIODS: usize = 24;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route(PATH, get(show))
        .route("/console/statements.csv", get(file))
        .route("/console/statements/{number}/contacts", post(export))
}

async fn show(signed: Signed, RawQuery(query): RawQuery) -> Response {
    let query = Typed::parse(query.unwrap_or_default().as_bytes());
    let shown = page(&signed, query.get("after").parse().ok()).await;
    signed.finish(shown)
}

/// Returns the list of all closed periods as CSV.
async fn file(signed: Signed) -> Response {
    match signed.file(Call::get("/v1/usage/statements.csv")).await {
        Ok(response) => response,
        Err(refusal) => signed.finish(Err(refusal.into())),
    }
}

/// Leads to the export of the contacts that a statement counts, and starts it if there is none.
async fn export(signed: Signed, Path(number): Path<String>) -> Response {
    match export_of(&signed, &number).await {
        Ok(export) => Redirect::to(&format!("/console/exports/{export}")).into_response(),
        Err(failure) => signed.finish(Err(failure)),
    }
}

async fn export_of(signed: &Signed, number: &str) -> Result<ExportId, Failure> {
    let missing = || Failure::Problem(Problem::not_found("statement"));
    let number: PeriodNumber = number.parse().map_err(|_| missing())?;
    signed.file(Call::get(format!("/v1/usage/statements/{}/contacts.csv", number.number()))).await?;
    let export = signed.store().statement_export(signed.account.id, number, signed.wall_clock).await?;
    export.map(|export| export.id).ok_or_else(missing)
}

async fn page(signed: &Signed, after: Option<PeriodNumber>) -> Result<Page, Failure> {
    let store = signed.store();
    let listing = store.statements(signed.account.id, signed.wall_clock, after, PERIODS + 1).await?;
    let mut statements = listing.items;
    let more = statements.len() > PERIODS;
    statements.truncate(PERIODS);
    let date = date_text(signed, signed.period().ends_at);
    let content = html! {
        p class="lede" { (words::LEDE) }
        @if statements.is_empty() && after.is_some() { p { (words::NO_OLDER) } }
        @else { (table(signed, &statements, after.is_none())) }
        @if after.is_none() {
            p class="quiet gap" {
                (if statements.is_empty() { words::none_yet(&date) } else { words::running(&date) })
            }
        }
        (pages(signed, &statements, after.is_some(), more))
    };
    let head = html! {
        h1 { (text::STATEMENTS) }
        a class="button" href="/console/statements.csv" download="statements.csv" { (words::DOWNLOAD) }
    };
    Ok(Page::new(Section::Statements, text::STATEMENTS, content).with_head(head))
}

/// Returns an instant's date for a table, with the instant in UTC on hover.
pub(super) fn day(signed: &Signed, at: Timestamp) -> Markup {
    let utc = at.to_string();
    html! { time datetime=(utc) title=(utc) { (date_text(signed, at)) } }
}

/// Returns the table. The running period is its first row if it is shown.
fn table(signed: &Signed, statements: &[Statement], has_running: bool) -> Markup {
    let running = has_running.then(|| running(signed));
    let usages = running.iter().chain(statements).map(|statement| statement.marketing);
    let has_file = !statements.is_empty();
    let largest = usages.max().unwrap_or_default();
    html! {
        table class="stack" {
            caption class="vh" { (words::CAPTION) }
            thead { tr {
                th scope="col" { (words::PERIOD) }
                th scope="col" { (words::FROM) }
                th scope="col" { (words::TO) }
                th scope="col" { span class="vh" { (words::SHARE) } }
                th scope="col" class="n" { (words::AT_THE_END) }
                th scope="col" class="n" { (words::LEFT) }
                th scope="col" class="n" { (words::REMAINED) }
                th scope="col" class="n" { (words::TIER_LIMIT) }
                @if has_file { th scope="col" class="n" { (words::FILE) } }
            } }
            tbody {
                @if let Some(running) = &running { (row(signed, running, largest, true, has_file)) }
                @for statement in statements { (row(signed, statement, largest, false, has_file)) }
            }
        }
    }
}

/// Returns the numbers with which the running period would end now.
fn running(signed: &Signed) -> Statement {
    let period = signed.period();
    Statement {
        number: period.number,
        starts_at: period.starts_at,
        ends_at: period.ends_at,
        marketing: period.marketing,
        left: period.leaving,
        tier_limit: period.tier.limit_for(period.marketing),
    }
}

/// Returns the row of a period. `has_file` is true if the table has a column with the files of closed periods.
fn row(signed: &Signed, statement: &Statement, largest: u64, is_running: bool, has_file: bool) -> Markup {
    let Statement { marketing, left, .. } = *statement;
    html! {
        tr class=[is_running.then_some("key")] {
            th scope="row" {
                (number(signed, statement.number.number()))
                @if is_running { " " span class="flag" { (words::RUNNING) } }
            }
            td data-label=(words::FROM) { (day(signed, statement.starts_at)) }
            td data-label=(words::TO) { (day(signed, statement.ends_at)) }
            td class="bar" { (chart::row_bar(marketing, largest)) }
            td class="n" data-label=(words::MARKETING) { (number(signed, marketing)) }
            td class="n" data-label=(words::LEFT) { (number(signed, left)) }
            td class="n" data-label=(words::REMAINED) { (number(signed, marketing.saturating_sub(left))) }
            td class="n" data-label=(words::TIER_LIMIT) { (number(signed, statement.tier_limit)) }
            @if has_file { td class="n" data-label=(words::FILE) {
                @if !is_running {
                    form method="post" action={ (PATH) "/" (statement.number.number()) "/contacts" } {
                        button class="link" {
                            (words::CONTACTS) span class="vh" { (words::of_period(&number(signed, statement.number.number()))) }
                        }
                    }
                }
            } }
        }
    }
}

fn pages(signed: &Signed, statements: &[Statement], is_later: bool, more: bool) -> Markup {
    let (Some(newest), Some(oldest)) = (statements.first(), statements.last()) else {
        return if is_later {
            pager("", Some(PATH), None)
        } else {
            html! {}
        };
    };
    let [from, to] = [newest, oldest].map(|statement| number(signed, statement.number.number()));
    let next = format!("{PATH}?after={}", oldest.number);
    if !is_later && !more {
        return html! {};
    }
    pager(&words::shown(&from, &to), is_later.then_some(PATH), more.then_some(next.as_str()))
}
