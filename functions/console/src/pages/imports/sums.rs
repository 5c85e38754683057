//! The numbers of rows by their outcomes, and of contacts by what became of their marketing states.

use domain::import::{ImportSummary, RowOutcome};
use maud::{Markup, html};

use crate::parts::number;
use crate::signed::Signed;
use crate::text::imports as words;

/// Returns the tables of the outcomes that occur. `sets` is true if the import sets contacts as marketing.
pub(super) fn tables(signed: &Signed, summary: &ImportSummary, sets: bool, caption: &str) -> Markup {
    let outcomes = RowOutcome::ALL.iter().filter(|outcome| summary.rows(**outcome) > 0);
    html! {
        table {
            caption class="vh" { (caption) }
            thead { tr { th scope="col" { (words::OUTCOME) } th scope="col" class="n" { (words::COUNT) } } }
            tbody {
                @for outcome in outcomes { (row(signed, words::outcome(*outcome), summary.rows(*outcome))) }
            }
            tfoot { tr {
                th scope="row" { (words::ALL_ROWS) }
                td class="n" { (number(signed, summary.total())) }
            } }
        }
        @if sets { (marketing(signed, summary)) }
    }
}

fn marketing(signed: &Signed, summary: &ImportSummary) -> Markup {
    html! {
        table class="gap" {
            caption class="vh" { (words::MARKETING_CAPTION) }
            thead { tr {
                th scope="col" { (words::MARKETING_CAPTION) }
                th scope="col" class="n" { (words::CONTACTS) }
            } }
            tbody {
                (row(signed, words::SET, summary.set))
                @if summary.kept > 0 { (row(signed, words::KEPT, summary.kept)) }
                @for (reason, rows) in &summary.refused { (row(signed, words::refused_because(*reason), *rows)) }
            }
        }
    }
}

fn row(signed: &Signed, name: &str, count: u64) -> Markup {
    html! { tr { th scope="row" { (name) } td class="n" { (number(signed, count)) } } }
}
