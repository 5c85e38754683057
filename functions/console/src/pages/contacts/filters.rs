//! The rows of the filter.

use maud::{Markup, html};

use super::found::{Facts, hidden};
use super::view::{Row, RowError, View};
use crate::parts::{Tone, note};
use crate::text::contacts as words;

/// Returns the form with the rows. Without rows it only offers to add one.
pub(super) fn form(view: &View, facts: &Facts, errors: &[RowError]) -> Markup {
    if let Some(reason) = facts.no_filter {
        let whole = View { words: String::new(), rows: Vec::new(), after: None, ..view.clone() };
        return html! {
            @if errors.is_empty() { p class="quiet gap" { (reason) } } @else {
                (note(Tone::Fault, &html! { p {
                    (reason) @if facts.is_list() { " " a href=(whole.path(None)) { (words::WHOLE_LIST) } }
                } }))
            }
        };
    }
    let rows = &view.rows;
    let without_rows = View { rows: Vec::new(), ..view.clone() };
    let whole = errors.iter().filter(|error| error.row.is_none());
    html! {
        form method="post" action="/console/contacts/filter" {
            (hidden(&without_rows))
            fieldset class="filters" data-filters {
                legend class="vh" { (words::FILTER) }
                button hidden { (words::APPLY) }
                @for error in whole { p class="error" role="alert" { (error.message) } }
                @for (place, row) in rows.iter().enumerate() {
                    (row_of(place, row, errors.iter().find(|error| error.row == Some(place))))
                }
                div class="row" {
                    button name="add" value="1" data-add-filter { (words::ADD_CONDITION) }
                    @if !rows.is_empty() { button { (words::APPLY) } }
                    @if view.is_filtered() { button class="end" name="save" value="1" { (words::SAVE) } }
                }
                @if !rows.is_empty() { p class="hint" id="filter-h" { (words::VALUE_HINT) } }
            }
        }
    }
}

fn row_of(place: usize, row: &Row, error: Option<&RowError>) -> Markup {
    let label = |name: &str| words::condition(name, place + 1);
    let is_own = row.property.is_empty() || words::FIELDS.iter().any(|(field, _)| *field == row.property);
    let id = format!("condition-{}-e", place + 1);
    html! {
        @if let Some(error) = error { p class="error" id=(id) { (crate::text::sentence(&error.message)) } }
        div class="row" data-filter {
            span class="and" { (if place == 0 { words::WHERE } else { words::AND }) }
            select class="w-m" name="property" aria-label=(label("Property")) {
                option value="" selected[row.property.is_empty()] { (words::CHOOSE) }
                @for (field, name) in words::FIELDS {
                    option value=(field) selected[row.property == field] { (name) }
                }
                @if !is_own { option value=(row.property) selected { (row.property) } }
            }
            select class="w-m" name="operator" aria-label=(label("Comparison")) {
                @for (operator, name) in words::OPERATORS {
                    option value=(operator) selected[row.operator == operator] { (name) }
                }
            }
            input class="w-m" name="value" aria-label=(label("Value")) value=(row.value) autocomplete="off"
                aria-invalid=[error.map(|_| "true")]
                aria-describedby=(if error.is_some() { id.as_str() } else { "filter-h" });
            button name="drop" value=(place + 1) {
                (words::REMOVE) span class="vh" { (words::drop_condition(place + 1)) }
            }
        }
    }
}
