//! The state of a contact in a sentence, its reason, and the tools that reach it.

use domain::marketing::{Change, EffectiveState};
use domain::source::{Actor, Source, SourceType};
use domain::tools::{Reason, Tool};
use maud::{Markup, html};

use super::Facts;
use crate::parts::{Detail, date_text, number, time};
use crate::signed::Signed;
use crate::text::{self, contact as words};

/// Returns the state in one sentence, with its source, its actor and its instant.
pub(super) fn sentence(signed: &Signed, facts: &Facts) -> Markup {
    let (state, period) = (facts.state(), &facts.explained.period);
    let class = match state {
        EffectiveState::NonMarketing => "note",
        EffectiveState::Marketing => "note bills",
        EffectiveState::Leaving => "note leaves",
    };
    let rest = text::duration(period.ends_at.to_utc() - signed.now.to_utc());
    html! {
        div class={ (class) " gap" } {
            p class="sentence" {
                span class=(words::state_class(state)) { (words::state(state)) } " "
                @match state {
                    EffectiveState::NonMarketing => { (words::FREE) " " }
                    EffectiveState::Marketing => { (words::BILLABLE) " " }
                    EffectiveState::Leaving => {
                        (words::STILL_UNTIL) (time(signed, period.ends_at, Detail::Zone)) (words::in_time(&rest))
                    }
                }
                @if let Some(change) = facts.explained.history.first() { (told(signed, facts, change)) }
            }
        }
    }
}

/// Returns a change as a sentence.
fn told(signed: &Signed, facts: &Facts, change: &Change) -> Markup {
    html! {
        @if change.source.kind == SourceType::UpdateDate {
            (words::LEFT) (time(signed, change.at, Detail::Zone)) "."
        } @else {
            (words::verb(change.from, change.to)) (by(signed, facts, change))
            (words::ON) (time(signed, change.at, Detail::Zone)) "."
        }
    }
}

/// Returns the actor and the source of a change, as the end of a sentence.
fn by(signed: &Signed, facts: &Facts, change: &Change) -> Markup {
    let source = &change.source;
    let is_own = match change.actor {
        Actor::User(_) => source.kind == SourceType::Manual,
        Actor::Integration(_) => source.kind == SourceType::Integration,
        Actor::Form(_) | Actor::Automation(_) | Actor::System => true,
    };
    html! {
        @match change.actor {
            Actor::User(id) => { (words::by_user(&facts.user(signed, id))) }
            Actor::Integration(_) => { (words::by_integration(if is_own { &source.name } else { "" })) }
            Actor::Form(_) => { (words::BY_SUBMISSION) (source_name(source)) }
            Actor::Automation(_) => { (words::BY_AUTOMATION) (source_name(source)) }
            Actor::System => {}
        }
        @if !is_own { (words::through(text::source_kind(source.kind))) (source_name(source)) }
    }
}

/// Returns the name of a source, which leads to its page if it has one.
pub(super) fn source_name(source: &Source) -> Markup {
    let page = match (source.kind, &source.id) {
        (SourceType::Form | SourceType::ExternalForm, Some(id)) => Some(format!("/console/forms/{id}")),
        (SourceType::BulkJob, Some(id)) => Some(format!("/console/jobs/{id}")),
        (SourceType::Automation, Some(id)) => Some(format!("/console/automations/{id}")),
        _ => None,
    };
    html! { @if let Some(page) = page { a href=(page) { (source.name) } } @else { (source.name) } }
}

/// Returns the table of the tools.
pub(super) fn reach(facts: &Facts) -> Markup {
    let (contact, state) = (&facts.explained.contact, facts.state());
    html! {
        section aria-labelledby="reach" {
            h2 id="reach" { (words::REACH) }
            table {
                caption class="vh" { (words::REACH_CAPTION) }
                thead { tr {
                    th scope="col" { (words::TOOL) }
                    th scope="col" { (words::MARKETING_CONTACT) }
                    th scope="col" { (words::REACHES) }
                } }
                tbody {
                    @for tool in Tool::ALL {
                        tr {
                            th scope="row" { (words::tool(*tool)) }
                            @if tool.needs_marketing_contact() { td { (words::REQUIRED) } }
                            @else { td class="quiet" { (words::NOT_REQUIRED) } }
                            td { (answer(&tool.reasons_against(contact, state))) }
                        }
                    }
                }
            }
        }
    }
}

