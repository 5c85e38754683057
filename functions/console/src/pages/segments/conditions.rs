//! A filter in words.

use domain::Timestamp;
use domain::filter::{Condition, ConditionParts, Filter, Operator};
use maud::{Markup, html};

use crate::parts::{Detail, time};
use crate::signed::Signed;
use crate::text::segments as words;

/// Returns the conditions of a filter, in words. A contact meets all conditions of one entry.
pub(super) fn show(signed: &Signed, filter: &Filter) -> Markup {
    let groups = filter.groups();
    html! {
        section aria-labelledby="conditions" {
            h2 id="conditions" { (words::CONDITIONS) }
            @if groups.is_empty() { p { (words::ALL_CONTACTS) } }
            ul class="todo-list" {
                @for (nth, group) in groups.iter().enumerate() {
                    li { span {
                        @if nth > 0 { span class="quiet" { (words::OR) " " } }
                        @for (nth, condition) in group.iter().enumerate() {
                            @if nth > 0 { span class="quiet" { (words::AND) } }
                            (one(signed, condition))
                        }
                    } }
                }
            }
        }
    }
}

fn one(signed: &Signed, condition: &Condition) -> Markup {
    let ConditionParts { name, operator, value, values, high_value } = condition.parts();
    let is_instant = matches!(name.as_str(), "created_at" | "updated_at");
    let is_word = matches!(operator, Operator::ContainsToken | Operator::NotContainsToken);
    let operand = |value: &str| {
        let at = value.parse::<Timestamp>().ok().filter(|_| is_instant && !is_word);
        html! { b { @if let Some(at) = at { (time(signed, at, Detail::Time)) } @else { (words::operand(value)) } } }
    };
    html! {
        (words::field(name)) " " (words::comparison(*operator, is_instant))
        @if let Some(value) = value { " " (operand(value)) }
        @for (nth, value) in values.iter().flatten().enumerate() {
            @if nth > 0 { "," } " " (operand(value))
        }
        @if let Some(high) = high_value { (words::TO) (operand(high)) }
    }
}
