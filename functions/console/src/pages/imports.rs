//! Imports: the list, a new import, and one import from its preview to its result.

mod columns;
mod new;
mod one;
mod options;
mod preview;
mod result;
mod shown;
mod sums;

use axum::Router;
use axum::extract::{DefaultBodyLimit, RawQuery};
use axum::response::Response;
use axum::routing::{get, post};
use domain::ids::ImportId;
use domain::import::RowOutcome;
use domain::limits::{GATEWAY_BODY_BYTES_MAX, ROWS_SHOWN};
use maud::{Markup, html};
use store::Import;

use self::shown::{path, state};
use super::transfers::{IMPORTS, tabs};
use crate::Console;
use crate::frame::{Page, Section};
use crate::parts::{Detail, number, pager, time};
use crate::request::Failure;
use crate::signed::Signed;
use crate::text::{self, imports as words};
use crate::typed::Typed;

pub(crate) fn routes() -> Router<Console> {
    // A file that is a little too large arrives, so that the page can say so and keep what was typed.
    let with_file = DefaultBodyLimit::max(GATEWAY_BODY_BYTES_MAX);
    Router::new()
        .route("/console/imports", get(show_list))
        .route("/console/imports/new", get(new::show).post(new::create).layer(with_file))
        .route("/console/imports/upload", post(new::begin_upload))
        .route("/console/imports/{id}", get(one::show))
        .route("/console/imports/{id}/options", post(one::change))
        .route("/console/imports/{id}/start", post(one::start))
        .route("/console/imports/{id}/progress", get(one::progress))
        .route("/console/imports/{id}/cancel", get(one::ask_cancel).post(one::cancel))
        .route("/console/imports/{id}/rows.csv", get(one::rows))
}

async fn show_list(signed: Signed, RawQuery(query): RawQuery) -> Response {
    let query = Typed::parse(query.unwrap_or_default().as_bytes());
    let after = query.filled("after").and_then(|after| after.parse().ok());
    let shown = list(&signed, after).await;
    signed.finish(shown)
}

async fn list(signed: &Signed, after: Option<ImportId>) -> Result<Page, Failure> {
    let listing = signed.store().imports(signed.account.id, after, ROWS_SHOWN).await?;
    let next =
        listing.items.last().filter(|_| listing.more).map(|import| format!("{IMPORTS}?after={}", import.id));
    let content = html! {
        (tabs(IMPORTS))
        @if listing.items.is_empty() { p class="gap" { (words::NONE) } } @else {
            table class="stack gap" {
                caption class="vh" { (words::CAPTION) }
                thead { tr {
                    th scope="col" { (words::FILE) }
                    th scope="col" { (words::STATE) }
                    th scope="col" class="n" { (words::ROWS) }
                    th scope="col" class="n" { (words::FAILED_ROWS) }
                    th scope="col" class="n" { (words::AS_MARKETING) }
                    th scope="col" { (words::CREATED) }
                } }
                tbody { @for import in &listing.items { (row(signed, import)) } }
            }
        }
        (pager("", after.map(|_| IMPORTS), next.as_deref()))
    };
    let head = html! {
        h1 { (text::FILES) }
        a class="button act" href={ (IMPORTS) "/new" } { (words::NEW) }
    };
    Ok(Page::new(Section::Files, text::FILES, content).with_head(head))
}

fn row(signed: &Signed, import: &Import) -> Markup {
    let rows = import.rows.map(|rows| number(signed, rows)).unwrap_or_default();
    html! {
        tr {
            th scope="row" { a href=(path(import.id)) { (import.name) } }
            td data-label=(words::STATE) { (state(import.state)) }
            td data-label=(words::ROWS) class="n" { (rows) }
            td data-label=(words::FAILED_ROWS) class="n" {
                (number(signed, import.summary.rows(RowOutcome::Invalid)))
            }
            td data-label=(words::AS_MARKETING) class="n" { (number(signed, import.summary.set)) }
            td data-label=(words::CREATED) { (time(signed, import.created_at, Detail::Short)) }
        }
    }
}