/// Returns "Yes", or "No" with its reasons.
fn answer(reasons: &[Reason]) -> Markup {
    html! {
        @if reasons.is_empty() { span class="state yes" { (words::YES) } }
        @else { span class="state no" { (words::no_because(reasons)) } }
    }
}

/// Returns the reason for which the contact is billable or not, and the consequence of the page's main action.
pub(super) fn why(signed: &Signed, facts: &Facts) -> Markup {
    let period = &facts.explained.period;
    let number_of_period = number(signed, period.number.number());
    let is_billable = facts.state().is_billable();
    html! {
        section aria-labelledby="billable" {
            h2 id="billable" { (if is_billable { words::WHY_BILLABLE } else { words::WHY_FREE }) }
            p {
                @if is_billable {
                    (words::billable_in(&number_of_period)) (time(signed, period.starts_at, Detail::Date))
                    (words::TO) (time(signed, period.ends_at, Detail::Date)) (since(signed, facts))
                    (words::and_stays(facts.state() == EffectiveState::Leaving))
                } @else {
                    (words::not_counted(&number_of_period))
                }
            }
            @if is_billable { (unreached(facts)) }
            @if signed.period().marketing_contacts { p class="gap" { (consequence(signed, facts)) } }
        }
    }
}

/// Returns the change that made the contact billable, if the page has read it.
fn since(signed: &Signed, facts: &Facts) -> Markup {
    let set = facts.explained.history.iter().find(|change| {
        change.to == EffectiveState::Marketing && change.from != Some(EffectiveState::Leaving)
    });
    html! {
        @if let Some(set) = set {
            ": " (words::verb(set.from, set.to).to_lowercase()) (by(signed, facts, set))
            (words::ON) (time(signed, set.at, Detail::Date))
        }
    }
}

/// Returns the reasons for which no marketing tool reaches a billable contact.
fn unreached(facts: &Facts) -> Markup {
    let contact = &facts.explained.contact;
    let reasons = [
        (contact.unsubscribed, words::NO_TOOL_UNSUBSCRIBED),
        (contact.bounced, words::NO_TOOL_BOUNCED),
        (contact.email.is_none(), words::NO_TOOL_NO_ADDRESS),
    ];
    let reasons: Vec<&str> =
        reasons.into_iter().filter_map(|(applies, reason)| applies.then_some(reason)).collect();
    html! { @if !reasons.is_empty() { p class="gap" { (words::no_tool(&reasons)) } } }
}

/// Returns the effect of the page's main action on the bill.
fn consequence(signed: &Signed, facts: &Facts) -> String {
    let period = signed.period();
    let date = date_text(signed, period.ends_at);
    let usage = number(signed, period.marketing);
    match facts.state() {
        EffectiveState::Marketing => {
            let rest = number(signed, period.after_next_update().saturating_sub(1));
            words::if_queued(&date, &usage, &rest)
        }
        EffectiveState::Leaving => {
            words::if_kept(&usage, &date, &number(signed, period.after_next_update() + 1))
        }
        EffectiveState::NonMarketing if period.remaining_capacity() == 0 => if_set(signed),
        EffectiveState::NonMarketing => words::if_set(&if_set(signed)),
    }
}

/// Returns the effect of one more marketing contact on the bill.
pub(super) fn if_set(signed: &Signed) -> String {
    let period = signed.period();
    if let Some(cap) = period.cap.filter(|_| period.remaining_capacity() == 0) {
        return words::cap_reached(&number(signed, cap));
    }
    let next = period.marketing + 1;
    let (limit, raised) = (period.tier.limit_for(period.marketing), period.tier.limit_for(next));
    let date = date_text(signed, period.ends_at);
    let [usage, next, of] = [period.marketing, next, raised].map(|count| number(signed, count));
    let sentence = words::because_billable(&usage, &next, &of, &date);
    if raised > limit { format!("{sentence} {}", words::raises(&of)) } else { sentence }
}
